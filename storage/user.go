package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

// Role is what a person may do (R16).
type Role string

// The roles.
const (
	Operator      Role = "operator"      // runs the axis; sees no content (R102)
	Authority     Role = "authority"     // keeps the codes
	Administrator Role = "administrator" // of a ministry's or province's subtree
	Clerk         Role = "clerk"         // văn thư of one or several agencies
	Auditor       Role = "auditor"
)

// User is a person who signs in.
type User struct {
	Name        string
	Role        Role
	Agencies    []routing.Code // a clerk's own; an administrator's roots
	Password    string         // argon2id, in PHC form
	TOTP        []byte         // sealed; nil: none
	OneTime     bool           // the password must be changed at the next sign-in
	Failures    int
	LockedUntil time.Time
	TOTPUsed    int64 // the last time step that was used, so that a code counts once
	CreatedAt   time.Time
	SeenAt      time.Time
	DisabledAt  time.Time
}

// TOTPPurpose binds a sealed TOTP secret to its user.
func TOTPPurpose(user string) string { return "user-totp/" + user }

// AddUser writes a new user. ErrExists when the name is taken.
func (s *Store) AddUser(ctx context.Context, u User, actor string, now time.Time) error {
	return s.tx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO app_user (name, role, agencies, password, totp, one_time, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			u.Name, u.Role, codeStrings(u.Agencies), u.Password, u.TOTP, u.OneTime, now.UTC())
		if err != nil {
			return taken(err, "user "+u.Name)
		}
		return audit(ctx, tx, Event{At: now, Actor: actor, Action: "user.add", Object: u.Name, Detail: string(u.Role)})
	})
}

// User returns a user by name, or ErrNotFound.
func (s *Store) User(ctx context.Context, name string) (User, error) {
	var u User
	err := s.pool.QueryRow(ctx, `
		SELECT name, role, agencies, password, totp, one_time, failures, coalesce(locked_until, 'epoch'), totp_used, created_at,
		       coalesce(seen_at, 'epoch'), coalesce(disabled_at, 'epoch') FROM app_user WHERE name = $1`, name).
		Scan(&u.Name, &u.Role, &u.Agencies, &u.Password, &u.TOTP, &u.OneTime, &u.Failures, &u.LockedUntil, &u.TOTPUsed,
			&u.CreatedAt, &u.SeenAt, &u.DisabledAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return u, ErrNotFound
	}
	for _, t := range []*time.Time{&u.LockedUntil, &u.SeenAt, &u.DisabledAt} {
		if t.Unix() == 0 {
			*t = time.Time{}
		}
	}
	return u, unavailable(err)
}

// CountUsers says how many users there are: none means that setup has not been run.
func (s *Store) CountUsers(ctx context.Context) (int, error) {
	var n int
	err := s.pool.QueryRow(ctx, `SELECT count(*) FROM app_user`).Scan(&n)
	return n, unavailable(err)
}

// SignedIn notes a success: it clears the failures and uses the TOTP step up. It returns false when that step was
// used before, by a request that raced this one.
func (s *Store) SignedIn(ctx context.Context, name string, step int64, ip string, now time.Time) (bool, error) {
	fresh := false
	err := s.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			UPDATE app_user SET failures = 0, locked_until = NULL, seen_at = $3, totp_used = greatest(totp_used, $2)
			 WHERE name = $1 AND ($2 = 0 OR totp_used < $2)`, name, step, now.UTC())
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		fresh = true
		return audit(ctx, tx, Event{At: now, Actor: name, IP: ip, Action: "user.signin", Object: name})
	})
	return fresh, err
}

// FailedSignIn counts a wrong password or code; the fifth in a row locks the user until lockUntil.
func (s *Store) FailedSignIn(ctx context.Context, name, ip string, now, lockUntil time.Time) error {
	return s.tx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			UPDATE app_user SET failures = failures + 1,
			       locked_until = CASE WHEN (failures + 1) % 5 = 0 THEN $2 ELSE locked_until END WHERE name = $1`, name, lockUntil.UTC())
		if err != nil {
			return fmt.Errorf("count the failure: %w", err)
		}
		return audit(ctx, tx, Event{At: now, Actor: name, IP: ip, Action: "user.signin_failed", Object: name})
	})
}

// ChangePassword replaces a user's password, which is no longer a one-time one.
func (s *Store) ChangePassword(ctx context.Context, name, password, ip string, now time.Time) error {
	return s.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE app_user SET password = $2, one_time = false WHERE name = $1`, name, password)
		if err != nil {
			return fmt.Errorf("change the password: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return ErrNotFound
		}
		return audit(ctx, tx, Event{At: now, Actor: name, IP: ip, Action: "user.password", Object: name})
	})
}

// Sessions keeps sign-in sessions; it has the methods that scs asks of a store.
type Sessions struct {
	Store *Store
	Now   func() time.Time
}

// FindCtx returns a session's data, unless it expired.
func (s Sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var data []byte
	err := s.Store.pool.QueryRow(ctx, `SELECT data FROM session WHERE token = $1 AND expiry > $2`, token, s.Now().UTC()).Scan(&data)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, unavailable(err)
}

// CommitCtx writes a session.
func (s Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	_, err := s.Store.pool.Exec(ctx, `
		INSERT INTO session (token, data, expiry) VALUES ($1, $2, $3)
		ON CONFLICT (token) DO UPDATE SET data = excluded.data, expiry = excluded.expiry`, token, data, expiry.UTC())
	return unavailable(err)
}

// DeleteCtx ends a session.
func (s Sessions) DeleteCtx(ctx context.Context, token string) error {
	_, err := s.Store.pool.Exec(ctx, `DELETE FROM session WHERE token = $1`, token)
	return unavailable(err)
}

// Find, Commit and Delete are what scs calls where it has no context.
func (s Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit writes a session.
func (s Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete ends a session.
func (s Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// SweepSessions deletes what expired and returns how many.
func (s *Store) SweepSessions(ctx context.Context, now time.Time) (int64, error) {
	tag, err := s.pool.Exec(ctx, `DELETE FROM session WHERE expiry < $1`, now.UTC())
	return tag.RowsAffected(), unavailable(err)
}
