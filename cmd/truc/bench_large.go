package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Bounds of the large file: its size, the server's memory limit, and how much more may be resident while it streams.
const (
	largeFile   = 1 << 30
	largeLimit  = "128MiB"
	largeMemory = 64 // MiB
)

// large sends one file of 1 GiB to a server of its own process, under a memory limit, and reads from the kernel how much
// more memory was resident at the peak.
func (b *benchIntake) large(ctx context.Context, state string) (benchCase, error) {
	result := benchCase{Name: "1 GiB file under GOMEMLIMIT=" + largeLimit + ": more resident memory", Unit: "MiB", Goal: largeMemory}
	self, err := os.Executable()
	if err != nil {
		return result, err
	}
	child := exec.CommandContext(ctx, self, "serve", "--state", state, "--listen", "127.0.0.1:0", "--log-level", "ERROR")
	child.Env = append(os.Environ(), "GOMEMLIMIT="+largeLimit)
	child.Cancel = func() error { return child.Process.Signal(syscall.SIGTERM) }
	errs, err := child.StderrPipe()
	if err != nil {
		return result, err
	}
	if err := child.Start(); err != nil {
		return result, fmt.Errorf("start a server: %w", err)
	}
	defer func() {
		_ = child.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		_ = child.Wait()
	}()
	url := ""
	lines := bufio.NewScanner(errs)
	for url == "" && lines.Scan() {
		if _, after, ok := strings.Cut(lines.Text(), "ready at "); ok {
			url, _, _ = strings.Cut(after, " ")
		}
	}
	if url == "" {
		return result, errors.New("the server did not start")
	}
	go func() { _, _ = io.Copy(io.Discard, errs) }() // ends with the child
	before, err := resident(child.Process.Pid, "VmRSS")
	if err != nil {
		return result, err
	}
	if err := sendLarge(ctx, url); err != nil {
		return result, err
	}
	peak, err := resident(child.Process.Pid, "VmHWM")
	if err != nil {
		return result, err
	}
	result.Value = float64(peak-before) / 1024
	result.Met = result.Value <= largeMemory
	return result, nil
}

// resident reads a line of the kernel's account of a process, in KiB.
func resident(pid int, line string) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for _, text := range strings.Split(string(raw), "\n") {
		if after, ok := strings.CutPrefix(text, line+":"); ok {
			return strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(after), "kB")), 10, 64)
		}
	}
	return 0, fmt.Errorf("no %s in the status of process %d", line, pid)
}

func sendLarge(ctx context.Context, url string) error {
	meta := fmt.Sprintf(`{"sender":"H29.12","recipients":["H26"],"document_id":"LARGE-%d","number":"1","notation":"SYT-VP","promulgation_date":"2026-11-21","type":{"name":"Công văn"},"subject":"Tệp lớn (TEST)","urgency":"normal"}`, time.Now().UnixNano())
	front := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"dispatch\"\r\n\r\n" + meta +
		"\r\n--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"tep-lon.bin\"\r\n\r\n"
	back := "\r\n--" + boundary + "--\r\n"
	body := io.MultiReader(strings.NewReader(front), io.LimitReader(zeros{}, largeFile), strings.NewReader(back))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v1/dispatches", body)
	if err != nil {
		return err
	}
	request.ContentLength = int64(len(front)+len(back)) + largeFile
	request.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	request.SetBasicAuth("H29.12", benchSecret)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusCreated {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 500))
		return fmt.Errorf("the large file was not accepted: %d %s", response.StatusCode, text)
	}
	return nil
}

// zeros is an endless file.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
