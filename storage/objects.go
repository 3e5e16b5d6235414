package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Objects keeps the bytes of documents, known by a key. Two exist: Files (a folder) and S3.
//
// A key is one or more parts separated by '/', see CheckKey. A key that is also the beginning of another up to a '/'
// ("a" and "a/b") is refused by some stores: do not make such keys. Begin keys with a day or an hour ("20261121/…"):
// Files makes each part before a '/' a folder, and puts that end in one folder share that folder's sync.
//
// All methods may be called at once from many goroutines and from many processes on the same store.
type Objects interface {
	// Put stores all that r gives under key and returns when it is durable; an object that was there is replaced.
	// random: also give back random access to the bytes (files: the object itself; S3: an unlinked spool file).
	// When r or the store fails, nothing new is under the key. ErrFull when the store has no room.
	Put(ctx context.Context, key string, r io.Reader, random bool) (Kept, error)
	// Open streams n bytes from off; n < 0: to the end. What lies past the end is empty, not an error. ErrNoObject.
	Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error)
	// Stat gives the size in bytes. ErrNoObject.
	Stat(ctx context.Context, key string) (int64, error)
	// Delete removes the object; an absent one is no error.
	Delete(ctx context.Context, key string) error
	// List calls each for every object whose key is greater than after, in byte order of the keys, until each fails.
	// Objects stored or deleted meanwhile may or may not be seen.
	List(ctx context.Context, after string, each func(key string, size int64, modified time.Time) error) error
	// Ping does the real thing: it writes, reads back and deletes an object.
	Ping(ctx context.Context) error
}

// Kept is what Put stored. Close is never nil and frees what ReaderAt holds; the stored object is not touched by it.
type Kept struct {
	Size        int64 // bytes
	io.ReaderAt       // nil unless random was asked for
	Close       func() error
}

var (
	// ErrNoObject says that nothing is stored under the key.
	ErrNoObject = errors.New("no such object")
	// ErrFull says that the object store has no room left.
	ErrFull = errors.New("object store is full")
)

const (
	maxKey  = 512 // bytes of a key; S3 allows 1,024
	maxPart = 200 // bytes between two '/'; a file name may have 255
)

// CheckKey says whether a key may be used: at most 512 bytes of ASCII letters, digits, '.', '_', '-' in parts of 1 to
// 200 bytes separated by '/', none of which begins with '.'. So a key can neither leave a folder nor meet a store's own files.
func CheckKey(key string) error {
	if key == "" || len(key) > maxKey {
		return fmt.Errorf("object key of %d bytes: 1 to %d are allowed", len(key), maxKey)
	}
	start := 0
	for i := 0; i <= len(key); i++ {
		if i < len(key) && key[i] != '/' {
			if !keyByte(key[i]) || i == start && key[i] == '.' {
				return fmt.Errorf("object key %q: byte %d is not allowed", key, i)
			}
			continue
		}
		if i == start || i-start > maxPart {
			return fmt.Errorf("object key %q: a part of %d bytes: 1 to %d are allowed", key, i-start, maxPart)
		}
		start = i + 1
	}
	return nil
}

func keyByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}

// pingObjects puts a few random bytes under a key of their own, reads them back and deletes them. What a crash in
// between leaves is an object without a row, which the sweep of uploads removes.
func pingObjects(ctx context.Context, o Objects) error {
	word := rand.Text()
	key := "ping-" + word
	if _, err := o.Put(ctx, key, strings.NewReader(word), false); err != nil {
		return err
	}
	body, err := o.Open(ctx, key, 0, -1)
	if err != nil {
		return err
	}
	defer body.Close()
	got, err := io.ReadAll(io.LimitReader(body, 100))
	if err != nil {
		return fmt.Errorf("read object %s: %w", key, err)
	}
	if string(got) != word {
		return fmt.Errorf("object %s: what was read is not what was written", key)
	}
	return o.Delete(ctx, key)
}

// readChunk fills p as io.ReadFull does but hands on the reader's own error: io.ErrUnexpectedEOF from a request's body
// means that the client broke off, which ReadFull would make look like a short last chunk.
func readChunk(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
	}
	return n, err
}

func checkOffset(off int64) error {
	if off < 0 {
		return fmt.Errorf("object offset %d is negative", off)
	}
	return nil
}

// firstError gives the first that is one.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
