package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/storage"
)

func TestDatabaseURL(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain, odd, empty := file("plain", "s3cret\n"), file("odd", "a@b/c:d?e#f% g"), file("empty", " \n")
	for _, c := range []struct{ url, file, want string }{
		{"postgres://truc:pw@host/truc", "", "postgres://truc:pw@host/truc"},
		{"host=/run dbname=truc", "", "host=/run dbname=truc"},
		{"postgres://truc@database:5432/truc?sslmode=disable", plain, "postgres://truc:s3cret@database:5432/truc?sslmode=disable"},
		{"postgres://truc@one:5432,two:5432/truc", plain, "postgres://truc:s3cret@one:5432,two:5432/truc"},
		{"postgresql://truc@", plain, "postgresql://truc:s3cret@"},
		{"postgres://truc@/truc?host=/run", plain, "postgres://truc:s3cret@/truc?host=/run"},
		{"postgres://truc@host?application_name=a@b", odd, "postgres://truc:a%40b%2Fc%3Ad%3Fe%23f%25%20g@host?application_name=a@b"},
	} {
		got, err := databaseURL(&options{DatabaseURL: c.url, DatabasePass: c.file})
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.url, got, err, c.want)
		}
	}
	for _, c := range []struct {
		url, file string
		code      int
	}{
		{"postgres://host/truc", plain, exitFlags},
		{"postgres://truc:pw@host/truc", plain, exitFlags},
		{"postgres://host/truc?user=a@b", plain, exitFlags},
		{"host=/run user=truc", plain, exitFlags},
		{"postgres://truc@host/truc", empty, exitUnusable},
		{"postgres://truc@host/truc", filepath.Join(folder, "absent"), exitUnusable},
	} {
		_, err := databaseURL(&options{DatabaseURL: c.url, DatabasePass: c.file})
		var a answer
		if !errors.As(err, &a) || a.code != c.code {
			t.Errorf("%s with %s: %v; want exit %d", c.url, filepath.Base(c.file), err, c.code)
		}
	}
}

// TestOddPassword: what stands in the file is what PostgreSQL's driver gets, and no error shows it.
func TestOddPassword(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte("Bí mật:/@?#%'\\ 7"), 0o600); err != nil {
		t.Fatal(err)
	}
	dsn, err := databaseURL(&options{DatabaseURL: "postgres://truc@127.0.0.1:1/truc?sslmode=disable&connect_timeout=1", DatabasePass: path})
	if err != nil {
		t.Fatal(err)
	}
	_, err = storage.Open(t.Context(), storage.Config{DSN: dsn})
	if !errors.Is(err, storage.ErrUnavailable) { // read as a URL, and nobody listens there
		t.Errorf("open: %v", err)
	}
	_, broken := storage.Open(t.Context(), storage.Config{DSN: dsn + "&sslmode=maybe"})
	for _, err := range []error{err, broken} {
		if err == nil || strings.Contains(err.Error(), "Bí mật") || strings.Contains(err.Error(), "%20m%E1") {
			t.Errorf("shows the password, or is no error: %v", err)
		}
	}
}
