package routing

import "time"

// Status says whether an agency's code may be written to.
type Status string

// The three statuses of R50: Hoạt động, Tạm khóa, Đã đóng.
const (
	Live   Status = "live"
	Locked Status = "locked"
	Closed Status = "closed"
)

// Agency is one entry of the directory: somebody who can send and receive, or who once could.
// A code is an identity for life: it is closed, never deleted and never given to another (R50).
type Agency struct {
	Code       Code      `json:"code"`
	OldCode    Code      `json:"old_code,omitempty"` // the registered QCVN 102 form (code102); empty when there is none
	Name       string    `json:"name"`
	Parent     Code      `json:"parent,omitempty"`
	Kind       string    `json:"kind,omitempty"`
	Status     Status    `json:"status"`
	ValidFrom  time.Time `json:"valid_from,omitzero"` // first day on which the code holds
	ValidTo    time.Time `json:"valid_to,omitzero"`   // first day on which it no longer holds
	Successors []Code    `json:"successors,omitempty"`
	Decision   string    `json:"decision,omitempty"`    // legal basis of the last change, e.g. "QĐ 09/2025/QĐ-TTg"
	CodeSource string    `json:"code_source,omitempty"` // where the code comes from; "synthetic" for invented ones
}
