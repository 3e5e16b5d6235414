package routing

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Longest values in characters. 200 for a name is QCVN 102's OrganName (R63); the others are ours.
var longest = map[string]int{"name": 200, "kind": 100, "decision": 200, "code_source": 100, "successors": 2000}

const maxSuccessors = 50 // the most in the 2025 reform are five

// rowReader reads the cells of one row into an agency.
type rowReader struct {
	table  *table
	row    int
	agency Agency
}

func (r *rowReader) fault(column, value, word, detail string) {
	r.table.add(newFault(r.row, column, value, word, detail))
}

// read takes one cell.
func (r *rowReader) read(column, cell string) {
	text, ok := r.text(column, cell)
	if !ok {
		return
	}
	a := &r.agency
	switch column {
	case "code":
		a.Code = r.code(column, text)
	case "old_code":
		a.OldCode = r.code(column, text)
	case "parent":
		a.Parent = r.code(column, text)
	case "name":
		a.Name = strings.Clone(text)
	case "kind":
		a.Kind = r.table.shared(text)
	case "decision":
		a.Decision = r.table.shared(text)
	case "code_source":
		a.CodeSource = r.table.shared(text)
	case "status":
		status, err := ParseStatus(text)
		if err != nil {
			r.fault(column, text, "bad_status", "")
		}
		a.Status = status
	case "valid_from":
		a.ValidFrom = r.date(column, text)
	case "valid_to":
		a.ValidTo = r.date(column, text)
	case "successors":
		a.Successors = r.codes(column, text)
	}
}

// text cleans a cell: blanks around it go, accents are composed.
func (r *rowReader) text(column, cell string) (string, bool) {
	if !utf8.ValidString(cell) {
		r.fault(column, cell, "encoding", "")
		return "", false
	}
	text := norm.NFC.String(trim(cell))
	if text == "" {
		return "", true
	}
	if strings.IndexFunc(text, unicode.IsControl) >= 0 {
		r.fault(column, text, "control", "")
		return "", false
	}
	if strings.IndexByte("=+-@", text[0]) >= 0 {
		r.fault(column, text, "formula", "")
		return "", false
	}
	if most := longest[column]; most > 0 && utf8.RuneCountInString(text) > most {
		r.fault(column, text, "too_long", strconv.Itoa(most))
		return "", false
	}
	return text, true
}

func (r *rowReader) code(column, text string) Code {
	if text == "" {
		return ""
	}
	c, err := ParseCode(text)
	if err != nil {
		r.table.add(codeFault(r.row, column, text, err))
	}
	return Code(strings.Clone(string(c)))
}

func (r *rowReader) codes(column, text string) []Code {
	var out []Code
	for _, word := range strings.Fields(text) {
		if len(out) == maxSuccessors {
			r.fault(column, text, "too_many", strconv.Itoa(maxSuccessors))
			return nil
		}
		out = append(out, r.code(column, word))
	}
	return out
}

// date reads a day as its first moment in Vietnam.
func (r *rowReader) date(column, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.DateOnly, "2/1/2006"} {
		t, err := time.ParseInLocation(layout, text, vietnam)
		if err == nil && t.Year() >= 1900 && t.Year() < 2200 {
			return t
		}
	}
	r.fault(column, text, "bad_date", "")
	return time.Time{}
}

// finish judges the row as a whole.
func (r *rowReader) finish() {
	a := &r.agency
	if a.Status == "" {
		a.Status = Live
	}
	if !a.ValidFrom.IsZero() && !a.ValidTo.IsZero() && !a.ValidTo.After(a.ValidFrom) {
		r.fault("valid_to", a.ValidTo.Format(time.DateOnly), "date_order", "")
	}
	r.required("code", string(a.Code))
	r.required("name", a.Name)
	if first, taken := r.table.rowOf[a.Code.key()]; taken {
		r.fault("code", string(a.Code), "duplicate_code", strconv.Itoa(first))
	}
}

// required faults an empty value, unless the cell has a fault already.
func (r *rowReader) required(column, value string) {
	if value != "" {
		return
	}
	for _, f := range r.table.faults {
		if f.Row == r.row && f.Column == column {
			return
		}
	}
	r.fault(column, "", "missing", "")
}

func (t *table) shared(s string) string {
	known, ok := t.share[s]
	if !ok {
		known = strings.Clone(s)
		t.share[known] = known
	}
	return known
}
