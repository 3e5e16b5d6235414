package storage

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Event is one line of the audit: who did what to what, from where (R93). It never holds document content.
type Event struct {
	At     time.Time
	Actor  string // a system's id, a user's name, or "truc" for the axis itself
	IP     string
	Action string
	Object string
	Detail string
}

const insertAudit = `INSERT INTO audit (at, actor, ip, action, object, detail) VALUES ($1, $2, $3, $4, $5, $6)`

func queueAudit(batch *pgx.Batch, e Event) {
	batch.Queue(insertAudit, e.At.UTC(), e.Actor, e.IP, e.Action, e.Object, e.Detail)
}

func audit(ctx context.Context, tx pgx.Tx, e Event) error {
	if _, err := tx.Exec(ctx, insertAudit, e.At.UTC(), e.Actor, e.IP, e.Action, e.Object, e.Detail); err != nil {
		return fmt.Errorf("write the audit: %w", err)
	}
	return nil
}

// Audit writes an event that belongs to no other change: a log-in, a refusal, an export.
func (s *Store) Audit(ctx context.Context, e Event) error {
	_, err := s.pool.Exec(ctx, insertAudit, e.At.UTC(), e.Actor, e.IP, e.Action, e.Object, e.Detail)
	return unavailable(err)
}

// SealAudit gives up to limit unsealed lines their number in the chain and their hash over the line before, and
// returns how many and the chain's head. Lines come unchained because chaining inside every commit would make all
// commits wait for one row. One sealer works at a time: the transaction's lock sees to it.
func (s *Store) SealAudit(ctx context.Context, limit int) (sealed int, head Seal, err error) {
	err = s.tx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(7211)`); err != nil {
			return fmt.Errorf("take the sealer's turn: %w", err)
		}
		if head, err = lastSeal(ctx, tx); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `
			SELECT id, at, actor, ip, action, object, detail FROM audit WHERE seal IS NULL ORDER BY id LIMIT $1`, limit)
		if err != nil {
			return fmt.Errorf("read unsealed lines: %w", err)
		}
		batch := &pgx.Batch{}
		var id int64
		var e Event
		_, err = pgx.ForEachRow(rows, []any{&id, &e.At, &e.Actor, &e.IP, &e.Action, &e.Object, &e.Detail}, func() error {
			head = head.next(e)
			batch.Queue(`UPDATE audit SET seal = $2, hash = $3 WHERE id = $1 AND seal IS NULL`, id, head.Number, head.Hash)
			sealed++
			return nil
		})
		if err != nil || sealed == 0 {
			return err
		}
		return tx.SendBatch(ctx, batch).Close()
	})
	return sealed, head, err
}

// Seal is a place in the audit chain.
type Seal struct {
	Number int64
	Hash   []byte
}

// HeadKey is the object under which the chain's head of the minute of t is written, signed.
func HeadKey(t time.Time) string { return headFolder + t.In(Vietnam).Format("20060102/1504") + ".p7m" }

const headFolder = "audit/"

// AuditHead returns where the chain stands: the last sealed line. Number 0 is an empty chain.
func (s *Store) AuditHead(ctx context.Context) (Seal, error) {
	head, err := lastSeal(ctx, s.pool)
	return head, unavailable(err)
}

// next chains one line on: SHA-256 over the hash before and the line's fields, each with its length in front.
func (s Seal) next(e Event) Seal {
	h := sha256.New()
	h.Write(s.Hash)
	for _, field := range []string{e.At.UTC().Format(time.RFC3339Nano), e.Actor, e.IP, e.Action, e.Object, e.Detail} {
		fmt.Fprintf(h, "%d:%s", len(field), field)
	}
	return Seal{Number: s.Number + 1, Hash: h.Sum(nil)}
}

func lastSeal(ctx context.Context, from interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}) (Seal, error) {
	var head Seal
	err := from.QueryRow(ctx, `SELECT seal, hash FROM audit WHERE seal IS NOT NULL ORDER BY seal DESC LIMIT 1`).Scan(&head.Number, &head.Hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return Seal{}, nil
	}
	if err != nil {
		return head, fmt.Errorf("read the head of the audit: %w", err)
	}
	return head, nil
}

// CheckAudit walks the whole chain and returns the number of the first line that does not fit, or 0 and how many
// lines fit. It reads by key in pages, so that no snapshot is held long.
func (s *Store) CheckAudit(ctx context.Context) (broken, lines int64, err error) {
	var head Seal
	for {
		rows, err := s.pool.Query(ctx, `
			SELECT seal, hash, at, actor, ip, action, object, detail FROM audit WHERE seal > $1 ORDER BY seal LIMIT 5000`, head.Number)
		if err != nil {
			return 0, head.Number, unavailable(fmt.Errorf("read the audit: %w", err))
		}
		page := 0
		var number int64
		var hash []byte
		var e Event
		_, err = pgx.ForEachRow(rows, []any{&number, &hash, &e.At, &e.Actor, &e.IP, &e.Action, &e.Object, &e.Detail}, func() error {
			page++
			want := head.next(e)
			if broken == 0 && (want.Number != number || string(want.Hash) != string(hash)) {
				broken = want.Number
			}
			head = Seal{Number: number, Hash: append([]byte(nil), hash...)}
			return nil
		})
		if err != nil || broken != 0 || page == 0 {
			return broken, head.Number, unavailable(err)
		}
	}
}
