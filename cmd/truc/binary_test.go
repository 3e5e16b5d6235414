package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// built is the binary as a user runs it, built once for all tests of this package.
var built = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "truc-binary-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "truc")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return path, nil
})

func binary(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := built(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// stateDir is a folder that PostgreSQL's own user can pass through and whose socket paths stay short.
func stateDir(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "truc-state-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

// truc runs one command line to its end and returns its exit code and what it printed.
func truc(t *testing.T, state string, args ...string) (code int, out, errs string) {
	t.Helper()
	return trucWith(t, []string{"TRUC_STATE=" + state}, args...)
}

// trucWith runs one command line with an environment of its own.
func trucWith(t *testing.T, env []string, args ...string) (code int, out, errs string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(t), args...)
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("truc %v: %v", args, err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// must runs a command that has to exit with 0 and decodes its last line as JSON, where it is JSON.
func must(t *testing.T, state string, args ...string) map[string]any {
	t.Helper()
	code, out, errs := truc(t, state, args...)
	if code != 0 {
		t.Fatalf("truc %v: exit %d\n%s%s", args, code, out, errs)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var answer map[string]any
	_ = json.Unmarshal([]byte(lines[len(lines)-1]), &answer) // text for people otherwise
	return answer
}

// node is a running `truc serve`.
type node struct {
	cmd   *exec.Cmd
	ready time.Duration // as it printed
	gone  chan struct{}
	log   *tail
}

// tail keeps the last lines of a process's standard error for failing tests.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (l *tail) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines = append(l.lines, line); len(l.lines) > 50 {
		l.lines = l.lines[1:]
	}
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// freeAddress finds a loopback port that is free now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// serve starts a node and waits until it says that it is ready.
func serve(t *testing.T, state, address string, env ...string) *node {
	t.Helper()
	n := &node{cmd: exec.Command(binary(t), "serve"), gone: make(chan struct{}), log: &tail{}}
	n.cmd.Env = append(append(os.Environ(), "TRUC_STATE="+state, "TRUC_LISTEN="+address), env...)
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	errs, err := n.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan time.Duration, 1)
	go func() {
		lines := bufio.NewScanner(errs)
		for lines.Scan() {
			n.log.add(lines.Text())
			if _, after, ok := strings.Cut(lines.Text(), "truc: ready at "); ok {
				var url string
				var ms int
				if _, err := fmt.Sscanf(after, "%s in %d ms", &url, &ms); err == nil {
					ready <- time.Duration(ms) * time.Millisecond
				}
			}
		}
		_ = n.cmd.Wait() // the exit code does not matter to these tests
		close(n.gone)
	}()
	t.Cleanup(func() { n.kill() })
	select {
	case n.ready = <-ready:
	case <-n.gone:
		t.Fatalf("truc serve ended:\n%s", n.log)
	case <-time.After(time.Minute):
		t.Fatalf("truc serve was not ready in a minute:\n%s", n.log)
	}
	return n
}

// kill ends the node as a power cut would.
func (n *node) kill() {
	_ = n.cmd.Process.Kill() // it may be gone already
	<-n.gone
}

// stop ends the node as an operator would and waits.
func (n *node) stop(t *testing.T) {
	t.Helper()
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-n.gone:
	case <-time.After(time.Minute):
		t.Fatalf("truc serve did not stop in a minute:\n%s", n.log)
	}
}

func getOK(url string) bool {
	response, err := http.Get(url)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}
