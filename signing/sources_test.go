package signing_test

import (
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
	"golang.org/x/crypto/ocsp"
)

func TestSourcesOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.issue(testpki.Request{Name: "Nguồn", Edit: func(c *x509.Certificate) {
		c.CRLDistributionPoints = []string{"http://a.invalid/1.crl", "ldap://b.invalid/cn=x"}
		c.OCSPServer = []string{"http://ocsp.invalid"}
		c.IssuingCertificateURL = []string{"http://a.invalid/ca.crt"}
	}})
	s := signing.SourcesOf(id.Certificate)
	if !slices.Equal(s.CRLs, []string{"http://a.invalid/1.crl", "ldap://b.invalid/cn=x"}) || len(s.Deltas) != 0 ||
		!slices.Equal(s.OCSP, []string{"http://ocsp.invalid"}) || !slices.Equal(s.Issuers, []string{"http://a.invalid/ca.crt"}) {
		t.Errorf("%+v", s)
	}
}

func TestReadCRL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l, ok := signing.ReadCRL(w.CRLs[1])
	if !ok || l.Delta() || l.Number == nil || !l.ThisUpdate.Equal(now.Add(-time.Hour)) || l.IssuerKey != signing.NameKey(w.Issuing.Certificate.RawSubject) {
		t.Errorf("%v %+v", ok, l)
	}
	if !l.SignedBy(w.Issuing.Certificate) || l.SignedBy(w.Root.Certificate) || l.SignedBy(w.agency.Certificate) {
		t.Error("who signed the list is told wrongly")
	}
	if _, ok := signing.ReadCRL(w.Root.Certificate.Raw); ok {
		t.Error("a certificate is read as a list")
	}
}

func TestReadOCSP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options()
	w.answer(&o, w.Issuing, ocsp.Good, now)
	r, ok := signing.ReadOCSP(o.Trust.OCSP[0])
	if !ok || len(r.Answers) != 1 || r.Answers[0].Status != "good" || !r.Answers[0].ThisUpdate.Equal(now) {
		t.Fatalf("%v %+v", ok, r)
	}
	if !r.SignedFor(w.Issuing.Certificate) || r.SignedFor(w.Root.Certificate) {
		t.Error("whom the response speaks for is told wrongly")
	}
	if !r.Answers[0].About(w.agency.Certificate, w.Issuing.Certificate) || r.Answers[0].About(w.person.Certificate, w.Issuing.Certificate) {
		t.Error("whom the answer is about is told wrongly")
	}
	if _, ok := signing.ReadOCSP([]byte{0x30, 3, 0x0a, 1, 3}); ok {
		t.Error("tryLater is read as an answer")
	}
}
