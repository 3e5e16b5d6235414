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
	mailing uuid.UUID // act (b)
}

// play runs all acts and waits until nothing is under way any more.
func (s *story) play(ctx context.Context) error {
	for _, act := range []func(context.Context) error{s.three} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return s.settle(ctx)
}

// three is act (a): one signed document, three ways.
func (s *story) three(ctx context.Context) error {
	s.show.act("(a) Công văn có ký số gửi 3 cơ quan, theo 3 cách", "A signed official letter to 3 agencies, by 3 ways")
	sent, err := s.send(ctx, letter{sender: demoSender, about: subjectAbout("sốt xuất huyết"), to: []string{"000.00.00.G18", demoHealth, demoCommune},
		toText: "Bộ Y tế; Sở Y tế tỉnh Hưng Yên; UBND xã Định Mỹ", signer: "Nguyễn Văn Thử", position: "Giám đốc"})
	if err != nil {
		return err
	}
	s.show.say("Trục đã kiểm tra chữ ký, lưu bền vững và nhận trách nhiệm: "+sent.Dispatch, "The axis verified the signatures, stored it durably and answered 201")
	id, err := uuid.Parse(sent.Dispatch)
	if err != nil {
		return err
	}
	if err := s.until(ctx, func() (bool, error) {
		states, _, err := s.store.CountRecipients(ctx, id, storage.RecipientFilter{})
		return states[storage.Delivered] == len(sent.Recipients), err
	}); err != nil {
		return err
	}
	if err := s.toys.look(ctx); err != nil {
		return err
	}
	s.show.say("3/3 đã giao", "3 of 3 delivered")
	return nil
}

// send writes, signs and sends a letter by its sender's own system.
func (s *story) send(ctx context.Context, l letter) (toy.Sent, error) {
	s.numbers++
	l.number = s.numbers
	doc, err := s.write(l, time.Now())
	if err != nil {
		return toy.Sent{}, err
	}
	return s.submit(ctx, doc)
}

func (s *story) submit(ctx context.Context, doc toy.Document) (toy.Sent, error) {
	sender := toy.Sender{Client: s.toys.clients[doc.Dispatch.Sender], Log: s.toys.sent}
	sent, err := sender.Send(ctx, doc)
	if err != nil {
		return sent, fmt.Errorf("send %s: %w", doc.Dispatch.DocumentID, err)
	}
	return sent, nil
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

// settle waits until every delivery has reached an end, every recipient said what it had to say, and every sender heard it.
func (s *story) settle(ctx context.Context) error {
	return s.until(ctx, func() (bool, error) {
		if err := s.toys.idle(ctx); err != nil {
			return false, err
		}
		states, err := s.store.Ledger(ctx, s.began)
		if err != nil || states[storage.Pending] > 0 {
			return false, err
		}
		waiting, err := s.store.QueueDepths(ctx)
		return len(waiting) == 0, err
	})
}
