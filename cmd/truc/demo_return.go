package main

import (
	"context"
	"fmt"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// comeBack is act (e): the two hubs that were down come back and get what they missed. The one that pulls asks at once; the
// one that is pushed is back before its next try, which comes when the timetable says.
func (s *story) comeBack(ctx context.Context) error {
	s.show.act("(e) Hai trục tỉnh hoạt động trở lại và nhận đủ những gì đã lỡ", "The two dead hubs come back and get what they missed")
	total := len(demoCommunes())
	next, err := s.waiting(ctx)
	if err != nil {
		return err
	}
	for _, id := range []string{demoDownPull, demoDownPush} {
		if err := s.toys.dials[id].Set(); err != nil {
			return err
		}
	}
	s.show.say("Cả hai đã hoạt động trở lại; trục tự phát hiện, không ai can thiệp", "both are up again; the axis finds out by itself")
	back := time.Now()
	defer s.show.endBar()
	err = s.until(ctx, func() (bool, error) {
		states, _, err := s.store.CountRecipients(ctx, s.mailing, storage.RecipientFilter{})
		note := "đã giao · delivered"
		if left := time.Until(next); left > 0 && states[storage.Delivered] < total {
			note += fmt.Sprintf(" (lần đẩy tới sau · next push in %.0f s)", left.Seconds())
		}
		s.show.bar(states[storage.Delivered], total, note)
		return states[storage.Delivered] == total, err
	})
	if err != nil {
		return err
	}
	s.show.say(fmt.Sprintf("Đủ %s/%s nơi nhận, %s s sau khi hai trục trở lại", grouped(total), grouped(total), decimal(time.Since(back).Seconds(), 1)),
		fmt.Sprintf("all %s have it, %.1f s after the hubs came back", groupedEN(total), time.Since(back).Seconds()))
	return s.showTries(ctx)
}

// waiting tells what waits for whom, and gives the next push to the dead hub: as the database has it.
func (s *story) waiting(ctx context.Context) (next time.Time, err error) {
	list, err := s.store.RecipientPage(ctx, s.mailing, storage.RecipientFilter{State: storage.Pending, Limit: 1000})
	if err != nil {
		return next, err
	}
	count := map[string]int{}
	for _, d := range list {
		count[d.System]++
		if d.System == demoDownPush && (next.IsZero() || d.Due.Before(next)) {
			next = d.Due
		}
	}
	s.show.say(fmt.Sprintf("Thanh Hóa (push): %d xã, phường chờ; trục thử lại theo bảng giờ HỎA TỐC, lần tới lúc %s",
		count[demoDownPush], next.In(storage.Vietnam).Format(time.TimeOnly)),
		fmt.Sprintf("Nghệ An (pull): %d wait until its hub asks; Thanh Hóa (push): %d wait for the timetable's next try", count[demoDownPull], count[demoDownPush]))
	return next, nil
}

// showTries tells the tries of one delivery that waited.
func (s *story) showTries(ctx context.Context) error {
	list, err := s.store.RecipientPage(ctx, s.mailing, storage.RecipientFilter{Agencies: s.dir.ServedBy(demoDownPush), Limit: 1})
	if err != nil || len(list) == 0 {
		return err
	}
	var tries []storage.Attempt
	err = s.until(ctx, func() (bool, error) { // the last one's outcome is written within milliseconds
		all, err := s.store.Attempts(ctx, s.mailing, list[0].N, list[0].N)
		tries = all[list[0].N]
		return len(tries) > 0 && tries[len(tries)-1].Outcome != "", err
	})
	if err != nil {
		return err
	}
	for _, a := range tries {
		s.show.note(fmt.Sprintf("%s, lần %d · try %d, %s: %s (%s)", s.name(string(list[0].Agency)), a.K, a.K,
			a.StartedAt.In(storage.Vietnam).Format(time.TimeOnly), a.Outcome, a.Detail))
	}
	return nil
}
