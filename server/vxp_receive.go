package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// vxpItem is one waiting packet in a list; every field is a string, To is one code.
type vxpItem struct {
	DocID       string `json:"docId"`
	ServiceType string `json:"serviceType"`
	MessageType string `json:"messageType"`
	Created     string `json:"created_time"`
	Updated     string `json:"updated_time"`
	From        string `json:"from"`
	To          string `json:"to"`
	Status      string `json:"status"`
	StatusDesc  string `json:"status_desc"`
}

// vxpListed is the longest received list: the rest follow as these end.
const vxpListed = 500

// vxpReceivedList lists what waits for all agencies of the caller, each packet with whom it is for.
func (s *Server) vxpReceivedList(c echo.Context, call *vxpCall) error {
	f, err := s.vxpFilter(call)
	if err != nil {
		return err
	}
	items, err := s.Store.Queued(c.Request().Context(), f)
	if err != nil {
		return err
	}
	answer := struct {
		vxpResult
		Data []vxpItem `json:"data"`
	}{vxpOK, make([]vxpItem, len(items))}
	for i, item := range items {
		answer.Data[i] = s.vxpItem(call, item)
	}
	return answerVXP(c, answer)
}

func (s *Server) vxpItem(call *vxpCall, i storage.Item) vxpItem {
	v := vxpItem{DocID: i.Packet().String(), ServiceType: "eDoc", MessageType: "edoc", Created: vxpTime(i.Entered), Updated: vxpTime(i.Entered),
		From: s.inForm(call.caller, i.Dispatch.Sender), To: s.inForm(call.caller, i.Agency), Status: "initial"}
	if i.Kind == storage.ReceiptItem {
		v.MessageType = "status"
		v.From, v.To = s.inForm(call.caller, i.Receipt.Agency), v.From
		if i.Receipt.Agency == i.Dispatch.Sender { // 13 goes the other way
			v.To = s.inForm(call.caller, i.Agency)
		}
	}
	return v
}

// vxpFilter reads which queue is meant and the bounds that clients may give.
func (s *Server) vxpFilter(call *vxpCall) (storage.QueueFilter, error) {
	f := storage.QueueFilter{System: call.ID, Kind: storage.DispatchItem, Now: s.Now(), Limit: vxpListed}
	if strings.EqualFold(call.key(keyMessageType), "status") {
		f.Kind = storage.ReceiptItem
	}
	var err error
	if f.From, err = vxpInstant(call, keyFromDate, 0); err != nil {
		return f, err
	}
	if f.To, err = vxpInstant(call, keyToDate, 1); err != nil {
		return f, err
	}
	if size, err := strconv.Atoi(call.key(keyPageSize)); err == nil && size > 0 {
		f.Limit = min(size, vxpListed)
	}
	if page, err := strconv.Atoi(call.key(keyPageIndex)); err == nil && page > 1 && page < 1_000_000 {
		f.Skip = (page - 1) * f.Limit
	}
	for _, a := range s.directory().Find(call.key(keyFrom)) {
		if !s.serves(call.caller, a.Code) {
			f.Sender = a.Code
		}
	}
	return f, nil
}

// vxpInstant reads a bound in the forms that clients write it, with or without zeros before a day, a month and an hour. A day
// alone, as an end, is the whole day.
func vxpInstant(call *vxpCall, name string, addDays int) (time.Time, error) {
	given := call.key(name)
	if given == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{"2/1/2006 15:04:05", "2006/1/2 15:04:05", "2006-1-2 15:04:05", "2006-1-2T15:04:05"} {
		if at, err := time.ParseInLocation(form, given, storage.Vietnam); err == nil {
			return at.Add(time.Duration(addDays) * time.Second), nil
		}
	}
	for _, form := range []string{"2/1/2006", "2006/1/2", "2006-1-2"} {
		if day, err := time.ParseInLocation(form, given, storage.Vietnam); err == nil {
			return day.AddDate(0, 0, addDays), nil
		}
	}
	return time.Time{}, problem("malformed", name, cut(given, maxEcho))
}

// vxpCountDocuments counts the documents that wait; a messagetype is left over from another call.
func (s *Server) vxpCountDocuments(c echo.Context, call *vxpCall) error {
	return s.vxpCount(c, call, storage.DispatchItem)
}

// vxpCountStatuses counts the status packets that wait.
func (s *Server) vxpCountStatuses(c echo.Context, call *vxpCall) error {
	return s.vxpCount(c, call, storage.ReceiptItem)
}

func (s *Server) vxpCount(c echo.Context, call *vxpCall, kind storage.ItemKind) error {
	n, err := s.Store.CountQueued(c.Request().Context(), call.ID, kind, s.Now())
	if err != nil {
		return err
	}
	return answerVXP(c, vxpCounted{vxpOK, n})
}

// vxpCounted is a count's answer; the number is there also when it failed.
type vxpCounted struct {
	vxpResult
	Count int64 `json:"count"`
}

// vxpGetEdoc gives a packet in base64 on one line. It leaves the item waiting: only updateStatus ends it.
func (s *Server) vxpGetEdoc(c echo.Context, call *vxpCall) error {
	packet, size, err := s.vxpPacket(c.Request().Context(), call)
	if err != nil {
		return err
	}
	defer func() { _ = packet.Close() }() // reading is over
	const head, tail = `{"status":"OK","ErrorCode":"0","ErrorDesc":"Thanh cong","data":"`, `"}`
	h := c.Response().Header()
	h.Set("Content-Type", "application/json;charset=UTF-8")
	h.Set("Content-Length", fmt.Sprint(int64(len(head)+len(tail))+(size+2)/3*4))
	c.Response().WriteHeader(http.StatusOK)
	return s.vxpStream(c, packet, func(from io.Reader) error {
		if _, err := io.WriteString(c.Response(), head); err != nil {
			return err
		}
		if err := writeBase64(c.Response(), from); err != nil {
			return err
		}
		_, err := io.WriteString(c.Response(), tail)
		return err
	})
}

// base64Block are the bytes that are encoded and written at a time: net/http hands so large a piece straight on.
const base64Block = 96 << 10

var base64Blocks = sync.Pool{New: func() any { return new([base64Block + base64Block/3*4]byte) }}

// writeBase64 writes all of r in base64, on one line.
func writeBase64(w io.Writer, r io.Reader) error {
	block := base64Blocks.Get().(*[base64Block + base64Block/3*4]byte)
	defer base64Blocks.Put(block)
	plain, text := block[:base64Block], block[base64Block:]
	for {
		n, err := io.ReadFull(r, plain)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		base64.StdEncoding.Encode(text, plain[:n])
		if _, failed := w.Write(text[:base64.StdEncoding.EncodedLen(n)]); failed != nil || err != nil {
			return failed // of the reader's errors only the end is left
		}
	}
}

// vxpDownload gives a packet's bytes. Whatever goes wrong has an empty body: a client keeps everything else as the document.
func (s *Server) vxpDownload(c echo.Context, call *vxpCall) error {
	packet, size, err := s.vxpPacket(c.Request().Context(), call)
	if err != nil {
		return err
	}
	defer func() { _ = packet.Close() }() // reading is over
	h := c.Response().Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", fmt.Sprint(size))
	c.Response().WriteHeader(http.StatusOK)
	return s.vxpStream(c, packet, func(from io.Reader) error {
		_, err := io.Copy(c.Response(), from)
		return err
	})
}

// vxpStream writes a body whose headers are out. A store that fails in the middle cuts the connection, for that is the
// only way left to say that this is not the whole packet.
func (s *Server) vxpStream(c echo.Context, packet io.Reader, write func(io.Reader) error) error {
	from := &watched{Reader: packet}
	err := write(from)
	if from.failed != nil {
		s.Log.Error("packet not served to its end", "path", c.Path(), "err", from.failed)
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// watched remembers whether it was the reading that failed.
type watched struct {
	io.Reader
	failed error
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		w.failed = err
	}
	return n, err
}

// vxpPacket opens the packet that a docId names: for its recipient's system a received document or status, for its
// sender's also what it sent.
func (s *Server) vxpPacket(ctx context.Context, call *vxpCall) (io.ReadCloser, int64, error) {
	id, ok := storage.ParsePacketID(call.key(keyDocID, keyDocid))
	if !ok {
		return nil, 0, problem("not_found", "docId")
	}
	if id.K > 0 {
		raw, err := s.vxpStatusBytes(ctx, call, id)
		return io.NopCloser(bytes.NewReader(raw)), int64(len(raw)), err
	}
	if body, size, ok, err := s.Store.Fetch(ctx, storage.DeliveryID{Dispatch: id.Dispatch, N: id.N}, call.ID, s.Now()); err != nil || ok {
		return body, size, err
	}
	delivery, err := s.vxpReadable(ctx, call, id)
	if err != nil {
		return nil, 0, err
	}
	made, err := s.packageOf(ctx, delivery)
	if err != nil {
		return nil, 0, err
	}
	body, err := s.Store.OpenObject(ctx, made, 0, -1)
	return body, made.Size, err
}

// vxpStatusBytes is the packet of a status, for either side of the document.
func (s *Server) vxpStatusBytes(ctx context.Context, call *vxpCall, id storage.PacketID) ([]byte, error) {
	item, _ := id.Item()
	if _, err := s.vxpDelivery(ctx, call, item.DeliveryID); err != nil {
		return nil, err
	}
	return s.statusPacket(ctx, call.caller, id)
}

// vxpReadable finds the delivery whose packet the caller may read by this name. From the recipient's first look on a
// recall has to ask it; what was taken back or is held is not given out.
func (s *Server) vxpReadable(ctx context.Context, call *vxpCall, id storage.PacketID) (storage.DeliveryID, error) {
	if id.N == 0 {
		d, err := s.Store.DispatchHead(ctx, id.Dispatch)
		if err == nil && d.System != call.ID && !s.serves(call.caller, d.Sender) {
			err = storage.ErrNotFound
		}
		return storage.DeliveryID{Dispatch: id.Dispatch, N: 1}, vxpMissing(err)
	}
	delivery := storage.DeliveryID{Dispatch: id.Dispatch, N: id.N}
	dl, err := s.vxpDelivery(ctx, call, delivery)
	if err != nil || dl.System != call.ID && !s.serves(call.caller, dl.Agency) {
		return delivery, err
	}
	return s.vxpNewest(ctx, delivery)
}

// vxpNewest is the delivery itself, or the new version in its place to which the recipient agreed, in as many steps as there
// were updates.
func (s *Server) vxpNewest(ctx context.Context, delivery storage.DeliveryID) (storage.DeliveryID, error) {
	for {
		err := s.Store.Fetched(ctx, delivery, s.Now())
		var withdrawn *storage.WithdrawnError
		if !errors.As(err, &withdrawn) || withdrawn.How != storage.ByUpdate || withdrawn.By == (storage.DeliveryID{}) {
			return delivery, err
		}
		delivery = withdrawn.By // always of a younger dispatch, so that this ends
	}
}

// vxpDelivery finds a delivery that the caller has to do with, as its recipient's system or its sender's.
func (s *Server) vxpDelivery(ctx context.Context, call *vxpCall, id storage.DeliveryID) (storage.Delivery, error) {
	dl, err := s.Store.Delivery(ctx, id)
	if err != nil {
		return dl, vxpMissing(err)
	}
	if dl.System == call.ID || s.serves(call.caller, dl.Agency) {
		return dl, nil
	}
	d, err := s.Store.DispatchHead(ctx, id.Dispatch)
	if err == nil && d.System != call.ID && !s.serves(call.caller, d.Sender) {
		err = storage.ErrNotFound
	}
	return dl, vxpMissing(err)
}

// vxpMissing says of a docId that names nothing that it is the docId.
func vxpMissing(err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return problem("not_found", "docId")
	}
	return err
}

// Bounds of what a system says of a packet's transport.
const (
	vxpProcessing = time.Hour // a packet that is being worked on is shown again after it
	vxpFailures   = 3         // so many failures park a document
)

// vxpUpdateStatus ends an item, or puts it aside. A client of Bkav's has both keys, and then docid is the right one.
func (s *Server) vxpUpdateStatus(c echo.Context, call *vxpCall) error {
	id, ok := storage.ParsePacketID(call.key(keyDocid, keyDocID))
	item, waits := id.Item()
	if !ok || !waits {
		return problem("not_found", "docId")
	}
	ctx, err := c.Request().Context(), error(nil)
	switch status := strings.ToLower(call.key(keyStatus)); status {
	case "done":
		_, err = s.Store.Taken(ctx, item, call.ID, s.Now(), c.RealIP())
	case "processing":
		err = s.Store.Postpone(ctx, item, call.ID, s.Now().Add(vxpProcessing))
	case "fail":
		err = s.vxpFailed(ctx, call, item, c.RealIP())
	default:
		return problem("malformed", "status", cut(status, maxEcho))
	}
	if err != nil {
		return vxpMissing(err)
	}
	return answerVXP(c, vxpOK)
}

func (s *Server) vxpFailed(ctx context.Context, call *vxpCall, item storage.ItemID, ip string) error {
	now := s.Now()
	reason := cut(strings.TrimSpace(call.key(keyDescription)), 1000)
	if reason == "" {
		reason = "hệ thống nhận báo lỗi, không nêu lý do"
	}
	state, err := s.Store.Failed(ctx, storage.Failure{Item: item, System: call.ID, Reason: reason, At: now, IP: ip, Tries: vxpFailures,
		Next: s.shownAgain, Due: now.Add(parkedFor)})
	if err == nil && state == storage.Refused {
		s.queued() // its sender hears of it
	}
	return err
}

// shownAgain is when a packet that its recipient's system could not take is listed again: as a push would be tried again;
// what the timetable gives up waits a day.
func (s *Server) shownAgain(try int, u routing.Urgency, failed time.Time) time.Time {
	if next, ok := s.Timetable.Next(try, u, failed, failed); ok {
		return next
	}
	return failed.AddDate(0, 0, 1)
}
