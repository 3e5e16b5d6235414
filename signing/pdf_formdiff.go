package signing

// form compares the interactive form: fields may be added, and given values.
func (c *comparison) form(a, b any) {
	now, was := c.pair(a, b)
	if now == nil {
		c.changedIf(was != nil)
		return
	}
	if r, ok := b.(pdfRef); ok && was != nil && !c.use.mapped[r.num] && c.use.count[r.num] == 1 {
		c.explain(b)
	}
	c.changedIf(was != nil && c.twice(now, was))
	for _, k := range keys(now, was) {
		va, vb := now.get(k), was.get(k)
		switch k {
		case "Fields":
			c.fieldList(va, vb)
		case "SigFlags", "CO":
		case "DA", "Q": // readers draw by them what fields without a look of their own hold; without a /DA none
			c.step.marks = c.step.marks || !c.alike(va, vb) && was != nil && (vb != nil || k == "Q") && c.others(c.new, now)
		case "DR":
			c.defaults(was, va, vb)
		case "NeedAppearances":
			c.step.marks = c.step.marks || va == true && vb != true && c.others(c.new, now)
		default:
			c.strict(va, vb)
		}
	}
}

// defaults compares the resources of a form. Of those only the fonts are drawn with, when a reader makes the look of a field
// from its /DA (ISO 32000-1, 12.7.3.3); signers name theirs and the parts of their own look as those before them did.
func (c *comparison) defaults(was *pdfDict, a, b any) {
	renamed, fonts := c.replaced(a, b)
	if !renamed {
		c.resources(a, b)
		return
	}
	c.changedIf(fonts && c.others(c.old, was))
	c.free(b)
	_, old := c.pair(nil, b)
	for _, kind := range old.vals {
		c.free(kind)
	}
}

// replaced says whether a name of the old resources stands for something else now, and whether for another font.
func (c *comparison) replaced(a, b any) (renamed, fonts bool) {
	now, was := c.pair(a, b)
	if now == nil || was == nil || c.twice(now, was) {
		return false, false
	}
	for i, kind := range was.keys {
		dnow, dwas := c.pair(now.get(kind), was.vals[i])
		if dnow == nil || dwas == nil {
			continue
		}
		for k, name := range dwas.keys {
			va, vb := dnow.get(name), dwas.vals[k]
			if c.alike(va, vb) {
				continue
			}
			renamed, fonts = true, fonts || kind != "Font" && kind != "XObject" || kind == "Font" && !c.sameFont(va, vb)
		}
	}
	return renamed, fonts
}

// sameFont compares two fonts but for the names that they once had to carry (ISO 32000-1, table 111).
func (c *comparison) sameFont(a, b any) bool {
	now, was := c.pair(a, b)
	return now != nil && was != nil && !c.twice(now, was) && c.alikeKeys(now, was, 0, "Name")
}

// others says whether a form has fields other than of signatures, whose looks a reader may make anew.
func (c *comparison) others(v pdfView, form *pdfDict) bool {
	list, _ := c.value(v, form.get("Fields")).(pdfArray)
	for _, f := range list {
		if d := dictOf(c.value(v, f)); d != nil && d.get("FT") != pdfName("Sig") {
			return true
		}
	}
	return false
}

func (c *comparison) fieldList(a, b any) {
	now, was := c.arrays(a, b)
	c.changedIf(!includes(now, was))
	fresh := added(was)
	for _, f := range now {
		c.field(f, fieldContext{added: fresh(f)}, 0)
	}
}

// fieldContext is what a field inherits from those above it, and what became of them.
type fieldContext struct {
	name   string
	kind   any  // /FT
	added  bool // new with this revision
	valued bool // given a value by it
	signed bool // signed by it
}

// field visits one field of the new form and compares it with what it was.
func (c *comparison) field(o any, s fieldContext, depth int) {
	r, isRef := o.(pdfRef)
	if isRef && c.fields[r.num] || c.err != nil {
		return
	}
	c.fields[r.num] = true
	if depth > 32 || len(c.fields) > maxFields {
		c.note(errPDFLimit)
		return
	}
	now, _ := c.value(c.new, o).(*pdfDict)
	if now == nil {
		return
	}
	s.kind = c.fieldKind(now, s.kind)
	s.name = fieldName(now, s.name)
	was := now // written in place, and there before
	if isRef || s.added {
		was = c.fieldBefore(o, s)
	}
	if was == nil {
		s.added = true
		c.newField(now, s)
	} else if c.touched(o) {
		c.oldField(r, now, was, &s)
	}
	kids, _ := c.value(c.new, now.get("Kids")).(pdfArray)
	fresh := added(c.kids(was))
	for _, k := range kids {
		kid := s
		kid.added = s.added || fresh(k)
		c.field(k, kid, depth+1)
	}
}

func (c *comparison) fieldKind(d *pdfDict, above any) any {
	if ft := d.get("FT"); ft != nil {
		return c.value(c.new, ft)
	}
	return above
}

func fieldName(d *pdfDict, above string) string {
	t, ok := d.get("T").(pdfString)
	if !ok {
		return above
	}
	if above != "" {
		above += "."
	}
	return above + pdfText(t)
}

// fieldBefore gives what a field was; nil for a new one.
func (c *comparison) fieldBefore(o any, s fieldContext) *pdfDict {
	if s.added {
		return nil
	}
	d, _ := c.value(c.old, o).(*pdfDict)
	return d
}

func (c *comparison) kids(d *pdfDict) pdfArray {
	if d == nil {
		return nil
	}
	list, _ := c.value(c.old, d.get("Kids")).(pdfArray)
	return list
}

// newField: a signature field comes with a signature of its own, or empty; any other field is a mark on the page.
func (c *comparison) newField(now *pdfDict, s fieldContext) {
	if s.kind != pdfName("Sig") {
		c.step.marks = true
		return
	}
	c.freshSignature(now)
}

// freshSignature: the signature that a field is given must be new with this revision, and the field's alone. A second
// field that points at an older signature shows someone's signature where he did not sign.
func (c *comparison) freshSignature(field *pdfDict) {
	v := field.get("V")
	d := dictOf(c.value(c.new, v))
	if d.name("SubFilter") == "ETSI.RFC3161" {
		c.step.stamps = true
	} else {
		c.step.signed = true
	}
	c.step.visible = c.step.visible || c.shows(field)
	r, ok := v.(pdfRef)
	if !ok {
		c.changedIf(v != nil)
		return
	}
	_, before := c.old.entry(r.num)
	c.changedIf(before || c.values[r.num])
	c.values[r.num] = true
}

// oldField compares a field that the revision writes with what it was.
func (c *comparison) oldField(r pdfRef, now, was *pdfDict, s *fieldContext) {
	if c.use.mapped[r.num] || c.twice(now, was) {
		c.changedIf(true)
		return
	}
	c.explain(r)
	if s.kind == pdfName("Sig") {
		c.signatureField(now, was, s)
	} else {
		c.filledField(now, was, s)
	}
}

// signatureField: an empty one may be signed; a signed one stays as it is.
func (c *comparison) signatureField(now, was *pdfDict, s *fieldContext) {
	fresh := was.get("V") == nil && now.get("V") != nil
	s.signed = s.signed || fresh
	for _, k := range keys(now, was) {
		a, b := now.get(k), was.get(k)
		switch k {
		case "V":
			c.changedIf(!fresh && !c.alike(a, b))
		case "AP":
			if s.signed {
				c.looks(a, b)
			} else {
				c.strict(a, b)
			}
		case "F", "MK", "DA", "AS", "Lock", "SV", "Ff":
			c.changedIf(!s.signed && !c.alike(a, b))
		case "Rect":
			c.changedIf(!c.sameArea(a, b))
		case "M", "NM", "StructParent":
		case "P":
			c.changedIf(!c.alike(a, b) && !(b == nil && c.isPage(a)))
		default:
			c.strict(a, b)
		}
	}
	if fresh {
		c.freshSignature(now)
	}
}

// filledField: a field of another kind may be given a value and the look of it. A new look without a new value shows what
// the field does not hold: that is a mark.
func (c *comparison) filledField(now, was *pdfDict, s *fieldContext) {
	look := false
	for _, k := range keys(now, was) {
		a, b := now.get(k), was.get(k)
		switch k {
		case "V", "AS", "I":
			s.valued = s.valued || !c.alike(a, b)
		case "AP":
			look = c.looks(a, b) || look
		case "MK", "RV":
			look = look || !c.alike(a, b)
		case "Ff":
			c.changedIf(!locksOnly(a, b))
		case "Rect":
			c.changedIf(!c.sameArea(a, b))
		case "Kids":
			list, before := c.arrays(a, b)
			c.changedIf(!includes(list, before))
		case "M", "NM", "StructParent", "Lock", "TI": // the last is where a list is scrolled to (ISO 32000-1, table 231)
		case "P":
			c.changedIf(!c.alike(a, b) && !(b == nil && c.isPage(a)))
		default:
			c.strict(a, b)
		}
	}
	if s.valued {
		c.step.filled = true
		c.step.names = append(c.step.names, s.name)
	}
	c.step.marks = c.step.marks || look && !s.valued
	if (s.valued || look) && now.get("Rect") != nil {
		page, _ := now.get("P").(pdfRef)
		c.mark(page.num, now)
	}
}

// locksOnly says that field flags differ at most by ReadOnly (ISO 32000-1, table 221), which fillers and signers set.
func locksOnly(a, b any) bool {
	now, ok1 := a.(int64)
	was, ok2 := b.(int64)
	return (ok1 || a == nil) && (ok2 || b == nil) && now&^1 == was&^1
}

// looks explains the appearance streams of a widget that is rightly given a new look, which some producers write in the
// place of the old, and says whether it was.
func (c *comparison) looks(a, b any) bool {
	changed := !c.alike(a, b) || c.touched(a)
	c.free(b)
	was := dictOf(c.value(c.old, b))
	if was == nil {
		return changed
	}
	for _, look := range was.vals {
		changed = changed || c.touched(look)
		c.free(look)
		states, _ := c.value(c.old, look).(*pdfDict)
		if states == nil {
			continue
		}
		for _, state := range states.vals {
			changed = changed || c.touched(state)
			c.free(state)
		}
	}
	return changed
}
