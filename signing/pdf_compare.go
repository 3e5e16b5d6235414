package signing

import "slices"

// comparison judges what one revision did to the one before it, object by object. What it cannot explain is a change.
type comparison struct {
	old, new pdfView
	section  *xrefSection
	past     *past
	step     step

	roles  map[uint32]pdfName // in which the revision may write an object again
	fields map[uint32]bool    // fields and widgets of the new form
}

func (c *comparison) run() error {
	c.roles = map[uint32]pdfName{}
	c.step.changed = c.section.ambiguous
	if err := c.trailers(); err != nil {
		return err
	}
	root, oldRoot, err := c.pair(c.new.trailer().get("Root"), c.old.trailer().get("Root"))
	if err != nil {
		return err
	}
	if err := c.catalog(root, oldRoot); err != nil {
		return err
	}
	if err := c.pages(); err != nil {
		return err
	}
	return c.leftovers()
}

// trailers: the catalog stays the same object; /Info may be rewritten.
func (c *comparison) trailers() error {
	a, ok1 := c.new.trailer().get("Root").(pdfRef)
	b, ok2 := c.old.trailer().get("Root").(pdfRef)
	if !ok1 || !ok2 || a.num != b.num {
		c.step.changed = true
	}
	c.explain(roleCompared, c.new.trailer().get("Root"))
	c.explain(roleFree, c.new.trailer().get("Info"), c.old.trailer().get("Info"))
	return nil
}

// pair resolves a value in the new and another in the old revision, as dictionaries.
func (c *comparison) pair(a, b any) (*pdfDict, *pdfDict, error) {
	na, err := c.new.dict(a)
	if err != nil {
		return nil, nil, err
	}
	ob, err := c.old.dict(b)
	return na, ob, err
}

// keys lists the keys of both dictionaries.
func keys(a, b *pdfDict) []pdfName {
	var out []pdfName
	if a != nil {
		out = append(out, a.keys...)
	}
	if b != nil {
		for _, k := range b.keys {
			if a == nil || a.find(k) < 0 {
				out = append(out, k)
			}
		}
	}
	return out
}

func (c *comparison) catalog(now, was *pdfDict) error {
	if now == nil || was == nil || now.repeated && !was.repeated {
		c.step.changed = true
		return nil
	}
	for _, k := range keys(now, was) {
		a, b := now.get(k), was.get(k)
		switch k {
		case "AcroForm":
			if err := c.form(a, b); err != nil {
				return err
			}
		case "DSS":
			if err := c.dss(a, b); err != nil {
				return err
			}
		case "Extensions", "Metadata":
			c.explain(roleFree, a, b)
		case "Perms":
			c.step.changed = c.step.changed || b != nil && !equal(a, b)
		case "Version":
		default:
			if !equal(a, b) {
				c.step.changed = true
			}
		}
	}
	return nil
}

// dss explains the validation data: whatever they hold, nothing of it shows.
func (c *comparison) dss(a, b any) error {
	if a == nil && b != nil {
		c.step.changed = true
		return nil
	}
	if !equal(a, b) || c.touched(a) {
		c.step.signatures = true
	}
	c.explain(roleFree, a, b)
	d, err := c.new.dict(a)
	if err != nil || d == nil {
		return err
	}
	for _, v := range d.vals {
		c.explain(roleFree, v)
		o, err := c.new.resolve(v)
		if err != nil {
			return err
		}
		if list, ok := o.(pdfArray); ok {
			c.explain(roleFree, list...)
			continue
		}
		if err := c.vri(dictOf(o)); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) vri(d *pdfDict) error {
	if d == nil {
		return nil
	}
	c.explain(roleFree, d.vals...)
	for _, v := range d.vals {
		one, err := c.new.dict(v)
		if err != nil {
			return err
		}
		if one == nil {
			continue
		}
		c.explain(roleFree, one.vals...)
		for _, w := range one.vals {
			list, err := c.new.array(w)
			if err != nil {
				return err
			}
			c.explain(roleFree, list...)
		}
	}
	return nil
}

// touched says that the section writes the object that a value refers to.
func (c *comparison) touched(o any) bool {
	r, ok := o.(pdfRef)
	if !ok {
		return false
	}
	_, ok = c.section.find(r.num)
	return ok
}

// form compares the interactive form: fields may be added, and given values.
func (c *comparison) form(a, b any) error {
	c.explain("AcroForm", a, b)
	now, was, err := c.pair(a, b)
	if err != nil {
		return err
	}
	if now == nil {
		c.step.changed = c.step.changed || was != nil
		return nil
	}
	for _, k := range keys(now, was) {
		va, vb := now.get(k), was.get(k)
		switch k {
		case "Fields":
			if err := c.fieldList(va, vb); err != nil {
				return err
			}
		case "SigFlags", "DA", "Q":
		case "DR":
			if err := c.superset(k, va, vb, 3); err != nil {
				return err
			}
		case "NeedAppearances":
			c.step.marks = c.step.marks || !equal(va, vb)
		default:
			c.step.changed = c.step.changed || !equal(va, vb) || c.touched(va)
		}
	}
	return nil
}

func (c *comparison) fieldList(a, b any) error {
	c.explain("Fields", a, b)
	now, err := c.new.array(a)
	if err != nil {
		return err
	}
	was, err := c.old.array(b)
	if err != nil {
		return err
	}
	if !includes(now, was) {
		c.step.changed = true
	}
	fresh := added(was)
	for _, f := range now {
		if err := c.field(f, fresh(f), nil, 0); err != nil {
			return err
		}
	}
	return nil
}

// added gives a test for the elements of now that were not in was. References are looked up; the few elements written in
// place count as added unless one equal to them was there among the first.
func added(was pdfArray) func(any) bool {
	refs := map[pdfRef]bool{}
	var direct pdfArray
	for _, o := range was {
		if r, ok := o.(pdfRef); ok {
			refs[r] = true
		} else if len(direct) < 100 {
			direct = append(direct, o)
		}
	}
	return func(o any) bool {
		if r, ok := o.(pdfRef); ok {
			return !refs[r]
		}
		return !slices.ContainsFunc(direct, func(w any) bool { return equal(w, o) })
	}
}

// includes says that every element of was is in now, in the same order.
func includes(now, was pdfArray) bool {
	i := 0
	for _, o := range now {
		if i < len(was) && equal(o, was[i]) {
			i++
		}
	}
	return i == len(was)
}

// superset says, by marking a change if not, that a dictionary kept all its entries; sub-dictionaries likewise to a depth.
func (c *comparison) superset(key pdfName, a, b any, depth int) error {
	c.explain(plainRole(key), a, b)
	now, was, err := c.pair(a, b)
	if err != nil || was == nil {
		return err
	}
	if now == nil {
		c.step.changed = true
		return nil
	}
	for i, k := range was.keys {
		va, vb := now.get(k), was.vals[i]
		if equal(va, vb) && !c.touched(va) {
			continue
		}
		da, db, err := c.pair(va, vb)
		if err != nil {
			return err
		}
		if depth == 0 || da == nil || db == nil || !plainDict(c.new, va) {
			c.step.changed = true
			continue
		}
		if err := c.superset(k, va, vb, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// plainDict tells a dictionary from a stream.
func plainDict(v pdfView, o any) bool {
	o, err := v.resolve(o)
	_, ok := o.(*pdfDict)
	return err == nil && ok
}
