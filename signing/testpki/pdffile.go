package testpki

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sort"
	"strconv"
)

// pdfFile is just enough of a PDF to append to it: it reads what this package writes (and most of what others do), and is
// no judge of anything. The judging reader is in signing and shares no code with this one.
type pdfFile struct {
	buf       []byte
	startxref int
	size      int
	root      int
	info      int
	offsets   map[int]int    // object number -> offset
	packed    map[int][2]int // object number -> object stream, index in it
	stream    bool           // the last section is a cross-reference stream, so must be the next
}

var (
	reSize   = regexp.MustCompile(`/Size (\d+)`)
	reRoot   = regexp.MustCompile(`/Root (\d+) 0 R`)
	reInfo   = regexp.MustCompile(`/Info (\d+) 0 R`)
	rePrev   = regexp.MustCompile(`/Prev (\d+)`)
	reFirst  = regexp.MustCompile(`/First (\d+)`)
	reLength = regexp.MustCompile(`/Length (\d+)`)
	reCount  = regexp.MustCompile(`/N (\d+)`)
)

func open(buf []byte) (*pdfFile, error) {
	at := bytes.LastIndex(buf, []byte("startxref"))
	if at < 0 {
		return nil, errors.New("read PDF: no startxref")
	}
	f := &pdfFile{buf: buf, startxref: number(buf[at+len("startxref"):]), offsets: map[int]int{}, packed: map[int][2]int{}}
	for next, hops := f.startxref, 0; next > 0 && next < len(buf) && hops < 100; hops++ {
		var err error
		if next, err = f.section(next, hops == 0); err != nil {
			return nil, err
		}
	}
	if f.root == 0 {
		return nil, errors.New("read PDF: no catalog")
	}
	return f, nil
}

// section reads one cross-reference section, newest first, and gives the offset of the one before.
func (f *pdfFile) section(at int, first bool) (prev int, err error) {
	var trailer []byte
	if bytes.HasPrefix(f.buf[at:], []byte("xref")) {
		end := bytes.Index(f.buf[at:], []byte("trailer"))
		if end < 0 {
			return 0, errors.New("read PDF: no trailer")
		}
		f.classic(f.buf[at+4 : at+end])
		trailer = f.buf[at+end:]
		trailer = trailer[:max(0, bytes.Index(trailer, []byte("startxref")))]
	} else {
		end := bytes.Index(f.buf[at:], []byte("stream"))
		if end < 0 {
			return 0, errors.New("read PDF: no cross-reference stream")
		}
		trailer = f.buf[at : at+end]
		f.compressed(trailer, inflate(trailer, f.buf[at+end+len("stream\n"):]))
		f.stream = f.stream || first
	}
	if first {
		f.root, f.info = match(reRoot, trailer), match(reInfo, trailer)
	}
	f.size = max(f.size, match(reSize, trailer)) // of the newest, unless that counts itself only
	return match(rePrev, trailer), nil
}

func (f *pdfFile) classic(table []byte) {
	fields := bytes.Fields(table)
	for i := 0; i+1 < len(fields); {
		first, n := number(fields[i]), number(fields[i+1])
		i += 2
		for k := 0; k < n && i+2 < len(fields); k, i = k+1, i+3 {
			if string(fields[i+2]) == "n" {
				f.note(first+k, number(fields[i]))
			}
		}
	}
}

// compressed reads the entries that table writes: /W [1 4 2], /Index given, no filter.
func (f *pdfFile) compressed(dict, data []byte) {
	open, close := bytes.Index(dict, []byte("/Index [")), -1
	if open >= 0 {
		close = bytes.IndexByte(dict[open:], ']')
	}
	if close < 0 {
		return
	}
	index := bytes.Fields(dict[open+len("/Index [") : open+close])
	for i := 0; i+1 < len(index); i += 2 {
		first, n := number(index[i]), number(index[i+1])
		for k := 0; k < n && len(data) >= 7; k, data = k+1, data[7:] {
			at := int(data[1])<<24 | int(data[2])<<16 | int(data[3])<<8 | int(data[4])
			switch data[0] {
			case 1:
				f.note(first+k, at)
			case 2:
				if _, ok := f.offsets[first+k]; !ok {
					if _, ok := f.packed[first+k]; !ok {
						f.packed[first+k] = [2]int{at, int(data[5])<<8 | int(data[6])}
					}
				}
			}
		}
	}
}

func (f *pdfFile) note(n, at int) {
	if _, ok := f.packed[n]; ok {
		return
	}
	if _, ok := f.offsets[n]; !ok {
		f.offsets[n] = at
	}
}

// object gives the body of an object, between "obj" and "endobj".
func (f *pdfFile) object(n int) ([]byte, error) {
	if at, ok := f.offsets[n]; ok && at < len(f.buf) {
		body := f.buf[at:]
		start, end := bytes.Index(body, []byte("obj")), bytes.Index(body, []byte("endobj"))
		if start >= 0 && end > start {
			return bytes.TrimSpace(body[start+3 : end]), nil
		}
	}
	if where, ok := f.packed[n]; ok {
		return f.unpack(where[0], where[1])
	}
	return nil, fmt.Errorf("read PDF: no object %d", n)
}

// inflate gives the data of a stream, with the one predictor that Compressed writes.
func inflate(dict, data []byte) []byte {
	if !bytes.Contains(dict, []byte("/FlateDecode")) {
		return data[:min(len(data), match(reLength, dict))]
	}
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(z)
	if err != nil || !bytes.Contains(dict, []byte("/Predictor 12")) {
		return out
	}
	var rows []byte
	above := make([]byte, 7)
	for ; len(out) >= 8; out = out[8:] {
		for i := range above {
			above[i] += out[1+i]
		}
		rows = append(rows, above...)
	}
	return rows
}

func (f *pdfFile) unpack(container, index int) ([]byte, error) {
	body, err := f.object(container)
	if err != nil {
		return nil, err
	}
	at := bytes.Index(body, []byte("stream\n"))
	if at < 0 {
		return nil, errors.New("read PDF: object stream without stream")
	}
	first, n, data := match(reFirst, body[:at]), match(reCount, body[:at]), inflate(body[:at], body[at+len("stream\n"):])
	head := bytes.Fields(data[:first])
	from, to := first+number(head[2*index+1]), len(data)
	if index+1 < n {
		to = first + number(head[2*index+3])
	}
	return bytes.TrimSpace(data[from:to]), nil
}

// change is one object to write in an update.
type change struct {
	n    int
	body []byte
}

// update appends one revision that holds the changes, and gives the new file with the offset of each object written.
func (f *pdfFile) update(changes []change) ([]byte, map[int]int) {
	out := make([]byte, 0, len(f.buf)+4096+bodies(changes))
	out = append(out, f.buf...)
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, '\n')
	}
	g := &pdfFile{offsets: map[int]int{}, packed: map[int][2]int{}, size: f.size, root: f.root, info: f.info}
	for _, c := range changes {
		g.offsets[c.n] = len(out)
		out = fmt.Appendf(out, "%d 0 obj\n", c.n)
		out = append(out, c.body...)
		out = append(out, "\nendobj\n"...)
		g.size = max(g.size, c.n+1)
	}
	at := len(out)
	tail := fmt.Sprintf("/Root %d 0 R /Prev %d", f.root, f.startxref)
	if f.info > 0 {
		tail += fmt.Sprintf(" /Info %d 0 R", f.info)
	}
	if f.stream {
		g.offsets[g.size] = at
		g.size++
		out = append(out, g.xrefStream(g.size-1, tail)...)
	} else {
		out = append(out, g.table()...)
		out = fmt.Appendf(out, "trailer\n<</Size %d %s>>\n", g.size, tail)
	}
	out = fmt.Appendf(out, "startxref\n%d\n%%%%EOF\n", at)
	return out, g.offsets
}

func bodies(changes []change) int {
	n := 0
	for _, c := range changes {
		n += len(c.body) + 64
	}
	return n
}

// runs gives the object numbers in consecutive runs.
func (f *pdfFile) runs() [][]int {
	all := make([]int, 0, len(f.offsets)+len(f.packed))
	for n := range f.offsets {
		all = append(all, n)
	}
	for n := range f.packed {
		all = append(all, n)
	}
	sort.Ints(all)
	all = slices.Compact(all)
	var out [][]int
	for _, n := range all {
		if k := len(out); k > 0 && out[k-1][len(out[k-1])-1] == n-1 {
			out[k-1] = append(out[k-1], n)
			continue
		}
		out = append(out, []int{n})
	}
	return out
}

// table writes a classic cross-reference table of the offsets.
func (f *pdfFile) table() []byte {
	out := []byte("xref\n0 1\n0000000000 65535 f \n")
	for _, run := range f.runs() {
		if run[0] == 1 {
			out = []byte(fmt.Sprintf("xref\n0 %d\n0000000000 65535 f \n", len(run)+1))
		} else {
			out = fmt.Appendf(out, "%d %d\n", run[0], len(run))
		}
		for _, n := range run {
			out = fmt.Appendf(out, "%010d 00000 n \n", f.offsets[n])
		}
	}
	return out
}

// xrefStream writes the same as a cross-reference stream, object n.
func (f *pdfFile) xrefStream(n int, tail string) []byte {
	var index, data []byte
	for _, run := range f.runs() {
		index = fmt.Appendf(index, "%d %d ", run[0], len(run))
		for _, n := range run {
			kind, at, k := byte(1), f.offsets[n], 0
			if where, ok := f.packed[n]; ok {
				kind, at, k = 2, where[0], where[1]
			}
			data = append(data, kind, byte(at>>24), byte(at>>16), byte(at>>8), byte(at), byte(k>>8), byte(k))
		}
	}
	out := fmt.Appendf(nil, "%d 0 obj\n<</Type /XRef /W [1 4 2] /Index [%s] /Size %d %s /Length %d>>\nstream\n", n, bytes.TrimSpace(index), f.size, tail, len(data))
	out = append(out, data...)
	return append(out, "\nendstream\nendobj\n"...)
}

func match(re *regexp.Regexp, b []byte) int {
	m := re.FindSubmatch(b)
	if m == nil {
		return 0
	}
	return number(m[1])
}

func number(b []byte) int {
	b = bytes.TrimLeft(b, " \r\n")
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	v, _ := strconv.Atoi(string(b[:n]))
	return v
}
