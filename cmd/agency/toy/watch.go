package toy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// watch ends a call in which no byte moves in either direction. A limit on the whole call would be wrong: a
// gigabyte over a slow line is fine, a dead line is not.
type watch struct {
	limit  time.Duration
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	once   sync.Once
}

func newWatch(ctx context.Context, limit time.Duration) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{limit: limit, ctx: ctx, cancel: cancel}
	w.timer = time.AfterFunc(limit, func() { cancel(errQuiet) })
	return ctx, w
}

// moved starts the silence anew.
func (w *watch) moved() {
	if w.ctx.Err() == nil {
		w.timer.Reset(w.limit)
	}
}

func (w *watch) stop() {
	w.once.Do(func() {
		w.cancel(nil)
		w.timer.Stop()
	})
}

// explain names the silence where the error only says "context canceled", so that Again can tell it from a caller
// who gave up.
func (w *watch) explain(err error) error {
	if cause := context.Cause(w.ctx); errors.Is(cause, errQuiet) {
		return fmt.Errorf("%w (%v)", errQuiet, w.limit)
	}
	return err
}

// watched is a body whose bytes keep a call alive. The last one of a call ends the watch when it is closed.
type watched struct {
	io.ReadCloser
	watch *watch
	last  bool
}

func (b *watched) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.watch.moved()
	}
	if err != nil && err != io.EOF {
		err = b.watch.explain(err)
	}
	return n, err
}

func (b *watched) Close() error {
	err := b.ReadCloser.Close()
	if b.last {
		b.watch.stop()
	}
	return err
}
