package server

import (
	"bufio"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// postDispatch takes a dispatch in: 201 accepted (also when held), 200 the first answer again.
func (s *Server) postDispatch(c echo.Context) error {
	sub := &submission{caller: who(c), ip: c.RealIP(), key: c.Request().Header.Get("Idempotency-Key")}
	if p := (limit{field: "Idempotency-Key", value: sub.key, most: 255}).check(); p != nil {
		return p
	}
	if !utf8.ValidString(sub.key) || strings.ContainsFunc(sub.key, unicode.IsControl) {
		return problem("utf8", "Idempotency-Key")
	}
	err := s.receive(c, sub)
	if err != nil {
		drain(c)
	}
	return err
}

func (s *Server) receive(c echo.Context, sub *submission) error {
	media, params, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" || params["boundary"] == "" {
		return problem("media_type", "Content-Type")
	}
	tail := &tail{reader: c.Request().Body, end: "--" + params["boundary"] + "--"}
	// A wide buffer in front: the multipart reader asks for 4 KiB at a time, each a call to the kernel without it.
	body := multipart.NewReader(bufio.NewReaderSize(tail, 64<<10), params["boundary"])
	first, err := body.NextRawPart()
	if errors.Is(err, io.EOF) {
		return problem("part_order", "")
	}
	if err != nil {
		return bodyProblem(err)
	}
	switch first.FormName() {
	case "dispatch":
		return s.receiveNative(c, sub, first, multipartParts{body, tail})
	case "edxml":
		return s.receivePacket(c, sub, first, multipartParts{body, tail})
	}
	return problem("part_order", "")
}

func (s *Server) receiveNative(c echo.Context, sub *submission, first io.Reader, body parts) error {
	sub.form = "native"
	raw, err := io.ReadAll(io.LimitReader(first, s.Limits.FirstPart+1))
	if err != nil {
		return bodyProblem(err)
	}
	if int64(len(raw)) > s.Limits.FirstPart {
		return problem("body_large", "dispatch", s.Limits.FirstPart)
	}
	sub.first = raw
	if sub.meta, err = readMetadata(raw, s.Limits.Recipients); err != nil {
		return err
	}
	a, accepted, err := s.submit(c.Request().Context(), sub, body)
	if err != nil {
		return err
	}
	return s.answerSubmission(c, a, accepted)
}

// Bounds of reading on after a refusal, so that the sender hears it.
const (
	drainBytes = 64 << 20
	drainTime  = 10 * time.Second
)

// drain reads on so that the sender reads our answer instead of a reset connection. Whatever ends it, the answer is
// written next.
func drain(c echo.Context) {
	_ = http.NewResponseController(c.Response()).SetReadDeadline(socketDeadline(drainTime))
	_, _ = io.CopyN(io.Discard, c.Request().Body, drainBytes)
}

// answerSubmission tells what was written. A dispatch that was accepted just now is told from memory: after the commit
// nothing may turn the answer into a failure. A repeated one is read back as it stands.
func (s *Server) answerSubmission(c echo.Context, a *storage.Acceptance, accepted storage.Accepted) error {
	ctx := c.Request().Context()
	d, list, total := a.Dispatch, a.Made(), len(a.Deliveries)
	if accepted.Replay || len(accepted.Added) > 0 || a.Kind == storage.Recall {
		var err error
		if d, err = s.Store.Dispatch(ctx, accepted.ID); err != nil {
			return err
		}
		if list, err = s.Store.Deliveries(ctx, accepted.ID, 0, answeredDeliveries); err != nil {
			return err
		}
		if total, err = s.Store.CountDeliveries(ctx, accepted.ID); err != nil {
			return err
		}
	}
	list = list[:min(len(list), answeredDeliveries)]
	answer := viewDispatch(d, total)
	answer.Replay = accepted.Replay
	answer.Added = accepted.Added
	answer.Deliveries = make([]deliveryView, len(list))
	for i, dl := range list {
		answer.Deliveries[i] = s.viewDelivery(d, dl)
	}
	status := http.StatusCreated
	if accepted.Replay {
		status = http.StatusOK
	}
	return c.JSON(status, answer)
}

// answeredDeliveries is how many deliveries an answer to a submission lists; the rest are read by page.
const answeredDeliveries = 500

// ownDispatch reads a dispatch that the caller's agencies sent. One that others sent is not found, not forbidden: ids
// say when they were made, and nobody else needs to know even that.
func (s *Server) ownDispatch(c echo.Context) (storage.Dispatch, error) {
	id, err := uuid.Parse(c.Param("id"))
	if err != nil || len(c.Param("id")) != 36 {
		return storage.Dispatch{}, problem("not_found", "id")
	}
	d, err := s.Store.Dispatch(c.Request().Context(), id)
	if err != nil {
		return d, err
	}
	if d.System != who(c).ID && !s.serves(who(c), d.Sender) {
		return d, problem("not_found", "id")
	}
	return d, nil
}

// getDispatch shows a dispatch with every recipient's state, since when, what is awaited of whom, attempts, receipts.
func (s *Server) getDispatch(c echo.Context) error {
	d, err := s.ownDispatch(c)
	if err != nil {
		return err
	}
	after, err := intQuery(c, "after", 0)
	if err != nil {
		return err
	}
	limit, err := limitQuery(c, 1000)
	if err != nil {
		return err
	}
	answer, err := s.fullDispatch(c.Request().Context(), d, after, limit)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, answer)
}

// listDispatches lists what the caller's agencies sent, newest first.
func (s *Server) listDispatches(c echo.Context) error {
	f := storage.DispatchFilter{}
	var err error
	if f.DocumentID, err = textQuery(c, "document_id"); err != nil {
		return err
	}
	if f.Senders, err = s.ownAgencies(c, "sender"); err != nil {
		return err
	}
	if f.From, f.To, err = s.period(c); err != nil {
		return err
	}
	if f.Limit, err = limitQuery(c, 50); err != nil {
		return err
	}
	if after := c.QueryParam("after"); after != "" {
		if f.Before, err = uuid.Parse(after); err != nil {
			return badQuery("after", after)
		}
	}
	list, err := s.Store.Sent(c.Request().Context(), f)
	if err != nil {
		return err
	}
	answer := struct {
		Dispatches []lineView `json:"dispatches"`
		Next       string     `json:"next,omitempty"`
	}{Dispatches: make([]lineView, len(list))}
	for i, l := range list {
		answer.Dispatches[i] = viewLine(l)
	}
	if len(list) > 0 && len(list) == f.Limit {
		answer.Next = list[len(list)-1].ID.String()
	}
	return c.JSON(http.StatusOK, answer)
}

// listDeliveries lists what came for the caller's agencies, newest first.
func (s *Server) listDeliveries(c echo.Context) error {
	f := storage.ReceivedFilter{State: storage.State(c.QueryParam("state"))}
	if !slices.Contains(shownStates, f.State) {
		return badQuery("state", string(f.State))
	}
	var err error
	if f.Agencies, err = s.ownAgencies(c, "agency"); err != nil {
		return err
	}
	if f.From, f.To, err = s.period(c); err != nil {
		return err
	}
	if f.Limit, err = limitQuery(c, 50); err != nil {
		return err
	}
	if after := c.QueryParam("after"); after != "" {
		id, ok := storage.ParseDeliveryID(after)
		if !ok {
			return badQuery("after", after)
		}
		f.Before = id
	}
	list, err := s.Store.Received(c.Request().Context(), f)
	if err != nil {
		return err
	}
	answer := struct {
		Deliveries []receivedView `json:"deliveries"`
		Next       string         `json:"next,omitempty"`
	}{Deliveries: make([]receivedView, len(list))}
	for i, l := range list {
		answer.Deliveries[i] = viewReceived(l)
	}
	if len(list) > 0 && len(list) == f.Limit {
		answer.Next = list[len(list)-1].DeliveryID.String()
	}
	return c.JSON(http.StatusOK, answer)
}

// shownStates are those that a recipient may ask for; "" is all of them. What is held or was recalled before it was
// fetched is not shown: its recipient was never told of it.
var shownStates = []storage.State{"", storage.Pending, storage.Delivered, storage.Refused, storage.Expired}

// ownAgencies reads a code from the query, which the caller must serve; without one, it is all that the caller serves.
func (s *Server) ownAgencies(c echo.Context, name string) ([]routing.Code, error) {
	given := c.QueryParam(name)
	if given == "" {
		return s.directory().ServedBy(who(c).ID), nil
	}
	found := s.directory().Find(given)
	var codes []routing.Code
	for _, a := range found {
		if s.serves(who(c), a.Code) {
			codes = append(codes, a.Code)
		}
	}
	if len(codes) == 0 {
		return nil, problem("foreign", name, who(c).ID)
	}
	return codes, nil
}

func intQuery(c echo.Context, name string, or int) (int, error) {
	given := c.QueryParam(name)
	if given == "" {
		return or, nil
	}
	n := 0
	for _, r := range given {
		if r < '0' || r > '9' || n > 1_000_000 {
			return 0, badQuery(name, given)
		}
		n = n*10 + int(r-'0')
	}
	return n, nil
}

// maxPage is the longest page of any list.
const maxPage = 1000

// limitQuery reads the length of a page, at most maxPage; 0 or nothing is the list's own.
func limitQuery(c echo.Context, or int) (int, error) {
	n, err := intQuery(c, "limit", or)
	if n == 0 {
		n = or
	}
	return min(n, maxPage), err
}

// textQuery reads a text that is looked for; one that cannot be in the database is refused.
func textQuery(c echo.Context, name string) (string, error) {
	given := c.QueryParam(name)
	if !utf8.ValidString(given) || strings.ContainsRune(given, 0) {
		return "", badQuery(name, given)
	}
	return given, nil
}

func badQuery(name, given string) *Problem { return problem("query", name, cut(given, maxEcho)) }

// period reads from and to: a day (yyyy-mm-dd, Vietnam time, to inclusive) or an RFC 3339 instant. Without from, the
// last 366 days: a list must be bounded, or it would read every month there is.
func (s *Server) period(c echo.Context) (from, to time.Time, err error) {
	if from, err = instantQuery(c, "from", 0); err != nil {
		return from, to, err
	}
	if to, err = instantQuery(c, "to", 1); err != nil {
		return from, to, err
	}
	if from.IsZero() {
		from = s.Now().AddDate(-1, 0, -1)
	}
	return from, to, nil
}

func instantQuery(c echo.Context, name string, addDays int) (time.Time, error) {
	given := c.QueryParam(name)
	if given == "" {
		return time.Time{}, nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, given, storage.Vietnam); err == nil {
		return day.AddDate(0, 0, addDays), nil
	}
	at, err := time.Parse(time.RFC3339, strings.ReplaceAll(given, " ", "+"))
	if err != nil {
		return at, badQuery(name, given)
	}
	return at, nil
}
