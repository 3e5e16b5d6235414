package web

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/truc-lienthong/truc/storage"
)

// How long a session lives. Idle times are those of TCVN 14423:2026, 5.5.2.2: business software locks after 15 minutes,
// administration after 5. No session outlives a working day.
const (
	idleBusiness       = 15 * time.Minute
	idleAdministration = 5 * time.Minute
	longestSession     = 12 * time.Hour
	noteSeenEvery      = 30 * time.Second // a session is not written at every click
)

// The session's values.
const (
	keyUser = "user"
	keySeal = "seal" // of the password's hash: a changed password ends the other sessions
	keySeen = "seen" // unix seconds of the last request
)

func newSessions(c Config) *scs.SessionManager {
	m := scs.New()
	m.Store = storage.Sessions{Store: c.Store, Now: c.Now}
	m.Lifetime = longestSession
	m.HashTokenInStore = true // who reads the database cannot take over a session
	m.Cookie = scs.SessionCookie{Name: "truc_session", Path: "/", HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteLaxMode}
	if c.Secure {
		m.Cookie.Name = "__Host-truc_session"
	}
	m.ErrorFunc = func(w http.ResponseWriter, _ *http.Request, err error) {
		c.Log.Error("session not read or written", "err", err)
		w.Header().Set("Retry-After", "5")
		http.Error(w, "Hệ thống tạm thời không truy cập được cơ sở dữ liệu; xin thử lại sau ít giây.\nThe database is out of reach; please try again in a few seconds.",
			http.StatusServiceUnavailable)
	}
	return m
}

func idle(r storage.Role) time.Duration {
	switch r {
	case storage.Clerk, storage.Auditor:
		return idleBusiness
	}
	return idleAdministration
}

func seal(passwordHash string) string {
	sum := sha256.Sum256([]byte(passwordHash))
	return hex.EncodeToString(sum[:16])
}

// whoAsks reads the session's user afresh, so that a disabled user, a changed role or a changed password counts at once.
func (s *site) whoAsks(q *request) (*viewer, error) {
	ctx := q.Context()
	name := s.sessions.GetString(ctx, keyUser)
	if name == "" {
		return nil, nil
	}
	u, err := s.Store.User(ctx, name)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	now := s.Now()
	last := time.Unix(s.sessions.GetInt64(ctx, keySeen), 0)
	if err != nil || !u.DisabledAt.IsZero() || s.sessions.GetString(ctx, keySeal) != seal(u.Password) || now.Sub(last) > idle(u.Role) {
		return nil, s.sessions.Destroy(ctx)
	}
	if now.Sub(last) >= noteSeenEvery {
		s.sessions.Put(ctx, keySeen, now.Unix())
	}
	return &viewer{User: u, directory: s.Server.Directory()}, nil
}

// begin makes the session of a user who just signed in, under a new token: one that was planted before is worth nothing.
func (s *site) begin(q *request, u storage.User) error {
	ctx := q.Context()
	if err := s.sessions.Clear(ctx); err != nil {
		return err
	}
	if err := s.sessions.RenewToken(ctx); err != nil {
		return err
	}
	s.sessions.Put(ctx, keyUser, u.Name)
	s.sessions.Put(ctx, keySeal, seal(u.Password))
	s.sessions.Put(ctx, keySeen, s.Now().Unix())
	return nil
}
