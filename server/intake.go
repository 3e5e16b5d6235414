package server

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// part is one file or signature of a body.
type part struct {
	signature bool
	name      string
	mediaType string
	body      io.Reader
}

// received is a file that lies durably under its upload key.
type received struct {
	storage.Attachment
	upload  storage.Upload
	content io.ReaderAt
	close   func() error
	stream  *signing.Stream
	report  int // its place in the report
}

// maxSignature bounds a detached PKCS#7: with a whole path and revocation data it has some tens of kilobytes.
const maxSignature = 1 << 20

// takeFiles streams every further part, once, through SHA-256 into the object store.
func (s *Server) takeFiles(ctx context.Context, sub *submission, body parts) error {
	var total int64
	most, way := s.dispatchLimit(sub.to)
	for count := 0; ; count++ {
		p, err := body.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if count >= s.Limits.Parts {
			return problem("parts", "", s.Limits.Parts)
		}
		if p.signature {
			if sub.signature != nil {
				return problem("signature_twice", "signature")
			}
			if err := sub.takeSignature(p.body); err != nil {
				return err
			}
			continue
		}
		if err := s.takeFile(ctx, sub, p); err != nil {
			return err
		}
		if total += sub.files[len(sub.files)-1].Size; total > most {
			return problem("dispatch_large", "file", most, way)
		}
	}
	if len(sub.files) == 0 && sub.kind != storage.Recall {
		return problem("files_none", "file")
	}
	return nil
}

// dispatchLimit is the smallest limit among the ways of all recipients.
func (s *Server) dispatchLimit(to []routing.Recipient) (most int64, way routing.Way) {
	most = s.Limits.Dispatch
	for _, r := range to {
		if l, ok := s.Limits.PerWay[r.Route.Way]; ok && l < most {
			most, way = l, r.Route.Way
		}
	}
	return most, way
}

func (sub *submission) takeSignature(body io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(body, maxSignature+1))
	if err != nil {
		return bodyProblem(err)
	}
	if len(raw) > maxSignature {
		return problem("signature_large", "signature")
	}
	sub.signature = raw
	return nil
}

// takeFile stores one file. On return sub.files has it, or nothing is stored of it.
func (s *Server) takeFile(ctx context.Context, sub *submission, p part) error {
	f, err := s.newFile(p)
	if err != nil {
		return err
	}
	f.kept, f.err = s.Store.Objects.Put(ctx, f.key, f.in, true)
	return s.fileStored(ctx, sub, f)
}

// storing is a file on its way into the store.
type storing struct {
	name, mediaType, key string
	in                   *intake
	kept                 storage.Kept
	err                  error          // of the store
	pipe                 *io.PipeWriter // open until end
	done                 chan struct{}  // closed when the store has ended; nil when it was waited for
}

// end lets the store make durable what it has.
func (f *storing) end() { _ = f.pipe.Close() } // never fails

func (s *Server) newFile(p part) (*storing, error) {
	name, ok := cleanName(p.name)
	if !ok {
		return nil, problem("file_name", "file")
	}
	return &storing{name: name, mediaType: cleanType(p.mediaType), key: storage.NewKey(s.Now()),
		in: &intake{reader: p.body, left: s.Limits.File, sum: signing.NewStream()}}, nil
}

// fileStored takes over what the store has kept, or says why there is nothing.
func (s *Server) fileStored(ctx context.Context, sub *submission, f *storing) error {
	switch {
	case f.in.large:
		s.Store.Discard(ctx, []storage.Upload{{Key: f.key}})
		return problem("file_large", f.name, f.name, s.Limits.File)
	case f.in.failed != nil: // the client's stream broke, not our store
		return f.in.failed
	case f.err != nil:
		return fmt.Errorf("%w: store %s: %w", storage.ErrUnavailable, f.key, f.err) // full, away or broken: the sender tries again
	}
	r := received{content: f.kept.ReaderAt, close: f.kept.Close, stream: f.in.sum}
	r.Attachment.Name, r.MediaType = f.name, f.mediaType
	r.Object = storage.Object{SHA256: hex.EncodeToString(f.in.sum.Sum()), Size: f.kept.Size}
	r.upload = storage.Upload{Object: r.Object, Key: f.key}
	sub.files = append(sub.files, r)
	return sub.overlook(checkContent(r))
}

// startFile stores one file, too, but waits only until all of it was read; after its end it becomes durable beside others.
func (s *Server) startFile(ctx context.Context, p part) (*storing, int64, error) {
	f, err := s.newFile(p)
	if err != nil {
		return nil, 0, err
	}
	reader, writer := io.Pipe()
	f.pipe, f.done = writer, make(chan struct{})
	go func() { // ends with the pipe, which end or what follows closes
		defer close(f.done)
		f.kept, f.err = s.Store.Objects.Put(ctx, f.key, reader, true)
		_ = reader.CloseWithError(f.err) // nil: everything was read
	}()
	n, err := io.Copy(writer, f.in)
	if err != nil {
		_ = writer.CloseWithError(err) // what went wrong is told by fileStored, by in or by err
	}
	return f, n, nil
}

// overlook makes a warning of what is odd about a file that came over the VXP face: there only what the axis cannot do
// without refuses.
func (sub *submission) overlook(err error) error {
	var odd *Problem
	if sub.lenient && errors.As(err, &odd) {
		sub.warnings = append(sub.warnings, *odd)
		return nil
	}
	return err
}

// intake is a body on its way to the store: counted, hashed, bounded.
type intake struct {
	reader io.Reader
	sum    *signing.Stream
	left   int64
	large  bool
	failed error
}

func (in *intake) Read(b []byte) (int, error) {
	n, err := in.reader.Read(b)
	if in.left -= int64(n); in.left < 0 {
		in.large = true
		return 0, errors.New("file over its limit")
	}
	_, _ = in.sum.Write(b[:n])       // a hash never fails
	if err != nil && err != io.EOF { // bare: the store, too, takes no wrapped one for the end
		in.failed = bodyProblem(err)
	}
	return n, err
}

// checkContent refuses what no recipient could use: empty files, PDFs that are none, archives that expand too far.
func checkContent(f received) error {
	if f.Size == 0 {
		return problem("file_empty", f.Name, f.Name)
	}
	head := make([]byte, min(1024, f.Size))
	if _, err := f.content.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read back %s: %w", f.upload.Key, err)
	}
	extension := strings.ToLower(path.Ext(f.Name))
	if extension == ".pdf" && !strings.Contains(string(head), "%PDF-") { // ISO 32000-1 annex H.3: within the first 1,024 bytes
		return problem("not_pdf", f.Name, f.Name)
	}
	if strings.HasPrefix(string(head), "PK\x03\x04") && zipBomb(f) {
		return problem("zip_bomb", f.Name, f.Name)
	}
	return nil
}

// cleanName takes a file's name as a name: NFC is left as it came, but a path, control characters, and names that mean
// something to a file system are refused, never mended in silence; so are the marks that make a name read backwards.
func cleanName(name string) (string, bool) {
	bad := name == "" || name == "." || name == ".." || utf8.RuneCountInString(name) > 500 || !utf8.ValidString(name) ||
		strings.ContainsAny(name, "/\\\x00") || strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) })
	return name, !bad
}

func cleanType(given string) string {
	media, params, err := mime.ParseMediaType(given)
	if err != nil || len(given) > 200 {
		return "application/octet-stream"
	}
	if clean := mime.FormatMediaType(media, params); clean != "" {
		return clean
	}
	return "application/octet-stream"
}

// drop deletes what a refused submission stored, within the request, whatever became of its context.
func (s *Server) drop(ctx context.Context, sub *submission) {
	sub.closeFiles()
	uploads := make([]storage.Upload, len(sub.files))
	for i, f := range sub.files {
		uploads[i] = f.upload
	}
	if sub.pack.Key != "" {
		uploads = append(uploads, sub.pack)
	}
	s.Store.Discard(context.WithoutCancel(ctx), uploads)
}

func (sub *submission) closeFiles() {
	for i := range sub.files {
		if f := &sub.files[i]; f.close != nil {
			_ = f.close() // a read-only handle
			f.close = nil
		}
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
