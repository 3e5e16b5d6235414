package storage

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func openFiles(t *testing.T) *Files {
	t.Helper()
	f, err := OpenFiles(filepath.Join(t.TempDir(), "objects"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func noRubbish(t *testing.T, f *Files, want int) {
	t.Helper()
	n := 0
	err := f.List(t.Context(), "", func(string, int64, time.Time) error { n++; return nil })
	if err != nil || n != want {
		t.Errorf("%d objects, %v; want %d", n, err, want)
	}
	if staged, _ := os.ReadDir(filepath.Join(f.dir, temps)); len(staged) != 0 {
		t.Errorf("temporary files left: %v", staged)
	}
}

// heldGroup stops the syncer in its first sync until all the others wait, so that they become one group.
func heldGroup(t *testing.T, f *Files, n int, each func(i int) error) []error {
	t.Helper()
	errs := make([]error, n)
	entered, goOn := make(chan struct{}), make(chan struct{})
	real, held := f.syncer.sync, false
	f.syncer.sync = func(fd int) error {
		if !held {
			held = true
			close(entered)
			<-goOn
		}
		return real(fd)
	}
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := f.Put(t.Context(), "first", strings.NewReader("x"), false); err != nil {
			t.Errorf("the one that holds the others up: %v", err)
		}
	})
	<-entered
	for i := range n {
		all.Go(func() { errs[i] = each(i) })
	}
	for written := 0; written < n; { // the first has its name already; then all stand at the queue, or will in a moment
		written = 0
		staged, _ := os.ReadDir(filepath.Join(f.dir, temps))
		for _, e := range staged {
			if info, err := e.Info(); err == nil && info.Size() > 0 {
				written++
			}
		}
	}
	close(goOn)
	all.Wait()
	return errs
}

func TestPutsShareTheirSyncs(t *testing.T) {
	t.Parallel()
	f := openFiles(t)
	var groups, singles atomic.Int64
	sync, syncfs := f.syncer.sync, f.syncer.syncfs
	f.syncer.sync = func(fd int) error { singles.Add(1); return sync(fd) }
	f.syncer.syncfs = func(fd int) error { groups.Add(1); return syncfs(fd) }
	for i, err := range heldGroup(t, f, 40, func(i int) error {
		_, err := f.Put(t.Context(), fmt.Sprintf("day/%d", i), strings.NewReader("x"), false)
		return err
	}) {
		if err != nil {
			t.Errorf("put %d: %v", i, err)
		}
	}
	if groups.Load() == 0 || groups.Load()+singles.Load() >= 41 {
		t.Errorf("41 puts took %d group and %d single syncs", groups.Load(), singles.Load())
	}
	noRubbish(t, f, 41)
}

func TestAFailedGroupSyncIsToldToItsFileAlone(t *testing.T) {
	t.Parallel()
	f := openFiles(t)
	f.syncer.syncfs = func(int) error { return unix.EIO }
	var broken atomic.Int64
	real := f.syncer.sync
	f.syncer.sync = func(fd int) error {
		name, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		if text, _ := os.ReadFile(name); string(text) == "broken" {
			broken.Add(1)
			return unix.EIO
		}
		return real(fd)
	}
	for i, err := range heldGroup(t, f, 12, func(i int) error {
		text := "fine"
		if i == 5 {
			text = "broken"
		}
		_, err := f.Put(t.Context(), fmt.Sprintf("day/%d", i), strings.NewReader(text), false)
		return err
	}) {
		if (i == 5) != errors.Is(err, unix.EIO) {
			t.Errorf("put %d: %v", i, err)
		}
	}
	if broken.Load() != 1 {
		t.Errorf("the broken file was synced %d times", broken.Load())
	}
	noRubbish(t, f, 12)
}

func TestAFailedFolderSyncLeavesNoKey(t *testing.T) {
	t.Parallel()
	f := openFiles(t)
	f.syncer.syncDir = func(dir string) (uint64, error) { return 0, unix.ENOSPC }
	if _, err := f.Put(t.Context(), "day/a", strings.NewReader("x"), false); !errors.Is(err, ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	noRubbish(t, f, 0)
	f.syncer.syncDir = syncFolder
	if _, err := f.Put(t.Context(), "day/a", strings.NewReader("x"), false); err != nil {
		t.Errorf("after the disk recovered: %v", err)
	}
	noRubbish(t, f, 1)
}

func TestASlowGroupSyncIsShunned(t *testing.T) {
	t.Parallel()
	f := openFiles(t)
	var groups int
	clock := time.Unix(0, 0)
	f.syncer.now = func() time.Time { return clock }
	f.syncer.syncfs = func(int) error { groups++; clock = clock.Add(time.Second); return nil }
	file, err := os.Create(filepath.Join(f.dir, temps, "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	group := make([]*filesPut, groupSyncfs)
	for i := range group {
		group[i] = &filesPut{file: file, path: file.Name()}
	}
	for range shunGroups + 2 {
		if !f.syncer.syncAll(group) {
			f.syncer.syncEach(group)
		}
	}
	if groups != 2 {
		t.Errorf("syncfs was used %d times; it should rest for %d groups after a slow one", groups, shunGroups)
	}
}

func TestClosedFilesRefusePuts(t *testing.T) {
	t.Parallel()
	f := openFiles(t)
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Error(err)
	}
	if _, err := f.Put(t.Context(), "a", strings.NewReader("x"), false); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("put after close: %v", err)
	}
	noRubbish(t, f, 0)
}

func TestOldTemporaryFilesGoAtTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := OpenFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Put(t.Context(), "kept", strings.NewReader("x"), false); err != nil {
		t.Fatal(err)
	}
	old, young := filepath.Join(dir, temps, "put-old"), filepath.Join(dir, temps, "put-young")
	for path, age := range map[string]time.Duration{old: rotten + time.Minute, young: rotten - time.Minute, filepath.Join(dir, "kept"): 9 * rotten} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	again, err := OpenFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if left, _ := os.ReadDir(filepath.Join(dir, temps)); len(left) != 1 || left[0].Name() != "put-young" {
		t.Errorf("left: %v; want the one that somebody may still write", left)
	}
	if n, err := again.Stat(t.Context(), "kept"); n != 1 || err != nil {
		t.Errorf("the object: %d, %v", n, err)
	}
}

func TestOpenFilesNeedsAFolderItCanWrite(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "x"), "/proc/objects"} {
		if f, err := OpenFiles(dir); err == nil {
			t.Errorf("%s was opened", dir)
			_ = f.Close()
		}
	}
}

// TestFullDisk runs itself again in a mount namespace of its own, where a file system of 4 MB can be mounted.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getenv("TRUC_TEST_FULL_DISK") != "" {
		fullDisk(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), "TRUC_TEST_FULL_DISK="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.ENOSPC) || bytes.Contains(out, []byte("may not mount")) {
		t.Skipf("this machine allows no user namespace: %v %s", err, out)
	}
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestFullDisk")) {
		t.Errorf("%v\n%s", err, out)
	}
}

func fullDisk(t *testing.T) {
	dir := os.Getenv("TRUC_TEST_FULL_DISK")
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatalf("may not mount: %v", err)
	}
	f, err := OpenFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Put(t.Context(), "day/before", bytes.NewReader(make([]byte, 1<<20)), false); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := f.Put(t.Context(), "day/big", bytes.NewReader(make([]byte, 5<<20)), false); !errors.Is(err, ErrFull) {
			t.Errorf("got %v, want ErrFull", err)
		}
		noRubbish(t, f, 1)
	}
	if _, err := f.Put(t.Context(), "day/after", bytes.NewReader(make([]byte, 2<<20)), false); err != nil {
		t.Errorf("what still fits: %v", err)
	}
	noRubbish(t, f, 2)
}

func FuzzCheckKey(f *testing.F) {
	for _, key := range []string{"a", "20261121/019f", "../x", "a/../b", "/a", "a//b", ".tmp/x", "a\x00b", "ă"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if CheckKey(key) != nil {
			return
		}
		files := &Files{dir: "/objects"}
		if path := files.path(key); path != "/objects/"+key || strings.Contains(path, "/.") {
			t.Errorf("key %q leads to %s", key, path)
		}
	})
}

func BenchmarkFilesPut(b *testing.B) {
	for _, clients := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("1MB/%d", clients), func(b *testing.B) {
			f, err := OpenFiles(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			body := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
			var next atomic.Int64
			var all sync.WaitGroup
			b.ResetTimer()
			for range clients {
				all.Go(func() {
					for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
						if _, err := f.Put(b.Context(), fmt.Sprintf("day/%d", n), bytes.NewReader(body), false); err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "puts/s")
		})
	}
}
