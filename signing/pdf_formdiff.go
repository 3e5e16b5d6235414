package signing

// field visits one field of the new form and compares it with what it was. added says that its parent is new too.
func (c *comparison) field(o any, added bool, kind any, depth int) error {
	if depth > 32 {
		return errPDFLimit
	}
	r, isRef := o.(pdfRef)
	if c.fields == nil {
		c.fields = map[uint32]bool{}
	}
	if isRef {
		if c.fields[r.num] {
			return nil
		}
		if c.fields[r.num] = true; len(c.fields) > maxFields {
			return errPDFLimit
		}
	}
	now, err := c.new.dict(o)
	if err != nil || now == nil {
		return err
	}
	if ft := now.get("FT"); ft != nil {
		kind = ft
	}
	if err := c.fieldNode(o, now, added, kind == pdfName("Sig")); err != nil {
		return err
	}
	kids, err := c.new.array(now.get("Kids"))
	if err != nil {
		return err
	}
	for _, k := range kids {
		if err := c.field(k, added, kind, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) fieldNode(o any, now *pdfDict, added, sig bool) error {
	r, isRef := o.(pdfRef)
	if added {
		return c.newField(now, sig)
	}
	if !isRef || !c.touched(o) {
		return nil
	}
	was, err := c.old.dict(o)
	if err != nil {
		return err
	}
	if was == nil {
		return c.newField(now, sig)
	}
	c.explain(roleCompared, r)
	if sig {
		return c.signatureField(now, was)
	}
	c.filledField(now, was)
	return nil
}

// newField: a signature field comes with a signature of its own, or empty; any other field is a mark on the page.
func (c *comparison) newField(now *pdfDict, sig bool) error {
	if !sig {
		c.step.marks = true
		return nil
	}
	c.step.signatures = true
	c.step.visible = c.step.visible || c.shows(now)
	return c.freshValue(now.get("V"))
}

// freshValue: the signature that a field is given must be new with this revision. A second field that points at an
// older signature shows someone's signature where he did not sign.
func (c *comparison) freshValue(v any) error {
	r, ok := v.(pdfRef)
	if !ok {
		c.step.changed = c.step.changed || v != nil
		return nil
	}
	_, before := c.old.entry(r.num)
	c.step.changed = c.step.changed || before
	return nil
}

// signatureField: an empty one may be signed; a signed one stays as it is.
func (c *comparison) signatureField(now, was *pdfDict) error {
	signed := was.get("V") == nil && now.get("V") != nil
	for _, k := range keys(now, was) {
		if equal(now.get(k), was.get(k)) {
			continue
		}
		switch k {
		case "V", "AP", "M", "F", "MK", "DA", "AS", "Lock":
			c.step.changed = c.step.changed || !signed
		default:
			c.step.changed = true
		}
	}
	if !signed {
		return nil
	}
	c.step.signatures = true
	c.step.visible = c.step.visible || c.shows(now)
	return c.freshValue(now.get("V"))
}

// filledField: a field of another kind may be given a value and the look of it.
func (c *comparison) filledField(now, was *pdfDict) {
	for _, k := range keys(now, was) {
		if equal(now.get(k), was.get(k)) {
			continue
		}
		switch k {
		case "V", "AP", "AS", "M", "I", "MK", "RV":
			c.step.filled = true
		default:
			c.step.changed = true
		}
	}
}
