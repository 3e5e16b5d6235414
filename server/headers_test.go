package server

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// raw is a connection to the axis on which a test writes every byte itself.
type raw struct {
	net.Conn
	t  testing.TB
	in *bufio.Reader
}

func (a *axis) dial(t testing.TB) *raw {
	t.Helper()
	c, err := net.Dial("tcp", a.http.Listener.Addr().String())
	check(t, err)
	return newRaw(t, c)
}

// newRaw gives a connection a test's patience: what takes longer fails the test.
func newRaw(t testing.TB, c net.Conn) *raw {
	t.Cleanup(func() { _ = c.Close() })
	check(t, c.SetDeadline(time.Now().Add(time.Minute)))
	return &raw{c, t, bufio.NewReader(c)}
}

// say writes some texts; a connection that is cut meanwhile is found out when the answer is read.
func (r *raw) say(texts ...string) *raw {
	for _, text := range texts {
		_, _ = io.WriteString(r, text)
	}
	return r
}

// hear reads an answer to its end.
func (r *raw) hear() (answer *http.Response, body string) {
	r.t.Helper()
	answer, err := http.ReadResponse(r.in, nil)
	if err != nil {
		r.t.Fatalf("no answer: %v", err)
	}
	defer func() { _ = answer.Body.Close() }()
	read, err := io.ReadAll(answer.Body)
	check(r.t, err)
	return answer, string(read)
}

// signedHeader is the header of a VXP call, with a signed map of so many keys and values; values may be JSON.
func signedHeader(call, system string, keys ...string) string {
	var json strings.Builder
	for i := 0; i+1 < len(keys); i += 2 {
		value := keys[i+1]
		if !strings.HasPrefix(value, "[") {
			value = `"` + value + `"`
		}
		json.WriteString(`"XroadVnpt-` + keys[i] + `":` + value + `,`)
	}
	signed := `{"XroadVnpt-systemid":"` + system + `",` + json.String() + `"XroadVnpt-timestamp":"21112026T192921+0718","XroadVnpt-Content-Type":"application/json"}`
	return "POST /vxp/" + call + " HTTP/1.1\r\nContent-Type: application/json\r\nXroadVnpt-sign-header: " + signed +
		"\r\nXroadVnpt-hash-header: " + macOf("secret-"+system, signed) + "\r\nContent-Length: 0\r\nHost: truc\r\n"
}

func macOf(secret, signed string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return hex.EncodeToString(mac.Sum(nil))
}

// listOf is a JSON array of codes, of so many bytes.
func listOf(size int) string { return "[" + strings.Repeat(`"H26",`, size/6) + `"H26"]` }

// TestHeaderSizes: 4 MB of header on the VXP face, 1 MB elsewhere; more is refused in the words of the face.
func TestHeaderSizes(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	large := "X-Large: " + strings.Repeat("x", 1100<<10) + "\r\n"
	for name, c := range map[string]struct {
		header string
		status int
		want   string
	}{
		"a list of recipients, 3.9 MB":      {signedHeader("getReceivedEdocList", "H26", "servicetype", "eDoc", "messagetype", "edoc", "to", listOf(3_900_000)), 200, `"ErrorCode":"0"`},
		"the same twice, 1.9 MB each":       {signedHeader("getReceivedEdocList", "H26", "to", listOf(1_900_000)) + "XroadVnpt-to: " + listOf(1_900_000) + "\r\n", 200, `"ErrorCode":"0"`},
		"too large for VXP":                 {signedHeader("sendEdoc", "H26", "to", listOf(5_000_000)), 431, `"DocId":""`},
		"much too large for VXP":            {signedHeader("getReceivedEdocList", "H26", "to", listOf(12_000_000)), 431, `"data":[]`},
		"too large for the native face":     {"GET /api/v1/inbox HTTP/1.1\r\nHost: truc\r\n" + large, 431, `"code":"headers_large"`},
		"much too large for the native one": {"GET /api/v1/inbox HTTP/1.1\r\nHost: truc\r\n" + strings.Repeat(large, 5), 431, `"code":"headers_large"`},
		"too large for a page":              {"GET / HTTP/1.1\r\nHost: truc\r\n" + large, 431, `"code":"headers_large"`},
		"a path of 2 MB":                    {"GET /api/v1/" + strings.Repeat("x", 2<<20) + " HTTP/1.1\r\nHost: truc\r\n", 431, `"code":"headers_large"`},
		"a path that only begins as VXP's":  {"GET /vxpert HTTP/1.1\r\nHost: truc\r\n" + large, 431, `"code":"headers_large"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, body := a.dial(t).say(c.header, "\r\n").hear()
			if answer.StatusCode != c.status || !strings.Contains(body, c.want) {
				t.Errorf("%s %.300s", answer.Status, body)
			}
		})
	}
	t.Cleanup(func() { a.noLoans(t) })
}

// TestUnreadable: what net/http refuses before a handler runs is answered in the words of the face too, over HTTP and over
// TLS: a line of text would be an empty list for a VXP client.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	id, err := testPKI(t).Agency("Trục", "G22")
	check(t, err)
	below, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	secure, over := a.HTTP(tls.NewListener(below, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{id.Certificate.Raw}, PrivateKey: id.Key}}}))
	var served sync.WaitGroup
	served.Go(func() { _ = secure.Serve(over) })
	t.Cleanup(func() { _ = secure.Close(); served.Wait() })
	ways := map[string]func() *raw{
		"http": func() *raw { return a.dial(t) },
		"tls": func() *raw {
			c, err := tls.Dial("tcp", below.Addr().String(), &tls.Config{InsecureSkipVerify: true})
			check(t, err)
			return newRaw(t, c)
		},
	}
	for way, dial := range ways {
		for name, c := range map[string]struct {
			header string
			status int
			want   string
		}{
			"a letter that Java cut":    {"POST /vxp/updateStatus HTTP/1.1\r\nHost: truc\r\nXroadVnpt-description: \x11\xe3 nh\x1dn", 400, `{"status":"FAIL","ErrorCode":"20","ErrorDesc":"`},
			"the same, as a list":       {"POST /vxp//getReceivedEdocList?x HTTP/1.1\r\nHost: truc\r\nXroadVnpt-description: \x11", 400, `"data":[]`},
			"the same, as a packet":     {"POST /vxp/sendEdoc HTTP/1.1\r\nHost: truc\r\nXroadVnpt-description: \x11", 400, `"DocId":""`},
			"the same, as a download":   {"GET /vxp/downloadEdoc HTTP/1.1\r\nHost: truc\r\nXroadVnpt-description: \x11", 400, ""},
			"the same, natively":        {"GET /api/v1/inbox HTTP/1.1\r\nHost: truc\r\nX-Note: \x11", 400, `{"code":"request","vi":"`},
			"the same, for a header":    {"HEAD /healthz HTTP/1.1\r\nHost: truc\r\nX-Note: \x11", 400, ""},
			"no host":                   {"POST /vxp/getEdoc HTTP/1.1\r\nA: b", 400, `"data":""`},
			"not HTTP":                  {"xin chào", 400, `{"code":"request"`},
			"another transfer encoding": {"POST /vxp/sendEdoc HTTP/1.1\r\nHost: truc\r\nTransfer-Encoding: gzip", 501, `"DocId":""`},
			"another version":           {"POST /vxp/sendEdoc HTTP/3.0\r\nHost: truc", 505, `"DocId":""`},
			"another expectation":       {"POST /vxp/sendEdoc HTTP/1.1\r\nHost: truc\r\nContent-Length: 1\r\nExpect: wonders", 417, `"DocId":""`},
		} {
			t.Run(way+": "+name, func(t *testing.T) {
				t.Parallel()
				r := dial().say(c.header, "\r\n\r\n")
				if strings.HasPrefix(c.header, "HEAD") {
					all, err := io.ReadAll(r)
					check(t, err)
					if !strings.HasPrefix(string(all), "HTTP/1.1 400 ") || !strings.HasSuffix(string(all), "\r\n\r\n") {
						t.Errorf("%q", all)
					}
					return
				}
				answer, body := r.hear()
				if answer.StatusCode != c.status || !answer.Close || !strings.Contains(body, c.want) || c.want == "" && body != "" {
					t.Errorf("%s %v %s", answer.Status, answer.Header, body)
				}
				if body != "" && !json.Valid([]byte(body)) {
					t.Errorf("no JSON: %s", body)
				}
			})
		}
	}
	t.Run("plain HTTP to the TLS port", func(t *testing.T) {
		t.Parallel()
		c, err := net.Dial("tcp", below.Addr().String())
		check(t, err)
		if answer, body := newRaw(t, c).say("GET /healthz HTTP/1.1\r\nHost: truc\r\n\r\n").hear(); answer.StatusCode != 400 || !strings.Contains(body, `"code":"request"`) {
			t.Errorf("%s %s", answer.Status, body)
		}
	})
	t.Run("over TLS: two calls on one connection", func(t *testing.T) {
		t.Parallel()
		r := ways["tls"]()
		for range 2 {
			if answer, body := r.say(signedHeader("getReceivedEdocList", "H26", "to", listOf(3_900_000)), "\r\n").hear(); answer.StatusCode != 200 || !strings.Contains(body, `"OK"`) {
				t.Errorf("%s %s", answer.Status, body)
			}
		}
	})
}

// TestSlowHeaders: strangers that send large headers slowly get no more memory than headroom, are told so when it is used
// up, and hinder nobody else; what they borrowed is there again when they are gone.
func TestSlowHeaders(t *testing.T) {
	t.Parallel()
	const headroom = 8 << 20
	a := newAxis(t, "", func(_ *axis, c *Config) { c.Limits.Headroom = headroom })
	header := signedHeader("getReceivedEdocList", "H26", "to", listOf(3_900_000))
	strangers := make([]*raw, 12)
	refused := make(chan int, len(strangers))
	var listening sync.WaitGroup
	for i := range strangers {
		strangers[i] = a.dial(t)
		listening.Go(func() {
			strangers[i].say(header) // but no empty line: the header does not end
			answer, err := http.ReadResponse(strangers[i].in, nil)
			if err != nil {
				return // it was one that waited until it was closed, below
			}
			body, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			if answer.StatusCode != 503 || answer.Header.Get("Retry-After") == "" || !bytes.Contains(body, []byte(`"status":"FAIL"`)) || !bytes.Contains(body, []byte(`"data":[]`)) {
				t.Errorf("%d %s", answer.StatusCode, body)
			}
			refused <- i
		})
	}
	gone := map[int]bool{}
	for len(gone) < len(strangers)-headroom/3_900_000 {
		gone[<-refused] = true
		if lent := a.room.lent.Load(); lent > headroom {
			t.Errorf("%d bytes were lent of %d", lent, headroom)
		}
		a.call("H26", "GET", "/api/v1/inbox", nil).want(t, 200)
		if answer, body := a.dial(t).say(signedHeader("getReceivedEdocList", "H26"), "\r\n").hear(); answer.StatusCode != 200 {
			t.Errorf("%s %s", answer.Status, body)
		}
	}
	for _, s := range strangers {
		check(t, s.Close())
	}
	listening.Wait()
	a.noLoans(t)
	if answer, body := a.dial(t).say(header, "\r\n").hear(); answer.StatusCode != 200 {
		t.Errorf("%s %s", answer.Status, body)
	}
}

// noLoans waits until everything that headroom lent is back.
func (a *axis) noLoans(t testing.TB) {
	t.Helper()
	a.eventually(t, func() bool { return a.room.lent.Load() == 0 })
}

// TestHeaderTime: a header that does not end in time is cut; on a connection that was used before too.
func TestHeaderTime(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "", func(_ *axis, c *Config) { c.Limits.HeaderTime = 200 * time.Millisecond })
	used := a.dial(t)
	if answer, _ := used.say("GET /healthz HTTP/1.1\r\nHost: truc\r\n\r\n").hear(); answer.StatusCode != 200 {
		t.Fatal(answer.Status)
	}
	for _, r := range []*raw{a.dial(t), used} {
		r.say(signedHeader("getReceivedEdocList", "H26", "to", listOf(100<<10)))
		if left, err := io.ReadAll(r.in); err == nil && len(left) > 0 {
			t.Errorf("%q", left)
		}
	}
	a.noLoans(t)
}

// TestLoans: a caller who is known no longer takes from what strangers have, even while its body is still coming.
func TestLoans(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "", func(_ *axis, c *Config) { c.Limits.Headroom = 5 << 20 })
	header := signedHeader("getEdoc", "H26", "to", listOf(3_900_000))
	header = strings.Replace(header, "Content-Length: 0", "Content-Length: 2\r\nExpect: 100-continue", 1)
	for range 3 {
		r := a.dial(t).say(header, "\r\n")
		if line, err := r.in.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
			t.Fatalf("%q %v", line, err)
		}
		if lent := a.room.lent.Load(); lent != 0 {
			t.Errorf("%d bytes are lent to a known caller", lent)
		}
	}
}
