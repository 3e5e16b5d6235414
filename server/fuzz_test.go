package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/truc-lienthong/truc/storage"
)

// most is how long an answer to so many bytes may be: what a stranger sends must not be blown up. A bad code costs its
// sender three bytes and is answered by two sentences, hence the factor; a fixed allowance covers what is always said.
func most(asked int) int { return 64<<10 + 200*asked }

func FuzzReadMetadata(f *testing.F) {
	for _, seed := range []string{`{}`, `null`, `[]`, `{"sender":"H29.12","recipients":["H26"],"document_id":"1","type":{"name":"Công văn"},"subject":"x"}`,
		`{"recipients":["","",""],"urgency":"express","kind":"recall"}`, `{"secrecy":"Mật"}`, `{"subject":"\ud800\u0000"}`,
		`{"references":[{},{"date":"2026-13-01"}],"page_amount":1e3}`, strings.Repeat(`{"signer":`, 500), "{\"a\":\"\xff\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := readMetadata(raw, 100)
		if err != nil {
			var p *Problem
			if !errors.As(err, &p) || p.Status < 400 || p.Status > 499 || p.VI == "" || p.EN == "" {
				t.Fatalf("%v", err)
			}
			answer, err := json.Marshal(p)
			check(t, err)
			if len(answer) > most(len(raw)) {
				t.Fatalf("%d bytes are answered by %d", len(raw), len(answer))
			}
			return
		}
		again, err := json.Marshal(m)
		check(t, err)
		back, err := readMetadata(again, 100)
		if err != nil {
			t.Fatalf("what was accepted is refused when written again: %v\n%s", err, again)
		}
		if back.fingerprint("H29.12", nil) != m.fingerprint("H29.12", nil) || back.secret() != m.secret() {
			t.Fatalf("another document when written again: %s", again)
		}
	})
}

// FuzzSubmit sends a whole body through the handler: no panic, no 5xx, nothing kept of what was refused.
func FuzzSubmit(f *testing.F) {
	a := newAxis(f, "", small, func(_ *axis, c *Config) { c.Limits.Rate = 1 << 30 })
	const boundary = "x"
	part := func(head, body string) string { return "--x\r\n" + head + "\r\n\r\n" + body + "\r\n" }
	first := func(id string) string {
		raw, err := json.Marshal(letter(id, "H26", "H01.151"))
		check(f, err)
		return part(`Content-Disposition: form-data; name="dispatch"`, string(raw))
	}
	file := part(`Content-Disposition: form-data; name="file"; filename="a.txt"`, "văn bản")
	pdf := part("Content-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf", "%PDF-1.4\n1 0 obj<</Type/Sig/ByteRange[0 1 2 3]>>endobj\ntrailer<</Root 1 0 R>>")
	signature := part(`Content-Disposition: form-data; name="signature"`, "\x30\x80\x06\x09")
	for _, seed := range []string{"", "--x--\r\n", first("1") + file + "--x--", first("2") + pdf + signature + "--x--\r\n", file + first("3"),
		first("4") + file[:40], first("5") + file + "--x\r\nX", first("6") + part(`Content-Disposition: form-data; name="file"; filename*=utf-8''%00`, "x") + "--x--",
		part(`Content-Disposition: form-data; name="dispatch"`, `{"recipients":["H99","H54","x y",""]}`) + "--x--"} {
		f.Add([]byte(seed))
	}
	packets, err := filepath.Glob("edxml/testdata/*.edxml")
	check(f, err)
	for _, name := range packets {
		raw, err := os.ReadFile(name)
		check(f, err)
		f.Add([]byte(part(`Content-Disposition: form-data; name="edxml"`, string(raw)) + "--x--\r\n"))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a.quietly(t, body, "POST", "/api/v1/dispatches", "H29.12", "multipart/form-data; boundary="+boundary)
	})
}

// FuzzReceipt sends a receipt's body through the handler.
func FuzzReceipt(f *testing.F) {
	a := newAxis(f, "", func(_ *axis, c *Config) { c.Limits.Rate = 1 << 30 })
	id := a.submit("H29.12", letter("H29.12-2026-1", "H26"), signed(f)).want(f, 201).json["id"].(string)
	for _, seed := range []string{``, `{}`, `{"status":"01"}`, `{"status":"02","reason":"Gửi nhầm","staff":{"name":"A","email":"a@b"},"event_time":"2026-11-23T08:00:00+07:00","arrival_number":"7"}`,
		`{"status":"15"}`, `{"status":"16","reason":"x"}`, `{"status":"03","event_time":"0001-01-01T00:00:00Z"}`, `{"status":"03","event_time":"9999-12-31T23:59:59.999999999+23:59"}`,
		`{"status":"03","reason":"\u0000"}`, `{"staff":[]}`, "{\"reason\":\"\xff\"}", strings.Repeat("[", 300)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a.quietly(t, body, "POST", "/api/v1/deliveries/"+id+".1/receipts", "H26", "application/json")
	})
}

// quietly sends a body through the handler and checks what holds for every body.
func (a *axis) quietly(t *testing.T, body []byte, method, path, system, media string) {
	t.Helper()
	before := a.kept(t)
	request := httptest.NewRequestWithContext(t.Context(), method, path, io.NopCloser(bytes.NewReader(body)))
	request.Header.Set("Content-Type", media)
	request.SetBasicAuth(system, "secret-"+system)
	answer := httptest.NewRecorder()
	a.http.Config.Handler.ServeHTTP(answer, request)
	if answer.Code >= 500 || answer.Code < 200 {
		t.Fatalf("status %d: %.500s", answer.Code, answer.Body)
	}
	if answer.Body.Len() > most(len(body)) {
		t.Fatalf("%d bytes are answered by %d", len(body), answer.Body.Len())
	}
	if answer.Code < 400 {
		return
	}
	reply{Response: answer.Result(), raw: answer.Body.Bytes()}.refused(t, answer.Code, codeOf(t, answer.Body.Bytes()))
	if after := a.kept(t); after != before {
		t.Fatalf("refused with %d, but kept:\n%s\nbefore:\n%s", answer.Code, after, before)
	}
}

func codeOf(t *testing.T, raw []byte) string {
	var p Problem
	check(t, json.Unmarshal(raw, &p))
	return p.Code
}

func FuzzIDs(f *testing.F) {
	id := storage.NewID(testNow).String()
	for _, seed := range []string{"", id, id + ".1", id + ".1.d.0", id + ".01.d.0", id + ".1.x.0", "{" + id + "}.1", strings.ToUpper(id) + ".1", id + ".1000001", id + ".1.r.-1", strings.Repeat(".", 40)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if id, ok := storage.ParseDeliveryID(text); ok && !strings.EqualFold(id.String(), text) {
			t.Errorf("delivery %q is read as %s", text, id)
		}
		if id, ok := storage.ParseItemID(text); ok && !strings.EqualFold(id.String(), text) {
			t.Errorf("item %q is read as %s", text, id)
		}
	})
}

func FuzzFileName(f *testing.F) {
	for _, seed := range []string{"", "a.pdf", "../a", "a\x00b", "\xff", "..", strings.Repeat("ă", 501), "a\u202eb", "C:\\a"} {
		f.Add(seed, "text/plain; charset=utf-8")
	}
	f.Fuzz(func(t *testing.T, name, media string) {
		clean, ok := cleanName(name)
		if ok && (clean != name || !utf8.ValidString(name) || filepath.Base(name) != name) {
			t.Errorf("%q is taken as %q", name, clean)
		}
		kind := cleanType(media)
		if kind == "" || strings.ContainsAny(kind, "\r\n\x00") {
			t.Errorf("media type %q is taken as %q", media, kind)
		}
		if got := http.Header(map[string][]string{"Content-Type": {kind}}).Get("Content-Type"); got != kind {
			t.Error(fmt.Sprint(got))
		}
	})
}
