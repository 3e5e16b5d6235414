package toy

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/server/edxml"
)

// at is when the packets of these tests were made.
var at = time.Date(2026, 11, 21, 9, 15, 30, 0, vietnam)

func packetOf(t *testing.T, d Document) []byte {
	t.Helper()
	b, err := EdXML(d, at)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// full is a document with everything that a packet can say.
func full() Document {
	d := letter(7, "H29.12", "H26", "000.00.00.G22")
	d.Dispatch.Number, d.Dispatch.Notation, d.Dispatch.Place = "130", "SNV-VP", "TP. Hồ Chí Minh"
	d.Dispatch.PromulgationDate, d.Dispatch.DueDate = "2026-11-20", "2026-12-01"
	d.Dispatch.Type, d.Dispatch.Urgency = Type{Name: "Công văn", Code: 18}, Express
	d.Dispatch.Subject = `V/v "thử" <A> & B`
	d.Dispatch.Signer = Signer{Name: "Nguyễn Văn Thử", Position: "Giám đốc", Competence: "KT."}
	d.Dispatch.References = []Reference{{Agency: "G22", NumberNotation: "7816/VPCP", DocumentID: "G22-1", Date: "2026-09-30"}}
	d.Dispatch.Steering, d.Dispatch.PageAmount, d.Dispatch.ToPlaces = 2, 3, []string{"Như trên", "Lưu: VT"}
	d.Files = append(d.Files, Bytes("bảng.xlsx", "", []byte("PK not really")), Bytes("phụ lục.TXT", "text/plain", []byte("phụ lục")),
		Bytes("kho.ZIP", "", []byte("whatever")))
	return d
}

// TestPacketsAreReadByTheAxis: what the toy writes as VNPT's library does, the axis's own reader reads without a complaint,
// and the files in it are the same. Only tests may hold the two against each other.
func TestPacketsAreReadByTheAxis(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Dispatch){
		"new":     func(*Dispatch) {},
		"recall":  func(d *Dispatch) { d.Kind, d.Original, d.Reason = KindRecall, d.DocumentID, "gửi nhầm" },
		"update":  func(d *Dispatch) { d.Kind, d.Original = KindUpdate, "H29.12-2026-1" },
		"replace": func(d *Dispatch) { d.Kind, d.Original = KindReplace, "H29.12-2026-1" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := full()
			change(&d.Dispatch)
			var files []Digest
			p, err := edxml.Read(bytes.NewReader(packetOf(t, d)), edxml.Reading{Attachment: func(_ int, a edxml.Attachment, content io.Reader) error {
				h := newDigester(io.Discard)
				_, err := io.Copy(h, content)
				files = append(files, h.digest(a.Name))
				return err
			}})
			if err != nil || len(p.Problems) > 0 {
				t.Fatalf("%v, %+v", err, p.Problems)
			}
			got := p.Document
			if string(p.Kind) != name || got.ID != d.Dispatch.DocumentID || got.From.ID != "H29.12" || len(got.To) != 2 || got.Number != "130" ||
				got.Subject != d.Dispatch.Subject || got.Other.Priority != 3 || got.ResponseFor[0].Code != "7816/VPCP" {
				t.Errorf("%+v", got)
			}
			if want := d.Dispatch.Original; want != "" && got.Original() != want && (name != "replace" || got.Business.Replacements[0].DocumentID != want) {
				t.Errorf("original %s: %+v", got.Original(), got.Business)
			}
			want, err := digests(d.Files)
			if err != nil || len(files) != len(want) {
				t.Fatalf("%d files, %v", len(files), err)
			}
			for i := range want {
				if files[i].SHA256 != want[i].SHA256 {
					t.Errorf("file %s: %+v", want[i].Name, files[i])
				}
			}
			read, err := ReadEdXML(packetOf(t, d))
			if err != nil || read.Dispatch.Kind != d.Dispatch.Kind || read.Dispatch.Original != d.Dispatch.Original || read.Code() != "130/SNV-VP" ||
				read.Dispatch.PromulgationDate != "2026-11-20" || read.Dispatch.Urgency != Express {
				t.Errorf("read here: %+v, %v", read.Dispatch, err)
			}
		})
	}
}

// TestPacketsOfTheAxisAreRead: what the axis writes comes out here with the same files, as VNPT's reader takes them.
func TestPacketsOfTheAxisAreRead(t *testing.T) {
	t.Parallel()
	files := [][]byte{[]byte("%PDF-1.7"), []byte("bảng tính"), []byte("PK\x03\x04")}
	d := edxml.Document{From: edxml.Organization{ID: "H29.12"}, To: []edxml.Organization{{ID: "H26"}}, ID: "H29.12-1", Number: "1", Notation: "VP",
		Attachments: []edxml.Attachment{{Name: "a.pdf"}, {Name: "b.xlsx"}, {Name: "c.zip"}}}
	var b bytes.Buffer
	if err := edxml.Write(&b, d, func(i int) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files[i])), nil }); err != nil {
		t.Fatal(err)
	}
	p, err := ReadEdXML(b.Bytes())
	if err != nil || len(p.Files) != 3 || p.Dispatch.Sender != "H29.12" || p.Dispatch.Kind != KindNew {
		t.Fatalf("%+v, %v", p, err)
	}
	for i, f := range files {
		if want, err := Bytes("", "", f).Digest(); err != nil || p.Files[i].SHA256 != want.SHA256 {
			t.Errorf("file %d: %+v, %v", i, p.Files[i], err)
		}
	}
	b.Reset()
	if err := edxml.WriteStatus(&b, edxml.Status{From: edxml.Organization{ID: "G22"}, Code: "02", Description: "sai nơi nhận", At: edxml.Moment(at),
		ResponseFor: edxml.ResponseFor{OrganID: "H29.12", Code: "1/VP", DocumentID: "H29.12-1", PromulgationDate: edxml.Day(at)}}); err != nil {
		t.Fatal(err)
	}
	if p, err = ReadEdXML(b.Bytes()); err != nil || p.Said == nil || p.Said.From != "G22" || p.Said.To != "H29.12" ||
		p.Said.Receipt.Status != Rejected || p.Said.Receipt.Reason != "sai nơi nhận" || !p.Said.Receipt.EventTime.Equal(at) ||
		p.Dispatch.DocumentID != "H29.12-1" || p.Code() != "1/VP" {
		t.Errorf("%+v %+v, %v", p.Said, p.Dispatch, err)
	}
}

func TestStatusPacketsAreReadByTheAxis(t *testing.T) {
	t.Parallel()
	r := Received{Sender: "H29.12", DocumentID: "H29.12-1", Agency: "H26", Code: "1/VP", Promulgated: "2026-11-20"}
	p, err := edxml.Read(bytes.NewReader(StatusXML(r, Receipt{Status: Rejected, Reason: "sai <nơi> nhận", Staff: clerk, EventTime: at})), edxml.Reading{})
	if err != nil || len(p.Problems) > 0 || p.Status == nil {
		t.Fatalf("%v, %+v", err, p.Problems)
	}
	s := p.Status
	if s.From.ID != "H26" || s.ResponseFor.OrganID != "H29.12" || s.ResponseFor.DocumentID != "H29.12-1" || s.ResponseFor.Code != "1/VP" ||
		s.Code != "02" || s.Description != "sai <nơi> nhận" || s.Staff.Name != clerk.Name || !s.At.At.Equal(at) {
		t.Errorf("%+v", s)
	}
}

// TestPacketsAreReadAsVNPTDoes: what its parser forgives, and what it dies of.
func TestPacketsAreReadAsVNPTDoes(t *testing.T) {
	t.Parallel()
	good := string(packetOf(t, letter(0, "H29.12", "H26")))
	for name, b := range map[string]string{
		"prefixes nowhere bound": strings.ReplaceAll(strings.ReplaceAll(good, `xmlns:edXML="`+edxmlNamespace+`"`, ""), `xmlns="`+edxmlNamespace+`"`, ""),
		"no prefixes":            strings.ReplaceAll(good, "edXML:", ""),
		"no Bussiness":           good[:strings.Index(good, "<edXML:Bussiness>")] + good[strings.Index(good, "</edXML:Bussiness>")+len("</edXML:Bussiness>"):],
		"something unknown":      strings.Replace(good, "<edXML:Subject>", "<edXML:New><a/></edXML:New><edXML:Subject>", 1),
	} {
		if p, err := ReadEdXML([]byte(b)); err != nil || p.Dispatch.DocumentID != "H29.12-2026-A" || p.Dispatch.Kind != KindNew || len(p.Files) != 1 {
			t.Errorf("%s: %+v, %v", name, p.Dispatch, err)
		}
	}
	for name, b := range map[string]string{
		"junk before the prolog": "1212" + good,
		"no prolog":              good[strings.Index(good, "<edXML "):],
		"no envelope":            strings.ReplaceAll(good, "edXMLEnvelope", "envelope"),
		"no sender":              strings.ReplaceAll(good, "edXML:From>", "edXML:Form>"),
		"torn":                   good[:len(good)/2],
		"no base64":              strings.Replace(good, "JVBERi0", "JVBER?!", 1),
		"a status of nothing":    strings.Replace(good, "<edXML:Subject>", "<edXML:StatusCode>03</edXML:StatusCode><edXML:Subject>", 1),
	} {
		if p, err := ReadEdXML([]byte(b)); err == nil {
			t.Errorf("%s was read: %+v", name, p)
		}
	}
	if again := packetOf(t, letter(0, "H29.12", "H26")); string(again) != good {
		t.Error("the same document became another packet")
	}
	if strings.Contains(strings.ReplaceAll(good, "\r\n", ""), "\n") {
		t.Error("a line does not end in CRLF")
	}
}
