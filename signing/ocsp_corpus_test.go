package signing_test

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
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
)

// response is an OCSP response to make, piece by piece.
type response struct {
	by         *testpki.Identity // whose key signs; default: the issuing CA
	byKey      bool              // responderID is a key's digest
	as         *testpki.Identity // whom responderID means; default: by
	bare       bool              // only the BasicOCSPResponse
	noCerts    bool
	hash       crypto.Hash // of the signature; default SHA-256
	produced   time.Time
	answers    []answer
	extensions []pkix.Extension
}

// answer is a SingleResponse.
type answer struct {
	about      *testpki.Identity
	issuer     *testpki.Identity // default: the issuing CA
	key        *testpki.Identity // whose key is digested; default: the issuer's
	serial     *big.Int          // instead of about's
	hash       crypto.Hash       // of CertID; default SHA-1
	status     string            // default good
	at         time.Time
	reason     int
	from, to   time.Time // default: now, a day on; to = never: no nextUpdate
	extensions []pkix.Extension
}

var (
	oidHashes = map[crypto.Hash]string{crypto.SHA1: "1.3.14.3.2.26", crypto.SHA256: "2.16.840.1.101.3.4.2.1", crypto.SHA384: "2.16.840.1.101.3.4.2.2"}
	oidSigned = map[crypto.Hash]string{crypto.SHA1: "1.2.840.10045.4.1", crypto.SHA256: "1.2.840.10045.4.3.2"}
)

func (r response) make(w *world) []byte {
	w.t.Helper()
	if r.by == nil {
		r.by = w.Issuing
	}
	if r.as == nil {
		r.as = r.by
	}
	if r.produced.IsZero() {
		r.produced = now
	}
	if r.hash == 0 {
		r.hash = crypto.SHA256
	}
	id := der(0xA1, r.as.Certificate.RawSubject)
	if r.byKey {
		id = der(0xA2, der(4, keySum(crypto.SHA1, r.as)))
	}
	var answers [][]byte
	for _, a := range r.answers {
		answers = append(answers, a.der(w))
	}
	parts := [][]byte{id, generalized(r.produced), der(0x30, answers...)}
	if len(r.extensions) > 0 {
		parts = append(parts, der(0xA1, extensionsDER(r.extensions)))
	}
	tbs := der(0x30, parts...)
	h := r.hash.New()
	h.Write(tbs)
	signature, err := r.by.Key.Sign(rand.Reader, h.Sum(nil), r.hash)
	w.must(err)
	all := [][]byte{tbs, der(0x30, must(asn1.Marshal(oidOf(oidSigned[r.hash])))), der(3, []byte{0}, signature)}
	if r.by != w.Issuing && !r.noCerts {
		all = append(all, der(0xA0, der(0x30, r.by.Certificate.Raw)))
	}
	basic := der(0x30, all...)
	if r.bare {
		return basic
	}
	return der(0x30, []byte{0x0a, 1, 0}, der(0xA0, der(0x30, must(asn1.Marshal(oidOf("1.3.6.1.5.5.7.48.1.1"))), der(4, basic))))
}

func (a answer) der(w *world) []byte {
	if a.issuer == nil {
		a.issuer = w.Issuing
	}
	if a.key == nil {
		a.key = a.issuer
	}
	if a.serial == nil {
		a.serial = a.about.Certificate.SerialNumber
	}
	if a.hash == 0 {
		a.hash = crypto.SHA1
	}
	if a.from.IsZero() {
		a.from = now
	}
	if a.to.IsZero() {
		a.to = a.from.AddDate(0, 0, 1)
	}
	h := a.hash.New()
	h.Write(a.issuer.Certificate.RawSubject)
	status := []byte{0x80, 0}
	switch a.status {
	case "unknown":
		status = []byte{0x82, 0}
	case "revoked":
		if a.at.IsZero() {
			a.at = now.Add(-time.Hour)
		}
		status = der(0xA1, generalized(a.at))
		if a.reason != 0 {
			status = der(0xA1, generalized(a.at), der(0xA0, []byte{0x0a, 1, byte(a.reason)}))
		}
	}
	parts := [][]byte{der(0x30, der(0x30, must(asn1.Marshal(oidOf(oidHashes[a.hash]))), []byte{5, 0}), der(4, h.Sum(nil)),
		der(4, keySum(a.hash, a.key)), must(asn1.Marshal(a.serial))), status, generalized(a.from)}
	if !a.to.Equal(never) {
		parts = append(parts, der(0xA0, generalized(a.to)))
	}
	if len(a.extensions) > 0 {
		parts = append(parts, der(0xA1, extensionsDER(a.extensions)))
	}
	return der(0x30, parts...)
}

func keySum(h crypto.Hash, id *testpki.Identity) []byte {
	var spki struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	mustParse(id.Certificate.RawSubjectPublicKeyInfo, &spki)
	d := h.New()
	d.Write(spki.Key.Bytes)
	return d.Sum(nil)
}

// ocspCase is one certificate and what responders say of it.
type ocspCase struct {
	name    string
	make    func(w *world, c *given, id *testpki.Identity) []byte
	change  func(der []byte) []byte
	options func(o *signing.Options)
	verdict signing.Verdict
	want    signing.Reason
	openssl bool // "openssl ocsp" must verify it
}

// says is one answer about the leaf in a response.
func says(edit func(r *response, a *answer)) func(*world, *given, *testpki.Identity) []byte {
	return func(w *world, _ *given, id *testpki.Identity) []byte {
		r, a := response{}, answer{about: id}
		edit(&r, &a)
		r.answers = append(r.answers, a)
		return r.make(w)
	}
}

// delegatedBy is one by a responder that a CA named.
func delegatedBy(responder func(w *world, c *given) *testpki.Identity, edits ...func(*response)) func(*world, *given, *testpki.Identity) []byte {
	return func(w *world, c *given, id *testpki.Identity) []byte {
		r := response{by: responder(w, c), answers: []answer{{about: id}}}
		for _, f := range edits {
			f(&r)
		}
		return r.make(w)
	}
}

func (w *world) ocspResponder(ca *testpki.Identity, edit ...func(*x509.Certificate)) *testpki.Identity {
	w.t.Helper()
	id, err := w.IssueUnder(ca, testpki.Request{Name: "TEST OCSP", Edit: func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
		for _, f := range edit {
			f(c)
		}
	}})
	w.must(err)
	return id
}

func plainResponder(w *world, _ *given) *testpki.Identity { return w.ocspResponder(w.Issuing) }

func noCheck(c *x509.Certificate) {
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: oidOf("1.3.6.1.5.5.7.48.1.5"), Value: []byte{5, 0}})
}

var oddExtension = []pkix.Extension{{Id: oidOf("1.3.6.1.4.1.99999.6"), Critical: true, Value: []byte{5, 0}}}

var ocspCases = []ocspCase{
	{name: "good", make: says(func(*response, *answer) {}), openssl: true},
	{name: "good, responder by key", make: says(func(r *response, _ *answer) { r.byKey = true }), openssl: true},
	{name: "good, bare response", make: says(func(r *response, _ *answer) { r.bare = true })},
	{name: "good, certificate named by SHA-256", make: says(func(_ *response, a *answer) { a.hash = crypto.SHA256 }), openssl: true},
	{name: "good, among several", make: func(w *world, _ *given, id *testpki.Identity) []byte {
		return response{answers: []answer{{about: w.agency, status: "revoked"}, {about: id}, {about: w.person, status: "unknown"}}}.make(w)
	}, openssl: true},
	{name: "good, delegated", make: delegatedBy(plainResponder), openssl: true},
	{name: "good, delegated, not to be checked", make: delegatedBy(func(w *world, _ *given) *testpki.Identity { return w.ocspResponder(w.Issuing, noCheck) }), openssl: true},
	{name: "good, delegated by key", make: delegatedBy(plainResponder, func(r *response) { r.byKey = true }), openssl: true},
	{name: "good, delegated, its certificate elsewhere", make: delegatedBy(func(w *world, c *given) *testpki.Identity {
		by := plainResponder(w, c)
		c.know(by)
		return by
	}, func(r *response) { r.noCerts = true })},
	{name: "good, delegated, responder since expired", make: delegatedBy(func(w *world, _ *given) *testpki.Identity {
		return w.ocspResponder(w.Issuing, func(c *x509.Certificate) { c.NotAfter = now.Add(time.Minute) })
	})},
	{name: "good, later than the judged time", make: says(func(r *response, a *answer) { a.from, r.produced = now.AddDate(0, 0, 3), now.AddDate(0, 0, 3) })},
	{name: "good without nextUpdate, of today", make: says(func(_ *response, a *answer) { a.to = never })},
	{name: "good without nextUpdate, of last week", make: says(func(_ *response, a *answer) { a.from, a.to = now.AddDate(0, 0, -7), never }), want: signing.RevocationStale, verdict: signing.Undetermined},
	{name: "good with a critical nonce", make: says(func(r *response, _ *answer) {
		r.extensions = []pkix.Extension{{Id: oidOf("1.3.6.1.5.5.7.48.1.2"), Critical: true, Value: []byte{4, 1, 1}}}
	})},
	{name: "good of yesterday", make: says(func(_ *response, a *answer) { a.from, a.to = now.AddDate(0, 0, -2), now.AddDate(0, 0, -1) }), want: signing.RevocationStale, verdict: signing.Undetermined},
	{name: "good with nextUpdate before thisUpdate", make: says(func(_ *response, a *answer) { a.to = now.AddDate(0, 0, -1) }), want: signing.RevocationInvalid, verdict: signing.Undetermined},
	{name: "good, produced before it was known", make: says(func(r *response, a *answer) { r.produced = now.Add(-time.Hour) }), want: signing.RevocationInvalid, verdict: signing.Undetermined},
	{name: "good with an unknown critical extension", make: says(func(r *response, _ *answer) { r.extensions = oddExtension }), want: signing.RevocationInvalid, verdict: signing.Undetermined},
	{name: "good with an unknown critical extension of the answer", make: says(func(_ *response, a *answer) { a.extensions = oddExtension }), want: signing.RevocationInvalid, verdict: signing.Undetermined},
	{name: "good, of another issuer's key", make: says(func(_ *response, a *answer) { a.key = &testpki.Identity{Certificate: rootOf} }), want: signing.RevocationMissing, verdict: signing.Undetermined},
	{name: "good, of another certificate", make: says(func(_ *response, a *answer) { a.serial = big.NewInt(4711) }), want: signing.RevocationMissing, verdict: signing.Undetermined},
	{name: "good, signature wrong", make: says(func(r *response, _ *answer) { r.bare = true }), change: flip, want: signing.RevocationInvalid, verdict: signing.Undetermined},
	{name: "good, responder named is another", make: func(w *world, _ *given, id *testpki.Identity) []byte {
		return response{as: w.agency, answers: []answer{{about: id}}}.make(w)
	}, want: signing.RevocationInvalid, verdict: signing.Undetermined},
	{name: "good, delegated by another CA", make: delegatedBy(func(w *world, c *given) *testpki.Identity { return w.ocspResponder(w.Root) }), want: signing.RevocationInvalid, verdict: signing.Undetermined},
	{name: "good, delegated by a namesake of the CA", make: delegatedBy(func(w *world, c *given) *testpki.Identity {
		twin := w.authority(w.Root, "x", signsAll, namedLike(w.Issuing))
		c.know(twin)
		return w.ocspResponder(twin)
	}), want: signing.RevocationInvalid, verdict: signing.Undetermined},
	{name: "good, by a certificate of the CA that is no responder", make: delegatedBy(func(w *world, _ *given) *testpki.Identity {
		return w.ocspResponder(w.Issuing, func(c *x509.Certificate) { c.ExtKeyUsage = nil })
	}), want: signing.RevocationInvalid, verdict: signing.Undetermined},
	{name: "good, by the certificate that is asked about", make: func(w *world, _ *given, id *testpki.Identity) []byte {
		return response{by: id, answers: []answer{{about: id}}}.make(w)
	}, want: signing.RevocationInvalid, verdict: signing.Undetermined},
	{name: "good, responder expired", make: delegatedBy(func(w *world, _ *given) *testpki.Identity {
		return w.ocspResponder(w.Issuing, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) })
	}), want: signing.RevocationInvalid, verdict: signing.Undetermined},
	{name: "good, responder may not sign", make: delegatedBy(func(w *world, _ *given) *testpki.Identity {
		return w.ocspResponder(w.Issuing, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })
	}), want: signing.RevocationInvalid, verdict: signing.Undetermined},
	{name: "good, responder with an unknown critical extension", make: delegatedBy(func(w *world, _ *given) *testpki.Identity {
		return w.ocspResponder(w.Issuing, func(c *x509.Certificate) { c.ExtraExtensions = append(c.ExtraExtensions, oddExtension...) })
	}), want: signing.RevocationInvalid, verdict: signing.Undetermined},
	{name: "good, responder revoked", make: delegatedBy(func(w *world, c *given) *testpki.Identity {
		by := plainResponder(w, c)
		c.add(w.t, list{by: w.Issuing, number: 1, scope: scopeOf(reasons(0x83, 1, 2)), entries: []entry{listed(by)}})
		return by
	}), want: signing.RevocationInvalid, verdict: signing.Undetermined},
	{name: "good, signed over SHA-1", make: says(func(r *response, _ *answer) { r.hash = crypto.SHA1 }), want: signing.WeakDigest, verdict: signing.Undetermined},
	{name: "good, signed over SHA-1, which is allowed", make: says(func(r *response, _ *answer) { r.hash = crypto.SHA1 }), options: func(o *signing.Options) { o.AllowSHA1 = true }},
	{name: "good with trailing junk", make: says(func(*response, *answer) {}), change: func(b []byte) []byte { return append(b, 0) }, want: signing.RevocationMissing, verdict: signing.Undetermined},
	{name: "try later", make: says(func(*response, *answer) {}), change: func([]byte) []byte { return []byte{0x30, 3, 0x0a, 1, 3} }, want: signing.RevocationMissing, verdict: signing.Undetermined},
	{name: "unauthorized with an answer inside", make: says(func(*response, *answer) {}), change: func(b []byte) []byte {
		return der(0x30, []byte{0x0a, 1, 6}, inner(b)[3:])
	}, want: signing.RevocationMissing, verdict: signing.Undetermined},
	{name: "unknown", make: says(func(_ *response, a *answer) { a.status = "unknown" }), want: signing.OCSPUnknown, verdict: signing.Undetermined},
	{name: "unknown, but a list is at hand", make: func(w *world, c *given, id *testpki.Identity) []byte {
		c.add(w.t, list{by: w.Issuing, number: 1})
		return response{answers: []answer{{about: id, status: "unknown"}}}.make(w)
	}},
	{name: "revoked", make: says(func(_ *response, a *answer) { a.status = "revoked" }), want: signing.CertificateRevoked, openssl: true},
	{name: "revoked with a reason", make: says(func(_ *response, a *answer) { a.status, a.reason = "revoked", 1 }), want: signing.CertificateRevoked, openssl: true},
	{name: "revoked, said long ago", make: says(func(_ *response, a *answer) {
		a.status, a.at, a.from, a.to = "revoked", now.AddDate(0, 0, -9), now.AddDate(0, 0, -8), now.AddDate(0, 0, -7)
	}), want: signing.CertificateRevoked},
	{name: "revoked, though a list does not name it", make: func(w *world, c *given, id *testpki.Identity) []byte {
		c.add(w.t, list{by: w.Issuing, number: 1})
		return response{answers: []answer{{about: id, status: "revoked"}}}.make(w)
	}, want: signing.CertificateRevoked},
	{name: "revoked by one who may not say so", make: func(w *world, c *given, id *testpki.Identity) []byte {
		c.add(w.t, list{by: w.Issuing, number: 1})
		return response{by: w.agency, answers: []answer{{about: id, status: "revoked"}}}.make(w)
	}},
	{name: "revoked after the judged time", make: says(func(r *response, a *answer) {
		a.status, a.at, a.from, r.produced = "revoked", now.AddDate(0, 0, 1), now.AddDate(0, 0, 2), now.AddDate(0, 0, 2)
	})},
	{name: "on hold", make: says(func(_ *response, a *answer) { a.status, a.reason = "revoked", 6 }), want: signing.CertificateRevoked},
	{name: "on hold, said long ago", make: says(func(_ *response, a *answer) {
		a.status, a.reason, a.at, a.from, a.to = "revoked", 6, now.AddDate(0, 0, -9), now.AddDate(0, 0, -8), now.AddDate(0, 0, -7)
	}), want: signing.RevocationStale, verdict: signing.Undetermined},
	{name: "never issued", make: says(func(r *response, a *answer) {
		a.status, a.reason, a.at = "revoked", 6, time.Unix(0, 0)
		r.extensions = []pkix.Extension{{Id: oidOf("1.3.6.1.5.5.7.48.1.9"), Value: []byte{5, 0}}}
	}), want: signing.CertificateRevoked},
}

// rootOf is a certificate whose key is nobody's here.
var rootOf = func() *x509.Certificate {
	pki, err := testpki.New(testpki.Options{Now: now})
	if err != nil {
		panic(err)
	}
	return pki.Root.Certificate
}()

func TestOCSPCorpus(t *testing.T) {
	t.Parallel()
	for _, c := range ocspCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			g := given{others: w.Intermediates(), lists: [][]byte{w.CRLs[0]}, at: now.Add(time.Hour)}
			leaf := w.leaf()
			b := c.make(w, &g, leaf)
			if c.change != nil {
				b = c.change(b)
			}
			g.answers, g.change = [][]byte{b}, c.options
			listCase{verdict: c.verdict, want: c.want}.check(t, w.judge(leaf, g))
			if c.openssl {
				opensslOCSP(t, w, leaf, b)
			}
		})
	}
}

func opensslOCSP(t *testing.T, w *world, leaf *testpki.Identity, response []byte) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not on PATH")
	}
	dir := t.TempDir()
	put := func(name string, b []byte) string {
		w.must(os.WriteFile(filepath.Join(dir, name), b, 0o600))
		return filepath.Join(dir, name)
	}
	asPEM := func(c *x509.Certificate) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	hash := "-sha1"
	if strings.Contains(t.Name(), "SHA-256") {
		hash = "-sha256"
	}
	out, err := exec.Command("openssl", "ocsp", "-no_nonce", "-respin", put("response", response), "-issuer", put("issuer", asPEM(w.Issuing.Certificate)), hash,
		"-cert", put("leaf", asPEM(leaf.Certificate)), "-CAfile", put("root", asPEM(w.Root.Certificate)), "-verify_other", filepath.Join(dir, "issuer"),
		"-attime", strconv.FormatInt(now.Add(time.Hour).Unix(), 10)).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Response verify OK") || !strings.Contains(string(out), "leaf: ") {
		t.Errorf("openssl refuses it: %v\n%s", err, out)
	}
}
