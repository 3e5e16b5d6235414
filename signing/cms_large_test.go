package signing_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// bigMessage is an attached message in indefinite lengths whose content of zeros comes in pieces of 1000 bytes, as
// streaming signers write it. Only its ends are in memory.
type bigMessage struct {
	before, after []byte
	pieces        int64
}

const pieceLength = 4 + 1000

func (b bigMessage) size() int64 {
	return int64(len(b.before)) + b.pieces*pieceLength + int64(len(b.after))
}

func (b bigMessage) ReadAt(p []byte, at int64) (int, error) {
	clear(p)
	n := int(min(int64(len(p)), b.size()-at))
	if n < len(p) && n <= 0 {
		return 0, io.EOF
	}
	put := func(where int64, what []byte) {
		if from := where - at; from < int64(n) && from+int64(len(what)) > 0 {
			copy(p[max(from, 0):n], what[max(-from, 0):])
		}
	}
	put(0, b.before)
	first := max(0, (at-int64(len(b.before)))/pieceLength)
	for i := first; i < b.pieces && int64(len(b.before))+i*pieceLength < at+int64(n); i++ {
		put(int64(len(b.before))+i*pieceLength, []byte{4, 0x82, 0x03, 0xE8})
	}
	put(int64(len(b.before))+b.pieces*pieceLength, b.after)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func newBigMessage(w *world, size int64) bigMessage {
	b := bigMessage{pieces: size / 1000}
	h := sha256.New()
	_, err := io.CopyN(h, zeros{}, b.pieces*1000)
	w.must(err)
	piece := map[string][]byte{}
	_, err = testpki.CMS{Signers: []*testpki.Identity{w.agency}, Time: now, Bend: func(p string, der []byte) []byte {
		piece[p] = der
		return der
	}}.SignDigest(nil, h.Sum(nil))
	w.must(err)
	open, end := []byte{0x30, 0x80}, []byte{0, 0}
	b.before = bytes.Join([][]byte{open, must(oidDER(2)), {0xA0, 0x80}, open, piece["version"], piece["digestAlgorithms"],
		open, must(oidDER(1)), {0xA0, 0x80, 0x24, 0x80}}, nil)
	b.after = bytes.Join([][]byte{end, end, end, piece["certificates"], piece["signerInfos"], end, end, end}, nil)
	return b
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A large attached message is read in one pass for its structure and one for its digest, and never held: 20 MB of it, or
// with TRUC_LONG=1 500 MB. Not parallel: it looks at this process's memory.
func TestLargeAttachedContentIsStreamed(t *testing.T) {
	size := int64(20 << 20)
	if os.Getenv("TRUC_LONG") == "1" {
		size = 500 << 20
	}
	w := newWorld(t)
	b, o := newBigMessage(w, size), w.options()
	f := signing.File{Name: "lớn.p7m", Content: b, Size: b.size()}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	r := verify(f, o)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if r.Verdict != signing.Valid {
		t.Fatalf("%s %v", r.Verdict, r.Files[0].Reasons)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("%d bytes allocated", used)
	}
	t.Logf("%d bytes in %v, %d allocated", size, took, after.TotalAlloc-before.TotalAlloc)
}

// A damaged message is not an unsigned file, when its name says what it was.
func TestDamagedMessageIsNotUnsigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.sign(testpki.CMS{Attached: true})
	b[0] ^= 2
	f := inside(b)
	f.Name = "công văn.P7M"
	if r := verify(f, w.options()); r.Verdict != signing.Invalid || r.Files[0].Reason != signing.CMSMalformed {
		t.Errorf("%s %v", r.Verdict, r.Files[0].Reasons)
	}
}
