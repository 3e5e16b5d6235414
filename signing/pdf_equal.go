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
		case num == 0 || was == now:
		case !inUse:
			c.step.changed = c.step.changed || still && c.past.dangling[num]
		case !still:
			c.step.changed = true
		default:
			same, err := c.rewritten(num)
			if err != nil {
				return err
			}
			c.step.changed = c.step.changed || !same
		}
	}
	return c.doubled()
}

// rewritten judges an object that was there before: the same, or written again in a role that allows it.
func (c *comparison) rewritten(num uint32) (bool, error) {
	if role, ok := c.roles[num]; ok {
		if in, err := c.inRole(num, role); in || err != nil {
			return in, err
		}
	}
	return c.same(num)
}

// doubled marks a change when the revision writes a dictionary with a key twice: readers differ on which one counts.
func (c *comparison) doubled() error {
	for _, num := range c.section.numbers() {
		now, err := c.new.load(num)
		if err != nil {
			return err
		}
		if !doubled(now) {
			continue
		}
		same, err := c.same(num)
		if err != nil {
			return err
		}
		c.step.changed = c.step.changed || !same
	}
	return nil
}

// same compares an object in both revisions, data of streams included. The file's own cross-reference streams are no
// content, unless something refers to one as if it were.
func (c *comparison) same(num uint32) (bool, error) {
	now, _ := c.new.entry(num)
	was, _ := c.old.entry(num)
	if doc := c.new.doc; doc.isXref(now) && doc.isXref(was) && !c.past.dangling[num] {
		return true, nil
	}
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
		if a.repeated || b.repeated {
			return slices.Equal(a.keys, b.keys) && slices.EqualFunc(a.vals, b.vals, equal)
		}
		for _, k := range keys(a, b) {
			if !equal(a.get(k), b.get(k)) {
				return false
			}
		}
		return true
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
