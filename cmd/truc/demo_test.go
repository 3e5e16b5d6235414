package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// TestDemoOnce plays the whole story, as `truc demo --once --json` does.
func TestDemoOnce(t *testing.T) {
	var out, story bytes.Buffer
	if code := run([]string{"demo", "--once", "--json"}, &out, &story); code != exitYes {
		t.Fatalf("exit %d\n%s", code, story.String())
	}
	t.Log("\n" + story.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 1 {
		t.Fatalf("want one line on standard output, got %d:\n%s", len(lines), out.String())
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	t.Log(lines[0])
}
