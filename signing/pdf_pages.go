package signing

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

const (
	maxPages         = 20_000
	maxPagesCompared = 100_000 // over all revisions
)

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
		return nil
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

// pages compares the pages that the revision writes, or whose lists of annotations, of content or of resources it writes.
func (c *comparison) pages() {
	parts := slices.ContainsFunc(c.section.numbers(), func(n uint32) bool { return c.use.parts[n] })
	for _, num := range slices.SortedFunc(maps.Keys(c.tree), c.byPage) {
		n := c.tree[num]
		if c.err != nil {
			return
		}
		if _, written := c.section.find(num); !written && !parts {
			continue
		}
		if c.use.pages++; c.use.pages > maxPagesCompared {
			c.note(errPDFLimit)
			return
		}
		now, was := c.pair(pdfRef{num: num}, pdfRef{num: num})
		switch {
		case now == nil || was == nil:
			c.changedIf(true)
		case n == 0:
			c.pageNode(num, now, was)
		case c.reaches(num, now, was):
			c.page(num, now, was)
		}
	}
}

// byPage orders the objects of the page tree as a reader turns the pages: one document is always told of alike.
func (c *comparison) byPage(a, b uint32) int {
	return cmp.Or(cmp.Compare(c.tree[a], c.tree[b]), cmp.Compare(a, b))
}

// pageNode compares a node of the tree above the pages, which may hold resources for them.
func (c *comparison) pageNode(num uint32, now, was *pdfDict) {
	if _, written := c.section.find(num); !written || c.unchanged(num) {
		return
	}
	c.explain(pdfRef{num: num})
	c.changedIf(c.twice(now, was))
	for _, k := range keys(now, was) {
		if k == "Resources" {
			c.resources(now.get(k), was.get(k))
		} else {
			c.other(now.get(k), was.get(k))
		}
	}
}

// reaches says that the revision writes a page, or something of which the page is made.
func (c *comparison) reaches(num uint32, now, was *pdfDict) bool {
	if _, written := c.section.find(num); written || c.touched(was.get("Annots")) || c.touched(was.get("Contents")) {
		return true
	}
	resources := c.effective(c.old, was, "Resources")
	if c.touched(resources) {
		return true
	}
	d := dictOf(c.value(c.old, resources))
	if d == nil {
		return false
	}
	for _, v := range d.vals {
		if c.touched(v) {
			return true
		}
	}
	parts, _ := c.value(c.old, was.get("Contents")).(pdfArray)
	for _, p := range parts {
		if c.touched(p) {
			return true
		}
	}
	return false
}

// effective gives an attribute of a page, which it may inherit from the nodes above (ISO 32000-1, 7.7.3.4).
func (c *comparison) effective(v pdfView, page *pdfDict, key pdfName) any {
	for range 40 {
		if o := page.get(key); o != nil || page == nil {
			return o
		}
		page = dictOf(c.value(v, page.get("Parent")))
	}
	return nil
}

func (c *comparison) page(num uint32, now, was *pdfDict) {
	if c.twice(now, was) || c.use.mapped[num] {
		c.changedIf(true)
		return
	}
	c.explain(pdfRef{num: num})
	for _, k := range keys(now, was) {
		a, b := now.get(k), was.get(k)
		switch k {
		case "Annots":
			c.annotations(num, a, b)
		case "Contents", "Resources":
		case "MediaBox", "CropBox":
			c.changedIf(!c.sameArea(c.box(c.new, now, k), c.box(c.old, was, k)))
		case "BleedBox", "TrimBox", "ArtBox":
			c.changedIf(!c.sameArea(a, b))
		case "Rotate":
			c.strict(c.box(c.new, now, k), c.box(c.old, was, k))
		case "LastModified", "PieceInfo", "Metadata", "Thumb":
			c.free(b)
		case "Tabs", "StructParents":
		case "Group":
			c.step.appended = c.step.appended || b == nil
			c.changedIf(b != nil && !c.alike(a, b))
		default:
			c.other(a, b)
		}
	}
	names := c.resources(c.effective(c.new, now, "Resources"), c.effective(c.old, was, "Resources"))
	c.contents(num, now, was, names)
}

// box gives an attribute that says how the page is cut and turned, or its default.
func (c *comparison) box(v pdfView, page *pdfDict, key pdfName) any {
	o := c.effective(v, page, key)
	switch {
	case o == nil && key == "CropBox":
		return c.value(v, c.effective(v, page, "MediaBox"))
	case o == nil && key == "Rotate":
		return int64(0)
	}
	return c.value(v, o)
}

// sameArea compares two rectangles on a page. Producers that write a page again round them to a hundredth of a point, which
// no one sees.
func (c *comparison) sameArea(a, b any) bool {
	if c.alike(a, b) {
		return true
	}
	x, ok1 := c.value(c.new, a).(pdfArray)
	y, ok2 := c.value(c.old, b).(pdfArray)
	return ok1 && ok2 && slices.EqualFunc(x, y, func(a, b any) bool {
		m, ok1 := real(a).(float64)
		n, ok2 := real(b).(float64)
		return ok1 && ok2 && math.Abs(m-n) < 0.0051
	})
}

// resources compares what content may name: more may come under new names, what there was stays. It gives the names that
// came. A new default colour space would recolour what was signed.
func (c *comparison) resources(a, b any) (names []pdfName) {
	if c.alike(a, b) && a != nil && !c.touched(b) && !c.categoriesTouched(b) {
		return nil
	}
	now, was := c.pair(a, b)
	c.explainAs(b, c.use.resources)
	if now == nil {
		c.changedIf(was != nil)
		return nil
	}
	c.changedIf(was != nil && c.twice(now, was))
	for _, kind := range keys(now, was) {
		va, vb := now.get(kind), was.get(kind)
		if kind == "ProcSet" {
			c.free(vb) // of no effect since PDF 1.4
			continue
		}
		dnow, dwas := c.pair(va, vb)
		if dnow == nil {
			c.changedIf(dwas != nil)
			continue
		}
		if dwas.get("ShadingType") == nil {
			c.explainAs(vb, c.use.categories)
		}
		names = append(names, c.named(dnow, dwas)...)
	}
	return names
}

func (c *comparison) categoriesTouched(o any) bool {
	d := dictOf(c.value(c.old, o))
	if d == nil {
		return false
	}
	for _, v := range d.vals {
		if c.touched(v) {
			return true
		}
	}
	return false
}

// named compares one category of resources and gives the names that are new in it.
func (c *comparison) named(now, was *pdfDict) (names []pdfName) {
	c.changedIf(was != nil && c.twice(now, was))
	for _, k := range keys(now, was) {
		if was.get(k) != nil {
			c.strict(now.get(k), was.get(k))
			continue
		}
		names = append(names, k)
		c.changedIf(k == "DefaultGray" || k == "DefaultRGB" || k == "DefaultCMYK")
	}
	return names
}

// annotations: none may go; those that come are signature widgets or marks.
func (c *comparison) annotations(page uint32, a, b any) {
	now, was := c.arrays(a, b)
	c.changedIf(!includes(now, was))
	fresh := added(was)
	for _, o := range now {
		if fresh(o) {
			c.annotation(page, o)
		}
	}
}

func (c *comparison) annotation(page uint32, o any) {
	d, _ := c.value(c.new, o).(*pdfDict)
	if d == nil {
		return
	}
	if d.name("Subtype") == "Widget" && c.inherited(d, "FT") == pdfName("Sig") {
		c.signatureWidget(o, d)
		if !c.shows(d) || c.modest(page, o, d) {
			return
		}
	}
	c.step.marks = true
	c.mark(page, d)
}

// signatureWidget: one that is not in the form looks like a signature and is none, unless it holds one that is judged: some
// signers forget the form.
func (c *comparison) signatureWidget(o any, d *pdfDict) {
	r, ok := o.(pdfRef)
	if ok && c.fields[r.num] {
		return
	}
	v, isRef := d.get("V").(pdfRef)
	at, _ := c.new.entry(v.num)
	c.changedIf(!ok || !isRef || !slices.ContainsFunc(c.list, func(s *pdfSignature) bool {
		return !s.stray && s.field.ref == r && s.field.sig == v && s.field.at == at
	}))
	c.freshSignature(d)
}

// modest says that a widget which came to a page shows a signature of this revision as signatures look: one image on a part
// of the page. Whatever else shows by way of a signature field is laid over the page like any mark.
func (c *comparison) modest(page uint32, o any, d *pdfDict) bool {
	if r, _ := o.(pdfRef); r.num > 0 {
		if _, before := c.old.entry(r.num); before {
			return false
		}
	}
	v, signed := c.signatureOf(d)
	if !signed {
		return d.get("AP") == nil && d.get("MK") == nil
	}
	first := !c.shown[v]
	c.shown[v] = true
	whole := c.new.rectangle(c.box(c.new, dictOf(c.value(c.new, pdfRef{num: page})), "MediaBox"))
	return first && area(c.new.rect(d)) <= area(whole)/4
}

func area(r [4]float64) float64 {
	r = upright(r)
	return (r[2] - r[0]) * (r[3] - r[1])
}

// signatureOf gives the object of the signature in a widget's field.
func (c *comparison) signatureOf(field *pdfDict) (num uint32, ok bool) {
	for range 32 {
		if v := field.get("V"); v != nil || field == nil {
			r, ok := v.(pdfRef)
			return r.num, ok
		}
		field = dictOf(c.value(c.new, field.get("Parent")))
	}
	return 0, false
}

// shows says whether a widget has an area.
func (c *comparison) shows(d *pdfDict) bool {
	r := c.new.rect(d)
	return r[0] != r[2] && r[1] != r[3]
}

// inherited looks a field's key up, in it or in its parents.
func (c *comparison) inherited(d *pdfDict, key pdfName) any {
	for range 32 {
		if v := d.get(key); v != nil || d == nil {
			return c.value(c.new, v)
		}
		d = dictOf(c.value(c.new, d.get("Parent")))
	}
	c.note(errPDFSyntax)
	return nil
}
