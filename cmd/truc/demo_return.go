package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// returnAfter is how long after the mailing's acceptance the pushed hub is back at the latest: before its second try, which
// the timetable sets at 30 s. Otherwise act (e) would wait for the third, at two minutes.
const returnAfter = 23 * time.Second

// comingBack is the return of the pushed hub: when the story has come to it, but no later than returnAfter.
type comingBack struct {
	once  sync.Once
	timer *time.Timer
	at    time.Time
	err   error
}

// planReturn sets the clock for it.
func (s *story) planReturn(accepted time.Time) {
	s.back.timer = time.AfterFunc(time.Until(accepted.Add(returnAfter)), s.bringBack)
}

func (s *story) bringBack() {
	s.back.once.Do(func() {
		s.back.timer.Stop()
		s.back.at = time.Now()
		s.back.err = s.toys.dials[demoDownPush].Set()
		s.show.say("Trục tỉnh Thanh Hóa hoạt động trở lại; trục quốc gia chưa biết, sẽ tự phát hiện ở lần đẩy tới",
			"Thanh Hóa's hub is up again; the axis does not know yet, its next push will find out")
	})
}

// comeBack is act (e): the two hubs that were down come back and get what they missed. The one that pulls asks at once; the
// one that is pushed is back before its next try, which comes when the timetable says.
func (s *story) comeBack(ctx context.Context) error {
	s.show.act("(e) Hai trục tỉnh hoạt động trở lại và nhận đủ những gì đã lỡ", "The two dead hubs come back and get what they missed")
	total := len(demoCommunes())
	next, err := s.waiting(ctx)
	if err != nil {
		return err
	}
	s.bringBack()
	if s.back.err != nil {
		return s.back.err
	}
	if err := s.toys.dials[demoDownPull].Set(); err != nil {
		return err
	}
	s.show.say("Trục tỉnh Nghệ An hoạt động trở lại và tự hỏi lấy", "Nghệ An's hub is up again and asks for what waits")
	defer s.show.endBar()
	err = s.until(ctx, func() (bool, error) {
		states, _, err := s.store.CountRecipients(ctx, s.mailing, storage.RecipientFilter{})
		if err != nil {
			return false, err
		}
		note := "đã giao · delivered"
		if left := time.Until(next); left > 0 && states[storage.Delivered] < total {
			note = fmt.Sprintf("đẩy lại sau · next push in %.0f s", left.Seconds())
		}
		s.show.bar(states[storage.Delivered], total, note)
		return states[storage.Delivered] == total, nil
	})
	if err != nil {
		return err
	}
	took := time.Since(s.back.at).Seconds()
	s.show.say(fmt.Sprintf("Đủ %s/%s nơi nhận, %s s sau khi Thanh Hóa trở lại, không ai phải can thiệp", grouped(total), grouped(total), decimal(took, 1)),
		fmt.Sprintf("all %s have it, %.1f s after Thanh Hóa came back; nobody had to do anything", groupedEN(total), took))
	return s.showTries(ctx)
}

// waiting tells what waits for whom, and gives the next push to the dead hub: as the database has it.
func (s *story) waiting(ctx context.Context) (next time.Time, err error) {
	count := map[string]int{}
	for _, system := range []string{demoDownPull, demoDownPush} {
		list, err := s.store.RecipientPage(ctx, s.mailing, storage.RecipientFilter{Agencies: s.dir.ServedBy(system), State: storage.Pending, Limit: 1000})
		if err != nil {
			return next, err
		}
		count[system] = len(list)
		for _, d := range list {
			if next.IsZero() || !d.Due.IsZero() && d.Due.Before(next) {
				next = d.Due
			}
		}
	}
	s.show.say(fmt.Sprintf("Nghệ An (pull): %d nơi chờ hệ thống đến lấy; Thanh Hóa (push): %d nơi chờ lần đẩy tới theo bảng giờ, lúc %s",
		count[demoDownPull], count[demoDownPush], next.In(storage.Vietnam).Format(time.TimeOnly)),
		fmt.Sprintf("Nghệ An (pull): %d wait until its hub asks; Thanh Hóa (push): %d wait for the timetable's next push", count[demoDownPull], count[demoDownPush]))
	return next, nil
}

// showTries tells the tries of a delivery that waited: of the one with the most.
func (s *story) showTries(ctx context.Context) error {
	list, err := s.store.RecipientPage(ctx, s.mailing, storage.RecipientFilter{Agencies: s.dir.ServedBy(demoDownPush), Limit: 1000})
	if err != nil || len(list) == 0 {
		return err
	}
	var most storage.Delivery
	var tries []storage.Attempt
	err = s.until(ctx, func() (bool, error) { // the last one's outcome is written within milliseconds
		all, err := s.store.Attempts(ctx, s.mailing, list[0].N, list[len(list)-1].N)
		tries = nil
		for _, d := range list {
			if len(all[d.N]) > len(tries) {
				most, tries = d, all[d.N]
			}
		}
		return len(tries) > 0 && tries[len(tries)-1].Outcome != "", err
	})
	if err != nil {
		return err
	}
	for _, a := range tries {
		s.show.note(fmt.Sprintf("%s, lần %d · try %d, %s: %s (%s)", s.name(string(most.Agency)), a.K, a.K,
			a.StartedAt.In(storage.Vietnam).Format(time.TimeOnly), a.Outcome, a.Detail))
	}
	return nil
}
