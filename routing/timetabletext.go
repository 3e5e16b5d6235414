package routing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ParseTimetable reads a timetable from text such as
//
//	0,30s,2m,5m,15m,30m,1h,2h,4h,8h;daily;15d;express 5m/2h
//
// First the moments, ascending, counted from acceptance (units s, m, h, d); then, in any order: "daily" or "every 12h", how
// it goes on after them; "15d" or "until 15d", the last try (required); "express 5m/2h", never more than 5 min apart in the
// first 2 h for HỎA TỐC. At most 1,000 tries and 366 days.
func ParseTimetable(s string) (Timetable, error) {
	first, rest, _ := strings.Cut(s, ";")
	var t Timetable
	for _, m := range strings.Split(first, ",") {
		span, err := readSpan(m)
		if err != nil {
			return Timetable{}, fmt.Errorf("timetable %q: %w", show(s), err)
		}
		t.moments = append(t.moments, span)
	}
	if rest != "" {
		for _, part := range strings.Split(rest, ";") {
			if err := t.readPart(part); err != nil {
				return Timetable{}, fmt.Errorf("timetable %q: %w", show(s), err)
			}
		}
	}
	if err := t.check(); err != nil {
		return Timetable{}, fmt.Errorf("timetable %q: %w", show(s), err)
	}
	return t, nil
}

// readPart reads one part after the moments.
func (t *Timetable) readPart(part string) (err error) {
	word, value, _ := strings.Cut(strings.TrimSpace(part), " ")
	switch word {
	case "daily":
		t.every = 24 * time.Hour
	case "every":
		t.every, err = readSpan(value)
	case "until":
		t.until, err = readSpan(value)
	case "express":
		apart, within, ok := strings.Cut(value, "/")
		if !ok {
			return fmt.Errorf("%q is not of the form 5m/2h", value)
		}
		if t.express.apart, err = readSpan(apart); err == nil {
			t.express.within, err = readSpan(within)
		}
	default:
		t.until, err = readSpan(part)
	}
	return err
}

func (t Timetable) check() error {
	last := t.moments[len(t.moments)-1]
	switch {
	case !slices.IsSorted(t.moments) || len(slices.Compact(slices.Clone(t.moments))) != len(t.moments):
		return fmt.Errorf("the moments do not ascend")
	case t.until <= 0:
		return fmt.Errorf("it has no end: add one such as 15d")
	case t.until < last:
		return fmt.Errorf("it ends (%s) before its last moment (%s)", writeSpan(t.until), writeSpan(last))
	case t.until > maxUntil:
		return fmt.Errorf("it ends after more than 366 days")
	case t.every != 0 && t.every < time.Minute:
		return fmt.Errorf("it goes on more often than each minute")
	case t.express.apart != 0 && t.express.apart < 10*time.Second:
		return fmt.Errorf("express tries are nearer than 10s")
	case t.count() > maxMoments:
		return fmt.Errorf("it has more than %d tries", maxMoments)
	}
	return nil
}

// count bounds the tries without listing them.
func (t Timetable) count() int64 {
	n := int64(len(t.moments)) + 1
	if t.every > 0 {
		n += int64(t.until / t.every)
	}
	if t.express.apart > 0 {
		n += int64(t.express.within / t.express.apart)
	}
	return n
}

var spanUnits = []struct {
	name string
	unit time.Duration
}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}

// readSpan reads "0", "30s", "2m", "1h" or "15d".
func readSpan(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	if s == "0" {
		return 0, nil
	}
	for _, u := range spanUnits {
		number, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || time.Duration(n) > maxUntil/u.unit {
			break
		}
		return time.Duration(n) * u.unit, nil
	}
	return 0, fmt.Errorf("%q is no time span such as 30s, 5m, 2h or 15d", show(s))
}

// writeSpan writes in the largest unit that leaves no rest.
func writeSpan(d time.Duration) string {
	for _, u := range spanUnits {
		if d > 0 && d%u.unit == 0 {
			return strconv.FormatInt(int64(d/u.unit), 10) + u.name
		}
	}
	return "0"
}
