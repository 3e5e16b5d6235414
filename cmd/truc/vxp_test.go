package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// vxpRun is a real server with systems of both kinds around it: a department that only speaks VXP, a province's hub that
// speaks VXP and is shown old codes, an office that speaks the native API, and a hosted mailbox.
type vxpRun struct {
	server     *node
	state, url string
	documents  func(int) toy.Document
	sender     *toy.Hub // of H29.12, over VXP: it hears what recipients say
	province   *toy.Hub // of H26, over VXP
	office     *toy.Hub // of G22, native
	box        *toy.Mailbox
}

func startVXP(t *testing.T) *vxpRun {
	t.Helper()
	state, address := stateDir(t), freeAddress(t)
	r := &vxpRun{state: state, url: "http://" + address}
	directory := filepath.Join(state, "agencies.csv")
	if err := os.WriteFile(directory, []byte(killDirectory), 0o600); err != nil {
		t.Fatal(err)
	}
	pki, err := testpki.New(testpki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := pki.Dir(filepath.Join(state, "pki")); err != nil {
		t.Fatal(err)
	}
	must(t, state, "agency", "import", directory)
	must(t, state, "system", "add", "--id", "H29.12", "--name", "Sở Y tế", "--kind", "qlvb", "--agency", "H29.12", "--secret", "secret-send")
	must(t, state, "system", "add", "--id", "H26", "--name", "Hà Nội", "--kind", "lgsp", "--agency", "H26.*", "--secret", "secret-province", "--form", "old")
	must(t, state, "system", "add", "--id", "G22", "--name", "VPCP", "--kind", "qlvb", "--agency", "G22", "--secret", "secret-office")
	must(t, state, "system", "add", "--id", "box", "--name", "Hộp thư", "--kind", "other", "--agency", "H01.*", "--secret", "secret-box", "--way", "mailbox")
	must(t, state, "trust", "add", "--test", "--family", "công vụ", filepath.Join(state, "pki", "root.pem"))
	must(t, state, "trust", "add", "--test", "--purpose", "intermediate", filepath.Join(state, "pki", "issuing.pem"))
	must(t, state, "trust", "add", filepath.Join(state, "pki", "crl.pem"))
	r.documents = killDocuments(t, pki)
	r.server = serve(t, state, address)
	const every = 50 * time.Millisecond
	r.sender = &toy.Hub{VXP: r.vxp(t, "H29.12", "secret-send"), Log: &toy.ReceivedLog{}, Every: every}
	r.province = &toy.Hub{VXP: r.vxp(t, "H26", "secret-province", "docid", "padded"), Log: &toy.ReceivedLog{}, Every: every, Policy: toy.WorkThrough,
		Normal: func(code string) string { return strings.TrimPrefix(code, "000.00.00.") }, Faults: toy.NewFaults(7)}
	r.office = &toy.Hub{Client: toy.NewClient(r.url, "G22", "secret-office"), Log: &toy.ReceivedLog{}, Pull: true, Wait: 2 * time.Second}
	r.box = &toy.Mailbox{Client: toy.NewClient(r.url, "box", "secret-box"), Log: &toy.ReceivedLog{}, Agencies: []string{"H01.151"}}
	return r
}

func (r *vxpRun) vxp(t *testing.T, system, secret string, dialect ...string) *toy.VXP {
	t.Helper()
	v := toy.NewVXP(r.url+"/vxp", system, secret)
	t.Cleanup(v.Close)
	var err error
	if v.Dialect, err = toy.ParseDialect(dialect...); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestVXPCalls makes each of the thirteen calls once, as the SDK does, on a real server.
func TestVXPCalls(t *testing.T) {
	t.Parallel()
	r := startVXP(t)
	ctx := t.Context()
	sender, province := r.sender.VXP, r.province.VXP
	s := toy.Sender{VXP: sender, Log: &toy.SentLog{}, Patience: toy.Patience{Tries: 1}}
	sent, err := s.Send(ctx, r.documents(0))
	if err != nil || !sent.Acknowledged() {
		t.Fatalf("sendEdoc: %+v, %v", sent, err)
	}
	again, err := s.Send(ctx, r.documents(0)) // its trace header is another: the same document, not the same bytes
	if err != nil || again.Dispatch != sent.Dispatch {
		t.Errorf("sendEdoc again: %+v, %v", again, err)
	}
	if n, err := province.CountReceiveEdoc(ctx); err != nil || n != 1 {
		t.Errorf("countReceiveEdoc: %d, %v", n, err)
	}
	if n, err := province.CountReceiveStatus(ctx); err != nil || n != 0 {
		t.Errorf("countReceiveStatus: %d, %v", n, err)
	}
	list, err := province.GetReceivedEdocList(ctx, toy.EdocQueue, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil || len(list) != 1 || list[0].To != "000.00.00.H26" || list[0].From != "000.00.12.H29" || list[0].Status != toy.PacketInitial {
		t.Fatalf("getReceivedEdocList: %+v, %v", list, err)
	}
	packet, err := province.GetEdoc(ctx, list[0].DocID)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := province.DownloadEdoc(ctx, list[0].DocID)
	if err != nil || string(raw) != string(packet) {
		t.Errorf("downloadEdoc: %d bytes, getEdoc %d, %v", len(raw), len(packet), err)
	}
	read, err := toy.ReadEdXML(packet)
	if err != nil || read.Dispatch.DocumentID != sent.DocumentID || !slices.EqualFunc(read.Files, sent.Files, func(a, b toy.Digest) bool { return a.SHA256 == b.SHA256 }) {
		t.Errorf("the packet: %+v, %v", read.Dispatch, err)
	}
	for _, status := range []string{toy.PacketProcessing, toy.PacketDone, toy.PacketDone} {
		if err := province.UpdateStatus(ctx, list[0].DocID, status, "l\u00ea"); err != nil {
			t.Errorf("updateStatus %s: %v", status, err)
		}
	}
	if list, err := province.GetReceivedEdocList(ctx, toy.EdocQueue, time.Time{}, time.Time{}); err != nil || len(list) != 0 {
		t.Errorf("after done: %+v, %v", list, err)
	}
	rows, err := sender.GetSentEdocList(ctx, toy.EdocQueue, sent.Dispatch)
	if err != nil || len(rows) != 3 || rows[0].ReceiveStatus != toy.PacketDone || rows[1].ReceiveStatus != toy.PacketInitial {
		t.Errorf("getSentEdocList: %+v, %v", rows, err)
	}
	checkVXPAgencies(ctx, t, province)
	checkVXPRefusals(ctx, t, r, s)
}

func checkVXPAgencies(ctx context.Context, t *testing.T, province *toy.VXP) {
	t.Helper()
	if err := province.RegisterAgency(ctx, toy.Registration{Parent: "H26", Code: "H26.99", Name: "Sở Thử nghiệm", Mail: "thu@example.vn"}); err != nil {
		t.Errorf("registerAgency: %v", err)
	}
	named := func(list []toy.VXPAgency, err error) *toy.VXPAgency {
		t.Helper()
		i := slices.IndexFunc(list, func(a toy.VXPAgency) bool { return a.Name == "Sở Thử nghiệm" })
		if err != nil || i < 0 {
			t.Errorf("%d agencies, %v", len(list), err)
			return &toy.VXPAgency{}
		}
		return &list[i]
	}
	if a := named(province.GetAgenciesList(ctx)); a.Code != "H26.99" {
		t.Errorf("getAgenciesList: %+v", a)
	}
	if a := named(province.GetAgenciesListQD20(ctx)); a.Code != "H26.99" {
		t.Errorf("getAgenciesListQD20: %+v", a)
	}
	if a := named(province.GetSynchronizeUnit(ctx)); a.Deleted || a.Version == 0 {
		t.Errorf("getSynchronizeUnit: %+v", a)
	}
	if err := province.DeleteAgency(ctx, "H26.99"); err != nil {
		t.Errorf("deleteAgency: %v", err)
	}
}

// checkVXPRefusals: what the axis refuses is FAIL with a code of the wire, and final.
func checkVXPRefusals(ctx context.Context, t *testing.T, r *vxpRun, s toy.Sender) {
	t.Helper()
	for code, change := range map[string]func(*toy.Dispatch){
		"vxp_18": func(d *toy.Dispatch) { d.Recipients = []string{"H99"} },
		"vxp_19": func(d *toy.Dispatch) { d.Sender = "G22" },
		"vxp_22": func(d *toy.Dispatch) { d.DocumentID = "" },
	} {
		d := r.documents(1)
		d.Dispatch.DocumentID += code
		change(&d.Dispatch)
		sent, err := s.Send(ctx, d)
		if err != nil || sent.Acknowledged() || sent.Refused.Code != code {
			t.Errorf("%s: %+v, %v", code, sent.Refused, err)
		}
	}
	stranger := toy.Sender{VXP: r.vxp(t, "H29.12", "wrong"), Log: &toy.SentLog{}, Patience: toy.Patience{Tries: 1}}
	if sent, err := stranger.Send(ctx, r.documents(2)); err != nil || sent.Acknowledged() || sent.Refused.Code != "vxp_15" {
		t.Errorf("a wrong secret: %+v, %v", sent.Refused, err)
	}
}
