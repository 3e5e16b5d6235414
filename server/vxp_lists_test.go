package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server/edxml"
)

// TestVXPLongList: a list has at most 500 items, urgent first, and the rest follow as these end or are put aside; the count
// says at each moment how many there are, listed or not.
func TestVXPLongList(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	const waiting = vxpListed + 3
	agencies, to := make([]routing.Agency, waiting), make([]string, waiting)
	for i := range agencies {
		code := routing.Code(fmt.Sprintf("H26.%d", i+1))
		agencies[i], to[i] = routing.Agency{Code: code, Name: fmt.Sprintf("Đơn vị %d (TEST)", i+1), Parent: "H26", Kind: "department", Status: routing.Live}, string(code)
	}
	_, err := a.Store.ImportAgencies(t.Context(), agencies, "test", a.clock())
	check(t, err)
	check(t, a.reload(t.Context()))
	sender, hub := a.vxp("H29.12"), a.vxp("H26")
	accepted(t, sender.send(a.packetOf("LONG-1", "a.txt", []byte("a"), to...), "H29.12"))
	accepted(t, sender.send(a.packetLike(func(d *edxml.Document) { d.Other.Priority = 4 }, "LONG-2", "b.txt", []byte("b"), "H26"), "H29.12"))
	left := waiting + 1
	seen := map[string]bool{}
	for _, status := range []string{"done", "processing", "fail"} {
		items := hub.list("edoc")
		if n := hub.call("/countReceiveEdoc", nil)["count"]; len(items) != min(left, vxpListed) || n != float64(left) {
			t.Fatalf("%d are listed and %v counted of %d", len(items), n, left)
		}
		if status == "done" && items[0]["to"] != "H26" {
			t.Errorf("the urgent one is not the first: %v", items[0])
		}
		for _, item := range items[:2] {
			docID := item["docId"].(string)
			if seen[docID] {
				t.Errorf("%s is listed again", docID)
			}
			seen[docID] = true
			accepted(t, hub.call("/updateStatus", nil, "docId", docID, "status", status))
		}
		left -= 2
	}
	if items := hub.list("edoc"); left != vxpListed-2 || len(items) != left {
		t.Errorf("%d are listed of %d", len(items), left)
	}
}

// TestVXPDocumentIDs: a document id is opaque, in each form in which ids are made, and matches letter by letter (R36).
func TestVXPDocumentIDs(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	sender, hub := a.vxp("H29.12"), a.vxp("H26")
	for _, id := range []string{"000.00.12.H29,2014/02/30,7816/SYT-TTĐT", "H29.12-2026-160/SYT-VP", "b8f1f0a6-2a8b-4c39-9a53-6f6f6f6f6f6f", "B8F1F0A6-2A8B-4C39-9A53-6F6F6F6F6F6F", "{b8f1f0a6}", "1"} {
		sent := sender.send(a.packetOf(id, "a.txt", []byte(id), "H26"), "H29.12")
		accepted(t, sent)
		if got := hub.says("H26", "01", "H29.12", id, a.clock()); got["ErrorCode"] != "0" {
			t.Errorf("a status about %s: %v", id, got)
		}
		if row := sender.sent(sent["DocId"].(string))[0]; !strings.HasPrefix(row["receiveStatusDesc"].(string), "01") {
			t.Errorf("%s: %v", id, row)
		}
	}
}

// TestVXPOwnRecipient: who is served by the sender's own system gets the document as everybody does, once (R45).
func TestVXPOwnRecipient(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	hub := a.vxp("H26")
	accepted(t, hub.register("H26.1", "H26", "Sở Một"))
	packet := a.packetLike(func(d *edxml.Document) { d.From.ID = "H26" }, "OWN-1", "a.txt", []byte("a"), "H26.1", "H26")
	sent := hub.send(packet, "H26")
	accepted(t, sent)
	if items := hub.list("edoc"); len(items) != 2 {
		t.Fatalf("%v", items)
	}
	docID := hub.list("edoc")[0]["docId"].(string)
	if got, code := hub.get(docID); code != "0" || string(got) != string(packet) {
		t.Errorf("%s, %d bytes", code, len(got))
	}
	accepted(t, hub.says(hub.list("edoc")[0]["to"].(string), "03", "H26", "OWN-1", a.clock()))
	if items := hub.list("status"); len(items) != 1 || items[0]["to"] != "H26" {
		t.Errorf("its own status: %v", items)
	}
}

// TestVXPStatusToNative: what a VXP system says reaches a sender of the native face in its inbox.
func TestVXPStatusToNative(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	id := a.submit("H29.12", with(map[string]any{"document_id": "NATIVE-1", "recipients": []string{"H26"}}), signed(t)).want(t, 201).json["id"].(string)
	hub := a.vxp("H26")
	docID := hub.list("edoc")[0]["docId"].(string)
	if _, code := hub.get(docID); code != "0" {
		t.Fatal(code)
	}
	accepted(t, hub.call("/updateStatus", nil, "docId", docID, "status", "done"))
	accepted(t, hub.says("H26", "03", "H29.12", "NATIVE-1", a.clock()))
	inbox := string(a.call("H29.12", "GET", "/api/v1/inbox", nil).want(t, 200).raw)
	if !strings.Contains(inbox, id+".1.r.1") || !strings.Contains(inbox, `"03"`) {
		t.Errorf("the inbox: %s", inbox)
	}
}
