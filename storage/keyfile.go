package storage

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// KeyFile seals secrets that must be had back (a system's secret for its HMAC). It is 32 random bytes written in hex in
// a file of its own, so that a copy of the database alone gives nothing away.
type KeyFile struct {
	aead        cipher.AEAD
	fingerprint string
}

const (
	keySize = 32      // AES-256
	sealed1 = byte(1) // first byte of what Seal makes: AES-256-GCM, 12 bytes random nonce, ciphertext, 16 bytes tag
)

// ErrSealed says that something sealed cannot be opened: another key, another purpose, or changed bytes.
var ErrSealed = errors.New("sealed with another key or for another purpose, or damaged")

// OpenKeyFile reads the key. create: a missing file is made, durably and with mode 0600; of several processes that do
// so at once all get the same key. Errors: the file is missing (fs.ErrNotExist), others may read it, it is not 64 hex digits.
func OpenKeyFile(path string, create bool) (*KeyFile, error) {
	k, err := readKeyFile(path)
	if !create || !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err := makeKeyFile(path); err != nil {
		return nil, fmt.Errorf("make key file: %w", err)
	}
	return readKeyFile(path)
}

func readKeyFile(path string) (*KeyFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("key file %s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("key file %s has mode %04o, so others may read it: chmod 600 it", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, 1000))
	if err != nil {
		return nil, fmt.Errorf("read key file %s: %w", path, err)
	}
	text = bytes.TrimSpace(text)
	key, err := hex.DecodeString(string(text))
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("key file %s must hold %d hex digits; it holds %d bytes that are not that", path, 2*keySize, len(text))
	}
	return newKeyFile(key)
}

func newKeyFile(key []byte) (*KeyFile, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(append([]byte("truc key file fingerprint 1\x00"), key...))
	return &KeyFile{aead: aead, fingerprint: hex.EncodeToString(digest[:16])}, nil
}

// makeKeyFile: 1. the bytes become durable under a name of their own; a crash leaves that file, which nobody reads.
// 2. They are linked to the path, which fails when another process was faster: its key counts. 3. The folder is synced,
// before anything is sealed with the key: a crash must not take away what opens the database's secrets.
func makeKeyFile(path string) error {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".key-") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.WriteString(hex.EncodeToString(key) + "\n"); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	_, err = syncFolder(dir)
	return err
}

// Seal encrypts. purpose says what it is and whose, such as "system-secret/H29.12": Open needs the same one, so that
// nobody who can write to the database gives one system the secret of another.
func (k *KeyFile) Seal(plain []byte, purpose string) []byte {
	return k.aead.Seal([]byte{sealed1}, nil, plain, []byte(purpose))
}

// Open gives back what Seal was given, or ErrSealed.
func (k *KeyFile) Open(sealed []byte, purpose string) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != sealed1 {
		return nil, ErrSealed
	}
	plain, err := k.aead.Open(nil, nil, sealed[1:], []byte(purpose))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// Fingerprint names the key without giving it away: 32 hex digits, the same for the same key.
func (k *KeyFile) Fingerprint() string { return k.fingerprint }
