package storage_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/storage"
)

// TestStrays: a packet that fits nothing is kept once for each system that sent it, listed newest first page by page, and
// closed once, by name.
func TestStrays(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	stray := func(system, packet string) storage.Stray {
		return storage.Stray{System: system, Agency: "L1", Other: "000.00.00.S", DocumentID: "x", Status: "02", Reason: "Gửi nhầm", Cause: storage.NoDocument,
			EventTime: a.now, ReceivedAt: a.now, Packet: []byte(packet)}
	}
	var ids []uuid.UUID
	for i := range 5 {
		a.now = a.now.Add(time.Second)
		id, repeated, err := a.AddStray(ctx, stray("pull", fmt.Sprint("packet ", i)), "10.0.0.1")
		if err != nil || repeated {
			t.Fatalf("%t, %v", repeated, err)
		}
		ids = append(ids, id)
	}
	if id, repeated, err := a.AddStray(ctx, stray("pull", "packet 2"), ""); err != nil || !repeated || id != ids[2] {
		t.Errorf("again: %s, %t, %v; want %s", id, repeated, err, ids[2])
	}
	if id, repeated, err := a.AddStray(ctx, stray("push", "packet 2"), ""); err != nil || repeated || id == ids[2] {
		t.Errorf("of another system: %s, %t, %v", id, repeated, err)
	} else {
		must(t, a.CloseStray(ctx, id, "vận hành", "10.0.0.2", a.now))
		if err := a.CloseStray(ctx, id, "op", "", a.now); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("closed twice: %v", err)
		}
	}
	if err := a.CloseStray(ctx, uuid.Max, "op", "", a.now); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("closed one that is not: %v", err)
	}
	var seen []uuid.UUID
	for before := (uuid.UUID{}); ; {
		page, err := a.Strays(ctx, storage.StrayFilter{Before: before, Limit: 2})
		must(t, err)
		for _, s := range page {
			if s.Packet != nil || s.Cause != storage.NoDocument || s.Other != "000.00.00.S" || !s.ClosedAt.IsZero() || !s.EventTime.Equal(s.ReceivedAt) {
				t.Errorf("%+v", s)
			}
			seen = append(seen, s.ID)
		}
		if len(page) < 2 {
			break
		}
		before = page[1].ID
	}
	if want := []uuid.UUID{ids[4], ids[3], ids[2], ids[1], ids[0]}; fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", seen, want)
	}
	all, err := a.Strays(ctx, storage.StrayFilter{Closed: true})
	if err != nil || len(all) != 6 || all[0].ClosedBy != "vận hành" && all[1].ClosedBy != "vận hành" {
		t.Errorf("%+v, %v", all, err)
	}
	if n := one[int](a, `SELECT count(*) FROM audit WHERE action IN ('stray.add', 'stray.close')`); n != 7 {
		t.Errorf("%d lines in the audit", n)
	}
}

// TestStrayAtOnce: a client that repeats itself on several lines at once makes one stray.
func TestStrayAtOnce(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ids := make([]uuid.UUID, 8)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			id, _, err := a.AddStray(t.Context(), storage.Stray{System: "pull", Status: "03", Cause: storage.NoDelivery, EventTime: a.now, ReceivedAt: a.now, Packet: []byte("x")}, "")
			if ids[i] = id; err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("%s and %s", id, ids[0])
		}
	}
}

func TestBrokenStray(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{false, true} {
		t.Run(word(stored), func(t *testing.T) {
			t.Parallel()
			a, node, wire := wired(t)
			s := storage.Stray{System: "pull", Status: "03", Cause: storage.WrongState, EventTime: a.now, ReceivedAt: a.now, Packet: []byte("x")}
			cut(wire, stored)
			_, _, err := node.AddStray(t.Context(), s, "")
			mustFail(t, err)
			if _, repeated, err := node.AddStray(t.Context(), s, ""); err != nil || repeated != stored {
				t.Errorf("again: %t, %v", repeated, err)
			}
			if n := one[int](a, `SELECT count(*) FROM stray`); n != 1 {
				t.Errorf("%d strays", n)
			}
		})
	}
}

// TestSpoken: what a status packet can be about: by its document's sender and id, and the agency that got it.
func TestSpoken(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	id := a.accept(a.letterCalled("S-1", "L1", "L2", "P1"))
	a.accept(a.letterCalled("S-2", "L1"))
	again := a.letterCalled("S-1", "L1") // a recall has its original's id by custom
	again.Kind, again.Original = storage.Recall, id
	must(t, a.Fetched(ctx, deliveryID(id, 1), a.now))
	recall := a.accept(again)
	update := a.follow(storage.Update, id, "L1", "L2") // and an update an id of its own
	must(t, second(a.say(deliveryID(id, 1), "03", "L1", 1)))
	must(t, second(a.say(deliveryID(id, 1), "05", "L1", 2)))
	ask := func(documentID, agency string, status storage.Status, minutes int) (found []storage.Spoken, documents bool) {
		t.Helper()
		found, documents, err := a.Spoken(ctx, storage.Saying{Sender: codes("S", "none"), Agency: codes("none", agency), DocumentID: documentID, Status: status,
			EventTime: a.now.Add(time.Duration(minutes) * time.Minute), Packet: []byte("x")})
		must(t, err)
		return found, documents
	}
	names := func(list []storage.Spoken) (names []string) {
		for _, p := range list {
			names = append(names, fmt.Sprint(p.Dispatch, " ", p.N, " ", p.Kind, " ", p.State, " ", p.Said, " ", p.Same))
		}
		return names
	}
	for _, c := range []struct {
		documentID, agency string
		status             storage.Status
		minutes            int
		want               []string
		documents          bool
	}{
		{"S-1", "L2", "06", 0, []string{fmt.Sprint(id, " 2 new pending [] false")}, true},
		{"S-1", "L3", "03", 0, nil, true},
		{"S-9", "L1", "03", 0, nil, false},
		{"S-1", "L2", "16", 0, []string{fmt.Sprint(id, " 2 new pending [] false"), fmt.Sprint(update, " 2 update pending [] false")}, true},
	} {
		found, documents := ask(c.documentID, c.agency, c.status, c.minutes)
		if got := names(found); fmt.Sprint(got) != fmt.Sprint(c.want) || documents != c.documents {
			t.Errorf("%s of %s at %s: %v, %t; want %v", c.status, c.documentID, c.agency, got, documents, c.want)
		}
	}
	found, _ := ask("S-1", "L1", "05", 2)
	if len(found) != 2 || found[0].Same == found[1].Same {
		t.Errorf("%v", names(found))
	}
	for _, p := range found {
		if want := p.Dispatch == id; p.Same != want || p.Dispatch != id && p.Dispatch != recall || p.Agency != "L1" || p.Sender != "S" {
			t.Errorf("%+v", p)
		}
	}
	if found, _ = ask("S-1", "L1", "15", 0); len(found) != 3 {
		t.Errorf("%v", names(found))
	}
}

// TestTwins: the same number and notation of one agency in one year, but not what is linked, and not a recall or update.
func TestTwins(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	make := func(change func(*storage.Acceptance)) storage.Dispatch {
		t.Helper()
		a.now = a.now.Add(time.Second)
		l := a.letter("L1")
		l.Number, l.Notation = "12", "UBND-VP"
		change(l)
		d, err := a.Dispatch(ctx, a.accept(l))
		must(t, err)
		return d
	}
	as := func(kind storage.Kind, original storage.Dispatch) func(*storage.Acceptance) {
		return func(l *storage.Acceptance) { l.Kind, l.Original = kind, original.ID }
	}
	day := func(y int, m time.Month, d int) func(*storage.Acceptance) {
		return func(l *storage.Acceptance) { l.Promulgated = time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	}
	first := make(func(*storage.Acceptance) {})
	second := make(day(2026, 1, 1))
	old := make(day(2025, 12, 31))
	make(func(l *storage.Acceptance) { l.Number = "12a" })
	make(func(l *storage.Acceptance) { l.Notation = "UBND" })
	make(func(l *storage.Acceptance) { l.Sender = "S2" })
	replacement := make(as(storage.Replace, first))
	recall := make(as(storage.Recall, first))
	update := make(as(storage.Update, second))
	older := make(day(2025, 2, 3))
	for _, c := range []struct {
		of   storage.Dispatch
		want []storage.Dispatch
	}{
		{first, []storage.Dispatch{second}},
		{second, []storage.Dispatch{replacement, first}},
		{replacement, []storage.Dispatch{second}},
		{recall, nil}, {update, nil},
		{old, []storage.Dispatch{older}}, {older, []storage.Dispatch{old}},
		{make(func(l *storage.Acceptance) { l.Number = "" }), nil},
	} {
		list, err := a.Twins(ctx, c.of)
		must(t, err)
		var got, want []uuid.UUID
		for _, l := range list {
			got = append(got, l.ID)
		}
		for _, d := range c.want {
			want = append(want, d.ID)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("twins of %s (%s): %v, want %v", c.of.DocumentID, c.of.Kind, got, want)
		}
	}
	related, err := a.Related(ctx, first)
	if err != nil || len(related) != 2 || related[0].ID != recall.ID || related[0].By != storage.Recall || related[1].ID != replacement.ID || related[1].Original {
		t.Errorf("%+v, %v", related, err)
	}
	related, err = a.Related(ctx, replacement)
	if err != nil || len(related) != 1 || related[0].ID != first.ID || !related[0].Original || related[0].By != storage.Replace {
		t.Errorf("%+v, %v", related, err)
	}
	long := make(func(l *storage.Acceptance) { l.Number = fmt.Sprintf("%0300d", 1) }) // a packet's may be longer than an index takes
	make(func(l *storage.Acceptance) { l.Number = fmt.Sprintf("%0300d", 2) })
	if list, err := a.Twins(ctx, long); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

// TestFindOriginal: a document is found by its own id; of several, the new one, else the last replacement, else that which
// an update is of.
func TestFindOriginal(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	id := a.accept(a.letterCalled("S-1", "L1"))
	made := func(kind storage.Kind, documentID string, original uuid.UUID) uuid.UUID {
		a.now = a.now.Add(time.Second)
		l := a.letterCalled(documentID, "L1")
		l.Kind, l.Original = kind, original
		l.Fingerprint[0]++
		return a.accept(l)
	}
	made(storage.Recall, "S-1", id)
	made(storage.Update, "S-1", id)
	made(storage.Update, "S-1b", id)
	made(storage.Recall, "S-3", id)
	replacement := made(storage.Replace, "S-2", id)
	unknown := made(storage.Update, "S-4", uuid.UUID{})
	for documentID, want := range map[string]uuid.UUID{"S-1": id, "S-1b": id, "S-2": replacement, "S-4": unknown, "S-3": {}, "x": {}} {
		got, err := a.FindOriginal(ctx, codes("S"), documentID)
		if got != want || errors.Is(err, storage.ErrNotFound) != (want == uuid.UUID{}) {
			t.Errorf("%s: %s, %v; want %s", documentID, got, err, want)
		}
	}
	if _, err := a.FindOriginal(ctx, codes("P1"), "S-1"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("of another sender: %v", err)
	}
	for documentID, want := range map[string]bool{"S-1": true, "S-2": false, "x": false} {
		if got, err := a.WentTo(ctx, documentID, codes("L9", "L1")); got != want || err != nil {
			t.Errorf("%s went there: %t, %v", documentID, got, err)
		}
	}
	if got, err := a.WentTo(ctx, "S-1", codes("L9")); got || err != nil {
		t.Errorf("it went elsewhere: %t, %v", got, err)
	}
}
