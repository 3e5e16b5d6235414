package toy

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Load sends documents from many clients at once and measures. It logs what was acknowledged like a Sender, so that a
// bench can also prove that nothing was lost.
type Load struct {
	Clients   []*Client            // each sends one document after another; the same client may stand here often
	VXP       []*VXP               // the same over the VXP face; a client of these has at most 10 connections
	Documents func(i int) Document // called once for each i, from several goroutines; its time counts
	Log       *SentLog             // nil: nothing is kept
	For       time.Duration        // 0: no limit but Max
	Max       int                  // documents in all; 0: no limit but For
	Patience  Patience
}

// LoadResult is what Load measured. A latency is from the first byte sent to the answer, retries included.
type LoadResult struct {
	N         int     `json:"n"` // acknowledged
	Refused   int     `json:"refused"`
	Tries     int     `json:"tries"`
	Bytes     int64   `json:"bytes"` // of the files acknowledged
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_second"` // acknowledged
	P50       float64 `json:"p50_ms"`
	P95       float64 `json:"p95_ms"`
	Max       float64 `json:"max_ms"`
}

// Run sends until For or Max is reached and waits for what is under way then: every document that it began ends in
// the result. An error is a document that cannot be made here, tries that ran out, or the end of ctx.
func (l Load) Run(ctx context.Context) (LoadResult, error) {
	if l.For <= 0 && l.Max <= 0 {
		return LoadResult{}, errors.New("load: neither a time nor a number of documents is given")
	}
	if l.Log == nil {
		l.Log = &SentLog{}
	}
	m := &meter{}
	var next atomic.Int64
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	start := time.Now()
	more := func() (int, bool) {
		i := int(next.Add(1)) - 1
		return i, (l.Max <= 0 || i < l.Max) && (l.For <= 0 || time.Since(start) < l.For) && ctx.Err() == nil
	}
	var wg sync.WaitGroup
	for _, s := range l.senders() {
		wg.Go(func() {
			for i, ok := more(); ok; i, ok = more() {
				if err := l.one(ctx, s, i, m); err != nil {
					stop(err)
				}
			}
		})
	}
	wg.Wait()
	return m.result(time.Since(start)), context.Cause(ctx)
}

func (l Load) senders() (out []*Sender) {
	for _, c := range l.Clients {
		out = append(out, &Sender{Client: c, Log: l.Log, Patience: l.Patience})
	}
	for _, v := range l.VXP {
		out = append(out, &Sender{VXP: v, Log: l.Log, Patience: l.Patience})
	}
	return out
}

func (l Load) one(ctx context.Context, s *Sender, i int, m *meter) error {
	sent, took, err := s.timed(ctx, l.Documents(i))
	if err == nil {
		m.add(sent, took)
	}
	return err
}

// meter collects what the clients of a load see.
type meter struct {
	mu    sync.Mutex
	times []time.Duration // of the acknowledged
	sum   LoadResult
}

func (m *meter) add(s Sent, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sum.Tries += s.Tries
	if !s.Acknowledged() {
		m.sum.Refused++
		return
	}
	m.times = append(m.times, took)
	for _, f := range s.Files {
		m.sum.Bytes += f.Size
	}
}

func (m *meter) result(all time.Duration) LoadResult {
	r := m.sum
	r.N, r.Seconds = len(m.times), all.Seconds()
	if all > 0 {
		r.PerSecond = float64(r.N) / r.Seconds
	}
	slices.SortFunc(m.times, cmp.Compare[time.Duration])
	r.P50, r.P95, r.Max = percentile(m.times, 50), percentile(m.times, 95), percentile(m.times, 100)
	return r
}

// percentile is the least time that p of a hundred do not pass (nearest rank), in milliseconds; 0 without any.
func percentile(sorted []time.Duration, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*p + 99) / 100
	return float64(sorted[max(rank, 1)-1]) / float64(time.Millisecond)
}
