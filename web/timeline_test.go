package web

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

func said(status storage.Status, at, arrived int) receiptRow {
	hour := func(n int) time.Time { return galleryNow.Add(time.Duration(n) * time.Hour) }
	return receiptRow{Receipt: storage.Receipt{Status: status, EventTime: hour(at), ReceivedAt: hour(arrived)}}
}

// TestReceiptsInOrder: however receipts come, the history tells them by their events, and says which takes back which.
func TestReceiptsInOrder(t *testing.T) {
	t.Parallel()
	const late, corrected = "trả lại sau", "đính chính"
	for name, c := range map[string]struct {
		rows []receiptRow
		want string // status, "!" when both times are shown, and the turn
	}{
		"a normal course":                  {[]receiptRow{said("01", 1, 1), said("03", 2, 2), said("05", 2, 2), said("06", 9, 9)}, "01 03 05 06"},
		"a return and its correction":      {[]receiptRow{said("02", 1, 1), said("03", 2, 2), said("04", 3, 3)}, "02 03(đính chính) 04"},
		"the correction came first":        {[]receiptRow{said("03", 2, 2), said("02", 1, 4)}, "02! 03(đính chính)"},
		"a late return":                    {[]receiptRow{said("03", 1, 1), said("05", 2, 2), said("02", 3, 3)}, "03 05 02(trả lại sau)"},
		"a recall between":                 {[]receiptRow{said("03", 1, 1), said("13", 2, 2), said("16", 3, 3), said("02", 4, 4)}, "03 13 16 02(trả lại sau)"},
		"back and forth":                   {[]receiptRow{said("02", 1, 1), said("03", 2, 2), said("02", 3, 3)}, "02 03(đính chính) 02(trả lại sau)"},
		"a return alone, told twice":       {[]receiptRow{said("02", 1, 1), said("02", 2, 2)}, "02 02"},
		"a clock that is ahead":            {[]receiptRow{said("03", 5, 1)}, "03!"},
		"nothing":                          {nil, ""},
		"the same moment, as they came":    {[]receiptRow{said("05", 1, 1), said("03", 1, 1)}, "05 03"},
		"an arrival is neither of the two": {[]receiptRow{said("02", 1, 1), said("01", 2, 2)}, "02 01"},
	} {
		inOrder(c.rows)
		var got []string
		for _, r := range c.rows {
			one := string(r.Status)
			if r.Late {
				one += "!"
			}
			for _, turn := range []string{late, corrected} {
				if strings.HasPrefix(r.Turn.VI, turn) {
					one += "(" + turn + ")"
				}
			}
			got = append(got, one)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", name, strings.Join(got, " "), c.want)
		}
	}
}

// TestReversedStandsBesideTheStatus: whoever reads only the current status still sees that the recipient changed its mind.
func TestReversedStandsBesideTheStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		says     string
		reversed storage.Status
	}{{"02 03", "02"}, {"02 03 05", "02"}, {"03 02", "03"}, {"03 05 02", "05"}, {"03 05", ""}, {"02", ""}, {"", ""}, {"02 03 13", ""}, {"03 02 03", "02"}} {
		var r recipientRow
		for i, s := range strings.Fields(c.says) {
			r.Receipts = append(r.Receipts, said(storage.Status(s), i, i))
			r.Status = storage.Status(s)
		}
		rand.Shuffle(len(r.Receipts), func(i, j int) { r.Receipts[i], r.Receipts[j] = r.Receipts[j], r.Receipts[i] })
		inOrder(r.Receipts)
		got := storage.Status("")
		if before := r.Reversed(); before != nil {
			got = before.Status
		}
		if got != c.reversed {
			t.Errorf("%q: beside the status stands %q, want %q", c.says, got, c.reversed)
		}
	}
}

// TestHistoryMixesTriesAndReceipts by time, and tells a report of the recipient's system from a try of ours.
func TestHistoryMixesTriesAndReceipts(t *testing.T) {
	t.Parallel()
	receipts := []receiptRow{said("01", 3, 3)}
	tries := []storage.Attempt{{K: 1, Node: "axis-1", StartedAt: galleryNow.Add(time.Hour)}, {K: 2, Node: "H26", StartedAt: galleryNow.Add(4 * time.Hour)}}
	list := history(storage.Delivery{System: "H26"}, tries, receipts)
	kinds := []string{}
	for _, h := range list {
		switch {
		case h.Report:
			kinds = append(kinds, "report")
		case h.Attempt != nil:
			kinds = append(kinds, "try")
		default:
			kinds = append(kinds, "receipt")
		}
	}
	if !slices.Equal(kinds, []string{"try", "receipt", "report"}) {
		t.Errorf("the history is %v", kinds)
	}
}
