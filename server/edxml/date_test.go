package edxml

import (
	"testing"
	"time"
)

// TestDates: every form seen is read, as +07:00 where it says nothing else.
func TestDates(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 9, 0, 0, 0, 0, Vietnam)
	moment := time.Date(2026, 11, 9, 23, 5, 7, 0, Vietnam)
	for text, want := range map[string]time.Time{
		"2026/11/09": day, "09/11/2026": day, "9/11/2026": day, "2026-11-09": day, "09-11-2026": day, "2026/11/9": day,
		"2026/11/09 23:05:07": moment, "09/11/2026 23:05:07": moment, "2026-11-09 23:05:07": moment, "2026-11-09T23:05:07": moment,
		"2026-11-09T23:05:07+07:00": moment, "2026-11-09T16:05:07Z": moment, "2026-11-09T16:05:07.000Z": moment, "2026/11/09 23:05:07.000": moment,
		"2026-11-09T23:05:07.0000000+07:00": moment, "2026/11/09 23:05": moment.Truncate(time.Minute),
	} {
		if got, ok := parseMoment(text); !ok || !got.Equal(want) {
			t.Errorf("%s reads as %v (%v), want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"2014/02/30", "0001/01/01", "0001-01-01T00:00:00", "13/13/2026", "2026/11", "hôm nay", "26/11/09", "2026/11/09 25:00:00", "20261109", "９/11/2026"} {
		if got, ok := parseMoment(text); ok {
			t.Errorf("%s reads as %v", text, got)
		}
	}
	if got := Day(time.Date(2026, 11, 8, 17, 0, 0, 0, time.UTC)); !got.At.Equal(day) {
		t.Errorf("17:00 UTC is the day %v", got)
	}
}
