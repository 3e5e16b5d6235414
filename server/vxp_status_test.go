package server

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/storage"
)

// TestAboutWhich: packets of one document share its id; which of them a status is about is told by what it says, by when,
// and by what was said before.
func TestAboutWhich(t *testing.T) {
	t.Parallel()
	at := func(minute int) time.Time { return testNow.Add(time.Duration(minute) * time.Minute) }
	spoken := func(n int, kind storage.Kind, state storage.State, minute int, said ...storage.Status) storage.Spoken {
		return storage.Spoken{DeliveryID: storage.DeliveryID{Dispatch: uuid.Max, N: n}, Kind: kind, State: state, AcceptedAt: at(minute), Said: said}
	}
	given := func(p storage.Spoken, how storage.Withdrawal) storage.Spoken { p.Withdrawn = how; return p }
	same := func(p storage.Spoken) storage.Spoken { p.Same = true; return p }
	document := spoken(1, storage.New, storage.Delivered, 0, "01", "03")
	recall := spoken(2, storage.Recall, storage.Delivered, 10)
	update := spoken(3, storage.Update, storage.Delivered, 20)
	for name, c := range map[string]struct {
		list   []storage.Spoken
		status storage.Status
		minute int
		want   int
	}{
		"a document alone":                             {[]storage.Spoken{document}, "06", 30, 1},
		"the document, not its recall":                 {[]storage.Spoken{document, recall}, "06", 30, 1},
		"the document, not its update":                 {[]storage.Spoken{document, update}, "05", 30, 1},
		"the version that took its place":              {[]storage.Spoken{given(document, storage.ByUpdate), update}, "05", 30, 3},
		"a recall of what never came this way":         {[]storage.Spoken{recall}, "03", 30, 2},
		"arrived, of the document":                     {[]storage.Spoken{spoken(1, storage.New, storage.Pending, 0), recall}, "01", 30, 1},
		"arrived, of the recall":                       {[]storage.Spoken{document, recall, update}, "01", 15, 2},
		"arrived, of the update":                       {[]storage.Spoken{document, spoken(2, storage.Recall, storage.Delivered, 10, "01"), update}, "01", 30, 3},
		"arrived long ago, and told late":              {[]storage.Spoken{document, recall}, "01", 1, 1},
		"arrived, with nothing left":                   {[]storage.Spoken{document, spoken(2, storage.Recall, storage.Delivered, 10, "01")}, "01", 30, 1},
		"the same again is where it was":               {[]storage.Spoken{document, same(recall)}, "06", 30, 2},
		"an answer to a recall":                        {[]storage.Spoken{document, recall}, "15", 30, 2},
		"an answer to the newest":                      {[]storage.Spoken{document, recall, update}, "16", 30, 3},
		"an answer to what is still open":              {[]storage.Spoken{document, recall, spoken(3, storage.Update, storage.Delivered, 20, "15")}, "15", 30, 2},
		"an answer to a 13":                            {[]storage.Spoken{spoken(1, storage.New, storage.Delivered, 0, "03", "13"), spoken(2, storage.Recall, storage.Delivered, 10, "16")}, "15", 30, 1},
		"an answer after an answer":                    {[]storage.Spoken{document, spoken(2, storage.Recall, storage.Delivered, 10, "16")}, "15", 30, 2},
		"an answer to nothing":                         {[]storage.Spoken{document}, "15", 30, 1},
		"no answer to what was taken back":             {[]storage.Spoken{spoken(1, storage.New, storage.Delivered, 0, "13"), spoken(2, storage.Recall, storage.Recalled, 10)}, "15", 30, 1},
		"asked back: the document":                     {[]storage.Spoken{document, recall, update}, "13", 30, 1},
		"asked back: the version that took its place":  {[]storage.Spoken{given(document, storage.ByUpdate), recall, update}, "13", 30, 3},
		"asked back: not what was taken back unread":   {[]storage.Spoken{spoken(1, storage.New, storage.Recalled, 0), update}, "13", 30, 3},
		"of what is held there is nothing better":      {[]storage.Spoken{spoken(1, storage.New, storage.Held, 0)}, "03", 30, 1},
		"of a replacement under the same id, the last": {[]storage.Spoken{document, spoken(4, storage.Replace, storage.Delivered, 5)}, "04", 30, 4},
	} {
		if got := aboutWhich(c.list, c.status, at(c.minute)); got.N != c.want {
			t.Errorf("%s: %d, want %d", name, got.N, c.want)
		}
	}
}

// statusLike is a status packet of Hà Nội about a document of Sở Y tế, with something changed.
func statusLike(t *testing.T, documentID string, change func(*edxml.Status)) []byte {
	t.Helper()
	status := edxml.Status{From: edxml.Organization{ID: "H26"}, ResponseFor: edxml.ResponseFor{OrganID: "H29.12", DocumentID: documentID, Code: "123/SYT-VP"}, Code: "03", At: edxml.Moment(testNow)}
	change(&status)
	var out bytes.Buffer
	check(t, edxml.WriteStatus(&out, status))
	return out.Bytes()
}

// TestVXPStatusIsKept: what a recipient says is taken as it says it: without a reason, without a time or with one that
// cannot be, with texts that are too long; its bytes are handed on as they came, and come once however often they are sent.
func TestVXPStatusIsKept(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	sender, hub := a.vxp("H29.12"), a.vxp("H26")
	sent := sender.send(a.testPacket("KEPT-1", "H26"), "H29.12")["DocId"].(string)
	id, _ := storage.ParsePacketID(sent)
	long := strings.Repeat("ă", 2000)
	for i, c := range []struct {
		name   string
		packet []byte
		at     time.Time
		reason string
	}{
		{"a return without a reason", statusLike(t, "KEPT-1", func(s *edxml.Status) { s.Code = "02" }), testNow, ""},
		{"without a time", statusLike(t, "KEPT-1", func(s *edxml.Status) { s.Code, s.At = "04", edxml.Date{} }), a.clock().Add(time.Hour), ""},
		{"of another century", statusLike(t, "KEPT-1", func(s *edxml.Status) { s.At.At = s.At.At.AddDate(-100, 0, 0) }), a.clock().Add(2 * time.Hour), ""},
		{"of next week", statusLike(t, "KEPT-1", func(s *edxml.Status) { s.At.At = s.At.At.AddDate(0, 0, 7) }), a.clock().Add(3 * time.Hour), ""},
		{"no date at all", bytes.Replace(statusLike(t, "KEPT-1", func(s *edxml.Status) { s.Code = "06" }), []byte("2026/11/23 08:00:00"), []byte("hôm qua"), 1), a.clock().Add(4 * time.Hour), ""},
		{"long texts", statusLike(t, "KEPT-1", func(s *edxml.Status) {
			s.Code, s.Description, s.Staff = "05", long, edxml.Staff{Name: long, Department: long, Mobile: long, Email: long}
		}), testNow, strings.Repeat("ă", 999) + "…"},
		{"codes of the old form", statusLike(t, "KEPT-1", func(s *edxml.Status) {
			s.Code, s.From.ID, s.ResponseFor.OrganID = "01", "000.00.00.h26", " 000.00.12.H29"
		}), testNow, ""},
	} {
		first := hub.send(c.packet, "H26")
		want := storage.PacketID{Dispatch: id.Dispatch, N: 1, K: i + 1}.String()
		if first["ErrorCode"] != "0" || first["DocId"] != want {
			t.Fatalf("%s: %v, want %s", c.name, first, want)
		}
		a.pass(time.Hour)
		if again := hub.send(c.packet, "H26"); again["ErrorCode"] != "0" || again["DocId"] != want {
			t.Errorf("%s again: %v", c.name, again)
		}
		r, err := a.Store.Receipt(context.Background(), storage.DeliveryID{Dispatch: id.Dispatch, N: 1}, i+1)
		check(t, err)
		if !bytes.Equal(r.Packet, c.packet) || !r.EventTime.Equal(c.at) || r.Reason != c.reason || r.Agency != "H26" || r.System != "H26" {
			t.Errorf("%s: %s %q by %s through %s", c.name, r.EventTime, r.Reason, r.Agency, r.System)
		}
		if packet, code := sender.get(want); code != "0" || !bytes.Equal(packet, c.packet) {
			t.Errorf("%s: its sender gets %s %q", c.name, code, packet)
		}
	}
	if items := sender.list("status"); len(items) != 7 {
		t.Errorf("%d statuses wait for the sender", len(items))
	}
	r, err := a.Store.Receipt(context.Background(), storage.DeliveryID{Dispatch: id.Dispatch, N: 1}, 6)
	check(t, err)
	if got := []int{utf8.RuneCountInString(r.Staff.Name), utf8.RuneCountInString(r.Staff.Department), utf8.RuneCountInString(r.Staff.Phone), utf8.RuneCountInString(r.Staff.Email)}; fmt.Sprint(got) != "[100 200 50 100]" {
		t.Errorf("long texts are cut to %v", got)
	}
}

// TestVXPStatusOfNative: a receipt of the native face reaches a VXP system as a packet that leaves nothing out.
func TestVXPStatusOfNative(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	body := with(map[string]any{"document_id": "N-1", "recipients": []string{"H26"}, "number": "160", "notation": "SYT-VP", "promulgation_date": "2026-11-21"})
	id := a.submit("H29.12", body, signed(t)).want(t, 201).json["id"].(string)
	say := func(system string, body map[string]any) {
		a.call(system, "POST", "/api/v1/deliveries/"+id+".1/receipts", body).want(t, 201)
	}
	say("H26", map[string]any{"status": "02", "reason": "Gửi nhầm \uFFFE <đơn vị> & khác", "event_time": "2026-11-23T07:15:30.5+07:00", "arrival_number": "457",
		"staff": map[string]any{"name": "Trần Thị Văn Thư", "department": "Văn phòng", "phone": "024", "email": "vanthu@hanoi.test"}})
	say("H29.12", map[string]any{"status": "13", "reason": "Ban hành nhầm", "event_time": "2026-11-23T07:30:00+07:00"})
	read := func(system, other string) (edxml.Status, []byte) {
		t.Helper()
		v := a.vxp(system)
		items := v.list("status")
		if len(items) != 1 || items[0]["from"] != other || items[0]["to"] != system {
			t.Fatalf("%s has %v", system, items)
		}
		raw, code := v.get(items[0]["docId"].(string))
		packet, err := edxml.Read(bytes.NewReader(raw), edxml.Reading{Now: a.clock()})
		if err != nil || code != "0" || packet.Status == nil || len(packet.Problems) != 0 {
			t.Fatalf("%s, %v, %v: %s", code, err, packet.Problems, raw)
		}
		return *packet.Status, raw
	}
	day := edxml.Day(time.Date(2026, 11, 21, 0, 0, 0, 0, storage.Vietnam))
	want := edxml.Status{
		From:        edxml.Organization{ID: "H26", Name: "UBND thành phố Hà Nội"},
		ResponseFor: edxml.ResponseFor{OrganID: "H29.12", Code: "160/SYT-VP", DocumentID: "N-1", PromulgationDate: day},
		Staff:       edxml.Staff{Name: "Trần Thị Văn Thư", Department: "Văn phòng", Mobile: "024", Email: "vanthu@hanoi.test"},
		Code:        "02", Description: "Gửi nhầm  <đơn vị> & khác Số đến: 457", At: edxml.Moment(time.Date(2026, 11, 23, 7, 15, 30, 0, storage.Vietnam)),
	}
	got, raw := read("H29.12", "H26")
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	if _, again := read("H29.12", "H26"); !bytes.Equal(raw, again) {
		t.Error("other bytes the second time")
	}
	want = edxml.Status{From: edxml.Organization{ID: "H29.12", Name: "Sở Y tế Thành phố Hồ Chí Minh"},
		ResponseFor: edxml.ResponseFor{OrganID: "H26", Code: "160/SYT-VP", DocumentID: "N-1", PromulgationDate: day},
		Code:        "13", Description: "Ban hành nhầm", At: edxml.Moment(time.Date(2026, 11, 23, 7, 30, 0, 0, storage.Vietnam))}
	if got, _ = read("H26", "H29.12"); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

// TestVXPStrays: each way in which a status fits no delivery, by its cause; when it does fit later, it is a receipt.
func TestVXPStrays(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	ctx := context.Background()
	sender, hub := a.vxp("H29.12"), a.vxp("H26")
	sender.send(a.testPacket("STRAY-1", "H26", "H01.151"), "H29.12")
	sender.send(a.testPacket("STRAY-2", "H01.151"), "H29.12")
	sender.send(a.testPacket("STRAY-3", "H26"), "H29.12")
	sender.send(a.recallOf("STRAY-3", "H26"), "H29.12") // not fetched: taken back
	early := statusLike(t, "STRAY-9", func(*edxml.Status) {})
	for _, c := range []struct {
		packet []byte
		cause  storage.Cause
	}{
		{early, storage.NoDocument},
		{statusLike(t, "STRAY-1", func(s *edxml.Status) { s.ResponseFor.OrganID = "G22" }), storage.NoDocument},
		{statusLike(t, "STRAY-2", func(*edxml.Status) {}), storage.NoDelivery},
		{statusLike(t, "STRAY-3", func(*edxml.Status) {}), storage.WrongState},
		{statusLike(t, "STRAY-1", func(s *edxml.Status) { s.Code = "15" }), storage.NothingAsked},
	} {
		got := hub.send(c.packet, "H26")
		list, err := a.Store.Strays(ctx, storage.StrayFilter{Limit: 1000})
		check(t, err)
		found := false
		for _, stray := range list {
			if stray.ID.String() == got["DocId"] {
				found = stray.Cause == c.cause && stray.System == "H26" && stray.Agency == "H26"
			}
		}
		if got["ErrorCode"] != "0" || !found {
			t.Errorf("%s: %v among %+v", c.cause, got, list)
		}
	}
	stray := hub.send(early, "H26")["DocId"]
	sent := sender.send(a.testPacket("STRAY-9", "H26"), "H29.12")["DocId"].(string)
	id, _ := storage.ParsePacketID(sent)
	if got := hub.send(early, "H26"); got["DocId"] == stray || got["DocId"] != (storage.PacketID{Dispatch: id.Dispatch, N: 1, K: 1}).String() {
		t.Errorf("after the document came: %v", got)
	}
	if list, err := a.Store.Strays(ctx, storage.StrayFilter{Limit: 1000}); err != nil || len(list) != 5 {
		t.Errorf("%d strays, %v", len(list), err)
	}
}

// TestVXPStatusOfHeirs: who took a closed agency over speaks of the documents that it got, and the closed code is still
// understood (NĐ 30/2020/NĐ-CP; QĐ 09/2025/QĐ-TTg).
func TestVXPStatusOfHeirs(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	ctx := context.Background()
	sender, hub := a.vxp("H29.12"), a.vxp("H26")
	sent := sender.send(a.testPacket("HEIR-1", "H26"), "H29.12")["DocId"].(string)
	id, _ := storage.ParsePacketID(sent)
	docID := hub.list("edoc")[0]["docId"].(string)
	hub.get(docID)
	hub.call("/updateStatus", nil, "docId", docID, "status", "done")
	_, err := a.Store.ImportAgencies(ctx, []routing.Agency{{Code: "H26.9", Name: "Đơn vị kế tục (TEST)", Parent: "H26", Kind: "department", Status: routing.Live},
		{Code: "H26", OldCode: "000.00.00.H26", Name: "UBND thành phố Hà Nội", Kind: "province", Status: routing.Closed, ValidTo: testNow, Successors: []routing.Code{"H26.9"}, Decision: "TEST"}}, "test", a.clock())
	check(t, err)
	check(t, a.reload(ctx))
	for k, from := range []string{"H26.9", "H26", "000.00.00.H26"} {
		packet := statusLike(t, "HEIR-1", func(s *edxml.Status) { s.From.ID, s.Code = from, fmt.Sprintf("%02d", k+3) })
		if got := hub.send(packet, "H26.9"); got["DocId"] != (storage.PacketID{Dispatch: id.Dispatch, N: 1, K: k + 1}).String() {
			t.Errorf("from %s: %v", from, got)
		}
	}
}
