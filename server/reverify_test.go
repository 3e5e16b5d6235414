package server

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
	"github.com/truc-lienthong/truc/storage"
)

// authorityHost is a CA's web server, with its answers in the test's hand.
type authorityHost struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	asked  int
}

func newAuthorityHost(t testing.TB) *authorityHost {
	h := &authorityHost{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.asked++
		answer := h.answer
		h.mu.Unlock()
		if answer == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		answer(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *authorityHost) give(body []byte) {
	h.says(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
}

func (h *authorityHost) says(f http.HandlerFunc) {
	h.mu.Lock()
	h.answer = f
	h.mu.Unlock()
}

func (h *authorityHost) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked
}

// pointing makes an agency whose certificate names the CA's web server.
func pointing(t testing.TB, p *testpki.PKI, h *authorityHost) *testpki.Identity {
	t.Helper()
	id, err := p.Issue(testpki.Request{Name: "Sở Y tế", Code: "H29.12", Edit: func(c *x509.Certificate) {
		c.CRLDistributionPoints = []string{"ldap://x/cn=list", h.URL + "/list.crl"}
	}})
	check(t, err)
	return id
}

func (a *axis) sendSigned(id *testpki.Identity, documentID string) uuid.UUID {
	a.t.Helper()
	p7m, err := testpki.CMS{Signers: []*testpki.Identity{id}, Attached: true, Time: a.clock()}.Sign([]byte("nội dung " + documentID))
	check(a.t, err)
	r := a.submit("H29.12", letter(documentID, "H26", "H01.151"), file{"cong-van.p7m", "application/pkcs7-mime", p7m}).want(a.t, 201)
	dispatch, err := uuid.Parse(r.json["id"].(string))
	check(a.t, err)
	return dispatch
}

// look does what the watcher and the jobs do, now.
func (a *axis) look() {
	a.t.Helper()
	ctx := a.t.Context()
	a.pointed.flush(ctx, a.Server)
	a.pass(time.Second)
	_, err := a.fetcher.Round(ctx, true)
	check(a.t, err)
	check(a.t, a.reload(ctx))
	a.pass(2 * time.Minute)
	check(a.t, reverify(ctx, a.Server))
}

func (a *axis) history(id uuid.UUID) []storage.Verification {
	a.t.Helper()
	list, err := a.Store.Verifications(a.t.Context(), id)
	check(a.t, err)
	return list
}

// allowCA lets the CA's web server be asked, and installs the root's own list, for which its issuing CA needs none.
func (a *axis) allowCA(h *authorityHost) {
	a.t.Helper()
	check(a.t, a.Store.AllowHost(a.t.Context(), hostOf(h.URL), "test", a.clock()))
	check(a.t, a.Store.AddRevocationList(a.t.Context(), testPKI(a.t).CRLs[0], "test", a.clock()))
}

// TestVerdictBecomesKnown: a list out of reach leaves a document undetermined; nobody is asked whom nobody allowed; once the
// list is there, the verdict is rewritten at the time of reception, and its history tells of both.
func TestVerdictBecomesKnown(t *testing.T) {
	t.Parallel()
	h := newAuthorityHost(t)
	a := newAxis(t, "", func(a *axis, c *Config) { a.unlisted, c.Revocation = true, signing.Require })
	a.fetcher.pause = time.Millisecond
	p := testPKI(t)
	id := a.sendSigned(pointing(t, p, h), "H29.12-2026-1")
	if first := a.history(id); len(first) != 1 || first[0].Verdict != signing.Undetermined || reasonsOf(first[0].Report)[0] == "" {
		t.Fatalf("%+v", first)
	}
	a.look()
	if n := h.count(); n != 0 {
		t.Fatalf("a host that nobody allowed was asked %d times", n)
	}
	a.allowCA(h)
	a.look() // 404: still undetermined
	if len(a.history(id)) != 1 {
		t.Errorf("%+v", a.history(id))
	}
	list, err := p.CRL(p.Issuing, testNow.Add(-time.Hour), testNow.AddDate(0, 0, 7), nil)
	check(t, err)
	h.give(list)
	a.pass(24 * time.Hour) // judged at reception, whatever the day
	a.look()
	both := a.history(id)
	if len(both) != 2 || both[1].Verdict != signing.Valid || both[1].Before != signing.Undetermined || both[1].Occasion != storage.NewData {
		t.Fatalf("%+v", both)
	}
	if r := a.call("H29.12", "GET", "/api/v1/dispatches/"+id.String(), nil).want(t, 200); r.json["verdict"] != "valid" {
		t.Errorf("%s", r.raw)
	}
	if n, err := a.Store.Hopefuls(t.Context()); err != nil || n != 0 {
		t.Errorf("%d still wait, %v", n, err)
	}
}

// TestTurnedInvalid: a document that was accepted without revocation data turns invalid when its certificate turns out to
// have been revoked before: both sides' systems are told. One revoked after reception stays valid.
func TestTurnedInvalid(t *testing.T) {
	t.Parallel()
	h := newAuthorityHost(t)
	a := newAxis(t, "", func(a *axis, c *Config) { a.unlisted = true })
	a.fetcher.pause = time.Millisecond
	p := testPKI(t)
	early, late := pointing(t, p, h), pointing(t, p, h)
	was, stays := a.sendSigned(early, "H29.12-2026-1"), a.sendSigned(late, "H29.12-2026-2")
	if v := a.history(was)[0].Verdict; v != signing.Valid {
		t.Fatalf("accepted as %s", v)
	}
	for _, item := range a.items("H26") { // the recipient's system takes both
		a.call("H26", "POST", "/api/v1/inbox/"+item+"/taken", nil).want(t, 200)
	}
	a.allowCA(h)
	list, err := p.CRL(p.Issuing, testNow.Add(time.Hour), testNow.AddDate(0, 0, 7), []testpki.Revoked{
		{Identity: early, At: testNow.Add(-2 * time.Hour)}, {Identity: late, At: testNow.Add(30 * time.Minute)}})
	check(t, err)
	h.give(list)
	a.pass(2 * time.Hour)
	a.look()
	if got := a.history(was); len(got) != 2 || got[1].Verdict != signing.Invalid {
		t.Errorf("revoked before: %+v", got)
	}
	if got := a.history(stays); got[len(got)-1].Verdict != signing.Valid {
		t.Errorf("revoked later: %+v", got)
	}
	for _, system := range []string{"H29.12", "H26"} {
		r := a.call(system, "GET", "/api/v1/inbox", nil).want(t, 200)
		if bytes.Count(r.raw, []byte(`"code":"invalid"`)) != 1 {
			t.Errorf("%s is told: %s", system, r.raw)
		}
		for _, item := range a.items(system) {
			a.call(system, "POST", "/api/v1/inbox/"+item+"/taken", nil).want(t, 200)
		}
	}
}

func (a *axis) items(system string) (list []string) {
	a.t.Helper()
	r := a.call(system, "GET", "/api/v1/inbox", nil).want(a.t, 200)
	for _, item := range r.json["items"].([]any) {
		list = append(list, item.(map[string]any)["item"].(string))
	}
	return list
}

// TestEvidenceReplays: a report can be made again from its evidence alone, after the anchors were retired and the lists replaced.
func TestEvidenceReplays(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a := newAxis(t, "")
	p := testPKI(t)
	id, err := p.Agency("Sở Y tế Thành phố Hồ Chí Minh", "H29.12")
	check(t, err)
	dispatch := a.sendSigned(id, "H29.12-2026-1")
	newer, err := p.CRL(p.Issuing, testNow.Add(time.Hour), testNow.AddDate(1, 0, 0), []testpki.Revoked{{Identity: id, At: testNow.Add(-time.Minute)}})
	check(t, err)
	check(t, a.Store.AddRevocationList(ctx, newer, "test", a.clock()))
	lists, err := a.Store.Lists(ctx)
	check(t, err)
	if len(lists) != 2 {
		t.Errorf("%d lists at hand, want the root's and the newer one: %+v", len(lists), lists)
	}
	check(t, a.Store.RetireAnchor(ctx, storage.Fingerprint(p.Root.Certificate.Raw), "", "test", a.clock()))
	check(t, a.reload(ctx))
	d, err := a.Store.Dispatch(ctx, dispatch)
	check(t, err)
	if d.Verdict != signing.Valid || len(d.Evidence.Signatures) != 1 || len(d.Evidence.Signatures[0].Certificates) < 2 {
		t.Fatalf("%s, %+v", d.Verdict, d.Evidence)
	}
	again, err := Replay(ctx, a.Store, d, d.Evidence)
	check(t, err)
	if got, want := asJSON(t, again), asJSON(t, d.Report); !bytes.Equal(got, want) {
		t.Errorf("replayed\n%s\nwas\n%s", got, want)
	}
	j, err := NewJudge(ctx, a.Store, a.Revocation, a.clock)
	check(t, err)
	today, _, err := j.Again(ctx, d)
	check(t, err)
	if today.Verdict != signing.Undetermined {
		t.Errorf("without its anchor it is %s today", today.Verdict)
	}
}

func asJSON(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	check(t, err)
	return raw
}

// TestPast: judging the past again lists what would be another verdict and, asked to, rewrites it once.
func TestPast(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a := newAxis(t, "")
	p := testPKI(t)
	bad, err := p.Issue(testpki.Request{Name: "Sở Y tế", Code: "H29.12"})
	check(t, err)
	good, err := p.Agency("Sở Y tế Thành phố Hồ Chí Minh", "H29.12")
	check(t, err)
	was := a.sendSigned(bad, "H29.12-2026-1")
	a.pass(time.Second) // ids of one instant have no order
	a.sendSigned(good, "H29.12-2026-2")
	list, err := p.CRL(p.Issuing, testNow.Add(time.Minute), testNow.AddDate(1, 0, 0), []testpki.Revoked{{Identity: bad, At: testNow.Add(-time.Hour)}})
	check(t, err)
	check(t, a.Store.AddRevocationList(ctx, list, "test", a.clock()))
	round := func(apply bool, after uuid.UUID) (flips []Flip, seen int) {
		j, err := NewJudge(ctx, a.Store, a.Revocation, a.clock)
		check(t, err)
		check(t, j.Past(ctx, testNow.Add(-time.Hour), time.Time{}, after, apply, "cli", func(uuid.UUID) { seen++ }, func(f Flip) error {
			flips = append(flips, f)
			return nil
		}))
		return flips, seen
	}
	if flips, seen := round(false, uuid.Nil); seen != 2 || len(flips) != 1 || flips[0].Dispatch != was || flips[0].After != signing.Invalid || flips[0].Applied {
		t.Fatalf("%d seen, %+v", seen, flips)
	}
	if len(a.history(was)) != 1 {
		t.Error("looking changed something")
	}
	if flips, seen := round(true, was); seen != 1 || len(flips) != 0 {
		t.Errorf("after the first: %d seen, %+v", seen, flips)
	}
	if flips, _ := round(true, uuid.Nil); len(flips) != 1 || !flips[0].Applied {
		t.Errorf("%+v", flips)
	}
	if flips, _ := round(true, uuid.Nil); len(flips) != 0 {
		t.Errorf("again: %+v", flips)
	}
	if got := a.history(was); len(got) != 2 || got[1].Occasion != storage.Reverified || got[1].By != "cli" {
		t.Errorf("%+v", got)
	}
}
