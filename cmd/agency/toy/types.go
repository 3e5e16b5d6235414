package toy

import "time"

// Kind is the business type of a dispatch (loại nghiệp vụ).
type Kind string

// The kinds of a dispatch. All but KindNew name the original's document id in Dispatch.Original.
const (
	KindNew     Kind = "new"     // văn bản mới
	KindRecall  Kind = "recall"  // thu hồi
	KindUpdate  Kind = "update"  // cập nhật
	KindReplace Kind = "replace" // thay thế
)

// Urgency is how soon a dispatch must arrive (độ khẩn).
type Urgency string

// The urgencies, slowest first.
const (
	Normal     Urgency = "normal"
	Urgent     Urgency = "urgent"      // KHẨN
	VeryUrgent Urgency = "very_urgent" // THƯỢNG KHẨN
	Express    Urgency = "express"     // HỎA TỐC
)

// State is where a dispatch or a delivery stands in transport, as the axis says it.
type State string

// The states that a toy looks at; the axis has more.
const (
	Accepted  State = "accepted" // of a dispatch
	HeldBack  State = "held"
	Delivered State = "delivered" // of a delivery
)

// Status is what a recipient says about a document (trạng thái nghiệp vụ): "01" … "06", "13", "15", "16".
type Status string

// The statuses that the toys say by themselves.
const (
	Arrived    Status = "01" // đã đến
	Rejected   Status = "02" // từ chối tiếp nhận; needs a reason
	TakenIn    Status = "03" // đã tiếp nhận
	Assigned   Status = "04" // phân công
	InProgress Status = "05" // đang xử lý
	Completed  Status = "06" // hoàn thành
)

// Dispatch is the first part of a submission: everything about the document but its files.
// Codes are given in either form; dates are "2006-01-02" in Vietnam time.
type Dispatch struct {
	Sender           string      `json:"sender"`
	Recipients       []string    `json:"recipients"`
	DocumentID       string      `json:"document_id"`
	Kind             Kind        `json:"kind,omitempty"` // "" is KindNew
	Reason           string      `json:"reason,omitempty"`
	Original         string      `json:"original,omitempty"`
	Number           string      `json:"number,omitempty"`
	Notation         string      `json:"notation,omitempty"`
	PromulgationDate string      `json:"promulgation_date,omitempty"`
	Place            string      `json:"place,omitempty"`
	Type             Type        `json:"type"`
	Subject          string      `json:"subject"`
	Content          string      `json:"content,omitempty"`
	Signer           Signer      `json:"signer"`
	Urgency          Urgency     `json:"urgency,omitempty"` // "" is Normal
	DueDate          string      `json:"due_date,omitempty"`
	Secrecy          string      `json:"secrecy,omitempty"` // anything marked secret is refused by the axis
	Paper            bool        `json:"paper,omitempty"`
	PageAmount       int         `json:"page_amount,omitempty"`
	IssuedAmount     int         `json:"issued_amount,omitempty"`
	ToPlaces         []string    `json:"to_places,omitempty"`
	References       []Reference `json:"references,omitempty"`
	Steering         int         `json:"steering,omitempty"`
}

// Type is the document type (loại văn bản), for example Công văn, 18.
type Type struct {
	Name string `json:"name,omitempty"`
	Code int    `json:"code,omitempty"`
}

// Signer is the person who signed, with position and competence ("TM.", "KT." …).
type Signer struct {
	Name       string `json:"name,omitempty"`
	Position   string `json:"position,omitempty"`
	Competence string `json:"competence,omitempty"`
}

// Reference names another document that this one answers or cites.
type Reference struct {
	Agency         string `json:"agency,omitempty"`
	NumberNotation string `json:"number_notation,omitempty"`
	DocumentID     string `json:"document_id,omitempty"`
	Date           string `json:"date,omitempty"`
}

// Answer is what the axis says about a dispatch, at once after Submit and later by Client.Dispatch.
type Answer struct {
	HTTPStatus int            `json:"-"` // 201 new, 200 replay or look-up
	ID         string         `json:"id"`
	State      State          `json:"state"`
	Replay     bool           `json:"replay,omitempty"`
	DocumentID string         `json:"document_id"`
	Sender     string         `json:"sender"`
	AcceptedAt time.Time      `json:"accepted_at"`
	Urgency    Urgency        `json:"urgency,omitempty"`
	Verdict    string         `json:"verdict,omitempty"`
	Files      []AnsweredFile `json:"files"`
	Recipients int            `json:"recipients"`
	Deliveries []Delivery     `json:"deliveries"`      // at most 500 after Submit; page through the rest with Client.Dispatch
	Added      []string       `json:"added,omitempty"` // agencies that a repeated submission added (gửi bổ sung)
	Warnings   []Problem      `json:"warnings,omitempty"`
	Hold       *Hold          `json:"hold,omitempty"`
	Next       Cursor         `json:"next,omitempty"`
}

// AnsweredFile is one file as the axis read it. N counts from 1.
type AnsweredFile struct {
	N       int      `json:"n"`
	Name    string   `json:"name"`
	Size    int64    `json:"size"`
	SHA256  string   `json:"sha256"`
	Verdict string   `json:"verdict"`
	Reasons []Reason `json:"reasons,omitempty"`
}

// Reason is one finding of the axis's validator, in both languages.
type Reason struct {
	Word string `json:"word"`
	VI   string `json:"vi"`
	EN   string `json:"en"`
}

// Hold is a stop and who must decide about it.
type Hold struct {
	Reason string `json:"reason"`
	Owner  string `json:"owner"`
}

// Delivery is one dispatch to one agency. Its ID is "<dispatch>.<n>".
type Delivery struct {
	ID          string         `json:"id"`
	AddressedTo string         `json:"addressed_to"`
	Agency      string         `json:"agency"`
	Name        string         `json:"name,omitempty"`
	System      string         `json:"system,omitempty"`
	Way         string         `json:"way,omitempty"`
	State       State          `json:"state"`
	StateSince  time.Time      `json:"state_since,omitzero"`
	Awaited     *Awaited       `json:"awaited,omitempty"`
	ToldAt      time.Time      `json:"told_at,omitzero"`
	Attempts    []Attempt      `json:"attempts,omitempty"`
	Receipts    []HeardReceipt `json:"receipts,omitempty"`
	Status      Status         `json:"status,omitempty"`
	Reason      string         `json:"reason,omitempty"`
	Dispatch    *Summary       `json:"dispatch,omitempty"` // in lists of received deliveries
}

// Awaited says who must do what next, and by when.
type Awaited struct {
	Who  string    `json:"who"`
	What string    `json:"what,omitempty"`
	VI   string    `json:"vi,omitempty"`
	EN   string    `json:"en,omitempty"`
	By   time.Time `json:"by,omitzero"`
}

// Attempt is one try of the axis to hand the delivery over.
type Attempt struct {
	K       int       `json:"k"`
	At      time.Time `json:"at"`
	Outcome string    `json:"outcome,omitempty"` // "" while it is under way
	Detail  string    `json:"detail,omitempty"`
}

// Receipt is what a recipient says about a delivery. Rejected and "16" need a Reason.
type Receipt struct {
	Status        Status    `json:"status"`
	Staff         Staff     `json:"staff,omitzero"`
	Reason        string    `json:"reason,omitempty"`
	EventTime     time.Time `json:"event_time,omitzero"`
	ArrivalNumber string    `json:"arrival_number,omitempty"`
}

// Staff is the person who acted at the recipient.
type Staff struct {
	Name       string `json:"name,omitempty"`
	Department string `json:"department,omitempty"`
	Phone      string `json:"phone,omitempty"`
	Email      string `json:"email,omitempty"`
}

// HeardReceipt is a receipt as it comes back to the sender.
type HeardReceipt struct {
	Status        Status    `json:"status"`
	Label         string    `json:"label,omitempty"`
	Agency        string    `json:"agency,omitempty"`
	Name          string    `json:"name,omitempty"`
	Staff         Staff     `json:"staff,omitzero"`
	Reason        string    `json:"reason,omitempty"`
	ArrivalNumber string    `json:"arrival_number,omitempty"`
	EventTime     time.Time `json:"event_time,omitzero"`
	ReceivedAt    time.Time `json:"received_at,omitzero"` // by the axis
}

// The kinds of an inbox item.
const (
	ItemDispatch = "dispatch"
	ItemReceipt  = "receipt"
	ItemNotice   = "notice"
)

// Item is one thing that waits for a system: in its inbox (pull) or in the body of a push.
type Item struct {
	Item        string        `json:"item"` // opaque; what Client.Taken ends
	Kind        string        `json:"kind"`
	At          time.Time     `json:"at"`
	Urgency     Urgency       `json:"urgency,omitempty"`
	Delivery    string        `json:"delivery,omitempty"`
	Agency      string        `json:"agency,omitempty"`       // who gets it now
	AddressedTo string        `json:"addressed_to,omitempty"` // whom the sender named
	Dispatch    Summary       `json:"dispatch,omitzero"`
	Package     PackageLink   `json:"package,omitzero"`
	Receipt     *HeardReceipt `json:"receipt,omitempty"`
	Notice      *Notice       `json:"notice,omitempty"`
}

// Summary is a dispatch in a few words, without its files.
type Summary struct {
	ID         string        `json:"id"`
	DocumentID string        `json:"document_id"`
	Sender     string        `json:"sender"`
	SenderName string        `json:"sender_name,omitempty"`
	Number     string        `json:"number,omitempty"`
	Notation   string        `json:"notation,omitempty"`
	Subject    string        `json:"subject,omitempty"`
	Type       string        `json:"type,omitempty"` // its name
	Urgency    Urgency       `json:"urgency,omitempty"`
	Kind       Kind          `json:"kind,omitempty"`
	Verdict    string        `json:"verdict,omitempty"`
	AcceptedAt time.Time     `json:"accepted_at,omitzero"`
	States     map[State]int `json:"states,omitempty"` // in lists: how many deliveries stand where
}

// PackageLink says where a package lies and, in a push, what its bytes must hash to.
type PackageLink struct {
	URL    string `json:"url"`
	SHA256 string `json:"sha256,omitempty"`
	Size   int64  `json:"size,omitempty"`
}

// Notice is a message of the axis itself, in both languages.
type Notice struct {
	Code string `json:"code"`
	VI   string `json:"vi"`
	EN   string `json:"en"`
}

// Attached is one attachment as the JSON form of a package lists it. N counts from 1.
type Attached struct {
	N         int    `json:"n"`
	Name      string `json:"name"`
	MediaType string `json:"media_type"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"`
}

// Digest is what was counted and hashed while bytes passed: never what somebody said about them.
type Digest struct {
	Name   string `json:"name,omitempty"`
	SHA256 string `json:"sha256"` // lower hex
	Size   int64  `json:"size"`
}
