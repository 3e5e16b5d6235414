package server

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/truc-lienthong/truc/server/edxml"
)

// TestVXPSentStatus: every id that sendEdoc answers is known to getSentEdocList afterwards, a status packet's too, and a stray's.
func TestVXPSentStatus(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	sender, hub := a.vxp("H29.12"), a.vxp("H26")
	sender.send(a.packetOf("SAID-1", "a.txt", []byte("a"), "H26"), "H29.12")
	said := hub.says("H26", "03", "H29.12", "SAID-1", a.clock())["DocId"].(string)
	row := hub.sent(said)[0]
	if row["senderDocId"] != said || row["messageType"] != "status" || row["fromCode"] != "H26" || row["toCode"] != "H29.12" || row["receiveStatus"] != "initial" {
		t.Errorf("a status that waits: %v", row)
	}
	sender.call("/updateStatus", nil, "docId", said, "status", "done")
	if row := hub.sent(said)[0]; row["receiveStatus"] != "done" {
		t.Errorf("a status that was fetched: %v", row)
	}
	stray := hub.says("H26", "03", "H29.12", "GONE-1", a.clock())["DocId"].(string)
	row = hub.sent(stray)[0]
	if row["senderDocId"] != stray || row["messageType"] != "status" || row["sendStatus"] != "done" || row["receiveStatus"] != "fail" ||
		row["fromCode"] != "H26" || row["toCode"] != "H29.12" || !strings.Contains(row["receiveStatusDesc"].(string), "người vận hành") {
		t.Errorf("a stray: %v", row)
	}
	for _, other := range []*vxpSystem{sender, a.vxp("box")} {
		if got := other.call("/getSentEdocList", nil, "docId", stray); got["ErrorCode"] != "21" {
			t.Errorf("%s sees another's stray: %v", other.id, got)
		}
	}
}

// TestVXPOldForm: a system that is shown old codes is shown them in every list and in what the axis writes for it.
func TestVXPOldForm(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	a.addSystem("G22", "old", "G22")
	office, hub := a.vxp("G22"), a.vxp("H26")
	body := with(map[string]any{"document_id": "OLD-1", "recipients": []string{"G22"}})
	id := a.submit("H29.12", body, signed(t)).want(t, 201).json["id"].(string)
	a.call("H29.12", "POST", "/api/v1/deliveries/"+id+".1/receipts", map[string]any{"status": "13", "reason": "Nhầm"}).want(t, 201)
	items := office.list("status")
	if len(items) != 1 || items[0]["from"] != "000.00.12.H29" || items[0]["to"] != "000.00.00.G22" {
		t.Fatalf("the list: %v", items)
	}
	raw, _ := office.get(items[0]["docId"].(string))
	packet, err := edxml.Read(bytes.NewReader(raw), edxml.Reading{Now: a.clock()})
	check(t, err)
	if packet.Status.From.ID != "000.00.12.H29" || packet.Status.ResponseFor.OrganID != "000.00.00.G22" {
		t.Errorf("the packet: %+v", packet.Status)
	}
	own := a.packetLike(func(d *edxml.Document) { d.From.ID = "000.00.00.G22" }, "OLD-2", "a.txt", []byte("a"), "000.00.00.H26")
	sent := office.send(own, "000.00.00.G22")
	if row := office.sent(sent["DocId"].(string))[0]; row["fromCode"] != "000.00.00.G22" || row["toCode"] != "000.00.00.H26" {
		t.Errorf("what it sent: %v", row)
	}
	said := hub.says("H26", "03", "000.00.00.G22", "OLD-2", a.clock())["DocId"].(string)
	if row := hub.sent(said)[0]; row["fromCode"] != "H26" || row["toCode"] != "G22" {
		t.Errorf("what a system of the new form said: %v", row)
	}
	if row := office.sent(said)[0]; row["fromCode"] != "000.00.00.H26" || row["toCode"] != "000.00.00.G22" {
		t.Errorf("the same for a system of the old form: %v", row)
	}
}

// TestVXPHeaderTo: recipients in the signed map that are not the packet's are logged, in whatever way they differ.
func TestVXPHeaderTo(t *testing.T) {
	t.Parallel()
	for to, differs := range map[string]bool{
		"": false, `["H26"]`: false, "H26": false, `["000.00.00.H26","H26"]`: false, `["H26","G22"]`: true, `["H26.1"]`: true, `["G22"]`: true, `[]`: true, "x": true,
	} {
		log := &lockedBuffer{}
		a := newAxis(t, "", func(_ *axis, c *Config) { c.Log = slog.New(slog.NewTextHandler(log, nil)) })
		sender := a.vxp("H29.12")
		if to != "" {
			sender.set("to", to)
		}
		if got := sender.send(a.packetOf("TO-1", "a.txt", []byte("a"), "H26"), "H29.12"); got["ErrorCode"] != "0" {
			t.Fatalf("%s: %v", to, got)
		}
		if strings.Contains(log.String(), "recipients differ") != differs {
			t.Errorf("%s: %s", to, log.String())
		}
		if items := a.vxp("H26").list("edoc"); len(items) != 1 {
			t.Errorf("%s: %v", to, items)
		}
	}
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
