package web

import (
	"net/http"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// listPage is a list with its filter bar.
type listPage struct {
	filter
	Path     string
	Agencies []named // to choose from; nil: the code is typed
	Sent     []sentRow
	Received []receivedRow
	Several  bool   // the viewer sees several agencies: the list says which
	Older    string // the next page; empty: there is none
	Newest   string // the first page with the same filter
}

// named is an agency with its name.
type named struct {
	Code  routing.Code
	Name  string
	Under string // the parent's name
}

type sentRow struct {
	storage.SentLine
	Sender, First named
	Total         int
	Parts         []part
}

// part is a number of deliveries in one state.
type part struct {
	State storage.State
	Count int
}

type receivedRow struct {
	storage.ReceivedLine
	Sender, Recipient named
}

// chooseMost is how many agencies a list to choose from holds; above it the code is typed.
const chooseMost = 60

var (
	sentTitle     = phrase{"Văn bản đi", "Sent documents"}
	receivedTitle = phrase{"Văn bản đến", "Received documents"}
)

func (s *site) getSent(q *request) error {
	page, err := s.list(q, sentFaces)
	if err != nil {
		return err
	}
	if page.Fault != (phrase{}) {
		s.show(q, http.StatusBadRequest, "sent", sentTitle, page)
		return nil
	}
	lines, err := s.Store.SentPage(q.Context(), page.chosen(q.viewer))
	if err != nil {
		return err
	}
	if len(lines) > pageLines {
		lines = lines[:pageLines]
		page.Older = page.Path + "?" + page.query(lines[pageLines-1].ID.String())
	}
	for _, l := range lines {
		page.Sent = append(page.Sent, newSentRow(l, q.viewer.directory))
	}
	s.show(q, http.StatusOK, "sent", sentTitle, page)
	return nil
}

func (s *site) getReceived(q *request) error {
	page, err := s.list(q, receivedFaces)
	if err != nil {
		return err
	}
	if page.Fault != (phrase{}) {
		s.show(q, http.StatusBadRequest, "received", receivedTitle, page)
		return nil
	}
	lines, err := s.Store.ReceivedPage(q.Context(), page.chosen(q.viewer))
	if err != nil {
		return err
	}
	if len(lines) > pageLines {
		lines = lines[:pageLines]
		page.Older = page.Path + "?" + page.query(lines[pageLines-1].DeliveryID.String())
	}
	for _, l := range lines {
		page.Received = append(page.Received, receivedRow{l, nameOf(q.viewer.directory, l.Sender), nameOf(q.viewer.directory, l.Agency)})
	}
	s.show(q, http.StatusOK, "received", receivedTitle, page)
	return nil
}

// list reads the filter and fills what both lists share.
func (s *site) list(q *request, faces []face) (listPage, error) {
	f, err := readFilter(q.URL.Query(), faces, s.Now())
	if err != nil {
		return listPage{}, err
	}
	page := listPage{filter: f, Path: q.URL.Path}
	page.Newest = page.Path + "?" + f.query("")
	own := q.viewer.own()
	page.Several = q.viewer.everyone() || len(own) > 1
	if len(own) <= chooseMost {
		for _, c := range own {
			page.Agencies = append(page.Agencies, nameOf(q.viewer.directory, c))
		}
	}
	return page, nil
}

func newSentRow(l storage.SentLine, d *routing.Directory) sentRow {
	r := sentRow{SentLine: l, Sender: nameOf(d, l.DispatchLine.Sender), First: nameOf(d, l.First)}
	for _, state := range storage.States {
		if n := l.States[state]; n > 0 {
			r.Total += n
			r.Parts = append(r.Parts, part{state, n})
		}
	}
	return r
}

// nameOf names an agency and the one above it, so that homonyms differ (R56). A code that is no longer in the directory
// stands for itself.
func nameOf(d *routing.Directory, c routing.Code) named {
	n := named{Code: c, Name: string(c)}
	path := d.Path(c)
	if len(path) > 0 {
		n.Name = path[len(path)-1].Name
	}
	if len(path) > 1 {
		n.Under = path[len(path)-2].ShortName()
	}
	return n
}

// Mark is số ký hiệu.
func (r sentRow) Mark() string { return mark(r.Number, r.Notation) }

// Mark is số ký hiệu.
func (r receivedRow) Mark() string { return mark(r.Number, r.Notation) }

// Others counts the recipients after the first.
func (r sentRow) Others() int { return r.Total - 1 }

// Badges are the states of all deliveries: the word alone for a single one, with counts for several, and what recipients
// returned, for that needs the sender although transport is done.
func (r sentRow) Badges() []badge {
	var list []badge
	for _, p := range r.Parts {
		b := stateBadge(p.State)
		if r.Total > 1 {
			b.Word = counted(b.Word, p.Count)
		}
		list = append(list, b)
	}
	if r.Returned > 0 {
		b := badge{"bad", "back", phrase{"Bị trả lại", "Returned"}}
		if r.Total > 1 {
			b.Word = counted(b.Word, r.Returned)
		}
		list = append(list, b)
	}
	return list
}

func counted(p phrase, n int) phrase {
	return phrase{p.VI + ": " + number(n), p.In(english) + ": " + number(n)}
}
