package storage

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

// reachable is a folder that PostgreSQL's user can reach also when we are root, which t.TempDir is not.
func reachable(t *testing.T) string {
	t.Helper()
	base, err := os.MkdirTemp("", "truc-pg-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(base, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	return filepath.Join(base, "pg")
}

func startEmbedded(t *testing.T, dir string) *Embedded {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	e, err := StartEmbedded(ctx, EmbeddedConfig{Dir: dir, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func query[T any](ctx context.Context, dsn, sql string) (v T, err error) {
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return v, err
	}
	defer c.Close(ctx)
	return v, c.QueryRow(ctx, sql).Scan(&v)
}

func mustQuery[T any](t *testing.T, dsn, sql string) T {
	t.Helper()
	v, err := query[T](t.Context(), dsn, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// eventually waits until ok, asked again and again.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for !ok() {
		if !pause(ctx, 5*time.Millisecond) {
			t.Fatalf("did not happen in 30 s: %s", what)
		}
	}
}

// gone says whether no keeper and no process of PostgreSQL is left, by the locks that they hold.
func gone(t *testing.T, dir string) bool {
	t.Helper()
	for _, name := range []string{"keeper.lock", "postgres.lock"} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		_ = f.Close()
		if err != nil {
			return false
		}
	}
	return true
}

// mustBeStopped: PostgreSQL removes its pid file as the last thing. The locks may live on for a moment in a process that
// another test is just starting and that has not yet closed what it inherited.
func mustBeStopped(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "pg", "postmaster.pid")); err == nil {
		t.Error("the last user has closed and PostgreSQL is still there")
	}
	eventually(t, "everything of PostgreSQL goes", func() bool { return gone(t, dir) })
}

func pidIn(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(string(text), "\n", 2)[0]))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func keepSeven(t *testing.T, dsn string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	if _, err := c.Exec(t.Context(), "CREATE TABLE kept AS SELECT 7 AS n"); err != nil {
		t.Fatal(err)
	}
}

func kill9(t *testing.T, pid int) {
	t.Helper()
	if err := unix.Kill(pid, unix.SIGKILL); err != nil && err != unix.ESRCH { // struck a second time, it may be gone
		t.Fatal(err)
	}
}

func TestEmbeddedIsPrivateAndDurable(t *testing.T) {
	t.Parallel()
	dir := reachable(t)
	began := time.Now()
	e, err := StartEmbedded(t.Context(), EmbeddedConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	first := time.Since(began)
	for setting, want := range map[string]string{"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
		"listen_addresses": "", "TimeZone": "UTC", "max_connections": "200", "wal_compression": "pglz", "max_wal_size": "2GB",
		"data_checksums": "on", "server_encoding": "UTF8"} {
		if got := mustQuery[string](t, e.DSN(), "SHOW "+setting); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	keepSeven(t, e.DSN())
	if info, err := os.Stat(e.home.sockets); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("socket folder: %v, %v", info, err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	mustBeStopped(t, dir)
	if err := e.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
	began = time.Now()
	e = startEmbedded(t, dir)
	t.Logf("first start %v, second %v", first, time.Since(began))
	if got := mustQuery[int](t, e.DSN(), "SELECT n FROM kept"); got != 7 {
		t.Errorf("kept %d", got)
	}
}

// TestEmbeddedUser is not a test of its own: it is the other process of the tests below. It says when PostgreSQL is
// there and lets go of it when its input ends.
func TestEmbeddedUser(t *testing.T) {
	dir := os.Getenv("TRUC_TEST_EMBEDDED_USER")
	if dir == "" {
		t.Skip("runs only as a child of the other tests")
	}
	e := startEmbedded(t, dir)
	fmt.Println("DSN", e.DSN())
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// otherUser starts a process that uses the cluster; end its input, or kill it.
type otherUser struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
	input interface{ Close() error }
}

func startOther(t *testing.T, dir string) *otherUser {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestEmbeddedUser$")
	cmd.Env = append(os.Environ(), "TRUC_TEST_EMBEDDED_USER="+dir)
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return &otherUser{cmd, bufio.NewScanner(out), input}
}

func (o *otherUser) ready(t *testing.T) {
	t.Helper()
	for o.lines.Scan() {
		if strings.HasPrefix(o.lines.Text(), "DSN ") {
			return
		}
	}
	t.Fatalf("the other process ended before PostgreSQL was there")
}

func (o *otherUser) leave(t *testing.T) {
	t.Helper()
	_ = o.input.Close()
	for o.lines.Scan() {
		t.Log(o.lines.Text())
	}
	if err := o.cmd.Wait(); err != nil {
		t.Errorf("the other process: %v", err)
	}
}

func (o *otherUser) kill(t *testing.T) {
	t.Helper()
	kill9(t, o.cmd.Process.Pid)
	_ = o.cmd.Wait()
}

func TestEmbeddedIsSharedUntilTheLastUserGoes(t *testing.T) {
	t.Parallel()
	dir := reachable(t)
	others := make([]*otherUser, 3)
	for i := range others { // all at once on an empty folder
		others[i] = startOther(t, dir)
	}
	e := startEmbedded(t, dir)
	began := mustQuery[time.Time](t, e.DSN(), "SELECT pg_postmaster_start_time()")
	for _, o := range others {
		o.ready(t)
	}
	others[0].leave(t)
	others[1].kill(t)
	if again := mustQuery[time.Time](t, e.DSN(), "SELECT pg_postmaster_start_time()"); !again.Equal(began) {
		t.Error("PostgreSQL was started again although users were left")
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if gone(t, dir) {
		t.Error("PostgreSQL is gone although a user is left")
	}
	others[2].leave(t)
	mustBeStopped(t, dir)
}

func TestEmbeddedGoesWhenItsOnlyUserIsKilled(t *testing.T) {
	t.Parallel()
	dir := reachable(t)
	o := startOther(t, dir)
	o.ready(t)
	home, err := findEmbeddedHome(EmbeddedConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	dsn := (&Embedded{home: home}).DSN()
	keepSeven(t, dsn)
	o.kill(t)
	eventually(t, "PostgreSQL goes", func() bool { return gone(t, dir) })
	e := startEmbedded(t, dir) // a newcomer, maybe while it still goes
	if got := mustQuery[int](t, e.DSN(), "SELECT n FROM kept"); got != 7 {
		t.Errorf("kept %d", got)
	}
}

func TestEmbeddedSurvivesAKillDuringTheFirstStart(t *testing.T) {
	t.Parallel()
	dir := reachable(t)
	for range 6 {
		o := startOther(t, dir)
		wait, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(400))*time.Millisecond)
		<-wait.Done()
		cancel()
		o.kill(t)
	}
	e := startEmbedded(t, dir)
	if got := mustQuery[int](t, e.DSN(), "SELECT 7"); got != 7 {
		t.Errorf("got %d", got)
	}
	if left, err := os.Stat(filepath.Join(dir, "pg.tmp")); err == nil {
		t.Errorf("left behind: %v", left.Name())
	}
}

func TestEmbeddedComesBackAfterKill9(t *testing.T) {
	t.Parallel()
	postmaster := func(t *testing.T, dir string) { kill9(t, pidIn(t, filepath.Join(dir, "pg", "postmaster.pid"))) }
	keeper := func(t *testing.T, dir string) { kill9(t, pidIn(t, filepath.Join(dir, "keeper.lock"))) }
	for name, strike := range map[string]func(t *testing.T, dir string){
		"postmaster": postmaster,
		"keeper":     keeper,
		"both":       func(t *testing.T, dir string) { keeper(t, dir); postmaster(t, dir) },
		"twice":      func(t *testing.T, dir string) { postmaster(t, dir); postmaster(t, dir) },
		"keeper told to stop": func(t *testing.T, dir string) {
			if err := unix.Kill(pidIn(t, filepath.Join(dir, "keeper.lock")), unix.SIGTERM); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := reachable(t)
			e := startEmbedded(t, dir)
			began := mustQuery[time.Time](t, e.DSN(), "SELECT pg_postmaster_start_time()")
			keepSeven(t, e.DSN())
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var busy sync.WaitGroup
			for _, sql := range []string{ // backends that do not look whether their postmaster lives
				"SELECT count(*) FROM generate_series(1, 1e12)", "SELECT pg_sleep(3600)",
			} {
				busy.Go(func() { _, _ = query[int64](ctx, e.DSN(), sql) })
			}
			eventually(t, "the backends are busy", func() bool {
				n, err := query[int](t.Context(), e.DSN(), "SELECT count(*) FROM pg_stat_activity WHERE query ~ '1e12|3600' AND pid <> pg_backend_pid() AND state = 'active'")
				return err == nil && n == 2
			})
			struck := time.Now()
			strike(t, dir)
			eventually(t, "PostgreSQL is back", func() bool {
				at, err := query[time.Time](t.Context(), e.DSN(), "SELECT pg_postmaster_start_time()")
				return err == nil && at.After(began)
			})
			t.Logf("back after %v", time.Since(struck))
			busy.Wait() // both were cut off
			if got := mustQuery[int](t, e.DSN(), "SELECT n FROM kept"); got != 7 {
				t.Errorf("kept %d", got)
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
			mustBeStopped(t, dir)
		})
	}
}

func TestEmbeddedUsersComeAndGo(t *testing.T) {
	t.Parallel()
	dir := reachable(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 8 {
				e, err := StartEmbedded(t.Context(), EmbeddedConfig{Dir: dir, NoSync: true})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := query[int](t.Context(), e.DSN(), "SELECT 7"); err != nil {
					t.Error(err)
				}
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	mustBeStopped(t, dir)
}

func TestEmbeddedInAnOddFolder(t *testing.T) {
	t.Parallel()
	for name, part := range map[string]string{"long": strings.Repeat("dài/", 20), "list": "a, b's", "quote": `a"b\c`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inAnOddFolder(t, part)
		})
	}
}

func inAnOddFolder(t *testing.T, part string) {
	dir := filepath.Join(filepath.Dir(reachable(t)), part, "pg")
	e := startEmbedded(t, dir)
	if got := mustQuery[int](t, e.DSN(), "SELECT 7"); got != 7 {
		t.Errorf("got %d", got)
	}
	socket := filepath.Join(e.home.sockets, socketName)
	if len(socket) >= socketMost || !strings.HasPrefix(socket, "/tmp/truc-") {
		t.Errorf("socket %s", socket)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(e.home.sockets); err == nil {
		t.Errorf("%s was left", e.home.sockets)
	}
}

func TestEmbeddedSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	fails := func(t *testing.T, dir string, words ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		e, err := StartEmbedded(ctx, EmbeddedConfig{Dir: dir, NoSync: true})
		if err == nil {
			_ = e.Close()
			t.Fatal("it started")
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q is not in: %v", word, err)
			}
		}
	}
	t.Run("a cluster of another version", func(t *testing.T) {
		t.Parallel()
		dir := reachable(t)
		if err := startEmbedded(t, dir).Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "pg", "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		fails(t, dir, dir, "does not start", "version 9")
		eventually(t, "its keeper goes", func() bool { return gone(t, dir) })
	})
	t.Run("a folder that root's PostgreSQL cannot reach", func(t *testing.T) {
		t.Parallel()
		if os.Getuid() != 0 {
			t.Skip("only root gives up its rights")
		}
		closed := filepath.Join(filepath.Dir(reachable(t)), "closed")
		if err := os.Mkdir(closed, 0o700); err != nil {
			t.Fatal(err)
		}
		fails(t, filepath.Join(closed, "state", "pg"), closed, "mode 0700", "chmod o+x")
	})
	t.Run("a file", func(t *testing.T) {
		t.Parallel()
		dir := reachable(t)
		if err := os.WriteFile(dir, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		fails(t, dir, dir, "not a folder")
	})
	t.Run("a caller that does not wait", func(t *testing.T) {
		t.Parallel()
		dir := reachable(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if e, err := StartEmbedded(ctx, EmbeddedConfig{Dir: dir, NoSync: true}); err == nil {
			_ = e.Close()
			t.Fatal("it started within a millisecond")
		}
		eventually(t, "its keeper goes", func() bool { return gone(t, dir) })
	})
}

func TestFindPostgres(t *testing.T) {
	debian := t.TempDir()
	t.Setenv("PATH", t.TempDir())
	install := func(folder string) string {
		bin := filepath.Join(folder, "bin")
		if err := os.MkdirAll(bin, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"initdb", "postgres"} {
			if err := os.WriteFile(filepath.Join(bin, name), nil, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return bin
	}
	if _, err := findPostgres("/nowhere", debian); err == nil || !strings.Contains(err.Error(), "package postgresql") {
		t.Errorf("nothing installed: %v", err)
	}
	install(filepath.Join(debian, "9"))
	install(filepath.Join(debian, "common"))
	fifteen, seventeen := install(filepath.Join(debian, "15")), install(filepath.Join(debian, "17"))
	if got, err := findPostgres("/nowhere", debian); got != seventeen {
		t.Errorf("got %s, %v; want the newest", got, err)
	}
	made := t.TempDir()
	if err := os.MkdirAll(filepath.Join(made, "pg"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(made, "pg", "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := findPostgres(made, debian); got != fifteen {
		t.Errorf("got %s, %v; want the version that made the cluster", got, err)
	}
	own := install(t.TempDir())
	t.Setenv("PATH", own)
	if got, err := findPostgres("/nowhere", debian); got != own {
		t.Errorf("got %s, %v; want the one on PATH", got, err)
	}
}
