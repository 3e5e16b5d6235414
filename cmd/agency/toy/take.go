package toy

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// keep has the item's delivery here for good when it returns without an error: fetched, hashed and logged, once for
// all.
func (h *Hub) keep(ctx context.Context, it Item) (Received, error) {
	leave, err := h.keys.enter(ctx, it.Delivery)
	if err != nil {
		return Received{}, err
	}
	defer leave()
	if r, ok := h.Log.Find(it.Delivery); ok {
		return r, h.Log.add(receivedLine{Again: it.Delivery})
	}
	r := Received{
		System: h.name(), Delivery: it.Delivery, Dispatch: it.Dispatch.ID, DocumentID: it.Dispatch.DocumentID,
		Sender: it.Dispatch.Sender, Kind: it.Dispatch.Kind, Agency: it.Agency, AddressedTo: it.AddressedTo,
	}
	if err := h.fetch(ctx, it, &r); err != nil {
		return r, err
	}
	r.At = h.now()
	return r, h.Log.add(receivedLine{Received: &r})
}

// fetch reads the bytes of a delivery, or those of another delivery of its dispatch where they may be shared.
func (h *Hub) fetch(ctx context.Context, it Item, r *Received) error {
	if !h.ShareFiles && !h.SharePackage {
		return h.fetchAll(ctx, it, r)
	}
	first, err := h.share.first(ctx, r.Dispatch, func() (Received, error) {
		mine := *r
		err := h.fetchAll(ctx, it, &mine)
		return mine, err
	})
	if err != nil {
		return err
	}
	r.Files, r.FilesFrom = first.Files, first.FilesFrom
	switch {
	case first.Delivery == r.Delivery:
		r.Package = first.Package
	case !h.SharePackage:
		return h.fetchPackage(ctx, it, r)
	}
	return nil
}

func (h *Hub) fetchAll(ctx context.Context, it Item, r *Received) error {
	if err := h.fetchPackage(ctx, it, r); err != nil {
		return err
	}
	files, err := fetchFiles(ctx, h.Client, it.Delivery)
	r.Files, r.FilesFrom = files, it.Delivery
	return err
}

func (h *Hub) fetchPackage(ctx context.Context, it Item, r *Received) error {
	// By its id, not by it.Package.URL: our secret goes nowhere but to the axis that we know.
	d, err := h.Client.Package(ctx, it.Delivery, io.Discard)
	if err != nil {
		return err
	}
	if want := it.Package.SHA256; want != "" && want != d.SHA256 {
		return &MismatchError{What: "package " + it.Delivery, Want: want, Got: d.SHA256}
	}
	r.Package = d.SHA256
	return nil
}

// fetchFiles reads every attachment of a delivery and hashes what really comes.
func fetchFiles(ctx context.Context, c *Client, delivery string) ([]Digest, error) {
	contents, err := c.Contents(ctx, delivery)
	if err != nil {
		return nil, err
	}
	files := make([]Digest, 0, len(contents.Attachments))
	for _, a := range contents.Attachments {
		d, err := c.Attachment(ctx, delivery, a.N, io.Discard)
		if err != nil {
			return nil, fmt.Errorf("attachment %d of %s: %w", a.N, delivery, err)
		}
		if a.SHA256 != "" && a.SHA256 != d.SHA256 {
			return nil, &MismatchError{What: fmt.Sprintf("attachment %d of %s", a.N, delivery), Want: a.SHA256, Got: d.SHA256}
		}
		d.Name = a.Name
		files = append(files, d)
	}
	return files, nil
}

// keyed lets one at a time work on a key.
type keyed struct {
	mu   sync.Mutex
	busy map[string]chan struct{} // closed when its holder leaves
}

func newKeyed() *keyed { return &keyed{busy: map[string]chan struct{}{}} }

func (k *keyed) enter(ctx context.Context, key string) (leave func(), err error) {
	for {
		k.mu.Lock()
		other, taken := k.busy[key]
		if !taken {
			mine := make(chan struct{})
			k.busy[key] = mine
			k.mu.Unlock()
			return func() {
				k.mu.Lock()
				delete(k.busy, key)
				k.mu.Unlock()
				close(mine)
			}, nil
		}
		k.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// share remembers, for each dispatch, the delivery whose bytes were read.
type share struct {
	keys *keyed
	mu   sync.Mutex
	done map[string]Received
}

func newShare() *share { return &share{keys: newKeyed(), done: map[string]Received{}} }

// first gives what was read for the dispatch; the first who asks reads it, the others wait. A failure is not kept.
func (s *share) first(ctx context.Context, dispatch string, read func() (Received, error)) (Received, error) {
	leave, err := s.keys.enter(ctx, dispatch)
	if err != nil {
		return Received{}, err
	}
	defer leave()
	s.mu.Lock()
	r, ok := s.done[dispatch]
	s.mu.Unlock()
	if ok {
		return r, nil
	}
	if r, err = read(); err != nil {
		return r, err
	}
	s.mu.Lock()
	s.done[dispatch] = r
	s.mu.Unlock()
	return r, nil
}
