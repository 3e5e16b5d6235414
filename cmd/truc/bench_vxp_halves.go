package main

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"
)

// halves measures what a cycle is made of, each half against the floor of the same run: packets handed in, and then the same
// packets received, by a list and by getEdoc and updateStatus of each one in it.
func (b *benchVXP) halves(c *command, site *benchSite, result *benchResult, senders, recipients []*vxpSystem) error {
	slice := time.Duration(b.Seconds) * time.Second / 4
	b.makeReady(slice)
	sent, spent, err := hammer(b.Clients, slice, func(client int, via *http.Client) error {
		return senders[client].send(c.ctx, via, b.next(client))
	})
	if err != nil {
		return err
	}
	result.against(c, "sendEdoc alone, share of the floor", len(sent), spent)
	inboxes, drained := make([]inbox, b.Clients), atomic.Int32{}
	_, spent, err = hammer(b.Clients, time.Hour, func(client int, via *http.Client) error {
		err := inboxes[client].receive(c.ctx, via, recipients[client], b.packets.size)
		if errors.Is(err, errDrained) {
			drained.Add(1)
		}
		return err
	})
	if int(drained.Load()) != b.Clients {
		return err
	}
	result.against(c, "receiving alone, share of the floor", len(sent), spent)
	return b.verifyEnded(c.ctx, site.in, result.N+b.warmed+len(sent))
}

// against adds a case: n documents in so long, as a share of the floor.
func (r *benchResult) against(c *command, name string, n int, spent time.Duration) {
	one := benchCase{Name: name, Unit: "ratio", Goal: vxpGoal, Value: float64(n) / spent.Seconds() / r.Floor}
	one.Met = one.Value >= one.Goal
	r.add(c, one)
}

// inbox is what a receiving client knows to wait for it.
type inbox struct{ waiting []string }

// errDrained says that nothing waits any more.
var errDrained = errors.New("nothing waits")

// receive takes one packet over; when it knows of none it asks for the list first.
func (in *inbox) receive(ctx context.Context, via *http.Client, to *vxpSystem, size int) (err error) {
	if len(in.waiting) == 0 {
		if in.waiting, err = to.list(ctx, via); err != nil {
			return err
		}
	}
	if len(in.waiting) == 0 {
		return errDrained
	}
	one := in.waiting[0]
	in.waiting = in.waiting[1:]
	got, err := to.get(ctx, via, one)
	if err != nil {
		return err
	}
	if len(got) < size { // base64 has a third more
		return answer{exitNo, "getEdoc gives less than was sent"}
	}
	return to.done(ctx, via, one)
}
