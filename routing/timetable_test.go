package routing

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 10, 31, 12, 0, 0, 0, vietnam)

// schedule plays a destination that never answers and whose failures take `took` each; it gives when each try began.
func schedule(tt Timetable, u Urgency, took func(n int) time.Duration) (begun []time.Duration, expired time.Duration) {
	now := noon
	for tries := 0; ; tries++ {
		due, ok := tt.Next(tries, u, noon, now)
		if !ok {
			return begun, due.Sub(noon)
		}
		if due.After(now) {
			now = due
		}
		begun = append(begun, now.Sub(noon))
		now = now.Add(took(tries))
	}
}

func atOnce(int) time.Duration { return 0 }

// Issue 2, line 5, to the letter.
func TestDefaultTimetable(t *testing.T) {
	t.Parallel()
	want := []time.Duration{
		0, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour,
	}
	for day := 1; day <= 15; day++ {
		want = append(want, time.Duration(day)*24*time.Hour)
	}
	for _, u := range []Urgency{Normal, Urgent, VeryUrgent} {
		got, expired := schedule(DefaultTimetable, u, atOnce)
		if !slices.Equal(got, want) || expired != 15*24*time.Hour {
			t.Errorf("%s: %v, expired %v", u, got, expired)
		}
		if !slices.Equal(DefaultTimetable.Moments(u), want) {
			t.Errorf("%s: %v", u, DefaultTimetable.Moments(u))
		}
	}
	if DefaultTimetable.Until() != 15*24*time.Hour || (Timetable{}).Until() != DefaultTimetable.Until() {
		t.Error("until")
	}
}

func TestExpressTimetable(t *testing.T) {
	t.Parallel()
	got, _ := schedule(DefaultTimetable, Express, atOnce)
	want := []time.Duration{0, 30 * time.Second, 2 * time.Minute}
	for m := 5; m <= 120; m += 5 {
		want = append(want, time.Duration(m)*time.Minute)
	}
	want = append(want, 4*time.Hour, 8*time.Hour, 24*time.Hour)
	if !slices.Equal(got[:len(want)], want) {
		t.Errorf("%v", got)
	}
}

func TestMomentsThatPassedAreSkipped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tries     int
		gone, due time.Duration
	}{
		{1, 0, 30 * time.Second},
		{1, 70 * time.Second, 2 * time.Minute},         // a try that hung for a minute
		{2, 3 * 24 * time.Hour, 4 * 24 * time.Hour},    // the axis was down for three days: one try, then the day's
		{2, 119 * time.Second, 5 * time.Minute},        // begun a second early
		{40, 40 * time.Second, 2 * time.Minute},        // a person pressed "Gửi lại" forty times
		{1, -5 * time.Second, 30 * time.Second},        // clocks that differ
		{9, 8*time.Hour - time.Second, 24 * time.Hour}, // the same at a long distance
	} {
		due, ok := DefaultTimetable.Next(c.tries, Normal, noon, noon.Add(c.gone))
		if !ok || due.Sub(noon) != c.due {
			t.Errorf("%d tries, %v: due %v, %v; want %v", c.tries, c.gone, due.Sub(noon), ok, c.due)
		}
	}
}

func TestTheFirstTryIsNeverRefused(t *testing.T) {
	t.Parallel()
	due, ok := DefaultTimetable.Next(0, Normal, noon, noon.Add(100*24*time.Hour))
	if !ok || !due.Equal(noon) {
		t.Errorf("%v, %v", due, ok)
	}
	due, ok = DefaultTimetable.Next(1, Normal, noon, noon.Add(100*24*time.Hour))
	if ok || !due.Equal(noon.Add(15*24*time.Hour)) {
		t.Errorf("%v, %v", due, ok)
	}
}

// aTimetable draws what ParseTimetable accepts.
func aTimetable() *rapid.Generator[Timetable] {
	return rapid.OneOf(rapid.Just(DefaultTimetable), rapid.Custom(func(t *rapid.T) Timetable {
		seconds := rapid.SliceOfNDistinct(rapid.IntRange(0, 40000), 1, 12, rapid.ID[int]).Draw(t, "moments")
		slices.Sort(seconds)
		var tt Timetable
		for _, s := range seconds {
			tt.moments = append(tt.moments, time.Duration(s)*time.Second)
		}
		tt.every = rapid.SampledFrom([]time.Duration{0, time.Hour, 24 * time.Hour}).Draw(t, "every")
		tt.until = 12*time.Hour + time.Duration(rapid.IntRange(0, 10).Draw(t, "until"))*24*time.Hour
		if rapid.Bool().Draw(t, "rule") {
			tt.express = expressRule{5 * time.Minute, 2 * time.Hour}
		}
		return tt
	}))
}

// Whatever the tries take: the answer lies ahead, never goes back, ends at the end, and says so once for all.
func TestTimetableNeverGoesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tt, u := aTimetable().Draw(t, "timetable"), Urgency(rapid.IntRange(0, 3).Draw(t, "urgency"))
		longest := rapid.SampledFrom([]int{0, 1, 60, 4000}).Draw(t, "longest")
		begun, expired := schedule(tt, u, func(int) time.Duration {
			return time.Duration(rapid.IntRange(0, longest).Draw(t, "took")) * time.Second
		})
		if !slices.IsSorted(begun) || expired != tt.until || begun[len(begun)-1] > tt.until {
			t.Fatalf("%s: %v, expired %v", tt, begun, expired)
		}
		if len(begun) > len(tt.Moments(u))+1 {
			t.Fatalf("%s: %d tries, %d moments", tt, len(begun), len(tt.Moments(u)))
		}
	})
}

// Next is monotonic in now, whatever the tries, and never in the past.
func TestNextIsMonotonic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tt, u := aTimetable().Draw(t, "timetable"), Urgency(rapid.IntRange(0, 3).Draw(t, "urgency"))
		a, b := rapid.IntRange(0, 20*86400).Draw(t, "a"), rapid.IntRange(0, 20*86400).Draw(t, "b")
		first, second := noon.Add(time.Duration(min(a, b))*time.Second), noon.Add(time.Duration(max(a, b))*time.Second)
		tries := rapid.IntRange(1, 50).Draw(t, "tries")
		due1, ok1 := tt.Next(tries, u, noon, first)
		due2, ok2 := tt.Next(tries+1, u, noon, second)
		if due2.Before(due1) || ok2 && !ok1 {
			t.Fatalf("%s: after %v due %v %v, after %v due %v %v", tt, first.Sub(noon), due1.Sub(noon), ok1, second.Sub(noon), due2.Sub(noon), ok2)
		}
		if ok1 && !due1.After(first) {
			t.Fatalf("%s: at %v due %v", tt, first.Sub(noon), due1.Sub(noon))
		}
	})
}

// HỎA TỐC: in the first two hours never more than five minutes from a failure to the next try, and from try to try when
// the tries are shorter than that.
func TestExpressIsNeverFarApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tt := DefaultTimetable
		if rapid.Bool().Draw(t, "other") {
			tt = aTimetable().Draw(t, "timetable")
			tt.moments = slices.Clone(tt.moments) // it may be the default one, which all share
			tt.moments[0] = 0
			tt.express = expressRule{5 * time.Minute, 2 * time.Hour}
		}
		var ended []time.Duration
		begun, _ := schedule(tt, Express, func(n int) time.Duration {
			took := time.Duration(rapid.IntRange(0, 290).Draw(t, "took")) * time.Second
			ended = append(ended, took)
			return took
		})
		for n := 1; n < len(begun) && begun[n-1] < 2*time.Hour; n++ {
			failed := begun[n-1] + ended[n-1]
			if failed < 2*time.Hour && begun[n]-failed > 5*time.Minute {
				t.Fatalf("%s: failed at %v, tried again at %v", tt, failed, begun[n])
			}
		}
	})
}

func TestParseTimetable(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"0,30s,2m,5m,15m,30m,1h,2h,4h,8h;daily;15d;express 5m/2h": DefaultTimetable.String(),
		"0,30s,2m;daily;15d":          "0,30s,2m;every 1d;until 15d",
		" 0 , 90s ; until 36h ":       "0,90s;until 36h",
		"1m;every 2h;until 1d":        "1m;every 2h;until 1d",
		"0;express 1m/1h;every 1d;2d": "0;every 1d;until 2d;express 1m/1h",
	} {
		got, err := ParseTimetable(given)
		if err != nil || got.String() != want {
			t.Errorf("%q: %s, %v; want %s", given, got, err, want)
		}
	}
}

func TestBadTimetablesAreNamed(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"":                    "no time span",
		"0":                   "no end",
		"0,30s":               "no end",
		"0,2m,1m;15d":         "do not ascend",
		"0,0;15d":             "do not ascend",
		"0,1h;30m":            "ends (30m) before its last moment (1h)",
		"0;400d":              "no time span",
		"0,1x;15d":            "no time span",
		"0,-5m;15d":           "no time span",
		"0;every 1s;15d":      "more often",
		"0;every 1m;15d":      "more than 1000 tries",
		"0;15d;express 5m":    "form 5m/2h",
		"0;15d;express 1s/1h": "nearer than 10s",
		"0;weekly;15d":        "no time span",
		"0;99999999999999d":   "no time span",
	} {
		if _, err := ParseTimetable(given); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", given, err, want)
		}
	}
}

func TestTimetableTextReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tt := aTimetable().Draw(t, "timetable")
		var back Timetable
		if err := back.UnmarshalText([]byte(tt.String())); err != nil || back.String() != tt.String() {
			t.Fatalf("%s: %s, %v", tt, back, err)
		}
	})
}

func FuzzParseTimetable(f *testing.F) {
	f.Add("0,30s,2m;daily;15d;express 5m/2h")
	f.Add("0;every 1m;366d")
	f.Add("0;;")
	f.Fuzz(func(t *testing.T, s string) {
		tt, err := ParseTimetable(s)
		if err != nil {
			return
		}
		if n := len(tt.Moments(Express)); n > maxMoments {
			t.Fatalf("%q has %d tries", s, n)
		}
		if again, err := ParseTimetable(tt.String()); err != nil || again.String() != tt.String() {
			t.Fatalf("%q: %v", s, err)
		}
	})
}

func TestUrgency(t *testing.T) {
	t.Parallel()
	for u, labels := range map[Urgency][3]string{
		Normal: {"normal", "Thường", "Normal"}, Urgent: {"urgent", "KHẨN", "Urgent"},
		VeryUrgent: {"very_urgent", "THƯỢNG KHẨN", "Very urgent"}, Express: {"express", "HỎA TỐC", "Express"},
	} {
		if got := [3]string{u.String(), u.LabelVI(), u.LabelEN()}; got != labels || !u.Known() {
			t.Errorf("%v", got)
		}
		raw, err := json.Marshal(u)
		var back Urgency
		if err != nil || json.Unmarshal(raw, &back) != nil || back != u {
			t.Errorf("%s: %s, %v", u, raw, err)
		}
	}
	if u, err := ParseUrgency(""); u != Normal || err != nil {
		t.Error(u, err)
	}
	if _, err := ParseUrgency("HOẢ TỐC"); err == nil {
		t.Error("taken")
	}
	if _, err := Urgency(9).MarshalText(); err == nil || Urgency(-1).Known() {
		t.Error("an unknown urgency is written")
	}
}
