package edxml

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

const namespace = "http://www.mic.gov.vn/TBT/QCVN_102_2016"

// writer answers: how is an element put on the wire? Its first error stops it; groups that would be empty are never opened.
type writer struct {
	w       *bufio.Writer
	depth   int
	pending []string // groups not yet opened, for nothing is in them so far
	err     error
}

func newWriter(w io.Writer) *writer { return &writer{w: bufio.NewWriterSize(w, 64<<10)} }

// openEnvelope writes what stands above the header. The namespace is bound twice, as all packets have it; the strict .NET reader wants
// both the prefixes and the default.
func (x *writer) openEnvelope() {
	x.line(`<?xml version="1.0" encoding="UTF-8"?>`)
	x.openWith("edXML", ` xmlns="`+namespace+`"`)
	x.openWith("edXML:edXMLEnvelope", ` xmlns:edXML="`+namespace+`"`)
}

func (x *writer) finish(what string) error {
	x.close("edXML")
	if x.err == nil {
		x.err = x.w.Flush()
	}
	if x.err != nil {
		return fmt.Errorf("edxml: write %s: %w", what, x.err)
	}
	return nil
}

// raw writes s as it is.
func (x *writer) raw(s string) {
	if x.err == nil {
		_, x.err = x.w.WriteString(s)
	}
}

const spaces = "                                "

func (x *writer) indent() { x.raw(spaces[:2*x.depth]) }

// line writes one line of markup, opening what is pending above it.
func (x *writer) line(s string) {
	x.settle()
	x.indent()
	x.raw(s)
	x.raw("\r\n")
}

func (x *writer) settle() {
	pending := x.pending
	x.pending = nil
	for _, name := range pending {
		x.openWith(name, "")
	}
}

func (x *writer) openWith(name, attributes string) {
	x.line("<" + name + attributes + ">")
	x.depth++
}

func (x *writer) close(name string) {
	x.depth--
	x.line("</" + name + ">")
}

// group writes an element around what body writes, or nothing when body writes nothing.
func (x *writer) group(name string, body func()) {
	x.pending = append(x.pending, name)
	n := len(x.pending)
	body()
	if len(x.pending) == n {
		x.pending = x.pending[:n-1]
		return
	}
	x.close(name)
}

// leaf writes an element with a text, or nothing when the text is empty.
func (x *writer) leaf(name, text string) {
	text = strings.Trim(text, layout)
	if text == "" || x.err != nil {
		return
	}
	if i := unfit(text); i >= 0 {
		x.err = fmt.Errorf("element %s: byte %d of its text is nothing that XML can carry", strings.TrimPrefix(name, "edXML:"), i)
		return
	}
	x.settle()
	x.indent()
	x.raw("<" + name + ">")
	if x.err == nil {
		_, x.err = escape.WriteString(x.w, text)
	}
	x.raw("</" + name + ">\r\n")
}

// escape keeps a CR, which a reader would otherwise make an LF.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")

// unfit is where text has a byte or letter that XML cannot carry, or -1.
func unfit(text string) int {
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size < 2 {
				return i
			}
		}
		if !xmlRune(r) {
			return i
		}
	}
	return -1
}

// Clean leaves out of a text what XML cannot carry.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		if !xmlRune(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

func (x *writer) number(name string, n *int) {
	if n != nil {
		x.leaf(name, strconv.Itoa(*n))
	}
}

func (x *writer) amount(name string, n int) {
	if n > 0 {
		x.leaf(name, strconv.Itoa(n))
	}
}

func (x *writer) date(name string, d Date, layout string) {
	if d.At.IsZero() {
		x.leaf(name, d.Text)
		return
	}
	x.leaf(name, d.At.In(Vietnam).Format(layout))
}

func (x *writer) list(name, item string, texts []string) {
	x.group(name, func() {
		for _, t := range texts {
			x.leaf(item, t)
		}
	})
}
