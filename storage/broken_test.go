package storage_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/storage"
	"github.com/truc-lienthong/truc/storage/storagetest"
)

// Each write broken twice: failed and not stored, failed but stored. In each case: what the caller is told, what is
// there, and that doing the same again ends right.

// wired makes a second node whose line to PostgreSQL can be cut.
func wired(t *testing.T) (a, node *axis, wire *storagetest.Wire) {
	t.Helper()
	a = newAxis(t)
	wire = storagetest.NewWire(t, a.dsn)
	return a, a.again(wire.DSN()), wire
}

// mustFail is the only answer to a commit of which nothing is known.
func mustFail(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("told %v, want %v", err, storage.ErrUnavailable)
	}
}

func (a *axis) readable(o storage.Object) {
	a.t.Helper()
	body, err := a.OpenObject(context.Background(), o, 0, -1)
	must(a.t, err)
	n, err := io.Copy(io.Discard, body)
	must(a.t, errors.Join(err, body.Close()))
	if n != o.Size {
		a.t.Errorf("%d of %d bytes", n, o.Size)
	}
}

func TestBrokenPut(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*storagetest.FaultyObjects){
		"not stored": func(o *storagetest.FaultyObjects) { o.FailBefore(storagetest.Put, 1, nil) },
		"stored":     func(o *storagetest.FaultyObjects) { o.FailAfter(storagetest.Put, 1, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAxis(t)
			fail(a.objects)
			if _, err := a.objects.Put(t.Context(), storage.NewKey(a.now), readerOf("công văn"), false); err == nil {
				t.Fatal("not told")
			}
			l := a.with(a.letter("L1"), "công văn")
			a.accept(l)
			kept, _ := a.stored()
			if len(kept) != 1 || kept[0] != l.Uploads[0].Key {
				t.Errorf("kept %v", kept)
			}
			if gone, err := a.SweepUploads(t.Context(), time.Now().Add(2*time.Hour), time.Hour); err != nil || (gone == 1) != (name == "stored") {
				t.Errorf("swept %d, %v", gone, err)
			}
			a.readable(l.Attachments[0].Object)
		})
	}
}

func TestBrokenAccept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		fault  func(*storagetest.Wire)
		told   bool // that it is accepted
		stored bool
	}{
		{"not stored", func(w *storagetest.Wire) { w.CutBefore(1) }, false, false},
		{"stored", func(w *storagetest.Wire) { w.CutAfter(1) }, true, true},
		{"not stored, and nobody to ask", func(w *storagetest.Wire) { w.CutBefore(1); w.ThenDown() }, false, false},
		{"stored, and nobody to ask", func(w *storagetest.Wire) { w.CutAfter(1); w.ThenDown() }, false, true},
		{"no connection at all", (*storagetest.Wire).Down, false, false},
	} {
		for _, key := range []string{"", "key-1"} {
			t.Run(c.name+" "+key, func(t *testing.T) {
				t.Parallel()
				a, node, wire := wired(t)
				l := a.with(a.letter("L1", "P1", "M1"), "công văn", "phụ lục")
				l.IdempotencyKey = key
				c.fault(wire)
				done, err := node.Accept(t.Context(), l)
				if c.told && (err != nil || done.ID != l.ID || done.Replay) {
					t.Errorf("told %+v, %v", done, err)
				} else if !c.told {
					mustFail(t, err)
				}
				if found := one[bool](a, `SELECT EXISTS (SELECT 1 FROM dispatch WHERE id = $1)`, l.ID); found != c.stored {
					t.Errorf("stored: %t", found)
				}
				wire.Mend()
				acceptedOnceAfter(t, a, node, l, c.stored)
			})
		}
	}
}

// acceptedOnceAfter sends the same again, in the three ways in which that happens, and expects one dispatch with its
// first uploads. A connection that was refused deletes uploads: nothing can have been written.
func acceptedOnceAfter(t *testing.T, a, node *axis, l *storage.Acceptance, stored bool) {
	t.Helper()
	if _, loose := a.stored(); len(loose) < len(l.Uploads) && !stored {
		l = a.with(same(l), "công văn", "phụ lục")
	}
	again, err := node.Accept(t.Context(), l) // the very same acceptance, as a retry inside the axis would
	if err != nil || again.ID != l.ID {
		t.Fatalf("again: %+v, %v", again, err)
	}
	for _, where := range []*axis{node, a} { // the sender sends it again, here and to another node
		again, err := where.Accept(t.Context(), a.with(same(l), "công văn", "phụ lục"))
		if err != nil || again.ID != l.ID || !again.Replay {
			t.Errorf("repeated: %+v, %v", again, err)
		}
	}
	if n := one[int](a, `SELECT count(*) FROM dispatch`); n != 1 {
		t.Errorf("%d dispatches", n)
	}
	if got := a.states(l.ID); !slices.Equal(got, []storage.State{storage.Pending, storage.Pending, storage.Delivered}) {
		t.Errorf("%v", got)
	}
	for _, f := range l.Attachments {
		a.readable(f.Object)
	}
	if kept, loose := a.stored(); len(kept) != 2 || len(loose) != 0 {
		t.Errorf("kept %v, loose %v", kept, loose)
	}
}

func TestBrokenSupplement(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{false, true} {
		t.Run(word(stored), func(t *testing.T) {
			t.Parallel()
			a, node, wire := wired(t)
			l := a.letter("L1")
			id := a.accept(l)
			more := same(l)
			more.Deliveries = append(more.Deliveries, to("L2"))
			must(t, second(node.Inbox(t.Context(), "pull", 1))) // connected
			// The first commit, of the acceptance that loses, goes through; the second adds.
			held := a.holdAcceptances(node, more)
			cut(wire, stored)
			_, err := held()
			mustFail(t, err)
			again, err := node.Accept(t.Context(), same(more))
			if err != nil || again.ID != id || again.Replay != stored || len(again.Added) == 1 == stored {
				t.Errorf("again: %+v, %v", again, err)
			}
			if got := a.states(id); len(got) != 2 {
				t.Errorf("%v", got)
			}
		})
	}
}

// holdAcceptances lets node's acceptance wait where it claims its identity, so that a fault can be set for what it
// commits after that. The function it returns lets it go on and gives its answer.
func (a *axis) holdAcceptances(node *axis, l *storage.Acceptance) func() (storage.Accepted, error) {
	a.t.Helper()
	ctx := context.Background()
	type answer struct {
		storage.Accepted
		error
	}
	lock, err := a.Pool().Begin(ctx)
	must(a.t, err)
	// The supplement locks the identity; the losing acceptance before it does not.
	must(a.t, second(lock.Exec(ctx, `SELECT 1 FROM identity WHERE sender = $1 AND document_id = $2 FOR UPDATE`, l.Sender, l.DocumentID)))
	answered := make(chan answer, 1)
	go func() {
		done, err := node.Accept(ctx, l)
		answered <- answer{done, err}
	}()
	until(a.t, "the supplement waits for the identity", func() bool {
		return one[bool](a, `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`)
	})
	return func() (storage.Accepted, error) {
		must(a.t, lock.Rollback(ctx))
		got := <-answered
		return got.Accepted, got.error
	}
}

func cut(w *storagetest.Wire, stored bool) {
	if stored {
		w.CutAfter(1)
	} else {
		w.CutBefore(1)
	}
}

func word(stored bool) string {
	if stored {
		return "stored"
	}
	return "not stored"
}

func TestBrokenRecord(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{false, true} {
		t.Run(word(stored), func(t *testing.T) {
			t.Parallel()
			a, node, wire := wired(t)
			id := a.accept(a.letter("P1", "P2", "P3"))
			claims := node.claim(a.now)
			slices.SortFunc(claims, func(x, y storage.Claimed) int { return x.N - y.N })
			later := a.now.Add(time.Minute)
			results := []storage.Result{
				{Claimed: claims[0], Outcome: storage.Done, Taken: true, EndedAt: a.now},
				{Claimed: claims[1], Outcome: storage.Later, Detail: "HTTP 500", EndedAt: a.now, Next: later},
				{Claimed: claims[2], Outcome: storage.Never, EndedAt: a.now, Park: storage.Refused, Reason: "HTTP 410", Owner: "sender", Deadline: later},
			}
			cut(wire, stored)
			_, err := node.Record(t.Context(), results)
			mustFail(t, err)
			want, lost := []storage.State{storage.Pending, storage.Pending, storage.Pending}, 0
			ended := []storage.State{storage.Delivered, storage.Pending, storage.Refused}
			if stored {
				want, lost = ended, 2 // what is ended cannot be ended again; a "later" said twice says the same
			}
			if got := a.states(id); !slices.Equal(got, want) {
				t.Errorf("%v", got)
			}
			if got, err := node.Record(t.Context(), results); err != nil || got != lost {
				t.Errorf("again: %d lost, %v", got, err)
			}
			if got := a.states(id); !slices.Equal(got, ended) {
				t.Errorf("again: %v", got)
			}
			if due := one[time.Time](a, `SELECT due FROM queue WHERE kind = 'd'`); !due.Equal(later) {
				t.Errorf("due %v", due)
			}
			if n := one[int](a, `SELECT count(*) FROM queue WHERE kind = 'n'`); n != 1 {
				t.Errorf("%d notices", n)
			}
		})
	}
}

// TestBrokenClaim: a claim whose answer was lost is a try that ended in nothing; the item is due when its lease ends.
func TestBrokenClaim(t *testing.T) {
	t.Parallel()
	a, node, wire := wired(t)
	id := a.accept(a.letter("P1"))
	if early := node.claim(a.now.Add(-time.Second)); len(early) != 0 { // also prepares the statement
		t.Fatalf("%v", early)
	}
	wire.CutAnswer(1)
	_, err := node.Claim(t.Context(), "node", a.now, limits)
	mustFail(t, err)
	if early := a.claim(a.now.Add(limits.Lease - time.Second)); len(early) != 0 {
		t.Errorf("claimed within the lease: %v", early)
	}
	if claims := a.claim(a.now.Add(limits.Lease)); len(claims) != 1 || claims[0].Try != 2 {
		t.Errorf("%+v", claims)
	}
	tries, err := a.Attempts(t.Context(), id, 1, 1)
	if err != nil || len(tries[1]) != 2 || tries[1][0].Outcome != "" {
		t.Errorf("%+v, %v", tries, err)
	}
}

func TestBrokenReceipt(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{false, true} {
		t.Run(word(stored), func(t *testing.T) {
			t.Parallel()
			a, node, wire := wired(t)
			id := a.accept(a.letter("L1"))
			r := storage.Receipt{DeliveryID: deliveryID(id, 1), Status: storage.Registered, Agency: "L1", System: "pull", EventTime: a.now, ReceivedAt: a.now}
			cut(wire, stored)
			_, err := node.AddReceipt(t.Context(), r, "")
			mustFail(t, err)
			again, err := node.AddReceipt(t.Context(), r, "")
			if err != nil || again.Repeated != stored || again.K != 1 || again.State != storage.Delivered {
				t.Errorf("again: %+v, %v", again, err)
			}
			if n := one[int](a, `SELECT count(*) FROM queue WHERE kind = 'r' AND destination = 'from'`); n != 1 {
				t.Errorf("%d items for the sender", n)
			}
			if n := one[int](a, `SELECT count(*) FROM tally WHERE metric = 'received'`); n != 1 {
				t.Errorf("counted %d times", n)
			}
		})
	}
}

func TestBrokenTaken(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{false, true} {
		t.Run(word(stored), func(t *testing.T) {
			t.Parallel()
			a, node, wire := wired(t)
			id, other := a.accept(a.letter("L1")), a.accept(a.letter("L2"))
			if stored { // statement and commit are one message; a connection that knows it sends nothing before
				if _, err := node.Taken(t.Context(), itemID(other, 1), "pull", a.now, ""); err != nil {
					t.Fatal(err)
				}
			}
			wire.CutAnswer(1)
			_, err := node.Taken(t.Context(), itemID(id, 1), "pull", a.now, "")
			mustFail(t, err)
			for range 2 {
				if state, err := node.Taken(t.Context(), itemID(id, 1), "pull", a.now, ""); err != nil || state != storage.Delivered {
					t.Errorf("again: %s, %v", state, err)
				}
			}
			wire.Mend()
			want := map[bool]int{false: 1, true: 2}[stored]
			if n := one[int](a, `SELECT count(*) FROM tally WHERE metric = 'received'`); n != want {
				t.Errorf("counted %d times", n)
			}
		})
	}
}

func TestBrokenRelease(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{false, true} {
		t.Run(word(stored), func(t *testing.T) {
			t.Parallel()
			a, node, wire := wired(t)
			l := a.letter("L1", "M1")
			l.HeldFor, l.HeldBy = "policy", "operator"
			id := a.accept(l)
			cut(wire, stored)
			_, err := node.ReleaseHeld(t.Context(), id, "op", "", a.now)
			mustFail(t, err)
			moved, err := node.ReleaseHeld(t.Context(), id, "op", "", a.now)
			if stored != errors.Is(err, storage.ErrNotFound) || (moved == 2) == stored {
				t.Errorf("again: %d, %v", moved, err)
			}
			if got := a.states(id); !slices.Equal(got, []storage.State{storage.Pending, storage.Delivered}) {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestBrokenKeepMade(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{false, true} {
		t.Run(word(stored), func(t *testing.T) {
			t.Parallel()
			a, node, wire := wired(t)
			id := a.accept(a.letter("L1"))
			u := a.upload("gói tin")
			cut(wire, stored)
			_, err := node.KeepMade(t.Context(), id, storage.PackageFile, u, a.now)
			mustFail(t, err)
			keep := func(u storage.Upload) {
				t.Helper()
				if kept, err := node.KeepMade(t.Context(), id, storage.PackageFile, u, a.now); err != nil || kept != objectOf("gói tin") {
					t.Errorf("again: %+v, %v", kept, err)
				}
			}
			keep(u)                             // the same once more
			keep(a.upload("gói tin"))           // made again, as a node does that was told of a failure
			keep(a.upload("gói tin, cách mới")) // made again by a newer version: the first counts
			a.readable(objectOf("gói tin"))
			if kept, loose := a.stored(); len(kept) != 1 || kept[0] != u.Key || len(loose) != 0 {
				t.Errorf("kept %v, loose %v", kept, loose)
			}
		})
	}
	t.Run("of nothing", func(t *testing.T) {
		t.Parallel()
		a := newAxis(t)
		if _, err := a.KeepMade(t.Context(), uuid.New(), storage.ProofFile, a.upload("x"), a.now); !errors.Is(err, storage.ErrNotFound) {
			t.Error(err)
		}
		if kept, loose := a.stored(); len(kept)+len(loose) != 0 {
			t.Errorf("kept %v, loose %v", kept, loose)
		}
	})
}
