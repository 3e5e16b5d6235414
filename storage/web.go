package storage

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

// The reads of the web pages. They differ from the native API's in that a person filters by what a list shows.

// Face is what a person asks of a list: which documents need what.
type Face string

// The faces of the sent list; Returned is one of the received list too.
const (
	FacePending   Face = "pending"   // some recipient does not have it yet
	FaceFailed    Face = "failed"    // some delivery was refused or expired
	FaceHeld      Face = "held"      // stopped by a policy or a person
	FaceReturned  Face = "returned"  // some recipient said 02
	FaceRecalled  Face = "recalled"  // taken back before it was fetched
	FaceDelivered Face = "delivered" // every recipient's system has it
)

// The faces of the received list.
const (
	FaceWaiting    Face = "waiting"    // nobody here registered or returned it yet
	FaceRegistered Face = "registered" // registered, assigned, in process or completed
	FaceAskedBack  Face = "asked_back" // the sender asks it back and waits for the answer
)

var sentFaces = map[Face]string{
	FacePending:   `EXISTS (SELECT 1 FROM delivery AS x WHERE x.dispatch_id = d.id AND x.state = 'pending')`,
	FaceFailed:    `EXISTS (SELECT 1 FROM delivery AS x WHERE x.dispatch_id = d.id AND x.state IN ('refused', 'expired'))`,
	FaceHeld:      `EXISTS (SELECT 1 FROM delivery AS x WHERE x.dispatch_id = d.id AND x.state = 'held')`,
	FaceReturned:  `EXISTS (SELECT 1 FROM delivery AS x WHERE x.dispatch_id = d.id AND x.status = '02')`,
	FaceRecalled:  `EXISTS (SELECT 1 FROM delivery AS x WHERE x.dispatch_id = d.id AND x.state = 'recalled')`,
	FaceDelivered: `NOT EXISTS (SELECT 1 FROM delivery AS x WHERE x.dispatch_id = d.id AND x.state <> 'delivered')`,
}

var receivedFaces = map[Face]string{
	FaceWaiting:    `dl.status IN ('', '01') AND dl.withdrawn = ''`,
	FaceRegistered: `dl.status IN ('03', '04', '05', '06')`,
	FaceReturned:   `dl.status = '02'`,
	FaceAskedBack:  `dl.status = '13'`,
}

// ListFilter chooses the lines of a list, newest first.
type ListFilter struct {
	Everyone bool           // all agencies: for those who run or audit the axis. Agencies is then not read
	Agencies []routing.Code // whose list it is
	From, To time.Time      // of acceptance, From inclusive, To exclusive (zero: no end); From bounds the months that are read
	Text     string         // words that must all stand in number, notation, document id or, with Subjects, the subject; accents and case do not count
	Subjects bool
	Urgency  *routing.Urgency
	Face     Face       // one that the list does not know chooses nothing
	Before   DeliveryID // the last line of the page before; the sent list reads only the dispatch
	Limit    int        // at most 1,000
}

// SentLine is a dispatch as the sent list shows it.
type SentLine struct {
	DispatchLine
	First    routing.Code // the first recipient
	Returned int          // recipients that said 02
}

// clauses collects conditions; each ? in a fragment becomes the number of its argument. Fragments are constants.
type clauses struct {
	parts []string
	args  []any
}

func (c *clauses) add(fragment string, args ...any) {
	for _, a := range args {
		c.args = append(c.args, a)
		fragment = strings.Replace(fragment, "?", "$"+strconv.Itoa(len(c.args)), 1)
	}
	c.parts = append(c.parts, fragment)
}

func (c *clauses) String() string { return strings.Join(c.parts, " AND ") }

// folded takes case and the marks of Vietnamese off a text: đ is a letter of its own, all others decompose.
const folded = `regexp_replace(normalize(replace(lower(%s), 'đ', 'd'), NFD), '[\u0300-\u036f]', '', 'g')`

// words is how many words of a search count: each costs a pass over the text.
const words = 8

func (c *clauses) about(f ListFilter) {
	text := `d.number || '/' || d.notation || ' ' || d.document_id`
	if f.Subjects {
		text += ` || ' ' || d.subject`
	}
	for i, word := range strings.Fields(f.Text) {
		if i < words {
			c.add(`strpos(`+fmt.Sprintf(folded, text)+`, `+fmt.Sprintf(folded, "?::text")+`) > 0`, word)
		}
	}
	if f.Urgency != nil {
		c.add(`d.urgency = ?`, *f.Urgency)
	}
}

func (c *clauses) face(faces map[Face]string, f Face) {
	if f == "" {
		return
	}
	condition, known := faces[f]
	if !known {
		condition = `false`
	}
	c.add(condition)
}

// SentPage lists what agencies sent.
func (s *Store) SentPage(ctx context.Context, f ListFilter) ([]SentLine, error) {
	c := &clauses{}
	c.add(`d.id >= ? AND d.id < ?`, FirstID(f.From), f.end(f.Before.Dispatch))
	c.about(f)
	c.face(sentFaces, f.Face)
	rows, err := s.pool.Query(ctx, `
		WITH page AS (`+c.page(f, `d.sender`, `SELECT `+dispatchLine+` FROM dispatch AS d`, `id DESC`)+`)
		SELECT page.*,
		       (SELECT coalesce(json_object_agg(state, count), '{}')
		          FROM (SELECT state, count(*) FROM delivery WHERE dispatch_id = page.id AND dispatch_id >= $1 GROUP BY state) AS by_state),
		       coalesce((SELECT agency FROM delivery WHERE dispatch_id = page.id AND dispatch_id >= $1 AND n = 1), ''),
		       (SELECT count(*) FROM delivery WHERE dispatch_id = page.id AND dispatch_id >= $1 AND status = '02')
		  FROM page ORDER BY id DESC`, c.args...)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list sent documents: %w", err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (SentLine, error) {
		var l SentLine
		err := row.Scan(append(l.targets(), &l.States, &l.First, &l.Returned)...)
		l.DispatchLine = l.undated()
		return l, err
	})
	return list, unavailable(err)
}

// page makes the statement of one page of a list out of the conditions so far: everybody's, or each agency's.
func (c *clauses) page(f ListFilter, column, sql, order string) string {
	sql += ` WHERE ` + c.String()
	limit := strconv.Itoa(pageSize(f.Limit))
	if f.Everyone {
		return sql + ` ORDER BY ` + order + ` LIMIT ` + limit
	}
	c.args = append(c.args, codeStrings(f.Agencies))
	return eachOf(len(f.Agencies), `$`+strconv.Itoa(len(c.args)), column, sql, order, limit)
}

func (f ListFilter) end(before uuid.UUID) uuid.UUID {
	if before == (uuid.UUID{}) {
		before = uuid.Max
	}
	if !f.To.IsZero() {
		if end := FirstID(f.To); compareIDs(end, before) < 0 {
			return end
		}
	}
	return before
}

// ReceivedPage lists documents that came for agencies: what is held or was recalled never reaches them.
func (s *Store) ReceivedPage(ctx context.Context, f ListFilter) ([]ReceivedLine, error) {
	c := &clauses{}
	c.add(`dl.dispatch_id >= ? AND d.id >= ? AND dl.dispatch_id <= ?`, FirstID(f.From), FirstID(f.From), f.end(f.Before.Dispatch))
	if f.Before != (DeliveryID{}) {
		c.add(`(dl.dispatch_id, dl.n) < (?, ?)`, f.Before.Dispatch, f.Before.N)
	}
	c.add(`dl.state NOT IN ('held', 'recalled')`)
	c.about(f)
	c.face(receivedFaces, f.Face)
	rows, err := s.pool.Query(ctx, c.page(f, `dl.agency`, `SELECT `+receivedLine, `dispatch_id DESC, n DESC`), c.args...)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list received documents: %w", err))
	}
	list, err := pgx.CollectRows(rows, scanReceived)
	return list, unavailable(err)
}

// MostCounted is where Faces stops to count: a tile says "more than 999".
const MostCounted = 1000

// Faces counts the lines that each face of the two lists would show, each up to MostCounted. A count of open work reads
// the queue or the partial index of parked deliveries, not the documents.
func (s *Store) Faces(ctx context.Context, f ListFilter) (sent, received map[Face]int, err error) {
	open := &clauses{}
	open.add(`x.dispatch_id >= ? AND d.id >= ?`, FirstID(f.From), FirstID(f.From))
	own := &clauses{}
	own.add(`dl.dispatch_id >= ?`, FirstID(f.From))
	if !f.Everyone {
		open.add(`d.sender = ANY(?)`, codeStrings(f.Agencies))
		own.add(`dl.agency = ANY(?)`, codeStrings(f.Agencies))
	}
	own.add(`dl.state NOT IN ('held', 'recalled')`)
	most := strconv.Itoa(MostCounted)
	deliveries := `SELECT DISTINCT d.id FROM delivery AS x JOIN dispatch AS d ON d.id = x.dispatch_id WHERE ` + open.String()
	sent, received = map[Face]int{}, map[Face]int{}
	for _, q := range []struct {
		into map[Face]int
		face Face
		sql  string
		args []any
	}{
		{sent, FacePending, `SELECT DISTINCT d.id FROM queue AS x JOIN dispatch AS d ON d.id = x.dispatch_id WHERE x.kind = 'd' AND ` + open.String(), open.args},
		{sent, FaceFailed, deliveries + ` AND x.state IN ('refused', 'expired')`, open.args},
		{sent, FaceHeld, deliveries + ` AND x.state = 'held'`, open.args},
		{sent, FaceReturned, deliveries + ` AND x.status = '02'`, open.args},
		{received, FaceWaiting, `SELECT 1 FROM delivery AS dl WHERE ` + own.String() + ` AND ` + receivedFaces[FaceWaiting], own.args},
	} {
		if f.Everyone && (q.face == FaceReturned || q.face == FaceWaiting) {
			continue // nobody's own work, and without an index for all agencies at once
		}
		var n int
		if err := s.pool.QueryRow(ctx, `SELECT count(*) FROM (`+q.sql+` LIMIT `+most+`) AS counted`, q.args...).Scan(&n); err != nil {
			return nil, nil, unavailable(fmt.Errorf("count %s: %w", q.face, err))
		}
		q.into[q.face] = n
	}
	return sent, received, nil
}

// RecipientFilter chooses deliveries of one dispatch, by number.
type RecipientFilter struct {
	Agencies []routing.Code // nil: every recipient; else only these, and none that is held or was recalled
	State    State          // empty: all
	Status   Status         // empty: all
	After    int
	Limit    int // at most 1,000
}

func (f RecipientFilter) clauses(id uuid.UUID) *clauses {
	c := &clauses{}
	c.add(`dl.dispatch_id = ?`, id)
	if f.Agencies != nil {
		c.add(`dl.agency = ANY(?) AND dl.state NOT IN ('held', 'recalled')`, codeStrings(f.Agencies))
	}
	return c
}

// RecipientPage lists deliveries of one dispatch.
func (s *Store) RecipientPage(ctx context.Context, id uuid.UUID, f RecipientFilter) ([]Delivery, error) {
	c := f.clauses(id)
	c.add(`dl.n > ?`, f.After)
	if f.State != "" {
		c.add(`dl.state = ?`, f.State)
	}
	if f.Status != "" {
		c.add(`dl.status = ?`, f.Status)
	}
	rows, err := s.pool.Query(ctx, `SELECT `+deliveryColumns+` FROM delivery AS dl WHERE `+c.String()+
		` ORDER BY dl.n LIMIT `+strconv.Itoa(pageSize(f.Limit)), c.args...)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list recipients of %s: %w", id, err))
	}
	list, err := pgx.CollectRows(rows, scanDelivery)
	return list, unavailable(err)
}

// CountRecipients counts a dispatch's deliveries on both ladders; of the filter only Agencies is read.
func (s *Store) CountRecipients(ctx context.Context, id uuid.UUID, f RecipientFilter) (states map[State]int, statuses map[Status]int, err error) {
	c := f.clauses(id)
	rows, err := s.pool.Query(ctx, `SELECT dl.state, dl.status, count(*) FROM delivery AS dl WHERE `+c.String()+` GROUP BY 1, 2`, c.args...)
	if err != nil {
		return nil, nil, unavailable(fmt.Errorf("count recipients of %s: %w", id, err))
	}
	states, statuses = map[State]int{}, map[Status]int{}
	var state State
	var status Status
	var n int
	_, err = pgx.ForEachRow(rows, []any{&state, &status, &n}, func() error {
		states[state] += n
		statuses[status] += n
		return nil
	})
	return states, statuses, unavailable(err)
}
