package testpki

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)

func newPKI(t testing.TB) *PKI {
	t.Helper()
	p, err := New(Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryNameSaysTest(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	a, err := p.Agency("Ủy ban nhân dân thành phố Thử", "H29")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []*Identity{p.Root, p.Issuing, p.TSA, a} {
		for _, name := range []string{id.Certificate.Subject.String(), id.Certificate.Issuer.String()} {
			if !strings.Contains(name, "TEST") {
				t.Errorf("name %q does not say TEST", name)
			}
		}
	}
}

func TestPDFShowsVietnameseText(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Skip("pdftotext is not on PATH")
	}
	pdf, err := PDF(Document{Size: 200_000})
	if err != nil {
		t.Fatal(err)
	}
	text := pdftotext(t, pdf)
	for _, want := range []string{"CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "Số: 123/STN-VP", "Kính gửi", "Nguyễn Văn Thử", "TEST"} {
		if !strings.Contains(text, want) {
			t.Errorf("text lacks %q:\n%s", want, text)
		}
	}
	if n := len(pdf); n < 199_000 || n > 201_000 {
		t.Errorf("padded to %d bytes, want about 200,000", n)
	}
}

func pdftotext(t *testing.T, pdf []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("pdftotext", "-layout", path, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("pdftotext: %v\n%s", err, out)
	}
	return string(out)
}

func TestSignTwiceByIncrementalUpdate(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	pdf, err := PDF(Document{})
	if err != nil {
		t.Fatal(err)
	}
	person, _ := p.Person("Nguyễn Văn Thử", "Sở Thử nghiệm", "H29.1")
	agency, _ := p.Agency("Sở Thử nghiệm", "H29.1")
	one, err := SignPDF(pdf, PDFSignature{Signer: person, Time: now})
	if err != nil {
		t.Fatal(err)
	}
	two, err := SignPDF(one, PDFSignature{Signer: agency, Time: now, Seal: true})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(one, pdf) || !bytes.HasPrefix(two, one) {
		t.Fatal("signing changed bytes that were there before")
	}
	if _, err := exec.LookPath("pdfsig"); err != nil {
		t.Skip("pdfsig is not on PATH")
	}
	path := filepath.Join(t.TempDir(), "two.pdf")
	if err := os.WriteFile(path, two, 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := exec.Command("pdfsig", "-nocert", path).CombinedOutput()
	if strings.Count(string(out), "Signature is Valid") != 2 {
		t.Fatalf("pdfsig:\n%s", out)
	}
}

func TestDirAndLoad(t *testing.T) {
	t.Parallel()
	p := newPKI(t)
	before, _ := p.Person("Nguyễn Văn Thử", "Sở Thử nghiệm", "H29.1")
	dir := filepath.Join(t.TempDir(), "pki")
	if err := p.Dir(dir); err != nil {
		t.Fatal(err)
	}
	q, err := Load(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	after, err := q.Person("Nguyễn Văn Thử", "Sở Thử nghiệm", "H29.1")
	if err != nil {
		t.Fatal(err)
	}
	if !after.Certificate.Equal(before.Certificate) || len(q.CRLs) != 2 || !q.Now().Equal(now) {
		t.Fatalf("not the same hierarchy: %v, %d lists, %v", after.Certificate.Subject, len(q.CRLs), q.Now())
	}
	for _, name := range []string{"root.pem", "issuing.pem", "tsa.pem"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(b)
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkSignPDF1MB(b *testing.B) {
	p := newPKI(b)
	agency, _ := p.Agency("Sở Thử nghiệm", "H29.1")
	pdf, err := PDF(Document{Size: 1 << 20})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := SignPDF(pdf, PDFSignature{Signer: agency, Time: now}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPDF1MB(b *testing.B) {
	for b.Loop() {
		if _, err := PDF(Document{Size: 1 << 20}); err != nil {
			b.Fatal(err)
		}
	}
}
