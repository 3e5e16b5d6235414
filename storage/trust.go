package storage

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/signing"
)

// Purpose says what a certificate was installed for. Anchors for timestamps are apart from those for signatures (R82).
type Purpose string

// The purposes.
const (
	ForSigning   Purpose = "signing"
	ForTimestamp Purpose = "tsa"
	Intermediate Purpose = "intermediate"
)

// Anchor is a certificate of the trust store: managed data with who and when (R82).
type Anchor struct {
	Fingerprint string // lower hex SHA-256 of the DER form
	Purpose     Purpose
	Family      signing.Family
	Test        bool
	Certificate *x509.Certificate
	From, Until time.Time // when it counts, by the time that a signature is judged at; zero: without bound
	AddedAt     time.Time
	AddedBy     string
	RetiredAt   time.Time
	RetiredBy   string
}

// Fingerprint is how a certificate is named: the lower hex SHA-256 of its DER form.
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// AddAnchor installs a certificate; one that was retired counts again. It returns its fingerprint. The order:
//  1. the certificate as an object, which evidence names for ever: alone it changes nothing;
//  2. one commit of the row, the version and the audit.
func (s *Store) AddAnchor(ctx context.Context, a Anchor, now time.Time) (string, error) {
	fingerprint := Fingerprint(a.Certificate.Raw)
	if _, err := s.keepBytes(ctx, a.Certificate.Raw, now); err != nil {
		return "", err
	}
	err := s.tx(ctx, func(tx pgx.Tx) error {
		if _, err := bump(ctx, tx, "trust"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO trust_anchor (fingerprint, purpose, family, test, certificate, added_at, added_by, counts_from, counts_until)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (fingerprint, purpose) DO UPDATE SET family = excluded.family, test = excluded.test,
			    added_at = excluded.added_at, added_by = excluded.added_by, counts_from = excluded.counts_from,
			    counts_until = excluded.counts_until, retired_at = NULL, retired_by = NULL`,
			fingerprint, string(a.Purpose), string(a.Family), a.Test, a.Certificate.Raw, now.UTC(), a.AddedBy,
			orNull(a.From.UTC(), a.From.IsZero()), orNull(a.Until.UTC(), a.Until.IsZero()))
		if err != nil {
			return fmt.Errorf("install anchor: %w", err)
		}
		if err := hopeNow(ctx, tx, now); err != nil {
			return err
		}
		return audit(ctx, tx, Event{At: now, Actor: a.AddedBy, Action: "trust.add", Object: fingerprint,
			Detail: a.describe()})
	})
	return fingerprint, err
}

// describe says for the audit what was installed: adding it again may change all of it but the certificate.
func (a Anchor) describe() string {
	text := string(a.Purpose) + " " + a.Certificate.Subject.String()
	if a.Family != "" {
		text += ", " + string(a.Family)
	}
	if a.Test {
		text += ", test"
	}
	if !a.From.IsZero() {
		text += ", from " + a.From.UTC().Format(time.RFC3339)
	}
	if !a.Until.IsZero() {
		text += ", until " + a.Until.UTC().Format(time.RFC3339)
	}
	return text
}

// InForce says that the anchor counts for what is judged at a time.
func (a Anchor) InForce(at time.Time) bool {
	return a.RetiredAt.IsZero() && !at.Before(a.From) && (a.Until.IsZero() || !at.After(a.Until))
}

// RetireAnchor takes a certificate out of use, for one purpose or ("") for all. What was judged with it stays as it is.
// ErrNotFound when none in use has this fingerprint.
func (s *Store) RetireAnchor(ctx context.Context, fingerprint string, purpose Purpose, actor string, now time.Time) error {
	return s.tx(ctx, func(tx pgx.Tx) error {
		if _, err := bump(ctx, tx, "trust"); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			UPDATE trust_anchor SET retired_at = $3, retired_by = $4
			 WHERE fingerprint = $1 AND ($2 = '' OR purpose = $2) AND retired_at IS NULL`, fingerprint, string(purpose), now.UTC(), actor)
		if err != nil {
			return fmt.Errorf("retire anchor %s: %w", fingerprint, err)
		}
		if tag.RowsAffected() == 0 {
			return fmt.Errorf("no installed certificate with the fingerprint %s: %w", fingerprint, ErrNotFound)
		}
		return audit(ctx, tx, Event{At: now, Actor: actor, Action: "trust.retire", Object: fingerprint, Detail: string(purpose)})
	})
}

// Anchors lists the trust store, retired certificates too.
func (s *Store) Anchors(ctx context.Context) ([]Anchor, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT fingerprint, purpose, family, test, certificate, added_at, added_by, counts_from, counts_until, retired_at, coalesce(retired_by, '')
		  FROM trust_anchor ORDER BY purpose, added_at, fingerprint`)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list anchors: %w", err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Anchor, error) {
		var a Anchor
		var der []byte
		var from, until, retired *time.Time
		err := row.Scan(&a.Fingerprint, &a.Purpose, &a.Family, &a.Test, &der, &a.AddedAt, &a.AddedBy, &from, &until, &retired, &a.RetiredBy)
		if err != nil {
			return a, err
		}
		a.From, a.Until, a.RetiredAt = orZero(from), orZero(until), orZero(retired)
		a.Certificate, err = signing.ParseCertificate(der)
		return a, err
	})
	return list, unavailable(err)
}

// orZero gives Go a zero time where the database has NULL.
func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
