package web

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// withdrawal is what a recipient agreed to: that its sender takes the document back, or puts a new version in its place.
type withdrawal struct {
	badge
	Agreed time.Time // when the recipient said so; zero: it is not known
	URL    string    // the recall or the new version; empty: a status 13 asked for it
	Link   phrase
}

var (
	takenBack = badge{"quiet", "back", phrase{"Đã thu hồi", "Taken back"}}
	updated   = badge{"quiet", "swap", phrase{"Đã thay bằng bản cập nhật", "Replaced by an updated version"}}
)

func newWithdrawal(dl storage.Delivery, agreed time.Time) *withdrawal {
	w := &withdrawal{badge: takenBack, Agreed: agreed, Link: phrase{"Xem yêu cầu thu hồi", "See the recall"}}
	switch dl.Withdrawn {
	case "":
		return nil
	case storage.ByUpdate:
		w.badge, w.Link = updated, phrase{"Xem bản cập nhật", "See the updated version"}
	}
	if dl.WithdrawnBy != (uuid.UUID{}) {
		w.URL = "/dispatches/" + dl.WithdrawnBy.String()
	}
	return w
}

// agreements finds when recipients agreed to withdraw what the page shows. The 15 stands with the delivery of the recall
// or update; one that answers a status 13 stands with the withdrawn delivery itself.
func (s *site) agreements(q *request, v *dispatchView) error {
	v.agreed = map[int]time.Time{}
	by := map[uuid.UUID]map[routing.Code]int{}
	for _, dl := range v.deliveries {
		switch {
		case dl.Withdrawn == "":
		case dl.WithdrawnBy == (uuid.UUID{}):
			v.agreed[dl.N] = agreedAt(v.receipts[dl.N])
		case by[dl.WithdrawnBy] == nil:
			by[dl.WithdrawnBy] = map[routing.Code]int{dl.Agency: dl.N}
		default:
			by[dl.WithdrawnBy][dl.Agency] = dl.N
		}
	}
	for id, agencies := range by {
		if err := s.answersTo(q, v, id, agencies); err != nil {
			return err
		}
	}
	return nil
}

// answersTo reads what agencies said to one recall or update. Its recipients mostly stand in the order of the original's,
// so that the numbers of one page's make a single run.
func (s *site) answersTo(q *request, v *dispatchView, id uuid.UUID, agencies map[routing.Code]int) error {
	f := storage.RecipientFilter{Limit: pageRecipients}
	for code := range agencies {
		f.Agencies = append(f.Agencies, code)
	}
	list, err := s.Store.RecipientPage(q.Context(), id, f)
	if err != nil {
		return err
	}
	for len(list) > 0 {
		run := 1
		for run < len(list) && list[run].N == list[run-1].N+1 {
			run++
		}
		receipts, err := s.Store.Receipts(q.Context(), id, list[0].N, list[run-1].N)
		if err != nil {
			return err
		}
		for _, dl := range list[:run] {
			v.agreed[agencies[dl.Agency]] = agreedAt(receipts[dl.N])
		}
		list = list[run:]
	}
	return nil
}

// agreedAt is when the last 15 was said; zero when there is none.
func agreedAt(receipts []storage.Receipt) time.Time {
	var at time.Time
	for _, r := range receipts {
		if r.Status == storage.RecallAgreed && r.EventTime.After(at) {
			at = r.EventTime
		}
	}
	return at
}

// withdrawn is the withdrawal to show on top of a recipient's page: of the only delivery, or of all.
func (p dispatchPage) withdrawn() *withdrawal {
	if p.Side != "recipient" || len(p.Recipients) == 0 ||
		slices.ContainsFunc(p.Recipients, func(r recipientRow) bool { return r.Withdrawal == nil }) {
		return nil
	}
	return p.Recipients[0].Withdrawal
}
