package edxml

// Defect says what is wrong with an element.
type Defect string

// The kinds of defects that packet check reports.
const (
	Missing     Defect = "missing"
	TooLong     Defect = "too_long"
	Malformed   Defect = "malformed"
	UnknownCode Defect = "unknown_code"
)

// Problem is one thing wrong with a packet, where it is and what to do.
type Problem struct {
	Path    string `json:"path"` // /edXML/edXMLEnvelope/edXMLHeader/MessageHeader/To[2]/OrganId
	Line    int    `json:"line"` // from 1
	Kind    Defect `json:"kind"`
	VI      string `json:"message_vi"`
	EN      string `json:"message_en"`
	Fix     string `json:"fix"` // "Vietnamese / English"
	Warning bool   `json:"-"`   // kept and shown, not refused
}

// Unreadable is the error for what is not XML, or is XML that we refuse to read (DOCTYPE, entities, depth, sizes).
type Unreadable struct {
	Problem
	XML bool // well-formed so far, refused for safety
}

// Error gives line, path and the English sentence.
func (u *Unreadable) Error() string { return u.EN }
