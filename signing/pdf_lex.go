package signing

import (
	"bytes"
	"errors"
	"strconv"
)

var (
	errPDFSyntax = errors.New("PDF syntax")
	errPDFShort  = errors.New("PDF object goes on after the bytes read")
	errPDFLimit  = errors.New("PDF limit")
)

const (
	pdfDepth = 64      // nesting of arrays and dictionaries
	pdfNodes = 200_000 // values in one object
)

// lexer reads PDF values from bytes that stand at base in the file (base < 0: from an object stream, which has no place).
type lexer struct {
	b     []byte
	p     int
	base  int64
	final bool // nothing follows b
	nodes int
}

// class tells white space (1), delimiters (2) and the rest (0) (ISO 32000-1, 7.2.2).
var class = func() (t [256]byte) {
	for _, c := range "\x00\t\n\f\r " {
		t[c] = 1
	}
	for _, c := range "()<>[]{}/%" {
		t[c] = 2
	}
	return
}()

// more is what running out of bytes means.
func (l *lexer) more() error {
	if l.final {
		return errPDFSyntax
	}
	return errPDFShort
}

// space skips white space and comments.
func (l *lexer) space() {
	for l.p < len(l.b) {
		switch c := l.b[l.p]; {
		case class[c] == 1:
			l.p++
		case c == '%':
			for l.p < len(l.b) && l.b[l.p] != '\n' && l.b[l.p] != '\r' {
				l.p++
			}
		default:
			return
		}
	}
}

// word reads a run of regular characters.
func (l *lexer) word() []byte {
	start := l.p
	for l.p < len(l.b) && class[l.b[l.p]] == 0 {
		l.p++
	}
	return l.b[start:l.p]
}

// keyword takes a given word, when it is next.
func (l *lexer) keyword(w string) bool {
	l.space()
	save := l.p
	if string(l.word()) == w {
		return true
	}
	l.p = save
	return false
}

// integer reads an unsigned number.
func (l *lexer) integer() (int64, error) {
	l.space()
	w := l.word()
	if l.p == len(l.b) && !l.final {
		return 0, errPDFShort
	}
	n, err := strconv.ParseInt(string(w), 10, 64)
	if err != nil || n < 0 {
		return 0, errPDFSyntax
	}
	return n, nil
}

// value reads one value; a reference counts as one.
func (l *lexer) value(depth int) (any, error) {
	l.nodes++
	if depth > pdfDepth || l.nodes > pdfNodes {
		return nil, errPDFLimit
	}
	l.space()
	if l.p >= len(l.b) {
		return nil, l.more()
	}
	switch c := l.b[l.p]; c {
	case '/':
		return l.name()
	case '(':
		return l.literal()
	case '[':
		return l.array(depth)
	case '<':
		if l.p+1 >= len(l.b) {
			return nil, l.more()
		}
		if l.b[l.p+1] == '<' {
			return l.dict(depth)
		}
		return l.hex()
	}
	return l.plain()
}

// plain reads numbers, references, booleans and null.
func (l *lexer) plain() (any, error) {
	w := l.word()
	if l.p == len(l.b) && !l.final {
		return nil, errPDFShort
	}
	switch string(w) {
	case "null":
		return nil, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "":
		return nil, errPDFSyntax
	}
	n, err := strconv.ParseInt(string(w), 10, 64)
	if err != nil {
		return number(w)
	}
	if n < 0 || w[0] == '+' {
		return n, nil
	}
	return l.reference(n)
}

// number reads a real. What is none is kept as the word that it is: numbers like "--5" are common, and no reader minds. PDF
// knows no exponents (ISO 32000-1, 7.3.3): readers take "1e2" for 1, or for nothing.
func number(w []byte) (any, error) {
	if f, err := strconv.ParseFloat(string(w), 64); err == nil && len(bytes.TrimLeft(w, "+-.0123456789")) == 0 {
		return f, nil
	}
	switch string(w) {
	case "obj", "endobj", "stream", "endstream", "R", "xref", "trailer", "startxref":
		return nil, errPDFSyntax
	}
	return pdfWord(w), nil
}

// reference looks whether a number begins "n g R".
func (l *lexer) reference(n int64) (any, error) {
	save := l.p
	l.space()
	gen := l.word()
	if len(gen) == 0 || len(gen) > 5 || gen[0] < '0' || gen[0] > '9' {
		if l.p == len(l.b) && !l.final {
			return nil, errPDFShort
		}
		l.p = save
		return n, nil
	}
	l.space()
	if l.p+1 >= len(l.b) && !l.final {
		return nil, errPDFShort
	}
	if string(l.word()) != "R" {
		l.p = save
		return n, nil
	}
	g, err := strconv.ParseUint(string(gen), 10, 16)
	if err != nil || n > 1<<31 {
		return nil, errPDFSyntax
	}
	return pdfRef{uint32(n), uint32(g)}, nil
}

func (l *lexer) name() (any, error) {
	l.p++
	w := l.word()
	if l.p == len(l.b) && !l.final {
		return nil, errPDFShort
	}
	for i := range w {
		if w[i] == '#' {
			return unescapeName(w), nil
		}
	}
	return pdfName(w), nil
}

func unescapeName(w []byte) pdfName {
	out := make([]byte, 0, len(w))
	for i := 0; i < len(w); i++ {
		if w[i] == '#' && i+2 < len(w) {
			hi, lo := hexDigit(w[i+1]), hexDigit(w[i+2])
			if hi >= 0 && lo >= 0 {
				out = append(out, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		out = append(out, w[i])
	}
	return pdfName(out)
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func (l *lexer) hex() (any, error) {
	var out []byte
	half := -1
	for l.p++; l.p < len(l.b); l.p++ {
		c := l.b[l.p]
		if c == '>' {
			l.p++
			if half >= 0 {
				out = append(out, byte(half<<4))
			}
			return pdfString(out), nil
		}
		d := hexDigit(c)
		switch {
		case d < 0 && class[c] == 1:
		case d < 0:
			return nil, errPDFSyntax
		case half < 0:
			half = d
		default:
			out, half = append(out, byte(half<<4|d)), -1
		}
	}
	return nil, l.more()
}

func (l *lexer) literal() (any, error) {
	var out []byte
	open := 0
	for ; l.p < len(l.b); l.p++ {
		switch c := l.b[l.p]; c {
		case '(':
			if open++; open > 1 {
				out = append(out, c)
			}
		case ')':
			if open--; open == 0 {
				l.p++
				return pdfString(out), nil
			}
			out = append(out, c)
		case '\\':
			out = l.escape(out)
		default:
			out = append(out, c)
		}
	}
	return nil, l.more()
}

// escape reads what stands after a backslash; p is left on its last byte.
func (l *lexer) escape(out []byte) []byte {
	l.p++
	if l.p >= len(l.b) {
		return out
	}
	switch c := l.b[l.p]; c {
	case 'n':
		return append(out, '\n')
	case 'r':
		return append(out, '\r')
	case 't':
		return append(out, '\t')
	case 'b':
		return append(out, '\b')
	case 'f':
		return append(out, '\f')
	case '\n':
		return out
	case '\r':
		if l.p+1 < len(l.b) && l.b[l.p+1] == '\n' {
			l.p++
		}
		return out
	case '0', '1', '2', '3', '4', '5', '6', '7':
		v := int(c - '0')
		for i := 0; i < 2 && l.p+1 < len(l.b) && l.b[l.p+1] >= '0' && l.b[l.p+1] <= '7'; i++ {
			l.p++
			v = v<<3 | int(l.b[l.p]-'0')
		}
		return append(out, byte(v))
	default:
		return append(out, c)
	}
}

func (l *lexer) array(depth int) (any, error) {
	l.p++
	out := pdfArray{}
	for {
		l.space()
		if l.p >= len(l.b) {
			return nil, l.more()
		}
		if l.b[l.p] == ']' {
			l.p++
			return out, nil
		}
		v, err := l.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
}

func (l *lexer) dict(depth int) (any, error) {
	start := l.p
	l.p += 2
	d := &pdfDict{}
	for {
		l.space()
		if l.p+1 >= len(l.b) {
			return nil, l.more()
		}
		if l.b[l.p] == '>' && l.b[l.p+1] == '>' {
			l.p += 2
			if d.get("ByteRange") != nil && l.base >= 0 {
				d.from, d.to = l.base+int64(start), l.base+int64(l.p)
			}
			return d, nil
		}
		if l.b[l.p] != '/' {
			return nil, errPDFSyntax
		}
		if err := l.pair(d, depth); err != nil {
			return nil, err
		}
	}
}

func (l *lexer) pair(d *pdfDict, depth int) error {
	k, err := l.name()
	if err != nil {
		return err
	}
	key := k.(pdfName)
	l.space()
	start := l.p
	v, err := l.value(depth + 1)
	if err != nil {
		return err
	}
	if key == "Contents" && l.base >= 0 && l.b[start] == '<' {
		if _, ok := v.(pdfString); ok {
			d.contentsAt, d.contentsEnd = l.base+int64(start), l.base+int64(l.p)
		}
	}
	d.add(key, v)
	return nil
}
