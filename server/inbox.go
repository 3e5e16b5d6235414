package server

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// itemView is one waiting item, in the inbox and in a webhook's body.
type itemView struct {
	Item        string          `json:"item"`
	Kind        string          `json:"kind"` // dispatch, receipt, notice
	At          time.Time       `json:"at"`
	Urgency     routing.Urgency `json:"urgency"`
	Delivery    string          `json:"delivery"`
	Agency      routing.Code    `json:"agency"`
	AddressedTo string          `json:"addressed_to"`
	Dispatch    lineView        `json:"dispatch"`
	Package     *packageView    `json:"package,omitempty"`
	Receipt     *receiptView    `json:"receipt,omitempty"`
	Notice      *noticeView     `json:"notice,omitempty"`
}

type packageView struct {
	URL    string `json:"url"`
	SHA256 string `json:"sha256,omitempty"` // once it was made
	Size   int64  `json:"size,omitempty"`
}

type noticeView struct {
	Code string `json:"code"`
	VI   string `json:"vi"`
	EN   string `json:"en"`
}

var notices = map[storage.Notice]noticeView{
	storage.NoticeRefused:     {"refused", "Hệ thống nhận từ chối gói tin", "The recipient's system refuses the package"},
	storage.NoticeExpired:     {"expired", "Đã hết số lần thử gửi; chờ người có trách nhiệm quyết định", "Tries are exhausted; a person must decide"},
	storage.NoticeReleased:    {"released", "Văn bản bị giữ đã được cho đi tiếp", "The held document goes on"},
	storage.NoticeInvalidSent: {"invalid", "Chữ ký của văn bản đã gửi được xác định lại là không hợp lệ", "The signatures of the document that was sent turned out invalid"},
	storage.NoticeInvalid:     {"invalid", "Chữ ký của văn bản đã nhận được xác định lại là không hợp lệ", "The signatures of the document that was received turned out invalid"},
}

func (s *Server) viewItem(i storage.Item) itemView {
	v := itemView{Item: i.ItemID.String(), At: vn(i.Entered), Urgency: i.Urgency, Delivery: i.DeliveryID.String(), Agency: i.Agency,
		AddressedTo: i.AddressedTo, Dispatch: viewLine(i.Dispatch)}
	v.Dispatch.SenderName = s.agencyName(i.Dispatch.Sender)
	switch i.Kind {
	case storage.DispatchItem:
		v.Kind = "dispatch"
		v.Package = &packageView{URL: "/api/v1/deliveries/" + v.Delivery + "/package", SHA256: i.Package.SHA256, Size: i.Package.Size}
	case storage.ReceiptItem:
		r := s.viewReceipt(i.Receipt)
		v.Kind, v.Receipt = "receipt", &r
	case storage.NoticeItem:
		n := notices[storage.Notice(i.K)]
		if i.Reason != "" {
			n.VI, n.EN = n.VI+": "+i.Reason, n.EN+": "+i.Reason
		}
		v.Kind, v.Notice = "notice", &n
	}
	return v
}

// maxWait bounds one long poll; a proxy in between must allow it.
const maxWait = time.Minute

// getInbox lists what waits for the caller; with ?wait= it waits until something does.
func (s *Server) getInbox(c echo.Context) error {
	limit, err := limitQuery(c, 100)
	if err != nil {
		return err
	}
	wait := time.Duration(0)
	if given := c.QueryParam("wait"); given != "" {
		if wait, err = time.ParseDuration(given); err != nil || wait < 0 {
			return badQuery("wait", given)
		}
	}
	items, err := s.await(c, who(c).ID, limit, min(wait, maxWait))
	if err != nil {
		return err
	}
	answer := struct {
		Items []itemView `json:"items"`
	}{make([]itemView, len(items))}
	for i, item := range items {
		answer.Items[i] = s.viewItem(item)
	}
	return c.JSON(http.StatusOK, answer)
}

// await reads the inbox until it has something or the time is up. The wake-up only saves time: a look each second
// finds what another node queued.
func (s *Server) await(c echo.Context, system string, limit int, wait time.Duration) ([]storage.Item, error) {
	ctx := c.Request().Context()
	end := time.NewTimer(wait)
	defer end.Stop()
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		woken := s.wake.wait() // before reading, so that nothing queued in between is missed
		items, err := s.Store.Inbox(ctx, system, limit)
		if err != nil || len(items) > 0 || wait == 0 || !s.ready.Load() {
			return items, err
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-end.C:
			return nil, nil
		case <-woken:
		case <-look.C:
		}
	}
}

// postTaken ends an item: the caller has it. With the package's SHA-256 the axis compares; a wrong one changes nothing.
func (s *Server) postTaken(c echo.Context) error {
	id, ok := storage.ParseItemID(c.Param("item"))
	if !ok {
		return problem("not_found", "item")
	}
	var body struct {
		SHA256 string `json:"sha256"`
	}
	if err := readJSON(c, 4096, &body); err != nil {
		return err
	}
	ctx := c.Request().Context()
	if body.SHA256 != "" && id.Kind == storage.DispatchItem {
		dl, err := s.Store.Delivery(ctx, id.DeliveryID)
		if err != nil {
			return err
		}
		if dl.System != who(c).ID { // the right hash is told only to whom the package is for
			return problem("not_found", "item")
		}
		made, err := s.packageOf(ctx, id.DeliveryID)
		if err != nil {
			return err
		}
		if !strings.EqualFold(body.SHA256, made.SHA256) {
			return problem("hash_mismatch", "sha256", made.SHA256)
		}
	}
	state, err := s.Store.Taken(ctx, id, who(c).ID, s.Now(), c.RealIP())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]storage.State{"state": state})
}

// readJSON decodes a small body; an empty one leaves the value as it is.
func readJSON(c echo.Context, most int64, into any) error {
	raw, err := io.ReadAll(io.LimitReader(c.Request().Body, most+1))
	if err != nil {
		return bodyProblem(err)
	}
	if int64(len(raw)) > most {
		return problem("body_large", "", most)
	}
	if len(raw) == 0 {
		return nil
	}
	if !utf8.Valid(raw) {
		return problem("utf8", "")
	}
	err = json.Unmarshal(raw, into)
	var wrong *json.UnmarshalTypeError
	var when *time.ParseError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return problem("malformed", cut(wrong.Field, maxEcho), cut(wrong.Value, maxEcho))
	case errors.As(err, &when): // a receipt's, the one time in a small body
		return problem("malformed", "event_time", cut(when.Value, maxEcho))
	}
	return problem("json", "", cut(err.Error(), maxEcho))
}
