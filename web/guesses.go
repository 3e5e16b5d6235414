package web

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// guesses slows down whoever tries many names from one address; the lock of five failures guards only a single name.
// A whole office may sit behind one address, so the allowance is wide.
type guesses struct {
	mu sync.Mutex
	by map[string]*rate.Limiter
}

const (
	guessBurst = 30
	guessEvery = 2 * time.Second
	guessMost  = 10_000 // addresses remembered; then all are forgotten, which gives each one a new burst
)

func newGuesses() *guesses { return &guesses{by: map[string]*rate.Limiter{}} }

func (g *guesses) allow(ip string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	l, ok := g.by[ip]
	if !ok {
		if len(g.by) >= guessMost {
			clear(g.by)
		}
		l = rate.NewLimiter(rate.Every(guessEvery), guessBurst)
		g.by[ip] = l
	}
	return l.AllowN(now, 1)
}
