package storage

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Bare is the floor that benches measure against: one connection pool and one small table, none of the axis's own
// tables or code. It lives here because only this room speaks SQL.
type Bare struct{ pool *pgxpool.Pool }

// OpenBare connects and makes the table.
func OpenBare(ctx context.Context, dsn string, conns int32) (*Bare, error) {
	pool, err := connect(ctx, Config{DSN: dsn, Conns: conns})
	if err != nil {
		return nil, err
	}
	_, err = pool.Exec(ctx, `CREATE TABLE IF NOT EXISTS bare_floor (name text PRIMARY KEY, sha256 text NOT NULL, size bigint NOT NULL)`)
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("make the floor's table: %w", err)
	}
	return &Bare{pool: pool}, nil
}

// Commit writes one row in one durable commit.
func (b *Bare) Commit(ctx context.Context, name, sha256 string, size int64) error {
	_, err := b.pool.Exec(ctx, `INSERT INTO bare_floor (name, sha256, size) VALUES ($1, $2, $3)`, name, sha256, size)
	return err
}

// DatabaseSize is the bytes of the database's files, without the floor's own.
func (b *Bare) DatabaseSize(ctx context.Context) (n int64, err error) {
	err = b.pool.QueryRow(ctx, `SELECT pg_database_size(current_database()) - pg_total_relation_size('bare_floor')`).Scan(&n)
	return n, err
}

// Close drops the table and disconnects.
func (b *Bare) Close(ctx context.Context) error {
	defer b.pool.Close()
	_, err := b.pool.Exec(ctx, `DROP TABLE IF EXISTS bare_floor`)
	return err
}
