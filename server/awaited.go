package server

import (
	"fmt"
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// Awaited says who must act next on a delivery, in both languages, and by when (zero: no time is set).
type Awaited struct {
	Who    string
	VI, EN string
	By     time.Time
}

// Late says whether the time by which somebody had to act has passed.
func (a Awaited) Late(now time.Time) bool { return !a.By.IsZero() && now.After(a.By) }

// Awaits derives what a delivery waits for: every state has somebody who must act, and ok is false only where nothing
// is awaited any more (R103).
func Awaits(d storage.Dispatch, dl storage.Delivery) (a Awaited, ok bool) {
	switch dl.State {
	case storage.Pending:
		return awaitsPending(d, dl), true
	case storage.Held:
		return Awaited{dl.Owner, "Đang giữ để người có trách nhiệm xem xét: " + dl.Reason, "Held for a person to decide: " + dl.Reason, dl.Deadline}, true
	case storage.Refused:
		return Awaited{dl.Owner, "Hệ thống nhận từ chối gói tin: " + dl.Reason, "The recipient's system refuses it: " + dl.Reason, dl.Deadline}, true
	case storage.Expired:
		return Awaited{dl.Owner, "Đã hết số lần thử: " + dl.Reason, "Tries are exhausted: " + dl.Reason, dl.Deadline}, true
	case storage.Recalled:
		return Awaited{}, false
	}
	if dl.Withdrawn != "" { // its recipient has agreed: that was the last that was awaited of it
		return Awaited{}, false
	}
	if asks := d.Kind == storage.Recall || d.Kind == storage.Update; asks && dl.Status != storage.RecallAsked && dl.Status != storage.Returned {
		return awaitsAnswer(d, dl)
	}
	switch dl.Status {
	case "", storage.Arrived:
		return Awaited{"clerk", "Chờ văn thư đơn vị nhận tiếp nhận hoặc từ chối", "The recipient's clerk is to register or return it", endOfDay(dl.StateAt)}, true
	case storage.RecallAsked:
		return Awaited{"clerk", "Chờ đơn vị nhận trả lời yêu cầu lấy lại", "The recipient is to answer the recall", time.Time{}}, true
	case storage.Returned:
		return Awaited{"sender", "Đơn vị nhận đã từ chối; bên gửi xem lý do và xử lý", "The recipient returned it; the sender is to act on the reason", time.Time{}}, true
	}
	return Awaited{}, false
}

// awaitsAnswer: a recall or update is a question, whatever else its recipient says of it (QĐ 28/2018/QĐ-TTg, art. 8(2), 9(2):
// without a limit in hours).
func awaitsAnswer(d storage.Dispatch, dl storage.Delivery) (Awaited, bool) {
	switch {
	case dl.Status == storage.RecallAgreed || dl.Status == storage.RecallDeclined:
		return Awaited{}, false
	case d.Kind == storage.Recall:
		return Awaited{"clerk", "Chờ đơn vị nhận đồng ý hoặc từ chối thu hồi", "The recipient is to agree to the recall or decline it", time.Time{}}, true
	}
	return Awaited{"clerk", "Chờ đơn vị nhận đồng ý hoặc từ chối cập nhật", "The recipient is to agree to the update or decline it", time.Time{}}, true
}

// awaitsPending: what is pulled waits without expiry, but not without a clock: a system that never fetches never says
// 01 either, so lateness counts from acceptance.
func awaitsPending(d storage.Dispatch, dl storage.Delivery) Awaited {
	if dl.Way == routing.Pull {
		return Awaited{"system", fmt.Sprintf("Trục đã nhận; hệ thống %s chưa lấy về", dl.System),
			fmt.Sprintf("The axis has it; system %s has not fetched it", dl.System), endOfDay(d.AcceptedAt)}
	}
	if !dl.ToldAt.IsZero() {
		return Awaited{"system", fmt.Sprintf("Đã báo hệ thống %s; chờ hệ thống xác nhận đã lấy", dl.System),
			fmt.Sprintf("System %s was told; it is to confirm that it has it", dl.System), dl.Due}
	}
	return Awaited{"axis", "Trục sẽ gửi lần tới", "The axis tries again", dl.Due}
}

// endOfDay is when the recipient's clock for registering runs out: the end of the calendar day of arrival, Vietnam time
// (NĐ 30/2020/NĐ-CP, art. 21(2)(c): the same day).
func endOfDay(t time.Time) time.Time {
	y, m, d := t.In(storage.Vietnam).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, storage.Vietnam)
}
