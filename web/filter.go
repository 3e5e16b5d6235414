package web

import (
	"cmp"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// listDays is how far back a list goes when nobody says: a list must be bounded, or it would read every month there is.
const listDays = 365

// pageLines is how many lines one page of a list shows.
const pageLines = 50

// filter is what the URL of a list says, as the form shows it again.
type filter struct {
	Text     string
	From, To time.Time // days, To inclusive; zero To: until now
	Agency   string
	Urgency  string
	State    storage.Face
	Before   storage.DeliveryID
	Fault    phrase // what was typed and cannot be read
	typed    [2]string
	faces    []face
}

// face is one choice of state.
type face struct {
	Face storage.Face
	Word phrase
}

var sentFaces = []face{
	{storage.FacePending, phrase{"Chưa gửi xong", "Not delivered yet"}},
	{storage.FaceDelivered, phrase{"Đã giao mọi nơi nhận", "Delivered to all"}},
	{storage.FaceFailed, phrase{"Gửi lỗi", "Failed"}},
	{storage.FaceHeld, phrase{"Đang giữ", "Held"}},
	{storage.FaceReturned, phrase{"Bị trả lại", "Returned"}},
	{storage.FaceRecalled, phrase{"Đã lấy lại", "Recalled"}},
}

var receivedFaces = []face{
	{storage.FaceWaiting, phrase{"Chờ tiếp nhận", "To be registered"}},
	{storage.FaceRegistered, phrase{"Đã tiếp nhận", "Registered"}},
	{storage.FaceReturned, phrase{"Đã từ chối", "Returned"}},
	{storage.FaceAskedBack, phrase{"Bên gửi xin lấy lại", "Asked back"}},
}

// readFilter reads a list's URL. What it cannot read is errBadQuery, not silently another list.
func readFilter(q url.Values, faces []face, now time.Time) (filter, error) {
	f := filter{Text: strings.TrimSpace(q.Get("q")), Agency: strings.TrimSpace(q.Get("agency")), Urgency: q.Get("urgency"),
		State: storage.Face(q.Get("state")), faces: faces}
	if !utf8.ValidString(f.Text+f.Agency) || strings.ContainsRune(f.Text+f.Agency, 0) || len(f.Text) > 200 || len(f.Agency) > 64 {
		return f, errBadQuery
	}
	f.readDays(q.Get("from"), q.Get("to"), now)
	if _, err := routing.ParseUrgency(f.Urgency); err != nil || !f.knows(f.State) {
		return f, errBadQuery
	}
	var err error
	f.Before, err = readMark(q.Get("before"))
	return f, err
}

// readDays reads the period. People type days, so a slip is said beside the field, and what was typed stays in it.
func (f *filter) readDays(from, to string, now time.Time) {
	var fromErr, toErr error
	f.From, fromErr = readDay(from)
	f.To, toErr = readDay(to)
	switch {
	case fromErr != nil || toErr != nil:
		f.Fault = phrase{"Hãy ghi ngày theo dạng ngày/tháng/năm, ví dụ 21/11/2026.", "Please write days as day/month/year, such as 21/11/2026."}
	case !f.To.IsZero() && f.To.Before(f.From):
		f.Fault = phrase{"Ngày kết thúc sớm hơn ngày bắt đầu.", "The last day is before the first."}
	}
	if f.From.IsZero() {
		f.From = startOfDay(now).AddDate(0, 0, -listDays)
	}
	if f.Fault != (phrase{}) {
		f.typed = [2]string{from, to}
	}
}

func (f filter) knows(s storage.Face) bool {
	for _, one := range f.faces {
		if one.Face == s {
			return true
		}
	}
	return s == ""
}

// readDay reads a day in Vietnam, as people write it (21/11/2026) or as links hold it (2026-11-21).
func readDay(given string) (time.Time, error) {
	given = strings.TrimSpace(given)
	if given == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{"2/1/2006", time.DateOnly} {
		if t, err := time.ParseInLocation(form, given, storage.Vietnam); err == nil && t.Year() >= 2000 && t.Year() <= 2200 {
			return t, nil
		}
	}
	return time.Time{}, errBadQuery
}

// readMark reads where the page before ended: a dispatch, or a delivery.
func readMark(given string) (storage.DeliveryID, error) {
	if given == "" {
		return storage.DeliveryID{}, nil
	}
	if id, ok := storage.ParseDeliveryID(given); ok {
		return id, nil
	}
	id, err := uuid.Parse(given)
	if err != nil || len(given) != 36 {
		return storage.DeliveryID{}, errBadQuery
	}
	return storage.DeliveryID{Dispatch: id}, nil
}

// Faces are the states to choose from.
func (f filter) Faces() []face { return f.faces }

// Urgencies are the marks to choose from.
func (f filter) Urgencies() []routing.Urgency {
	return []routing.Urgency{routing.Express, routing.VeryUrgent, routing.Urgent, routing.Normal}
}

// FromDay is the first day that counts, as written; or what was typed and cannot be read.
func (f filter) FromDay() string { return cmp.Or(f.typed[0], day(f.From)) }

// ToDay is the last day that counts.
func (f filter) ToDay() string { return cmp.Or(f.typed[1], day(f.To)) }

// Narrowed says that somebody chose something: an empty list then says so.
func (f filter) Narrowed() bool {
	return f.Text != "" || f.Agency != "" || f.Urgency != "" || f.State != "" || !f.To.IsZero()
}

func isoDay(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// First says that this is the first page.
func (f filter) First() bool { return f.Before == storage.DeliveryID{} }

// query writes the filter back as a URL's query, with the mark of another page.
func (f filter) query(mark string) string {
	v := url.Values{}
	for name, value := range map[string]string{"q": f.Text, "agency": f.Agency, "urgency": f.Urgency, "state": string(f.State),
		"from": isoDay(f.From), "to": isoDay(f.To), "before": mark} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v.Encode()
}

// chosen makes what storage reads: one line more than a page shows tells whether there are more.
func (f filter) chosen(v *viewer) storage.ListFilter {
	l := storage.ListFilter{Everyone: v.everyone(), From: f.From, Text: f.Text, Subjects: v.may(content), Face: f.State,
		Before: f.Before, Limit: pageLines + 1}
	if !f.To.IsZero() {
		l.To = f.To.AddDate(0, 0, 1)
	}
	if u, err := routing.ParseUrgency(f.Urgency); err == nil && f.Urgency != "" {
		l.Urgency = &u
	}
	if f.Agency != "" {
		l.Everyone, l.Agencies = false, v.agency(f.Agency)
	} else if !l.Everyone {
		l.Agencies = v.own()
	}
	return l
}
