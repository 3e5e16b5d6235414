package web

import (
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
	faces    []face
}

// face is one choice of state.
type face struct {
	Face storage.Face
	Word phrase
}

var sentFaces = []face{
	{storage.FacePending, phrase{"Chưa gửi xong", "Not delivered yet"}},
	{storage.FaceDelivered, phrase{"Đã đến mọi nơi nhận", "Delivered to all"}},
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
	var err error
	if f.From, err = readDay(q.Get("from")); err != nil {
		return f, err
	}
	if f.To, err = readDay(q.Get("to")); err != nil {
		return f, err
	}
	if f.From.IsZero() {
		f.From = startOfDay(now).AddDate(0, 0, -listDays)
	}
	if _, err := routing.ParseUrgency(f.Urgency); err != nil || !f.knows(f.State) {
		return f, errBadQuery
	}
	f.Before, err = readMark(q.Get("before"))
	return f, err
}

func (f filter) knows(s storage.Face) bool {
	for _, one := range f.faces {
		if one.Face == s {
			return true
		}
	}
	return s == ""
}

// readDay reads yyyy-mm-dd, as date fields send it, as a day in Vietnam.
func readDay(given string) (time.Time, error) {
	if given == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, given, storage.Vietnam)
	if err != nil || t.Year() < 2000 || t.Year() > 2200 {
		return time.Time{}, errBadQuery
	}
	return t, nil
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

// FromDay and ToDay are the values of the date fields.
func (f filter) FromDay() string { return isoDay(f.From) }

// ToDay is the last day that counts.
func (f filter) ToDay() string { return isoDay(f.To) }

func isoDay(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// Narrowed says that somebody chose something: an empty list then says so.
func (f filter) Narrowed() bool {
	return f.Text != "" || f.Agency != "" || f.Urgency != "" || f.State != "" || !f.To.IsZero()
}

// First says that this is the first page.
func (f filter) First() bool { return f.Before == storage.DeliveryID{} }

// query writes the filter back as a URL's query, with the mark of another page.
func (f filter) query(mark string) string {
	v := url.Values{}
	for name, value := range map[string]string{"q": f.Text, "agency": f.Agency, "urgency": f.Urgency, "state": string(f.State),
		"from": f.FromDay(), "to": f.ToDay(), "before": mark} {
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
