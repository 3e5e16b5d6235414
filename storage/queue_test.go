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

const toldFor = 5 * time.Minute

func asState(err error, to **storage.StateError) bool { return errors.As(err, to) }

// TestUrgentFirst: within a claim and in an inbox the more urgent goes first, and within one urgency the older.
func TestUrgentFirst(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	var want []uuid.UUID
	for _, urgency := range []routing.Urgency{routing.Normal, routing.Express, routing.Urgent, routing.Express, routing.VeryUrgent} {
		l := a.letter("P1", "L1")
		l.Urgency = urgency
		want = append(want, a.accept(l))
		a.now = a.now.Add(time.Second)
	}
	want = []uuid.UUID{want[1], want[3], want[4], want[2], want[0]}
	items, err := a.Inbox(t.Context(), "pull", 10)
	must(t, err)
	var got []uuid.UUID
	for _, i := range items {
		got = append(got, i.Dispatch.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("inbox %v, want %v", got, want)
	}
	for i, id := range want {
		claims, err := a.Claim(t.Context(), "n", a.now, storage.ClaimLimits{Lease: time.Minute, PerDestination: 1, Total: 1})
		if err != nil || len(claims) != 1 || claims[0].Dispatch.ID != id || claims[0].Try != 1 || claims[0].Fence != 1 {
			t.Errorf("claim %d: %+v, %v", i, claims, err)
		}
	}
}

// TestLongQueueStarvesNobody: a thousand old documents for one destination do not keep one for another waiting.
func TestLongQueueStarvesNobody(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	codes := make([]string, 1000)
	for i := range codes {
		codes[i] = "P" + strconv.Itoa(i)
	}
	a.accept(a.letter(codes...))
	a.now = a.now.Add(time.Hour)
	a.accept(a.letter("Q1"))
	count := func(claims []storage.Claimed, err error) map[string]int {
		t.Helper()
		must(t, err)
		by := map[string]int{}
		for _, c := range claims {
			by[c.Destination]++
		}
		return by
	}
	limits := storage.ClaimLimits{Lease: time.Minute, PerDestination: 16, Total: 64}
	if by := count(a.Claim(t.Context(), "n", a.now, limits)); by["push"] != 16 || by["push2"] != 1 {
		t.Errorf("%v", by)
	}
	limits.Except = []string{"push"} // has no room
	if by := count(a.Claim(t.Context(), "n", a.now, limits)); len(by) != 0 {
		t.Errorf("%v", by)
	}
	must(t, a.DisableSystem(t.Context(), "push", "test", a.now))
	limits.Except = nil
	if by := count(a.Claim(t.Context(), "n", a.now, limits)); len(by) != 0 {
		t.Errorf("claimed for a disabled system: %v", by)
	}
}

// TestFence: who lost a claim changes nothing, whatever he has to say.
func TestFence(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	id := a.accept(a.letter("P1"))
	first := a.claim(a.now)[0]
	if early := a.claim(a.now.Add(limits.Lease - time.Millisecond)); len(early) != 0 {
		t.Fatalf("%+v", early)
	}
	now := a.now.Add(limits.Lease)
	owner := a.claim(now)[0]
	if owner.Fence != first.Fence+1 || owner.Try != 2 {
		t.Errorf("%+v", owner)
	}
	for _, r := range []storage.Result{
		{Claimed: first, Outcome: storage.Done, Taken: true, EndedAt: now},
		{Claimed: first, Outcome: storage.Done, EndedAt: now, Next: now},
		{Claimed: first, Outcome: storage.Later, EndedAt: now, Next: now},
		{Claimed: first, Outcome: storage.Never, EndedAt: now, Park: storage.Refused, Owner: "sender", Deadline: now},
	} {
		if lost, err := a.Record(ctx, []storage.Result{r}); err != nil || lost != 1 {
			t.Errorf("%s: %d lost, %v", r.Outcome, lost, err)
		}
	}
	must(t, a.Release(ctx, []storage.Claimed{first}, now))
	if early := a.claim(now); len(early) != 0 {
		t.Errorf("released what another holds: %+v", early)
	}
	must(t, a.Release(ctx, []storage.Claimed{owner}, now))
	again := a.claim(now)
	if len(again) != 1 || again[0].Try != 3 {
		t.Fatalf("%+v", again)
	}
	lost, err := a.Record(ctx, []storage.Result{{Claimed: again[0], Outcome: storage.Done, Taken: true, EndedAt: now}})
	if err != nil || lost != 0 || a.states(id)[0] != storage.Delivered {
		t.Errorf("%d lost, %v", lost, err)
	}
	tries, err := a.Attempts(ctx, id, 1, 1)
	must(t, err)
	var outcomes []storage.Outcome
	for _, try := range tries[1] {
		outcomes = append(outcomes, try.Outcome)
	}
	if !slices.Equal(outcomes, []storage.Outcome{storage.Done, storage.Later, storage.Done}) {
		t.Errorf("%v", outcomes)
	}
}

// TestComesBack: the first success after failures brings everything that waits for that destination forward, in
// batches, and nothing else.
func TestComesBack(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	codes := []string{"Q1"}
	for i := range 2500 {
		codes = append(codes, "P"+strconv.Itoa(i))
	}
	a.accept(a.letter(codes...))
	claims, err := a.Claim(ctx, "n", a.now, storage.ClaimLimits{Lease: time.Minute, PerDestination: 5000, Total: 5000})
	must(t, err)
	for part := range slices.Chunk(claims, 200) {
		results := make([]storage.Result, len(part))
		for i, c := range part {
			results[i] = storage.Result{Claimed: c, Outcome: storage.Later, EndedAt: a.now, Next: a.now.Add(8 * time.Hour)}
		}
		must(t, second(a.Record(ctx, results)))
	}
	lease := 30 * time.Second
	if n, err := a.Answers(ctx, "push", true, "", a.now, lease); err != nil || n != 0 {
		t.Errorf("it never failed: %d, %v", n, err)
	}
	must(t, second(a.Answers(ctx, "push", false, "connection refused", a.now, lease)))
	must(t, second(a.Answers(ctx, "push", false, "no answer in time", a.now.Add(time.Minute), lease)))
	if since := one[time.Time](a, `SELECT failing_since FROM system WHERE id = 'push'`); !since.Equal(a.now) {
		t.Errorf("failing since %v", since)
	}
	now := a.now.Add(time.Hour)
	if n, err := a.Answers(ctx, "push", true, "", now, lease); err != nil || n != 2500 {
		t.Errorf("brought forward %d, %v", n, err)
	}
	if n, err := a.Answers(ctx, "push", true, "", now, lease); err != nil || n != 0 {
		t.Errorf("again %d, %v", n, err)
	}
	if n := one[int](a, `SELECT count(*) FROM queue WHERE due <= $1`, now); n != 2500 {
		t.Errorf("%d are due", n)
	}
}

// TestAnswersInFlight: what is in flight when its destination comes back stays with who holds it.
func TestAnswersInFlight(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	a.accept(a.letter("P1", "P2"))
	must(t, second(a.Answers(ctx, "push", false, "down", a.now, limits.Lease)))
	claims := a.claim(a.now)
	if n, err := a.Answers(ctx, "push", true, "", a.now, limits.Lease); err != nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	if again := a.claim(a.now); len(again) != 0 {
		t.Errorf("%+v", again)
	}
	if lost, err := a.Record(ctx, []storage.Result{{Claimed: claims[0], Outcome: storage.Done, Taken: true, EndedAt: a.now}}); err != nil || lost != 0 {
		t.Errorf("%d, %v", lost, err)
	}
}

// TestReroute: what waits goes where its agency is served now; a claim under way is lost; a mailbox has it at once.
func TestReroute(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	var ids []uuid.UUID
	for range 3 {
		ids = append(ids, a.accept(a.letter("P1", "P2")))
	}
	claims := a.claim(a.now)
	if n, err := a.Reroute(ctx, "P1", "push", "pull", routing.Pull, a.now); err != nil || n != 3 {
		t.Fatalf("%d, %v", n, err)
	}
	for _, c := range claims {
		lost, err := a.Record(ctx, []storage.Result{{Claimed: c, Outcome: storage.Later, EndedAt: a.now, Next: a.now}})
		if err != nil || (lost == 1) != (c.Agency == "P1") {
			t.Errorf("%s: %d lost, %v", c.Agency, lost, err)
		}
	}
	items, err := a.Inbox(ctx, "pull", 10)
	if err != nil || len(items) != 3 {
		t.Errorf("%d items, %v", len(items), err)
	}
	if _, err := a.Taken(ctx, itemID(ids[0], 1), "push", a.now, ""); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("taken by who served it before: %v", err)
	}
	if n, err := a.Reroute(ctx, "P1", "pull", "push2", routing.Push, a.now); err != nil || n != 3 {
		t.Errorf("%d, %v", n, err)
	}
	if n := len(a.claim(a.now)); n != 6 {
		t.Errorf("%d are due", n)
	}
	if n, err := a.Reroute(ctx, "P1", "push2", "box", routing.Mailbox, a.now); err != nil || n != 3 {
		t.Errorf("%d, %v", n, err)
	}
	if got := a.states(ids[0]); !slices.Equal(got, []storage.State{storage.Delivered, storage.Pending}) {
		t.Errorf("%v", got)
	}
	d, err := a.Delivery(ctx, deliveryID(ids[0], 1))
	if err != nil || d.System != "box" || d.AddressedTo != "P1" {
		t.Errorf("%+v, %v", d, err)
	}
	waiting, err := a.WaitingFor(ctx)
	if err != nil || len(waiting) != 1 || waiting[0] != (storage.Waiting{Agency: "P2", Destination: "push", Count: 3}) {
		t.Errorf("%+v, %v", waiting, err)
	}
}

// TestNews: receipts and notices reach the other side's system by its way, end with any "done", and are never thrown
// away.
func TestNews(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	l := a.letter("L1", "P1", "M1")
	l.System = "push2" // the sender is called, not asked
	id := a.accept(l)
	say := func(n int, status storage.Status, agency routing.Code, system string) storage.ItemID {
		t.Helper()
		r, err := a.AddReceipt(ctx, storage.Receipt{DeliveryID: deliveryID(id, n), Status: status, Agency: agency, System: system, EventTime: a.now, ReceivedAt: a.now}, "")
		must(t, err)
		return storage.ItemID{DeliveryID: r.DeliveryID, Kind: storage.ReceiptItem, K: r.K}
	}
	say(1, storage.Registered, "L1", "pull")
	asked := say(1, storage.RecallAsked, "S", "push2")
	say(3, storage.RecallAsked, "S", "push2") // a mailbox shows it on its page
	var refused, news []storage.Claimed
	for _, c := range a.claim(a.now) {
		if c.Kind == storage.DispatchItem {
			refused = append(refused, c)
		} else {
			news = append(news, c)
		}
	}
	if len(news) != 1 || news[0].Destination != "push2" || news[0].Receipt.Status != storage.Registered || news[0].Try != 1 {
		t.Fatalf("%+v", news)
	}
	must(t, second(a.Record(ctx, []storage.Result{{Claimed: refused[0], Outcome: storage.Never, EndedAt: a.now, Park: storage.Refused, Reason: "HTTP 410", Owner: "sender", Deadline: a.now}})))
	// Its tries are exhausted: it waits to be asked for.
	if lost, err := a.Record(ctx, []storage.Result{{Claimed: news[0], Outcome: storage.Later, EndedAt: a.now, Park: storage.Expired}}); err != nil || lost != 0 {
		t.Errorf("%d, %v", lost, err)
	}
	notices := a.claim(a.now)
	if len(notices) != 1 || notices[0].Kind != storage.NoticeItem || storage.Notice(notices[0].K) != storage.NoticeRefused || notices[0].State != storage.Refused {
		t.Fatalf("%+v", notices)
	}
	if lost, err := a.Record(ctx, []storage.Result{{Claimed: notices[0], Outcome: storage.Done, EndedAt: a.now}}); err != nil || lost != 0 {
		t.Errorf("%d, %v", lost, err)
	}
	for _, c := range []struct {
		system string
		item   storage.ItemID
		want   error
	}{
		{"box", asked, storage.ErrNotFound}, {"pull", asked, nil}, {"pull", asked, nil}, {"push2", news[0].ItemID, nil},
	} {
		if _, err := a.Taken(ctx, c.item, c.system, a.now, ""); !errors.Is(err, c.want) {
			t.Errorf("%s takes %s: %v", c.system, c.item, err)
		}
	}
	if n := one[int](a, `SELECT count(*) FROM queue`); n != 0 {
		t.Errorf("%d items wait", n)
	}
}

// TestClaimMeetsRelease: nodes that stop give claims back while others claim; no claim fails for it.
func TestClaimMeetsRelease(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := context.Background()
	var codes []string
	for i := range 8 {
		codes = append(codes, fmt.Sprint("P", i))
	}
	a.accept(a.letter(codes...))
	var nodes sync.WaitGroup
	for g := range 8 {
		nodes.Go(func() {
			for range 30 {
				claims, err := a.Claim(ctx, strconv.Itoa(g), a.now, limits)
				if err != nil {
					t.Error(err)
					return
				}
				if err := a.Release(ctx, claims, a.now); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	nodes.Wait()
}
