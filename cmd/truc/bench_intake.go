package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
	"github.com/truc-lienthong/truc/storage"
)

type benchIntake struct {
	Seconds int  `env:"TRUC_BENCH_SECONDS" default:"30" help:"How long, half of it for the floor."`
	Clients int  `env:"TRUC_BENCH_CLIENTS" default:"8" help:"Clients at once."`
	Size    int  `env:"TRUC_BENCH_SIZE" default:"1048576" help:"Bytes of each signed PDF."`
	Rounds  int  `env:"TRUC_BENCH_ROUNDS" default:"3" help:"Turns of axis and floor, so that both see the same machine."`
	Large   bool `env:"TRUC_BENCH_LARGE" default:"true" negatable:"" help:"Also send one file of 1 GiB to a server under a memory limit."`
	JSON    bool `env:"TRUC_JSON" help:"Answer as JSON."`
}

// intakeGoal is the share of the bare floor that intake must reach.
const intakeGoal = 0.8

// Run measures accepted documents per second against the bare floor, turn by turn, on one throwaway installation.
func (b *benchIntake) Run(c *command) (err error) {
	folder, err := os.MkdirTemp(c.options.State, "truc-bench-")
	if err != nil {
		return fmt.Errorf("make a throwaway folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := os.Chmod(folder, 0o755); err != nil { // PostgreSQL's own user passes through
		return err
	}
	bench := *c
	bench.options = &options{State: folder}
	bench.log = slog.New(slog.DiscardHandler)
	in, err := bench.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	maker, err := b.prepare(&bench, in)
	if err != nil {
		return err
	}
	up, err := (&serveOptions{Listen: "127.0.0.1:0", Rate: 1 << 20, Workers: 8}).start(&bench, in)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, up.stop()) }()
	floor, err := startFloor(c.ctx, in.dsn, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, floor.close()) }()
	result, err := b.turns(c, up.url, floor.url, maker)
	if err != nil {
		return err
	}
	if err := b.verifyCount(c.ctx, in, result.N); err != nil {
		return err
	}
	if b.Large {
		one, err := b.large(c.ctx, folder)
		if err != nil {
			return err
		}
		result.Cases = append(result.Cases, one)
		fmt.Fprintf(c.err, "%s: %.0f %s (goal %.0f)\n", one.Name, one.Value, one.Unit, one.Goal)
	}
	if b.JSON {
		return c.printJSON(result)
	}
	_, err = fmt.Fprintf(c.out, "accepted %.0f/s, bare floor %.0f/s, ratio %.2f (goal %.2f); p50 %.1f ms, p95 %.1f ms\n",
		result.Truc, result.Floor, result.Ratio, result.Goal, result.P50, result.P95)
	return err
}

// prepare installs a sender, a recipient, and the test PKI, and makes the signed document.
func (b *benchIntake) prepare(c *command, in *installation) (*variants, error) {
	now := time.Now()
	if err := in.store.BindKey(c.ctx, in.key.Fingerprint()); err != nil {
		return nil, err
	}
	_, err := in.store.ImportAgencies(c.ctx, []routing.Agency{
		{Code: "H29.12", Name: "Sở Y tế (TEST)", Status: routing.Live}, {Code: "H26", Name: "UBND thành phố Hà Nội (TEST)", Status: routing.Live}}, "bench", now)
	if err != nil {
		return nil, err
	}
	for _, id := range []string{"H29.12", "H26"} {
		err := in.store.AddSystem(c.ctx, storage.System{ID: id, Name: id, Kind: "qlvb", Way: routing.Pull,
			Secret: in.key.Seal([]byte("bench"), storage.SecretPurpose(id)), Serves: []routing.Serving{{Code: routing.Code(id)}}}, "bench", now)
		if err != nil {
			return nil, err
		}
	}
	pki, err := testpki.New(testpki.Options{})
	if err != nil {
		return nil, err
	}
	for _, a := range []storage.Anchor{{Purpose: storage.ForSigning, Certificate: pki.Root.Certificate}, {Purpose: storage.Intermediate, Certificate: pki.Issuing.Certificate}} {
		a.Test, a.Family, a.AddedBy = true, signing.FamilyOfficial, "bench"
		if _, err := in.store.AddAnchor(c.ctx, a, now); err != nil {
			return nil, err
		}
	}
	for _, list := range pki.CRLs {
		if err := in.store.AddRevocationList(c.ctx, list, "bench", now); err != nil {
			return nil, err
		}
	}
	return newVariants(pki, b.Size)
}

// turns lets axis and floor take turns and sums up.
func (b *benchIntake) turns(c *command, axis, floor string, v *variants) (benchResult, error) {
	result := newBench("intake", "documents/s", intakeGoal)
	slice := time.Duration(b.Seconds) * time.Second / time.Duration(2*b.Rounds)
	var took []time.Duration
	var floorN int
	var axisTime, floorTime time.Duration
	warm := time.Second
	for _, url := range []string{axis, floor} {
		if _, _, err := b.load(c.ctx, url, v, warm); err != nil {
			return result, err
		}
	}
	for range b.Rounds {
		some, spent, err := b.load(c.ctx, axis, v, slice)
		if err != nil {
			return result, err
		}
		took, axisTime = append(took, some...), axisTime+spent
		some, spent, err = b.load(c.ctx, floor, v, slice)
		if err != nil {
			return result, err
		}
		floorN, floorTime = floorN+len(some), floorTime+spent
	}
	result.N = len(took)
	result.Seconds = (axisTime + floorTime).Seconds()
	result.Truc, result.Floor = float64(len(took))/axisTime.Seconds(), float64(floorN)/floorTime.Seconds()
	result.P50, result.P95 = percentile(took, 50), percentile(took, 95)
	result.settle()
	return result, nil
}

// load sends from all clients for a while; every document is acknowledged or the bench fails.
func (b *benchIntake) load(ctx context.Context, url string, v *variants, slice time.Duration) (took []time.Duration, spent time.Duration, err error) {
	transport := &http.Transport{MaxIdleConnsPerHost: b.Clients, DisableCompression: true, WriteBufferSize: 256 << 10}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	started := time.Now()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range b.Clients {
		wg.Go(func() {
			for time.Since(started) < slice {
				began := time.Now()
				fault := v.send(ctx, client, url)
				mu.Lock()
				took = append(took, time.Since(began))
				err = errors.Join(err, fault)
				mu.Unlock()
				if fault != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return took, time.Since(started), err
}

// verifyCount compares what was acknowledged with the rows: a bench that loses documents measures nothing.
func (b *benchIntake) verifyCount(ctx context.Context, in *installation, n int) error {
	ledger, err := in.store.Ledger(ctx, time.Now().AddDate(0, 0, -2))
	if err != nil {
		return err
	}
	if got := int(ledger[storage.Pending]); got < n {
		return answer{exitNo, fmt.Sprintf("%d documents were acknowledged, %d are there", n, got)}
	}
	return nil
}

// variants makes many different signed documents of one: the hex digits of a signature may be written in either case
// (ISO 32000-1, 7.3.4.3) and lie outside what is signed, so each choice of cases is another file with a valid signature.
type variants struct {
	head, hex, tail []byte
	next            atomic.Int64
}

func newVariants(pki *testpki.PKI, size int) (*variants, error) {
	id, err := pki.Agency("Sở Y tế (TEST)", "H29.12")
	if err != nil {
		return nil, err
	}
	pdf, err := testpki.PDF(testpki.Document{Agency: "SỞ Y TẾ (TEST)", Number: "1/SYT-VP", Subject: "Văn bản đo tốc độ tiếp nhận", Size: size - 15_000})
	if err != nil {
		return nil, err
	}
	if pdf, err = testpki.SignPDF(pdf, testpki.PDFSignature{Signer: id, Time: pki.Now(), Seal: true}); err != nil {
		return nil, err
	}
	at := bytes.LastIndex(pdf, []byte("/Contents <"))
	if at < 0 {
		at = bytes.LastIndex(pdf, []byte("/Contents<"))
	}
	if at < 0 {
		return nil, errors.New("the signed PDF has no /Contents")
	}
	at += bytes.IndexByte(pdf[at:], '<') + 1
	return &variants{head: pdf[:at], hex: bytes.ToLower(pdf[at : at+1000]), tail: pdf[at+1000:]}, nil
}

// contents writes i into the cases of the hex letters, two letters to a bit.
func (v *variants) contents(i int64) []byte {
	hex := bytes.Clone(v.hex)
	for at := range hex {
		if hex[at] >= 'a' && hex[at] <= 'f' {
			if i&1 == 1 {
				hex[at] -= 'a' - 'A'
			}
			if i >>= 1; i == 0 {
				break
			}
		}
	}
	return hex
}

const boundary = "truc-bench-boundary"

// send submits the next document; only the way to the server costs, for nothing is hashed here.
func (v *variants) send(ctx context.Context, client *http.Client, url string) error {
	i := v.next.Add(1)
	meta := fmt.Sprintf(`{"sender":"H29.12","recipients":["H26"],"document_id":"BENCH-%d","number":"%d","notation":"SYT-VP","promulgation_date":"2026-11-21","type":{"name":"Công văn","code":18},"subject":"Văn bản đo tốc độ tiếp nhận (TEST)","urgency":"normal"}`, i, i%1_000_000)
	front := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"dispatch\"\r\nContent-Type: application/json\r\n\r\n" + meta +
		"\r\n--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"van-ban.pdf\"\r\nContent-Type: application/pdf\r\n\r\n"
	back := "\r\n--" + boundary + "--\r\n"
	hex := v.contents(i)
	length := int64(len(front) + len(v.head) + len(hex) + len(v.tail) + len(back))
	body := io.MultiReader(strings.NewReader(front), bytes.NewReader(v.head), bytes.NewReader(hex), bytes.NewReader(v.tail), strings.NewReader(back))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v1/dispatches", body)
	if err != nil {
		return err
	}
	request.ContentLength = length
	request.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	request.SetBasicAuth("H29.12", "bench")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusCreated || !bytes.Contains(answer, []byte(`"verdict":"valid"`)) {
		return fmt.Errorf("not accepted as valid: %d %.300s", response.StatusCode, answer)
	}
	return nil
}
