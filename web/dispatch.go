package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// pageRecipients is how many recipients one page of a dispatch shows: a nationwide sending has 3,321.
const pageRecipients = 100

// seen is a dispatch that the viewer may see, and from which side.
type seen struct {
	storage.Dispatch
	recipients storage.RecipientFilter // Agencies nil: the sender's side, every recipient
	sender     bool
}

// find reads a dispatch for the viewer: whole from the sender's side, else only the own deliveries of it. What is not
// the viewer's to see is not found, never forbidden: nobody needs to know that it exists.
func (s *site) find(q *request, id uuid.UUID) (seen, error) {
	d, err := s.Store.Dispatch(q.Context(), id)
	if err != nil {
		return seen{}, err
	}
	if q.viewer.sees(d.Sender) {
		return seen{Dispatch: d, sender: true}, nil
	}
	mine := storage.RecipientFilter{Agencies: q.viewer.own()}
	states, _, err := s.Store.CountRecipients(q.Context(), id, mine)
	if err != nil {
		return seen{}, err
	}
	if len(states) == 0 {
		return seen{}, storage.ErrNotFound
	}
	return seen{Dispatch: d, recipients: mine}, nil
}

// pathID reads the id in the path.
func pathID(q *request) (uuid.UUID, error) {
	id, err := uuid.Parse(q.PathValue("id"))
	if err != nil || len(q.PathValue("id")) != 36 {
		return id, errNoPage
	}
	return id, nil
}

func (s *site) getDispatch(q *request) error {
	id, err := pathID(q)
	if err != nil {
		return err
	}
	d, err := s.find(q, id)
	if err != nil {
		return err
	}
	return s.showDispatch(q, d)
}

// getDelivery shows a document from the side of one recipient.
func (s *site) getDelivery(q *request) error {
	d, dl, err := s.findDelivery(q)
	if err != nil {
		return err
	}
	return s.showDispatch(q, seen{Dispatch: d, recipients: storage.RecipientFilter{Agencies: []routing.Code{dl.Agency}}})
}

// findDelivery reads a delivery to one of the viewer's agencies. What is held or was taken back never came.
func (s *site) findDelivery(q *request) (storage.Dispatch, storage.Delivery, error) {
	id, ok := storage.ParseDeliveryID(q.PathValue("id"))
	if !ok {
		return storage.Dispatch{}, storage.Delivery{}, errNoPage
	}
	dl, err := s.Store.Delivery(q.Context(), id)
	if err != nil {
		return storage.Dispatch{}, dl, err
	}
	if !q.viewer.sees(dl.Agency) || dl.State == storage.Held || dl.State == storage.Recalled {
		return storage.Dispatch{}, dl, storage.ErrNotFound
	}
	d, err := s.Store.Dispatch(q.Context(), id.Dispatch)
	return d, dl, err
}

// showDispatch reads one page of recipients with what was tried and said, and shows the document.
func (s *site) showDispatch(q *request, d seen) error {
	choice, err := readChoice(q.URL)
	if err != nil {
		return err
	}
	ctx := q.Context()
	v := dispatchView{seen: d, viewer: q.viewer, now: s.Now(), choice: choice}
	if err := json.Unmarshal(d.Warnings, &v.warnings); err != nil {
		return fmt.Errorf("read the warnings of %s: %w", d.ID, err)
	}
	if v.states, v.statuses, err = s.Store.CountRecipients(ctx, d.ID, d.recipients); err != nil {
		return err
	}
	wanted := d.recipients
	wanted.State, wanted.Status, wanted.After, wanted.Limit = choice.State, choice.Status, choice.After, pageRecipients+1
	if v.deliveries, err = s.Store.RecipientPage(ctx, d.ID, wanted); err != nil {
		return err
	}
	if len(v.deliveries) > pageRecipients {
		v.deliveries, v.more = v.deliveries[:pageRecipients], true
	}
	if n := len(v.deliveries); n > 0 {
		first, last := v.deliveries[0].N, v.deliveries[n-1].N
		if v.attempts, err = s.Store.Attempts(ctx, d.ID, first, last); err != nil {
			return err
		}
		if v.receipts, err = s.Store.Receipts(ctx, d.ID, first, last); err != nil {
			return err
		}
	}
	if d.Judged > 1 {
		if v.history, err = s.Store.Verifications(ctx, d.ID); err != nil {
			return err
		}
	}
	if err := s.agreements(q, &v); err != nil {
		return err
	}
	if v.relations, err = s.relate(q, d); err != nil {
		return err
	}
	if err := s.noteView(q, d); err != nil {
		return err
	}
	page := v.page()
	s.show(q, http.StatusOK, "dispatch", page.Title(q.viewer), page)
	return nil
}

// noteView writes to the audit that somebody saw the content of a document (R93). Turning its pages is one view.
func (s *site) noteView(q *request, d seen) error {
	if !q.viewer.may(content) || q.URL.RawQuery != "" {
		return nil
	}
	return s.Store.Audit(q.Context(), storage.Event{At: s.Now(), Actor: q.viewer.Name, IP: q.ip(), Action: "document.view", Object: d.ID.String()})
}

// choice is what the URL says about the table of recipients.
type choice struct {
	State  storage.State
	Status storage.Status
	After  int
	Done   string
	path   string
}

func readChoice(u *url.URL) (choice, error) {
	q := u.Query()
	c := choice{State: storage.State(q.Get("state")), Status: storage.Status(q.Get("status")), Done: q.Get("done"), path: u.Path}
	if _, ok := stateBadges[c.State]; !ok && c.State != "" {
		return c, errBadQuery
	}
	if !c.Status.Known() && c.Status != "" {
		return c, errBadQuery
	}
	if after := q.Get("after"); after != "" {
		n, err := strconv.Atoi(after)
		if err != nil || n < 0 || n > 1_000_000 {
			return c, errBadQuery
		}
		c.After = n
	}
	return c, nil
}

// url is the address of the table with another choice. The fragment keeps the eye where it was.
func (c choice) url(state storage.State, status storage.Status, after int) string {
	v := url.Values{}
	if state != "" {
		v.Set("state", string(state))
	}
	if status != "" {
		v.Set("status", string(status))
	}
	if after > 0 {
		v.Set("after", strconv.Itoa(after))
	}
	if len(v) == 0 {
		return c.path + "#recipients"
	}
	return c.path + "?" + v.Encode() + "#recipients"
}
