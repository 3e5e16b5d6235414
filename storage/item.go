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

// ItemKind says what a waiting item brings.
type ItemKind byte

// The kinds of items in a system's inbox.
const (
	DispatchItem ItemKind = 'd' // a document for an agency that the system serves
	ReceiptItem  ItemKind = 'r' // what the other side said
	NoticeItem   ItemKind = 'n' // what the axis says
)

// Notice is what the axis has to say about a delivery to the sender's system (NoticeInvalid: to the recipient's); it stands
// in an item's K.
type Notice int

// The notices.
const (
	NoticeRefused Notice = iota + 1
	NoticeExpired
	NoticeReleased
	NoticeInvalidSent // the document's signatures turned out invalid, after it was accepted
	NoticeInvalid     // the same, to who received it
)

// ItemID names one waiting item. Its text form is opaque to systems.
type ItemID struct {
	DeliveryID
	Kind ItemKind
	K    int
}

// String returns the text form.
func (id ItemID) String() string {
	return id.DeliveryID.String() + "." + string(rune(id.Kind)) + "." + strconv.Itoa(id.K)
}

// ParseItemID reads the text form.
func ParseItemID(s string) (ItemID, bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 4 || len(parts[2]) != 1 || !strings.Contains("drn", parts[2]) {
		return ItemID{}, false
	}
	delivery, ok := ParseDeliveryID(parts[0] + "." + parts[1])
	k, err := strconv.Atoi(parts[3])
	if !ok || err != nil || k < 0 || k > 1_000_000 || strconv.Itoa(k) != parts[3] {
		return ItemID{}, false
	}
	return ItemID{DeliveryID: delivery, Kind: ItemKind(parts[2][0]), K: k}, true
}

// Item is something that waits for a system.
type Item struct {
	ItemID
	Destination string
	Urgency     routing.Urgency
	Entered     time.Time
	Agency      routing.Code // the delivery's recipient
	AddressedTo string
	State       State
	Dispatch    DispatchLine // States is not filled
	Package     Object
	Receipt     Receipt // of a ReceiptItem
	Reason      string  // of the delivery
}

const itemColumns = `q.dispatch_id, q.n, q.kind::text, q.k, q.destination, q.urgency, q.entered,
	dl.agency, dl.addressed_to, dl.state, dl.reason,
	d.id, d.sender, d.document_id, d.kind, d.number, d.notation, coalesce(d.promulgated, '0001-01-01'), d.type_name, d.subject,
	d.urgency, d.verdict, d.accepted_at, coalesce(p.package_sha256, d.package_sha256, ''), coalesce(p.package_size, d.package_size, 0),
	coalesce(r.status, ''), coalesce(r.agency, ''), coalesce(r.staff, '{}'), coalesce(r.reason, ''),
	coalesce(r.arrival_number, ''), coalesce(r.event_time, 'epoch'), coalesce(r.received_at, 'epoch')`

const itemTables = ` AS q
	JOIN delivery AS dl ON dl.dispatch_id = q.dispatch_id AND dl.n = q.n
	JOIN dispatch AS d ON d.id = q.dispatch_id
	LEFT JOIN receipt AS r ON q.kind = 'r' AND r.dispatch_id = q.dispatch_id AND r.n = q.n AND r.k = q.k
	LEFT JOIN LATERAL (SELECT package_sha256, package_size FROM supplement AS s WHERE s.dispatch_id = q.dispatch_id AND s.first_n <= q.n
	                    ORDER BY s.first_n DESC LIMIT 1) AS p ON true`

func scanItem(row pgx.CollectableRow) (Item, error) {
	var i Item
	var kind string
	l, r := &i.Dispatch, &i.Receipt
	err := row.Scan(&i.DeliveryID.Dispatch, &i.N, &kind, &i.K, &i.Destination, &i.Urgency, &i.Entered,
		&i.Agency, &i.AddressedTo, &i.State, &i.Reason,
		&l.ID, &l.Sender, &l.DocumentID, &l.Kind, &l.Number, &l.Notation, &l.Promulgated, &l.TypeName, &l.Subject,
		&l.Urgency, &l.Verdict, &l.AcceptedAt, &i.Package.SHA256, &i.Package.Size,
		&r.Status, &r.Agency, &r.Staff, &r.Reason, &r.ArrivalNumber, &r.EventTime, &r.ReceivedAt)
	if err != nil {
		return i, err
	}
	i.Kind = ItemKind(kind[0])
	r.DeliveryID, r.K = i.DeliveryID, i.K
	if l.Promulgated.Year() == 1 {
		l.Promulgated = time.Time{}
	}
	return i, nil
}

// Inbox lists what waits for a system, urgent first, oldest first, at most limit (up to 1,000) items. It is a waiting
// set, not a cursor: an item stays until it is taken, so a reader that died misses nothing.
func (s *Store) Inbox(ctx context.Context, system string, limit int) ([]Item, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+itemColumns+` FROM (
		    SELECT own.* FROM unnest('{d,r,n}'::"char"[]) AS of (kind) CROSS JOIN LATERAL (
		        SELECT dispatch_id, n, kind, k, destination, urgency, entered FROM queue WHERE destination = $1 AND kind = of.kind
		         ORDER BY urgency DESC, entered, dispatch_id, n LIMIT $2) AS own
		     ORDER BY urgency DESC, entered, dispatch_id, n LIMIT $2)`+itemTables+`
		 ORDER BY q.urgency DESC, q.entered, q.dispatch_id, q.n`, system, pageSize(limit))
	if err != nil {
		return nil, unavailable(fmt.Errorf("list the inbox of %s: %w", system, err))
	}
	list, err := pgx.CollectRows(rows, scanItem)
	return list, unavailable(err)
}

// items returns the items of some queue rows, in no order.
func (s *Store) items(ctx context.Context, ids []ItemID) ([]Item, error) {
	dispatches, ns := make([]uuid.UUID, len(ids)), make([]int32, len(ids))
	kinds, ks := make([]string, len(ids)), make([]int32, len(ids))
	for i, id := range ids {
		dispatches[i], ns[i], kinds[i], ks[i] = id.Dispatch, int32(id.N), string(rune(id.Kind)), int32(id.K)
	}
	rows, err := s.pool.Query(ctx, `
		SELECT `+itemColumns+` FROM (
		    SELECT queue.dispatch_id, queue.n, queue.kind, queue.k, queue.destination, queue.urgency, queue.entered
		      FROM unnest($1::uuid[], $2::int[], $3::text[], $4::int[]) AS x (dispatch_id, n, kind, k)
		      JOIN queue ON queue.dispatch_id = x.dispatch_id AND queue.n = x.n AND queue.kind = x.kind::"char" AND queue.k = x.k)`+
		itemTables, dispatches, ns, kinds, ks)
	if err != nil {
		return nil, unavailable(fmt.Errorf("read queued items: %w", err))
	}
	list, err := pgx.CollectRows(rows, scanItem)
	return list, unavailable(err)
}

// Taken ends a waiting item: the system says that it has it. Saying it again is harmless. For a document it makes the
// delivery delivered, one that was parked too, and returns its state. ErrNotFound: no such item for this system;
// *StateError: the delivery was recalled or is held.
func (s *Store) Taken(ctx context.Context, id ItemID, system string, now time.Time, ip string) (State, error) {
	if id.Kind == DispatchItem {
		return s.documentTaken(ctx, id.DeliveryID, system, now, ip)
	}
	var state State
	err := s.tx(ctx, func(tx pgx.Tx) error {
		d, err := lockDelivery(ctx, tx, id.DeliveryID)
		if err != nil {
			return err
		}
		state = d.state
		return takeNews(ctx, tx, id, d, system)
	})
	return state, err
}

// documentTaken is one journey to the database, for it happens as often as a document arrives. The lock is a statement of
// its own, so that the next one sees what was done before it. That it was parked need not be told any more.
func (s *Store) documentTaken(ctx context.Context, id DeliveryID, system string, now time.Time, ip string) (State, error) {
	var state State
	var owner string
	batch := &pgx.Batch{}
	batch.Queue(`SELECT state, system_id FROM delivery WHERE dispatch_id = $1 AND n = $2 FOR UPDATE`, id.Dispatch, id.N).
		QueryRow(func(row pgx.Row) error { return row.Scan(&state, &owner) })
	batch.Queue(`
		WITH ended AS (
		    UPDATE delivery SET state = 'delivered', state_at = $3, reason = '', owner = '', deadline = NULL
		     WHERE dispatch_id = $1 AND n = $2 AND system_id = $4 AND state IN ('pending', 'refused', 'expired') RETURNING agency),
		gone AS (
		    DELETE FROM queue WHERE dispatch_id = $1 AND n = $2 AND (kind = 'd' OR kind = 'n' AND k IN ($8, $9)) AND EXISTS (SELECT 1 FROM ended)),
		tried AS (
		    UPDATE attempt SET outcome = 'done', ended_at = $3, detail = 'taken'
		     WHERE dispatch_id = $1 AND n = $2 AND k = (SELECT max(k) FROM attempt WHERE dispatch_id = $1 AND n = $2)
		       AND node <> $4 AND EXISTS (SELECT 1 FROM ended)),
		noted AS (
		    INSERT INTO audit (at, actor, ip, action, object) SELECT $3, $4, $5, 'delivery.taken', $6 FROM ended)
		INSERT INTO tally (day, agency, metric, count) SELECT $7, agency, 'received', 1 FROM ended`,
		id.Dispatch, id.N, now.UTC(), system, ip, id.String(), Day(now), NoticeRefused, NoticeExpired)
	err := s.pool.SendBatch(ctx, batch).Close()
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && owner != system:
		return "", ErrNotFound
	case err != nil:
		return "", unavailable(fmt.Errorf("end delivery %s: %w", id, err))
	case state == Held || state == Recalled:
		return state, &StateError{ID: id, State: state}
	}
	return Delivered, nil
}

func takeNews(ctx context.Context, tx pgx.Tx, id ItemID, d lockedDelivery, system string) error {
	tag, err := tx.Exec(ctx, `
		DELETE FROM queue WHERE dispatch_id = $1 AND n = $2 AND kind = $3::"char" AND k = $4 AND destination = $5`,
		id.Dispatch, id.N, string(rune(id.Kind)), id.K, system)
	if err != nil {
		return fmt.Errorf("take item %s: %w", id, err)
	}
	if tag.RowsAffected() == 0 && system != d.sender && system != d.system {
		return ErrNotFound // to everybody else even the delivery's state is not told
	}
	return nil
}

// Fetched notes that a system has begun to fetch a delivery: from now on a recall has to ask it. It returns *StateError
// when the delivery was recalled or is held, and *WithdrawnError when its recipient agreed to give it back or to take a new
// version instead, which the error names: the package is not to be given out.
func (s *Store) Fetched(ctx context.Context, id DeliveryID, now time.Time) error {
	tag, err := s.pool.Exec(ctx, `
		UPDATE delivery SET told_at = $3 WHERE dispatch_id = $1 AND n = $2 AND state = 'pending' AND told_at IS NULL`,
		id.Dispatch, id.N, now.UTC())
	if err != nil {
		return unavailable(fmt.Errorf("note the fetch of %s: %w", id, err))
	}
	if tag.RowsAffected() == 1 {
		return nil
	}
	// A statement of its own, with a snapshot of its own: the one above may have waited for a recall, and must not be
	// followed by a look at how things stood before it.
	var state State
	var how Withdrawal
	var by uuid.UUID
	err = s.pool.QueryRow(ctx, `
		SELECT state, withdrawn, coalesce(withdrawn_by, '00000000-0000-0000-0000-000000000000') FROM delivery WHERE dispatch_id = $1 AND n = $2`,
		id.Dispatch, id.N).Scan(&state, &how, &by)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	if err != nil {
		return unavailable(fmt.Errorf("note the fetch of %s: %w", id, err))
	}
	if state == Recalled || state == Held {
		return &StateError{ID: id, State: state}
	}
	if how != "" {
		return s.withdrawn(ctx, id, how, by)
	}
	return nil
}
