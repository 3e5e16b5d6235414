package signing

import (
	"bytes"
	"sort"
)

const (
	pdfSections = 200 // revisions of a file
	pdfTail     = 2048
)

// xrefEntry says where an object is (ISO 32000-1, 7.5.4 and 7.5.8).
type xrefEntry struct {
	kind  byte   // 0 free, 1 in the file, 2 in an object stream
	at    int64  // offset; or the number of the object stream
	index uint32 // generation; or the place in the object stream
}

// xrefRun is a row of entries with consecutive numbers.
type xrefRun struct {
	first   uint32
	entries []xrefEntry
}

// xrefSection is the cross-reference of one revision.
type xrefSection struct {
	at, end int64 // where it stands, as startxref names it
	runs    []xrefRun
	trailer *pdfDict
	hybrid  *xrefSection // of /XRefStm
	prev    int64        // -1: none

	trailerAt  int64 // where the table's trailer stands
	miscounted bool  // the table begins with 1 for 0
	ambiguous  bool  // it says two things of one object: readers differ on which one counts, and forgers know it
}

func (s *xrefSection) find(num uint32) (xrefEntry, bool) {
	i := sort.Search(len(s.runs), func(i int) bool { return s.runs[i].first > num }) - 1
	if i >= 0 {
		if r := s.runs[i]; uint64(num) < uint64(r.first)+uint64(len(r.entries)) {
			e := r.entries[num-r.first]
			if e.kind == 0 && s.hybrid != nil {
				if h, ok := s.hybrid.find(num); ok {
					return h, true
				}
			}
			return e, true
		}
	}
	if s.hybrid != nil {
		return s.hybrid.find(num)
	}
	return xrefEntry{}, false
}

// hides says that the table has an object free which its hybrid stream has in use (ISO 32000-1, 7.5.8.4).
func (s *xrefSection) hides(num uint32) bool {
	if s.hybrid == nil {
		return false
	}
	table := xrefSection{runs: s.runs}
	e, named := table.find(num)
	h, ok := s.hybrid.find(num)
	return named && e.kind == 0 && ok && h.kind != 0
}

// settle puts the runs in order, none over another; of two entries for one object the first counts.
func (s *xrefSection) settle() {
	inOrder := func() bool {
		for i := 1; i < len(s.runs); i++ {
			if was := s.runs[i-1]; uint64(was.first)+uint64(len(was.entries)) > uint64(s.runs[i].first) {
				return false
			}
		}
		return true
	}
	if inOrder() {
		return
	}
	sort.SliceStable(s.runs, func(i, j int) bool { return s.runs[i].first < s.runs[j].first })
	if inOrder() {
		return
	}
	type numbered struct {
		num uint32
		xrefEntry
	}
	var all []numbered
	for _, r := range s.runs {
		for i, e := range r.entries {
			all = append(all, numbered{r.first + uint32(i), e})
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].num < all[j].num })
	s.runs = nil
	for i, e := range all {
		switch last := len(s.runs) - 1; {
		case i > 0 && e.num == all[i-1].num:
			s.ambiguous = s.ambiguous || e.num != 0 && e.xrefEntry != all[i-1].xrefEntry
		case i > 0 && e.num == all[i-1].num+1:
			s.runs[last].entries = append(s.runs[last].entries, e.xrefEntry)
		default:
			s.runs = append(s.runs, xrefRun{first: e.num, entries: []xrefEntry{e.xrefEntry}})
		}
	}
}

// contradicts says that the table and its hybrid stream put one object in different places.
func (s *xrefSection) contradicts() bool {
	if s.hybrid == nil {
		return false
	}
	for _, r := range s.hybrid.runs {
		for i, e := range r.entries {
			if was, ok := s.find(r.first + uint32(i)); ok && was != e && was.kind != 0 && e.kind != 0 {
				return true
			}
		}
	}
	return s.hybrid.ambiguous
}

// numbers lists the objects that the section names, in order, each once.
func (s *xrefSection) numbers() []uint32 {
	var out []uint32
	for x := s; x != nil; x = x.hybrid {
		for _, r := range x.runs {
			for i := range r.entries {
				out = append(out, r.first+uint32(i))
			}
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	n := 0
	for i, v := range out {
		if i == 0 || v != out[n-1] {
			out[n] = v
			n++
		}
	}
	return out[:n]
}

// chain reads the cross-references, newest first. When one cannot be read, broken says which.
func (d *pdfDoc) chain() (broken int, err error) {
	at, _, err := d.startxref(d.size)
	if err != nil {
		return 0, err
	}
	seen := map[int64]bool{}
	for at >= 0 && !seen[at] {
		seen[at] = true
		if len(d.sections) == pdfSections {
			return 0, errPDFLimit
		}
		s, err := d.section(at)
		if err != nil {
			return len(d.sections), err
		}
		d.sections = append(d.sections, s)
		at = s.prev
	}
	return 0, nil
}

// startxref finds the last "startxref n %%EOF" before end. Whatever stands between its %%EOF and end is given as tail.
func (d *pdfDoc) startxref(end int64) (at, tail int64, err error) {
	from, err := d.lastStartxref(end)
	if err != nil {
		return 0, 0, err
	}
	b, err := d.bytes(from, min(pdfTail, end-from))
	if err != nil {
		return 0, 0, err
	}
	l := lexer{b: b, p: len("startxref"), final: true}
	if at, err = l.integer(); err != nil {
		return 0, 0, err
	}
	mark := bytes.Index(b[l.p:], []byte("%%EOF"))
	if mark < 0 || len(bytes.TrimSpace(b[l.p:l.p+mark])) > 0 {
		return at, from + int64(l.p), nil // the mark is missing, as in files of careless producers
	}
	return at, from + int64(l.p+mark+len("%%EOF")), nil
}

// lastStartxref goes back from end, by ever larger steps: what a forger appends may be long, and have none.
func (d *pdfDoc) lastStartxref(end int64) (int64, error) {
	const word = "startxref"
	for n := int64(pdfTail); end > 0; n = min(4*n, chunk) {
		from := max(0, end-n)
		b, err := d.bytes(from, end-from)
		if err != nil {
			return 0, err
		}
		if err := d.spendParsed(int64(len(b))); err != nil {
			return 0, err
		}
		if i := bytes.LastIndex(b, []byte(word)); i >= 0 {
			return from + int64(i), nil
		}
		if from == 0 {
			break
		}
		end = from + int64(len(word)) - 1
	}
	return 0, errPDFSyntax
}

// section reads a cross-reference table or stream.
func (d *pdfDoc) section(at int64) (*xrefSection, error) {
	if at < 0 || at >= d.size {
		return nil, errPDFSyntax
	}
	var s *xrefSection
	err := d.widen(at, 4096, func(l *lexer) (err error) {
		l.space()
		if bytes.HasPrefix(l.b[l.p:], []byte("xref")) {
			l.p += len("xref")
			joined := l.p < len(l.b) && class[l.b[l.p]] != 1
			if s, err = d.table(l); s != nil {
				s.ambiguous = s.ambiguous || joined
			}
			return err
		}
		s, err = nil, nil
		return nil
	})
	if err == nil && s == nil {
		s, err = d.xrefStream(at)
	}
	if err != nil {
		return nil, err
	}
	s.at = at
	d.xrefs[at] = true
	return s, d.finishSection(s)
}

// finishSection reads /Prev and /XRefStm.
func (d *pdfDoc) finishSection(s *xrefSection) error {
	s.prev = -1
	switch v := s.trailer.get("Prev").(type) {
	case int64:
		s.prev = v
	case float64:
		s.prev = int64(v)
	case nil:
	default:
		return errPDFSyntax
	}
	if s.prev == 0 {
		s.prev = -1 // written by some tools for none
	}
	if v, ok := s.trailer.get("XRefStm").(int64); ok {
		h, err := d.xrefStream(v)
		if err != nil {
			return err
		}
		d.xrefs[h.at] = true
		s.hybrid = h
	}
	s.ambiguous = s.ambiguous || s.trailer.repeated || s.contradicts()
	return nil
}

// table reads a classic cross-reference table with its trailer.
func (d *pdfDoc) table(l *lexer) (*xrefSection, error) {
	s := &xrefSection{}
	d.entries = d.entriesBefore
	for {
		if l.keyword("trailer") {
			s.trailerAt = l.base + int64(l.p-len("trailer"))
			break
		}
		first, err := l.integer()
		if err != nil {
			return nil, err
		}
		n, err := l.integer()
		if err != nil {
			return nil, err
		}
		if first > 1<<31 || d.spendEntries(n) != nil {
			return nil, errPDFLimit
		}
		run := xrefRun{first: uint32(first)}
		for i := range n {
			e, gen, err := tableEntry(l)
			if err != nil {
				return nil, err
			}
			if i == 0 && first == 1 && e.kind == 0 && e.at == 0 && gen == 65535 {
				run.first, s.miscounted = 0, true // the head of the free list, which some tools miscount
			}
			if e.kind == 0 {
				e = xrefEntry{} // the next free number is of no use
			}
			run.entries = append(run.entries, e)
		}
		s.runs = append(s.runs, run)
	}
	v, err := l.value(0)
	if err != nil {
		return nil, err
	}
	trailer, ok := v.(*pdfDict)
	if !ok {
		return nil, errPDFSyntax
	}
	s.trailer, s.end = trailer, l.base+int64(l.p)
	s.ambiguous = s.miscounted && trailer.get("Prev") != nil
	s.settle()
	d.entriesBefore = d.entries
	return s, nil
}

func tableEntry(l *lexer) (e xrefEntry, gen int64, err error) {
	at, err := l.integer()
	if err != nil {
		return e, 0, err
	}
	if gen, err = l.integer(); err != nil {
		return e, 0, err
	}
	l.space()
	if l.p >= len(l.b) {
		return e, 0, l.more()
	}
	c := l.b[l.p]
	l.p++
	switch c {
	case 'n':
		if at == 0 {
			return e, gen, nil // written by some tools for numbers that they skipped
		}
		return xrefEntry{kind: 1, at: at, index: uint32(gen)}, gen, nil
	case 'f':
		e.at = at
		return e, gen, nil
	}
	return e, 0, errPDFSyntax
}

// xrefStream reads a cross-reference stream.
func (d *pdfDoc) xrefStream(at int64) (*xrefSection, error) {
	_, v, err := d.objectAt(at)
	if err != nil {
		return nil, err
	}
	st, ok := v.(*pdfStream)
	if !ok || st.dict.name("Type") != "XRef" {
		return nil, errPDFSyntax
	}
	data, err := d.inflate(st, nil)
	if err != nil {
		return nil, err
	}
	_, n, err := d.raw(st, nil)
	if err != nil {
		return nil, err
	}
	s := &xrefSection{trailer: st.dict, at: at, end: st.at + n, prev: -1, ambiguous: !d.delimited(st, nil)}
	w, err := widths(st.dict)
	if err != nil {
		return nil, err
	}
	index, err := indexOf(st.dict)
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(index); i += 2 {
		n := index[i+1]
		if index[i] > 1<<31 {
			return nil, errPDFSyntax
		}
		n = min(n, int64(len(data)/(w[0]+w[1]+w[2]))) // a /Size beyond the rows is common
		if err := d.spendEntries(n); err != nil {
			return nil, err
		}
		run := xrefRun{first: uint32(index[i]), entries: make([]xrefEntry, 0, n)}
		for range n {
			run.entries = append(run.entries, streamEntry(&data, w))
		}
		s.runs = append(s.runs, run)
	}
	s.settle()
	d.entriesBefore = d.entries
	return s, nil
}

func widths(dict *pdfDict) ([3]int, error) {
	var w [3]int
	list, _ := dict.get("W").(pdfArray)
	if len(list) != 3 {
		return w, errPDFSyntax
	}
	for i, v := range list {
		n, ok := v.(int64)
		if !ok || n < 0 || n > 8 {
			return w, errPDFSyntax
		}
		w[i] = int(n)
	}
	if w[0]+w[1]+w[2] == 0 {
		return w, errPDFSyntax
	}
	return w, nil
}

func indexOf(dict *pdfDict) ([]int64, error) {
	list, ok := dict.get("Index").(pdfArray)
	if !ok {
		size, ok := dict.get("Size").(int64)
		if !ok || size < 0 {
			return nil, errPDFSyntax
		}
		return []int64{0, size}, nil
	}
	out := make([]int64, 0, len(list))
	for _, v := range list {
		n, ok := v.(int64)
		if !ok || n < 0 {
			return nil, errPDFSyntax
		}
		out = append(out, n)
	}
	return out, nil
}

func streamEntry(data *[]byte, w [3]int) xrefEntry {
	field := func(n int) int64 {
		var v int64
		for _, c := range (*data)[:n] {
			v = v<<8 | int64(c)
		}
		*data = (*data)[n:]
		return v
	}
	if len(*data) < w[0]+w[1]+w[2] {
		*data = nil
		return xrefEntry{}
	}
	kind := int64(1)
	if w[0] > 0 {
		kind = field(w[0])
	}
	a, b := field(w[1]), field(w[2])
	if kind < 0 || kind > 2 || a < 0 {
		return xrefEntry{}
	}
	return xrefEntry{kind: byte(kind), at: a, index: uint32(b)}
}
