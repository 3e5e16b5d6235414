package signing_test

import (
	"fmt"
	"testing"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// FuzzCMS feeds arbitrary bytes as a detached and as an attached message: it must neither fall over nor accept a message
// that the seed's signer did not make over that content.
func FuzzCMS(f *testing.F) {
	w := newWorld(f)
	for _, b := range [][]byte{w.sign(testpki.CMS{}), w.sign(testpki.CMS{Attached: true}), w.sign(testpki.CMS{TSA: w.PKI}),
		testpki.BER(w.sign(testpki.CMS{Attached: true})), nested(30), []byte("-----BEGIN CMS-----\nMAA=\n-----END CMS-----\n")} {
		f.Add(b)
	}
	o := w.options()
	f.Fuzz(func(t *testing.T, b []byte) {
		other := []byte("một nội dung khác")
		if verify(detached(other, b), o).Verdict == signing.Valid {
			t.Fatal("a detached signature over another content is valid")
		}
		verify(inside(b), o)
	})
}

// FuzzPDF feeds arbitrary bytes as a PDF.
func FuzzPDF(f *testing.F) {
	w := newWorld(f)
	small := smallPDF()
	signed := w.signPDF(small, testpki.PDFSignature{})
	packed, err := testpki.Compressed(small)
	w.must(err)
	for _, b := range [][]byte{small, signed, w.seal(signed), testpki.Stamp(signed), w.signPDF(packed, testpki.PDFSignature{})} {
		f.Add(b)
	}
	o := w.options()
	f.Fuzz(func(t *testing.T, b []byte) {
		r := verify(inside(b), o)
		for _, s := range r.Signatures {
			if s.Verdict == signing.Valid && s.After == signing.AfterChanged {
				t.Fatal("valid although changed")
			}
		}
	})
}

// smallPDF is one empty page in 500 bytes: a mutation is likely to hit something that matters.
func smallPDF() []byte {
	out := []byte("%PDF-1.7\n")
	table := "xref\n0 5\n0000000000 65535 f \n"
	for i, body := range []string{"<</Type /Catalog /Pages 2 0 R>>", "<</Type /Pages /Kids [3 0 R] /Count 1>>",
		"<</Type /Page /Parent 2 0 R /Contents 4 0 R>>", "<</Length 0>>\nstream\n\nendstream"} {
		table += fmt.Sprintf("%010d 00000 n \n", len(out))
		out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", i+1, body)
	}
	at := len(out)
	return fmt.Appendf(append(out, table...), "trailer\n<</Size 5 /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", at)
}
