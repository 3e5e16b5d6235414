package toy

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
)

// poll asks for what waits and works it off, page after page, until ctx ends.
func (h *Hub) poll(ctx context.Context) error {
	failed := 0
	for h.up(ctx) == nil {
		items, err := h.Client.Inbox(ctx, h.wait(), 0)
		taken := 0
		if err == nil {
			taken, err = h.takeAll(ctx, items)
		}
		if failed++; err == nil || taken > 0 {
			failed = 0
		}
		if err == nil {
			continue
		}
		h.log().Info("poll", "error", err)
		_, least := Again(err)
		if h.Patience.sleep(ctx, max(h.Patience.pause(max(failed, 1)), least)) != nil {
			break
		}
	}
	return ctx.Err()
}

// up blocks while the dial says Down: such a system does not call out either.
func (h *Hub) up(ctx context.Context) error {
	for ctx.Err() == nil && h.Faults.shut() {
		select {
		case <-h.Faults.next():
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// takeAll takes every item it can and gives their number; one that fails does not keep the others from being taken.
// It will be in the next page again.
func (h *Hub) takeAll(ctx context.Context, items []Item) (int, error) {
	var g errgroup.Group
	g.SetLimit(h.workers())
	errs := make([]error, len(items))
	for i, it := range items {
		g.Go(func() error {
			var lost bool
			if lost, errs[i] = h.dial(ctx); errs[i] == nil {
				errs[i] = h.take(ctx, it, lost)
			}
			return nil
		})
	}
	g.Wait() // the errors are in errs
	taken := 0
	for _, err := range errs {
		if err == nil {
			taken++
		}
	}
	return taken, errors.Join(errs...)
}

// dial lets the fault dial act on an item that is fetched: Slow delays it, and lost (LoseAnswer) says that the hub is
// to keep it but not to tell the axis.
func (h *Hub) dial(ctx context.Context) (lost bool, err error) {
	for _, x := range h.Faults.draw(Slow, LoseAnswer) {
		if x.Name == LoseAnswer {
			return true, nil
		}
		if err := sleep(ctx, x.Delay); err != nil {
			return false, err
		}
	}
	return false, nil
}

// take keeps what an item says and then ends it, unless the word is to be lost on the way.
func (h *Hub) take(ctx context.Context, it Item, lost bool) error {
	if it.Kind != ItemDispatch {
		if err := h.Log.hear(it); err != nil || lost {
			return err
		}
		return h.Client.Taken(ctx, it.Item, "")
	}
	r, err := h.keep(ctx, it)
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
