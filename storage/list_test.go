package storage_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// TestLists: each list, read page by page, has every line once, newest first, over months, for one agency, for a few (one
// named twice) and for more than the index is asked for one by one.
func TestLists(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	started := vietnam(2026, 10, 30, 0, 0, 0)
	type line struct {
		id     storage.DeliveryID
		sender routing.Code
		agency routing.Code
	}
	var lines []line
	for i := range 45 {
		a.now = started.Add(time.Duration(i) * 3 * time.Hour)
		l := a.letter(fmt.Sprint("L", i%4), fmt.Sprint("M", i%3), fmt.Sprint("L", 10+i%2))
		l.Sender = routing.Code(fmt.Sprint("S.", i%3))
		a.accept(l)
		for n, d := range l.Deliveries {
			lines = append(lines, line{deliveryID(l.ID, n+1), l.Sender, d.Agency})
		}
	}
	slices.Reverse(lines)
	crowd := codes("L1", "M2", "S.1")
	for i := range 120 {
		crowd = append(crowd, routing.Code(fmt.Sprint("Z", i)))
	}
	from, to := started.Add(5*time.Hour), started.Add(100*time.Hour)
	for name, who := range map[string][]routing.Code{"one": codes("L1"), "a few": codes("M1", "L11", "M1", "S.2", "S.0"), "many": crowd} {
		var sent []uuid.UUID
		var received []storage.DeliveryID
		for _, l := range lines {
			at := storage.IDTime(l.id.Dispatch)
			if at.Before(from) || !at.Before(to) {
				continue
			}
			if slices.Contains(who, l.sender) && l.id.N == 1 {
				sent = append(sent, l.id.Dispatch)
			}
			if slices.Contains(who, l.agency) {
				received = append(received, l.id)
			}
		}
		var gotSent, gotSentPage []uuid.UUID
		f := storage.DispatchFilter{Senders: who, From: from, To: to, Limit: 4}
		for range pages(t) {
			list, err := a.Sent(ctx, f)
			must(t, err)
			for _, l := range list {
				if gotSent = append(gotSent, l.ID); l.States[storage.Delivered] != 1 || l.States[storage.Pending] != 2 {
					t.Errorf("%v", l.States)
				}
			}
			if len(list) < f.Limit {
				break
			}
			f.Before = list[len(list)-1].ID
		}
		w := storage.ListFilter{Agencies: who, From: from, To: to, Limit: 4}
		for range pages(t) {
			list, err := a.SentPage(ctx, w)
			must(t, err)
			for _, l := range list {
				gotSentPage = append(gotSentPage, l.ID)
			}
			if len(list) < w.Limit {
				break
			}
			w.Before = deliveryID(list[len(list)-1].ID, 0)
		}
		if !slices.Equal(gotSent, sent) || !slices.Equal(gotSentPage, sent) {
			t.Errorf("%s sent %v, %v; want %v", name, gotSent, gotSentPage, sent)
		}
		var gotReceived, gotReceivedPage []storage.DeliveryID
		r := storage.ReceivedFilter{Agencies: who, From: from, To: to, Limit: 4}
		for range pages(t) {
			list, err := a.Received(ctx, r)
			must(t, err)
			for _, l := range list {
				gotReceived = append(gotReceived, l.DeliveryID)
			}
			if len(list) < r.Limit {
				break
			}
			r.Before = list[len(list)-1].DeliveryID
		}
		w.Before = storage.DeliveryID{}
		for range pages(t) {
			list, err := a.ReceivedPage(ctx, w)
			must(t, err)
			for _, l := range list {
				gotReceivedPage = append(gotReceivedPage, l.DeliveryID)
			}
			if len(list) < w.Limit {
				break
			}
			w.Before = list[len(list)-1].DeliveryID
		}
		if !slices.Equal(gotReceived, received) || !slices.Equal(gotReceivedPage, received) {
			t.Errorf("%s received %v, %v; want %v", name, gotReceived, gotReceivedPage, received)
		}
	}
	list, err := a.Sent(ctx, storage.DispatchFilter{Senders: codes("S.0", "S.1"), DocumentID: "S-2026-000005"})
	if err != nil || len(list) != 1 || list[0].DocumentID != "S-2026-000005" {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err = a.Sent(ctx, storage.DispatchFilter{Senders: codes("S.0"), DocumentID: "S-2026-000005"}); err != nil || len(list) != 0 {
		t.Errorf("of another sender: %+v, %v", list, err)
	}
}

// pages bounds how many pages a list may have, so that a list that goes in a circle fails.
func pages(t *testing.T) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := range 50 {
			if !yield(i) {
				return
			}
		}
		t.Error("a list without an end")
	}
}
