package storage_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// outcome is what an acceptance came to, in one word.
func outcome(done storage.Accepted, err error) string {
	var conflict *storage.ConflictError
	switch {
	case errors.As(err, &conflict):
		return "conflict of " + conflict.Field
	case err != nil:
		return err.Error()
	case done.Replay:
		return "replay"
	case len(done.Added) > 0:
		return fmt.Sprintf("added %v", done.Added)
	}
	return "accepted"
}

// TestIdentity: the same document is accepted once; repeated it gives the first answer, with further recipients it
// adds them, and with other content it is refused.
func TestIdentity(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	first := a.with(a.letter("L1", "P1"), "công văn")
	id := a.accept(first)
	more, other := a.with(same(first), "công văn"), a.with(same(first), "bản khác")
	more.Deliveries = append([]storage.NewDelivery{to("M1"), to("L2")}, more.Deliveries...)
	other.Fingerprint[0]++
	fewer := same(first)
	fewer.Deliveries = fewer.Deliveries[:1]
	elsewhere := same(first)
	elsewhere.Sender = "S.2"
	for _, c := range []struct {
		name string
		l    *storage.Acceptance
		want string
	}{
		{"the same", a.with(same(first), "công văn"), "replay"},
		{"fewer recipients", fewer, "replay"},
		{"further recipients", more, "added [M1 L2]"},
		{"further recipients again", same(more), "replay"},
		{"the first again", same(first), "replay"},
		{"another content", other, "conflict of document_id"},
		{"another sender's same id", elsewhere, "accepted"},
	} {
		done, err := a.Accept(t.Context(), c.l)
		if got := outcome(done, err); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if err == nil && c.l != elsewhere && done.ID != id {
			t.Errorf("%s: dispatch %s, want %s", c.name, done.ID, id)
		}
	}
	if got := a.states(id); !slices.Equal(got, []storage.State{storage.Pending, storage.Pending, storage.Delivered, storage.Pending}) {
		t.Errorf("%v", got)
	}
	if to, err := a.Recipients(t.Context(), id); err != nil || !slices.Equal(to, []routing.Code{"L1", "P1", "M1", "L2"}) {
		t.Errorf("%v, %v", to, err)
	}
	if kept, loose := a.stored(); len(kept) != 1 || kept[0] != first.Uploads[0].Key || len(loose) != 0 {
		t.Errorf("kept %v, loose %v", kept, loose)
	}
}

// TestSupplementOfHeld: who is added to a held dispatch is held with it, and let go with it.
func TestSupplementOfHeld(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	l := a.letter("L1")
	l.HeldFor, l.HeldBy = "unsigned", "operator"
	id := a.accept(l)
	more := same(l)
	more.HeldFor, more.HeldBy = "", "" // the policy changed since
	more.Deliveries = append(more.Deliveries, to("M1"))
	a.accept(more)
	d, err := a.Delivery(t.Context(), deliveryID(id, 2))
	if err != nil || d.State != storage.Held || d.Reason != "unsigned" || d.Owner == "" {
		t.Errorf("%+v, %v", d, err)
	}
	if moved, err := a.ReleaseHeld(t.Context(), id, "op", "", a.now); err != nil || moved != 2 {
		t.Errorf("%d, %v", moved, err)
	}
}

// TestAgain: a recall, update or replacement repeats the original's document id; each content is a dispatch of its own.
func TestAgain(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	original := a.letter("L1")
	ids := []uuid.UUID{a.accept(original)}
	for i, kind := range []storage.Kind{storage.Recall, storage.Update, storage.Replace, storage.Update} {
		next := same(original)
		next.Kind, next.Original, next.Fingerprint = kind, ids[0], [32]byte{byte(i)}
		id := a.accept(next)
		if slices.Contains(ids, id) {
			t.Errorf("kind %d is dispatch %s", kind, id)
		}
		if again, err := a.Accept(t.Context(), same(next)); outcome(again, err) != "replay" || again.ID != id {
			t.Errorf("kind %d again: %+v, %v", kind, again, err)
		}
		ids = append(ids, id)
	}
}

// TestOneOfAHundred: of a hundred that say the same at once, on two nodes, one is accepted.
func TestOneOfAHundred(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "key"} {
		t.Run("key "+key, func(t *testing.T) {
			t.Parallel()
			a := newAxis(t)
			nodes := []*axis{a, a.again(a.dsn)}
			l := a.letter("L1", "M1")
			l.IdempotencyKey = key
			requests := make([]*storage.Acceptance, 100)
			for i := range requests {
				if requests[i] = same(l); i%10 == 0 {
					a.with(requests[i], "công văn")
				} else {
					requests[i].Attachments = nil
				}
			}
			var crowd sync.WaitGroup
			outcomes := make([]string, len(requests))
			ids := make([]uuid.UUID, len(requests))
			for i, r := range requests {
				crowd.Go(func() {
					done, err := nodes[i%2].Accept(context.Background(), r)
					outcomes[i], ids[i] = outcome(done, err), done.ID
				})
			}
			crowd.Wait()
			count := map[string]int{}
			for i, o := range outcomes {
				if count[o]++; ids[i] != ids[0] {
					t.Errorf("two dispatches: %s and %s", ids[0], ids[i])
				}
			}
			if count["accepted"] != 1 || count["replay"] != 99 {
				t.Errorf("%v", count)
			}
			if _, loose := a.stored(); len(loose) != 0 {
				t.Errorf("loose %v", loose)
			}
		})
	}
}

// fullGroup keeps both committers waiting until all of list is handed in, so that those are committed as groups.
func (a *axis) fullGroup(list []*storage.Acceptance) []string {
	a.t.Helper()
	ctx := context.Background()
	lock, err := a.Pool().Begin(ctx)
	must(a.t, err)
	block := []*storage.Acceptance{a.letter("L1"), a.letter("L1")}
	for _, b := range block { // an identity that somebody else is about to commit
		must(a.t, second(lock.Exec(ctx, `INSERT INTO identity VALUES ($1, $2, 0, '', $3, $4)`, b.Sender, b.DocumentID, b.Fingerprint[:], b.ID)))
	}
	outcomes := make([]string, len(list))
	var senders, blocked sync.WaitGroup
	for i, b := range block {
		blocked.Go(func() { _, _ = a.Accept(ctx, b) })
		until(a.t, "a committer waits", func() bool {
			return one[int](a, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == i+1
		})
	}
	for i, l := range list {
		senders.Go(func() { outcomes[i] = outcome(a.Accept(ctx, l)) })
	}
	until(a.t, "all are handed in", func() bool { return a.Waiting() == len(list) })
	must(a.t, lock.Rollback(ctx))
	senders.Wait()
	blocked.Wait()
	return outcomes
}

// TestGuiltyAlone: what PostgreSQL refuses of one acceptance does not harm those that share its commit, nor does the
// same document twice in a group, nor a key that two use.
func TestGuiltyAlone(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	var list []*storage.Acceptance
	for range 12 {
		list = append(list, a.with(a.letter("L1", "M1"), "công văn"))
	}
	list[3].Urgency = 9                                                                                                 // a CHECK refuses it
	list[5].Subject = "\xff"                                                                                            // not UTF-8
	list[7].ID = storage.NewID(a.now.AddDate(9, 0, 0))                                                                  // a node whose clock is far off
	list[8].DocumentID, list[8].Fingerprint, list[8].Request = list[2].DocumentID, list[2].Fingerprint, list[2].Request // the same document
	list[9].IdempotencyKey, list[10].IdempotencyKey = "k", "k"                                                          // one key, two documents
	list[11].Kind, list[11].Original = storage.Recall, a.accept(a.letter("L1", "L2"))                                   // takes back in a group
	outcomes := a.fullGroup(list)
	conflicts := 0
	for i, got := range outcomes {
		want := "accepted"
		switch i {
		case 3, 5, 7:
			if got == "accepted" || got == "replay" {
				t.Errorf("the guilty %d is %s", i, got)
			}
			continue
		case 2, 8:
			if got == "replay" {
				want = "replay"
			}
		case 9, 10:
			if got == "conflict of Idempotency-Key" {
				want, conflicts = got, conflicts+1
			}
		}
		if got != want {
			t.Errorf("%d: %s, want %s", i, got, want)
		}
	}
	if conflicts != 1 {
		t.Errorf("%d conflicts for one key", conflicts)
	}
	if outcomes[2] == outcomes[8] {
		t.Errorf("the same document twice: %s and %s", outcomes[2], outcomes[8])
	}
	if got := a.states(list[11].Original); !slices.Equal(got, []storage.State{storage.Recalled, storage.Pending}) {
		t.Errorf("recalled in a group: %v", got)
	}
	kept, loose := a.stored()
	for i, l := range list {
		if slices.Contains(loose, l.Uploads[0].Key) {
			t.Errorf("%d (%s) left its upload", i, outcomes[i])
		}
	}
	if len(kept) != 1 || len(loose) != 0 {
		t.Errorf("kept %v, loose %v", kept, loose)
	}
}

// TestLettersDoNotWait: a mailing to the whole country is committed by itself, also when it comes after letters.
func TestLettersDoNotWait(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	codes := make([]string, 6_000)
	for i := range codes {
		codes[i] = "L" + strconv.Itoa(i)
	}
	list := []*storage.Acceptance{a.letter("L1"), a.letter("L1"), a.letter(codes...), a.letter("L1"), a.letter("L1")}
	for i, got := range a.fullGroup(list) {
		if got != "accepted" {
			t.Errorf("%d: %s", i, got)
		}
	}
	if n := one[int](a, `SELECT count(*) FROM dispatch WHERE xmin::text = (SELECT xmin::text FROM dispatch WHERE id = $1)`, list[2].ID); n != 1 {
		t.Errorf("%d dispatches in its commit", n)
	}
}

// TestFanOut: one dispatch to all of the country at once.
func TestFanOut(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	const recipients = 30_000
	codes := make([]string, recipients)
	for i := range codes {
		codes[i] = string("PQLM"[i%4]) + strconv.Itoa(i)
	}
	l := a.with(a.letter(codes...), "công điện")
	l.Urgency = routing.Express
	started := time.Now()
	id := a.accept(l)
	t.Logf("%d recipients accepted in %s", recipients, time.Since(started).Round(time.Millisecond))
	again, err := a.Accept(t.Context(), same(l))
	if got := outcome(again, err); got != "replay" {
		t.Error(got)
	}
	ledger, err := a.Ledger(t.Context(), a.now.Add(-time.Hour))
	if err != nil || ledger[storage.Pending] != 22_500 || ledger[storage.Delivered] != 7_500 {
		t.Errorf("%v, %v", ledger, err)
	}
	if n, err := a.CountDeliveries(t.Context(), id); err != nil || n != recipients {
		t.Errorf("%d, %v", n, err)
	}
	recall := a.letter(codes...)
	recall.Kind, recall.Original = storage.Recall, id
	started = time.Now()
	a.accept(recall)
	t.Logf("and recalled in %s", time.Since(started).Round(time.Millisecond))
	ledger, err = a.Ledger(t.Context(), a.now.Add(-time.Hour))
	if err != nil || ledger[storage.Recalled] != 45_000 || ledger[storage.Delivered] != 15_000 || ledger[storage.Pending] != 0 {
		t.Errorf("%v, %v", ledger, err)
	}
}

// TestMade: what a new dispatch is answered with from memory is what was written.
func TestMade(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	for _, held := range []string{"", "unsigned"} {
		l := a.letter("L1", "P1", "M1")
		if held != "" {
			l.HeldFor, l.HeldBy = held, "operator"
		}
		id := a.accept(l)
		rows, err := a.Deliveries(t.Context(), id, 0, 10)
		must(t, err)
		for i, want := range l.Made() {
			got := rows[i]
			for _, pair := range [][2]*time.Time{{&got.StateAt, &want.StateAt}, {&got.Deadline, &want.Deadline}, {&got.Due, &want.Due}, {&got.ToldAt, &want.ToldAt}} {
				if pair[0].Equal(*pair[1]) {
					*pair[0] = *pair[1]
				}
			}
			if got != want {
				t.Errorf("written %+v, answered %+v", got, want)
			}
		}
	}
}

// TestAcceptGivenUp: a caller that gives up is told that nothing is known; what becomes of the commit is sound.
func TestAcceptGivenUp(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l := a.with(a.letter("L1"), "công văn")
	if _, err := a.Accept(ctx, l); err != nil && !errors.Is(err, storage.ErrUnavailable) {
		t.Error(err)
	}
	if done, err := a.Accept(t.Context(), l); err != nil || done.ID != l.ID {
		t.Errorf("%+v, %v", done, err)
	}
	a.readable(l.Attachments[0].Object)
}
