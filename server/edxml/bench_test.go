package edxml

import (
	"bytes"
	"io"
	"testing"
)

// BenchmarkRead reads a packet of 1 MB with one PDF.
func BenchmarkRead(b *testing.B) {
	packet, err := io.ReadAll(generated(1<<20, false))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(packet)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(bytes.NewReader(packet), Reading{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWrite writes one with a file of 750 kB: a PDF, and a spreadsheet that goes into a ZIP.
func BenchmarkWrite(b *testing.B) {
	content := bytes.Repeat([]byte("%PDF-1.4 nội dung ..."), 750_000/24)
	for _, name := range []string{"a.pdf", "a.xls"} {
		b.Run(name, func(b *testing.B) {
			d := Document{From: Organization{ID: "H29"}, To: []Organization{{ID: "H26"}}, ID: "1", Attachments: []Attachment{{Name: name}}}
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				if err := Write(io.Discard, d, func(int) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
