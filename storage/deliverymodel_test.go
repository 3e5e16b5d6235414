package storage_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

func init() {
	checks := "60" // each is some thirty verbs, with everything compared after each
	if os.Getenv("TRUC_LONG") == "1" {
		checks = "1000"
	}
	if err := flag.Set("rapid.checks", checks); err != nil { // the command line comes later and wins
		panic(err)
	}
}

// TestDeliveryModel plays random sequences of every verb that moves a delivery against a model in memory: claims of
// several nodes, lost, crashed and given back, records in any order and twice, receipts in any order, recalls, releases,
// reroutes, destinations that fail and come back. After each verb both agree on every delivery, try and waiting item.
func TestDeliveryModel(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		m := newModel(rt, a, runs)
		defer m.end()
		rt.Repeat(map[string]func(*rapid.T){
			"":           m.compare,
			"accept":     m.accept,
			"claim":      m.claim,
			"claim more": m.claim,
			"record":     m.record,
			"record too": m.record,
			"give back":  m.release,
			"crash":      m.crash,
			"wait":       m.wait,
			"taken":      m.taken,
			"receipt":    m.receipt,
			"fetched":    m.fetched,
			"answers":    m.answers,
			"reroute":    m.reroute,
			"recall":     m.recall,
			"let go":     m.letGo,
		})
	})
}

// model is what ought to be. Its systems are of this run only; those of runs before it are disabled.
type model struct {
	*rapid.T
	a          *axis
	ctx        context.Context
	now        time.Time
	ways       map[string]routing.Way
	systems    []string // of recipients
	sender     string
	routes     map[string]string // agency -> system
	agencies   []string
	dispatches []*mDispatch
	queue      map[storage.ItemID]*mItem
	claims     []storage.Claimed // held by somebody
	failing    map[string]time.Time
}

type mDispatch struct {
	id         uuid.UUID
	original   *mDispatch // of a recall
	urgency    routing.Urgency
	deliveries []*mDelivery
}

type mDelivery struct {
	agency, system string
	state          storage.State
	told           bool
	status         storage.Status
	statusAt       time.Time
	tries          []storage.Outcome // "" has no end
	said           map[string]bool
	asked          bool
}

type mItem struct {
	destination string
	urgency     routing.Urgency
	due         time.Time // zero: waits to be pulled
	fence       int
}

func newModel(rt *rapid.T, a *axis, run int) *model {
	m := &model{T: rt, a: a, ctx: context.Background(), now: a.now, ways: map[string]routing.Way{}, routes: map[string]string{},
		queue: map[storage.ItemID]*mItem{}, failing: map[string]time.Time{}, agencies: []string{"A", "B", "C", "D", "E"}}
	for i, way := range []routing.Way{routing.Push, routing.Push, routing.Pull, routing.Mailbox} {
		id := fmt.Sprintf("m%d-%d", run, i)
		a.system(id, way, routing.Code(id))
		m.systems, m.ways[id] = append(m.systems, id), way
		m.routes[m.agencies[i]] = id
	}
	m.routes["E"] = m.systems[0]
	m.sender = m.systems[rapid.IntRange(0, 3).Draw(rt, "the sender's way")]
	return m
}

// end takes this run's systems out of the next one's claims.
func (m *model) end() {
	for _, id := range m.systems {
		if err := m.a.DisableSystem(m.ctx, id, "test", m.now); err != nil {
			m.Fatalf("%v", err)
		}
	}
}

func (m *model) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatalf("%v", err)
	}
}

func (m *model) wait(rt *rapid.T) {
	m.now = m.now.Add(rapid.SampledFrom([]time.Duration{time.Second, limits.Lease, toldFor, time.Hour}).Draw(rt, "for"))
}

func (m *model) accept(rt *rapid.T) {
	if len(m.dispatches) == 4 {
		rt.Skip("enough")
	}
	to := rapid.SliceOfNDistinct(rapid.SampledFrom(m.agencies), 1, 5, rapid.ID).Draw(rt, "to")
	m.submit(rt, nil, to)
}

func (m *model) recall(rt *rapid.T) {
	if len(m.dispatches) == 0 || len(m.dispatches) >= 8 {
		rt.Skip("nothing, or enough")
	}
	d := rapid.SampledFrom(m.dispatches).Draw(rt, "of")
	if d.original != nil {
		rt.Skip("a recall")
	}
	var to []string
	for _, dl := range d.deliveries {
		to = append(to, dl.agency)
	}
	m.submit(rt, d, rapid.SliceOfNDistinct(rapid.SampledFrom(to), 1, len(to), rapid.ID).Draw(rt, "at"))
}

func (m *model) submit(rt *rapid.T, original *mDispatch, to []string) {
	l := m.a.letter()
	l.ID, l.System, l.AcceptedAt, l.Deadline = storage.NewID(m.now), m.sender, m.now, m.now
	l.Urgency = rapid.SampledFrom([]routing.Urgency{routing.Normal, routing.Express}).Draw(rt, "urgency")
	d := &mDispatch{id: l.ID, original: original, urgency: l.Urgency}
	if original != nil {
		l.Kind, l.Original = storage.Recall, original.id
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
	if d.original == nil {
		return
	}
	for i, own := range d.deliveries {
		for n, dl := range d.original.deliveries {
			if dl.agency != own.agency {
				continue
			}
			if (dl.state == storage.Pending || dl.state == storage.Held) && !dl.told {
				dl.state = storage.Recalled
				delete(m.queue, itemID(d.original.id, n+1))
			}
			if dl.state == storage.Recalled && own.state == storage.Pending {
				own.state = storage.Recalled
				delete(m.queue, itemID(d.id, i+1))
			}
		}
	}
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
	case dl.state != storage.Pending:
		if !asState(err, new(*storage.StateError)) {
			rt.Fatalf("taken while %s: %v", dl.state, err)
		}
	default:
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
}

// modelRank is the order of the business ladder (R27): the current status only moves forward.
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
	case dl.state != storage.Pending && dl.state != storage.Delivered:
		if !asState(err, new(*storage.StateError)) {
			rt.Fatalf("a receipt while %s: %v", dl.state, err)
		}
		return
	case dl.said[said]:
		if err != nil || !got.Repeated {
			rt.Fatalf("said before: %+v, %v", got, err)
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
	dl.asked = dl.asked || r.Status == storage.RecallAsked
	if dl.state == storage.Pending && r.Status != storage.RecallAsked {
		m.delivered(id, dl)
	}
	if by := slices.Index(modelRank, r.Status) - slices.Index(modelRank, dl.status); by > 0 || by == 0 && r.EventTime.After(dl.statusAt) {
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

func (m *model) fetched(rt *rapid.T) {
	id, _, dl := m.delivery(rt)
	err := m.a.Fetched(m.ctx, id, m.now)
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

// compare reads everything back.
func (m *model) compare(rt *rapid.T) {
	var ids []uuid.UUID
	var want []string
	for _, d := range m.dispatches {
		ids = append(ids, d.id)
		for i, dl := range d.deliveries {
			statusAt := int64(0)
			if dl.status != "" {
				statusAt = dl.statusAt.Unix()
			}
			want = append(want, fmt.Sprintf("%s %s at %s, told %t, status %q %d, tries %v", deliveryID(d.id, i+1), dl.state, dl.system, dl.told, dl.status, statusAt, dl.tries))
		}
	}
	for id, item := range m.queue {
		due := "-"
		if !item.due.IsZero() {
			due = item.due.UTC().Format(time.RFC3339)
		}
		want = append(want, fmt.Sprintf("item %s for %s, urgency %d, due %s, fence %d", id, item.destination, item.urgency, due, item.fence))
	}
	rows, err := m.a.Pool().Query(m.ctx, `
		SELECT format('%s.%s %s at %s, told %s, status "%s" %s, tries [%s]', dispatch_id, n, state, system_id,
		              CASE WHEN told_at IS NULL THEN 'false' ELSE 'true' END, status, coalesce(extract(epoch FROM status_at), 0)::bigint,
		              (SELECT string_agg(coalesce(outcome, ''), ' ' ORDER BY k) FROM attempt AS t WHERE t.dispatch_id = d.dispatch_id AND t.n = d.n))
		  FROM delivery AS d WHERE dispatch_id = ANY($1)
		UNION ALL
		SELECT format('item %s.%s.%s.%s for %s, urgency %s, due %s, fence %s', dispatch_id, n, kind, k, destination, urgency,
		              coalesce(to_char(due AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '-'), fence)
		  FROM queue WHERE dispatch_id = ANY($1)`, ids)
	m.must(err)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	m.must(err)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		rt.Fatalf("is:\n%s\nought to be:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func compareItems(x, y storage.ItemID) int { return strings.Compare(x.String(), y.String()) }
