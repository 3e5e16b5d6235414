package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/truc-lienthong/truc/routing"
)

// System is a connected system and what it serves. Secrets are sealed under the key file; their purpose is
// SecretPurpose(ID).
type System struct {
	ID           string
	Name         string
	Kind         string // qlvb, lgsp, other
	Way          routing.Way
	Webhook      string
	Form         string // new, old: the form of code that it is shown over the VXP face; "" is new when it is written
	Secret       []byte // sealed
	OldSecret    []byte // sealed; still good until OldUntil
	OldUntil     time.Time
	Rate         int // requests a second; 0: the server's default
	CreatedAt    time.Time
	DisabledAt   time.Time
	SeenAt       time.Time // last call
	FailingSince time.Time // of a push system: since when it does not answer
	Failure      string
	Serves       []routing.Serving
}

// SecretPurpose binds a sealed secret to its system, so that it cannot be moved to another row.
func SecretPurpose(system string) string { return "system-secret/" + system }

// ErrExists says that an id or code is taken.
var ErrExists = errors.New("exists already")

const (
	insertSystem = `INSERT INTO system (id, name, kind, way, webhook, form, secret, rate, created_at)
		VALUES ($1, $2, $3, $4, $5, coalesce(nullif($6, ''), 'new'), $7, $8, $9)`
	insertServing = `INSERT INTO system_agency (system_id, code, subtree) VALUES ($1, $2, $3)`
	rotateSecret  = `UPDATE system SET old_secret = secret, old_until = $3, secret = $2 WHERE id = $1`
)

// columns are the arguments of insertSystem.
func (y *System) columns(now time.Time) []any {
	return []any{y.ID, y.Name, y.Kind, string(y.Way), y.Webhook, y.Form, y.Secret, y.Rate, now.UTC()}
}

// AddSystem writes a new system with the codes it serves. ErrExists when the id, or one of the codes, is taken.
func (s *Store) AddSystem(ctx context.Context, sys System, actor string, now time.Time) error {
	return s.tx(ctx, func(tx pgx.Tx) error {
		if _, err := bump(ctx, tx, "systems"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertSystem, sys.columns(now)...); err != nil {
			return taken(err, "system "+sys.ID)
		}
		for _, v := range sys.Serves {
			if _, err := tx.Exec(ctx, insertServing, sys.ID, v.Code, v.Subtree); err != nil {
				return taken(err, fmt.Sprintf("code %s", v.Code))
			}
		}
		return audit(ctx, tx, Event{At: now, Actor: actor, Action: "system.add", Object: sys.ID, Detail: string(sys.Way)})
	})
}

func taken(err error, what string) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" { // unique_violation
		return fmt.Errorf("%s %w", what, ErrExists)
	}
	return fmt.Errorf("write %s: %w", what, err)
}

// RotateSecret gives a system a new secret; the old one stays good until oldUntil.
func (s *Store) RotateSecret(ctx context.Context, id string, sealed []byte, oldUntil time.Time, actor string, now time.Time) error {
	return s.changeSystem(ctx, id, Event{At: now, Actor: actor, Action: "system.rotate", Object: id},
		rotateSecret, sealed, oldUntil.UTC())
}

// DisableSystem ends a system's access and its routes. What waits for it waits on.
func (s *Store) DisableSystem(ctx context.Context, id, actor string, now time.Time) error {
	return s.changeSystem(ctx, id, Event{At: now, Actor: actor, Action: "system.disable", Object: id},
		`UPDATE system SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL`, now.UTC())
}

func (s *Store) changeSystem(ctx context.Context, id string, e Event, sql string, args ...any) error {
	return s.tx(ctx, func(tx pgx.Tx) error {
		if _, err := bump(ctx, tx, "systems"); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, sql, append([]any{id}, args...)...)
		if err != nil {
			return fmt.Errorf("%s %s: %w", e.Action, id, err)
		}
		if tag.RowsAffected() == 0 {
			return ErrNotFound
		}
		return audit(ctx, tx, e)
	})
}

// Systems lists all systems, disabled ones too, by id.
func (s *Store) Systems(ctx context.Context) ([]System, error) {
	list, err := readSystems(ctx, s.pool)
	return list, unavailable(err)
}

func readSystems(ctx context.Context, from interface {
	Query(context.Context, string, ...any) (pgx.Rows, error)
}) ([]System, error) {
	rows, err := from.Query(ctx, `
		SELECT id, name, kind, way, webhook, form, secret, old_secret, coalesce(old_until, 'epoch'), rate, created_at,
		       coalesce(disabled_at, 'epoch'), coalesce(seen_at, 'epoch'), coalesce(failing_since, 'epoch'), failure,
		       (SELECT coalesce(json_agg(json_build_object('Code', code, 'Subtree', subtree) ORDER BY code, subtree), '[]')
		          FROM system_agency WHERE system_id = id)
		  FROM system ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("list systems: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (System, error) {
		var y System
		err := row.Scan(&y.ID, &y.Name, &y.Kind, &y.Way, &y.Webhook, &y.Form, &y.Secret, &y.OldSecret, &y.OldUntil, &y.Rate, &y.CreatedAt,
			&y.DisabledAt, &y.SeenAt, &y.FailingSince, &y.Failure, &y.Serves)
		for _, t := range []*time.Time{&y.OldUntil, &y.DisabledAt, &y.SeenAt, &y.FailingSince} {
			if t.Unix() == 0 {
				*t = time.Time{}
			}
		}
		for i := range y.Serves {
			y.Serves[i].System, y.Serves[i].Way = y.ID, y.Way
		}
		return y, err
	})
}

// Seen notes when systems last called, once for many calls.
func (s *Store) Seen(ctx context.Context, at map[string]time.Time) error {
	ids, times := make([]string, 0, len(at)), make([]time.Time, 0, len(at))
	for id, t := range at {
		ids, times = append(ids, id), append(times, t.UTC())
	}
	// In the order of ids, for two nodes that write at once must not wait for each other.
	_, err := s.pool.Exec(ctx, `
		WITH locked AS (
		    SELECT system.id, x.at FROM system JOIN unnest($1::text[], $2::timestamptz[]) AS x (id, at) ON system.id = x.id
		     WHERE seen_at IS NULL OR seen_at < x.at ORDER BY system.id FOR NO KEY UPDATE OF system)
		UPDATE system SET seen_at = locked.at FROM locked WHERE system.id = locked.id`, ids, times)
	return unavailable(err)
}
