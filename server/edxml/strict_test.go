package edxml

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// vital are the elements of a document, and of a status, without which nothing can be done with it. A recipient without a code is no
// recipient: leaving it out in silence would lose a document that somebody was meant to get, so it is a missing To.
var (
	vitalDocument = regexp.MustCompile(`^/edXML(/edXMLEnvelope(/edXMLHeader)?(/MessageHeader)?)?$|^` + messageHeaderPath + `/(From|From/OrganId|To|To\[[0-9]+\]|To\[[0-9]+\]/OrganId|DocumentId)$`)
	vitalStatus   = regexp.MustCompile(`^/edXML(/edXMLEnvelope(/edXMLHeader)?(/MessageHeader)?)?$|^` + messageHeaderPath + `/(From|From/OrganId|ResponseFor|ResponseFor/OrganId|ResponseFor/DocumentId|StatusCode)$`)
)

// TestStrictness spoils every element of a packet in which all occur, each in every way: only what takes away sender, recipient, identity
// or a status that exists is an error. All else is a warning at most, and the packet is read.
func TestStrictness(t *testing.T) {
	t.Parallel()
	for file, vital := range map[string]*regexp.Regexp{"written.edxml": vitalDocument, "written_status.edxml": vitalStatus} {
		raw, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(raw), "\r\n")
		spoiled := 0
		for _, e := range elementsOf(t, lines) {
			for way, packet := range e.spoil(lines) {
				p, err := Read(strings.NewReader(packet), Reading{Now: received})
				if err != nil {
					t.Fatalf("%s: %s %s: unreadable: %v", file, e.path, way, err)
				}
				spoiled++
				if vital.MatchString(e.path) {
					continue
				}
				if faults := p.Errors(); len(faults) > 0 {
					t.Errorf("%s: %s %s is refused: %+v", file, e.path, way, faults)
				}
			}
		}
		t.Logf("%s: %d spoiled packets", file, spoiled)
		if spoiled < 60 {
			t.Errorf("%s: only %d ways to spoil it were tried", file, spoiled)
		}
	}
}

// TestVital: and those that are vital do refuse it, by being taken away or emptied.
func TestVital(t *testing.T) {
	t.Parallel()
	for file, vital := range map[string]*regexp.Regexp{"written.edxml": vitalDocument, "written_status.edxml": vitalStatus} {
		raw, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(raw), "\r\n")
		for _, e := range elementsOf(t, lines) {
			if !vital.MatchString(e.path) || e.path == "/edXML" || strings.HasSuffix(e.path, "/To[1]") || strings.HasSuffix(e.path, "/To[2]") { // one To of two may go
				continue
			}
			for _, way := range []string{"taken away", "emptied"} {
				p, err := Read(strings.NewReader(e.spoil(lines)[way]), Reading{})
				if err != nil || len(p.Errors()) == 0 {
					t.Errorf("%s: %s %s is not refused (%v)", file, e.path, way, err)
				}
			}
		}
	}
}

// spot is an element of a written packet: from its line to its last one.
type spot struct {
	path        string
	from, to    int
	name, value string // of a leaf: as written, with its prefix
	attributes  string
}

var startLine = regexp.MustCompile(`^ *<([A-Za-z:]+)([^<>/]*(?:"[^"]*")?[^<>/]*)>(.*)$`)

// elementsOf finds the elements of a packet as our writer lays it out: each on lines of its own.
func elementsOf(t *testing.T, lines []string) []spot {
	t.Helper()
	var found []spot
	var open []int
	counts := []map[string]int{{}}
	path := ""
	for n, line := range lines {
		switch {
		case strings.HasPrefix(strings.TrimSpace(line), "</"):
			at := open[len(open)-1]
			found[at].to = n
			open, counts = open[:len(open)-1], counts[:len(counts)-1]
			path = path[:strings.LastIndexByte(path, '/')]
			continue
		case strings.HasPrefix(line, "<?xml"), strings.TrimSpace(line) == "":
			continue
		}
		m := startLine.FindStringSubmatch(line)
		if m == nil {
			continue // the second line of a text
		}
		local := m[1][strings.IndexByte(m[1], ':')+1:]
		counts[len(counts)-1][local]++
		step := "/" + local
		if counted[local] {
			step += fmt.Sprintf("[%d]", counts[len(counts)-1][local])
		}
		found = append(found, spot{path: path + step, from: n, to: n, name: m[1], attributes: m[2], value: m[3]})
		if m[3] == "" {
			open, counts = append(open, len(found)-1), append(counts, map[string]int{})
			path += step
			continue
		}
		if !strings.HasSuffix(line, "</"+m[1]+">") { // a text of two lines
			found[len(found)-1].to = n + 1
		}
	}
	if len(open) > 0 || len(found) < 20 {
		t.Fatalf("found %d elements, %d of them open", len(found), len(open))
	}
	return found
}

// spoil gives the packet with this element wrong in every way.
func (e spot) spoil(lines []string) map[string]string {
	with := func(element ...string) string {
		all := append(append(append([]string(nil), lines[:e.from]...), element...), lines[e.to+1:]...)
		return strings.Join(all, "\r\n")
	}
	whole := lines[e.from : e.to+1]
	tag := func(text string) string { return "<" + e.name + e.attributes + ">" + text + "</" + e.name + ">" }
	ways := map[string]string{"taken away": with(), "emptied": with(tag("")), "closed": with("<" + e.name + e.attributes + "/>"), "blank": with(tag(" \r\n\t"))}
	if e.path == "/edXML" { // a file needs a root
		delete(ways, "taken away")
	}
	if strings.Count(e.path, "/") > 1 {
		ways["twice"] = with(append(append([]string(nil), whole...), whole...)...)
		ways["with an unknown one in it"] = strings.Replace(with(whole...), whole[0], strings.Replace(whole[0], ">", "><x>1</x>", 1), 1)
	}
	if e.value != "" {
		for name, text := range map[string]string{"long": strings.Repeat("ệ", 3000), "odd": "🙂 &lt;?&gt; -99999999999999999999", "a word": "hai", "a number": "7", "a negative": "-1",
			"an impossible date": "2014/02/30", "a date of the future": "2199/01/01", "CDATA": "<![CDATA[x]]>", "a path": "../../../etc/passwd", "null": "null"} {
			ways[name] = with(tag(text))
		}
	}
	return ways
}

// TestEmptyForms: what some writers leave empty instead of out says nothing, refuses nothing, and does not come out again as something.
func TestEmptyForms(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ResponseFor", "SteeringType", "ToPlaces", "ResponseForTask", "ApplicationType", "DueDate", "SignerInfo", "Content"} {
		checkEmpty(t, name, packetOf("</edXML:Subject>", "</edXML:Subject><edXML:"+name+"/>"), nil)
	}
	checkEmpty(t, "OtherInfo", packetOf("<edXML:OtherInfo><edXML:Priority>0</edXML:Priority></edXML:OtherInfo>", "<edXML:OtherInfo/>"), nil)
	for _, name := range []string{"PageAmount", "PromulgationAmount", "Appendixes", "ReplyFors", "ReferenceCodes", "Direction"} {
		checkEmpty(t, name, packetOf("<edXML:Priority>0</edXML:Priority>", "<edXML:Priority/><edXML:"+name+"></edXML:"+name+">"), nil)
	}
	for _, list := range []string{"", "<Bussiness/>", "<Bussiness><BussinessDocType/></Bussiness>", "<TraceHeader/>", "<Paper/>", "<Bussiness><BussinessDocumentInfo><ReceiverList/></BussinessDocumentInfo><ReplacementInfoList/><StaffInfo/></Bussiness>"} {
		checkEmpty(t, list, packetOf("</edXML:edXMLHeader>", "<TraceHeaderList>"+list+"</TraceHeaderList></edXML:edXMLHeader>"), nil)
	}
	attached := packetOf()[strings.Index(packetOf(), "  <AttachmentEncoded>"):strings.Index(packetOf(), "</edXML>\n")]
	none := []string{"/edXML/AttachmentEncoded/Attachment:1:missing"}
	checkEmpty(t, "no AttachmentEncoded", packetOf(attached, ""), none)
	checkEmpty(t, "empty AttachmentEncoded", packetOf(attached, "<AttachmentEncoded/>"), none)
	checkEmpty(t, "no body", packetOf(attached, "", `<edXML:edXMLBody><edXML:edXMLManifest version="1.0" /></edXML:edXMLBody>`, ""), none)
}

func checkEmpty(t *testing.T, name, packet string, warnings []string) {
	t.Helper()
	p, err := Read(strings.NewReader(packet), Reading{})
	if err != nil || len(p.Errors()) > 0 || p.Kind != KindNew {
		t.Errorf("empty %s: %s, %v %+v", name, p.Kind, err, p.Errors())
		return
	}
	checkPlaces(t, p.Warnings(), warnings)
	d := p.Document
	if len(d.ResponseFor)+len(d.Trace)+len(d.ToPlaces)+len(d.Tasks)+len(d.Unknown) > 0 || d.Steering != nil || d.Other.Direction != nil {
		t.Errorf("empty %s reads as %+v", name, d)
	}
	if b := d.Business; b != nil && (b.DocumentID != "" || b.Paper != nil || len(b.Changes)+len(b.Replacements)+len(b.Staff) > 0) {
		t.Errorf("empty %s reads as %+v", name, b)
	}
}
