package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
	"github.com/truc-lienthong/truc/routing"
)

// toys are the agencies' own systems, played in this process but talking to the axis over HTTP only. Their logs alone
// decide whether something was lost.
type toys struct {
	folder  string
	log     *slog.Logger
	sent    *toy.SentLog
	hubs    map[string]*toy.Hub
	boxes   map[string]*toy.Mailbox
	dials   map[string]*toy.Faults
	clients map[string]*toy.Client
	vxp     map[string]*toy.VXP // in place of a client
	logs    map[string]*toy.ReceivedLog
	doors   []*toy.Door
	stop    context.CancelFunc
	running sync.WaitGroup
}

func newToys(folder string, log *slog.Logger) (*toys, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("make the toys' folder: %w", err)
	}
	sent, err := toy.OpenSentLog(filepath.Join(folder, "sent.jsonl"))
	if err != nil {
		return nil, err
	}
	return &toys{folder: folder, log: log, sent: sent, stop: func() {}, hubs: map[string]*toy.Hub{}, boxes: map[string]*toy.Mailbox{},
		dials: map[string]*toy.Faults{}, clients: map[string]*toy.Client{}, vxp: map[string]*toy.VXP{}, logs: map[string]*toy.ReceivedLog{}}, nil
}

// add makes one toy; a pushed one opens its door and gives the webhook.
func (t *toys) add(s demoSystem, secret string) (webhook string, err error) {
	if s.vxp { // the address comes when the axis listens
		t.vxp[s.id] = toy.NewVXP("", s.id, secret)
	} else {
		t.clients[s.id] = toy.NewClient("", s.id, secret)
	}
	if t.logs[s.id], err = toy.OpenReceivedLog(filepath.Join(t.folder, s.id+".jsonl")); err != nil {
		return "", err
	}
	if s.way == routing.Mailbox {
		t.boxes[s.id] = &toy.Mailbox{Client: t.clients[s.id], Log: t.logs[s.id], Agencies: []string{""}} // all that it serves
		return "", nil
	}
	dial := toy.NewFaults(1)
	t.dials[s.id] = dial
	switch {
	case s.down:
		err = dial.Set(toy.Fault{Name: toy.Down, P: 1})
	case s.gone:
		err = dial.Set(toy.Fault{Name: toy.AnswerCode, P: 1, Status: http.StatusGone})
	}
	if err != nil {
		return "", err
	}
	hub := &toy.Hub{Client: t.clients[s.id], VXP: t.vxp[s.id], Log: t.logs[s.id], Faults: dial, Pull: s.way == routing.Pull, Every: vxpEvery,
		Slog: t.log, Policy: policyOf(s)}
	t.hubs[s.id] = hub
	if s.way != routing.Push {
		return "", nil
	}
	door, err := toy.OpenDoor("127.0.0.1:0", hub, dial, nil)
	if err != nil {
		return "", err
	}
	t.doors = append(t.doors, door)
	return door.URL() + "/", nil
}

// vxpEvery is how often a VXP system looks into its empty queues; nobody waits with its call for something to come.
const vxpEvery = 300 * time.Millisecond

// sender sends as a system does: a VXP one also looks whether its document is held, for sendEdoc does not say so.
func (t *toys) sender(system string) *toy.Sender {
	return &toy.Sender{Client: t.clients[system], VXP: t.vxp[system], Log: t.sent, Standing: true}
}

// policyOf says what a toy answers. A province's hub says by itself that a document is there (01); whether a commune takes
// it in is for its clerk. One department says each step up to done. Everybody else takes in at once (01, 03), or returns.
func policyOf(s demoSystem) toy.Policy {
	switch {
	case s.returns:
		return toy.Reject(demoReturnReason)
	case s.kind == "lgsp":
		return func(r toy.Received) []toy.Receipt {
			if r.Agency == demoHealth {
				return toy.WorkThrough(r)
			}
			return toy.TakeIn(r)[:1]
		}
	}
	return toy.TakeIn
}

// run starts every toy against the axis at url.
func (t *toys) run(ctx context.Context, url string) {
	ctx, t.stop = context.WithCancel(ctx)
	for _, c := range t.clients {
		c.Base = url
	}
	for _, v := range t.vxp {
		v.Endpoint = url + "/vxp"
	}
	for id, h := range t.hubs {
		t.running.Go(func() {
			if err := h.Run(ctx); err != nil && ctx.Err() == nil {
				t.log.Error("toy ended", "system", id, "err", err)
			}
		})
	}
}

// idle waits until no hub has anything to take or to say of what it was told.
func (t *toys) idle(ctx context.Context) error {
	for _, h := range t.hubs {
		if err := h.Idle(ctx); err != nil {
			return err
		}
	}
	return nil
}

// look opens every hosted mailbox once, as clerks do.
func (t *toys) look(ctx context.Context) error {
	for _, m := range t.boxes {
		if _, err := m.Scan(ctx); err != nil {
			return fmt.Errorf("look into the mailboxes: %w", err)
		}
	}
	return nil
}

// talk counts the receipts that recipients said and the axis took, and those that senders heard.
func (t *toys) talk() (said, heard int) {
	for _, l := range t.logs {
		said += len(l.Said())
		for _, item := range l.Heard() {
			if item.Receipt != nil {
				heard++
			}
		}
	}
	return said, heard
}

// received gives everything that any toy got.
func (t *toys) received() []toy.Received {
	var all []toy.Received
	for _, l := range t.logs {
		all = append(all, l.All()...)
	}
	return all
}

// close ends the toys and their logs. Doors shut last, so that what is under way ends.
func (t *toys) close() error {
	t.stop()
	t.running.Wait()
	var all error
	for _, d := range t.doors {
		all = errors.Join(all, d.Close())
	}
	for _, c := range t.clients {
		c.Close()
	}
	for _, v := range t.vxp {
		v.Close()
	}
	for _, l := range t.logs {
		all = errors.Join(all, l.Close())
	}
	return errors.Join(all, t.sent.Close())
}
