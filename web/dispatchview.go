package web

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/storage"
)

// dispatchView is what was read for one document; page makes of it what is shown.
type dispatchView struct {
	seen
	choice
	viewer     *viewer
	now        time.Time
	states     map[storage.State]int
	statuses   map[storage.Status]int
	deliveries []storage.Delivery
	more       bool
	attempts   map[int][]storage.Attempt
	receipts   map[int][]storage.Receipt
	agreed     map[int]time.Time // when the recipient of a withdrawn delivery agreed
	relations  relations
	warnings   []server.Problem
	history    []storage.Verification // when it was judged more than once
}

// dispatchPage is one document as a page shows it.
type dispatchPage struct {
	storage.Dispatch
	Meta server.Metadata
	Due  time.Time // thời hạn xử lý
	From named
	Side string // "sender" or "recipient"
	relations
	Files      []fileRow
	Turned     *judging         // the last judging that changed the verdict
	Warnings   []server.Problem // what the axis found strange and took all the same; the sender's to see
	Withdrawn  *withdrawal      // on a recipient's page: its files are no longer given out
	Hold       *hold
	MayRelease bool
	Total      int
	States     []option
	Statuses   []option
	All        option
	Recipients []recipientRow
	Shown      phrase // which of how many
	Next       string
	Start      string
	Done       phrase
}

// hold says why a document is held and who decides.
type hold struct {
	Reason string
	Owner  phrase
	Until  time.Time
	Count  int
}

// option is one choice of the summary: a count and the rows behind it.
type option struct {
	badge
	Count   int
	URL     string
	Current bool
}

// recipientRow is one recipient with all that is known.
type recipientRow struct {
	storage.Delivery
	To         named
	Since      phrase
	Awaited    *awaited
	Withdrawal *withdrawal  // nil: it stands
	Receipts   []receiptRow // by event time
	History    []happening
}

// awaited says who must act next, on what, and by when.
type awaited struct {
	Who, What phrase
	When      phrase // "at" for what the axis does by itself, "by" for what somebody owes
	By        time.Time
	Late      bool
}

// Title names the page, without the subject for those who may not see it.
func (p dispatchPage) Title(v *viewer) phrase {
	name := p.Mark()
	if name == "" {
		name = p.DocumentID
	}
	return phrase{"Văn bản " + name, "Document " + name}
}

// Mark is số ký hiệu: "123/UBND-VP".
func (p dispatchPage) Mark() string { return mark(p.Number, p.Notation) }

func mark(number, notation string) string {
	if number == "" || notation == "" {
		return number + notation
	}
	return number + "/" + notation
}

func (v dispatchView) page() dispatchPage {
	v.redact()
	p := dispatchPage{Dispatch: v.Dispatch, From: nameOf(v.viewer.directory, v.Sender), Side: "recipient", relations: v.relations, Files: v.files(), Turned: turned(v.history)}
	if v.sender {
		p.Side, p.Warnings = "sender", v.warnings // a warning may name another recipient
	}
	if err := json.Unmarshal(v.FirstPart, &p.Meta); err != nil {
		p.Meta = server.Metadata{} // another form of the first part: the columns of the dispatch say what is known
	}
	p.Due, _ = time.Parse(time.DateOnly, p.Meta.DueDay) // checked at intake; without one there is none
	v.count(&p)
	v.held(&p)
	for _, dl := range v.deliveries {
		p.Recipients = append(p.Recipients, v.row(dl))
	}
	p.Withdrawn = p.withdrawn()
	p.Shown = v.shown()
	if v.more {
		p.Next = v.choice.url(v.choice.State, v.Status, v.deliveries[len(v.deliveries)-1].N)
	}
	if v.After > 0 {
		p.Start = v.choice.url(v.choice.State, v.Status, 0)
	}
	if v.choice.Done == "released" {
		p.Done = phrase{"Đã cho văn bản đi tiếp. Trục bắt đầu gửi ngay.", "The document was released. The axis sends it now."}
	}
	return p
}

// redact takes the names of files out of reasons for those who see no content (R102).
func (v *dispatchView) redact() {
	if v.viewer.may(content) {
		return
	}
	var pairs []string
	for _, a := range v.Attachments {
		if a.Name != "" {
			pairs = append(pairs, a.Name, fmt.Sprintf("tệp %d", a.N))
		}
	}
	r := strings.NewReplacer(pairs...)
	for n, tries := range v.attempts {
		tries = slices.Clone(tries)
		for i := range tries {
			tries[i].Detail = r.Replace(tries[i].Detail)
		}
		v.attempts[n] = tries
	}
	v.HeldFor = r.Replace(v.HeldFor)
	v.warnings = slices.Clone(v.warnings)
	for i := range v.warnings {
		w := &v.warnings[i]
		w.Field, w.VI, w.EN = r.Replace(w.Field), r.Replace(w.VI), r.Replace(w.EN)
	}
	v.deliveries = slices.Clone(v.deliveries)
	for i := range v.deliveries {
		v.deliveries[i].Reason = r.Replace(v.deliveries[i].Reason)
	}
}

// count makes the summary on both ladders, with the choice at hand marked.
func (v dispatchView) count(p *dispatchPage) {
	for _, state := range storage.States {
		if n := v.states[state]; n > 0 {
			p.Total += n
			p.States = append(p.States, option{stateBadge(state), n, v.choice.url(state, "", 0), v.choice.State == state})
		}
	}
	statuses := make([]storage.Status, 0, len(v.statuses))
	for status := range v.statuses {
		if status != "" {
			statuses = append(statuses, status)
		}
	}
	slices.Sort(statuses)
	for _, status := range statuses {
		p.Statuses = append(p.Statuses, option{statusBadge(status), v.statuses[status], v.choice.url("", status, 0), v.Status == status})
	}
	p.All = option{badge{Word: phrase{"Tất cả", "All"}}, p.Total, v.choice.url("", "", 0), v.choice.State == "" && v.Status == ""}
}

func (v dispatchView) held(p *dispatchPage) {
	n := v.states[storage.Held]
	if n == 0 || !v.sender {
		return
	}
	p.Hold = &hold{Reason: v.HeldFor, Owner: whoLabel(v.HeldBy, ""), Count: n}
	for _, dl := range v.deliveries {
		if dl.State == storage.Held {
			p.Hold.Until, p.Hold.Owner = dl.Deadline, whoLabel(dl.Owner, "")
			if p.Hold.Reason == "" {
				p.Hold.Reason = dl.Reason
			}
			break
		}
	}
	p.MayRelease = v.viewer.may(releases)
}

func (v dispatchView) row(dl storage.Delivery) recipientRow {
	r := recipientRow{Delivery: dl, To: nameOf(v.viewer.directory, dl.Agency), Since: ago(v.now.Sub(dl.StateAt)), Withdrawal: newWithdrawal(dl, v.agreed[dl.N])}
	if a, ok := server.Awaits(v.Dispatch, dl); ok {
		own := a.Who == "axis"
		r.Awaited = &awaited{whoLabel(a.Who, dl.System), phrase{a.VI, a.EN}, phrase{"trước", "by"}, a.By, !own && !a.By.IsZero() && v.now.After(a.By)}
		if own {
			r.Awaited.When = phrase{"lúc", "at"}
		}
	}
	for _, receipt := range v.receipts[dl.N] {
		if !v.viewer.may(content) {
			receipt.Staff, receipt.Reason = storage.Staff{}, "" // personal data, and words about the content
		}
		r.Receipts = append(r.Receipts, receiptRow{Receipt: receipt, By: nameOf(v.viewer.directory, receipt.Agency)})
	}
	inOrder(r.Receipts)
	r.History = history(dl, v.attempts[dl.N], r.Receipts)
	return r
}

// shown says which rows these are, of how many that were chosen.
func (v dispatchView) shown() phrase {
	total := 0
	switch {
	case v.Status != "":
		total = v.statuses[v.Status]
	case v.choice.State != "":
		total = v.states[v.choice.State]
	default:
		for _, n := range v.states {
			total += n
		}
	}
	n := number(len(v.deliveries))
	if len(v.deliveries) == total {
		return phrase{n + " nơi nhận", n + " recipients"}
	}
	return phrase{n + " trong " + number(total) + " nơi nhận", n + " of " + number(total) + " recipients"}
}
