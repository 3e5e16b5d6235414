package server

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// route is one line of the server's list of routes.
type route struct {
	method, path string
	handler      func(*Server, echo.Context) error
	limit        time.Duration // for the whole request; 0: shortLimit
}

// shortLimit is how long a request without a large body may take.
const shortLimit = time.Minute

// native is the native face: every route behind HTTP Basic, under /api/v1.
var native = []route{
	{"POST", "/dispatches", (*Server).postDispatch, -1}, // bounded by Limits.Body
	{"GET", "/dispatches", (*Server).listDispatches, 0},
	{"GET", "/dispatches/:id", (*Server).getDispatch, 0},
	{"GET", "/dispatches/:id/proof", (*Server).getProof, 0},
	{"GET", "/dispatches/:id/verification", (*Server).getVerification, 0},
	{"GET", "/deliveries", (*Server).listDeliveries, 0},
	{"GET", "/deliveries/:id/package", (*Server).getPackage, -1},
	{"HEAD", "/deliveries/:id/package", (*Server).getPackage, 0},
	{"GET", "/deliveries/:id/attachments/:n", (*Server).getAttachment, -1},
	{"HEAD", "/deliveries/:id/attachments/:n", (*Server).getAttachment, 0},
	{"POST", "/deliveries/:id/receipts", (*Server).postReceipt, 0},
	{"GET", "/inbox", (*Server).getInbox, 90 * time.Second},
	{"POST", "/inbox/:item/taken", (*Server).postTaken, 0},
	{"GET", "/agencies", (*Server).searchAgencies, 0},
	{"GET", "/agencies/:code", (*Server).getAgency, 0},
	{"POST", "/plan", (*Server).postPlan, 0},
	{"POST", "/packets/check", (*Server).postPacketCheck, -1},
}

// open are the routes that need no credential.
var open = []route{
	{"GET", "/healthz", (*Server).getHealth, 0},
	{"GET", "/readyz", (*Server).getReady, 10 * time.Second},
	{"GET", "/metrics", (*Server).getMetrics, 0},
	{"GET", "/api/v1/openapi.yaml", (*Server).getOpenAPI, 0},
}

// Handler serves every face of this node.
func (s *Server) Handler() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.answerError
	e.IPExtractor = echo.ExtractIPDirect()
	if s.Proxied {
		e.IPExtractor = echo.ExtractIPFromXFFHeader()
		e.Use(fromProxy)
	}
	e.Use(middleware.RecoverWithConfig(middleware.RecoverConfig{DisablePrintStack: true, LogErrorFunc: s.logPanic}), s.measure, narrow)
	for _, r := range open {
		e.Add(r.method, r.path, s.bounded(r))
	}
	api := e.Group("/api/v1", s.authenticate)
	for _, r := range native {
		api.Add(r.method, r.path, s.bounded(r))
	}
	api.RouteNotFound("/*", s.elsewhere)
	s.vxpRoutes(e)
	e.RouteNotFound("/api/*", func(echo.Context) error { return problem("not_found", "") })
	if s.Pages != nil {
		e.Any("/*", echo.WrapHandler(s.Pages))
	}
	return e
}

// fromProxy gives the pages, which see only the request, the same address of the caller as everything else has.
func fromProxy(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Request().RemoteAddr = net.JoinHostPort(c.RealIP(), "0")
		return next(c)
	}
}

// bounded gives a route its time limit: the context's, and the connection's for its body.
func (s *Server) bounded(r route) echo.HandlerFunc {
	limit := r.limit
	switch {
	case limit < 0:
		limit = s.Limits.Body
	case limit == 0:
		limit = shortLimit
	}
	return func(c echo.Context) error {
		ctx, cancel := context.WithTimeout(c.Request().Context(), limit)
		defer cancel()
		control := http.NewResponseController(c.Response())
		deadline := socketDeadline(limit)
		_ = control.SetReadDeadline(deadline) // not supported in tests that call the handler without a connection
		_ = control.SetWriteDeadline(deadline.Add(10 * time.Second))
		c.SetRequest(c.Request().WithContext(ctx))
		return r.handler(s, c)
	}
}

// socketDeadline is so long from now by the machine's clock, which sockets follow.
func socketDeadline(d time.Duration) time.Time { return time.Now().Add(d) }

// elsewhere answers for a path that no route serves: not found, or found under another method (RFC 9110, 15.5.6).
func (s *Server) elsewhere(c echo.Context) error {
	path := strings.TrimPrefix(c.Request().URL.Path, "/api/v1")
	var methods []string
	for _, r := range native {
		if fits(r.path, path) {
			methods = append(methods, r.method)
		}
	}
	if len(methods) == 0 {
		return problem("not_found", "")
	}
	c.Response().Header().Set("Allow", strings.Join(methods, ", "))
	return problem("method", "")
}

// fits says whether a path is one of a route's.
func fits(route, path string) bool {
	want, have := strings.Split(route, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if want[i] != have[i] && !strings.HasPrefix(want[i], ":") {
			return false
		}
	}
	return true
}

func (s *Server) logPanic(c echo.Context, err error, stack []byte) error {
	s.Log.Error("panic in a request", "path", c.Path(), "err", err, "stack", string(stack))
	return err
}

// measure counts requests by route and answer, and how long they took.
func (s *Server) measure(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		started := s.Now()
		err := next(c)
		if err != nil {
			c.Error(err)
		}
		path := c.Path()
		if path == "" || !strings.HasPrefix(path, "/") {
			path = "other"
		}
		s.metrics.requests.WithLabelValues(path, methodLabel(c.Request().Method), statusClass(c.Response().Status)).
			Observe(s.Now().Sub(started).Seconds())
		return nil
	}
}

// methodLabel keeps a stranger's words out of the metrics, which remember every one.
func methodLabel(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return method
	}
	return "other"
}

func statusClass(status int) string { return string(rune('0'+status/100)) + "xx" }
