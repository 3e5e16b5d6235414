package storage

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

// Cause says why a status packet fits no delivery.
type Cause string

// The causes.
const (
	NoDocument   Cause = "no_document" // its sender never sent a document of that id
	NoDelivery   Cause = "no_delivery" // the document never went to the agency that speaks
	WrongState   Cause = "state"       // the delivery is held or was recalled, or is parked and asked back
	NothingAsked Cause = "not_asked"   // a 15 or 16 that answers nothing
)

// Stray is a status packet that fits no delivery: it is kept for operators, so that nothing of it is lost (R32).
type Stray struct {
	ID         uuid.UUID
	System     string       // through which it came
	Agency     routing.Code // who says it
	Other      string       // to whom, as the packet names it
	DocumentID string
	Status     Status
	Reason     string
	Cause      Cause
	EventTime  time.Time
	ReceivedAt time.Time
	Packet     []byte // as it came; lists do not read it
	ClosedAt   time.Time
	ClosedBy   string
}

// AddStray keeps a stray and returns its id. The same packet of the same system is one stray, however often it comes:
// repeated says that it is there already. ip is for the audit.
func (s *Store) AddStray(ctx context.Context, t Stray, ip string) (id uuid.UUID, repeated bool, err error) {
	sum := sha256.Sum256(t.Packet)
	err = s.tx(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `
			INSERT INTO stray (id, system_id, agency, other, document_id, status, reason, cause, event_time, received_at, packet, packet_sha256)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (system_id, packet_sha256) DO NOTHING RETURNING id`,
			NewID(t.ReceivedAt), t.System, t.Agency, t.Other, t.DocumentID, t.Status, t.Reason, t.Cause,
			t.EventTime.UTC(), t.ReceivedAt.UTC(), t.Packet, sum[:]).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			repeated = true
			err = tx.QueryRow(ctx, `SELECT id FROM stray WHERE system_id = $1 AND packet_sha256 = $2`, t.System, sum[:]).Scan(&id)
		}
		if err != nil || repeated {
			return err
		}
		return audit(ctx, tx, Event{At: t.ReceivedAt, Actor: t.System, IP: ip, Action: "stray.add", Object: id.String(), Detail: string(t.Status) + " " + string(t.Cause)})
	})
	if err != nil {
		return id, false, unavailable(fmt.Errorf("keep a stray status: %w", err))
	}
	return id, repeated, nil
}

// StrayFilter chooses strays, newest first.
type StrayFilter struct {
	Closed bool      // also those that somebody has closed
	Before uuid.UUID // the last id of the page before; zero for the first
	Limit  int       // at most 1,000
}

// Strays lists status packets that fit no delivery.
func (s *Store) Strays(ctx context.Context, f StrayFilter) ([]Stray, error) {
	before, open := f.Before, ` AND closed_at IS NULL`
	if before == (uuid.UUID{}) {
		before = uuid.Max
	}
	if f.Closed {
		open = ``
	}
	rows, err := s.pool.Query(ctx, strayRows+` WHERE id < $1`+open+` ORDER BY id DESC LIMIT $2`, before, pageSize(f.Limit))
	if err != nil {
		return nil, unavailable(fmt.Errorf("list stray statuses: %w", err))
	}
	list, err := pgx.CollectRows(rows, scanStray)
	return list, unavailable(err)
}

// Stray returns one of them, closed or not, without its packet, or ErrNotFound.
func (s *Store) Stray(ctx context.Context, id uuid.UUID) (Stray, error) {
	rows, err := s.pool.Query(ctx, strayRows+` WHERE id = $1`, id)
	if err != nil {
		return Stray{}, unavailable(fmt.Errorf("read stray %s: %w", id, err))
	}
	t, err := pgx.CollectExactlyOneRow(rows, scanStray)
	if errors.Is(err, pgx.ErrNoRows) {
		return t, ErrNotFound
	}
	return t, unavailable(err)
}

const strayRows = `
	SELECT id, system_id, agency, other, document_id, status, reason, cause, event_time, received_at, coalesce(closed_at, 'epoch'), coalesce(closed_by, '')
	  FROM stray`

func scanStray(row pgx.CollectableRow) (Stray, error) {
	var t Stray
	err := row.Scan(&t.ID, &t.System, &t.Agency, &t.Other, &t.DocumentID, &t.Status, &t.Reason, &t.Cause, &t.EventTime, &t.ReceivedAt,
		&t.ClosedAt, &t.ClosedBy)
	if t.ClosedAt.Unix() == 0 {
		t.ClosedAt = time.Time{}
	}
	return t, err
}

// CloseStray notes that a person has looked at a stray and nothing is left to do. ErrNotFound: no such stray, or it is
// closed already; an operation that changed nothing is not a success (R104).
func (s *Store) CloseStray(ctx context.Context, id uuid.UUID, actor, ip string, now time.Time) error {
	return s.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE stray SET closed_at = $2, closed_by = $3 WHERE id = $1 AND closed_at IS NULL`, id, now.UTC(), actor)
		if err != nil {
			return fmt.Errorf("close stray %s: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return fmt.Errorf("open stray %s: %w", id, ErrNotFound)
		}
		return audit(ctx, tx, Event{At: now, Actor: actor, IP: ip, Action: "stray.close", Object: id.String()})
	})
}
