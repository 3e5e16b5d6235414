package signing

import (
	"bytes"
	"errors"
)

// past is what must be known of a signed document to judge later revisions of it: how it uses its objects, those that are
// not there included. A forger lays such things out before he asks for the signature.
type past struct {
	doc   *pdfDoc
	list  []*pdfSignature
	steps []step
	use   *usage

	broken bool // an object could not be read: readers may then go by what they find instead of by the cross-references
}

// errPastEnd says that what was signed goes on in what was not.
var errPastEnd = errors.New("PDF object goes on after the signed bytes")

// read looks over the document as it was at section last.
func (p *past) read(last int) error {
	p.use = newUsage(p.doc.size)
	p.use.add(p.doc.view(last).trailer(), "", 1)
	seen := map[uint32]bool{}
	for k := last; k < len(p.doc.sections); k++ {
		if err := p.section(k, last, seen); err != nil {
			return err
		}
	}
	return nil
}

// advance takes in what section i wrote: later revisions are compared with that too.
func (p *past) advance(i int) error {
	if i == 0 {
		return nil
	}
	old, now := p.doc.view(i+1), p.doc.view(i)
	p.use.add(old.trailer(), "", -1)
	p.use.add(now.trailer(), "", 1)
	seen := map[uint32]bool{}
	for _, num := range p.doc.sections[i].numbers() {
		was, ok := old.entry(num)
		is, _ := now.entry(num)
		if was == is {
			seen[num] = true
		} else if o, err := old.load(num); ok && !p.doc.isXref(was) && err == nil {
			p.use.object(was, o, -1)
		} else if err != nil && !isPDFSyntax(err) {
			return err
		}
	}
	return p.section(i, i, seen)
}

// signedUpTo gives the revision that the newest signature at or before section k was made with, and where it ended.
func (p *past) signedUpTo(k int) (revision int, end int64) {
	revision, end = -1, p.doc.size
	for _, s := range p.list {
		if s.end == 0 || s.revision < 0 || s.revision > k || s.revision < revision {
			continue
		}
		if s.revision > revision || s.end < end {
			revision, end = s.revision, s.end
		}
	}
	return revision, end
}

// section reads the objects of section k that count in the view from. When some lie beyond what was signed with them, the
// revision after that signature has changed what it shows.
func (p *past) section(k, from int, seen map[uint32]bool) error {
	revision, bound := p.signedUpTo(k)
	s, v, beyond := p.doc.sections[k], p.doc.view(from), false
	for x := s; x != nil; x = x.hybrid {
		named := !p.doc.rebuilt || k < len(p.doc.sections)-1 // a rebuilt one stands nowhere
		beyond = beyond || named && x.at >= bound || x.end > bound
	}
	for _, num := range s.numbers() {
		e, ok := v.entry(num)
		if seen[num] || !ok || p.doc.isXref(e) {
			seen[num] = true
			continue
		}
		seen[num] = true
		o, err := p.object(v, num, e, bound)
		if err != nil && err != errPastEnd {
			return err
		}
		beyond = beyond || err == errPastEnd
		if p.use.object(e, o, 1); len(p.use.count) > p.use.limit {
			return errPDFLimit
		}
	}
	if beyond && revision > 0 {
		p.steps[revision-1].changed = true
	}
	return nil
}

// object reads one, within the signed bytes. What cannot be read at all is nothing to any reader.
func (p *past) object(v pdfView, num uint32, e xrefEntry, bound int64) (any, error) {
	p.doc.limit = bound
	o, err := p.whole(v, num, e)
	p.doc.limit = p.doc.size
	if !errors.Is(err, errPDFSyntax) {
		return o, err
	}
	if bound < p.doc.size {
		if _, err := p.whole(v, num, e); err == nil {
			return nil, errPastEnd
		}
	}
	p.broken = true
	return nil, nil
}

// signedEnd gives where the revision of section k was signed up to.
func (p *past) signedEnd(k int) int64 {
	_, end := p.signedUpTo(k)
	return end
}

// whole reads an object, its data included when it is a stream.
func (p *past) whole(v pdfView, num uint32, e xrefEntry) (any, error) {
	if e.kind == 2 {
		return v.load(num) // within a container, which is read by itself
	}
	if e.at >= p.doc.limit {
		return nil, errPDFSyntax
	}
	_, o, err := p.doc.objectAt(e.at)
	if err != nil {
		return nil, err
	}
	st, ok := o.(*pdfStream)
	if !ok {
		return o, nil
	}
	at, n, err := p.doc.raw(st, &v)
	if err != nil {
		return nil, err
	}
	return o, p.doc.endstream(at + n)
}

// endstream looks for the keyword at or after a place.
func (d *pdfDoc) endstream(at int64) error {
	const word = "endstream"
	for n := int64(64); ; n *= 8 {
		b, err := d.bytes(at, n)
		if err != nil {
			return err
		}
		if err := d.spendParsed(int64(len(b))); err != nil {
			return err
		}
		if bytes.Contains(b, []byte(word)) {
			return nil
		}
		if int64(len(b)) < n {
			return errPDFSyntax
		}
	}
}

// isXref says whether an entry names one of the file's own cross-reference streams: each revision may write that again.
func (d *pdfDoc) isXref(e xrefEntry) bool {
	return e.kind == 1 && d.xrefs[e.at]
}

// doubled says that somewhere in a value a dictionary has a key twice.
func doubled(o any) bool {
	switch o := o.(type) {
	case pdfArray:
		for _, e := range o {
			if doubled(e) {
				return true
			}
		}
	case *pdfStream:
		return doubled(o.dict)
	case *pdfDict:
		if o.repeated {
			return true
		}
		for _, e := range o.vals {
			if doubled(e) {
				return true
			}
		}
	}
	return false
}
