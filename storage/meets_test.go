package storage_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/storage"
	"github.com/truc-lienthong/truc/storage/storagetest"
)

// TestMeetsAnother: each verb meets a commit that is under way on the row it wants, waits for it, and then acts on what
// that commit left: it neither fails nor undoes it. (PostgreSQL looks at such a row once more, and not every statement
// can be looked at so: SQLSTATE XX000.)
func TestMeetsAnother(t *testing.T) {
	t.Parallel()
	others := map[string]string{
		"a claim":  `UPDATE queue SET due = $1, fence = fence + 1 WHERE destination = 'push'`,
		"a status": `UPDATE delivery SET status = '' WHERE $1::timestamptz IS NOT NULL`,
	}
	for name, verb := range map[string]struct {
		do   func(a *axis, id storage.DeliveryID, claims []storage.Claimed) error
		want storage.State
	}{
		"taken": {func(a *axis, id storage.DeliveryID, _ []storage.Claimed) error {
			return second(a.Taken(context.Background(), storage.ItemID{DeliveryID: id, Kind: 'd'}, "push", a.now, ""))
		}, storage.Delivered},
		"receipt": {func(a *axis, id storage.DeliveryID, _ []storage.Claimed) error {
			return second(a.AddReceipt(context.Background(), storage.Receipt{DeliveryID: id, Status: storage.Registered, Agency: "P1", System: "push",
				EventTime: a.now, ReceivedAt: a.now}, ""))
		}, storage.Delivered},
		"recall": {func(a *axis, id storage.DeliveryID, _ []storage.Claimed) error {
			l := a.letter("P1", "P2", "P3")
			l.Kind, l.Original = storage.Recall, id.Dispatch
			return second(a.Accept(context.Background(), l))
		}, storage.Recalled},
		"reroute": {func(a *axis, _ storage.DeliveryID, _ []storage.Claimed) error {
			return second(a.Reroute(context.Background(), "P1", "push", "pull", "pull", a.now))
		}, storage.Pending},
		"reroute to a mailbox": {func(a *axis, _ storage.DeliveryID, _ []storage.Claimed) error {
			return second(a.Reroute(context.Background(), "P1", "push", "box", "mailbox", a.now))
		}, storage.Delivered},
		"record taken": {func(a *axis, _ storage.DeliveryID, claims []storage.Claimed) error {
			return second(a.Record(context.Background(), []storage.Result{{Claimed: claims[0], Outcome: storage.Done, Taken: true, EndedAt: a.now}}))
		}, storage.Delivered},
		"record refused": {func(a *axis, _ storage.DeliveryID, claims []storage.Claimed) error {
			return second(a.Record(context.Background(), []storage.Result{{Claimed: claims[0], Outcome: storage.Never, EndedAt: a.now,
				Park: storage.Refused, Owner: "sender", Deadline: a.now}}))
		}, storage.Refused},
		"record later": {func(a *axis, _ storage.DeliveryID, claims []storage.Claimed) error {
			return second(a.Record(context.Background(), []storage.Result{{Claimed: claims[0], Outcome: storage.Later, EndedAt: a.now, Next: a.now}}))
		}, storage.Pending},
	} {
		for other, sql := range others {
			t.Run(name+" meets "+other, func(t *testing.T) {
				t.Parallel()
				// With the joins of a full-size queue.
				a := newAxisOn(t, storagetest.Schema(t, migrate)+"&options=-c%20enable_hashjoin%3Doff%20-c%20enable_mergejoin%3Doff%20-c%20enable_seqscan%3Doff")
				id := deliveryID(a.accept(a.letter("P1", "L1", "P2", "P3")), 1)
				claims := slices.DeleteFunc(a.claim(a.now), func(c storage.Claimed) bool { return c.N != 1 })
				want := verb.want
				if other == "a claim" && slices.Contains([]string{"record taken", "record refused", "record later"}, name) {
					want = storage.Pending // the claim was lost to it
				}
				ctx := context.Background()
				tx, err := a.Pool().Begin(ctx)
				must(t, err)
				t.Cleanup(func() { _ = tx.Rollback(ctx) }) // or the pool would wait for it when the test fails
				must(t, second(tx.Exec(ctx, sql, a.now.Add(time.Minute))))
				done := make(chan error, 1)
				go func() { done <- verb.do(a, id, claims) }()
				until(t, "the verb waits", func() bool {
					return one[bool](a, `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`)
				})
				must(t, tx.Commit(ctx))
				if err := <-done; err != nil {
					t.Error(err)
				}
				if d, err := a.Delivery(ctx, id); err != nil || d.State != want {
					t.Errorf("%s, %v; want %s", d.State, err, want)
				}
			})
		}
	}
}

// TestMeetsRelease: a release meets a recall of what it would let go, in either order.
func TestMeetsRelease(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := context.Background()
	l := a.letter("P1", "L1", "M1")
	l.HeldFor, l.HeldBy = "policy", "operator"
	id := a.accept(l)
	must(t, pgx.BeginFunc(ctx, a.Pool(), func(tx pgx.Tx) error {
		must(t, second(tx.Exec(ctx, `UPDATE delivery SET state = 'recalled', owner = '', deadline = NULL WHERE dispatch_id = $1 AND n = 2`, id)))
		done := make(chan error, 1)
		go func() {
			moved, err := a.ReleaseHeld(ctx, id, "op", "", a.now)
			if moved != 2 {
				t.Errorf("%d moved", moved)
			}
			done <- err
		}()
		until(t, "the release waits", func() bool {
			return one[bool](a, `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`)
		})
		t.Cleanup(func() { must(t, <-done) })
		return nil
	}))
	until(t, "released", func() bool { return a.states(id)[0] == storage.Pending })
	if got := a.states(id); !slices.Equal(got, []storage.State{storage.Pending, storage.Recalled, storage.Delivered}) {
		t.Errorf("%v", got)
	}
}
