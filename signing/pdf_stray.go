package signing

import (
	"bytes"
	"sort"
)

const (
	byteRangeKey = "/ByteRange"
	maxStrays    = 100
)

// strays finds signatures that no form of any revision lists: those whose widget is only on a page (some tools forget the
// form), and those that a forger cut off by leading the cross-references past them. A file that bears one is not unsigned.
func (d *pdfDoc) strays(found []*pdfSignature) ([]*pdfSignature, error) {
	var out []*pdfSignature
	err := d.scan(byteRangeKey, func(at int64) error {
		for _, s := range append(found, out...) {
			if s.field.dict.from <= at && at < s.field.dict.to {
				return nil
			}
		}
		if len(out) == maxStrays {
			return errPDFLimit
		}
		f, ok, err := d.signatureAround(at)
		if ok {
			out = append(out, &pdfSignature{field: f, stray: true, revision: -1})
		}
		return err
	})
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return d.settleStrays(out), nil
}

// scan calls f for every place where a word stands in the file.
func (d *pdfDoc) scan(word string, f func(at int64) error) error {
	buf := chunks.Get().(*[]byte)
	defer chunks.Put(buf)
	overlap := int64(len(word) - 1)
	for from := int64(0); from < d.size; from += chunk - overlap {
		b := (*buf)[:min(chunk, d.size-from)]
		if err := readFull(d.r, b, from); err != nil {
			return err
		}
		for p := 0; ; p += len(word) {
			i := bytes.Index(b[p:], []byte(word))
			if i < 0 {
				break
			}
			p += i
			if err := f(from + int64(p)); err != nil {
				return err
			}
		}
	}
	return nil
}

// mentions says that a word stands anywhere in the file; a file that cannot be read might hold it.
func (d *pdfDoc) mentions(word string) bool {
	return d.scan(word, func(int64) error { return errPDFLimit }) != nil
}

// signatureAround reads the object that a place of the file lies in, and says whether it is a signature dictionary. A
// place within the data of a stream is none: a signed file within another file signs nothing of that.
func (d *pdfDoc) signatureAround(at int64) (pdfField, bool, error) {
	start, ok, err := d.objectBefore(at)
	if err != nil || !ok {
		return pdfField{}, false, err
	}
	num, o, err := d.objectAt(start)
	if err != nil {
		if d.inStream(at) {
			err = unlessSyntax(err)
		}
		return pdfField{}, false, err
	}
	dict, ok := o.(*pdfDict)
	if ok && dict.get("V") != nil {
		dict = dictOf(dict.get("V")) // written in place in its field
	}
	if !ok || dict.get("ByteRange") == nil || dict.get("Contents") == nil || dict.from > at || dict.to <= at || d.inStream(start) {
		return pdfField{}, false, nil
	}
	ref := pdfRef{num: num}
	return pdfField{sig: ref, holder: ref, dict: dict, at: xrefEntry{kind: 1, at: start}}, true, nil
}

func unlessSyntax(err error) error {
	if err == errPDFSyntax || err == errPDFShort {
		return nil
	}
	return err
}

// objectBefore finds the nearest "n g obj" before a place.
func (d *pdfDoc) objectBefore(at int64) (int64, bool, error) {
	const reach = 64 << 10
	from := max(0, at-reach)
	if err := d.spendParsed(at - from); err != nil {
		return 0, false, err
	}
	b, err := d.bytes(from, at-from)
	if err != nil {
		return 0, false, err
	}
	for end := len(b); ; {
		i := bytes.LastIndex(b[:end], []byte("obj"))
		if i < 0 {
			return 0, false, nil
		}
		if p, ok := objectHead(b[:i]); ok {
			return from + int64(p), true, nil
		}
		end = i
	}
}

// objectHead gives the place of "n g" at the end of b.
func objectHead(b []byte) (int, bool) {
	p := len(b)
	for range 2 {
		end := p
		for p > 0 && class[b[p-1]] == 1 {
			p--
		}
		space := p
		for p > 0 && b[p-1] >= '0' && b[p-1] <= '9' {
			p--
		}
		if p == space || space == end && end != len(b) {
			return 0, false
		}
	}
	return p, true
}

// inStream says that a place lies in the data of a stream of any revision.
func (d *pdfDoc) inStream(at int64) bool { return d.streamAround(at) != nil }

// inAttachment says that a place lies in an attached file, which may be a PDF itself.
func (d *pdfDoc) inAttachment(at int64) bool {
	st := d.streamAround(at)
	return st != nil && st.dict.name("Type") == "EmbeddedFile"
}

// streamAround gives the stream of any revision in whose data a place lies.
func (d *pdfDoc) streamAround(at int64) *pdfStream {
	starts := d.starts()
	i := sort.Search(len(starts), func(i int) bool { return starts[i] > at }) - 1
	if i < 0 || starts[i] == at {
		return nil
	}
	_, o, err := d.objectAt(starts[i])
	st, ok := o.(*pdfStream)
	if err != nil || !ok {
		return nil
	}
	v := d.view(0)
	from, n, err := d.raw(st, &v)
	if err != nil || at < from || at >= from+n {
		return nil
	}
	return st
}

// starts lists where the objects of all revisions stand, in order.
func (d *pdfDoc) starts() []int64 {
	if d.offsets == nil {
		for _, s := range d.sections {
			for x := s; x != nil; x = x.hybrid {
				for _, r := range x.runs {
					for _, e := range r.entries {
						if e.kind == 1 {
							d.offsets = append(d.offsets, e.at)
						}
					}
				}
			}
		}
		sort.Slice(d.offsets, func(i, j int) bool { return d.offsets[i] < d.offsets[j] })
	}
	return d.offsets
}

// settleStrays gives those that a widget shows their field, leaves out the rights that a reader's maker signed (ISO
// 32000-1, 12.8.2.3), and marks those that no revision reaches.
func (d *pdfDoc) settleStrays(list []*pdfSignature) []*pdfSignature {
	v := d.view(0)
	fields := v.widgetSignatures()
	var out []*pdfSignature
	for _, s := range list {
		if f, ok := fields[s.field.at]; ok && f.dict != nil {
			s.field, s.stray = f, false
		}
		e, ok := v.entry(s.field.holder.num)
		s.removed = s.stray && (!ok || e != s.field.at)
		if !s.stray || s.removed || !d.usageRights(s) {
			out = append(out, s)
		}
	}
	return out
}

// widgetSignatures finds the signature fields that stand on the pages, by where the signature is.
func (v pdfView) widgetSignatures() map[xrefEntry]pdfField {
	out := map[xrefEntry]pdfField{}
	pages, _ := v.pageTree()
	w := fieldWalk{view: v, seen: map[uint32]bool{}}
	for num := range pages {
		d, err := v.dict(pdfRef{num: num})
		if err != nil {
			continue
		}
		annots, _ := v.array(d.get("Annots"))
		for _, a := range annots {
			if d, err := v.dict(a); err == nil && d.name("Subtype") == "Widget" && d.get("Parent") == nil {
				_ = w.field(a, pdfRef{num: num}, "", nil, 0) // what cannot be read stays a stray
			}
		}
	}
	for _, f := range w.found {
		out[f.at] = f
	}
	return out
}

// usageRights says that a signature only enables features of one reader: it is no one's will.
func (d *pdfDoc) usageRights(s *pdfSignature) bool {
	v := d.view(0)
	list, _ := v.array(s.field.dict.get("Reference"))
	for _, o := range list {
		if ref, err := v.dict(o); err == nil {
			if m := ref.name("TransformMethod"); m == "UR" || m == "UR3" {
				return true
			}
		}
	}
	return false
}
