// Package storage answers: what do we keep? It holds the project's only SQL (PostgreSQL through pgx) and its only
// object store (any S3, or files in a folder). A public method is one transaction; none is held open across the
// network or a client's read. Times go in and come out as instants and are stored in UTC; a day is a day in Vietnam.
package storage

import (
	"context"
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // the day's boundary must not depend on the machine's own zone files

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Vietnam is the zone of every day, month and year: counters, clocks, reports, JSON times.
var Vietnam = mustZone("Asia/Ho_Chi_Minh")

func mustZone(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic("storage: the embedded zone data lack " + name)
	}
	return zone
}

// Day returns the Vietnam day of t as a date at 00:00 UTC, the form in which the database keeps days.
func Day(t time.Time) time.Time {
	y, m, d := t.In(Vietnam).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// ErrNotFound says that what was asked for is not there. A failure is never reported as ErrNotFound.
var ErrNotFound = errors.New("not found")

// ErrUnavailable says that PostgreSQL cannot be asked or that the outcome of a commit could not be learned: the
// caller may try again.
var ErrUnavailable = errors.New("database unavailable")

// ErrNoMonth says that no month is attached for the time of a dispatch: the node's clock is far off, or the job that
// attaches months has not run for as long. Setting either right mends it, so it is ErrUnavailable too.
var ErrNoMonth = fmt.Errorf("%w: no month is attached for the time of this dispatch", ErrUnavailable)

// Store is the database and the object store together. Its methods may be called concurrently.
type Store struct {
	Objects Objects
	pool    *pgxpool.Pool
	commits *committer
}

// Config says where the data lie.
type Config struct {
	DSN     string  // PostgreSQL connection string; several hosts are allowed
	Objects Objects // nil for commands that need no objects
	Conns   int32   // size of the connection pool; 0 = 16
}

// Open connects and checks that the schema is the one this binary was built for: *SchemaError when it is older.
func Open(ctx context.Context, c Config) (*Store, error) {
	pool, err := connect(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := checkSchema(ctx, pool); err != nil {
		pool.Close()
		return nil, err
	}
	s := &Store{Objects: c.Objects, pool: pool}
	s.commits = newCommitter(s)
	return s, nil
}

func connect(ctx context.Context, c Config) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(c.DSN)
	if err != nil {
		return nil, fmt.Errorf("read the database address: %w", err)
	}
	config.MaxConns = 16
	if c.Conns > 0 {
		config.MaxConns = c.Conns
	}
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	// Nearly every statement finds its rows by id in one month out of many. A plan for any values suits them all (TestPlans tries
	// both), but PostgreSQL would think it dear, as it counts all months, and plan anew each time: longer than the statement runs.
	config.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	config.ConnConfig.RuntimeParams["application_name"] = "truc"
	config.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "30000"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return pool, nil
}

// Close waits for the commits under way and gives the connections back.
func (s *Store) Close() {
	s.commits.close()
	s.pool.Close()
}

// Ready does the real operation on both halves: it writes a row and reads it back, and does the same with an object.
func (s *Store) Ready(ctx context.Context, node string, now time.Time) error {
	var back time.Time
	err := s.pool.QueryRow(ctx, `
		INSERT INTO readiness (node, at) VALUES ($1, $2)
		ON CONFLICT (node) DO UPDATE SET at = excluded.at RETURNING at`, node, now.UTC()).Scan(&back)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if s.Objects == nil {
		return nil
	}
	if err := s.Objects.Ping(ctx); err != nil {
		return fmt.Errorf("object store: %w", err)
	}
	return nil
}

// tx runs f in one transaction and commits it. A commit whose answer was lost comes back as ErrUnavailable.
func (s *Store) tx(ctx context.Context, f func(pgx.Tx) error) error {
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after a commit this does nothing
	if err := f(tx); err != nil {
		return unavailable(err)
	}
	if err := tx.Commit(ctx); err != nil {
		return unavailable(err)
	}
	return nil
}

// unavailable marks the errors that speak of PostgreSQL's absence rather than of the statement.
func unavailable(err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		if pg.Code == "23514" && pg.ConstraintName == "" { // check_violation of no check: no partition takes the row
			return fmt.Errorf("%w: %w", ErrNoMonth, err)
		}
		switch pg.Code[:2] {
		// Connection, rolled back for others' sake (a deadlock), resources (disk full), shutdown, system error: the same again
		// may succeed.
		case "08", "40", "53", "57", "58":
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return err
	}
	var dial *pgconn.ConnectError
	if errors.As(err, &dial) || pgconn.SafeToRetry(err) || pgconn.Timeout(err) || isNetwork(err) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// bump adds one to a configuration's version in the caller's transaction and returns the new number.
func bump(ctx context.Context, tx pgx.Tx, name string) (int64, error) {
	var number int64
	err := tx.QueryRow(ctx, `UPDATE version SET number = number + 1 WHERE name = $1 RETURNING number`, name).Scan(&number)
	if err != nil {
		return 0, fmt.Errorf("raise the version of %s: %w", name, err)
	}
	return number, nil
}

// Versions returns the version of each kind of configuration: directory, systems, trust, policy.
func (s *Store) Versions(ctx context.Context) (map[string]int64, error) {
	rows, err := s.pool.Query(ctx, `SELECT name, number FROM version`)
	if err != nil {
		return nil, unavailable(fmt.Errorf("read versions: %w", err))
	}
	versions := map[string]int64{}
	var name string
	var number int64
	_, err = pgx.ForEachRow(rows, []any{&name, &number}, func() error {
		versions[name] = number
		return nil
	})
	return versions, unavailable(err)
}
