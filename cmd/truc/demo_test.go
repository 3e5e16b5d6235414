package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDemoOnce plays the whole story on the binary, as `truc demo --once --json` does: the main end-to-end test.
func TestDemoOnce(t *testing.T) {
	t.Parallel()
	temporary := stateDir(t)
	out, story, code := demoOnce(t, temporary)
	if code != exitYes {
		t.Fatalf("exit %d\n%s\n%s", code, out, story)
	}
	if n := strings.Count(strings.TrimSpace(out), "\n"); n != 0 {
		t.Errorf("standard output has %d lines before the JSON:\n%s", n, out)
	}
	var got struct {
		ledger
		Lost     *int  `json:"lost"` // must be there, not only zero
		Balanced *bool `json:"balanced"`
		Pending  *int  `json:"pending"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%.1f s: %s", got.Seconds, out)
	if got.Lost == nil || *got.Lost != 0 || got.Balanced == nil || !*got.Balanced || got.Pending == nil || *got.Pending != 0 {
		t.Errorf("lost, balanced or pending: %s", out)
	}
	want := ledger{Dispatches: 8, Accepted: 3332, Delivered: 3328, Refused: 1, Held: 1, Recalled: 2, Receipts: 3098}
	l := got.ledger
	if l.Dispatches != want.Dispatches || l.Accepted != want.Accepted || l.Delivered != want.Delivered || l.Refused != want.Refused ||
		l.Held != want.Held || l.Recalled != want.Recalled || l.Receipts != want.Receipts || l.Expired != 0 || l.Doubled != 0 || l.Stray != 0 {
		t.Errorf("got  %+v\nwant %+v", l, want)
	}
	words := strings.Join(strings.Fields(story), " ") // lines are wrapped
	for _, told := range []string{
		"done, 06 Hoàn thành",                   // (a), as the sender's VXP client hears it
		"3.321/3.321",                           // (b)
		"signature_broken",                      // (c), refused
		"GIỮ chờ người quyết định",              // (c), held
		"Trục đang giữ",                         // (c), as its VXP client hears it
		demoReturnReason,                        // (d): 02 reached the sender
		"HTTP 410",                              // (d): refused by a system
		"recalled",                              // (d)
		"Đủ 3.321/3.321 nơi nhận",               // (e)
		"deliveries accepted delivered refused", // the ledger
		"Theo nhật ký riêng",                    // the toys' logs
		"Thanh Hóa's hub is up again",           // English gloss
		"PDF valid Nguyễn Văn Thử (TEST)",       // TEST everywhere
	} {
		if !strings.Contains(words, told) {
			t.Errorf("the story does not tell %q", told)
		}
	}
	if strings.Contains(story, "\x1b") || strings.Contains(story, "\r") {
		t.Error("the story has terminal codes although nobody watches")
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("the throwaway folder is still there: %v %v", left, err)
	}
}

func demoOnce(t *testing.T, temporary string) (out, story string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), demoPatience+time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(t), "demo", "--once", "--json")
	// A configured installation is left alone: this one does not even exist.
	cmd.Env = append(os.Environ(), "TMPDIR="+temporary, "TRUC_DATABASE_URL=postgres://nobody@127.0.0.1:1/none")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// TestDemoFolder: nothing is deleted but what lies in a folder of the demo's own that nobody uses.
func TestDemoFolder(t *testing.T) {
	t.Parallel()
	foreign := t.TempDir()
	precious := filepath.Join(foreign, "precious")
	if err := os.WriteFile(precious, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := openDemoFolder(foreign); err == nil {
		_ = f.close()
		t.Error("a folder that no demo made was taken")
	}
	if _, err := os.Stat(precious); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(t.TempDir(), "a", "demo")
	first, err := openDemoFolder(own)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(own, "toys"), 0o755); err != nil {
		t.Fatal(err)
	}
	var busy answer
	if _, err := openDemoFolder(own); !errors.As(err, &busy) || busy.code != exitUnusable {
		t.Errorf("a second demo on the same folder: %v", err)
	}
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
	second, err := openDemoFolder(own)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = second.close() }()
	left, err := os.ReadDir(own)
	if err != nil || len(left) != 1 || left[0].Name() != demoMarker {
		t.Errorf("the demo's own folder should be empty but for its marker: %v %v", left, err)
	}
}

// TestDemoState: TRUC_STATE is an installation's folder, which the demo leaves alone; --state is the demo's own.
func TestDemoState(t *testing.T) {
	state := filepath.Join(t.TempDir(), "truc")
	for given, want := range map[string]string{state: state + "-demo", state + "2": state + "2"} {
		t.Setenv("TRUC_STATE", state)
		f, err := (&demoCommand{}).openFolder(&command{err: io.Discard, options: &options{State: given}})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.close(); err != nil {
			t.Fatal(err)
		}
		if f.path != want {
			t.Errorf("state %s: the demo takes %s, want %s", given, f.path, want)
		}
	}
	if _, err := os.Stat(state); err == nil {
		t.Error("the installation's folder was touched")
	}
}
