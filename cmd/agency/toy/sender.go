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

// Sender sends documents, each until the axis acknowledges or refuses it, and keeps a log of that.
type Sender struct {
	Client    *Client
	Documents func(i int) Document // called once for each i; from several goroutines when Workers > 1
	Log       *SentLog
	Workers   int // documents in flight; 0 is 1
	Patience  Patience
	// Normal gives the normal form of a code for the log; nil: as written. The axis says addressed_to as the sender
	// wrote it, so it is only needed when codes are written in two forms.
	Normal func(code string) string
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
	sub, files, err := d.fix()
	if err != nil {
		return Sent{}, 0, err
	}
	var a Answer
	start := time.Now()
	tries, err := s.Patience.try(ctx, func() error {
		a, err = s.Client.Submit(ctx, sub)
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

// fix makes the bytes that will be sent, and hashes them. The signature is made once: made anew it would differ.
func (d Document) fix() (Submission, []Digest, error) {
	sub, err := compose(d.Part, d.Dispatch, d.Sign, d.Files)
	if err != nil {
		return sub, nil, err
	}
	sub.Key, sub.EdXML = d.Key, d.EdXML
	files := make([]Digest, len(d.Files))
	for i, f := range d.Files {
		if files[i], err = f.Digest(); err != nil {
			return sub, nil, err
		}
	}
	return sub, files, nil
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

// named reads whom a packet was for from the axis's answer: this toy does not read packets.
func named(a Answer) Dispatch {
	d := Dispatch{Sender: a.Sender, DocumentID: a.DocumentID}
	for _, one := range a.Deliveries {
		d.Recipients = append(d.Recipients, one.AddressedTo)
	}
	return d
}
