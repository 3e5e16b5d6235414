package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Object names stored bytes by what they are: lower-case hex SHA-256 and size in bytes.
type Object struct {
	SHA256 string
	Size   int64
}

// Upload is an object that was just stored durably under a key of its own; Accept or Keep makes it count.
type Upload struct {
	Object
	Key string
}

// NewKey returns a fresh key for an upload. The day in front lets a sweep read old uploads first; the id behind it
// begins with the time, so that rows and folders grow at their end and not all over.
func NewKey(now time.Time) string {
	return now.In(Vietnam).Format("20060102") + "/" + newUUID(now).String()
}

// OpenObject streams n bytes of an object from byte off (n < 0: to the end). ErrNotFound when it is not kept.
func (s *Store) OpenObject(ctx context.Context, o Object, off, n int64) (io.ReadCloser, error) {
	var key string
	err := s.pool.QueryRow(ctx, `SELECT key FROM object WHERE sha256 = $1 AND size = $2`, o.SHA256, o.Size).Scan(&key)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, unavailable(fmt.Errorf("look up object: %w", err))
	}
	body, err := s.Objects.Open(ctx, key, off, n)
	switch {
	case errors.Is(err, ErrNoObject):
		return nil, fmt.Errorf("object %s is kept but not stored: %w", o.SHA256, err)
	case err != nil:
		return nil, fmt.Errorf("%w: open object %s: %w", ErrUnavailable, o.SHA256, err)
	}
	return body, nil
}

// Spool copies an object into a file without a name, for who needs random access to it, and compares its hash: a file that
// was changed since it was accepted is not judged. Close gives the room back.
func (s *Store) Spool(ctx context.Context, o Object) (file *os.File, err error) {
	body, err := s.OpenObject(ctx, o, 0, -1)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }() // read to its end, or failed
	if file, err = newSpool(); err != nil {
		return nil, fmt.Errorf("make a spool: %w", err)
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, h), body)
	if err == nil && (n != o.Size || hex.EncodeToString(h.Sum(nil)) != o.SHA256) {
		err = fmt.Errorf("object %s is not what it was", o.SHA256)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("spool object %s: %w", o.SHA256, err)
	}
	return file, nil
}

// keepObject lets the upload count unless a copy counts already, and locks whichever does until the commit, so that
// a collector cannot take it away in between. It returns the key that counts. (DO NOTHING would return no row for a
// copy that another commit made visible a moment ago; the empty update returns it.)
const keepObject = `
	INSERT INTO object (sha256, size, key, created_at) VALUES ($1, $2, $3, $4)
	ON CONFLICT (sha256, size) DO UPDATE SET created_at = object.created_at RETURNING key`

// discard deletes uploads that lost or were refused. What cannot be deleted now is found by SweepUploads.
func (s *Store) discard(ctx context.Context, keys []string) {
	for _, key := range keys {
		_ = s.Objects.Delete(ctx, key)
	}
}

// Discard deletes uploads of a request that was not accepted.
func (s *Store) Discard(ctx context.Context, uploads []Upload) {
	for _, u := range uploads {
		s.discard(ctx, []string{u.Key})
	}
}

// SweepUploads deletes stored bytes that no row names and that are older than grace: what a crash between the upload
// and the commit left behind. It returns how many went. A grace of hours is longer than any request lives.
func (s *Store) SweepUploads(ctx context.Context, now time.Time, grace time.Duration) (int, error) {
	var old []string
	err := s.Objects.List(ctx, "", func(key string, _ int64, modified time.Time) error {
		if now.Sub(modified) > grace && !strings.HasPrefix(key, headFolder) {
			old = append(old, key)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("list stored objects: %w", err)
	}
	gone := 0
	for len(old) > 0 {
		batch := old[:min(1000, len(old))]
		old = old[len(batch):]
		orphans, err := s.orphans(ctx, batch)
		if err != nil {
			return gone, err
		}
		for _, key := range orphans {
			if err := s.Objects.Delete(ctx, key); err != nil {
				return gone, fmt.Errorf("delete unused upload: %w", err)
			}
			gone++
		}
	}
	return gone, nil
}

func (s *Store) orphans(ctx context.Context, keys []string) ([]string, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT k FROM unnest($1::text[]) AS k WHERE NOT EXISTS (SELECT 1 FROM object WHERE key = k)`, keys)
	if err != nil {
		return nil, unavailable(fmt.Errorf("find unused uploads: %w", err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return list, unavailable(err)
}

// Made says which of a dispatch's two derived files is meant.
type Made string

// The files that are made once from a dispatch and then given to every reader with the same bytes.
const (
	PackageFile Made = "package"
	ProofFile   Made = "proof"
)

var keepMade = map[Made]string{
	PackageFile: `UPDATE dispatch SET package_sha256 = $2, package_size = $3 WHERE id = $1`,
	ProofFile:   `UPDATE dispatch SET proof_sha256 = $2, proof_size = $3 WHERE id = $1`,
}

var lockMade = map[Made]string{
	PackageFile: `SELECT coalesce(package_sha256, ''), coalesce(package_size, 0) FROM dispatch WHERE id = $1 FOR NO KEY UPDATE`,
	ProofFile:   `SELECT coalesce(proof_sha256, ''), coalesce(proof_size, 0) FROM dispatch WHERE id = $1 FOR NO KEY UPDATE`,
}

// KeepMade records a file made from a dispatch. Of two nodes that made it at once the first counts; the object that
// counts comes back, and an upload that does not is deleted. ErrNotFound when there is no such dispatch. After
// ErrUnavailable the same call again finds out what happened.
func (s *Store) KeepMade(ctx context.Context, id uuid.UUID, what Made, u Upload, now time.Time) (Object, error) {
	kept, key := u.Object, ""
	err := s.tx(ctx, func(tx pgx.Tx) error {
		var made Object
		err := tx.QueryRow(ctx, lockMade[what], id).Scan(&made.SHA256, &made.Size)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("look for the %s of %s: %w", what, id, err)
		}
		if made != (Object{}) && made != u.Object {
			kept = made
			return nil
		}
		if err := tx.QueryRow(ctx, keepObject, u.SHA256, u.Size, u.Key, now.UTC()).Scan(&key); err != nil {
			return fmt.Errorf("keep the %s of %s: %w", what, id, err)
		}
		if _, err := tx.Exec(ctx, keepMade[what], id, u.SHA256, u.Size); err != nil {
			return fmt.Errorf("record the %s of %s: %w", what, id, err)
		}
		return nil
	})
	if errors.Is(err, ErrNotFound) || err == nil && key != u.Key {
		s.discard(context.WithoutCancel(ctx), []string{u.Key})
	}
	return kept, err
}

// Package returns the package that a delivery gets: that of the packet that added it, else the dispatch's; zero when none
// was made yet.
func (s *Store) Package(ctx context.Context, id DeliveryID) (Object, error) {
	var o Object
	err := s.pool.QueryRow(ctx, `
		SELECT coalesce(p.package_sha256, d.package_sha256, ''), coalesce(p.package_size, d.package_size, 0)
		  FROM dispatch AS d
		  LEFT JOIN LATERAL (SELECT package_sha256, package_size FROM supplement AS s WHERE s.dispatch_id = $1 AND s.first_n <= $2
		                      ORDER BY s.first_n DESC LIMIT 1) AS p ON true
		 WHERE d.id = $1`, id.Dispatch, id.N).Scan(&o.SHA256, &o.Size)
	if errors.Is(err, pgx.ErrNoRows) {
		return o, ErrNotFound
	}
	return o, unavailable(err)
}

// DropStaleProof takes a proof back when the dispatch has other recipients by now than the proof names. It returns
// whether it did: the caller makes another.
func (s *Store) DropStaleProof(ctx context.Context, id uuid.UUID, proof Object, recipients int) (bool, error) {
	tag, err := s.pool.Exec(ctx, `
		UPDATE dispatch SET proof_sha256 = NULL, proof_size = NULL
		 WHERE id = $1 AND proof_sha256 = $2 AND (SELECT max(n) FROM delivery WHERE dispatch_id = $1) <> $3`, id, proof.SHA256, recipients)
	if err != nil {
		return false, unavailable(fmt.Errorf("compare the proof of %s: %w", id, err))
	}
	return tag.RowsAffected() == 1, nil
}
