package toy

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestLoadMeasuresWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	if err := a.faults.Set(Fault{Name: AnswerCode, Status: 503, P: 0.3}); err != nil {
		t.Fatal(err)
	}
	c := a.client(t, "H29.12")
	l := Load{Clients: []*Client{c, c, c}, Max: 20, Log: &SentLog{}, Patience: quick}
	l.Documents = func(i int) Document {
		if i == 7 {
			return letter(i, "H29.12", "unknown")
		}
		return letter(i, "H29.12", "H26")
	}
	r, err := l.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.N != 19 || r.Refused != 1 || r.Tries <= 20 || r.Bytes < 19*20 || r.PerSecond <= 0 || r.P50 <= 0 || r.P95 < r.P50 || r.Max < r.P95 {
		t.Errorf("%+v", r)
	}
	if len(l.Log.Acknowledged()) != 19 {
		t.Errorf("log %d", len(l.Log.Acknowledged()))
	}
}

func TestLoadEnds(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	l := Load{Clients: []*Client{a.client(t, "H29.12")}, Documents: func(i int) Document { return letter(i, "H29.12", "H26") }}
	if _, err := l.Run(t.Context()); err == nil {
		t.Error("a load without an end ran")
	}
	l.For = time.Nanosecond
	if r, err := l.Run(t.Context()); err != nil || r.N > 1 {
		t.Errorf("%+v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l.For = time.Hour
	if _, err := l.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	l.Documents = func(i int) Document {
		return Document{Files: []File{{Name: "x", Size: 3, Open: Bytes("", "", nil).Open}}}
	}
	var local *LocalError
	if _, err := l.Run(t.Context()); !errors.As(err, &local) {
		t.Errorf("a document that cannot be read: %v", err)
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	ms := func(n ...int) (out []time.Duration) {
		for _, x := range n {
			out = append(out, time.Duration(x)*time.Millisecond)
		}
		return out
	}
	for _, k := range []struct {
		times []time.Duration
		p     int
		want  float64
	}{{nil, 50, 0}, {ms(4), 50, 4}, {ms(1, 2, 3, 4), 50, 2}, {ms(1, 2, 3, 4), 95, 4}, {ms(1, 2, 3, 4), 100, 4}} {
		if got := percentile(k.times, k.p); got != k.want {
			t.Errorf("%v at %d: %v", k.times, k.p, got)
		}
	}
}
