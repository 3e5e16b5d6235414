package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// Metadata is the first part of a submission in its native form (R62; lengths of NĐ 30/2020, PL VI: R63).
type Metadata struct {
	Sender          string          `json:"sender"`      // agency code, either form
	Recipients      []string        `json:"recipients"`  // agency codes, either form
	DocumentID      string          `json:"document_id"` // the sender's own, opaque
	Kind            string          `json:"kind,omitempty"`
	Original        string          `json:"original,omitempty"` // document_id of what is recalled, updated or replaced
	Reason          string          `json:"reason,omitempty"`
	Number          string          `json:"number"`
	Notation        string          `json:"notation"`
	PromulgationDay string          `json:"promulgation_date"` // yyyy-mm-dd
	Place           string          `json:"place,omitempty"`
	Type            DocumentType    `json:"type"`
	Subject         string          `json:"subject"`
	Content         string          `json:"content,omitempty"`
	Signer          Signer          `json:"signer,omitzero"`
	Urgency         routing.Urgency `json:"urgency"`
	DueDay          string          `json:"due_date,omitempty"` // yyyy-mm-dd
	Secrecy         string          `json:"secrecy,omitempty"`
	Paper           bool            `json:"paper,omitempty"` // kèm bản giấy
	PageAmount      int             `json:"page_amount,omitempty"`
	IssuedAmount    int             `json:"issued_amount,omitempty"`
	ToPlaces        []string        `json:"to_places,omitempty"` // nơi nhận, as printed; not routing
	References      []Reference     `json:"references,omitempty"`
	Steering        int             `json:"steering,omitempty"`

	replaced []string // of a packet: every document that it replaces; Original is the first
	added    []string // of a packet: the recipients that an update adds
}

// DocumentType is tên loại văn bản with its number in the lists of TT 01/2022/TT-BTTTT, which real traffic uses freely.
type DocumentType struct {
	Name string `json:"name"`
	Code int    `json:"code,omitempty"`
}

// Signer is who signed.
type Signer struct {
	Name       string `json:"name,omitempty"`
	Position   string `json:"position,omitempty"`
	Competence string `json:"competence,omitempty"` // TM., KT., TL. …
}

// Reference names a document that this one answers.
type Reference struct {
	Agency         string `json:"agency,omitempty"`
	NumberNotation string `json:"number_notation,omitempty"`
	DocumentID     string `json:"document_id,omitempty"`
	Day            string `json:"date,omitempty"`
}

// readMetadata decodes and checks the native first part for at most so many recipients. The error is a *Problem that
// names every fault, in at most maxFaults entries: what a few bytes ask for must not become a large answer.
func readMetadata(raw []byte, recipients int) (Metadata, error) {
	var m Metadata
	if !utf8.Valid(raw) {
		return m, problem("utf8", "dispatch")
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return m, problem("missing", "dispatch")
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return m, jsonProblem(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return m, problem("json", "dispatch", "trailing data")
	}
	if len(m.Recipients) > recipients {
		return m, problem("recipients_many", "recipients", recipients)
	}
	if len(m.References) > maxReferences {
		return m, problem("malformed", "references", fmt.Sprintf("%d > %d", len(m.References), maxReferences))
	}
	return m, m.check()
}

// Bounds of what is said and kept of one document's metadata.
const (
	maxReferences = 100
	maxFaults     = 100
	maxEcho       = 100 // characters of a stranger's text that an answer repeats
)

func jsonProblem(err error) *Problem {
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrong):
		return problem("malformed", cut(wrong.Field, maxEcho), cut(wrong.Value, maxEcho))
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return problem("unknown_field", cut(strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`), maxEcho))
	case strings.HasPrefix(err.Error(), "urgency "): // the one field whose words are read by another package
		return problem("malformed", "urgency", err.Error())
	case errors.As(err, &syntax):
		return problem("json", "dispatch", fmt.Sprintf("%s (byte %d)", syntax.Error(), syntax.Offset))
	}
	return problem("json", "dispatch", cut(err.Error(), maxEcho))
}

// limit is one text field's rule.
type limit struct {
	field    string
	value    string
	most     int // characters
	required bool
}

// check tests every field and returns all faults at once, so that a sender mends them in one go.
func (m *Metadata) check() error {
	var faults []Problem
	for _, l := range m.limits() {
		if p := l.check(); p != nil {
			faults = append(faults, *p)
		}
	}
	faults = append(faults, m.checkValues()...)
	switch len(faults) {
	case 0:
		return nil
	case 1:
		return &faults[0]
	}
	p := problem("metadata", faults[0].Field, len(faults))
	p.Problems = faults[:min(len(faults), maxFaults)]
	return p
}

func (m *Metadata) limits() []limit {
	list := []limit{
		{"sender", m.Sender, 35, true},
		{"document_id", m.DocumentID, 200, true},
		{"original", m.Original, 200, m.Kind == "recall" || m.Kind == "update" || m.Kind == "replace"},
		{"reason", m.Reason, 500, false},
		{"number", m.Number, 11, false},
		{"notation", m.Notation, 30, false},
		{"place", m.Place, 200, false},
		{"type.name", m.Type.Name, 100, true},
		{"subject", m.Subject, 500, true},
		{"content", m.Content, 500, false},
		{"signer.name", m.Signer.Name, 50, false},
		{"signer.position", m.Signer.Position, 100, false},
		{"signer.competence", m.Signer.Competence, 100, false},
		{"secrecy", m.Secrecy, 30, false},
		{"to_places", strings.Join(m.ToPlaces, "\n"), 1000, false},
	}
	for i, r := range m.Recipients {
		list = append(list, limit{fmt.Sprintf("recipients[%d]", i), r, 64, true})
	}
	for i, r := range m.References {
		at := fmt.Sprintf("references[%d].", i)
		list = append(list, limit{at + "agency", r.Agency, 35, false}, limit{at + "number_notation", r.NumberNotation, 42, false},
			limit{at + "document_id", r.DocumentID, 200, false})
	}
	return list
}

func (l limit) check() *Problem {
	if l.required && strings.TrimSpace(l.value) == "" {
		return problem("missing", l.field)
	}
	if n := utf8.RuneCountInString(l.value); n > l.most {
		return problem("too_long", l.field, n, l.most)
	}
	if strings.ContainsFunc(l.value, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }) {
		return problem("utf8", l.field)
	}
	return nil
}

func (m *Metadata) checkValues() []Problem {
	var faults []Problem
	days := map[string]string{"promulgation_date": m.PromulgationDay, "due_date": m.DueDay}
	for i, r := range m.References {
		days[fmt.Sprintf("references[%d].date", i)] = r.Day
	}
	for _, field := range sortedKeys(days) {
		if _, ok := readDay(days[field]); !ok {
			faults = append(faults, *problem("malformed", field, cut(days[field], maxEcho)))
		}
	}
	if _, ok := storage.ParseKind(m.Kind); !ok {
		faults = append(faults, *problem("malformed", "kind", cut(m.Kind, maxEcho)))
	}
	if len(m.Recipients) == 0 {
		faults = append(faults, *problem("missing", "recipients"))
	}
	numbers := map[string]int{"page_amount": m.PageAmount, "issued_amount": m.IssuedAmount, "steering": m.Steering}
	for _, field := range sortedKeys(numbers) {
		if n := numbers[field]; n < 0 || n > 999 {
			faults = append(faults, *problem("malformed", field, fmt.Sprint(n)))
		}
	}
	return faults
}

// readDay reads yyyy-mm-dd; an empty string is a day not given.
func readDay(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, true
	}
	t, err := time.Parse(time.DateOnly, s)
	return t, err == nil && t.Year() >= 1945 && t.Year() <= 2200
}

// notSecret are the values of secrecy that mark nothing. Every other value is a state secret's mark, or a mistake that
// must not be taken for none (R2).
var notSecret = map[string]bool{"": true, "none": true, "không": true, "thường": true, "khong": true, "thuong": true}

// secret says whether the metadata mark a state secret: the field, a notation that ends in -M or (M), or one of the
// three marks at the head of the subject. Letters and their marks may come composed or apart (NFC, NFD).
func (m *Metadata) secret() bool {
	if !notSecret[strings.ToLower(strings.TrimSpace(norm.NFC.String(m.Secrecy)))] {
		return true
	}
	subject := norm.NFC.String(m.Subject)
	for _, mark := range []string{"TUYỆT MẬT", "TỐI MẬT", "MẬT"} {
		head := strings.TrimLeft(subject, " \t\r\n[(")
		rest, ok := strings.CutPrefix(head, mark)
		if ok && (rest == "" || !unicode.IsLetter([]rune(rest)[0])) {
			return true
		}
	}
	notation := strings.ToUpper(strings.TrimSpace(m.Notation))
	return strings.HasSuffix(notation, "(M)") || strings.HasSuffix(notation, "-M")
}

// fingerprint is what the document is: all metadata but recipients and trace, and the files' names and hashes.
func (m Metadata) fingerprint(sender routing.Code, files []storage.Attachment) [32]byte {
	m.Sender, m.Recipients = string(sender), nil
	if m.Kind == "" { // the same, said in two ways
		m.Kind = storage.New.String()
	}
	type file struct {
		Name, SHA256 string
		Size         int64
	}
	list := make([]file, len(files))
	for i, f := range files {
		list[i] = file{f.Name, f.SHA256, f.Size}
	}
	canonical, err := json.Marshal(struct {
		Metadata Metadata
		Files    []file
	}{m, list})
	if err != nil {
		panic("server: metadata that were read cannot be written: " + err.Error())
	}
	return sha256.Sum256(canonical)
}
