// Package routing answers: which agency does a code mean, which system serves it, and when do we try again?
package routing

import (
	"io"
	"iter"
	"time"
)

// Form is the grammar that a code follows.
type Form int8

// The forms of a code.
const (
	FormOther Form = iota // in real use, following neither grammar: taken as registered
	FormQD20              // QĐ 20/2020/QĐ-TTg: H29.12
	Form102               // QCVN 102:2016/BTTTT: 000.00.12.H29
)

// Code is an agency code in normal form.
type Code string

// ParseCode brings s into normal form.
func ParseCode(s string) (Code, error) { panic("not built yet") }

// Form says which grammar the code follows.
func (c Code) Form() Form { panic("not built yet") }

// Equivalent gives the mechanical counterpart in the other form, a hint only (R48).
func (c Code) Equivalent() (Code, bool) { panic("not built yet") }

// Level1 gives the ministry's or province's code within c.
func (c Code) Level1() (Code, bool) { panic("not built yet") }

// Way is how a system gets its documents.
type Way string

// The three ways.
const (
	Pull    Way = "pull"
	Push    Way = "push"
	Mailbox Way = "mailbox"
)

// Serving says that a system serves a code, or with Subtree that code and all under it.
type Serving struct {
	System  string
	Code    Code
	Subtree bool
	Way     Way
}

// ParseServing reads "H29.12" or "H29.12.*".
func ParseServing(s string) (code Code, subtree bool, err error) { panic("not built yet") }

// Route is where a code leads now.
type Route struct {
	System  string
	Way     Way
	Serving Code
	Subtree bool
}

// Directory is all agencies and servings at one moment.
type Directory struct{}

// NewDirectory builds a snapshot.
func NewDirectory(version int64, agencies []Agency, servings []Serving) *Directory {
	panic("not built yet")
}

// Version of the snapshot.
func (d *Directory) Version() int64 { panic("not built yet") }

// Len counts the agencies.
func (d *Directory) Len() int { panic("not built yet") }

// All gives every agency, each parent before its children.
func (d *Directory) All() iter.Seq[Agency] { panic("not built yet") }

// Get gives the agency of exactly this code, whatever its status (for showing, not for sending).
func (d *Directory) Get(c Code) (Agency, bool) { panic("not built yet") }

// Find gives every agency that given names in either form, whatever its status (for showing and search).
func (d *Directory) Find(given string) []Agency { panic("not built yet") }

// Resolve gives the live agency that given names; otherwise the error is a *CodeError.
func (d *Directory) Resolve(given string) (Agency, error) { panic("not built yet") }

// Fault is what is wrong with a code.
type Fault string

// The faults of a code.
const (
	CodeMalformed Fault = "malformed"
	CodeUnknown   Fault = "unknown"
	CodeClosed    Fault = "closed"
	CodeLocked    Fault = "locked"
	CodeAmbiguous Fault = "ambiguous"
)

// CodeError names what is wrong with a given code.
type CodeError struct {
	Given       string
	Kind        Fault
	Agency      Agency   // closed, locked
	Suggestions []Agency // up to five; ambiguous: the candidates
	Successors  []Agency // closed
	VI, EN      string
}

func (e *CodeError) Error() string { return e.EN }

// Recipient is one resolved agency.
type Recipient struct {
	Given     string
	Agency    Agency
	Route     Route
	Connected bool
}

// Doubled is an agency that was given more than once.
type Doubled struct {
	Agency Agency
	Given  []string
	VI, EN string
}

// Expand resolves all.
func (d *Directory) Expand(given []string) (rs []Recipient, faults []*CodeError, doubled []Doubled) {
	panic("not built yet")
}

// Route says where c leads.
func (d *Directory) Route(c Code) (Route, bool) { panic("not built yet") }

// Serves says whether system acts for c.
func (d *Directory) Serves(system string, c Code) bool { panic("not built yet") }

// ServedBy lists the codes for which system acts.
func (d *Directory) ServedBy(system string) []Code { panic("not built yet") }

// Children gives the agencies directly under c.
func (d *Directory) Children(c Code) []Agency { panic("not built yet") }

// Subtree gives c and all codes under it.
func (d *Directory) Subtree(c Code) []Code { panic("not built yet") }

// Path gives the ancestors of c, the root first, c last.
func (d *Directory) Path(c Code) []Agency { panic("not built yet") }

// Label gives "H01.151 UBND xã Định Mỹ (An Giang)" (R56).
func (d *Directory) Label(c Code) string { panic("not built yet") }

// Search finds by code, name, abbreviation and parent.
func (d *Directory) Search(q string, limit int) []Agency { panic("not built yet") }

// Suggest gives the live agencies that a wrong code may have meant.
func (d *Directory) Suggest(given string, limit int) []Agency { panic("not built yet") }

// RowFault is one fault of an import file.
type RowFault struct {
	Row    int    `json:"row"` // 1 = the header
	Column string `json:"column"`
	Value  string `json:"value,omitempty"`
	Code   string `json:"code"`
	VI     string `json:"vi"`
	EN     string `json:"en"`
}

// ReadCSV reads an import file. base: what the file is an update of; none: the file stands alone.
func ReadCSV(r io.Reader, base ...*Directory) ([]Agency, []RowFault, error) { panic("not built yet") }

// WriteCSV writes agencies in the import form.
func WriteCSV(w io.Writer, agencies iter.Seq[Agency]) error { panic("not built yet") }

// Urgency is the độ khẩn.
type Urgency int8

// The urgencies.
const (
	Normal Urgency = iota
	Urgent
	VeryUrgent
	Express
)

// ParseUrgency reads "normal", "urgent", "very_urgent", "express".
func ParseUrgency(s string) (Urgency, error) { panic("not built yet") }

// String gives the text form.
func (u Urgency) String() string { panic("not built yet") }

// MarshalText gives the text form.
func (u Urgency) MarshalText() ([]byte, error) { panic("not built yet") }

// UnmarshalText reads the text form.
func (u *Urgency) UnmarshalText(b []byte) error { panic("not built yet") }

// LabelVI gives the law's mark.
func (u Urgency) LabelVI() string { panic("not built yet") }

// LabelEN gives the English label.
func (u Urgency) LabelEN() string { panic("not built yet") }

// Timetable says when to try again.
type Timetable struct{}

// DefaultTimetable is the issue's.
var DefaultTimetable Timetable

// ParseTimetable reads "0,30s,2m,5m,15m,30m,1h,2h,4h,8h;daily;15d;express 5m/2h".
func ParseTimetable(s string) (Timetable, error) { panic("not built yet") }

// Next says when the try after `tries` failed tries is due; !ok: expired.
func (t Timetable) Next(tries int, u Urgency, acceptedAt, now time.Time) (due time.Time, ok bool) {
	panic("not built yet")
}
