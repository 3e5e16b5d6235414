package storage

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Pool lets a test look at rows, spoil them, and stand in the way with locks.
func (s *Store) Pool() *pgxpool.Pool { return s.pool }

// OpenTraced is Open with a tracer on every connection, for tests that want to know what SQL was sent.
func OpenTraced(ctx context.Context, c Config, tracer pgx.QueryTracer) (*Store, error) {
	config, err := pgxpool.ParseConfig(c.DSN)
	if err != nil {
		return nil, err
	}
	config.ConnConfig.Tracer = tracer
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	s := &Store{Objects: c.Objects, pool: pool}
	s.commits = newCommitter(s)
	return s, nil
}

// Waiting says how many acceptances are handed in and not yet in a group.
func (s *Store) Waiting() int { return len(s.commits.in) }

// Invariants lists what Check looks for in the database.
func Invariants() []string {
	list := make([]string, len(invariants))
	for i, v := range invariants {
		list[i] = v.broken
	}
	return list
}
