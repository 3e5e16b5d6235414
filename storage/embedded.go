package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sys/unix"
)

// EmbeddedConfig says where the private PostgreSQL lives.
type EmbeddedConfig struct {
	Dir    string // a folder of its own, made when missing; all processes that name it share one PostgreSQL
	Log    *slog.Logger
	NoSync bool // tests only: a power cut loses or breaks the data
}

// Embedded is this process's share in a private PostgreSQL. PostgreSQL itself is looked after by a keeper, a small shell
// script (embedded_keeper.sh) in a process of its own: it starts PostgreSQL again when that dies, and stops it when the
// last user has gone, also when that was killed. This process in turn starts a keeper when there is none.
type Embedded struct {
	home  *embeddedHome
	log   *slog.Logger
	users *os.File // holds the shared lock
	pid   int      // of the keeper that is our child; 0: it is somebody else's
	said  int64    // bytes in the log when we started the keeper

	stop     context.CancelFunc
	watching sync.WaitGroup
	once     sync.Once
	closed   error
}

const (
	embeddedPoll  = 5 * time.Millisecond   // while something is being waited for
	embeddedWatch = 200 * time.Millisecond // how soon a missing keeper is seen; costs 20 µs each time
	embeddedStop  = 30 * time.Second       // for a shutdown, whose checkpoint may take long
)

// StartEmbedded makes and starts the private PostgreSQL of the folder, unless another process already did, and returns
// when it takes connections; ctx bounds that. Measured on 2 idle cores: 0.35 s on an empty folder (initdb 0.31 s), then 40 ms.
// Errors name what is missing (PostgreSQL's programs, rights on a folder) or end with PostgreSQL's own last words.
func StartEmbedded(ctx context.Context, c EmbeddedConfig) (*Embedded, error) {
	home, err := findEmbeddedHome(c)
	if err != nil {
		return nil, fmt.Errorf("private PostgreSQL: %w", err)
	}
	e := &Embedded{home: home, log: c.Log}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if err := e.start(ctx); err != nil {
		if e.users != nil {
			_ = e.users.Close() // the keeper, if any, stops by itself
		}
		return nil, fmt.Errorf("private PostgreSQL in %s: %w", home.dir, err)
	}
	watch, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.stop = stop
	e.watching.Go(func() { e.watch(watch) })
	return e, nil
}

// start: 1. We become a user, so that a keeper that stops has gone before and none stops from now on. 2. Until a
// connection works, we start a keeper whenever there is none.
func (e *Embedded) start(ctx context.Context) (err error) {
	if e.users, err = e.home.openLock("users.lock"); err != nil {
		return err
	}
	if err := waitLock(ctx, e.users, unix.LOCK_SH); err != nil {
		return fmt.Errorf("wait for its last users to go: %w", err)
	}
	config, err := pgconn.ParseConfig(e.DSN())
	if err != nil {
		return err
	}
	for {
		if gaveUp, err := e.ensureKeeper(); err != nil {
			return err
		} else if gaveUp {
			return fmt.Errorf("it does not start: %s", e.home.logTail(e.said))
		}
		ready, err := e.home.tryConnect(ctx, config)
		if ready || err != nil {
			return err
		}
		if !pause(ctx, embeddedPoll) {
			return fmt.Errorf("wait for it to take connections: %w: %s", ctx.Err(), e.home.logTail(e.said))
		}
	}
}

// tryConnect makes a real connection and ends it. Not ready: no socket yet, or PostgreSQL says that it is starting.
func (h *embeddedHome) tryConnect(ctx context.Context, config *pgconn.Config) (ready bool, err error) {
	if !h.ourSocket() {
		return false, nil
	}
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err == nil {
		return true, conn.Close(ctx)
	}
	var said *pgconn.PgError
	switch {
	case errors.As(err, &said) && said.Code == "57P03", !errors.As(err, &said): // starting, stopping, nobody listens
		return false, nil
	case said.Code == "53300": // too many connections: it works
		return true, nil
	}
	return false, err
}

// ensureKeeper starts a keeper if there is none. gaveUp: the one that we had started could not keep PostgreSQL running;
// no other is started then, but the next call does.
func (e *Embedded) ensureKeeper() (gaveUp bool, err error) {
	lock, err := e.home.openLock("keeper.lock")
	if err != nil {
		return false, err
	}
	defer lock.Close() // a started keeper has its own handle, and with it the lock
	if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return false, nil
	}
	if e.reap() > 0 {
		return true, nil
	}
	e.pid, e.said, err = e.home.startKeeper(lock)
	return false, err
}

// watch looks whether the keeper has gone: killed, and PostgreSQL with it, or unable to keep PostgreSQL running.
func (e *Embedded) watch(ctx context.Context) {
	for pause(ctx, embeddedWatch) {
		before := e.pid
		gaveUp, err := e.ensureKeeper()
		switch {
		case err != nil:
			e.log.Error("start the keeper of PostgreSQL", "dir", e.home.dir, "err", err)
		case gaveUp:
			e.log.Error("PostgreSQL does not start", "dir", e.home.dir, "said", e.home.logTail(e.said))
		case e.pid != before:
			e.log.Warn("PostgreSQL had gone and is started again", "dir", e.home.dir)
		}
	}
}

// reap takes the exit status of the keeper that is our child, if there is one. Its lock is free, so it is ending now.
func (e *Embedded) reap() (code int) {
	if e.pid == 0 {
		return 0
	}
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(e.pid, &status, 0, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		e.pid = 0
		return status.ExitStatus()
	}
}

// DSN is the connection URL: the user truc and the database postgres over a Unix socket that only the owner can reach.
func (e *Embedded) DSN() string {
	q := url.Values{"host": {e.home.sockets}, "port": {"5432"}, "sslmode": {"disable"}}
	return "postgres://truc@/postgres?" + q.Encode()
}

// Close gives up this process's share. The last one out stops PostgreSQL and returns when it has stopped, so that
// whoever ends us by killing all that is left (systemd) finds nothing.
func (e *Embedded) Close() error {
	e.once.Do(func() {
		e.stop()
		e.watching.Wait()
		e.closed = e.leave()
	})
	return e.closed
}

// leave: users leave one at a time, for two at once would each take the other for one that stays.
func (e *Embedded) leave() error {
	ctx, cancel := context.WithTimeout(context.Background(), embeddedStop)
	defer cancel()
	closing, err := e.home.openLock("closing.lock")
	if err != nil {
		return err
	}
	defer closing.Close()
	if err := waitLock(ctx, closing, unix.LOCK_EX); err != nil {
		return fmt.Errorf("wait for other users to leave: %w", err)
	}
	defer e.users.Close()
	if unix.Flock(int(e.users.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		// Others use it, or the keeper was faster and is stopping it: only then does the shared lock fail, too.
		if unix.Flock(int(e.users.Fd()), unix.LOCK_SH|unix.LOCK_NB) == nil {
			return nil
		}
	}
	return e.stopKeeper(ctx)
}

func (e *Embedded) stopKeeper(ctx context.Context) error {
	lock, err := e.home.openLock("keeper.lock")
	if err != nil {
		return err
	}
	defer lock.Close()
	for unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		// The file holds the keeper's id from its first moment, and nobody else's while it holds the lock.
		if pid, _ := strconv.Atoi(strings.TrimSpace(e.home.readAll("keeper.lock"))); pid > 1 {
			_ = unix.Kill(pid, unix.SIGTERM)
		}
		if !pause(ctx, embeddedPoll) {
			return fmt.Errorf("private PostgreSQL in %s did not stop in %s", e.home.dir, embeddedStop)
		}
	}
	e.reap()
	return nil
}

// waitLock polls, because a blocking flock cannot be interrupted.
func waitLock(ctx context.Context, f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		if !pause(ctx, embeddedPoll) {
			return ctx.Err()
		}
	}
}

// pause waits; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ourSocket says whether the socket is there, in a folder that only PostgreSQL's user can change: a folder in /tmp could
// have been made by somebody who would like to be taken for PostgreSQL.
func (h *embeddedHome) ourSocket() bool {
	info, err := os.Lstat(h.sockets)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o077 != 0 || int(info.Sys().(*syscall.Stat_t).Uid) != h.uid {
		return false
	}
	_, err = os.Lstat(filepath.Join(h.sockets, socketName))
	return err == nil
}

// logTail is what PostgreSQL said since the log had so many bytes, at most the last 2,000.
func (h *embeddedHome) logTail(from int64) string {
	text := h.readAll(logName)
	if from <= int64(len(text)) {
		text = text[from:]
	}
	text = strings.TrimSpace(text[max(0, len(text)-2000):])
	if text == "" {
		return "it said nothing in " + filepath.Join(h.dir, logName)
	}
	return text
}

func (h *embeddedHome) readAll(name string) string {
	text, err := os.ReadFile(filepath.Join(h.dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err.Error()
	}
	return string(text)
}
