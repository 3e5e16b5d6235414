package signing_test

import (
	"context"
	"crypto/x509"
	"math/big"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
)

// A list of a million certificates is installed and asked within its own size and half, and only the first question costs.
func TestListOfAMillion(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a list of 40 MB")
	}
	w := newWorld(t)
	leaf, out := w.leaf(), w.leaf()
	raw := million(w, 1_000_000, out.Certificate)
	o := signing.PathOptions{Options: w.options()}
	o.Trust.CRLs = [][]byte{w.CRLs[0], raw}
	before := heap()
	start := time.Now()
	if r := signing.VerifyPath(context.Background(), leaf.Certificate.Raw, o); r.Verdict != signing.Valid {
		t.Errorf("%s %v", r.Verdict, r.Reasons)
	}
	first := time.Since(start)
	if used := heap() - before; used > int64(len(raw))/2 {
		t.Errorf("%d bytes held beside the list's %d", used, len(raw))
	}
	start = time.Now()
	const rounds = 200
	for range rounds {
		if r := signing.VerifyPath(context.Background(), out.Certificate.Raw, o); r.Reason != signing.CertificateRevoked {
			t.Fatalf("%s %v", r.Verdict, r.Reasons)
		}
	}
	next := time.Since(start) / rounds
	signing.Soon(t, start, rounds*20*time.Millisecond)
	t.Logf("%d bytes, first question %v, others %v", len(raw), first, next)
	runtime.KeepAlive(o)
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// million is a list of the issuing CA with n numbers of 16 bytes, the last that of c.
func million(w *world, n int, c *x509.Certificate) []byte {
	from := rand.New(rand.NewPCG(1, 2))
	l := list{by: w.Issuing, number: 1}
	for range n - 1 {
		l.entries = append(l.entries, entry{serial: new(big.Int).SetBytes(append([]byte{1}, eight(from.Uint64(), from.Uint64())...)), reason: 4})
	}
	l.entries = append(l.entries, entry{serial: c.SerialNumber, reason: 4})
	return l.make(w.t)
}

func eight(parts ...uint64) []byte {
	var out []byte
	for _, p := range parts {
		for shift := 56; shift >= 0; shift -= 8 {
			out = append(out, byte(p>>shift))
		}
	}
	return out
}

// FuzzCRL feeds arbitrary bytes as a list, beside none: it must neither fall over, nor cost much, nor make an answer, for
// nobody can sign another one.
func FuzzCRL(f *testing.F) {
	w := newWorld(f)
	leaf := w.leaf(der(0x30, fullName(placeA), lister(w.Root)))
	seeds := []list{{by: w.Issuing, number: 1, entries: []entry{listed(w.agency)}}, {by: w.Issuing, v1: true},
		{by: w.Issuing, number: 6, base: 5, scope: scopeOf(fullName(placeA), usersOnly, reasons(0x83, 1, 2))},
		{by: w.Root, number: 1, scope: scopeOf(relativeName("A"), indirect), entries: []entry{dated(listed(leaf), 0, 6)}}}
	signed := map[string]bool{}
	for _, l := range seeds {
		b := l.make(f)
		signed[string(b)] = true
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		signing.Bounded(t, len(b), func() {
			g := given{others: w.Intermediates(), lists: [][]byte{w.CRLs[0], b}, at: now.Add(time.Hour)}
			if r := w.judge(leaf, g); r.Verdict != signing.Undetermined && !signed[string(b)] && !mereArmour(b, signed) {
				t.Fatalf("%s %v", r.Verdict, r.Reasons)
			}
			signing.ReadCRL(b)
		})
	})
}

// mereArmour says that the list is a good one in PEM.
func mereArmour(b []byte, signed map[string]bool) bool {
	for _, der := range signing.CRLsIn(b) {
		if signed[string(der)] {
			return true
		}
	}
	return false
}

// FuzzOCSP is the same for responses.
func FuzzOCSP(f *testing.F) {
	w := newWorld(f)
	leaf := w.leaf()
	by := w.ocspResponder(w.Issuing, noCheck)
	signed := map[string]bool{}
	for _, r := range []response{{answers: []answer{{about: w.agency}}}, {answers: []answer{{about: leaf, status: "unknown"}}},
		{by: by, bare: true, answers: []answer{{about: w.person, status: "revoked", reason: 1}}, extensions: oddExtension}} {
		b := r.make(w)
		signed[string(b)] = true
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		signing.Bounded(t, len(b), func() {
			g := given{others: w.Intermediates(), lists: [][]byte{w.CRLs[0]}, answers: [][]byte{b}, at: now.Add(time.Hour)}
			if r := w.judge(leaf, g); r.Verdict != signing.Undetermined {
				t.Fatalf("%s %v", r.Verdict, r.Reasons)
			}
			signing.ReadOCSP(b)
		})
	})
}
