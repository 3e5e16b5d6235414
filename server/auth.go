package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

const callerKey = "truc.caller"

// nobody is compared with when the id is unknown, so that the answer takes the same time.
var nobody = &caller{}

// authenticate is the middleware of the native face: HTTP Basic with the system's id and secret (RFC 7617). A wrong
// secret and an unknown id get the same answer in the same time.
func (s *Server) authenticate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, secret, ok := c.Request().BasicAuth()
		who := s.config.Load().systems[id]
		if who == nil {
			who = nobody
		}
		if !who.knows(secret, s.Now()) || !ok || who == nobody {
			s.metrics.unauthorized.Inc()
			return problem("unauthorized", "")
		}
		known(c)
		if err := s.admitCaller(who); err != nil {
			return err
		}
		c.Set(callerKey, who)
		return next(c)
	}
}

// admitCaller is what holds for a system on every face: it must be connected, and within its rate.
func (s *Server) admitCaller(who *caller) error {
	if who.disabled {
		return problem("disabled", "", who.ID)
	}
	perSecond := s.Limits.Rate
	if who.Rate > 0 {
		perSecond = who.Rate
	}
	if wait := s.rates.reserve(who.ID, perSecond, s.Now()); wait > 0 {
		p := problem("rate", "", perSecond)
		p.retryAfter = int(wait/time.Second) + 1
		return p
	}
	s.seen.note(who.ID, s.Now())
	return nil
}

// knows compares the secret with the one in force and, within the overlap of a rotation, the one before.
func (w *caller) knows(secret string, now time.Time) bool {
	sum := sha256.Sum256([]byte(secret))
	current := subtle.ConstantTimeCompare(sum[:], w.sum[:])
	old := subtle.ConstantTimeCompare(sum[:], w.oldSum[:])
	if !now.Before(w.oldUntil) {
		old = 0
	}
	return current|old == 1
}

func who(c echo.Context) *caller { return c.Get(callerKey).(*caller) }

// serves says whether the caller acts for an agency now.
func (s *Server) serves(w *caller, code routing.Code) bool { return s.directory().Serves(w.ID, code) }

// rates holds one limiter for each system: a hub that loops must not slow the others.
type rates struct {
	mu   sync.Mutex
	each map[string]*rate.Limiter
}

// reserve takes one request; a wait over zero means that it is too many and nothing was taken.
func (r *rates) reserve(id string, perSecond int, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.each == nil {
		r.each = map[string]*rate.Limiter{}
	}
	l := r.each[id]
	if l == nil || l.Limit() != rate.Limit(perSecond) {
		l = rate.NewLimiter(rate.Limit(perSecond), 2*perSecond)
		r.each[id] = l
	}
	if l.AllowN(now, 1) {
		return 0
	}
	return time.Second
}

// seen gathers when systems called, so that the database hears of it once a second and not once a call.
type seen struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (n *seen) note(id string, at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.at == nil {
		n.at = map[string]time.Time{}
	}
	n.at[id] = at
}

func (n *seen) flush(ctx context.Context, s *Server) {
	n.mu.Lock()
	at := n.at
	n.at = nil
	n.mu.Unlock()
	if len(at) == 0 {
		return
	}
	if err := s.Store.Seen(ctx, at); err != nil && ctx.Err() == nil {
		s.Log.Warn("last calls not noted", "err", err)
	}
}

// securityEvent writes an audit line about a refusal that an auditor will ask for, without any content.
func (s *Server) securityEvent(ctx context.Context, e storage.Event) {
	if err := s.Store.Audit(context.WithoutCancel(ctx), e); err != nil {
		s.Log.Error("security event not written to the audit", "action", e.Action, "object", e.Object, "err", err)
	}
}
