package signing

import (
	"bytes"
	"slices"
)

// leftovers looks at every object that the revision writes and nothing has explained.
func (c *comparison) leftovers() error {
	for _, num := range c.section.numbers() {
		was, inUse := c.old.entry(num)
		now, still := c.new.entry(num)
		switch {
		case num == 0 || c.explained[num] || was == now:
		case !inUse:
			c.step.changed = c.step.changed || still && c.refs[num]
		case !still:
			c.step.changed = true
		default:
			same, err := c.same(num)
			if err != nil {
				return err
			}
			c.step.changed = c.step.changed || !same
		}
	}
	return nil
}

// same compares an object in both revisions, data of streams included. The containers of objects are no content.
func (c *comparison) same(num uint32) (bool, error) {
	a, err := c.new.load(num)
	if err != nil {
		return false, err
	}
	b, err := c.old.load(num)
	if err != nil {
		return false, err
	}
	sa, oka := a.(*pdfStream)
	sb, okb := b.(*pdfStream)
	if !oka || !okb {
		return equal(a, b), nil
	}
	if ta, tb := sa.dict.name("Type"), sb.dict.name("Type"); ta == tb && (ta == "XRef" || ta == "ObjStm") {
		return true, nil
	}
	if !equal(sa.dict, sb.dict) {
		return false, nil
	}
	return c.sameData(sa, sb)
}

func (c *comparison) sameData(sa, sb *pdfStream) (bool, error) {
	ata, na, err := c.new.doc.raw(sa, &c.new)
	if err != nil {
		return false, err
	}
	atb, nb, err := c.old.doc.raw(sb, &c.old)
	if err != nil || na != nb {
		return false, err
	}
	for k := int64(0); k < na; k += chunk {
		x, err := c.new.doc.bytes(ata+k, min(chunk, na-k))
		if err != nil {
			return false, err
		}
		y, err := c.old.doc.bytes(atb+k, min(chunk, na-k))
		if err != nil || !bytes.Equal(x, y) {
			return false, err
		}
	}
	return true, nil
}

// equal compares two values without following references. Streams are never equal: same compares those.
func equal(a, b any) bool {
	switch a := a.(type) {
	case pdfArray:
		b, ok := b.(pdfArray)
		return ok && slices.EqualFunc(a, b, equal)
	case *pdfDict:
		b, ok := b.(*pdfDict)
		if !ok || a == nil || b == nil {
			return ok && a == b
		}
		for _, k := range keys(a, b) {
			if !equal(a.get(k), b.get(k)) {
				return false
			}
		}
		return a.repeated == b.repeated
	case pdfString:
		b, ok := b.(pdfString)
		return ok && bytes.Equal(a, b)
	case *pdfStream:
		return false
	}
	switch b.(type) {
	case pdfArray, pdfString:
		return false
	}
	return a == b
}
