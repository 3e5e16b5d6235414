package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

// QueueFilter chooses from one of a system's queues: its documents, or its receipts.
type QueueFilter struct {
	System   string
	Kind     ItemKind
	Now      time.Time    // what is put aside until later is left out
	From, To time.Time    // of entering the queue, From inclusive, To exclusive; zero: no bound
	Sender   routing.Code // of the documents; empty: all
	Limit    int          // at most 1,000
	Skip     int          // items before the first one that is wanted
}

// initial is what waits now: what was put aside has a due time ahead. $1 system, $2 kind, $3 now.
const initial = ` FROM queue WHERE destination = $1 AND kind = $2::text::"char" AND (due IS NULL OR due <= $3)`

// Queued lists what waits for a system in one queue, urgent first, then oldest. An item stays until it ends or is put
// aside, so a reader that died misses nothing. Of an item it fills what names it and whom it is from and for: 500 of them,
// asked for again and again, are worth a short statement of their own.
func (s *Store) Queued(ctx context.Context, f QueueFilter) ([]Item, error) {
	// Each item's rows are looked up one by one (hence LIMIT 1): joined, they would tempt PostgreSQL to read whole months.
	rows, err := s.pool.Query(ctx, `
		SELECT q.dispatch_id, q.n, q.k, q.urgency, q.entered, dl.agency, d.sender,
		       coalesce(CASE WHEN $2 = 'r' THEN (SELECT agency FROM receipt AS r WHERE r.dispatch_id = q.dispatch_id AND r.n = q.n AND r.k = q.k) END, '')
		  FROM (
		    SELECT dispatch_id, n, k, urgency, entered`+initial+`
		       AND ($4::timestamptz IS NULL OR entered >= $4) AND ($5::timestamptz IS NULL OR entered < $5)
		       AND ($6 = '' OR $6 = (SELECT sender FROM dispatch WHERE id = dispatch_id))
		     ORDER BY urgency DESC, entered, dispatch_id, n LIMIT $7 OFFSET $8) AS q
		 CROSS JOIN LATERAL (SELECT agency FROM delivery WHERE dispatch_id = q.dispatch_id AND n = q.n LIMIT 1) AS dl
		 CROSS JOIN LATERAL (SELECT sender FROM dispatch WHERE id = q.dispatch_id LIMIT 1) AS d
		 ORDER BY q.urgency DESC, q.entered, q.dispatch_id, q.n, q.k`,
		f.System, string(rune(f.Kind)), f.Now.UTC(), orNull(f.From.UTC(), f.From.IsZero()), orNull(f.To.UTC(), f.To.IsZero()),
		f.Sender, pageSize(f.Limit), f.Skip)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list what waits for %s: %w", f.System, err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Item, error) {
		i := Item{Destination: f.System}
		i.Kind = f.Kind
		err := row.Scan(&i.DeliveryID.Dispatch, &i.N, &i.K, &i.Urgency, &i.Entered, &i.Agency, &i.Dispatch.Sender, &i.Receipt.Agency)
		i.Dispatch.ID, i.Receipt.DeliveryID, i.Receipt.K = i.DeliveryID.Dispatch, i.DeliveryID, i.K
		return i, err
	})
	return list, unavailable(err)
}

// CountQueued counts what Queued would list without bounds.
func (s *Store) CountQueued(ctx context.Context, system string, kind ItemKind, now time.Time) (int64, error) {
	var n int64
	err := s.pool.QueryRow(ctx, `SELECT count(*)`+initial, system, string(rune(kind)), now.UTC()).Scan(&n)
	return n, unavailable(err)
}

// Postpone puts an item that its system works on aside until a time. What has ended meanwhile is left as it is. ErrNotFound:
// no such item for this system.
func (s *Store) Postpone(ctx context.Context, id ItemID, system string, until time.Time) error {
	return s.tx(ctx, func(tx pgx.Tx) error {
		d, err := lockDelivery(ctx, tx, id.DeliveryID)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			UPDATE queue SET due = $6 WHERE dispatch_id = $1 AND n = $2 AND kind = $3::text::"char" AND k = $4 AND destination = $5`,
			id.Dispatch, id.N, string(rune(id.Kind)), id.K, system, until.UTC())
		if err != nil {
			return fmt.Errorf("put item %s aside: %w", id, err)
		}
		if tag.RowsAffected() == 0 && system != d.system && system != d.sender {
			return ErrNotFound
		}
		return nil
	})
}

// Failure is a system's own word that it could not take an item.
type Failure struct {
	Item   ItemID
	System string
	Reason string // as it said
	At     time.Time
	IP     string
	Tries  int                                                      // of a document: how many failures park it
	Next   func(try int, u routing.Urgency, at time.Time) time.Time // when it is shown again that failed then
	Due    time.Time                                                // of what is parked: by when its owner is to act
}

// Failed records that a system could not take an item and puts it aside; the last try of a document parks it, refused, with
// the sender as its owner. A report about an item that is aside because it failed is the echo of one before; one that was put
// aside to be worked on can fail. It returns the delivery's state after it. ErrNotFound: no such item for this system.
func (s *Store) Failed(ctx context.Context, f Failure) (State, error) {
	var state State
	err := s.tx(ctx, func(tx pgx.Tx) error {
		d, err := lockDelivery(ctx, tx, f.Item.DeliveryID)
		if err != nil {
			return err
		}
		state = d.state
		tries, echo, err := triedBefore(ctx, tx, f, d.urgency)
		if errors.Is(err, ErrNotFound) && (f.System == d.system || f.System == d.sender) {
			return nil // it has ended
		}
		if err != nil || echo {
			return err
		}
		batch := &pgx.Batch{}
		if f.Item.Kind != DispatchItem {
			batch.Queue(`UPDATE queue SET fence = fence + 1, due = $5 WHERE dispatch_id = $1 AND n = $2 AND kind = $3::text::"char" AND k = $4`,
				f.Item.Dispatch, f.Item.N, string(rune(f.Item.Kind)), f.Item.K, f.Next(tries+1, d.urgency, f.At).UTC())
		} else {
			state = f.queue(batch, tries+1, d)
		}
		queueAudit(batch, Event{At: f.At, Actor: f.System, IP: f.IP, Action: "delivery.failed", Object: f.Item.DeliveryID.String(), Detail: f.Reason})
		return tx.SendBatch(ctx, batch).Close()
	})
	return state, err
}

// triedBefore counts the failures reported so far, and says whether this one is the echo of the last: the item is aside until
// the time that the last one set. A document's failures are attempts whose node is the system itself; a receipt's are counted in
// its queue row, which does not say when, so that all but the first report about a receipt that is aside are echoes: nothing of
// it is ever parked.
func triedBefore(ctx context.Context, tx pgx.Tx, f Failure, u routing.Urgency) (tries int, echo bool, err error) {
	var due, last time.Time
	err = tx.QueryRow(ctx, `
		SELECT CASE WHEN kind = 'd' THEN t.count ELSE fence END, coalesce(due, 'epoch'), coalesce(t.last, 'epoch')
		  FROM queue CROSS JOIN LATERAL (
		      SELECT count(*), max(ended_at) AS last FROM attempt WHERE kind = 'd' AND dispatch_id = $1 AND n = $2 AND node = $5) AS t
		 WHERE dispatch_id = $1 AND n = $2 AND kind = $3::text::"char" AND k = $4 AND destination = $5`,
		f.Item.Dispatch, f.Item.N, string(rune(f.Item.Kind)), f.Item.K, f.System).Scan(&tries, &due, &last)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, ErrNotFound
	}
	if err != nil {
		return 0, false, fmt.Errorf("look for item %s: %w", f.Item, err)
	}
	if tries == 0 || !due.After(f.At) {
		return tries, false, nil
	}
	const rounding = time.Millisecond // the database keeps microseconds
	echo = f.Item.Kind != DispatchItem || due.Sub(f.Next(tries, u, last)).Abs() < rounding
	return tries, echo, nil
}

// queue adds the statements for a document's failed try.
func (f Failure) queue(batch *pgx.Batch, try int, d lockedDelivery) State {
	outcome, id := Later, f.Item.DeliveryID
	if try >= f.Tries {
		outcome = Never
	}
	batch.Queue(`
		INSERT INTO attempt (dispatch_id, n, k, node, started_at, ended_at, outcome, detail)
		SELECT $1, $2, 1 + coalesce(max(k), 0), $3, $4, $4, $5, $6 FROM attempt WHERE dispatch_id = $1 AND n = $2`,
		id.Dispatch, id.N, f.System, f.At.UTC(), outcome, f.Reason)
	if outcome == Later {
		batch.Queue(`UPDATE queue SET due = $3 WHERE dispatch_id = $1 AND n = $2 AND kind = 'd'`, id.Dispatch, id.N, f.Next(try, d.urgency, f.At).UTC())
		batch.Queue(`UPDATE delivery SET reason = $3 WHERE dispatch_id = $1 AND n = $2 AND state = 'pending'`, id.Dispatch, id.N, f.Reason)
		return d.state
	}
	batch.Queue(`DELETE FROM queue WHERE dispatch_id = $1 AND n = $2 AND kind = 'd'`, id.Dispatch, id.N)
	batch.Queue(`
		UPDATE delivery SET state = 'refused', state_at = $3, reason = $4, owner = 'sender', deadline = $5
		 WHERE dispatch_id = $1 AND n = $2 AND state = 'pending'`, id.Dispatch, id.N, f.At.UTC(), f.Reason, f.Due.UTC())
	queueNews(batch, id, 'n', int(NoticeRefused), d.sender, d.urgency, f.At)
	return Refused
}

// TakeNotices ends the axis's notices about a dispatch for its sender's system, which has just been told everything they say.
func (s *Store) TakeNotices(ctx context.Context, dispatch uuid.UUID, system string) error {
	_, err := s.pool.Exec(ctx, `
		DELETE FROM queue WHERE (dispatch_id, n, kind, k) IN (
		    SELECT dispatch_id, n, kind, k FROM queue WHERE dispatch_id = $1 AND kind = 'n' AND destination = $2 FOR UPDATE SKIP LOCKED)`, dispatch, system)
	return unavailable(err)
}

// Waits says whether an item still waits for its system.
func (s *Store) Waits(ctx context.Context, id ItemID) (bool, error) {
	var waits bool
	err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM queue WHERE dispatch_id = $1 AND n = $2 AND kind = $3::text::"char" AND k = $4)`,
		id.Dispatch, id.N, string(rune(id.Kind)), id.K).Scan(&waits)
	return waits, unavailable(err)
}
