package signing

import (
	"errors"
	"io"
)

// Limits on what a stranger's message may make us do.
const (
	maxDepth    = 24      // nesting of BER elements; a real CAdES message with a timestamp has at most 20
	maxTokens   = 4       // messages within messages: timestamps, and timestamps of their archives
	maxFrame    = 1 << 20 // bytes of a CMS besides its content
	maxFramePDF = 8 << 20 // the same for one inside a PDF, where revocation lists may be embedded
	maxSegments = 1 << 20 // pieces of a constructed content
)

var (
	errMalformed = errors.New("malformed BER")
	errTooDeep   = errors.New("BER nested too deeply")
	errTooLarge  = errors.New("BER too large")
	errKind      = errors.New("a kind of CMS that holds no signature we can check")
)

// element is the place of one BER element in a source.
type element struct {
	tag        byte  // identifier octet; high tag numbers are not used in CMS and are refused
	at         int64 // of the identifier octet
	body       int64 // of the contents
	bodyEnd    int64 // after the contents
	end        int64 // after the element, end-of-contents octets included
	indefinite bool
}

func (e element) constructed() bool { return e.tag&0x20 != 0 }

// source reads BER through a small window, so that a content of any size is never in memory.
type source struct {
	r      io.ReaderAt
	size   int64
	window []byte
	at     int64
	steps  int             // elements looked at: bounds the time spent on tiny elements
	ends   map[int64]int64 // where long elements of indefinite length end, by where they begin: they lie in one another
}

// longElement is from what length on the end of an element is remembered.
const longElement = 64 << 10

const windowSize = 4096

func newSource(r io.ReaderAt, size int64) *source { return &source{r: r, size: size} }

// peek gives up to n bytes (n ≤ windowSize) at an offset, fewer at the end.
func (s *source) peek(at int64, n int) ([]byte, error) {
	if at < 0 || at > s.size {
		return nil, errMalformed
	}
	if rest := s.size - at; int64(n) > rest {
		n = int(rest)
	}
	if at < s.at || at+int64(n) > s.at+int64(len(s.window)) {
		want := min(int64(windowSize), s.size-at)
		if cap(s.window) < windowSize {
			s.window = make([]byte, 0, windowSize)
		}
		s.window = s.window[:want]
		s.at = at
		if err := readFull(s.r, s.window, at); err != nil {
			s.window = s.window[:0]
			return nil, err
		}
	}
	return s.window[at-s.at:][:n], nil
}

// readFull fills b from at; io.EOF with all bytes read is no error.
func readFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// next reads the element at an offset that must end by limit. Indefinite lengths are followed to their end.
func (s *source) next(at, limit int64, depth int) (element, error) {
	if depth > maxDepth {
		return element{}, errTooDeep
	}
	s.steps++
	if s.steps > 4*maxSegments {
		return element{}, errTooLarge
	}
	e, err := s.header(at, limit)
	if err != nil || !e.indefinite {
		return e, err
	}
	return s.closed(e, limit, depth)
}

// header reads identifier and length octets.
func (s *source) header(at, limit int64) (element, error) {
	b, err := s.peek(at, 7)
	if err != nil {
		return element{}, err
	}
	if len(b) < 2 || b[0]&0x1F == 0x1F || b[0] == 0 {
		return element{}, errMalformed
	}
	e := element{tag: b[0], at: at}
	length, used := int64(b[1]), 2
	if b[1] == 0x80 {
		if !e.constructed() {
			return element{}, errMalformed
		}
		e.indefinite, e.body = true, at+2
		return e, nil
	}
	if b[1] > 0x80 {
		n := int(b[1] & 0x7F)
		if n > 5 || len(b) < 2+n {
			return element{}, errMalformed
		}
		length = 0
		for _, c := range b[2 : 2+n] {
			length = length<<8 | int64(c)
		}
		used += n
	}
	e.body = at + int64(used)
	e.bodyEnd = e.body + length
	e.end = e.bodyEnd
	if e.end > limit {
		return element{}, errMalformed
	}
	return e, nil
}

// closed walks the parts of an indefinite element up to its end-of-contents octets.
func (s *source) closed(e element, limit int64, depth int) (element, error) {
	if end, ok := s.ends[e.at]; ok && end <= limit {
		e.bodyEnd, e.end = end-2, end
		return e, nil
	}
	for at := e.body; ; {
		b, err := s.peek(at, 2)
		if err != nil {
			return e, err
		}
		if len(b) < 2 || at+2 > limit {
			return e, errMalformed
		}
		if b[0] == 0 && b[1] == 0 {
			e.bodyEnd, e.end = at, at+2
			if e.end-e.at > longElement {
				if s.ends == nil {
					s.ends = map[int64]int64{}
				}
				s.ends[e.at] = e.end
			}
			return e, nil
		}
		part, err := s.next(at, limit, depth+1)
		if err != nil {
			return e, err
		}
		at = part.end
	}
}

// parts lists the elements within e.
func (s *source) parts(e element, depth, most int) ([]element, error) {
	var out []element
	for at := e.body; at < e.bodyEnd; {
		part, err := s.next(at, e.bodyEnd, depth+1)
		if err != nil {
			return nil, err
		}
		if len(out) == most {
			return nil, errTooLarge
		}
		out = append(out, part)
		at = part.end
	}
	return out, nil
}

// der reads an element into memory, as DER: lengths made definite and minimal, constructed strings joined. What is DER
// already comes back byte for byte.
func (s *source) der(e element, depth int, room *int64) ([]byte, error) {
	n := e.end - e.at
	if *room -= n; *room < 0 {
		return nil, errTooLarge
	}
	raw := make([]byte, n)
	if err := readFull(s.r, raw, e.at); err != nil {
		return nil, err
	}
	return normal(raw, depth)
}

// sliceReader is a bytes.Reader without its state.
type sliceReader []byte

func (b sliceReader) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 || at >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
