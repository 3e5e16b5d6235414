package signing

import "slices"

// comparison judges what one revision did to the one before it, object by object. What it cannot explain is a change.
type comparison struct {
	old, new pdfView
	section  *xrefSection
	use      *usage // of the old revision
	list     []*pdfSignature
	tree     map[uint32]int // its pages, by object number
	step     step

	explained map[uint32]bool // compared by what they are for
	freed     []uint32        // no longer there
	fields    map[uint32]bool // fields and widgets of the new form
	values    map[uint32]bool // signatures that fields were given in this revision
	shown     map[uint32]bool // those of them that a widget on a page shows
	budget    int             // of values compared
	err       error           // the first
}

func (c *comparison) run() error {
	c.explained, c.fields, c.values, c.shown = map[uint32]bool{}, map[uint32]bool{}, map[uint32]bool{}, map[uint32]bool{}
	c.budget = 200_000
	c.step.changed = c.section.ambiguous
	c.tree, c.err = c.old.pageTree()
	c.trailers()
	now, was := c.pair(c.new.trailer().get("Root"), c.old.trailer().get("Root"))
	c.catalog(now, was)
	c.pages()
	if c.err == nil { // else what was not looked at would seem unexplained
		c.leftovers()
	}
	return c.err
}

// trailers: the catalog stays the same object; /Info and /ID may be rewritten.
func (c *comparison) trailers() {
	a, ok1 := c.new.trailer().get("Root").(pdfRef)
	b, ok2 := c.old.trailer().get("Root").(pdfRef)
	if !ok1 || !ok2 || a.num != b.num {
		c.changedIf(true)
	}
	c.explain(c.new.trailer().get("Root"))
	c.free(c.old.trailer().get("Info"))
	size, ok1 := c.new.trailer().get("Size").(int64)
	before, ok2 := c.old.trailer().get("Size").(int64)
	if last := c.section == c.new.doc.sections[0]; last && ok2 && (!ok1 || size < before) {
		// Objects beyond it are missing (ISO 32000-1, table 15). Signers that count only what they add write so, and what is
		// signed after them mends it.
		c.step.unknown = true
	}
}

// explain says that an object is compared by what it is for.
func (c *comparison) explain(o any) {
	if r, ok := o.(pdfRef); ok {
		c.explained[r.num] = true
	}
}

// explainAs is explain for what is referred to in one role only, which uses counts: a list of resources that is the looks of
// an annotation too may not grow unseen.
func (c *comparison) explainAs(o any, uses map[uint32]uint32) {
	if r, ok := o.(pdfRef); ok && uses[r.num] == c.use.count[r.num] {
		c.explain(o)
	}
}

// isPage says that a value refers to a page.
func (c *comparison) isPage(o any) bool {
	r, ok := o.(pdfRef)
	return ok && c.tree[r.num] > 0
}

// free says that an object of the old revision may become anything, if nothing else refers to it.
func (c *comparison) free(o any) {
	if r, ok := o.(pdfRef); ok && c.use.count[r.num] <= 1 {
		c.explained[r.num] = true
	}
}

func (c *comparison) note(err error) {
	if c.err == nil {
		c.err = err
	}
}

func (c *comparison) value(v pdfView, o any) any {
	out, err := v.resolve(o)
	c.note(err)
	return out
}

// pair resolves a value in the new and another in the old revision, as dictionaries.
func (c *comparison) pair(a, b any) (now, was *pdfDict) {
	return dictOf(c.value(c.new, a)), dictOf(c.value(c.old, b))
}

// arrays does the same for arrays. An array object of the old revision is explained by it, if it is nothing else besides.
func (c *comparison) arrays(a, b any) (now, was pdfArray) {
	c.free(b)
	now, _ = c.value(c.new, a).(pdfArray)
	was, _ = c.value(c.old, b).(pdfArray)
	return now, was
}

// changedIf marks a change; not once something could not be read, for then nothing seems to be what it was.
func (c *comparison) changedIf(yes bool) { c.step.changed = c.step.changed || yes && c.err == nil }

// strict marks a change unless two values are alike.
func (c *comparison) strict(a, b any) { c.changedIf(!c.alike(a, b)) }

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

// twice says that a dictionary names a key twice and is not what it was: readers differ on which value counts.
func (c *comparison) twice(now, was *pdfDict) bool {
	return (now.repeated || was.repeated) && !equal(now, was)
}

// catalog compares the document's root. Most of it is about the window and the way around in the document; what does
// something by itself (/OpenAction, /AA, scripts) or decides what is seen must stay.
func (c *comparison) catalog(now, was *pdfDict) {
	if now == nil || was == nil || c.twice(now, was) {
		c.changedIf(true)
		return
	}
	for _, k := range keys(now, was) {
		a, b := now.get(k), was.get(k)
		switch k {
		case "AcroForm":
			c.form(a, b)
		case "DSS":
			c.dss(a, b)
		case "Names":
			c.names(a, b)
		case "OCProperties":
			c.optional(a, b)
		case "Perms", "OutputIntents":
			c.changedIf(b != nil && !c.alike(a, b))
		case "OpenAction":
			c.changedIf(!c.goesTo(a) && !c.alike(a, b))
		case "Extensions", "Metadata", "PageLabels", "ViewerPreferences", "MarkInfo", "PieceInfo", "Dests":
			c.free(b)
		case "Version", "Lang", "PageMode", "PageLayout", "Outlines", "StructTreeRoot":
		default:
			c.other(a, b)
		}
	}
}

// other compares what the standard gives no meaning that could be seen. Producers leave their names there.
func (c *comparison) other(a, b any) {
	_, text1 := a.(pdfString)
	_, text2 := b.(pdfString)
	if !text1 || !text2 && b != nil {
		c.strict(a, b)
	}
}

// goesTo says that an action only goes to a place in the document.
func (c *comparison) goesTo(a any) bool {
	switch v := c.value(c.new, a).(type) {
	case nil, pdfArray, pdfName, pdfString:
		return true
	case *pdfDict:
		return v.name("S") == "GoTo" && v.get("Next") == nil
	}
	return false
}

// names: named destinations come and go; an attachment is an addition; a script is a change.
func (c *comparison) names(a, b any) {
	c.free(b)
	now, was := c.pair(a, b)
	for _, k := range keys(now, was) {
		va, vb := now.get(k), was.get(k)
		switch {
		case k == "Dests":
			c.free(vb)
		case k == "EmbeddedFiles":
			c.step.marks = c.step.marks || !c.alike(va, vb) || c.touched(va)
			c.free(vb)
		default:
			c.strict(va, vb)
		}
	}
}

// dss compares the validation data: whatever they hold, nothing of it shows.
func (c *comparison) dss(a, b any) {
	c.changedIf(a == nil && b != nil)
	if !equal(a, b) || c.touched(a) {
		c.step.stamps = true
	}
	c.free(b)
	_, was := c.pair(nil, b)
	if was == nil {
		return
	}
	for _, v := range was.vals {
		c.free(v)
		vri, _ := c.value(c.old, v).(*pdfDict)
		if vri == nil {
			continue
		}
		for _, one := range vri.vals {
			c.free(one)
			if d, _ := c.value(c.old, one).(*pdfDict); d != nil {
				for _, list := range d.vals {
					c.free(list)
				}
			}
		}
	}
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

// optional compares optional content (layers): groups may come, for marks of their own. What is said of the old ones stays,
// for it hides and shows what was signed.
func (c *comparison) optional(a, b any) {
	c.changedIf(!c.extends(a, b, 0))
}

// extends says that a value has all that another had, and besides only what refers to new objects and changes no default.
func (c *comparison) extends(a, b any, depth int) bool {
	if c.alike(a, b) && !c.touched(a) {
		return true
	}
	if depth > 8 {
		return false
	}
	va, vb := c.value(c.new, a), c.value(c.old, b)
	if vb == nil {
		return c.allNew(a)
	}
	if r, ok := b.(pdfRef); ok && c.use.count[r.num] == 1 {
		c.explain(b)
	}
	switch vb := vb.(type) {
	case pdfArray:
		list, _ := va.(pdfArray)
		fresh := added(vb)
		for _, o := range list {
			if fresh(o) && !c.allNew(o) {
				return false
			}
		}
		return includes(list, vb)
	case *pdfDict:
		d, ok := va.(*pdfDict)
		if !ok || c.twice(d, vb) {
			return false
		}
		for _, k := range keys(d, vb) {
			if (k == "BaseState" || k == "Intent") && !equal(d.get(k), vb.get(k)) || !c.extends(d.get(k), vb.get(k), depth+1) {
				return false
			}
		}
		return true
	}
	return false
}

// allNew says that a value refers to no object of the old revision, nor do the new ones that it refers to.
func (c *comparison) allNew(o any) bool { return c.newOnly(o, map[uint32]bool{}) }

func (c *comparison) newOnly(o any, seen map[uint32]bool) bool {
	older := func(e any) bool { return !c.newOnly(e, seen) }
	switch o := o.(type) {
	case pdfRef:
		_, before := c.old.entry(o.num)
		if before || c.use.count[o.num] > 0 || len(seen) > 1000 {
			return false
		}
		if seen[o.num] {
			return true
		}
		seen[o.num] = true
		return c.newOnly(c.value(c.new, o), seen)
	case pdfArray:
		return !slices.ContainsFunc(o, older)
	case *pdfDict:
		if s := o.get("BaseState"); s != nil && s != pdfName("ON") {
			return false
		}
		return !slices.ContainsFunc(o.vals, older)
	}
	return true
}
