package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// Judge judges kept dispatches again: their stored files, as of the time of reception, with a trust store of the caller's
// choice.
type Judge struct {
	Store      *storage.Store
	Trust      *storage.TrustInForce
	Version    int64 // of the trust store
	Revocation signing.Revocation
	Now        func() time.Time
	AsThen     bool // with what each verdict names as its evidence, instead of Trust and Revocation
}

// NewJudge makes one with the trust store in force.
func NewJudge(ctx context.Context, store *storage.Store, revocation signing.Revocation, now func() time.Time) (*Judge, error) {
	versions, err := store.Versions(ctx) // before the store itself: what comes in between is judged by a later one
	if err != nil {
		return nil, err
	}
	trust, err := store.TrustInForce(ctx, nil, now())
	if err != nil {
		return nil, err
	}
	return &Judge{Store: store, Trust: trust, Version: versions["trust"], Revocation: revocation, Now: now}, nil
}

// Again judges a dispatch as it would be judged today (AsThen: as it was), at the time of its reception.
func (j *Judge) Again(ctx context.Context, d storage.Dispatch) (signing.Report, storage.Evidence, error) {
	if j.AsThen {
		report, err := Replay(ctx, j.Store, d, d.Evidence)
		return report, d.Evidence, err
	}
	files, closeAll, err := keptFiles(ctx, j.Store, d)
	if err != nil {
		return signing.Report{}, storage.Evidence{}, err
	}
	defer closeAll()
	o := signing.Options{Trust: j.Trust.Trust, At: d.AcceptedAt, Revocation: j.Revocation, AllowSHA1: d.Evidence.AllowSHA1, Sender: d.Evidence.Sender}
	report := signing.Verify(ctx, files, o)
	if err := ctx.Err(); err != nil { // a report of what was interrupted says nothing
		return report, storage.Evidence{}, err
	}
	return report, evidenceOf(j.Trust, j.Version, files, o, report), nil
}

// Replay makes a report again from its evidence: the files, the trust store and the policy of then (R77). The report is
// empty where an older binary kept no evidence.
func Replay(ctx context.Context, store *storage.Store, d storage.Dispatch, e storage.Evidence) (signing.Report, error) {
	if e.Trust.SHA256 == "" {
		return signing.Report{}, nil
	}
	trust, err := store.TrustAt(ctx, e.Trust)
	if err != nil {
		return signing.Report{}, fmt.Errorf("get the trust store of %s back: %w", d.ID, err)
	}
	files, closeAll, err := keptFiles(ctx, store, d)
	if err != nil {
		return signing.Report{}, err
	}
	defer closeAll()
	for i := range files {
		files[i].Part = ""
		if i < len(e.Parts) {
			files[i].Part = e.Parts[i]
		}
	}
	return signing.Verify(ctx, files, signing.Options{Trust: trust, At: e.At, Revocation: e.Revocation, AllowSHA1: e.AllowSHA1, Sender: e.Sender}), nil
}

// keptFiles are the files of a dispatch as intake gave them to Verify, with random access and their hashes compared.
func keptFiles(ctx context.Context, store *storage.Store, d storage.Dispatch) (files []signing.File, closeAll func(), err error) {
	var closers []io.Closer
	closeAll = func() {
		for _, c := range closers {
			_ = c.Close() // a spool: its bytes go with it
		}
	}
	for i, a := range d.Attachments {
		spool, err := store.Spool(ctx, a.Object)
		if err != nil {
			closeAll()
			return nil, nil, fmt.Errorf("read file %d of %s: %w", a.N, d.ID, err)
		}
		closers = append(closers, spool)
		f := signing.File{Name: a.Name, Content: spool, Size: a.Size, SHA256: a.SHA256}
		if i < len(d.Evidence.Parts) {
			f.Part = d.Evidence.Parts[i]
		}
		files = append(files, f)
	}
	if d.Signature != nil {
		name := d.Form
		if name == "native" {
			name = "dispatch"
		}
		files = append(files, signing.File{Name: name, Content: bytes.NewReader(d.FirstPart), Size: int64(len(d.FirstPart)), Signature: d.Signature})
	}
	return files, closeAll, nil
}

// Flip is what judging a dispatch again would change.
type Flip struct {
	Dispatch   uuid.UUID        `json:"dispatch"`
	DocumentID string           `json:"document_id"`
	Sender     string           `json:"sender"`
	AcceptedAt time.Time        `json:"accepted_at"`
	Before     signing.Verdict  `json:"before"`
	After      signing.Verdict  `json:"after"`
	Was        []signing.Reason `json:"reasons_before"`
	Reasons    []signing.Reason `json:"reasons"`
	Applied    bool             `json:"applied"`
}

// flipOf compares two reports; ok is false when no verdict differs.
func flipOf(d storage.Dispatch, report signing.Report) (Flip, bool) {
	f := Flip{Dispatch: d.ID, DocumentID: d.DocumentID, Sender: string(d.Sender), AcceptedAt: vn(d.AcceptedAt), Before: d.Verdict,
		After: report.Verdict, Was: reasonsOf(d.Report), Reasons: reasonsOf(report)}
	return f, d.Verdict != report.Verdict || !slices.EqualFunc(d.Report.Files, report.Files, func(x, y signing.FileReport) bool { return x.Verdict == y.Verdict })
}

func reasonsOf(r signing.Report) []signing.Reason {
	list := []signing.Reason{}
	for _, f := range r.Files {
		for _, reason := range f.Reasons {
			if !slices.Contains(list, reason) {
				list = append(list, reason)
			}
		}
	}
	return list
}

// Apply writes a new report in the place of the one that d had. storage.ErrLost: another judging came first.
func (j *Judge) Apply(ctx context.Context, d storage.Dispatch, report signing.Report, e storage.Evidence, by string, why storage.Occasion) error {
	return j.Store.Rejudge(ctx, d.ID, storage.Verification{N: d.Judged + 1, At: j.Now(), By: by, Occasion: why, Before: d.Verdict,
		Verdict: report.Verdict, Report: report, Evidence: e})
}

// Past judges what was accepted from one time to another again, in the order of ids and after one, and calls each for every
// dispatch whose verdict would be another; apply rewrites them. Pages by key, one dispatch in memory: it may be broken off
// and begun again after the last id, which seen is told of.
func (j *Judge) Past(ctx context.Context, from, to time.Time, after uuid.UUID, apply bool, by string, seen func(uuid.UUID), each func(Flip) error) error {
	for {
		ids, err := j.Store.Since(ctx, from, to, after, 500)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := j.past(ctx, id, apply, by, each); err != nil {
				return fmt.Errorf("judge %s again: %w", id, err)
			}
			after = id
			seen(id)
		}
	}
}

func (j *Judge) past(ctx context.Context, id uuid.UUID, apply bool, by string, each func(Flip) error) error {
	for {
		d, err := j.Store.Dispatch(ctx, id)
		if err != nil {
			return err
		}
		report, evidence, err := j.Again(ctx, d)
		if err != nil {
			return err
		}
		flip, ok := flipOf(d, report)
		if !ok {
			return nil
		}
		if apply {
			if hopeful(report) { // before the verdict: to wait for nothing costs one judging, not to wait costs the verdict
				if err := j.Store.Hopes(ctx, id, j.Version, j.Now(), j.Now().Add(hopeFor)); err != nil {
					return err
				}
			}
			err := j.Apply(ctx, d, report, evidence, by, storage.Reverified)
			if errors.Is(err, storage.ErrLost) {
				continue // judged by somebody else meanwhile: what it says now counts
			}
			if err != nil {
				return err
			}
			flip.Applied = true
		}
		return each(flip)
	}
}

const (
	reverifyBatch = 20
	reverifyMost  = 500 // in one tick
	reverifyLease = 10 * time.Minute
)

// reverify judges again what was undetermined, or accepted without revocation data, when the trust store has moved since:
// at the time of reception, those of the oldest trust store first. A verdict or reasons that changed are rewritten.
func reverify(ctx context.Context, s *Server) error {
	if _, err := s.Store.EndHope(ctx, s.Now()); err != nil {
		return err
	}
	in := s.config.Load()
	j := &Judge{Store: s.Store, Trust: in.trust, Version: in.versions["trust"], Revocation: s.Revocation, Now: s.Now}
	for done := 0; done < reverifyMost && ctx.Err() == nil; done += reverifyBatch {
		batch, err := s.Store.ClaimHopeful(ctx, j.Version, s.Now(), reverifyLease, reverifyBatch)
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, h := range batch {
			if err := s.rejudge(ctx, j, h); err != nil && ctx.Err() == nil {
				s.Log.Error("not judged again; it is tried later", "dispatch", h.Dispatch, "err", err)
			}
		}
	}
	return ctx.Err()
}

func (s *Server) rejudge(ctx context.Context, j *Judge, h storage.Hopeful) error {
	d, err := s.Store.Dispatch(ctx, h.Dispatch)
	if errors.Is(err, storage.ErrNotFound) { // its month was detached
		return s.Store.Judged(ctx, h, j.Version, true, s.Now())
	}
	if err != nil {
		return err
	}
	report, evidence, err := j.Again(ctx, d)
	if err != nil {
		return err
	}
	s.pointed.note(report, s.Now())
	if _, flips := flipOf(d, report); flips || !slices.Equal(reasonsOf(d.Report), reasonsOf(report)) {
		err := j.Apply(ctx, d, report, evidence, "truc", storage.NewData)
		if errors.Is(err, storage.ErrLost) {
			return nil // the lease ends, and it is looked at once more
		}
		if err != nil {
			return err
		}
		s.Log.Info("verdict changed", "dispatch", d.ID, "before", d.Verdict, "after", report.Verdict)
		s.metrics.rejudged.WithLabelValues(string(d.Verdict), string(report.Verdict)).Inc()
		s.queued()
	}
	return s.Store.Judged(ctx, h, j.Version, !hopeful(report), s.Now())
}
