package signing_test

import (
	"testing"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

func signedPDF(w *world, size, signatures int) []byte {
	pdf, err := testpki.PDF(testpki.Document{Size: size})
	w.must(err)
	for i := range signatures {
		pdf, err = testpki.SignPDF(pdf, testpki.PDFSignature{Signer: []*testpki.Identity{w.person, w.agency}[i%2], Time: now, Seal: i%2 == 1})
		w.must(err)
	}
	return pdf
}

func benchmarkPDF(b *testing.B, size, signatures int) {
	w := newWorld(b)
	pdf, o := signedPDF(w, size, signatures), w.options()
	b.SetBytes(int64(len(pdf)))
	b.ReportAllocs()
	for b.Loop() {
		if r := verify(inside(pdf), o); r.Verdict != signing.Valid {
			b.Fatal(r.Files[0].Reasons)
		}
	}
}

func BenchmarkVerifyPDF1MB(b *testing.B)          { benchmarkPDF(b, 1<<20, 1) }
func BenchmarkVerifyPDF1MBTwoSigned(b *testing.B) { benchmarkPDF(b, 1<<20, 2) }
func BenchmarkVerifyPDF20MB(b *testing.B)         { benchmarkPDF(b, 20<<20, 1) }

func BenchmarkVerifyCMS1MB(b *testing.B) {
	w := newWorld(b)
	data := make([]byte, 1<<20)
	signature, err := testpki.SignCMS(w.agency, data, now)
	w.must(err)
	o := w.options()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if r := verify(detached(data, signature), o); r.Verdict != signing.Valid {
			b.Fatal(r.Files[0].Reasons)
		}
	}
}
