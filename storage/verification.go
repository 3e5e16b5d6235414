package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/signing"
)

// Occasion says why a dispatch was judged.
type Occasion string

// The occasions.
const (
	AtReception Occasion = "reception" // on its way in
	NewData     Occasion = "new_data"  // anchors or revocation data came that were not at hand
	Reverified  Occasion = "reverify"  // a person judged the past again (`truc reverify --apply`)
)

// Verification is one judging of a dispatch's files: always as of the time of reception, with what was at hand at At.
type Verification struct {
	N        int // from 1, which is reception's
	At       time.Time
	By       string // "truc", or who ran the command
	Occasion Occasion
	Before   signing.Verdict // that of the judging before; "" for the first
	Verdict  signing.Verdict
	Report   signing.Report
	Evidence Evidence
}

// Evidence is what a verdict leaned on, by hash (R77). With the dispatch's own files it is everything that Verify was given, so
// that the report can be replayed: see Store.TrustAt.
type Evidence struct {
	Software   string              `json:"software,omitempty"` // what judged; empty where nothing was noted
	Trust      EvidenceItem        `json:"trust,omitzero"`     // the whole trust store as it was: a TrustRecord
	Version    int64               `json:"trust_version,omitempty"`
	At         time.Time           `json:"at,omitzero"` // Options.At: the time of reception
	Revocation signing.Revocation  `json:"revocation,omitempty"`
	AllowSHA1  bool                `json:"allow_sha1,omitempty"`
	Sender     *signing.Sender     `json:"sender,omitempty"`
	Parts      []signing.Part      `json:"parts,omitempty"` // of the files, in their order
	Signatures []SignatureEvidence `json:"signatures,omitempty"`
}

// SignatureEvidence is what one signature's verdict leaned on.
type SignatureEvidence struct {
	File         string         `json:"file"`
	Number       int            `json:"number"`
	Certificates []EvidenceItem `json:"certificates,omitempty"`
	CRLs         []EvidenceItem `json:"crls,omitempty"`
	OCSP         []EvidenceItem `json:"ocsp,omitempty"`
	Tokens       []EvidenceItem `json:"tokens,omitempty"`
}

// EvidenceItem names bytes by their hash. Kept ones are objects of their own (Store.OpenObject); the others came inside
// the signed file, which is kept, and are found in it again.
type EvidenceItem struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	Kept   bool   `json:"kept"`
}

// Object is the item as an object.
func (e EvidenceItem) Object() Object { return Object{SHA256: e.SHA256, Size: e.Size} }

// Verifications tells how often a dispatch was judged, with what verdict and on what evidence, oldest first. The last one
// is in force. ErrNotFound when there is no such dispatch.
func (s *Store) Verifications(ctx context.Context, id uuid.UUID) ([]Verification, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT n, at, by_whom, occasion, verdict, report, coalesce(evidence, '{}') FROM verification WHERE dispatch_id = $1
		 UNION ALL
		SELECT 1, accepted_at, 'truc', 'reception', verdict, report, coalesce(evidence, '{}') FROM dispatch WHERE id = $1 AND verification = 1
		 ORDER BY n`, id)
	if err != nil {
		return nil, unavailable(fmt.Errorf("read the verifications of %s: %w", id, err))
	}
	list, err := pgx.CollectRows(rows, scanVerification)
	if err != nil {
		return nil, unavailable(fmt.Errorf("read the verifications of %s: %w", id, err))
	}
	if len(list) == 0 {
		return nil, ErrNotFound
	}
	for i := 1; i < len(list); i++ {
		list[i].Before = list[i-1].Verdict
	}
	return list, nil
}

func scanVerification(row pgx.CollectableRow) (Verification, error) {
	var v Verification
	var report, evidence []byte
	if err := row.Scan(&v.N, &v.At, &v.By, &v.Occasion, &v.Verdict, &report, &evidence); err != nil {
		return v, err
	}
	return v, errors.Join(json.Unmarshal(report, &v.Report), json.Unmarshal(evidence, &v.Evidence))
}

// Rejudge writes a verdict that changed: the dispatch's and its files', with a line of history that keeps what was said
// before, and an audit line. The number that v follows (v.N-1) must still be in force: ErrLost when another judging came
// first. When it turned invalid, the systems of both sides are told.
func (s *Store) Rejudge(ctx context.Context, id uuid.UUID, v Verification) error {
	report, err := json.Marshal(v.Report)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	evidence, err := json.Marshal(v.Evidence)
	if err != nil {
		return fmt.Errorf("write the evidence: %w", err)
	}
	report, evidence = withoutNUL(report), withoutNUL(evidence)
	return s.tx(ctx, func(tx pgx.Tx) error {
		// 1. The first judging's own line is made only now: most dispatches never have a second.
		if v.N == 2 {
			_, err := tx.Exec(ctx, `
				INSERT INTO verification (dispatch_id, n, at, by_whom, occasion, verdict, report, evidence)
				SELECT id, 1, accepted_at, 'truc', 'reception', verdict, report, evidence FROM dispatch WHERE id = $1 AND verification = 1
				ON CONFLICT DO NOTHING`, id)
			if err != nil {
				return fmt.Errorf("keep the first verdict of %s: %w", id, err)
			}
		}
		// 2. The dispatch, by the number that it leaves. A proof made from now on states the new verdict.
		tag, err := tx.Exec(ctx, `
			UPDATE dispatch SET verdict = $3, report = $4, evidence = $5, verification = $2, proof_sha256 = NULL, proof_size = NULL
			 WHERE id = $1 AND verification = $2 - 1`, id, v.N, v.Verdict, report, evidence)
		if err != nil {
			return fmt.Errorf("write the verdict of %s: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return ErrLost
		}
		return writeRejudged(ctx, tx, id, v, report, evidence)
	})
}

// writeRejudged writes the history, the files' verdicts, the audit, and what both sides' systems are told.
func writeRejudged(ctx context.Context, tx pgx.Tx, id uuid.UUID, v Verification, report, evidence []byte) error {
	batch := &pgx.Batch{}
	batch.Queue(`
		INSERT INTO verification (dispatch_id, n, at, by_whom, occasion, verdict, report, evidence) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		id, v.N, v.At.UTC(), v.By, v.Occasion, v.Verdict, report, evidence)
	for i, f := range v.Report.Files {
		batch.Queue(`UPDATE attachment SET verdict = $3 WHERE dispatch_id = $1 AND n = $2 AND verdict <> $3`, id, i+1, f.Verdict)
	}
	queueAudit(batch, Event{At: v.At, Actor: v.By, Action: "dispatch.rejudged", Object: id.String(),
		Detail: fmt.Sprintf("%s: %s, then %s", v.Occasion, v.Before, v.Verdict)})
	if v.Before != v.Verdict && v.Verdict == signing.Invalid {
		queueInvalid(batch, id, v.At)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write what changed about %s: %w", id, err)
	}
	return nil
}

// queueInvalid adds the notices that a document turned out invalid: for its sender's system, and for the recipients' that
// have it or were told of it. Whoever has it not yet sees the new verdict in its package's description.
func queueInvalid(batch *pgx.Batch, id uuid.UUID, at time.Time) {
	batch.Queue(`
		INSERT INTO queue (dispatch_id, n, kind, k, destination, urgency, entered, due)
		SELECT d.id, 1, 'n', $2, s.id, d.urgency, $3, CASE WHEN s.way = 'push' THEN $3::timestamptz END
		  FROM dispatch AS d JOIN system AS s ON s.id = d.system_id WHERE d.id = $1 AND s.way <> 'mailbox'
		ON CONFLICT DO NOTHING`, id, int(NoticeInvalidSent), at.UTC())
	batch.Queue(`
		INSERT INTO queue (dispatch_id, n, kind, k, destination, urgency, entered, due)
		SELECT dl.dispatch_id, dl.n, 'n', $2, s.id, d.urgency, $3, CASE WHEN s.way = 'push' THEN $3::timestamptz END
		  FROM dispatch AS d JOIN delivery AS dl ON dl.dispatch_id = d.id JOIN system AS s ON s.id = dl.system_id
		 WHERE d.id = $1 AND dl.dispatch_id = $1 AND s.way <> 'mailbox' AND (dl.state = 'delivered' OR dl.told_at IS NOT NULL)
		ON CONFLICT DO NOTHING`, id, int(NoticeInvalid), at.UTC())
}

// hopeAfter is how long what just came waits before its first further judging; hopeStep is the wait after that, twice
// as long each time; what may cure it brings it forward (hopeNow).
const (
	hopeAfter = time.Minute
	hopeStep  = 10 * time.Minute
	hopeMost  = 24 * time.Hour
)

// queueHope adds what came undetermined to those that are judged again when data come.
func (a *Acceptance) queueHope(batch *pgx.Batch) {
	if a.Hope.IsZero() {
		return
	}
	batch.Queue(`INSERT INTO reverify (dispatch_id, trust, due, until) VALUES ($1, $2, $3, $4)`,
		a.ID, a.Evidence.Version, a.AcceptedAt.Add(hopeAfter).UTC(), a.Hope.UTC())
}

// Hopeful is a dispatch that may be judged better now.
type Hopeful struct {
	Dispatch uuid.UUID
	Tries    int
}

// ClaimHopeful takes up to limit dispatches that the trust store of this version has not judged and that are due, those
// of the oldest trust store first. The lease is the due time: a node that dies lets them come due again.
func (s *Store) ClaimHopeful(ctx context.Context, trust int64, now time.Time, lease time.Duration, limit int) ([]Hopeful, error) {
	rows, err := s.pool.Query(ctx, `
		UPDATE reverify SET due = $3 WHERE dispatch_id = ANY(ARRAY(
		    SELECT dispatch_id FROM reverify WHERE trust < $1 AND due <= $2 ORDER BY trust, due LIMIT $4 FOR UPDATE SKIP LOCKED))
		RETURNING dispatch_id, tries`, trust, now.UTC(), now.Add(lease).UTC(), limit)
	if err != nil {
		return nil, unavailable(fmt.Errorf("claim what is to be judged again: %w", err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Hopeful])
	return list, unavailable(err)
}

// Judged notes that the trust store of this version judged a claimed dispatch: it waits for a later one, longer each time.
// settled says that nothing to come can change the verdict.
func (s *Store) Judged(ctx context.Context, h Hopeful, trust int64, settled bool, now time.Time) error {
	sql, args := `DELETE FROM reverify WHERE dispatch_id = $1`, []any{h.Dispatch}
	if !settled {
		next := now.Add(min(hopeStep<<min(h.Tries, 10), hopeMost))
		sql, args = `UPDATE reverify SET trust = $2, tries = tries + 1, due = $3 WHERE dispatch_id = $1`, append(args, trust, next.UTC())
	}
	if _, err := s.pool.Exec(ctx, sql, args...); err != nil {
		return unavailable(fmt.Errorf("note that %s was judged: %w", h.Dispatch, err))
	}
	return nil
}

// hopeNow makes all that waits due, in the commit of what came and may change verdicts.
func hopeNow(ctx context.Context, tx pgx.Tx, now time.Time) error {
	if _, err := tx.Exec(ctx, `UPDATE reverify SET due = $1 WHERE due > $1`, now.UTC()); err != nil {
		return fmt.Errorf("bring forward what waits to be judged again: %w", err)
	}
	return nil
}

// Hopes makes a dispatch one that is judged again when data come, as Accept does.
func (s *Store) Hopes(ctx context.Context, id uuid.UUID, trust int64, now, until time.Time) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO reverify (dispatch_id, trust, due, until) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		id, trust, now.Add(hopeAfter).UTC(), until.UTC())
	return unavailable(err)
}

// EndHope lets go of what has waited long enough, and takes notices of invalid documents back that nobody fetched within
// 30 days: systems of the VXP face never ask for them. It returns how many dispatches were let go.
func (s *Store) EndHope(ctx context.Context, now time.Time) (int, error) {
	gone := 0
	for {
		tag, err := s.pool.Exec(ctx, `
			DELETE FROM reverify WHERE dispatch_id = ANY(ARRAY(
			    SELECT dispatch_id FROM reverify WHERE until < $1 ORDER BY until LIMIT 1000 FOR UPDATE SKIP LOCKED))`, now.UTC())
		if err != nil {
			return gone, unavailable(fmt.Errorf("let go of what was not judged: %w", err))
		}
		gone += int(tag.RowsAffected())
		if tag.RowsAffected() < 1000 {
			break
		}
	}
	_, err := s.pool.Exec(ctx, `
		DELETE FROM queue WHERE (dispatch_id, n, kind, k) IN (
		    SELECT q.dispatch_id, q.n, q.kind, q.k FROM verification AS v JOIN queue AS q ON q.dispatch_id = v.dispatch_id
		     WHERE v.n > 1 AND v.at < $1 AND v.at > $2 AND q.kind = 'n' AND q.k IN ($3, $4) LIMIT 10000 FOR UPDATE OF q SKIP LOCKED)`,
		now.AddDate(0, 0, -30).UTC(), now.AddDate(0, 0, -40).UTC(), int(NoticeInvalid), int(NoticeInvalidSent))
	return gone, unavailable(err)
}

// Hopefuls counts the dispatches that are judged again when data come.
func (s *Store) Hopefuls(ctx context.Context) (n int, err error) {
	err = s.pool.QueryRow(ctx, `SELECT count(*) FROM reverify`).Scan(&n)
	return n, unavailable(err)
}

// Since lists dispatches by id for whoever judges the past again: after one, from the first instant of from to that of to.
func (s *Store) Since(ctx context.Context, from, to time.Time, after uuid.UUID, limit int) ([]uuid.UUID, error) {
	end := uuid.Max
	if !to.IsZero() {
		end = FirstID(to)
	}
	rows, err := s.pool.Query(ctx, `
		SELECT id FROM dispatch WHERE id >= $1 AND id > $2 AND id < $3 ORDER BY id LIMIT $4`, FirstID(from), after, end, pageSize(limit))
	if err != nil {
		return nil, unavailable(fmt.Errorf("list dispatches: %w", err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	return list, unavailable(err)
}
