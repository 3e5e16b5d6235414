package server

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// TestVXPFails: a system that cannot take a packet says why; the packet comes back by the timetable, the third time parks
// it, its sender hears of it, and a report that comes twice counts once.
func TestVXPFails(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	sender, hub := a.vxp("H29.12"), a.vxp("H26")
	sent := sender.send(a.testPacket("FAILS-1", "H26"), "H29.12")
	docID := hub.list("edoc")[0]["docId"].(string)
	fail := func() {
		t.Helper()
		for range 2 { // the second is an echo: the SDK repeats a call whose answer was lost
			if got := hub.call("/updateStatus", []byte("{}"), "docId", docID, "status", "fail", "description", "khong giai ma duoc"); got["ErrorCode"] != "0" {
				t.Fatalf("fail: %v", got)
			}
		}
		if left := hub.list("edoc"); len(left) != 0 {
			t.Fatalf("shown at once: %v", left)
		}
		if n := hub.call("/countReceiveEdoc", nil); n["count"] != 0.0 {
			t.Fatalf("counted: %v", n)
		}
	}
	for range 2 {
		fail()
		a.pass(24 * time.Hour)
		if items := hub.list("edoc"); len(items) != 1 || items[0]["docId"] != docID {
			t.Fatalf("not shown again: %v", items)
		}
	}
	fail()
	a.pass(48 * time.Hour)
	if items := hub.list("edoc"); len(items) != 0 {
		t.Fatalf("parked, and shown: %v", items)
	}
	row := sender.sent(sent["DocId"].(string))[0]
	if row["receiveStatus"] != "fail" || !strings.Contains(row["receiveStatusDesc"].(string), "khong giai ma duoc") {
		t.Fatalf("the sender does not see it: %v", row)
	}
	id, _ := storage.ParsePacketID(docID)
	tries, err := a.Store.Attempts(context.Background(), id.Dispatch, 1, 1)
	check(t, err)
	if len(tries[1]) != 3 || tries[1][2].Outcome != storage.Never || tries[1][0].Outcome != storage.Later {
		t.Fatalf("tries: %+v", tries)
	}
	// It has it after all.
	if got := hub.call("/updateStatus", []byte("{}"), "docId", docID, "status", "done"); got["ErrorCode"] != "0" {
		t.Fatalf("done after parking: %v", got)
	}
	if row := sender.sent(sent["DocId"].(string))[0]; row["receiveStatus"] != "done" {
		t.Fatalf("done after parking: %v", row)
	}
}

// TestVXPProcessing: what a system works on leaves the list for an hour, and comes back if it is never done.
func TestVXPProcessing(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	a.vxp("H29.12").send(a.testPacket("PROCESSING-1", "H26"), "H29.12")
	hub := a.vxp("H26")
	docID := hub.list("edoc")[0]["docId"].(string)
	for _, key := range []string{"docId", "docid"} { // from the second on both are there, and docid counts
		if got := hub.call("/updateStatus", []byte("{}"), key, docID, "status", "processing"); got["ErrorCode"] != "0" {
			t.Fatalf("processing: %v", got)
		}
	}
	if left := hub.list("edoc"); len(left) != 0 {
		t.Fatalf("shown: %v", left)
	}
	a.pass(time.Hour)
	if left := hub.list("edoc"); len(left) != 1 {
		t.Fatalf("not shown again: %v", left)
	}
	if got := hub.call("/updateStatus", nil, "docId", "gone", "docid", docID, "status", "done"); got["ErrorCode"] != "0" {
		t.Fatalf("done: %v", got)
	}
	for _, status := range []string{"done", "fail", "processing"} { // all harmless by now
		if got := hub.call("/updateStatus", nil, "status", status); got["ErrorCode"] != "0" {
			t.Fatalf("%s after done: %v", status, got)
		}
	}
	if got := hub.call("/updateStatus", nil, "status", "xong"); got["status"] != "FAIL" {
		t.Fatalf("an unknown status: %v", got)
	}
	if got := a.vxp("H29.12").call("/updateStatus", nil, "docId", docID, "status", "fail"); got["ErrorCode"] != "0" && got["ErrorCode"] != "21" {
		t.Fatalf("by its sender: %v", got)
	}
	if got := a.vxp("box").call("/updateStatus", nil, "docId", docID, "status", "done"); got["ErrorCode"] != "21" {
		t.Fatalf("by a stranger: %v", got)
	}
}

// TestVXPFailsAtWork: a system that says of each packet that it works on it, and then that it failed, is heard: its reason is
// kept and the third failure parks, though each comes while the packet is put aside. What it says twice counts once.
func TestVXPFailsAtWork(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	sender, hub := a.vxp("H29.12"), a.vxp("H26")
	sent := sender.send(a.testPacket("AT-WORK-1", "H26"), "H29.12")["DocId"].(string)
	docID := hub.list("edoc")[0]["docId"].(string)
	for _, why := range []string{"loi mot", "loi hai", "loi ba"} {
		for _, status := range []string{"processing", "fail", "fail"} {
			if got := hub.call("/updateStatus", nil, "docId", docID, "status", status, "description", why); got["ErrorCode"] != "0" {
				t.Fatalf("%s: %v", status, got)
			}
			a.pass(time.Second)
		}
		if row := sender.sent(sent)[0]; !strings.Contains(row["receiveStatusDesc"].(string), why) {
			t.Fatalf("the sender does not see %q: %v", why, row)
		}
	}
	if row := sender.sent(sent)[0]; row["receiveStatus"] != "fail" {
		t.Fatalf("not parked: %v", row)
	}
	id, _ := storage.ParsePacketID(docID)
	tries, err := a.Store.Attempts(context.Background(), id.Dispatch, 1, 1)
	check(t, err)
	if len(tries[1]) != 3 {
		t.Fatalf("tries: %+v", tries)
	}
}

// TestVXPDates: bounds are read in every form that a client may write them, and each with the same meaning.
func TestVXPDates(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	a.vxp("H29.12").send(a.testPacket("DATES-1", "H26"), "H29.12") // on 2026-11-23 at 08:00:00
	for _, c := range []struct {
		from, to string
		shown    int
	}{
		{"23/11/2026 08:00:00", "23/11/2026 08:00:00", 1},
		{"23/11/2026 8:00:00", "23/11/2026 8:00:00", 1},
		{"2026/11/23 08:00:01", "", 0},
		{"2026-11-23T08:00:00", "2026-11-23T07:59:59", 0},
		{"1/9/2026", "23/11/2026", 1},
		{"2026/9/1", "2026/11/22", 0},
		{"2026-09-01", "2026-11-23", 1},
		{" ", "", 1},
	} {
		answer := a.vxp("H26").call("/getReceivedEdocList", nil, "messagetype", "edoc", "fromDate", c.from, "toDate", c.to)
		if items, _ := answer["data"].([]any); answer["ErrorCode"] != "0" || len(items) != c.shown {
			t.Errorf("%q to %q: %v", c.from, c.to, answer)
		}
	}
	for _, odd := range []string{"null", "31/02/2026", "11-23-2026", "1763769600000"} {
		if answer := a.vxp("H26").call("/getReceivedEdocList", nil, "fromDate", odd); answer["ErrorCode"] != "21" {
			t.Errorf("%q: %v", odd, answer)
		}
	}
}

// TestVXPHeld: a held document is accepted, waits for nobody, and its sender can see that it is held.
func TestVXPHeld(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	check(t, a.Store.SetPolicy(context.Background(), storage.Policy{Sender: "H29.12", Broken: storage.Refuse, Invalid: storage.Hold,
		Undetermined: storage.Hold, Unsigned: storage.Hold}, "test", a.clock()))
	check(t, a.reload(context.Background()))
	sender := a.vxp("H29.12")
	sent := sender.send(a.packetOf("HELD-1", "khong-ky.txt", []byte("không ký"), "H26"), "H29.12")
	if sent["ErrorCode"] != "0" {
		t.Fatalf("sendEdoc: %v", sent)
	}
	if items := a.vxp("H26").list("edoc"); len(items) != 0 {
		t.Fatalf("held, and listed: %v", items)
	}
	row := sender.sent(sent["DocId"].(string))[0]
	if row["sendStatus"] != "processing" || !strings.Contains(row["sendStatusDesc"].(string), "giữ") {
		t.Fatalf("held: %v", row)
	}
}

// TestVXPRefusals: each refusal has its code, is ASCII, names what is meant, and has DocId.
func TestVXPRefusals(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	packet := string(a.testPacket("REFUSED-1", "H26"))
	edit := func(from, to string) []byte { return []byte(strings.Replace(packet, from, to, 1)) }
	for _, c := range []struct {
		name, code, says string
		packet           []byte
		from             string
	}{
		{"unknown recipient", "18", "H99", edit(">H26<", ">H99<"), "H29.12"},
		{"closed recipient", "18", "H31", edit(">H26<", ">H54<"), "H29.12"},
		{"locked recipient", "23", "H02", edit(">H26<", ">H02<"), "H29.12"},
		{"unconnected recipient", "18", "chua co he thong nao ket noi", edit(">H26<", ">H31<"), "H29.12"},
		{"foreign from", "19", "H26", []byte(packet), "H26"},
		{"foreign sender", "19", "H01", edit(">H29.12<", ">H01<"), "H29.12"},
		{"no document id", "22", "DocumentId", edit("REFUSED-1", ""), "H29.12"},
		{"no recipient", "22", "To", edit("edXML:To>", "edXML:Too>"), "H29.12"},
		{"junk", "22", "", edit("<?xml", "1212<?xml"), "H29.12"},
		{"not XML", "22", "", []byte("%PDF-1.7 ..."), "H29.12"},
		{"nothing", "22", "", nil, "H29.12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := a.vxp("H29.12").send(c.packet, c.from)
			desc, _ := got["ErrorDesc"].(string)
			if got["status"] != "FAIL" || got["ErrorCode"] != c.code || got["DocId"] != "" || !strings.Contains(desc, c.says) {
				t.Errorf("got %v", got)
			}
		})
	}
	hash := a.vxp("H29.12").call("/sendEdoc", []byte(packet), "from", "H29.12", "hash-file", strings.Repeat("0", 64))
	if hash["ErrorCode"] != "10" || hash["DocId"] != "" {
		t.Errorf("wrong hash-file: %v", hash)
	}
	if none := a.vxp("H29.12").call("/sendEdoc", []byte(packet), "from", "H29.12"); none["ErrorCode"] != "10" {
		t.Errorf("no hash-file: %v", none)
	}
	if items := a.vxp("H26").list("edoc"); len(items) != 0 {
		t.Errorf("something was accepted: %v", items)
	}
}

// sent is the list of what became of a sent packet.
func (v *vxpSystem) sent(docID string) []map[string]any {
	v.a.t.Helper()
	raw, err := json.Marshal(v.call("/getSentEdocList", nil, "servicetype", "eDoc", "messagetype", "edoc", "docId", docID)["data"])
	check(v.a.t, err)
	var rows []map[string]any
	check(v.a.t, json.Unmarshal(raw, &rows))
	if len(rows) == 0 {
		v.a.t.Fatalf("nothing was sent as %s", docID)
	}
	return rows
}

// TestVXPCodes: every refusal that the face can meet has a code of its own. 20 tells a client to try again without end, so
// it stands only for what passes.
func TestVXPCodes(t *testing.T) {
	t.Parallel()
	passes := map[string]bool{"rate": true, "unavailable": true, "internal": true, "timeout": true}
	native := map[string]bool{"method": true, "request": true, "media_type": true, "part_order": true, "part_unknown": true, "part_extra": true,
		"unknown_field": true, "original_unknown": true, "files_none": true, "file_empty": true, "not_pdf": true, "signature_twice": true,
		"signature_large": true, "idempotency_key": true, "hash_mismatch": true, "reason_required": true, "not_asked": true, "range": true,
		"code": true, "query": true, "not_connected": true, "not_recipient": true, "original_second": true}
	for code := range problems {
		if vxpCodes[code] == "" && !passes[code] && !native[code] {
			t.Errorf("%s is 20 over VXP, which a client repeats for ever", code)
		}
		if vxpCodes[code] != "" && (passes[code] || native[code]) {
			t.Errorf("%s is listed twice", code)
		}
	}
	for code := range vxpCodes {
		if _, ok := problems[code]; !ok && code != "not_original" && code != "foreign_original" {
			t.Errorf("%s is no refusal", code)
		}
	}
}

// TestVXPSecretBehind: a mark of secrecy that stands behind the files refuses the packet too, and nothing of it is kept.
func TestVXPSecretBehind(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	packet := strings.Replace(string(a.testPacket("SECRET-1", "H26")), "</edXML>", "<SecurityLevel>TỐI MẬT</SecurityLevel></edXML>", 1)
	a.untouched(t, func() {
		if got := a.vxp("H29.12").send([]byte(packet), "H29.12"); got["ErrorCode"] != "21" || !strings.Contains(got["ErrorDesc"].(string), "mat") {
			t.Errorf("sendEdoc: %v", got)
		}
	})
}
