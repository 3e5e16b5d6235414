package edxml

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/truc-lienthong/truc/routing"
	"pgregory.net/rapid"
)

func TestUrgency(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]routing.Urgency{"": routing.Normal, "0": routing.Normal, "1": routing.Urgent, "2": routing.VeryUrgent, "3": routing.Express,
		"4": routing.Express, "9": routing.Normal, "-1": routing.Normal, "Hỏa tốc": routing.Express, "HOẢ TỐC": routing.Express, "Thượng khẩn": routing.VeryUrgent} {
		p, err := Read(strings.NewReader(packetOf("<edXML:Priority>0<", "<edXML:Priority>"+text+"<")), Reading{})
		if err != nil || p.Document.Urgency() != want {
			t.Errorf("priority %q is %v (%v), want %v", text, p.Document.Urgency(), err, want)
		}
	}
}

// TestOriginal: which document a recall concerns; the official sample repeats the packet's own id.
func TestOriginal(t *testing.T) {
	t.Parallel()
	d := Document{ID: "a", Business: &Business{Kind: KindRecall}}
	if d.Original() != "a" || d.Kind() != KindRecall {
		t.Errorf("%s of %s", d.Kind(), d.Original())
	}
	d.Business.DocumentID = "b"
	if d.Original() != "b" {
		t.Errorf("the original is %s", d.Original())
	}
	if k := (Document{}).Kind(); k != KindNew {
		t.Errorf("without Bussiness it is %s", k)
	}
}

// TestSecrecy: an element that speaks of secrecy counts unless it says that there is none.
func TestSecrecy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"TỐI MẬT": true, "1": true, "Mật": true, "0": false, "": false, "Thường": false, "false": false} {
		d := Document{Unknown: []Unknown{{Path: "/edXML/Other/SecurityLevel[2]", Text: text}}}
		if _, _, found := d.Secrecy(); found != want {
			t.Errorf("%q: %v, want %v", text, found, want)
		}
	}
}

func TestFileName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Công văn số 1.pdf": "Công văn số 1.pdf", "../../etc/passwd": "passwd", `C:\a\b.doc`: "b.doc", "": "tep-dinh-kem", "..": "tep-dinh-kem", "/": "tep-dinh-kem",
		".bashrc": "bashrc", "a\x00b.pdf": "ab.pdf", "a\u202efdp.exe": "afdp.exe", "a:b.pdf": "ab.pdf", "a.pdf. ": "a.pdf",
	} {
		if got := (Attachment{Name: name}).FileName(); got != want {
			t.Errorf("%q is stored as %q, want %q", name, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		got := (Attachment{Name: rapid.String().Draw(t, "name") + strings.Repeat("ệ", rapid.IntRange(0, 100).Draw(t, "more")) + ".pdf"}).FileName()
		if got == "" || len(got) > 200 || !utf8.ValidString(got) || strings.ContainsAny(got, "/\\\x00\n") || strings.HasPrefix(got, ".") || !strings.HasSuffix(got, "pdf") {
			t.Fatalf("%q", got)
		}
	})
}
