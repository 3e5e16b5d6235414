package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
	"github.com/truc-lienthong/truc/cmd/truc/demodata"
	"github.com/truc-lienthong/truc/routing"
)

// playedToys are toys whose logs are given line by line.
func playedToys(t *testing.T, sent []toy.Sent, received string) *toys {
	t.Helper()
	s := &toy.SentLog{}
	for _, one := range sent {
		if err := s.Add(one); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "received.jsonl")
	if err := os.WriteFile(path, []byte(received), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := toy.OpenReceivedLog(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return &toys{sent: s, logs: map[string]*toy.ReceivedLog{"R": log}}
}

// TestDemoLost: what the ledger calls lost comes from the toys' logs, and each reason not to arrive is known to the sender.
func TestDemoLost(t *testing.T) {
	t.Parallel()
	file := []toy.Digest{{Name: "a.pdf", SHA256: "aa", Size: 2}}
	document := func(id, dispatch string, kind toy.Kind, state toy.State) toy.Sent {
		return toy.Sent{DocumentID: id, Sender: "S", Kind: kind, Dispatch: dispatch, State: state, Recipients: []string{"R"}, Files: file}
	}
	arrived := func(id, dispatch, sum string) string {
		return `{"received":{"system":"R","delivery":"` + dispatch + `.1","dispatch":"` + dispatch + `","document_id":"` + id +
			`","sender":"S","agency":"R","addressed_to":"R","files":[{"sha256":"` + sum + `","size":2}],"files_from":"` + dispatch + `.1"}}` + "\n"
	}
	said := `{"said":{"delivery":"d1.1","status":"01"}}` + "\n"
	heard := `{"heard":{"item":"i1","kind":"receipt","delivery":"d1.1","dispatch":{"document_id":"1","sender":"S"},"receipt":{"status":"01","agency":"R"}}}` + "\n"
	notice := `{"heard":{"item":"i2","kind":"notice","addressed_to":"R","dispatch":{"document_id":"1","sender":"S"},"notice":{"code":"refused"}}}` + "\n"
	recall := document("1", "d2", toy.KindRecall, toy.Accepted)
	recall.Files = nil
	for name, c := range map[string]struct {
		sent     []toy.Sent
		received string
		want     ledger
	}{
		"arrived":           {[]toy.Sent{document("1", "d1", "", toy.Accepted)}, arrived("1", "d1", "aa"), ledger{}},
		"not arrived":       {[]toy.Sent{document("1", "d1", "", toy.Accepted)}, "", ledger{Lost: 1}},
		"other bytes":       {[]toy.Sent{document("1", "d1", "", toy.Accepted)}, arrived("1", "d1", "bb"), ledger{Lost: 1}},
		"held":              {[]toy.Sent{document("1", "d1", "", toy.HeldBack)}, "", ledger{}},
		"refused, told":     {[]toy.Sent{document("1", "d1", "", toy.Accepted)}, notice, ledger{}},
		"recalled":          {[]toy.Sent{document("1", "d1", "", toy.Accepted), recall}, "", ledger{}},
		"recalled, arrived": {[]toy.Sent{document("1", "d1", "", toy.Accepted), recall}, arrived("1", "d1", "aa"), ledger{Stray: 1}},
		"from nowhere":      {nil, arrived("9", "d9", "aa"), ledger{Stray: 1}},
		"receipt heard":     {[]toy.Sent{document("1", "d1", "", toy.Accepted)}, arrived("1", "d1", "aa") + said + heard, ledger{}},
		"receipt not heard": {[]toy.Sent{document("1", "d1", "", toy.Accepted)}, arrived("1", "d1", "aa") + said, ledger{ReceiptsLost: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ledger{Balanced: true}
			for _, s := range c.sent {
				got.Accepted += len(s.Recipients)
			}
			got.compare(playedToys(t, c.sent, c.received))
			if got.Lost != c.want.Lost || got.Stray != c.want.Stray || got.ReceiptsLost != c.want.ReceiptsLost || got.Doubled != 0 || !got.Balanced {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if wrong := c.want.Lost+c.want.Stray+c.want.ReceiptsLost > 0; got.good() == wrong {
				t.Errorf("good: %v", got.good())
			}
		})
	}
}

// TestDemoBooks: when the senders' books and the axis's differ, nothing is good.
func TestDemoBooks(t *testing.T) {
	t.Parallel()
	got := ledger{Balanced: true, Accepted: 1, Delivered: 1}
	got.compare(playedToys(t, nil, ""))
	if got.Balanced || got.good() {
		t.Errorf("the axis has a delivery that nobody sent: %+v", got)
	}
}

// TestDemoSystems: every commune, and everybody who acts in the story, is served, each in the way the story tells.
func TestDemoSystems(t *testing.T) {
	t.Parallel()
	agencies := demodata.Directory()
	var servings []routing.Serving
	ways, old := map[routing.Way]int{}, []string{}
	for _, s := range demoSystems(agencies) {
		if s.vxp {
			old = append(old, s.id)
		}
		code, subtree, err := routing.ParseServing(s.serves)
		if err != nil {
			t.Fatal(err)
		}
		servings = append(servings, routing.Serving{System: s.id, Code: code, Subtree: subtree, Way: s.way})
		if s.kind != "qlvb" {
			ways[s.way]++
		}
	}
	d := routing.NewDirectory(1, agencies, servings)
	communes := demoCommunes()
	if len(communes) != 3321 || ways[routing.Pull] != 22 || ways[routing.Push] != 8 || ways[routing.Mailbox] != 4 {
		t.Errorf("%d communes, hubs by way %v", len(communes), ways)
	}
	if !slices.Equal(old, []string{demoReturning, demoCautious, demoOldHub}) || !d.Serves(demoOldHub, demoHealth) {
		t.Errorf("VXP is spoken by %v: a hub, a sender and one that returns must, in the directory's order", old)
	}
	for _, code := range communes {
		if _, ok := d.Route(routing.Code(code)); !ok {
			t.Errorf("nobody serves %s", code)
		}
	}
	for code, way := range map[routing.Code]routing.Way{demoMinistry: routing.Push, demoHealth: routing.Pull, demoCommune: routing.Mailbox,
		demoReturning: routing.Pull, demoEnded: routing.Push, demoDownPush: routing.Push, demoRecalled: routing.Pull, demoSender: routing.Pull} {
		if r, ok := d.Route(code); !ok || r.Way != way {
			t.Errorf("%s: %+v, want %s", code, r, way)
		}
	}
	if !d.Serves(demoDownPull, demoRecalled) || !d.Serves(demoSender, demoSender) {
		t.Error("the recalled document's recipient must be behind the hub that is down, and the sender must act for itself")
	}
}
