package main

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// verifyWorld is a folder with documents, their signatures and what they are judged by.
type verifyWorld struct {
	t      *testing.T
	folder string
	pki    *testpki.PKI
	seal   *testpki.Identity
}

func newVerifyWorld(t *testing.T) *verifyWorld {
	t.Helper()
	pki, err := testpki.New(testpki.Options{Now: time.Now().Add(-30 * 24 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	w := &verifyWorld{t: t, folder: t.TempDir(), pki: pki}
	if w.seal, err = pki.Agency("Sở Y tế", "H29.12"); err != nil {
		t.Fatal(err)
	}
	w.pem("root.pem", "CERTIFICATE", pki.Root.Certificate.Raw)
	w.pem("issuing.pem", "CERTIFICATE", pki.Issuing.Certificate.Raw)
	w.pem("tsa.pem", "CERTIFICATE", pki.TSA.Certificate.Raw)
	w.pem("crl.pem", "X509 CRL", pki.CRLs...)
	w.file("note.txt", []byte("Kính gửi Sở Y tế\n"))
	w.file("note.p7s", w.cms(testpki.CMS{}))
	w.file("note.p7m", w.cms(testpki.CMS{Attached: true}))
	w.file("signed.pdf", w.pdf())
	w.file("changed.pdf", testpki.ChangeSigned(w.pdf()))
	w.file("empty", nil)
	return w
}

func (w *verifyWorld) at(name string) string { return filepath.Join(w.folder, name) }

func (w *verifyWorld) file(name string, content []byte) string {
	w.t.Helper()
	if err := os.WriteFile(w.at(name), content, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return w.at(name)
}

func (w *verifyWorld) pem(name, kind string, ders ...[]byte) {
	var b bytes.Buffer
	for _, der := range ders {
		_ = pem.Encode(&b, &pem.Block{Type: kind, Bytes: der}) // a buffer never fails
	}
	w.file(name, b.Bytes())
}

func (w *verifyWorld) cms(c testpki.CMS) []byte {
	w.t.Helper()
	if c.Signers == nil {
		c.Signers = []*testpki.Identity{w.seal}
	}
	der, err := c.Sign([]byte("Kính gửi Sở Y tế\n"))
	if err != nil {
		w.t.Fatal(err)
	}
	return der
}

func (w *verifyWorld) pdf() []byte {
	w.t.Helper()
	plain, err := testpki.PDF(testpki.Document{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.file("plain.pdf", plain)
	pdf, err := testpki.SignPDF(plain, testpki.PDFSignature{Signer: w.seal, Seal: true, Time: w.pki.Now().Add(24 * time.Hour)})
	if err != nil {
		w.t.Fatal(err)
	}
	return pdf
}

// verify runs `truc verify` within the test's process; a @ before a word stands for the folder.
func (w *verifyWorld) verify(words ...string) (code int, out, errs string) {
	args := []string{"verify"}
	for _, word := range words {
		if name, ok := strings.CutPrefix(word, "@"); ok {
			word = w.at(name)
		}
		args = append(args, word)
	}
	var o, e bytes.Buffer
	code = run(args, &o, &e)
	return code, o.String(), e.String()
}

// TestVerifyExits: each exit code and flag of `truc verify`, on real files.
func TestVerifyExits(t *testing.T) {
	t.Parallel()
	w := newVerifyWorld(t)
	w.file("root.der", w.pki.Root.Certificate.Raw)
	w.file("garbage.pem", []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	w.file("mixed.pem", append(append([]byte("\xEF\xBB\xBFsubject=TEST\n"), readFile(t, w.at("crl.pem"))...), readFile(t, w.at("root.pem"))...))
	w.file("bare.cer", []byte(base64.StdEncoding.EncodeToString(w.pki.Root.Certificate.Raw)))
	w.file("bag.p7b", w.cms(testpki.CMS{Certificates: []*x509.Certificate{w.pki.Root.Certificate, w.pki.Issuing.Certificate}}))
	w.file("with, comma.pdf", readFile(t, w.at("signed.pdf")))
	w.file("root, old.pem", readFile(t, w.at("root.pem")))
	w.file("bare.p7s", w.cms(testpki.CMS{NoCertificates: true}))
	w.file("sha1.p7s", w.cms(testpki.CMS{Digest: 3, NoSigningCert: true})) // crypto.SHA1
	w.file("good.ocsp", w.ocsp(ocsp.Good))
	w.file("revoked.ocsp", w.ocsp(ocsp.Revoked))
	w.pem("good.ocsp.pem", "OCSP RESPONSE", readFile(t, w.at("good.ocsp")))
	lists := w.folder
	for i, der := range w.pki.CRLs {
		w.file([]string{"root.crl", "issuing.crl"}[i], der)
	}
	anchor := []string{"--anchor", "@root.pem", "--crl", "@crl.pem", "--revocation", "require"}
	for _, c := range []struct {
		name string
		args []string
		code int
		word string
	}{
		{"a signed PDF", append(anchor, "@signed.pdf"), exitYes, "HỢP LỆ"},
		{"changed after signing", append(anchor, "@changed.pdf"), exitNo, "KHÔNG HỢP LỆ"},
		{"no list, require", []string{"--anchor", "@root.pem", "--revocation", "require", "@signed.pdf"}, exitUndetermined, "revocation_unknown"},
		{"no list, soft is the default", []string{"--anchor", "@root.pem", "@signed.pdf"}, exitYes, "revocation_unknown_accepted"},
		{"no list, off", []string{"--anchor", "@root.pem", "--revocation", "off", "@signed.pdf"}, exitYes, "revocation_not_checked"},
		{"another anchor", []string{"--anchor", "@tsa.pem", "@signed.pdf"}, exitUndetermined, "untrusted"},
		{"not signed", append(anchor, "@plain.pdf"), exitNothing, "KHÔNG CÓ CHỮ KÝ"},
		{"of another kind", append(anchor, "@note.txt"), exitNothing, "no_signature"},
		{"an empty file", append(anchor, "@empty"), exitNothing, "no_signature"},
		{"attached", append(anchor, "@note.p7m"), exitYes, "Sở Y tế"},
		{"detached, by --content", append(anchor, "--content", "@note.txt", "@note.p7s"), exitYes, "note.txt"},
		{"detached, by --signature", append(anchor, "--signature", "@note.p7s", "@note.txt"), exitYes, "note.txt"},
		{"over another content", append(anchor, "--content", "@plain.pdf", "@note.p7s"), exitNo, "digest_mismatch"},
		{"detached, without its content", append(anchor, "@note.p7s"), exitUndetermined, "content_missing"},
		{"without certificates", append(anchor, "--content", "@note.txt", "@bare.p7s"), exitUndetermined, "signer_certificate_missing"},
		{"SHA-1", append(anchor, "--content", "@note.txt", "@sha1.p7s"), exitUndetermined, "weak_digest"},
		{"SHA-1 of the past", append(anchor, "--content", "@note.txt", "--allow-sha1", "@sha1.p7s"), exitYes, "HỢP LỆ"},
		{"OCSP", []string{"--anchor", "@root.pem", "--crl", "@root.crl", "--ocsp", "@good.ocsp", "--revocation", "require", "@signed.pdf"}, exitYes, "OCSP"},
		{"OCSP as PEM", []string{"--anchor", "@root.pem", "--crl", "@root.crl", "--ocsp", "@good.ocsp.pem", "--revocation", "require", "@signed.pdf"}, exitYes, "OCSP"},
		{"revoked by OCSP", []string{"--anchor", "@root.pem", "--ocsp", "@revoked.ocsp", "@signed.pdf"}, exitNo, "revoked"},
		{"lists one by one, DER", []string{"--anchor", "@root.der", "--crl", "@root.crl", "--crl", "@issuing.crl", "--revocation", "require", "@signed.pdf"}, exitYes, "CRL"},
		{"text, BOM and lists among the anchors", []string{"--anchor", "@mixed.pem", "--revocation", "require", "@signed.pdf"}, exitYes, "CRL"},
		{"lists among the intermediates", []string{"--anchor", "@root.pem", "--intermediate", "@crl.pem", "--revocation", "require", "@signed.pdf"}, exitYes, "CRL"},
		{"an anchor in bare base64", []string{"--anchor", "@bare.cer", "@signed.pdf"}, exitYes, "HỢP LỆ"},
		{"a bag of anchors", []string{"--anchor", "@bag.p7b", "@signed.pdf"}, exitYes, "HỢP LỆ"},
		{"names with commas", []string{"--anchor", "@root, old.pem", "@with, comma.pdf"}, exitYes, "with, comma.pdf"},
		{"before the certificate", append(anchor, "--at", "2001-02-03T04:05:06+07:00", "@note.p7m"), exitNo, "not_yet"},
		{"long after it", append(anchor, "--at", "2091-02-03T04:05:06Z", "@note.p7m"), exitNo, "expired"},
		{"no such file", append(anchor, "@none.pdf"), exitUnusable, "none.pdf"},
		{"a folder", append(anchor, lists), exitUnusable, "folder"},
		{"no such anchor", []string{"--anchor", "@none.pem", "@signed.pdf"}, exitUnusable, "none.pem"},
		{"an anchor that is a folder", []string{"--anchor", lists, "@signed.pdf"}, exitUnusable, ""},
		{"a garbled anchor", []string{"--anchor", "@garbage.pem", "@signed.pdf"}, exitUnusable, "garbage.pem"},
		{"an anchor that is none", []string{"--anchor", "@note.txt", "@signed.pdf"}, exitUnusable, "note.txt"},
		{"an empty list", append(anchor, "--crl", "@empty", "@signed.pdf"), exitUnusable, "empty"},
		{"no such content", append(anchor, "--content", "@none.txt", "@note.p7s"), exitUnusable, "none.txt"},
		{"a time that is none", append(anchor, "--at", "yesterday", "@signed.pdf"), exitFlags, "at"},
		{"a policy that is none", []string{"--anchor", "@root.pem", "--revocation", "never", "@signed.pdf"}, exitFlags, "revocation"},
		{"no FILE", anchor, exitFlags, "FILE"},
		{"content and signature", append(anchor, "--content", "@note.txt", "--signature", "@note.p7s", "@note.p7s"), exitFlags, "both"},
	} {
		if code, out, errs := w.verify(c.args...); code != c.code || !strings.Contains(out+errs, c.word) {
			t.Errorf("%s: exit %d, want %d and %q:\n%s%s", c.name, code, c.code, c.word, out, errs)
		}
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// ocsp makes an answer of the issuing CA about the seal's certificate.
func (w *verifyWorld) ocsp(status int) []byte {
	w.t.Helper()
	now := time.Now()
	der, err := ocsp.CreateResponse(w.pki.Issuing.Certificate, w.pki.Issuing.Certificate, ocsp.Response{Status: status, SerialNumber: w.seal.Certificate.SerialNumber,
		ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(24 * time.Hour), RevokedAt: w.pki.Now().Add(-time.Hour)}, w.pki.Issuing.Key)
	if err != nil {
		w.t.Fatal(err)
	}
	return der
}

// TestVerifyJSON: the keys that partners were promised, times in Vietnam's zone.
func TestVerifyJSON(t *testing.T) {
	t.Parallel()
	w := newVerifyWorld(t)
	code, out, errs := w.verify("--anchor", "@root.pem", "--crl", "@crl.pem", "--json", "@signed.pdf")
	var got struct {
		Verdict string
		Files   []struct {
			Name, SHA256, Verdict string
			Signatures            []map[string]any
		}
		Signatures []map[string]any
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitYes || strings.Count(out, "\n") != 1 {
		t.Fatalf("exit %d, %v:\n%s%s", code, err, out, errs)
	}
	if got.Verdict != "valid" || len(got.Files) != 1 || got.Files[0].Name != "signed.pdf" || len(got.Files[0].SHA256) != 64 || len(got.Files[0].Signatures) != 1 || len(got.Signatures) != 1 {
		t.Fatalf("%+v", got)
	}
	s := got.Signatures[0]
	for _, key := range []string{"file", "verdict", "reasons", "covers", "after", "signer", "time", "time_source", "claimed_time", "path", "page", "rect"} {
		if s[key] == nil {
			t.Errorf("no %s in %v", key, s)
		}
	}
	if at, _ := s["time"].(string); !strings.HasSuffix(at, "+07:00") {
		t.Errorf("time %s", at)
	}
	if s["covers"] != "whole" || s["after"] != "nothing" || s["time_source"] != "reception" || s["file"] != "signed.pdf" {
		t.Errorf("%v", s)
	}
}

// TestVerifyReasons: every word is listed with what it means, and needs no file.
func TestVerifyReasons(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	if code := run([]string{"verify", "--reasons", "--json"}, &out, &errs); code != exitYes {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	var got struct{ Reasons []map[string]string }
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got.Reasons) != len(signing.Reasons()) {
		t.Fatalf("%d reasons, %v", len(got.Reasons), err)
	}
	for _, r := range got.Reasons {
		for _, key := range []string{"word", "verdict", "clause", "vi", "en"} {
			if r[key] == "" {
				t.Errorf("no %s of %v", key, r)
			}
		}
	}
}

// TestVerifyPacket: each attachment of an edXML packet is judged by itself.
func TestVerifyPacket(t *testing.T) {
	t.Parallel()
	w := newVerifyWorld(t)
	files := []string{"signed.pdf", "changed.pdf", "note.txt"}
	document := edxml.Document{From: edxml.Organization{ID: "H29.12", Name: "Sở Y tế"}, To: []edxml.Organization{{ID: "H26", Name: "Hà Nội"}}, ID: "1", Number: "1", Notation: "SYT",
		Place: "TP. Hồ Chí Minh", PromulgationDate: edxml.Day(time.Now()), Subject: "V/v thử"}
	packet := func(names ...string) string {
		d := document
		for _, name := range names {
			d.Attachments = append(d.Attachments, edxml.Attachment{Name: name, MimeType: "application/octet-stream"})
		}
		var b bytes.Buffer
		if err := edxml.Write(&b, d, func(i int) (io.ReadCloser, error) { return os.Open(w.at(names[i])) }); err != nil {
			t.Fatal(err)
		}
		return w.file("packet.edxml", b.Bytes())
	}
	_, out, errs := w.verify("--anchor", "@root.pem", "--json", packet(files...))
	var got signing.Report
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Files) != 3 {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	for i, want := range []signing.Verdict{signing.Valid, signing.Invalid, signing.Unsigned} {
		if f := got.Files[i]; f.Name != files[i] || f.Verdict != want {
			t.Errorf("%s is %s, want %s %s", f.Name, f.Verdict, files[i], want)
		}
	}
	for _, c := range []struct {
		names []string
		code  int
	}{{files, exitNo}, {files[:1], exitYes}, {files[2:], exitNothing}, {[]string{"signed.pdf", "note.txt"}, exitYes}} {
		if code, out, errs := w.verify("--anchor", "@root.pem", packet(c.names...)); code != c.code {
			t.Errorf("%v: exit %d, want %d\n%s%s", c.names, code, c.code, out, errs)
		}
	}
	whole := readFile(t, packet(files[0]))
	if code, _, errs := w.verify("--anchor", "@root.pem", w.file("torn.edxml", whole[:len(whole)*9/10])); code != exitUnusable {
		t.Errorf("a torn packet: exit %d %s", code, errs)
	}
	w.file("other.xml", []byte(`<?xml version="1.0"?><a><!-- edXML --><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/></a>`))
	if code, out, _ := w.verify("--anchor", "@root.pem", "@other.xml"); code != exitUndetermined {
		t.Errorf("XML with a signature that is no packet: exit %d %s", code, out)
	}
}

// TestVerifyTouchesNothing: with --anchor it needs no state folder, no environment and no place to write, and a pipe does.
func TestVerifyTouchesNothing(t *testing.T) {
	t.Parallel()
	w := newVerifyWorld(t)
	empty := t.TempDir()
	if err := os.Chmod(empty, 0o500); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary(t), "verify", "--anchor", w.at("root.pem"), "--crl", w.at("crl.pem"), "--revocation", "require", "--json", w.at("signed.pdf"))
	cmd.Env = []string{"TRUC_STATE=" + filepath.Join(empty, "none"), "HOME=" + empty, "TMPDIR=" + empty, "TRUC_DATABASE_URL=postgres://nobody@192.0.2.1/none"}
	cmd.Dir = empty
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("judged in %v", time.Since(began))
	if left, err := os.ReadDir(empty); err != nil || len(left) > 0 {
		t.Errorf("it left %v (%v)", left, err)
	}
	piped := exec.Command(binary(t), "verify", "--anchor", w.at("root.pem"), "-")
	piped.Stdin = io.MultiReader(bytes.NewReader(readFile(t, w.at("signed.pdf")))) // no file: a pipe
	if out, err := piped.CombinedOutput(); err != nil || !strings.Contains(string(out), "stdin: HỢP LỆ") {
		t.Errorf("%v\n%s", err, out)
	}
}
