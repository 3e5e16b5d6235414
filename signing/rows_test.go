package signing_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// rows are those that a validator must report of each signature (regulation 7.3), and the JSON fields that hold them.
var rows = []struct {
	row    string
	fields []string
}{
	{"kết quả chung", []string{"verdict", "reason", "reasons", "sentence.vi", "sentence.en"}},
	{"chữ ký số 1…n, trang, vị trí", []string{"number", "field", "page", "rect", "file"}},
	{"vai trò", []string{"role"}},
	{"người ký, cơ quan, đơn vị cấp, số serial", []string{"signer", "subject", "organization", "unit", "email", "serial", "issuer", "agency_code"}},
	{"hiệu lực, tình trạng thu hồi", []string{"not_before", "not_after", "revocation.status", "revocation.source", "revocation.this_update", "revocation.next_update"}},
	{"đường dẫn chứng thực, loại chữ ký", []string{"path", "anchor", "family"}},
	{"thời gian ký, dấu thời gian", []string{"time", "time_source", "claimed_time", "timestamp_authority", "timestamps.0.time", "timestamps.0.authority",
		"timestamps.0.kind", "timestamps.0.verdict", "timestamps.0.reasons", "timestamps.0.issuer", "timestamps.0.serial", "timestamps.0.not_before", "timestamps.0.not_after",
		"timestamps.0.path", "timestamps.0.revocation.status", "timestamps.0.revocation.this_update"}},
	{"toàn vẹn, phạm vi", []string{"covers", "after"}},
	{"thuật toán", []string{"digest_algorithm", "signature_algorithm"}},
	{"cơ quan ký khớp bên gửi", []string{"sender_match"}},
}

// TestRowsOfTheRegulation: each row has its field, in the report of a document signed as the law asks.
func TestRowsOfTheRegulation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seal := w.issue(testpki.Request{Name: "Sở Thử nghiệm", Code: "H29.1", Unit: "Văn thư", Email: "so@test.invalid"})
	f := inside(w.signPDF(w.one(), testpki.PDFSignature{Signer: seal, Seal: true, TSA: w.PKI}))
	f.Part = signing.PartMain
	o := w.options()
	o.Sender = &signing.Sender{Code: "H29.1", Name: "Sở Thử nghiệm"}
	report := verify(f, o)
	b, err := json.Marshal(report.Files[0].Signatures[1])
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		for _, f := range r.fields {
			if v, ok := fieldAt(got, strings.Split(f, ".")); !ok || v == "" && f != "reason" {
				t.Errorf("%s: no %s in %s", r.row, f, b)
			}
		}
	}
}

func fieldAt(v any, path []string) (any, bool) {
	for _, key := range path {
		if list, ok := v.([]any); ok {
			if len(list) == 0 {
				return nil, false
			}
			v = list[0]
			continue
		}
		m, ok := v.(map[string]any)
		if v, ok = m[key], ok && m[key] != nil; !ok {
			return nil, false
		}
	}
	return v, true
}

// TestShapeOfTheAnswer: what partners read is there whatever was found (issue 4, line 7).
func TestShapeOfTheAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, f := range map[string]signing.File{"good": inside(w.one()), "unsigned": inside(w.pdf()), "forged": inside(testpki.ChangeSigned(w.one())),
		"no cms": detached(content, []byte("x")), "text": inside([]byte("x"))} {
		var got struct {
			Verdict    *string
			Files      *[]map[string]any
			Signatures *[]map[string]any
		}
		b, err := json.Marshal(verify(f, w.options()))
		if err != nil || json.Unmarshal(b, &got) != nil || got.Verdict == nil || got.Files == nil || got.Signatures == nil {
			t.Fatalf("%s: %v %s", name, err, b)
		}
		need(t, name, (*got.Files)[0], "name", "sha256", "verdict", "reason", "reasons", "signatures")
		for _, s := range *got.Signatures {
			need(t, name, s, "file", "verdict", "reason", "reasons", "covers", "after", "signer")
		}
	}
}

func need(t *testing.T, name string, m map[string]any, keys ...string) {
	t.Helper()
	for _, k := range keys {
		if v, ok := m[k]; !ok || v == nil {
			t.Errorf("%s: no %q in %v", name, k, m)
		}
	}
}

// TestSentences are what a clerk reads, word for word.
func TestSentences(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.issue(testpki.Request{Name: "Hết hạn", From: now.AddDate(-2, 0, 0), Until: now.AddDate(-1, 0, 0)})
	for _, c := range []struct {
		name, signature, file string
		pdf                   []byte
		part                  signing.Part
		edit                  func(o *signing.Options)
	}{
		{name: "valid", pdf: w.seal(w.one()), part: signing.PartMain,
			signature: "Chữ ký số của Nguyễn Văn Thử (TEST) (người có thẩm quyền) hợp lệ. Nội dung đã ký số chưa bị thay đổi. Thời điểm do người ký khai: 09:00:00 21/11/2026 +07:00.",
			file:      "Hợp lệ: 2 chữ ký số."},
		{name: "stamped", pdf: w.signPDF(w.pdf(), testpki.PDFSignature{Signer: w.agency, TSA: w.PKI}), part: signing.PartAppendix,
			signature: "Chữ ký số của Sở Thử nghiệm (TEST) (cơ quan, trên phụ lục) hợp lệ. Nội dung đã ký số chưa bị thay đổi. Dấu thời gian: 09:00:00 21/11/2026 +07:00.",
			file:      "Hợp lệ: 1 chữ ký số."},
		{name: "changed", pdf: testpki.ChangeAfterSigning(w.one()),
			signature: "Chữ ký số của Nguyễn Văn Thử (TEST) (người có thẩm quyền) không hợp lệ: Tài liệu đã bị thay đổi",
			file:      "Không hợp lệ: Tài liệu đã bị thay đổi"},
		{name: "expired", pdf: w.signPDF(w.pdf(), testpki.PDFSignature{Signer: old}),
			signature: "Chữ ký số của Hết hạn (TEST) (cơ quan, tổ chức) không hợp lệ: Chứng thư số đã hết hạn sử dụng.",
			file:      "Không hợp lệ: Chứng thư số đã hết hạn sử dụng."},
		{name: "unknown", pdf: w.one(), edit: func(o *signing.Options) { o.Trust = nil },
			signature: "Chữ ký số của Nguyễn Văn Thử (TEST) (người có thẩm quyền) chưa xác định: Chưa cấu hình gốc tin cậy.",
			file:      "Chưa xác định: Chưa cấu hình gốc tin cậy."},
		{name: "leader only", pdf: w.one(), part: signing.PartMain, file: "Hợp lệ: 1 chữ ký số. Thiếu chữ ký cơ quan."},
		{name: "unsigned", pdf: w.pdf(), part: signing.PartAppendix, file: "Không có chữ ký số. Phụ lục/tệp kèm chưa có chữ ký số của cơ quan."},
	} {
		o := w.options()
		if c.edit != nil {
			c.edit(&o)
		}
		f := inside(c.pdf)
		f.Part = c.part
		r := verify(f, o)
		if got := r.Files[0].Sentence; !strings.HasPrefix(got.VI, c.file) || got.EN == "" {
			t.Errorf("%s: file %+v", c.name, got)
		}
		if c.signature != "" && !strings.HasPrefix(r.Signatures[0].Sentence.VI, c.signature) || len(r.Signatures) > 0 && r.Signatures[0].Sentence.EN == "" {
			t.Errorf("%s: signature %+v", c.name, r.Signatures[0].Sentence)
		}
	}
}

// TestSentenceOfADispatch names the file that decided.
func TestSentenceOfADispatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	named := func(name string, b []byte) signing.File { f := inside(b); f.Name = name; return f }
	good, bad, open, plain := named("a.pdf", w.one()), named("b.pdf", testpki.ChangeSigned(w.one())), named("c.pdf", testpki.Stamp(w.one())), named("d.pdf", w.pdf())
	for _, c := range []struct {
		files   []signing.File
		verdict signing.Verdict
		vi, en  string
	}{
		{[]signing.File{good, plain}, signing.Valid, "Hợp lệ: 1/2 tệp có chữ ký số.", "Valid: 1 of 2 files signed."},
		{[]signing.File{open, good, bad, plain}, signing.Invalid, "Không hợp lệ (b.pdf): ", "Not valid (b.pdf): "},
		{[]signing.File{good, open, plain}, signing.Undetermined, "Chưa xác định (c.pdf): ", "Undetermined (c.pdf): "},
		{[]signing.File{plain}, signing.Unsigned, "Không có chữ ký số.", "No digital signature."},
		{nil, signing.Unsigned, "Không có chữ ký số.", "No digital signature."},
	} {
		r := signing.Verify(t.Context(), c.files, w.options())
		if r.Verdict != c.verdict || !strings.HasPrefix(r.Sentence.VI, c.vi) || !strings.HasPrefix(r.Sentence.EN, c.en) {
			t.Errorf("%s %+v, want %s %q", r.Verdict, r.Sentence, c.verdict, c.vi)
		}
	}
}

// The same report is made twice of the same things, whatever the machine's zone is.
func TestReportIsRepeatable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pdf := w.stampPDF(w.seal(w.signPDF(w.pdf(), testpki.PDFSignature{TSA: w.PKI})), w.PKI, now)
	first, _ := json.Marshal(verify(inside(pdf), w.options()))
	o := w.options()
	o.At = o.At.In(time.FixedZone("x", 3600)).UTC()
	if again, _ := json.Marshal(verify(inside(pdf), o)); string(again) != string(first) {
		t.Errorf("%s\n%s", first, again)
	}
}
