package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/storage"
)

// homeDays is how far back the tiles count; their links carry the same day, so that a tile equals its list (R88).
const homeDays = 30

// homePage is the overview: what needs somebody.
type homePage struct {
	Done  phrase // what was just done
	From  time.Time
	Tiles []tile
	Empty bool           // the viewer has no agencies
	Trust []server.Alarm // what operators must mend about anchors and revocation lists
}

// tile is a count and the list that it counts.
type tile struct {
	badge
	Hint  phrase
	Count int
	URL   string
}

// More says that counting stopped.
func (t tile) More() bool { return t.Count >= storage.MostCounted }

// Shown is the figure as written.
func (t tile) Shown() string {
	if t.More() {
		return number(storage.MostCounted-1) + "+"
	}
	return number(t.Count)
}

var homeTitle = phrase{"Tổng quan", "Overview"}

func (s *site) getHome(q *request) error {
	page := homePage{From: startOfDay(s.Now()).AddDate(0, 0, -homeDays)}
	if q.URL.Query().Get("done") == "password" {
		page.Done = phrase{"Đã đổi mật khẩu. Các phiên làm việc khác của bạn đã kết thúc.", "The password was changed. Your other sessions have ended."}
	}
	if q.viewer.may(documents) {
		own := q.viewer.own()
		page.Empty = len(own) == 0 && !q.viewer.everyone()
		sent, received, err := s.Store.Faces(q.Context(), storage.ListFilter{Everyone: q.viewer.everyone(), Agencies: own, From: page.From})
		if err != nil {
			return err
		}
		page.Tiles = tiles(sent, received, page.From)
	}
	if q.viewer.Role == storage.Operator {
		var err error
		if page.Trust, err = server.Alarms(q.Context(), s.Store, s.Now()); err != nil {
			return err
		}
	}
	s.show(q, http.StatusOK, "home", homeTitle, page)
	return nil
}

// tiles makes the overview from counts; a face that was not counted has no tile.
func tiles(sent, received map[storage.Face]int, from time.Time) []tile {
	var list []tile
	for _, t := range []struct {
		list   string
		face   storage.Face
		counts map[storage.Face]int
		tile
	}{
		{"/sent", storage.FacePending, sent, tile{badge: badge{"wait", "clock", phrase{"Chưa gửi xong", "Not delivered yet"}},
			Hint: phrase{"Còn nơi nhận chưa có văn bản", "Some recipient does not have it yet"}}},
		{"/sent", storage.FaceFailed, sent, tile{badge: badge{"bad", "cross", phrase{"Gửi lỗi", "Failed"}},
			Hint: phrase{"Hệ thống nhận từ chối, hoặc đã hết hạn gửi", "Refused by a system, or given up"}}},
		{"/sent", storage.FaceHeld, sent, tile{badge: badge{"warn", "hand", phrase{"Đang giữ", "Held"}},
			Hint: phrase{"Chờ người có trách nhiệm quyết định", "Waiting for somebody to decide"}}},
		{"/sent", storage.FaceReturned, sent, tile{badge: badge{"bad", "back", phrase{"Bị trả lại", "Returned"}},
			Hint: phrase{"Nơi nhận từ chối tiếp nhận, có lý do", "A recipient returned it and said why"}}},
		{"/received", storage.FaceWaiting, received, tile{badge: badge{"wait", "inbox", phrase{"Chờ tiếp nhận", "To be registered"}},
			Hint: phrase{"Văn bản đến chưa tiếp nhận hoặc từ chối", "Came in, neither registered nor returned"}}},
	} {
		count, counted := t.counts[t.face]
		if !counted {
			continue
		}
		t.Count = count
		if count == 0 {
			t.Tone = "quiet"
		}
		t.URL = t.list + "?" + url.Values{"state": {string(t.face)}, "from": {from.Format(time.DateOnly)}}.Encode()
		list = append(list, t.tile)
	}
	return list
}

// startOfDay is midnight of t's day in Vietnam.
func startOfDay(t time.Time) time.Time {
	y, m, d := t.In(storage.Vietnam).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, storage.Vietnam)
}
