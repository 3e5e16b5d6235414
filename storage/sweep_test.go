package storage_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// TestOneCopy: a file that travels with many dispatches is kept once, whoever brings it; the others' uploads go.
func TestOneCopy(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	nodes := []*axis{a, a.again(a.dsn)}
	var crowd sync.WaitGroup
	for i := range 30 {
		l := a.with(a.letter("L1"), "mẫu chung", fmt.Sprint("riêng ", i%5), "mẫu chung")
		crowd.Go(func() {
			if _, err := nodes[i%2].Accept(context.Background(), l); err != nil {
				t.Error(err)
			}
		})
	}
	crowd.Wait()
	if kept, loose := a.stored(); len(kept) != 6 || len(loose) != 0 {
		t.Errorf("%d kept, loose %v", len(kept), loose)
	}
	a.readable(objectOf("mẫu chung"))
}

// TestSweepUploads: what nobody kept goes after its grace, and nothing else ever does, though documents come in
// meanwhile.
func TestSweepUploads(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := context.Background()
	stop := make(chan struct{})
	var sweeper, senders sync.WaitGroup
	sweeper.Go(func() {
		for {
			if gone, err := a.SweepUploads(ctx, time.Now(), time.Hour); err != nil || gone != 0 {
				t.Errorf("within the grace: %d, %v", gone, err)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for g := range 4 {
		senders.Go(func() {
			for i := range 8 {
				l := a.with(a.letter("L1"), fmt.Sprint("tệp ", i), fmt.Sprintf("tệp %d của %d", i, g))
				if _, err := a.Accept(ctx, l); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	close(stop)
	sweeper.Wait()
	for i := range 3 {
		a.upload(fmt.Sprint("bỏ dở ", i)) // a crash between upload and commit
	}
	head := storage.HeadKey(a.now)
	kept, err := a.objects.Put(ctx, head, readerOf("đầu chuỗi"), false)
	must(t, err)
	must(t, kept.Close())
	if gone, err := a.SweepUploads(ctx, time.Now().Add(2*time.Hour), time.Hour); err != nil || gone != 3 {
		t.Errorf("%d swept, %v", gone, err)
	}
	if kept, loose := a.stored(); len(kept) != 8+32 || len(loose) != 1 || loose[0] != head {
		t.Errorf("%d kept, loose %v", len(kept), loose)
	}
}
