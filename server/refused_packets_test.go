package server

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// packet writes an edXML document from the health department to Hà Nội and Định Mỹ, changed as a test wants it.
func packet(t testing.TB, change func(*edxml.Document), files ...file) string {
	t.Helper()
	doc := edxml.Document{From: edxml.Organization{ID: "000.00.12.H29", Name: "Sở Y tế"}, To: []edxml.Organization{{ID: "H26"}, {ID: "H01.151"}},
		ID: "000.00.12.H29,2026/11/21,170/SYT-VP", Number: "170", Notation: "SYT-VP", Subject: "V/v thử", Type: edxml.DocumentType{Type: 2, Name: "Công văn"},
		PromulgationDate: edxml.Day(testNow)}
	for _, f := range files {
		doc.Attachments = append(doc.Attachments, edxml.Attachment{Name: f.name, MimeType: f.media, Size: int64(len(f.content))})
	}
	change(&doc)
	var b bytes.Buffer
	check(t, edxml.Write(&b, doc, func(i int) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files[i].content)), nil }))
	return b.String()
}

// noise cannot be packed: an over-large file that can would stay in its ZIP.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

// TestRefusedPackets: an edXML packet is held to the same rules as a native submission, and leaves as little behind.
func TestRefusedPackets(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "", small)
	as := func(change func(*edxml.Document)) string {
		return packet(t, change, file{"a.txt", "text/plain", bytes.Repeat([]byte("văn bản "), 50_000)})
	}
	with := func(files ...file) string { return packet(t, func(*edxml.Document) {}, files...) }
	whole := as(func(*edxml.Document) {})
	plain, err := testpki.PDF(testpki.Document{})
	check(t, err)
	encrypted := bytes.Replace(plain, []byte("/Root "), []byte("/Encrypt <<>> /Root "), 1)
	changed := bytes.Clone(signed(t).content)
	changed[bytes.LastIndex(changed, []byte("/ByteRange"))-200] ^= 1
	for _, c := range []struct {
		name, body string
		status     int
		code       string
	}{
		{"nothing", "", 422, "edxml"},
		{"no XML", "đây là văn bản", 422, "edxml"},
		{"an empty root", "<edXML/>", 422, "edxml"},
		{"no envelope", `<?xml version="1.0"?><edXML><AttachmentEncoded><Attachment><AttachmentName>a.txt</AttachmentName><ContentTransferEncoded>YQ==</ContentTransferEncoded></Attachment></AttachmentEncoded></edXML>`, 422, "edxml"},
		{"entities", `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><edXML>&b;</edXML>`, 422, "edxml"},
		{"deep nesting", strings.Repeat("<a>", 100_000), 422, "edxml"},
		{"bad UTF-8", strings.Replace(whole, "V/v thử", "V/v \xff\xfe", 1), 422, "edxml"},
		{"a control character", strings.Replace(whole, "V/v thử", "V/v &#7;", 1), 422, "edxml"},
		{"cut off in the header", whole[:len(whole)/50], 422, "edxml"},
		{"cut off in a file", whole[:len(whole)/2], 422, "edxml"},
		{"cut off behind the last file", whole[:len(whole)-20], 422, "edxml"},
		{"a status", `<?xml version="1.0"?><edXML><edXMLEnvelope><edXMLHeader><Status><ResponseFor><OrganId>H26</OrganId><Code>1/a</Code><DocumentId>1</DocumentId></ResponseFor><From><OrganId>H29.12</OrganId></From><StatusCode>03</StatusCode><Timestamp>2026/11/21 08:00:00</Timestamp></Status></edXMLHeader></edXMLEnvelope></edXML>`, 422, "edxml"},
		{"secret by its subject", as(func(d *edxml.Document) { d.Subject = "TỐI MẬT: V/v x" }), 422, "secret"},
		{"secret by its notation", as(func(d *edxml.Document) { d.Notation = "SYT-M" }), 422, "secret"},
		{"an unknown recipient", as(func(d *edxml.Document) { d.To[1].ID = "H29.13" }), 422, "recipients"},
		{"a closed recipient", as(func(d *edxml.Document) { d.To[0].ID = "H54" }), 422, "recipients"},
		{"a foreign sender", as(func(d *edxml.Document) { d.From.ID = "H26" }), 403, "foreign_sender"},
		{"no recipient", strings.ReplaceAll(strings.ReplaceAll(whole, ">H26<", "><"), ">H01.151<", "><"), 422, "edxml"},
		{"an empty file", with(file{"a.txt", "text/plain", nil}), 422, "file_empty"},
		{"an encrypted PDF", with(file{"a.pdf", "application/pdf", encrypted}), 422, "pdf_encrypted"},
		{"a PDF changed after signing", with(signed(t), file{"b.pdf", "application/pdf", changed}), 422, "signature_broken"},
		{"a PDF that is none", with(signed(t), file{"b.pdf", "application/pdf", []byte("x")}), 422, "not_pdf"},
		{"a zip bomb", with(file{"b.docx", "application/zip", bomb(t, 10_001, 1)}), 422, "zip_bomb"},
		{"a file over its limit", with(signed(t), file{"b.bin", "", noise(1<<20 + 1)}), 413, "file_large"},
		{"files over the limit of a way", with(file{"1.bin", "", noise(1 << 20)}, file{"2.bin", "", noise(1 << 19)}, file{"3.bin", "", []byte("x")}), 413, "dispatch_large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a.untouched(t, func() {
				a.post(formPart{`form-data; name="edxml"`, "application/xml", []byte(c.body)}).refused(t, c.status, c.code)
			})
		})
	}
	t.Run("a file behind the packet", func(t *testing.T) {
		a.untouched(t, func() {
			a.post(formPart{`form-data; name="edxml"`, "", []byte(whole)}, filePart("b.txt", []byte("x"))).refused(t, 400, "part_extra")
			a.post(formPart{`form-data; name="edxml"`, "", []byte(whole)}, formPart{`form-data; name="note"`, "", []byte("x")}).refused(t, 400, "part_extra")
		})
	})
	a.post(formPart{`form-data; name="edxml"`, "", []byte(whole)}).want(t, 201) // and the packet itself is good
	// What is recalled may have gone another way: a packet is taken, but not without a word.
	unknown := a.post(formPart{`form-data; name="edxml"`, "", []byte(as(func(d *edxml.Document) { d.Business = &edxml.Business{Kind: edxml.KindRecall, DocumentID: "x"} }))}).want(t, 201)
	if !strings.Contains(string(unknown.raw), `"original_unknown"`) || unknown.json["kind"] != "recall" || unknown.json["original"] != nil {
		t.Errorf("a recall of what was never sent: %s", unknown.raw)
	}
	// Foreign letters in Base64 are left out, as the partners' own decoder does, but not without a word.
	odd := as(func(d *edxml.Document) { d.ID += "-2" })
	r := a.post(formPart{`form-data; name="edxml"`, "", []byte(strings.Replace(odd, `">UEsDB`, `">UEs!DB`, 1))}).want(t, 201)
	if !strings.Contains(string(r.raw), `"edxml_malformed"`) {
		t.Errorf("no warning: %s", r.raw)
	}
}

// TestPushIsSmall: texts at their limits, in letters of many bytes, are cut in the notice and whole in the inbox.
func TestPushIsSmall(t *testing.T) {
	t.Parallel()
	told := make(chan []byte, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told <- body
	}))
	defer hook.Close()
	a := newAxis(t, hook.URL)
	m := letter("H26-2026-"+strings.Repeat("𝄞", 190), "H26")
	m["sender"], m["subject"], m["type"] = "G22", strings.Repeat("<", 500), map[string]string{"name": strings.Repeat("𝄞", 100)}
	id := a.submit("G22", m, signed(t)).want(t, 201).json["id"].(string)
	reason := "Vì" + strings.Repeat("\u2028", 990) + "." // JSON writes it in six bytes
	a.call("H26", "POST", "/api/v1/deliveries/"+id+".1/receipts", map[string]any{"status": "02", "reason": reason,
		"staff": map[string]string{"name": strings.Repeat("𝄞", 100), "department": strings.Repeat("\u2028", 200), "email": strings.Repeat("𝄞", 100)}}).want(t, 201)
	body := <-told
	var item map[string]any
	check(t, json.Unmarshal(body, &item))
	if len(body) > maxNotice || !strings.HasSuffix(item["receipt"].(map[string]any)["reason"].(string), "\u2028…") {
		t.Errorf("%d bytes: %.300s", len(body), body)
	}
	whole := a.call("G22", "GET", "/api/v1/dispatches/"+id, nil).want(t, 200)
	receipt := whole.json["deliveries"].([]any)[0].(map[string]any)["receipts"].([]any)[0].(map[string]any)
	if receipt["reason"] != reason {
		t.Error("the reason is not whole where it is asked for")
	}
}
