package signing

import (
	"bytes"
	"errors"
)

// past is what must be known of a signed document to judge later revisions of it: what it refers to that is not there, and
// in which roles it holds the objects that are written again. A forger lays such things out before he asks for the signature.
type past struct {
	doc      *pdfDoc
	list     []*pdfSignature
	steps    []step
	dangling map[uint32]bool // numbers that name no object: one put there later shows, without changing a signed byte
	again    map[uint32]bool // numbers that a later revision writes
	holders  map[uint32][]holder
}

// errPastEnd says that what was signed goes on in what was not.
var errPastEnd = errors.New("PDF object goes on after the signed bytes")

// holder is one reference to an object: from which object, under which of its keys, and under which key within that.
type holder struct {
	by       uint32
	top, key pdfName
}

const maxHolders = 64 // of one object; an object with more is no longer followed, and then counts as held by anything

// read looks over the document as it was at section last.
func (p *past) read(last int) error {
	p.dangling, p.again, p.holders = map[uint32]bool{}, map[uint32]bool{}, map[uint32][]holder{}
	for _, s := range p.doc.sections[:last] {
		for _, num := range s.numbers() {
			p.again[num] = true
		}
	}
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
	return p.section(i, i, map[uint32]bool{})
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
		beyond = beyond || x.at >= bound || x.end > bound
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
		p.note(v, num, o)
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
	return nil, nil
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

// note takes down what an object refers to.
func (p *past) note(v pdfView, num uint32, o any) {
	dict := dictOf(o)
	if dict == nil {
		eachRef(o, "", func(n uint32, key pdfName) { p.reference(v, n, holder{num, "", key}) })
		return
	}
	for i, top := range dict.keys {
		eachRef(dict.vals[i], top, func(n uint32, key pdfName) { p.reference(v, n, holder{num, top, key}) })
	}
}

func (p *past) reference(v pdfView, num uint32, h holder) {
	e, ok := v.entry(num)
	if !ok || p.doc.isXref(e) {
		p.dangling[num] = true
	}
	if p.again[num] && len(p.holders[num]) <= maxHolders {
		p.holders[num] = append(p.holders[num], h)
	}
}

// isXref says whether an entry names one of the file's own cross-reference streams: each revision may write that again.
func (d *pdfDoc) isXref(e xrefEntry) bool {
	return e.kind == 1 && d.xrefs[e.at]
}

// eachRef calls f for every reference within a value, with the nearest key that it stands under.
func eachRef(o any, key pdfName, f func(uint32, pdfName)) {
	switch o := o.(type) {
	case pdfRef:
		f(o.num, key)
	case pdfArray:
		for _, e := range o {
			eachRef(e, key, f)
		}
	case *pdfDict:
		for i, e := range o.vals {
			eachRef(e, o.keys[i], f)
		}
	case *pdfStream:
		eachRef(o.dict, key, f)
	}
}

// Roles in which a revision may write an object again. Any other role is a key that all references to it stand under.
const (
	roleCompared pdfName = " compared" // a catalog, page or field, compared key by key
	roleFree     pdfName = " free"     // it shows nowhere: validation data, metadata, /Info
	roleMixed    pdfName = " mixed"
)

// inRole says that an object which the revision writes again is held, in the signed document, only in the role in which
// it may be: otherwise a page's text could be replaced by calling it metadata too.
func (c *comparison) inRole(num uint32, role pdfName) (bool, error) {
	was, err := c.old.load(num)
	if err != nil {
		return false, err
	}
	now, err := c.new.load(num)
	if err != nil {
		return false, err
	}
	held := c.past.holders[num]
	if role == roleMixed || len(held) > maxHolders && role != roleCompared {
		return false, nil
	}
	if role == roleFree {
		return c.heldFreely(held), nil
	}
	switch was.(type) {
	case *pdfDict:
		if _, ok := now.(*pdfDict); !ok {
			return false, nil
		}
	case pdfArray:
		if _, ok := now.(pdfArray); !ok || role == roleCompared {
			return false, nil
		}
	default:
		return false, nil
	}
	for _, h := range held {
		if role != roleCompared && plainRole(h.key) != plainRole(role) {
			return false, nil
		}
	}
	return true, nil
}

// plainRole: the form's default resources are resources too.
func plainRole(key pdfName) pdfName {
	if key == "DR" {
		return "Resources"
	}
	return key
}

func (c *comparison) heldFreely(held []holder) bool {
	root, _ := c.old.trailer().get("Root").(pdfRef)
	for _, h := range held {
		top := h.by == root.num && (h.top == "DSS" || h.top == "Metadata" || h.top == "Extensions")
		if !top && c.roles[h.by] != roleFree {
			return false
		}
	}
	return true
}

// explain says that the revision may write the objects which values refer to, in a role.
func (c *comparison) explain(role pdfName, list ...any) {
	for _, o := range list {
		r, ok := o.(pdfRef)
		if !ok {
			continue
		}
		if have, ok := c.roles[r.num]; ok && have != role {
			c.roles[r.num] = roleMixed
			continue
		}
		c.roles[r.num] = role
	}
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
