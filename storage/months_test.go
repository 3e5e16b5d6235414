package storage_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/migrations"
	"github.com/truc-lienthong/truc/storage"
	"github.com/truc-lienthong/truc/storage/storagetest"
)

// TestIDs: an id holds the instant to the millisecond, and the bound of an instant lies before all of its ids.
func TestIDs(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{testNow, vietnam(2026, 11, 1, 0, 0, 0), vietnam(2026, 11, 1, 0, 0, 0).Add(-time.Millisecond)} {
		id, bound, next := storage.NewID(at), storage.FirstID(at), storage.FirstID(at.Add(time.Millisecond))
		if !storage.IDTime(id).Equal(at) || id.Version() != 7 || id == storage.NewID(at) {
			t.Errorf("%s for %s", id, at)
		}
		if bytes.Compare(bound[:], id[:]) > 0 || bytes.Compare(id[:], next[:]) >= 0 {
			t.Errorf("%s is not between %s and %s", id, bound, next)
		}
	}
	if zero := storage.FirstID(time.Time{}); zero != (storage.FirstID(time.Unix(0, 0))) {
		t.Errorf("the bound of no time is %s", zero)
	}
}

// TestMonthBoundaries: a dispatch lies, with all its rows, in the Vietnamese month of its acceptance.
func TestMonthBoundaries(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	first := vietnam(2026, 11, 1, 0, 0, 0)
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{first.Add(-time.Second), "202610"}, {first.Add(-time.Millisecond), "202610"}, {first, "202611"},
		{vietnam(2026, 12, 31, 23, 59, 59), "202612"}, {vietnam(2027, 1, 1, 0, 0, 0), "202701"},
	} {
		a.now = c.at
		id := a.accept(a.with(a.letter("P1"), "tệp"))
		claims := a.claim(c.at)
		must(t, second(a.Record(ctx, []storage.Result{{Claimed: claims[0], Outcome: storage.Later, EndedAt: c.at, Next: c.at.AddDate(1, 0, 0)}})))
		must(t, second(a.AddReceipt(ctx, storage.Receipt{DeliveryID: deliveryID(id, 1), Status: storage.Arrived, Agency: "P1", System: "push",
			EventTime: c.at, ReceivedAt: c.at.AddDate(0, 2, 0)}, "")))
		for table, column := range map[string]string{"dispatch": "id", "attachment": "dispatch_id", "delivery": "dispatch_id", "attempt": "dispatch_id", "receipt": "dispatch_id"} {
			if got := one[string](a, `SELECT tableoid::regclass::text FROM `+table+` WHERE `+column+` = $1`, id); got != table+"_"+c.want {
				t.Errorf("%s: %s lies in %s", c.at, table, got)
			}
		}
	}
	lines, err := a.Sent(ctx, storage.DispatchFilter{Senders: codes("S"), From: vietnam(2026, 11, 1, 0, 0, 0), To: vietnam(2027, 1, 1, 0, 0, 0)})
	if err != nil || len(lines) != 2 {
		t.Errorf("%d of November and December, %v", len(lines), err)
	}
}

// TestNoMonth: a dispatch whose time no month takes is refused as something to try again, by its own error, and leaves
// nothing behind.
func TestNoMonth(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	for _, years := range []int{-30, 9} {
		now := a.now
		a.now = a.now.AddDate(years, 0, 0)
		_, err := a.Accept(t.Context(), a.with(a.letter("L1"), "tệp"))
		if !errors.Is(err, storage.ErrNoMonth) || !errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("%d years off: %v", years, err)
		}
		a.now = now
	}
	if kept, loose := a.stored(); len(kept)+len(loose) != 0 {
		t.Errorf("kept %v, loose %v", kept, loose)
	}
}

// TestAttachMonths: several nodes attach months at once, while a transaction holds what it has read and written of the
// months before; nobody waits for it.
func TestAttachMonths(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	id := a.accept(a.letter("L1"))
	err := pgx.BeginFunc(ctx, a.Pool(), func(tx pgx.Tx) error {
		must(t, second(tx.Exec(ctx, `UPDATE dispatch SET number = '2' WHERE id = $1`, id)))
		must(t, second(tx.Exec(ctx, `UPDATE delivery SET reason = 'x' WHERE dispatch_id = $1`, id)))
		must(t, second(tx.Exec(ctx, `INSERT INTO attempt (dispatch_id, n, k, node, started_at) VALUES ($1, 1, 1, 'n', now())`, id)))
		var nodes sync.WaitGroup
		for range 6 {
			nodes.Go(func() {
				if err := a.AttachMonths(ctx, vietnam(2027, 6, 30, 23, 59, 59)); err != nil {
					t.Error(err)
				}
			})
		}
		nodes.Wait()
		return tx.Rollback(ctx)
	})
	if err != nil && !errors.Is(err, pgx.ErrTxClosed) {
		t.Fatal(err)
	}
	a.now = vietnam(2027, 9, 30, 23, 59, 59)
	in := a.accept(a.letter("M1"))
	if got := one[string](a, `SELECT tableoid::regclass::text FROM delivery WHERE dispatch_id = $1`, in); got != "delivery_202709" {
		t.Errorf("it lies in %s", got)
	}
	if n := one[int](a, `SELECT count(*) FROM pg_inherits WHERE inhparent = 'delivery'::regclass`); n != 5+5 {
		t.Errorf("%d months", n)
	}
	for _, table := range []string{"dispatch", "delivery"} { // a month's table defends itself as the first ones do
		same := one[bool](a, `
			SELECT (SELECT array_agg(pg_get_constraintdef(oid) ORDER BY pg_get_constraintdef(oid)) FROM pg_constraint WHERE conrelid = ($1 || '_202611')::regclass)
			     = (SELECT array_agg(pg_get_constraintdef(oid) ORDER BY pg_get_constraintdef(oid)) FROM pg_constraint WHERE conrelid = ($1 || '_202709')::regclass)`, table)
		if !same {
			t.Errorf("the constraints of %s differ by month", table)
		}
	}
}

// TestMigrate: several nodes migrate an empty database at once; an older schema is refused and a newer one served.
func TestMigrate(t *testing.T) {
	t.Parallel()
	dsn := storagetest.Schema(t, nil)
	var old *storage.SchemaError
	if _, err := storage.Open(t.Context(), storage.Config{DSN: dsn}); !errors.As(err, &old) || old.Have != 0 || old.Need != migrations.Latest() {
		t.Errorf("an empty database: %v", err)
	}
	var nodes sync.WaitGroup
	for range 3 {
		nodes.Go(func() {
			if _, to, err := storage.Migrate(context.Background(), dsn, testNow); err != nil || to != migrations.Latest() {
				t.Errorf("to %d, %v", to, err)
			}
		})
	}
	nodes.Wait()
	if from, to, err := storage.Migrate(t.Context(), dsn, testNow); err != nil || from != to {
		t.Errorf("again from %d to %d, %v", from, to, err)
	}
	a := newAxisOn(t, dsn)
	must(t, second(a.Pool().Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, true)`, migrations.Latest()+1)))
	newer, err := storage.Open(t.Context(), storage.Config{DSN: dsn})
	must(t, err)
	newer.Close()
}

// TestPartitioned: every table that is cut by month has its months, from the last one to three ahead.
func TestPartitioned(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	rows, err := a.Pool().Query(t.Context(), `
		SELECT p.partrelid::regclass::text || ' ' || count(i.inhrelid) || ' ' || count(*) FILTER (WHERE pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT')
		  FROM pg_partitioned_table AS p LEFT JOIN pg_inherits AS i ON i.inhparent = p.partrelid LEFT JOIN pg_class AS c ON c.oid = i.inhrelid
		 GROUP BY p.partrelid ORDER BY 1`)
	must(t, err)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	want := []string{"attachment 5 0", "attempt 5 0", "delivery 5 0", "dispatch 5 0", "receipt 5 0"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}
