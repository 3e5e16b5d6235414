package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

// Acceptance is a dispatch that passed every check, ready to be written: the objects are durable already.
//
// The order of writes, and what a crash leaves between them:
//  1. the bytes of attachments and package, each under a key of its own: an unused upload, swept after a grace period;
//  2. one commit of identity, dispatch, attachments, deliveries, queue, tally, audit: all or nothing;
//  3. the answer: if it is lost, the sender asks again and gets the first answer.
type Acceptance struct {
	Dispatch
	Versions       []uuid.UUID // of a recall: the original's updates so far, which it takes back too
	Uploads        []Upload    // the attachments' bytes, in the attachments' order; behind them the package's, when Package is set
	Fingerprint    [32]byte    // over metadata and file hashes, recipients and trace left out
	Deliveries     []NewDelivery
	IdempotencyKey string   // the system's own; may be empty
	Request        [32]byte // over everything, recipients too: what an idempotency key stands for
	Deadline       time.Time
	IP             string
	Hope           time.Time // until when its verdict may still change by data to come; zero: it may not
}

// NewDelivery is one recipient as the directory resolved it.
type NewDelivery struct {
	AddressedTo string
	Agency      routing.Code
	System      string
	Way         routing.Way
}

// Accepted is what became of an Acceptance.
type Accepted struct {
	ID     uuid.UUID
	Replay bool           // the same was accepted before; nothing new was written
	Added  []routing.Code // a known dispatch got these further recipients (gửi bổ sung)

	keptPackage bool // the package's upload counts: it is what the added recipients get
}

// ConflictError says that the identity or the key stands for something else already.
type ConflictError struct {
	Field    string // "document_id" or "Idempotency-Key"
	Existing uuid.UUID
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s already stands for dispatch %s", e.Field, e.Existing)
}

// Accept writes the dispatch durably, or finds that it was written before. The context bounds only the waiting: a
// commit once begun goes to its end. Uploads that lost against a kept copy, and those of a replay, are deleted.
// Errors: *ConflictError; ErrUnavailable when nothing is known to be stored (the caller may send the same again, also
// this very Acceptance).
func (s *Store) Accept(ctx context.Context, a *Acceptance) (Accepted, error) {
	for range acceptAgain {
		done, err := s.acceptOnce(ctx, a)
		if !errors.Is(err, errFree) {
			return done, err
		}
	}
	return Accepted{}, fmt.Errorf("%w: %w", ErrUnavailable, errFree)
}

// acceptAgain is how often an acceptance begins anew that lost against one that was undone.
const acceptAgain = 3

// errFree says that the key or identity against which an acceptance lost is free again: what took it was undone.
var errFree = errors.New("key and identity are free again")

func (s *Store) acceptOnce(ctx context.Context, a *Acceptance) (Accepted, error) {
	fate, err := s.commits.submit(ctx, a)
	if err != nil {
		if fate.void {
			s.Discard(context.WithoutCancel(ctx), a.Uploads)
		}
		return Accepted{}, err
	}
	if fate.won {
		s.discard(context.WithoutCancel(ctx), fate.unused)
		return Accepted{ID: a.ID}, nil
	}
	known, err := s.known(context.WithoutCancel(ctx), a)
	if err == nil && known.ID == a.ID { // an earlier try's commit, whose answer was lost, wrote it: its uploads count
		return Accepted{ID: a.ID}, nil
	}
	if err == nil || errors.As(err, new(*ConflictError)) {
		unused := a.Uploads
		if known.keptPackage { // the last of them
			unused = unused[:len(unused)-1]
		}
		s.Discard(context.WithoutCancel(ctx), unused)
	}
	return known, err
}

// Idempotent returns the dispatch that a system's key stands for and the request it was first used with.
func (s *Store) Idempotent(ctx context.Context, system, key string) (id uuid.UUID, request [32]byte, err error) {
	var sum []byte
	err = s.pool.QueryRow(ctx, `SELECT dispatch_id, request FROM idempotency WHERE system_id = $1 AND key = $2`,
		system, key).Scan(&id, &sum)
	if errors.Is(err, pgx.ErrNoRows) {
		return id, request, ErrNotFound
	}
	copy(request[:], sum)
	return id, request, unavailable(err)
}

// known answers for an acceptance whose identity or key was taken before it.
func (s *Store) known(ctx context.Context, a *Acceptance) (Accepted, error) {
	if a.IdempotencyKey != "" {
		if known, err := s.keyed(ctx, a); !errors.Is(err, ErrNotFound) {
			return known, err
		}
	}
	var result Accepted
	err := s.tx(ctx, func(tx pgx.Tx) error {
		var err error
		result, err = s.supplement(ctx, tx, a)
		return err
	})
	if errors.Is(err, errKeyTaken) {
		if result, err = s.keyed(ctx, a); errors.Is(err, ErrNotFound) {
			err = errFree
		}
	}
	return result, err
}

// keyed answers by the idempotency key alone: what it stands for, or that it stands for something else. ErrNotFound: the
// key is free.
func (s *Store) keyed(ctx context.Context, a *Acceptance) (Accepted, error) {
	id, request, err := s.Idempotent(ctx, a.System, a.IdempotencyKey)
	if err != nil {
		return Accepted{}, err
	}
	if request != a.Request {
		return Accepted{}, &ConflictError{Field: "Idempotency-Key", Existing: id}
	}
	return Accepted{ID: id, Replay: true}, nil
}

// errKeyTaken says that another request took the key between the look at it and the commit, or that there is no identity
// for it to stand for.
var errKeyTaken = errors.New("the idempotency key was taken meanwhile")

// supplement compares with the dispatch that has the identity and adds the recipients that it lacks. The key, which was
// free, stands for this answer from now on: of a replay too.
func (s *Store) supplement(ctx context.Context, tx pgx.Tx, a *Acceptance) (Accepted, error) {
	id, err := identified(ctx, tx, a)
	if err != nil {
		return Accepted{}, err
	}
	missing, last, held, err := missingRecipients(ctx, tx, id, a.Deliveries)
	if err != nil || len(missing) == 0 {
		return Accepted{ID: id, Replay: true}, err
	}
	batch := &pgx.Batch{}
	result := Accepted{ID: id, Added: make([]routing.Code, len(missing))}
	recalls := a.recall(id, missing, held)
	a.supplementPackage(batch, id, last+1, &result.keptPackage)
	lockRecalled(batch, recalls)
	queueDeliveries(batch, id, last, missing, a, held)
	for _, r := range recalls {
		r.queue(batch)
	}
	batch.Queue(`UPDATE dispatch SET proof_sha256 = NULL, proof_size = NULL WHERE id = $1`, id)
	queueAudit(batch, Event{At: a.AcceptedAt, Actor: a.System, IP: a.IP, Action: "dispatch.supplement",
		Object: id.String(), Detail: fmt.Sprintf("%d more recipients", len(missing))})
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return Accepted{}, fmt.Errorf("add recipients to %s: %w", id, err)
	}
	for i, m := range missing {
		result.Added[i] = m.Agency
	}
	return result, nil
}

// supplementPackage keeps the packet by which further recipients were added: they get its bytes, in whose To they stand.
// used becomes true when it is this upload that counts.
func (a *Acceptance) supplementPackage(batch *pgx.Batch, id uuid.UUID, first int, used *bool) {
	if a.Package == (Object{}) {
		return
	}
	u := a.Uploads[len(a.Uploads)-1]
	batch.Queue(keepObject, u.SHA256, u.Size, u.Key, a.AcceptedAt.UTC()).QueryRow(func(row pgx.Row) error {
		var key string
		err := row.Scan(&key)
		*used = key == u.Key
		return err
	})
	batch.Queue(`INSERT INTO supplement (dispatch_id, first_n, package_sha256, package_size) VALUES ($1, $2, $3, $4)`,
		id, first, u.SHA256, u.Size)
}

// identified takes the key and then the identity for this transaction and returns the dispatch that it stands for.
func identified(ctx context.Context, tx pgx.Tx, a *Acceptance) (id uuid.UUID, err error) {
	var fingerprint []byte
	if a.IdempotencyKey != "" {
		tag, err := tx.Exec(ctx, `
			INSERT INTO idempotency (system_id, key, request, dispatch_id, created_at)
			SELECT $1, $2, $3, dispatch_id, $4 FROM identity WHERE sender = $5 AND document_id = $6 AND kind = $7 AND again = $8
			ON CONFLICT DO NOTHING`,
			a.System, a.IdempotencyKey, a.Request[:], a.AcceptedAt.UTC(), a.Sender, a.DocumentID, a.Kind, a.again())
		if err != nil {
			return id, fmt.Errorf("keep the idempotency key: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return id, errKeyTaken
		}
	}
	err = tx.QueryRow(ctx, `
		SELECT dispatch_id, fingerprint FROM identity
		 WHERE sender = $1 AND document_id = $2 AND kind = $3 AND again = $4 FOR UPDATE`,
		a.Sender, a.DocumentID, a.Kind, a.again()).Scan(&id, &fingerprint)
	if errors.Is(err, pgx.ErrNoRows) {
		return id, errFree
	}
	if err != nil {
		return id, fmt.Errorf("look up identity: %w", err)
	}
	if [32]byte(fingerprint) != a.Fingerprint {
		return id, &ConflictError{Field: "document_id", Existing: id}
	}
	return id, nil
}

// missingRecipients returns those that the dispatch does not have yet, its last delivery number, and why its
// deliveries are held, if they are.
func missingRecipients(ctx context.Context, tx pgx.Tx, id uuid.UUID, want []NewDelivery) (missing []NewDelivery, last int, held string, err error) {
	rows, err := tx.Query(ctx, `SELECT agency, n, CASE WHEN state = 'held' THEN reason ELSE '' END FROM delivery WHERE dispatch_id = $1`, id)
	if err != nil {
		return nil, 0, "", fmt.Errorf("read recipients of %s: %w", id, err)
	}
	have := map[routing.Code]bool{}
	var agency routing.Code
	var n int
	var reason string
	_, err = pgx.ForEachRow(rows, []any{&agency, &n, &reason}, func() error {
		have[agency] = true
		last = max(last, n)
		if reason != "" {
			held = reason
		}
		return nil
	})
	for _, w := range want {
		if !have[w.Agency] {
			missing = append(missing, w)
		}
	}
	return missing, last, held, err
}

// again is what tells several recalls or updates of one document apart; a new document has only one.
func (a *Acceptance) again() []byte {
	if a.Kind == New {
		return []byte{}
	}
	return a.Fingerprint[:]
}

// state is where a new delivery starts: held at the door, in the mailbox with the commit that lists it, or pending.
func (a *Acceptance) state(d NewDelivery, held string) State {
	switch {
	case held != "":
		return Held
	case d.Way == routing.Mailbox:
		return Delivered
	default:
		return Pending
	}
}

// Made returns the deliveries as the commit of a new dispatch writes them.
func (a *Acceptance) Made() []Delivery {
	list := make([]Delivery, len(a.Deliveries))
	for i, d := range a.Deliveries {
		list[i] = Delivery{DeliveryID: DeliveryID{Dispatch: a.ID, N: i + 1}, AddressedTo: d.AddressedTo, Agency: d.Agency, System: d.System,
			Way: d.Way, State: a.state(d, a.HeldFor), StateAt: a.AcceptedAt, Reason: a.HeldFor}
		if a.HeldFor != "" {
			list[i].Owner, list[i].Deadline = a.HeldBy, a.Deadline
		} else if d.Way == routing.Push {
			list[i].Due = a.AcceptedAt
		}
	}
	return list
}

// queueDispatch adds the statements of one dispatch that won its identity, except those for its objects.
func queueDispatch(batch *pgx.Batch, a *Acceptance) error {
	report, err := json.Marshal(a.Report)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	report = withoutNUL(report)
	evidence, err := json.Marshal(a.Evidence)
	if err != nil {
		return fmt.Errorf("write the evidence: %w", err)
	}
	evidence = withoutNUL(evidence)
	warnings := a.Warnings
	if len(warnings) == 0 {
		warnings = json.RawMessage("[]")
	}
	batch.Queue(`
		INSERT INTO dispatch (id, system_id, sender, document_id, kind, original, number, notation, promulgated, type_name,
		    subject, urgency, form, first_part, signature, verdict, report, warnings, held_for, held_by, directory, accepted_at,
		    package_sha256, package_size, evidence)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)`,
		a.ID, a.System, a.Sender, a.DocumentID, a.Kind, orNull(a.Original, a.Original == uuid.UUID{}), a.Number, a.Notation,
		orNull(a.Promulgated, a.Promulgated.IsZero()), a.TypeName, a.Subject, a.Urgency, a.Form, a.FirstPart, a.Signature,
		a.Verdict, report, warnings, orNull(a.HeldFor, a.HeldFor == ""), orNull(a.HeldBy, a.HeldFor == ""), a.Directory,
		a.AcceptedAt.UTC(), orNull(a.Package.SHA256, a.Package == (Object{})), orNull(a.Package.Size, a.Package == (Object{})), evidence)
	a.queueHope(batch)
	for _, f := range a.Attachments {
		batch.Queue(`
			INSERT INTO attachment (dispatch_id, n, name, media_type, sha256, size, verdict) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			a.ID, f.N, f.Name, f.MediaType, f.SHA256, f.Size, f.Verdict)
	}
	queueDeliveries(batch, a.ID, 0, a.Deliveries, a, a.HeldFor)
	batch.Queue(`INSERT INTO tally (day, agency, metric, count) VALUES ($1, $2, 'sent', 1)`, Day(a.AcceptedAt), a.Sender)
	for _, r := range a.recall(a.ID, a.Deliveries, a.HeldFor) { // whose targets are locked by now
		r.queue(batch)
	}
	queueAudit(batch, Event{At: a.AcceptedAt, Actor: a.System, IP: a.IP, Action: "dispatch.accept", Object: a.ID.String(),
		Detail: fmt.Sprintf("%s %s to %d recipients", a.Sender, a.DocumentID, len(a.Deliveries))})
	return nil
}

// queueDeliveries adds one statement that makes deliveries n = last+1 …, their queue rows, and the counts of those
// that a mailbox has with this commit.
func queueDeliveries(batch *pgx.Batch, id uuid.UUID, last int, list []NewDelivery, a *Acceptance, held string) {
	numbers := make([]int32, len(list))
	addressed, agencies, systems := make([]string, len(list)), make([]string, len(list)), make([]string, len(list))
	ways, states := make([]string, len(list)), make([]string, len(list))
	for i, d := range list {
		numbers[i] = int32(last + i + 1)
		addressed[i], agencies[i], systems[i] = d.AddressedTo, string(d.Agency), d.System
		ways[i], states[i] = string(d.Way), string(a.state(d, held))
	}
	owner, deadline := "", (*time.Time)(nil)
	if held != "" {
		at := a.Deadline.UTC()
		owner, deadline = a.HeldBy, &at
		if owner == "" {
			owner = "operator"
		}
	}
	batch.Queue(`
		WITH made AS (
		    INSERT INTO delivery (dispatch_id, n, addressed_to, agency, system_id, way, state, state_at, reason, owner, deadline)
		    SELECT $1, n, addressed_to, agency, system_id, way, state, $8, $9, $10, $11
		      FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
		           AS x (n, addressed_to, agency, system_id, way, state)
		    RETURNING n, agency, system_id, way, state),
		queued AS (
		    INSERT INTO queue (dispatch_id, n, kind, destination, urgency, entered, due)
		    SELECT $1, n, 'd', system_id, $12, $8, CASE WHEN way = 'push' THEN $8 END FROM made WHERE state = 'pending')
		INSERT INTO tally (day, agency, metric, count)
		SELECT $13, agency, 'received', 1 FROM made WHERE state = 'delivered'`,
		id, numbers, addressed, agencies, systems, ways, states, a.AcceptedAt.UTC(), held, owner, deadline,
		a.Urgency, Day(a.AcceptedAt))
}

// orNull gives the database NULL where Go has a zero value.
func orNull[T any](value T, none bool) any {
	if none {
		return nil
	}
	return value
}

// withoutNUL replaces U+0000 in JSON text: jsonb has none, but a stranger's certificate or PDF field may.
func withoutNUL(raw []byte) []byte {
	if !bytes.Contains(raw, []byte(`\u0000`)) {
		return raw
	}
	return escapes.ReplaceAllFunc(raw, func(escape []byte) []byte {
		if string(escape) == `\u0000` {
			return []byte(`\ufffd`)
		}
		return escape
	})
}

// escapes finds each escape of JSON as one, so that an escaped backslash before "u0000" is not taken for its start.
var escapes = regexp.MustCompile(`\\(u[0-9a-fA-F]{4}|.)`)
