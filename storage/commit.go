package storage

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
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
	var left []waiting // what the last group had no room for
	for {
		first, ok := c.next(left)
		if !ok {
			return
		}
		var group []waiting
		group, left = c.gather(first)
		fates := c.store.commitGroup(group)
		if len(group) > 1 && slices.ContainsFunc(fates, fate.refused) {
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

func (c *committer) next(left []waiting) (waiting, bool) {
	if len(left) > 0 {
		return left[0], true
	}
	w, ok := <-c.in
	return w, ok
}

// refused says that PostgreSQL refused a statement, so that certainly nothing was written: it may be an innocent's fate.
func (f fate) refused() bool {
	return f.void && f.err != nil && (!errors.Is(f.err, ErrUnavailable) || errors.Is(f.err, ErrNoMonth))
}

// gather takes what waits right now, up to a group's size. One that does not fit any more is left for the next group.
func (c *committer) gather(first waiting) (group, left []waiting) {
	group = []waiting{first}
	deliveries := len(first.a.Deliveries)
	for len(group) < groupDispatches && deliveries < groupDeliveries {
		select {
		case w, ok := <-c.in:
			if !ok {
				return group, nil
			}
			if deliveries += len(w.a.Deliveries); deliveries > groupDeliveries {
				return group, []waiting{w}
			}
			group = append(group, w)
		default:
			return group, nil
		}
	}
	return group, nil
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
	var written map[uuid.UUID]bool
	if committing {
		written = s.written(group) // the answer to COMMIT was lost; was the commit?
	}
	for i, w := range group {
		if written[w.a.ID] {
			fates[i] = fate{won: true}
			continue
		}
		fates[i] = fate{void: !committing, err: unavailable(fmt.Errorf("accept: %w", err))}
	}
	return fates
}

// claimIdentities writes keys and then identities, each sorted so that two nodes never wait for each other in a circle,
// and notes who won.
func claimIdentities(ctx context.Context, tx pgx.Tx, group []waiting, fates []fate) error {
	batch := &pgx.Batch{}
	for _, i := range sorted(group, compareKey) {
		if a := group[i].a; a.IdempotencyKey != "" {
			batch.Queue(`
				INSERT INTO idempotency (system_id, key, request, dispatch_id, created_at) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT DO NOTHING`, a.System, a.IdempotencyKey, a.Request[:], a.ID, a.AcceptedAt.UTC())
		}
	}
	for _, i := range sorted(group, compareIdentity) {
		a := group[i].a
		// The identity only where the key, if there is one, was free.
		batch.Queue(`
			INSERT INTO identity (sender, document_id, kind, again, fingerprint, dispatch_id)
			SELECT $1, $2, $3, $4, $5, $6::uuid
			 WHERE $7 = '' OR EXISTS (SELECT 1 FROM idempotency WHERE system_id = $8 AND key = $7 AND dispatch_id = $6)
			ON CONFLICT DO NOTHING`,
			a.Sender, a.DocumentID, a.Kind, a.again(), a.Fingerprint[:], a.ID, a.IdempotencyKey, a.System).
			Exec(func(tag pgconn.CommandTag) error {
				fates[i].won = tag.RowsAffected() == 1
				return nil
			})
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("claim identity: %w", err)
	}
	return nil
}

// sorted returns the group's indexes in an order; equal ones stay as they came.
func sorted(group []waiting, compare func(x, y *Acceptance) int) []int {
	order := make([]int, len(group))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return compare(group[x].a, group[y].a) })
	return order
}

func compareKey(x, y *Acceptance) int {
	return cmp.Or(strings.Compare(x.System, y.System), strings.Compare(x.IdempotencyKey, y.IdempotencyKey))
}

func compareIdentity(x, y *Acceptance) int {
	return cmp.Or(strings.Compare(string(x.Sender), string(y.Sender)), strings.Compare(x.DocumentID, y.DocumentID),
		cmp.Compare(x.Kind, y.Kind), bytes.Compare(x.again(), y.again()))
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
	var recalls []recall
	for i, w := range group {
		if fates[i].won {
			recalls = append(recalls, w.a.recall(w.a.ID, w.a.Deliveries, w.a.HeldFor)...)
		}
	}
	lockRecalled(batch, recalls)
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

// doubt is how long a lost COMMIT's outcome is asked for: PostgreSQL may need a moment to come back.
const doubt = 5 * time.Second

// written learns, after a COMMIT whose answer was lost, which of a group it wrote. What cannot be learned counts as not
// written, though it may be: then nobody is told that it is, nothing of it is deleted, and the sender's next try finds
// the truth.
func (s *Store) written(group []waiting) map[uuid.UUID]bool {
	ctx, cancel := context.WithTimeout(context.Background(), doubt) // the commit's own time may be over
	defer cancel()
	ids := make([]uuid.UUID, len(group))
	for i, w := range group {
		ids[i] = w.a.ID
	}
	retry := time.NewTicker(100 * time.Millisecond)
	defer retry.Stop()
	for {
		found, err := s.identities(ctx, ids)
		if err == nil {
			return found
		}
		select {
		case <-ctx.Done():
			return nil
		case <-retry.C:
		}
	}
}

func (s *Store) identities(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	rows, err := s.pool.Query(ctx, `SELECT dispatch_id FROM identity WHERE dispatch_id = ANY($1)`, ids)
	if err != nil {
		return nil, err
	}
	found := map[uuid.UUID]bool{}
	var id uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		found[id] = true
		return nil
	})
	return found, err
}
