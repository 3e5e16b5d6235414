package storage

import "fmt"

// Withdrawal says why the axis no longer gives out what a recipient has: it agreed (15) to give it back, or to take a new
// version in its place. What remains is the trail of it: metadata, receipts, audit (NĐ 30/2020/NĐ-CP, PL VI, III.8).
type Withdrawal string

// The withdrawals. The zero value is none.
const (
	ByRecall Withdrawal = "recalled" // the sender took it back
	ByUpdate Withdrawal = "updated"  // a new version stands in its place
)

// WithdrawnError says that a delivery's package and files are no longer given out.
type WithdrawnError struct {
	ID  DeliveryID
	How Withdrawal
	By  DeliveryID // the recall's or the new version's own delivery to the same agency; zero when a status 13 asked for it
}

func (e *WithdrawnError) Error() string {
	return fmt.Sprintf("delivery %s is withdrawn: %s", e.ID, e.How)
}
