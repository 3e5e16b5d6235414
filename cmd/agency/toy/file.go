package toy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
)

// File is one file to send. Open may be called several times, each time for the same bytes from the start: that is
// what lets a submission be repeated.
type File struct {
	Name      string
	MediaType string // "" is application/octet-stream
	Size      int64  // -1 when unknown; a known size lets the axis refuse too much before it has read it
	Open      func() (io.ReadCloser, error)
}

// Bytes is a file in memory.
func Bytes(name, mediaType string, b []byte) File {
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
	return File{Name: name, MediaType: mediaType, Size: int64(len(b)), Open: open}
}

// Path is a file on disk; its name is the last element of the path.
func Path(path, mediaType string) (File, error) {
	i, err := os.Stat(path)
	if err != nil {
		return File{}, &LocalError{Name: path, Err: err}
	}
	if !i.Mode().IsRegular() {
		return File{}, &LocalError{Name: path, Err: errors.New("not a regular file")}
	}
	open := func() (io.ReadCloser, error) { return os.Open(path) }
	return File{Name: filepath.Base(path), MediaType: mediaType, Size: i.Size(), Open: open}, nil
}

// Once is a file whose bytes can be read only once, such as a pipe: its submission cannot be repeated. size is -1
// when unknown.
func Once(name, mediaType string, r io.Reader, size int64) File {
	used := false
	open := func() (io.ReadCloser, error) {
		if used {
			return nil, errors.New("its bytes were already sent and cannot be read again")
		}
		used = true
		return readCloser(r), nil
	}
	return File{Name: name, MediaType: mediaType, Size: size, Open: open}
}

// Digest reads the file once through SHA-256.
func (f File) Digest() (Digest, error) {
	r, err := f.Open()
	if err != nil {
		return Digest{}, &LocalError{Name: f.Name, Err: err}
	}
	defer r.Close()
	d := newDigester(io.Discard)
	if _, err := io.Copy(d, r); err != nil {
		return Digest{}, &LocalError{Name: f.Name, Err: err}
	}
	if f.Size >= 0 && d.n != f.Size {
		return Digest{}, &LocalError{Name: f.Name, Err: fmt.Errorf("has %d bytes, expected %d", d.n, f.Size)}
	}
	return d.digest(f.Name), nil
}

// digester hashes and counts what passes to w.
type digester struct {
	w io.Writer
	h hash.Hash
	n int64
}

func newDigester(w io.Writer) *digester { return &digester{w: w, h: sha256.New()} }

func (d *digester) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	d.h.Write(p[:n])
	d.n += int64(n)
	return n, err
}

func (d *digester) digest(name string) Digest {
	return Digest{Name: name, SHA256: hex.EncodeToString(d.h.Sum(nil)), Size: d.n}
}
