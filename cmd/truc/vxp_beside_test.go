package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
)

// run starts the hubs, until the context ends.
func (r *vxpRun) run(ctx context.Context) (wait func()) {
	var toys sync.WaitGroup
	for _, hub := range []*toy.Hub{r.sender, r.province, r.office} {
		toys.Go(func() { _ = hub.Run(ctx) }) // ends with ctx
	}
	return toys.Wait
}

// vxpDialects are all that is known to be spoken, a sender each.
var vxpDialects = [][]string{nil, {"padded"}, {"base64"}, {"docid", "lower"}, {"utf8", "to"}}

// TestVXPBesideNative sends documents from a VXP client to a VXP hub, a native system and a mailbox, and from a native
// client to VXP systems, through a hub that crashes now and then. By their own logs everything arrives once, with the right
// bytes, and every sender hears what every recipient says.
func TestVXPBesideNative(t *testing.T) {
	t.Parallel()
	r := startVXP(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := r.province.Faults.Set(toy.Fault{Name: toy.Crash, P: 0.1}, toy.Fault{Name: toy.LoseAnswer, P: 0.1}, toy.Fault{Name: toy.AnswerTwice, P: 0.2}); err != nil {
		t.Fatal(err)
	}
	wait := r.run(ctx)
	const each = 4
	n := each * len(vxpDialects)
	var all []toy.Sent
	for i, words := range vxpDialects {
		s := &toy.Sender{VXP: r.vxp(t, "H29.12", "secret-send", words...), Log: &toy.SentLog{}, Documents: r.documents}
		if err := s.Run(ctx, i*each, each); err != nil {
			t.Fatalf("%v: %v\n%s", words, err, r.server.log)
		}
		all = append(all, s.Log.All()...)
	}
	native := &toy.Sender{Client: r.office.Client, Log: &toy.SentLog{}, Documents: func(i int) toy.Document {
		d := r.documents(i)
		d.Dispatch.Sender, d.Dispatch.Recipients = "G22", []string{"000.00.00.H26", "H29.12"}
		d.Dispatch.DocumentID = fmt.Sprintf("G22-2026-%d", i)
		return d
	}}
	if err := native.Run(ctx, 0, n); err != nil {
		t.Fatal(err)
	}
	all = append(all, native.Log.All()...)
	for _, s := range all {
		if !s.Acknowledged() {
			t.Fatalf("refused: %v", s.Refused)
		}
	}
	for _, step := range []struct {
		what string
		err  error
	}{
		{"the province gets all", r.province.Log.Wait(ctx, 2*n)}, {"the office gets all", r.office.Log.Wait(ctx, n)},
		{"the department gets all", r.sender.Log.Wait(ctx, n)},
		{"the province answers", r.province.Log.WaitSaid(ctx, 5*2*n)}, {"the office answers", r.office.Log.WaitSaid(ctx, 2*n)},
		{"the department answers", r.sender.Log.WaitSaid(ctx, 2*n)},
		{"the department hears all", r.sender.Log.WaitHeard(ctx, 5*n+2*n)}, {"the office hears all", r.office.Log.WaitHeard(ctx, 5*n+2*n)},
		{"all are done", errors.Join(r.province.Idle(ctx), r.office.Idle(ctx), r.sender.Idle(ctx))},
	} {
		if step.err != nil {
			t.Fatalf("%s: %v\nprovince %d got, %d said; office %d, %d, heard %d; department %d, %d, heard %d\n%s", step.what, step.err,
				len(r.province.Log.All()), len(r.province.Log.Said()), len(r.office.Log.All()), len(r.office.Log.Said()), len(r.office.Log.Heard()),
				len(r.sender.Log.All()), len(r.sender.Log.Said()), len(r.sender.Log.Heard()), r.server.log)
		}
	}
	if _, err := r.box.Scan(ctx); err != nil {
		t.Fatal(err)
	}
	received := slices.Concat(r.province.Log.All(), r.office.Log.All(), r.sender.Log.All(), r.box.Log.All())
	result := toy.Compare(all, received)
	t.Logf("%s; offered again %d, faults %v", result, r.province.Log.Again(), r.province.Faults.Hits())
	if !result.OK() || result.Expected != 5*n || len(result.Unknown) > 0 {
		t.Errorf("lost %v, wrong %v, doubled %v, stray %v, unknown %v", result.Lost, result.WrongHash, result.Doubled, result.Stray, result.Unknown)
	}
	for name, log := range map[string]*toy.ReceivedLog{"department": r.sender.Log, "office": r.office.Log} {
		checkHeard(t, name, log.Heard(), n)
	}
	checkStanding(ctx, t, r.sender.VXP, all[:n])
	cancel()
	wait()
	r.server.stop(t)
	checkState(t, r.state, false)
}

// checkHeard: of each document exactly what its recipients said, in any order.
func checkHeard(t *testing.T, name string, heard []toy.Item, n int) {
	t.Helper()
	said := map[string]int{}
	for _, it := range heard {
		if it.Receipt != nil {
			said[it.Receipt.Agency+" "+string(it.Receipt.Status)]++
		}
	}
	for _, status := range []string{"01", "03", "04", "05", "06"} {
		if got := said["H26 "+status] + said["000.00.00.H26 "+status]; got != n {
			t.Errorf("%s: H26 said %s %d times, want %d: %v", name, status, got, n, said)
		}
	}
}

// checkStanding asks for each document where it stands, as an SDK's client does.
func checkStanding(ctx context.Context, t *testing.T, v *toy.VXP, sent []toy.Sent) {
	t.Helper()
	for _, s := range sent {
		rows, err := v.GetSentEdocList(ctx, toy.EdocQueue, s.Dispatch)
		if err != nil || len(rows) != len(s.Recipients) {
			t.Errorf("%s: %d rows, %v", s.DocumentID, len(rows), err)
		}
		for _, row := range rows {
			if row.SenderDocID != s.Dispatch || row.ReceiverDocID == "" || row.FromCode != s.Sender || row.ReceiveStatus != toy.PacketDone ||
				row.ToCode == "H26" && !strings.HasPrefix(row.ReceiveStatusDesc, "06") {
				t.Errorf("%s: %+v", s.DocumentID, row)
			}
		}
	}
}
