package storage

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

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
		_, err = tx.Exec(ctx, `INSERT INTO axis_key (fingerprint, certificate, sealed_key, added_at) VALUES ($1, $2, $3, $4)`,
			Fingerprint(k.Certificate), k.Certificate, k.Sealed, now.UTC())
		if err != nil {
			return fmt.Errorf("keep the axis key: %w", err)
		}
		return audit(ctx, tx, Event{At: now, Actor: "truc", Action: "axis.key", Object: Fingerprint(k.Certificate)})
	})
	return k, err
}

// AxisCertificate returns the axis's own certificate in use; nil before it has one.
func (s *Store) AxisCertificate(ctx context.Context) (*x509.Certificate, error) {
	var der []byte
	err := s.pool.QueryRow(ctx, `SELECT certificate FROM axis_key WHERE retired_at IS NULL ORDER BY added_at DESC LIMIT 1`).Scan(&der)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable(fmt.Errorf("read the axis's certificate: %w", err))
	}
	return x509.ParseCertificate(der)
}
