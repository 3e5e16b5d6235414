// Package server answers: what moves? Every change of state is one verb: Submit, Taken, AddReceipt, Release. Around
// the verbs stand the HTTP faces (the native API and VXP), the courier that pushes what is due,
// and the jobs.
//
// The path of one dispatch, function by function, is told in the README.
package server

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// Limits bound what one request may bring. Zero values take the defaults.
type Limits struct {
	FirstPart  int64                 // bytes of metadata; default 4 MiB, enough for 40,000 recipients
	Parts      int                   // files in one dispatch; default 100
	File       int64                 // bytes of one file; default 2 GiB
	Dispatch   int64                 // bytes of all files; default 4 GiB
	Packet     int64                 // bytes of an edXML packet, its files in base64; default 2 GiB
	PerWay     map[routing.Way]int64 // bytes of all files that a way can carry; default 1 GiB pushed or hosted, else Dispatch
	Recipients int                   // default 40,000
	Rate       int                   // requests a second for one system; default 1,000, in bursts of twice that
	Body       time.Duration         // longest time for one request's body; default 30 min
	HeaderTime time.Duration         // longest time for one request's header; default 30 s
	Headroom   int64                 // bytes of headers of callers who are not known yet, beyond 64 KiB each; default 64 MiB for all together
}

func (l Limits) orDefaults() Limits {
	fill := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	fill(&l.FirstPart, 4<<20)
	fill(&l.File, 2<<30)
	fill(&l.Dispatch, 4<<30)
	fill(&l.Packet, 2<<30)
	fill(&l.Headroom, 64<<20)
	if l.Parts <= 0 {
		l.Parts = 100
	}
	if l.PerWay == nil {
		l.PerWay = map[routing.Way]int64{routing.Push: 1 << 30, routing.Mailbox: 1 << 30, routing.Pull: l.Dispatch}
	}
	if l.Recipients <= 0 {
		l.Recipients = 40_000
	}
	if l.Rate <= 0 {
		l.Rate = 1_000
	}
	if l.Body <= 0 {
		l.Body = 30 * time.Minute
	}
	if l.HeaderTime <= 0 {
		l.HeaderTime = 30 * time.Second
	}
	return l
}

// Config is what a server needs. Store and Key must be set.
type Config struct {
	Store      *storage.Store
	Key        *storage.KeyFile
	Node       string             // names this process in attempts and jobs; default host:pid
	PublicURL  string             // how systems reach this server, without a slash at the end; for addresses in webhooks
	Timetable  routing.Timetable  // of pushes
	Revocation signing.Revocation // Soft by default: a list out of reach must not hold documents up
	Limits     Limits
	Workers    int // pushes in flight; default 64
	Now        func() time.Time
	Log        *slog.Logger
	Proxied    bool         // a proxy of ours stands in front: callers' addresses come from X-Forwarded-For, as far as private networks wrote it
	Pages      http.Handler // the web pages; everything that no other face serves goes there; may be nil
}

// Server is one node. Any number of them run on one PostgreSQL and one object store; no state in a process is one that
// another cannot take over.
type Server struct {
	Config
	config  atomic.Pointer[snapshot]
	axis    axisKey
	wake    wakeup        // something was queued: waiting inboxes look
	due     wakeup        // something was queued that is pushed: the courier looks
	news    chan struct{} // capacity 1: this node queued something
	rates   rates
	room    headroom
	seen    seen
	pointed pointed
	fetcher *Fetcher
	metrics *metrics
	ready   atomic.Bool
	loading sync.Mutex // see reload
	turn    sync.Mutex // see changeDirectory
	run     sync.WaitGroup
	stop    context.CancelFunc
}

// axisKey is the axis's own key and certificate, for proofs.
type axisKey struct {
	signer      crypto.Signer
	certificate *x509.Certificate
}

// New checks the configuration, binds the key file to the database and loads what servers keep in memory. Nothing runs
// yet: Handler serves, Start starts the couriers and jobs.
func New(ctx context.Context, c Config) (*Server, error) {
	if c.Store == nil || c.Key == nil {
		return nil, errors.New("server: Store and Key must be set")
	}
	c.Limits = c.Limits.orDefaults()
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Node == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "truc"
		}
		c.Node = fmt.Sprintf("%s:%d", host, os.Getpid())
	}
	if c.Workers <= 0 {
		c.Workers = 64
	}
	if c.Revocation == "" {
		c.Revocation = signing.Soft
	}
	s := &Server{Config: c, stop: func() {}, news: make(chan struct{}, 1)}
	s.fetcher = NewFetcher(c.Store, c.Now, c.Log)
	s.metrics = newMetrics(s)
	if err := c.Store.BindKey(ctx, c.Key.Fingerprint()); err != nil {
		return nil, err
	}
	if err := s.loadAxisKey(ctx); err != nil {
		return nil, err
	}
	if err := s.reload(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Start runs the watcher of the configuration, the courier and the jobs until Stop.
func (s *Server) Start(ctx context.Context) {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	for _, loop := range []func(context.Context){s.watch, s.listen, s.announce, s.deliver, s.work} {
		s.run.Go(func() { loop(ctx) })
	}
	s.ready.Store(true)
}

// Drain says that this node is going away: /readyz answers 503 and waiting inboxes answer at once.
func (s *Server) Drain() {
	s.ready.Store(false)
	s.wake.all()
	s.due.all()
}

// Stop ends the loops: pushes in flight end, claims that were not begun are given back, ticks are finished.
func (s *Server) Stop() {
	s.Drain()
	s.stop()
	s.run.Wait()
}

// wakeup lets many wait for "something happened" without a channel each.
type wakeup struct {
	mu   sync.Mutex
	next chan struct{}
}

// wait returns a channel that is closed at the next call of all.
func (w *wakeup) wait() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.next == nil {
		w.next = make(chan struct{})
	}
	return w.next
}

// all wakes everybody who waits.
func (w *wakeup) all() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.next != nil {
		close(w.next)
		w.next = nil
	}
}
