package edxml

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrAside means that a content could not be kept aside or read back: the disk's fault, not the packet's.
var ErrAside = errors.New("edxml: cannot keep an attachment aside")

// spool keeps contents aside, one after the other: the first MiB in memory, what is beyond in a file that has no name any more, so that
// nothing stays behind, however the process ends.
type spool struct {
	dir    string
	memory []byte
	file   *os.File
	size   int64
}

const spoolMemory = 1 << 20

// section is a content kept aside.
type section struct{ from, size int64 }

// keep appends all of r. An error of r is returned as it is.
func (s *spool) keep(r io.Reader) (section, error) {
	from := s.size
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		if failed := s.write(buf[:n]); failed != nil {
			return section{}, fmt.Errorf("%w: %w", ErrAside, failed)
		}
		if err == io.EOF {
			return section{from, s.size - from}, nil
		}
		if err != nil {
			return section{}, err
		}
	}
}

func (s *spool) write(b []byte) error {
	if s.size+int64(len(b)) <= spoolMemory {
		s.memory = append(s.memory[:s.size], b...)
		s.size += int64(len(b))
		return nil
	}
	if err := s.spill(); err != nil {
		return err
	}
	if _, err := s.file.WriteAt(b, s.size); err != nil {
		return err
	}
	s.size += int64(len(b))
	return nil
}

// spill moves what is in memory into the file, once; the file mirrors the spool from then on.
func (s *spool) spill() error {
	if s.file == nil {
		f, err := os.CreateTemp(s.dir, "edxml-*")
		if err != nil {
			return err
		}
		s.file = f
		if err := os.Remove(f.Name()); err != nil {
			return err
		}
	}
	if s.size > spoolMemory {
		return nil
	}
	_, err := s.file.WriteAt(s.memory[:s.size], 0)
	return err
}

// ReadAt reads from the whole spool.
func (s *spool) ReadAt(b []byte, off int64) (int, error) {
	if s.size <= spoolMemory {
		n := copy(b, s.memory[min(off, s.size):s.size])
		if n < len(b) {
			return n, io.EOF
		}
		return n, nil
	}
	n, err := s.file.ReadAt(b, off)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%w: %w", ErrAside, err)
	}
	return n, err
}

func (s *spool) open(c section) *io.SectionReader { return io.NewSectionReader(s, c.from, c.size) }

// release gives a content's room back when it is the last.
func (s *spool) release(c section) {
	if c.from+c.size == s.size {
		s.size = c.from
	}
}

// Close drops everything.
func (s *spool) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
