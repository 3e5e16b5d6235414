package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/storage"
)

// maxStatusPacket bounds a status packet, which has no attachments: its bytes are kept in a row, not in the object store.
const maxStatusPacket = 256 << 10

// packetIntake is one edXML packet on its way in. Its bytes are kept as they came while they are read; a document's header
// is admitted before its first attachment is stored, as a native submission is.
type packetIntake struct {
	*Server
	ctx   context.Context
	sub   *submission
	copy  *packetCopy
	files []*storing // read, and not all durable yet
	total int64
	ours  error // what we refused or failed at, as against what the body is
}

// takePacket reads a packet to its end. A document's files and its own bytes are then durable, named in sub, and a status
// is in the Packet with its bytes in sub.first. size is about how many bytes come, if that is known; agree has a last word,
// with the hash over all of them. Whatever is refused leaves nothing behind.
func (s *Server) takePacket(ctx context.Context, sub *submission, body io.Reader, size int64, agree func(hash.Hash) error) (edxml.Packet, error) {
	sub.form = "edxml"
	in := &packetIntake{Server: s, ctx: ctx, sub: sub, copy: &packetCopy{store: s.Store, ctx: ctx, upload: storage.Upload{Key: storage.NewKey(s.Now())}, sum: sha256.New()}}
	if size > 2*maxStatusPacket { // no status, also when it comes in base64
		in.copy.start()
	}
	packet, err := edxml.Read(io.TeeReader(&bounded{body, s.Limits.Packet, s.Limits.Packet}, in.copy), edxml.Reading{Now: s.Now(), MaxFile: s.Limits.File, Unhashed: true,
		Header: func(p *edxml.Packet) error { in.ours = in.header(p); return in.ours },
		Attachment: func(i int, a edxml.Attachment, content io.Reader) error {
			in.ours = in.attachment(i, a, content)
			return in.ours
		},
	})
	if err = in.refusal(packet, err); err == nil {
		err = agree(in.copy.sum)
	}
	if err == nil {
		err = in.keep(packet)
	}
	if err != nil {
		in.copy.abort()
		in.abandon()
		s.drop(ctx, sub)
		return packet, err
	}
	for _, w := range packet.Problems {
		sub.warnings = append(sub.warnings, Problem{Code: "edxml_" + string(w.Kind), Field: w.Path, VI: w.VI, EN: w.EN})
	}
	return packet, nil
}

// refusal is the one reason why the packet goes no further, if there is one.
func (in *packetIntake) refusal(packet edxml.Packet, err error) error {
	faults := packet.Errors()
	switch {
	case in.ours != nil:
		return in.ours
	case in.copy.failed() != nil:
		return in.copy.failed()
	case err != nil:
		return bodyProblem(err)
	case len(faults) > 0: // found behind the header, or there is no header at all
		return packetProblem(faults)
	case packet.Document != nil && in.sub.meta.Secrecy == "":
		in.sub.meta.Secrecy, _, _ = packet.Document.Secrecy() // a mark may stand behind the envelope
		return in.refuseSecret(in.ctx, in.sub)
	}
	return nil
}

// header admits a document by what its envelope says.
func (in *packetIntake) header(p *edxml.Packet) error {
	if faults := p.Errors(); len(faults) > 0 {
		return packetProblem(faults)
	}
	if p.Document == nil {
		return nil // a status: takeStatus judges it
	}
	in.sub.meta = fromPacket(p)
	raw, err := marshalFirst(in.sub.meta)
	if err != nil {
		return err
	}
	in.sub.first = raw
	if err := in.sub.meta.checkPacket(); err != nil {
		return err
	}
	return in.admit(in.ctx, in.sub)
}

// attachment begins to store one file.
func (in *packetIntake) attachment(i int, a edxml.Attachment, content io.Reader) error {
	if most := max(in.Limits.Parts, edxml.MaxAttachments); i >= most {
		return problem("parts", "", most)
	}
	f, n, err := in.startFile(in.ctx, part{name: a.FileName(), mediaType: packetType(a), body: content})
	if err != nil {
		return err
	}
	in.files = append(in.files, f)
	most, way := in.dispatchLimit(in.sub.to)
	if in.total += n; in.total > most {
		return problem("dispatch_large", "edxml", most, way)
	}
	if f.in.large || f.in.failed != nil {
		return in.settle(0)
	}
	return in.settle(maxStoring)
}

// maxStoring is how many files of one packet may be on their way into the store at once.
const maxStoring = 8

// settle waits until all but some of the files are durable.
func (in *packetIntake) settle(but int) error {
	for _, f := range in.files[:max(0, len(in.files)-but)] {
		f.end()
	}
	for len(in.files) > but {
		f := in.files[0]
		in.files = in.files[1:]
		<-f.done
		if err := in.fileStored(in.ctx, in.sub, f); err != nil {
			return err
		}
	}
	return nil
}

// abandon takes back the files of a refused packet.
func (in *packetIntake) abandon() {
	for _, f := range in.files {
		f.end()
		<-f.done
		if f.err == nil {
			_ = f.kept.Close() // a read-only handle
		}
		in.Store.Discard(context.WithoutCancel(in.ctx), []storage.Upload{{Key: f.key}})
	}
}

// keep makes a document's files and its own bytes durable, all at once, for they share their syncs; a status's bytes go into
// its row.
func (in *packetIntake) keep(packet edxml.Packet) error {
	if packet.Document != nil {
		in.copy.end()
		if err := in.settle(0); err != nil {
			return err
		}
		upload, err := in.copy.kept()
		in.sub.pack = upload
		return err
	}
	raw, ok := in.copy.inMemory()
	if !ok {
		return problem("body_large", "edxml", maxStatusPacket)
	}
	in.sub.first = raw
	return nil
}

// bounded refuses what is longer than a limit, where io.LimitReader would cut it off in silence.
type bounded struct {
	io.Reader
	left, most int64
}

// Read counts.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, problem("body_large", "edxml", b.most)
	}
	return n, err
}

// packetCopy keeps a packet's bytes as they came: in memory as long as it may be a status, beyond that in the store.
type packetCopy struct {
	store  *storage.Store
	ctx    context.Context
	held   []byte // what came before the pipe was opened
	sum    hash.Hash
	upload storage.Upload
	pipe   *io.PipeWriter
	done   chan struct{} // closed when the store has ended
	err    error         // of the store, once done is closed
}

// Write copies what was read. Its error is the store's.
func (p *packetCopy) Write(b []byte) (int, error) {
	_, _ = p.sum.Write(b) // a hash never fails
	p.upload.Size += int64(len(b))
	if p.pipe == nil {
		if len(p.held)+len(b) <= maxStatusPacket {
			p.held = append(p.held, b...)
			return len(b), nil
		}
		p.start()
	}
	return p.pipe.Write(b)
}

// start lets the store read what is held and what comes.
func (p *packetCopy) start() {
	reader, writer := io.Pipe()
	p.pipe, p.done = writer, make(chan struct{})
	body := io.MultiReader(bytes.NewReader(p.held), reader)
	go func() { // ends with the pipe, which finish or abort closes, and both wait for it
		defer close(p.done)
		if _, err := p.store.Objects.Put(p.ctx, p.upload.Key, body, false); err != nil {
			p.err = fmt.Errorf("%w: store %s: %w", storage.ErrUnavailable, p.upload.Key, err)
			_ = reader.CloseWithError(err)
		}
	}()
}

// failed is the store's failure, if it has ended with one.
func (p *packetCopy) failed() error {
	select {
	case <-p.done: // never, when nothing was started
		return p.err
	default:
		return nil
	}
}

// inMemory gives the bytes when they are few.
func (p *packetCopy) inMemory() ([]byte, bool) { return p.held, p.pipe == nil }

// end says that everything was written.
func (p *packetCopy) end() {
	if p.pipe == nil {
		p.start()
	}
	_ = p.pipe.Close() // never fails
}

// kept waits, after the end, until everything is durable, and names it.
func (p *packetCopy) kept() (storage.Upload, error) {
	<-p.done
	p.upload.SHA256 = hex.EncodeToString(p.sum.Sum(nil))
	return p.upload, p.err
}

// errAborted tells the store that the rest of a packet does not come.
var errAborted = errors.New("the packet was refused")

// abort takes back what was stored.
func (p *packetCopy) abort() {
	if p.pipe == nil {
		return
	}
	_ = p.pipe.CloseWithError(errAborted) // never fails
	<-p.done
	p.store.Discard(context.WithoutCancel(p.ctx), []storage.Upload{p.upload})
}
