package storagetest

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// Op is a method of storage.Objects.
type Op string

// The methods that can be made to fail.
const (
	Put    Op = "put"
	Open   Op = "open"
	Stat   Op = "stat"
	Delete Op = "delete"
	List   Op = "list"
	Ping   Op = "ping"
)

// ErrFault is what fails when the dial names no error of its own.
var ErrFault = errors.New("fault set by the test")

// FaultyObjects is an object store with a dial for each method: it can fail before the store did anything, and after
// the store did it all (the answer is lost). Both must leave the axis right.
type FaultyObjects struct {
	storage.Objects
	mu     sync.Mutex
	before map[Op]*fault
	after  map[Op]*fault
	calls  map[Op]int
}

type fault struct {
	times int // < 0: always
	err   error
}

// Faulty wraps a store; until a dial is set it behaves as the store does.
func Faulty(o storage.Objects) *FaultyObjects {
	return &FaultyObjects{Objects: o, before: map[Op]*fault{}, after: map[Op]*fault{}, calls: map[Op]int{}}
}

// FailBefore lets the next calls of op (times < 0: all, 0: none) fail with err (nil: ErrFault) and do nothing.
func (f *FaultyObjects) FailBefore(op Op, times int, err error) { f.set(f.before, op, times, err) }

// FailAfter lets the next calls of op (times < 0: all, 0: none) do their work and then fail with err (nil: ErrFault).
func (f *FaultyObjects) FailAfter(op Op, times int, err error) { f.set(f.after, op, times, err) }

// Mend switches all faults off.
func (f *FaultyObjects) Mend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.before)
	clear(f.after)
}

// Calls says how often op was called, failed or not.
func (f *FaultyObjects) Calls(op Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[op]
}

func (f *FaultyObjects) set(dial map[Op]*fault, op Op, times int, err error) {
	if err == nil {
		err = ErrFault
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	dial[op] = &fault{times, err}
}

func (f *FaultyObjects) take(dial map[Op]*fault, op Op) error {
	set := dial[op]
	if set == nil || set.times == 0 {
		return nil
	}
	set.times--
	return set.err
}

// do runs one call between its two faults.
func (f *FaultyObjects) do(op Op, work func() error) error {
	f.mu.Lock()
	f.calls[op]++
	err := f.take(f.before, op)
	f.mu.Unlock()
	if err != nil {
		return err
	}
	if err := work(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.take(f.after, op)
}

// Put as in storage.Objects.
func (f *FaultyObjects) Put(ctx context.Context, key string, r io.Reader, random bool) (kept storage.Kept, err error) {
	stored := false
	err = f.do(Put, func() (err error) {
		kept, err = f.Objects.Put(ctx, key, r, random)
		stored = err == nil
		return err
	})
	if err != nil && stored {
		_ = kept.Close()
		kept = storage.Kept{}
	}
	return kept, err
}

// Open as in storage.Objects.
func (f *FaultyObjects) Open(ctx context.Context, key string, off, n int64) (body io.ReadCloser, err error) {
	err = f.do(Open, func() (err error) {
		body, err = f.Objects.Open(ctx, key, off, n)
		return err
	})
	if err != nil && body != nil {
		_ = body.Close()
		body = nil
	}
	return body, err
}

// Stat as in storage.Objects.
func (f *FaultyObjects) Stat(ctx context.Context, key string) (size int64, err error) {
	err = f.do(Stat, func() (err error) {
		size, err = f.Objects.Stat(ctx, key)
		return err
	})
	return size, err
}

// Delete as in storage.Objects.
func (f *FaultyObjects) Delete(ctx context.Context, key string) error {
	return f.do(Delete, func() error { return f.Objects.Delete(ctx, key) })
}

// List as in storage.Objects.
func (f *FaultyObjects) List(ctx context.Context, after string, each func(key string, size int64, modified time.Time) error) error {
	return f.do(List, func() error { return f.Objects.List(ctx, after, each) })
}

// Ping as in storage.Objects.
func (f *FaultyObjects) Ping(ctx context.Context) error {
	return f.do(Ping, func() error { return f.Objects.Ping(ctx) })
}
