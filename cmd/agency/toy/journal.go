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

// journal appends JSON lines to a file (or to nothing) and tells those who wait that something changed.
type journal struct {
	mu      sync.Mutex
	file    *os.File
	failed  error
	changed chan struct{}
}

// openJournal reads what the file holds, line by line, and opens it for more. A last line without its newline was cut
// off when its process died: it never counted, and is removed so that the next line stands alone.
func openJournal(path string, each func(line []byte) error) (*journal, error) {
	j := &journal{changed: make(chan struct{})}
	if path == "" {
		return j, nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	whole, err := readLines(f, each)
	if err == nil {
		err = f.Truncate(whole)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read log %s: %w", path, err), f.Close())
	}
	j.file = f
	return j, nil
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

// add writes one line and runs keep under the lock, so that file and memory tell the same. The caller must not hold
// the lock. What was kept in memory stays kept when the file fails; the failure comes back here and from Close.
func (j *journal) add(line any, keep func()) error {
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	keep()
	close(j.changed)
	j.changed = make(chan struct{})
	if j.file == nil {
		return nil
	}
	if _, err := j.file.Write(append(b, '\n')); err != nil {
		j.failed = errors.Join(j.failed, err)
		return err
	}
	return nil
}

// wait blocks until ok says yes under the lock, asking again after every change.
func (j *journal) wait(ctx context.Context, ok func() bool) error {
	for {
		j.mu.Lock()
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
		return j.failed
	}
	f := j.file
	j.file = nil
	return errors.Join(j.failed, f.Close())
}
