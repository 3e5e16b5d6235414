package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// golden is a golden packet of the package that reads them.
func golden(name string) string { return filepath.Join(root, "server", "edxml", "testdata", name) }

// TestPacketCheck: every exit code, in both forms of the answer, without a database or a state folder.
func TestPacketCheck(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, err := os.ReadFile(golden("new.edxml"))
	if err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(folder, "state")
	for _, c := range []struct {
		name, file  string
		code        int
		kind, words string // words of the table
	}{
		{"new", golden("new.edxml"), exitYes, "new", "0 errors, 0 warnings"},
		{"recall", golden("recall.edxml"), exitYes, "recall", "thu hồi (recall)"},
		{"update", golden("update.edxml"), exitYes, "update", "cập nhật (update)"},
		{"replace", golden("replace.edxml"), exitYes, "replace", "thay thế (replace)"},
		{"status", golden("status_02_bkav.edxml"), exitYes, "status", "trạng thái (status)"},
		{"only warnings", golden("new_unbound.edxml"), exitYes, "new", "DueDate:24 "},
		{"unknown status", golden("status_unknown_07.edxml"), exitNo, "status", "StatusCode:23 "},
		{"no sender", write("no-sender", strings.Replace(string(good), "H29.12</edXML:OrganId>", "</edXML:OrganId>", 1)), exitNo, "new", "/From/OrganId:8 "},
		{"other XML", write("html", `<?xml version="1.0"?><html/>`), exitNo, "new", "/html/edXMLEnvelope:1 "},
		{"DOCTYPE", write("doctype", `<?xml version="1.0"?><!DOCTYPE x><edXML/>`), exitNo, "new", "DOCTYPE"},
		{"not XML", golden("new.json"), exitUnusable, "new", "no packet"},
		{"empty", write("empty", ""), exitUnusable, "new", "/:1 "},
		{"cut off", write("cut", string(good[:len(good)-20])), exitUnusable, "new", "The file ends in the middle."},
		{"UTF-16", write("utf16", "\xff\xfe<\x00?\x00"), exitUnusable, "new", "UTF-16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := truc(t, state, "packet", "check", c.file)
			if code != c.code || !strings.Contains(out, c.words) || errs != "" {
				t.Errorf("exit %d, want %d and %q:\n%s%s", code, c.code, c.words, out, errs)
			}
			code, out, errs = truc(t, state, "packet", "check", "--json", c.file)
			answer := checkForm(t, out)
			if code != c.code || answer.Kind != c.kind || answer.OK != (c.code == exitYes) || errs != "" {
				t.Errorf("exit %d, want %d and %s:\n%s%s", code, c.code, c.kind, out, errs)
			}
		})
	}
	t.Cleanup(func() {
		if _, err := os.Stat(state); !os.IsNotExist(err) {
			t.Errorf("it made a state folder: %v", err)
		}
	})
	wants(t, state, exitFlags, "", "packet", "check", filepath.Join(folder, "none"))
	wants(t, state, exitFlags, "", "packet", "check")
	wants(t, state, exitFlags, "", "packet", "check", "--no-such-flag", golden("new.edxml"))
}

type checkAnswer struct {
	OK               bool
	Kind             string
	Errors, Warnings []map[string]any
}

// checkForm reads --json's one line and holds it to the promised form: these fields and no others.
func checkForm(t *testing.T, out string) (a checkAnswer) {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(out), &fields); err != nil || strings.Count(out, "\n") != 1 {
		t.Fatalf("not one line of JSON: %v\n%s", err, out)
	}
	if err := json.Unmarshal([]byte(out), &a); err != nil || len(fields) != 4 || a.Errors == nil || a.Warnings == nil {
		t.Fatalf("not the promised fields: %v\n%s", err, out)
	}
	for _, q := range slices.Concat(a.Errors, a.Warnings) {
		kind, _ := q["kind"].(string)
		if len(q) != 6 || q["path"] == "" || q["line"] == 0.0 || q["message_vi"] == "" || q["message_en"] == "" || q["fix"] == "" ||
			!slices.Contains([]string{"missing", "too_long", "malformed", "unknown_code"}, kind) {
			t.Errorf("not the promised form: %v", q)
		}
	}
	return a
}

// TestPacketCheckDirectory: with --directory codes are looked up in the installation's, as the server does; without a database that is
// there, that is a failure and no answer.
func TestPacketCheckDirectory(t *testing.T) {
	t.Parallel()
	state := stateDir(t)
	folder := t.TempDir()
	agencies := filepath.Join(folder, "agencies.csv")
	directory := "code,old_code,name,parent,kind,status,valid_from,valid_to,successors,decision,code_source\n" +
		"H26,000.00.00.H26,UBND thành phố Hà Nội,,province,live,,,,,TEST\n" +
		"G22,000.00.00.G22,Văn phòng Chính phủ,,ministry,live,,,,,TEST\n" +
		"H29,000.00.00.H29,UBND Thành phố Hồ Chí Minh,,province,live,,,,,TEST\n" +
		"H29.12,000.00.12.H29,Sở Nội vụ Thành phố Hồ Chí Minh,H29,department,live,,,,,TEST\n" +
		"H02,,UBND tỉnh Tạm Khóa,,province,locked,,,,,TEST\n" +
		"H31,,UBND tỉnh Hưng Yên,,province,live,,,,,TEST\n" +
		"H54,000.00.00.H54,UBND tỉnh Thái Bình,,province,closed,,2025-07-01,H31,QĐ 09/2025/QĐ-TTg,TEST\n"
	if err := os.WriteFile(agencies, []byte(directory), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, state, "agency", "import", agencies)
	recall, err := os.ReadFile(golden("recall.edxml"))
	if err != nil {
		t.Fatal(err)
	}
	odd := filepath.Join(folder, "odd.edxml")
	to := func(code string) string { return "<edXML:To><edXML:OrganId>" + code + "</edXML:OrganId></edXML:To>" }
	text := strings.Replace(string(recall), "<edXML:DocumentId>", to("000.00.00.H26")+to("H98")+to("H54")+to("H02")+"<edXML:DocumentId>", 1)
	if err := os.WriteFile(odd, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	wants(t, state, exitYes, "0 errors", "packet", "check", "--directory", golden("recall.edxml"))
	wants(t, state, exitYes, "0 errors", "packet", "check", "--directory", golden("status_03.edxml"))
	wants(t, state, exitNo, "Use the code H31", "packet", "check", "--directory", odd)
	wants(t, state, exitYes, "0 errors", "packet", "check", odd)
	code, out, errs := truc(t, state, "packet", "check", "--directory", "--json", odd)
	answer := checkForm(t, out)
	if code != exitNo || len(answer.Errors) != 3 || len(answer.Warnings) != 1 {
		t.Fatalf("exit %d:\n%s%s", code, out, errs)
	}
	for i, want := range []string{"To[4]/OrganId", "To[5]/OrganId", "To[6]/OrganId"} {
		if q := answer.Errors[i]; q["kind"] != "unknown_code" || !strings.HasSuffix(q["path"].(string), want) {
			t.Errorf("%v, want %s unknown", q, want)
		}
	}
	if q := answer.Warnings[0]; !strings.HasSuffix(q["path"].(string), "To[3]") {
		t.Errorf("two forms of one code: %v", q)
	}
	wants(t, state, exitUnusable, "no packet", "packet", "check", "--directory", golden("new.json"))
	away := []string{"TRUC_STATE=" + state, "TRUC_DATABASE_URL=postgres://truc@127.0.0.1:1/truc?connect_timeout=1", "TRUC_OBJECTS_DIR=" + folder, "TRUC_KEY_FILE=" + filepath.Join(state, "key")}
	if code, out, errs := trucWith(t, away, "packet", "check", "--directory", odd); code != exitDependency || out != "" {
		t.Errorf("without its database: exit %d\n%s%s", code, out, errs)
	}
}

// TestPrintable: what stands in a packet cannot steer a terminal.
func TestPrintable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"Sở Y tế": "Sở Y tế", "a\tb\nc": "a\ufffdb\ufffdc", "\u009b31m\x1b[0m": "\ufffd31m\ufffd[0m", "a\u202eb": "a\ufffdb"} {
		if got := printable(text); got != want {
			t.Errorf("%q is printed as %q, want %q", text, got, want)
		}
	}
}
