package signing

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"testing"

	"pgregory.net/rapid"
)

// TestStreamGoesOn: whatever the steps in which a file comes and wherever a signature's value lies, going on from a kept
// state gives the digest that reading it all gives.
func TestStreamGoesOn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 5<<20).Draw(t, "size")
		file := bytes.Repeat([]byte("Văn bản thử nghiệm "), size/24+1)[:size]
		stream := NewStream()
		for rest := file; len(rest) > 0; {
			n := min(len(rest), rapid.IntRange(1, 1<<20).Draw(t, "step"))
			_, _ = stream.Write(rest[:n])
			rest = rest[n:]
		}
		whole := sha256.Sum256(file)
		if !bytes.Equal(stream.Sum(), whole[:]) {
			t.Fatal("the file's own digest is wrong")
		}
		from := rapid.IntRange(0, size).Draw(t, "from")
		to := rapid.IntRange(from, size).Draw(t, "to")
		parts := []segment{{0, int64(from)}, {int64(to), int64(size - to)}}
		d := newDigester(t.Context(), bytes.NewReader(file), parts)
		d.stream = stream
		got, ok := d.get(crypto.SHA256)
		want := sha256.Sum256(append(bytes.Clone(file[:from]), file[to:]...))
		if !ok || !bytes.Equal(got, want[:]) {
			t.Fatalf("digest around [%d, %d) of %d is wrong", from, to, size)
		}
		if len(stream.states) > maxStates {
			t.Fatalf("%d states kept", len(stream.states))
		}
	})
}
