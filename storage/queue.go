package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Claimed is an item that this node may now try to push, until its lease ends.
type Claimed struct {
	Item
	Fence int // the claim's number: only its holder may record
	Try   int // this try's number, from 1, counted in attempt rows (for receipts and notices: in claims)
}

// ClaimLimits bounds one claim.
type ClaimLimits struct {
	Lease          time.Duration // after it the item is due again
	PerDestination int           // items of each urgency at each destination
	Total          int
	Except         []string // destinations that have no room now
}

// Claim takes due items of pushed destinations, urgent first and within one urgency oldest first, each destination
// within its own limit so that a long queue for one does not keep others waiting. The attempt is written before the
// call: a crash in the middle leaves an attempt without an outcome and an item that comes due when the lease ends.
func (s *Store) Claim(ctx context.Context, node string, now time.Time, l ClaimLimits) ([]Claimed, error) {
	claims, err := s.claim(ctx, node, now, l)
	for range claimAgain {
		if !isDuplicate(err) {
			break
		}
		claims, err = s.claim(ctx, node, now, l)
	}
	if err != nil || len(claims) == 0 {
		return nil, unavailable(err)
	}
	items, err := s.items(ctx, slices.Collect(maps.Keys(claims)))
	if err != nil {
		return nil, err
	}
	list := make([]Claimed, 0, len(items))
	for _, item := range items { // one that was taken or recalled in between has no item any more
		c := claims[item.ItemID]
		c.Item = item
		list = append(list, c)
	}
	return list, nil
}

// claimAgain is how often a claim begins anew because its snapshot was too old: an item that another node claimed and
// gave back after the statement began is free, but the attempt of that claim is not seen and its number is taken.
const claimAgain = 5

// claim takes due rows and writes their attempts, in one statement. No wait for a lock is in it.
func (s *Store) claim(ctx context.Context, node string, now time.Time, l ClaimLimits) (map[ItemID]Claimed, error) {
	rows, err := s.pool.Query(ctx, `
		WITH room AS (
		    SELECT q.dispatch_id, q.n, q.kind, q.k
		      FROM system AS s CROSS JOIN generate_series(3, 0, -1) AS u (urgency) CROSS JOIN LATERAL (
		          SELECT dispatch_id, n, kind, k, urgency, due FROM queue
		           WHERE destination = s.id AND urgency = u.urgency AND due <= $2
		           ORDER BY due LIMIT $4 FOR UPDATE SKIP LOCKED) AS q
		     WHERE s.way = 'push' AND s.disabled_at IS NULL AND s.id <> ALL(coalesce($6::text[], '{}'))
		     ORDER BY q.urgency DESC, q.due LIMIT $5),
		claimed AS (
		    UPDATE queue AS q SET due = $2::timestamptz + $3::interval, fence = q.fence + 1
		      FROM room WHERE q.dispatch_id = room.dispatch_id AND q.n = room.n AND q.kind = room.kind AND q.k = room.k
		    RETURNING q.dispatch_id, q.n, q.kind, q.k, q.fence),
		tried AS (
		    INSERT INTO attempt (dispatch_id, n, k, node, started_at)
		    SELECT c.dispatch_id, c.n,
		           1 + coalesce((SELECT max(a.k) FROM attempt AS a WHERE a.dispatch_id = c.dispatch_id AND a.n = c.n), 0), $1, $2
		      FROM claimed AS c WHERE c.kind = 'd'
		    RETURNING dispatch_id, n, k)
		SELECT c.dispatch_id, c.n, c.kind::text, c.k, c.fence, coalesce(t.k, c.fence)
		  FROM claimed AS c LEFT JOIN tried AS t ON c.kind = 'd' AND t.dispatch_id = c.dispatch_id AND t.n = c.n`,
		node, now.UTC(), l.Lease, l.PerDestination, l.Total, l.Except)
	if err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	claims := map[ItemID]Claimed{}
	var id ItemID
	var kind string
	var fence, try int
	_, err = pgx.ForEachRow(rows, []any{&id.Dispatch, &id.N, &kind, &id.K, &fence, &try}, func() error {
		id.Kind = ItemKind(kind[0])
		claims[id] = Claimed{Fence: fence, Try: try}
		return nil
	})
	return claims, err
}

// Result is what came of a claimed item's try.
type Result struct {
	Claimed
	Outcome  Outcome
	Taken    bool      // Done: the system has it; otherwise it was only told and must say taken by Next
	Detail   string    // the answer or the error, short, without document content
	EndedAt  time.Time // of the try
	Next     time.Time // Later, or told: when it comes due again
	Park     State     // Refused or Expired: the delivery leaves the queue for a person
	Reason   string    // of Park
	Owner    string
	Deadline time.Time
}

// Record writes the results of up to 200 tries in one commit. A result whose claim was lost in the meantime (its lease
// ended and another node claimed, the system said taken, the sender recalled) changes nothing and is counted in lost.
func (s *Store) Record(ctx context.Context, results []Result) (lost int, err error) {
	err = s.tx(ctx, func(tx pgx.Tx) error {
		lost = 0
		batch := &pgx.Batch{}
		lockDeliveries(batch, results)
		for _, r := range results {
			queueResult(batch, r, func(held bool) {
				if !held {
					lost++
				}
			})
		}
		return tx.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return 0, fmt.Errorf("record results: %w", err)
	}
	return lost, nil
}

// The order of locks, so that no two verbs wait for each other in a circle: idempotency key, identity, object, delivery,
// queue. Whoever needs several deliveries locks them in the order of their ids, in a statement of its own before the
// first is changed. A queue row is locked only by who holds its delivery, or else with SKIP LOCKED (Claim, Answers).

// lockDeliveries takes the rows of all results in that order.
func lockDeliveries(batch *pgx.Batch, results []Result) {
	dispatches, ns := make([]uuid.UUID, len(results)), make([]int32, len(results))
	for i, r := range results {
		dispatches[i], ns[i] = r.DeliveryID.Dispatch, int32(r.N)
	}
	batch.Queue(`
		SELECT 1 FROM delivery AS d JOIN unnest($1::uuid[], $2::int[]) AS x (dispatch_id, n) ON d.dispatch_id = x.dispatch_id AND d.n = x.n
		 ORDER BY d.dispatch_id, d.n FOR UPDATE OF d`, dispatches, ns)
}

// queueResult adds the statement that records one result where the claim is still held.
func queueResult(batch *pgx.Batch, r Result, told func(held bool)) {
	count := func(row pgx.Row) error {
		var held bool
		if err := row.Scan(&held); err != nil {
			return err
		}
		told(held)
		return nil
	}
	if r.Kind != DispatchItem {
		queueNewsResult(batch, r).QueryRow(count)
		return
	}
	noteAttempt(batch, r)
	key := []any{r.DeliveryID.Dispatch, r.N, r.Fence, r.EndedAt.UTC()}
	switch {
	case r.Outcome == Done && r.Taken:
		batch.Queue(`
			WITH gone AS (
			    DELETE FROM queue WHERE dispatch_id = $1 AND n = $2 AND kind = 'd' AND fence = $3 RETURNING dispatch_id, n),
			ended AS (
			    UPDATE delivery AS d SET state = 'delivered', state_at = $4, reason = '', told_at = coalesce(told_at, $4)
			      FROM gone WHERE d.dispatch_id = gone.dispatch_id AND d.n = gone.n AND d.state = 'pending' RETURNING d.agency),
			counted AS (
			    INSERT INTO tally (day, agency, metric, count) SELECT $5, agency, 'received', 1 FROM ended)
			SELECT EXISTS (SELECT 1 FROM ended)`, append(key, Day(r.EndedAt))...).QueryRow(count)
	case r.Park != "":
		batch.Queue(`
			WITH gone AS (
			    DELETE FROM queue WHERE dispatch_id = $1 AND n = $2 AND kind = 'd' AND fence = $3 RETURNING dispatch_id, n),
			ended AS (
			    UPDATE delivery AS d SET state = $5, state_at = $4, reason = $6, owner = $7, deadline = $8
			      FROM gone WHERE d.dispatch_id = gone.dispatch_id AND d.n = gone.n AND d.state = 'pending'
			    RETURNING d.dispatch_id, d.n),
			news AS (
			    INSERT INTO queue (dispatch_id, n, kind, k, destination, urgency, entered, due)
			    SELECT e.dispatch_id, e.n, 'n', $9, s.id, d.urgency, $4, CASE WHEN s.way = 'push' THEN $4::timestamptz END
			      FROM ended AS e JOIN dispatch AS d ON d.id = e.dispatch_id JOIN system AS s ON s.id = d.system_id
			     WHERE s.way <> 'mailbox'
			    ON CONFLICT DO NOTHING)
			SELECT EXISTS (SELECT 1 FROM ended)`,
			append(key, r.Park, r.Reason, r.Owner, r.Deadline.UTC(), parkNotice(r.Park))...).QueryRow(count)
	default: // told, or later
		batch.Queue(`
			WITH again AS (
			    UPDATE queue SET due = $5 WHERE dispatch_id = $1 AND n = $2 AND kind = 'd' AND fence = $3 RETURNING dispatch_id, n),
			noted AS (
			    UPDATE delivery AS d SET reason = $6, told_at = CASE WHEN $7 THEN coalesce(told_at, $4) ELSE told_at END
			      FROM again WHERE d.dispatch_id = again.dispatch_id AND d.n = again.n AND d.state = 'pending' RETURNING 1)
			SELECT EXISTS (SELECT 1 FROM noted)`,
			append(key, r.Next.UTC(), r.Detail, r.Outcome == Done)...).QueryRow(count)
	}
}

func noteAttempt(batch *pgx.Batch, r Result) {
	outcome := r.Outcome
	if outcome == Done && !r.Taken {
		outcome = Later // told is not taken
	}
	batch.Queue(`
		UPDATE attempt SET ended_at = $4, outcome = $5, detail = $6
		 WHERE dispatch_id = $1 AND n = $2 AND k = $3 AND outcome IS NULL`,
		r.DeliveryID.Dispatch, r.N, r.Try, r.EndedAt.UTC(), outcome, r.Detail)
}

func parkNotice(s State) Notice {
	if s == Refused {
		return NoticeRefused
	}
	return NoticeExpired
}

// queueNewsResult records the try of a receipt or notice: it ends with any answer that says done; when its tries are
// exhausted it waits in the inbox to be pulled, and is never thrown away.
func queueNewsResult(batch *pgx.Batch, r Result) *pgx.QueuedQuery {
	key := []any{r.DeliveryID.Dispatch, r.N, string(rune(r.Kind)), r.K, r.Fence}
	if r.Outcome == Done {
		return batch.Queue(`
			WITH gone AS (
			    DELETE FROM queue WHERE dispatch_id = $1 AND n = $2 AND kind = $3::text::"char" AND k = $4 AND fence = $5 RETURNING 1)
			SELECT EXISTS (SELECT 1 FROM gone)`, key...)
	}
	var due *time.Time
	if r.Park == "" {
		next := r.Next.UTC()
		due = &next
	}
	return batch.Queue(`
		WITH again AS (
		    UPDATE queue SET due = $6 WHERE dispatch_id = $1 AND n = $2 AND kind = $3::text::"char" AND k = $4 AND fence = $5 RETURNING 1)
		SELECT EXISTS (SELECT 1 FROM again)`, append(key, due)...)
}

// Release gives claims back unused, so that another node need not wait for the lease to end.
func (s *Store) Release(ctx context.Context, claims []Claimed, now time.Time) error {
	return s.tx(ctx, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		results := make([]Result, len(claims))
		for i, c := range claims {
			results[i] = Result{Claimed: c, Outcome: Later, Detail: "released at shutdown", EndedAt: now}
		}
		lockDeliveries(batch, results)
		for i, c := range claims {
			batch.Queue(`
				UPDATE queue SET due = $6 WHERE dispatch_id = $1 AND n = $2 AND kind = $3::text::"char" AND k = $4 AND fence = $5`,
				c.DeliveryID.Dispatch, c.N, string(rune(c.Kind)), c.K, c.Fence, now.UTC())
			if c.Kind == DispatchItem {
				noteAttempt(batch, results[i])
			}
		}
		return tx.SendBatch(ctx, batch).Close()
	})
}

// Answers notes how a destination answered. The first success after failures makes everything that waits for it due
// now, urgent first: a destination that comes back gets all that it missed. Items whose due time lies within a lease
// from now are left alone, for they may be in flight.
func (s *Store) Answers(ctx context.Context, system string, ok bool, failure string, now time.Time, lease time.Duration) (revived int64, err error) {
	if !ok {
		_, err = s.pool.Exec(ctx, `
			UPDATE system SET failing_since = coalesce(failing_since, $2), failure = $3 WHERE id = $1`, system, now.UTC(), failure)
		return 0, unavailable(err)
	}
	// 1. What waits. A crash after some batches leaves the system failing, and its next success goes on.
	var failing bool
	err = s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM system WHERE id = $1 AND failing_since IS NOT NULL)`, system).Scan(&failing)
	if err != nil || !failing {
		return 0, unavailable(err)
	}
	for {
		n, err := s.revive(ctx, system, now, lease)
		if err != nil {
			return revived, err
		}
		if revived += n; n < reviveBatch {
			break
		}
	}
	// 2. The mark. What failed in between has set it anew, with a later time, and keeps it.
	_, err = s.pool.Exec(ctx, `
		UPDATE system SET failing_since = NULL, failure = '' WHERE id = $1 AND failing_since <= $2`, system, now.UTC())
	return revived, unavailable(err)
}

const reviveBatch = 1000

// revive makes a batch due. A row that is locked just now is being claimed, recorded or ended: it is left to that.
func (s *Store) revive(ctx context.Context, system string, now time.Time, lease time.Duration) (int64, error) {
	tag, err := s.pool.Exec(ctx, `
		WITH part AS (
		    SELECT dispatch_id, n, kind, k FROM queue WHERE destination = $1 AND due > $3
		     ORDER BY urgency DESC, due LIMIT $4 FOR UPDATE SKIP LOCKED)
		UPDATE queue AS q SET due = $2 FROM part
		 WHERE q.dispatch_id = part.dispatch_id AND q.n = part.n AND q.kind = part.kind AND q.k = part.k`,
		system, now.UTC(), now.Add(lease).UTC(), reviveBatch)
	if err != nil {
		return 0, unavailable(fmt.Errorf("bring forward what waits for %s: %w", system, err))
	}
	return tag.RowsAffected(), nil
}

// QueueDepth counts queue rows by destination, and the oldest entry.
type QueueDepth struct {
	Destination string
	Count       int64
	Oldest      time.Time
}

// QueueDepths reads the backlog of every destination that has one.
func (s *Store) QueueDepths(ctx context.Context) ([]QueueDepth, error) {
	rows, err := s.pool.Query(ctx, `SELECT destination, count(*), min(entered) FROM queue GROUP BY destination ORDER BY destination`)
	if err != nil {
		return nil, unavailable(fmt.Errorf("read the backlog: %w", err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[QueueDepth])
	return list, unavailable(err)
}
