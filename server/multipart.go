package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"os"
	"unicode/utf8"

	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/storage"
)

// multipartParts reads the parts of a native submission after its first one.
type multipartParts struct {
	reader *multipart.Reader
	tail   *tail
}

func (m multipartParts) next() (part, error) {
	p, err := m.reader.NextRawPart()
	if errors.Is(err, io.EOF) && !m.tail.ended() {
		return part{}, problem("body", "") // cut off between two parts, or in the header of one
	}
	if errors.Is(err, io.EOF) {
		return part{}, io.EOF
	}
	if err != nil {
		return part{}, bodyProblem(err)
	}
	switch p.FormName() {
	case "file":
		return part{name: rawFileName(p), mediaType: p.Header.Get("Content-Type"), body: p}, nil
	case "signature":
		return part{signature: true, body: p}, nil
	}
	name := p.FormName()
	if len(name) > 100 || !utf8.ValidString(name) {
		name = "?"
	}
	return part{}, problem("part_unknown", "", name)
}

// tail remembers the last bytes of a body: mime/multipart says io.EOF both after the closing boundary and where a body
// was cut off in a part's header, and a dispatch whose last files are missing must not be taken for whole.
type tail struct {
	reader io.Reader
	end    string // the closing boundary
	last   []byte
}

// Read passes on and remembers.
func (t *tail) Read(b []byte) (int, error) {
	n, err := t.reader.Read(b)
	const most = 8 << 10 // the closing boundary and what little may follow it; reads are wide, so little is copied
	t.last = append(t.last, b[max(0, n-most):n]...)
	if over := len(t.last) - most; over > most { // now and then, so that it costs nothing
		t.last = append(t.last[:0], t.last[over:]...)
	}
	return n, err
}

func (t *tail) ended() bool { return bytes.Contains(t.last, []byte(t.end)) }

// rawFileName is the filename as sent: Part.FileName would cut a path down to its base in silence.
func rawFileName(p *multipart.Part) string {
	_, params, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	return params["filename"]
}

// bodyProblem tells a client's broken body from a limit of ours that it ran into.
func bodyProblem(err error) error {
	var p *Problem
	var packet *edxml.Unreadable
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, edxml.ErrAside), errors.Is(err, storage.ErrUnavailable): // our disk, not the body
		return fmt.Errorf("%w: %w", storage.ErrUnavailable, err)
	case errors.As(err, &packet):
		return packetProblem([]edxml.Problem{packet.Problem})
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return problem("timeout", "")
	}
	return problem("body", "")
}
