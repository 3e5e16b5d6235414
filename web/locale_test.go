package web

import (
	"testing"
	"time"
)

func TestFiguresAsOfficesWriteThem(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		number(0): "0", number(999): "999", number(1000): "1.000", number(1234567): "1.234.567", number(-1234): "-1.234",
		size(0): "0 B", size(999): "999 B", size(1234): "1,2 kB", size(42_000): "42 kB", size(1_234_567): "1,2 MB", size(2 << 30): "2,1 GB",
		moment(time.Date(2026, 10, 31, 16, 59, 59, 0, time.UTC)): "31/10/2026 23:59:59", moment(time.Date(2026, 10, 31, 17, 0, 0, 0, time.UTC)): "01/11/2026 00:00:00",
		moment(time.Time{}): "", day(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)): "01/11/2026",
		ago(10 * time.Second).VI: "dưới 1 phút", ago(time.Minute).EN: "1 minute", ago(3*time.Hour + 2*time.Minute).VI: "3 giờ 2 phút", ago(49 * time.Hour).EN: "2 days 1 hour",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestEverySentenceIsInBothLanguages(t *testing.T) {
	t.Parallel()
	both := func(p phrase) {
		if p.VI == "" || p.EN == "" {
			t.Errorf("%+v lacks a language", p)
		}
	}
	for _, b := range stateBadges {
		both(b.Word)
	}
	for s := range statusTones {
		both(statusBadge(s).Word)
	}
	for _, f := range failures {
		both(f.page.Title)
		both(f.page.Text)
	}
	for _, f := range append(append([]face{}, sentFaces...), receivedFaces...) {
		both(f.Word)
	}
}
