package toy

import (
	"context"
	"sync"
)

// tasks is work that waits for whoever runs work. It has no limit: it holds ids, not documents.
type tasks struct {
	mu      sync.Mutex
	waiting []func(context.Context)
	open    int             // waiting and running
	owed    map[string]bool // deliveries that are here while the axis does not know it
	changed chan struct{}   // closed and made anew at every change
}

func newTasks() *tasks { return &tasks{owed: map[string]bool{}, changed: make(chan struct{})} }

func (t *tasks) tell() {
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *tasks) add(f func(context.Context)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = append(t.waiting, f)
	t.open++
	t.tell()
}

// begin counts work that somebody does himself until the func it gives is called.
func (t *tasks) begin() (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open++
	return t.done
}

func (t *tasks) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open--
	t.tell()
}

// owe notes whether the axis has still to be told of a delivery.
func (t *tasks) owe(delivery string, still bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if still {
		t.owed[delivery] = true
	} else {
		delete(t.owed, delivery)
	}
	t.tell()
}

// next gives a task, or the channel that closes when there may be one.
func (t *tasks) next() (func(context.Context), <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		return nil, t.changed
	}
	f := t.waiting[0]
	t.waiting = t.waiting[1:]
	return f, nil
}

// work does tasks until ctx ends.
func (t *tasks) work(ctx context.Context) error {
	for ctx.Err() == nil {
		f, changed := t.next()
		if f == nil {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		f(ctx)
		t.done()
	}
	return ctx.Err()
}

// idle blocks until nothing waits, nothing runs and nothing is owed.
func (t *tasks) idle(ctx context.Context) error {
	for {
		t.mu.Lock()
		open, changed := t.open+len(t.owed), t.changed
		t.mu.Unlock()
		if open == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
