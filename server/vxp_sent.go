package server

import (
	"context"
	"errors"

	"github.com/labstack/echo/v4"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// vxpSentItem is what became of a sent packet at one recipient.
type vxpSentItem struct {
	ServiceType   string `json:"serviceType"`
	SenderDocID   string `json:"senderDocId"`
	ReceiverDocID string `json:"receiverDocId"`
	From          string `json:"fromCode"`
	To            string `json:"toCode"`
	Title         string `json:"title"`
	Notation      string `json:"notation"`
	MessageType   string `json:"messageType"`
	SentTime      string `json:"sentTime"`
	ReceivedTime  string `json:"receivedTime"`
	SendStatus    string `json:"sendStatus"`
	SendDesc      string `json:"sendStatusDesc"`
	ReceiveStatus string `json:"receiveStatus"`
	ReceiveDesc   string `json:"receiveStatusDesc"`
}

// vxpSentList tells what became of a sent packet, a row for each recipient. What the axis had to say of it (refused,
// exhausted, let go on) is told with that.
func (s *Server) vxpSentList(c echo.Context, call *vxpCall) error {
	id, ok := storage.ParsePacketID(call.key(keyDocID, keyDocid))
	if !ok {
		return problem("not_found", "docId")
	}
	ctx := c.Request().Context()
	rows, err := s.vxpSentOf(ctx, call, id)
	if err != nil {
		return vxpMissing(err)
	}
	return answerVXP(c, struct {
		vxpResult
		Data []vxpSentItem `json:"data"`
	}{vxpOK, rows})
}

func (s *Server) vxpSentOf(ctx context.Context, call *vxpCall, id storage.PacketID) ([]vxpSentItem, error) {
	if id.K > 0 {
		row, err := s.vxpSentStatus(ctx, call, id)
		return []vxpSentItem{row}, err
	}
	d, err := s.Store.DispatchHead(ctx, id.Dispatch)
	if errors.Is(err, storage.ErrNotFound) && id.N == 0 {
		row, err := s.vxpSentStray(ctx, call, id)
		return []vxpSentItem{row}, err
	}
	if err != nil {
		return nil, err
	}
	if d.System != call.ID && !s.serves(call.caller, d.Sender) {
		return nil, storage.ErrNotFound
	}
	if id.N > 0 {
		dl, err := s.Store.Delivery(ctx, storage.DeliveryID{Dispatch: id.Dispatch, N: id.N})
		return []vxpSentItem{s.vxpSentItem(call, d, dl)}, err
	}
	rows, err := s.vxpSentRows(ctx, call, d)
	if err != nil {
		return nil, err
	}
	return rows, s.Store.TakeNotices(ctx, d.ID, call.ID)
}

// vxpSentStatus tells whether a status packet has reached the other side.
func (s *Server) vxpSentStatus(ctx context.Context, call *vxpCall, id storage.PacketID) (vxpSentItem, error) {
	item, _ := id.Item()
	dl, err := s.vxpDelivery(ctx, call, item.DeliveryID)
	if err != nil {
		return vxpSentItem{}, err
	}
	d, err := s.Store.DispatchHead(ctx, id.Dispatch)
	if err != nil {
		return vxpSentItem{}, err
	}
	said, err := s.Store.Receipts(ctx, id.Dispatch, id.N, id.N)
	if err != nil {
		return vxpSentItem{}, err
	}
	waits, err := s.Store.Waits(ctx, item)
	if err != nil {
		return vxpSentItem{}, err
	}
	for _, r := range said[id.N] {
		if r.K != id.K {
			continue
		}
		v := vxpSentItem{ServiceType: "eDoc", MessageType: "status", SenderDocID: id.String(), ReceiverDocID: id.String(),
			From: s.inForm(call.caller, r.Agency), To: s.inForm(call.caller, otherSide(d, dl, r)), Title: string(r.Status) + " " + StatusLabel(r.Status),
			Notation: numberNotation(d), SentTime: vxpTime(r.ReceivedAt), SendStatus: "done", SendDesc: "Trục đã nhận",
			ReceiveStatus: "done", ReceiveDesc: "Hệ thống nhận đã lấy"}
		if waits {
			v.ReceiveStatus, v.ReceiveDesc = "initial", "Chưa lấy về"
		}
		return v, nil
	}
	return vxpSentItem{}, storage.ErrNotFound
}

// vxpSentStray tells of a status packet that fits no delivery: the axis has it, and nobody else.
func (s *Server) vxpSentStray(ctx context.Context, call *vxpCall, id storage.PacketID) (vxpSentItem, error) {
	t, err := s.Store.Stray(ctx, id.Dispatch)
	if err == nil && t.System != call.ID && !s.serves(call.caller, t.Agency) {
		err = storage.ErrNotFound
	}
	return vxpSentItem{ServiceType: "eDoc", MessageType: "status", SenderDocID: id.String(), From: s.inForm(call.caller, t.Agency), To: t.Other,
		Title: string(t.Status) + " " + StatusLabel(t.Status), SentTime: vxpTime(t.ReceivedAt), SendStatus: "done", SendDesc: "Trục đã nhận",
		ReceiveStatus: "fail", ReceiveDesc: "Không khớp văn bản nào trên trục; đã đưa vào danh sách của người vận hành"}, err
}

// otherSide is whom a receipt is for.
func otherSide(d storage.Dispatch, dl storage.Delivery, r storage.Receipt) routing.Code {
	if r.Agency == d.Sender {
		return dl.Agency
	}
	return d.Sender
}

// vxpSentRows reads all recipients, page by page.
func (s *Server) vxpSentRows(ctx context.Context, call *vxpCall, d storage.Dispatch) ([]vxpSentItem, error) {
	rows := []vxpSentItem{}
	for after := 0; ; {
		page, err := s.Store.Deliveries(ctx, d.ID, after, maxPage)
		if err != nil {
			return nil, err
		}
		for _, dl := range page {
			rows = append(rows, s.vxpSentItem(call, d, dl))
		}
		if len(page) < maxPage {
			return rows, nil
		}
		after = page[len(page)-1].N
	}
}

// vxpSentItem tells one delivery: how far the axis is, and how far the recipient. The words are those that updateStatus
// has for the same things; nobody has published the old axis's.
func (s *Server) vxpSentItem(call *vxpCall, d storage.Dispatch, dl storage.Delivery) vxpSentItem {
	v := vxpSentItem{ServiceType: "eDoc", MessageType: "edoc", SenderDocID: storage.PacketID{Dispatch: d.ID}.String(), ReceiverDocID: dl.Packet().String(),
		From: s.inForm(call.caller, d.Sender), To: s.inForm(call.caller, dl.Agency), Title: d.Subject, Notation: numberNotation(d),
		SentTime: vxpTime(d.AcceptedAt), SendStatus: "done", SendDesc: "Trục đã nhận", ReceiveStatus: "initial", ReceiveDesc: "Chưa lấy về"}
	switch dl.State {
	case storage.Pending:
		if !dl.ToldAt.IsZero() {
			v.ReceiveStatus, v.ReceiveDesc = "processing", "Hệ thống nhận đã lấy, chưa xác nhận"
		}
		if dl.Reason != "" {
			v.ReceiveDesc += ": " + dl.Reason
		}
	case storage.Delivered:
		v.ReceivedTime, v.ReceiveStatus, v.ReceiveDesc = vxpTime(dl.StateAt), "done", "Hệ thống nhận đã lấy"
		if dl.Status != "" {
			v.ReceiveDesc = string(dl.Status) + " " + StatusLabel(dl.Status)
		}
		switch dl.Withdrawn { // the answer stands at the recall or update; here is what it did
		case storage.ByRecall:
			v.ReceiveDesc += "; đơn vị nhận đã đồng ý thu hồi"
		case storage.ByUpdate:
			v.ReceiveDesc += "; đơn vị nhận đã đồng ý bản cập nhật"
		}
	case storage.Held:
		v.SendStatus, v.SendDesc = "processing", "Trục đang giữ để người có trách nhiệm xem xét: "+dl.Reason
	case storage.Refused, storage.Expired:
		v.ReceiveStatus, v.ReceiveDesc = "fail", "Hệ thống nhận không lấy được: "+dl.Reason
	case storage.Recalled:
		v.ReceiveStatus, v.ReceiveDesc = "recalled", "Đã thu hồi trước khi đơn vị nhận lấy"
		if dl.Reason == string(storage.ByUpdate)+"_unfetched" {
			v.ReceiveDesc = "Đã được bản cập nhật thay trước khi đơn vị nhận lấy"
		}
	}
	return v
}

// numberNotation is a document's number and notation as one text, "123/SYT-VP".
func numberNotation(d storage.Dispatch) string {
	if d.Number == "" || d.Notation == "" {
		return d.Number + d.Notation
	}
	return d.Number + "/" + d.Notation
}
