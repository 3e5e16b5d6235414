package storage_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// follow accepts a recall or update of a dispatch, a minute later than what was accepted last.
func (a *axis) follow(kind storage.Kind, original uuid.UUID, codes ...string) uuid.UUID {
	a.t.Helper()
	a.now = a.now.Add(time.Minute)
	l := a.letter(codes...)
	l.Kind, l.Original = kind, original
	var err error
	l.Versions, err = a.Updates(a.t.Context(), original)
	must(a.t, err)
	return a.accept(l)
}

// fetched says how a fetch is answered.
func (a *axis) fetched(id storage.DeliveryID) string {
	a.t.Helper()
	err := a.Fetched(context.Background(), id, a.now)
	var state *storage.StateError
	var withdrawn *storage.WithdrawnError
	switch {
	case errors.As(err, &state):
		return string(state.State)
	case errors.As(err, &withdrawn) && withdrawn.ID != id:
		a.t.Fatalf("%v about %s", err, id)
	case errors.As(err, &withdrawn) && withdrawn.By == storage.DeliveryID{}:
		return string(withdrawn.How)
	case errors.As(err, &withdrawn):
		return fmt.Sprintf("%s by %s", withdrawn.How, withdrawn.By)
	}
	must(a.t, err)
	return "given"
}

// TestWithdraw: what a recipient agreed to give back is no longer given out; each question has its own answer.
func TestWithdraw(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	take := func(id storage.DeliveryID) {
		t.Helper()
		must(t, second(a.Taken(t.Context(), storage.ItemID{DeliveryID: id, Kind: storage.DispatchItem}, "pull", a.now, "")))
	}
	agree := func(id storage.DeliveryID, status storage.Status, agency routing.Code, minutes int) {
		t.Helper()
		must(t, second(a.say(id, status, agency, minutes)))
	}
	id := a.accept(a.letter("L1", "L2", "L3", "L4"))
	for n := range 4 {
		take(deliveryID(id, n+1))
	}
	// 1. A recall: L1 agrees, L2 does not, L3 says nothing.
	recall := a.follow(storage.Recall, id, "L3", "L2", "L1")
	agree(deliveryID(recall, 3), "15", "L1", 1)
	agree(deliveryID(recall, 2), "16", "L2", 1)
	// 2. A 13: L4 agrees.
	agree(deliveryID(id, 4), "13", "S", 1)
	agree(deliveryID(id, 4), "15", "L4", 2)
	for n, want := range []string{"recalled by " + deliveryID(recall, 3).String(), "given", "given", "recalled"} {
		if got := a.fetched(deliveryID(id, n+1)); got != want {
			t.Errorf("delivery %d: %s, want %s", n+1, got, want)
		}
	}
	// 3. Updates: the later counts, whichever is agreed to first; the one before it is replaced too.
	one := a.follow(storage.Update, id, "L2")
	two := a.follow(storage.Update, id, "L3", "L2")
	must(t, a.Fetched(t.Context(), deliveryID(one, 1), a.now))
	agree(deliveryID(two, 2), "15", "L2", 3)
	agree(deliveryID(one, 1), "15", "L2", 4)
	newest := "updated by " + deliveryID(two, 2).String()
	for _, c := range []struct {
		id   storage.DeliveryID
		want string
	}{{deliveryID(id, 2), newest}, {deliveryID(one, 1), newest}, {deliveryID(two, 2), "given"}, {deliveryID(id, 3), "given"}} {
		if got := a.fetched(c.id); got != c.want {
			t.Errorf("%s: %s, want %s", c.id, got, c.want)
		}
	}
}

// TestWithdrawEveryVersion: a recall takes back every version; of what nobody was told of there is nothing to ask.
func TestWithdrawEveryVersion(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	id := a.accept(a.letter("L1", "L2", "L3"))
	must(t, second(a.Taken(t.Context(), itemID(id, 1), "pull", a.now, "")))
	must(t, a.Fetched(t.Context(), deliveryID(id, 2), a.now))
	update := a.follow(storage.Update, id, "L1", "L2", "L3")
	must(t, a.Fetched(t.Context(), deliveryID(update, 1), a.now))
	recall := a.follow(storage.Recall, id, "L1", "L2", "L3")
	for _, c := range []struct {
		of   uuid.UUID
		want string
	}{{id, "[delivered pending recalled]"}, {update, "[pending recalled recalled]"}, {recall, "[pending pending recalled]"}} {
		if got := fmt.Sprint(a.states(c.of)); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	must(t, second(a.say(deliveryID(recall, 1), "15", "L1", 5)))
	must(t, second(a.say(deliveryID(recall, 2), "15", "L2", 5)))
	for _, c := range []struct {
		id   storage.DeliveryID
		want string
	}{
		{deliveryID(id, 1), "recalled by " + deliveryID(recall, 1).String()}, {deliveryID(update, 1), "recalled by " + deliveryID(recall, 1).String()},
		{deliveryID(id, 2), "recalled by " + deliveryID(recall, 2).String()}, {deliveryID(update, 2), "recalled"}, {deliveryID(id, 3), "recalled"},
	} {
		if got := a.fetched(c.id); got != c.want {
			t.Errorf("%s: %s, want %s", c.id, got, c.want)
		}
	}
	if n := one[int](a, `SELECT count(*) FROM queue WHERE kind = 'd'`); n != 0 {
		t.Errorf("%d documents wait", n)
	}
	if n := one[int](a, `SELECT count(*) FROM audit WHERE action = 'delivery.withdrawn'`); n != 3 {
		t.Errorf("%d lines in the audit", n)
	}
	// After it the sender may think again: a new version is given out, and the old ones stay back.
	last := a.follow(storage.Update, id, "L1")
	must(t, second(a.say(deliveryID(last, 1), "15", "L1", 9)))
	if got := a.fetched(deliveryID(last, 1)) + ", " + a.fetched(deliveryID(id, 1)); got != "given, recalled by "+deliveryID(recall, 1).String() {
		t.Error(got)
	}
}

// TestRecallOfUnknown: a recall, update or replacement of what the axis does not know is a document as any other, to the end.
func TestRecallOfUnknown(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	for _, kind := range []storage.Kind{storage.Recall, storage.Update, storage.Replace} {
		l := a.letter("L1", "M1")
		l.Kind = kind
		l.HeldFor, l.HeldBy = "unsigned", "operator"
		id := a.accept(l)
		must(t, second(a.ReleaseHeld(ctx, id, "op", "", a.now)))
		d, err := a.Dispatch(ctx, id)
		if err != nil || d.Original != (uuid.UUID{}) || d.Kind != kind {
			t.Errorf("%+v, %v", d, err)
		}
		_, err = a.say(deliveryID(id, 1), "15", "L1", 1)
		if kind == storage.Replace != errors.Is(err, storage.ErrNotAsked) || kind != storage.Replace && err != nil {
			t.Errorf("15 to %s: %v", kind, err)
		}
		if got := a.fetched(deliveryID(id, 1)); got != "given" {
			t.Errorf("%s: %s", kind, got)
		}
		if related, err := a.Related(ctx, d); err != nil || len(related) != 0 {
			t.Errorf("%v, %v", related, err)
		}
	}
}

// TestAgreementsMeet: both sides of several documents talk at once, each holding what the other wants next: the order of
// locks keeps them from waiting for each other in a circle.
func TestAgreementsMeet(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	const documents = 6
	var ids, updates, recalls []uuid.UUID
	for range documents {
		id := a.accept(a.letter("L1", "L2", "P1"))
		ids = append(ids, id)
		must(t, a.Fetched(t.Context(), deliveryID(id, 1), a.now))
		must(t, a.Fetched(t.Context(), deliveryID(id, 2), a.now))
	}
	for _, id := range ids {
		updates = append(updates, a.follow(storage.Update, id, "L2", "L1"))
		recalls = append(recalls, a.follow(storage.Recall, id, "L1", "L2", "P1"))
	}
	var all sync.WaitGroup
	for round := range 4 {
		for i := range documents {
			for _, say := range []func() error{
				func() error { return second(a.say(deliveryID(updates[i], 2), "15", "L1", round)) },
				func() error { return second(a.say(deliveryID(recalls[i], 1), "15", "L1", round)) },
				func() error { return second(a.say(deliveryID(updates[i], 1), "15", "L2", round)) },
				func() error { return second(a.say(deliveryID(recalls[i], 2), "15", "L2", round)) },
				func() error { return second(a.say(deliveryID(ids[i], 1), "03", "L1", round)) },
			} {
				all.Go(func() {
					if err := say(); err != nil && !errors.As(err, new(*storage.StateError)) {
						t.Error(err)
					}
				})
			}
		}
	}
	all.Wait()
	for _, id := range ids {
		for n := 1; n <= 2; n++ {
			if d, err := a.Delivery(t.Context(), deliveryID(id, n)); err != nil || d.Withdrawn != storage.ByRecall {
				t.Errorf("%s %q, %v", d.State, d.Withdrawn, err)
			}
		}
	}
}
