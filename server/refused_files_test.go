package server

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/signing/testpki"
	"github.com/truc-lienthong/truc/storage"
)

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "", small)
	good := signed(t)
	plain, err := testpki.PDF(testpki.Document{Agency: "SỞ Y TẾ", Number: "124/SYT-VP", Subject: "Về việc thử nghiệm"})
	check(t, err)
	encrypted := bytes.Replace(plain, []byte("/Root "), []byte("/Encrypt <<>> /Root "), 1)
	changed := bytes.Clone(good.content)
	changed[bytes.LastIndex(changed, []byte("/ByteRange"))-200] ^= 1
	for _, c := range []struct {
		name   string
		files  []formPart
		status int
		code   string
		say    string
	}{
		{"no file", nil, 422, "files_none", ""},
		{"an empty file", []formPart{filePart("a.pdf", good.content), filePart("trống.txt", nil)}, 422, "file_empty", "trống.txt"},
		{"a file over its limit", []formPart{filePart("a.pdf", good.content), filePart("lớn.bin", make([]byte, 1<<20+1))}, 413, "file_large", "1048576"},
		{"files over the limit of a way", []formPart{filePart("1.bin", make([]byte, 1<<20)), filePart("2.bin", make([]byte, 1<<20))}, 413, "dispatch_large", "1572864"},
		{"a PDF that is none", []formPart{filePart("a.PDF", []byte("<html>%PD"))}, 422, "not_pdf", "a.PDF"},
		{"a truncated PDF's name on an empty page", []formPart{filePart("a.pdf", []byte("%PDF"))}, 422, "not_pdf", "a.pdf"},
		{"an encrypted PDF", []formPart{filePart("mật-khẩu.pdf", encrypted)}, 422, "pdf_encrypted", "mật-khẩu.pdf"},
		{"an encrypted PDF by another name", []formPart{filePart("a.bin", encrypted)}, 422, "pdf_encrypted", "a.bin"},
		{"a PDF changed after signing", []formPart{filePart("đổi.pdf", changed)}, 422, "signature_broken", "đổi.pdf"},
		{"a zip bomb", []formPart{filePart("a.zip", bomb(t, 3, 1<<30))}, 422, "zip_bomb", "a.zip"},
		{"a zip bomb of many entries", []formPart{filePart("a.docx", bomb(t, 10_001, 1))}, 422, "zip_bomb", "a.docx"},
		{"a path in a name", []formPart{filePart("../../etc/passwd", []byte("x"))}, 422, "file_name", ""},
		{"a Windows path in a name", []formPart{filePart(`C:\\tmp\\a.doc`, []byte("x"))}, 422, "file_name", ""},
		{"an absolute path in a name", []formPart{filePart("/etc/passwd", []byte("x"))}, 422, "file_name", ""},
		{"a path in an encoded name", []formPart{{`form-data; name="file"; filename*=utf-8''..%2f..%2fa.pdf`, "", []byte("x")}}, 422, "file_name", ""},
		{"NUL in an encoded name", []formPart{{`form-data; name="file"; filename*=utf-8''a.exe%00.pdf`, "", []byte("x")}}, 422, "file_name", ""},
		{"dots for a name", []formPart{filePart("..", []byte("x"))}, 422, "file_name", ""},
		{"no name", []formPart{{`form-data; name="file"`, "", []byte("x")}}, 422, "file_name", ""},
		{"bad UTF-8 in a name", []formPart{filePart("v\xc4.pdf", []byte("x"))}, 422, "file_name", ""},
		{"a name that reads backwards", []formPart{filePart("h\u202efdp.exe", []byte("x"))}, 422, "file_name", ""},
		{"an isolate in a name", []formPart{filePart("h\u2067fdp.exe", []byte("x"))}, 422, "file_name", ""},
		{"a name too long", []formPart{filePart(strings.Repeat("ă", 501), []byte("x"))}, 422, "file_name", ""},
		{"a part of another name", []formPart{filePart("a.txt", []byte("x")), {`form-data; name="note"`, "", []byte("x")}}, 400, "part_unknown", "note"},
		{"a part without a name", []formPart{filePart("a.txt", []byte("x")), {"", "", []byte("x")}}, 400, "part_unknown", ""},
		{"a signature too large", []formPart{filePart("a.txt", []byte("x")), {`form-data; name="signature"`, "", make([]byte, 1<<20+1)}}, 413, "signature_large", ""},
		{"two signatures", []formPart{filePart("a.txt", []byte("x")), {`form-data; name="signature"`, "", []byte("1")}, {`form-data; name="signature"`, "", []byte("2")}}, 422, "signature_twice", ""},
		{"101 files", slices.Repeat([]formPart{filePart("a.txt", []byte("x"))}, 101), 413, "parts", "100"},
		{"10,000 parts", slices.Repeat([]formPart{{`form-data; name="signature"`, "", nil}}, 10_000), 422, "signature_twice", ""},
		{"10,000 files", slices.Repeat([]formPart{filePart("a", []byte("x"))}, 10_000), 413, "parts", "100"},
		{"metadata again", []formPart{dispatchPart(t, letter("x", "H26"))}, 400, "part_unknown", "dispatch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a.untouched(t, func() {
				r := a.post(append([]formPart{dispatchPart(t, letter("H29.12-2026-refused", "H26", "H01.151"))}, c.files...)...)
				r.refused(t, c.status, c.code)
				if !strings.Contains(r.json["vi"].(string), c.say) || !strings.Contains(r.json["en"].(string), c.say) {
					t.Errorf("%q is not named: %.500s", c.say, r.raw)
				}
			})
		})
	}
	a.untouched(t, func() { // the same limits, said before anything is sent
		plan := a.call("H29.12", "POST", "/api/v1/plan", map[string]any{"sender": "H29.12", "recipients": []string{"H26", "H01.151"}, "files": []map[string]any{
			{"name": "1.bin", "size": 1<<20 + 1}, {"name": "2.bin", "size": 1 << 20}}}).want(t, 200)
		limits := plan.json["limits"].(map[string]any)
		if limits["file_bytes"] != float64(1<<20) || limits["dispatch_bytes"] != float64(1<<20+1<<19) || limits["way"] != "mailbox" || plan.json["ok"] != false {
			t.Errorf("plan: %s", plan.raw)
		}
		var codes []string
		for _, f := range plan.json["faults"].([]any) {
			codes = append(codes, f.(map[string]any)["code"].(string))
		}
		if !slices.Equal(codes, []string{"file_large", "dispatch_large"}) {
			t.Errorf("faults: %v", codes)
		}
	})
}

// bomb makes an archive whose directory claims that n entries inflate to size bytes each.
func bomb(t testing.TB, n int, size uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := range n {
		entry, err := w.CreateRaw(&zip.FileHeader{Name: fmt.Sprint(i), Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(nil),
			CompressedSize64: 2, UncompressedSize64: size})
		check(t, err)
		_, err = entry.Write([]byte{3, 0})
		check(t, err)
	}
	check(t, w.Close())
	return b.Bytes()
}

// TestZipDirectoryIsReadWithinBounds: an archive that says it has one entry but whose directory has 40,000.
func TestZipDirectoryIsReadWithinBounds(t *testing.T) {
	t.Parallel()
	raw := hugeDirectory(t)
	f := received{content: bytes.NewReader(raw)}
	f.Size = int64(len(raw))
	if !zipBomb(f) {
		t.Error("taken for an honest archive")
	}
}

// hugeDirectory makes an archive of few entries by its own count, whose directory holds many times more.
func hugeDirectory(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	entry, err := w.Create(strings.Repeat("x", 100))
	check(t, err)
	_, err = entry.Write([]byte("x"))
	check(t, err)
	check(t, w.Close())
	whole := b.Bytes()
	at := bytes.LastIndex(whole, []byte("PK\x01\x02"))
	end := bytes.LastIndex(whole, []byte("PK\x05\x06"))
	out := bytes.Clone(whole[:at])
	directory := bytes.Repeat(whole[at:end], 40_000) // some 6 MB
	out = append(out, directory...)
	tail := bytes.Clone(whole[end:])
	for i, by := range []int{12, 13, 14, 15} { // the directory's size, little endian
		tail[by] = byte(len(directory) >> (8 * i))
	}
	return append(out, tail...)
}

// TestPolicies: what a sender's policy makes of a broken signature and of none.
func TestPolicies(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	check(t, a.Store.SetPolicy(t.Context(), storage.Policy{Sender: "H29.12", Broken: storage.Hold, Invalid: storage.Hold, Undetermined: storage.Forward, Unsigned: storage.Refuse}, "test", a.clock()))
	check(t, a.reload(t.Context()))
	a.untouched(t, func() {
		a.submit("H29.12", letter("H29.12-2026-1", "H26"), file{"a.txt", "text/plain", []byte("không ký")}).refused(t, 422, "policy")
	})
	changed := bytes.Clone(signed(t).content)
	changed[bytes.LastIndex(changed, []byte("/ByteRange"))-200] ^= 1
	r := a.submit("H29.12", letter("H29.12-2026-2", "H26"), file{"đổi.pdf", "application/pdf", changed}).want(t, 201)
	if r.json["state"] != "held" || r.json["verdict"] != "invalid" {
		t.Errorf("%s", r.raw)
	}
	if items := a.call("H26", "GET", "/api/v1/inbox", nil).want(t, 200).json["items"].([]any); len(items) != 0 {
		t.Errorf("what is held is in the inbox: %v", items)
	}
	a.call("H26", "GET", "/api/v1/deliveries/"+r.json["id"].(string)+".1/package", nil).refused(t, 409, "state")
}
