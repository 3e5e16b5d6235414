package edxml

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/base64"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"
)

const entryUUID = "0b9f3c1e-58f4-4d0a-9a44-1f0a0c9f2d11"

// zipped is a ZIP of the entries given as name, content, name, content ….
func zipped(t testing.TB, method uint16, entries ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: entries[i], Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, entries[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// withFile is a packet with one file of that name, type and content.
func withFile(name, contentType, content string) string {
	return packetOf("a.pdf", name, "application/pdf", contentType, "JVBERi0xLjQKdGVzdAo=", base64.StdEncoding.EncodeToString([]byte(content)))
}

// TestUnwrap: a file is taken out of its ZIP by what the ZIP is, never by what the packet declares; everything else stays as it came.
func TestUnwrap(t *testing.T) {
	t.Parallel()
	wrapped := func(name string) string { return zipped(t, zip.Deflate, name, "nội dung") }
	damage := func(z, old, new string) string { return strings.Replace(z, old, new, 1) }
	big := strings.Repeat("0", 3<<20)
	for _, c := range []struct {
		name, file, content, want string
		warned                    bool
	}{
		{"wrapped doc", "a.doc", wrapped(entryUUID + ".doc"), "nội dung", false},
		{"wrapped doc, upper case", "a.DOC", wrapped(strings.ToUpper(entryUUID) + ".doc"), "nội dung", false},
		{"wrapped pdf", "a.pdf", wrapped(entryUUID + ".pdf"), "nội dung", false},
		{"wrapped xlsx", "a.b.xlsx", wrapped(entryUUID + ".xlsx"), "nội dung", false},
		{"wrapped without extension", "readme", wrapped(entryUUID), "nội dung", false},
		{"stored, not packed", "a.txt", zipped(t, zip.Store, entryUUID+".txt", "nội dung"), "nội dung", false},
		{"wrapped ZIP in upper case", "a.ZIP", wrapped(entryUUID + ".ZIP"), "nội dung", false},
		{"nothing in it", "a.txt", zipped(t, zip.Deflate, entryUUID+".txt", ""), "", true},
		{"over a MiB", "a.txt", zipped(t, zip.Deflate, entryUUID+".txt", big), big, false},
		{"zip of one entry", "a.zip", wrapped(entryUUID + ".zip"), "", false},
		{"other extension", "a.doc", wrapped(entryUUID + ".pdf"), "", false},
		{"entry not called by a uuid", "a.doc", wrapped("a.doc"), "", false},
		{"uuid and more", "a.doc", wrapped(entryUUID + "-1.doc"), "", false},
		{"path as a name", "a.doc", wrapped("../" + entryUUID + ".doc"), "", false},
		{"path behind the uuid", "a.doc", wrapped(entryUUID + ".doc/../x.doc"), "", false},
		{"two entries", "a.doc", zipped(t, zip.Deflate, entryUUID+".doc", "một", entryUUID+".doc", "hai"), "", false},
		{"folder beside it", "a.doc", zipped(t, zip.Deflate, entryUUID+".doc", "một", "d/", ""), "", false},
		{"real docx", "a.docx", zipped(t, zip.Deflate, "[Content_Types].xml", "<a/>", "word/document.xml", "<b/>"), "", false},
		{"other name in the directory", "a.doc", damage(wrapped(entryUUID+".doc"), entryUUID, "1b9f3c1e-58f4-4d0a-9a44-1f0a0c9f2d11"), "", false},
		{"wrong checksum", "a.doc", wrongSum(wrapped(entryUUID+".doc"), "nội dung"), "", true},
		{"broken stream", "a.doc", damage(wrapped(entryUUID+".doc"), entryUUID+".doc", entryUUID+".doc\xff"), "", false},
		{"bytes after it", "a.doc", wrapped(entryUUID+".doc") + "x", "", false},
		{"bytes before it", "a.doc", "x" + wrapped(entryUUID+".doc"), "", false},
		{"half of it", "a.doc", wrapped(entryUUID + ".doc")[:100], "", false},
		{"only a beginning", "a.doc", "PK\x03\x04", "", false},
		{"too large", "a.txt", zipped(t, zip.Deflate, entryUUID+".txt", strings.Repeat("x", maxFileInTest+1)), "", true},
		{"as large as may be", "a.txt", zipped(t, zip.Store, entryUUID+".txt", big+big[:1<<20]), big + big[:1<<20], false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.want == "" && !strings.HasPrefix(c.name, "nothing") {
				c.want = c.content // kept as it came
			}
			var got string
			p, err := Read(strings.NewReader(withFile(c.file, "application/zip", c.content)), Reading{MaxFile: maxFileInTest, Attachment: func(_ int, _ Attachment, r io.Reader) error {
				b, err := io.ReadAll(r)
				got = string(b)
				return err
			}})
			if err != nil || got != c.want {
				t.Fatalf("%v: reads %d bytes %.60q, want %d %.60q", err, len(got), got, len(c.want), c.want)
			}
			if a := p.Document.Attachments[0]; a.Size != int64(len(c.want)) || a.Wrapped != (c.want != c.content) {
				t.Errorf("noted %+v", a)
			}
			if (len(p.Problems) > 0) != c.warned {
				t.Errorf("problems: %+v", p.Problems)
			}
		})
	}
}

const maxFileInTest = 4 << 20

// wrongSum changes the checksum of content wherever it stands.
func wrongSum(z, content string) string {
	sum := le.AppendUint32(nil, crc32.ChecksumIEEE([]byte(content)))
	return strings.ReplaceAll(z, string(sum), "\x00\x00\x00\x00")
}

// TestUnwrapWhateverIsDeclared: a false type does not hide the ZIP, and is told.
func TestUnwrapWhateverIsDeclared(t *testing.T) {
	t.Parallel()
	for _, declared := range []string{"text/plain", "application/pdf", "application/x-zip", ""} {
		w := readAll(t, []byte(withFile("a.xls", declared, zipped(t, zip.Deflate, entryUUID+".xls", "x"))))
		if w.Files[0] != "x" || len(w.Problems) != 1 {
			t.Errorf("declared %q: %q, %+v", declared, w.Files[0], w.Problems)
		}
	}
}

// TestBomb: a ZIP that would become a hundred times its size, and much, stays packed; one that lies about its size is not followed.
func TestBomb(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	good := zipped(t, zip.Deflate, entryUUID+".txt", strings.Repeat("\x00", size))
	saying := func(n uint32) string {
		return strings.ReplaceAll(good, string(le.AppendUint32(nil, size)), string(le.AppendUint32(nil, n)))
	}
	for name, c := range map[string]struct {
		content string
		kind    Defect
	}{
		"says that it is a bomb": {saying(bombSize + 1), TooLong}, "larger than it says": {saying(100), Malformed}, "smaller than it says": {saying(size + 1), Malformed},
	} {
		w := readAll(t, []byte(withFile("a.txt", "application/zip", c.content)))
		if w.Files[0] != c.content || len(w.Warnings()) != 1 || w.Warnings()[0].Kind != c.kind {
			t.Errorf("%s: %d bytes come out, %+v", name, len(w.Files[0]), w.Problems)
		}
	}
}

// TestManyBombs: a thousand files that each grow a thousandfold have together what one of them may have; files that pack as files do are
// all taken out.
func TestManyBombs(t *testing.T) {
	t.Parallel()
	const size, count = 4 << 20, 40
	file := func(content string) string {
		packet := withFile("a.txt", "application/zip", zipped(t, zip.Deflate, entryUUID+".txt", content))
		return packet[strings.Index(packet, "<Attachment>") : strings.Index(packet, "</Attachment>")+len("</Attachment>")]
	}
	for content, want := range map[string]int{strings.Repeat("\x00", size): bombSize / size, strings.Repeat("0123456789abcdef", 8) + strings.Repeat("x", 512): count} {
		one := file(content)
		packet := strings.Replace(packetOf(), packetOf()[strings.Index(packetOf(), "<Attachment>"):strings.Index(packetOf(), "</Attachment>")+len("</Attachment>")], strings.Repeat(one, count), 1)
		p, err := Read(strings.NewReader(packet), Reading{})
		if err != nil || len(p.Document.Attachments) != count {
			t.Fatal(err, len(p.Document.Attachments))
		}
		unwrapped := 0
		for _, a := range p.Document.Attachments {
			if a.Wrapped {
				unwrapped++
			}
		}
		if unwrapped != want || len(p.Warnings()) != count-want {
			t.Errorf("of %d files of %d bytes %d are taken out, want %d; %d warnings", count, len(content), unwrapped, want, len(p.Warnings()))
		}
	}
}

// TestHostileDirectory: a ZIP whose directory would fill the memory of archive/zip costs none.
func TestHostileDirectory(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(zipped(t, zip.Store, entryUUID+".txt", "x")[:localSize+len(entryUUID)+4])
	from := b.Len()
	for range 65537 {
		b.WriteString(centralHeader + strings.Repeat("\x00", centralSize-4))
	}
	end := []byte(endRecord + "\x00\x00\x00\x00\x01\x00\x01\x00")
	end = le.AppendUint32(le.AppendUint32(end, uint32(b.Len()-from)), uint32(from))
	b.Write(append(end, 0, 0))
	packet := withFile("a.txt", "application/zip", b.String())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p, err := Read(strings.NewReader(packet), Reading{})
	runtime.ReadMemStats(&after)
	if err != nil || p.Document.Attachments[0].Wrapped {
		t.Fatalf("%v %+v", err, p.Document)
	}
	if cost := after.TotalAlloc - before.TotalAlloc; cost > 8<<20 { // archive/zip takes 20 MB
		t.Errorf("reading it took %d bytes", cost)
	}
}

// TestEntryAsLibrary: the ZIP that we write has the shape of VNPT's: flags 0x0808, DEFLATE, one entry, <uuid>.<ext> in lower case.
func TestEntryAsLibrary(t *testing.T) {
	t.Parallel()
	d := Document{From: Organization{ID: "H29"}, To: []Organization{{ID: "H26"}}, ID: "1", Attachments: []Attachment{{Name: "Bảng KÊ.XLS"}}}
	packet := string(write(t, d, [][]byte{[]byte("a;b")}))
	_, rest, _ := strings.Cut(packet, `<edXML:ContentTransferEncoded xmlns:edXML="`+namespace+`">`)
	encoded, _, _ := strings.Cut(rest, "<")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	name, _ := firstName(raw)
	if le.Uint16(raw[6:]) != 0x0808 || le.Uint16(raw[8:]) != methodDeflate || !uuidName.MatchString(name) || !strings.HasSuffix(name, ".xls") {
		t.Errorf("entry %q, flags %04x, method %d", name, le.Uint16(raw[6:]), le.Uint16(raw[8:]))
	}
	content, err := io.ReadAll(flate.NewReader(bytes.NewReader(raw[localSize+len(name):])))
	if err != nil || string(content) != "a;b" {
		t.Errorf("%v: %q", err, content)
	}
	if !strings.Contains(packet, "<AttachmentName>Bảng KÊ.xls</AttachmentName>") || !strings.Contains(packet, "<ContentType>application/zip</ContentType>") {
		t.Error(packet)
	}
}
