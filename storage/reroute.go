package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

const rerouteBatch = 1000

// Reroute moves what waits for an agency to the system that serves it now, in batches of a thousand. Only the row's
// destination moves; whom it was addressed to stays. It returns how many moved.
func (s *Store) Reroute(ctx context.Context, agency routing.Code, from, to string, way routing.Way, now time.Time) (int64, error) {
	var total int64
	for {
		var found, moved int64
		err := s.pool.QueryRow(ctx, `
			WITH part AS (
			    SELECT q.dispatch_id, q.n FROM queue AS q JOIN delivery AS d ON d.dispatch_id = q.dispatch_id AND d.n = q.n
			     WHERE q.destination = $2 AND q.kind = 'd' AND d.agency = $1 AND d.state = 'pending' LIMIT $7),
			locked AS (
			    SELECT d.dispatch_id, d.n FROM delivery AS d JOIN part ON d.dispatch_id = part.dispatch_id AND d.n = part.n
			     WHERE d.system_id = $2 AND d.state = 'pending' ORDER BY d.dispatch_id, d.n FOR UPDATE OF d),
			moved AS (
			    UPDATE delivery AS d SET system_id = $3, way = $4, told_at = NULL,
			           state = CASE WHEN $4 = 'mailbox' THEN 'delivered' ELSE d.state END,
			           state_at = CASE WHEN $4 = 'mailbox' THEN $5 ELSE d.state_at END
			      FROM locked WHERE d.dispatch_id = locked.dispatch_id AND d.n = locked.n RETURNING d.dispatch_id, d.n),
			requeued AS (
			    UPDATE queue AS q SET destination = $3, fence = q.fence + 1, due = CASE WHEN $4 = 'push' THEN $5::timestamptz END
			      FROM moved WHERE $4 <> 'mailbox' AND q.dispatch_id = moved.dispatch_id AND q.n = moved.n AND q.kind = 'd'),
			gone AS (
			    DELETE FROM queue AS q USING moved WHERE $4 = 'mailbox' AND q.dispatch_id = moved.dispatch_id AND q.n = moved.n AND q.kind = 'd'),
			counted AS (
			    INSERT INTO tally (day, agency, metric, count) SELECT $6, $1, 'received', 1 FROM moved WHERE $4 = 'mailbox')
			SELECT (SELECT count(*) FROM part), (SELECT count(*) FROM moved)`,
			agency, from, to, string(way), now.UTC(), Day(now), rerouteBatch).Scan(&found, &moved)
		if err != nil {
			return total, unavailable(fmt.Errorf("reroute %s: %w", agency, err))
		}
		if total += moved; found < rerouteBatch {
			return total, nil
		}
	}
}

// Waiting is how much waits for an agency at a destination.
type Waiting struct {
	Agency      routing.Code
	Destination string
	Count       int64
}

// WaitingFor lists which agencies have documents waiting and where, so that a change of the directory can move them.
func (s *Store) WaitingFor(ctx context.Context) ([]Waiting, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT d.agency, q.destination, count(*) FROM queue AS q
		  JOIN delivery AS d ON d.dispatch_id = q.dispatch_id AND d.n = q.n
		 WHERE q.kind = 'd' GROUP BY 1, 2`)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list what waits: %w", err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Waiting])
	return list, unavailable(err)
}
