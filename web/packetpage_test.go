package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// packet is an edXML packet of the health department, with a name that is too long and a recipient that stands in it twice.
func packet(id string, pdf []byte) string {
	return `<?xml version="1.0" encoding="UTF-8"?><edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016" xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016">
<edXML:edXMLEnvelope><edXML:edXMLHeader><edXML:MessageHeader><edXML:From><edXML:OrganId>H29.12</edXML:OrganId></edXML:From>
<edXML:To><edXML:OrganId>H26</edXML:OrganId><edXML:OrganName>` + strings.Repeat("Hà Nội ", 40) + `</edXML:OrganName></edXML:To><edXML:To><edXML:OrganId>H26</edXML:OrganId></edXML:To>
<edXML:To><edXML:OrganId>H01.151</edXML:OrganId></edXML:To><edXML:DocumentId>` + id + `</edXML:DocumentId><edXML:Code><edXML:CodeNumber>77</edXML:CodeNumber><edXML:CodeNotation>SYT-VP</edXML:CodeNotation></edXML:Code>
<edXML:PromulgationInfo><edXML:Place>TP. Hồ Chí Minh</edXML:Place><edXML:PromulgationDate>2026/11/20</edXML:PromulgationDate></edXML:PromulgationInfo>
<edXML:DocumentType><edXML:Type>2</edXML:Type><edXML:TypeName>Công văn</edXML:TypeName></edXML:DocumentType><edXML:Subject>V/v tăng cường phòng bệnh</edXML:Subject>
</edXML:MessageHeader></edXML:edXMLHeader><edXML:edXMLBody><edXML:edXMLManifest version="1.0"><edXML:Reference><edXML:ContentId>cid:1</edXML:ContentId><edXML:ContentType>application/pdf</edXML:ContentType>
<edXML:AttachmentName>cong-van.pdf</edXML:AttachmentName></edXML:Reference></edXML:edXMLManifest></edXML:edXMLBody></edXML:edXMLEnvelope><AttachmentEncoded><Attachment><ContentId>1</ContentId><AttachmentName>cong-van.pdf</AttachmentName>
<ContentType>application/pdf</ContentType><edXML:ContentTransferEncoded>` + base64.StdEncoding.EncodeToString(pdf) + `</edXML:ContentTransferEncoded></Attachment></AttachmentEncoded></edXML>`
}

func (w *world) submitPacket(system, packet string) string {
	w.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	part := must[io.Writer](w.t)(m.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="edxml"`}, "Content-Type": {"application/xml"}}))
	must[int](w.t)(io.WriteString(part, packet))
	check(w.t, m.Close())
	got := w.call(system, "POST", "/api/v1/dispatches", &b, m.FormDataContentType())
	id, _ := got["id"].(string)
	if id == "" {
		w.t.Fatalf("not accepted: %v", got)
	}
	return id
}

// saysAt posts a receipt whose event was some time ago.
func (w *world) saysAt(system, delivery, status, reason string, ago time.Duration) {
	w.t.Helper()
	body := must[[]byte](w.t)(json.Marshal(map[string]any{"status": status, "reason": reason, "event_time": time.Now().Add(-ago)}))
	if got := w.call(system, "POST", "/api/v1/deliveries/"+delivery+"/receipts", bytes.NewReader(body), "application/json"); got["status"] != status {
		w.t.Fatalf("receipt %s: %v", status, got)
	}
}

func TestPageOfAPacket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.submitPacket("H29.12", packet("H29.12,2026/11/20,77/SYT-VP", must[[]byte](t)(signedPDF())))
	page := w.signIn("van.thu").get("/dispatches/"+id).want(t, 200, "77/SYT-VP", "Gói edXML qua VXP/API", "cảnh báo khi trục tiếp nhận", "OrganName (tên cơ quan) dài",
		"/edXML/edXMLEnvelope/edXMLHeader/MessageHeader/To", "lặp lại mã H26")
	page.lacks(t, "has 279 characters") // the sentence of the other language
	w.signIn("van.hanh").get("/dispatches/"+id).want(t, 200, "cảnh báo khi trục tiếp nhận").lacks(t, "cong-van.pdf", "phòng bệnh")
	hanoi := w.signIn("van.thu.hanoi")
	hanoi.get("/deliveries/"+id+".1").want(t, 200, "77/SYT-VP", "Gói edXML qua VXP/API").lacks(t, "cảnh báo khi trục tiếp nhận", "H01.151")
	plain := w.submit("H29.12", letter("SYT-9", "H26"), "a.pdf", must[[]byte](t)(signedPDF()))
	hanoi.get("/dispatches/"+plain).want(t, 200, "Qua API của trục").lacks(t, "cảnh báo khi")
}

// TestReportedFailuresAreTheSystemsOwnWords: what a recipient's system reports is not shown as a try of the axis.
func TestReportedFailuresAreTheSystemsOwnWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.submit("H29.12", letter("SYT-1", "H26"), "a.pdf", must[[]byte](t)(signedPDF()))
	item := storage.ItemID{DeliveryID: storage.DeliveryID{Dispatch: mustID(t, id), N: 1}, Kind: storage.DispatchItem}
	must[storage.State](t)(w.store.Failed(t.Context(), storage.Failure{Item: item, System: "H26", Reason: "khong mo duoc a.pdf", At: time.Now(), Tries: 3,
		Next: func(int, routing.Urgency, time.Time) time.Time { return time.Now().Add(time.Hour) }, Due: time.Now().AddDate(0, 0, 3)}))
	w.signIn("van.thu").get("/dispatches/"+id).want(t, 200, "Hệ thống nhận báo lỗi: khong mo duoc a.pdf", "đưa lại vào danh sách").lacks(t, "lần gửi")
	w.signIn("van.hanh").get("/dispatches/"+id).want(t, 200, "Hệ thống nhận báo lỗi: khong mo duoc tệp 1").lacks(t, "a.pdf")
}

// TestReturnsAndCorrectionsBothShow, in the order of events and not of arrival.
func TestReturnsAndCorrectionsBothShow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.submit("H29.12", letter("SYT-1", "H26", "H01.151"), "a.pdf", must[[]byte](t)(signedPDF()))
	w.saysAt("H26", id+".1", "02", "Gửi nhầm đơn vị", 3*time.Hour)
	w.saysAt("H26", id+".1", "03", "", 2*time.Hour)
	w.saysAt("H26", id+".1", "01", "", 4*time.Hour)
	page := w.signIn("van.thu").get("/dispatches/"+id).want(t, 200, "Gửi nhầm đơn vị", "đính chính việc từ chối", "Trước đó: Từ chối tiếp nhận", "đến trục lúc")
	_, history, _ := strings.Cut(page.body, `<ol class="timeline">`)
	first, second := strings.Index(history, "Đã đến"), strings.Index(history, "Từ chối tiếp nhận")
	if third := strings.Index(history, "Đã tiếp nhận"); first < 0 || second < first || third < second {
		t.Errorf("the history is not in order: %d %d %d\n%.3000s", first, second, third, history)
	}
}

// change is a recall, update or replacement of a document of the health department.
func change(kind, original, id string, to ...string) map[string]any {
	one := letter(id, to...)
	one["kind"], one["original"], one["reason"], one["number"] = kind, original, "Phát hành nhầm bản dự thảo", "125"
	return one
}

// takes lets a system fetch and confirm a delivery.
func (w *world) takes(system, delivery string) {
	w.t.Helper()
	id, _ := storage.ParseDeliveryID(delivery)
	must[storage.State](w.t)(w.store.Taken(w.t.Context(), storage.ItemID{DeliveryID: id, Kind: storage.DispatchItem}, system, time.Now(), ""))
}

// TestGivenBack: after the recipient's 15 its page says so and gives no file any more, and the sender's says when.
func TestGivenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pdf := must[[]byte](t)(signedPDF())
	sender, recipient := w.signIn("van.thu"), w.signIn("van.thu.hanoi")
	for _, c := range []struct{ kind, word, link string }{{"recall", "Đã thu hồi", "Xem yêu cầu thu hồi"}, {"update", "Đã thay bằng bản cập nhật", "Xem bản cập nhật"}} {
		id := w.submit("H29.12", letter("SYT-"+c.kind, "G22", "H26"), "a.pdf", pdf)
		w.takes("H26", id+".2")
		file := "/deliveries/" + id + ".2/attachments/1"
		recipient.get(file).want(t, 200, "%PDF")
		by := w.submit("H29.12", change(c.kind, "SYT-"+c.kind, "SYT-again-"+c.kind, "H26"), "b.pdf", pdf)
		w.takes("H26", by+".1")
		w.receipt("H26", by+".1", "15", "")
		w.receipt("H26", by+".1", "03", "") // what it says later does not hide when it agreed
		sender.get("/dispatches/"+id).want(t, 200, c.word, "đơn vị nhận đồng ý lúc", c.link, "/dispatches/"+by, "/attachments/1")
		recipient.get("/deliveries/"+id+".2").want(t, 200, c.word, "đơn vị đồng ý lúc", "không còn cung cấp tệp", "Không còn việc nào", "a.pdf").lacks(t, file)
		recipient.get(file).want(t, 410, "không còn được cung cấp")
		recipient.get("/dispatches/"+by).want(t, 200, "b.pdf", "/deliveries/"+by+".1/attachments/1")
	}
}

// TestTakenBackUnfetched says in words why the delivery ended.
func TestTakenBackUnfetched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pdf := must[[]byte](t)(signedPDF())
	id := w.submit("H29.12", letter("SYT-1", "H26"), "a.pdf", pdf)
	w.submit("H29.12", change("recall", "SYT-1", "SYT-2", "H26"), "b.pdf", pdf)
	w.signIn("van.thu").get("/dispatches/"+id).want(t, 200, "Đã lấy lại", "Bên gửi thu hồi khi nơi nhận chưa lấy về").lacks(t, "recalled_unfetched")
}
