package edxml

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"sync"
)

// payload answers: which bytes does this base64 text stand for? It pulls the text of ContentTransferEncoded from the scanner piece by
// piece and decodes it as Java's common decoder does: blanks and letters outside the alphabet are left out (the latter with a
// warning), "-" and "_" are "+" and "/", the first "=" ends it.
type payload struct {
	d      *reader
	buffer *bufio.Reader
	text   []byte // alphabet letters not yet decoded, fewer than four between calls
	plain  []byte // decoded, not yet given
	store  []byte // what plain is cut from
	path   string
	line   int
	ended  bool // "=" was seen
	odd    bool // warned
	failed error
}

// Buffers are used again: reading a packet would otherwise leave more bytes behind than many a packet has.
const payloadStore = (bufferSize + 4) / 4 * 3

var (
	payloadStores  = sync.Pool{New: func() any { return new([payloadStore]byte) }}
	payloadBuffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 32<<10) }}
	scannerBuffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}
)

// release gives the buffers back. Nothing may be read after it.
func (d *reader) release() {
	scannerBuffers.Put((*[bufferSize]byte)(d.s.buf))
	d.s.buf = nil
	if d.payload.store != nil {
		payloadStores.Put((*[payloadStore]byte)(d.payload.store))
		d.payload.store = nil
	}
	if d.payload.buffer != nil {
		d.payload.buffer.Reset(nil)
		payloadBuffers.Put(d.payload.buffer)
		d.payload.buffer = nil
	}
}

func (p *payload) begin(d *reader) {
	if p.store == nil {
		p.store = payloadStores.Get().(*[payloadStore]byte)[:]
	}
	*p = payload{d: d, buffer: p.buffer, text: p.text[:0], store: p.store, path: d.s.path(), line: d.s.top().line}
}

// Read gives decoded bytes until the element ends. Every fault of the packet comes back each time it is called.
func (p *payload) Read(b []byte) (int, error) {
	for len(p.plain) == 0 {
		if p.failed != nil {
			return 0, p.failed
		}
		p.failed = p.more()
	}
	n := copy(b, p.plain)
	p.plain = p.plain[n:]
	return n, nil
}

// more takes the next token of the element.
func (p *payload) more() error {
	if p.swift() {
		return nil
	}
	tok, err := p.d.s.next()
	switch {
	case err != nil:
		return err
	case tok == tokenEnd:
		p.decodeRest()
		return io.EOF
	case tok == tokenStart:
		p.warn("có phần tử con, bị bỏ qua.", "has an element within, which is skipped.")
		return p.d.unknown()
	}
	p.collect(p.d.s.text)
	return p.decode()
}

// swift decodes what is nothing but whole groups of the standard alphabet, and most payloads are that, right out of the
// scanner's buffer. Everything else it leaves to the scanner and the pieces below, with the bytes that it could not use.
func (p *payload) swift() bool {
	s := p.d.s
	if len(p.text) > 0 || p.ended || s.inCDATA || s.selfClosed || !s.need(4) {
		return false
	}
	text := s.buf[s.pos:s.end]
	if end := bytes.IndexByte(text, '<'); end >= 0 {
		text = text[:end]
	}
	text = text[:len(text)&^3]
	if len(text) == 0 || text[len(text)-1] == '=' {
		return false
	}
	n, err := base64.StdEncoding.Decode(p.store, text)
	if err != nil {
		return false
	}
	s.take(len(text))
	p.plain = p.store[:n]
	return true
}

// alphabet gives the letter of standard base64 for a byte, or what else it is.
var alphabet = func() (t [256]byte) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = c
	}
	t['-'], t['_'] = '+', '/'
	t[' '], t['\t'], t['\r'], t['\n'] = blank, blank, blank, blank
	return t
}()

const blank = 128 // in alphabet: skipped; 0: not base64

// collect takes over the letters of a piece of text, run by run.
func (p *payload) collect(text []byte) {
	for len(text) > 0 {
		n := 0
		for n < len(text) && alphabet[text[n]] == text[n] {
			n++
		}
		if n > 0 && !p.ended {
			p.text = append(p.text, text[:n]...)
			text = text[n:]
			continue
		}
		p.collectByte(text[0])
		text = text[1:]
	}
}

// collectByte takes what is not simply a letter of the alphabet.
func (p *payload) collectByte(c byte) {
	switch letter := alphabet[c]; {
	case letter == blank:
	case c == '=':
		p.ended = true
	case letter == 0, p.ended:
		p.warn("không phải base64 đúng chuẩn.", "is not proper base64.")
	default: // "-" or "_"
		p.text = append(p.text, letter)
	}
}

// decode decodes all whole groups of four and keeps the rest.
func (p *payload) decode() error {
	whole := len(p.text) &^ 3
	n, err := base64.StdEncoding.Decode(p.store, p.text[:whole])
	p.plain = p.store[:n]
	p.text = p.text[:copy(p.text, p.text[whole:])]
	return err
}

// decodeRest decodes the last one or two bytes.
func (p *payload) decodeRest() {
	if len(p.text) == 1 || len(p.text) > 0 && !p.ended {
		p.warn("bị cắt ngắn.", "is cut short.")
	}
	if len(p.text) > 1 {
		n, _ := base64.RawStdEncoding.Decode(p.store, p.text) // letters of the alphabet only: it cannot fail
		p.plain = p.store[:n]
	}
}

func (p *payload) warn(vi, en string) {
	if p.odd {
		return
	}
	p.odd = true
	p.d.warn(p.path, p.d.s.line, malformed("ContentTransferEncoded", vi, en, "Mã hóa lại tệp bằng base64 / Encode the file in base64 again"))
}
