package edxml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// tree is an element for tests: small packets only.
type tree struct {
	name string
	text string
	kids []*tree
}

func parseTree(t testing.TB, packet []byte) *tree {
	t.Helper()
	x := xml.NewDecoder(bytes.NewReader(packet))
	x.Strict = false
	var stack []*tree
	for {
		tok, err := x.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			stack = append(stack, &tree{name: tok.Name.Local})
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text += string(tok)
			}
		case xml.EndElement:
			done := stack[len(stack)-1]
			if stack = stack[:len(stack)-1]; len(stack) == 0 {
				return done
			}
			stack[len(stack)-1].kids = append(stack[len(stack)-1].kids, done)
		}
	}
}

func (e *tree) write(b *strings.Builder) {
	b.WriteString("<" + e.name + ">")
	if len(e.kids) == 0 {
		_ = xml.EscapeText(b, []byte(e.text))
	}
	for _, k := range e.kids {
		k.write(b)
	}
	b.WriteString("</" + e.name + ">")
}

// shuffle puts the children in any order; those of one name keep theirs, for they are a list.
func (e *tree) shuffle(t *rapid.T) {
	order := rapid.Permutation(e.kids).Draw(t, e.name)
	byName := map[string][]*tree{}
	for _, k := range e.kids {
		byName[k.name] = append(byName[k.name], k)
		k.shuffle(t)
	}
	for i, k := range order {
		order[i], byName[k.name] = byName[k.name][0], byName[k.name][1:]
	}
	e.kids = order
}

// TestAnyOrder: whatever order the elements stand in, without prefixes and namespaces, the packet says the same.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"written.edxml", "written_status.edxml", "new.edxml", "update.edxml", "replace.edxml"} {
		raw, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		want := readAll(t, raw)
		rapid.Check(t, func(r *rapid.T) {
			root := parseTree(t, raw)
			root.shuffle(r)
			b := &strings.Builder{}
			b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>`)
			root.write(b)
			got := readAll(t, []byte(b.String()))
			if got.Kind != want.Kind || !reflect.DeepEqual(got.Document, want.Document) || !reflect.DeepEqual(got.Status, want.Status) || !slices.Equal(got.Files, want.Files) {
				r.Fatalf("%s reads as\n%+v\nwant\n%+v\n%s", file, got, want, b)
			}
		})
	}
}

// TestFirstCounts: of what may come once the first counts, as for VNPT's parser, and the repetition is told; a crowd of other elements before
// it does not hide it. Else we would judge one sender and the recipient's software would see another.
func TestFirstCounts(t *testing.T) {
	t.Parallel()
	var crowd strings.Builder
	for i := range 2 * maxKids {
		fmt.Fprintf(&crowd, "<x%d/>", i)
	}
	business := func(s string) string {
		return packetOf("</edXML:edXMLHeader>", "<TraceHeaderList><Bussiness>"+s+"</Bussiness></TraceHeaderList></edXML:edXMLHeader>")
	}
	other := func(s string) string {
		return packetOf("<edXML:OtherInfo><edXML:Priority>0</edXML:Priority></edXML:OtherInfo>", "<OtherInfo>"+s+"</OtherInfo>")
	}
	kind := func(d *Document) any { return d.Kind() }
	for _, c := range []struct {
		name, packet string
		want         any
		get          func(d *Document) any
		told         int
	}{
		{"From", packetOf("</edXML:From>", "</edXML:From><From><OrganId>G22</OrganId></From>"), "H29.12", func(d *Document) any { return d.From.ID }, 1},
		{"From behind a crowd", packetOf("<edXML:From>", crowd.String()+"<edXML:From>", "</edXML:From>", "</edXML:From><From><OrganId>G22</OrganId></From>"), "H29.12", func(d *Document) any { return d.From.ID }, 1},
		{"OrganId behind a crowd", packetOf("<edXML:From>", "<edXML:From>"+crowd.String(), "H29.12</edXML:OrganId>", "H29.12</edXML:OrganId><OrganId>G22</OrganId>"), "H29.12", func(d *Document) any { return d.From.ID }, 1},
		{"DocumentId", packetOf("</edXML:DocumentId>", "</edXML:DocumentId><DocumentId>2</DocumentId>"), "H29.12-2026-000001", func(d *Document) any { return d.ID }, 1},
		{"type of business", business("<BussinessDocType>0</BussinessDocType><BussinessDocType>1</BussinessDocType>"), KindNew, kind, 1},
		{"type of business, spelt otherwise", business("<BussinessDocType>2</BussinessDocType><BusinessDocType>1</BusinessDocType>"), KindUpdate, kind, 1},
		{"type of business, empty first", business("<BussinessDocType/><BussinessDocType>1</BussinessDocType>"), KindNew, kind, 1},
		{"Paper", business("<Paper>1</Paper><Paper>0</Paper>"), true, func(d *Document) any { return *d.Business.Paper }, 1},
		{"Priority", other("<Priority>1</Priority><Priority>4</Priority>"), 1, func(d *Document) any { return d.Other.Priority }, 1},
		{"Direction", other("<Direction>true</Direction><Direction/>"), true, func(d *Document) any { return d.Other.Direction != nil && *d.Other.Direction }, 1},
		{"PageAmount", other("<PageAmount>3</PageAmount><PageAmount>4</PageAmount>"), 3, func(d *Document) any { return d.Other.PageAmount }, 1},
		{"DocumentInfo", business("<BussinessDocType>2</BussinessDocType><BussinessDocumentInfo><DocumentInfo>1</DocumentInfo><DocumentInfo>0</DocumentInfo></BussinessDocumentInfo>"), true,
			func(d *Document) any { return d.Business.Changes[0].Content }, 1},
		{"ReceiverType", business("<BussinessDocumentInfo><ReceiverList><Receiver><OrganId>H26</OrganId><ReceiverType>1</ReceiverType><ReceiverType>0</ReceiverType></Receiver></ReceiverList></BussinessDocumentInfo>"), true,
			func(d *Document) any { return d.Business.Changes[0].List[0].Added }, 1},
		{"ReceiverType not given", business("<BussinessDocumentInfo><ReceiverList><Receiver><OrganId>H26</OrganId></Receiver></ReceiverList></BussinessDocumentInfo>"), false,
			func(d *Document) any { return d.Business.Changes[0].List[0].Added }, 1},
		{"Type", packetOf("<edXML:Type>2</edXML:Type>", "<Type>1</Type><Type>2</Type>"), 1, func(d *Document) any { return d.Type.Type }, 1},
		{"MessageHeader", packetOf("</edXML:MessageHeader>", "</edXML:MessageHeader><MessageHeader><From><OrganId>G22</OrganId></From></MessageHeader>"), "H29.12", func(d *Document) any { return d.From.ID }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := Read(strings.NewReader(c.packet), Reading{})
			if err != nil || len(p.Errors()) > 0 {
				t.Fatalf("%v %+v", err, p.Errors())
			}
			if got := c.get(p.Document); got != c.want || len(p.Warnings()) != c.told {
				t.Errorf("read %v, want %v; told %+v", got, c.want, p.Warnings())
			}
		})
	}
}

// TestUnknownBound: so many unknown elements are kept, of each so much, told once when there are more; those that speak of secrecy are kept
// behind any number of others, and wherever they stand.
func TestUnknownBound(t *testing.T) {
	t.Parallel()
	p, err := Read(strings.NewReader(packetOf("</edXML:Subject>", "</edXML:Subject>"+strings.Repeat("<y>1</y>", maxUnknown+100)+"\n<x:SecurityLevel>MẬT</x:SecurityLevel>")), Reading{})
	if err != nil {
		t.Fatal(err)
	}
	checkPlaces(t, p.Warnings(), []string{fmt.Sprintf("/y[%d]:12:too_long", maxUnknown+1)})
	if mark, path, found := p.Document.Secrecy(); len(p.Document.Unknown) != maxUnknown+1 || !found || mark != "MẬT" || path != messageHeaderPath+"/SecurityLevel" {
		t.Errorf("kept %d, secrecy %q at %q", len(p.Document.Unknown), mark, path)
	}
	p, err = Read(strings.NewReader(packetOf("</edXML:Subject>", "</edXML:Subject>"+strings.Repeat("<DoMat>1</DoMat>", maxUnknown+100))), Reading{})
	if err != nil || len(p.Document.Unknown) != maxUnknown+maxSecrecy {
		t.Errorf("%v: kept %d", err, len(p.Document.Unknown))
	}
	long := strings.Repeat("ệ", maxUnknownText) // three bytes each
	p, err = Read(strings.NewReader(packetOf("</edXML:Subject>", "</edXML:Subject><y>"+long+"</y>")), Reading{})
	if err != nil || len(p.Document.Unknown) != 1 || p.Document.Unknown[0].Line != 12 || p.Document.Unknown[0].Text != long[:maxUnknownText/3*3] {
		t.Errorf("%v: kept %d bytes of %d", err, len(p.Document.Unknown[0].Text), len(long))
	}
	for place, packet := range map[string]string{"/edXML/SecurityLevel": packetOf("<AttachmentEncoded>", "<SecurityLevel>MẬT</SecurityLevel><AttachmentEncoded>"),
		"/edXML/AttachmentEncoded/Attachment[1]/Secrecy": packetOf("<ContentId>", "<Secrecy>MẬT</Secrecy><ContentId>")} {
		p, err := Read(strings.NewReader(packet), Reading{})
		if err != nil {
			t.Fatal(err)
		}
		if _, path, found := p.Document.Secrecy(); !found || path != place {
			t.Errorf("behind the envelope, at %s: %v %q %+v", place, found, path, p.Document.Unknown)
		}
	}
}

// TestKindAlways: what was read until a packet broke off still says what it was for; nothing at all is new, as without Bussiness.
func TestKindAlways(t *testing.T) {
	t.Parallel()
	recall, err := os.ReadFile("testdata/recall.edxml")
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile("testdata/status_03.edxml")
	if err != nil {
		t.Fatal(err)
	}
	for packet, want := range map[string]Kind{"": KindNew, "1212": KindNew, "<?xml version='1.0'?><html/>": KindNew, string(recall[:len(recall)-30]): KindRecall, string(status[:len(status)-30]): KindStatus} {
		p, _ := Read(strings.NewReader(packet), Reading{})
		if p.Kind != want || p.Check().Kind != want || p.Check().OK {
			t.Errorf("%.40q is %q, want %q", packet, p.Kind, want)
		}
	}
}

// TestUncodedStatus: a status that lacks its code is told so, and is not taken for a document without a recipient.
func TestUncodedStatus(t *testing.T) {
	t.Parallel()
	status, err := os.ReadFile("testdata/status_03.edxml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Read(strings.NewReader(strings.Replace(string(status), "<edXML:StatusCode>03</edXML:StatusCode>", "", 1)), Reading{})
	if err != nil || p.Kind != KindStatus {
		t.Fatalf("%s: %v", p.Kind, err)
	}
	checkPlaces(t, p.Errors(), []string{"/StatusCode:5:missing"})
}

// TestDoubled: a directory's finding that two recipients are one has its place, and is a warning.
func TestDoubled(t *testing.T) {
	t.Parallel()
	p, err := Read(strings.NewReader(packetOf("</edXML:To>", "</edXML:To>\n<edXML:To/><edXML:To><edXML:OrganId>000.00.00.H26</edXML:OrganId></edXML:To>")), Reading{})
	if err != nil {
		t.Fatal(err)
	}
	c := p.Check(p.Doubled(1, "Lặp.", "Doubled."))
	checkPlaces(t, c.Errors, []string{"/To[2]/OrganId:8:missing"})
	if len(c.Warnings) != 1 || c.Warnings[0].Path != messageHeaderPath+"/To[3]" || c.Warnings[0].Line != 8 || c.Warnings[0].EN != "Doubled." {
		t.Errorf("%+v", c.Warnings)
	}
}

// TestAside: a disk that fails is not the packet's fault, and can be told from it.
func TestAside(t *testing.T) {
	t.Parallel()
	packet := attachmentsFirst(withFile("a.txt", "text/plain", strings.Repeat("x", 2*spoolMemory)))
	_, err := Read(strings.NewReader(packet), Reading{TempDir: t.TempDir() + "/none"})
	if !errors.Is(err, ErrAside) || errors.As(err, new(*Unreadable)) {
		t.Errorf("%v", err)
	}
	s := spool{dir: t.TempDir()}
	c, err := s.keep(strings.NewReader(strings.Repeat("x", 2*spoolMemory)))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.file.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(s.open(c)); !errors.Is(err, ErrAside) {
		t.Errorf("reading back: %v", err)
	}
}
