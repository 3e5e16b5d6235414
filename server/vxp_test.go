package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// vxpSystem is a system that calls as the SDK does, with one map for all its life.
type vxpSystem struct {
	a     *axis
	id    string
	keys  []string // in the order in which they were set
	signs map[string]string
}

func (a *axis) vxp(id string) *vxpSystem {
	v := &vxpSystem{a: a, id: id, signs: map[string]string{}}
	v.set("systemid", id, "timestamp", "21112026T192921+0718", "Content-Type", "application/json")
	return v
}

func (v *vxpSystem) set(pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		if _, known := v.signs[pairs[i]]; !known {
			v.keys = append(v.keys, pairs[i])
		}
		v.signs[pairs[i]] = pairs[i+1]
	}
}

// signed is the JSON of the map as it stands.
func (v *vxpSystem) signed() string {
	parts := make([]string, len(v.keys))
	for i, key := range v.keys {
		value, err := json.Marshal(v.signs[key])
		check(v.a.t, err)
		parts[i] = fmt.Sprintf(`"%s%s":%s`, vxpPrefix, key, value)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// do makes one call; the keys are left in the map for the next one.
func (v *vxpSystem) do(path string, body []byte, pairs ...string) (int, []byte) {
	v.a.t.Helper()
	v.set(pairs...)
	request, err := http.NewRequest(http.MethodPost, v.a.url+"/vxp"+path, bytes.NewReader(body))
	check(v.a.t, err)
	signed := v.signed()
	request.Header.Set(vxpSignHeader, signed)
	request.Header.Set(vxpHashHeader, fmt.Sprintf("%x", signMap([]byte("secret-"+v.id), signed)))
	response, err := http.DefaultClient.Do(request)
	check(v.a.t, err)
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	check(v.a.t, err)
	return response.StatusCode, raw
}

// call is do for answers in JSON.
func (v *vxpSystem) call(path string, body []byte, pairs ...string) map[string]any {
	v.a.t.Helper()
	_, raw := v.do(path, body, pairs...)
	var answer map[string]any
	if err := json.Unmarshal(raw, &answer); err != nil {
		v.a.t.Fatalf("%s answers no JSON: %q", path, raw)
	}
	return answer
}

// send hands in a packet as the SDK does.
func (v *vxpSystem) send(packet []byte, from string) map[string]any {
	v.a.t.Helper()
	sum := sha256.Sum256(packet)
	return v.call("/sendEdoc", append(bytes.Clone(packet), '\r', '\n'), "servicetype", "eDoc", "messagetype", "edoc", "from", from, "hash-file", unpaddedHex(sum[:]))
}

// list is one received list.
func (v *vxpSystem) list(kind string) []map[string]any {
	v.a.t.Helper()
	answer := v.call("/getReceivedEdocList", nil, "servicetype", "eDoc", "messagetype", kind)
	if answer["ErrorCode"] != "0" {
		v.a.t.Fatalf("list: %v", answer)
	}
	var items []map[string]any
	for _, one := range answer["data"].([]any) {
		items = append(items, one.(map[string]any))
	}
	return items
}

// testPacket is a signed letter of Sở Y tế to some agencies.
func (a *axis) testPacket(id string, to ...string) []byte {
	a.t.Helper()
	pki := testPKI(a.t)
	signer, err := pki.Agency("Sở Y tế Thành phố Hồ Chí Minh (TEST)", "H29.12")
	check(a.t, err)
	pdf, err := testpki.PDF(testpki.Document{Agency: "SỞ Y TẾ (TEST)", Number: "123/SYT-VP", Subject: "V/v phòng, chống dịch bệnh"})
	check(a.t, err)
	pdf, err = testpki.SignPDF(pdf, testpki.PDFSignature{Signer: signer, Time: pki.Now(), Seal: true})
	check(a.t, err)
	return a.packetOf(id, "cong-van.pdf", pdf, to...)
}

// packetOf is a letter of Sở Y tế with one file.
func (a *axis) packetOf(id, name string, file []byte, to ...string) []byte {
	a.t.Helper()
	return a.packetLike(func(*edxml.Document) {}, id, name, file, to...)
}

// packetLike is packetOf with something changed.
func (a *axis) packetLike(change func(*edxml.Document), id, name string, file []byte, to ...string) []byte {
	a.t.Helper()
	doc := edxml.Document{From: edxml.Organization{ID: "H29.12", Name: "Sở Y tế"}, ID: id, Number: "123", Notation: "SYT-VP",
		Type: edxml.DocumentType{Type: 2, Name: "Công văn"}, Subject: "V/v phòng, chống dịch bệnh", PromulgationDate: edxml.Day(testNow),
		Attachments: []edxml.Attachment{{Name: name, MimeType: "application/pdf", Size: int64(len(file))}}}
	for _, code := range to {
		doc.To = append(doc.To, edxml.Organization{ID: code})
	}
	change(&doc)
	var out bytes.Buffer
	check(a.t, edxml.Write(&out, doc, func(int) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil }))
	return out.Bytes()
}

// TestVXPThere: one packet goes in and comes out again, byte for byte, and its sender sees that.
func TestVXPThere(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	sender, hub := a.vxp("H29.12"), a.vxp("H26")
	packet := a.testPacket("000.00.12.H29,2026/11/21,123/SYT-VP", "000.00.00.H26", "H26")
	sent := sender.send(packet, "H29.12")
	if sent["ErrorCode"] != "0" || len(sent["DocId"].(string)) != 36 {
		t.Fatalf("sendEdoc: %v", sent)
	}
	if again := sender.send(packet, "H29.12"); again["DocId"] != sent["DocId"] {
		t.Fatalf("again: %v", again)
	}
	items := hub.list("edoc")
	if len(items) != 1 || items[0]["from"] != "H29.12" || items[0]["to"] != "H26" || items[0]["status"] != "initial" || items[0]["created_time"] != "2026-11-23 08:00:00" {
		t.Fatalf("list: %v", items)
	}
	docID := items[0]["docId"].(string)
	got := hub.call("/getEdoc", []byte("{}"), "docId", docID, "filePath", "/home/qlvb")
	raw, err := base64.StdEncoding.DecodeString(got["data"].(string))
	if err != nil || !bytes.Equal(raw, packet) {
		t.Fatalf("getEdoc: %v, %d bytes of %d", err, len(raw), len(packet))
	}
	if status, raw := hub.do("/downloadEdoc", nil); status != 200 || !bytes.Equal(raw, packet) {
		t.Fatalf("downloadEdoc: %d, %d bytes", status, len(raw))
	}
	if n := hub.call("/countReceiveEdoc", []byte("{}")); n["count"] != 1.0 {
		t.Fatalf("count: %v", n)
	}
	if done := hub.call("/updateStatus", []byte("{}"), "status", "done"); done["ErrorCode"] != "0" {
		t.Fatalf("updateStatus: %v", done)
	}
	if left := hub.list("edoc"); len(left) != 0 {
		t.Fatalf("left: %v", left)
	}
	rows := sender.call("/getSentEdocList", nil, "docId", sent["DocId"].(string))["data"].([]any)
	row := rows[0].(map[string]any)
	if len(rows) != 1 || row["receiverDocId"] != docID || row["receiveStatus"] != "done" || row["notation"] != "123/SYT-VP" {
		t.Fatalf("getSentEdocList: %v", rows)
	}
}

// says hands in a status packet about a document.
func (v *vxpSystem) says(from, code, to, documentID string, at time.Time) map[string]any {
	v.a.t.Helper()
	var out bytes.Buffer
	check(v.a.t, edxml.WriteStatus(&out, edxml.Status{From: edxml.Organization{ID: from}, ResponseFor: edxml.ResponseFor{OrganID: to, Code: "123/SYT-VP", DocumentID: documentID},
		Code: code, Description: "theo đề nghị", At: edxml.Moment(at), Staff: edxml.Staff{Name: "Trần Thị Thử", Department: "Văn thư"}}))
	return v.send(out.Bytes(), from)
}

// get is a packet's bytes, or the error code.
func (v *vxpSystem) get(docID string) (packet []byte, code string) {
	v.a.t.Helper()
	got := v.call("/getEdoc", []byte("{}"), "docId", docID)
	packet, err := base64.StdEncoding.DecodeString(got["data"].(string))
	check(v.a.t, err)
	return packet, got["ErrorCode"].(string)
}
