package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// straysPage lists the status packets that fit no delivery (R32): nobody else ever sees them. Their reasons are shown
// although these roles see no content (R102): they reached no agency, and are how the mistake is found.
type straysPage struct {
	Strays []strayRow
	All    bool   // also those that somebody has looked at
	Older  string // the next page; empty: there is none
	Newest string // the first page; empty on it
	Done   phrase
	Fault  phrase
}

type strayRow struct {
	storage.Stray
	From, To named
	Says     badge // with the code, which is what the other side knows it by
	Why      phrase
	Late     bool   // it came more than lateReceipt after what it tells of
	CloseURL string // empty: the viewer may not, or somebody did
}

var (
	straysTitle = phrase{"Trạng thái không khớp", "Stray statuses"}
	strayClosed = phrase{"Đã ghi nhận là đã xem xét. Việc này được lưu vào nhật ký cùng tên bạn.", "Noted as looked at. This is kept in the audit with your name."}
	strayGone   = phrase{"Trạng thái này không còn chờ xem; có thể người khác vừa ghi nhận. Không có gì thay đổi.",
		"This status no longer waits to be looked at; somebody else may just have noted it. Nothing was changed."}
)

// straysChoice is what the URL of the list says.
type straysChoice struct {
	All    bool
	Before uuid.UUID
}

func readStraysChoice(v url.Values) (straysChoice, error) {
	c := straysChoice{All: v.Get("all") == "1"}
	before := v.Get("before")
	if before == "" {
		return c, nil
	}
	var err error
	if c.Before, err = uuid.Parse(before); err != nil || len(before) != 36 {
		return c, errBadQuery
	}
	return c, nil
}

// url is a path with the choice, from a page mark on.
func (c straysChoice) url(path string, before uuid.UUID, more ...string) string {
	v := url.Values{}
	if c.All {
		v.Set("all", "1")
	}
	if before != (uuid.UUID{}) {
		v.Set("before", before.String())
	}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

func (s *site) getStrays(q *request) error {
	page, err := s.strays(q)
	if err != nil {
		return err
	}
	if q.URL.Query().Get("done") == "closed" {
		page.Done = strayClosed
	}
	s.show(q, http.StatusOK, "strays", straysTitle, page)
	return nil
}

// strays reads the page that the URL names.
func (s *site) strays(q *request) (straysPage, error) {
	choice, err := readStraysChoice(q.URL.Query())
	if err != nil {
		return straysPage{}, err
	}
	list, err := s.Store.Strays(q.Context(), storage.StrayFilter{Closed: choice.All, Before: choice.Before, Limit: pageLines + 1})
	if err != nil {
		return straysPage{}, err
	}
	page := straysPage{All: choice.All}
	if len(list) > pageLines {
		list = list[:pageLines]
		page.Older = choice.url("/strays", list[pageLines-1].ID)
	}
	if choice.Before != (uuid.UUID{}) {
		page.Newest = choice.url("/strays", uuid.UUID{})
	}
	for _, one := range list {
		page.Strays = append(page.Strays, newStrayRow(one, q.viewer, choice))
	}
	return page, nil
}

// mostStrays is where the count in the bar stops: it is made anew for every page of those who see it.
const mostStrays = 100

// countStrays counts what waits to be looked at. A page is not lost because its bar could not count.
func (s *site) countStrays(q *request) int {
	if !q.viewer.may(seesStrays) {
		return 0
	}
	list, err := s.Store.Strays(q.Context(), storage.StrayFilter{Limit: mostStrays})
	if err != nil {
		s.Log.Error("stray statuses not counted", "err", err)
	}
	return len(list)
}

func newStrayRow(one storage.Stray, v *viewer, c straysChoice) strayRow {
	r := strayRow{Stray: one, From: nameOf(v.directory, one.Agency), To: namedAsGiven(v.directory, one.Other), Why: strayCause(one),
		Late: one.ReceivedAt.Sub(one.EventTime).Abs() > lateReceipt}
	r.Says = statusBadge(one.Status)
	if r.Says.Word.EN != "" {
		r.Says.Word = phrase{string(one.Status) + " – " + r.Says.Word.VI, string(one.Status) + " – " + r.Says.Word.EN}
	}
	if v.may(closesStrays) && one.ClosedAt.IsZero() {
		r.CloseURL = c.url("/strays/"+one.ID.String()+"/close", c.Before)
	}
	return r
}

// namedAsGiven names the agency that a packet writes in either form of code; what is not in the directory stands as it is.
func namedAsGiven(d *routing.Directory, given string) named {
	for _, a := range d.Find(given) {
		n := nameOf(d, a.Code)
		n.Code = routing.Code(given)
		return n
	}
	return named{Code: routing.Code(given)}
}

// strayCause says why a status fits no delivery, and so where to look for the mistake.
func strayCause(one storage.Stray) phrase {
	asked := one.Status == storage.RecallAsked // 13 goes from the sender to the recipient, all others the other way
	switch one.Cause {
	case storage.NoDocument:
		if asked {
			return phrase{"Đơn vị báo không gửi văn bản nào mang mã này qua trục", "The reporting agency never sent a document of this id over the axis"}
		}
		return phrase{"Đơn vị được báo không gửi văn bản nào mang mã này qua trục", "The agency it was told to never sent a document of this id over the axis"}
	case storage.NoDelivery:
		if asked {
			return phrase{"Có văn bản, nhưng không gửi cho đơn vị được báo", "There is such a document, but it never went to the agency it was told to"}
		}
		return phrase{"Có văn bản, nhưng không gửi cho đơn vị báo", "There is such a document, but it never went to the reporting agency"}
	case storage.WrongState:
		if asked {
			return phrase{"Nơi nhận chưa có văn bản: đang giữ, đã lấy lại hoặc gửi không được", "The recipient does not have the document: held, taken back or not delivered"}
		}
		return phrase{"Nơi nhận chưa có văn bản: đang giữ hoặc đã lấy lại", "The recipient does not have the document: held or taken back"}
	case storage.NothingAsked:
		return phrase{"Trả lời việc lấy lại hoặc cập nhật mà bên gửi không yêu cầu", "Answers a recall or update that the sender did not ask for"}
	}
	return phrase{VI: string(one.Cause)}
}

// postCloseStray takes one status off the list, for good: somebody looked at it and nothing is left to do.
func (s *site) postCloseStray(q *request) error {
	id, err := pathID(q)
	if err != nil {
		return err
	}
	choice, err := readStraysChoice(q.URL.Query())
	if err != nil {
		return err
	}
	err = s.Store.CloseStray(q.Context(), id, q.viewer.Name, q.ip(), s.Now())
	if err == nil {
		q.redirect(choice.url("/strays", choice.Before, "done", "closed"))
		return nil
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	page, err := s.strays(q)
	if err != nil {
		return err
	}
	page.Fault = strayGone
	s.show(q, http.StatusConflict, "strays", straysTitle, page)
	return nil
}
