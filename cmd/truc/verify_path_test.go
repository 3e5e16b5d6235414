package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// TestVerifyPath: exits and JSON of truc verify-path, without an installation.
func TestVerifyPath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Now()
	check := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	pki, err := testpki.New(testpki.Options{Now: now})
	check(t, err)
	agency, err := pki.Agency("Sở Thử nghiệm", "H29.1")
	check(t, err)
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		check(t, os.WriteFile(path, b, 0o600))
		return path
	}
	root, issuing, leaf := file("root", pki.Root.Certificate.Raw), file("issuing", pki.Issuing.Certificate.Raw), file("leaf", agency.Certificate.Raw)
	trust := []string{"--json", "--anchor", root, "--intermediate", issuing, "--at", now.Add(time.Hour).Format(time.RFC3339), "--revocation", "require"}
	with := slices.Clone(trust)
	for i, list := range pki.CRLs {
		with = append(with, "--crl", file("crl"+string(rune('0'+i)), list))
	}
	spoiled := testpki.FlipByte(agency.Certificate.Raw, len(agency.Certificate.Raw)-1)
	for _, c := range []struct {
		name    string
		args    []string
		code    int
		verdict signing.Verdict
		reason  signing.Reason
		path    int
	}{
		{"valid", append([]string{leaf}, with...), exitYes, signing.Valid, "", 3},
		{"no list", append([]string{leaf}, trust...), exitUndetermined, signing.Undetermined, signing.RevocationMissing, 3},
		{"no path", []string{leaf, "--json", "--anchor", root}, exitUndetermined, signing.Undetermined, signing.Untrusted, 0},
		{"a CA as leaf", append([]string{issuing}, with...), exitYes, signing.Valid, "", 2},
		{"a policy is demanded", append([]string{leaf, "--require-explicit-policy", "--policy", "2.999.1"}, with...), exitNo, signing.Invalid, signing.PathPolicy, 3},
		{"a flipped bit", append([]string{file("spoiled", spoiled)}, with...), exitNo, signing.Invalid, signing.PathSignature, 0},
		{"malformed", append([]string{file("malformed", append([]byte{0x30, 4, 0x30, 2, 5, 0}, 0x30, 0))}, with...), exitNo, signing.Invalid, signing.CertificateMalformed, 0},
		{"stray bytes behind it", append([]string{file("stray", append(slices.Clone(agency.Certificate.Raw), 5, 0))}, with...), exitNo, signing.Invalid, signing.CertificateMalformed, 0},
		{"a line end behind it", append([]string{file("line", append(slices.Clone(agency.Certificate.Raw), '\n'))}, with...), exitYes, signing.Valid, "", 3},
		{"a malformed one behind it", append([]string{file("second", append(slices.Clone(agency.Certificate.Raw), 0x30, 4, 0x30, 2, 5, 0))}, with...), exitYes, signing.Valid, "", 3},
		{"a malformed one before it", append([]string{file("first", append([]byte{0x30, 4, 0x30, 2, 5, 0}, agency.Certificate.Raw...))}, with...), exitNo, signing.Invalid, signing.CertificateMalformed, 0},
		{"a malformed intermediate besides", append([]string{leaf, "--intermediate", file("garbled", []byte{0x30, 4, 0x30, 2, 5, 0})}, with...), exitYes, signing.Valid, "", 3},
		{"a malformed anchor", []string{leaf, "--anchor", file("garbled anchor", []byte{0x30, 4, 0x30, 2, 5, 0})}, exitUnusable, "", "", 0},
		{"not a policy", append([]string{leaf, "--policy", "x"}, with...), exitUnusable, "", "", 0},
		{"no certificate", append([]string{file("text", []byte("chỉ là chữ"))}, with...), exitUnusable, "", "", 0},
	} {
		code, out, errs := trucWith(t, nil, append([]string{"verify-path"}, c.args...)...)
		var got signing.PathReport
		if code != c.code || c.verdict != "" && json.Unmarshal([]byte(out), &got) != nil ||
			got.Verdict != c.verdict || got.Reason != c.reason || len(got.Path) != c.path {
			t.Errorf("%s: exit %d\n%s%s", c.name, code, out, errs)
		}
	}
}
