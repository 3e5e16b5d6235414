package toy

import (
	"context"
	"math/rand/v2"
	"time"
)

// Patience says how a toy tries again. The zero value tries until its context ends, at first after 100 ms and then
// ever more slowly, at most 5 s apart.
type Patience struct {
	First, Most time.Duration // pauses between tries: doubled each time, with a fifth of chance in them
	Tries       int           // 0: no limit
	// Sleep waits; nil waits for real. Tests put their own clock here.
	Sleep func(ctx context.Context, d time.Duration) error
}

// try repeats what while [Again] says that it is worth it. It gives the number of tries and the last error.
func (p Patience) try(ctx context.Context, what func() error) (int, error) {
	for n := 1; ; n++ {
		err := what()
		if err == nil {
			return n, nil
		}
		again, least := Again(err)
		if ctx.Err() != nil || !again || n == p.Tries {
			return n, err
		}
		if err := p.sleep(ctx, max(p.pause(n), least)); err != nil {
			return n, err
		}
	}
}

// pause is the wait after n failed tries.
func (p Patience) pause(n int) time.Duration {
	first, most := p.First, p.Most
	if first <= 0 {
		first = 100 * time.Millisecond
	}
	if most <= 0 {
		most = 5 * time.Second
	}
	d := most
	if n < 20 {
		d = min(most, first<<(n-1))
	}
	return time.Duration(float64(d) * (0.9 + 0.2*rand.Float64()))
}

func (p Patience) sleep(ctx context.Context, d time.Duration) error {
	if p.Sleep != nil {
		return p.Sleep(ctx, d)
	}
	return sleep(ctx, d)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
