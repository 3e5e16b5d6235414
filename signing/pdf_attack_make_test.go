package signing_test

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/truc-lienthong/truc/signing/testpki"
)

// The forger's own writer: it puts bytes exactly where an attack needs them, which testpki's honest writer does not.

// plainPDF is a file of the given objects, numbered from 1; the first is the catalog.
func plainPDF(bodies ...string) []byte {
	out := []byte("%PDF-1.7\n")
	table := fmt.Sprintf("xref\n0 %d\n0000000000 65535 f \n", len(bodies)+1)
	for i, body := range bodies {
		table += fmt.Sprintf("%010d 00000 n \n", len(out))
		out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", i+1, body)
	}
	at := len(out)
	return fmt.Appendf(append(out, table...), "trailer\n<</Size %d /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(bodies)+1, at)
}

const (
	catalogBody = "<</Type /Catalog /Pages 2 0 R>>"
	pagesBody   = "<</Type /Pages /Kids [3 0 R] /Count 1>>"
	pageBody    = "<</Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 4 0 R /Resources <<>>>>"
	goodText    = "0 0 1 rg 10 10 50 50 re f"
	evilText    = "1 0 0 rg 10 10 90 90 re f"
)

func stream(dict, data string) string {
	return fmt.Sprintf("<<%s /Length %d>>\nstream\n%s\nendstream", dict, len(data), data)
}

// little is a page of one stream, and whatever else is given as objects from 5 on.
func little(more ...string) []byte {
	return plainPDF(append([]string{catalogBody, pagesBody, pageBody, stream("", goodText)}, more...)...)
}

// littleWith is little with its page or catalog rewritten.
func littleWith(old, new string, more ...string) []byte {
	bodies := append([]string{catalogBody, pagesBody, pageBody, stream("", goodText)}, more...)
	for i := range bodies {
		bodies[i] = strings.ReplaceAll(bodies[i], old, new)
	}
	return plainPDF(bodies...)
}

// forgery is an update in the making, byte by byte.
type forgery struct {
	out     []byte
	prev    int
	entries map[int]string // number -> row of the table
	trailer string         // besides /Size and /Prev; /Root 1 0 R when empty
}

func forge(pdf []byte) *forgery {
	return &forgery{out: bytes.Clone(pdf), prev: lastStartxref(pdf), entries: map[int]string{}}
}

func lastStartxref(pdf []byte) int {
	n := 0
	if at := bytes.LastIndex(pdf, []byte("startxref")); at >= 0 {
		fmt.Sscan(string(pdf[at+len("startxref"):]), &n)
	}
	return n
}

// object writes one and names it in the table to come.
func (f *forgery) object(n int, body string) *forgery {
	f.entries[n] = fmt.Sprintf("%010d 00000 n \n", len(f.out))
	f.out = fmt.Appendf(f.out, "%d 0 obj\n%s\nendobj\n", n, body)
	return f
}

// text writes bytes that no table names.
func (f *forgery) text(format string, args ...any) *forgery {
	f.out = fmt.Appendf(f.out, format, args...)
	return f
}

// upTo fills up with a comment to an offset.
func (f *forgery) upTo(at int) *forgery {
	return f.text("%%%s\n", strings.Repeat(" ", at-len(f.out)-2))
}

func (f *forgery) row(n int, row string) *forgery { f.entries[n] = row; return f }

// end writes the table, the trailer and the end of the file.
func (f *forgery) end() []byte {
	nums := make([]int, 0, len(f.entries))
	for n := range f.entries {
		nums = append(nums, n)
	}
	sort.Ints(nums)
	at := len(f.out)
	f.text("xref\n")
	for _, n := range nums {
		f.text("%d 1\n%s", n, f.entries[n])
	}
	trailer := f.trailer
	if !strings.Contains(trailer, "/Root") {
		trailer += " /Root 1 0 R"
	}
	if !strings.Contains(trailer, "/Prev") {
		trailer += fmt.Sprintf(" /Prev %d", f.prev)
	}
	return f.text("trailer\n<</Size 3000 %s>>\nstartxref\n%d\n%%%%EOF\n", trailer, at).out
}

// bodyOf gives the last body of an object, as the honest reader sees it.
func bodyOf(pdf []byte, n int) string {
	r, err := testpki.Revise(pdf)
	if err != nil {
		return ""
	}
	return string(r.Object(n))
}

// inserted puts more into a dictionary's text.
func inserted(body, more string) string {
	at := strings.LastIndex(body, ">>")
	return body[:at] + " " + more + body[at:]
}

// unzipped gives the dictionary of a deflated stream object and its data.
func unzipped(object []byte) (string, []byte) {
	at := bytes.Index(object, []byte("stream\n"))
	z, err := zlib.NewReader(bytes.NewReader(object[at+len("stream\n"):]))
	if err != nil {
		return "", nil
	}
	data, _ := io.ReadAll(z)
	return string(object[:at]), data
}

// room is an empty signature dictionary for fill, with more of its keys.
func room(more string) string {
	return "<</Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0 0000000000 0000000000 0000000000] /Contents <" +
		strings.Repeat("0", 9000) + "> " + more + ">>"
}

// fill signs the last empty signature dictionary of a file, wherever it stands.
func (w *world) fill(pdf []byte) []byte {
	out := bytes.Clone(pdf)
	at := bytes.LastIndex(out, []byte("/ByteRange [0 0000000000"))
	start := at + bytes.Index(out[at:], []byte("<0000"))
	end := start + bytes.IndexByte(out[start:], '>') + 1
	text := fmt.Sprintf("/ByteRange [0 %d %d %d]", start, end, len(out)-end)
	copy(out[at:], text+strings.Repeat(" ", len("/ByteRange [0 0000000000 0000000000 0000000000]")-len(text)))
	h := sha256.New()
	h.Write(out[:start])
	h.Write(out[end:])
	der, err := testpki.CMS{Signers: []*testpki.Identity{w.person}, Time: now}.SignDigest(nil, h.Sum(nil))
	w.must(err)
	hex.Encode(out[start+1:], der)
	return out
}
