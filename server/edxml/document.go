package edxml

// Kind says what a packet is for: a document's business type (BussinessDocType 0 to 3) or a status.
type Kind string

// The five kinds of packets.
const (
	KindNew     Kind = "new"     // 0, also when Bussiness is missing
	KindRecall  Kind = "recall"  // 1 thu hồi
	KindUpdate  Kind = "update"  // 2 cập nhật
	KindReplace Kind = "replace" // 3 thay thế
	KindStatus  Kind = "status"
)

// Document is what a document packet says. Texts are without surrounding white space, which is layout, not content.
type Document struct {
	From             Organization
	To               []Organization
	ID               string // DocumentId: opaque, unique with its sender, never parsed (R36)
	Number           string // Code/CodeNumber: a string, e.g. "12a"
	Notation         string // Code/CodeNotation, e.g. "UBND-VP"
	Place            string // PromulgationInfo/Place
	PromulgationDate Date
	Type             DocumentType
	Subject          string
	Content          string
	Signer           Signer
	DueDate          Date
	Other            OtherInfo
	ResponseFor      []ResponseFor
	Steering         *int // SteeringType: 0 or 1 not steering, 2 steering, 3 report on steering; nil: not said
	Tasks            []string
	ApplicationType  string
	ToPlaces         []string // "Nơi nhận" as printed; not routing
	Business         *Business
	Trace            []TraceHeader
	Attachments      []Attachment
	Unknown          []Unknown // what Read found and does not know; Write leaves it out
}

// Organization is a sender or recipient; only ID routes.
type Organization struct {
	ID        string // OrganId, as given: old or new form
	InCharge  string // OrganizationInCharge
	Name      string
	Address   string // OrganAdd
	Email     string
	Telephone string
	Fax       string
	Website   string
}

// DocumentType is the document's type; real traffic uses the numbers freely, so show Name.
type DocumentType struct {
	Type   int  // 1 legal normative, 2 administrative; 2 when not said, as the SDK does
	Detail *int // number within the list of Thông tư 01/2022/TT-BTTTT; nil: not said
	Name   string
}

// Signer is who signed the document.
type Signer struct{ Competence, Position, FullName string }

// OtherInfo is what the law asks for beside the text.
type OtherInfo struct {
	Priority           int // 0 thường, 1 khẩn, 2 thượng khẩn, 3 hỏa tốc, 4 hỏa tốc hẹn giờ
	Sphere             string
	TyperNotation      string
	PromulgationAmount int // copies; 0: not said
	PageAmount         int // 0: not said
	ReplyFors          string
	Direction          *bool
	ReferenceCodes     string
	Appendixes         []string
}

// ResponseFor names the document that this one, or this status, answers.
type ResponseFor struct {
	OrganID          string
	Code             string // "number/notation" in one string
	DocumentID       string
	PromulgationDate Date
}

// TraceHeader is one hop's mark. OrganID may be empty: the axis itself writes none.
type TraceHeader struct {
	OrganID string
	At      Date
}

// Business says that a packet recalls, updates or replaces (element Bussiness, sic).
type Business struct {
	Kind         Kind
	DocumentID   string // the document concerned; "" : the packet's own (see Document.Original)
	Reason       string
	Changes      []Change
	Paper        *bool // a paper copy is also sent; nil: not said
	Replacements []Replacement
	Staff        []Staff
}

// Change is one BussinessDocumentInfo of an update.
type Change struct {
	Content   bool // DocumentInfo = 1
	Receivers bool // DocumentReceiver = 1
	List      []Receiver
}

// Receiver is a recipient that an update adds or removes.
type Receiver struct {
	OrganID string
	Added   bool // ReceiverType 1; false: removed (0)
}

// Replacement is a document that is replaced, for the agencies named.
type Replacement struct {
	DocumentID string
	OrganIDs   []string
}

// Staff is the person behind a step.
type Staff struct{ Department, DepartmentID, Name, NameID, Email, Mobile string }

// Attachment is a file in a packet.
type Attachment struct {
	ContentID   string // without "cid:"; "" in Write: derived from SHA256 and position
	Name        string // AttachmentName as given: for people, never a path (see FileName)
	Description string
	Format      string
	FieldName   string
	MimeType    string
	Size        int64  // of the file itself (unwrapped). Write: checked when over 0
	SHA256      string // lower hex, of the file itself. Write: checked when given
	// Set by Read, ignored by Write, which follows the payload table of the SDK.
	ContentType string // as declared; often false
	Wrapped     bool   // it came in a one-entry ZIP, which was taken off
}

// Unknown is an element that we do not know, with its text (at most 4 KiB of it).
type Unknown struct {
	Path string `json:"path"`
	Line int    `json:"line"`
	Text string `json:"text"`
}

// Status is what a status packet says: a step (01 to 16) that From reports to ResponseFor.OrganID.
type Status struct {
	From        Organization
	ResponseFor ResponseFor
	Staff       Staff
	Code        string // two digits
	Description string // the reason of 02 and 16
	At          Date   // Timestamp
	Unknown     []Unknown
}
