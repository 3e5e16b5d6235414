package signing_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
	"golang.org/x/crypto/ocsp"
)

// der encodes one element.
func der(tag byte, parts ...[]byte) []byte {
	return must(asn1.Marshal(asn1.RawValue{Class: int(tag >> 6), Tag: int(tag & 0x1F), IsCompound: tag&0x20 != 0, Bytes: bytes.Join(parts, nil)}))
}

// inner takes the tag and length off.
func inner(b []byte) []byte {
	var v asn1.RawValue
	mustParse(b, &v)
	return v.Bytes
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func mustParse(b []byte, v any) {
	if _, err := asn1.Unmarshal(b, v); err != nil {
		panic(err)
	}
}

func extension(id string, critical bool) pkix.Extension {
	var oid asn1.ObjectIdentifier
	for _, part := range strings.Split(id, ".") {
		n, _ := strconv.Atoi(part)
		oid = append(oid, n)
	}
	return pkix.Extension{Id: oid, Critical: critical, Value: []byte{5, 0}}
}

// nested is a message whose content is indefinite containers in one another.
func nested(depth int) []byte {
	b := []byte{4, 0}
	for range depth {
		b = append(append([]byte{0x24, 0x80}, b...), 0, 0)
	}
	return der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2})), der(0xA0,
		der(0x30, []byte{2, 1, 1}, der(0x31), der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1})), der(0xA0, b)), der(0x31))))
}

// stripped turns a good message into one over its own attributes, as in the attack on RFC 5652, 5.4.
func stripped(w *world) []byte {
	var attributes []byte
	w.sign(testpki.CMS{Bend: func(p string, b []byte) []byte { return b }})
	var value []byte
	w.sign(testpki.CMS{Bend: func(p string, b []byte) []byte {
		switch p {
		case "signedAttributes":
			attributes = append([]byte{0x31}, b[1:]...)
		case "signature":
			value = b
		}
		return b
	}})
	return w.sign(testpki.CMS{Bend: func(p string, b []byte) []byte {
		switch p {
		case "signedAttributes":
			return nil
		case "signature":
			return value
		case "encapContentInfo":
			return der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1})), der(0xA0, der(4, attributes)))
		}
		return b
	}})
}

// impostor has a certificate that names the issuing CA but was signed by another key.
func impostor(w *world) *testpki.Identity {
	fake := *w.Issuing
	key, err := testpki.NewKey(testpki.P256)
	w.must(err)
	template := *w.Issuing.Certificate
	template.PublicKey = key.Public()
	fake.Certificate, fake.Key = &template, key
	id, err := w.IssueUnder(&fake, testpki.Request{Name: "Giả danh"})
	w.must(err)
	id.Chain = w.agency.Chain
	return id
}

// under makes a leaf under a further CA that edit bends.
func (w *world) under(edit func(*x509.Certificate)) *testpki.Identity {
	ca, err := w.IssueUnder(w.Root, testpki.Request{Name: "TEST CA phụ", Edit: func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
		edit(c)
	}})
	w.must(err)
	id, err := w.IssueUnder(ca, testpki.Request{Name: "Dưới CA phụ"})
	w.must(err)
	return id
}

// underTwo makes a leaf under a CA under a CA that allows none below it.
func (w *world) underTwo() *testpki.Identity {
	asCA := func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	}
	first, err := w.IssueUnder(w.Root, testpki.Request{Name: "TEST CA một", Edit: func(c *x509.Certificate) { asCA(c); c.MaxPathLenZero = true }})
	w.must(err)
	second, err := w.IssueUnder(first, testpki.Request{Name: "TEST CA hai", Edit: asCA})
	w.must(err)
	id, err := w.IssueUnder(second, testpki.Request{Name: "Dưới hai CA"})
	w.must(err)
	return id
}

// revoke puts new lists into the options, on which id stands.
func (w *world) revoke(o *signing.Options, id *testpki.Identity, at time.Time) {
	w.must(w.Publish([]testpki.Revoked{{Identity: id, At: at, Reason: 1}}))
	o.Trust.CRLs = w.CRLs
}

func (w *world) list(named, signer *testpki.Identity, from, until time.Time) []byte {
	issuer := *named.Certificate
	issuer.PublicKey = signer.Key.Public()
	der, err := x509.CreateRevocationList(nil, &x509.RevocationList{Number: big.NewInt(9), ThisUpdate: from, NextUpdate: until}, &issuer, signer.Key)
	w.must(err)
	return der
}

// opensslAccepts cross-checks a valid message with another implementation.
func opensslAccepts(t *testing.T, w *world, message []byte, attached bool) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not on PATH")
	}
	dir := t.TempDir()
	w.must(w.Dir(filepath.Join(dir, "pki")))
	w.must(os.WriteFile(filepath.Join(dir, "m.der"), message, 0o600))
	w.must(os.WriteFile(filepath.Join(dir, "content"), content, 0o600))
	args := []string{"cms", "-verify", "-binary", "-inform", "DER", "-in", filepath.Join(dir, "m.der"), "-out", "/dev/null",
		"-CAfile", filepath.Join(dir, "pki/root.pem"), "-certfile", filepath.Join(dir, "pki/issuing.pem"), "-purpose", "any",
		"-attime", strconv.FormatInt(now.Add(time.Hour).Unix(), 10)}
	if !attached {
		args = append(args, "-content", filepath.Join(dir, "content"))
	}
	if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
		t.Errorf("openssl refuses it: %v\n%s", err, out)
	}
}

// oidDER is PKCS #7's content type n.
func oidDER(n int) ([]byte, error) {
	return asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, n})
}

func zeroDigest(size int) []byte {
	h := sha256.New()
	b := make([]byte, 1<<20)
	for ; size > 0; size -= len(b) {
		h.Write(b)
	}
	return h.Sum(nil)
}

// answer puts an OCSP response about the agency in the place of the issuing CA's list.
func (w *world) answer(o *signing.Options, by *testpki.Identity, status int, at time.Time) {
	template := ocsp.Response{Status: status, SerialNumber: w.agency.Certificate.SerialNumber, ThisUpdate: at, NextUpdate: at.Add(24 * time.Hour)}
	if status == ocsp.Revoked {
		template.RevokedAt = now.Add(-time.Hour)
	}
	if by != w.Issuing {
		template.Certificate = by.Certificate
	}
	b, err := ocsp.CreateResponse(w.Issuing.Certificate, by.Certificate, template, by.Key)
	w.must(err)
	o.Trust.CRLs, o.Trust.OCSP = w.CRLs[:1], [][]byte{b}
}

// responder is a certificate of the issuing CA that may, or may not, answer for it.
func (w *world) responder(use x509.ExtKeyUsage) *testpki.Identity {
	return w.issue(testpki.Request{Name: "TEST OCSP", Edit: func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{use} }})
}
