package signing

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"io"
)

// pdfDoc reads objects of a PDF on demand, within bounds that its size sets: no file may make us use more than a few times
// its size, nor much time.
type pdfDoc struct {
	r        io.ReaderAt
	size     int64
	sections []*xrefSection // newest first

	entries, entriesBefore int64
	inflated               int64 // bytes, in all
	parsed                 int64 // bytes looked at by the lexer, in all

	cache      map[xrefEntry]any
	cacheBytes int64
	packs      map[int64]*objectPack
	packBytes  int64
}

// objectPack is an opened object stream.
type objectPack struct {
	data []byte
	nums []uint32
	offs []int
}

func newPDFDoc(r io.ReaderAt, size int64) *pdfDoc {
	return &pdfDoc{r: r, size: size, cache: map[xrefEntry]any{}, packs: map[int64]*objectPack{}}
}

func (d *pdfDoc) spendEntries(n int64) error {
	d.entries += n
	if n < 0 || d.entries > 50_000+d.size/8 {
		return errPDFLimit
	}
	return nil
}

func (d *pdfDoc) spendParsed(n int64) error {
	d.parsed += n
	if d.parsed > 64<<20+24*d.size {
		return errPDFLimit
	}
	return nil
}

// bytes reads n bytes from at, fewer at the end of the file.
func (d *pdfDoc) bytes(at, n int64) ([]byte, error) {
	if at < 0 || at > d.size {
		return nil, errPDFSyntax
	}
	b := make([]byte, min(n, d.size-at))
	return b, readFull(d.r, b, at)
}

// widen gives f ever more bytes from at until it no longer asks for more.
func (d *pdfDoc) widen(at, n int64, f func(*lexer) error) error {
	for {
		b, err := d.bytes(at, n)
		if err != nil {
			return err
		}
		if err := d.spendParsed(int64(len(b))); err != nil {
			return err
		}
		err = f(&lexer{b: b, base: at, final: at+int64(len(b)) == d.size})
		if !errors.Is(err, errPDFShort) {
			return err
		}
		if n > 64<<20 {
			return errPDFLimit
		}
		n *= 8
	}
}

// objectAt reads "n g obj …" at an offset.
func (d *pdfDoc) objectAt(at int64) (num uint32, v any, err error) {
	err = d.widen(at, 1024, func(l *lexer) error {
		n, err := l.integer()
		if err != nil {
			return err
		}
		if _, err = l.integer(); err != nil {
			return err
		}
		if !l.keyword("obj") {
			if len(l.b)-l.p < 4 {
				return l.more()
			}
			return errPDFSyntax
		}
		if v, err = l.value(0); err != nil {
			return err
		}
		num = uint32(n)
		return d.streamOf(l, &v)
	})
	return num, v, err
}

// streamOf turns a dictionary that "stream" follows into a stream.
func (d *pdfDoc) streamOf(l *lexer, v *any) error {
	dict, ok := (*v).(*pdfDict)
	if !ok {
		return nil
	}
	l.space()
	if len(l.b)-l.p < 8 && !l.final {
		return errPDFShort
	}
	if !l.keyword("stream") {
		return nil
	}
	if l.p < len(l.b) && l.b[l.p] == '\r' {
		l.p++
	}
	if l.p < len(l.b) && l.b[l.p] == '\n' {
		l.p++
	}
	*v = &pdfStream{dict: dict, at: l.base + int64(l.p)}
	return nil
}

// pdfView is the document as it was at one revision: sections from it back to the first.
type pdfView struct {
	doc  *pdfDoc
	from int
}

func (d *pdfDoc) view(from int) pdfView { return pdfView{d, from} }

func (v pdfView) trailer() *pdfDict { return v.doc.sections[v.from].trailer }

// entry finds where an object is; a free or absent one gives ok false.
func (v pdfView) entry(num uint32) (xrefEntry, bool) {
	for _, s := range v.doc.sections[v.from:] {
		if e, ok := s.find(num); ok {
			return e, e.kind != 0
		}
	}
	return xrefEntry{}, false
}

// load gives an object by number. An absent one is null, as the standard says.
func (v pdfView) load(num uint32) (any, error) {
	e, ok := v.entry(num)
	if !ok {
		return nil, nil
	}
	if o, ok := v.doc.cache[e]; ok {
		return o, nil
	}
	before := v.doc.parsed
	o, err := v.read(num, e)
	if err != nil {
		return nil, err
	}
	v.doc.keep(e, o, v.doc.parsed-before)
	return o, nil
}

// keep caches an object. Its weight is the bytes it was read from; the cache is emptied when it grows past its bound.
func (d *pdfDoc) keep(e xrefEntry, o any, weight int64) {
	if d.cacheBytes += weight + 64; d.cacheBytes > 1<<20+d.size/8 {
		clear(d.cache)
		d.cacheBytes = weight
	}
	d.cache[e] = o
}

func (v pdfView) read(num uint32, e xrefEntry) (any, error) {
	if e.kind == 2 {
		return v.unpack(num, e)
	}
	got, o, err := v.doc.objectAt(e.at)
	if err == nil && got != num {
		return nil, errPDFSyntax
	}
	return o, err
}

// resolve follows a reference, a few times over.
func (v pdfView) resolve(o any) (any, error) {
	for range 8 {
		r, ok := o.(pdfRef)
		if !ok {
			return o, nil
		}
		var err error
		if o, err = v.load(r.num); err != nil {
			return nil, err
		}
	}
	return nil, errPDFSyntax
}

// dict resolves to a dictionary; anything else is nil.
func (v pdfView) dict(o any) (*pdfDict, error) {
	o, err := v.resolve(o)
	return dictOf(o), err
}

// array resolves to an array; anything else is nil.
func (v pdfView) array(o any) (pdfArray, error) {
	o, err := v.resolve(o)
	a, _ := o.(pdfArray)
	return a, err
}

// unpack reads an object out of its object stream (ISO 32000-1, 7.5.7).
func (v pdfView) unpack(num uint32, e xrefEntry) (any, error) {
	container, ok := v.entry(uint32(e.at))
	if !ok || container.kind != 1 {
		return nil, errPDFSyntax
	}
	p, err := v.pack(container.at)
	if err != nil {
		return nil, err
	}
	i := int(e.index)
	if i >= len(p.nums) || p.nums[i] != num {
		return nil, errPDFSyntax
	}
	if err := v.doc.spendParsed(int64(p.length(i))); err != nil {
		return nil, err
	}
	l := lexer{b: p.data[p.offs[i]:], base: -1, final: true}
	return l.value(0)
}

// length is about how many bytes object i takes.
func (p *objectPack) length(i int) int {
	if i+1 < len(p.offs) && p.offs[i+1] > p.offs[i] {
		return p.offs[i+1] - p.offs[i]
	}
	return 256
}

// pack opens an object stream and keeps it.
func (v pdfView) pack(at int64) (*objectPack, error) {
	if p := v.doc.packs[at]; p != nil {
		return p, nil
	}
	_, o, err := v.doc.objectAt(at)
	if err != nil {
		return nil, err
	}
	st, ok := o.(*pdfStream)
	if !ok || st.dict.name("Type") != "ObjStm" {
		return nil, errPDFSyntax
	}
	data, err := v.doc.inflate(st, &v)
	if err != nil {
		return nil, err
	}
	p, err := openPack(st.dict, data)
	if err != nil {
		return nil, err
	}
	if v.doc.packBytes += int64(len(data)); v.doc.packBytes > 4<<20+v.doc.size {
		clear(v.doc.packs)
		v.doc.packBytes = int64(len(data))
	}
	v.doc.packs[at] = p
	return p, nil
}

func openPack(dict *pdfDict, data []byte) (*objectPack, error) {
	n, ok1 := dict.get("N").(int64)
	first, ok2 := dict.get("First").(int64)
	if !ok1 || !ok2 || n < 0 || first < 0 || first > int64(len(data)) || n > first {
		return nil, errPDFSyntax
	}
	p := &objectPack{data: data}
	l := lexer{b: data[:first], final: true}
	for range n {
		num, err := l.integer()
		if err != nil {
			return nil, err
		}
		at, err := l.integer()
		if err != nil || first+at > int64(len(data)) || num > 1<<31 {
			return nil, errPDFSyntax
		}
		p.nums, p.offs = append(p.nums, uint32(num)), append(p.offs, int(first+at))
	}
	return p, nil
}

// raw gives the bounds of a stream's data in the file.
func (d *pdfDoc) raw(st *pdfStream, v *pdfView) (int64, int64, error) {
	length := st.dict.get("Length")
	if v != nil {
		var err error
		if length, err = v.resolve(length); err != nil {
			return 0, 0, err
		}
	}
	n, ok := length.(int64)
	if !ok || n < 0 || st.at+n > d.size {
		return 0, 0, errPDFSyntax
	}
	return st.at, n, nil
}

// maxInflate bounds one stream that we must read.
const maxInflate = 16 << 20

// inflate decodes a stream: no filter or Flate, with or without a PNG predictor. v resolves an indirect /Length.
func (d *pdfDoc) inflate(st *pdfStream, v *pdfView) ([]byte, error) {
	at, n, err := d.raw(st, v)
	if err != nil {
		return nil, err
	}
	section := io.NewSectionReader(d.r, at, n)
	filter, parms := st.dict.get("Filter"), st.dict.get("DecodeParms")
	if list, ok := filter.(pdfArray); ok {
		if len(list) > 1 {
			return nil, errPDFLimit
		}
		filter = nil
		if len(list) == 1 {
			filter = list[0]
		}
		if p, ok := parms.(pdfArray); ok && len(p) > 0 {
			parms = p[0]
		}
	}
	switch filter {
	case nil:
		return d.drain(section)
	case pdfName("FlateDecode"), pdfName("Fl"):
	default:
		return nil, errPDFLimit
	}
	z, err := zlib.NewReader(section)
	if err != nil {
		return nil, errPDFSyntax
	}
	data, err := d.drain(z)
	if err != nil {
		return nil, err
	}
	return unpredict(data, dictOf(parms))
}

// drain reads all, within the bounds.
func (d *pdfDoc) drain(r io.Reader) ([]byte, error) {
	room := min(int64(maxInflate), 1<<20+2*d.size, 16<<20+4*d.size-d.inflated)
	if room <= 0 {
		return nil, errPDFLimit
	}
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(r, room+1))
	d.inflated += n
	if n > room {
		return nil, errPDFLimit
	}
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, zlib.ErrChecksum) {
		return nil, errPDFSyntax
	}
	return out.Bytes(), err
}

// unpredict undoes PNG predictors (ISO 32000-1, 7.4.4.4).
func unpredict(data []byte, parms *pdfDict) ([]byte, error) {
	predictor, _ := parms.get("Predictor").(int64)
	if predictor < 2 {
		return data, nil
	}
	columns, ok := parms.get("Columns").(int64)
	if !ok {
		columns = 1
	}
	if predictor < 10 || columns < 1 || columns > 1<<16 || parms.get("Colors") != nil && parms.get("Colors") != int64(1) ||
		parms.get("BitsPerComponent") != nil && parms.get("BitsPerComponent") != int64(8) {
		return nil, errPDFLimit
	}
	row := int(columns)
	out := make([]byte, 0, len(data))
	above := make([]byte, row)
	for len(data) >= row+1 {
		line := data[1 : row+1]
		if !unfilter(data[0], line, above) {
			return nil, errPDFSyntax
		}
		out = append(out, line...)
		above, data = line, data[row+1:]
	}
	return out, nil
}

// unfilter undoes one row of a PNG filter with one byte a pixel.
func unfilter(kind byte, line, above []byte) bool {
	var left, corner byte
	for i := range line {
		up := above[i]
		switch kind {
		case 0:
		case 1:
			line[i] += left
		case 2:
			line[i] += up
		case 3:
			line[i] += byte((int(left) + int(up)) / 2)
		case 4:
			line[i] += paeth(left, up, corner)
		default:
			return false
		}
		left, corner = line[i], up
	}
	return true
}

func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	pa, pb, pc := abs(p-int(a)), abs(p-int(b)), abs(p-int(c))
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}

func abs(n int) int { return max(n, -n) }
