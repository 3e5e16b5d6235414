package storage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// partitioned are the tables that are cut by month on the dispatch's id.
var partitioned = []string{"dispatch", "attachment", "delivery", "attempt", "receipt"}

// monthsAhead is how many months beyond the current one are kept attached, so that a job that fails for weeks
// still costs nothing.
const monthsAhead = 3

// NewID returns a UUIDv7 (RFC 9562, 5.7) for the instant now: its first 48 bits are now in milliseconds, by which
// it finds its month; the rest is random.
func NewID(now time.Time) uuid.UUID {
	id := uuid.New()
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6] = id[6]&0x0f | 0x70
	return id
}

// IDTime returns the instant inside a UUIDv7, to the millisecond.
func IDTime(id uuid.UUID) time.Time {
	var ms int64
	for i := range 6 {
		ms = ms<<8 | int64(id[i])
	}
	return time.UnixMilli(ms)
}

// FirstID returns the smallest id of the instant t: the lower bound that every list carries so that only its months
// are read.
func FirstID(t time.Time) uuid.UUID {
	var id uuid.UUID
	ms := uint64(max(t.UnixMilli(), 0))
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	return id
}

// AttachMonths makes the partitions of last month (for a clock that lags at the turn), this month and the next
// three. It may be called at any time and by several nodes at once.
func (s *Store) AttachMonths(ctx context.Context, now time.Time) error {
	return attachMonths(ctx, s.pool, now)
}

func attachMonths(ctx context.Context, pool *pgxpool.Pool, now time.Time) error {
	year, month, _ := now.In(Vietnam).Date()
	var sql strings.Builder
	for ahead := -1; ahead <= monthsAhead; ahead++ {
		start := time.Date(year, month+time.Month(ahead), 1, 0, 0, 0, 0, Vietnam)
		end := start.AddDate(0, 1, 0)
		for _, table := range partitioned {
			// The names and bounds are ours, not a caller's, so they may stand in the text: DDL takes no arguments.
			fmt.Fprintf(&sql, "CREATE TABLE IF NOT EXISTS %s_%s PARTITION OF %s FOR VALUES FROM ('%s') TO ('%s');\n",
				table, start.Format("200601"), table, FirstID(start), FirstID(end))
		}
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return unavailable(fmt.Errorf("attach months: %w", err))
	}
	defer conn.Release()
	// One implicit transaction: all of a month's tables appear or none. The lock makes nodes take turns.
	_, err = conn.Conn().PgConn().Exec(ctx, "BEGIN; SELECT pg_advisory_xact_lock(7210); "+sql.String()+" COMMIT").ReadAll()
	if err != nil {
		return unavailable(fmt.Errorf("attach months: %w", err))
	}
	return nil
}
