package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

// AgencyPageSize is how many agencies one statement of a whole list reads: 125,000 are 25 short statements, none of which
// holds a snapshot while a client takes its time.
const AgencyPageSize = 5000

// ListedAgency is an agency as the lists of the VXP face need it: with what the snapshot that servers keep in memory leaves
// out. Mail is personal data; it is for connected systems, and in no public export (R58).
type ListedAgency struct {
	Code, OldCode, Parent routing.Code // Parent as written; empty may still mean the nearest prefix
	Name                  string
	Status                routing.Status
	Mail                  string
	Version               int64     // of the directory at the row's last change
	ModifiedAt            time.Time // of the same
}

// AgencyPage gives at most limit agencies, the closed ones too, that come after a code in the database's own order; after
// the last page, none. The page takes the place of the one before in reuse, which may be nil. What changes between two
// pages is in the one or the other as it stands then.
func (s *Store) AgencyPage(ctx context.Context, after routing.Code, limit int, reuse []ListedAgency) ([]ListedAgency, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT code, old_code, parent, name, status, mail, version, modified_at FROM agency WHERE code > $1 ORDER BY code LIMIT $2`,
		after, limit)
	if err != nil {
		return nil, unavailable(fmt.Errorf("read a page of agencies: %w", err))
	}
	page := reuse[:0]
	var a ListedAgency
	_, err = pgx.ForEachRow(rows, []any{&a.Code, &a.OldCode, &a.Parent, &a.Name, &a.Status, &a.Mail, &a.Version, &a.ModifiedAt}, func() error {
		page = append(page, a)
		return nil
	})
	if err != nil {
		return nil, unavailable(fmt.Errorf("read a page of agencies: %w", err))
	}
	return page, nil
}

// Contact is how an agency's own people can be reached. It is personal data, and no part of the directory's snapshot.
type Contact struct{ Mail, Phone, Fax string }

// AgencyContact reads an agency's contact. ErrNotFound for a code that is none.
func (s *Store) AgencyContact(ctx context.Context, code routing.Code) (Contact, error) {
	var c Contact
	err := s.pool.QueryRow(ctx, `SELECT mail, phone, fax FROM agency WHERE code = $1`, code).Scan(&c.Mail, &c.Phone, &c.Fax)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, ErrNotFound
	}
	return c, unavailable(err)
}
