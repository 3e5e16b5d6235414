package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// TestVXPFileHash is the vector of hash-file: digits of bytes below 16 are not padded.
func TestVXPFileHash(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"<edXML/>", "<edXML/>\r\n"} {
		f := newVXPFile(bytes.NewReader([]byte(body)))
		got, err := io.ReadAll(f)
		check(t, err)
		read := hashed(got)
		if string(got) != "<edXML/>" {
			t.Errorf("%q read as %q", body, got)
		}
		for _, hash := range []string{"8d55f6c7bf7cd534cf27a10e1bb5731c68279c3cb991cf4844774c685b3758", "8D55F6C7BF7CD534CF027A10E1BB5731C68279C3CB991C0F4844774C685B3758"} {
			if !f.matches(hash, read) {
				t.Errorf("%q does not match %s", body, hash)
			}
		}
		for _, hash := range []string{"", "8d", "8d55f6c7bf7cd534cf27a10e1bb5731c68279c3cb991cf4844774c685b3759"} {
			if f.matches(hash, read) {
				t.Errorf("%q matches %q", body, hash)
			}
		}
	}
}

// TestVXPFileEnds: one CRLF at the very end goes, whatever the body's length and however it arrives; the rest stays.
func TestVXPFileEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		file := append([]byte("<"), bytes.Repeat([]byte{'x'}, rapid.SampledFrom([]int{0, 1, 2, 100, 65532, 65533, 65534, 65535, 65536, 65537, 131071, 200_000}).Draw(t, "length"))...)
		file = append(file, rapid.SampledFrom([]string{"", "\r", "\n", "\r\n", "\r\n\r\n", "\r\r\n"}).Draw(t, "end")...)
		var in io.Reader = bytes.NewReader(append(bytes.Clone(file), '\r', '\n'))
		if rapid.Bool().Draw(t, "halves") {
			in = iotest.HalfReader(in)
		}
		if rapid.Bool().Draw(t, "eof with data") {
			in = iotest.DataErrReader(in)
		}
		f := newVXPFile(in)
		var got bytes.Buffer
		_, err := io.CopyBuffer(&got, struct{ io.Reader }{f}, make([]byte, rapid.SampledFrom([]int{1, 3, 512, 40_000, 65_534, 100_000}).Draw(t, "buffer")))
		if err != nil || !bytes.Equal(got.Bytes(), file) {
			t.Fatalf("%d bytes of %d, %v", got.Len(), len(file), err)
		}
		sum, read := sha256.Sum256(file), hashed(got.Bytes())
		if !f.matches(hex.EncodeToString(sum[:]), read) || !f.matches(unpaddedHex(sum[:]), read) {
			t.Fatal("the hash does not match")
		}
		whole := sha256.Sum256(append(file, '\r', '\n')) // of a client that adds none to a file that ends so
		if !f.matches(unpaddedHex(whole[:]), read) {
			t.Fatal("the hash of a file that itself ends in CRLF does not match")
		}
	})
}

// TestVXPFileBase64: a file that comes as base64 text is hashed as text and read as what it means.
func TestVXPFileBase64(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"<edXML/>", "\ufeff<edXML/>", "<" + string(bytes.Repeat([]byte("edXML"), 50_000)) + ">"} {
		text := base64.StdEncoding.EncodeToString([]byte(file))
		f := newVXPFile(bytes.NewReader([]byte(text + "\r\n")))
		got, err := io.ReadAll(f)
		check(t, err)
		sum := sha256.Sum256([]byte(text))
		if string(got) != file || !f.matches(unpaddedHex(sum[:]), hashed(got)) {
			t.Errorf("%d bytes of %d; hash %v", len(got), len(file), f.matches(unpaddedHex(sum[:]), hashed(got)))
		}
	}
	for _, bad := range []string{"1212<?xml", "PGVkWE1MLz4", "====", "abc"} {
		_, err := io.ReadAll(newVXPFile(bytes.NewReader([]byte(bad))))
		var p *Problem
		if !errors.As(err, &p) || p.Code != "edxml" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func hashed(b []byte) hash.Hash {
	h := sha256.New()
	h.Write(b)
	return h
}
