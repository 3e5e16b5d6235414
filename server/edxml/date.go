package edxml

import "time"

// Vietnam is the zone of every time that a packet carries without one.
var Vietnam = time.FixedZone("+07:00", 7*60*60)

// Date is a day or a moment, in +07:00. Text is what stood there when it is no date that we know; At is zero then.
type Date struct {
	At   time.Time
	Text string
}

// IsZero says that nothing was given.
func (d Date) IsZero() bool { return d.At.IsZero() && d.Text == "" }

// Day is the day of t in Vietnam.
func Day(t time.Time) Date {
	y, m, day := t.In(Vietnam).Date()
	return Date{At: time.Date(y, m, day, 0, 0, 0, 0, Vietnam)}
}

// Moment is t to the second.
func Moment(t time.Time) Date { return Date{At: t.In(Vietnam).Truncate(time.Second)} }

// How the writer, and VNPT's, says them.
const (
	dayLayout    = "2006/01/02"
	momentLayout = "2006/01/02 15:04:05"
)

// Every form seen, year first and day first; the others are what .NET and Java write for the same by themselves.
var (
	dayLayouts  = []string{"2006/1/2", "2/1/2006", "2006-1-2", "2-1-2006"}
	timeLayouts = []string{"", " 15:04:05", "T15:04:05", "T15:04:05Z07:00", " 15:04", "T15:04", " 15:04:05Z07:00", " 15:04:05 Z07:00"}
)

// parseMoment reads a date with or without a time, in +07:00 when it names no zone. Years that no document has are no dates:
// 0001 is .NET's way to say nothing.
func parseMoment(text string) (time.Time, bool) {
	if len(text) > 40 {
		return time.Time{}, false
	}
	for _, day := range dayLayouts {
		for _, clock := range timeLayouts {
			t, err := time.ParseInLocation(day+clock, text, Vietnam)
			if err != nil {
				continue
			}
			t = t.In(Vietnam)
			return t, t.Year() >= 1900 && t.Year() < 2200
		}
	}
	return time.Time{}, false
}

// day reads the open element as a day, moment as a day with its time.
func (d *reader) day(v *Date) error    { return d.date(v, Day) }
func (d *reader) moment(v *Date) error { return d.date(v, Moment) }

func (d *reader) date(v *Date, as func(time.Time) Date) error {
	name, line := d.s.top().local, d.s.top().line
	var text string
	if err := d.value(&text); err != nil || text == "" {
		return err
	}
	t, ok := parseMoment(text)
	if !ok {
		*v = Date{Text: text}
		d.warn(d.s.closedPath(), line, malformed(name, "không phải ngày có thật dạng yyyy/MM/dd.", "is not a real date of the form yyyy/MM/dd.", "Ghi yyyy/MM/dd / Write yyyy/MM/dd"))
		return nil
	}
	*v = as(t)
	return nil
}

// notLater warns of a date after the time of reception; a day's grace is for clocks.
func (d *reader) notLater(v Date) {
	if d.o.Now.IsZero() || v.At.IsZero() || !v.At.After(d.o.Now.Add(24*time.Hour)) {
		return
	}
	name := d.s.closed.local
	d.warn(d.s.closedPath(), d.s.closed.line, malformed(name, "ở tương lai.", "is in the future.", "Kiểm tra lại ngày / Check the date"))
}
