package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// say is a receipt of an agency about a delivery, some minutes after the test's beginning.
func (a *axis) say(id storage.DeliveryID, status storage.Status, agency routing.Code, minutes int) (storage.Recorded, error) {
	system := to(string(agency)).System
	at := a.now.Add(time.Duration(minutes) * time.Minute)
	return a.AddReceipt(a.t.Context(), storage.Receipt{DeliveryID: id, Status: status, Agency: agency, System: system, EventTime: at, ReceivedAt: at}, "")
}

// TestShownStatus: whatever the order in which statuses come, and however often, the shown one is that of the latest
// event; of one moment, the highest of the ladder.
func TestShownStatus(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ladder := []storage.Status{"01", "03", "02", "04", "05", "06", "13"}
	type event struct {
		status storage.Status
		minute int
	}
	rapid.Check(t, func(rt *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) event {
			return event{rapid.SampledFrom(ladder).Draw(rt, "status"), rapid.IntRange(0, 4).Draw(rt, "minute")}
		}), 1, 12).Draw(rt, "events")
		want := slices.MaxFunc(events, func(x, y event) int {
			if x.minute != y.minute {
				return x.minute - y.minute
			}
			return slices.Index(ladder, x.status) - slices.Index(ladder, y.status)
		})
		id := deliveryID(a.accept(a.letter("L1")), 1)
		for _, e := range rapid.Permutation(events).Draw(rt, "as they came") {
			agency := routing.Code("L1")
			if e.status == storage.RecallAsked {
				agency = "S"
			}
			must(t, second(a.say(id, e.status, agency, e.minute)))
		}
		d, err := a.Delivery(t.Context(), id)
		must(t, err)
		if d.Status != want.status || !d.StatusAt.Equal(a.now.Add(time.Duration(want.minute)*time.Minute)) {
			rt.Fatalf("shown %s at %s, want %+v", d.Status, d.StatusAt, want)
		}
		slices.SortFunc(events, func(x, y event) int { return bytes.Compare(fmt.Append(nil, x), fmt.Append(nil, y)) })
		if kept := one[int](a, `SELECT count(*) FROM receipt WHERE dispatch_id = $1`, id.Dispatch); kept != len(slices.Compact(events)) {
			rt.Fatalf("%d kept of %v", kept, events)
		}
	})
}

// TestReturnAndCorrection: a document can be returned after it was in process, and registered after it was returned by
// mistake; both are seen.
func TestReturnAndCorrection(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	id := deliveryID(a.accept(a.letter("L1")), 1)
	for minute, status := range []storage.Status{"01", "03", "05", "02", "03"} {
		must(t, second(a.say(id, status, "L1", minute)))
		if d, err := a.Delivery(t.Context(), id); err != nil || d.Status != status {
			t.Errorf("after %s: %s, %v", status, d.Status, err)
		}
	}
}

// TestReceiptOfParked: who speaks of a document has it, though it was given up: it is delivered, counted, and nobody is
// told any more that it was not. Its sender's 13 proves nothing.
func TestReceiptOfParked(t *testing.T) {
	t.Parallel()
	for _, park := range []storage.State{storage.Refused, storage.Expired} {
		t.Run(string(park), func(t *testing.T) {
			t.Parallel()
			a := newAxis(t)
			id := deliveryID(a.accept(a.letter("P1")), 1)
			must(t, second(a.Record(t.Context(), []storage.Result{{Claimed: a.claim(a.now)[0], Outcome: storage.Never, EndedAt: a.now, Park: park, Reason: "HTTP 410", Owner: "sender", Deadline: a.now}})))
			if n := one[int](a, `SELECT count(*) FROM queue WHERE kind = 'n'`); n != 1 {
				t.Fatalf("%d notices", n)
			}
			var state *storage.StateError
			if _, err := a.say(id, "13", "S", 1); !errors.As(err, &state) || state.State != park {
				t.Errorf("asked back while %s: %v", park, err)
			}
			got, err := a.say(id, "03", "P1", 2)
			if err != nil || got.State != storage.Delivered {
				t.Errorf("%+v, %v", got, err)
			}
			d, err := a.Delivery(t.Context(), id)
			if err != nil || d.State != storage.Delivered || d.Owner != "" || d.Reason != "" || !d.Deadline.IsZero() || !d.StateAt.Equal(a.now.Add(2*time.Minute)) {
				t.Errorf("%+v, %v", d, err)
			}
			if n := one[int](a, `SELECT count(*) FROM queue WHERE kind <> 'r'`); n != 0 {
				t.Errorf("%d items wait besides the receipt", n)
			}
			if n := one[int](a, `SELECT sum(count) FROM tally WHERE metric = 'received' AND agency = 'P1'`); n != 1 {
				t.Errorf("counted %d times", n)
			}
		})
	}
}

// TestMaxReceipts: what a receipt's name has room for is what a delivery can have; what was said before is still answered.
func TestMaxReceipts(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	id := deliveryID(a.accept(a.letter("L1")), 1)
	first, err := a.say(id, "05", "L1", 0)
	must(t, err)
	must(t, second(a.Pool().Exec(t.Context(), `
		INSERT INTO receipt (dispatch_id, n, k, status, agency, system_id, staff, event_time, received_at)
		SELECT $1, 1, k, '05', 'L1', 'pull', '{}', $2::timestamptz + k * interval '1 second', $2 FROM generate_series(2, $3::int - 1) AS k`,
		id.Dispatch, a.now, storage.MaxReceipts)))
	last, err := a.say(id, "06", "L1", 100)
	must(t, err)
	item := storage.ItemID{DeliveryID: id, Kind: storage.ReceiptItem, K: last.K}
	if back, ok := storage.ParsePacketID(item.Packet().String()); last.K != storage.MaxReceipts || !ok || back.K != last.K || back.N != 1 {
		t.Errorf("the last is %d, named %v", last.K, back)
	}
	var full *storage.ReceiptsError
	if _, err := a.say(id, "05", "L1", 101); !errors.As(err, &full) || full.ID != id {
		t.Errorf("one more: %v", err)
	}
	if again, err := a.say(id, "05", "L1", 0); err != nil || !again.Repeated || again.K != first.K {
		t.Errorf("again: %+v, %v", again, err)
	}
}

// TestReceiptPacket: a receipt keeps the bytes that brought it; the same bytes are the same receipt, also when they tell no
// time of their own.
func TestReceiptPacket(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	id := deliveryID(a.accept(a.letter("L1", "L2")), 1)
	r := storage.Receipt{DeliveryID: id, Status: "03", Agency: "L1", System: "pull", EventTime: a.now, ReceivedAt: a.now, Packet: []byte("<edXML>\xff\x00")}
	first, err := a.AddReceipt(ctx, r, "")
	must(t, err)
	r.EventTime, r.ReceivedAt = a.now.Add(time.Hour), a.now.Add(time.Hour)
	if again, err := a.AddReceipt(ctx, r, ""); err != nil || !again.Repeated || again.K != first.K || !again.EventTime.Equal(a.now) {
		t.Errorf("the same packet again: %+v, %v", again, err)
	}
	kept, err := a.Receipt(ctx, id, first.K)
	if err != nil || !bytes.Equal(kept.Packet, r.Packet) || kept.Status != "03" || kept.Agency != "L1" || !kept.EventTime.Equal(a.now) {
		t.Errorf("%+v, %v", kept, err)
	}
	native, err := a.say(id, "05", "L1", 2)
	must(t, err)
	if kept, err = a.Receipt(ctx, id, native.K); err != nil || kept.Packet != nil {
		t.Errorf("a packet of none: %q, %v", kept.Packet, err)
	}
	if _, err := a.Receipt(ctx, id, 9); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("one that is not: %v", err)
	}
	if _, err := a.Receipt(ctx, deliveryID(uuid.Max, 1), 1); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("of what is not: %v", err)
	}
}
