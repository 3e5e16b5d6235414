package server

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/storage"
)

// takeStatus takes a status packet in and returns its name on the wire: of the receipt that it becomes, or of the stray,
// where it fits no delivery. One that comes again gets the first one's. raw are the packet's bytes as they came.
func (s *Server) takeStatus(ctx context.Context, w *caller, ip string, packet *edxml.Packet, raw []byte) (string, error) {
	status := packet.Status
	r := s.receiptOf(status, raw)
	r.System = w.ID
	if !r.Status.Known() {
		return "", problem("status_unknown", "StatusCode", cut(string(r.Status), maxEcho))
	}
	from, other, err := s.sides(w, status)
	if err != nil {
		return "", err
	}
	q := storage.Saying{Sender: other, Agency: from, DocumentID: status.ResponseFor.DocumentID, Status: r.Status, EventTime: r.EventTime, Packet: raw}
	if r.Status == storage.RecallAsked { // the sender's word; all others are the recipient's
		q.Sender, q.Agency = from, other
	}
	list, documents, err := s.Store.Spoken(ctx, q)
	if err == nil && len(list) == 0 && documents && r.Status != storage.RecallAsked {
		q.Agency = s.inherited(from)
		list, _, err = s.Store.Spoken(ctx, q)
	}
	if err != nil {
		return "", err
	}
	stray := storage.Stray{System: w.ID, Agency: from[0], Other: status.ResponseFor.OrganID, DocumentID: status.ResponseFor.DocumentID, Status: r.Status,
		Reason: r.Reason, EventTime: r.EventTime, ReceivedAt: r.ReceivedAt, Packet: raw}
	switch {
	case !documents:
		return s.keepStray(ctx, stray, storage.NoDocument, ip)
	case len(list) == 0:
		return s.keepStray(ctx, stray, storage.NoDelivery, ip)
	}
	about := aboutWhich(list, r.Status, r.EventTime)
	r.DeliveryID, r.Agency = about.DeliveryID, about.Agency
	if r.Status == storage.RecallAsked {
		r.Agency = about.Sender
	}
	recorded, err := s.Store.AddReceipt(ctx, r, ip)
	switch {
	case errors.As(err, new(*storage.StateError)):
		return s.keepStray(ctx, stray, storage.WrongState, ip)
	case errors.Is(err, storage.ErrNotAsked):
		return s.keepStray(ctx, stray, storage.NothingAsked, ip)
	case err != nil:
		return "", err
	}
	if !recorded.Repeated {
		s.metrics.receipts.WithLabelValues(string(r.Status)).Inc()
		s.queued()
	}
	return storage.ItemID{DeliveryID: recorded.DeliveryID, Kind: storage.ReceiptItem, K: recorded.K}.Packet().String(), nil
}

// receiptOf reads a receipt out of a status packet. What the axis can do without is no reason to refuse what a recipient
// says: a reason may be missing; an event time that is missing or absurd is that of reception; texts that are too long
// for their columns are cut, and stand whole in the packet.
func (s *Server) receiptOf(status *edxml.Status, raw []byte) storage.Receipt {
	now := s.Now()
	r := storage.Receipt{Status: storage.Status(status.Code), Reason: clip(status.Description, maxReason), EventTime: status.At.At, ReceivedAt: now, Packet: raw,
		Staff: storage.Staff{Name: clip(status.Staff.Name, maxStaffName), Department: clip(status.Staff.Department, maxStaffDepartment),
			Phone: clip(status.Staff.Mobile, maxStaffPhone), Email: clip(status.Staff.Email, maxStaffEmail)}}
	if absurd(r.EventTime, now) {
		r.EventTime = now
	}
	r.EventTime = r.EventTime.Truncate(time.Microsecond)
	return r
}

// clip is the head of a text that is too long.
func clip(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// sides finds who speaks and to whom. Codes come in either form, and closed agencies still have documents to speak of. The
// speaker must be the caller's; the other side must be an agency that there is or was.
func (s *Server) sides(w *caller, status *edxml.Status) (from, other []routing.Code, err error) {
	d := s.directory()
	for _, a := range d.Find(status.From.ID) {
		if d.Serves(w.ID, a.Code) {
			from = append(from, a.Code)
		}
	}
	if len(from) == 0 {
		return nil, nil, problem("foreign_sender", "From/OrganId", w.ID, cut(status.From.ID, maxEcho))
	}
	for _, a := range d.Find(status.ResponseFor.OrganID) {
		other = append(other, a.Code)
	}
	if len(other) == 0 {
		_, err = d.Resolve(status.ResponseFor.OrganID)
		return nil, nil, codeProblem("ResponseFor/OrganId", err)
	}
	return from, other, nil
}

// inherited are the closed agencies that some agencies took over: they speak of the documents that those got.
func (s *Server) inherited(heirs []routing.Code) []routing.Code {
	var list []routing.Code
	for a := range s.directory().All() {
		if a.Status == routing.Closed && slices.ContainsFunc(a.Successors, func(c routing.Code) bool { return slices.Contains(heirs, c) }) {
			list = append(list, a.Code)
		}
	}
	return list
}

func (s *Server) keepStray(ctx context.Context, stray storage.Stray, cause storage.Cause, ip string) (string, error) {
	stray.Cause = cause
	id, repeated, err := s.Store.AddStray(ctx, stray, ip)
	if err == nil && !repeated {
		s.Log.Info("status fits no delivery", "stray", id, "system", stray.System, "agency", stray.Agency, "status", stray.Status, "cause", cause)
	}
	return id.String(), err
}

// aboutWhich chooses among the deliveries that a status can be about, given oldest first. Their packets share a document
// id, and a status names nothing else. The same receipt belongs where it was; else
//
//   - 15 and 16 answer the newest question that is open: a recall, an update, or a 13;
//   - 13 asks for the document, or for its new version where that took its place;
//   - 01 is of the oldest packet of which nothing was said yet: systems say it of every packet, a recall's too;
//   - everything else is of the new document, or of the version that took its place; a recall is nothing that one registers.
func aboutWhich(list []storage.Spoken, status storage.Status, at time.Time) storage.Spoken {
	best, most := list[0], -1
	for _, p := range list {
		if p.Same {
			return p
		}
		points := worth(p, status, at)
		if points > most || points == most && status != storage.Arrived {
			best, most = p, points
		}
	}
	return best
}

// clockSlack is how far behind ours a recipient's clock may be.
const clockSlack = 5 * time.Minute

// worth is how well a delivery fits a status; each point outweighs all below it.
func worth(p storage.Spoken, status storage.Status, at time.Time) int {
	alive := p.State != storage.Held && p.State != storage.Recalled
	document := p.Kind == storage.New || p.Kind == storage.Replace
	existed := !p.AcceptedAt.After(at.Add(clockSlack))
	switch status {
	case storage.RecallAgreed, storage.RecallDeclined:
		ever, open := questions(p)
		return points(alive, open, ever)
	case storage.RecallAsked:
		return points(p.Kind != storage.Recall, p.State == storage.Pending || p.State == storage.Delivered, p.Withdrawn == "", document)
	case storage.Arrived:
		return points(alive, existed, !slices.ContainsFunc(p.Said, func(s storage.Status) bool { return s <= storage.Completed }))
	}
	return points(alive, p.Kind != storage.Recall, existed, p.Withdrawn == "", document)
}

// points weighs what holds, the first most.
func points(holds ...bool) (n int) {
	for _, one := range holds {
		n *= 2
		if one {
			n++
		}
	}
	return n
}

// questions says whether the recipient was ever asked anything by this dispatch, or by a 13 about it, and whether that is
// still open.
func questions(p storage.Spoken) (ever, open bool) {
	ever = p.Kind == storage.Recall || p.Kind == storage.Update
	open = ever
	for _, s := range p.Said {
		switch s {
		case storage.RecallAsked:
			ever, open = true, true
		case storage.RecallAgreed, storage.RecallDeclined:
			open = false
		}
	}
	return ever, open
}

// statusPacket gives a receipt as a status packet: the very bytes that brought it, or those of one written for it, with codes
// in the form that its reader is shown.
func (s *Server) statusPacket(ctx context.Context, who *caller, id storage.PacketID) ([]byte, error) {
	delivery := storage.DeliveryID{Dispatch: id.Dispatch, N: id.N}
	r, err := s.Store.Receipt(ctx, delivery, id.K)
	if err != nil || r.Packet != nil {
		return r.Packet, err
	}
	d, err := s.Store.DispatchHead(ctx, id.Dispatch)
	if err != nil {
		return nil, err
	}
	other := d.Sender
	if r.Status == storage.RecallAsked {
		dl, err := s.Store.Delivery(ctx, delivery)
		if err != nil {
			return nil, err
		}
		other = dl.Agency
	}
	var packet bytes.Buffer
	err = edxml.WriteStatus(&packet, s.writtenStatus(who, d, r, other))
	return packet.Bytes(), err
}

// writtenStatus is what a native receipt says in the words of edXML: complete, for clients read its fields unguarded.
func (s *Server) writtenStatus(who *caller, d storage.Dispatch, r storage.Receipt, other routing.Code) edxml.Status {
	status := edxml.Status{
		From:        edxml.Organization{ID: s.inForm(who, r.Agency), Name: s.agencyName(r.Agency)},
		ResponseFor: edxml.ResponseFor{OrganID: s.inForm(who, other), Code: edxml.Clean(numberNotation(d)), DocumentID: edxml.Clean(d.DocumentID)},
		Staff:       edxml.Staff{Name: edxml.Clean(r.Staff.Name), Department: edxml.Clean(r.Staff.Department), Email: edxml.Clean(r.Staff.Email), Mobile: edxml.Clean(r.Staff.Phone)},
		Code:        string(r.Status), Description: edxml.Clean(r.Reason), At: edxml.Moment(r.EventTime),
	}
	if !d.Promulgated.IsZero() {
		status.ResponseFor.PromulgationDate = edxml.Day(d.Promulgated)
	}
	if r.ArrivalNumber != "" && !strings.Contains(r.Reason, r.ArrivalNumber) {
		status.Description = strings.TrimSpace(status.Description + " Số đến: " + edxml.Clean(r.ArrivalNumber))
	}
	return status
}
