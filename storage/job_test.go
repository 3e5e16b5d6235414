package storage_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// TestTickOnce: of many nodes one runs a tick, each tick.
func TestTickOnce(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := context.Background()
	var won atomic.Int32
	var nodes sync.WaitGroup
	for g := range 10 {
		nodes.Go(func() {
			for i := range 5 {
				due := a.now.Add(time.Duration(i) * time.Hour)
				tick, ok, err := a.ClaimTick(ctx, "months", due, due, time.Minute, strconv.Itoa(g))
				if err != nil {
					t.Error(err)
				}
				if !ok {
					continue
				}
				won.Add(1)
				if err := a.EndTick(ctx, tick, due); err != nil {
					t.Error(err)
				}
			}
		})
	}
	nodes.Wait()
	if won.Load() != 5 {
		t.Errorf("5 ticks ran %d times", won.Load())
	}
}

// TestTickLease: a node that dies in a tick gives way when its lease ends, and cannot end it afterwards.
func TestTickLease(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	claim := func(now time.Time, node string) (storage.Tick, bool) {
		t.Helper()
		tick, ok, err := a.ClaimTick(ctx, "sweep", a.now, now, time.Minute, node)
		must(t, err)
		return tick, ok
	}
	dead, ok := claim(a.now, "a")
	if !ok {
		t.Fatal("not claimed")
	}
	if _, ok := claim(a.now.Add(time.Minute), "b"); ok {
		t.Error("claimed within the lease")
	}
	now := a.now.Add(time.Minute + time.Second)
	living, ok := claim(now, "b")
	if !ok || living.Fence != dead.Fence+1 {
		t.Fatalf("%+v %t", living, ok)
	}
	if err := a.EndTick(ctx, dead, now); !errors.Is(err, storage.ErrLost) {
		t.Errorf("the dead ended it: %v", err)
	}
	must(t, a.EndTick(ctx, living, now))
	if err := a.EndTick(ctx, living, now); !errors.Is(err, storage.ErrLost) {
		t.Errorf("ended twice: %v", err)
	}
	if _, ok := claim(now.Add(time.Hour), "c"); ok {
		t.Error("run again after it was done")
	}
	later := a.now.AddDate(0, 2, 0)
	tick, _, err := a.ClaimTick(ctx, "sweep", later, later, time.Minute, "a")
	must(t, err)
	must(t, a.EndTick(ctx, tick, later))
	if n := one[int](a, `SELECT count(*) FROM job_tick`); n != 1 {
		t.Errorf("%d ticks are remembered", n)
	}
}

// TestWakeUp: a notice reaches who listens, on another node too.
func TestWakeUp(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	other := a.again(a.dsn)
	ctx, cancel := context.WithCancel(t.Context())
	woken := make(chan struct{}, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- a.Listen(ctx, func() {
			select {
			case woken <- struct{}{}:
			default:
			}
		})
	}()
	until(t, "woken", func() bool { // the first ones may come before it listens
		must(t, other.Notify(t.Context()))
		select {
		case <-woken:
			return true
		default:
			return false
		}
	})
	cancel()
	if err := <-ended; err == nil {
		t.Error("it ended without a reason")
	}
}
