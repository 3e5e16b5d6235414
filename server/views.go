package server

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// dispatchView is a dispatch as its sender sees it.
type dispatchView struct {
	ID         string          `json:"id"`
	State      string          `json:"state"` // accepted or held
	Replay     bool            `json:"replay"`
	DocumentID string          `json:"document_id"`
	Sender     routing.Code    `json:"sender"`
	Kind       string          `json:"kind"`
	Original   string          `json:"original,omitempty"`
	Number     string          `json:"number"`
	Notation   string          `json:"notation"`
	TypeName   string          `json:"type"`
	Subject    string          `json:"subject"`
	AcceptedAt time.Time       `json:"accepted_at"`
	Urgency    routing.Urgency `json:"urgency"`
	Verdict    signing.Verdict `json:"verdict"`
	Files      []fileView      `json:"files"`
	Recipients int             `json:"recipients"`
	Deliveries []deliveryView  `json:"deliveries"`
	Next       string          `json:"next,omitempty"`
	Added      []routing.Code  `json:"added,omitempty"`
	Warnings   json.RawMessage `json:"warnings"`
	Hold       *holdView       `json:"hold,omitempty"`
	Related    []relatedView   `json:"related,omitempty"`
	Twins      []lineView      `json:"twins,omitempty"`
	Metadata   json.RawMessage `json:"metadata,omitempty"`
}

type holdView struct {
	Reason string `json:"reason"`
	Owner  string `json:"owner"`
}

type fileView struct {
	N       int             `json:"n"`
	Name    string          `json:"name"`
	Type    string          `json:"media_type"`
	Size    int64           `json:"size"`
	SHA256  string          `json:"sha256"`
	Verdict signing.Verdict `json:"verdict"`
	Reasons []reasonView    `json:"reasons"`
}

type reasonView struct {
	Word signing.Reason `json:"word"`
	VI   string         `json:"vi"`
	EN   string         `json:"en"`
}

type deliveryView struct {
	ID          string         `json:"id"`
	AddressedTo string         `json:"addressed_to"`
	Agency      routing.Code   `json:"agency"`
	Name        string         `json:"name,omitempty"`
	System      string         `json:"system"`
	Way         routing.Way    `json:"way"`
	State       storage.State  `json:"state"`
	StateSince  time.Time      `json:"state_since"`
	Reason      string         `json:"reason,omitempty"`
	Awaited     *awaitedView   `json:"awaited,omitempty"`
	ToldAt      *time.Time     `json:"told_at,omitempty"`
	Status      storage.Status `json:"status,omitempty"`
	withdrawnView
	Attempts []attemptView `json:"attempts,omitempty"`
	Receipts []receiptView `json:"receipts,omitempty"`
}

// withdrawnView says that what a recipient had is no longer given out to it, and which dispatch it agreed to.
type withdrawnView struct {
	Withdrawn   storage.Withdrawal `json:"withdrawn,omitempty"`
	WithdrawnBy string             `json:"withdrawn_by,omitempty"`
}

func viewWithdrawn(how storage.Withdrawal, by uuid.UUID) withdrawnView {
	v := withdrawnView{Withdrawn: how}
	if by != (uuid.UUID{}) {
		v.WithdrawnBy = by.String()
	}
	return v
}

// awaitedView says who must act next, how, and by when.
type awaitedView struct {
	Who  string     `json:"who"` // axis, system, clerk, or the owner of what is parked
	VI   string     `json:"vi"`
	EN   string     `json:"en"`
	By   *time.Time `json:"by,omitempty"`
	Late bool       `json:"late"`
}

type attemptView struct {
	K       int             `json:"k"`
	At      time.Time       `json:"at"`
	Outcome storage.Outcome `json:"outcome,omitempty"`
	Detail  string          `json:"detail,omitempty"`
}

type receiptView struct {
	Status        storage.Status `json:"status"`
	Label         string         `json:"label"`
	Agency        routing.Code   `json:"agency"`
	Name          string         `json:"name,omitempty"`
	Staff         storage.Staff  `json:"staff"`
	Reason        string         `json:"reason,omitempty"`
	ArrivalNumber string         `json:"arrival_number,omitempty"`
	EventTime     time.Time      `json:"event_time"`
	ReceivedAt    time.Time      `json:"received_at"`
}

// lineView is a dispatch in a list.
type lineView struct {
	ID         string                `json:"id"`
	DocumentID string                `json:"document_id"`
	Sender     routing.Code          `json:"sender"`
	SenderName string                `json:"sender_name,omitempty"`
	Kind       string                `json:"kind"`
	Number     string                `json:"number"`
	Notation   string                `json:"notation"`
	TypeName   string                `json:"type"`
	Subject    string                `json:"subject"`
	Urgency    routing.Urgency       `json:"urgency"`
	Verdict    signing.Verdict       `json:"verdict"`
	AcceptedAt time.Time             `json:"accepted_at"`
	States     map[storage.State]int `json:"states,omitempty"`
}

type receivedView struct {
	ID          string         `json:"id"`
	AddressedTo string         `json:"addressed_to"`
	Agency      routing.Code   `json:"agency"`
	State       storage.State  `json:"state"`
	StateSince  time.Time      `json:"state_since"`
	Status      storage.Status `json:"status,omitempty"`
	withdrawnView
	Dispatch lineView `json:"dispatch"`
}

// vn shows an instant in Vietnam's time, as every JSON time is (R31).
func vn(t time.Time) time.Time { return t.In(storage.Vietnam) }

func vnOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = vn(t)
	return &t
}

func viewDispatch(d storage.Dispatch, recipients int) dispatchView {
	v := dispatchView{
		ID: d.ID.String(), State: "accepted", DocumentID: d.DocumentID, Sender: d.Sender, Kind: d.Kind.String(),
		Number: d.Number, Notation: d.Notation, TypeName: d.TypeName, Subject: d.Subject,
		AcceptedAt: vn(d.AcceptedAt), Urgency: d.Urgency, Verdict: d.Verdict, Recipients: recipients, Warnings: d.Warnings,
		Files: make([]fileView, len(d.Attachments)),
	}
	if d.Original != (uuid.UUID{}) {
		v.Original = d.Original.String()
	}
	if d.HeldFor != "" {
		v.State, v.Hold = "held", &holdView{Reason: d.HeldFor, Owner: d.HeldBy}
	}
	for i, a := range d.Attachments {
		v.Files[i] = fileView{N: a.N, Name: a.Name, Type: a.MediaType, Size: a.Size, SHA256: a.SHA256, Verdict: a.Verdict, Reasons: []reasonView{}}
		if i < len(d.Report.Files) {
			for _, r := range d.Report.Files[i].Reasons {
				text := r.Text()
				v.Files[i].Reasons = append(v.Files[i].Reasons, reasonView{Word: r, VI: text.VI, EN: text.EN})
			}
		}
	}
	return v
}

// fullDispatch adds a page of deliveries with their attempts and receipts.
func (s *Server) fullDispatch(ctx context.Context, d storage.Dispatch, after, limit int) (dispatchView, error) {
	total, err := s.Store.CountDeliveries(ctx, d.ID)
	if err != nil {
		return dispatchView{}, err
	}
	v := viewDispatch(d, total)
	if d.Form == "native" {
		v.Metadata = d.FirstPart
	}
	if err := s.addRelated(ctx, d, &v); err != nil {
		return v, err
	}
	list, err := s.Store.Deliveries(ctx, d.ID, after, limit)
	if err != nil || len(list) == 0 {
		v.Deliveries = []deliveryView{}
		return v, err
	}
	first, last := list[0].N, list[len(list)-1].N
	attempts, err := s.Store.Attempts(ctx, d.ID, first, last)
	if err != nil {
		return v, err
	}
	receipts, err := s.Store.Receipts(ctx, d.ID, first, last)
	if err != nil {
		return v, err
	}
	for _, dl := range list {
		one := s.viewDelivery(d, dl)
		for _, a := range attempts[dl.N] {
			one.Attempts = append(one.Attempts, attemptView{K: a.K, At: vn(a.StartedAt), Outcome: a.Outcome, Detail: a.Detail})
		}
		for _, r := range receipts[dl.N] {
			one.Receipts = append(one.Receipts, s.viewReceipt(r))
		}
		v.Deliveries = append(v.Deliveries, one)
	}
	if last < total {
		v.Next = strconv.Itoa(last)
	}
	return v, nil
}

func (s *Server) viewDelivery(d storage.Dispatch, dl storage.Delivery) deliveryView {
	v := deliveryView{
		ID: dl.DeliveryID.String(), AddressedTo: dl.AddressedTo, Agency: dl.Agency, Name: s.agencyName(dl.Agency),
		System: dl.System, Way: dl.Way, State: dl.State, StateSince: vn(dl.StateAt), Reason: dl.Reason,
		ToldAt: vnOrNil(dl.ToldAt), Status: dl.Status, withdrawnView: viewWithdrawn(dl.Withdrawn, dl.WithdrawnBy),
	}
	if w, ok := Awaits(d, dl); ok {
		v.Awaited = &awaitedView{Who: w.Who, VI: w.VI, EN: w.EN, By: vnOrNil(w.By), Late: w.Late(s.Now())}
	}
	return v
}

func (s *Server) viewReceipt(r storage.Receipt) receiptView {
	return receiptView{Status: r.Status, Label: StatusLabel(r.Status), Agency: r.Agency, Name: s.agencyName(r.Agency), Staff: r.Staff,
		Reason: r.Reason, ArrivalNumber: r.ArrivalNumber, EventTime: vn(r.EventTime), ReceivedAt: vn(r.ReceivedAt)}
}

func (s *Server) agencyName(code routing.Code) string {
	if a, ok := s.directory().Get(code); ok {
		return a.Name
	}
	return ""
}

func viewLine(l storage.DispatchLine) lineView {
	return lineView{ID: l.ID.String(), DocumentID: l.DocumentID, Sender: l.Sender, Kind: l.Kind.String(), Number: l.Number,
		Notation: l.Notation, TypeName: l.TypeName, Subject: l.Subject, Urgency: l.Urgency, Verdict: l.Verdict,
		AcceptedAt: vn(l.AcceptedAt), States: l.States}
}

func viewReceived(l storage.ReceivedLine) receivedView {
	return receivedView{ID: l.DeliveryID.String(), AddressedTo: l.AddressedTo, Agency: l.Agency, State: l.State,
		StateSince: vn(l.StateAt), Status: l.Status, withdrawnView: viewWithdrawn(l.Withdrawn, l.WithdrawnBy), Dispatch: viewLine(l.DispatchLine)}
}

// StatusLabel gives the law's words for a business status (QĐ 28/2018/QĐ-TTg, art. 10(2)(h)).
func StatusLabel(s storage.Status) string { return statusLabels[s] }

var statusLabels = map[storage.Status]string{
	storage.Arrived: "Đã đến", storage.Returned: "Từ chối tiếp nhận", storage.Registered: "Đã tiếp nhận",
	storage.Assigned: "Phân công", storage.InProcess: "Đang xử lý", storage.Completed: "Hoàn thành",
	storage.RecallAsked: "Lấy lại", storage.RecallAgreed: "Đồng ý lấy lại/cập nhật", storage.RecallDeclined: "Từ chối lấy lại/cập nhật",
}
