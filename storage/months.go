package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// partitioned are the tables that are cut by month on the dispatch's id.
var partitioned = []string{"dispatch", "attachment", "delivery", "attempt", "receipt"}

// monthsAhead is how many months beyond the current one are kept attached, so that a job that fails for weeks
// still costs nothing.
const monthsAhead = 3

// NewID returns a UUIDv7 (RFC 9562, 5.7) for the instant now: its first 48 bits are now in milliseconds, by which
// it finds its month; 42 bits are random; the last 32 are zero, so that the items of a dispatch can be named by UUIDs of
// their own, made of its id and their numbers (PacketID).
func NewID(now time.Time) uuid.UUID {
	id := newUUID(now)
	clear(id[12:])
	return id
}

func newUUID(now time.Time) uuid.UUID {
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

// firstID is FirstID of IDTime of a column, in SQL: the bound for what came after a dispatch, be it within a millisecond.
func firstID(column string) string {
	return `(left(` + column + `::text, 13) || '-0000-0000-000000000000')::uuid`
}

// AttachMonths makes the partitions of last month (for a clock that lags at the turn), this month and the next
// three. It may be called at any time, by several nodes at once, and while documents are accepted: it waits for nobody.
func (s *Store) AttachMonths(ctx context.Context, now time.Time) error {
	return attachMonths(ctx, s.pool, now)
}

func attachMonths(ctx context.Context, pool *pgxpool.Pool, now time.Time) error {
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { // all of a month's tables appear, or none
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(7210)`); err != nil { // nodes take turns
			return err
		}
		have, err := attached(ctx, tx)
		if err != nil {
			return err
		}
		year, month, _ := now.In(Vietnam).Date()
		for ahead := -1; ahead <= monthsAhead; ahead++ {
			start := time.Date(year, month+time.Month(ahead), 1, 0, 0, 0, 0, Vietnam)
			for _, table := range partitioned {
				if name := table + "_" + start.Format("200601"); !have[name] {
					if err := attach(ctx, tx, table, name, start); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		return unavailable(fmt.Errorf("attach months: %w", err))
	}
	return nil
}

// attached lists the partitions that there are.
func attached(ctx context.Context, tx pgx.Tx) (map[string]bool, error) {
	rows, err := tx.Query(ctx, `
		SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = ANY($1::regclass[])`, partitioned)
	if err != nil {
		return nil, err
	}
	have := map[string]bool{}
	var name string
	_, err = pgx.ForEachRow(rows, []any{&name}, func() error {
		have[name] = true
		return nil
	})
	return have, err
}

// attach makes the table first and attaches it then: CREATE TABLE … PARTITION OF would lock the parent against every
// reader and writer, and so wait for them, or they for it, in a circle; ATTACH does not.
func attach(ctx context.Context, tx pgx.Tx, table, name string, start time.Time) error {
	// Names and bounds are ours, not a caller's, so they may stand in the text: DDL takes no arguments.
	_, err := tx.Exec(ctx, fmt.Sprintf(`CREATE TABLE %s (LIKE %s INCLUDING ALL)`, name, table))
	if err != nil {
		return fmt.Errorf("make %s: %w", name, err)
	}
	_, err = tx.Exec(ctx, fmt.Sprintf(`ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM ('%s') TO ('%s')`,
		table, name, FirstID(start), FirstID(start.AddDate(0, 1, 0))))
	if err != nil {
		return fmt.Errorf("attach %s: %w", name, err)
	}
	return nil
}
