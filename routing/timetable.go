package routing

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Timetable says when a push that failed is tried again. Moments are counted from acceptance, so that a restart, another
// node or a slow try never shifts what is to come. The zero Timetable is DefaultTimetable.
type Timetable struct {
	moments []time.Duration // ascending
	every   time.Duration   // after the last moment: each whole multiple of this
	until   time.Duration   // the last moment of all; a failure there parks the delivery
	express expressRule
}

// expressRule: a HỎA TỐC document is never more than apart between two tries within the first hours.
type expressRule struct{ apart, within time.Duration }

// DefaultTimetable is the one of issue 2, line 5. The reason of each part:
//
//	0             the common case: the destination is up
//	30 s, 2 min   a restart or a deployment of the destination; a lost answer
//	5, 15, 30 min a crash that somebody notices; peers poll each 5 min themselves (R40)
//	1, 2, 4, 8 h  an outage within a working day: the document is there before it ends, as the law's "same day" asks (R7)
//	daily         an outage that only people end; more often would only fill both logs
//	15 days       longer than the longest holiday (Tết, 9 days) with a working week after it; then a person must decide
//	express       QĐ 28/2018 art. 6(2): at once, with priority; 5 min is what a polling peer would get, and 2 h is when the
//	              telephone has taken over
var DefaultTimetable = Timetable{
	moments: []time.Duration{
		0, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		1 * time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour,
	},
	every:   24 * time.Hour,
	until:   15 * 24 * time.Hour,
	express: expressRule{apart: 5 * time.Minute, within: 2 * time.Hour},
}

// Limits of a configured timetable: what they keep out is a slip of the pen, not a policy.
const (
	maxMoments = 1000
	maxUntil   = 366 * 24 * time.Hour
)

// Next says when to try after `tries` failed tries, the last of which ended now. The first try (tries 0) is due at the
// first moment after acceptedAt, even if that is past. After a failure it is the first moment that still lies ahead:
// moments that passed while the axis was down or a try hung are skipped, not made up for in a burst, and so is one that is
// nearer than half its distance to the one before (at most 10 s), for a try that was begun a little early.
// For Express in the first hours the answer is never more than the rule's distance after now.
//
// !ok: no moment is left, the delivery has expired; due is then the last moment of all. A dispatch that was released from a
// hold, or re-addressed, counts from there: give that time as acceptedAt.
func (t Timetable) Next(tries int, u Urgency, acceptedAt, now time.Time) (due time.Time, ok bool) {
	t = t.orDefault()
	if tries <= 0 {
		return acceptedAt.Add(t.moments[0]), true
	}
	gone := max(now.Sub(acceptedAt), 0)
	at, ok := t.after(gone, u)
	if !ok {
		return acceptedAt.Add(t.until), false
	}
	if u == Express && gone < t.express.within {
		at = min(at, gone+t.express.apart)
	}
	return acceptedAt.Add(at), true
}

// after gives the first moment ahead of gone.
func (t Timetable) after(gone time.Duration, u Urgency) (time.Duration, bool) {
	const early = 10 * time.Second
	before := time.Duration(0)
	for _, m := range t.Moments(u) {
		if m-min((m-before)/2, early) > gone {
			return m, true
		}
		before = m
	}
	return 0, false
}

// Moments lists all tries of a destination that never answers, counted from acceptance, the last one at Until.
func (t Timetable) Moments(u Urgency) []time.Duration {
	t = t.orDefault()
	out := slices.Clone(t.moments)
	if t.every > 0 {
		for m := (out[len(out)-1]/t.every + 1) * t.every; m < t.until; m += t.every {
			out = append(out, m)
		}
	}
	if u == Express && t.express.apart > 0 {
		for m := t.express.apart; m <= t.express.within; m += t.express.apart {
			out = append(out, m)
		}
	}
	out = slices.DeleteFunc(out, func(m time.Duration) bool { return m > t.until })
	out = append(out, t.until)
	slices.Sort(out)
	return slices.Compact(out)
}

// Until is how long after acceptance the last try is.
func (t Timetable) Until() time.Duration { return t.orDefault().until }

func (t Timetable) orDefault() Timetable {
	if len(t.moments) == 0 {
		return DefaultTimetable
	}
	return t
}

// String writes the timetable as ParseTimetable reads it.
func (t Timetable) String() string {
	t = t.orDefault()
	var parts []string
	for _, m := range t.moments {
		parts = append(parts, writeSpan(m))
	}
	s := strings.Join(parts, ",")
	if t.every > 0 {
		s += ";every " + writeSpan(t.every)
	}
	s += ";until " + writeSpan(t.until)
	if t.express.apart > 0 {
		s += fmt.Sprintf(";express %s/%s", writeSpan(t.express.apart), writeSpan(t.express.within))
	}
	return s
}

// MarshalText writes the timetable as an option's value.
func (t Timetable) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads an option's value.
func (t *Timetable) UnmarshalText(b []byte) error {
	read, err := ParseTimetable(string(b))
	if err != nil {
		return err
	}
	*t = read
	return nil
}
