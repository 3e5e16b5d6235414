package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/truc-lienthong/truc/routing"
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
func (b *benchIntake) Run(c *command) error {
	result := newBench("intake", "documents/s", intakeGoal)
	var maker *variants
	err := c.throwaway(func(bench *command, in *installation) (err error) {
		maker, err = b.prepare(bench, in)
		return err
	}, func(site *benchSite) error {
		load := func(url string) turn {
			return func(slice time.Duration) ([]time.Duration, time.Duration, error) {
				return hammer(b.Clients, slice, func(_ int, via *http.Client) error { return maker.send(c.ctx, via, url) })
			}
		}
		if err := result.turns(b.Seconds, b.Rounds, load(site.axis.url), load(site.floor.url)); err != nil {
			return err
		}
		if err := b.verifyCount(c.ctx, site.in, result.N); err != nil {
			return err
		}
		if !b.Large {
			return nil
		}
		one, err := b.large(c.ctx, site.folder)
		if err != nil {
			return err
		}
		result.add(c, one)
		return nil
	})
	if err != nil {
		return err
	}
	if b.JSON {
		return c.printJSON(result)
	}
	_, err = fmt.Fprintf(c.out, "accepted %.0f/s, bare floor %.0f/s, ratio %.2f (goal %.2f); p50 %.1f ms, p95 %.1f ms\n",
		result.Truc, result.Floor, result.Ratio, result.Goal, result.P50, result.P95)
	return err
}

// prepare installs a sender and a recipient, and makes the signed document.
func (b *benchIntake) prepare(c *command, in *installation) (*variants, error) {
	pki, err := prepareBench(c, in, []routing.Agency{{Code: "H29.12", Name: "Sở Y tế (TEST)"}, {Code: "H26", Name: "UBND thành phố Hà Nội (TEST)"}},
		[]routing.Serving{{Code: "H29.12"}, {Code: "H26"}})
	if err != nil {
		return nil, err
	}
	return newVariants(pki, b.Size)
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
func (v *variants) send(ctx context.Context, via *http.Client, url string) error {
	i := v.next.Add(1)
	meta := fmt.Sprintf(`{"sender":"H29.12","recipients":["H26"],"document_id":"BENCH-%d","number":"%d","notation":"SYT-VP","promulgation_date":"2026-11-21","type":{"name":"Công văn","code":18},"subject":"Văn bản đo tốc độ tiếp nhận (TEST)","urgency":"normal"}`, i, i%1_000_000)
	return submit(ctx, via, url, meta, v.head, v.contents(i), v.tail)
}

// submit sends metadata and one file, which comes in pieces, over the native face, or to the floor.
func submit(ctx context.Context, via *http.Client, url, meta string, file ...[]byte) error {
	front := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"dispatch\"\r\nContent-Type: application/json\r\n\r\n" + meta +
		"\r\n--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"van-ban.pdf\"\r\nContent-Type: application/pdf\r\n\r\n"
	back := "\r\n--" + boundary + "--\r\n"
	body, length := together(append(append([][]byte{[]byte(front)}, file...), []byte(back)))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v1/dispatches", body)
	if err != nil {
		return err
	}
	request.ContentLength = length
	request.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	request.SetBasicAuth("H29.12", benchSecret)
	response, err := via.Do(request)
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

// together makes one body of pieces, without copying them.
func together(pieces [][]byte) (body io.Reader, length int64) {
	switch len(pieces) { // a MultiReader takes 32 kB to be sent
	case 0:
		return http.NoBody, 0
	case 1:
		return bytes.NewReader(pieces[0]), int64(len(pieces[0]))
	}
	readers := make([]io.Reader, len(pieces))
	for i, p := range pieces {
		readers[i], length = bytes.NewReader(p), length+int64(len(p))
	}
	return io.MultiReader(readers...), length
}
