package signing

const maxPages = 20_000

// pageTree gives the pages of a revision with their numbers from 1, and the nodes between as 0.
func (v pdfView) pageTree() (map[uint32]int, error) {
	root, err := v.dict(v.trailer().get("Root"))
	if err != nil {
		return nil, err
	}
	out := map[uint32]int{}
	n := 0
	return out, v.pageNode(root.get("Pages"), out, &n, 0)
}

func (v pdfView) pageNode(o any, out map[uint32]int, n *int, depth int) error {
	ref, ok := o.(pdfRef)
	if !ok || depth > 40 {
		return errPDFSyntax
	}
	if _, again := out[ref.num]; again {
		return errPDFSyntax
	}
	if len(out) > maxPages {
		return errPDFLimit
	}
	d, err := v.dict(o)
	if err != nil || d == nil {
		return err
	}
	out[ref.num] = 0
	if d.get("Kids") == nil {
		*n++
		out[ref.num] = *n
		return nil
	}
	kids, err := v.array(d.get("Kids"))
	if err != nil {
		return err
	}
	for _, k := range kids {
		if err := v.pageNode(k, out, n, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// pages compares the pages that the revision writes, or whose annotation lists it writes.
func (c *comparison) pages() error {
	tree, err := c.old.pageTree()
	if err != nil {
		return err
	}
	for num, n := range tree {
		if n == 0 {
			continue // a node between: leftovers finds any change
		}
		was, err := c.old.load(num)
		if err != nil {
			return err
		}
		now, err := c.new.load(num)
		if err != nil {
			return err
		}
		if err := c.page(num, dictOf(now), dictOf(was)); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) page(num uint32, now, was *pdfDict) error {
	if now == nil || was == nil {
		c.step.changed = true
		return nil
	}
	_, written := c.section.find(num)
	if !written && !c.touched(was.get("Annots")) && !c.touched(was.get("Resources")) {
		return nil
	}
	c.roles[num] = roleCompared
	for _, k := range keys(now, was) {
		a, b := now.get(k), was.get(k)
		switch k {
		case "Annots":
			if err := c.annotations(a, b); err != nil {
				return err
			}
		case "Contents":
			if err := c.contents(a, b); err != nil {
				return err
			}
		case "Resources":
			if err := c.resources(a, b); err != nil {
				return err
			}
		case "LastModified", "PieceInfo", "Tabs", "StructParents":
		default:
			c.step.changed = c.step.changed || !equal(a, b)
		}
	}
	return nil
}

// contents: what a page showed must all be there still, in order; more around it is an overlay.
func (c *comparison) contents(a, b any) error {
	if equal(a, b) {
		return nil
	}
	now, err := c.parts(c.new, a)
	if err != nil {
		return err
	}
	was, err := c.parts(c.old, b)
	if err != nil {
		return err
	}
	if !includes(now, was) {
		c.step.changed = true
		return nil
	}
	c.explain("Contents", a, b)
	for _, o := range was {
		if r, ok := o.(pdfRef); ok && c.touched(o) {
			same, err := c.same(r.num)
			if err != nil {
				return err
			}
			c.step.changed = c.step.changed || !same
		}
	}
	c.step.appended = true
	return nil
}

// parts gives the streams of /Contents, which is one or an array.
func (c *comparison) parts(v pdfView, o any) (pdfArray, error) {
	resolved, err := v.resolve(o)
	if err != nil {
		return nil, err
	}
	if list, ok := resolved.(pdfArray); ok {
		return list, nil
	}
	if o == nil {
		return nil, nil
	}
	return pdfArray{o}, nil
}

func (c *comparison) resources(a, b any) error {
	if equal(a, b) && !c.touched(a) {
		return nil
	}
	was := c.step.appended
	c.step.appended = true
	if err := c.superset("Resources", a, b, 1); err != nil {
		return err
	}
	c.step.appended = was || !equal(a, b)
	return nil
}

// annotations: none may go; those that come are signature widgets or marks.
func (c *comparison) annotations(a, b any) error {
	c.explain("Annots", a, b)
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
	for _, o := range now {
		if !fresh(o) {
			continue
		}
		if err := c.annotation(o); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) annotation(o any) error {
	d, err := c.new.dict(o)
	if err != nil || d == nil {
		return err
	}
	kind, err := c.inherited(d, "FT")
	if err != nil {
		return err
	}
	if d.name("Subtype") == "Widget" && kind == pdfName("Sig") {
		if r, ok := o.(pdfRef); ok && c.fields[r.num] {
			c.step.signatures = true
			c.step.visible = c.step.visible || c.shows(d)
			return nil
		}
		c.step.changed = true // looks like a signature and is none: the field is not in the form
		return nil
	}
	c.step.marks = true
	return nil
}

// shows says whether a widget has an area.
func (c *comparison) shows(d *pdfDict) bool {
	r := c.new.rect(d)
	return r[0] != r[2] && r[1] != r[3]
}

// inherited looks a field's key up, in it or in its parents.
func (c *comparison) inherited(d *pdfDict, key pdfName) (any, error) {
	for range 32 {
		if v := d.get(key); v != nil {
			return c.new.resolve(v)
		}
		var err error
		if d, err = c.new.dict(d.get("Parent")); err != nil || d == nil {
			return nil, err
		}
	}
	return nil, errPDFSyntax
}
