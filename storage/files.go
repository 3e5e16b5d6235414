package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Files keeps each object as one file: the key below a folder. Commands and servers on one machine may share the
// folder. A file's bytes are whole from the moment that its key can be seen; see filesSyncer for the order of writes.
type Files struct {
	dir    string
	syncer *filesSyncer
}

const (
	temps  = ".tmp"    // beside the keys' folders, so that a rename never crosses file systems
	rotten = time.Hour // a temporary file that nobody wrote to for so long has no owner any more
)

// OpenFiles makes the folder unless it is there, removes temporary files that nobody has written to for an hour
// (their writer died), and starts the goroutine that makes puts durable. It fails when the folder cannot be written.
func OpenFiles(dir string) (*Files, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("object folder: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, temps), 0o700); err != nil {
		return nil, fmt.Errorf("make object folder: %w", err)
	}
	if _, err := syncFolder(filepath.Dir(dir)); err != nil {
		return nil, fmt.Errorf("make object folder: %w", err)
	}
	if err := removeRotten(filepath.Join(dir, temps)); err != nil {
		return nil, fmt.Errorf("clean object folder: %w", err)
	}
	syncer, err := startFilesSyncer(dir)
	if err != nil {
		return nil, fmt.Errorf("open object folder: %w", err)
	}
	return &Files{dir: dir, syncer: syncer}, nil
}

// removeRotten takes its "now" from the file system itself: on a network share the clocks may differ.
func removeRotten(dir string) error {
	probe, err := os.CreateTemp(dir, "now-")
	if err != nil {
		return err
	}
	defer os.Remove(probe.Name())
	defer probe.Close()
	now, err := probe.Stat()
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || now.ModTime().Sub(info.ModTime()) < rotten {
			continue // an error: another node was faster
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Close waits for the puts that are being made durable; later ones fail.
func (f *Files) Close() error { return f.syncer.close() }

func (f *Files) path(key string) string { return filepath.Join(f.dir, filepath.FromSlash(key)) }

// absent: nothing there, or one of the key's parts is a file, or the key is only the beginning of others.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) }

// Open as in Objects.
func (f *Files) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	if err := firstError(CheckKey(key), checkOffset(off), ctx.Err()); err != nil {
		return nil, err
	}
	file, err := os.Open(f.path(key))
	if err != nil {
		return nil, f.wrap("open", key, err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err == nil {
		_, err = file.Seek(off, io.SeekStart)
	}
	if err != nil {
		_ = file.Close()
		return nil, f.wrap("open", key, err)
	}
	if n < 0 {
		n = max(0, info.Size()-off)
	}
	return &filePart{io.LimitedReader{R: file, N: n}, file}, nil
}

// filePart lets io.Copy reach the file, so that a response to an HTTP client is sent by sendfile(2).
type filePart struct {
	io.LimitedReader
	io.Closer
}

func (p *filePart) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, &p.LimitedReader) }

func (f *Files) wrap(verb, key string, err error) error {
	if absent(err) {
		return fmt.Errorf("%s object %s: %w", verb, key, ErrNoObject)
	}
	return fmt.Errorf("%s object %s: %w", verb, key, err)
}

// Stat as in Objects.
func (f *Files) Stat(ctx context.Context, key string) (int64, error) {
	if err := firstError(CheckKey(key), ctx.Err()); err != nil {
		return 0, err
	}
	info, err := os.Lstat(f.path(key))
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return 0, f.wrap("look at", key, err)
	}
	return info.Size(), nil
}

// Delete as in Objects. It is not made durable: after a crash the object may be back, which a later sweep finds.
func (f *Files) Delete(ctx context.Context, key string) error {
	if err := firstError(CheckKey(key), ctx.Err()); err != nil {
		return err
	}
	if info, err := os.Lstat(f.path(key)); err == nil && info.IsDir() {
		return nil // the beginning of other keys, not an object
	}
	if err := os.Remove(f.path(key)); absent(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("delete object %s: %w", key, err)
	}
	// Folders that became empty go too; a full one refuses, and a Put that meets a missing one makes it again.
	for dir := filepath.Dir(f.path(key)); dir != f.dir && unix.Rmdir(dir) == nil; dir = filepath.Dir(dir) {
	}
	return nil
}

// List as in Objects. It holds the names of one folder at a time in memory (about 100 bytes each).
func (f *Files) List(ctx context.Context, after string, each func(key string, size int64, modified time.Time) error) error {
	return f.walk(ctx, "", after, each)
}

func (f *Files) walk(ctx context.Context, prefix, after string, each func(string, int64, time.Time) error) error {
	entries, err := os.ReadDir(f.path(prefix))
	if err != nil && !absent(err) {
		return fmt.Errorf("list objects: %w", err)
	}
	// "a.b" comes before "a/b", but the folder "a" before the file "a.b": a folder sorts with its '/'.
	name := func(i int) string {
		if entries[i].IsDir() {
			return entries[i].Name() + "/"
		}
		return entries[i].Name()
	}
	sort.Slice(entries, func(i, j int) bool { return name(i) < name(j) })
	for i, e := range entries {
		key := prefix + name(i)
		if e.Name()[0] == '.' || key <= after && !(e.IsDir() && strings.HasPrefix(after, key)) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if e.IsDir() {
			if err := f.walk(ctx, key, after, each); err != nil {
				return err
			}
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			return fmt.Errorf("list objects: %w", err)
		}
		if err := each(key, info.Size(), info.ModTime()); err != nil {
			return err
		}
	}
	return nil
}

// Ping as in Objects.
func (f *Files) Ping(ctx context.Context) error { return pingObjects(ctx, f) }
