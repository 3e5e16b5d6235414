package signing

import (
	"bytes"
	"errors"
)

// Files whose cross-references do not lead to their objects are common: mailers and old producers spoil them, and every
// reader then goes by the objects that it finds. So do we, for the part that is broken, and with more suspicion.

// open reads a PDF and its signatures; where the cross-references are wrong, it looks for the objects.
func (d *pdfDoc) open() ([]*pdfSignature, error) {
	broken, err := d.chain()
	if errors.Is(err, errPDFSyntax) || errors.Is(err, errPDFShort) {
		err = d.rebuild(broken)
	}
	if err != nil || d.encrypted() {
		return nil, err
	}
	d.clean = d.endsCleanly()
	list, err := d.signatures()
	if err == nil && len(list) > 0 {
		err = d.showsPages()
	}
	if !errors.Is(err, errPDFSyntax) && !errors.Is(err, errPDFShort) || d.rebuilt {
		return list, err
	}
	if err := d.rebuild(d.unsound()); err != nil {
		return nil, err
	}
	return d.signatures()
}

// showsPages says whether the pages can be found: a reader that does not find them goes by what objects there are.
func (d *pdfDoc) showsPages() error {
	pages, err := d.view(0).pageTree()
	if err != nil {
		return err
	}
	for _, n := range pages {
		if n > 0 {
			return nil
		}
	}
	return errPDFSyntax
}

// unsound gives the newest section with an entry that leads to no such object.
func (d *pdfDoc) unsound() int {
	for k, s := range d.sections {
		for x := s; x != nil; x = x.hybrid {
			for _, r := range x.runs {
				for i, e := range r.entries {
					if e.kind == 1 && !d.headAt(e.at, r.first+uint32(i)) {
						return k
					}
				}
			}
		}
	}
	return 0
}

// headAt says that "num g obj" stands at a place.
func (d *pdfDoc) headAt(at int64, num uint32) bool {
	b, err := d.bytes(at, 32)
	if err != nil || d.spendParsed(32) != nil {
		return false
	}
	l := lexer{b: b, base: at, final: true}
	n, err := l.integer()
	if err != nil || n != int64(num) {
		return false
	}
	_, err = l.integer()
	return err == nil && l.keyword("obj")
}

// headIs says that an object's head bears the number and the generation of its entry.
func (d *pdfDoc) headIs(e xrefEntry, num uint32) bool {
	b, err := d.bytes(e.at, 64)
	if err != nil || d.spendParsed(64) != nil {
		return false
	}
	l := lexer{b: b, final: true}
	n, err1 := l.integer()
	gen, err2 := l.integer()
	return err1 == nil && err2 == nil && n == int64(num) && gen == int64(e.index) && l.keyword("obj")
}

// rebuild replaces the sections from k on by one of all objects that stand in the part of the file which they describe.
func (d *pdfDoc) rebuild(k int) error {
	at, end := int64(-1), d.size
	if k > 0 {
		var err error
		if at, end, err = d.startxref(d.sections[k-1].at); err != nil || at != d.sections[k-1].prev {
			k, end = 0, d.size
		}
	}
	if k == 0 {
		at, _, _ = d.startxref(d.size)
	}
	d.sections, d.rebuilt, d.offsets = d.sections[:k], true, nil
	clear(d.cache)
	s := &xrefSection{at: at, end: end, prev: -1}
	d.limit = end
	defer func() { d.limit = d.size }()
	if err := d.gather(s, end); err != nil {
		return err
	}
	if s.trailer == nil {
		return errPDFSyntax
	}
	d.sections = append(d.sections, s)
	return nil
}

// gather reads the objects before end, the last of each number, and the last trailer that names a catalog.
func (d *pdfDoc) gather(s *xrefSection, end int64) error {
	found := map[uint32]xrefEntry{}
	err := d.heads(0, end, func(at int64) error {
		num, o, err := d.objectAt(at)
		if err != nil {
			return unlessSyntax(err)
		}
		if err := d.spendEntries(1); err != nil {
			return err
		}
		found[num] = xrefEntry{kind: 1, at: at}
		st, _ := o.(*pdfStream)
		switch dict := dictOf(o); {
		case dict.name("Type") == "XRef" && dict.get("Root") != nil:
			s.trailer = dict
		case dict.name("Type") == "Catalog" && s.trailer == nil:
			s.trailer = &pdfDict{}
			s.trailer.add("Root", pdfRef{num: num})
		case st != nil && dict.name("Type") == "ObjStm":
			return d.gatherPacked(found, num, st)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for num, e := range found {
		s.runs = append(s.runs, xrefRun{first: num, entries: []xrefEntry{e}})
	}
	s.settle()
	return d.scan("trailer", func(at int64) error {
		if at >= end {
			return nil
		}
		err := d.widen(at+int64(len("trailer")), 1024, func(l *lexer) error {
			v, err := l.value(0)
			if t, ok := v.(*pdfDict); ok && err == nil && t.get("Root") != nil {
				s.trailer = t
			}
			return err
		})
		return unlessSyntax(err)
	})
}

// gatherPacked adds the objects of an object stream, whose /Length must stand in its dictionary.
func (d *pdfDoc) gatherPacked(found map[uint32]xrefEntry, num uint32, st *pdfStream) error {
	data, err := d.inflate(st, nil)
	if err != nil {
		return unlessSyntax(err)
	}
	p, err := openPack(st.dict, data)
	if err != nil {
		return unlessSyntax(err)
	}
	if err := d.spendEntries(int64(len(p.nums))); err != nil {
		return err
	}
	for i, n := range p.nums {
		found[n] = xrefEntry{kind: 2, at: int64(num), index: uint32(i)}
	}
	return nil
}

// heads calls f for every "n g obj" between two places.
func (d *pdfDoc) heads(from, end int64, f func(at int64) error) error {
	buf := make([]byte, chunk)
	const overlap = 32
	done := from - 1
	for at := from; at < end; at += chunk - overlap {
		b := buf[:min(chunk, end-at)]
		if err := readFull(d.r, b, at); err != nil {
			return err
		}
		for p := 0; ; {
			i := bytes.Index(b[p:], []byte("obj"))
			if i < 0 {
				break
			}
			start, ok := objectHead(b[:p+i])
			p += i + len("obj")
			if !ok || at+int64(start) <= done || start == 0 && at > from {
				continue // the last: cut off by the chunk, seen whole in the one before
			}
			done = at + int64(start)
			if err := f(done); err != nil {
				return err
			}
		}
	}
	return nil
}

// unlisted looks in what later revisions appended for objects and trailers that no cross-reference names: readers that go by
// what they find, for whatever reason, would show them.
func (p *past) unlisted(last int) error {
	d := p.doc
	from := p.signedEnd(last)
	known := map[int64]bool{}
	for _, at := range d.starts() {
		if at >= from {
			known[at] = true
		}
	}
	for at := range d.xrefs {
		known[at] = true
	}
	near := func(at int64) bool { // entries may lead to the blanks before an object
		return known[at] || known[at-1] || known[at-2]
	}
	found := 0
	err := d.heads(from, d.size, func(at int64) error {
		if near(at) {
			return nil
		}
		if found++; found > maxStrangers {
			return errPDFLimit
		}
		return p.stranger(at, last)
	})
	if err != nil {
		return err
	}
	trailers := map[int64]bool{}
	for _, s := range d.sections {
		trailers[s.trailerAt] = true
	}
	return d.scan("trailer", func(at int64) error {
		if at < from || trailers[at] {
			return nil
		}
		if found++; found > maxStrangers {
			return errPDFLimit
		}
		if !d.rooted(at + int64(len("trailer"))) {
			return nil
		}
		p.steps[d.revisionAt(at, last)].changed = true
		return nil
	})
}

const maxStrangers = 1_000

// stranger judges an object that no cross-reference names.
func (p *past) stranger(at int64, last int) error {
	i := p.doc.revisionAt(at, last)
	b, err := p.doc.bytes(at, 32)
	if err != nil {
		return err
	}
	l := lexer{b: b, final: true}
	num, err := l.integer()
	switch {
	case p.doc.inAttachment(at):
		p.steps[i].marks = true
	case err == nil && num < 1<<31 && p.use.count[uint32(num)] > 0:
		p.steps[i].changed = true
	default:
		p.steps[i].unknown = true
	}
	return nil
}

// revisionAt gives the step whose bytes a place lies in.
func (d *pdfDoc) revisionAt(at int64, last int) int {
	for i := last - 1; i > 0; i-- {
		if at < d.sections[i].end {
			return i
		}
	}
	return 0
}

// rooted says that a dictionary which names a catalog stands at a place.
func (d *pdfDoc) rooted(at int64) bool {
	found := false
	err := d.widen(at, 1024, func(l *lexer) error {
		v, err := l.value(0)
		found = dictOf(v).get("Root") != nil
		return err
	})
	return found && err == nil
}
