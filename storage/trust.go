package storage

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
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

// Anchor is a certificate of the trust store: managed data with who and when.
type Anchor struct {
	Fingerprint string // lower hex SHA-256 of the DER form
	Purpose     Purpose
	Family      signing.Family
	Test        bool
	Certificate *x509.Certificate
	AddedAt     time.Time
	AddedBy     string
	RetiredAt   time.Time
}

// AddAnchor installs a certificate; one that was retired counts again. It returns its fingerprint.
func (s *Store) AddAnchor(ctx context.Context, a Anchor, now time.Time) (string, error) {
	sum := sha256.Sum256(a.Certificate.Raw)
	fingerprint := hex.EncodeToString(sum[:])
	err := s.tx(ctx, func(tx pgx.Tx) error {
		if _, err := bump(ctx, tx, "trust"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO trust_anchor (fingerprint, purpose, family, test, certificate, added_at, added_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (fingerprint, purpose) DO UPDATE SET family = excluded.family, test = excluded.test,
			    added_at = excluded.added_at, added_by = excluded.added_by, retired_at = NULL`,
			fingerprint, string(a.Purpose), string(a.Family), a.Test, a.Certificate.Raw, now.UTC(), a.AddedBy)
		if err != nil {
			return fmt.Errorf("install anchor: %w", err)
		}
		return audit(ctx, tx, Event{At: now, Actor: a.AddedBy, Action: "trust.add", Object: fingerprint,
			Detail: string(a.Purpose) + " " + a.Certificate.Subject.String()})
	})
	return fingerprint, err
}

// Anchors lists the trust store, retired certificates too.
func (s *Store) Anchors(ctx context.Context) ([]Anchor, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT fingerprint, purpose, family, test, certificate, added_at, added_by, coalesce(retired_at, 'epoch')
		  FROM trust_anchor ORDER BY purpose, added_at, fingerprint`)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list anchors: %w", err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Anchor, error) {
		var a Anchor
		var der []byte
		err := row.Scan(&a.Fingerprint, &a.Purpose, &a.Family, &a.Test, &der, &a.AddedAt, &a.AddedBy, &a.RetiredAt)
		if err != nil {
			return a, err
		}
		if a.RetiredAt.Unix() == 0 {
			a.RetiredAt = time.Time{}
		}
		a.Certificate, err = x509.ParseCertificate(der)
		return a, err
	})
	return list, unavailable(err)
}

// AddRevocationList keeps a CRL for verification. The same list again changes nothing.
func (s *Store) AddRevocationList(ctx context.Context, der []byte, actor string, now time.Time) error {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return fmt.Errorf("read the revocation list: %w", err)
	}
	sum := sha256.Sum256(der)
	return s.tx(ctx, func(tx pgx.Tx) error {
		if _, err := bump(ctx, tx, "trust"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO revocation_list (sha256, list, this_update, next_update, added_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT DO NOTHING`, hex.EncodeToString(sum[:]), der, list.ThisUpdate.UTC(),
			orNull(list.NextUpdate.UTC(), list.NextUpdate.IsZero()), now.UTC())
		if err != nil {
			return fmt.Errorf("keep the revocation list: %w", err)
		}
		return audit(ctx, tx, Event{At: now, Actor: actor, Action: "trust.crl", Object: list.Issuer.String()})
	})
}

// Trust builds what verification uses: the installed certificates and the revocation data at hand.
func (s *Store) Trust(ctx context.Context) (*signing.Trust, error) {
	anchors, err := s.Anchors(ctx)
	if err != nil {
		return nil, err
	}
	t := &signing.Trust{}
	for _, a := range anchors {
		anchor := signing.Anchor{Certificate: a.Certificate, Family: a.Family, Test: a.Test}
		switch {
		case !a.RetiredAt.IsZero():
		case a.Purpose == ForSigning:
			t.Anchors = append(t.Anchors, anchor)
		case a.Purpose == ForTimestamp:
			t.TSAAnchors = append(t.TSAAnchors, anchor)
		default:
			t.Intermediates = append(t.Intermediates, a.Certificate)
		}
	}
	rows, err := s.pool.Query(ctx, `SELECT list FROM revocation_list ORDER BY this_update`)
	if err != nil {
		return nil, unavailable(fmt.Errorf("read revocation lists: %w", err))
	}
	t.CRLs, err = pgx.CollectRows(rows, pgx.RowTo[[]byte])
	return t, unavailable(err)
}

// AxisKey is the axis's own signing key; Sealed is its PKCS#8 form under the key file, for AxisKeyPurpose.
type AxisKey struct {
	Certificate []byte // DER
	Sealed      []byte
}

// AxisKeyPurpose binds the sealed axis key to its use.
const AxisKeyPurpose = "axis-key"

// AxisKey returns the key in use. The first caller of an installation makes it: of several at once one counts.
func (s *Store) AxisKey(ctx context.Context, make func() (AxisKey, error), now time.Time) (AxisKey, error) {
	read := func(q interface {
		QueryRow(context.Context, string, ...any) pgx.Row
	}) (AxisKey, error) {
		var k AxisKey
		err := q.QueryRow(ctx, `SELECT certificate, sealed_key FROM axis_key WHERE retired_at IS NULL ORDER BY added_at DESC LIMIT 1`).
			Scan(&k.Certificate, &k.Sealed)
		return k, err
	}
	k, err := read(s.pool)
	if !errors.Is(err, pgx.ErrNoRows) {
		return k, unavailable(err)
	}
	err = s.tx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(7212)`); err != nil {
			return fmt.Errorf("take the turn to make the axis key: %w", err)
		}
		if k, err = read(tx); !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if k, err = make(); err != nil {
			return err
		}
		sum := sha256.Sum256(k.Certificate)
		_, err = tx.Exec(ctx, `INSERT INTO axis_key (fingerprint, certificate, sealed_key, added_at) VALUES ($1, $2, $3, $4)`,
			hex.EncodeToString(sum[:]), k.Certificate, k.Sealed, now.UTC())
		if err != nil {
			return fmt.Errorf("keep the axis key: %w", err)
		}
		return audit(ctx, tx, Event{At: now, Actor: "truc", Action: "axis.key", Object: hex.EncodeToString(sum[:])})
	})
	return k, err
}
