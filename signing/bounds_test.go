package signing_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// zeroReader is a content of any size that takes no memory.
type zeroReader struct{}

func (zeroReader) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }

// hostile files must stay within 8 times their size plus 32 MB, and 2 s per 20 MB. What is asserted is what they allocate in
// all, which bounds what they hold.
func TestHostileFilesStayWithinBounds(t *testing.T) {
	for name, b := range map[string][]byte{
		"object_stream_bomb":  bomb("/Type /ObjStm /N 1 /First 4", 200<<20),
		"xref_stream_bomb":    xrefBomb(200 << 20),
		"array_of_millions":   object("[" + strings.Repeat("1000 ", 2_000_000) + "]"),
		"deep_arrays":         object(strings.Repeat("[", 1_000_000)),
		"deep_dictionaries":   object(strings.Repeat("<</A ", 200_000)),
		"kids_in_a_circle":    file("<</Type /Catalog /Pages 1 0 R /AcroForm <</Fields [1 0 R]>> /Kids [1 0 R 1 0 R]>>"),
		"prev_in_a_circle":    bytes.Replace(file("<</Type /Catalog>>"), []byte("/Root"), []byte("/Prev 9 /Root"), 1),
		"many_names":          object("<<" + strings.Repeat("/A 1", 500_000) + ">>"),
		"many_distinct_names": object("<<" + distinct(200_000) + ">>"),
		"many_open_strings":   object(strings.Repeat("(", 2_000_000)),
		"many_fields":         file("<</Type /Catalog /AcroForm <</Fields [" + strings.Repeat("<</FT /Sig>> ", 300_000) + "]>>>>"),
		"nested_ber":          nested(100_000),
		"ber_of_tiny_parts":   tiny(500_000),
	} {
		t.Run(name, func(t *testing.T) {
			signing.Bounded(t, len(b), func() {
				if r := verify(inside(b), signing.Options{At: now}); r.Verdict == signing.Valid {
					t.Error("valid")
				}
			})
		})
	}
}

// 500 MB detached go through in one pass without being held.
func TestLargeDetachedContentIsStreamed(t *testing.T) {
	if testing.Short() {
		t.Skip("digests 500 MB")
	}
	const size = 500 << 20
	w := newWorld(t)
	h := signing.File{Name: "lớn", Content: zeroReader{}, Size: size}
	c := testpki.CMS{Signers: []*testpki.Identity{w.agency}, Time: now}
	digest := zeroDigest(size)
	signature, err := c.SignDigest(nil, digest)
	w.must(err)
	h.Signature = signature
	o := w.options()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := verify(h, o)
	runtime.ReadMemStats(&after)
	if r.Verdict != signing.Valid {
		t.Fatalf("%s %v", r.Verdict, r.Files[0].Reasons)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("%d bytes allocated", used)
	}
}

func file(catalog string) []byte {
	out := []byte("%PDF-1.7\n1 0 obj\n" + catalog + "\nendobj\n")
	return fmt.Appendf(out, "xref\n0 2\n0000000000 65535 f \n0000000009 00000 n \ntrailer\n<</Size 2 /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(out))
}

// object puts a value where the catalog's form should be.
func object(value string) []byte { return file("<</Type /Catalog /AcroForm " + value + ">>") }

func distinct(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, "/K%d 1", i)
	}
	return out.String()
}

func zip(n int) []byte {
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	io.CopyN(z, io.NewSectionReader(zeroReader{}, 0, int64(n)), int64(n))
	z.Close()
	return out.Bytes()
}

// bomb is a file whose catalog is in a stream that inflates without end.
func bomb(dict string, n int) []byte {
	z := zip(n)
	out := fmt.Appendf([]byte("%PDF-1.7\n"), "2 0 obj\n<<%s /Filter /FlateDecode /Length %d>>\nstream\n", dict, len(z))
	out = append(append(out, z...), "\nendstream\nendobj\n"...)
	at := len(out)
	rows := []byte{0, 0, 0, 2, 0, 2, 1, 0, 9}
	out = fmt.Appendf(out, "3 0 obj\n<</Type /XRef /W [1 1 1] /Index [0 3] /Size 3 /Root 1 0 R /Length %d>>\nstream\n%s\nendstream\nendobj\n", len(rows), rows)
	out = bytes.Replace(out, rows, []byte{0, 0, 0, 2, 2, 0, 1, 9, 0}, 1)
	return fmt.Appendf(out, "startxref\n%d\n%%%%EOF\n", at)
}

func xrefBomb(n int) []byte {
	z := zip(n)
	out := []byte("%PDF-1.7\n")
	at := len(out)
	out = fmt.Appendf(out, "3 0 obj\n<</Type /XRef /W [1 1 1] /Size %d /Root 1 0 R /Filter /FlateDecode /Length %d>>\nstream\n", n/3, len(z))
	out = append(append(out, z...), "\nendstream\nendobj\n"...)
	return fmt.Appendf(out, "startxref\n%d\n%%%%EOF\n", at)
}

// tiny is a message whose content comes in pieces of one byte.
func tiny(n int) []byte {
	b := append([]byte{0x24, 0x80}, bytes.Repeat([]byte{4, 1, 'a'}, n)...)
	b = append(b, 0, 0)
	return der(0x30, must(oidDER(2)), der(0xA0, der(0x30, []byte{2, 1, 1}, der(0x31), der(0x30, must(oidDER(1)), der(0xA0, b)), der(0x31))))
}
