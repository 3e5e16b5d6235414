package storage_test

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// What each verb does to the model, and what the database must answer.

func (m *model) wait(rt *rapid.T) {
	m.now = m.now.Add(rapid.SampledFrom([]time.Duration{time.Second, limits.Lease, toldFor, time.Hour}).Draw(rt, "for"))
}

func (m *model) accept(rt *rapid.T) {
	if len(m.dispatches) == 4 {
		rt.Skip("enough")
	}
	to := rapid.SliceOfNDistinct(rapid.SampledFrom(m.agencies), 1, 5, rapid.ID).Draw(rt, "to")
	m.submit(rt, storage.New, nil, to)
}

func (m *model) recall(rt *rapid.T) { m.later(rt, storage.Recall) }

func (m *model) update(rt *rapid.T) { m.later(rt, storage.Update) }

func (m *model) later(rt *rapid.T, kind storage.Kind) {
	if len(m.dispatches) == 0 || len(m.dispatches) >= 8 {
		rt.Skip("nothing, or enough")
	}
	d := rapid.SampledFrom(m.dispatches).Draw(rt, "of")
	if d.kind != storage.New {
		rt.Skip("a recall or update")
	}
	m.now = m.now.Add(time.Millisecond) // its id is greater
	var to []string
	for _, dl := range d.deliveries {
		to = append(to, dl.agency)
	}
	m.submit(rt, kind, d, rapid.SliceOfNDistinct(rapid.SampledFrom(to), 1, len(to), rapid.ID).Draw(rt, "at"))
}

func (m *model) submit(rt *rapid.T, kind storage.Kind, original *mDispatch, to []string) {
	l := m.a.letter()
	l.ID, l.System, l.AcceptedAt, l.Deadline = storage.NewID(m.now), m.sender, m.now, m.now
	l.Urgency = rapid.SampledFrom([]routing.Urgency{routing.Normal, routing.Express}).Draw(rt, "urgency")
	d := &mDispatch{id: l.ID, kind: kind, original: original, urgency: l.Urgency}
	if original != nil {
		l.Kind, l.Original = kind, original.id
		var err error
		l.Versions, err = m.a.Updates(m.ctx, original.id)
		m.must(err)
	}
	if rapid.IntRange(0, 3).Draw(rt, "held") == 0 {
		l.HeldFor, l.HeldBy = "policy", "operator"
	}
	for i, agency := range to {
		system := m.routes[agency]
		l.Deliveries = append(l.Deliveries, storage.NewDelivery{AddressedTo: agency, Agency: routing.Code(agency), System: system, Way: m.ways[system]})
		dl := &mDelivery{agency: agency, system: system, state: storage.Held, said: map[string]bool{}}
		d.deliveries = append(d.deliveries, dl)
		if l.HeldFor == "" {
			m.start(d, i)
		}
	}
	if l.HeldFor == "" {
		m.takeBack(d)
	}
	m.dispatches = append(m.dispatches, d)
	m.must(second(m.a.Accept(m.ctx, l)))
}

// start is what becomes of a delivery that may go.
func (m *model) start(d *mDispatch, i int) {
	dl := d.deliveries[i]
	if m.ways[dl.system] == routing.Mailbox {
		dl.state = storage.Delivered
		return
	}
	dl.state = storage.Pending
	m.enqueue(itemID(d.id, i+1), dl.system, d.urgency)
}

func (m *model) enqueue(id storage.ItemID, system string, u routing.Urgency) {
	if m.ways[system] == routing.Mailbox && id.Kind != storage.DispatchItem || m.queue[id] != nil {
		return
	}
	item := &mItem{destination: system, urgency: u}
	if m.ways[system] == routing.Push {
		item.due = m.now
	}
	m.queue[id] = item
}

// takeBack is what a recall that may go does.
func (m *model) takeBack(d *mDispatch) {
	if d.kind != storage.Recall {
		return
	}
	for i, own := range d.deliveries {
		versions := m.versions(d, own.agency)
		gone := len(versions) > 0
		for _, v := range versions {
			if (v.state == storage.Pending || v.state == storage.Held) && !v.told {
				v.state = storage.Recalled
				delete(m.queue, itemID(v.id.Dispatch, v.id.N))
			}
			gone = gone && v.state == storage.Recalled
		}
		if gone && own.state == storage.Pending {
			own.state = storage.Recalled
			delete(m.queue, itemID(d.id, i+1))
		}
	}
}

type mVersion struct {
	*mDelivery
	id storage.DeliveryID
}

// versions are the document that d recalls or updates and its updates before d, as far as they went to an agency.
func (m *model) versions(d *mDispatch, agency string) (list []mVersion) {
	for _, v := range m.dispatches {
		if v != d.original && (v == d || v.kind != storage.Update || v.original != d.original || v.id.String() > d.id.String()) {
			continue
		}
		for i, dl := range v.deliveries {
			if dl.agency == agency {
				list = append(list, mVersion{dl, deliveryID(v.id, i+1)})
			}
		}
	}
	return list
}

func (m *model) letGo(rt *rapid.T) {
	d := m.dispatch(rt)
	want := int64(0)
	for i, dl := range d.deliveries {
		if dl.state == storage.Held {
			want++
			m.start(d, i)
		}
	}
	if want > 0 {
		m.takeBack(d)
	}
	got, err := m.a.ReleaseHeld(m.ctx, d.id, "op", "", m.now)
	if got != want || errors.Is(err, storage.ErrNotFound) != (want == 0) || err != nil && want > 0 {
		rt.Fatalf("released %d, %v; want %d", got, err, want)
	}
}

func (m *model) dispatch(rt *rapid.T) *mDispatch {
	if len(m.dispatches) == 0 {
		rt.Skip("nothing yet")
	}
	return rapid.SampledFrom(m.dispatches).Draw(rt, "dispatch")
}

func (m *model) delivery(rt *rapid.T) (storage.DeliveryID, *mDispatch, *mDelivery) {
	d := m.dispatch(rt)
	n := rapid.IntRange(1, len(d.deliveries)).Draw(rt, "n")
	return deliveryID(d.id, n), d, d.deliveries[n-1]
}

func (m *model) at(id storage.DeliveryID) (*mDispatch, *mDelivery) {
	for _, d := range m.dispatches {
		if d.id == id.Dispatch {
			return d, d.deliveries[id.N-1]
		}
	}
	m.Fatalf("no delivery %s", id)
	return nil, nil
}

func (m *model) claim(rt *rapid.T) {
	l := storage.ClaimLimits{Lease: limits.Lease, PerDestination: rapid.IntRange(1, 3).Draw(rt, "per destination"), Total: rapid.IntRange(1, 8).Draw(rt, "total")}
	if rapid.Bool().Draw(rt, "one is full") {
		l.Except = []string{m.systems[0]}
	}
	claims, err := m.a.Claim(m.ctx, "node", m.now, l)
	m.must(err)
	m.mustBeFirst(rt, claims, l)
	for _, c := range claims {
		item := m.queue[c.ItemID]
		item.fence++
		item.due = m.now.Add(l.Lease)
		try := item.fence
		if c.Kind == storage.DispatchItem {
			_, dl := m.at(c.DeliveryID)
			dl.tries = append(dl.tries, "")
			try = len(dl.tries)
		}
		if c.Fence != item.fence || c.Try != try || c.Destination != item.destination {
			rt.Fatalf("claimed %s: fence %d try %d at %s; want %d, %d, %s", c.ItemID, c.Fence, c.Try, c.Destination, item.fence, try, item.destination)
		}
	}
	m.claims = append(m.claims, claims...)
}

// mustBeFirst: what was claimed is due, within the limits, and no more urgent or older item was passed over.
func (m *model) mustBeFirst(rt *rapid.T, claims []storage.Claimed, l storage.ClaimLimits) {
	type place struct {
		destination string
		urgency     routing.Urgency
	}
	due, took, want := map[place]int{}, map[place]int{}, 0
	for _, item := range m.queue {
		if m.ready(item, l) {
			due[place{item.destination, item.urgency}]++
		}
	}
	for _, n := range due {
		want += min(n, l.PerDestination)
	}
	if len(claims) != min(want, l.Total) {
		rt.Fatalf("claimed %d, want %d", len(claims), min(want, l.Total))
	}
	claimed := map[storage.ItemID]bool{}
	for _, c := range claims {
		item := m.queue[c.ItemID]
		if item == nil || !m.ready(item, l) || claimed[c.ItemID] {
			rt.Fatalf("claimed %s, which is not due: %+v", c.ItemID, item)
		}
		claimed[c.ItemID] = true
		took[place{item.destination, item.urgency}]++
	}
	for id, passed := range m.queue {
		if claimed[id] || !m.ready(passed, l) {
			continue
		}
		at := place{passed.destination, passed.urgency}
		for _, c := range claims {
			item := m.queue[c.ItemID]
			behind := cmp.Or(cmp.Compare(passed.urgency, item.urgency), item.due.Compare(passed.due)) > 0
			if behind && (took[at] < l.PerDestination || at == place{item.destination, item.urgency}) {
				rt.Fatalf("%s was passed over for %s", id, c.ItemID)
			}
		}
	}
}

func (m *model) ready(item *mItem, l storage.ClaimLimits) bool {
	return !item.due.IsZero() && !item.due.After(m.now) && m.ways[item.destination] == routing.Push && !slices.Contains(l.Except, item.destination)
}

// some takes claims out of those that are held.
func (m *model) some(rt *rapid.T) []storage.Claimed {
	if len(m.claims) == 0 {
		rt.Skip("nothing claimed")
	}
	chosen := rapid.SliceOfNDistinct(rapid.IntRange(0, len(m.claims)-1), 1, len(m.claims), rapid.ID).Draw(rt, "claims")
	var list, rest []storage.Claimed
	for _, i := range chosen {
		list = append(list, m.claims[i])
	}
	for i, c := range m.claims {
		if !slices.Contains(chosen, i) {
			rest = append(rest, c)
		}
	}
	m.claims = rest
	return list
}

// crash: whoever held them is heard of no more.
func (m *model) crash(rt *rapid.T) { m.some(rt) }

func (m *model) release(rt *rapid.T) {
	list := m.some(rt)
	for _, c := range list {
		m.noteTry(c, storage.Later)
		if item := m.queue[c.ItemID]; item != nil && item.fence == c.Fence {
			item.due = m.now
		}
	}
	m.must(m.a.Release(m.ctx, list, m.now))
}

func (m *model) noteTry(c storage.Claimed, o storage.Outcome) {
	if c.Kind != storage.DispatchItem {
		return
	}
	if _, dl := m.at(c.DeliveryID); dl.tries[c.Try-1] == "" {
		dl.tries[c.Try-1] = o
	}
}

func (m *model) record(rt *rapid.T) {
	list := m.some(rt)
	if rapid.IntRange(0, 3).Draw(rt, "answer lost") == 0 {
		m.claims = append(m.claims, list...) // and will be recorded again
	}
	var results []storage.Result
	lost := 0
	for _, c := range list {
		r := storage.Result{Claimed: c, EndedAt: m.now, Next: m.now.Add(rapid.SampledFrom([]time.Duration{0, time.Minute, 8 * time.Hour}).Draw(rt, "next"))}
		switch rapid.IntRange(0, 4).Draw(rt, "outcome") {
		case 0:
			r.Outcome, r.Taken = storage.Done, true
		case 1:
			r.Outcome = storage.Done
		case 2:
			r.Outcome, r.Park, r.Owner, r.Deadline = storage.Never, storage.Refused, "sender", m.now
		case 3:
			r.Outcome, r.Park, r.Owner, r.Deadline = storage.Later, storage.Expired, "sender", m.now
		default:
			r.Outcome = storage.Later
		}
		if results = append(results, r); !m.apply(r) {
			lost++
		}
	}
	if got, err := m.a.Record(m.ctx, results); err != nil || got != lost {
		rt.Fatalf("%d lost, %v; want %d", got, err, lost)
	}
}

// apply is what a result changes; false: its claim was lost.
func (m *model) apply(r storage.Result) bool {
	if r.Outcome == storage.Done && !r.Taken {
		m.noteTry(r.Claimed, storage.Later)
	} else {
		m.noteTry(r.Claimed, r.Outcome)
	}
	item := m.queue[r.ItemID]
	if item == nil || item.fence != r.Fence {
		return false
	}
	if r.Kind != storage.DispatchItem {
		switch {
		case r.Outcome == storage.Done:
			delete(m.queue, r.ItemID)
		case r.Park != "":
			item.due = time.Time{}
		default:
			item.due = r.Next
		}
		return true
	}
	d, dl := m.at(r.DeliveryID)
	switch {
	case r.Taken:
		dl.state, dl.told = storage.Delivered, true
		delete(m.queue, r.ItemID)
	case r.Park != "":
		dl.state = r.Park
		delete(m.queue, r.ItemID)
		notice := storage.NoticeExpired
		if r.Park == storage.Refused {
			notice = storage.NoticeRefused
		}
		m.enqueue(storage.ItemID{DeliveryID: r.DeliveryID, Kind: storage.NoticeItem, K: int(notice)}, m.sender, d.urgency)
	default:
		item.due = r.Next
		dl.told = dl.told || r.Outcome == storage.Done
	}
	return true
}
