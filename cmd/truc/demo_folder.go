package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// demoFolder is the demo's own state folder. It never touches an installation: it deletes nothing but what lies in a
// folder that carries its marker.
type demoFolder struct {
	path   string
	marker *os.File // locked as long as the demo runs
	anew   bool     // an earlier demo's data were deleted
	thrown string   // a temporary folder, deleted at the end; "" for one that stays
}

const (
	demoMarker     = ".truc-demo"
	demoMarkerText = "This folder belongs to `truc demo`: it is emptied each time the demo starts anew.\n" +
		"Thư mục này của lệnh `truc demo`: mỗi lần chạy lại, mọi thứ trong thư mục bị xóa.\n"
)

// throwaway makes a folder that goes when it is closed.
func throwaway() (*demoFolder, error) {
	parent, err := os.MkdirTemp("", "truc-demo-")
	if err != nil {
		return nil, fmt.Errorf("make a throwaway folder: %w", err)
	}
	// PostgreSQL's own user must be able to pass through when we are root; each part below is 0700.
	if err := os.Chmod(parent, 0o711); err != nil { //nolint:gosec // only the search bit for others
		return nil, errors.Join(err, os.RemoveAll(parent))
	}
	f, err := openDemoFolder(filepath.Join(parent, "state"))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(parent))
	}
	f.thrown = parent
	return f, nil
}

// openDemoFolder makes the folder, or empties one of an earlier demo. It refuses a folder that holds something else, and
// one in use.
func openDemoFolder(path string) (*demoFolder, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("make the demo's folder: %w", err)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("look into the demo's folder: %w", err)
	}
	marked := false
	for _, e := range entries {
		marked = marked || e.Name() == demoMarker
	}
	if len(entries) > 0 && !marked {
		return nil, unusable("%s is not empty and no demo made it: give the demo a folder of its own with --state", path)
	}
	f := &demoFolder{path: path}
	if err := f.lock(); err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Name() == demoMarker {
			continue
		}
		if err := os.RemoveAll(filepath.Join(path, e.Name())); err != nil {
			return nil, errors.Join(fmt.Errorf("empty the demo's folder: %w", err), f.close())
		}
		f.anew = true
	}
	return f, nil
}

// lock takes the marker, and makes sure that no other command has the folder's database open.
func (f *demoFolder) lock() (err error) {
	if f.marker, err = os.OpenFile(filepath.Join(f.path, demoMarker), os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return fmt.Errorf("mark the demo's folder: %w", err)
	}
	busy := unusable("%s is in use by another truc: end that first, or give this demo another folder with --state", f.path)
	if unix.Flock(int(f.marker.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return errors.Join(busy, f.marker.Close())
	}
	users, err := os.OpenFile(filepath.Join(f.path, "postgres", "users.lock"), os.O_RDWR, 0)
	if err == nil {
		err = unix.Flock(int(users.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		_ = users.Close()
		if err != nil {
			return errors.Join(busy, f.marker.Close())
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("look for other users of the folder: %w", err), f.marker.Close())
	}
	if _, err := f.marker.WriteAt([]byte(demoMarkerText), 0); err != nil {
		return errors.Join(fmt.Errorf("mark the demo's folder: %w", err), f.marker.Close())
	}
	return nil
}

// close gives the folder up; a throwaway one goes.
func (f *demoFolder) close() error {
	err := f.marker.Close()
	if f.thrown != "" {
		err = errors.Join(err, os.RemoveAll(f.thrown))
	}
	return err
}
