package web

import (
	"slices"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// happening is one line of a delivery's history: a try of the axis, a failure that the recipient's system reported, or a
// receipt. Exactly one of Attempt and Receipt is set.
type happening struct {
	At      time.Time
	Attempt *storage.Attempt
	Report  bool // the attempt is what the recipient's system said of its own try
	Receipt *receiptRow
}

// receiptRow is a receipt as the history shows it.
type receiptRow struct {
	storage.Receipt
	By   named
	Late bool   // it came more than lateReceipt after what it tells of: both times are shown
	Turn phrase // it takes back what was said before; empty for most
}

// lateReceipt is how far apart event and arrival may lie before a person must see both.
const lateReceipt = time.Minute

// history tells a delivery in the order in which things happened: receipts by their event times, in whatever order they
// came (R27), and between them the tries.
func history(dl storage.Delivery, tries []storage.Attempt, receipts []receiptRow) []happening {
	list := make([]happening, 0, len(tries)+len(receipts))
	for i := range tries {
		list = append(list, happening{At: tries[i].StartedAt, Attempt: &tries[i], Report: tries[i].Node == dl.System})
	}
	for i := range receipts {
		list = append(list, happening{At: receipts[i].EventTime, Receipt: &receipts[i]})
	}
	slices.SortStableFunc(list, func(a, b happening) int { return a.At.Compare(b.At) })
	return list
}

// inOrder sorts receipts by their events and marks where one takes back another: a return after the document was
// registered, and the correction of a return. Both stay to be seen.
func inOrder(receipts []receiptRow) {
	slices.SortStableFunc(receipts, func(a, b receiptRow) int { return a.EventTime.Compare(b.EventTime) })
	before := stance(0)
	for i := range receipts {
		r := &receipts[i]
		r.Late = r.ReceivedAt.Sub(r.EventTime).Abs() > lateReceipt
		now := stanceOf(r.Status)
		switch {
		case now == returns && before == keeps:
			r.Turn = phrase{"trả lại sau khi đã tiếp nhận", "returned after it had been registered"}
		case now == keeps && before == returns:
			r.Turn = phrase{"đính chính việc từ chối trước đó", "corrects the return before it"}
		}
		if now != 0 {
			before = now
		}
	}
}

// stance is what a status says of whether the recipient keeps the document; the zero value says nothing of it.
type stance int

const (
	keeps stance = iota + 1
	returns
)

func stanceOf(s storage.Status) stance {
	switch s {
	case storage.Returned:
		return returns
	case storage.Registered, storage.Assigned, storage.InProcess, storage.Completed:
		return keeps
	}
	return 0
}

// Last is the receipt that made the current status, to show beside it; nil when there is none.
func (r recipientRow) Last() *receiptRow {
	for i := len(r.Receipts) - 1; i >= 0; i-- {
		if r.Receipts[i].Status == r.Status {
			return &r.Receipts[i]
		}
	}
	return nil
}

// Reversed is the last receipt that said the contrary of the current status: the return before its correction, or the
// registration before the return. It stands beside the status, so that nobody misses that the recipient changed its mind.
func (r recipientRow) Reversed() *receiptRow {
	last, now := r.Last(), stanceOf(r.Status)
	if last == nil || now == 0 {
		return nil
	}
	var before *receiptRow
	for i := range r.Receipts {
		one := &r.Receipts[i]
		if one == last {
			break
		}
		if was := stanceOf(one.Status); was != 0 && was != now {
			before = one
		}
	}
	return before
}
