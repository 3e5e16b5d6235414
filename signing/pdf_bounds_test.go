package signing_test

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
)

// Hostile structure: every one of these would be dear if cost grew faster than the file. The bounds are those of issue 4,
// with room for a busy machine.
func TestHostilePDFsStayWithinBounds(t *testing.T) {
	w := newWorld(t)
	for name, b := range map[string][]byte{
		"heads_without_end":            []byte("%PDF-1.7\n" + strings.Repeat("1 0 obj [", 500_000)),
		"heads_of_strings":             []byte("%PDF-1.7\n" + strings.Repeat("1 0 obj (", 500_000)),
		"heads_and_byteranges":         []byte("%PDF-1.7\n" + strings.Repeat("1 0 obj <</ByteRange [", 300_000)),
		"byteranges":                   append(little(), strings.Repeat("/ByteRange ", 500_000)...),
		"byteranges_in_objects":        append(little(), strings.Repeat("1 0 obj <</ByteRange [] /Contents <00>>>", 100_000)...),
		"trailers":                     []byte("%PDF-1.7\n" + strings.Repeat("trailer <</Root 1 0 R", 300_000)),
		"startxrefs":                   []byte("%PDF-1.7\n" + strings.Repeat("startxref\n", 500_000)),
		"runs_of_one":                  runsOfOne(300_000),
		"runs_of_one_backwards":        runsOfOne(-300_000),
		"kids_deep":                    kidsDeep(3000),
		"parents_in_a_circle":          w.fill(littleWith("/Pages 2 0 R", formFive, "<</Fields [6 0 R]>>", "<</Kids [6 0 R 8 0 R] /Parent 8 0 R>>", room(""), "<</Kids [6 0 R] /Parent 6 0 R /FT /Sig>>")),
		"signatures_many":              w.signaturesMany(2000),
		"signatures_many_in_bounds":    w.signaturesMany(400),
		"revisions_many":               revisions(w.littleSigned(), 1000),
		"revisions_of_many_pages":      revisions(w.signed(pages(5000)), 150),
		"object_streams_of_each_other": append(little(), strings.Repeat("9 0 obj<</Type/ObjStm/N 9/First 9/Extends 9 0 R/Length 0>>stream\nendstream ", 50_000)...),
		"streams_without_end":          w.signed(plainPDF(append([]string{catalogBody, pagesBody, pageBody}, repeated("<</Length 5>>\nstream\nabc", 20_000)...)...)),
	} {
		t.Run(name, func(t *testing.T) {
			o := w.options()
			start := time.Now()
			var r signing.Report
			used := held(func() { r = verify(inside(b), o) })
			took := time.Since(start)
			t.Logf("%s %v: %d bytes held for %d, %v", r.Verdict, r.Files[0].Reasons, used, len(b), took)
			if r.Verdict == signing.Valid && !strings.HasPrefix(name, "signatures") && !strings.HasPrefix(name, "revisions") && !strings.HasPrefix(name, "streams") {
				t.Error("valid")
			}
			if most := uint64(8*len(b) + 32<<20); used > most {
				t.Errorf("%d bytes held for %d, more than %d", used, len(b), most)
			}
			signing.Soon(t, start, time.Duration(1+len(b)/(20<<20))*2*time.Second)
		})
	}
}

// held gives the most that f held at a time, as seen every millisecond, what the collector had not yet taken included.
func held(f func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	runtime.GC()
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	before, most := heap[0].Value.Uint64(), uint64(0)
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	for tick := time.NewTicker(time.Millisecond); ; {
		select {
		case <-done:
			tick.Stop()
			return most
		case <-tick.C:
			metrics.Read(heap)
			if now := heap[0].Value.Uint64(); now > before {
				most = max(most, now-before)
			}
		}
	}
}

func repeated(s string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = s
	}
	return out
}

// runsOfOne is a table in which every entry is a run of its own; from high to low when n is negative.
func runsOfOne(n int) []byte {
	f := forge(little())
	at := len(f.out)
	f.text("xref\n")
	var rows strings.Builder
	for i := range max(n, -n) {
		num := 100 + 2*i
		if n < 0 {
			num = 100 - 2*(i+n)
		}
		fmt.Fprintf(&rows, "%d 1\n%010d 00000 n \n", num, 9)
	}
	return f.text("%s", rows.String()).text("trailer\n<</Size 9 /Root 1 0 R /Prev %d>>\nstartxref\n%d\n%%%%EOF\n", f.prev, at).out
}

// kidsDeep is a tree of pages that only goes down.
func kidsDeep(n int) []byte {
	bodies := []string{catalogBody}
	for i := range n {
		bodies = append(bodies, fmt.Sprintf("<</Type /Pages /Kids [%d 0 R] /Count 1>>", i+3))
	}
	return plainPDF(bodies...)
}

// pages is a document of n pages.
func pages(n int) []byte {
	var kids strings.Builder
	bodies := []string{catalogBody, "", pageBody, stream("", goodText)}
	kids.WriteString("3 0 R")
	for i := range n {
		fmt.Fprintf(&kids, " %d 0 R", i+5)
		bodies = append(bodies, pageBody)
	}
	bodies[1] = fmt.Sprintf("<</Type /Pages /Count %d /Kids [%s]>>", n+1, kids.String())
	return plainPDF(bodies...)
}

// revisions appends updates that each write one more object.
func revisions(pdf []byte, n int) []byte {
	f := forge(pdf)
	for i := range n {
		f.entries = map[int]string{}
		f.object(90_000+i, "<<>>").end()
		f.prev = lastStartxref(f.out[len(f.out)-100:])
	}
	return f.out
}

// signaturesMany has n signatures in one revision, each over the whole file.
func (w *world) signaturesMany(n int) []byte {
	var fields strings.Builder
	bodies := []string{catalogBody, pagesBody, pageBody, stream("", goodText+strings.Repeat(" ", 1<<20)), ""}
	for range n {
		fmt.Fprintf(&fields, "%d 0 R ", len(bodies)+1)
		bodies = append(bodies, strings.Replace(fieldBody, "7 0 R", fmt.Sprintf("%d 0 R", len(bodies)+2), 1), room(""))
	}
	bodies[0], bodies[4] = "<</Type /Catalog "+formFive+">>", "<</Fields ["+fields.String()+"]>>"
	return w.fill(plainPDF(bodies...))
}
