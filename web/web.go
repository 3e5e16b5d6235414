// Package web answers: what do people see and press? It renders the pages of Trục on the server, in Vietnamese first and
// in English by a switch. Every page works without a script; reads come straight from storage, and every change goes
// through a verb of server, so that it is audited.
//
// Whoever is not signed in sees the sign-in page and nothing else. Who is signed in sees the documents of own agencies
// (clerk), of own subtrees (administrator), or lists and states without content (operator, auditor: R102).
package web

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/storage"
)

// Config is what the pages need. Server, Store and Key must be set.
type Config struct {
	Server *server.Server
	Store  *storage.Store
	Key    *storage.KeyFile // opens people's TOTP secrets
	Now    func() time.Time // default time.Now
	Log    *slog.Logger
	Secure bool // served over HTTPS: cookies are sent over nothing else
	Demo   bool // marks every page as a test environment, as installed test anchors do
}

// site is the pages and what they share.
type site struct {
	Config
	sessions *scs.SessionManager
	static   *staticFiles
	pages    templates
	guesses  *guesses
	anchors  testAnchors
	decoy    string // a hash that fits no password: an unknown user must cost the same time as a known one
}

// route is one line of the list of routes.
type route struct {
	method, path string
	access       access
	limit        time.Duration // for the whole request; 0: pageLimit
	handler      func(*site, *request) error
}

const (
	pageLimit     = 30 * time.Second
	downloadLimit = 30 * time.Minute
)

var routes = []route{
	{"GET", "/static/{name}", open, 0, (*site).getStatic},
	{"POST", "/language", open, 0, (*site).postLanguage},
	{"GET", "/sign-in", open, 0, (*site).getSignIn},
	{"POST", "/sign-in", open, 0, (*site).postSignIn},
	{"POST", "/sign-out", signedIn, 0, (*site).postSignOut},
	{"GET", "/password", signedIn, 0, (*site).getPassword},
	{"POST", "/password", signedIn, 0, (*site).postPassword},
	{"GET", "/{$}", signedIn, 0, (*site).getHome},
	{"GET", "/sent", documents, 0, (*site).getSent},
	{"GET", "/received", documents, 0, (*site).getReceived},
	{"GET", "/dispatches/{id}", documents, 0, (*site).getDispatch},
	{"GET", "/dispatches/{id}/release", releases, 0, (*site).getRelease},
	{"POST", "/dispatches/{id}/release", releases, 0, (*site).postRelease},
	{"GET", "/dispatches/{id}/verification", content, 0, (*site).getVerification},
	{"GET", "/dispatches/{id}/proof", content, downloadLimit, (*site).getProof},
	{"GET", "/dispatches/{id}/attachments/{n}", content, downloadLimit, (*site).getSentFile},
	{"GET", "/deliveries/{id}", documents, 0, (*site).getDelivery},
	{"GET", "/deliveries/{id}/attachments/{n}", content, downloadLimit, (*site).getReceivedFile},
	{"GET", "/strays", seesStrays, 0, (*site).getStrays},
	{"POST", "/strays/{id}/close", closesStrays, 0, (*site).postCloseStray},
	{"GET", "/{path...}", open, 0, (*site).getNothing},
}

// New checks the configuration and returns the handler of every page.
func New(c Config) (http.Handler, error) {
	s, err := newSite(c)
	if err != nil {
		return nil, err
	}
	return s.handler(), nil
}

func newSite(c Config) (*site, error) {
	if c.Server == nil || c.Store == nil || c.Key == nil {
		return nil, errors.New("web: Server, Store and Key must be set")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &site{Config: c, guesses: newGuesses()}
	var err error
	if s.static, err = loadStatic(); err != nil {
		return nil, err
	}
	if s.pages, err = loadTemplates(s.static); err != nil {
		return nil, err
	}
	if s.decoy, err = HashPassword(NewPassword()); err != nil {
		return nil, err
	}
	s.sessions = newSessions(c)
	return s, nil
}

// handler puts the guards around the routes, outermost first: headers on every answer, then the check for cross-site
// requests, the session, and each route's own access and time limit.
func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.Handle(r.method+" "+r.path, s.serve(r))
	}
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(&request{w: w, Request: r, lang: langOf(r)}, errCrossSite)
	}))
	pages := http.NewServeMux()
	pages.Handle("/static/", mux) // a style sheet needs no session, and comes even when the database is away
	pages.Handle("/", cross.Handler(s.sessions.LoadAndSave(mux)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header(), s.Secure)
		pages.ServeHTTP(w, r)
	})
}

// setHeaders are the security headers of every answer. The policy allows this origin alone: no script, style, font,
// picture or form goes anywhere else (R96).
func setHeaders(h http.Header, secure bool) {
	h.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}
