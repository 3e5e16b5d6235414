package storage_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// What systems say, and what it does to the model.

func (m *model) taken(rt *rapid.T) {
	id, _, dl := m.delivery(rt)
	item := storage.ItemID{DeliveryID: id, Kind: storage.DispatchItem}
	by := dl.system
	if rapid.IntRange(0, 4).Draw(rt, "by another") == 0 {
		by = rapid.SampledFrom(m.systems).Draw(rt, "by")
	}
	if news := slices.DeleteFunc(slices.SortedFunc(maps.Keys(m.queue), compareItems), func(i storage.ItemID) bool { return i.Kind == storage.DispatchItem }); len(news) > 0 && rapid.Bool().Draw(rt, "news") {
		item = rapid.SampledFrom(news).Draw(rt, "item")
		m.takenNews(rt, item)
		return
	}
	_, err := m.a.Taken(m.ctx, item, by, m.now, "")
	switch {
	case by != dl.system:
		if !errors.Is(err, storage.ErrNotFound) {
			rt.Fatalf("taken by another: %v", err)
		}
	case dl.state == storage.Delivered:
		m.must(err)
	case dl.state == storage.Held || dl.state == storage.Recalled:
		if !asState(err, new(*storage.StateError)) {
			rt.Fatalf("taken while %s: %v", dl.state, err)
		}
	default: // pending, or parked: it has it after all
		m.must(err)
		m.delivered(id, dl)
		if k := len(dl.tries); k > 0 {
			dl.tries[k-1] = storage.Done
		}
	}
}

func (m *model) takenNews(rt *rapid.T, item storage.ItemID) {
	by := rapid.SampledFrom(m.systems).Draw(rt, "by")
	_, dl := m.at(item.DeliveryID)
	mine := m.queue[item].destination == by
	_, err := m.a.Taken(m.ctx, item, by, m.now, "")
	if known := mine || by == m.sender || by == dl.system; known != (err == nil) || !known && !errors.Is(err, storage.ErrNotFound) {
		rt.Fatalf("news taken by %s: %v", by, err)
	}
	if mine {
		delete(m.queue, item)
	}
}

func (m *model) delivered(id storage.DeliveryID, dl *mDelivery) {
	dl.state = storage.Delivered
	delete(m.queue, storage.ItemID{DeliveryID: id, Kind: storage.DispatchItem})
	m.unnotice(id)
}

// unnotice: that it is parked need not be told any more.
func (m *model) unnotice(id storage.DeliveryID) {
	for _, notice := range []storage.Notice{storage.NoticeRefused, storage.NoticeExpired} {
		delete(m.queue, storage.ItemID{DeliveryID: id, Kind: storage.NoticeItem, K: int(notice)})
	}
}

// modelRank is the order among statuses of one moment.
var modelRank = []storage.Status{"", "01", "03", "02", "04", "05", "06", "13", "16", "15"}

func (m *model) receipt(rt *rapid.T) {
	id, d, dl := m.delivery(rt)
	r := storage.Receipt{DeliveryID: id, Status: rapid.SampledFrom(modelRank[1:]).Draw(rt, "status"), Agency: routing.Code(dl.agency), System: dl.system,
		EventTime: m.a.now.Add(time.Duration(rapid.IntRange(0, 2).Draw(rt, "hour")) * time.Hour), ReceivedAt: m.now}
	if r.Status == storage.RecallAsked {
		r.Agency, r.System = "S", m.sender
	}
	got, err := m.a.AddReceipt(m.ctx, r, "")
	said := fmt.Sprint(r.Agency, r.Status, r.EventTime.Unix())
	answer := r.Status == storage.RecallAgreed || r.Status == storage.RecallDeclined
	switch {
	case dl.said[said]:
		if err != nil || !got.Repeated {
			rt.Fatalf("said before: %+v, %v", got, err)
		}
		return
	case dl.state == storage.Held || dl.state == storage.Recalled || r.Status == storage.RecallAsked && dl.state != storage.Pending && dl.state != storage.Delivered:
		if !asState(err, new(*storage.StateError)) {
			rt.Fatalf("a receipt while %s: %v", dl.state, err)
		}
		return
	case answer && d.original == nil && !dl.asked:
		if !errors.Is(err, storage.ErrNotAsked) {
			rt.Fatalf("nobody asked: %v", err)
		}
		return
	}
	m.must(err)
	dl.said[said] = true
	if dl.state != storage.Delivered && r.Status != storage.RecallAsked {
		m.delivered(id, dl)
	}
	if r.Status == storage.RecallAgreed {
		m.withdraw(d, mVersion{dl, id})
	}
	if answer || r.Status == storage.RecallAsked {
		dl.asked, dl.asks = dl.asked || r.Status == storage.RecallAsked, r.Status
	}
	if order := r.EventTime.Compare(dl.statusAt); dl.status == "" || order > 0 ||
		order == 0 && slices.Index(modelRank, r.Status) > slices.Index(modelRank, dl.status) {
		dl.status, dl.statusAt = r.Status, r.EventTime
	}
	if got.Repeated || got.K != len(dl.said) || got.State != dl.state {
		rt.Fatalf("%+v, want receipt %d of a %s delivery", got, len(dl.said), dl.state)
	}
	to := m.sender
	if r.Status == storage.RecallAsked {
		to = dl.system
	}
	m.enqueue(storage.ItemID{DeliveryID: id, Kind: storage.ReceiptItem, K: got.K}, to, d.urgency)
}

// withdraw is what a 15 does.
func (m *model) withdraw(d *mDispatch, own mVersion) {
	if d.kind == storage.New || own.asks == storage.RecallAsked {
		own.withdrawn, own.by = storage.ByRecall, nil
		return
	}
	for _, v := range m.versions(d, own.agency) {
		switch {
		case v.state == storage.Held || v.state == storage.Recalled:
			continue
		case v.state == storage.Pending && !v.told:
			v.state = storage.Recalled
			delete(m.queue, itemID(v.id.Dispatch, v.id.N))
			m.unnotice(v.id)
			continue
		case v.state != storage.Delivered:
			m.delivered(v.id, v.mDelivery)
		}
		switch {
		case d.kind == storage.Recall && v.withdrawn != storage.ByRecall:
			v.withdrawn, v.by = storage.ByRecall, d
		case d.kind == storage.Update && (v.withdrawn == "" || v.withdrawn == storage.ByUpdate && v.by.id.String() < d.id.String()):
			v.withdrawn, v.by = storage.ByUpdate, d
		}
	}
}

func (m *model) fetched(rt *rapid.T) {
	id, _, dl := m.delivery(rt)
	err := m.a.Fetched(m.ctx, id, m.now)
	if withdrawn := (*storage.WithdrawnError)(nil); dl.withdrawn != "" {
		if !errors.As(err, &withdrawn) || withdrawn.How != dl.withdrawn || (dl.by == nil) != (withdrawn.By == storage.DeliveryID{}) {
			rt.Fatalf("fetched though withdrawn: %v", err)
		}
		if dl.by != nil {
			if by, version := m.at(withdrawn.By); by != dl.by || version.agency != dl.agency {
				rt.Fatalf("withdrawn by %v", withdrawn.By)
			}
		}
		return
	}
	if stopped := dl.state == storage.Recalled || dl.state == storage.Held; stopped != asState(err, new(*storage.StateError)) || !stopped && err != nil {
		rt.Fatalf("fetched while %s: %v", dl.state, err)
	}
	dl.told = dl.told || dl.state == storage.Pending
}

func (m *model) answers(rt *rapid.T) {
	system := rapid.SampledFrom(m.systems[:2]).Draw(rt, "system")
	since, failing := m.failing[system]
	ok := rapid.Bool().Draw(rt, "ok")
	want := int64(0)
	switch {
	case !ok && !failing:
		m.failing[system] = m.now
	case ok && failing:
		delete(m.failing, system)
		for _, item := range m.queue {
			if item.destination == system && item.due.After(m.now.Add(limits.Lease)) {
				item.due = m.now
				want++
			}
		}
	}
	if got, err := m.a.Answers(m.ctx, system, ok, "down", m.now, limits.Lease); err != nil || got != want {
		rt.Fatalf("brought forward %d, %v; want %d (failing since %v)", got, err, want, since)
	}
}

func (m *model) reroute(rt *rapid.T) {
	agency := rapid.SampledFrom(m.agencies).Draw(rt, "agency")
	from, to := m.routes[agency], rapid.SampledFrom(m.systems).Draw(rt, "to")
	if from == to {
		rt.Skip("it is served there")
	}
	m.routes[agency] = to
	want := int64(0)
	for _, d := range m.dispatches {
		for i, dl := range d.deliveries {
			if dl.agency != agency || dl.system != from || dl.state != storage.Pending {
				continue
			}
			want++
			dl.system, dl.told = to, false
			item := m.queue[itemID(d.id, i+1)]
			item.destination, item.due = to, time.Time{}
			item.fence++
			switch m.ways[to] {
			case routing.Push:
				item.due = m.now
			case routing.Mailbox:
				m.delivered(deliveryID(d.id, i+1), dl)
			}
		}
	}
	if got, err := m.a.Reroute(m.ctx, routing.Code(agency), from, to, m.ways[to], m.now); err != nil || got != want {
		rt.Fatalf("moved %d, %v; want %d", got, err, want)
	}
}
