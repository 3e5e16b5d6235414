package signing_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/signing"
)

const whiteOver = "1 1 1 rg 0 0 300 300 re f 1 0 0 rg 10 10 90 90 re f"

// signedOver lets a person sign a signed file with the given widgets, the first of which is the field.
func (w *world) signedOver(widgets ...string) []byte {
	pdf := w.littleSigned()
	f := forge(pdf).object(40, room("")).object(42, stream("/Type /XObject /Subtype /Form /BBox [0 0 300 300]", whiteOver))
	annots := ""
	for i, body := range widgets {
		f.object(50+i, "<</Type /Annot /Subtype /Widget /F 4 /P 3 0 R /AP <</N 42 0 R>> "+body+">>")
		annots += fmt.Sprintf("%d 0 R ", 50+i)
	}
	form := firstNumber([]byte(bodyOf(pdf, 1)), "/AcroForm ")
	f.object(form, strings.Replace(bodyOf(pdf, form), "/Fields [", "/Fields [50 0 R ", 1))
	f.object(3, strings.Replace(bodyOf(pdf, 3), "/Annots [", "/Annots ["+annots, 1))
	return w.fill(f.end())
}

// widgetCases are later signatures whose widgets show more than a signature.
var widgetCases = []pdfCase{
	{name: "valid_signature_on_a_part_of_the_page", make: func(w *world) []byte {
		return w.signedOver("/FT /Sig /T (B) /V 40 0 R /Rect [10 10 110 110]")
	}, after: signing.AfterSignatures},
	{name: "additions_without_agency_signature_over_the_page", make: func(w *world) []byte {
		return w.signedOver("/FT /Sig /T (B) /V 40 0 R /Rect [0 0 300 300]")
	}, verdict: signing.Undetermined, want: signing.AdditionsByPerson, after: signing.AfterAdditions},
	{name: "valid_signature_over_the_page_sealed", make: func(w *world) []byte {
		return w.seal(w.signedOver("/FT /Sig /T (B) /V 40 0 R /Rect [300 300 0 0]"))
	}, after: signing.AfterAdditions},
	{name: "additions_without_agency_second_widget", make: func(w *world) []byte {
		return w.signedOver("/FT /Sig /T (B) /V 40 0 R /Rect [10 10 60 60] /Kids [51 0 R]", "/Parent 50 0 R /Rect [60 60 110 110]")
	}, verdict: signing.Undetermined, want: signing.AdditionsByPerson, after: signing.AfterAdditions},
	{name: "additions_without_agency_empty_field_that_shows", make: func(w *world) []byte {
		pdf := w.littleSigned()
		form := firstNumber([]byte(bodyOf(pdf, 1)), "/AcroForm ")
		pdf = forge(pdf).object(42, stream("/Type /XObject /Subtype /Form /BBox [0 0 300 300]", whiteOver)).
			object(50, "<</Type /Annot /Subtype /Widget /F 4 /P 3 0 R /FT /Sig /T (B) /Rect [10 10 60 60] /AP <</N 42 0 R>>>>").
			object(form, strings.Replace(bodyOf(pdf, form), "/Fields [", "/Fields [50 0 R ", 1)).
			object(3, strings.Replace(bodyOf(pdf, 3), "/Annots [", "/Annots [50 0 R ", 1)).end()
		return w.signed(pdf)
	}, verdict: signing.Undetermined, want: signing.AdditionsByPerson, after: signing.AfterAdditions},
}

func TestPDFWidgetCorpus(t *testing.T) {
	t.Parallel()
	for _, c := range widgetCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := verify(inside(w.keep(".pdf", c.make(w))), w.options())
			c.check(t, r)
			if first := r.Files[0].Signatures[0]; c.after == signing.AfterAdditions && len(first.Marks) == 0 {
				t.Error("what was laid over the page is not told to be drawn")
			}
		})
	}
}
