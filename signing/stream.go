package signing

import (
	"crypto/sha256"
	"hash"
)

// Stream is the SHA-256 of a file that streams past, which also keeps states on the way: a PDF signature covers the
// same bytes from the start up to its own value, mostly near the end, so its digest can go on from the last state before
// it instead of reading the file again. It is an io.Writer; not for concurrent use. The zero Stream is not ready.
type Stream struct {
	running hash.Hash
	n       int64 // bytes so far
	every   int64 // a state is kept after each so many bytes
	states  []hash.Cloner
}

// How many states are kept: over maxStates every second one goes and the distance doubles, so that a file of any size
// costs some 30 kB and at most a 64th of it is read again.
const (
	firstEvery = 16 << 10
	maxStates  = 128
)

// NewStream begins a file.
func NewStream() *Stream { return &Stream{running: sha256.New(), every: firstEvery} }

// Write takes the next bytes of the file. It never fails.
func (s *Stream) Write(b []byte) (int, error) {
	written := len(b)
	for len(b) > 0 {
		part := b[:min(int64(len(b)), s.every-s.n%s.every)]
		_, _ = s.running.Write(part) // a hash never fails
		s.n += int64(len(part))
		b = b[len(part):]
		if s.n%s.every == 0 {
			s.keep()
		}
	}
	return written, nil
}

// keep adds the state after s.n bytes: states[i] is the one after (i+1)·every bytes.
func (s *Stream) keep() {
	cloner, ok := s.running.(hash.Cloner)
	if !ok {
		return
	}
	state, err := cloner.Clone()
	if err != nil {
		return // then the digest reads from the start
	}
	s.states = append(s.states, state)
	if len(s.states) < maxStates {
		return
	}
	for i := range maxStates / 2 {
		s.states[i] = s.states[2*i+1]
	}
	s.states = s.states[:maxStates/2]
	s.every *= 2
}

// Sum returns the SHA-256 of what came so far.
func (s *Stream) Sum() []byte { return s.running.Sum(nil) }

// upTo gives a running SHA-256 of the first at bytes, at being as near below limit as a state was kept.
func (s *Stream) upTo(limit int64) (h hash.Hash, at int64) {
	i := min(limit/s.every, int64(len(s.states)))
	if i == 0 {
		return sha256.New(), 0
	}
	state, err := s.states[i-1].Clone() // the kept one serves other signatures of the file
	if err != nil {
		return sha256.New(), 0
	}
	return state, i * s.every
}
