package server

import (
	"archive/zip"
	"errors"
	"io"
)

// Limits of an archive, read from its directory without unpacking: more than maxRatio times its size and more than
// maxUnpacked bytes, or more entries than any office document has. The directory's own bytes are bounded first: a
// lying one of gigabytes would fill the memory before its entries could be counted.
const (
	maxEntries   = 10_000
	maxDirectory = 4 << 20
	maxRatio     = 100
	maxUnpacked  = 1 << 30
)

func zipBomb(f received) bool {
	content := &allowance{from: f.content, left: maxDirectory}
	z, err := zip.NewReader(content, f.Size)
	if content.left < 0 {
		return true
	}
	if err != nil {
		return false // not an archive after all: just bytes
	}
	if len(z.File) > maxEntries {
		return true
	}
	var unpacked uint64
	for _, entry := range z.File {
		if unpacked += entry.UncompressedSize64; unpacked > maxUnpacked && unpacked/maxRatio > uint64(f.Size) {
			return true
		}
	}
	return false
}

// allowance reads so many bytes and then no more.
type allowance struct {
	from io.ReaderAt
	left int64
}

// ReadAt fails once the allowance is used up.
func (a *allowance) ReadAt(p []byte, off int64) (int, error) {
	if a.left -= int64(len(p)); a.left < 0 {
		return 0, errors.New("more than is read of an archive")
	}
	return a.from.ReadAt(p, off)
}
