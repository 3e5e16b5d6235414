package edxml

import "fmt"

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
	XML bool // well-formed as far as it was read; refused for safety
}

// Error gives line, path and the English sentence.
func (u *Unreadable) Error() string {
	return fmt.Sprintf("edxml: line %d, %s: %s", u.Line, u.Path, u.EN)
}

// Errors are the problems for which a packet is refused on every face: missing From, To or DocumentId, a status code that does not
// exist, unreadable XML. Codes that the directory does not know are the server's to add.
func (p Packet) Errors() []Problem { return p.only(false) }

// Warnings are the problems that are kept and shown, and refuse nothing.
func (p Packet) Warnings() []Problem { return p.only(true) }

func (p Packet) only(warning bool) []Problem {
	found := []Problem{} // never nil: it becomes a JSON array
	for _, q := range p.Problems {
		if q.Warning == warning {
			found = append(found, q)
		}
	}
	return found
}

// Check is what a packet's check answers (R109).
type Check struct {
	OK       bool      `json:"ok"`
	Kind     Kind      `json:"kind"`
	Errors   []Problem `json:"errors"`
	Warnings []Problem `json:"warnings"`
}

// Check gives the problems in two lists, with further ones, such as those that a directory finds.
func (p Packet) Check(further ...Problem) Check {
	p.Problems = append(p.Problems[:len(p.Problems):len(p.Problems)], further...)
	c := Check{Kind: p.Kind, Errors: p.Errors(), Warnings: p.Warnings()}
	c.OK = len(c.Errors) == 0
	return c
}

// UnknownCode makes the error for a code that a directory does not know or finds locked or closed: of the i-th of
// Document.To (from 0; in a status of ResponseFor), or of the sender when i is -1. vi and en are the directory's sentences.
func (p Packet) UnknownCode(i int, vi, en string) Problem {
	t := sentence{UnknownCode, vi, en, "Tra lại mã trong danh mục cơ quan / Look the code up in the directory"}
	switch {
	case i < 0 || i >= len(p.parties):
		return t.at(p.header+"/From/OrganId", p.from)
	case p.Status != nil:
		return t.at(p.header+"/ResponseFor/OrganId", p.parties[i].line)
	}
	return t.at(p.to(i)+"/OrganId", p.parties[i].line)
}

// Doubled makes the warning that the i-th recipient (from 0) is one that is named already, in the other form of its code: only a
// directory can know. vi and en are its sentences.
func (p Packet) Doubled(i int, vi, en string) Problem {
	q := sentence{Malformed, vi, en, "Bỏ nơi nhận lặp / Remove the doubled recipient"}.at(p.to(i), p.parties[i].line)
	q.Warning = true
	return q
}

// to is the path of the i-th recipient.
func (p Packet) to(i int) string { return fmt.Sprintf("%s/To[%d]", p.header, p.parties[i].n) }

// At most so many problems of a packet are kept; errors have their own share, so that warnings cannot push them out.
const (
	maxErrors   = 100
	maxWarnings = 400
)

// sentence is a problem without its place.
type sentence struct {
	kind        Defect
	vi, en, fix string
}

func (t sentence) at(path string, line int) Problem {
	return Problem{Path: path, Line: line, Kind: t.kind, VI: t.vi, EN: t.en, Fix: t.fix}
}

// label is what a field is called in Vietnamese; fields without one go by their element name alone.
var label = map[string]string{
	"From": "bên gửi", "To": "bên nhận", "OrganId": "mã định danh cơ quan", "DocumentId": "mã định danh văn bản",
	"OrganName": "tên cơ quan", "OrganAdd": "địa chỉ", "Email": "thư điện tử",
	"Code": "số, ký hiệu", "CodeNumber": "số", "CodeNotation": "ký hiệu", "PromulgationDate": "ngày ban hành",
	"DocumentType": "loại văn bản", "Type": "loại", "TypeName": "tên loại", "Subject": "trích yếu", "Content": "nội dung",
	"FullName": "họ tên người ký", "Position": "chức vụ", "DueDate": "thời hạn xử lý", "Priority": "độ khẩn",
	"PageAmount": "số trang", "PromulgationAmount": "số bản", "Place": "nơi nhận", "StatusCode": "mã trạng thái",
	"Description": "lý do", "Timestamp": "thời điểm", "ResponseFor": "văn bản được phản hồi", "BussinessDocType": "loại nghiệp vụ",
	"AttachmentName": "tên tệp", "ContentTransferEncoded": "nội dung tệp", "Attachment": "tệp đính kèm",
	"ContentType": "kiểu nội dung", "edXMLEnvelope": "phong bì", "MessageHeader": "thông tin văn bản",
}

// named is "Subject (trích yếu)".
func named(element string) string {
	if vi, ok := label[element]; ok {
		return element + " (" + vi + ")"
	}
	return element
}

func missing(element string) sentence {
	return sentence{Missing, fmt.Sprintf("Thiếu %s.", named(element)), fmt.Sprintf("%s is missing or empty.", element),
		fmt.Sprintf("Bổ sung %s / Add %s", named(element), element)}
}

func tooLong(element string, n, limit int) sentence {
	return sentence{TooLong, fmt.Sprintf("%s dài %d ký tự, tối đa %d.", named(element), n, limit),
		fmt.Sprintf("%s has %d characters, at most %d are meant.", element, n, limit),
		fmt.Sprintf("Rút gọn còn %d ký tự / Shorten it to %d characters", limit, limit)}
}

func malformed(element, vi, en, fix string) sentence {
	return sentence{Malformed, named(element) + " " + vi, element + " " + en, fix}
}
