package server

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// vxpHeaders bounds the header of a request on the VXP face, where lists of recipients travel in headers: 4 MiB, and
	// something for the rest.
	vxpHeaders = 4<<20 + 64<<10
	// otherHeaders bounds the header of every other request.
	otherHeaders = 1 << 20
	// freeHeader is what one connection may send of a header before it borrows from headroom: far more than any call without
	// a list of recipients needs.
	freeHeader = 64 << 10
)

// headroom is what all callers together, while nobody knows who they are, may have sent in headers beyond freeHeader each.
// Without it a thousand connections that send 4 MB of header slowly would cost 4 GB before the first signature is checked.
// It lends to a connection until its caller is known, or the request is over.
type headroom struct{ lent atomic.Int64 }

// borrow takes so many bytes, unless more than most would be lent then.
func (h *headroom) borrow(n, most int64) bool {
	if h.lent.Add(n) > most {
		h.lent.Add(-n)
		return false
	}
	return true
}

func (h *headroom) repay(n int64) { h.lent.Add(-n) }

// known says that the caller of a request is known: what it sent no longer counts as a stranger's.
func known(c echo.Context) {
	if on := connOf(c.Request().Context()); on != nil {
		on.repay()
	}
}

// narrow refuses headers that only the VXP face needs so large.
func narrow(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !isVXP(c) && headerSize(c.Request()) > otherHeaders {
			return problem("headers_large", "", otherHeaders)
		}
		return next(c)
	}
}

// headerSize is how many bytes a request's header had, but for spaces around values.
func headerSize(r *http.Request) int {
	n := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len("Host: ") + len(r.Host) + 8
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(v) + len(": \r\n")
		}
	}
	return n
}

// statusOf reads the status that an answer begins with; 0 when it is none.
func statusOf(answer []byte) int {
	rest, ok := bytes.CutPrefix(answer, []byte("HTTP/1.1 "))
	if !ok || len(rest) < 3 {
		return 0
	}
	status, err := strconv.Atoi(string(rest[:3]))
	if err != nil {
		return 0
	}
	return status
}

// plainOverTLS returns the connection below, when a read failed because the other side speaks HTTP without TLS.
func plainOverTLS(err error) net.Conn {
	var record tls.RecordHeaderError
	if errors.As(err, &record) && record.Conn != nil && bytes.ContainsAny(record.RecordHeader[:1], "GHPDOC") {
		return record.Conn
	}
	return nil
}

const (
	lingerTime  = time.Second // how long a refused connection is read on,
	lingerBytes = 2 * vxpHeaders
)

// refuse answers a request that no handler saw, in the words of the face it was for, and says that this connection is over.
// What still comes is thrown away for a moment: a connection that is closed with bytes unread takes its last answer along.
func (c *conn) refuse(to net.Conn, status int) {
	c.mu.Lock()
	method, path := requested(c.first)
	if c.full {
		status = http.StatusServiceUnavailable
	}
	c.mu.Unlock()
	c.repay() // net/http has let go of what it read
	p := unread(status)
	c.server.metrics.refused.WithLabelValues(p.Code).Inc()
	media, body := "application/problem+json", []byte(nil)
	if vxpPath(path) {
		media = vxpMedia
		_, body = vxpRefusal(p, path)
	} else {
		body, _ = json.Marshal(p) // of strings only
	}
	var answer bytes.Buffer
	fmt.Fprintf(&answer, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: %d\r\n", status, http.StatusText(status), len(body))
	if len(body) > 0 {
		fmt.Fprintf(&answer, "Content-Type: %s\r\n", media)
	}
	if p.retryAfter > 0 {
		fmt.Fprintf(&answer, "Retry-After: %d\r\n", p.retryAfter)
	}
	answer.WriteString("\r\n")
	if method != http.MethodHead {
		answer.Write(body)
	}
	_ = to.SetDeadline(socketDeadline(lingerTime))
	if _, err := to.Write(answer.Bytes()); err != nil {
		return // the client went away: nothing more can be said
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.CopyN(io.Discard, to, lingerBytes)
}

// unread is the problem behind a status that net/http gives before a handler runs.
func unread(status int) *Problem {
	switch status {
	case http.StatusRequestHeaderFieldsTooLarge:
		return problem("headers_large", "", vxpHeaders)
	case http.StatusServiceUnavailable:
		p := problem("unavailable", "")
		p.retryAfter = 5
		return p
	}
	p := problem("request", "")
	p.Status = status
	return p
}

// requested reads method and path from the first bytes of a header.
func requested(first []byte) (method, path string) {
	line, _, _ := strings.Cut(string(first), "\r\n")
	words := strings.SplitN(strings.TrimSpace(line), " ", 3)
	if len(words) < 2 {
		return "", ""
	}
	path, _, _ = strings.Cut(words[1], "?")
	return words[0], path
}
