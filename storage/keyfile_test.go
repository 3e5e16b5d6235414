package storage

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestKeyFileSealsForOnePurpose(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	k, err := OpenKeyFile(path, true)
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenKeyFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if k.Fingerprint() != again.Fingerprint() || len(k.Fingerprint()) != 32 {
		t.Errorf("fingerprints %q and %q", k.Fingerprint(), again.Fingerprint())
	}
	const purpose = "system-secret/H29.12"
	sealed := k.Seal([]byte("bí mật"), purpose)
	if bytes.Equal(sealed, k.Seal([]byte("bí mật"), purpose)) {
		t.Error("sealing twice gives the same bytes")
	}
	if plain, err := again.Open(sealed, purpose); err != nil || string(plain) != "bí mật" {
		t.Errorf("open: %q, %v", plain, err)
	}
	if _, err := k.Open(sealed, "system-secret/H26"); !errors.Is(err, ErrSealed) {
		t.Errorf("another purpose: %v", err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := k.Open(bad, purpose); !errors.Is(err, ErrSealed) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		if _, err := k.Open(sealed[:i], purpose); !errors.Is(err, ErrSealed) {
			t.Errorf("cut to %d bytes: %v", i, err)
		}
	}
	other, err := OpenKeyFile(filepath.Join(t.TempDir(), "key"), true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open(sealed, purpose); !errors.Is(err, ErrSealed) || other.Fingerprint() == k.Fingerprint() {
		t.Errorf("another key: %v", err)
	}
	if plain, err := k.Open(k.Seal(nil, ""), ""); err != nil || len(plain) != 0 {
		t.Errorf("nothing sealed: %q, %v", plain, err)
	}
}

func TestKeyFileRefusesWhatIsNotAKey(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("0a", 32)
	for _, c := range []struct {
		name, text string
		mode       fs.FileMode
		want       string
	}{
		{"good", good + "\n", 0o600, ""},
		{"read only", good, 0o400, ""},
		{"group may read", good, 0o640, "mode 0640"},
		{"all may read", good, 0o604, "mode 0604"},
		{"short", good[:62], 0o600, "64 hex digits"},
		{"long", good + "00", 0o600, "64 hex digits"},
		{"empty", "", 0o600, "64 hex digits"},
		{"not hex", "zz" + good[2:], 0o600, "64 hex digits"},
		{"endless", strings.Repeat("0a", 5000), 0o600, "64 hex digits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			_, err := OpenKeyFile(path, true)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "0a0a") {
				t.Errorf("the error shows the key: %v", err)
			}
		})
	}
	dir := t.TempDir()
	if _, err := OpenKeyFile(filepath.Join(dir, "key"), false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, err := OpenKeyFile(dir, true); err == nil {
		t.Error("a folder was taken for a key file")
	}
	if _, err := OpenKeyFile(filepath.Join(dir, "no", "key"), true); err == nil {
		t.Error("a key file was made in a folder that is not there")
	}
}

func TestKeyFileMadeByManyIsOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var prints [8]string
	var all sync.WaitGroup
	for i := range prints {
		all.Go(func() {
			k, err := OpenKeyFile(filepath.Join(dir, "key"), true)
			if err != nil {
				t.Error(err)
				return
			}
			prints[i] = k.Fingerprint()
		})
	}
	all.Wait()
	for _, p := range prints {
		if p != prints[0] || p == "" {
			t.Errorf("fingerprints differ: %v", prints)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if info, _ := os.Stat(filepath.Join(dir, "key")); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func FuzzKeyFileOpen(f *testing.F) {
	k, err := newKeyFile(bytes.Repeat([]byte{7}, keySize))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(k.Seal([]byte("x"), "p"), "p")
	f.Add([]byte{1}, "")
	f.Fuzz(func(t *testing.T, sealed []byte, purpose string) {
		if plain, err := k.Open(sealed, purpose); err == nil && !bytes.Equal(plain, []byte("x")) {
			t.Errorf("opened to %q", plain)
		}
	})
}
