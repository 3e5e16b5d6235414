package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/alecthomas/kong"
)

// axis is the least that the commands need of the real one: one recipient system, packages of one file.
func axis(t *testing.T) string {
	var mu sync.Mutex
	type doc struct{ part, file []byte }
	var docs []doc
	taken := map[string]bool{}
	find := func(r *http.Request) (int, doc) {
		mu.Lock()
		defer mu.Unlock()
		var n int
		fmt.Sscanf(r.PathValue("id"), "d%d", &n)
		return n, docs[n]
	}
	m := http.NewServeMux()
	m.HandleFunc("POST /api/v1/dispatches", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			t.Error(err)
			return
		}
		part := r.MultipartForm.Value["dispatch"][0]
		if strings.Contains(part, `"unknown"`) {
			w.WriteHeader(422)
			io.WriteString(w, `{"code":"code_unknown","vi":"mã không có","en":"unknown code"}`)
			return
		}
		f, err := r.MultipartForm.File["file"][0].Open()
		if err != nil {
			t.Error(err)
			return
		}
		b, _ := io.ReadAll(f)
		var d map[string]any
		json.Unmarshal([]byte(part), &d)
		mu.Lock()
		defer mu.Unlock()
		docs = append(docs, doc{[]byte(part), b})
		w.WriteHeader(201)
		json.NewEncoder(w).Encode(map[string]any{"id": fmt.Sprintf("d%d", len(docs)-1), "state": "accepted", "document_id": d["document_id"]})
	})
	m.HandleFunc("GET /api/v1/inbox", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		items := []map[string]any{}
		for i, d := range docs {
			id := fmt.Sprintf("d%d", i)
			if !taken[id] {
				var about map[string]any
				json.Unmarshal(d.part, &about)
				delete(about, "type")
				about["id"] = id
				items = append(items, map[string]any{"item": id, "kind": "dispatch", "delivery": id + ".1", "agency": "H26", "addressed_to": "H26", "dispatch": about})
			}
		}
		json.NewEncoder(w).Encode(map[string]any{"items": items})
	})
	m.HandleFunc("GET /api/v1/deliveries/{id}/package", func(w http.ResponseWriter, r *http.Request) {
		n, d := find(r)
		json.NewEncoder(w).Encode(map[string]any{"delivery": fmt.Sprintf("d%d.1", n), "attachments": []map[string]any{{"n": 1, "name": "f", "size": len(d.file)}}})
	})
	m.HandleFunc("GET /api/v1/deliveries/{id}/attachments/1", func(w http.ResponseWriter, r *http.Request) {
		_, d := find(r)
		w.Write(d.file)
	})
	m.HandleFunc("POST /api/v1/inbox/{id}/taken", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		taken[r.PathValue("id")] = true
	})
	m.HandleFunc("POST /api/v1/deliveries/{id}/receipts", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(201) })
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	return s.URL
}

// agency runs a command and gives its exit code, its JSON and its complaints.
func agency(t *testing.T, args ...string) (int, map[string]any, string) {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), append(args, "--json"), &out, &errs)
	var v map[string]any
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &v); err != nil {
			t.Errorf("%v: %v in %s", args, err, out.String())
		}
	}
	return code, v, errs.String()
}

func TestCommandsWorkTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pdf, sent, received := filepath.Join(dir, "cv.pdf"), filepath.Join(dir, "sent.jsonl"), filepath.Join(dir, "received.jsonl")
	if err := os.WriteFile(pdf, []byte("%PDF-1.7"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := axis(t)
	at := func(command string, more ...string) []string {
		return append([]string{command, "--server", server, "--system", "H29.12", "--secret", "s"}, more...)
	}
	code, v, errs := agency(t, at("send", "--sender", "H29.12", "--to", "H26", "--count", "3", "--workers", "2", "--log", sent, pdf)...)
	if code != 0 || v["acknowledged"] != 3.0 {
		t.Fatalf("send: %d %v %s", code, v, errs)
	}
	code, v, errs = agency(t, at("load", "--sender", "H29.12", "--to", "H26", "--clients", "2", "--max", "5", "--size", "10", "--log", sent)...)
	if code != 0 || v["n"] != 5.0 {
		t.Fatalf("load: %d %v %s", code, v, errs)
	}
	if code, v, errs = agency(t, "compare", "--sent", sent, "--received", sent); code == 0 {
		t.Fatalf("compare with nothing received: %d %v %s", code, v, errs)
	}
	code, v, errs = agency(t, at("receive", "--count", "8", "--log", received, "--fault", "slow:delay=1us,lose:p=0.2", "--control", "127.0.0.1:0", "--for", "1m")...)
	if code != 0 || v["received"] != 8.0 || v["receipts"] != 16.0 {
		t.Fatalf("receive: %d %v %s", code, v, errs)
	}
	code, v, errs = agency(t, "compare", "--sent", sent, "--received", received)
	if code != 0 || v["arrived"] != 8.0 {
		t.Errorf("compare: %d %v %s", code, v, errs)
	}
	if code, _, errs = agency(t, at("send", "--sender", "H29.12", "--to", "unknown", pdf)...); code != exitNo {
		t.Errorf("refused: %d %s", code, errs)
	}
	if code, v, errs = agency(t, at("load", "--sender", "H29.12", "--to", "unknown", "--max", "3")...); code != exitNo || v["refused"] != 3.0 {
		t.Errorf("all refused: %d %v %s", code, v, errs)
	}
	exact := filepath.Join(dir, "dispatch.json")
	if err := os.WriteFile(exact, []byte(`{"sender":"H29.12", "recipients":["H26"], "document_id":"x-1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, v, errs = agency(t, at("send", "--dispatch", exact, "--signature", pdf, pdf)...); code != 0 || v["acknowledged"] != 1.0 {
		t.Errorf("exact bytes: %d %v %s", code, v, errs)
	}
	if code, _, _ = agency(t, at("send", "--dispatch", pdf, pdf)...); code != exitInput {
		t.Errorf("no JSON: %d", code)
	}
}

// vxpAxis is the least that the commands need of the VXP face: it believes every signature, and knows one recipient.
func vxpAxis(t *testing.T) string {
	var mu sync.Mutex
	var packets [][]byte
	done := map[string]bool{}
	answer := func(w http.ResponseWriter, more map[string]any) {
		more["status"], more["ErrorCode"], more["ErrorDesc"] = "OK", "0", "Thanh cong"
		json.NewEncoder(w).Encode(more)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		var n int
		fmt.Sscan(r.Header.Get("XroadVnpt-docId"), &n)
		queue := r.Header.Get("XroadVnpt-messagetype")
		switch r.URL.Path {
		case "/vxp/sendEdoc":
			b, _ := io.ReadAll(r.Body)
			if bytes.Contains(b, []byte(">unknown<")) {
				io.WriteString(w, `{"status":"FAIL","ErrorCode":"18","ErrorDesc":"Don vi nhan khong ton tai","DocId":""}`)
				return
			}
			if queue == "edoc" {
				packets = append(packets, bytes.TrimSuffix(b, []byte("\r\n")))
			}
			answer(w, map[string]any{"DocId": fmt.Sprint(len(packets) - 1)})
		case "/vxp/getReceivedEdocList":
			rows := []map[string]any{}
			for i := range packets {
				if queue == "edoc" && !done[fmt.Sprint(i)] {
					rows = append(rows, map[string]any{"docId": i, "to": "H26", "from": "H29.12", "status": "initial"})
				}
			}
			answer(w, map[string]any{"data": rows})
		case "/vxp/getSentEdocList":
			answer(w, map[string]any{"data": []map[string]any{{"toCode": "H26", "sendStatus": "done", "receiveStatus": "initial"}}})
		case "/vxp/getEdoc":
			answer(w, map[string]any{"data": packets[n]})
		case "/vxp/updateStatus":
			done[r.Header.Get("XroadVnpt-docId")] = r.Header.Get("XroadVnpt-status") == "done"
			answer(w, map[string]any{})
		default:
			t.Errorf("asked for %s", r.URL.Path)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestCommandsSpeakVXP(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pdf, sent, received := filepath.Join(dir, "cv.pdf"), filepath.Join(dir, "sent.jsonl"), filepath.Join(dir, "received.jsonl")
	if err := os.WriteFile(pdf, []byte("%PDF-1.7"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := vxpAxis(t)
	at := func(command string, more ...string) []string {
		return append([]string{command, "--vxp", "--server", server, "--system", "H29.12", "--secret", "s"}, more...)
	}
	code, v, errs := agency(t, at("send", "--sender", "H29.12", "--to", "H26", "--count", "2", "--standing", "--log", sent, pdf)...)
	if code != 0 || v["acknowledged"] != 2.0 || len(v["standing"].([]any)) != 2 {
		t.Fatalf("send: %d %v %s", code, v, errs)
	}
	code, v, errs = agency(t, at("load", "--sender", "H29.12", "--to", "H26", "--clients", "2", "--max", "3", "--size", "10", "--log", sent)...)
	if code != 0 || v["n"] != 3.0 {
		t.Fatalf("load: %d %v %s", code, v, errs)
	}
	code, v, errs = agency(t, at("receive", "--count", "5", "--complete", "--log", received, "--fault", "crash:p=0.1,fail:p=0.1:reason=het dia",
		"--dialect", "padded,to", "--for", "1m")...)
	if code != 0 || v["received"] != 5.0 || v["receipts"] != 25.0 {
		t.Fatalf("receive: %d %v %s", code, v, errs)
	}
	if code, v, errs = agency(t, "compare", "--sent", sent, "--received", received); code != 0 || v["arrived"] != 5.0 {
		t.Errorf("compare: %d %v %s", code, v, errs)
	}
	if code, v, errs = agency(t, at("send", "--sender", "H29.12", "--to", "unknown", pdf)...); code != exitNo || v["refused"] != 1.0 {
		t.Errorf("refused: %d %v %s", code, v, errs)
	}
	if code, _, errs = agency(t, at("send", "--edxml", pdf)...); code != exitInput {
		t.Errorf("no packet: %d %s", code, errs)
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	dead := httptest.NewServer(nil)
	dead.Close()
	for _, k := range []struct {
		code int
		args []string
	}{
		{exitDown, []string{"send", "--server", dead.URL, "--system", "a", "--secret", "s", "--sender", "H1", "--to", "H2", "--tries", "1"}},
		{exitFlags, []string{"send", "--system", "a", "--secret", "s"}},
		{exitFlags, []string{"receive", "--system", "a", "--secret", "s", "--way", "mailbox"}},
		{exitFlags, []string{"receive", "--system", "a", "--secret", "s", "--fault", "nonsense"}},
		{exitFlags, []string{"load", "--system", "a", "--secret", "s"}},
		{exitFlags, []string{"receive", "--system", "a", "--secret", "s", "--vxp", "--way", "push"}},
		{exitFlags, []string{"send", "--system", "a", "--secret", "s", "--sender", "H1", "--to", "H2", "--standing"}},
		{exitFlags, []string{"send", "--system", "a", "--secret", "s", "--sender", "H1", "--to", "H2", "--vxp", "--key", "k"}},
		{exitInput, []string{"send", "--system", "a", "--secret", "s", "--sender", "H1", "--to", "H2", "--vxp", "--dialect", "klingon"}},
		{exitFlags, []string{"dance"}},
	} {
		if code, _, errs := agency(t, k.args...); code != k.code || errs == "" {
			t.Errorf("%v: %d, want %d: %s", k.args, code, k.code, errs)
		}
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"receive", "--help"}, &out, io.Discard); code != 0 || !strings.Contains(out.String(), "TRUC_AGENCY_FAULT") {
		t.Errorf("help: %d %s", code, out.String())
	}
}

func TestReceiveEndsWhenTold(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	root := filepath.Join(t.TempDir(), "root.pem")
	for _, way := range [][]string{{"pull", "--silent"}, {"push", "--listen", "127.0.0.1:0", "--tls", "--tls-root", root, "--reject", "sai nơi nhận"}, {"mailbox", "--agency", "H26"}} {
		args := append([]string{"receive", "--system", "a", "--secret", "s", "--server", axis(t), "--way"}, way...)
		var out, errs bytes.Buffer
		if code := run(ctx, args, &out, &errs); code != 0 || !strings.Contains(out.String(), "received 0") {
			t.Errorf("%v: %d %s %s", way, code, out.String(), errs.String())
		}
	}
	if b, err := os.ReadFile(root); err != nil || !bytes.Contains(b, []byte("BEGIN CERTIFICATE")) {
		t.Errorf("root: %s, %v", b, err)
	}
}

// TestEveryOptionHasAVariable holds the promise that everything can be configured by the environment.
func TestEveryOptionHasAVariable(t *testing.T) {
	t.Parallel()
	var c cli
	p, err := newParser(&c, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range append([]*kong.Node{p.Model.Node}, p.Model.Children...) {
		for _, f := range n.Flags {
			if f.Name != "help" && (len(f.Envs) != 1 || !strings.HasPrefix(f.Envs[0], "TRUC_AGENCY_")) {
				t.Errorf("%s --%s: %v", n.Name, f.Name, f.Envs)
			}
			if f.Name != "help" && f.Name != "key" && !strings.Contains(f.Help, " · ") {
				t.Errorf("%s --%s: no help in both languages: %s", n.Name, f.Name, f.Help)
			}
		}
	}
}
