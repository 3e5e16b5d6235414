package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// submission is one dispatch on its way in: what the steps of Submit know of it so far.
type submission struct {
	caller    *caller
	ip        string
	key       string // Idempotency-Key
	form      string
	lenient   bool   // from the VXP face: what the axis can do without is a warning
	first     []byte // the first part's exact bytes
	meta      Metadata
	kind      storage.Kind
	sender    routing.Agency
	to        []routing.Recipient
	original  uuid.UUID
	versions  []uuid.UUID // of a recall: the original's updates
	files     []received
	pack      storage.Upload // of an edXML packet: its own bytes, as they came
	signature []byte
	warnings  []Problem
	directory int64
}

// Parts is a submission's body after its first part: each call gives the next file or signature, io.EOF at the end.
type parts interface {
	next() (part, error)
}

// submit takes a native dispatch in. The order is the promise: who calls and what it says are checked before a byte of
// content is read; content is durable before the commit; the commit is done before the answer. Whatever it refuses
// leaves nothing behind. The error is a *Problem, or one that asProblem knows.
func (s *Server) submit(ctx context.Context, sub *submission, body parts) (*storage.Acceptance, storage.Accepted, error) {
	if err := s.admit(ctx, sub); err != nil {
		return nil, storage.Accepted{}, err
	}
	if err := s.takeFiles(ctx, sub, body); err != nil {
		s.drop(ctx, sub)
		return nil, storage.Accepted{}, err
	}
	return s.conclude(ctx, sub)
}

// conclude judges what has been stored and commits it: the second half of every way in.
func (s *Server) conclude(ctx context.Context, sub *submission) (*storage.Acceptance, storage.Accepted, error) {
	a, err := s.judge(ctx, sub)
	sub.closeFiles()
	if err != nil {
		s.drop(ctx, sub)
		return nil, storage.Accepted{}, err
	}
	accepted, err := s.Store.Accept(ctx, a)
	if err != nil {
		return a, accepted, err
	}
	s.metrics.accepted.WithLabelValues(sub.form).Inc()
	if slices.ContainsFunc(sub.to, func(r routing.Recipient) bool { return r.Route.Way == routing.Push }) {
		s.queued()
	} else {
		s.waiting()
	}
	return a, accepted, nil
}

// admit checks everything that the metadata alone can tell.
func (s *Server) admit(ctx context.Context, sub *submission) error {
	if err := s.refuseSecret(ctx, sub); err != nil {
		return err
	}
	d := s.directory()
	sub.directory = d.Version()
	var err error
	if sub.sender, err = d.Resolve(sub.meta.Sender); err != nil {
		return codeProblem("sender", err)
	}
	if !d.Serves(sub.caller.ID, sub.sender.Code) {
		return problem("foreign_sender", "sender", sub.caller.ID, sub.sender.Code)
	}
	if len(sub.meta.Recipients) > s.Limits.Recipients {
		return problem("recipients_many", "recipients", s.Limits.Recipients)
	}
	plan := planRecipients(d, sub.meta.Recipients)
	if len(plan.faults) > 0 {
		p := problem("recipients", "recipients", len(plan.faults))
		p.Problems = plan.faults
		return p
	}
	sub.to, sub.warnings = plan.to, plan.warnings
	return s.findOriginal(ctx, sub)
}

// refuseSecret keeps state secrets out (R2). No subject and no id are noted: even metadata of a secret are not kept.
func (s *Server) refuseSecret(ctx context.Context, sub *submission) error {
	if !sub.meta.secret() {
		return nil
	}
	s.securityEvent(ctx, storage.Event{At: s.Now(), Actor: sub.caller.ID, IP: sub.ip, Action: "dispatch.secret_refused", Object: sub.meta.Sender})
	return problem("secret", "secrecy")
}

// recipientPlan is what the directory makes of a list of codes.
type recipientPlan struct {
	to       []routing.Recipient
	faults   []Problem
	warnings []Problem
}

// planRecipients expands codes: each fault is named, and an agency that stands twice, in either code form, is one
// delivery with a warning.
func planRecipients(d *routing.Directory, given []string) recipientPlan {
	var plan recipientPlan
	to, faults, doubled := d.Expand(given)
	plan.to = to
	places := newPlaces(given)
	for _, f := range faults {
		plan.faults = append(plan.faults, *codeProblem(places.next(f.Given), f))
	}
	for _, r := range to {
		if !r.Connected {
			plan.faults = append(plan.faults, *problem("not_connected", places.next(r.Given), r.Agency.Code, r.Agency.Name))
		}
	}
	for _, two := range doubled {
		plan.warnings = append(plan.warnings, Problem{Code: "recipient_doubled", Field: "recipients", VI: two.VI, EN: two.EN})
	}
	return plan
}

// places finds where in a list a code was given; one that stands there twice is found at each place in turn.
type places map[string][]int

func newPlaces(given []string) places {
	p := make(places, len(given))
	for i, g := range given {
		p[g] = append(p[g], i)
	}
	return p
}

func (p places) next(given string) string {
	at := p[given]
	if len(at) == 0 { // the directory shows it cut or cleaned
		return "recipients"
	}
	p[given] = at[1:]
	return fmt.Sprintf("recipients[%d]", at[0])
}

// codeProblem says what the directory found wrong with a code.
func codeProblem(field string, err error) *Problem {
	var fault *routing.CodeError
	if !errors.As(err, &fault) {
		return asProblem(err)
	}
	return &Problem{Status: 422, Code: "code_" + string(fault.Kind), Field: field, VI: fault.VI, EN: fault.EN,
		Suggestions: named(fault.Suggestions), Successors: named(fault.Successors)}
}

func named(agencies []routing.Agency) []Named {
	list := make([]Named, len(agencies))
	for i, a := range agencies {
		list[i] = Named{Code: string(a.Code), Name: a.Name}
	}
	return list
}

// judge verifies the files, applies the sender's policy and makes the acceptance.
func (s *Server) judge(ctx context.Context, sub *submission) (*storage.Acceptance, error) {
	now := s.Now().Truncate(time.Microsecond) // as PostgreSQL keeps it, so that a replay gives the very same answer
	report, evidence := s.verify(ctx, sub, now)
	held, err := s.decide(ctx, sub, report)
	if err != nil {
		return nil, err
	}
	promulgated, _ := readDay(sub.meta.PromulgationDay) // checked by readMetadata
	a := &storage.Acceptance{
		Dispatch: storage.Dispatch{
			ID: storage.NewID(now), System: sub.caller.ID, Sender: sub.sender.Code, DocumentID: sub.meta.DocumentID, Kind: sub.kind,
			Original: sub.original, Number: sub.meta.Number, Notation: sub.meta.Notation, Promulgated: promulgated,
			TypeName: sub.meta.Type.Name, Subject: sub.meta.Subject, Urgency: sub.meta.Urgency,
			Form: sub.form, FirstPart: sub.first, Signature: sub.signature,
			Verdict: report.Verdict, Report: report, Evidence: evidence, Directory: sub.directory, AcceptedAt: now,
		},
		Versions: sub.versions, IdempotencyKey: sub.key, IP: sub.ip, Deadline: now.Add(holdDeadline(sub.meta.Urgency)),
	}
	if hopeful(report) {
		a.Hope = now.Add(hopeFor)
	}
	if held != "" {
		a.HeldFor, a.HeldBy = held, "operator"
	}
	for i, f := range sub.files {
		f.Attachment.N = i + 1
		f.Attachment.Verdict = report.Files[f.report].Verdict
		a.Attachments = append(a.Attachments, f.Attachment)
		a.Uploads = append(a.Uploads, f.upload)
	}
	if sub.pack.Key != "" {
		a.Package = sub.pack.Object
		a.Uploads = append(a.Uploads, sub.pack)
	}
	for _, r := range sub.to {
		a.Deliveries = append(a.Deliveries, storage.NewDelivery{AddressedTo: r.Given, Agency: r.Agency.Code, System: r.Route.System, Way: r.Route.Way})
	}
	a.Fingerprint = sub.meta.fingerprint(sub.sender.Code, a.Attachments)
	a.Request = requestHash(a)
	if a.Warnings, err = json.Marshal(orEmpty(sub.warnings)); err != nil {
		return nil, fmt.Errorf("write warnings: %w", err)
	}
	return a, nil
}

// holdDeadline is by when somebody must decide about a held dispatch: an express one calls the duty officer at once.
func holdDeadline(u routing.Urgency) time.Duration {
	if u == routing.Express {
		return 15 * time.Minute
	}
	return 24 * time.Hour
}

// requestHash covers the recipients too: an idempotency key stands for the whole request.
func requestHash(a *storage.Acceptance) [32]byte {
	codes := make([]string, len(a.Deliveries))
	for i, d := range a.Deliveries {
		codes[i] = string(d.Agency)
	}
	slices.Sort(codes)
	h := sha256.New()
	h.Write(a.Fingerprint[:])
	for _, code := range codes {
		h.Write([]byte(code + "\n"))
	}
	return [32]byte(h.Sum(nil))
}

// verify judges every file, and the metadata when they are signed. Pure: no network, only what is at hand.
// The evidence names all that the report was made of.
func (s *Server) verify(ctx context.Context, sub *submission, now time.Time) (signing.Report, storage.Evidence) {
	var files []signing.File
	parts := sub.parts()
	for i := range sub.files {
		f := &sub.files[i]
		f.report = len(files)
		files = append(files, signing.File{Name: f.Name, Content: f.content, Size: f.Size, SHA256: f.SHA256, Stream: f.stream, Part: parts[i]})
	}
	if sub.signature != nil {
		files = append(files, signing.File{Name: sub.firstName(), Content: bytes.NewReader(sub.first), Size: int64(len(sub.first)), Signature: sub.signature})
	}
	started := s.Now()
	in := s.config.Load()
	o := signing.Options{Trust: in.trust.Trust, At: now, Revocation: s.Revocation, Sender: senderOf(s.directory(), sub.sender)}
	report := signing.Verify(ctx, files, o)
	s.metrics.verify.Observe(s.Now().Sub(started).Seconds())
	s.pointed.note(report, now)
	return report, evidenceOf(in.trust, in.versions["trust"], files, o, report)
}

// firstName is how the body calls its first part.
func (sub *submission) firstName() string {
	if sub.form == "native" {
		return "dispatch"
	}
	return sub.form
}

// decide applies the sender's policy to the worst that was found (R81): refuse (an error that names file and reason),
// hold (its reason), or neither. A broken signature is refused by default, for the sender can mend it at once.
func (s *Server) decide(ctx context.Context, sub *submission, report signing.Report) (held string, err error) {
	policy := s.policy(sub.sender.Code)
	for _, f := range report.Files {
		if f.Encrypted {
			return "", problem("pdf_encrypted", f.Name, f.Name)
		}
		action, reason := policy.Unsigned, f.Reason
		code := "policy"
		if why, broken := f.Broken(); broken {
			action, reason, code = policy.Broken, why, "signature_broken"
		} else {
			switch f.Verdict {
			case signing.Valid:
				continue
			case signing.Invalid:
				action = policy.Invalid
			case signing.Undetermined:
				action = policy.Undetermined
			}
		}
		text := reason.Text()
		if reason == "" {
			text = signing.ReasonText{VI: "không có chữ ký", EN: "no signature"}
		}
		switch action {
		case storage.Refuse:
			s.securityEvent(ctx, storage.Event{At: s.Now(), Actor: sub.caller.ID, IP: sub.ip, Action: "dispatch.refused",
				Object: string(sub.sender.Code) + " " + sub.meta.DocumentID, Detail: string(reason)})
			return "", spoken(code, f.Name, f.Name, text.VI, text.EN)
		case storage.Hold:
			if held == "" {
				held = text.VI + " (" + f.Name + ")"
			}
		}
	}
	return held, nil
}
