package edxml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func seeds(f *testing.F) {
	files, err := filepath.Glob("testdata/*.edxml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, s := range []string{"", "1212<?xml version='1.0'?><a/>", "<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<a b='&#x41;' c=\"d\"><![CDATA[]]]]></a>",
		"<a>]]&gt;\r\n\r</a><!-- x --><?p q?>", attachmentsFirst(packetOf()), packetOf("edXML:", ""), "<edXML><AttachmentEncoded><Attachment><ContentTransferEncoded>-_==</ContentTransferEncoded></Attachment></AttachmentEncoded></edXML>"} {
		f.Add([]byte(s))
	}
}

// FuzzRead: a stranger's bytes never panic, end in an *Unreadable or a packet, and read the same however they are cut; what can be
// written again reads as it was.
func FuzzRead(f *testing.F) {
	seeds(f)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, packet []byte) {
		var files [][]byte
		headers := 0
		p, err := Read(bytes.NewReader(packet), Reading{TempDir: dir, Header: func(*Packet) error { headers++; return nil },
			Attachment: func(_ int, _ Attachment, r io.Reader) error {
				if headers != 1 {
					t.Error("a file came before the header")
				}
				b, err := io.ReadAll(r)
				files = append(files, b)
				return err
			}})
		if err != nil && !errors.As(err, new(*Unreadable)) {
			t.Fatalf("refused with %T: %v", err, err)
		}
		again, err2 := Read(iotest.HalfReader(bytes.NewReader(packet)), Reading{})
		if (err == nil) != (err2 == nil) || len(again.Problems) != len(p.Problems) {
			t.Fatalf("read at once: %v %v; in pieces: %v %v", err, p.Problems, err2, again.Problems)
		}
		if err == nil && p.Document != nil && len(p.Errors()) == 0 && len(files) == len(p.Document.Attachments) {
			rewrite(t, *p.Document, files)
		}
	})
}

// rewrite writes what was read and reads it again.
func rewrite(t *testing.T, d Document, files [][]byte) {
	var b bytes.Buffer
	if err := Write(&b, d, func(i int) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files[i])), nil }); err != nil {
		t.Fatalf("cannot be written again: %v", err)
	}
	p, err := Read(&b, Reading{})
	if err != nil || len(p.Errors()) > 0 {
		t.Fatalf("cannot be read again: %v %+v", err, p.Errors())
	}
	if p.Kind != d.Kind() || p.Document.ID != d.ID || len(p.Document.To) != len(d.To) || p.Document.Subject != d.Subject || p.Document.From != d.From {
		t.Fatalf("reads again as %+v, was %+v", p.Document, d)
	}
}

// FuzzScanner: what our scanner takes for well-formed, Go's does too, with the same elements and texts.
func FuzzScanner(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, document []byte) {
		ours, err := scanned(document)
		if err != nil || !bytes.HasPrefix(document, []byte("<")) { // Go's does not take off a byte order mark
			return
		}
		theirs, err := decoded(document)
		if err != nil {
			if strings.Contains(err.Error(), "version") || strings.Contains(err.Error(), "encoding") || strings.Contains(err.Error(), "invalid XML name") || strings.Contains(err.Error(), "expected ") {
				return // it knows no 1.1, no "utf8", and letters of the names of 1998 only
			}
			t.Fatalf("encoding/xml refuses: %v", err)
		}
		if ours != theirs {
			t.Fatalf("we read\n%s\nencoding/xml reads\n%s", ours, theirs)
		}
	})
}

func scanned(document []byte) (string, error) {
	s := newScanner(bytes.NewReader(document))
	var b strings.Builder
	for {
		tok, err := s.next()
		switch {
		case err != nil:
			return "", err
		case tok == tokenEOF:
			return b.String(), nil
		case tok == tokenStart:
			b.WriteString("<" + s.top().local + ">")
		case tok == tokenEnd:
			b.WriteString("</" + s.closed.local + ">")
		case tok == tokenText:
			b.Write(s.text)
		}
	}
}

func decoded(document []byte) (string, error) {
	x := xml.NewDecoder(bytes.NewReader(document))
	var b strings.Builder
	depth := 0
	for {
		tok, err := x.Token()
		if err == io.EOF {
			return b.String(), nil
		}
		if err != nil {
			return "", err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			depth++
			b.WriteString("<" + tok.Name.Local + ">")
		case xml.EndElement:
			depth--
			b.WriteString("</" + tok.Name.Local + ">")
		case xml.CharData:
			if depth > 0 {
				b.Write(tok)
			}
		}
	}
}

// FuzzUnwrap: no ZIP makes the reader panic, run away or hand out anything but its one entry or itself.
func FuzzUnwrap(f *testing.F) {
	f.Add([]byte(zipped(f, 8, entryUUID+".txt", "nội dung")))
	f.Add([]byte(zipped(f, 0, entryUUID+".txt", "nội dung")))
	f.Add([]byte(zipped(f, 8, entryUUID+".txt", "a", "b", "c")))
	f.Fuzz(func(t *testing.T, content []byte) {
		w := readAll(t, []byte(withFile("a.txt", "application/zip", string(content))))
		if a := w.Document.Attachments[0]; !a.Wrapped && w.Files[0] != string(content) {
			t.Fatalf("kept as it came, but changed: %q", w.Files[0])
		}
	})
}
