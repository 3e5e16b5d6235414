package toy

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
)

// poll asks for what waits and works it off, page after page, until ctx ends.
func (h *Hub) poll(ctx context.Context) error {
	failed := 0
	for ctx.Err() == nil {
		if _, err := h.Faults.pull(ctx); err != nil {
			return err
		}
		items, err := h.Client.Inbox(ctx, h.wait(), 0)
		if err == nil {
			err = h.takeAll(ctx, items)
		}
		if err == nil {
			failed = 0
			continue
		}
		failed++
		h.log().Info("poll", "failed", failed, "error", err)
		_, least := Again(err)
		if h.Patience.sleep(ctx, max(h.Patience.pause(failed), least)) != nil {
			break
		}
	}
	return ctx.Err()
}

// takeAll takes every item it can; one that fails does not keep the others from being taken. It will be in the next
// page again.
func (h *Hub) takeAll(ctx context.Context, items []Item) error {
	var g errgroup.Group
	g.SetLimit(h.workers())
	errs := make([]error, len(items))
	for i, it := range items {
		g.Go(func() error {
			errs[i] = h.take(ctx, it)
			return nil
		})
	}
	g.Wait()
	return errors.Join(errs...)
}

// take keeps what an item says and then ends it.
func (h *Hub) take(ctx context.Context, it Item) error {
	if it.Kind != ItemDispatch {
		if err := h.Log.hear(it); err != nil {
			return err
		}
		return h.Client.Taken(ctx, it.Item, "")
	}
	lost, err := h.Faults.pull(ctx)
	if err != nil {
		return err
	}
	r, _, err := h.keep(ctx, it)
	if err != nil || lost {
		return err
	}
	_, err = h.Patience.try(ctx, func() error { return h.Client.Taken(ctx, it.Item, r.Package) })
	if err != nil {
		return err
	}
	h.answerSoon(r)
	return nil
}
