package migrations

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T) map[string]string {
	t.Helper()
	names, err := fs.Glob(FS, "*")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, name := range names {
		text, err := fs.ReadFile(FS, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	return files
}

// TestNumbered: the files are 0001 to Latest without a gap, and each goes forward only.
func TestNumbered(t *testing.T) {
	t.Parallel()
	files := read(t)
	if int64(len(files)) != Latest() {
		t.Errorf("%d files, the latest is %d", len(files), Latest())
	}
	named := regexp.MustCompile(`^(\d{4})_[a-z0-9_]+\.sql$`)
	seen := map[string]bool{}
	for name, text := range files {
		m := named.FindStringSubmatch(name)
		if m == nil || seen[m[1]] {
			t.Errorf("%s is not named NNNN_what.sql with a number of its own", name)
			continue
		}
		seen[m[1]] = true
		if !strings.HasPrefix(text, "-- +goose Up\n") || strings.Contains(text, "+goose Down") {
			t.Errorf("%s must begin with -- +goose Up and never go down", name)
		}
	}
	for n := range Latest() {
		if number := fmt.Sprintf("%04d", n+1); !seen[number] {
			t.Errorf("number %s is missing", number)
		}
	}
}

// TestIndexesNameTheirQuery: an index without the query that needs it beside it costs every write and is never dropped
// (house style 21).
func TestIndexesNameTheirQuery(t *testing.T) {
	t.Parallel()
	index := regexp.MustCompile(`(?i)^\s*CREATE\s+(UNIQUE\s+)?INDEX\b`)
	count := 0
	for name, text := range read(t) {
		lines := strings.Split(text, "\n")
		for i, line := range lines {
			if !index.MatchString(line) {
				continue
			}
			count++
			for i > 0 && strings.HasPrefix(lines[i-1], "-- ") && !strings.HasPrefix(lines[i], "-- for ") {
				i--
			}
			if !strings.HasPrefix(lines[i], "-- for ") {
				t.Errorf("%s: no comment \"-- for …\" above %s", name, line)
			}
		}
	}
	if count == 0 {
		t.Error("no index was found: is the pattern still right?")
	}
}

// TestNoDefaultPartition: a row that no month takes must fail, not pile up where no month can be attached any more.
func TestNoDefaultPartition(t *testing.T) {
	t.Parallel()
	partition := regexp.MustCompile(`(?i)PARTITION\s+OF\s+\S+\s+DEFAULT|ATTACH\s+PARTITION\s+\S+\s+DEFAULT`)
	for name, text := range read(t) {
		if found := partition.FindString(text); found != "" {
			t.Errorf("%s: %s", name, found)
		}
	}
}
