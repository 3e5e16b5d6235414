package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// ReleaseHeld lets a held dispatch go on: its held deliveries become pending (or delivered, in a mailbox) and queue; a
// recall that was held now takes back what is unfetched. It returns how many moved; none is ErrNotFound, for an
// operation that changed nothing is not a success (R104).
func (s *Store) ReleaseHeld(ctx context.Context, dispatch uuid.UUID, actor, ip string, now time.Time) (int64, error) {
	var moved int64
	err := s.tx(ctx, func(tx pgx.Tx) error {
		recalls, err := lockHeld(ctx, tx, dispatch, now)
		if err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `
			WITH freed AS (
			    UPDATE delivery SET state = CASE WHEN way = 'mailbox' THEN 'delivered' ELSE 'pending' END,
			           state_at = $2, reason = '', owner = '', deadline = NULL
			     WHERE dispatch_id = $1 AND state = 'held' RETURNING n, agency, system_id, way, state),
			queued AS (
			    INSERT INTO queue (dispatch_id, n, kind, destination, urgency, entered, due)
			    SELECT $1, f.n, 'd', f.system_id, d.urgency, $2, CASE WHEN f.way = 'push' THEN $2::timestamptz END
			      FROM freed AS f JOIN dispatch AS d ON d.id = $1 WHERE f.state = 'pending'),
			counted AS (
			    INSERT INTO tally (day, agency, metric, count) SELECT $3, agency, 'received', 1 FROM freed WHERE state = 'delivered')
			SELECT count(*) FROM freed`, dispatch, now.UTC(), Day(now)).Scan(&moved)
		if err != nil {
			return fmt.Errorf("release %s: %w", dispatch, err)
		}
		if moved == 0 {
			return ErrNotFound
		}
		batch := &pgx.Batch{}
		for _, r := range recalls {
			r.queue(batch)
		}
		queueAudit(batch, Event{At: now, Actor: actor, IP: ip, Action: "dispatch.release", Object: dispatch.String()})
		return tx.SendBatch(ctx, batch).Close()
	})
	return moved, err
}

// lockHeld takes the locks of a release: the identity, so that no recipient is added as held meanwhile; what a recall
// would take back (its original is older, so its ids come first); and the held deliveries. It returns the recall, if the
// dispatch is one.
func lockHeld(ctx context.Context, tx pgx.Tx, dispatch uuid.UUID, now time.Time) ([]recall, error) {
	var kind Kind
	r := recall{id: dispatch, at: now}
	err := tx.QueryRow(ctx, `
		SELECT d.kind, CASE WHEN d.original IS NULL THEN '{}' ELSE d.original || `+versionsBefore+` END,
		       ARRAY(SELECT agency FROM delivery WHERE dispatch_id = $1 AND state = 'held')
		  FROM identity AS i JOIN dispatch AS d ON d.id = i.dispatch_id WHERE i.dispatch_id = $1 AND d.id = $1 FOR UPDATE OF i`, dispatch).
		Scan(&kind, &r.versions, &r.agencies)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dispatch, err)
	}
	var recalls []recall
	if kind == Recall && len(r.versions) > 0 {
		recalls = append(recalls, r)
	}
	batch := &pgx.Batch{}
	lockRecalled(batch, recalls)
	batch.Queue(`SELECT 1 FROM delivery WHERE dispatch_id = $1 AND state = 'held' ORDER BY n FOR UPDATE`, dispatch)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("lock deliveries of %s: %w", dispatch, err)
	}
	return recalls, nil
}
