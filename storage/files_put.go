package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	kick   = 8 << 20        // bytes after which the kernel is told to begin writing
	settle = 8 * kick       // bytes after which a large Put makes durable what it has: bounds the dirty memory
	chunk  = 128 << 10      // bytes of one write(2)
	tail   = int64(8 << 20) // above it a Put syncs by itself first, so that small ones need not wait for it
)

var chunks = sync.Pool{New: func() any { return new([chunk]byte) }}

// Put as in Objects.
func (f *Files) Put(ctx context.Context, key string, r io.Reader, random bool) (Kept, error) {
	if err := CheckKey(key); err != nil {
		return Kept{}, err
	}
	file, err := os.CreateTemp(filepath.Join(f.dir, temps), "put-")
	if err != nil {
		return Kept{}, fmt.Errorf("store object %s: %w", key, full(err))
	}
	n, err := fill(ctx, file, r)
	if err == nil {
		err = f.syncer.keep(file, f.path(key))
	}
	if err != nil {
		_ = file.Close()
		_ = os.Remove(file.Name()) // gone already when it was the folder's sync that failed
		return Kept{}, fmt.Errorf("store object %s: %w", key, full(err))
	}
	if random {
		return Kept{Size: n, ReaderAt: file, Close: file.Close}, nil
	}
	if err := file.Close(); err != nil {
		return Kept{}, fmt.Errorf("store object %s: %w", key, full(err))
	}
	return Kept{Size: n, Close: func() error { return nil }}, nil
}

// fill copies r into the file and lets the kernel begin to write early: the sync at the end then has less to wait for.
func fill(ctx context.Context, file *os.File, r io.Reader) (n int64, err error) {
	buf := chunks.Get().(*[chunk]byte)
	defer chunks.Put(buf)
	var kicked, settled int64
	for err == nil {
		var m int
		if err = ctx.Err(); err != nil {
			return n, err
		}
		m, err = readChunk(r, buf[:])
		if _, werr := file.Write(buf[:m]); werr != nil {
			return n, werr
		}
		n += int64(m)
		if n-kicked >= kick || err != nil {
			// Only a hint: it reports nothing, and a file system that lacks it writes at the sync.
			_ = unix.SyncFileRange(int(file.Fd()), kicked, n-kicked, unix.SYNC_FILE_RANGE_WRITE)
			kicked = n
		}
		if n-settled >= settle {
			if serr := unix.Fdatasync(int(file.Fd())); serr != nil {
				return n, serr
			}
			settled = n
		}
	}
	if err != io.EOF {
		return n, fmt.Errorf("read what is to be stored: %w", err)
	}
	if n > tail {
		return n, unix.Fdatasync(int(file.Fd()))
	}
	return n, nil
}

// full makes "no space left" and "quota exceeded" ErrFull.
func full(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// newSpool makes a temporary file without a name: its bytes go when it is closed, whatever happens to the process.
func newSpool() (*os.File, error) {
	f, err := os.CreateTemp("", "truc-spool-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
