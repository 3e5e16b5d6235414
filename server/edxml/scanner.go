package edxml

import (
	"bytes"
	"fmt"
	"io"
)

// The scanner answers: which tag or piece of text comes next? It reads well-formed XML 1.0 without DOCTYPE in constant memory: a text
// of any size comes in pieces of at most one buffer, so that 100 MB of base64 are never in one place (encoding/xml would hold them).
// Prefixes are read over, bound or not: real packets use edXML: outside its scope, and VNPT's parser does not look.

// Limits of what is scanned. Depth and attributes are the issue's; the others bound what one tag can make us hold.
const (
	maxDepth      = 64
	maxAttributes = 256
	maxName       = 256     // bytes of one element or attribute name
	maxTag        = 1 << 16 // bytes of all attribute names and values of one tag
	bufferSize    = 1 << 16
)

type token int8

const (
	tokenStart token = iota + 1
	tokenEnd
	tokenText
	tokenEOF
)

type scanner struct {
	src      io.Reader
	buf      []byte // unread bytes are buf[pos:end]
	pos, end int
	failed   error // what src ended with, io.EOF included
	line     int

	begun, rootSeen, inCDATA, selfClosed bool
	undeclared                           bool // no XML declaration

	stack  []frame
	closed frame  // the element that the last tokenEnd ended
	raw    []byte // qualified names of the open elements, one after the other
	tag    attributes
	text   []byte // of tokenText; valid until the next call
	rune4  [4]byte
}

// frame is an open element.
type frame struct {
	local string
	index int // among its siblings of that name, from 1
	line  int
	raw   int // where its qualified name begins in scanner.raw
	kids  []kid
}

// kid counts the children of one name; a frame counts the names of packets and at most maxKids others.
type kid struct {
	local string
	count int
}

const maxKids = 64

func newScanner(r io.Reader) *scanner {
	return &scanner{src: r, buf: scannerBuffers.Get().(*[bufferSize]byte)[:], line: 1}
}

// next gives the next token. Comments and processing instructions are skipped, CDATA is text.
func (s *scanner) next() (token, error) {
	if !s.begun {
		s.begun = true
		if err := s.prolog(); err != nil {
			return 0, err
		}
	}
	if s.selfClosed {
		s.selfClosed = false
		s.pop()
		return tokenEnd, nil
	}
	for {
		tok, err := s.step()
		if tok != 0 || err != nil {
			return tok, err
		}
	}
}

// step reads one construct; token 0 means that there was nothing to tell.
func (s *scanner) step() (token, error) {
	if s.inCDATA {
		return s.cdata()
	}
	if !s.need(1) {
		return s.finish()
	}
	if s.buf[s.pos] != '<' {
		return s.chars()
	}
	if !s.need(2) {
		return 0, s.broken()
	}
	switch s.buf[s.pos+1] {
	case '/':
		return s.endTag()
	case '?':
		return 0, s.instruction()
	case '!':
		return 0, s.declaration()
	}
	return s.startTag()
}

// finish says whether the file may end here.
func (s *scanner) finish() (token, error) {
	if s.failed != io.EOF || len(s.stack) > 0 || !s.rootSeen {
		return 0, s.broken()
	}
	return tokenEOF, nil
}

// need has n bytes unread in the buffer (n is small), or says that src does not give them.
func (s *scanner) need(n int) bool {
	for s.end-s.pos < n {
		if s.failed != nil {
			return false
		}
		if s.pos > 0 {
			s.end = copy(s.buf, s.buf[s.pos:s.end])
			s.pos = 0
		}
		s.fill()
	}
	return true
}

func (s *scanner) fill() {
	for range 100 { // a reader that gives nothing a hundred times is broken
		n, err := s.src.Read(s.buf[s.end:])
		s.end += n
		s.failed = err
		if n > 0 || err != nil {
			return
		}
	}
	s.failed = io.ErrNoProgress
}

// take consumes n bytes of the buffer and counts their lines.
func (s *scanner) take(n int) []byte {
	b := s.buf[s.pos : s.pos+n]
	s.line += bytes.Count(b, newline)
	s.pos += n
	return b
}

var newline = []byte{'\n'}

// broken is the error where bytes were needed and src gave none.
func (s *scanner) broken() error {
	if s.failed != nil && s.failed != io.EOF {
		return fmt.Errorf("read the packet: %w", s.failed)
	}
	if len(s.stack) == 0 && !s.rootSeen {
		return s.bad("Tệp không có nội dung XML.", "The file holds no XML element.", fixResend)
	}
	return s.bad("Tệp kết thúc giữa chừng.", "The file ends in the middle.", fixResend)
}

const (
	fixResend = "Gửi lại trọn tệp / Send the whole file again"
	fixWrite  = "Ghi lại gói tin bằng thư viện XML / Write the packet with an XML library"
	fixSmall  = "Bỏ phần thừa trong gói tin / Take out what is not part of the packet"
)

// bad is the error for what is not well-formed.
func (s *scanner) bad(vi, en, fix string) error {
	return &Unreadable{Problem: sentence{Malformed, vi, en, fix}.at(s.path(), s.line)}
}

// refuse is the error for XML that we do not read.
func (s *scanner) refuse(kind Defect, vi, en, fix string) error {
	return &Unreadable{Problem: sentence{kind, vi, en, fix}.at(s.path(), s.line), XML: true}
}
