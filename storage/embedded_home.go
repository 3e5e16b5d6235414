package storage

import (
	"crypto/sha256"
	_ "embed" // the keeper's script
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

//go:embed embedded_keeper.sh
var keeperScript string

// embeddedHome is what there is to know about the private PostgreSQL of a folder before it is started.
type embeddedHome struct {
	dir      string // absolute
	sockets  string // folder of the Unix socket
	bin      string // folder of initdb and postgres
	uid, gid int    // whom PostgreSQL runs as
	drop     bool   // we are root and PostgreSQL refuses to be
	settings []string
	path     string // PATH of the keeper
	noSync   bool
}

const (
	socketName = ".s.PGSQL.5432"
	socketMost = 100 // bytes: the kernel takes 107
	logName    = "postgres.log"
	logMost    = 8 << 20 // bytes after which a start begins a new log and keeps one old
)

func findEmbeddedHome(c EmbeddedConfig) (*embeddedHome, error) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, err
	}
	h := &embeddedHome{dir: dir, sockets: socketFolder(dir), uid: os.Geteuid(), gid: os.Getegid(), noSync: c.NoSync}
	if err := h.findUser(); err != nil {
		return nil, err
	}
	if err := h.makeFolder(); err != nil {
		return nil, err
	}
	if h.bin, err = findPostgres(dir, debianPostgres); err != nil {
		return nil, err
	}
	h.path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
	for _, tool := range []string{"sh", "flock", "setpriv"} {
		found, err := exec.LookPath(tool)
		if err != nil {
			return nil, fmt.Errorf("the program %s is missing: install the Debian package util-linux", tool)
		}
		h.path += ":" + filepath.Dir(found)
	}
	h.settings = embeddedSettings(c.NoSync)
	return h, nil
}

// socketFolder is inside dir, or a short name in /tmp for all that use dir when that would be too long for a socket, or
// holds what PostgreSQL and its clients take for a list or a quote.
// (Not os.TempDir: two users of the cluster may have different ones.)
func socketFolder(dir string) string {
	inside := filepath.Join(dir, "run")
	if len(inside)+1+len(socketName) < socketMost && !strings.ContainsAny(inside, ", \"'\\") {
		return inside
	}
	digest := sha256.Sum256([]byte(dir))
	return "/tmp/truc-" + hex.EncodeToString(digest[:8])
}

// findUser: PostgreSQL refuses to run as root, so it becomes the user who owns the cluster, or postgres, or nobody.
func (h *embeddedHome) findUser() error {
	if h.uid != 0 {
		return nil
	}
	h.drop = true
	if info, err := os.Stat(filepath.Join(h.dir, "pg")); err == nil {
		st := info.Sys().(*syscall.Stat_t)
		h.uid, h.gid = int(st.Uid), int(st.Gid)
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			h.uid, err = strconv.Atoi(u.Uid)
			if err != nil {
				return err
			}
			h.gid, err = strconv.Atoi(u.Gid)
			return err
		}
	}
	return errors.New("we are root, and neither the user postgres nor nobody exists to run PostgreSQL as")
}

// makeFolder makes dir for PostgreSQL's user alone. New folders above it can be passed through but not read by others,
// because PostgreSQL's user has to reach its own.
func (h *embeddedHome) makeFolder() error {
	parents := fs.FileMode(0o700)
	if h.drop {
		parents = 0o711
	}
	if err := os.MkdirAll(filepath.Dir(h.dir), parents); err != nil {
		return err
	}
	if err := os.Mkdir(h.dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(h.dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", h.dir)
	}
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	if owner == h.uid {
		return os.Chmod(h.dir, 0o700)
	}
	if !h.drop {
		return fmt.Errorf("folder %s belongs to user %d, and we are %d: run as that user or as root", h.dir, owner, h.uid)
	}
	if err := os.Lchown(h.dir, h.uid, h.gid); err != nil {
		return err
	}
	return os.Chmod(h.dir, 0o700)
}

// openLock opens (and makes) a lock file. The folder belongs to PostgreSQL's user, so a link in it is not followed.
func (h *embeddedHome) openLock(name string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(h.dir, name), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if h.drop {
		if err := f.Chown(h.uid, h.gid); err != nil {
			_ = f.Close()
			return nil, err
		}
	}
	return f, nil
}

// startKeeper starts the keeper in a session of its own (a Ctrl-C is for us) and hands it the lock that it will hold.
func (h *embeddedHome) startKeeper(lock *os.File) (pid int, said int64, err error) {
	if err := lock.Truncate(0); err != nil { // the id of an earlier keeper
		return 0, 0, err
	}
	users, err := h.openLock("users.lock") // a handle of its own: its lock is not ours
	if err != nil {
		return 0, 0, err
	}
	defer users.Close()
	log, said, err := h.openLog()
	if err != nil {
		return 0, 0, err
	}
	defer log.Close()
	settle := "sync"
	if h.noSync {
		settle = "true"
	}
	script, err := scriptReader()
	if err != nil {
		return 0, 0, err
	}
	defer script.Close()
	cmd := exec.Command("sh", append([]string{"-s", h.bin, h.sockets, settle}, h.settings...)...)
	cmd.Stdin = script
	cmd.Dir = h.dir
	cmd.Env = []string{"PATH=" + h.path, "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{lock, users}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if h.drop {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(h.uid), Gid: uint32(h.gid)}
	}
	if err := cmd.Start(); err != nil {
		return 0, 0, h.whyNotReached(err)
	}
	pid = cmd.Process.Pid
	return pid, said, cmd.Process.Release() // we ask for its exit status ourselves, without a goroutine that waits for it
}

// scriptReader is a pipe with the keeper's script in it, which a pipe's buffer holds (64 kB).
func scriptReader() (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	_, err = w.WriteString(keeperScript)
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

func (h *embeddedHome) openLog() (f *os.File, size int64, err error) {
	path := filepath.Join(h.dir, logName)
	if info, err := os.Lstat(path); err == nil && info.Size() > logMost {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, 0, err
		}
	}
	f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && h.drop {
		err = f.Chown(h.uid, h.gid)
	}
	if err != nil {
		_ = f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// whyNotReached names the folder on the way that PostgreSQL's user may not pass.
func (h *embeddedHome) whyNotReached(err error) error {
	if !h.drop || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	for dir := filepath.Dir(h.dir); dir != "/"; dir = filepath.Dir(dir) {
		info, serr := os.Stat(dir)
		if serr != nil {
			return err
		}
		st, x := info.Sys().(*syscall.Stat_t), fs.FileMode(0o001)
		if int(st.Uid) == h.uid {
			x = 0o100
		} else if int(st.Gid) == h.gid {
			x = 0o010
		}
		if info.Mode().Perm()&x == 0 {
			return fmt.Errorf("we are root and PostgreSQL must run as user %d, which may not pass through %s (mode %04o): "+
				"allow it with chmod o+x %s, or choose another state folder (TRUC_STATE)", h.uid, dir, info.Mode().Perm(), dir)
		}
	}
	return err
}
