package toy

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// vxpHub is a hub over the face that looks again at once.
func vxpHub(t *testing.T, f *face, system string) *Hub {
	return &Hub{VXP: f.client(t, system), Log: &ReceivedLog{}, Patience: quick, Every: 20 * time.Millisecond, Faults: NewFaults(5)}
}

// sendOverVXP sends n documents and gives the sender's log.
func sendOverVXP(t *testing.T, f *face, n int, dialect Dialect, to ...string) []Sent {
	t.Helper()
	s := Sender{VXP: f.client(t, "H29.12"), Log: &SentLog{}, Workers: 2, Documents: func(i int) Document { return letter(i, "H29.12", to...) }}
	s.VXP.Dialect = dialect
	if err := s.Run(t.Context(), 0, n); err != nil {
		t.Fatal(err)
	}
	return s.Log.Acknowledged()
}

// TestVXPHubTakesEverythingAndAnswers plays each dialect: documents to a hub of two agencies, and what it says back.
func TestVXPHubTakesEverythingAndAnswers(t *testing.T) {
	t.Parallel()
	for _, words := range []string{"", "padded", "base64", "docid", "lower", "utf8", "to", "base64 padded docid lower to"} {
		t.Run(words, func(t *testing.T) {
			t.Parallel()
			dialect, err := ParseDialect(strings.Fields(words)...)
			if err != nil {
				t.Fatal(err)
			}
			f := newFace(t)
			f.routes["H26"], f.routes["H26.1"] = "hub", "hub"
			h, mine := vxpHub(t, f, "hub"), vxpHub(t, f, "H29.12")
			h.VXP.Dialect, mine.VXP.Dialect, h.Policy = dialect, dialect, WorkThrough
			background(t, h.Run)
			background(t, mine.Run)
			sent := sendOverVXP(t, f, 6, dialect, "H26", "H26.1")
			if err := errors.Join(h.Log.WaitSaid(t.Context(), 60), h.Idle(t.Context()), mine.Log.WaitHeard(t.Context(), 60), mine.Idle(t.Context())); err != nil {
				t.Fatal(err)
			}
			wantGood(t, sent, h.Log.All(), 12)
			said := map[string][]string{} // in no order: its packets are fetched side by side
			for _, it := range mine.Log.Heard() {
				if it.Kind != ItemReceipt || it.Dispatch.Sender != "H29.12" || it.Receipt.Agency != it.Agency || it.Receipt.EventTime.IsZero() {
					t.Errorf("heard %+v, %+v", it, it.Receipt)
				}
				about := it.Agency + " " + it.Dispatch.DocumentID
				said[about] = append(said[about], string(it.Receipt.Status))
			}
			for about, all := range said {
				if slices.Sort(all); !slices.Equal(all, []string{"01", "03", "04", "05", "06"}) {
					t.Errorf("%s: %s", about, all)
				}
			}
			if len(said) != 12 {
				t.Errorf("heard of %d", len(said))
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			for _, p := range f.packets {
				if p.status != PacketDone || len(f.reports[p.id]) != 1 {
					t.Errorf("%s: %s, %v", p.id, p.status, f.reports[p.id])
				}
			}
		})
	}
}

// TestVXPHubPlaysItsDial: every fault, and nothing lost or doubled in effect.
func TestVXPHubPlaysItsDial(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"crash:p=0.5", "crash:p=0.5:stored", "lose:p=0.5", "fail:p=0.5:reason=het dia", "processing", "twice", "slow:delay=1us"} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			fault, err := ParseFault(text)
			if err != nil {
				t.Fatal(err)
			}
			f := newFace(t)
			h := vxpHub(t, f, "H26")
			if err := h.Faults.Set(fault); err != nil {
				t.Fatal(err)
			}
			background(t, h.Run)
			sent := sendOverVXP(t, f, 8, Dialect{}, "H26")
			if err := errors.Join(h.Log.Wait(t.Context(), 8), h.Log.WaitSaid(t.Context(), 16), h.Idle(t.Context())); err != nil {
				t.Fatal(err)
			}
			wantGood(t, sent, h.Log.All(), 8)
			hits := h.Faults.Hits()[fault.Name]
			if hits == 0 {
				t.Error("the fault was never played")
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			for _, p := range f.packets {
				if p.system != "H26" {
					continue
				}
				reports := strings.Join(f.reports[p.id], " ")
				if want := map[FaultName]string{Processing: "processing done", AnswerTwice: "done done"}[fault.Name]; want != "" && reports != want ||
					p.status != PacketDone || !strings.HasSuffix(reports, PacketDone) {
					t.Errorf("%s: %s, reported %s", p.id, p.status, reports)
				}
			}
			failed := slices.ContainsFunc(f.requests, func(r faceRequest) bool {
				return r.fields["status"] == PacketFail && r.fields["description"] == "het dia"
			})
			if failed != (fault.Name == FailPacket) {
				t.Errorf("fail with its reason: %v", failed)
			}
			if again := h.Log.Again(); again == 0 && (fault.Name == LoseAnswer || fault.Stored && fault.Name == Crash) {
				t.Error("no packet that was kept came again")
			}
		})
	}
}

// TestVXPHubReportsWhatItCannotRead, and goes on with the rest.
func TestVXPHubReportsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.packets = []*facePacket{
		{id: "torn", queue: EdocQueue, to: "H26", system: "H26", status: PacketInitial, bytes: []byte("<?xml version='1.0'?><edXML>")},
		{id: "lost", queue: StatusQueue, to: "H26", system: "H26", status: PacketInitial, bytes: packetOf(t, letter(1, "H29.12", "H26"))},
		{id: "busy", queue: EdocQueue, to: "H26", system: "H26", status: "other", bytes: []byte("nobody may look")},
		{id: "good", queue: EdocQueue, to: "H26", system: "H26", status: PacketInitial, bytes: packetOf(t, letter(2, "H29.12", "000.00.00.H26"))},
	}
	h := vxpHub(t, f, "H26")
	h.Policy = Silent
	h.Normal = func(code string) string { return strings.TrimPrefix(code, "000.00.00.") }
	if _, err := h.runOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := h.Log.All()
	if len(got) != 1 || got[0].Delivery != "good" || got[0].AddressedTo != "000.00.00.H26" || got[0].Agency != "H26" {
		t.Errorf("%+v", got)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, want := range map[string]string{"torn": "fail", "lost": "fail", "busy": "", "good": "done"} {
		if got := strings.Join(f.reports[id], " "); got != want {
			t.Errorf("%s: reported %q, want %q", id, got, want)
		}
	}
}

// runOnce looks once into the queues, without Run.
func (h *Hub) runOnce(ctx context.Context) (int, error) {
	h.init()
	return h.lookVXP(ctx)
}

// TestAKilledVXPHubKnowsWhatItHas: what it kept but did not answer is answered by the next one with the same log.
func TestAKilledVXPHubKnowsWhatItHas(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	path := filepath.Join(t.TempDir(), "received.jsonl")
	run := func(p Policy) (*Hub, func()) {
		l, err := OpenReceivedLog(path)
		if err != nil {
			t.Fatal(err)
		}
		h := vxpHub(t, f, "H26")
		h.Log, h.Policy = l, p
		stop := background(t, h.Run)
		return h, func() {
			stop()
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	first, kill := run(Silent)
	d := letter(0, "H29.12", "H26")
	d.Dispatch.Number, d.Dispatch.Notation, d.Dispatch.PromulgationDate = "12", "VP", "2026-11-20"
	s := Sender{VXP: f.client(t, "H29.12"), Log: &SentLog{}}
	if _, err := s.Send(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if err := first.Log.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	kill()
	second, kill := run(Reject("sai thẩm quyền"))
	if err := second.Log.WaitSaid(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	kill()
	f.mu.Lock()
	defer f.mu.Unlock()
	last := f.packets[len(f.packets)-1]
	p, err := ReadEdXML(last.bytes)
	if err != nil || last.from != "H26" || last.to != "H29.12" || last.queue != StatusQueue || p.Said.Receipt.Reason != "sai thẩm quyền" ||
		p.Code() != "12/VP" || p.Dispatch.PromulgationDate != "2026-11-20" {
		t.Errorf("%+v, %+v, %v", last, p, err)
	}
}

// TestAVXPHubOutlastsTheAxis: an axis that fails before and after it stored.
func TestAVXPHubOutlastsTheAxis(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	if err := f.faults.Set(Fault{Name: AnswerCode, P: 0.2, Status: 503}, Fault{Name: LoseAnswer, P: 0.2}, Fault{Name: WrongJSON, P: 0.2, Stored: true}); err != nil {
		t.Fatal(err)
	}
	h := vxpHub(t, f, "H26")
	h.Policy = WorkThrough
	background(t, h.Run)
	s := Sender{VXP: f.client(t, "H29.12"), Log: &SentLog{}, Patience: quick, Documents: func(i int) Document { return letter(i, "H29.12", "H26") }}
	if err := s.Run(t.Context(), 0, 6); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.Log.WaitSaid(t.Context(), 30), h.Idle(t.Context())); err != nil {
		t.Fatal(err)
	}
	wantGood(t, s.Log.All(), h.Log.All(), 6)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.sent) != 36 {
		t.Errorf("%d packets: one was sent again with other bytes", len(f.sent))
	}
}

func TestVXPSender(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	s := Sender{VXP: f.client(t, "H29.12"), Log: &SentLog{}}
	sent, err := s.Send(t.Context(), letter(0, "H29.12", "H26", "G22"))
	if err != nil || !sent.Acknowledged() || sent.Dispatch == "" || len(sent.Recipients) != 2 || len(sent.Files) != 1 {
		t.Fatalf("%+v, %v", sent, err)
	}
	rows, err := s.VXP.GetSentEdocList(t.Context(), EdocQueue, sent.Dispatch)
	if err != nil || len(rows) != 2 || rows[0].ToCode != "H26" || rows[1].ReceiveStatus != PacketInitial || rows[0].SenderDocID != sent.Dispatch {
		t.Errorf("%+v, %v", rows, err)
	}
	for to, code := range map[string]string{"unknown": "vxp_18"} {
		refused, err := s.Send(t.Context(), letter(1, "H29.12", to))
		if err != nil || refused.Acknowledged() || refused.Refused.Code != code {
			t.Errorf("%s: %+v, %v", to, refused, err)
		}
	}
	if foreign, err := s.Send(t.Context(), letter(2, "G22", "H26")); err != nil || foreign.Acknowledged() || foreign.Refused.Code != "vxp_19" {
		t.Errorf("a foreign sender: %+v, %v", foreign, err)
	}
	for to, want := range map[string]State{"H26": Accepted, "held": HeldBack} {
		looks := Sender{VXP: s.VXP, Log: &SentLog{}, Standing: true}
		if sent, err := looks.Send(t.Context(), letter(9, "H29.12", to)); err != nil || sent.State != want {
			t.Errorf("standing of one to %s: %+v, %v", to, sent, err)
		}
	}
	ready := Document{Part: packetOf(t, letter(3, "H29.12", "H26")), EdXML: true}
	if sent, err = s.Send(t.Context(), ready); err != nil || sent.DocumentID != "H29.12-2026-D" || len(sent.Files) != 1 || sent.Sender != "H29.12" {
		t.Errorf("a packet as it is: %+v, %v", sent, err)
	}
	var local *LocalError
	if _, err = s.Send(t.Context(), Document{Part: []byte("no packet"), EdXML: true}); !errors.As(err, &local) {
		t.Errorf("no packet: %v", err)
	}
	list, err := f.client(t, "H26").GetReceivedEdocList(t.Context(), EdocQueue, time.Time{}, time.Time{})
	if err != nil || len(list) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	if b, err := f.client(t, "H26").DownloadEdoc(t.Context(), list[2].DocID); err != nil || string(b) != string(ready.Part) {
		t.Errorf("downloadEdoc: %d bytes, %v", len(b), err)
	}
	if _, err := f.client(t, "H26").DownloadEdoc(t.Context(), "none"); err == nil || !strings.Contains(err.Error(), "vxp_100") {
		t.Errorf("nothing to download: %v", err)
	}
}

func TestLoadOverVXP(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	v := f.client(t, "H29.12")
	r, err := Load{VXP: []*VXP{v, v}, Max: 5, Documents: func(i int) Document { return letter(i, "H29.12", "H26") }}.Run(t.Context())
	if err != nil || r.N != 5 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestCompareTellsRecallsFromTheirOriginals where the recipient is told of no dispatch.
func TestCompareTellsRecallsFromTheirOriginals(t *testing.T) {
	t.Parallel()
	document := func(kind Kind, dispatch string) Sent {
		return Sent{DocumentID: "1", Sender: "S", Kind: kind, Dispatch: dispatch, Recipients: []string{"R"}}
	}
	arrived := func(kind Kind, delivery string) Received {
		return Received{DocumentID: "1", Sender: "S", Kind: kind, Delivery: delivery, FilesFrom: delivery, Agency: "R", AddressedTo: "R"}
	}
	sent := []Sent{document("", "d1"), document(KindRecall, "d2")}
	wantGood(t, sent, []Received{arrived(KindNew, "p1"), arrived(KindRecall, "p2")}, 2)
	if r := Compare(sent, []Received{arrived(KindNew, "p1")}); len(r.Lost) != 1 || r.Lost[0].Dispatch != "d2" {
		t.Errorf("a recall that did not arrive: %v", r)
	}
	if r := Compare(sent, []Received{arrived(KindNew, "p1"), arrived(KindRecall, "p2"), arrived(KindRecall, "p3")}); len(r.Doubled) != 1 {
		t.Errorf("a recall that arrived twice: %v", r)
	}
}
