package storage

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

// State is where a delivery stands in transport. It never mixes with the business Status that a recipient reports.
type State string

// The six transport states. The ledger counts deliveries: accepted = the sum of all six.
const (
	Pending   State = "pending"   // the axis owes the next step
	Delivered State = "delivered" // the recipient's system has it
	Refused   State = "refused"   // the recipient's system said "never"; parked with an owner
	Expired   State = "expired"   // tries or time exhausted; parked with an owner
	Held      State = "held"      // a policy or a person stopped it; parked with an owner
	Recalled  State = "recalled"  // taken back by the sender before it was fetched
)

// States lists the six in the order of the ledger.
var States = []State{Delivered, Refused, Expired, Held, Recalled, Pending}

// DeliveryID names a delivery; its text form is "<dispatch>.<n>".
type DeliveryID struct {
	Dispatch uuid.UUID
	N        int
}

// String returns the public form.
func (id DeliveryID) String() string { return id.Dispatch.String() + "." + strconv.Itoa(id.N) }

// ParseDeliveryID reads the public form.
func ParseDeliveryID(s string) (DeliveryID, bool) {
	head, tail, ok := strings.Cut(s, ".")
	if !ok || len(head) != 36 {
		return DeliveryID{}, false
	}
	id, err := uuid.Parse(head)
	if err != nil {
		return DeliveryID{}, false
	}
	n, err := strconv.Atoi(tail)
	if err != nil || n < 1 || n > 1_000_000 || strconv.Itoa(n) != tail {
		return DeliveryID{}, false
	}
	return DeliveryID{Dispatch: id, N: n}, true
}

// Delivery is one dispatch to one agency.
type Delivery struct {
	DeliveryID
	AddressedTo string       // the code as the sender wrote it
	Agency      routing.Code // who gets it now
	System      string       // the system that serves the agency, as of acceptance or the last claim
	Way         routing.Way
	State       State
	StateAt     time.Time
	Reason      string    // why it is refused, expired, held or recalled
	ToldAt      time.Time // when the system was told of it or first fetched it; zero: not yet
	Status      Status    // the current business status; empty: none yet
	StatusAt    time.Time
	Owner       string // of a parked delivery: who must act
	Deadline    time.Time
	Due         time.Time // of a pending push: the next try; zero otherwise
	Withdrawn   Withdrawal
	WithdrawnBy uuid.UUID // the recall or update that withdrew it; zero: none, or a status 13 asked for it
}

// Attempt is one try to hand a delivery over.
type Attempt struct {
	K         int
	Node      string
	StartedAt time.Time
	EndedAt   time.Time // zero while it runs or when the process died in it
	Outcome   Outcome   // empty likewise
	Detail    string
}

// Outcome is what came of an attempt. What is not known counts as Later: sending again is harmless, because
// receivers deduplicate by the delivery's id.
type Outcome string

// The outcomes of an attempt.
const (
	Done  Outcome = "done"
	Later Outcome = "later"
	Never Outcome = "never"
)

const deliveryColumns = `dl.dispatch_id, dl.n, dl.addressed_to, dl.agency, dl.system_id, dl.way, dl.state, dl.state_at, dl.reason,
	coalesce(dl.told_at, 'epoch'), dl.status, coalesce(dl.status_at, 'epoch'), dl.owner, coalesce(dl.deadline, 'epoch'),
	coalesce((SELECT due FROM queue AS q WHERE q.dispatch_id = dl.dispatch_id AND q.n = dl.n AND q.kind = 'd' AND q.k = 0), 'epoch'),
	dl.withdrawn, coalesce(dl.withdrawn_by, '00000000-0000-0000-0000-000000000000')`

func scanDelivery(row pgx.CollectableRow) (Delivery, error) {
	var d Delivery
	err := row.Scan(&d.Dispatch, &d.N, &d.AddressedTo, &d.Agency, &d.System, &d.Way, &d.State, &d.StateAt, &d.Reason,
		&d.ToldAt, &d.Status, &d.StatusAt, &d.Owner, &d.Deadline, &d.Due, &d.Withdrawn, &d.WithdrawnBy)
	for _, t := range []*time.Time{&d.ToldAt, &d.StatusAt, &d.Deadline, &d.Due} {
		if t.Unix() == 0 { // the database's "none"
			*t = time.Time{}
		}
	}
	return d, err
}

// Delivery returns one delivery, or ErrNotFound.
func (s *Store) Delivery(ctx context.Context, id DeliveryID) (Delivery, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+deliveryColumns+` FROM delivery AS dl WHERE dispatch_id = $1 AND n = $2`,
		id.Dispatch, id.N)
	if err != nil {
		return Delivery{}, unavailable(fmt.Errorf("read delivery %s: %w", id, err))
	}
	d, err := pgx.CollectExactlyOneRow(rows, scanDelivery)
	if errors.Is(err, pgx.ErrNoRows) {
		return d, ErrNotFound
	}
	return d, unavailable(err)
}

// Deliveries lists a dispatch's deliveries by number, those after n, at most limit (up to 1,000).
func (s *Store) Deliveries(ctx context.Context, dispatch uuid.UUID, after, limit int) ([]Delivery, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+deliveryColumns+` FROM delivery AS dl WHERE dispatch_id = $1 AND n > $2 ORDER BY n LIMIT $3`,
		dispatch, after, pageSize(limit))
	if err != nil {
		return nil, unavailable(fmt.Errorf("list deliveries of %s: %w", dispatch, err))
	}
	list, err := pgx.CollectRows(rows, scanDelivery)
	return list, unavailable(err)
}

// Attempts returns the tries of a dispatch's deliveries from number first to last, by delivery number.
func (s *Store) Attempts(ctx context.Context, dispatch uuid.UUID, first, last int) (map[int][]Attempt, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT n, k, node, started_at, coalesce(ended_at, 'epoch'), coalesce(outcome, ''), detail
		  FROM attempt WHERE dispatch_id = $1 AND n BETWEEN $2 AND $3 ORDER BY n, k`, dispatch, first, last)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list attempts of %s: %w", dispatch, err))
	}
	tries := map[int][]Attempt{}
	var n int
	var a Attempt
	_, err = pgx.ForEachRow(rows, []any{&n, &a.K, &a.Node, &a.StartedAt, &a.EndedAt, &a.Outcome, &a.Detail}, func() error {
		if a.EndedAt.Unix() == 0 {
			a.EndedAt = time.Time{}
		}
		tries[n] = append(tries[n], a)
		return nil
	})
	return tries, unavailable(err)
}

// ReceivedFilter chooses received documents of some agencies, newest first.
type ReceivedFilter struct {
	Agencies []routing.Code // must not be empty
	State    State          // empty: every state that the agency may see (all but held and recalled)
	From, To time.Time      // of acceptance
	Before   DeliveryID     // the last id of the page before; zero for the first
	Limit    int            // at most 1,000
}

// ReceivedLine is a received document as a list shows it.
type ReceivedLine struct {
	DeliveryID
	AddressedTo string
	Agency      routing.Code
	State       State
	StateAt     time.Time
	Status      Status
	StatusAt    time.Time
	Withdrawn   Withdrawal
	WithdrawnBy uuid.UUID
	DispatchLine
}

// Received lists documents that came for agencies.
func (s *Store) Received(ctx context.Context, f ReceivedFilter) ([]ReceivedLine, error) {
	before := f.Before
	if before == (DeliveryID{}) {
		before.Dispatch = uuid.Max
	}
	if !f.To.IsZero() {
		if end := FirstID(f.To); compareIDs(end, before.Dispatch) < 0 {
			before = DeliveryID{Dispatch: end}
		}
	}
	rows, err := s.pool.Query(ctx, eachOf(len(f.Agencies), `$1`, `dl.agency`, `
		SELECT `+receivedLine+` WHERE dl.dispatch_id >= $2 AND d.id >= $2 AND (dl.dispatch_id, dl.n) < ($3, $4) AND dl.dispatch_id <= $3
		   AND CASE WHEN $5 = '' THEN dl.state NOT IN ('held', 'recalled') ELSE dl.state = $5 END`, `dispatch_id DESC, n DESC`, `$6`),
		codeStrings(f.Agencies), FirstID(f.From), before.Dispatch, before.N, f.State, pageSize(f.Limit))
	if err != nil {
		return nil, unavailable(fmt.Errorf("list received documents: %w", err))
	}
	list, err := pgx.CollectRows(rows, scanReceived)
	return list, unavailable(err)
}

// receivedLine is what scanReceived takes of a delivery dl and its dispatch d, and where it comes from.
const receivedLine = `dl.dispatch_id, dl.n, dl.addressed_to, dl.agency, dl.state, dl.state_at, dl.status, coalesce(dl.status_at, 'epoch') AS status_at,
	dl.withdrawn, coalesce(dl.withdrawn_by, '00000000-0000-0000-0000-000000000000') AS withdrawn_by, ` + dispatchLine + ` FROM delivery AS dl JOIN dispatch AS d ON d.id = dl.dispatch_id`

func scanReceived(row pgx.CollectableRow) (ReceivedLine, error) {
	var l ReceivedLine
	err := row.Scan(append([]any{&l.Dispatch, &l.N, &l.AddressedTo, &l.Agency, &l.State, &l.StateAt, &l.Status, &l.StatusAt, &l.Withdrawn, &l.WithdrawnBy},
		l.targets()...)...)
	l.DispatchLine = l.undated()
	if l.StatusAt.Unix() == 0 {
		l.StatusAt = time.Time{}
	}
	return l, err
}

// Ledger counts all deliveries accepted since from by transport state. It reads rows, not counters.
func (s *Store) Ledger(ctx context.Context, from time.Time) (map[State]int64, error) {
	rows, err := s.pool.Query(ctx, `SELECT state, count(*) FROM delivery WHERE dispatch_id >= $1 GROUP BY state`, FirstID(from))
	if err != nil {
		return nil, unavailable(fmt.Errorf("count the ledger: %w", err))
	}
	ledger := map[State]int64{}
	var state State
	var count int64
	_, err = pgx.ForEachRow(rows, []any{&state, &count}, func() error {
		ledger[state] = count
		return nil
	})
	return ledger, unavailable(err)
}

// CountDeliveries says how many recipients a dispatch has.
func (s *Store) CountDeliveries(ctx context.Context, dispatch uuid.UUID) (int, error) {
	var n int
	err := s.pool.QueryRow(ctx, `SELECT coalesce(max(n), 0) FROM delivery WHERE dispatch_id = $1`, dispatch).Scan(&n)
	return n, unavailable(err)
}

// Recipients lists the agencies that a dispatch went to, by delivery number.
func (s *Store) Recipients(ctx context.Context, dispatch uuid.UUID) ([]routing.Code, error) {
	rows, err := s.pool.Query(ctx, `SELECT agency FROM delivery WHERE dispatch_id = $1 ORDER BY n`, dispatch)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list recipients of %s: %w", dispatch, err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[routing.Code])
	return list, unavailable(err)
}
