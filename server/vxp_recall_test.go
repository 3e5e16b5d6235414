package server

import (
	"bytes"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/storage"
)

// TestVXPRecallUnfetched: what nobody fetched is taken back without troubling the recipient (R22).
func TestVXPRecallUnfetched(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	sender, hub := a.vxp("H29.12"), a.vxp("H26")
	sent := sender.send(a.testPacket("D-1", "H26"), "H29.12")
	back := sender.send(a.recallOf("D-1", "H26"), "H29.12")
	if sent["ErrorCode"] != "0" || back["ErrorCode"] != "0" || back["DocId"] == sent["DocId"] {
		t.Fatalf("%v, %v", sent, back)
	}
	if items := hub.list("edoc"); len(items) != 0 {
		t.Fatalf("the recipient is troubled: %v", items)
	}
	if row := sender.sent(sent["DocId"].(string))[0]; row["receiveStatus"] != "recalled" {
		t.Fatalf("the sender does not see it: %v", row)
	}
}

// recallOf is a recall as the official sample has it: the original's own id, and no Bussiness/DocumentId.
func (a *axis) recallOf(id string, to ...string) []byte {
	return a.packetLike(func(d *edxml.Document) {
		d.Business = &edxml.Business{Kind: edxml.KindRecall, Reason: "ban hành nhầm"}
	}, id, "thu-hoi.txt", []byte("thu hồi"), to...)
}

// TestVXPRecallFetched: what was fetched is asked back; 15 ends its being given out, and its trail stays (R19, R20).
func TestVXPRecallFetched(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	sender, hub := a.vxp("H29.12"), a.vxp("H26")
	sent := sender.send(a.testPacket("D-2", "H26"), "H29.12")
	docID := hub.list("edoc")[0]["docId"].(string)
	if _, code := hub.get(docID); code != "0" {
		t.Fatal(code)
	}
	hub.call("/updateStatus", nil, "docId", docID, "status", "done")
	hub.says("H26", "03", "H29.12", "D-2", a.clock())
	back := sender.send(a.recallOf("D-2", "H26"), "H29.12")
	items := hub.list("edoc")
	if len(items) != 1 || items[0]["docId"] == docID {
		t.Fatalf("the recipient is not asked: %v, %v", back, items)
	}
	recall := items[0]["docId"].(string)
	hub.get(recall)
	hub.call("/updateStatus", nil, "docId", recall, "status", "done")
	if _, code := hub.get(docID); code != "0" {
		t.Fatalf("gone before it was agreed: %s", code)
	}
	a.pass(time.Minute)
	if got := hub.says("H26", "15", "H29.12", "D-2", a.clock()); got["ErrorCode"] != "0" {
		t.Fatalf("15: %v", got)
	}
	if packet, code := hub.get(docID); code != "21" || len(packet) != 0 {
		t.Fatalf("still given out after 15: %s", code)
	}
	if row := sender.sent(sent["DocId"].(string))[0]; row["receiveStatus"] != "done" || row["receiveStatusDesc"] != "03 Đã tiếp nhận; đơn vị nhận đã đồng ý thu hồi" {
		t.Fatalf("the sender does not see that it was withdrawn: %v", row)
	}
	var codes []string
	for _, item := range sender.list("status") {
		packet, code := sender.get(item["docId"].(string))
		read, err := edxml.Read(bytes.NewReader(packet), edxml.Reading{})
		check(t, err)
		if code != "0" || read.Status == nil || item["from"] != "H26" || item["to"] != "H29.12" {
			t.Fatalf("a status of the sender: %s, %v", code, item)
		}
		codes = append(codes, read.Status.Code)
	}
	if len(codes) != 2 || codes[0] != "03" || codes[1] != "15" {
		t.Fatalf("the sender hears %v", codes)
	}
	if n := sender.call("/countReceiveStatus", nil); n["count"] != 2.0 {
		t.Fatalf("counted: %v", n)
	}
}

// TestVXPUpdate: after 15 to an update the new version is given out under the old name too.
func TestVXPUpdate(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	sender, hub := a.vxp("H29.12"), a.vxp("H26")
	old := a.testPacket("D-3", "H26")
	sender.send(old, "H29.12")
	docID := hub.list("edoc")[0]["docId"].(string)
	hub.get(docID)
	hub.call("/updateStatus", nil, "docId", docID, "status", "done")
	newer := a.packetLike(func(d *edxml.Document) {
		d.Business = &edxml.Business{Kind: edxml.KindUpdate, DocumentID: "D-3", Reason: "sửa phụ lục", Changes: []edxml.Change{{Content: true}}}
	}, "D-3-b", "ban-moi.txt", []byte("bản mới"), "H26")
	if got := sender.send(newer, "H29.12"); got["ErrorCode"] != "0" {
		t.Fatalf("update: %v", got)
	}
	update := hub.list("edoc")[0]["docId"].(string)
	hub.get(update)
	hub.call("/updateStatus", nil, "docId", update, "status", "done")
	if packet, _ := hub.get(docID); !bytes.Equal(packet, old) {
		t.Fatal("the old version is replaced before its recipient agreed")
	}
	a.pass(time.Minute)
	if got := hub.says("H26", "15", "H29.12", "D-3", a.clock()); got["ErrorCode"] != "0" {
		t.Fatalf("15: %v", got)
	}
	if packet, code := hub.get(docID); code != "0" || !bytes.Equal(packet, newer) {
		t.Fatalf("under the old name comes %d bytes, %s", len(packet), code)
	}
	if status, raw := hub.do("/downloadEdoc", nil, "docId", docID); status != 200 || !bytes.Equal(raw, newer) {
		t.Fatalf("downloadEdoc: %d, %d bytes", status, len(raw))
	}
	waiting, err := a.Store.ReceivedPage(t.Context(), storage.ListFilter{Agencies: []routing.Code{"H26"}, From: testNow.AddDate(0, 0, -1), Face: storage.FaceWaiting, Limit: 10})
	check(t, err)
	for _, line := range waiting {
		if line.Packet().String() == docID {
			t.Error("the clerk is still asked to register what a new version stands for")
		}
	}
}

// TestVXPUpdateUnfetched: what an update took the place of before it was fetched is not called recalled.
func TestVXPUpdateUnfetched(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	sender, hub := a.vxp("H29.12"), a.vxp("H26")
	sent := sender.send(a.testPacket("D-5", "H26"), "H29.12")
	sender.send(a.packetLike(func(d *edxml.Document) {
		d.Business = &edxml.Business{Kind: edxml.KindUpdate, DocumentID: "D-5", Changes: []edxml.Change{{Content: true}}}
	}, "D-5-b", "ban-moi.txt", []byte("bản mới"), "H26"), "H29.12")
	a.pass(time.Minute)
	if got := hub.says("H26", "15", "H29.12", "D-5", a.clock()); got["ErrorCode"] != "0" {
		t.Fatalf("15: %v", got)
	}
	if row := sender.sent(sent["DocId"].(string))[0]; row["receiveStatusDesc"] != "Đã được bản cập nhật thay trước khi đơn vị nhận lấy" {
		t.Fatalf("the old version: %v", row)
	}
}

// TestVXPForeignRecall: only who sent a document may take it back.
func TestVXPForeignRecall(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	a.vxp("H29.12").send(a.testPacket("D-4", "H26"), "H29.12")
	box := a.vxp("box")
	foreign := bytes.Replace(a.recallOf("D-4", "H26"), []byte(">H29.12<"), []byte(">H01.151<"), 1)
	if got := box.send(foreign, "H01.151"); got["ErrorCode"] != "19" || got["DocId"] != "" {
		t.Fatalf("a recall of another's document: %v", got)
	}
	// One that the axis has never seen may have been sent before the cut-over.
	before := bytes.Replace(a.recallOf("D-before", "H26"), []byte(">H29.12<"), []byte(">H01.151<"), 1)
	if got := box.send(before, "H01.151"); got["ErrorCode"] != "0" {
		t.Fatalf("a recall of what went another way: %v", got)
	}
}

// TestVXPStray: a status about what the axis does not know is kept for operators, and told as taken.
func TestVXPStray(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	hub := a.vxp("H26")
	first := hub.says("H26", "03", "H29.12", "GONE-1", a.clock())
	if again := hub.says("H26", "03", "H29.12", "GONE-1", a.clock()); first["ErrorCode"] != "0" || again["DocId"] != first["DocId"] {
		t.Fatalf("%v, then %v", first, again)
	}
	if got := hub.says("H01.151", "03", "H29.12", "GONE-1", a.clock()); got["ErrorCode"] != "19" {
		t.Fatalf("in another's name: %v", got)
	}
	if got := hub.says("H26", "03", "H99", "GONE-1", a.clock()); got["ErrorCode"] != "18" {
		t.Fatalf("to nobody: %v", got)
	}
}
