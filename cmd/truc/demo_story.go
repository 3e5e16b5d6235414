package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
	"github.com/truc-lienthong/truc/storage"
)

// story is the play: acts one after another, each on what the acts before left.
type story struct {
	*world
	store   *storage.Store
	show    *screen
	began   time.Time
	numbers int       // of the last document
	first   uuid.UUID // act (a)
	mailing uuid.UUID // act (b)
	held    uuid.UUID // act (c)
	back    comingBack
}

// play runs all acts and waits until nothing is under way any more.
func (s *story) play(ctx context.Context) error {
	for _, act := range []func(context.Context) error{s.threeWays, s.unchanged, s.everyCommune, s.changed, s.notTaken, s.comeBack} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return s.settle(ctx)
}

// send writes, signs and sends a letter by its sender's own system. The id is zero when the axis refused it.
func (s *story) send(ctx context.Context, l letter) (toy.Sent, uuid.UUID, error) {
	s.numbers++
	l.number = s.numbers
	doc, err := s.write(l, time.Now())
	if err != nil {
		return toy.Sent{}, uuid.Nil, err
	}
	return s.submit(ctx, doc)
}

func (s *story) submit(ctx context.Context, doc toy.Document) (toy.Sent, uuid.UUID, error) {
	sent, err := s.toys.sender(doc.Dispatch.Sender).Send(ctx, doc)
	if err != nil || !sent.Acknowledged() {
		return sent, uuid.Nil, err
	}
	id, err := uuid.Parse(sent.Dispatch)
	return sent, id, err
}

// accepted is send for a letter that must be accepted.
func (s *story) accepted(ctx context.Context, l letter) (toy.Sent, uuid.UUID, error) {
	sent, id, err := s.send(ctx, l)
	if err == nil && !sent.Acknowledged() {
		err = fmt.Errorf("the axis should have taken %s: %w", sent.DocumentID, sent.Refused)
	}
	return sent, id, err
}

// name is an agency as people call it.
func (s *story) name(code string) string {
	a, err := s.dir.Resolve(code)
	if err != nil {
		return code
	}
	return fullName(s.dir, a)
}

// look is how often the database is asked while the story waits.
const look = 100 * time.Millisecond

// until waits for what the database says.
func (s *story) until(ctx context.Context, yes func() (bool, error)) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		ok, err := yes()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// delivered waits until all of a dispatch's deliveries are.
func (s *story) delivered(ctx context.Context, id uuid.UUID, n int) error {
	return s.until(ctx, func() (bool, error) {
		states, _, err := s.store.CountRecipients(ctx, id, storage.RecipientFilter{})
		return states[storage.Delivered] == n, err
	})
}

// heard waits until a sender's own system has heard what is wanted, and gives it.
func (s *story) heard(ctx context.Context, system string, wanted func(toy.Item) bool) (toy.Item, error) {
	log := s.toys.logs[system]
	for seen := 0; ; {
		items := log.Heard()
		for _, item := range items[seen:] {
			if wanted(item) {
				return item, nil
			}
		}
		seen = len(items)
		if err := log.WaitHeard(ctx, seen+1); err != nil {
			return toy.Item{}, fmt.Errorf("wait for news at %s: %w", system, err)
		}
	}
}

// heardOf waits until a sender's own system has heard a recipient's status.
func (s *story) heardOf(ctx context.Context, system, document, agency string, status toy.Status) error {
	_, err := s.heard(ctx, system, func(i toy.Item) bool {
		return i.Receipt != nil && i.Dispatch.DocumentID == document && i.Receipt.Agency == agency && i.Receipt.Status == status
	})
	return err
}

// settle waits until every delivery has reached an end, every recipient has said what it had to say, and every sender has
// heard it.
func (s *story) settle(ctx context.Context) error {
	s.show.act("Chờ mọi phản hồi về tới nơi gửi", "Waiting until every receipt has reached its sender")
	defer s.show.endBar()
	return s.until(ctx, func() (bool, error) {
		said, heard := s.toys.talk()
		s.show.bar(heard, said, "phản hồi đã về · receipts heard")
		if err := s.toys.idle(ctx); err != nil {
			return false, err
		}
		states, err := s.store.Ledger(ctx, s.began)
		if err != nil || states[storage.Pending] > 0 {
			return false, err
		}
		waiting, err := s.store.QueueDepths(ctx)
		if err != nil || len(waiting) > 0 {
			return false, err
		}
		said, heard = s.toys.talk()
		s.show.bar(heard, said, "phản hồi đã về · receipts heard")
		return true, s.toys.look(ctx)
	})
}
