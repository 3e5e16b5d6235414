package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

// Volume is what one agency sent and received in a period. Sent counts dispatches accepted, each on the day of its
// acceptance; Received counts deliveries that became delivered, each on that day. Days are Vietnam's.
type Volume struct {
	Agency   routing.Code
	Sent     int64
	Received int64
}

// FoldTallies moves up to limit tally rows into day counts, in one commit, and returns how many. Run until it
// returns 0. Several nodes may fold at once: each row is counted once.
func (s *Store) FoldTallies(ctx context.Context, limit int) (int64, error) {
	var folded int64
	err := s.pool.QueryRow(ctx, `
		WITH part AS (SELECT id FROM tally ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED),
		gone AS (DELETE FROM tally USING part WHERE tally.id = part.id RETURNING day, agency, metric, count),
		sums AS (SELECT day, agency, metric, sum(count) AS count, count(*) AS rows FROM gone GROUP BY day, agency, metric ORDER BY 1, 2, 3),
		added AS (
		    INSERT INTO volume (day, agency, metric, count) SELECT day, agency, metric, count FROM sums
		    ON CONFLICT (day, agency, metric) DO UPDATE SET count = volume.count + excluded.count)
		SELECT coalesce(sum(rows), 0) FROM sums`, limit).Scan(&folded)
	if err != nil {
		return 0, unavailable(fmt.Errorf("fold tallies: %w", err))
	}
	return folded, nil
}

// Volumes sums the counted days from the day of from up to, and without, the day of to: what is folded and what is
// not yet, in one snapshot. Agencies without traffic are left out; the list is by code.
func (s *Store) Volumes(ctx context.Context, from, to time.Time) ([]Volume, error) {
	return s.volumes(ctx, `
		SELECT agency, coalesce(sum(count) FILTER (WHERE metric = 'sent'), 0)::bigint,
		       coalesce(sum(count) FILTER (WHERE metric = 'received'), 0)::bigint
		  FROM (SELECT day, agency, metric, count FROM volume UNION ALL SELECT day, agency, metric, count FROM tally) AS counted
		 WHERE day >= $1 AND day < $2 GROUP BY agency ORDER BY agency`, Day(from), Day(to))
}

// Recount counts the same from the rows themselves, which is slow and true: what Volumes must agree with.
func (s *Store) Recount(ctx context.Context, from, to time.Time) ([]Volume, error) {
	return s.volumes(ctx, `
		SELECT agency, sum(sent)::bigint, sum(received)::bigint
		  FROM (SELECT sender AS agency, 1 AS sent, 0 AS received FROM dispatch
		         WHERE accepted_at >= $1 AND accepted_at < $2
		        UNION ALL
		        SELECT agency, 0, 1 FROM delivery WHERE state = 'delivered' AND state_at >= $1 AND state_at < $2) AS events
		 GROUP BY agency ORDER BY agency`, dayStart(from), dayStart(to))
}

// dayStart is the instant at which the Vietnam day of t begins.
func dayStart(t time.Time) time.Time {
	y, m, d := t.In(Vietnam).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, Vietnam).UTC()
}

func (s *Store) volumes(ctx context.Context, sql string, from, to time.Time) ([]Volume, error) {
	rows, err := s.pool.Query(ctx, sql, from, to)
	if err != nil {
		return nil, unavailable(fmt.Errorf("read volumes: %w", err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Volume])
	return list, unavailable(err)
}
