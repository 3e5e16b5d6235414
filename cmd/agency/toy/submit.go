package toy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"sync"
)

// Submission is exactly what goes over the wire. Sent twice it is byte for byte the same but for the separator
// between its parts, so that a repeated submission can only be a replay.
type Submission struct {
	Part      []byte // the first part: a Dispatch as JSON, or an edXML packet
	EdXML     bool   // Part is an edXML packet
	Files     []File // in order; with EdXML they are inside the packet
	Signature []byte // detached PKCS#7 (DER) over the exact bytes of Part; nil: none
	Key       string // Idempotency-Key; "" none: sender and document id identify a document anyhow
}

// Compose fixes the bytes of a dispatch. sign, when not nil, gets the exact bytes of the first part and gives a
// detached PKCS#7 signature (DER) over them.
func Compose(d Dispatch, sign func(part []byte) ([]byte, error), files ...File) (Submission, error) {
	return compose(nil, d, sign, files)
}

func compose(part []byte, d Dispatch, sign func([]byte) ([]byte, error), files []File) (s Submission, err error) {
	s = Submission{Part: part, Files: files}
	if part == nil {
		if s.Part, err = json.Marshal(d); err != nil {
			return s, &LocalError{Name: d.DocumentID, Err: err}
		}
	}
	if sign == nil {
		return s, nil
	}
	if s.Signature, err = sign(s.Part); err != nil {
		return s, &LocalError{Name: "sign " + d.DocumentID, Err: err}
	}
	return s, nil
}

// Submit sends a document. It streams: memory does not grow with the files. An Answer means that the axis has it
// durably (201, or 200 when it had it before); a *Problem that is not Later means that it refused; after anything else
// nobody knows, and the same submission should be sent again.
func (c *Client) Submit(ctx context.Context, s Submission) (Answer, error) {
	body, err := multipartBody(s)
	if err != nil {
		return Answer{}, err
	}
	// The transport closes the body, perhaps after the answer: closing it here too would race with its last read.
	k := call{method: http.MethodPost, path: "/dispatches", body: body, length: body.length}
	k.header = http.Header{"Content-Type": {body.mediaType}, "Accept": {"application/json"}}
	if s.Key != "" {
		k.header.Set("Idempotency-Key", s.Key)
	}
	k.want = []int{http.StatusCreated, http.StatusOK}
	res, err := c.do(ctx, k)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{HTTPStatus: res.StatusCode}
	if err := decode(res, &a); err != nil {
		return Answer{}, err
	}
	if a.ID == "" {
		return Answer{}, fmt.Errorf("%w: no dispatch id", ErrUnreadable)
	}
	return a, nil
}

// bodyOf is a multipart body read from its pieces one after another: no goroutine, no copy of a file.
type bodyOf struct {
	mu        sync.Mutex // the transport may close while it reads
	pieces    []piece
	open      io.ReadCloser
	left      int64 // of the open piece; below 0 when its size is unknown
	length    int64 // of everything; -1 when unknown
	mediaType string
}

type piece struct {
	head []byte // what stands before the file: separator and part header
	file *File  // nil: only the head
}

func multipartBody(s Submission) (*bodyOf, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	body := &bodyOf{mediaType: w.FormDataContentType()}
	cut := func(f *File) {
		body.pieces = append(body.pieces, piece{head: bytes.Clone(b.Bytes()), file: f})
		b.Reset()
	}
	name, mediaType := "dispatch", "application/json"
	if s.EdXML {
		name, mediaType = "edxml", "application/xml"
	}
	if err := writePart(w, name, "", mediaType, s.Part); err != nil {
		return nil, err
	}
	for i := range s.Files {
		f := &s.Files[i]
		if err := writePart(w, "file", f.Name, f.MediaType, nil); err != nil {
			return nil, err
		}
		cut(f)
	}
	if s.Signature != nil {
		if err := writePart(w, "signature", "signature.p7s", "application/pkcs7-signature", s.Signature); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	cut(nil)
	body.measure()
	return body, nil
}

func writePart(w *multipart.Writer, name, filename, mediaType string, content []byte) error {
	h := textproto.MIMEHeader{}
	if mediaType == "" {
		mediaType = "application/octet-stream"
	}
	disposition := fmt.Sprintf(`form-data; name="%s"`, name)
	if filename != "" {
		disposition = multipart.FileContentDisposition(name, filename)
	}
	h.Set("Content-Disposition", disposition)
	h.Set("Content-Type", mediaType)
	p, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	_, err = p.Write(content)
	return err
}

func (b *bodyOf) measure() {
	for _, p := range b.pieces {
		b.length += int64(len(p.head))
		if p.file == nil {
			continue
		}
		if p.file.Size < 0 {
			b.length = -1
			return
		}
		b.length += p.file.Size
	}
}

// Read gives the heads and the files in turn. A file that cannot be read, or is not as long as it said, is a
// *LocalError: it would come to the axis as a body that stops half-way.
func (b *bodyOf) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.pieces) > 0 {
		now := &b.pieces[0]
		if len(now.head) > 0 {
			n := copy(p, now.head)
			now.head = now.head[n:]
			return n, nil
		}
		if now.file == nil {
			b.pieces = b.pieces[1:]
			continue
		}
		n, err := b.readFile(now.file, p)
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.EOF
}

func (b *bodyOf) readFile(f *File, p []byte) (int, error) {
	if b.open == nil {
		r, err := f.Open()
		if err != nil {
			return 0, &LocalError{Name: f.Name, Err: err}
		}
		b.open, b.left = r, f.Size
	}
	n, err := b.open.Read(p)
	if b.left -= int64(n); f.Size >= 0 && b.left < 0 {
		return 0, &LocalError{Name: f.Name, Err: fmt.Errorf("is longer than %d bytes", f.Size)}
	}
	if err == nil {
		return n, nil
	}
	if err != io.EOF {
		return 0, &LocalError{Name: f.Name, Err: err}
	}
	if f.Size >= 0 && b.left > 0 {
		return 0, &LocalError{Name: f.Name, Err: fmt.Errorf("is %d bytes shorter than %d", b.left, f.Size)}
	}
	err = b.closeFile()
	b.pieces = b.pieces[1:]
	return n, err
}

// Close ends the file that is being read, if any; nothing can be read afterwards.
func (b *bodyOf) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pieces = nil
	return b.closeFile()
}

func (b *bodyOf) closeFile() error {
	if b.open == nil {
		return nil
	}
	r := b.open
	b.open = nil
	return r.Close()
}
