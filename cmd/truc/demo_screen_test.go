package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestScreenPlain: away from a terminal a bar is a line at each tenth, and nothing has codes for terminals.
func TestScreenPlain(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := newScreen(&out)
	s.act("Hồi một", "Act one")
	for done := 0; done <= 3321; done += 27 {
		s.bar(done, 3321, "đã giao · delivered")
	}
	s.bar(3321, 3321, "đã giao · delivered")
	s.endBar()
	s.say("Xong", "done")
	if n := strings.Count(out.String(), "đã giao"); n != 11 {
		t.Errorf("%d bars, want 11:\n%s", n, out.String())
	}
	if strings.ContainsAny(out.String(), "\x1b\r") {
		t.Errorf("codes for a terminal: %q", out.String())
	}
	if !strings.Contains(out.String(), "3.321/3.321") {
		t.Errorf("no full bar:\n%s", out.String())
	}
}

// TestScreenLive: on a terminal the bar is drawn over itself, never wider than 80 columns, and what is said next does not
// stand on its line.
func TestScreenLive(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := &screen{out: &out, live: true, started: time.Now(), width: 80, tenth: -1}
	for done := range 50 {
		s.bar(3271+done, 3321, "đẩy lại sau · next push in 30 s")
	}
	s.say(strings.Repeat("một câu dài ", 20), strings.Repeat("a long sentence ", 20))
	s.bar(3321, 3321, "đã giao · delivered")
	s.endBar()
	for _, line := range strings.FieldsFunc(out.String(), func(r rune) bool { return r == '\n' || r == '\r' }) {
		line = strings.NewReplacer("\x1b[K", "", "\x1b[2m", "", "\x1b[1m", "", "\x1b[0m", "").Replace(line)
		if n := utf8.RuneCountInString(line); n > 80 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	if !strings.Contains(out.String(), "30 s\n") || !strings.HasSuffix(out.String(), "delivered\n") {
		t.Errorf("a bar's line was not ended: %q", out.String())
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1.000", 3321: "3.321", 1234567: "1.234.567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	if got := decimal(1.25, 1) + " " + decimal(40, 1) + " " + groupedEN(3321); got != "1,2 40,0 3,321" {
		t.Error(got)
	}
}
