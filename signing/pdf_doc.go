package signing

import (
	"errors"
	"io"
)

// pdfDoc reads objects of a PDF on demand, within bounds that its size sets: no file may make us use more than a few times
// its size, nor much time.
type pdfDoc struct {
	r        io.ReaderAt
	size     int64
	limit    int64          // no byte from here on is read; size but while looking at what was signed
	sections []*xrefSection // newest first
	xrefs    map[int64]bool // where cross-reference sections stand

	offsets []int64 // see starts
	clean   bool    // see endsCleanly
	rebuilt bool    // the oldest section is made of what objects were found

	entries, entriesBefore int64
	inflated               int64 // bytes, in all
	parsed                 int64 // bytes looked at by the lexer, in all

	buf        []byte // see scratch
	cache      map[xrefEntry]any
	cacheBytes int64
	packs      map[int64]*objectPack
	packBytes  int64
}

func newPDFDoc(r io.ReaderAt, size int64) *pdfDoc {
	return &pdfDoc{r: r, size: size, limit: size, xrefs: map[int64]bool{}, cache: map[xrefEntry]any{}, packs: map[int64]*objectPack{}}
}

func (d *pdfDoc) spendEntries(n int64) error {
	d.entries += n
	if n < 0 || d.entries > 50_000+d.size/8 {
		return errPDFLimit
	}
	return nil
}

func (d *pdfDoc) spendParsed(n int64) error {
	d.parsed += n
	if d.parsed > 64<<20+24*d.size {
		return errPDFLimit
	}
	return nil
}

// bytes reads n bytes from at, fewer at the end of the file.
func (d *pdfDoc) bytes(at, n int64) ([]byte, error) {
	if at < 0 || at > d.limit {
		return nil, errPDFSyntax
	}
	b := make([]byte, min(n, d.limit-at))
	return b, readFull(d.r, b, at)
}

// scratch is bytes, in a buffer that the next call takes again: what the lexer makes of it are copies.
func (d *pdfDoc) scratch(at, n int64) ([]byte, error) {
	if at < 0 || at > d.limit {
		return nil, errPDFSyntax
	}
	n = min(n, d.limit-at)
	if int64(cap(d.buf)) < n {
		d.buf = make([]byte, n)
	}
	return d.buf[:n], readFull(d.r, d.buf[:n], at)
}

// widen gives f ever more bytes from at until it no longer asks for more.
func (d *pdfDoc) widen(at, n int64, f func(*lexer) error) error {
	for {
		b, err := d.scratch(at, n)
		if err != nil {
			return err
		}
		l := &lexer{b: b, base: at, final: at+int64(len(b)) == d.limit}
		err = f(l)
		if spent := d.spendParsed(64 + int64(l.p)); spent != nil {
			return spent
		}
		if !errors.Is(err, errPDFShort) {
			return err
		}
		if n > 64<<20 {
			return errPDFLimit
		}
		n *= 8
	}
}

// objectAt reads "n g obj …" at an offset.
func (d *pdfDoc) objectAt(at int64) (num uint32, v any, err error) {
	err = d.widen(at, 1024, func(l *lexer) error {
		n, err := l.integer()
		if err != nil {
			return err
		}
		if _, err = l.integer(); err != nil {
			return err
		}
		if !l.keyword("obj") {
			if len(l.b)-l.p < 4 {
				return l.more()
			}
			return errPDFSyntax
		}
		if v, err = l.value(0); err != nil {
			return err
		}
		num = uint32(n)
		return d.streamOf(l, &v)
	})
	return num, v, err
}

// streamOf turns a dictionary that "stream" follows into a stream.
func (d *pdfDoc) streamOf(l *lexer, v *any) error {
	dict, ok := (*v).(*pdfDict)
	if !ok {
		return nil
	}
	l.space()
	if len(l.b)-l.p < 8 && !l.final {
		return errPDFShort
	}
	if !l.keyword("stream") {
		return nil
	}
	blank := l.p
	for blank < len(l.b) && (l.b[blank] == ' ' || l.b[blank] == '\t') {
		blank++
	}
	if blank < len(l.b) && (l.b[blank] == '\r' || l.b[blank] == '\n') {
		l.p = blank // blanks before the end of the line, as some producers leave
	}
	if l.p < len(l.b) && l.b[l.p] == '\r' {
		l.p++
	}
	if l.p < len(l.b) && l.b[l.p] == '\n' {
		l.p++
	}
	*v = &pdfStream{dict: dict, at: l.base + int64(l.p)}
	return nil
}
