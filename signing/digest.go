package signing

import (
	"context"
	"crypto"
	"encoding/hex"
	"hash"
	"io"
	"slices"
	"sync"
)

// chunk is how much of a file is in memory at once while it is digested.
const chunk = 256 << 10

var chunks = sync.Pool{New: func() any { b := make([]byte, chunk); return &b }}

// digestAll computes several digests over the same segments of r in one pass. With a stream of the same file, a lone
// SHA-256 that begins at the file's start goes on from there.
func digestAll(ctx context.Context, r io.ReaderAt, parts []segment, hashes []crypto.Hash, stream *Stream) (map[crypto.Hash][]byte, error) {
	running := make([]hash.Hash, len(hashes))
	for i, h := range hashes {
		running[i] = h.New()
	}
	if stream != nil && len(hashes) == 1 && hashes[0] == crypto.SHA256 && len(parts) > 0 && parts[0].at == 0 {
		h, at := stream.upTo(parts[0].n)
		running[0] = h
		parts = append([]segment{{at, parts[0].n - at}}, parts[1:]...)
	}
	buf := chunks.Get().(*[]byte)
	defer chunks.Put(buf)
	for _, part := range parts {
		for at, end := part.at, part.at+part.n; at < end; {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			b := (*buf)[:min(chunk, end-at)]
			if err := readFull(r, b, at); err != nil {
				return nil, err
			}
			for _, h := range running {
				h.Write(b)
			}
			at += int64(len(b))
		}
	}
	out := make(map[crypto.Hash][]byte, len(hashes))
	for i, h := range hashes {
		out[h] = running[i].Sum(nil)
	}
	return out, nil
}

// digester gives the digests of some content, computing each at most once.
type digester struct {
	ctx   context.Context
	r     io.ReaderAt // nil: only what is known
	parts []segment
	known map[crypto.Hash][]byte
	err   error

	stream *Stream   // of the whole file that r reads; may be nil
	shared *prefixes // with the other signatures of the same file; may be nil
}

func newDigester(ctx context.Context, r io.ReaderAt, parts []segment) *digester {
	return &digester{ctx: ctx, r: r, parts: parts, known: map[crypto.Hash][]byte{}}
}

// prepare computes what is not known of hashes, all in one pass.
func (d *digester) prepare(hashes []crypto.Hash) {
	var missing []crypto.Hash
	for _, h := range hashes {
		if h != 0 && d.known[h] == nil && !slices.Contains(missing, h) {
			missing = append(missing, h)
		}
	}
	if len(missing) == 0 || d.r == nil || d.err != nil {
		return
	}
	var sums map[crypto.Hash][]byte
	var err error
	if d.shared != nil {
		sums, err = d.shared.sums(d.parts, missing)
	} else {
		sums, err = digestAll(d.ctx, d.r, d.parts, missing, d.stream)
	}
	if err != nil {
		d.err = err
		return
	}
	for h, sum := range sums {
		d.known[h] = sum
	}
}

func (d *digester) get(h crypto.Hash) ([]byte, bool) {
	d.prepare([]crypto.Hash{h})
	sum, ok := d.known[h]
	return sum, ok
}

// wholeFile is the digester of all bytes of f, with what the caller knows already.
func wholeFile(ctx context.Context, f File) *digester {
	d := newDigester(ctx, f.Content, []segment{{0, f.Size}})
	for h, sum := range f.Digests {
		if h.Available() && len(sum) == h.Size() {
			d.known[h] = sum
		}
	}
	if sum, err := hex.DecodeString(f.SHA256); err == nil && len(sum) == 32 {
		d.known[crypto.SHA256] = sum
	}
	return d
}
