package signing_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// withDefaults gives the document a form with resources before anyone signs.
func withDefaults(r *revision) {
	n := r.Add("<</SigFlags 3 /Fields [] /DR <</XObject <</n0 %d 0 R>> /Font <</Helv %d 0 R>>>>>>", look(r, "0 0 9 9 re f"), r.Add(helvetica))
	r.Insert(r.Root(), "/AcroForm %d 0 R", n)
}

// defaultsAfter puts other things under the names of withDefaults.
func defaultsAfter(font string) func(r *revision) {
	return func(r *revision) {
		form := r.Object(r.Form())
		r.Replace(r.Form(), fmt.Sprintf("/n0 %d 0 R", testpki.Ref(form, "/n0")), fmt.Sprintf("/n0 %d 0 R", look(r, "1 1 5 5 re f")))
		r.Replace(r.Form(), fmt.Sprintf("/Helv %d 0 R", testpki.Ref(form, "/Helv")), fmt.Sprintf("/Helv %d 0 R", r.Add("%s", font)))
	}
}

func fineBox(r *revision) { r.Insert(r.Page(), "/MediaBox [0 0 595.303937007874 841.889763779528]") }

func boxAfter(width string) func(r *revision) {
	return func(r *revision) { r.Replace(r.Page(), "595.303937007874", width) }
}

func rectAfter(rect string) func(r *revision) {
	return func(r *revision) { r.Replace(fieldOf(r, "so"), "60 700 200 715", rect) }
}

// producersCases are what the usual producers and signers write besides what they were asked for.
var producersCases = []pdfCase{
	{name: "valid_form_resources_of_a_later_look", make: preparedSealed(withDefaults, defaultsAfter("<</Type /Font /Subtype /Type1 /BaseFont /Courier>>")),
		after: signing.AfterSignatures},
	{name: "valid_form_font_named", make: preparedSealed(all(withDefaults, withField), defaultsAfter("<</Type /Font /Subtype /Type1 /BaseFont /Helvetica /Name /Helv>>")),
		after: signing.AfterSignatures},
	{name: "changed_after_signing_form_font_replaced", make: preparedSealed(all(withDefaults, withField), defaultsAfter("<</Type /Font /Subtype /Type1 /BaseFont /Symbol>>")),
		want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "valid_box_in_single_precision", make: preparedSealed(fineBox, boxAfter("595.30398")), after: signing.AfterSignatures},
	{name: "valid_box_rounded", make: preparedSealed(fineBox, boxAfter("595.3")), after: signing.AfterSignatures},
	{name: "valid_field_rounded", make: preparedSealed(withField, all(fill, rectAfter("60.004 700 199.996 715"))), after: signing.AfterAdditions},
	{name: "changed_after_signing_field_moved", make: preparedSealed(withField, all(fill, rectAfter("60 701 200 716"))), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "changed_after_signing_box_wider", make: preparedSealed(fineBox, boxAfter("595.31")), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "valid_mark_of_producer_in_page_tree", make: sealed(func(r *revision) { r.Insert(testpki.Ref(r.Object(r.Page()), "/Parent"), "/PROD (2.1.7)") }),
		after: signing.AfterSignatures},
	{name: "changed_after_signing_unknown_key", make: sealed(func(r *revision) { r.Insert(testpki.Ref(r.Object(r.Page()), "/Parent"), "/PROD <</A 1>>") }),
		want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "additions_uncovered_stamp_with_idle_content", make: later(func(r *revision) {
		r.Annotate("/Subtype /Stamp /Rect [60 60 180 100] /F 4")
		wrapped("q ", " Q\nq Q\n")(r)
	}), verdict: signing.Undetermined, want: signing.AdditionsUncovered, after: signing.AfterAdditions},
	{name: "changed_after_signing_state_restored_then_drawn", make: later(wrapped("q ", " Q q 0 0 9 9 re f Q")), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
	{name: "valid_choice_made_and_scrolled_to", make: preparedSealed(withField, all(fill, func(r *revision) { r.Insert(fieldOf(r, "so"), "/TI 0") })),
		after: signing.AfterAdditions},
	{name: "valid_size_of_the_update_only", make: func(w *world) []byte { return w.seal(sizeOfUpdate(prepared(withField, valueOnly)(w))) },
		after: signing.AfterAdditions},
	{name: "revision_unreadable_size_of_the_update_only", make: func(w *world) []byte { return sizeOfUpdate(prepared(withField, valueOnly)(w)) },
		verdict: signing.Undetermined, want: signing.RevisionUnreadable, after: signing.AfterAdditions},
	{name: "valid_default_appearance_that_was_missing", make: later(func(r *revision) { r.Insert(r.Form(), "/DA (/Helv 0 Tf 0 g)") }), after: signing.AfterSignatures},
	{name: "valid_default_appearance_that_fields_lacked", make: prepared(withField, func(r *revision) { r.Insert(r.Form(), "/DA (/Helv 0 Tf 0 g)") }),
		after: signing.AfterSignatures},
	{name: "valid_seal_left_out_of_form", make: func(w *world) []byte { return unlisted(w, w.one()) }, after: signing.AfterSignatures, pdfsig: 2},
	{name: "valid_seal_left_out_of_form_then_another", make: func(w *world) []byte { return w.seal(unlisted(w, testpki.Stamp(w.one()))) },
		after: signing.AfterAdditions, pdfsig: 3},
	{name: "changed_after_signing_widget_of_no_signature", make: sealed(func(r *revision) {
		r.Annotate(fmt.Sprintf("/Subtype /Widget /FT /Sig /T (x) /Rect [1 1 90 90] /V %d 0 R", r.Add("<</Type /Sig /Name (Chu tich)>>")))
	}), want: signing.ChangedAfterSigning, after: signing.AfterChanged},
}

// valueOnly fills a field and adds no object.
func valueOnly(r *revision) { r.Insert(fieldOf(r, "so"), "/V (123)") }

// sizeOfUpdate says in the last trailer that there are no more than ten objects.
func sizeOfUpdate(pdf []byte) []byte {
	at := bytes.LastIndex(pdf, []byte("/Size "))
	return append(bytes.Clone(pdf[:at]), regexp.MustCompile(`^/Size \d+`).ReplaceAll(pdf[at:], []byte("/Size 10"))...)
}

func unlisted(w *world, pdf []byte) []byte {
	return w.signPDF(pdf, testpki.PDFSignature{Signer: w.agency, Seal: true, Unlisted: true})
}

func TestPDFProducersCorpus(t *testing.T) {
	t.Parallel()
	for _, c := range producersCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			pdf := w.keep(".pdf", c.make(w))
			o := w.options()
			if c.options != nil {
				c.options(w, &o)
			}
			c.check(t, verify(inside(pdf), o))
		})
	}
}

// A document that bears nothing but a timestamp is signed by nobody, and says so.
func TestPDFTimestampOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := inside(w.signPDF(w.pdf(), testpki.PDFSignature{SubFilter: "ETSI.RFC3161", TSA: w.PKI, Hidden: true}))
	f.Part = signing.PartMain
	r := verify(f, w.options()).Files[0]
	if !slices.Contains(r.Reasons, signing.PersonMissing) || !slices.Contains(r.Reasons, signing.AgencyMissing) {
		t.Errorf("reasons: %v", r.Reasons)
	}
	if !strings.HasPrefix(r.Sentence.VI, "Hợp lệ: 0 chữ ký số, 1 dấu thời gian của tài liệu.") {
		t.Errorf("sentence: %s", r.Sentence.VI)
	}
}

// What was laid over many pages is told in the order of the pages, every time.
func TestPDFMarksInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const first, n = 1000, 20
	page := func(r *revision, contents string) []byte {
		return fmt.Appendf(nil, "<</Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %s>>", testpki.Ref(r.Object(r.Page()), "/Parent"), contents)
	}
	pdf := w.signPDF(w.revise(w.pdf(), func(r *revision) {
		list := fmt.Sprintf("%d 0 R", r.Page())
		for i := range n {
			list += fmt.Sprintf(" %d 0 R", first+i)
			r.Set(first+i, page(r, fmt.Sprintf("[%d 0 R]", contents(r))))
		}
		r.Set(testpki.Ref(r.Object(r.Page()), "/Parent"), fmt.Appendf(nil, "<</Type /Pages /Kids [%s] /Count %d>>", list, n+1))
	}), testpki.PDFSignature{})
	pdf = w.seal(w.revise(pdf, func(r *revision) {
		mark := r.Stream("", "0 0 9 9 re f")
		for i := range n {
			r.Set(first+i, page(r, fmt.Sprintf("[%d 0 R %d 0 R]", contents(r), mark)))
		}
	}))
	marks := verify(inside(pdf), w.options()).Files[0].Signatures[0].Marks
	if len(marks) < n || !slices.IsSortedFunc(marks[:n], func(a, b signing.Mark) int { return a.Page - b.Page }) {
		t.Errorf("marks: %+v", marks)
	}
}
