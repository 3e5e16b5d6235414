package server

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
)

// vxpFile is sendEdoc's body as the SDK makes it (spec 1.3): the file's bytes and one CRLF, which is not part of the file.
// A variant sends the file as base64 text instead; what is hashed is then the text.
type vxpFile struct {
	io.Reader           // the file's bytes
	text      hash.Hash // over the text of the variant; nil where what is read is what is hashed
	end       *lastLine
}

// newVXPFile looks at the first byte that is not blank: "<" or a byte order mark begins XML, everything else is tried as
// base64.
func newVXPFile(body io.Reader) *vxpFile {
	end := &lastLine{in: bufio.NewReaderSize(body, 64<<10)}
	f := &vxpFile{Reader: end, end: end}
	if !end.plain() {
		f.text = sha256.New()
		f.Reader = &strictBase64{base64.NewDecoder(base64.StdEncoding.Strict(), io.TeeReader(end, f.text))}
	}
	return f
}

// matches compares with the client's hash-file: its digest is written without padding each byte ("7" for 07), which is
// taken for what it is meant to be; the usual form is right too. A client that adds no CRLF, to a file that ends in one of
// its own, has hashed that too.
// read is the hash over all that was read of f.
func (f *vxpFile) matches(given string, read hash.Hash) bool {
	given = strings.ToLower(strings.TrimSpace(given))
	if f.text != nil {
		read = f.text
	}
	sums := [][]byte{read.Sum(nil)}
	if f.end.cut {
		with := sha256.New()
		state, err := read.(encoding.BinaryMarshaler).MarshalBinary()
		if err == nil && with.(encoding.BinaryUnmarshaler).UnmarshalBinary(state) == nil {
			with.Write([]byte("\r\n"))
			sums = append(sums, with.Sum(nil))
		}
	}
	for _, sum := range sums {
		if given == hex.EncodeToString(sum) || given == unpaddedHex(sum) {
			return true
		}
	}
	return false
}

// unpaddedHex is Java's Integer.toHexString of each byte.
func unpaddedHex(sum []byte) string {
	var out strings.Builder
	for _, b := range sum {
		fmt.Fprintf(&out, "%x", b)
	}
	return out.String()
}

// lastLine passes everything on but one CRLF at the very end.
type lastLine struct {
	in  *bufio.Reader
	cut bool // there was one
}

// Read looks two bytes ahead of what it gives.
func (l *lastLine) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if l.cut {
		return 0, io.EOF
	}
	ahead, err := l.in.Peek(min(len(b), l.in.Size()-2) + 2)
	if err == nil {
		n := copy(b, ahead[:len(ahead)-2])
		_, _ = l.in.Discard(n) // what was peeked is there
		return n, nil
	}
	if !errors.Is(err, io.EOF) {
		return 0, err
	}
	rest, ended := bytes.CutSuffix(ahead, []byte("\r\n"))
	n := copy(b, rest)
	_, _ = l.in.Discard(n)
	if n < len(rest) {
		return n, nil
	}
	l.cut = ended
	return n, io.EOF
}

// plain says whether the body begins as XML does; one with nothing but blanks counts as such.
func (l *lastLine) plain() bool {
	head, _ := l.in.Peek(512) // a failure shows again when it is read
	head = bytes.TrimLeft(head, " \t\r\n")
	return len(head) == 0 || strings.ContainsRune("<\xef\xbb\xfe\xff", rune(head[0])) || head[0] >= 0x80
}

// strictBase64 says of what is no base64 that it is no packet.
type strictBase64 struct{ io.Reader }

func (r *strictBase64) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	var bad base64.CorruptInputError
	if errors.As(err, &bad) || errors.Is(err, io.ErrUnexpectedEOF) {
		return n, problem("edxml", "edxml", "neither XML nor base64")
	}
	return n, err
}
