package storage_test

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/truc-lienthong/truc/storage"
)

// sealAll chains everything that is visible.
func (a *axis) sealAll() (head storage.Seal) {
	a.t.Helper()
	for {
		n, h, err := a.SealAudit(context.Background(), 10)
		must(a.t, err)
		if head = h; n == 0 {
			return head
		}
	}
}

// TestAuditChain: sealers on several nodes make one chain of all lines; a line that is changed, taken away, moved or put
// in later shows at its place.
func TestAuditChain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil  string
		broken int64
	}{
		"whole":             {`SELECT 1`, 0},
		"changed":           {`UPDATE audit SET detail = 'x' WHERE seal = 30`, 30},
		"another time":      {`UPDATE audit SET at = at + interval '1 microsecond' WHERE seal = 7`, 7},
		"moved over fields": {`UPDATE audit SET action = action || left(object, 1), object = substr(object, 2) WHERE seal = 44`, 44},
		"deleted":           {`DELETE FROM audit WHERE seal = 31`, 31},
		"the first deleted": {`DELETE FROM audit WHERE seal = 1`, 1},
		"closed up":         {`DO $$ BEGIN DELETE FROM audit WHERE seal = 60; UPDATE audit SET seal = 60 WHERE seal = 61; END $$`, 60},
		"swapped": {`UPDATE audit AS a SET actor = b.actor, ip = b.ip, action = b.action, object = b.object, detail = b.detail
			FROM audit AS b WHERE a.seal = 20 AND b.seal = 21`, 20},
		"unsealed": {`UPDATE audit SET seal = NULL, hash = NULL WHERE seal = 50`, 50},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAxis(t)
			ctx := context.Background()
			var nodes sync.WaitGroup
			for g := range 4 {
				nodes.Go(func() {
					for i := range 16 {
						err := a.Audit(ctx, storage.Event{At: a.now, Actor: strconv.Itoa(g), Action: "try", Object: strconv.Itoa(i), Detail: "văn bản"})
						if err == nil {
							_, _, err = a.SealAudit(ctx, 5)
						}
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			nodes.Wait()
			head := a.sealAll()
			lines := one[int64](a, `SELECT count(*) FROM audit`)
			if head.Number != lines || lines < 64 {
				t.Errorf("%d sealed of %d", head.Number, lines)
			}
			if at, err := a.AuditHead(ctx); err != nil || at.Number != head.Number || string(at.Hash) != string(head.Hash) {
				t.Errorf("head %v, %v; want %v", at, err, head)
			}
			must(t, second(a.Pool().Exec(ctx, c.spoil)))
			broken, fit, err := a.CheckAudit(ctx)
			if err != nil || broken != c.broken || broken == 0 && fit != lines {
				t.Errorf("broken at %d, %d lines, %v; want %d", broken, fit, err, c.broken)
			}
		})
	}
}

// TestAuditTail: lines cut off at the end leave a sound chain, which is why its head is signed and kept elsewhere: it
// is then ahead of the chain.
func TestAuditTail(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	head := a.sealAll()
	must(t, second(a.Pool().Exec(t.Context(), `DELETE FROM audit WHERE seal = $1`, head.Number)))
	broken, fit, err := a.CheckAudit(t.Context())
	if err != nil || broken != 0 || fit != head.Number-1 {
		t.Errorf("broken at %d, %d lines, %v", broken, fit, err)
	}
	if at, err := a.AuditHead(t.Context()); err != nil || at.Number != head.Number-1 {
		t.Errorf("%v, %v", at, err)
	}
}

// TestAuditLate: a line whose commit came late is chained after those that were visible before it, whatever its id.
func TestAuditLate(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := context.Background()
	late, err := a.Pool().Begin(ctx)
	must(t, err)
	must(t, second(late.Exec(ctx, `INSERT INTO audit (at, actor, action, object) VALUES (now(), 'late', 'try', 'x')`)))
	must(t, a.Audit(ctx, storage.Event{At: a.now, Actor: "early", Action: "try"}))
	before := a.sealAll()
	must(t, late.Commit(ctx))
	if after := a.sealAll(); after.Number != before.Number+1 {
		t.Errorf("head %d after %d", after.Number, before.Number)
	}
	if broken, _, err := a.CheckAudit(ctx); err != nil || broken != 0 {
		t.Errorf("broken at %d, %v", broken, err)
	}
}
