package server

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// postReceipt appends what a recipient says of a delivery (or, for 13, its sender): 201, and 200 when it said so before.
func (s *Server) postReceipt(c echo.Context) error {
	id, ok := storage.ParseDeliveryID(c.Param("id"))
	if !ok {
		return problem("not_found", "id")
	}
	var body struct {
		Status        storage.Status `json:"status"`
		Staff         storage.Staff  `json:"staff"`
		Reason        string         `json:"reason"`
		EventTime     time.Time      `json:"event_time"`
		ArrivalNumber string         `json:"arrival_number"`
	}
	if err := readJSON(c, 64<<10, &body); err != nil {
		return err
	}
	r := storage.Receipt{DeliveryID: id, Status: body.Status, Staff: body.Staff, Reason: strings.TrimSpace(body.Reason),
		ArrivalNumber: body.ArrivalNumber, EventTime: body.EventTime, ReceivedAt: s.Now(), System: who(c).ID}
	recorded, err := s.AddReceipt(c, r)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if recorded.Repeated {
		status = http.StatusOK
	}
	return c.JSON(status, struct {
		receiptView
		State storage.State `json:"state"`
	}{s.viewReceipt(recorded.Receipt), recorded.State})
}

// AddReceipt checks a receipt and who says it, and writes it.
func (s *Server) AddReceipt(c echo.Context, r storage.Receipt) (storage.Recorded, error) {
	ctx := c.Request().Context()
	if err := checkReceipt(&r); err != nil {
		return storage.Recorded{}, err
	}
	dl, err := s.Store.Delivery(ctx, r.DeliveryID)
	if err != nil {
		return storage.Recorded{}, err
	}
	d, err := s.Store.DispatchHead(ctx, r.Dispatch)
	if err != nil {
		return storage.Recorded{}, err
	}
	sender, recipient := s.serves(who(c), d.Sender), s.serves(who(c), dl.Agency)
	if !sender && !recipient {
		return storage.Recorded{}, problem("not_found", "id")
	}
	r.Agency = dl.Agency
	if r.Status == storage.RecallAsked {
		r.Agency, recipient = d.Sender, sender // 13 is the sender's word, all others the recipient's
	}
	if !recipient {
		return storage.Recorded{}, problem("foreign", "id", who(c).ID)
	}
	recorded, err := s.Store.AddReceipt(ctx, r, c.RealIP())
	if err == nil && !recorded.Repeated {
		s.metrics.receipts.WithLabelValues(string(r.Status)).Inc()
		s.queued()
	}
	return recorded, err
}

// maxAhead is how far a recipient's clock may be ahead before its event time is taken for a mistake.
const maxAhead = 24 * time.Hour

// The longest texts of a receipt, characters (R14, R34).
const (
	maxReason          = 1000
	maxStaffName       = 100
	maxStaffDepartment = 200
	maxStaffPhone      = 50
	maxStaffEmail      = 100
)

// absurd says whether no receipt can have been said at a time: before there were any, or too far ahead.
func absurd(at, now time.Time) bool { return at.Year() < 2019 || at.After(now.Add(maxAhead)) }

func checkReceipt(r *storage.Receipt) error {
	if !r.Status.Known() {
		return problem("status_unknown", "status", cut(string(r.Status), maxEcho))
	}
	if r.Reason == "" && (r.Status == storage.Returned || r.Status == storage.RecallDeclined) {
		return problem("reason_required", "reason")
	}
	for field, value := range map[string]struct {
		text string
		most int
	}{"reason": {r.Reason, maxReason}, "staff.name": {r.Staff.Name, maxStaffName}, "staff.department": {r.Staff.Department, maxStaffDepartment},
		"staff.phone": {r.Staff.Phone, maxStaffPhone}, "staff.email": {r.Staff.Email, maxStaffEmail}, "arrival_number": {r.ArrivalNumber, 20}} {
		if p := (limit{field: field, value: value.text, most: value.most}).check(); p != nil {
			return p
		}
	}
	if r.EventTime.IsZero() {
		r.EventTime = r.ReceivedAt
	}
	// PostgreSQL keeps microseconds: two times that differ below that are the same event.
	r.EventTime = r.EventTime.Truncate(time.Microsecond)
	if absurd(r.EventTime, r.ReceivedAt) {
		return problem("malformed", "event_time", r.EventTime.Format(time.RFC3339))
	}
	return nil
}

// servesEither says whether a system may read a delivery: the recipient's, or the sender's.
func (s *Server) servesEither(w *caller, d storage.Dispatch, agency routing.Code) bool {
	return s.serves(w, agency) || s.serves(w, d.Sender)
}
