package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Acceptances that wait at the same moment share one transaction and so one sync of the write-ahead log. There is no
// timer: while one group commits, the next one gathers, so that a lone submission never waits for company.
const (
	groupDispatches = 64    // most dispatches in a group
	groupDeliveries = 5_000 // a nationwide mailing goes without company, so that letters do not wait for it
)

// committers is how many groups may be under way at once: while one waits for its sync the other one's statements run.
const committers = 2

// fate is what the group's commit made of one acceptance.
type fate struct {
	won    bool     // written by this commit; otherwise its identity or key was taken before
	void   bool     // with err: certainly not written
	unused []string // keys of uploads whose bytes were kept already
	err    error
}

type waiting struct {
	a    *Acceptance
	done chan fate
}

// committer owns the goroutines that commit groups of acceptances.
type committer struct {
	store *Store
	in    chan waiting
	stop  sync.Once
	wait  sync.WaitGroup
}

func newCommitter(s *Store) *committer {
	c := &committer{store: s, in: make(chan waiting, groupDispatches)}
	for range committers {
		c.wait.Go(c.run)
	}
	return c
}

// close ends the goroutines once everything handed in is answered. No submit may follow.
func (c *committer) close() {
	c.stop.Do(func() { close(c.in) })
	c.wait.Wait()
}

// submit hands an acceptance in and waits for its fate. A caller whose context ends is told ErrUnavailable: the
// commit may happen all the same, and the sender's next try finds it.
func (c *committer) submit(ctx context.Context, a *Acceptance) (fate, error) {
	w := waiting{a: a, done: make(chan fate, 1)}
	select {
	case c.in <- w:
	case <-ctx.Done():
		return fate{}, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	select {
	case f := <-w.done:
		return f, f.err
	case <-ctx.Done():
		return fate{}, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
}

func (c *committer) run() {
	for first := range c.in {
		group := c.gather(first)
		fates := c.store.commitGroup(group)
		if len(group) > 1 && slices.ContainsFunc(fates, func(f fate) bool { return f.err != nil && !errors.Is(f.err, ErrUnavailable) }) {
			// One statement that PostgreSQL refuses undoes the whole group; alone, only the guilty one fails.
			for i, w := range group {
				fates[i] = c.store.commitGroup([]waiting{w})[0]
			}
		}
		for i, w := range group {
			w.done <- fates[i]
		}
	}
}

// gather takes what waits right now, up to a group's size.
func (c *committer) gather(first waiting) []waiting {
	group, deliveries := []waiting{first}, len(first.a.Deliveries)
	for len(group) < groupDispatches && deliveries < groupDeliveries {
		select {
		case w, ok := <-c.in:
			if !ok {
				return group
			}
			group = append(group, w)
			deliveries += len(w.a.Deliveries)
		default:
			return group
		}
	}
	return group
}

// commitTimeout bounds one group's transaction; PostgreSQL that does not answer in this time counts as down.
const commitTimeout = 30 * time.Second

// commitGroup writes a group in one transaction, in its own time: no request's context reaches it.
func (s *Store) commitGroup(group []waiting) []fate {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	fates := make([]fate, len(group))
	committing := false
	err := func() error {
		tx, err := s.pool.Begin(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback(ctx) }()
		if err := claimIdentities(ctx, tx, group, fates); err != nil {
			return err
		}
		if err := writeWinners(ctx, tx, group, fates); err != nil {
			return err
		}
		committing = true
		return tx.Commit(ctx)
	}()
	if err == nil {
		return fates
	}
	for i, w := range group {
		if committing && s.wasWritten(ctx, w.a) { // the answer to COMMIT was lost, the commit was not
			fates[i] = fate{won: true}
			continue
		}
		fates[i] = fate{void: !committing, err: unavailable(fmt.Errorf("accept: %w", err))}
	}
	return fates
}

// claimIdentities writes keys and identities, sorted so that two nodes never wait for each other in a circle, and
// notes who won.
func claimIdentities(ctx context.Context, tx pgx.Tx, group []waiting, fates []fate) error {
	order := make([]int, len(group))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int { return compareIdentity(group[x].a, group[y].a) })
	batch := &pgx.Batch{}
	for _, i := range order {
		a := group[i].a
		// The identity only where the key, if there is one, was free.
		batch.Queue(`
			WITH key AS (
			    INSERT INTO idempotency (system_id, key, request, dispatch_id, created_at)
			    SELECT $1, $2::text, $3, $4, $5 WHERE $2::text IS NOT NULL
			    ON CONFLICT DO NOTHING RETURNING 1)
			INSERT INTO identity (sender, document_id, kind, again, fingerprint, dispatch_id)
			SELECT $6, $7, $8, $9, $10, $4 WHERE $2::text IS NULL OR EXISTS (SELECT 1 FROM key)
			ON CONFLICT DO NOTHING`,
			a.System, orNull(a.IdempotencyKey, a.IdempotencyKey == ""), a.Request[:], a.ID, a.AcceptedAt.UTC(),
			a.Sender, a.DocumentID, a.Kind, a.again(), a.Fingerprint[:])
	}
	results := tx.SendBatch(ctx, batch)
	for _, i := range order {
		tag, err := results.Exec()
		if err != nil {
			_ = results.Close()
			return fmt.Errorf("claim identity: %w", err)
		}
		fates[i].won = tag.RowsAffected() == 1
	}
	return results.Close()
}

func compareIdentity(x, y *Acceptance) int {
	if c := strings.Compare(x.System+"\x00"+x.IdempotencyKey, y.System+"\x00"+y.IdempotencyKey); c != 0 {
		return c
	}
	return strings.Compare(string(x.Sender)+"\x00"+x.DocumentID, string(y.Sender)+"\x00"+y.DocumentID)
}

// writeWinners writes the objects (sorted by hash, for the same reason) and then everything else of those who won.
func writeWinners(ctx context.Context, tx pgx.Tx, group []waiting, fates []fate) error {
	type use struct {
		i int
		u Upload
	}
	var uses []use
	batch := &pgx.Batch{}
	for i, w := range group {
		if !fates[i].won {
			if w.a.IdempotencyKey != "" { // a key whose identity lost must not stand for a dispatch that never was
				batch.Queue(`DELETE FROM idempotency WHERE system_id = $1 AND key = $2 AND dispatch_id = $3`,
					w.a.System, w.a.IdempotencyKey, w.a.ID)
			}
			continue
		}
		for _, u := range w.a.Uploads {
			uses = append(uses, use{i, u})
		}
	}
	slices.SortFunc(uses, func(x, y use) int { return strings.Compare(x.u.SHA256, y.u.SHA256) })
	for _, x := range uses {
		batch.Queue(keepObject, x.u.SHA256, x.u.Size, x.u.Key, group[x.i].a.AcceptedAt.UTC()).QueryRow(func(row pgx.Row) error {
			var key string
			if err := row.Scan(&key); err != nil {
				return err
			}
			if key != x.u.Key {
				fates[x.i].unused = append(fates[x.i].unused, x.u.Key)
			}
			return nil
		})
	}
	for i, w := range group {
		if fates[i].won {
			if err := queueDispatch(batch, w.a); err != nil {
				return err
			}
		}
	}
	if batch.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, batch).Close()
}

// wasWritten learns, after a COMMIT whose answer was lost, whether it happened. PostgreSQL may need a moment to come
// back; what cannot be learned counts as not written, and the sender's next try finds the truth.
func (s *Store) wasWritten(ctx context.Context, a *Acceptance) bool {
	retry := time.NewTicker(100 * time.Millisecond)
	defer retry.Stop()
	for range 50 {
		var found bool
		err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM identity WHERE dispatch_id = $1)`, a.ID).Scan(&found)
		if err == nil {
			return found
		}
		select {
		case <-ctx.Done():
			return false
		case <-retry.C:
		}
	}
	return false
}
