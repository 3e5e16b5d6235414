package routing

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Status says whether an agency's code may be written to.
type Status string

// The three statuses of R50.
const (
	Live   Status = "live"   // Hoạt động
	Locked Status = "locked" // Tạm khóa: known, but takes no documents now (VXP error 23)
	Closed Status = "closed" // Đã đóng: for good
)

// ParseStatus reads a status; empty is live. Its own words and the Vietnamese labels are taken, in any case.
func ParseStatus(s string) (Status, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "live", "hoạt động":
		return Live, nil
	case "locked", "tạm khóa", "tạm khoá":
		return Locked, nil
	case "closed", "đã đóng":
		return Closed, nil
	}
	return "", fmt.Errorf("status %q is none of live, locked, closed", show(s))
}

// LabelVI gives what a clerk reads.
func (s Status) LabelVI() string {
	switch s {
	case Live:
		return "Hoạt động"
	case Locked:
		return "Tạm khóa"
	case Closed:
		return "Đã đóng"
	}
	return string(s)
}

// LabelEN gives the same in English.
func (s Status) LabelEN() string {
	switch s {
	case Live:
		return "Live"
	case Locked:
		return "Locked"
	case Closed:
		return "Closed"
	}
	return string(s)
}

// Agency is one entry of the directory: somebody who can send and receive, or who once could.
// A code is an identity for life: it is closed, never deleted and never given to another (R50).
type Agency struct {
	Code       Code      `json:"code"`
	OldCode    Code      `json:"old_code,omitempty"` // the registered QCVN 102 form (code102); empty when there is none
	Name       string    `json:"name"`
	Parent     Code      `json:"parent,omitempty"` // empty: the nearest registered prefix of the code, else none
	Kind       string    `json:"kind,omitempty"`
	Status     Status    `json:"status"`
	ValidFrom  time.Time `json:"valid_from,omitzero"` // first day on which the code holds
	ValidTo    time.Time `json:"valid_to,omitzero"`   // first day on which it no longer holds
	Successors []Code    `json:"successors,omitempty"`
	Decision   string    `json:"decision,omitempty"`    // legal basis of the last change, e.g. "QĐ 09/2025/QĐ-TTg"
	CodeSource string    `json:"code_source,omitempty"` // where the code comes from; "synthetic" for invented ones
}

// Pickable says whether a recipient picker offers the agency: it is live, and none of the 174 codes with a group W00 that
// the axis's own pickers hide (R54; what they are is not known).
func (a Agency) Pickable() bool {
	return a.Status == Live && !slices.Contains(a.Code.Groups(), "W00")
}

// What a People's Committee is called before the name of its place; longest first.
var committees = []string{"Ủy ban nhân dân ", "Uỷ ban nhân dân ", "UBND "}

// ShortName leaves out what a reader knows already: "Hưng Yên" for UBND tỉnh Hưng Yên, "TP. Huế", "xã Định Mỹ".
func (a Agency) ShortName() string {
	for _, c := range committees {
		place, ok := strings.CutPrefix(a.Name, c)
		if !ok {
			continue
		}
		if name, ok := strings.CutPrefix(place, "tỉnh "); ok {
			return name
		}
		if name, ok := strings.CutPrefix(place, "thành phố "); ok {
			return "TP. " + name
		}
		return place
	}
	return a.Name
}

// vietnam is the zone of every day that a person reads (design, section 3).
var vietnam = time.FixedZone("+07", 7*60*60)

// day writes a date as Vietnamese documents do: two digits for the day, and for the month only 01 and 02 (NĐ 30/2020, PL I).
func day(t time.Time) string {
	y, m, d := t.In(vietnam).Date()
	if m <= 2 {
		return fmt.Sprintf("%02d/%02d/%d", d, m, y)
	}
	return fmt.Sprintf("%02d/%d/%d", d, m, y)
}
