package web

import (
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/truc-lienthong/truc/storage"
)

// releasePage asks for the reason before a held document goes on: this cannot be taken back.
type releasePage struct {
	dispatchPage
	Reason string // what was typed
	Fault  phrase
}

// longestReason is the longest reason in characters.
const longestReason = 500

var releaseTitle = phrase{"Cho văn bản đi tiếp", "Release the document"}

// held reads a held document for its release.
func (s *site) held(q *request) (releasePage, error) {
	id, err := pathID(q)
	if err != nil {
		return releasePage{}, err
	}
	d, err := s.find(q, id)
	if err != nil {
		return releasePage{}, err
	}
	if !d.sender {
		return releasePage{}, storage.ErrNotFound
	}
	v := dispatchView{seen: d, viewer: q.viewer, now: s.Now(), choice: choice{path: "/dispatches/" + id.String()}}
	if v.states, v.statuses, err = s.Store.CountRecipients(q.Context(), id, d.recipients); err != nil {
		return releasePage{}, err
	}
	v.deliveries, err = s.Store.RecipientPage(q.Context(), id, storage.RecipientFilter{State: storage.Held, Limit: 10})
	if err != nil {
		return releasePage{}, err
	}
	page := releasePage{dispatchPage: v.page()}
	if page.Hold == nil {
		page.Fault = phrase{"Văn bản này không còn bị giữ; có thể người khác vừa cho đi. Không có gì thay đổi.",
			"This document is no longer held; somebody else may just have released it. Nothing was changed."}
	}
	return page, nil
}

func (s *site) getRelease(q *request) error {
	page, err := s.held(q)
	if err != nil {
		return err
	}
	s.show(q, http.StatusOK, "release", releaseTitle, page)
	return nil
}

func (s *site) postRelease(q *request) error {
	page, err := s.held(q)
	if err != nil {
		return err
	}
	page.Reason = strings.TrimSpace(q.PostFormValue("reason"))
	status := http.StatusUnprocessableEntity
	switch {
	case page.Hold == nil:
		status = http.StatusConflict
	case page.Reason == "":
		page.Fault = phrase{"Hãy ghi lý do: lý do được lưu vào nhật ký.", "Please give the reason: it is kept in the audit."}
	case utf8.RuneCountInString(page.Reason) > longestReason || !utf8.ValidString(page.Reason) || strings.ContainsRune(page.Reason, 0):
		page.Fault = phrase{"Lý do dài quá 500 ký tự hoặc có ký tự không đọc được.", "The reason is longer than 500 characters or cannot be read."}
	default:
		_, err := s.Server.Release(q.Context(), page.ID, q.viewer.Name, q.ip(), page.Reason)
		if err == nil {
			q.redirect("/dispatches/" + page.ID.String() + "?done=released")
			return nil
		}
		if !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		page, err = s.held(q)
		if err != nil {
			return err
		}
		status = http.StatusConflict
	}
	s.show(q, status, "release", releaseTitle, page)
	return nil
}
