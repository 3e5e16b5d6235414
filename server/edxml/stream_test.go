package edxml

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
)

// attachmentsFirst moves AttachmentEncoded before the envelope: any order is legal.
func attachmentsFirst(packet string) string {
	from, to := strings.Index(packet, "  <AttachmentEncoded>"), strings.Index(packet, "</AttachmentEncoded>\n")+len("</AttachmentEncoded>\n")
	envelope := strings.Index(packet, "  <edXML:edXMLEnvelope")
	return packet[:envelope] + packet[from:to] + packet[envelope:from] + packet[to:]
}

// TestHeaderFirst: whatever the order in the packet, the header is told, whole, before any file is handed out.
func TestHeaderFirst(t *testing.T) {
	t.Parallel()
	within := strings.NewReplacer("  </edXML:edXMLEnvelope>\n", "", "</AttachmentEncoded>", "</AttachmentEncoded></edXML:edXMLEnvelope>").Replace(packetOf())
	for name, packet := range map[string]string{"usual": packetOf(), "attachments first": attachmentsFirst(packetOf()), "attachments in the envelope": within} {
		var told []string
		p, err := Read(strings.NewReader(packet), Reading{
			Header: func(p *Packet) error {
				told = append(told, fmt.Sprintf("header of %s to %s, %s", p.Document.ID, p.Document.To[0].ID, p.Kind))
				return nil
			},
			Attachment: func(i int, a Attachment, content io.Reader) error {
				b, err := io.ReadAll(content)
				told = append(told, fmt.Sprintf("file %d %s %q", i, a.Name, b))
				return err
			},
		})
		want := fmt.Sprintf("[header of H29.12-2026-000001 to H26, new file 0 a.pdf %q]", samplePDF)
		if err != nil || fmt.Sprint(told) != want || len(p.Problems) > 0 || len(p.Document.Attachments) != 1 {
			t.Errorf("%s: %v\ntold %v\nwant %v\n%+v", name, err, told, want, p.Problems)
		}
	}
}

// TestHeaderStops: what Header refuses is never handed out, and its error comes back as it is.
func TestHeaderStops(t *testing.T) {
	t.Parallel()
	secret := errors.New("secret")
	for _, packet := range []string{packetOf(), attachmentsFirst(packetOf())} {
		p, err := Read(strings.NewReader(packet), Reading{
			Header:     func(*Packet) error { return secret },
			Attachment: func(int, Attachment, io.Reader) error { t.Error("a file was handed out"); return nil },
		})
		if err != secret || p.Document.From.ID != "H29.12" {
			t.Errorf("%v, %+v", err, p)
		}
	}
}

// TestAttachmentStops: a caller's error ends the reading and comes back as it is.
func TestAttachmentStops(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	for _, packet := range []string{packetOf(), attachmentsFirst(packetOf()), withFile("a.txt", "application/zip", zipped(t, zip.Deflate, entryUUID+".txt", "x"))} {
		if _, err := Read(strings.NewReader(packet), Reading{Attachment: func(int, Attachment, io.Reader) error { return full }}); err != full {
			t.Errorf("%v, want the caller's error", err)
		}
	}
}

// TestLeftUnread: what the caller leaves is skipped, and size and hash are of the whole file all the same.
func TestLeftUnread(t *testing.T) {
	t.Parallel()
	whole := readAll(t, []byte(packetOf())).Document.Attachments[0]
	p, err := Read(strings.NewReader(packetOf()), Reading{Attachment: func(_ int, _ Attachment, r io.Reader) error {
		_, err := r.Read(make([]byte, 3))
		return err
	}})
	if err != nil || p.Document.Attachments[0] != whole {
		t.Errorf("%v: %+v, want %+v", err, p.Document.Attachments, whole)
	}
}

// TestJoin: a file finds its manifest line by content id whatever its "cid:"s, else by name, else by order.
func TestJoin(t *testing.T) {
	t.Parallel()
	manifest := `<edXML:edXMLManifest version="1.0"><Reference><ContentId>cid:cid:1</ContentId><AttachmentName>một.pdf</AttachmentName></Reference><Reference xlink:href="CID:2"><AttachmentName>hai.pdf</AttachmentName><Description>thứ hai</Description></Reference></edXML:edXMLManifest>`
	file := func(fields string) string {
		return "<Attachment>" + fields + "<ContentTransferEncoded>JVBERi0xLjQK</ContentTransferEncoded></Attachment>"
	}
	for name, c := range map[string]struct{ files, want string }{
		"by id":    {file("<ContentId>2</ContentId>") + file("<ContentId>cid:1</ContentId>"), "hai.pdf thứ hai|một.pdf |"},
		"by name":  {file("<AttachmentName>hai.pdf</AttachmentName>") + file("<ContentId>khác</ContentId><AttachmentName>một.pdf</AttachmentName>"), "hai.pdf thứ hai|một.pdf |"},
		"by order": {file("") + file("<ContentId>khác</ContentId>"), "một.pdf |hai.pdf thứ hai|"},
	} {
		packet := packetOf(`<edXML:edXMLManifest version="1.0" />`, manifest)
		from, to := strings.Index(packet, "<Attachment>"), strings.Index(packet, "</Attachment>")+len("</Attachment>")
		packet = packet[:from] + c.files + packet[to:]
		for _, packet := range []string{packet, attachmentsFirst(packet)} {
			var handed, noted string
			p, err := Read(strings.NewReader(packet), Reading{Attachment: func(_ int, a Attachment, _ io.Reader) error {
				handed += a.Name + " " + a.Description + "|"
				return nil
			}})
			for _, a := range p.Document.Attachments {
				noted += a.Name + " " + a.Description + "|"
			}
			if err != nil || noted != c.want || handed != c.want || len(p.Warnings()) > 0 {
				t.Errorf("%s: %v: handed %q, noted %q, want %q; %+v", name, err, handed, noted, c.want, p.Problems)
			}
		}
	}
}

// TestNothingLeftBehind: what was kept aside in a file is gone from the folder even while it is read.
func TestNothingLeftBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	content := strings.Repeat("dữ liệu ", 1<<18)
	packet := attachmentsFirst(withFile("a.txt", "text/plain", content))
	var got string
	_, err := Read(strings.NewReader(packet), Reading{TempDir: dir, Attachment: func(_ int, _ Attachment, r io.Reader) error {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("the folder holds %v (%v)", left, err)
		}
		b, err := io.ReadAll(r)
		got = string(b)
		return err
	}})
	if err != nil || got != content {
		t.Errorf("%v: %d bytes of %d", err, len(got), len(content))
	}
	if _, err := Read(strings.NewReader(packet), Reading{TempDir: dir + "/none"}); err == nil || errors.As(err, new(*Unreadable)) {
		t.Errorf("without a folder: %v, want an error that is not the packet's", err)
	}
}

// TestSpool: contents come back as they went in, over the edge between memory and file, and room is used again.
func TestSpool(t *testing.T) {
	t.Parallel()
	s := spool{dir: t.TempDir()}
	defer s.Close()
	check := func(c section, want []byte) {
		t.Helper()
		if got, err := io.ReadAll(s.open(c)); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v: %d bytes come back of %d", err, len(got), len(want))
		}
	}
	keep := func(b []byte) section {
		t.Helper()
		c, err := s.keep(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		check(c, b)
		return c
	}
	first := bytes.Repeat([]byte("một"), 100_000)
	kept := keep(first)
	for _, size := range []int{0, 1, spoolMemory - len(first), spoolMemory - len(first) + 1, 3 * spoolMemory, 10} {
		s.release(keep(bytes.Repeat([]byte{byte(size)}, size)))
		check(kept, first)
	}
}

// generated is a packet of about size bytes whose file is made while it is read, so that the test holds none of it.
func generated(size int, first bool) io.Reader {
	piece := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("%PDF-1.4 nội dung"), 3*19)) + "\r\n"
	head, tail, _ := strings.Cut(packetOf(), "JVBERi0xLjQKdGVzdAo=")
	if first {
		head, tail, _ = strings.Cut(attachmentsFirst(packetOf()), "JVBERi0xLjQKdGVzdAo=")
	}
	return io.MultiReader(strings.NewReader(head), io.LimitReader(&repeated{text: piece}, int64(size/len(piece)*len(piece))), strings.NewReader(tail))
}

type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(b []byte) (int, error) {
	n := copy(b, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}

// heapPeak runs f and gives the most memory that was in use meanwhile beyond what was before, looked at at each call of look.
func heapPeak(f func(look func())) uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before := m.HeapInuse
	var peak atomic.Uint64
	look := func() {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak.Store(max(peak.Load(), m.HeapInuse))
	}
	f(look)
	look()
	return peak.Load() - min(before, peak.Load())
}

// skipUnderRace leaves out what measures memory: the race detector's own counts with it, and takes long.
func skipUnderRace(t *testing.T) {
	if underRace {
		t.Skip("measured without the race detector")
	}
}

// TestMemory: a packet of 100 MB takes at most 32 MB, whether its file can be handed out as it comes or must wait. Not parallel, as it
// looks at the whole heap.
func TestMemory(t *testing.T) {
	skipUnderRace(t)
	const packetSize = 100 << 20
	checkMemory(t, map[string]io.Reader{"file as it comes": generated(packetSize, false), "file that waits": generated(packetSize, true)})
}

// TestHostileMemory: no header holds more than that, however it is made. The collector runs often here, to see what is held and not
// what waits to be collected.
func TestHostileMemory(t *testing.T) {
	skipUnderRace(t)
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	after := func(place, more string) io.Reader { return strings.NewReader(packetOf(place, place+more)) }
	const million = 1 << 20
	checkMemory(t, map[string]io.Reader{
		"empty recipients":       after("</edXML:To>", strings.Repeat("<To/>", million)),
		"recipients":             after("</edXML:To>", strings.Repeat("<To><OrganId>H26.1</OrganId><OrganName>Ủy ban nhân dân xã Thử Nghiệm</OrganName></To>", million/16)),
		"places":                 after("</edXML:Subject>", "<ToPlaces>"+strings.Repeat("<Place>x</Place>", million)+"</ToPlaces>"),
		"unknown":                after("</edXML:Subject>", strings.Repeat("<x>y</x>", million)),
		"unknown and large":      after("</edXML:Subject>", "<x>"+strings.Repeat("y", 16*million)+"</x>"),
		"references":             after("<edXML:edXMLBody>", "<edXMLManifest>"+strings.Repeat("<Reference/>", million)+"</edXMLManifest>"),
		"staff of the business":  after("<edXML:edXMLHeader>", "<TraceHeaderList><Bussiness>"+strings.Repeat("<StaffInfo><Staff>x</Staff></StaffInfo>", million/4)+"</Bussiness></TraceHeaderList>"),
		"references to a leaf":   after("<edXML:OtherInfo>", "<ReferenceCodes>"+strings.Repeat("<x>y</x>", million)+"</ReferenceCodes>"),
		"a comment":              after("<edXML:Subject>", "<!--"+strings.Repeat("y", 16*million)+"-->"),
		"a long Subject":         after("<edXML:Subject>", strings.Repeat("y", 15*million)),
		"names never seen twice": after("</edXML:Subject>", manyNames(million/8)),
	})
}

func checkMemory(t *testing.T, packets map[string]io.Reader) {
	t.Helper()
	const limit = 32 << 20
	for name, packet := range packets {
		peak := heapPeak(func(look func()) {
			calls := 0
			_, err := Read(readerFunc(func(b []byte) (int, error) {
				if calls++; calls%64 == 0 {
					look()
				}
				return packet.Read(b)
			}), Reading{TempDir: t.TempDir(), Attachment: func(_ int, _ Attachment, r io.Reader) error {
				_, err := io.Copy(io.Discard, r)
				return err
			}})
			if err != nil && !errors.As(err, new(*Unreadable)) {
				t.Errorf("%s: %v", name, err)
			}
		})
		t.Logf("%s: %.1f MB", name, float64(peak)/(1<<20))
		if peak > limit {
			t.Errorf("%s: %d bytes of heap at its peak", name, peak)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<a%d b='c'/>", i)
	}
	return b.String()
}

// TestWriteMemory: the writer streams too.
func TestWriteMemory(t *testing.T) {
	skipUnderRace(t)
	d := Document{From: Organization{ID: "H29"}, To: []Organization{{ID: "H26"}}, ID: "1", Attachments: []Attachment{{Name: "a.pdf"}, {Name: "a.jpg"}}}
	peak := heapPeak(func(look func()) {
		err := Write(io.Discard, d, func(i int) (io.ReadCloser, error) {
			calls := 0
			return io.NopCloser(io.LimitReader(readerFunc(func(b []byte) (int, error) {
				if calls++; calls%64 == 0 {
					look()
				}
				return len(b), nil
			}), 32<<20)), nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	if peak > 16<<20 {
		t.Errorf("%d bytes of heap at its peak", peak)
	}
}
