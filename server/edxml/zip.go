package edxml

import (
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"regexp"
	"strings"
)

// VNPT's library packs every file but PDF, Word and ZIP into a ZIP of one entry called <uuid>.<ext>, and whatever the packet then
// declares, receivers expect the file. This part answers: is it such a ZIP, and what is in it? It reads the few records itself, for
// archive/zip holds a whole hostile directory in memory. Names in a ZIP are compared, never used.

const (
	localHeader   = "PK\x03\x04"
	centralHeader = "PK\x01\x02"
	endRecord     = "PK\x05\x06"
	localSize     = 30
	centralSize   = 46
	endSize       = 22
	sniffed       = 1024 // bytes that decide whether a content may be wrapped
	flagEncrypted = 1
	methodStored  = 0
	methodDeflate = 8
	bombSize      = 64 << 20 // of all files that grow beyond bombRatio: empty spreadsheets pack well
	bombRatio     = 100
	maxEntryName  = 36 + 1 + maxExtension
	maxExtension  = 16
	maxDescriptor = 24
)

var le = binary.LittleEndian

var uuidName = regexp.MustCompile(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}(\.[0-9A-Za-z]*)?$`)

// looksWrapped says that a content begins as a ZIP whose first entry is called as VNPT's library calls it.
func looksWrapped(head []byte) bool {
	name, ok := firstName(head)
	return ok && uuidName.MatchString(name)
}

func firstName(head []byte) (string, bool) {
	if len(head) < localSize || string(head[:4]) != localHeader {
		return "", false
	}
	n := int(le.Uint16(head[26:]))
	if n > maxEntryName || localSize+n > len(head) {
		return "", false
	}
	return string(head[localSize : localSize+n]), true
}

// entry is the only entry of a ZIP.
type entry struct {
	name         string
	method       uint16
	crc          uint32
	from         int64 // of its packed bytes
	packed, size int64
}

// onlyEntry reads a ZIP that consists of exactly one entry, its directory and nothing else.
func onlyEntry(z *io.SectionReader) (entry, bool) {
	var e entry
	end := make([]byte, endSize)
	if z.Size() < localSize+centralSize+endSize || !readAt(z, end, z.Size()-endSize) || string(end[:4]) != endRecord {
		return e, false
	}
	size, from := int64(le.Uint32(end[12:])), int64(le.Uint32(end[16:]))
	alone := string(end[4:12]) == "\x00\x00\x00\x00\x01\x00\x01\x00" && le.Uint16(end[20:]) == 0
	if !alone || from+size != z.Size()-endSize || size < centralSize || size > centralSize+3<<16 {
		return e, false
	}
	directory, head := make([]byte, size), make([]byte, localSize+maxEntryName)
	if !readAt(z, directory, from) || !readAt(z, head[:min(int64(len(head)), z.Size())], 0) {
		return e, false
	}
	name, ok := firstName(head)
	if !ok || !e.central(directory, name) || le.Uint16(head[6:])&flagEncrypted != 0 || le.Uint16(head[8:]) != e.method {
		return e, false
	}
	e.name = name
	e.from = int64(localSize) + int64(len(name)) + int64(le.Uint16(head[28:]))
	gap := from - e.from - e.packed // a data descriptor may lie between
	return e, gap >= 0 && gap <= maxDescriptor
}

// central reads the one record of the directory, which must speak of the entry called name at the file's beginning.
func (e *entry) central(b []byte, name string) bool {
	n, extra, comment := int(le.Uint16(b[28:])), int(le.Uint16(b[30:])), int(le.Uint16(b[32:]))
	if string(b[:4]) != centralHeader || len(b) != centralSize+n+extra+comment || string(b[centralSize:centralSize+n]) != name {
		return false
	}
	e.method, e.crc = le.Uint16(b[10:]), le.Uint32(b[16:])
	e.packed, e.size = int64(le.Uint32(b[20:])), int64(le.Uint32(b[24:]))
	known := e.method == methodDeflate || e.method == methodStored && e.packed == e.size
	return known && le.Uint16(b[8:])&flagEncrypted == 0 && le.Uint32(b[42:]) == 0
}

func readAt(r io.ReaderAt, b []byte, off int64) bool {
	n, _ := r.ReadAt(b, off)
	return n == len(b)
}

// open gives the unpacked bytes, at most one more than the directory says.
func (e entry) open(z *io.SectionReader) io.Reader {
	var r io.Reader = io.NewSectionReader(z, e.from, e.packed)
	if e.method == methodDeflate {
		r = flate.NewReader(r)
	}
	return io.LimitReader(r, e.size+1)
}

// sound unpacks once into nothing: only what has the size and checksum it promises is a wrapped file. The error is the disk's.
func (e entry) sound(z *io.SectionReader) (bool, error) {
	sum := crc32.NewIEEE()
	n, err := io.Copy(sum, e.open(z))
	if errors.Is(err, ErrAside) {
		return false, err
	}
	return err == nil && n == e.size && sum.Sum32() == e.crc, nil
}

// unwrap gives the file of a content kept aside: out of its ZIP when it is exactly the one that VNPT's library makes for that name.
// Anything else stays as it came.
func (d *reader) unwrap(w *waiting, known Attachment) (content io.Reader, wrapped bool, err error) {
	z := d.spool.open(w.aside)
	e, ok := onlyEntry(z)
	if !ok || !uuidName.MatchString(e.name) || !wraps(e.name, known.Name) {
		return z, false, nil
	}
	if e.size > d.o.MaxFile || !d.believes(e) {
		d.warn(w.path, w.line, sentence{TooLong, fmt.Sprintf("Tệp nén sẽ giãn ra %d byte; giữ nguyên bản nén.", e.size),
			fmt.Sprintf("The packed file would become %d bytes; it is kept packed.", e.size), "Gửi tệp nhỏ hơn / Send a smaller file"})
		return z, false, nil
	}
	if good, err := e.sound(z); err != nil {
		return nil, false, err
	} else if !good {
		d.warn(w.path, w.line, sentence{Malformed, "Tệp nén bị hỏng; giữ nguyên bản nén.", "The packed file is damaged; it is kept packed.", "Nén lại tệp / Pack the file again"})
		return z, false, nil
	}
	if known.ContentType != "application/zip" {
		d.warn(w.path+"/ContentType", w.typeAt, malformed("ContentType", "không ghi application/zip nhưng tệp được nén; phần mềm khác có thể nhận bản nén.",
			"is not application/zip but the file is packed; other software may take the ZIP for it.", "Ghi application/zip / Write application/zip"))
	}
	return e.open(z), true, nil
}

// believes says whether a ZIP may become what its directory says. Beyond bombRatio a packet has bombSize for all its files together, or a
// thousand small ones would be worth what the one large one is not.
func (d *reader) believes(e entry) bool {
	if e.size <= bombRatio*e.packed {
		return true
	}
	if d.swollen+e.size > bombSize {
		return false
	}
	d.swollen += e.size
	return true
}

// wraps says whether an entry of that name wraps a file of this name: the same extension. A .zip in lower case is never wrapped, so what
// is in it is its own.
func wraps(entryName, fileName string) bool {
	have, want := "", extension(fileName)
	if i := strings.IndexByte(entryName, '.'); i >= 0 {
		have = entryName[i+1:]
	}
	return want != "zip" && strings.EqualFold(have, want)
}

// extension is what follows the last dot of a file's name, when it is short and plain; else "".
func extension(name string) string {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return ""
	}
	e := name[i+1:]
	if len(e) > maxExtension {
		return ""
	}
	for _, c := range []byte(e) {
		if c < '0' || c > '9' && c < 'A' || c > 'Z' && c < 'a' || c > 'z' {
			return ""
		}
	}
	return e
}
