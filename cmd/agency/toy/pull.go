package toy

import (
	"context"

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
		h.log().Info("poll", "taken", taken, "error", err)
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

// takeAll takes every item it can and gives their number, with one of the errors; an item that fails does not keep the
// others from being taken. It will be in the next page again.
func (h *Hub) takeAll(ctx context.Context, items []Item) (int, error) {
	var g errgroup.Group
	g.SetLimit(h.workers())
	errs := make([]error, len(items))
	for i, it := range items {
		g.Go(func() error {
			errs[i] = h.takeDialled(ctx, it)
			return nil
		})
	}
	g.Wait() // the errors are in errs
	taken, last := 0, error(nil)
	for i, err := range errs {
		if err == nil {
			taken++
			continue
		}
		last = err
		h.log().Warn("item not taken", "item", items[i].Item, "delivery", items[i].Delivery, "error", err)
	}
	return taken, last
}

// takeDialled takes an item as the fault dial lets it.
func (h *Hub) takeDialled(ctx context.Context, it Item) error {
	if h.VXP != nil {
		return h.takeVXP(ctx, it)
	}
	lost, err := h.dial(ctx)
	if err != nil {
		return err
	}
	return h.take(ctx, it, lost)
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
	defer h.tasks.begin()() // before it is logged, so that Idle after Log.Wait waits for the rest of it too
	if it.Kind != ItemDispatch {
		if err := h.Log.hear(it); err != nil || lost {
			return err
		}
		return h.Client.Taken(ctx, it.Item, "")
	}
	r, err := h.keep(ctx, it)
	if err != nil {
		return err
	}
	if h.tasks.owe(it.Delivery, true); lost {
		return nil
	}
	_, err = h.Patience.try(ctx, func() error { return h.Client.Taken(ctx, it.Item, r.Package) })
	if _, never := Refusal(err); never { // recalled in between, for example: nothing is owed any more
		h.tasks.owe(it.Delivery, false)
	}
	if err != nil {
		return err
	}
	h.answerSoon(r)
	h.tasks.owe(it.Delivery, false)
	return nil
}
