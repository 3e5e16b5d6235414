package web

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// request is one request of one person.
type request struct {
	*http.Request
	w      http.ResponseWriter
	viewer *viewer // nil: not signed in
	lang   lang
}

// formLimit is the largest form in bytes.
const formLimit = 64 << 10

// serve guards a route: it bounds time and size, finds out who asks, and lets in only whom the route is for.
func (s *site) serve(r route) http.Handler {
	limit := r.limit
	if limit == 0 {
		limit = pageLimit
	}
	return http.HandlerFunc(func(w http.ResponseWriter, h *http.Request) {
		ctx, cancel := context.WithTimeout(h.Context(), limit)
		defer cancel()
		control := http.NewResponseController(w)
		deadline := s.Now().Add(limit)
		_ = control.SetReadDeadline(deadline) // not supported in tests that call the handler without a connection
		_ = control.SetWriteDeadline(deadline.Add(10 * time.Second))
		h.Body = http.MaxBytesReader(w, h.Body, formLimit)
		q := &request{w: w, Request: h.WithContext(ctx), lang: langOf(h)}
		if err := s.admit(q, r); err != nil {
			s.fail(q, err)
			return
		}
		if err := r.handler(s, q); err != nil {
			s.fail(q, err)
		}
	})
}

// admit says whether the asker may use the route. Nothing is open unless the route says so.
func (s *site) admit(q *request, r route) error {
	if r.path == "/static/{name}" {
		return nil // no session is looked up for a style sheet
	}
	v, err := s.whoAsks(q)
	if err != nil {
		return err
	}
	q.viewer = v
	switch {
	case r.access == open:
		return nil
	case v == nil:
		return errSignIn
	case v.OneTime && r.path != "/password" && r.path != "/sign-out":
		return errNewPassword
	case !v.may(r.access):
		return errForbidden
	}
	return nil
}

// ip is the address that the request came from, for the audit.
func (q *request) ip() string {
	host, _, err := net.SplitHostPort(q.RemoteAddr)
	if err != nil {
		return q.RemoteAddr
	}
	return host
}

// redirect answers a form that was done: 303 makes the browser fetch the next page.
func (q *request) redirect(to string) {
	http.Redirect(q.w, q.Request, to, http.StatusSeeOther)
}

// localPath accepts only a path of this site as the place to go on to: anything else would let a link on our sign-in
// page lead people to a stranger.
func localPath(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(to, "/") ||
		strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return "/"
	}
	u.Fragment, u.RawFragment = "", ""
	if to = u.String(); strings.HasPrefix(to, "//") {
		return "/" // an encoded slash came out as a plain one, and would name a host
	}
	return to
}
