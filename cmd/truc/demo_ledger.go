package main

import (
	"context"
	"fmt"
	"time"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// ledger is what the demo ends with. All but the toys' part is recounted from the database's rows; lost is computed from
// the toys' own logs alone.
type ledger struct {
	Dispatches int  `json:"dispatches"`
	Accepted   int  `json:"accepted"` // deliveries, as all that follow
	Delivered  int  `json:"delivered"`
	Refused    int  `json:"refused"`
	Expired    int  `json:"expired"`
	Held       int  `json:"held"`
	Recalled   int  `json:"recalled"`
	Pending    int  `json:"pending"`
	Receipts   int  `json:"receipts"`
	Lost       int  `json:"lost"` // acknowledged pairs of document and recipient that did not arrive, or not as they were sent
	Balanced   bool `json:"balanced"`

	Doubled      int     `json:"doubled"`       // arrived twice in effect
	Stray        int     `json:"stray"`         // arrived where nobody sent it, or though it was refused or recalled
	ReceiptsLost int     `json:"receipts_lost"` // said by a recipient, not heard by the sender
	Seconds      float64 `json:"seconds"`

	byWay    map[routing.Way]map[storage.State]int
	compared toy.Result
	sent     int // deliveries that the senders' logs say were acknowledged
}

// good says that nothing was lost and the books balance.
func (l ledger) good() bool {
	return l.Lost == 0 && l.Balanced && l.Pending == 0 && l.Doubled == 0 && l.Stray == 0 && l.ReceiptsLost == 0
}

// recount reads every dispatch accepted since began, and its deliveries and receipts, page by page.
func recount(ctx context.Context, store *storage.Store, began time.Time) (ledger, error) {
	l := ledger{byWay: map[routing.Way]map[storage.State]int{}}
	states := map[storage.State]int{}
	lines, err := store.SentPage(ctx, storage.ListFilter{Everyone: true, From: began, Limit: 1000})
	if err != nil {
		return l, err
	}
	for _, line := range lines {
		l.Dispatches++
		n, err := store.CountDeliveries(ctx, line.ID)
		if err != nil {
			return l, err
		}
		l.Accepted += n
		if err := l.addDeliveries(ctx, store, line, states); err != nil {
			return l, err
		}
	}
	l.Delivered, l.Refused, l.Expired = states[storage.Delivered], states[storage.Refused], states[storage.Expired]
	l.Held, l.Recalled, l.Pending = states[storage.Held], states[storage.Recalled], states[storage.Pending]
	l.Balanced = l.Accepted == l.Delivered+l.Refused+l.Expired+l.Held+l.Recalled+l.Pending
	return l, nil
}

func (l *ledger) addDeliveries(ctx context.Context, store *storage.Store, line storage.SentLine, states map[storage.State]int) error {
	for after := 0; ; {
		page, err := store.Deliveries(ctx, line.ID, after, 1000)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, d := range page {
			states[d.State]++
			if l.byWay[d.Way] == nil {
				l.byWay[d.Way] = map[storage.State]int{}
			}
			l.byWay[d.Way][d.State]++
		}
		last := page[len(page)-1].N
		receipts, err := store.Receipts(ctx, line.ID, page[0].N, last)
		if err != nil {
			return err
		}
		for _, some := range receipts {
			l.Receipts += len(some)
		}
		after = last
	}
}

// compare adds what the toys' own logs say.
func (l *ledger) compare(t *toys) {
	sent, received := t.sent.All(), t.received()
	l.compared = toy.Compare(sent, received, excused(t, sent)...)
	l.Lost = len(l.compared.Lost) + len(l.compared.WrongHash)
	l.Doubled = len(l.compared.Doubled)
	l.Stray = len(l.compared.Stray) + len(l.compared.Unknown) + recalledYetReceived(sent, received)
	l.sent = l.compared.Expected + l.compared.Excepted
	l.ReceiptsLost = unheard(t)
	l.Balanced = l.Balanced && l.sent == l.Accepted // the senders' books and the axis's say the same
}

// excused lists acknowledged documents that need not arrive, each for a reason that the sender's own system knows: it was
// told that the document is held, it heard the notice of refusal or expiry, or it recalled the document itself.
func excused(t *toys, sent []toy.Sent) []toy.Exception {
	out := toy.HeldOnes(sent)
	for _, s := range sent {
		if s.Kind != toy.KindRecall || !s.Acknowledged() {
			continue
		}
		for _, to := range s.Recipients { // covers the original too, whose id a recall repeats
			out = append(out, toy.Exception{Sender: s.Sender, DocumentID: s.DocumentID, Recipient: to, Why: "recalled by its sender"})
		}
	}
	for _, log := range t.logs {
		for _, item := range log.Heard() {
			if item.Notice != nil && (item.Notice.Code == "refused" || item.Notice.Code == "expired") {
				out = append(out, toy.Exception{Sender: item.Dispatch.Sender, DocumentID: item.Dispatch.DocumentID, Recipient: item.AddressedTo, Why: item.Notice.EN})
			}
		}
	}
	return out
}

// recalledYetReceived counts recalled documents that arrived all the same. The demo recalls only what no system has
// fetched, so that there must be none.
func recalledYetReceived(sent []toy.Sent, received []toy.Received) int {
	recalled := map[string]bool{}
	for _, s := range sent {
		if s.Kind == toy.KindRecall && s.Acknowledged() {
			for _, to := range s.Recipients {
				recalled[s.Sender+" "+s.DocumentID+" "+to] = true
			}
		}
	}
	n := 0
	for _, r := range received {
		if recalled[fmt.Sprintf("%s %s %s", r.Sender, r.DocumentID, r.AddressedTo)] {
			n++
		}
	}
	return n
}

// unheard counts receipts that a recipient's toy said and the axis took, but that no sender's toy heard. Both sides know
// the document by its sender and id: a delivery has another name at each of them.
func unheard(t *toys) int {
	type word struct {
		sender, document, agency string
		status                   toy.Status
	}
	heard := map[word]bool{}
	for _, log := range t.logs {
		for _, item := range log.Heard() {
			if r := item.Receipt; r != nil {
				heard[word{item.Dispatch.Sender, item.Dispatch.DocumentID, r.Agency, r.Status}] = true
			}
		}
	}
	n := 0
	for _, log := range t.logs {
		for _, s := range log.Said() {
			r, known := log.Find(s.Delivery)
			if !known || !heard[word{r.Sender, r.DocumentID, r.Agency, s.Status}] {
				n++
			}
		}
	}
	return n
}
