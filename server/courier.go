package server

import (
	"context"
	"sync"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// The courier pushes what is due: claim (the attempt is written first), send with no transaction open, record.
const (
	pushLease    = 30 * time.Second // longer than pushTimeout: a claim is lost only by a dead process
	pushTimeout  = 20 * time.Second // one whole webhook call
	toldFor      = 5 * time.Minute  // told but not taken within it counts as later
	window       = 16               // in flight at one destination
	idle         = time.Second      // the poll that finds what no wake-up told of
	recordMost   = 200              // results in one commit
	recordWithin = 20 * time.Millisecond
)

// courier is the state of one node's delivery loop: what is in flight now.
type courier struct {
	*Server
	mu       sync.Mutex
	inFlight map[string]int // by destination
	total    int
	results  chan storage.Result
	room     chan struct{} // capacity 1: something finished
}

// deliver runs the courier until ctx ends; then it waits for the pushes in flight and records them.
func (s *Server) deliver(ctx context.Context) {
	c := &courier{Server: s, inFlight: map[string]int{}, results: make(chan storage.Result, recordMost), room: make(chan struct{}, 1)}
	var recorder, pushes sync.WaitGroup
	recorder.Go(c.record)
	poll := time.NewTicker(idle)
	defer poll.Stop()
	for ctx.Err() == nil {
		woken := s.due.wait()
		if c.claim(ctx, &pushes) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-woken:
		case <-poll.C:
		case <-c.room:
		}
	}
	pushes.Wait()
	close(c.results)
	recorder.Wait()
}

// claim takes what is due for destinations that have room and starts to push it. It returns how many it took.
func (c *courier) claim(ctx context.Context, pushes *sync.WaitGroup) int {
	free, full := c.space()
	if free == 0 {
		return 0
	}
	claims, err := c.Store.Claim(ctx, c.Node, c.Now(), storage.ClaimLimits{Lease: pushLease, PerDestination: window, Total: free, Except: full})
	if err != nil {
		if ctx.Err() == nil {
			c.Log.Error("claim failed; trying again", "err", err)
		}
		return 0
	}
	if ctx.Err() != nil { // stopping: what was claimed and not begun goes back
		if err := c.Store.Release(context.WithoutCancel(ctx), claims, c.Now()); err != nil {
			c.Log.Error("claims not given back; they come due when their lease ends", "err", err)
		}
		return 0
	}
	c.take(claims)
	for _, claim := range claims {
		pushes.Go(func() {
			// A push begun is ended: stopping the server does not break it off.
			result := c.push(context.WithoutCancel(ctx), claim)
			c.results <- result
		})
	}
	return len(claims)
}

func (c *courier) space() (free int, full []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	full = []string{}
	for destination, n := range c.inFlight {
		if n >= window {
			full = append(full, destination)
		}
	}
	return c.Workers - c.total, full
}

func (c *courier) take(claims []storage.Claimed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, claim := range claims {
		c.inFlight[claim.Destination]++
		c.total++
	}
}

func (c *courier) finish(results []storage.Result) {
	c.mu.Lock()
	for _, r := range results {
		if c.inFlight[r.Destination]--; c.inFlight[r.Destination] == 0 {
			delete(c.inFlight, r.Destination)
		}
		c.total--
	}
	c.mu.Unlock()
	select {
	case c.room <- struct{}{}:
	default:
	}
}

// record writes results as they come, many in one commit.
func (c *courier) record() {
	for first := range c.results {
		batch := []storage.Result{first}
		timer := time.NewTimer(recordWithin)
	gather:
		for len(batch) < recordMost {
			select {
			case r, ok := <-c.results:
				if !ok {
					break gather
				}
				batch = append(batch, r)
			case <-timer.C:
				break gather
			}
		}
		timer.Stop()
		c.write(batch)
		c.finish(batch)
	}
}

// write commits a batch. Where it cannot, nothing is lost: the leases end and the items come due again.
func (c *courier) write(batch []storage.Result) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	lost, err := c.Store.Record(ctx, batch)
	if err != nil {
		c.Log.Error("results not recorded; the items come due again", "results", len(batch), "err", err)
		return
	}
	if lost > 0 {
		// Usual: a receipt or "taken" that came before the push's own answer ended the item.
		c.Log.Debug("results of items that ended meanwhile", "count", lost)
		c.metrics.leasesLost.Add(float64(lost))
	}
	parked := false
	for _, r := range batch {
		c.metrics.attempts.WithLabelValues(string(r.Outcome)).Inc()
		parked = parked || r.Park != ""
	}
	if parked {
		c.queued()
	}
	c.noteAnswers(ctx, batch)
}

// noteAnswers tells the database which destinations answer: the first success after failures brings everything that
// waits there forward.
func (c *courier) noteAnswers(ctx context.Context, batch []storage.Result) {
	last := map[string]storage.Result{}
	for _, r := range batch {
		if known, ok := last[r.Destination]; !ok || r.EndedAt.After(known.EndedAt) {
			last[r.Destination] = r
		}
	}
	for destination, r := range last {
		answered := r.Outcome != storage.Later
		revived, err := c.Store.Answers(ctx, destination, answered, r.Detail, c.Now(), pushLease)
		if err != nil {
			c.Log.Error("state of a destination not noted", "system", destination, "err", err)
			continue
		}
		if revived > 0 {
			c.Log.Info("destination is back", "system", destination, "waiting", revived)
			c.queued()
		}
	}
}
