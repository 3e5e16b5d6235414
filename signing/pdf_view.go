package signing

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

// hides says that the object is one which only readers of hybrid files find.
func (v pdfView) hides(num uint32) bool {
	for _, s := range v.doc.sections[v.from:] {
		if _, ok := s.find(num); ok {
			return s.hides(num)
		}
	}
	return false
}

// load gives an object by number. An absent one is null, as the standard says.
func (v pdfView) load(num uint32) (any, error) {
	e, ok := v.entry(num)
	if !ok {
		return nil, nil
	}
	if e.kind == 2 { // the container, too, may be another one in each revision
		container, ok := v.entry(uint32(e.at))
		if !ok || container.kind != 1 {
			return nil, errPDFSyntax
		}
		e.at = container.at
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
