package storage_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/storage"
)

// TestIdempotencyKey goes through what a key may meet: itself or not, the same document or another, before and after.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	other := a.letterCalled("other", "L1")
	a.accept(other)
	send := func(system, key, document string, codes ...string) string {
		l := a.letterCalled(document, codes...)
		l.System, l.IdempotencyKey = system, key
		return outcome(a.Accept(t.Context(), l))
	}
	for _, c := range []struct{ name, system, key, document, codes, want string }{
		{"a new key and a new document", "from", "k1", "d1", "L1", "accepted"},
		{"the same again", "from", "k1", "d1", "L1", "replay"},
		{"the key, another document", "from", "k1", "d2", "L1", "conflict of Idempotency-Key"},
		{"which was not stored", "from", "", "d2", "L1", "accepted"},
		{"the key, further recipients", "from", "k1", "d1", "L1L2", "conflict of Idempotency-Key"},
		{"the same key of another system", "push", "k1", "d3", "L1", "accepted"},
		{"the document without a key", "from", "", "d1", "L1", "replay"},
		{"the document with another key", "from", "k2", "d1", "L1", "replay"},
		{"and that key stands for it now", "from", "k2", "d4", "L1", "conflict of Idempotency-Key"},
		{"a new key, further recipients", "from", "k3", "d1", "L1L2", "added [L2]"},
		{"the same again", "from", "k3", "d1", "L1L2", "replay"},
		{"and that key stands for it now", "from", "k3", "d1", "L1L2L3", "conflict of Idempotency-Key"},
		{"a new key, a known document", "from", "k5", "other", "L1", "replay"},
	} {
		var codes []string
		for i := 0; i < len(c.codes); i += 2 {
			codes = append(codes, c.codes[i:i+2])
		}
		if got := send(c.system, c.key, c.document, codes...); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	l := a.letterCalled("other", "L1") // refused for its content: its key stays free
	l.IdempotencyKey, l.Fingerprint = "k6", [32]byte{1}
	if got := outcome(a.Accept(t.Context(), l)); got != "conflict of document_id" {
		t.Error(got)
	}
	if got := send("from", "k6", "d6", "L1"); got != "accepted" {
		t.Errorf("a key that was refused before: %s", got)
	}
}

// TestKeysAndIdentitiesAtOnce sends a few documents under a few keys again and again to two nodes at once: nobody waits
// in a circle, and each key and each document stands for one thing in the end.
func TestKeysAndIdentitiesAtOnce(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	nodes := []*axis{a, a.again(a.dsn)}
	var crowd sync.WaitGroup
	var mu sync.Mutex
	byKey := map[string]map[uuid.UUID]bool{}
	for g := range 40 {
		crowd.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 3))
			for range 10 {
				l := a.letterCalled("d"+strconv.Itoa(r.IntN(8)), "L1", "P1")
				if r.IntN(4) > 0 {
					l.IdempotencyKey = "k" + strconv.Itoa(r.IntN(8))
				}
				done, err := nodes[r.IntN(2)].Accept(context.Background(), l)
				if err != nil && !errors.As(err, new(*storage.ConflictError)) {
					t.Errorf("%s %s: %v", l.DocumentID, l.IdempotencyKey, err)
					return
				}
				if err == nil && l.IdempotencyKey != "" {
					mu.Lock()
					if byKey[l.IdempotencyKey] == nil {
						byKey[l.IdempotencyKey] = map[uuid.UUID]bool{}
					}
					byKey[l.IdempotencyKey][done.ID] = true
					mu.Unlock()
				}
			}
		})
	}
	crowd.Wait()
	for key, ids := range byKey {
		if len(ids) != 1 {
			t.Errorf("key %s stands for %d dispatches", key, len(ids))
		}
	}
	if n := one[int](a, `SELECT count(*) FROM dispatch`); n != 8 {
		t.Errorf("%d dispatches", n)
	}
}
