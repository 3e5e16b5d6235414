package signing_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// signed signs a hand-made file.
func (w *world) signed(pdf []byte) []byte { return w.signPDF(pdf, testpki.PDFSignature{Hidden: true}) }

// attackCase is a forgery that leaves every digest right: what changes is what a reader shows. It begins with a file that
// is valid as signed (checked too); then a revision is appended.
type attackCase struct {
	name   string
	base   func(w *world) []byte             // as signed
	forge  func(w *world, pdf []byte) []byte // what is done to it
	want   signing.Reason
	honest bool // what is done is none: it stays valid
}

var attackCases = []attackCase{
	// An object that does not exist, or not wholly, at the time of signing and comes into being later.
	{name: "changed_after_signing_offset_past_the_signed_end",
		base: func(w *world) []byte {
			pdf := littleWith("/Contents 4 0 R", "/Contents [4 0 R 5 0 R]", stream("", goodText))
			at := bytes.Index(pdf, []byte("5 0 obj"))
			return w.signed(bytes.Replace(pdf, fmt.Appendf(nil, "%010d", at), []byte("0000060000"), 1))
		},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).upTo(60000).text("5 0 obj\n%s\nendobj\n", stream("", evilText)).object(900, "<<>>").end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_stream_past_the_signed_end",
		base: func(w *world) []byte {
			return w.signed(littleWith("/Contents 4 0 R", "/Contents [4 0 R 5 0 R]", "<</Length 59000>>\nstream\n"+goodText))
		},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).upTo(61000).text(evilText).text("\nendstream").object(900, "<<>>").end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_dangling_in_the_second_signed_revision",
		base: func(w *world) []byte {
			pdf := w.signed(little())
			pdf = forge(pdf).object(20, "<</Type /Annot /Subtype /Stamp /Rect [0 0 90 90] /AP <</N 900 0 R>>>>").
				object(3, strings.Replace(bodyOf(pdf, 3), "/Annots [", "/Annots [20 0 R ", 1)).end()
			return w.seal(pdf) // an agency vouches for the mark
		},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(900, stream("/Type /XObject /Subtype /Form /BBox [0 0 90 90]", evilText)).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_dangling_brought_by_dss",
		base: func(w *world) []byte { return w.signed(littleWith("/Contents 4 0 R", "/Contents [4 0 R 900 0 R]")) },
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(900, stream("", evilText)).object(1, inserted(bodyOf(pdf, 1), "/DSS <</Certs [900 0 R]>>")).end()
		}, want: signing.ChangedAfterSigning},

	// An object of the page, rewritten in a role that may be rewritten.
	{name: "changed_after_signing_contents_as_info", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			f := forge(pdf).object(4, stream("", evilText))
			f.trailer = "/Info 4 0 R"
			return f.end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_contents_as_metadata", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(4, stream("", evilText)).object(1, inserted(bodyOf(pdf, 1), "/Metadata 4 0 R")).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_contents_as_dss_certificate", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(4, stream("", evilText)).object(1, inserted(bodyOf(pdf, 1), "/DSS <</Certs [4 0 R]>>")).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_contents_as_vri", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(4, stream("", evilText)).object(1, inserted(bodyOf(pdf, 1), "/DSS <</VRI <</00 <</Cert [4 0 R]>>>>>>")).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_contents_as_extensions", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(4, stream("", evilText)).object(1, inserted(bodyOf(pdf, 1), "/Extensions 4 0 R")).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_pages_node_as_info", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			f := forge(pdf).object(2, "<</Type /Pages /Kids [3 0 R] /Count 1 /Rotate 90>>")
			f.trailer = "/Info 2 0 R"
			return f.end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_contents_and_annotations_in_one_array",
		base: func(w *world) []byte {
			return w.signed(littleWith("/Contents 4 0 R", "/Contents 5 0 R /Annots 5 0 R", "[4 0 R]"))
		},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(5, "[4 0 R 20 0 R]").object(20, stream("/Subtype /Link /Rect [0 0 0 0]", evilText)).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_contents_as_field",
		base: func(w *world) []byte {
			return w.signed(littleWith("/Pages 2 0 R", "/Pages 2 0 R /AcroForm 5 0 R", "<</Fields [4 0 R]>>"))
		},
		forge: func(_ *world, pdf []byte) []byte { return forge(pdf).object(4, stream("", evilText)).end() },
		want:  signing.ChangedAfterSigning},

	// The containers of objects.
	{name: "changed_after_signing_object_stream_replaced",
		base: func(w *world) []byte { return w.signPDF(w.compressed(), testpki.PDFSignature{Hidden: true}) },
		forge: func(_ *world, pdf []byte) []byte {
			return replaceObjectStream(pdf)
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_contents_typed_as_xref",
		base: func(w *world) []byte {
			return w.signed(plainPDF(catalogBody, pagesBody, pageBody, stream("/Type /XRef", goodText)))
		},
		forge: func(_ *world, pdf []byte) []byte { return forge(pdf).object(4, stream("/Type /XRef", evilText)).end() },
		want:  signing.ChangedAfterSigning},
	{name: "changed_after_signing_contents_typed_as_object_stream",
		base: func(w *world) []byte {
			return w.signed(plainPDF(catalogBody, pagesBody, pageBody, stream("/Type /ObjStm", goodText)))
		},
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(4, stream("/Type /ObjStm", evilText)).end()
		},
		want: signing.ChangedAfterSigning},

	// What readers take differently.
	{name: "changed_after_signing_page_key_doubled", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(3, inserted(bodyOf(pdf, 3), "/Contents 20 0 R")).object(20, stream("", evilText)).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_page_key_doubled_behind_many", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			page := inserted(bodyOf(pdf, 3), "/PieceInfo <<"+distinct(300)+">>")
			return forge(pdf).object(3, "<<"+distinct(300)+inserted(page, "/Contents 20 0 R")[2:]).object(20, stream("", evilText)).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_page_key_doubled_before",
		base: func(w *world) []byte {
			return w.signed(littleWith("/Resources <<>>", "/Contents 4 0 R /Resources <<>>"))
		},
		forge: func(_ *world, pdf []byte) []byte {
			page := bodyOf(pdf, 3)
			at := strings.LastIndex(page, "/Contents 4 0 R")
			return forge(pdf).object(3, page[:at]+"/Contents 20 0 R"+page[at+len("/Contents 4 0 R"):]).object(20, stream("", evilText)).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_page_key_doubled_escaped", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(3, inserted(bodyOf(pdf, 3), "/Cont#65nts 20 0 R")).object(20, stream("", evilText)).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_trailer_key_doubled", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			f := forge(pdf).object(20, "<</Type /Catalog /Pages 21 0 R>>").object(21, "<</Type /Pages /Kids [22 0 R] /Count 1>>").
				object(22, "<</Type /Page /Parent 21 0 R /MediaBox [0 0 9 9]>>")
			f.trailer = "/Root 1 0 R /Root 20 0 R"
			return f.end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_entry_doubled", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			f := forge(pdf)
			at := len(f.out)
			f.text("4 0 obj\n%s\nendobj\n", stream("", evilText))
			good := bytes.Index(pdf, []byte("4 0 obj"))
			return f.row(4, fmt.Sprintf("%010d 00000 n \n4 1\n%010d 00000 n \n", good, at)).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_hybrid_entry_differs", base: (*world).littleSigned, forge: hybridConflict, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_hybrid_hidden", base: (*world).littleSigned,
		forge: func(w *world, pdf []byte) []byte {
			f := forge(pdf)
			at := len(f.out)
			f.text("4 0 obj\n%s\nendobj\n", stream("", evilText))
			f.trailer = fmt.Sprintf("/XRefStm %d", f.xrefStream(30, 4, at))
			return f.row(4, "0000000000 00000 f \n").end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_freed_and_used_again", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			pdf = forge(pdf).row(4, "0000000000 00001 f \n").end()
			f := forge(pdf)
			at := len(f.out)
			return f.text("4 1 obj\n%s\nendobj\n", stream("", evilText)).row(4, fmt.Sprintf("%010d 00001 n \n", at)).end()
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_freed", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte { return forge(pdf).row(4, "0000000000 00001 f \n").end() },
		want:  signing.ChangedAfterSigning},

	// Hide and replace: the second document lies in what was signed.
	{name: "changed_after_signing_shadow_catalog",
		base: func(w *world) []byte { return w.signed(littleShadow()) },
		forge: func(_ *world, pdf []byte) []byte {
			f := forge(pdf).row(900, "0000000000 65535 f \n")
			f.trailer = "/Root 5 0 R"
			return f.end()
		}, want: signing.ChangedAfterSigning},
	{name: "revision_unreadable_shadow_entry",
		base: func(w *world) []byte { return w.signed(littleShadow()) },
		forge: func(_ *world, pdf []byte) []byte {
			at := bytes.Index(pdf, []byte("5 0 obj"))
			return forge(pdf).row(1, fmt.Sprintf("%010d 00000 n \n", at)).end()
		}, want: signing.RevisionUnreadable},

	// Appended without the means to find it (incremental saving attack).
	{name: "changed_after_signing_body_alone", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte { return forge(pdf).object(4, stream("", evilText)).out }, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_body_alone_long", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(4, stream("", evilText+strings.Repeat(" ", 9000))).out
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_body_and_trailer", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(4, stream("", evilText)).text("trailer\n<</Root 1 0 R /Size 9>>\n%%%%EOF\n").out
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_body_xref_no_startxref", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			out := forge(pdf).object(4, stream("", evilText)).end()
			return out[:bytes.LastIndex(out, []byte("startxref"))]
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_body_startxref_of_before", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(4, stream("", evilText)).text("startxref\n%d\n%%%%EOF\n", lastStartxref(pdf)).out
		}, want: signing.ChangedAfterSigning},
	{name: "changed_after_signing_body_startxref_of_before_trailer_before_it", base: (*world).littleSigned,
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(4, stream("", evilText)).
				text("xref\n0 0\ntrailer\n<</Root 1 0 R /Size 9 /Prev %d>>\nstartxref\n%d\n%%%%EOF\n", lastStartxref(pdf), lastStartxref(pdf)).out
		}, want: signing.ChangedAfterSigning},

	// What must stay valid.
	{name: "valid_validation_data", base: (*world).littleSigned, honest: true,
		forge: func(w *world, pdf []byte) []byte { return w.AddValidationData(pdf) }},
	{name: "valid_info_rewritten", base: func(w *world) []byte { return w.signed(little()) }, honest: true,
		forge: func(_ *world, pdf []byte) []byte {
			f := forge(pdf).object(20, "<</Producer (a)>>")
			f.trailer = "/Info 20 0 R"
			f = forge(f.end()).object(20, "<</Producer (b)>>")
			f.trailer = "/Info 20 0 R"
			return f.end()
		}},
	{name: "valid_metadata_rewritten",
		base: func(w *world) []byte {
			return w.signed(littleWith("/Pages 2 0 R", "/Pages 2 0 R /Metadata 5 0 R", stream("/Type /Metadata /Subtype /XML", "<x/>")))
		}, honest: true,
		forge: func(_ *world, pdf []byte) []byte {
			return forge(pdf).object(5, stream("/Type /Metadata /Subtype /XML", "<x>2</x>")).end()
		}},
	{name: "valid_validation_data_rewritten", honest: true,
		base: func(w *world) []byte { return w.AddValidationData(w.signed(little())) },
		forge: func(w *world, pdf []byte) []byte {
			dss := firstNumber([]byte(bodyOf(pdf, 1)), "/DSS ")
			return forge(pdf).object(40, stream("", string(w.TSA.Certificate.Raw))).
				object(dss, strings.Replace(bodyOf(pdf, dss), "/Certs [", "/Certs [40 0 R ", 1)).end()
		}},
}

func (w *world) littleSigned() []byte { return w.signed(little()) }

// littleShadow bears a second catalog with a page of its own, which nothing refers to.
func littleShadow() []byte {
	return little("<</Type /Catalog /Pages 6 0 R>>", "<</Type /Pages /Kids [7 0 R] /Count 1>>",
		"<</Type /Page /Parent 6 0 R /MediaBox [0 0 300 300] /Contents 8 0 R>>", stream("", evilText))
}

// xrefStream writes a cross-reference stream that names one object, and gives its place.
func (f *forgery) xrefStream(self, n, at int) int {
	here := len(f.out)
	row := string([]byte{1, byte(at >> 16), byte(at >> 8), byte(at), 0})
	f.text("%d 0 obj\n%s\nendobj\n", self, stream(fmt.Sprintf("/Type /XRef /W [1 3 1] /Index [%d 1] /Size 3000 /Root 1 0 R", n), row))
	return here
}

// hybridConflict: the table keeps the page's text where it was, the stream of the same section gives another.
func hybridConflict(_ *world, pdf []byte) []byte {
	f := forge(pdf)
	at := len(f.out)
	f.text("4 0 obj\n%s\nendobj\n", stream("", evilText))
	f.trailer = fmt.Sprintf("/XRefStm %d", f.xrefStream(30, 4, at))
	return f.row(4, fmt.Sprintf("%010d 00000 n \n", bytes.Index(pdf, []byte("4 0 obj")))).end()
}

func TestPDFAttackCorpus(t *testing.T) { runAttacks(t, attackCases) }

func runAttacks(t *testing.T, list []attackCase) {
	t.Parallel()
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			base := c.base(w)
			if r := verify(inside(base), w.options()); r.Verdict != signing.Valid {
				t.Fatalf("as signed it is %s %v", r.Verdict, r.Files[0].Reasons)
			}
			r := verify(inside(w.keep(".pdf", c.forge(w, base))), w.options())
			if c.honest {
				if r.Verdict != signing.Valid {
					t.Fatalf("%s %v", r.Verdict, r.Files[0].Reasons)
				}
				return
			}
			if r.Verdict == signing.Valid || r.Verdict == signing.Unsigned || !hasReason(r.Files[0].Reasons, c.want) {
				t.Fatalf("%s %v, want %s", r.Verdict, r.Files[0].Reasons, c.want)
			}
		})
	}
}

// replaceObjectStream writes the object stream of a file again under its own number, with one of its objects changed: no
// object's entry changes but the container's.
func replaceObjectStream(pdf []byte) []byte {
	at := bytes.Index(pdf, []byte("/Type /ObjStm"))
	num := 0
	start := bytes.LastIndex(pdf[:at], []byte("\nendobj\n")) + len("\nendobj\n")
	fmt.Sscanf(string(pdf[start:]), "%d 0 obj", &num)
	end := start + bytes.Index(pdf[start:], []byte("endobj"))
	dict, data := unzipped(pdf[start:end])
	data = bytes.Replace(data, []byte("/MediaBox [0 0 595"), []byte("/MediaBox [0 0 100"), 1)
	n, first := firstNumber([]byte(dict), "/N "), firstNumber([]byte(dict), "/First ")
	f := forge(pdf)
	root := firstNumber(pdf, "/Root ")
	f.trailer = fmt.Sprintf("/Root %d 0 R", root)
	here := len(f.out)
	f.text("%d 0 obj\n%s\nendobj\n", num, stream(fmt.Sprintf("/Type /ObjStm /N %d /First %d", n, first), string(data)))
	xref := len(f.out)
	row := string([]byte{1, byte(here >> 16), byte(here >> 8), byte(here), 0})
	f.text("2500 0 obj\n%s\nendobj\n", stream(fmt.Sprintf("/Type /XRef /W [1 3 1] /Index [%d 1] /Size 3000 /Root %d 0 R /Prev %d", num, root, lastStartxref(pdf)), row))
	return f.text("startxref\n%d\n%%%%EOF\n", xref).out
}
