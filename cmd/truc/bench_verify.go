package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

type benchVerify struct {
	Seconds int  `env:"TRUC_BENCH_SECONDS" default:"30" help:"How long to measure."`
	Signers int  `env:"TRUC_BENCH_SIGNERS" default:"16" help:"How many agencies sign."`
	Large   int  `env:"TRUC_BENCH_LARGE_MB" default:"500" help:"Size of the large detached document in MB; 0: none."`
	JSON    bool `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Goals of the issue: the share of the floor, and milliseconds and bytes that must not be passed.
const (
	verifyGoal  = 0.85
	pdfGoal     = 3
	pdfGoal20   = 40
	memoryGoal  = 16
	benchMB     = 1 << 20
	benchSets   = 4 // documents of each signer
	verifyTurns = 10
)

// Run measures verification: documents of 1 MB with a detached CMS, each judged with its path and its revocation list, in
// turns with a floor that reads the same files, digests them with SHA-256 and verifies one RSA-2048 signature. The ratio
// with one client decides less than that with all cores, which is the bench's.
func (b *benchVerify) Run(c *command) error {
	folder, err := os.MkdirTemp("", "truc-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	w, err := newVerifyBench(c.ctx, folder, b.Signers)
	if err != nil {
		return err
	}
	defer w.close()
	result := newBench("verify", "documents/s", verifyGoal)
	if err := result.turns(max(b.Seconds*6/10, 2), verifyTurns, w.turn(runtime.NumCPU(), w.judge), w.turn(runtime.NumCPU(), w.bare)); err != nil {
		return err
	}
	one := newBench("", "", verifyGoal)
	if err := one.turns(max(b.Seconds*2/10, 2), verifyTurns, w.turn(1, w.judge), w.turn(1, w.bare)); err != nil {
		return err
	}
	result.add(c, benchCase{Name: "1 MB detached, one client, share of the floor", Unit: "ratio", Value: one.Ratio, Goal: verifyGoal, Met: one.Met})
	if err := w.pdfs(c, &result, time.Duration(b.Seconds)*time.Second/10); err != nil {
		return err
	}
	if b.Large > 0 {
		if err := w.large(c, &result, b.Large); err != nil {
			return err
		}
	}
	if b.JSON {
		return c.printJSON(result)
	}
	_, err = fmt.Fprintf(c.out, "%.0f documents/s, floor %.0f, ratio %.2f (goal %.2f)\n", result.Truc, result.Floor, result.Ratio, result.Goal)
	return err
}

// signedDocument is one document of 1 MB and its detached signature.
type signedDocument struct {
	file      *os.File
	signature []byte
	key       *rsa.PublicKey
	bare      []byte // what the floor verifies: PKCS #1 v1.5 over the document's digest
}

// verifyBench is what both sides work on.
type verifyBench struct {
	ctx       context.Context
	folder    string
	pki       *testpki.PKI
	options   signing.Options
	documents []signedDocument
}

func newVerifyBench(ctx context.Context, folder string, signers int) (*verifyBench, error) {
	pki, err := testpki.New(testpki.Options{RSA: true, Now: time.Now().Add(-24 * time.Hour)})
	if err != nil {
		return nil, err
	}
	w := &verifyBench{ctx: ctx, folder: folder, pki: pki}
	w.options = signing.Options{At: time.Now(), Revocation: signing.Require, Trust: &signing.Trust{
		Anchors: []signing.Anchor{{Certificate: pki.Root.Certificate, Family: signing.FamilyOfficial}}, CRLs: pki.CRLs}}
	for i := range signers {
		id, err := pki.Agency(fmt.Sprintf("Sở %d", i+1), fmt.Sprintf("H29.%d", i+1))
		if err != nil {
			return nil, err
		}
		for k := range benchSets {
			if err := w.addDocument(id, i*benchSets+k); err != nil {
				return nil, err
			}
		}
	}
	return w, nil
}

func (w *verifyBench) addDocument(id *testpki.Identity, n int) error {
	content := bytes.Repeat(fmt.Appendf(nil, "TEST %011d", n), benchMB/16)
	file, err := writeBench(filepath.Join(w.folder, fmt.Sprint(n)), content)
	if err != nil {
		return err
	}
	d := signedDocument{file: file, key: id.Certificate.PublicKey.(*rsa.PublicKey)}
	if d.signature, err = testpki.SignCMS(id, content, w.pki.Now()); err == nil {
		sum := sha256.Sum256(content)
		d.bare, err = id.Key.Sign(nil, sum[:], crypto.SHA256)
	}
	w.documents = append(w.documents, d)
	return err
}

func writeBench(path string, content []byte) (*os.File, error) {
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return nil, err
	}
	return os.Open(path)
}

func (w *verifyBench) close() {
	for _, d := range w.documents {
		_ = d.file.Close() // a read-only handle
	}
}

// judge verifies one document as the axis does.
func (w *verifyBench) judge(d signedDocument, _ []byte) error {
	report := signing.Verify(w.ctx, []signing.File{{Name: "document", Content: d.file, Size: benchMB, Signature: d.signature}}, w.options)
	if report.Verdict != signing.Valid {
		return answer{exitNo, fmt.Sprintf("judged %s: %v", report.Verdict, report.Files[0].Reasons)}
	}
	return nil
}

// bare is the least that must be done: read, digest, one RSA verification.
func (w *verifyBench) bare(d signedDocument, buffer []byte) error {
	sum := sha256.New()
	for at := int64(0); ; at += int64(len(buffer)) {
		n, err := d.file.ReadAt(buffer, at)
		sum.Write(buffer[:n])
		if err == io.EOF || err == nil && at+int64(n) == benchMB {
			break
		}
		if err != nil {
			return err
		}
	}
	return rsa.VerifyPKCS1v15(d.key, crypto.SHA256, sum.Sum(nil), d.bare)
}

// turn lets so many clients call one side, each document after the other.
func (w *verifyBench) turn(clients int, call func(signedDocument, []byte) error) turn {
	return func(slice time.Duration) (took []time.Duration, spent time.Duration, err error) {
		started := time.Now()
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				buffer := make([]byte, 256<<10) // as package signing reads
				var own []time.Duration
				var fault error
				for n := i; fault == nil && time.Since(started) < slice; n++ {
					began := time.Now()
					fault = call(w.documents[n%len(w.documents)], buffer)
					own = append(own, time.Since(began))
				}
				mu.Lock()
				defer mu.Unlock()
				took, err = append(took, own...), errors.Join(err, fault)
			})
		}
		wg.Wait()
		return took, time.Since(started), err
	}
}

// pdfs measures PDF files of two sizes: time, and memory beyond what was there.
func (w *verifyBench) pdfs(c *command, result *benchResult, slice time.Duration) error {
	id, err := w.pki.Agency("Sở 1", "H29.1")
	if err != nil {
		return err
	}
	for _, one := range []struct {
		mb   int
		goal float64
	}{{1, pdfGoal}, {20, pdfGoal20}} {
		plain, err := testpki.PDF(testpki.Document{Size: one.mb * benchMB})
		if err != nil {
			return err
		}
		pdf, err := testpki.SignPDF(plain, testpki.PDFSignature{Signer: id, Time: w.pki.Now(), Seal: true})
		if err != nil {
			return err
		}
		file, err := writeBench(filepath.Join(w.folder, fmt.Sprintf("%d.pdf", one.mb)), pdf)
		if err != nil {
			return err
		}
		input := signing.File{Name: "document.pdf", Content: file, Size: int64(len(pdf))}
		plain, pdf = nil, nil
		var took []time.Duration
		peak, err := extraMemory(func() error {
			for started := time.Now(); time.Since(started) < slice || len(took) < 3; {
				began := time.Now()
				if report := signing.Verify(w.ctx, []signing.File{input}, w.options); report.Verdict != signing.Valid {
					return answer{exitNo, fmt.Sprintf("the PDF is judged %s: %v", report.Verdict, report.Files[0].Reasons)}
				}
				took = append(took, time.Since(began))
			}
			return nil
		})
		if err = errors.Join(err, file.Close()); err != nil {
			return err
		}
		name := fmt.Sprintf("%d MB PDF", one.mb)
		ms := percentile(took, 50)
		result.add(c, benchCase{Name: name + ", p50", Unit: "ms", Value: ms, Goal: one.goal, Met: ms <= one.goal})
		result.add(c, benchCase{Name: name + ", peak extra memory", Unit: "MB", Value: peak, Goal: memoryGoal, Met: peak <= memoryGoal})
	}
	return nil
}

// large measures one detached signature over a document that must not be held in memory.
func (w *verifyBench) large(c *command, result *benchResult, mb int) error {
	id, err := w.pki.Agency("Sở 1", "H29.1")
	if err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(w.folder, "large"))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	size := int64(mb) << 20
	if err := file.Truncate(size); err != nil { // sparse: zeros are digested like anything else
		return err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	signature, err := testpki.CMS{Signers: []*testpki.Identity{id}, Time: w.pki.Now()}.SignDigest(nil, sum.Sum(nil))
	if err != nil {
		return err
	}
	began := time.Now()
	peak, err := extraMemory(func() error {
		report := signing.Verify(w.ctx, []signing.File{{Name: "large", Content: file, Size: size, Signature: signature}}, w.options)
		if report.Verdict != signing.Valid {
			return answer{exitNo, fmt.Sprintf("the large document is judged %s: %v", report.Verdict, report.Files[0].Reasons)}
		}
		return nil
	})
	name := fmt.Sprintf("%d MB detached", mb)
	result.add(c, benchCase{Name: name, Unit: "ms", Value: float64(time.Since(began).Milliseconds())})
	result.add(c, benchCase{Name: name + ", peak extra memory", Unit: "MB", Value: peak, Goal: memoryGoal, Met: peak <= memoryGoal})
	return err
}

// extraMemory runs work and tells by how many MB the heap grew at most, garbage included.
func extraMemory(work func() error) (float64, error) {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	read := func() uint64 { metrics.Read(sample); return sample[0].Value.Uint64() }
	before := read()
	most := before
	done, ended := make(chan struct{}), make(chan struct{})
	go func() { // ends with done, and is waited for
		defer close(ended)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				most = max(most, read())
			}
		}
	}()
	err := work()
	close(done)
	<-ended
	most = max(most, read())
	return float64(most-before) / benchMB, err
}
