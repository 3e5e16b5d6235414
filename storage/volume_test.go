package storage_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

func vietnam(y int, m time.Month, d, h, min, s int) time.Time {
	return time.Date(y, m, d, h, min, s, 0, storage.Vietnam)
}

// TestVolumeBoundaries: a day, a month and a year begin at 00:00 in Vietnam, whatever the day is elsewhere; what is
// sent counts when it is accepted, what is received when it is delivered.
func TestVolumeBoundaries(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	for _, at := range []time.Time{
		vietnam(2026, 10, 31, 23, 59, 59), vietnam(2026, 11, 1, 0, 0, 0), vietnam(2026, 11, 1, 6, 59, 59),
		vietnam(2026, 12, 31, 23, 59, 59), vietnam(2027, 1, 1, 0, 0, 0),
	} {
		a.now = at
		a.accept(a.letter("M1", "L1"))
	}
	a.now = vietnam(2026, 10, 31, 23, 59, 59)
	late := a.accept(a.letter("L2"))
	must(t, second(a.Taken(ctx, itemID(late, 1), "pull", a.now.Add(time.Second), ""))) // in the next month
	for _, c := range []struct {
		name     string
		from, to time.Time
		want     string
	}{
		{"the last day of October", vietnam(2026, 10, 31, 0, 0, 0), vietnam(2026, 11, 1, 0, 0, 0), "[{M1 0 1} {S 2 0}]"},
		{"the first day of November", vietnam(2026, 11, 1, 0, 0, 0), vietnam(2026, 11, 2, 0, 0, 0), "[{L2 0 1} {M1 0 2} {S 2 0}]"},
		{"a day asked for at noon, in UTC", vietnam(2026, 11, 1, 12, 0, 0).UTC(), vietnam(2026, 11, 2, 12, 0, 0).UTC(), "[{L2 0 1} {M1 0 2} {S 2 0}]"},
		{"November", vietnam(2026, 11, 1, 0, 0, 0), vietnam(2026, 12, 1, 0, 0, 0), "[{L2 0 1} {M1 0 2} {S 2 0}]"},
		{"the last day of the year", vietnam(2026, 12, 31, 0, 0, 0), vietnam(2027, 1, 1, 0, 0, 0), "[{M1 0 1} {S 1 0}]"},
		{"the year", vietnam(2026, 1, 1, 0, 0, 0), vietnam(2027, 1, 1, 0, 0, 0), "[{L2 0 1} {M1 0 4} {S 5 0}]"},
		{"the next year", vietnam(2027, 1, 1, 0, 0, 0), vietnam(2028, 1, 1, 0, 0, 0), "[{M1 0 1} {S 1 0}]"},
		{"a month without traffic", vietnam(2027, 2, 1, 0, 0, 0), vietnam(2027, 3, 1, 0, 0, 0), "[]"},
	} {
		for how, read := range map[string]func(context.Context, time.Time, time.Time) ([]storage.Volume, error){"counted": a.Volumes, "recounted": a.Recount} {
			got, err := read(ctx, c.from, c.to)
			if err != nil || fmt.Sprint(got) != c.want {
				t.Errorf("%s, %s: %v, %v; want %s", c.name, how, got, err, c.want)
			}
		}
		if n, err := a.FoldTallies(ctx, 2); err != nil || n > 2 { // so that each case sees another share folded
			t.Errorf("folded %d, %v", n, err)
		}
	}
}

// TestFolding: while documents come in, are taken and several nodes fold, every reading of what is settled is the same,
// and in the end the counts are those of a recount.
func TestFolding(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := context.Background()
	yesterday := a.now
	for range 40 {
		a.accept(a.letter("M1", "M2", "M3"))
	}
	a.now = a.now.AddDate(0, 0, 1)
	settled, err := a.Recount(ctx, yesterday, a.now)
	must(t, err)
	stop := make(chan struct{})
	var work, folders sync.WaitGroup
	for range 3 {
		folders.Go(func() {
			for {
				if _, err := a.FoldTallies(ctx, 7); err != nil {
					t.Error(err)
					return
				}
				got, err := a.Volumes(ctx, yesterday, a.now)
				if err != nil || !slices.Equal(got, settled) {
					t.Errorf("%v, %v; want %v", got, err, settled)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for range 4 {
		work.Go(func() {
			for i := range 15 {
				l := a.letter("L1", "M1", fmt.Sprint("L", 2+i%3))
				if _, err := a.Accept(ctx, l); err != nil {
					t.Error(err)
					return
				}
				if _, err := a.Taken(ctx, itemID(l.ID, 1), "pull", a.now, ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	close(stop)
	folders.Wait()
	for {
		n, err := a.FoldTallies(ctx, 1000)
		must(t, err)
		if n == 0 {
			break
		}
	}
	if n := one[int](a, `SELECT count(*) FROM tally`); n != 0 {
		t.Errorf("%d tallies left", n)
	}
	counted, err := a.Volumes(ctx, yesterday, a.now.AddDate(0, 0, 1))
	must(t, err)
	rows, err := a.Recount(ctx, yesterday, a.now.AddDate(0, 0, 1))
	if err != nil || !slices.Equal(counted, rows) {
		t.Errorf("counted %v, rows %v, %v", counted, rows, err)
	}
	if i := slices.IndexFunc(counted, func(v storage.Volume) bool { return v.Agency == "S" }); i < 0 || counted[i].Sent != 100 {
		t.Errorf("%v", counted)
	}
}
