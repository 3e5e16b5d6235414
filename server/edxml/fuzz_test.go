package edxml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
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
	for _, s := range oddForms(f) {
		f.Add([]byte(s))
	}
	for _, s := range []string{"", "1212<?xml version='1.0'?><a/>", "<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<a b='&#x41;' c=\"d\"><![CDATA[]]]]></a>",
		"<a>]]&gt;\r\n\r</a><!-- x --><?p q?>", attachmentsFirst(packetOf()), packetOf("edXML:", ""), "<edXML><AttachmentEncoded><Attachment><ContentTransferEncoded>-_==</ContentTransferEncoded></Attachment></AttachmentEncoded></edXML>"} {
		f.Add([]byte(s))
	}
}

// oddForms are packets in the shapes that the golden ones do not have, so that fuzzing begins from each.
func oddForms(t testing.TB) []string {
	status := strings.NewReplacer("<edXML:To><edXML:OrganId>H26</edXML:OrganId></edXML:To>", "<ResponseFor><OrganId>H26</OrganId><DocumentId>1</DocumentId></ResponseFor>",
		"<edXML:DocumentId>H29.12-2026-000001</edXML:DocumentId>", "<StatusCode>3</StatusCode>")
	business := "<TraceHeaderList><Paper>1</Paper><Business><BusinessDocType>2</BusinessDocType><BussinessDocumentInfo><DocumentInfo>1</DocumentInfo><ReceiverList><Receiver><OrganId>H26</OrganId><ReceiverType>0</ReceiverType></Receiver></ReceiverList></BussinessDocumentInfo><ReplacementInfoList><ReplacementInfo><DocumentId>1</DocumentId><OrganIdList><OrganId>H26</OrganId></OrganIdList></ReplacementInfo></ReplacementInfoList></Business><TraceHeader><OrganId>null</OrganId><Timestamp>2026-11-09T16:05:07Z</Timestamp></TraceHeader></TraceHeaderList></edXML:edXMLHeader>"
	wrapped := zipped(t, 8, entryUUID+".xls", "nội dung")
	return []string{
		"\xef\xbb\xbf" + packetOf(), "\xff\xfe<\x00", "\x00<\x00?", strings.ReplaceAll(packetOf(), "\n", "\r\n"), strings.ReplaceAll(packetOf(), "\n", "\r"),
		status.Replace(packetOf()), status.Replace(packetOf("edXML:MessageHeader", "edXML:Status")), packetOf("</edXML:edXMLHeader>", business),
		packetOf("2026/11/20", "30/02/2026"), packetOf("<edXML:Priority>0", "<edXML:Priority>4"), packetOf("Về việc", "<![CDATA[V]]&gt;]]>&#x1EC1;<!-- x --><?p q?>"),
		packetOf(` xmlns:edXML="`+namespace+`"`, ""), packetOf("edXML:", "ns0:"), packetOf(`<edXML:edXMLManifest version="1.0" />`, `<edXMLManifest><Reference xlink:href="cid:cid:1" xlink:type="simple"/></edXMLManifest>`),
		withFile("a.xls", "text/plain", wrapped), attachmentsFirst(withFile("a.xls", "application/zip", wrapped)), withFile("a.ZIP", "application/zip", zipped(t, 8, entryUUID+".ZIP", strings.Repeat("0", 100_000))),
		packetOf("</edXML:Subject>", "</edXML:Subject>"+strings.Repeat("<a>", 61)+strings.Repeat("</a>", 61)), packetOf("<edXML:To>", "<To/><To><OrganName>x</OrganName></To><edXML:To>"),
		packetOf("<ContentId>", "<SecurityLevel>1</SecurityLevel><Attachment/><ContentId>"), packetOf("JVBERi0xLjQKdGVzdAo=", " JVBE\r\n*-_==x"),
		packetOf("<edXML:From>", "<"+strings.Repeat("a", 255)+"/><edXML:From>", "</edXML:From>", "</edXML:From><From><OrganId>G22</OrganId></From>"),
	}
}

// FuzzRead: a stranger's bytes never panic, end in an *Unreadable or a packet, and read the same however they are cut and whatever the
// caller does with the files; little is held of few bytes, and little comes out; what can be written again reads as it was.
func FuzzRead(f *testing.F) {
	seeds(f)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, packet []byte) {
		var files [][]byte
		headers, out := 0, 0
		p, err := Read(bytes.NewReader(packet), Reading{TempDir: dir, MaxFile: 4 << 20, Header: func(*Packet) error { headers++; return nil },
			Attachment: func(i int, a Attachment, r io.Reader) error {
				if headers != 1 || i != len(files) {
					t.Errorf("file %d came as number %d, after %d headers", i, len(files), headers)
				}
				if name := a.FileName(); name == "" || strings.ContainsAny(name, "/\\\x00") {
					t.Errorf("file %d is called %q", i, name)
				}
				b, err := io.ReadAll(r)
				files, out = append(files, b), out+len(b)
				return err
			}})
		if err != nil && !errors.As(err, new(*Unreadable)) {
			t.Fatalf("refused with %T: %v", err, err)
		}
		if over := amplified(p, len(packet)); over > 0 {
			t.Fatalf("%d bytes hold %d more than they may", len(packet), over)
		}
		if out > bombSize+bombRatio*len(packet) {
			t.Fatalf("%d bytes of files come out of %d", out, len(packet))
		}
		if p.Kind == "" || err == nil && p.Document == nil && p.Status == nil && len(p.Errors()) == 0 {
			t.Fatalf("read as nothing: %+v", p)
		}
		left := 0
		again, err2 := Read(iotest.HalfReader(bytes.NewReader(packet)), Reading{TempDir: dir, MaxFile: 4 << 20, Attachment: func(i int, _ Attachment, r io.Reader) error {
			left++
			_, err := io.CopyN(io.Discard, r, int64(i)) // the rest is left unread
			if err == io.EOF {
				err = nil
			}
			return err
		}})
		if (err == nil) != (err2 == nil) || !reflect.DeepEqual(again.Problems, p.Problems) || err == nil && !reflect.DeepEqual(again.Document, p.Document) || left != len(files) {
			t.Fatalf("read at once, whole: %v %+v; in pieces, in part: %v %+v", err, p, err2, again)
		}
		if stop := errors.New("stop"); left > 0 {
			if _, err := Read(bytes.NewReader(packet), Reading{TempDir: dir, MaxFile: 4 << 20, Attachment: func(int, Attachment, io.Reader) error { return stop }}); err != stop && !errors.As(err, new(*Unreadable)) {
				t.Fatalf("the caller's error comes back as %v", err)
			}
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
