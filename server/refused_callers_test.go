package server

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRefusedCallers(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	ask := func(system, secret string) reply {
		request, err := http.NewRequestWithContext(t.Context(), "GET", a.url+"/api/v1/inbox", nil)
		check(t, err)
		request.SetBasicAuth(system, secret)
		return a.do(request)
	}
	wrong := ask("H26", "secret-H29.12").refused(t, 401, "unauthorized")
	unknown := ask("H27", "secret-H27").refused(t, 401, "unauthorized")
	none := a.call("", "GET", "/api/v1/inbox", nil).refused(t, 401, "unauthorized")
	if !bytes.Equal(wrong.raw, unknown.raw) || !bytes.Equal(wrong.raw, none.raw) {
		t.Errorf("the answers tell apart:\n%s\n%s\n%s", wrong.raw, unknown.raw, none.raw)
	}
	for name := range wrong.Header {
		if name != "Date" && wrong.Header.Get(name) != unknown.Header.Get(name) {
			t.Errorf("header %s tells apart", name)
		}
	}
	if wrong.Header.Get("WWW-Authenticate") == "" {
		t.Error("no WWW-Authenticate")
	}
	ask("", "").refused(t, 401, "unauthorized")
	ask("H26\xff", "x").refused(t, 401, "unauthorized")
	a.call("", "GET", "/api/v1/no-such-page", nil).refused(t, 401, "unauthorized")
	a.call("H26", "GET", "/api/v1/no-such-page", nil).refused(t, 404, "not_found")
	a.call("H26", "GET", "/api/v2/inbox", nil).refused(t, 404, "not_found")
	a.call("H26", "DELETE", "/api/v1/dispatches", nil).refused(t, 405, "method")
	a.call("H26", "VERYSTRANGE", "/api/v1/inbox", nil)
	check(t, a.Store.DisableSystem(t.Context(), "H26", "test", a.clock()))
	check(t, a.reload(t.Context()))
	ask("H26", "secret-H26").refused(t, 403, "disabled")
	ask("H26", "wrong").refused(t, 401, "unauthorized")
	if text := string(a.call("", "GET", "/metrics", nil).want(t, 200).raw); strings.Contains(text, "VERYSTRANGE") {
		t.Error("a stranger's method became a metric")
	}
}

// TestSameTimeForWrongSecretAndUnknownID compares the medians of many interleaved calls of the check itself. A look-up
// that skipped the hashing for unknown ids would be several times faster.
func TestSameTimeForWrongSecretAndUnknownID(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	secret := strings.Repeat("s", 1<<16) // long, so that leaving out the comparison would show
	measure := func(id string) time.Duration {
		request := httptestRequest("GET", "/api/v1/inbox")
		request.SetBasicAuth(id, secret)
		started := time.Now()
		a.http.Config.Handler.ServeHTTP(discard{http.Header{}}, request)
		return time.Since(started)
	}
	var wrong, unknown []time.Duration
	for range 201 {
		wrong, unknown = append(wrong, measure("H26")), append(unknown, measure("H27"))
	}
	slices.Sort(wrong)
	slices.Sort(unknown)
	w, u := wrong[len(wrong)/2], unknown[len(unknown)/2]
	if ratio := float64(w) / float64(u); ratio > 1.5 || ratio < 1/1.5 {
		t.Errorf("a wrong secret takes %v, an unknown id %v", w, u)
	}
}

// TestForeignEyes: nobody reads, ends or speaks of what is not theirs, and is not even told that it exists.
func TestForeignEyes(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	id := a.submit("H29.12", letter("H29.12-2026-1", "H26"), signed(t)).want(t, 201).json["id"].(string)
	delivery := id + ".1"
	a.untouched(t, func() {
		for _, call := range []struct {
			method, path string
			body         any
		}{
			{"GET", "/dispatches/" + id, nil}, {"GET", "/dispatches/" + id + "/proof", nil},
			{"GET", "/deliveries/" + delivery + "/package", nil}, {"GET", "/deliveries/" + delivery + "/attachments/1", nil},
			{"POST", "/deliveries/" + delivery + "/receipts", map[string]any{"status": "01"}},
			{"POST", "/inbox/" + delivery + ".d.0/taken", nil},
			{"POST", "/inbox/" + delivery + ".d.0/taken", map[string]string{"sha256": strings.Repeat("0", 64)}},
			{"POST", "/inbox/" + delivery + ".r.1/taken", nil}, {"POST", "/inbox/" + delivery + ".n.1/taken", nil},
		} {
			stranger := a.call("box", call.method, "/api/v1"+call.path, call.body).refused(t, 404, "not_found")
			if strings.Contains(string(stranger.raw), id) {
				t.Errorf("%s %s: %s", call.method, call.path, stranger.raw)
			}
		}
		a.call("box", "GET", "/api/v1/dispatches?sender=H29.12", nil).refused(t, 403, "foreign")
		a.call("box", "GET", "/api/v1/deliveries?agency=H26", nil).refused(t, 403, "foreign")
		// The two sides see it, each its own.
		a.call("H26", "GET", "/api/v1/dispatches/"+id, nil).refused(t, 404, "not_found")
		a.call("H29.12", "POST", "/api/v1/inbox/"+delivery+".d.0/taken", nil).refused(t, 404, "not_found")
		a.call("H29.12", "POST", "/api/v1/deliveries/"+delivery+"/receipts", map[string]any{"status": "03"}).refused(t, 403, "foreign")
		a.call("H26", "POST", "/api/v1/deliveries/"+delivery+"/receipts", map[string]any{"status": "13"}).refused(t, 403, "foreign")
	})
}

// TestRate: too many requests of one system are told when to come back, and do not slow the others.
func TestRate(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "", func(_ *axis, c *Config) { c.Limits.Rate = 3 })
	for range 6 { // a burst of two seconds' worth
		a.call("H26", "GET", "/api/v1/inbox", nil).want(t, 200)
	}
	a.untouched(t, func() {
		a.call("H26", "GET", "/api/v1/inbox", nil).refused(t, 429, "rate")
		a.call("H29.12", "GET", "/api/v1/inbox", nil).want(t, 200)
	})
	a.pass(time.Second)
	for range 3 {
		a.call("H26", "GET", "/api/v1/inbox", nil).want(t, 200)
	}
	a.call("H26", "GET", "/api/v1/inbox", nil).refused(t, 429, "rate")
}
