package toy

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// journal appends JSON lines to a file (or to nothing) and tells those who wait that something changed. The zero
// journal has no file.
type journal struct {
	mu      sync.Mutex
	file    *os.File
	failed  error         // the first failure to write: after half a line nothing more may follow
	changed chan struct{} // made by who waits, closed by who changes
}

// open reads what the file holds, line by line, and opens it for more. A last line without its newline was cut off
// when its process died: it never counted, and is removed so that the next line stands alone.
func (j *journal) open(path string, each func(line []byte) error) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	whole, err := readLines(f, each)
	if err == nil {
		err = f.Truncate(whole)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("read log %s: %w", path, err), f.Close())
	}
	j.file = f
	return nil
}

// readJournal reads the whole lines of a log that another process may be writing; it changes nothing.
func readJournal(path string, each func(line []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := readLines(f, each); err != nil {
		return fmt.Errorf("read log %s: %w", path, err)
	}
	return nil
}

// readLines gives the length of all whole lines.
func readLines(r io.Reader, each func(line []byte) error) (int64, error) {
	br := bufio.NewReader(r)
	var whole int64
	for {
		line, err := br.ReadBytes('\n')
		if err == io.EOF {
			return whole, nil
		}
		if err != nil {
			return whole, err
		}
		whole += int64(len(line))
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if err := each(line); err != nil {
			return whole, err
		}
	}
}

// add writes one line and then runs keep under the lock, so that file and memory tell the same. What cannot be written
// is not kept.
func (j *journal) add(line any, keep func()) error {
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil {
		return j.failed
	}
	if j.file != nil {
		if _, err := j.file.Write(append(b, '\n')); err != nil {
			j.failed = fmt.Errorf("write log: %w", err)
			return j.failed
		}
	}
	keep()
	if j.changed != nil {
		close(j.changed)
		j.changed = nil
	}
	return nil
}

// wait blocks until ok says yes under the lock, asking again after every change.
func (j *journal) wait(ctx context.Context, ok func() bool) error {
	for {
		j.mu.Lock()
		if j.changed == nil {
			j.changed = make(chan struct{})
		}
		yes, changed := ok(), j.changed
		j.mu.Unlock()
		if yes {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := errors.Join(j.failed, j.file.Close())
	j.file, j.failed = nil, os.ErrClosed
	return err
}
