package storage_test

import (
	"errors"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// TestRejudge: a verdict that changes keeps what was said before; of two that follow the same judging one counts; the
// systems of both sides hear of a document that turned invalid, those that do not have it yet do not.
func TestRejudge(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a := newAxis(t)
	l := a.with(a.letter("L1", "P2"), "x")
	l.Evidence = storage.Evidence{Software: "test", Version: 7}
	id := a.accept(l)
	first, err := a.Verifications(ctx, id)
	must(t, err)
	if len(first) != 1 || first[0].N != 1 || first[0].Occasion != storage.AtReception || first[0].Evidence.Version != 7 || !first[0].At.Equal(l.AcceptedAt) {
		t.Fatalf("%+v", first)
	}
	v := storage.Verification{N: 2, At: a.now.Add(time.Hour), By: "truc", Occasion: storage.NewData, Before: first[0].Verdict, Verdict: signing.Invalid,
		Report: signing.Report{Verdict: signing.Invalid, Files: []signing.FileReport{{Verdict: signing.Invalid, Name: "a\x00"}}}, Evidence: storage.Evidence{Version: 8}}
	must(t, a.Rejudge(ctx, id, v))
	if err := a.Rejudge(ctx, id, v); !errors.Is(err, storage.ErrLost) {
		t.Errorf("a second judging after the same one: %v", err)
	}
	list, err := a.Verifications(ctx, id)
	must(t, err)
	if len(list) != 2 || list[0].Verdict != first[0].Verdict || list[1].Verdict != signing.Invalid || list[1].Before != first[0].Verdict ||
		list[0].Evidence.Version != 7 || list[1].Evidence.Version != 8 {
		t.Errorf("%+v", list)
	}
	d, err := a.Dispatch(ctx, id)
	must(t, err)
	if d.Verdict != signing.Invalid || d.Judged != 2 || d.Attachments[0].Verdict != signing.Invalid || d.Report.Verdict != signing.Invalid {
		t.Errorf("the dispatch: %+v", d)
	}
	if n := one[int](a, `SELECT count(*) FROM queue WHERE kind = 'n' AND dispatch_id = $1`, id); n != 1 {
		t.Errorf("%d notices, want the sender's alone: nobody else has it yet", n)
	}
	_, err = a.EndHope(ctx, v.At.AddDate(0, 0, 31))
	must(t, err)
	if n := one[int](a, `SELECT count(*) FROM queue WHERE kind = 'n' AND dispatch_id = $1`, id); n != 0 {
		t.Errorf("%d notices that nobody asked for stay for ever", n)
	}
}

// TestHope: what may be judged better is claimed once for each version of the trust store, and let go in the end.
func TestHope(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a := newAxis(t)
	l := a.letter("L1")
	l.Hope, l.Evidence.Version = a.now.AddDate(0, 0, 30), 5
	id := a.accept(l)
	claim := func(trust int64, at time.Time) []storage.Hopeful {
		list, err := a.ClaimHopeful(ctx, trust, at, time.Minute, 10)
		must(t, err)
		return list
	}
	later := l.AcceptedAt.Add(time.Hour)
	if got := claim(5, later); len(got) != 0 {
		t.Errorf("claimed for the trust store that judged it: %v", got)
	}
	got := claim(6, later)
	if len(got) != 1 || got[0].Dispatch != id {
		t.Fatalf("claimed %v", got)
	}
	if again := claim(6, later); len(again) != 0 {
		t.Errorf("claimed twice within the lease: %v", again)
	}
	if again := claim(6, later.Add(2*time.Minute)); len(again) != 1 {
		t.Errorf("not claimed again after a crash: %v", again)
	}
	must(t, a.Judged(ctx, got[0], 6, false, later))
	if again := claim(6, later.Add(24*time.Hour)); len(again) != 0 {
		t.Errorf("claimed without news: %v", again)
	}
	if again := claim(7, later.Add(24*time.Hour)); len(again) != 1 || again[0].Tries != 1 {
		t.Errorf("not claimed with news: %v", again)
	}
	if n, err := a.EndHope(ctx, l.Hope.Add(time.Hour)); err != nil || n != 1 {
		t.Errorf("%d let go, %v", n, err)
	}
}
