package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

// Status is what a recipient (or, for 13, the sender) says of a document: QĐ 28/2018/QĐ-TTg art. 10(2)(h), with the
// codes that the national axis uses on the wire.
type Status string

// The nine statuses.
const (
	Arrived        Status = "01" // đã đến
	Returned       Status = "02" // từ chối tiếp nhận (trả lại)
	Registered     Status = "03" // đã tiếp nhận
	Assigned       Status = "04" // phân công
	InProcess      Status = "05" // đang xử lý
	Completed      Status = "06" // hoàn thành
	RecallAsked    Status = "13" // lấy lại, asked by the sender
	RecallAgreed   Status = "15" // đồng ý lấy lại/cập nhật
	RecallDeclined Status = "16" // từ chối lấy lại/cập nhật
)

// rank decides between statuses of one moment, such as the 03 and 05 that some systems always say together (R28), and
// says which there are.
var rank = map[Status]int{Arrived: 1, Returned: 3, Registered: 2, Assigned: 4, InProcess: 5, Completed: 6,
	RecallAsked: 7, RecallDeclined: 8, RecallAgreed: 9}

// Known says whether s is one of the nine.
func (s Status) Known() bool { return rank[s] > 0 }

// Staff is who at the agency acted. It is personal data: never logged.
type Staff struct {
	Name       string `json:"name,omitempty"`
	Department string `json:"department,omitempty"`
	Phone      string `json:"phone,omitempty"`
	Email      string `json:"email,omitempty"`
}

// Receipt is one thing that was said about a delivery. Receipts are only ever added.
type Receipt struct {
	DeliveryID
	K             int
	Status        Status
	Agency        routing.Code // who says it
	System        string       // through which system
	Staff         Staff
	Reason        string
	ArrivalNumber string // số đến, when the recipient gives it
	EventTime     time.Time
	ReceivedAt    time.Time
	Packet        []byte // the status packet that brought it, byte for byte; only Receipt reads it back
}

// ErrNotAsked says that 15 or 16 answers a request (13, or an update or recall) that was never made.
var ErrNotAsked = errors.New("nothing was asked back")

// ReceiptsError says that a delivery has all the receipts that it can have (MaxReceipts).
type ReceiptsError struct{ ID DeliveryID }

func (e *ReceiptsError) Error() string {
	return fmt.Sprintf("delivery %s has %d receipts, and can have no more", e.ID, MaxReceipts)
}

// Recorded is what became of a receipt.
type Recorded struct {
	Receipt
	Repeated bool  // the same was said before; nothing was written
	State    State // the delivery's transport state after it
}

// AddReceipt appends a receipt, derives the delivery's shown status and queues the news for the other side: the sender's
// system, or for 13 the recipient's. The recipient's word proves that it has the document, so it ends a delivery that is
// pending or parked. A 15 withdraws what was asked back. ip is for the audit. ErrNotFound: no such delivery; *StateError:
// the delivery is held or recalled, so that its recipient cannot speak of it, or it is parked and its sender asks it back;
// ErrNotAsked; *ReceiptsError.
func (s *Store) AddReceipt(ctx context.Context, r Receipt, ip string) (Recorded, error) {
	out := Recorded{Receipt: r}
	err := s.tx(ctx, func(tx pgx.Tx) error {
		given, err := lockGiven(ctx, tx, r)
		if err != nil {
			return err
		}
		d, err := lockDelivery(ctx, tx, r.DeliveryID)
		if err != nil {
			return err
		}
		out.State = d.state
		if done, err := said(ctx, tx, &out); err != nil || done {
			return err
		}
		if !d.hears(r.Status) {
			return &StateError{ID: r.DeliveryID, State: d.state}
		}
		asked, err := answers(ctx, tx, r, d)
		if err != nil {
			return err
		}
		if r.Status != RecallAsked && d.state != Delivered {
			if err := endAs(ctx, tx, r.DeliveryID, d.state, r.ReceivedAt); err != nil {
				return err
			}
			out.State = Delivered
		}
		if r.Status == RecallAgreed {
			if err := withdraw(ctx, tx, r, d, given, asked, ip); err != nil {
				return err
			}
		}
		return appendReceipt(ctx, tx, &out, d, ip)
	})
	return out, err
}

// hears says whether a status can be said of a delivery in its state: of what is held or was recalled nobody was told, and
// what is parked never came so far as to be asked back.
func (d lockedDelivery) hears(s Status) bool {
	switch d.state {
	case Pending, Delivered:
		return true
	case Refused, Expired:
		return s != RecallAsked
	}
	return false
}

// StateError says that a delivery is not in a state that the operation starts from.
type StateError struct {
	ID    DeliveryID
	State State
}

func (e *StateError) Error() string { return fmt.Sprintf("delivery %s is %s", e.ID, e.State) }

// lockedDelivery is what the verbs on one delivery need to know of it.
type lockedDelivery struct {
	agency   routing.Code
	system   string
	way      routing.Way
	state    State
	status   Status
	statusAt time.Time
	sender   string // the sender's system
	kind     Kind
	urgency  routing.Urgency
}

func lockDelivery(ctx context.Context, tx pgx.Tx, id DeliveryID) (lockedDelivery, error) {
	var d lockedDelivery
	err := tx.QueryRow(ctx, `
		SELECT dl.agency, dl.system_id, dl.way, dl.state, dl.status, coalesce(dl.status_at, 'epoch'), d.system_id, d.kind, d.urgency
		  FROM delivery AS dl JOIN dispatch AS d ON d.id = dl.dispatch_id
		 WHERE dl.dispatch_id = $1 AND dl.n = $2 AND d.id = $1 FOR UPDATE OF dl`, id.Dispatch, id.N).
		Scan(&d.agency, &d.system, &d.way, &d.state, &d.status, &d.statusAt, &d.sender, &d.kind, &d.urgency)
	if errors.Is(err, pgx.ErrNoRows) {
		return d, ErrNotFound
	}
	if err != nil {
		return d, fmt.Errorf("lock delivery %s: %w", id, err)
	}
	return d, nil
}

// said finds a receipt that says the same, or came by the same packet: one without an event time got that of its reception.
// The lengths are compared first, for they are known without reading the packets.
func said(ctx context.Context, tx pgx.Tx, r *Recorded) (bool, error) {
	err := tx.QueryRow(ctx, `
		SELECT k, event_time, received_at FROM receipt
		 WHERE dispatch_id = $1 AND n = $2 AND (agency = $3 AND status = $4 AND event_time = $5 OR length(packet) = length($6::bytea) AND packet = $6) LIMIT 1`,
		r.Dispatch, r.N, r.Agency, r.Status, r.EventTime.UTC(), r.Packet).Scan(&r.K, &r.EventTime, &r.ReceivedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the same receipt: %w", err)
	}
	r.Repeated = true
	return true, nil
}

// answers judges a 15 or 16: it answers a recall or update by its kind, or a 13, which may be asked of any document. asked
// says that a 13 is open: it is that which is answered then.
func answers(ctx context.Context, tx pgx.Tx, r Receipt, d lockedDelivery) (asked bool, err error) {
	if r.Status != RecallAgreed && r.Status != RecallDeclined {
		return false, nil
	}
	var ever bool
	err = tx.QueryRow(ctx, `
		SELECT coalesce(bool_or(status = '13'), false), coalesce((array_agg(status ORDER BY k DESC))[1] = '13', false)
		  FROM receipt WHERE dispatch_id = $1 AND n = $2 AND status IN ('13', '15', '16')`, r.Dispatch, r.N).Scan(&ever, &asked)
	if err != nil {
		return false, fmt.Errorf("look for a request: %w", err)
	}
	if !ever && d.kind != Recall && d.kind != Update {
		return false, ErrNotAsked
	}
	return asked, nil
}

func appendReceipt(ctx context.Context, tx pgx.Tx, r *Recorded, d lockedDelivery, ip string) error {
	staff, err := json.Marshal(r.Staff)
	if err != nil {
		return fmt.Errorf("write staff: %w", err)
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO receipt (dispatch_id, n, k, status, agency, system_id, staff, reason, arrival_number, event_time, received_at, packet)
		SELECT $1, $2, coalesce(max(k), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM receipt WHERE dispatch_id = $1 AND n = $2
		HAVING coalesce(max(k), 0) < $12
		RETURNING k`, r.Dispatch, r.N, r.Status, r.Agency, r.System, staff, r.Reason, r.ArrivalNumber,
		r.EventTime.UTC(), r.ReceivedAt.UTC(), r.Packet, MaxReceipts).Scan(&r.K)
	if errors.Is(err, pgx.ErrNoRows) {
		return &ReceiptsError{ID: r.DeliveryID}
	}
	if err != nil {
		return fmt.Errorf("add receipt: %w", err)
	}
	if moves(d, r.Receipt) {
		_, err = tx.Exec(ctx, `UPDATE delivery SET status = $3, status_at = $4 WHERE dispatch_id = $1 AND n = $2`,
			r.Dispatch, r.N, r.Status, r.EventTime.UTC())
		if err != nil {
			return fmt.Errorf("move the current status: %w", err)
		}
	}
	to := d.sender
	if r.Status == RecallAsked {
		to = d.system
	}
	batch := &pgx.Batch{}
	queueNews(batch, r.DeliveryID, 'r', r.K, to, d.urgency, r.ReceivedAt)
	queueAudit(batch, Event{At: r.ReceivedAt, Actor: r.System, IP: ip, Action: "receipt." + string(r.Status), Object: r.DeliveryID.String()})
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("queue the receipt: %w", err)
	}
	return nil
}

// moves says whether a receipt becomes the shown status: the latest event does, in whatever order receipts come (R27). A
// document can be returned after it was registered, and registered after it was returned by mistake; only at one moment
// do ranks decide.
func moves(d lockedDelivery, r Receipt) bool {
	if d.status == "" {
		return true
	}
	if order := r.EventTime.Compare(d.statusAt); order != 0 {
		return order > 0
	}
	return rank[r.Status] > rank[d.status]
}

// queueNews adds a receipt ('r') or notice ('n') to a system's queue: due at once where it is pushed, waiting where it
// is pulled. A mailbox shows its news on the page and needs no queue.
func queueNews(batch *pgx.Batch, id DeliveryID, kind byte, k int, system string, u routing.Urgency, at time.Time) {
	batch.Queue(`
		INSERT INTO queue (dispatch_id, n, kind, k, destination, urgency, entered, due)
		SELECT $1, $2, $3::"char", $4, id, $6, $7, CASE WHEN way = 'push' THEN $7::timestamptz END
		  FROM system WHERE id = $5 AND way <> 'mailbox'
		ON CONFLICT DO NOTHING`,
		id.Dispatch, id.N, string(kind), k, system, u, at.UTC())
}

// endAs makes a delivery delivered that is locked and in a state that can be left so: pending, or parked. What waits to
// tell its sender that it was parked is true no more.
func endAs(ctx context.Context, tx pgx.Tx, id DeliveryID, from State, at time.Time) error {
	var agency string
	err := tx.QueryRow(ctx, `
		UPDATE delivery SET state = 'delivered', state_at = $3, reason = '', owner = '', deadline = NULL
		 WHERE dispatch_id = $1 AND n = $2 AND state = $4 RETURNING agency`, id.Dispatch, id.N, at.UTC(), from).Scan(&agency)
	if err != nil {
		return fmt.Errorf("end delivery %s: %w", id, err)
	}
	if err := unqueue(ctx, tx, id); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO tally (day, agency, metric, count) VALUES ($1, $2, 'received', 1)`, Day(at), agency)
	if err != nil {
		return fmt.Errorf("count delivery %s: %w", id, err)
	}
	return nil
}

// unqueue takes a delivery that ends off the queue, and the notices that it was parked.
func unqueue(ctx context.Context, tx pgx.Tx, id DeliveryID) error {
	_, err := tx.Exec(ctx, `DELETE FROM queue WHERE dispatch_id = $1 AND n = $2 AND (kind = 'd' OR kind = 'n' AND k IN ($3, $4))`,
		id.Dispatch, id.N, NoticeRefused, NoticeExpired)
	if err != nil {
		return fmt.Errorf("take delivery %s off the queue: %w", id, err)
	}
	return nil
}

// Receipts returns what was said about a dispatch's deliveries from number first to last, by delivery number.
func (s *Store) Receipts(ctx context.Context, dispatch uuid.UUID, first, last int) (map[int][]Receipt, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT dispatch_id, n, k, status, agency, system_id, staff, reason, arrival_number, event_time, received_at
		  FROM receipt WHERE dispatch_id = $1 AND n BETWEEN $2 AND $3 ORDER BY n, k`, dispatch, first, last)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list receipts of %s: %w", dispatch, err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Receipt, error) { return scanReceipt(row) })
	if err != nil {
		return nil, unavailable(err)
	}
	byDelivery := map[int][]Receipt{}
	for _, r := range list {
		byDelivery[r.N] = append(byDelivery[r.N], r)
	}
	return byDelivery, nil
}

func scanReceipt(row pgx.CollectableRow, more ...any) (Receipt, error) {
	var r Receipt
	var staff []byte
	err := row.Scan(append([]any{&r.Dispatch, &r.N, &r.K, &r.Status, &r.Agency, &r.System, &staff, &r.Reason, &r.ArrivalNumber,
		&r.EventTime, &r.ReceivedAt}, more...)...)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(staff, &r.Staff)
}

// Receipt returns the k-th receipt of a delivery with the packet that brought it, or ErrNotFound.
func (s *Store) Receipt(ctx context.Context, id DeliveryID, k int) (Receipt, error) {
	var packet []byte
	rows, err := s.pool.Query(ctx, `
		SELECT dispatch_id, n, k, status, agency, system_id, staff, reason, arrival_number, event_time, received_at, packet
		  FROM receipt WHERE dispatch_id = $1 AND n = $2 AND k = $3`, id.Dispatch, id.N, k)
	if err != nil {
		return Receipt{}, unavailable(fmt.Errorf("read receipt %d of %s: %w", k, id, err))
	}
	r, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (Receipt, error) { return scanReceipt(row, &packet) })
	if errors.Is(err, pgx.ErrNoRows) {
		return r, ErrNotFound
	}
	r.Packet = packet
	return r, unavailable(err)
}
