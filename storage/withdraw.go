package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

// Withdrawal says why the axis no longer gives out what a recipient has: it agreed (15) to give it back, or to take a new
// version in its place. What remains is the trail of it: metadata, receipts, audit (NĐ 30/2020/NĐ-CP, PL VI, III.8).
type Withdrawal string

// The withdrawals. The zero value is none.
const (
	ByRecall Withdrawal = "recalled" // the sender took it back
	ByUpdate Withdrawal = "updated"  // a new version stands in its place
)

// WithdrawnError says that a delivery's package and files are no longer given out.
type WithdrawnError struct {
	ID  DeliveryID
	How Withdrawal
	By  DeliveryID // the recall's or the new version's own delivery to the same agency; zero when a status 13 asked for it
}

func (e *WithdrawnError) Error() string {
	return fmt.Sprintf("delivery %s is withdrawn: %s", e.ID, e.How)
}

// A 15 to a recall gives back the document and its new versions so far; a 15 to an update, the document and the versions
// before it. To a 13 it gives back what the 13 was said of.

// givenDelivery is a version of a document that a recipient got before the dispatch that its 15 answers.
type givenDelivery struct {
	DeliveryID
	state State
	told  bool
}

// lockGiven locks, for a 15, the deliveries that it may withdraw, together with its own and in the order of ids (the order
// of locks: queue.go). It returns those of the versions before; none for every other receipt.
func lockGiven(ctx context.Context, tx pgx.Tx, r Receipt) ([]givenDelivery, error) {
	if r.Status != RecallAgreed {
		return nil, nil
	}
	var agency routing.Code
	var ids []uuid.UUID
	err := tx.QueryRow(ctx, `
		SELECT dl.agency, CASE WHEN d.kind IN (1, 2) AND d.original IS NOT NULL THEN `+versionsBefore+` || d.original || d.id ELSE '{}' END
		  FROM dispatch AS d JOIN delivery AS dl ON dl.dispatch_id = d.id
		 WHERE d.id = $1 AND dl.dispatch_id = $1 AND dl.n = $2`, r.Dispatch, r.N).Scan(&agency, &ids)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && len(ids) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for what %s withdraws: %w", r.DeliveryID, err)
	}
	slices.SortFunc(ids, compareIDs)
	var given []givenDelivery
	batch := &pgx.Batch{}
	for _, id := range ids {
		g := givenDelivery{DeliveryID: DeliveryID{Dispatch: id}}
		batch.Queue(`SELECT n, state, told_at IS NOT NULL FROM delivery WHERE dispatch_id = $1 AND agency = $2 FOR UPDATE`, id, agency).
			QueryRow(func(row pgx.Row) error {
				err := row.Scan(&g.N, &g.state, &g.told)
				if errors.Is(err, pgx.ErrNoRows) { // this version did not go to the agency
					return nil
				}
				if g.DeliveryID != r.DeliveryID {
					given = append(given, g)
				}
				return err
			})
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("lock what %s withdraws: %w", r.DeliveryID, err)
	}
	return given, nil
}

// withdraw carries a 15 out. d is its delivery, already delivered; asked says that it answers a 13.
func withdraw(ctx context.Context, tx pgx.Tx, r Receipt, d lockedDelivery, given []givenDelivery, asked bool, ip string) error {
	how, by := ByRecall, &r.Dispatch
	switch {
	case asked || d.kind != Recall && d.kind != Update:
		given, by = []givenDelivery{{DeliveryID: r.DeliveryID, state: Delivered}}, nil
	case d.kind == Update:
		how = ByUpdate
	}
	for _, g := range given {
		done, err := g.withdraw(ctx, tx, how, by, r.ReceivedAt)
		if err != nil {
			return fmt.Errorf("withdraw %s: %w", g.DeliveryID, err)
		}
		if !done {
			continue
		}
		e := Event{At: r.ReceivedAt, Actor: r.System, IP: ip, Action: "delivery.withdrawn", Object: g.DeliveryID.String(), Detail: string(how) + ", agreed in " + r.DeliveryID.String()}
		if err := audit(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

// withdraw ends one version. What its recipient has never been told of is taken back as a recall takes it back (R22); of
// what was told or parked its word proves that it has it. A recall is the last word, and of two updates the later counts.
func (g givenDelivery) withdraw(ctx context.Context, tx pgx.Tx, how Withdrawal, by *uuid.UUID, at time.Time) (done bool, err error) {
	switch g.state {
	case Held, Recalled:
		return false, nil
	case Pending:
		if !g.told {
			return true, takeBack(ctx, tx, g.DeliveryID, how, at)
		}
		fallthrough
	case Refused, Expired:
		if err := endAs(ctx, tx, g.DeliveryID, g.state, at); err != nil {
			return false, err
		}
	}
	tag, err := tx.Exec(ctx, `
		UPDATE delivery SET withdrawn = $3, withdrawn_by = $4
		 WHERE dispatch_id = $1 AND n = $2 AND state = 'delivered'
		   AND (withdrawn = '' OR withdrawn = 'updated' AND ($3 = 'recalled' OR withdrawn_by < $4))`, g.Dispatch, g.N, how, by)
	return tag.RowsAffected() == 1, err
}

// takeBack ends a pending delivery that nobody was told of.
func takeBack(ctx context.Context, tx pgx.Tx, id DeliveryID, how Withdrawal, at time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE delivery SET state = 'recalled', state_at = $3, reason = $4 WHERE dispatch_id = $1 AND n = $2 AND state = 'pending'`,
		id.Dispatch, id.N, at.UTC(), string(how)+"_unfetched")
	if err != nil {
		return err
	}
	return unqueue(ctx, tx, id)
}

// withdrawn says of a delivered delivery that it was withdrawn, and what stands in its place.
func (s *Store) withdrawn(ctx context.Context, id DeliveryID, how Withdrawal, by uuid.UUID) error {
	e := &WithdrawnError{ID: id, How: how}
	if by == (uuid.UUID{}) {
		return e
	}
	err := s.pool.QueryRow(ctx, `
		SELECT n FROM delivery WHERE dispatch_id = $1 AND agency = (SELECT agency FROM delivery WHERE dispatch_id = $2 AND n = $3)`,
		by, id.Dispatch, id.N).Scan(&e.By.N)
	if err != nil {
		return unavailable(fmt.Errorf("look for what withdrew %s: %w", id, err))
	}
	e.By.Dispatch = by
	return e
}
