package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/truc-lienthong/truc/migrations"
)

// SchemaError says that the database's schema is older than this binary needs. `truc migrate` mends it.
type SchemaError struct{ Have, Need int64 }

func (e *SchemaError) Error() string {
	return fmt.Sprintf("the database has schema %d, this binary needs %d: run `truc migrate`", e.Have, e.Need)
}

// Migrate brings the schema up to date and attaches the months that are due. It holds a session lock on one
// connection meanwhile, so that several nodes may call it at once. It returns the versions before and after.
func Migrate(ctx context.Context, dsn string, now time.Time) (from, to int64, err error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return 0, 0, fmt.Errorf("read the database address: %w", err)
	}
	config.MaxConns = 3 // the lock, the migration, the months
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return 0, 0, fmt.Errorf("open the database: %w", err)
	}
	defer pool.Close()
	if from, err = schemaVersion(ctx, pool); err != nil {
		return 0, 0, err
	}
	if from < migrations.Latest() {
		if err := migrateUp(ctx, pool); err != nil {
			return from, 0, err
		}
	}
	if err := attachMonths(ctx, pool, now); err != nil {
		return from, 0, err
	}
	return from, max(from, migrations.Latest()), nil
}

func migrateUp(ctx context.Context, pool *pgxpool.Pool) error {
	db := stdlib.OpenDBFromPool(pool)
	defer func() { _ = db.Close() }()
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return fmt.Errorf("make the migration lock: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS, goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func checkSchema(ctx context.Context, pool *pgxpool.Pool) error {
	have, err := schemaVersion(ctx, pool)
	if err != nil {
		return err
	}
	// A newer schema is served: during a rolling upgrade old code runs on it.
	if need := migrations.Latest(); have < need {
		return &SchemaError{Have: have, Need: need}
	}
	return nil
}

func schemaVersion(ctx context.Context, pool *pgxpool.Pool) (int64, error) {
	var version int64
	err := pool.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&version)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42P01" { // undefined_table: nothing was migrated yet
		return 0, nil
	}
	if err != nil {
		return 0, unavailable(fmt.Errorf("read the schema version: %w", err))
	}
	return version, nil
}
