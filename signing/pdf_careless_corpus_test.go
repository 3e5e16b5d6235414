package signing_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/signing"
)

// careless are files as some producers write them, against the letter of ISO 32000-1, 7.5: every reader opens them, and a
// signature on one is no worse for it. bend spoils a file before it is signed.
var careless = []struct {
	name string
	bend func(pdf []byte) []byte
}{
	{"nothing", func(b []byte) []byte { return b }},
	{"junk_before_header_offsets_from_header", func(b []byte) []byte { return append([]byte("\xEF\xBB\xBF\r\n"), b...) }},
	{"startxref_to_white_space", shiftStartxref(-1)},
	{"startxref_off_by_three", shiftStartxref(3)},
	{"startxref_into_nowhere", shiftStartxref(100_000)},
	{"startxref_missing", func(b []byte) []byte { return b[:bytes.LastIndex(b, []byte("startxref"))] }},
	{"end_mark_missing", replaced("%%EOF\n", "")},
	{"end_mark_without_newline", replaced("%%EOF\n", "%%EOF")},
	{"junk_after_end_mark", replaced("%%EOF\n", "%%EOF\n\x00\x00\x00 <html></html>\n")},
	{"newlines_after_end_mark", replaced("%%EOF\n", "%%EOF\n\n\n\n")},
	{"carriage_returns", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r")) }},
	{"table_counted_from_one", replaced("xref\n0 ", "xref\n1 ")},
	{"table_rows_short", replaced(" n \n", " n\n")},
	{"table_count_too_large", func(b []byte) []byte { return regexp.MustCompile(`xref\n0 \d+`).ReplaceAll(b, []byte("xref\n0 40")) }},
	{"offsets_off_by_one", shiftOffsets(1)},
	{"offsets_one_early", shiftOffsets(-1)},
	{"offsets_wrong", shiftOffsets(200)},
	{"prev_zero", replaced("/Root 1 0 R>>", "/Root 1 0 R /Prev 0>>")},
	{"end_of_object_missing", replaced("\nendobj\n4 0 obj", "\n4 0 obj")},
	{"no_space_after_obj", replaced("3 0 obj\n", "3 0 obj")},
	{"numbers_odd", replaced("/MediaBox [0 0 300 300]", "/MediaBox [-.0 --0 300. +300]")},
	{"unused_entry_wrong", func(b []byte) []byte {
		at := bytes.Index(b, []byte("trailer"))
		return append(append(bytes.Clone(b[:at]), "90 1\n0000000003 00000 n \n"...), b[at:]...)
	}},
}

func replaced(old, new string) func([]byte) []byte {
	return func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(old), []byte(new)) }
}

func shiftStartxref(by int) func([]byte) []byte {
	return func(b []byte) []byte {
		n := lastStartxref(b)
		return bytes.Replace(b, fmt.Appendf(nil, "startxref\n%d\n", n), fmt.Appendf(nil, "startxref\n%d\n", n+by), 1)
	}
}

func shiftOffsets(by int) func([]byte) []byte {
	return func(b []byte) []byte {
		return regexp.MustCompile(`(\d{10}) 00000 n`).ReplaceAllFunc(b, func(row []byte) []byte {
			n := 0
			fmt.Sscanf(strings.TrimLeft(string(row[:10]), "0"), "%d", &n)
			return fmt.Appendf(nil, "%010d 00000 n", n+by)
		})
	}
}

// signUpdate signs by an incremental update whose cross-references are right; number tells the signatures apart.
func (w *world) signUpdate(pdf []byte, number int) []byte {
	f := forge(pdf)
	f.prev = max(0, f.prev)
	fields := ""
	for i := 1; i <= number; i++ {
		fields += fmt.Sprintf(" %d 0 R", 100+10*i)
	}
	n := 100 + 10*number
	f.object(n, fmt.Sprintf("<</Type /Annot /Subtype /Widget /FT /Sig /T (A%d) /V %d 0 R /P 3 0 R /Rect [0 0 0 0] /F 132>>", number, n+1)).object(n+1, room(""))
	f.object(100, "<</SigFlags 3 /Fields ["+fields+"]>>").object(1, "<</Type /Catalog /Pages 2 0 R /AcroForm 100 0 R>>")
	return w.fill(f.end())
}

func TestCarelessFilesStayValid(t *testing.T) {
	t.Parallel()
	for _, c := range careless {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			whole := w.fill(c.bend(littleWith("/Pages 2 0 R", formFive, formBody, fieldBody, room(""))))
			one := w.signUpdate(c.bend(little()), 1)
			two := w.signUpdate(one, 2)
			for name, pdf := range map[string][]byte{"in one go": whole, "by an update": one, "twice": two} {
				r := verify(inside(pdf), w.options())
				lost := name == "twice" && c.name == "startxref_missing" && hasReason(r.Files[0].Reasons, signing.RevisionUnreadable)
				if r.Verdict != signing.Valid && !lost { // where the first revision began cannot be told
					t.Errorf("signed %s: %s %v", name, r.Verdict, r.Files[0].Reasons)
				}
			}
			// The carelessness must not open a door: what is put behind is still a change.
			for name, pdf := range map[string][]byte{
				"a text replaced":        forge(one).object(4, stream("", evilText)).end(),
				"a body alone":           forge(one).object(4, stream("", evilText)).out,
				"an object not listed":   forge(one).text("4 0 obj\n%s\nendobj\n", stream("", evilText)).object(900, "<<>>").end(),
				"a text replaced, whole": forge(whole).object(4, stream("", evilText)).end(),
			} {
				r := verify(inside(pdf), w.options())
				if r.Verdict == signing.Valid && (name != "an object not listed" || c.name == "unused_entry_wrong") || r.Verdict == signing.Unsigned {
					t.Errorf("with %s: %s", name, r.Verdict)
				}
			}
		})
	}
}
