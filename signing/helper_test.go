package signing_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

var now = time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)

// world is one hierarchy with what a case needs of it.
type world struct {
	*testpki.PKI
	t      testing.TB
	agency *testpki.Identity
	person *testpki.Identity
}

func newWorld(t testing.TB) *world {
	t.Helper()
	pki, err := testpki.New(testpki.Options{Now: now})
	w := &world{PKI: pki, t: t}
	w.must(err)
	w.agency, err = pki.Agency("Sở Thử nghiệm", "H29.1")
	w.must(err)
	w.person, err = pki.Person("Nguyễn Văn Thử", "Sở Thử nghiệm", "H29.1")
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) issue(r testpki.Request) *testpki.Identity {
	w.t.Helper()
	id, err := w.Issue(r)
	w.must(err)
	return id
}

var corpus = flag.String("corpus", "", "write the files of the corpus into this folder, each named by its expected reason, with its root and, in .help.pem, the rest that judges it")

// keep writes a case's file, when asked, and gives it back.
func (w *world) keep(ending string, file []byte) []byte {
	w.t.Helper()
	if *corpus == "" {
		return file
	}
	base := filepath.Join(*corpus, filepath.Base(w.t.Name()))
	var help []byte
	for _, x := range w.Intermediates() {
		help = append(help, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: x.Raw})...)
	}
	for _, list := range w.CRLs {
		help = append(help, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list})...)
	}
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.Root.Certificate.Raw})
	for name, b := range map[string][]byte{ending: file, ".content": content, ".root.pem": root, ".help.pem": help} {
		if name == ".content" && ending != ".p7s" {
			continue
		}
		w.must(os.WriteFile(base+name, b, 0o644))
	}
	return file
}

// options trust this world, an hour after it was made.
func (w *world) options() signing.Options {
	return signing.Options{At: now.Add(time.Hour), Trust: &signing.Trust{
		Anchors:       []signing.Anchor{{Certificate: w.Root.Certificate, Family: signing.FamilyOfficial}},
		TSAAnchors:    []signing.Anchor{{Certificate: w.Root.Certificate}},
		Intermediates: w.Intermediates(),
		CRLs:          w.CRLs,
	}}
}

func detached(content, signature []byte) signing.File {
	return signing.File{Name: "tệp.bin", Content: bytes.NewReader(content), Size: int64(len(content)), Signature: signature}
}

func inside(b []byte) signing.File {
	return signing.File{Name: "tệp", Content: bytes.NewReader(b), Size: int64(len(b))}
}

func verify(f signing.File, o signing.Options) signing.Report {
	return signing.Verify(context.Background(), []signing.File{f}, o)
}

func hasReason(list []signing.Reason, want signing.Reason) bool {
	for _, r := range list {
		if r == want {
			shown.Store(want, true)
			return true
		}
	}
	return false
}
