package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrWrongKey says that the key file is not the one this database's secrets were sealed with.
var ErrWrongKey = errors.New("the key file does not belong to this database: its fingerprint differs")

// BindKey writes the key file's fingerprint on first use and refuses another one later: a wrong key would make every
// secret unreadable, and new ones would be sealed so that the right key cannot open them.
func (s *Store) BindKey(ctx context.Context, fingerprint string) error {
	var have string
	err := s.pool.QueryRow(ctx, `
		INSERT INTO setting (name, value) VALUES ('key_fingerprint', $1)
		ON CONFLICT (name) DO UPDATE SET value = setting.value RETURNING value`, fingerprint).Scan(&have)
	if err != nil {
		return unavailable(fmt.Errorf("bind the key file: %w", err))
	}
	if have != fingerprint {
		return ErrWrongKey
	}
	return nil
}

// Setting returns a single value of the installation; ok is false when it was never set.
func (s *Store) Setting(ctx context.Context, name string) (value string, ok bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT value FROM setting WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", false, nil
	}
	return value, err == nil, unavailable(err)
}

// Clock returns the database's time.
func (s *Store) Clock(ctx context.Context) (time.Time, error) {
	var now time.Time
	err := s.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now)
	return now, unavailable(err)
}
