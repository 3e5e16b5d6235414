package toy

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Document is one document to send.
type Document struct {
	Dispatch Dispatch
	Files    []File
	// Part gives the exact bytes of the first part; nil: Dispatch as JSON.
	Part  []byte
	EdXML bool // Part is an edXML packet; then Dispatch may be empty and is read from the answer
	// Sign gives a detached PKCS#7 signature (DER) over the exact bytes of the first part; nil: none.
	Sign func(part []byte) ([]byte, error)
	Key  string // Idempotency-Key; "" none
}

// Sender sends documents, each until the axis acknowledges or refuses it, and keeps a log of that. What recipients say of
// them comes to a [Hub] of the same system.
type Sender struct {
	Client    *Client
	VXP       *VXP                 // in place of Client: documents go as edXML packets, without Sign and Key
	Documents func(i int) Document // called once for each i; from several goroutines when Workers > 1
	Log       *SentLog
	Workers   int // documents in flight; 0 is 1
	Patience  Patience
	// Normal gives the normal form of a code for the log; nil: as written. The axis says addressed_to as the sender
	// wrote it, so it is only needed when codes are written in two forms.
	Normal func(code string) string
	// Standing asks GetSentEdocList after each document over VXP, so that the log says which ones are held: sendEdoc's own
	// answer does not.
	Standing bool
}

// Run sends documents first … first+n-1 and waits for all of them. Refused ones are in the log and no error; an error
// is a document that cannot be read or signed here, tries that ran out, or the end of ctx.
func (s *Sender) Run(ctx context.Context, first, n int) error {
	g, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range max(1, s.Workers) {
		g.Go(func() error {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				if _, err := s.Send(ctx, s.Documents(first+i)); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

// Send sends one document until it is acknowledged or refused, the same bytes each time, and logs which.
func (s *Sender) Send(ctx context.Context, d Document) (Sent, error) {
	sent, _, err := s.timed(ctx, d)
	return sent, err
}

// timed is Send; it also gives the time between the first byte sent and the last answer.
func (s *Sender) timed(ctx context.Context, d Document) (Sent, time.Duration, error) {
	d, sub, files, err := s.fix(d)
	if err != nil {
		return Sent{}, 0, err
	}
	var a Answer
	start := time.Now()
	tries, err := s.Patience.try(ctx, func() error {
		a, err = s.submit(ctx, d, sub)
		if err == nil && d.Dispatch.DocumentID != "" && a.DocumentID != d.Dispatch.DocumentID {
			err = fmt.Errorf("%w: acknowledges document %q", ErrUnreadable, a.DocumentID)
		}
		return err
	})
	took := time.Since(start)
	sent := s.sent(d, files, a, tries)
	if err != nil {
		refused, ok := Refusal(err)
		if !ok {
			return Sent{}, 0, fmt.Errorf("send %s, try %d: %w", d.Dispatch.DocumentID, tries, err)
		}
		sent.Refused = refused
	}
	return sent, took, s.Log.Add(sent)
}

// fix makes the bytes that will be sent, and hashes the files. Signature and packet are made once: made anew they would
// differ.
func (s *Sender) fix(d Document) (Document, Submission, []Digest, error) {
	if s.VXP != nil {
		return fixPacket(d)
	}
	sub, err := compose(d.Part, d.Dispatch, d.Sign, d.Files)
	if err != nil {
		return d, sub, nil, err
	}
	sub.Key, sub.EdXML = d.Key, d.EdXML
	files, err := digests(d.Files)
	return d, sub, files, err
}

func digests(files []File) (out []Digest, err error) {
	out = make([]Digest, len(files))
	for i, f := range files {
		if out[i], err = f.Digest(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// fixPacket makes the document's packet; of one that is a packet already it reads what the log needs.
func fixPacket(d Document) (Document, Submission, []Digest, error) {
	if d.Part != nil {
		p, err := ReadEdXML(d.Part)
		if err != nil {
			return d, Submission{}, nil, &LocalError{Name: d.Dispatch.DocumentID, Err: err}
		}
		d.Dispatch = p.Dispatch
		return d, Submission{Part: d.Part, EdXML: true}, p.Files, nil
	}
	files, err := digests(d.Files)
	if err != nil {
		return d, Submission{}, nil, err
	}
	packet, err := EdXML(d, time.Now())
	return d, Submission{Part: packet, EdXML: true}, files, err
}

func (s *Sender) submit(ctx context.Context, d Document, sub Submission) (Answer, error) {
	if s.VXP == nil {
		return s.Client.Submit(ctx, sub)
	}
	id, err := s.VXP.SendEdoc(ctx, Edoc{From: d.Dispatch.Sender, Queue: EdocQueue, To: d.Dispatch.Recipients, Bytes: sub.Part})
	a := Answer{ID: id, State: Accepted, DocumentID: d.Dispatch.DocumentID, Sender: d.Dispatch.Sender}
	if err == nil && s.Standing {
		a.State, err = s.stands(ctx, id)
	}
	return a, err
}

// stands says whether the axis passes a packet on or holds it. A look that fails is made again with the whole submission,
// which is the same bytes and so the same packet.
func (s *Sender) stands(ctx context.Context, docID string) (State, error) {
	rows, err := s.VXP.GetSentEdocList(ctx, EdocQueue, docID)
	for _, r := range rows {
		if r.SendStatus != PacketDone {
			return HeldBack, err
		}
	}
	return Accepted, err
}

func (s *Sender) sent(d Document, files []Digest, a Answer, tries int) Sent {
	normal := s.Normal
	if normal == nil {
		normal = func(code string) string { return code }
	}
	if d.EdXML && d.Dispatch.DocumentID == "" {
		d.Dispatch = named(a)
	}
	to := make([]string, len(d.Dispatch.Recipients))
	for i, code := range d.Dispatch.Recipients {
		to[i] = normal(code)
	}
	return Sent{
		DocumentID: d.Dispatch.DocumentID, Sender: normal(d.Dispatch.Sender), Kind: d.Dispatch.Kind,
		Dispatch: a.ID, State: a.State, Replay: a.Replay, Recipients: to, Files: files, At: time.Now(), Tries: tries,
	}
}

// named reads whom a packet was for from the axis's answer, where it says it.
func named(a Answer) Dispatch {
	d := Dispatch{Sender: a.Sender, DocumentID: a.DocumentID}
	for _, one := range a.Deliveries {
		d.Recipients = append(d.Recipients, one.AddressedTo)
	}
	return d
}
