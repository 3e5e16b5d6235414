package toy

import (
	"context"
	"errors"
	"io"
	"time"
)

// pollVXP looks into both queues and works them off until ctx ends.
func (h *Hub) pollVXP(ctx context.Context) error {
	failed := 0
	for h.up(ctx) == nil {
		taken, err := h.lookVXP(ctx)
		if failed++; err == nil || taken > 0 {
			failed = 0
		}
		pause := h.every()
		switch {
		case err != nil:
			h.log().Info("poll", "taken", taken, "error", err)
			_, least := Again(err)
			pause = max(h.Patience.pause(max(failed, 1)), least)
		case taken > 0:
			continue
		}
		if h.Patience.sleep(ctx, pause) != nil {
			break
		}
	}
	return ctx.Err()
}

func (h *Hub) every() time.Duration {
	if h.Every > 0 {
		return h.Every
	}
	return time.Second
}

// lookVXP takes what waits in both queues now, and gives the number of packets taken with one of the errors.
func (h *Hub) lookVXP(ctx context.Context) (taken int, last error) {
	for _, queue := range []string{EdocQueue, StatusQueue} {
		list, err := h.VXP.GetReceivedEdocList(ctx, queue, time.Time{}, time.Time{})
		if err != nil {
			return taken, err
		}
		n, err := h.takeAll(ctx, itemsOf(queue, list))
		taken += n
		if err != nil {
			last = err
		}
	}
	return taken, last
}

// itemsOf gives what waits, as a careful client reads the list: what is not initial is somebody's already.
func itemsOf(queue string, list []Knobstick) []Item {
	var items []Item
	for _, k := range list {
		if k.Status != "" && k.Status != PacketInitial {
			continue
		}
		it := Item{Item: k.DocID, Kind: ItemDispatch, Delivery: k.DocID, Agency: k.To, Dispatch: Summary{Sender: k.From}}
		if queue == StatusQueue {
			it.Kind = ItemReceipt
		}
		items = append(items, it)
	}
	return items
}

// errCrashed is what the fault dial does in place of a crash.
var errCrashed = errors.New("crashed after getEdoc, as the fault dial says")

// takeVXP fetches a packet, keeps what it says, and reports done; both queues work the same way.
func (h *Hub) takeVXP(ctx context.Context, it Item) error {
	defer h.tasks.begin()() // as in take
	fault, err := h.dialVXP(ctx)
	if err != nil {
		return err
	}
	leave, err := h.keys.enter(ctx, it.Item)
	if err != nil {
		return err
	}
	defer leave()
	r, err := h.keepVXP(ctx, it, fault)
	switch {
	case errors.Is(err, errUnfit):
		h.log().Warn("packet reported as failed", "packet", it.Item, "error", err)
		return h.VXP.UpdateStatus(ctx, it.Item, PacketFail, failReason(fault))
	case err != nil:
		return err
	}
	h.tasks.owe(it.Item, true)
	if fault.Name == LoseAnswer || fault.Name == Crash {
		return nil
	}
	if err := h.doneVXP(ctx, it.Item, fault); err != nil {
		if _, never := Refusal(err); never { // recalled in between, for example
			h.tasks.owe(it.Item, false)
		}
		return err
	}
	if it.Kind == ItemDispatch {
		h.answerSoon(r)
	}
	h.tasks.owe(it.Item, false)
	return nil
}

// dialVXP lets the fault dial act on a packet: Slow delays it, another one is given back.
func (h *Hub) dialVXP(ctx context.Context) (Fault, error) {
	var other Fault
	for _, x := range h.Faults.draw(vxpFaults...) {
		if x.Name != Slow {
			other = x
		} else if err := sleep(ctx, x.Delay); err != nil {
			return other, err
		}
	}
	return other, nil
}

// errUnfit is a packet that this hub cannot take, or plays that it cannot.
var errUnfit = errors.New("packet not taken")

func failReason(fault Fault) string {
	if fault.Name == FailPacket {
		return fault.Reason
	}
	return "goi tin khong doc duoc" // ASCII: the SDK cannot send Vietnamese in a header
}

// keepVXP has the packet here for good when it returns without an error: fetched, checked and logged, once for all.
func (h *Hub) keepVXP(ctx context.Context, it Item, fault Fault) (Received, error) {
	if r, ok := h.Log.Find(it.Item); ok {
		return r, h.Log.add(receivedLine{Again: it.Item})
	}
	b, err := h.VXP.GetEdoc(ctx, it.Item)
	switch {
	case err != nil:
		return Received{}, err
	case fault.Name == FailPacket:
		return Received{}, errUnfit
	case fault.Name == Crash && !fault.Stored:
		return Received{}, errCrashed
	}
	p, err := ReadEdXML(b)
	if err == nil && (p.Said != nil) != (it.Kind == ItemReceipt) {
		err = errors.New("in the wrong queue")
	}
	if err != nil {
		return Received{}, errors.Join(errUnfit, err)
	}
	if p.Said != nil {
		return Received{}, h.Log.hear(heardIn(it, p))
	}
	r := h.receivedIn(it, p)
	return r, h.Log.add(receivedLine{Received: &r})
}

// receivedIn is the document of a packet as the log keeps it. Over VXP no dispatch has a name: sender and document id
// say which document it is.
func (h *Hub) receivedIn(it Item, p Packet) Received {
	d := newDigester(io.Discard)
	d.Write(p.Part) // a hash never fails
	return Received{
		System: h.name(), Delivery: it.Item, DocumentID: p.Dispatch.DocumentID, Sender: p.Dispatch.Sender, Kind: p.Dispatch.Kind,
		Agency: it.Agency, AddressedTo: h.addressed(it.Agency, p.Dispatch.Recipients), At: h.now(),
		Package: d.digest("").SHA256, Files: p.Files, FilesFrom: it.Item, Code: p.Code(), Promulgated: p.Dispatch.PromulgationDate,
	}
}

// addressed finds the code by which the sender named this agency: it may be of the other form.
func (h *Hub) addressed(agency string, to []string) string {
	for _, code := range to {
		if code == agency {
			return code
		}
	}
	for _, code := range to {
		if h.Normal != nil && h.Normal(code) == h.Normal(agency) {
			return code
		}
	}
	return agency
}

// heardIn is a status packet as the log keeps it.
func heardIn(it Item, p Packet) Item {
	said := p.Said
	it.Delivery, it.Agency, it.AddressedTo = "", said.From, ""
	it.At = said.Receipt.EventTime
	it.Dispatch = Summary{Sender: said.To, DocumentID: p.Dispatch.DocumentID, Number: p.Dispatch.Number, Notation: p.Dispatch.Notation}
	it.Receipt = &HeardReceipt{Status: said.Receipt.Status, Agency: said.From, Staff: said.Receipt.Staff, Reason: said.Receipt.Reason,
		EventTime: said.Receipt.EventTime}
	return it
}

// doneVXP reports that the packet is here.
func (h *Hub) doneVXP(ctx context.Context, docID string, fault Fault) error {
	reports := []string{PacketDone}
	switch fault.Name {
	case Processing:
		reports = []string{PacketProcessing, PacketDone}
	case AnswerTwice:
		reports = []string{PacketDone, PacketDone}
	}
	for _, status := range reports {
		if _, err := h.Patience.try(ctx, func() error { return h.VXP.UpdateStatus(ctx, docID, status, "") }); err != nil {
			return err
		}
	}
	return nil
}
