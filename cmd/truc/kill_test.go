package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
	"github.com/truc-lienthong/truc/signing/testpki"
	"github.com/truc-lienthong/truc/storage"
)

const killDirectory = `code,old_code,name,parent,kind,status,valid_from,valid_to,successors,decision,code_source
H29,000.00.00.H29,UBND Thành phố Hồ Chí Minh,,province,live,,,,,
H29.12,000.00.12.H29,Sở Y tế Thành phố Hồ Chí Minh,H29,department,live,,,,,
H26,000.00.00.H26,UBND thành phố Hà Nội,,province,live,,,,,
G22,000.00.00.G22,Văn phòng Chính phủ,,ministry,live,,,,,
G18,000.00.00.G18,Bộ Y tế,,ministry,live,,,,,
H01,000.00.00.H01,UBND tỉnh An Giang,,province,live,,,,,
H01.151,,UBND xã Định Mỹ,H01,commune,live,,,,,
`

// TestNothingIsLost is the promise of the whole product, tried on the binary itself: documents are sent while the server
// is killed 20 times at random moments, PostgreSQL with it now and then; at the end every document that was acknowledged
// has been delivered once in effect to every recipient, with the right bytes, by the recipients' own logs.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	documents, kills := 500, 20
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 1))

	state, address := stateDir(t), freeAddress(t)
	url := "http://" + address
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
	push := &toy.Hub{Client: toy.NewClient(url, "G22", "secret-push"), Log: &toy.ReceivedLog{}, Skew: -1}
	door, err := toy.OpenDoor("127.0.0.1:0", push, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = door.Close() }()
	pull := &toy.Hub{Client: toy.NewClient(url, "H26", "secret-pull"), Log: &toy.ReceivedLog{}, Pull: true, Wait: 2 * time.Second}
	old := &toy.Hub{VXP: toy.NewVXP(url+"/vxp", "G18", "secret-old"), Log: &toy.ReceivedLog{}, Every: 200 * time.Millisecond}
	box := &toy.Mailbox{Client: toy.NewClient(url, "box", "secret-box"), Log: &toy.ReceivedLog{}, Agencies: []string{"H01.151"}}

	must(t, state, "agency", "import", directory)
	must(t, state, "system", "add", "--id", "H29.12", "--name", "Sở Y tế", "--kind", "qlvb", "--agency", "H29.12", "--secret", "secret-send")
	must(t, state, "system", "add", "--id", "H26", "--name", "Hà Nội", "--kind", "lgsp", "--agency", "H26.*", "--secret", "secret-pull")
	must(t, state, "system", "add", "--id", "G22", "--name", "VPCP", "--kind", "qlvb", "--agency", "G22", "--secret", "secret-push", "--webhook", door.URL()+"/")
	must(t, state, "system", "add", "--id", "G18", "--name", "Bộ Y tế", "--kind", "qlvb", "--agency", "G18", "--secret", "secret-old")
	must(t, state, "system", "add", "--id", "box", "--name", "Hộp thư", "--kind", "other", "--agency", "H01.*", "--secret", "secret-box", "--way", "mailbox")
	must(t, state, "trust", "add", "--test", "--family", "công vụ", filepath.Join(state, "pki", "root.pem"))
	must(t, state, "trust", "add", "--test", "--purpose", "intermediate", filepath.Join(state, "pki", "issuing.pem"))
	must(t, state, "trust", "add", filepath.Join(state, "pki", "crl.pem"))
	server := serve(t, state, address)

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var toys sync.WaitGroup
	for _, hub := range []*toy.Hub{push, pull, old} {
		toys.Go(func() { _ = hub.Run(ctx) }) // ends with ctx
	}
	sender := &toy.Sender{Client: toy.NewClient(url, "H29.12", "secret-send"), Log: &toy.SentLog{}, Workers: 3}
	documentOf := killDocuments(t, pki)
	sender.Documents = func(i int) toy.Document { // every second one goes to a VXP system in place of the mailbox
		d := documentOf(i)
		if i%2 == 1 {
			d.Dispatch.Recipients[2] = "G18"
		}
		return d
	}
	unchanged := &toy.Sender{VXP: toy.NewVXP(url+"/vxp", "H29.12", "secret-send"), Log: sender.Log, Documents: sender.Documents}
	sent := make(chan error, 2)
	go func() { sent <- sender.Run(ctx, 0, documents*3/4) }()
	go func() { sent <- unchanged.Run(ctx, documents*3/4, documents-documents*3/4) }()

	for i := range kills {
		// The moment is counted in documents as much as in time, so that kills fall among the work on any machine.
		_ = sender.Log.Wait(ctx, min(documents*i/kills, documents))
		time.Sleep(time.Duration(chance.IntN(120)) * time.Millisecond) // the random moment itself, not a wait for something
		if i%3 == 2 {
			killPostgres(t, state)
		}
		server.kill()
		server = serve(t, state, address)
	}
	for range cap(sent) {
		if err := <-sent; err != nil {
			t.Fatalf("send: %v\n%s", err, server.log)
		}
	}
	if refused := sender.Log.Refused(); len(refused) > 0 {
		t.Fatalf("%d refused, the first: %v", len(refused), refused[0].Refused)
	}
	for _, hub := range []struct {
		name string
		log  *toy.ReceivedLog
		n    int
	}{{"pull", pull.Log, documents}, {"push", push.Log, documents}, {"VXP", old.Log, documents / 2}} {
		if err := hub.log.Wait(ctx, hub.n); err != nil {
			t.Fatalf("%s got %d of %d: %v\n%s", hub.name, len(hub.log.All()), hub.n, err, server.log)
		}
	}
	if _, err := box.Scan(ctx); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(push.Idle(ctx), old.Idle(ctx)); err != nil {
		t.Fatal(err)
	}
	received := slices.Concat(pull.Log.All(), push.Log.All(), old.Log.All(), box.Log.All())
	result := toy.Compare(sender.Log.All(), received)
	t.Logf("%s; offered again: pull %d, push %d, VXP %d", result, pull.Log.Again(), push.Log.Again(), old.Log.Again())
	if !result.OK() {
		t.Errorf("lost %v, wrong %v, doubled %v, stray %v", result.Lost, result.WrongHash, result.Doubled, result.Stray)
	}
	cancel()
	toys.Wait()
	server.stop(t)
	checkState(t, state, false)
}

// killDocuments makes signed documents: a few PDFs are signed, and a text beside each makes every document its own.
func killDocuments(t *testing.T, pki *testpki.PKI) func(int) toy.Document {
	t.Helper()
	id, err := pki.Agency("Sở Y tế Thành phố Hồ Chí Minh", "H29.12")
	if err != nil {
		t.Fatal(err)
	}
	pdfs := make([][]byte, 20)
	for i := range pdfs {
		pdf, err := testpki.PDF(testpki.Document{Agency: "SỞ Y TẾ", Number: strconv.Itoa(i+1) + "/SYT-VP", Subject: "Thử mất điện " + strconv.Itoa(i)})
		if err == nil {
			pdfs[i], err = testpki.SignPDF(pdf, testpki.PDFSignature{Signer: id, Time: pki.Now(), Seal: true})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return func(i int) toy.Document {
		return toy.Document{
			Dispatch: toy.Dispatch{Sender: "H29.12", Recipients: []string{"H26", "G22", "H01.151"}, DocumentID: fmt.Sprintf("H29.12-2026-%06d", i),
				Number: strconv.Itoa(i), Notation: "SYT-VP", PromulgationDate: "2026-11-21", Type: toy.Type{Name: "Công văn", Code: 18},
				Subject: "V/v thử nghiệm mất điện (TEST)", Urgency: toy.Urgency([]string{"normal", "urgent", "very_urgent", "express"}[i%4])},
			Files: []toy.File{toy.Bytes("cong-van.pdf", "application/pdf", pdfs[i%len(pdfs)]),
				toy.Bytes("phu-luc.txt", "text/plain", []byte(fmt.Sprintf("Phụ lục số %d\n", i)))},
		}
	}
}

// killPostgres kills the postmaster, as the kernel would when memory runs out.
func killPostgres(t *testing.T, state string) {
	t.Helper()
	for _, pattern := range []string{"postgres/*/postmaster.pid", "postgres/postmaster.pid"} {
		found, err := filepath.Glob(filepath.Join(state, pattern))
		if err != nil || len(found) == 0 {
			continue
		}
		raw, err := os.ReadFile(found[0])
		if err != nil {
			return // it is starting or stopping
		}
		pid, err := strconv.Atoi(strings.SplitN(string(raw), "\n", 2)[0])
		if err == nil && pid > 1 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		return
	}
	t.Errorf("no postmaster.pid under %s", state)
}

// checkState opens the installation that a test leaves behind and runs the invariant checker over it; nothing may pend
// any more unless mayPend.
func checkState(t *testing.T, state string, mayPend bool) {
	t.Helper()
	c := quiet(t, state)
	err := c.with(func(in *installation) error {
		findings, err := in.store.Check(c.ctx)
		for _, f := range findings {
			t.Errorf("invariant broken: %s", f)
		}
		ledger, lerr := in.store.Ledger(c.ctx, time.Now().AddDate(0, 0, -2))
		if lerr == nil && ledger[storage.Pending] > 0 && !mayPend {
			t.Errorf("%d deliveries still pend: %v", ledger[storage.Pending], ledger)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// quiet is a command on a state folder that logs nothing.
func quiet(t *testing.T, state string) *command {
	t.Helper()
	return &command{ctx: context.Background(), out: io.Discard, err: io.Discard, options: &options{State: state}, log: slog.New(slog.DiscardHandler)}
}
