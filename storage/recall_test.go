package storage_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/storage"
)

// recallOf makes a recall of a dispatch at some of its recipients.
func (a *axis) recallOf(original uuid.UUID, codes ...string) *storage.Acceptance {
	l := a.letter(codes...)
	l.Kind, l.Original = storage.Recall, original
	return l
}

// TestRecall: where nobody has been told, a recall cancels and nobody hears of it; elsewhere it is a message of its own.
func TestRecall(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	codes := []string{"L1", "L2", "P1", "P2", "P3", "M1", "L3", "L4"}
	id := a.accept(a.letter(codes...))
	must(t, a.Fetched(ctx, deliveryID(id, 2), a.now))               // L2 began to fetch
	must(t, second(a.Taken(ctx, itemID(id, 7), "pull", a.now, ""))) // L3 has it
	claims := a.claim(a.now)                                        // P1 is being called, P2 is told, P3 said no
	for _, c := range claims {
		r := storage.Result{Claimed: c, EndedAt: a.now, Outcome: storage.Done, Next: a.now.Add(toldFor)}
		switch c.N {
		case 3:
			continue
		case 5:
			r.Outcome, r.Park, r.Owner, r.Deadline = storage.Never, storage.Refused, "sender", a.now
		}
		must(t, second(a.Record(ctx, []storage.Result{r})))
	}
	recall := a.accept(a.recallOf(id, codes[:7]...)) // not at L4
	want := []storage.State{storage.Recalled, storage.Pending, storage.Recalled, storage.Pending, storage.Refused, storage.Delivered, storage.Delivered, storage.Pending}
	if got := a.states(id); !slices.Equal(got, want) {
		t.Errorf("original: %v, want %v", got, want)
	}
	want = []storage.State{storage.Recalled, storage.Pending, storage.Recalled, storage.Pending, storage.Pending, storage.Delivered, storage.Pending}
	if got := a.states(recall); !slices.Equal(got, want) {
		t.Errorf("recall: %v, want %v", got, want)
	}
	for _, c := range claims { // the courier that was calling P1 comes back
		if c.N != 3 {
			continue
		}
		if lost, err := a.Record(ctx, []storage.Result{{Claimed: c, Outcome: storage.Done, Taken: true, EndedAt: a.now}}); err != nil || lost != 1 {
			t.Errorf("%d lost, %v", lost, err)
		}
	}
	for _, n := range []int{1, 3} {
		var state *storage.StateError
		if err := a.Fetched(ctx, deliveryID(id, n), a.now); !asState(err, &state) || state.State != storage.Recalled {
			t.Errorf("fetched after it was taken back: %v", err)
		}
		if _, err := a.Taken(ctx, itemID(id, n), []string{"", "pull", "", "push"}[n], a.now, ""); !asState(err, &state) {
			t.Errorf("taken after it was taken back: %v", err)
		}
	}
	// Once more, in other words: what was taken back stays so, and there is still nothing to tell about it.
	again := a.accept(a.recallOf(id, "L1", "L2"))
	if got := a.states(again); !slices.Equal(got, []storage.State{storage.Recalled, storage.Pending}) {
		t.Errorf("a second recall: %v", got)
	}
}

// TestRecallOfHeld: what is held can be taken back, and then nobody can let it go on. A recall that is held itself takes
// nothing back until a person lets it go on, and then does.
func TestRecallOfHeld(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	held := a.letter("L1", "M1", "L2")
	held.HeldFor, held.HeldBy = "unsigned", "operator"
	id := a.accept(held)
	a.accept(a.recallOf(id, "L1", "M1"))
	if moved, err := a.ReleaseHeld(ctx, id, "op", "", a.now); err != nil || moved != 1 {
		t.Errorf("%d released, %v", moved, err)
	}
	if got := a.states(id); !slices.Equal(got, []storage.State{storage.Recalled, storage.Recalled, storage.Pending}) {
		t.Errorf("%v", got)
	}
	late := a.recallOf(id, "L2")
	late.HeldFor, late.HeldBy = "unsigned", "operator"
	recall := a.accept(late)
	if got := a.states(id); got[2] != storage.Pending {
		t.Errorf("a held recall took back: %v", got)
	}
	if moved, err := a.ReleaseHeld(ctx, recall, "op", "", a.now); err != nil || moved != 1 {
		t.Errorf("%d released, %v", moved, err)
	}
	if got := append(a.states(id), a.states(recall)...); got[2] != storage.Recalled || got[3] != storage.Recalled {
		t.Errorf("a released recall: %v", got)
	}
	if n := one[int](a, `SELECT count(*) FROM queue`); n != 0 {
		t.Errorf("%d items wait", n)
	}
}

// TestRecallMore: a recall that is sent to further recipients takes back there too.
func TestRecallMore(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	id := a.accept(a.letter("L1", "L2"))
	l := a.recallOf(id, "L1")
	recall := a.accept(l)
	more := same(l)
	more.Deliveries = append(more.Deliveries, to("L2"))
	if got := outcome(a.Accept(t.Context(), more)); got != "added [L2]" {
		t.Error(got)
	}
	for _, d := range []uuid.UUID{id, recall} {
		if got := a.states(d); !slices.Equal(got, []storage.State{storage.Recalled, storage.Recalled}) {
			t.Errorf("%v", got)
		}
	}
}
