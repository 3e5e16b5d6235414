package routing

import (
	"fmt"
	"strings"
	"unicode"
)

// Fault is what is wrong with a given code.
type Fault string

// The faults of a code, each of which stops a send (R51, R106).
const (
	CodeMalformed Fault = "malformed" // cannot be a code
	CodeUnknown   Fault = "unknown"   // in no entry of the directory
	CodeClosed    Fault = "closed"    // was once; successors are named
	CodeLocked    Fault = "locked"    // is, but takes nothing now
	CodeAmbiguous Fault = "ambiguous" // an old form that is registered for several agencies
)

// CodeError names what is wrong with a code that somebody gave, and what could be meant. It never decides for them (R49).
type CodeError struct {
	Given       string // as given, cut to 60 characters and made printable
	Kind        Fault
	Agency      Agency   // closed and locked: whose code it is
	Suggestions []Agency // up to MaxSuggestions live agencies; ambiguous: the candidates
	Successors  []Agency // closed: who is there now, successors of successors followed
	VI, EN      string   // one sentence each, with code, decision, day, successors and suggestions
}

// Error gives the English sentence.
func (e *CodeError) Error() string { return e.EN }

// malform is the first fault that makes a string no code.
type malform struct {
	why string // empty long rune group
	r   rune
	n   int // characters in all, or the place of the fault from 1
}

func (m malform) about(given string) *CodeError {
	e := &CodeError{Given: show(given), Kind: CodeMalformed}
	switch m.why {
	case "empty":
		e.VI, e.EN = "Mã định danh để trống", "The agency code is empty"
	case "long":
		e.VI = fmt.Sprintf("Mã %q dài %d ký tự, quá %d ký tự (QĐ 20/2020/QĐ-TTg)", e.Given, m.n, MaxCode)
		e.EN = fmt.Sprintf("The code %q has %d characters, more than %d (QĐ 20/2020/QĐ-TTg)", e.Given, m.n, MaxCode)
	case "group":
		e.VI = fmt.Sprintf("Mã %q có nhóm rỗng tại dấu chấm ở vị trí %d", e.Given, m.n)
		e.EN = fmt.Sprintf("The code %q has an empty group at the dot in place %d", e.Given, m.n)
	default:
		e.VI = fmt.Sprintf("Mã %q có ký tự %q ở vị trí %d; mã chỉ gồm chữ cái không dấu, chữ số và dấu chấm", e.Given, m.r, m.n)
		e.EN = fmt.Sprintf("The code %q has the character %q in place %d; a code has only unaccented letters, digits and dots", e.Given, m.r, m.n)
	}
	return e
}

// offer adds the suggestions to a malformed or unknown code's sentences.
func (e *CodeError) offer(labels []string) {
	if len(labels) == 0 {
		return
	}
	list := strings.Join(labels, "; ")
	e.VI += "; có phải: " + list + "?"
	e.EN += "; did you mean: " + list + "?"
}

func unknown(given string) *CodeError {
	e := &CodeError{Given: show(given), Kind: CodeUnknown}
	e.VI = fmt.Sprintf("Không có mã %q trong danh mục", e.Given)
	e.EN = fmt.Sprintf("No agency in the directory has the code %q", e.Given)
	return e
}

func ambiguous(given string, candidates []Agency, labels []string) *CodeError {
	e := &CodeError{Given: show(given), Kind: CodeAmbiguous, Suggestions: candidates}
	list := strings.Join(labels, "; ")
	e.VI = fmt.Sprintf("Mã %q ứng với nhiều đơn vị: %s. Hãy ghi mã theo QĐ 20/2020/QĐ-TTg", e.Given, list)
	e.EN = fmt.Sprintf("The code %q is registered for several agencies: %s. Give the QĐ 20/2020/QĐ-TTg code", e.Given, list)
	return e
}

// closed says R51: "Mã H54 đã đóng từ 01/7/2025 (QĐ 09/2025/QĐ-TTg); đơn vị kế thừa: H31 Hưng Yên".
func closed(given string, a Agency, successors []Agency, labels []string) *CodeError {
	e := &CodeError{Given: show(given), Kind: CodeClosed, Agency: a, Successors: successors}
	e.VI, e.EN = "Mã "+named(e.Given, a)+" đã đóng", "The code "+named(e.Given, a)+" has been closed"
	if !a.ValidTo.IsZero() {
		e.VI += " từ " + day(a.ValidTo)
		e.EN += " since " + day(a.ValidTo)
	}
	if a.Decision != "" {
		e.VI += " (" + a.Decision + ")"
		e.EN += " (" + a.Decision + ")"
	}
	if len(labels) == 0 {
		e.VI += "; danh mục chưa ghi đơn vị kế thừa"
		e.EN += "; the directory names no successor"
		return e
	}
	list := strings.Join(labels, "; ")
	e.VI += "; đơn vị kế thừa: " + list
	e.EN += "; now: " + list
	return e
}

func locked(given string, a Agency) *CodeError {
	e := &CodeError{Given: show(given), Kind: CodeLocked, Agency: a}
	e.VI = fmt.Sprintf("Mã %s (%s) đang tạm khóa, chưa nhận văn bản", named(e.Given, a), a.ShortName())
	e.EN = fmt.Sprintf("The code %s (%s) is locked and takes no documents now", named(e.Given, a), a.ShortName())
	if a.Decision != "" {
		e.VI += " (" + a.Decision + ")"
		e.EN += " (" + a.Decision + ")"
	}
	return e
}

// named repeats what was given, and adds the code when that was another writing of it.
func named(given string, a Agency) string {
	if strings.EqualFold(given, string(a.Code)) {
		return string(a.Code)
	}
	return given + " (" + string(a.Code) + ")"
}

// show makes a stranger's text fit to be repeated in a sentence and a log: printable, at most 60 characters.
func show(s string) string {
	const most = 60
	var b strings.Builder
	n := 0
	for _, r := range trim(s) {
		if n == most {
			b.WriteRune('…')
			break
		}
		if !unicode.IsPrint(r) {
			r = '\ufffd'
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// say writes the warning's sentences, naming at most ten of the writings.
func (w *Doubled) say(d *Directory) {
	const most = 10
	var list []string
	for _, g := range w.Given[:min(len(w.Given), most)] {
		list = append(list, show(g))
	}
	if len(w.Given) > most {
		list = append(list, "…")
	}
	label, writings := d.Label(w.Agency.Code), strings.Join(list, ", ")
	w.VI = fmt.Sprintf("%s được ghi %d lần (%s); chỉ gửi một lần", label, len(w.Given), writings)
	w.EN = fmt.Sprintf("%s is given %d times (%s); it gets one delivery", label, len(w.Given), writings)
}
