package storage_test

import (
	"context"
	"flag"
	"fmt"
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
// several nodes, lost, crashed and given back, records in any order and twice, receipts in any order, recalls, updates, releases,
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
			"update":     m.update,
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
	kind       storage.Kind
	original   *mDispatch // of a recall or update
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
	asks           storage.Status // the last of 13, 15, 16
	withdrawn      storage.Withdrawal
	by             *mDispatch
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
			by := ""
			if dl.by != nil {
				by = dl.by.id.String()
			}
			want = append(want, fmt.Sprintf("%s %s at %s, told %t, status %q %d, withdrawn %q by %q, tries %v", deliveryID(d.id, i+1), dl.state, dl.system, dl.told,
				dl.status, statusAt, dl.withdrawn, by, dl.tries))
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
		SELECT format('%s.%s %s at %s, told %s, status "%s" %s, withdrawn "%s" by "%s", tries [%s]', dispatch_id, n, state, system_id,
		              CASE WHEN told_at IS NULL THEN 'false' ELSE 'true' END, status, coalesce(extract(epoch FROM status_at), 0)::bigint, withdrawn, withdrawn_by,
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
