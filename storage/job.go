package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Tick is one run of a job that this node has won.
type Tick struct {
	Job   string
	Due   time.Time
	Fence int64
}

// ErrLost says that a lease ended and somebody else holds the work now.
var ErrLost = errors.New("lease lost")

// ClaimTick takes a job's tick for this node: once in the whole cluster, and again only when its lease ended without
// it being done. ok is false when another node has it or did it.
func (s *Store) ClaimTick(ctx context.Context, job string, due, now time.Time, lease time.Duration, node string) (tick Tick, ok bool, err error) {
	tick = Tick{Job: job, Due: due}
	err = s.pool.QueryRow(ctx, `
		INSERT INTO job_tick AS t (job, due, node, fence, lease) VALUES ($1, $2, $3, 1, $4)
		ON CONFLICT (job, due) DO UPDATE SET node = excluded.node, fence = t.fence + 1, lease = excluded.lease
		      WHERE t.done_at IS NULL AND t.lease < $5
		RETURNING fence`, job, due.UTC(), node, now.Add(lease).UTC(), now.UTC()).Scan(&tick.Fence)
	if errors.Is(err, pgx.ErrNoRows) {
		return tick, false, nil
	}
	if err != nil {
		return tick, false, unavailable(fmt.Errorf("claim job %s: %w", job, err))
	}
	return tick, true, nil
}

// EndTick marks the tick done and forgets ticks older than a month. ErrLost when the lease went to another node.
func (s *Store) EndTick(ctx context.Context, t Tick, now time.Time) error {
	return s.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE job_tick SET done_at = $4 WHERE job = $1 AND due = $2 AND fence = $3 AND done_at IS NULL`,
			t.Job, t.Due.UTC(), t.Fence, now.UTC())
		if err != nil {
			return fmt.Errorf("end job %s: %w", t.Job, err)
		}
		if tag.RowsAffected() == 0 {
			return ErrLost
		}
		_, err = tx.Exec(ctx, `
			DELETE FROM job_tick WHERE (job, due) IN (
			    SELECT job, due FROM job_tick WHERE job = $1 AND due < $2 ORDER BY due LIMIT 1000 FOR UPDATE SKIP LOCKED)`,
			t.Job, now.AddDate(0, -1, 0).UTC())
		if err != nil {
			return fmt.Errorf("forget old ticks of job %s: %w", t.Job, err)
		}
		return nil
	})
}

// Notify wakes the other nodes. It is called after a commit, never inside one: NOTIFY takes a global lock until the
// commit.
func (s *Store) Notify(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, `NOTIFY truc_work`)
	return unavailable(err)
}

// Listen calls wake for each notification until ctx ends or the connection breaks; the caller calls it again. What is
// missed meanwhile is found by the poll.
func (s *Store) Listen(ctx context.Context, wake func()) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `LISTEN truc_work`); err != nil {
		return unavailable(err)
	}
	defer func() { _, _ = conn.Exec(context.WithoutCancel(ctx), `UNLISTEN *`) }()
	for {
		if _, err := conn.Conn().WaitForNotification(ctx); err != nil {
			return unavailable(err)
		}
		wake()
	}
}
