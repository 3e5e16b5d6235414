package server

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// formPart is one part of a multipart body, in whatever shape the test wants.
type formPart struct {
	disposition, media string
	body               []byte
}

func filePart(name string, content []byte) formPart {
	return formPart{`form-data; name="file"; filename="` + name + `"`, "application/octet-stream", content}
}

func dispatchPart(t testing.TB, meta any) formPart {
	raw, err := json.Marshal(meta)
	check(t, err)
	return formPart{`form-data; name="dispatch"`, "application/json", raw}
}

// form writes parts as they are given.
func form(t testing.TB, parts ...formPart) (*bytes.Buffer, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		header := textproto.MIMEHeader{}
		if p.disposition != "" {
			header.Set("Content-Disposition", p.disposition)
		}
		if p.media != "" {
			header.Set("Content-Type", p.media)
		}
		part, err := w.CreatePart(header)
		check(t, err)
		_, err = part.Write(p.body)
		check(t, err)
	}
	check(t, w.Close())
	return &b, w.FormDataContentType()
}

func (a *axis) post(parts ...formPart) reply {
	a.t.Helper()
	body, media := form(a.t, parts...)
	return a.call("H29.12", "POST", "/api/v1/dispatches", body, "Content-Type", media)
}

func TestRefusedBodies(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "", small)
	whole, media := form(t, dispatchPart(t, letter("H29.12-2026-half", "H26")), filePart("a.pdf", signed(t).content), filePart("b.bin", make([]byte, 300_000)))
	body := whole.Bytes()
	first := bytes.Index(body, []byte("%PDF"))
	for _, c := range []struct {
		name, media string
		body        []byte
		status      int
		code        string
	}{
		{"not multipart", "application/json", []byte("{}"), 415, "media_type"},
		{"no boundary", "multipart/form-data", body, 415, "media_type"},
		{"another kind of multipart", "multipart/mixed; boundary=x", body, 415, "media_type"},
		{"a bad content type", "multipart/form-data; boundary=\"", body, 415, "media_type"},
		{"another boundary", "multipart/form-data; boundary=x", body, 400, "body"},
		{"no body", media, nil, 400, "part_order"},
		{"only the end", media, []byte("--" + strings.TrimPrefix(media, "multipart/form-data; boundary=") + "--\r\n"), 400, "part_order"},
		{"it ends in the metadata", media, body[:200], 400, "body"},
		{"it ends in a file", media, body[:first+1000], 400, "body"},
		{"it ends before the last boundary", media, body[:len(body)-10], 400, "body"},
		{"it ends in a part's header", media, body[:first-20], 400, "body"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a.untouched(t, func() {
				a.call("H29.12", "POST", "/api/v1/dispatches", bytes.NewReader(c.body), "Content-Type", c.media).refused(t, c.status, c.code)
			})
		})
	}
	t.Run("files before metadata", func(t *testing.T) {
		a.untouched(t, func() {
			a.post(filePart("a.pdf", signed(t).content), dispatchPart(t, letter("x", "H26"))).refused(t, 400, "part_order")
		})
	})
	t.Run("a header of many lines", func(t *testing.T) {
		a.untouched(t, func() {
			raw := []byte("--x\r\n" + strings.Repeat("X-Many: y\r\n", 20_000) + "\r\n{}\r\n--x--\r\n")
			a.call("H29.12", "POST", "/api/v1/dispatches", bytes.NewReader(raw), "Content-Type", "multipart/form-data; boundary=x").refused(t, 400, "body")
		})
	})
	for _, cut := range []int{300, first + 1, len(body) - 40} {
		t.Run(fmt.Sprintf("the connection closes after %d of %d bytes", cut, len(body)), func(t *testing.T) {
			a.untouched(t, func() { a.half(t, media, body[:cut], len(body)).refused(t, 400, "body") })
		})
	}
	t.Run("keys that are no text", func(t *testing.T) {
		a.untouched(t, func() {
			for key, code := range map[string]string{"\xff\xfe": "utf8", strings.Repeat("k", 256): "too_long", "a\tb": "utf8"} {
				whole, media := form(t, dispatchPart(t, letter("H29.12-2026-key", "H26")), filePart("a.pdf", signed(t).content))
				a.call("H29.12", "POST", "/api/v1/dispatches", whole, "Content-Type", media, "Idempotency-Key", key).refused(t, 422, code)
			}
		})
	})
}

// half sends the beginning of a body and closes its side of the connection, then reads the answer.
func (a *axis) half(t testing.TB, media string, body []byte, said int) reply {
	t.Helper()
	conn, err := net.Dial("tcp", a.http.Listener.Addr().String())
	check(t, err)
	defer func() { _ = conn.Close() }()
	request, err := http.NewRequest("POST", a.url+"/api/v1/dispatches", nil)
	check(t, err)
	request.SetBasicAuth("H29.12", "secret-H29.12")
	_, err = fmt.Fprintf(conn, "POST /api/v1/dispatches HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		request.Header.Get("Authorization"), media, said, body)
	check(t, err)
	check(t, conn.(*net.TCPConn).CloseWrite())
	response, err := http.ReadResponse(bufio.NewReader(conn), request)
	check(t, err)
	raw, err := io.ReadAll(response.Body)
	check(t, err)
	r := reply{Response: response, raw: raw}
	check(t, json.Unmarshal(raw, &r.json))
	return r
}

// TestSlowBody: a body that stops half-way with the connection left open ends with the time limit, as the client's fault.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "", func(_ *axis, c *Config) { c.Limits.Body = 300 * time.Millisecond })
	whole, media := form(t, dispatchPart(t, letter("H29.12-2026-slow", "H26")), filePart("a.pdf", signed(t).content))
	body := whole.Bytes()
	a.untouched(t, func() {
		reader, writer := io.Pipe()
		go func() { _, _ = writer.Write(body[:len(body)-50]) }() // and then nothing more
		defer func() { _ = writer.Close() }()
		a.call("H29.12", "POST", "/api/v1/dispatches", reader, "Content-Type", media).refused(t, 408, "timeout")
	})
}
