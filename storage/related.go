package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

// FindOriginal returns the document of one of some senders that a recall, update or replacement means by its id: a new
// document, else a replacement, else the document that an update of that id is of. ErrNotFound: there is none.
func (s *Store) FindOriginal(ctx context.Context, senders []routing.Code, documentID string) (uuid.UUID, error) {
	var id uuid.UUID
	err := s.pool.QueryRow(ctx, `
		SELECT CASE WHEN i.kind = 2 THEN coalesce(d.original, d.id) ELSE d.id END
		  FROM identity AS i JOIN dispatch AS d ON d.id = i.dispatch_id
		 WHERE i.sender = ANY($1) AND i.document_id = $2 AND i.kind <> 1
		 ORDER BY i.kind = 2, i.kind, i.dispatch_id DESC LIMIT 1`, codeStrings(senders), documentID).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return id, ErrNotFound
	}
	return id, unavailable(err)
}

// WentTo says whether a new document of this id, whoever sent it, was delivered to one of some agencies.
func (s *Store) WentTo(ctx context.Context, documentID string, agencies []routing.Code) (bool, error) {
	var went bool
	err := s.pool.QueryRow(ctx, `
		SELECT EXISTS (SELECT 1 FROM identity AS i JOIN delivery AS dl ON dl.dispatch_id = i.dispatch_id
		               WHERE i.document_id = $1 AND i.kind = 0 AND (dl.agency IN (SELECT unnest($2::text[]))) IS TRUE)`,
		documentID, codeStrings(agencies)).Scan(&went)
	return went, unavailable(err)
}

// Updates returns the new versions of a document, oldest first.
func (s *Store) Updates(ctx context.Context, original uuid.UUID) ([]uuid.UUID, error) {
	rows, err := s.pool.Query(ctx, `SELECT id FROM dispatch WHERE original = $1 AND kind = 2 AND id >= $2 ORDER BY id`,
		original, FirstID(IDTime(original)))
	if err != nil {
		return nil, unavailable(fmt.Errorf("list the versions of %s: %w", original, err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	return list, unavailable(err)
}

// Related is a dispatch that another one recalls, updates or replaces, or that does so to it.
type Related struct {
	DispatchLine
	Original bool // it is the other one's original; else the other one is its
	By       Kind // what the later of the two is
}

// maxRelated bounds both lists that stand beside a document.
const maxRelated = 50

// Related lists what recalls, updates or replaces a dispatch, newest first, and before it what it does so to itself.
func (s *Store) Related(ctx context.Context, d Dispatch) ([]Related, error) {
	rows, err := s.pool.Query(ctx, `
		(SELECT `+dispatchLine+`, d.id = $2 FROM dispatch AS d WHERE d.id = $2)
		UNION ALL
		(SELECT `+dispatchLine+`, false FROM dispatch AS d WHERE d.original = $1 AND d.id >= $3 ORDER BY d.id DESC LIMIT $4)`,
		d.ID, orNull(d.Original, d.Original == uuid.UUID{}), FirstID(IDTime(d.ID)), maxRelated)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list what is related to %s: %w", d.ID, err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Related, error) {
		var r Related
		err := row.Scan(append(r.targets(), &r.Original)...)
		r.DispatchLine = r.undated()
		if r.By = r.Kind; r.Original {
			r.By = d.Kind
		}
		return r, err
	})
	return list, unavailable(err)
}

// Twins lists other documents of the same agency with the same number and notation in the same year, newest first: what a
// clerk should suspect of being the same document (nghi trùng, R37). The year is that of promulgation, else of acceptance.
// Recalls and updates have their original's number by right, and what is linked already needs no suspicion.
func (s *Store) Twins(ctx context.Context, d Dispatch) ([]DispatchLine, error) {
	if d.Number == "" || d.Kind == Recall || d.Kind == Update {
		return nil, nil
	}
	year := d.AcceptedAt.In(Vietnam).Year()
	if !d.Promulgated.IsZero() {
		year = d.Promulgated.Year()
	}
	// Accepted in the year or the one after it, or about when this one was: a bound, so that not every month is read.
	from, to := time.Date(year, 1, 1, 0, 0, 0, 0, Vietnam), time.Date(year+2, 1, 1, 0, 0, 0, 0, Vietnam)
	if early := d.AcceptedAt.AddDate(-1, 0, 0); early.Before(from) {
		from = early
	}
	if late := d.AcceptedAt.AddDate(1, 0, 0); late.After(to) {
		to = late
	}
	rows, err := s.pool.Query(ctx, `
		SELECT `+dispatchLine+` FROM dispatch AS d
		 WHERE d.sender = $1 AND left(d.number, 30) = left($2::text, 30) AND left(d.notation, 60) = left($3::text, 60) AND d.number = $2 AND d.notation = $3
		   AND d.id >= $4 AND d.id < $5 AND d.id <> $6 AND d.kind IN (0, 3)
		   AND d.id IS DISTINCT FROM $7::uuid AND d.original IS DISTINCT FROM $6
		   AND extract(year FROM coalesce(d.promulgated, (d.accepted_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date)) = $8
		 ORDER BY d.id DESC LIMIT $9`,
		d.Sender, d.Number, d.Notation, FirstID(from), FirstID(to), d.ID, orNull(d.Original, d.Original == uuid.UUID{}), year, maxRelated)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list documents of the number of %s: %w", d.ID, err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (DispatchLine, error) {
		var l DispatchLine
		err := row.Scan(l.targets()...)
		return l.undated(), err
	})
	return list, unavailable(err)
}
