package server

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/truc-lienthong/truc/storage"
)

// job is one line of the timetable of jobs. Every node runs cron; a row in the database lets each tick happen once in
// the cluster, and a node that dies in it gives way when its lease ends.
type job struct {
	name  string
	spec  string // cron, with seconds, Vietnam time
	every time.Duration
	do    func(context.Context, *Server) error
}

var jobs = []job{
	{"fold", "*/10 * * * * *", 10 * time.Second, fold},
	{"seal", "* * * * * *", time.Second, seal},
	{"head", "0 * * * * *", time.Minute, writeHead},
	{"months", "0 0 * * * *", time.Hour, func(ctx context.Context, s *Server) error { return s.Store.AttachMonths(ctx, s.Now()) }},
	{"fetch", "5 * * * * *", time.Minute, fetch},
	{"reverify", "35 * * * * *", time.Minute, reverify},
	{"alarm", "50 0 * * * *", time.Hour, alarm},
	{"sweep", "0 20 3 * * *", 24 * time.Hour, sweep},
}

// work runs the jobs until ctx ends, then waits for those under way.
func (s *Server) work(ctx context.Context) {
	clock := cron.New(cron.WithLocation(storage.Vietnam), cron.WithSeconds(),
		cron.WithChain(cron.Recover(cron.DiscardLogger), cron.SkipIfStillRunning(cron.DiscardLogger)))
	for _, j := range jobs {
		if _, err := clock.AddFunc(j.spec, func() { s.tick(ctx, j) }); err != nil {
			panic(fmt.Sprintf("server: the timetable of job %s: %v", j.name, err)) // a bug: the table is ours
		}
	}
	clock.Start()
	<-ctx.Done()
	<-clock.Stop().Done()
}

// tick runs a job once for the moment that cron meant.
func (s *Server) tick(ctx context.Context, j job) {
	now := s.Now()
	due := now.Truncate(j.every)
	if j.every <= 10*time.Second {
		// Second by second work guards itself by row locks; a claim row for each tick would cost more than the work.
		s.runJob(ctx, j)
		return
	}
	lease := min(j.every, 30*time.Minute)
	t, ok, err := s.Store.ClaimTick(ctx, j.name, due, now, lease, s.Node)
	if err != nil || !ok {
		if err != nil && ctx.Err() == nil {
			s.Log.Error("job not claimed", "job", j.name, "err", err)
		}
		return
	}
	if !s.runJob(ctx, j) {
		return // the lease ends and the tick is run again
	}
	if err := s.Store.EndTick(context.WithoutCancel(ctx), t, s.Now()); err != nil && !errors.Is(err, storage.ErrLost) {
		s.Log.Error("job's end not noted", "job", j.name, "err", err)
	}
}

func (s *Server) runJob(ctx context.Context, j job) bool {
	started := s.Now()
	err := j.do(ctx, s)
	s.metrics.jobs.WithLabelValues(j.name).Observe(s.Now().Sub(started).Seconds())
	if err != nil && ctx.Err() == nil {
		s.Log.Error("job failed", "job", j.name, "err", err)
	}
	return err == nil
}

// fold turns tallies into day counts, a thousand at a time.
func fold(ctx context.Context, s *Server) error {
	for ctx.Err() == nil {
		n, err := s.Store.FoldTallies(ctx, 1000)
		if err != nil || n == 0 {
			return err
		}
	}
	return ctx.Err()
}

// seal chains the audit lines that became visible.
func seal(ctx context.Context, s *Server) error {
	for ctx.Err() == nil {
		n, _, err := s.Store.SealAudit(ctx, 1000)
		if err != nil || n < 1000 {
			return err
		}
	}
	return ctx.Err()
}

// writeHead signs where the audit chain stands and writes that into the object store, out of the database's reach:
// whoever rewrites the chain later cannot rewrite what was signed (R93).
func writeHead(ctx context.Context, s *Server) error {
	head, err := s.Store.AuditHead(ctx)
	if err != nil || head.Number == 0 {
		return err
	}
	now := s.Now()
	content, err := json.Marshal(map[string]any{"number": head.Number, "hash": hex.EncodeToString(head.Hash), "at": vn(now)})
	if err != nil {
		return fmt.Errorf("write the audit head: %w", err)
	}
	signed, err := s.axis.sign(content)
	if err != nil {
		return err
	}
	_, err = s.Store.Objects.Put(ctx, storage.HeadKey(now), bytes.NewReader(signed), false)
	return err
}

// fetch gets revocation data that are due, and forgets what nobody needs any more.
func fetch(ctx context.Context, s *Server) error {
	now := s.Now()
	if _, err := s.Store.ForgetOCSP(ctx, now); err != nil {
		return err
	}
	if _, err := s.Store.ForgetSources(ctx, now.Add(-hopeFor)); err != nil {
		return err
	}
	_, err := s.fetcher.Round(ctx, false)
	return err
}

// uploadGrace is older than any request can be.
const uploadGrace = 6 * time.Hour

func sweep(ctx context.Context, s *Server) error {
	if _, err := s.Store.SweepSessions(ctx, s.Now()); err != nil {
		return err
	}
	gone, err := s.Store.SweepUploads(ctx, s.Now(), uploadGrace)
	if gone > 0 {
		s.Log.Info("unused uploads deleted", "count", gone)
	}
	return err
}

// listen waits for other nodes' wake-ups on one connection. It only saves time; the polls find everything.
func (s *Server) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := s.Store.Listen(ctx, func() {
			s.wake.all()
			s.due.all()
		})
		if ctx.Err() != nil {
			return
		}
		s.Log.Warn("no wake-ups from other nodes for now; polling goes on", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Second):
		}
	}
}

// announceEvery gathers this node's wake-ups into one NOTIFY.
const announceEvery = 50 * time.Millisecond

// announce tells other nodes that something was queued here, after the commit and never inside it.
func (s *Server) announce(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.news:
		}
		if err := s.Store.Notify(ctx); err != nil && ctx.Err() == nil {
			s.Log.Debug("other nodes not woken", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(announceEvery):
		}
	}
}

// queued says that this node's commit queued something: it wakes whoever waits here, and the other nodes.
func (s *Server) queued() {
	s.due.all()
	s.waiting()
}

// waiting is queued for what is only fetched: the courier has nothing to do with it.
func (s *Server) waiting() {
	s.wake.all()
	select {
	case s.news <- struct{}{}:
	default: // an announcement is due already
	}
}
