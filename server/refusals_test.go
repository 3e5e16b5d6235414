package server

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing/testpki"
	"github.com/truc-lienthong/truc/storage"
)

// tables are all that hold documents or what follows from them. Neither the audit, where a refusal may leave a
// line, nor the counts, which a job folds.
var tables = []string{"object", "identity", "idempotency", "dispatch", "attachment", "delivery", "attempt", "receipt", "queue"}

// kept says what an axis holds: every object by key and size, and how many rows each table has.
func (a *axis) kept(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	ctx := t.Context()
	check(t, a.Store.Objects.List(ctx, "", func(key string, size int64, _ time.Time) error {
		if !strings.HasPrefix(key, "audit/") { // the signed heads of the audit chain, one a minute
			fmt.Fprintf(&b, "%s %d\n", key, size)
		}
		return nil
	}))
	counts := make([]string, len(tables))
	for i, table := range tables {
		counts[i] = "SELECT '" + table + "' AS name, count(*) FROM " + table
	}
	rows, err := a.rows(t).Query(ctx, strings.Join(counts, " UNION ALL ")+" ORDER BY 1")
	check(t, err)
	var name string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&name, &n}, func() error {
		fmt.Fprintf(&b, "%s %d\n", name, n)
		return nil
	})
	check(t, err)
	return b.String()
}

// rows is a connection of the test's own, for what no verb of storage tells.
func (a *axis) rows(t testing.TB) *pgx.Conn {
	t.Helper()
	if a.conn == nil {
		conn, err := pgx.Connect(context.Background(), a.dsn)
		check(t, err)
		a.conn = conn
	}
	return a.conn
}

// refused checks that an answer is a refusal in the promised form: problem+json with code, vi and en at every level.
func (r reply) refused(t testing.TB, status int, code string) reply {
	t.Helper()
	r.want(t, status)
	if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("content type %q: %.500s", got, r.raw)
	}
	var p Problem
	check(t, json.Unmarshal(r.raw, &p))
	if p.Code != code {
		t.Fatalf("code %q, want %q: %.1000s", p.Code, code, r.raw)
	}
	for _, one := range append([]Problem{p}, p.Problems...) {
		if one.Code == "" || one.VI == "" || one.EN == "" || strings.Contains(one.VI+one.EN, "%!") {
			t.Fatalf("a problem without its sentences: %+v", one)
		}
	}
	if code == "unavailable" || code == "rate" {
		if r.Header.Get("Retry-After") == "" {
			t.Fatal("no Retry-After")
		}
	}
	return r
}

// untouched runs f and checks that nothing was kept of it.
func (a *axis) untouched(t *testing.T, f func()) {
	t.Helper()
	before := a.kept(t)
	f()
	if after := a.kept(t); after != before {
		t.Fatalf("something was kept of what was refused:\nbefore:\n%s\nafter:\n%s", before, after)
	}
}

func small(a *axis, c *Config) {
	c.Limits = Limits{File: 1 << 20, Dispatch: 4 << 20, PerWay: map[routing.Way]int64{routing.Mailbox: 1<<20 + 1<<19}}
}

// with gives a letter with some fields changed; nil takes a field away.
func with(changes map[string]any) map[string]any {
	m := letter("H29.12-2026-refused", "H26")
	for field, value := range changes {
		if m[field] = value; value == nil {
			delete(m, field)
		}
	}
	return m
}

func TestRefusedMetadata(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "", small)
	long := func(n int) string { return strings.Repeat("ư", n) }
	field := func(name string, value any) map[string]any { return with(map[string]any{name: value}) }
	for _, c := range []struct {
		name   string
		meta   any
		status int
		code   string
		field  string
		say    []string // in both languages
	}{
		{"recipient unknown, with a suggestion", field("recipients", []string{"H26", "H29.13"}), 422, "recipients", "recipients", []string{"H29.13", "H29.12"}},
		{"recipient closed, with its successor", field("recipients", []string{"H54"}), 422, "recipients", "recipients", []string{"H54", "H31", "QĐ 09/2025/QĐ-TTg"}},
		{"recipient closed, old form", field("recipients", []string{"000.00.00.H54"}), 422, "recipients", "recipients", []string{"000.00.00.H54", "H31"}},
		{"recipient locked", field("recipients", []string{"H02"}), 422, "recipients", "recipients", []string{"H02"}},
		{"recipient malformed", field("recipients", []string{"H26", "H2 6"}), 422, "recipients", "recipients", []string{"H2 6", "H26"}},
		{"recipient that nobody serves", field("recipients", []string{"H31"}), 422, "recipients", "recipients", []string{"H31"}},
		{"no recipient", field("recipients", []string{}), 422, "missing", "recipients", nil},
		{"recipients not given", field("recipients", nil), 422, "missing", "recipients", nil},
		{"an empty recipient", field("recipients", []string{"H26", ""}), 422, "missing", "recipients[1]", nil},
		{"a foreign sender", field("sender", "H26"), 403, "foreign_sender", "sender", []string{"H26", "H29.12"}},
		{"an unknown sender", field("sender", "H99"), 422, "code_unknown", "sender", []string{"H99"}},
		{"no sender", field("sender", nil), 422, "missing", "sender", nil},
		{"no document id", field("document_id", " "), 422, "missing", "document_id", nil},
		{"document id too long", field("document_id", long(201)), 422, "too_long", "document_id", []string{"201", "200"}},
		{"no subject", field("subject", ""), 422, "missing", "subject", nil},
		{"subject too long", field("subject", long(501)), 422, "too_long", "subject", []string{"501", "500"}},
		{"number too long", field("number", long(12)), 422, "too_long", "number", []string{"12", "11"}},
		{"notation too long", field("notation", long(31)), 422, "too_long", "notation", []string{"31", "30"}},
		{"type name missing", field("type", map[string]any{"code": 18}), 422, "missing", "type.name", nil},
		{"type name too long", field("type", map[string]any{"name": long(101)}), 422, "too_long", "type.name", []string{"101", "100"}},
		{"signer too long", field("signer", map[string]any{"name": long(51)}), 422, "too_long", "signer.name", []string{"51", "50"}},
		{"position too long", field("signer", map[string]any{"position": long(101)}), 422, "too_long", "signer.position", nil},
		{"content too long", field("content", long(501)), 422, "too_long", "content", nil},
		{"places too long", field("to_places", []string{long(600), long(600)}), 422, "too_long", "to_places", nil},
		{"a day that is none", field("promulgation_date", "31/10/2026"), 422, "malformed", "promulgation_date", []string{"31/10/2026"}},
		{"a day that is not in the calendar", field("promulgation_date", "2026-02-30"), 422, "malformed", "promulgation_date", nil},
		{"a clock far off", field("promulgation_date", "1899-12-30"), 422, "malformed", "promulgation_date", nil},
		{"a due day far off", field("due_date", "9999-12-31"), 422, "malformed", "due_date", nil},
		{"an unknown kind", field("kind", "thu hồi"), 422, "malformed", "kind", nil},
		{"a recall without its original", field("kind", "recall"), 422, "missing", "original", nil},
		{"a recall of what was never sent", with(map[string]any{"kind": "recall", "original": "H29.12-2026-none"}), 422, "original_unknown", "original", []string{"H29.12-2026-none"}},
		{"an unknown urgency", field("urgency", "hỏa tốc"), 422, "malformed", "urgency", nil},
		{"too many pages", field("page_amount", 1000), 422, "malformed", "page_amount", nil},
		{"a number where text is meant", field("subject", 7), 422, "malformed", "subject", nil},
		{"an unknown field", field("subjekt", "x"), 422, "unknown_field", "subjekt", nil},
		{"an unknown field with a very long name", field(long(10_000), "x"), 422, "unknown_field", "", nil},
		{"a control character", field("subject", "V/v \x07"), 422, "utf8", "subject", nil},
		{"NUL in an id", field("document_id", "a\x00b"), 422, "utf8", "document_id", nil},
		{"a control character in a reference", field("references", []any{map[string]any{"document_id": "\x1b[2J"}}), 422, "utf8", "references[0].document_id", nil},
		{"too many references", field("references", slices.Repeat([]any{map[string]any{"agency": "G22"}}, 101)), 422, "malformed", "references", nil},
		{"several faults at once", with(map[string]any{"subject": "", "number": long(12)}), 422, "metadata", "number", nil},
		{"bad UTF-8", []byte("{\"sender\":\"H29.12\",\"subject\":\"V\xe1\xba\"}"), 422, "utf8", "dispatch", nil},
		{"an empty first part", []byte(" \n"), 422, "missing", "dispatch", nil},
		{"truncated JSON", []byte(`{"sender":"H29.12","recip`), 422, "json", "dispatch", nil},
		{"not JSON", []byte(`<?xml version="1.0"?>`), 422, "json", "dispatch", nil},
		{"JSON and more", []byte(`{} {}`), 422, "json", "dispatch", nil},
		{"a JSON string", []byte(`"H29.12"`), 422, "malformed", "", nil},
		{"null", []byte(`null`), 422, "metadata", "sender", nil},
		{"deep nesting", []byte(strings.Repeat(`{"signer":`, 20_000)), 422, "json", "dispatch", nil},
		{"deep arrays", []byte(`{"references":` + strings.Repeat("[", 1<<20)), 422, "json", "dispatch", nil},
		{"four million empty recipients' worth", []byte(`{"recipients":[` + strings.Repeat(`"",`, 1_000_000) + `""]}`), 413, "recipients_many", "recipients", nil},
		{"a number of a million digits", []byte(`{"page_amount":` + strings.Repeat("9", 1_000_000) + `}`), 422, "malformed", "page_amount", nil},
		{"metadata over their limit", []byte(strings.Repeat(" ", 5<<20)), 413, "body_large", "dispatch", nil},
	} {
		ok := t.Run(c.name, func(t *testing.T) {
			a.untouched(t, func() {
				r := a.submit("H29.12", c.meta, signed(t)).refused(t, c.status, c.code)
				if got, _ := r.json["field"].(string); got != c.field && c.field != "" {
					t.Errorf("field %q, want %q: %.500s", got, c.field, r.raw)
				}
				if len(r.raw) > 20_000 {
					t.Errorf("an answer of %d bytes", len(r.raw))
				}
				said := r.json["vi"].(string) + r.json["en"].(string)
				for _, p := range problemsOf(r) {
					said += p.VI + p.EN
				}
				for _, want := range c.say {
					if strings.Count(said, want) < 2 {
						t.Errorf("%q is not named in both languages: %.1000s", want, said)
					}
				}
			})
		})
		if !ok && testing.Verbose() {
			continue
		}
	}
}

func problemsOf(r reply) []Problem {
	var p Problem
	_ = json.Unmarshal(r.raw, &p)
	return p.Problems
}

// TestRecipientFaults looks at the refusal that a sender's screen shows: each bad code by its place, with what to do.
func TestRecipientFaults(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	given := []string{"H26", "H54", "H29.13", "x y", "H31"}
	p := problemsOf(a.submit("H29.12", letter("H29.12-2026-1", given...), signed(t)).refused(t, 422, "recipients"))
	if len(p) != 4 {
		t.Fatalf("%d problems: %+v", len(p), p)
	}
	for i, want := range []struct{ code, field string }{{"code_closed", "recipients[1]"}, {"code_unknown", "recipients[2]"},
		{"code_malformed", "recipients[3]"}, {"not_connected", "recipients[4]"}} {
		if p[i].Code != want.code || p[i].Field != want.field {
			t.Errorf("problem %d: %+v, want %v", i, p[i], want)
		}
	}
	if len(p[0].Successors) != 1 || p[0].Successors[0].Code != "H31" || p[0].Successors[0].Name == "" {
		t.Errorf("successors: %+v", p[0])
	}
	if !slices.ContainsFunc(p[1].Suggestions, func(n Named) bool { return n.Code == "H29.12" && n.Name != "" }) {
		t.Errorf("suggestions: %+v", p[1])
	}
}

// formPart is one part of a multipart body, in whatever shape the test wants.
type formPart struct {
	disposition, media string
	body               []byte
}

func filePart(name string, content []byte) formPart {
	return formPart{`form-data; name="file"; filename="` + name + `"`, "application/octet-stream", content}
}

func dispatchPart(t testing.TB, meta any) formPart {
	raw, err := json.Marshal(meta)
	check(t, err)
	return formPart{`form-data; name="dispatch"`, "application/json", raw}
}

// form writes parts as they are given.
func form(t testing.TB, parts ...formPart) (*bytes.Buffer, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		header := textproto.MIMEHeader{}
		if p.disposition != "" {
			header.Set("Content-Disposition", p.disposition)
		}
		if p.media != "" {
			header.Set("Content-Type", p.media)
		}
		part, err := w.CreatePart(header)
		check(t, err)
		_, err = part.Write(p.body)
		check(t, err)
	}
	check(t, w.Close())
	return &b, w.FormDataContentType()
}

func (a *axis) post(parts ...formPart) reply {
	a.t.Helper()
	body, media := form(a.t, parts...)
	return a.call("H29.12", "POST", "/api/v1/dispatches", body, "Content-Type", media)
}

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

func TestRefusedBodies(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "", small)
	whole, media := form(t, dispatchPart(t, letter("H29.12-2026-half", "H26")), filePart("a.pdf", signed(t).content), filePart("b.bin", make([]byte, 300_000)))
	body := whole.Bytes()
	first := bytes.Index(body, []byte("%PDF"))
	for _, c := range []struct {
		name, media string
		body        []byte
		status      int
		code        string
	}{
		{"not multipart", "application/json", []byte("{}"), 415, "media_type"},
		{"no boundary", "multipart/form-data", body, 415, "media_type"},
		{"another kind of multipart", "multipart/mixed; boundary=x", body, 415, "media_type"},
		{"a bad content type", "multipart/form-data; boundary=\"", body, 415, "media_type"},
		{"another boundary", "multipart/form-data; boundary=x", body, 400, "body"},
		{"no body", media, nil, 400, "part_order"},
		{"only the end", media, []byte("--" + strings.TrimPrefix(media, "multipart/form-data; boundary=") + "--\r\n"), 400, "part_order"},
		{"it ends in the metadata", media, body[:200], 400, "body"},
		{"it ends in a file", media, body[:first+1000], 400, "body"},
		{"it ends before the last boundary", media, body[:len(body)-10], 400, "body"},
		{"it ends in a part's header", media, body[:first-20], 400, "body"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a.untouched(t, func() {
				a.call("H29.12", "POST", "/api/v1/dispatches", bytes.NewReader(c.body), "Content-Type", c.media).refused(t, c.status, c.code)
			})
		})
	}
	t.Run("files before metadata", func(t *testing.T) {
		a.untouched(t, func() {
			a.post(filePart("a.pdf", signed(t).content), dispatchPart(t, letter("x", "H26"))).refused(t, 400, "part_order")
		})
	})
	t.Run("a header of many lines", func(t *testing.T) {
		a.untouched(t, func() {
			raw := []byte("--x\r\n" + strings.Repeat("X-Many: y\r\n", 20_000) + "\r\n{}\r\n--x--\r\n")
			a.call("H29.12", "POST", "/api/v1/dispatches", bytes.NewReader(raw), "Content-Type", "multipart/form-data; boundary=x").refused(t, 400, "body")
		})
	})
	for _, cut := range []int{300, first + 1, len(body) - 40} {
		t.Run(fmt.Sprintf("the connection closes after %d of %d bytes", cut, len(body)), func(t *testing.T) {
			a.untouched(t, func() { a.half(t, media, body[:cut], len(body)).refused(t, 400, "body") })
		})
	}
	t.Run("keys that are no text", func(t *testing.T) {
		a.untouched(t, func() {
			for key, code := range map[string]string{"\xff\xfe": "utf8", strings.Repeat("k", 256): "too_long", "a\tb": "utf8"} {
				whole, media := form(t, dispatchPart(t, letter("H29.12-2026-key", "H26")), filePart("a.pdf", signed(t).content))
				a.call("H29.12", "POST", "/api/v1/dispatches", whole, "Content-Type", media, "Idempotency-Key", key).refused(t, 422, code)
			}
		})
	})
}

// half sends the beginning of a body and closes its side of the connection, then reads the answer.
func (a *axis) half(t testing.TB, media string, body []byte, said int) reply {
	t.Helper()
	conn, err := net.Dial("tcp", a.http.Listener.Addr().String())
	check(t, err)
	defer func() { _ = conn.Close() }()
	request, err := http.NewRequest("POST", a.url+"/api/v1/dispatches", nil)
	check(t, err)
	request.SetBasicAuth("H29.12", "secret-H29.12")
	_, err = fmt.Fprintf(conn, "POST /api/v1/dispatches HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		request.Header.Get("Authorization"), media, said, body)
	check(t, err)
	check(t, conn.(*net.TCPConn).CloseWrite())
	response, err := http.ReadResponse(bufio.NewReader(conn), request)
	check(t, err)
	raw, err := io.ReadAll(response.Body)
	check(t, err)
	r := reply{Response: response, raw: raw}
	check(t, json.Unmarshal(raw, &r.json))
	return r
}

// TestSlowBody: a body that stops half-way with the connection left open ends with the time limit, as the client's fault.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "", func(_ *axis, c *Config) { c.Limits.Body = 300 * time.Millisecond })
	whole, media := form(t, dispatchPart(t, letter("H29.12-2026-slow", "H26")), filePart("a.pdf", signed(t).content))
	body := whole.Bytes()
	a.untouched(t, func() {
		reader, writer := io.Pipe()
		go func() { _, _ = writer.Write(body[:len(body)-50]) }() // and then nothing more
		defer func() { _ = writer.Close() }()
		a.call("H29.12", "POST", "/api/v1/dispatches", reader, "Content-Type", media).refused(t, 408, "timeout")
	})
}

// TestSecretDocuments: a state secret is refused and nothing of it is kept, whatever came with it.
func TestSecretDocuments(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	for name, changes := range map[string]map[string]any{
		"marked":                       {"secrecy": "Mật"},
		"marked in capitals":           {"secrecy": "TỐI MẬT"},
		"marked in another word":       {"secrecy": "confidential"},
		"by notation":                  {"notation": "UBND-VP(M)"},
		"by notation with a dash":      {"notation": "SYT-M"},
		"by the head of the subject":   {"subject": "TUYỆT MẬT: V/v kế hoạch"},
		"in brackets":                  {"subject": "[MẬT] V/v kế hoạch"},
		"in decomposed Unicode":        {"subject": "MA\u0323\u0302T - V/v kế hoạch"},
		"in decomposed Unicode, field": {"secrecy": "Ma\u0323\u0302t"},
	} {
		t.Run(name, func(t *testing.T) {
			a.untouched(t, func() {
				r := a.submit("H29.12", with(changes), signed(t), file{"kèm.txt", "text/plain", bytes.Repeat([]byte("x"), 1<<20)})
				r.refused(t, 422, "secret")
			})
		})
	}
	a.untouched(t, func() {
		a.submit("H29.12", with(map[string]any{"secrecy": "không", "recipients": []string{"H54"}}), signed(t)).refused(t, 422, "recipients")
	})
	// The refusal is a security event in the audit, without subject or id.
	var events, telling int
	check(t, a.rows(t).QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE concat(object, detail) LIKE '%refused%' OR concat(object, detail) LIKE '%kế hoạch%')
		FROM audit WHERE action = 'dispatch.secret_refused'`).Scan(&events, &telling))
	if events != 9 || telling != 0 {
		t.Errorf("%d events, %d of them with content", events, telling)
	}
}

func TestRefusedCallers(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	ask := func(system, secret string) reply {
		request, err := http.NewRequestWithContext(t.Context(), "GET", a.url+"/api/v1/inbox", nil)
		check(t, err)
		request.SetBasicAuth(system, secret)
		return a.do(request)
	}
	wrong := ask("H26", "secret-H29.12").refused(t, 401, "unauthorized")
	unknown := ask("H27", "secret-H27").refused(t, 401, "unauthorized")
	none := a.call("", "GET", "/api/v1/inbox", nil).refused(t, 401, "unauthorized")
	if !bytes.Equal(wrong.raw, unknown.raw) || !bytes.Equal(wrong.raw, none.raw) {
		t.Errorf("the answers tell apart:\n%s\n%s\n%s", wrong.raw, unknown.raw, none.raw)
	}
	for name := range wrong.Header {
		if name != "Date" && wrong.Header.Get(name) != unknown.Header.Get(name) {
			t.Errorf("header %s tells apart", name)
		}
	}
	if wrong.Header.Get("WWW-Authenticate") == "" {
		t.Error("no WWW-Authenticate")
	}
	ask("", "").refused(t, 401, "unauthorized")
	ask("H26\xff", "x").refused(t, 401, "unauthorized")
	a.call("", "GET", "/api/v1/no-such-page", nil).refused(t, 401, "unauthorized")
	a.call("H26", "GET", "/api/v1/no-such-page", nil).refused(t, 404, "not_found")
	a.call("H26", "GET", "/api/v2/inbox", nil).refused(t, 404, "not_found")
	a.call("H26", "DELETE", "/api/v1/dispatches", nil).refused(t, 405, "method")
	a.call("H26", "VERYSTRANGE", "/api/v1/inbox", nil)
	check(t, a.Store.DisableSystem(t.Context(), "H26", "test", a.clock()))
	check(t, a.reload(t.Context()))
	ask("H26", "secret-H26").refused(t, 403, "disabled")
	ask("H26", "wrong").refused(t, 401, "unauthorized")
	if text := string(a.call("", "GET", "/metrics", nil).want(t, 200).raw); strings.Contains(text, "VERYSTRANGE") {
		t.Error("a stranger's method became a metric")
	}
}

// TestSameTimeForWrongSecretAndUnknownID compares the medians of many interleaved calls of the check itself. A look-up
// that skipped the hashing for unknown ids would be several times faster.
func TestSameTimeForWrongSecretAndUnknownID(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	secret := strings.Repeat("s", 1<<16) // long, so that leaving out the comparison would show
	measure := func(id string) time.Duration {
		request := httptestRequest("GET", "/api/v1/inbox")
		request.SetBasicAuth(id, secret)
		started := time.Now()
		a.http.Config.Handler.ServeHTTP(discard{http.Header{}}, request)
		return time.Since(started)
	}
	var wrong, unknown []time.Duration
	for range 201 {
		wrong, unknown = append(wrong, measure("H26")), append(unknown, measure("H27"))
	}
	slices.Sort(wrong)
	slices.Sort(unknown)
	w, u := wrong[len(wrong)/2], unknown[len(unknown)/2]
	if ratio := float64(w) / float64(u); ratio > 1.5 || ratio < 1/1.5 {
		t.Errorf("a wrong secret takes %v, an unknown id %v", w, u)
	}
}

// TestForeignEyes: nobody reads, ends or speaks of what is not theirs, and is not even told that it exists.
func TestForeignEyes(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	id := a.submit("H29.12", letter("H29.12-2026-1", "H26"), signed(t)).want(t, 201).json["id"].(string)
	delivery := id + ".1"
	a.untouched(t, func() {
		for _, call := range []struct {
			method, path string
			body         any
		}{
			{"GET", "/dispatches/" + id, nil}, {"GET", "/dispatches/" + id + "/proof", nil},
			{"GET", "/deliveries/" + delivery + "/package", nil}, {"GET", "/deliveries/" + delivery + "/attachments/1", nil},
			{"POST", "/deliveries/" + delivery + "/receipts", map[string]any{"status": "01"}},
			{"POST", "/inbox/" + delivery + ".d.0/taken", nil},
			{"POST", "/inbox/" + delivery + ".d.0/taken", map[string]string{"sha256": strings.Repeat("0", 64)}},
			{"POST", "/inbox/" + delivery + ".r.1/taken", nil}, {"POST", "/inbox/" + delivery + ".n.1/taken", nil},
		} {
			stranger := a.call("box", call.method, "/api/v1"+call.path, call.body).refused(t, 404, "not_found")
			if strings.Contains(string(stranger.raw), id) {
				t.Errorf("%s %s: %s", call.method, call.path, stranger.raw)
			}
		}
		a.call("box", "GET", "/api/v1/dispatches?sender=H29.12", nil).refused(t, 403, "foreign")
		a.call("box", "GET", "/api/v1/deliveries?agency=H26", nil).refused(t, 403, "foreign")
		// The two sides see it, each its own.
		a.call("H26", "GET", "/api/v1/dispatches/"+id, nil).refused(t, 404, "not_found")
		a.call("H29.12", "POST", "/api/v1/inbox/"+delivery+".d.0/taken", nil).refused(t, 404, "not_found")
		a.call("H29.12", "POST", "/api/v1/deliveries/"+delivery+"/receipts", map[string]any{"status": "03"}).refused(t, 403, "foreign")
		a.call("H26", "POST", "/api/v1/deliveries/"+delivery+"/receipts", map[string]any{"status": "13"}).refused(t, 403, "foreign")
	})
}

// TestRefusedQuestions: whatever stands in a path, a query or a small body, the answer is a 4xx with its sentence.
func TestRefusedQuestions(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	id := a.submit("H29.12", letter("H29.12-2026-1", "H26"), signed(t)).want(t, 201).json["id"].(string)
	bad := []string{"%00", "%ff", "x", "-1", "99999999999999999999", id + ".0", id + ".2", id + ".1.d.0.0", strings.Repeat("9", 400), "%2e%2e%2f", "'%3b--"}
	a.untouched(t, func() {
		for _, b := range bad {
			for _, path := range []string{"/dispatches/" + b, "/dispatches/" + b + "/proof", "/deliveries/" + b + "/package",
				"/deliveries/" + b + "/attachments/1", "/deliveries/" + id + ".1/attachments/" + b, "/agencies/" + b,
				"/dispatches?sender=" + b, "/dispatches?from=" + b, "/dispatches?to=" + b, "/dispatches?after=" + b,
				"/deliveries?agency=" + b, "/deliveries?state=" + b, "/deliveries?after=" + b, "/inbox?wait=" + b} {
				if strings.HasSuffix(path, "after="+id+".2") {
					continue // the id of a page's last line, as good as any
				}
				if r := a.call("H26", "GET", "/api/v1"+path, nil); r.StatusCode < 400 || r.StatusCode >= 500 || r.json["vi"] == nil {
					t.Errorf("GET %s: %d %.300s", path, r.StatusCode, r.raw)
				}
			}
			for _, path := range []string{"/dispatches?document_id=" + b, "/dispatches?limit=" + b, "/agencies?q=" + b, "/agencies?limit=" + b,
				"/inbox?limit=" + b, "/deliveries?limit=" + b, "/dispatches/" + id + "?after=" + b, "/dispatches/" + id + "?limit=" + b} {
				if r := a.call("H29.12", "GET", "/api/v1"+path, nil); r.StatusCode >= 500 {
					t.Errorf("GET %s: %d %.300s", path, r.StatusCode, r.raw)
				}
			}
			a.call("H26", "POST", "/api/v1/inbox/"+b+"/taken", nil).refused(t, 404, "not_found")
			a.call("H26", "POST", "/api/v1/deliveries/"+b+"/receipts", map[string]any{"status": "01"}).refused(t, 404, "not_found")
		}
		a.call("H26", "GET", "/api/v1/deliveries?state=held", nil).refused(t, 400, "query") // a recipient is not told of what is held
		receipts := "/api/v1/deliveries/" + id + ".1/receipts"
		for body, code := range map[string]string{
			``: "status_unknown", `{}`: "status_unknown", `{"status":"07"}`: "status_unknown", `{"status":1}`: "malformed", `[]`: "malformed",
			`{"status":"01"`: "json", `{"status":"01"}{}`: "json", `{"status":"02"}`: "reason_required", `{"status":"02","reason":" "}`: "reason_required",
			"{\"status\":\"03\",\"reason\":\"\xff\"}":                            "utf8",
			`{"status":"03","reason":"\u0000"}`:                                  "utf8",
			`{"status":"03","staff":{"name":"\u001b[31m"}}`:                      "utf8",
			`{"status":"03","reason":"` + strings.Repeat("ă", 1001) + `"}`:       "too_long",
			`{"status":"03","arrival_number":"` + strings.Repeat("1", 21) + `"}`: "too_long",
			`{"status":"03","event_time":"2018-12-31T00:00:00Z"}`:                "malformed", // a clock far off, behind
			`{"status":"03","event_time":"2026-11-25T00:00:00+07:00"}`:           "malformed", // and ahead
			`{"status":"03","event_time":"yesterday"}`:                           "malformed",
			strings.Repeat("[", 60_000):                                          "json",
		} {
			a.call("H26", "POST", receipts, strings.NewReader(body)).refused(t, 422, code)
		}
		a.call("H26", "POST", receipts, strings.NewReader(`{"reason":"`+strings.Repeat("x", 70_000))).refused(t, 413, "body_large")
		a.call("H26", "POST", receipts, map[string]any{"status": "15"}).refused(t, 409, "not_asked")
		for body, code := range map[string]string{`{"recipients":"H26"}`: "malformed", `{`: "json", "{\"sender\":\"\xff\"}": "utf8"} {
			a.call("H26", "POST", "/api/v1/plan", strings.NewReader(body)).refused(t, 422, code)
		}
		a.call("H26", "POST", "/api/v1/plan", strings.NewReader(`{"recipients":[`+strings.Repeat(`"",`, 50_000)+`""]}`)).refused(t, 413, "recipients_many")
		a.call("H26", "POST", "/api/v1/plan", strings.NewReader(`{"files":[`+strings.Repeat(`{},`, 500_000)+`{}]}`)).refused(t, 413, "parts")
		if ok := a.call("H26", "POST", "/api/v1/plan", map[string]any{"recipients": []string{"H29.12"}, "files": []map[string]any{{"name": "a", "size": -5}}}).want(t, 200).json["ok"]; ok != false {
			t.Error("a negative size is planned")
		}
	})
}

// TestRanges: a part, a part that is not there, many parts at once, and a client that goes away in the middle.
func TestRanges(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	content := bytes.Repeat([]byte("0123456789"), 200_000)
	id := a.submit("H29.12", letter("H29.12-2026-1", "H26"), file{"số liệu.txt", "text/plain", content}).want(t, 201).json["id"].(string)
	path := "/api/v1/deliveries/" + id + ".1/attachments/1"
	part := a.call("H26", "GET", path, nil, "Range", "bytes=-5").want(t, 206)
	if string(part.raw) != "56789" || part.Header.Get("Content-Range") != "bytes 1999995-1999999/2000000" {
		t.Errorf("%q %v", part.raw, part.Header)
	}
	if r := a.call("H26", "GET", path, nil, "Range", "bytes=2000000-").refused(t, 416, "range"); r.Header.Get("Content-Range") != "bytes */2000000" {
		t.Errorf("%v", r.Header)
	}
	a.call("H26", "GET", path, nil, "Range", "bytes=9-5").refused(t, 416, "range")
	whole := a.call("H26", "GET", path, nil, "Range", "bytes=0-1,5-9").want(t, 200) // several at once are answered with the whole (RFC 9110, 14.2)
	if !bytes.Equal(whole.raw, content) {
		t.Error("not the whole")
	}
	a.call("H26", "GET", path, nil, "If-None-Match", whole.Header.Get("ETag")).want(t, 304)
	if head := a.call("H26", "HEAD", path, nil).want(t, 200); head.ContentLength != 2_000_000 || len(head.raw) != 0 {
		t.Errorf("HEAD: %d", head.ContentLength)
	}
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, "GET", a.url+path, nil)
	check(t, err)
	request.SetBasicAuth("H26", "secret-H26")
	response, err := http.DefaultClient.Do(request)
	check(t, err)
	_, err = io.ReadFull(response.Body, make([]byte, 10))
	check(t, err)
	cancel()
	_ = response.Body.Close()
	a.call("H26", "GET", path, nil).want(t, 200)
}

// TestRate: too many requests of one system are told when to come back, and do not slow the others.
func TestRate(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "", func(_ *axis, c *Config) { c.Limits.Rate = 3 })
	for range 6 { // a burst of two seconds' worth
		a.call("H26", "GET", "/api/v1/inbox", nil).want(t, 200)
	}
	a.untouched(t, func() {
		a.call("H26", "GET", "/api/v1/inbox", nil).refused(t, 429, "rate")
		a.call("H29.12", "GET", "/api/v1/inbox", nil).want(t, 200)
	})
	a.pass(time.Second)
	for range 3 {
		a.call("H26", "GET", "/api/v1/inbox", nil).want(t, 200)
	}
	a.call("H26", "GET", "/api/v1/inbox", nil).refused(t, 429, "rate")
}

// TestServerClockFarOff: where the node's own clock points to a month that has no place yet, nothing is recorded and the
// sender is asked to come again; it is not an internal error.
func TestServerClockFarOff(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	a.pass(10 * 365 * 24 * time.Hour)
	rows := func() string { return strings.SplitAfter(a.kept(t), "object ")[1] }
	before := rows()
	a.submit("H29.12", letter("H29.12-2036-1", "H26"), signed(t)).refused(t, 503, "unavailable")
	if after := rows(); after != before {
		t.Errorf("rows: %s, before %s", after, before)
	}
	check(t, a.Store.AttachMonths(t.Context(), a.clock())) // what a job does each hour
	a.submit("H29.12", letter("H29.12-2036-1", "H26"), signed(t)).want(t, 201)
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
