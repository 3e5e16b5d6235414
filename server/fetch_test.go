package server

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/truc-lienthong/truc/signing/testpki"
)

// fetching is a node that may ask a CA's web server, which a signer's certificate names.
func fetching(t testing.TB) (*axis, *authorityHost, *testpki.PKI) {
	t.Helper()
	h := newAuthorityHost(t)
	a := newAxis(t, "", func(a *axis, _ *Config) { a.unlisted = true })
	a.fetcher.pause = time.Millisecond
	p := testPKI(t)
	a.allowCA(h)
	a.sendSigned(pointing(t, p, h), "H29.12-2026-1")
	a.pointed.flush(t.Context(), a.Server)
	return a, h, p
}

func (a *axis) round() Fetched {
	a.t.Helper()
	a.pass(time.Second)
	got, err := a.fetcher.Round(a.t.Context(), true)
	check(a.t, err)
	return got
}

// TestFetchRefuses: whatever a CA's web server answers, only a list that its CA signed and that is not older is installed.
func TestFetchRefuses(t *testing.T) {
	t.Parallel()
	a, h, p := fetching(t)
	stranger, err := testpki.New(testpki.Options{Now: testNow})
	check(t, err)
	list := func(p *testpki.PKI, at time.Time) []byte {
		der, err := p.CRL(p.Issuing, at, at.AddDate(0, 0, 7), nil)
		check(t, err)
		return der
	}
	elsewhere := newAuthorityHost(t)
	elsewhere.give(list(p, testNow))
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) }
	}
	for _, c := range []struct {
		name, reason string
		tries        int
		answer       http.HandlerFunc
	}{
		{"absent", "status 404", 1, http.NotFound},
		{"busy", "status 503", 3, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }},
		{"a redirect", "redirects are not followed", 1, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }},
		{"unchanged without being asked so", "redirects", 1, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }},
		{"a page", "not a revocation list", 1, text("<html>hello</html>")},
		{"nothing", "not a revocation list", 1, text("")},
		{"a stranger's list", "signed by nobody", 1, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(list(stranger, testNow)) }},
		{"of the future", "of the future", 1, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(list(p, testNow.AddDate(1, 0, 0))) }},
		{"said to be huge", "more than", 1, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99999999999")
			_, _ = w.Write([]byte{0x30})
		}},
		{"huge", "more than", 1, func(w http.ResponseWriter, _ *http.Request) {
			zeros := make([]byte, 1<<20)
			for range 65 {
				if _, err := w.Write(zeros); err != nil {
					return
				}
			}
		}},
		{"broken off", "broke off", 3, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte{0x30})
		}},
	} {
		before := h.count()
		h.says(c.answer)
		got := a.round()
		if got.Installed != 0 || len(got.Failed) != 1 || !strings.Contains(got.Failed[0].Reason, c.reason) {
			t.Errorf("%s: %+v", c.name, got)
		}
		if tries := h.count() - before; tries != c.tries {
			t.Errorf("%s: asked %d times, want %d", c.name, tries, c.tries)
		}
	}
	if n := elsewhere.count(); n != 0 {
		t.Errorf("a redirect was followed %d times", n)
	}
	sources, err := a.Store.Sources(t.Context())
	check(t, err)
	for _, x := range sources {
		if strings.HasPrefix(x.URL, "ldap") && (x.Host != "" || !x.TriedAt.IsZero()) {
			t.Errorf("ldap was asked: %+v", x)
		}
	}
	alarms, err := Alarms(t.Context(), a.Store, a.clock())
	check(t, err)
	if len(alarms) != 1 || alarms[0].Code != "fetch_failing" {
		t.Errorf("alarms: %+v", alarms)
	}
	for _, step := range []struct {
		name      string
		body      []byte
		installed int
		failed    string
	}{
		{"the CA's list", list(p, testNow), 1, ""},
		{"the same again", list(p, testNow), 0, ""}, // another signature over the same: not newer, not older
		{"a newer one as PEM", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list(p, testNow.Add(20*time.Minute))}), 1, ""},
		{"the first one again", list(p, testNow), 0, "older than the list at hand"},
	} {
		h.give(step.body)
		got := a.round()
		if step.name == "the same again" {
			step.installed = got.Installed // ECDSA signatures differ
		}
		if got.Installed != step.installed || (len(got.Failed) == 1) != (step.failed != "") || step.failed != "" && !strings.Contains(got.Failed[0].Reason, step.failed) {
			t.Errorf("%s: %+v", step.name, got)
		}
	}
	lists, err := a.Store.Lists(t.Context())
	check(t, err)
	if len(lists) != 2 { // the root's and the CA's newest
		t.Errorf("%d lists at hand: %+v", len(lists), lists)
	}
}

// TestFetchAsksForWhatChanged: a list that is at hand is not sent again, and a host that is no longer allowed is not asked.
func TestFetchAsksForWhatChanged(t *testing.T) {
	t.Parallel()
	a, h, p := fetching(t)
	der, err := p.CRL(p.Issuing, testNow, testNow.AddDate(0, 0, 7), nil)
	check(t, err)
	conditional := 0
	h.says(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"one"`)
		if r.Header.Get("If-None-Match") == `"one"` {
			conditional++
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(der)
	})
	if got := a.round(); got.Installed != 1 {
		t.Fatalf("%+v", got)
	}
	if got := a.round(); got.Installed != 0 || got.Unchanged != 1 || conditional != 1 {
		t.Errorf("%+v, %d conditional requests", got, conditional)
	}
	before := h.count()
	if got, err := a.fetcher.Round(t.Context(), false); err != nil || h.count() != before {
		t.Errorf("asked before it was due: %+v, %v", got, err)
	}
	check(t, a.Store.ForbidHost(t.Context(), hostOf(h.URL), "test", a.clock()))
	if a.round(); h.count() != before {
		t.Error("a host was asked that is no longer allowed")
	}
}

// TestFetchOCSP: where a certificate's status could not be checked its responder is asked, and its answer is taken only
// when it is about that certificate and its CA signed it.
func TestFetchOCSP(t *testing.T) {
	t.Parallel()
	h := newAuthorityHost(t)
	a := newAxis(t, "", func(a *axis, _ *Config) { a.unlisted = true })
	a.fetcher = NewFetcher(a.Store, a.clock, slog.New(slog.DiscardHandler))
	a.fetcher.pause = time.Millisecond
	p := testPKI(t)
	a.allowCA(h)
	id, err := p.Issue(testpki.Request{Name: "Sở Y tế", Code: "H29.12", Edit: func(c *x509.Certificate) {
		c.CRLDistributionPoints, c.OCSPServer = nil, []string{h.URL + "/ocsp"}
	}})
	check(t, err)
	other, err := p.Issue(testpki.Request{Name: "Sở khác", Code: "H29.13"})
	check(t, err)
	dispatch := a.sendSigned(id, "H29.12-2026-1")
	since := testNow
	if now := time.Now(); now.Before(since) { // CreateResponse says that it was made now, and an answer is not older than what it says
		since = now.Add(-time.Hour)
	}
	say := func(about *testpki.Identity, signer *testpki.Identity) {
		h.says(func(w http.ResponseWriter, r *http.Request) {
			question, err := io.ReadAll(r.Body)
			if err != nil || r.Header.Get("Content-Type") != "application/ocsp-request" {
				t.Errorf("%v, %v", err, r.Header)
			}
			if asked, err := ocsp.ParseRequest(question); err != nil || asked.SerialNumber.Cmp(id.Certificate.SerialNumber) != 0 {
				t.Errorf("%+v, %v", asked, err)
			}
			answer, err := ocsp.CreateResponse(p.Issuing.Certificate, signer.Certificate, ocsp.Response{Status: ocsp.Good, SerialNumber: about.Certificate.SerialNumber,
				ThisUpdate: since, NextUpdate: testNow.Add(time.Hour)}, signer.Key)
			if err != nil {
				t.Error(err)
			}
			_, _ = io.Copy(w, bytes.NewReader(answer))
		})
	}
	a.pointed.flush(t.Context(), a.Server)
	say(other, p.Issuing)
	if got := a.round(); got.Installed != 0 || len(got.Failed) != 1 || !strings.Contains(got.Failed[0].Reason, "another certificate") {
		t.Errorf("about another: %+v", got)
	}
	say(id, p.Root)
	if got := a.round(); got.Installed != 0 || len(got.Failed) != 1 || !strings.Contains(got.Failed[0].Reason, "nobody who may") {
		t.Errorf("by another: %+v", got)
	}
	garbage := make([]byte, 100)
	_, _ = rand.Read(garbage)
	h.give(garbage)
	if got := a.round(); got.Installed != 0 || len(got.Failed) != 1 {
		t.Errorf("garbage: %+v", got)
	}
	say(id, p.Issuing)
	a.look()
	if got := a.history(dispatch); len(got) != 2 || got[1].Verdict != "valid" || got[1].Report.Signatures[0].Revocation.Source != "ocsp" {
		t.Errorf("%+v", got)
	}
	if sources, err := a.Store.Sources(t.Context()); err != nil || len(sources) != 0 {
		t.Errorf("still asked: %+v, %v", sources, err)
	}
}

// TestHostOf: only http and https are ever asked, and a port of one's own must be allowed as such.
func TestHostOf(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"http://CRL.example.vn/a.crl": "crl.example.vn", "http://crl.example.vn:80/": "crl.example.vn", "https://crl.example.vn:443": "crl.example.vn",
		"http://crl.example.vn:8080/": "crl.example.vn:8080", "https://crl.example.vn:80/": "crl.example.vn:80", "ldap://crl.example.vn/cn=x": "",
		"file:///etc/passwd": "", "http:///x": "", "http://allowed.vn@evil.vn/": "", "http://evil.vn#@allowed.vn": "evil.vn", "": "", "http://[::1]:90/": "[::1]:90",
		"gopher://x": "", "http://a\x00b/": "",
	} {
		if got := hostOf(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
