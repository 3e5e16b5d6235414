package toy

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestFaultsAreReadAndWritten(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"down": "down", "lose:stored": "lose", "slow:delay=2s:p=0.25": "slow:p=0.25:delay=2s",
		"status:status=503:retry=5s:stored": "status:status=503:retry=5s:stored", "reset:bytes=12:p=1": "reset:bytes=12",
		"drip": "drip:delay=100ms", "tls": "tls", "crash:stored": "crash:stored", "processing:p=0.5": "processing:p=0.5",
		"fail": "fail:reason=loi he thong ben nhan", "fail:reason=het dia": "fail:reason=het dia",
	} {
		f, err := ParseFault(in)
		if err != nil || f.String() != want {
			t.Errorf("%s: %s, %v", in, f, err)
		}
		if again, err := ParseFault(f.String()); err != nil || again != f {
			t.Errorf("%s: read again %+v, %v", in, again, err)
		}
	}
	for _, in := range []string{"", "dwon", "slow:delay=x", "slow:delay=-1s", "down:p=2", "down:p=NaN", "status", "status:status=99", "down:x=1", "reset:bytes=-1",
		"fail:reason=hết đĩa"} {
		if _, err := ParseFault(in); err == nil {
			t.Errorf("%q was accepted", in)
		}
	}
}

func TestTheDialIsSeeded(t *testing.T) {
	t.Parallel()
	play := func(seed uint64) string {
		f := NewFaults(seed)
		if err := f.Set(Fault{Name: Slow, P: 0.3}, Fault{Name: LoseAnswer, P: 0.4}, Fault{Name: WrongJSON, P: 0.5}); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for range 50 {
			for _, x := range f.draw(httpFaults...) {
				b.WriteString(x.String() + " ")
			}
			b.WriteString("| ")
		}
		return b.String()
	}
	if first, again := play(1), play(1); first != again || first == play(2) {
		t.Error("the same seed must play the same, another seed something else")
	}
	var none *Faults
	if none.shut() || none.draw(Down) != nil || none.All() != nil || none.Hits() != nil || none.Followed() != 0 {
		t.Error("no dial plays something")
	}
	if err := new(Faults).Set(Fault{Name: Down, P: 3}); err == nil {
		t.Error("a wrong fault was set")
	}
}

func hello(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "xin chào") }

// get asks a door for its greeting over a connection of its own.
func get(url string, conf *tls.Config) (string, error) {
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: conf}}
	defer c.CloseIdleConnections()
	res, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

func TestADoorShutsAndOpensAtTheSamePlace(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"127.0.0.1:0", "localhost:0", "[::1]:0"} {
		f := NewFaults(1)
		d, err := OpenDoor(addr, http.HandlerFunc(hello), f, nil)
		if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
			continue // no IPv6 here
		}
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if got, err := get(d.URL(), nil); got != "xin chào" {
				t.Errorf("%s open: %q, %v", addr, got, err)
			}
			if err := f.Set(Fault{Name: Down, P: 1}); err != nil {
				t.Fatal(err)
			}
			if _, err := get(d.URL(), nil); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%s shut: %v", addr, err)
			}
			if err := f.Set(); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if _, err := get(d.URL(), nil); err == nil {
			t.Error("a closed door answers")
		}
		if err := f.Set(); err != nil {
			t.Error(err)
		}
	}
}

func TestShuttingADoorEndsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	in := make(chan struct{})
	f := NewFaults(1)
	d, err := OpenDoor("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(in)
		<-r.Context().Done()
	}), f, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		_, err := get(d.URL(), nil)
		got <- err
	}()
	<-in
	if err := f.Set(Fault{Name: Down, P: 1}); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err == nil {
		t.Error("an answer came out of a shut door")
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestTurningTheDialEndsAHang(t *testing.T) {
	t.Parallel()
	f := NewFaults(1)
	d, err := OpenDoor("127.0.0.1:0", http.HandlerFunc(hello), f, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := f.Set(Fault{Name: Hang, P: 1}); err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		_, err := get(d.URL(), nil)
		got <- err
	}()
	if err := f.WaitHits(t.Context(), Hang, 1); err != nil {
		t.Fatal(err)
	}
	if err := f.Set(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err == nil {
		t.Error("a hung request was answered")
	}
}

func TestAnExpiredCertificateIsShown(t *testing.T) {
	t.Parallel()
	certs, err := NewCertificates(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	f := NewFaults(1)
	d, err := OpenDoor("127.0.0.1:0", http.HandlerFunc(hello), f, certs.Config(f))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	trust := &tls.Config{RootCAs: certs.Roots}
	if got, err := get(d.URL(), trust); got != "xin chào" {
		t.Errorf("good: %q, %v", got, err)
	}
	if err := f.Set(Fault{Name: ExpiredTLS, P: 1}); err != nil {
		t.Fatal(err)
	}
	_, err = get(d.URL(), trust)
	var invalid x509.CertificateInvalidError
	if !errors.As(err, &invalid) || invalid.Reason != x509.Expired {
		t.Errorf("expired: %v", err)
	}
	if _, err := get("https"+strings.TrimPrefix(d.URL(), "https"), nil); err == nil {
		t.Error("an unknown root was trusted")
	}
	if err := f.Set(Fault{Name: Reset, P: 1, Bytes: 3}); err != nil {
		t.Fatal(err)
	}
	if _, err := get(d.URL(), trust); err == nil {
		t.Error("a reset over TLS was an answer")
	}
}

func TestControlTurnsTheDial(t *testing.T) {
	t.Parallel()
	f := NewFaults(1)
	ask := func(method, body string) (int, string) {
		w := httptest.NewRecorder()
		f.Control().ServeHTTP(w, httptest.NewRequest(method, "/", strings.NewReader(body)))
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	for _, k := range []struct {
		method, body string
		code         int
		faults       int
	}{
		{"PUT", `["down","slow:delay=1s:p=0.5"]`, 200, 2}, {"GET", ``, 200, 2}, {"PUT", `["nonsense"]`, 400, 2}, {"PUT", `{`, 400, 2},
		{"POST", ``, 405, 2}, {"DELETE", ``, 200, 0},
	} {
		code, body := ask(k.method, k.body)
		if code != k.code || len(f.All()) != k.faults {
			t.Errorf("%s %s: %d %s, %v", k.method, k.body, code, body, f.All())
		}
		if code == 200 && !strings.Contains(body, `"followed":0`) {
			t.Errorf("%s: %s", k.method, body)
		}
	}
}
