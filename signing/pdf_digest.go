package signing

import (
	"context"
	"crypto"
	"hash"
	"io"
)

// prefixes shares the digests of a file's beginnings among its signatures: each covers the same bytes from the start up to
// its own value, so the running digest of the one before goes on. The signatures come in the order of their values.
// Without it, many signatures would cost as many readings of the file.
type prefixes struct {
	ctx     context.Context
	r       io.ReaderAt
	stream  *Stream
	running map[crypto.Hash]*sharedPrefix
	room    int64 // bytes that may still be digested behind the values
}

type sharedPrefix struct {
	h  hash.Hash
	at int64
}

func newPrefixes(ctx context.Context, f File) *prefixes {
	return &prefixes{ctx: ctx, r: f.Content, stream: f.Stream, running: map[crypto.Hash]*sharedPrefix{}, room: 64<<20 + 4*f.Size}
}

// sums digests [0,a) and [b,end).
func (p *prefixes) sums(parts []segment, hashes []crypto.Hash) (map[crypto.Hash][]byte, error) {
	out := make(map[crypto.Hash][]byte, len(hashes))
	for _, h := range hashes {
		if p.room -= parts[1].n; p.room < 0 {
			return nil, errPDFLimit
		}
		running, err := p.upTo(h, parts[0].n)
		if err != nil {
			return nil, err
		}
		if err := digestPart(p.ctx, p.r, running, parts[1].at, parts[1].at+parts[1].n); err != nil {
			return nil, err
		}
		out[h] = running.Sum(nil)
	}
	return out, nil
}

// upTo gives a running digest of the first limit bytes.
func (p *prefixes) upTo(h crypto.Hash, limit int64) (hash.Hash, error) {
	have := p.running[h]
	if have == nil || have.at > limit {
		have = &sharedPrefix{h: h.New()}
	}
	if h == crypto.SHA256 && p.stream != nil {
		if further, at := p.stream.upTo(limit); at > have.at {
			have = &sharedPrefix{further, at}
		}
	}
	if err := digestPart(p.ctx, p.r, have.h, have.at, limit); err != nil {
		return nil, err
	}
	have.at = limit
	delete(p.running, h)
	if cloner, ok := have.h.(hash.Cloner); ok {
		if copied, err := cloner.Clone(); err == nil {
			p.running[h] = &sharedPrefix{copied, limit}
		}
	}
	return have.h, nil
}

// digestPart feeds h with the bytes from at to end.
func digestPart(ctx context.Context, r io.ReaderAt, h io.Writer, at, end int64) error {
	buf := chunks.Get().(*[]byte)
	defer chunks.Put(buf)
	for at < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := (*buf)[:min(chunk, end-at)]
		if err := readFull(r, b, at); err != nil {
			return err
		}
		_, _ = h.Write(b) // a hash never fails
		at += int64(len(b))
	}
	return nil
}
