package signing

import (
	"bytes"
	"math"
	"slices"
)

// leftovers looks at every object that the revision writes and nothing has explained. One that nothing referred to is no
// part of what was signed.
func (c *comparison) leftovers() {
	for _, num := range c.section.numbers() {
		c.ambiguous(num)
		was, inUse := c.old.entry(num)
		now, still := c.new.entry(num)
		switch {
		case num == 0 || was == now || c.explained[num] && was.generation() == now.generation():
		case !inUse:
			c.changedIf(still && c.use.count[num] > 0)
		case !still:
			c.freed = append(c.freed, num)
		case c.use.count[num] == 0:
		case was.generation() != now.generation():
			c.changedIf(true) // what refers to the old generation finds nothing
		default:
			c.changedIf(!c.unchanged(num) && !c.quiet(num))
		}
	}
}

// generation of an object; those in object streams have 0 (ISO 32000-1, 7.5.7).
func (e xrefEntry) generation() uint32 {
	if e.kind == 1 {
		return e.index
	}
	return 0
}

// ambiguous marks a change when the revision writes what readers differ on: a dictionary with a key twice, a reference to a
// generation that is not there.
func (c *comparison) ambiguous(num uint32) {
	o, err := c.new.load(num)
	c.note(err)
	c.changedIf((doubled(o) || c.astray(o)) && !c.unchanged(num))
	c.changedIf(c.misplaced(num, o))
}

// misplaced says that readers differ on where an object is or ends.
func (c *comparison) misplaced(num uint32, o any) bool {
	was, inUse := c.old.entry(num)
	now, ok := c.new.entry(num)
	if c.section.hides(num) && inUse && !c.old.hides(num) {
		return true // old readers, and some new, take the table for it: the object is gone
	}
	if !ok || now == was {
		return false
	}
	if now.kind == 2 {
		return !c.new.packedWell(num, now)
	}
	st, ok := o.(*pdfStream)
	return !c.new.doc.headIs(now, num) || ok && (c.use.count[num] > 0 || st.dict.name("Type") == "ObjStm") && !c.new.doc.delimited(st, &c.new)
}

// astray says that a value refers to another generation of an object than there is: nothing to some, that object to others.
func (c *comparison) astray(o any) bool {
	switch o := o.(type) {
	case pdfRef:
		e, ok := c.new.entry(o.num)
		return ok && e.generation() != o.gen
	case pdfArray:
		return slices.ContainsFunc(o, c.astray)
	case *pdfDict:
		return slices.ContainsFunc(o.vals, c.astray)
	case *pdfStream:
		return c.astray(o.dict)
	}
	return false
}

// unchanged compares an object in both revisions, data of streams included.
func (c *comparison) unchanged(num uint32) bool {
	a, err := c.new.load(num)
	c.note(err)
	b, err := c.old.load(num)
	c.note(err)
	return c.alikeValues(a, b, 0)
}

// quiet says that of an object only such keys changed as show nothing on a page: of the logical structure (ISO 32000-1,
// 14.7), of bookmarks, of number trees, of an annotation's housekeeping. A dictionary whose keys are names that content
// uses is never quiet.
func (c *comparison) quiet(num uint32) bool {
	a, _ := c.new.load(num)
	b, _ := c.old.load(num)
	now, ok1 := a.(*pdfDict)
	was, ok2 := b.(*pdfDict)
	if !ok1 || !ok2 || now.repeated || was.repeated || c.use.mapped[num] {
		return false
	}
	allowed := quietKeys(was)
	for _, k := range keys(now, was) {
		if k == "P" && was.get(k) == nil && c.isPage(now.get(k)) {
			continue // an annotation's page, which few readers want
		}
		if !slices.Contains(allowed, k) && !c.alike(now.get(k), was.get(k)) {
			return false
		}
	}
	return true
}

// quietKeys gives by the shape of a dictionary what may change in it unseen.
func quietKeys(d *pdfDict) []pdfName {
	kind := d.name("Type")
	switch {
	case d.get("Rect") != nil: // an annotation, whatever else it looks like
		if d.get("Subtype") != nil && d.get("FT") == nil {
			return []pdfName{"M", "NM", "StructParent", "Popup"}
		}
	case d.name("S") == "Transparency": // a group, whose /K shows
	case kind == "StructTreeRoot":
		return []pdfName{"K", "ParentTree", "ParentTreeNextKey", "IDTree", "RoleMap", "ClassMap", "Namespaces", "AF"}
	case kind == "StructElem", kind == "" && d.name("S") != "" && d.get("P") != nil && d.get("CS") == nil:
		return []pdfName{"K", "A", "C", "Lang", "Alt", "ActualText", "T", "ID", "Pg"}
	case kind == "Outlines", kind == "" && d.get("Title") != nil && d.get("Parent") != nil:
		return []pdfName{"First", "Last", "Next", "Prev", "Count", "Title", "Dest", "Parent", "C", "F", "SE"}
	case kind == "" && d.get("Nums") != nil:
		return []pdfName{"Nums", "Limits", "Kids"}
	}
	return nil
}

// alike compares a value of the new revision with one of the old. Two references to one object are alike: what became of
// that object is asked for by itself. Otherwise references are followed, for producers move values in and out of objects.
func (c *comparison) alike(a, b any) bool { return c.alikeAt(a, b, 0) }

func (c *comparison) alikeAt(a, b any, depth int) bool {
	ra, ok1 := a.(pdfRef)
	rb, ok2 := b.(pdfRef)
	if ok1 && ok2 && ra.num == rb.num {
		return ra.gen == rb.gen
	}
	if ok1 {
		a = c.value(c.new, a)
	}
	if ok2 {
		b = c.value(c.old, b)
	}
	return c.alikeValues(a, b, depth)
}

func (c *comparison) alikeValues(a, b any, depth int) bool {
	if c.budget--; c.budget < 0 {
		c.note(errPDFLimit)
	}
	if c.err != nil || depth > 12 {
		return equal(a, b)
	}
	switch a := a.(type) {
	case pdfArray:
		b, ok := b.(pdfArray)
		return ok && slices.EqualFunc(a, b, func(x, y any) bool { return c.alikeAt(x, y, depth+1) })
	case *pdfDict:
		b, ok := b.(*pdfDict)
		return ok && !c.twice(a, b) && c.alikeKeys(a, b, depth)
	case *pdfStream:
		b, ok := b.(*pdfStream)
		return ok && c.sameStream(a, b, depth)
	}
	return equal(a, b)
}

func (c *comparison) alikeKeys(a, b *pdfDict, depth int, but ...pdfName) bool {
	for _, k := range keys(a, b) {
		if !slices.Contains(but, k) && !c.alikeAt(a.get(k), b.get(k), depth+1) && !(isBox[k] && c.sameBox(a.get(k), b.get(k))) {
			return false
		}
	}
	return true
}

// isBox names the arrays of which every reader takes whole and real numbers alike. Elsewhere "49.0" is no 49: the code of a
// glyph in /Differences, for one, must be whole (ISO 32000-1, table 114).
var isBox = map[pdfName]bool{"Rect": true, "BBox": true, "Matrix": true, "MediaBox": true, "CropBox": true, "BleedBox": true, "TrimBox": true, "ArtBox": true}

func (c *comparison) sameBox(a, b any) bool {
	x, ok1 := c.value(c.new, a).(pdfArray)
	y, ok2 := c.value(c.old, b).(pdfArray)
	return ok1 && ok2 && slices.EqualFunc(x, y, func(a, b any) bool { return equal(real(a), real(b)) })
}

func real(o any) any {
	if n, ok := o.(int64); ok {
		return float64(n)
	}
	return o
}

// sameStream compares dictionaries and data. Data that were deflated anew are the same when they unpack to the same.
func (c *comparison) sameStream(a, b *pdfStream, depth int) bool {
	if c.twice(a.dict, b.dict) || !c.alikeKeys(a.dict, b.dict, depth, "Length", "Filter", "DecodeParms") {
		return false
	}
	if c.alike(a.dict.get("Filter"), b.dict.get("Filter")) && c.alike(a.dict.get("DecodeParms"), b.dict.get("DecodeParms")) {
		same, err := c.sameData(a, b)
		if c.note(err); same {
			return true
		}
	}
	if !plainlyCoded(a.dict) || !plainlyCoded(b.dict) {
		return false
	}
	x, err := c.new.doc.inflate(a, &c.new)
	if err != nil {
		return false
	}
	y, err := c.old.doc.inflate(b, &c.old)
	return err == nil && bytes.Equal(x, y)
}

// plainlyCoded says that readers agree on how the data are to be unpacked: some know abbreviations, some take one dictionary
// for all filters of a list, some do not.
func plainlyCoded(d *pdfDict) bool {
	for _, k := range []pdfName{"F", "DP", "FFilter", "FDecodeParms"} {
		if d.get(k) != nil {
			return false
		}
	}
	parms := d.get("DecodeParms")
	_, filters := d.get("Filter").(pdfArray)
	list, isList := parms.(pdfArray)
	return parms == nil || filters == isList && len(list) <= 1
}

// sameData compares the bytes as they stand in the file.
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

// equal compares two values without following references. Streams are never equal: sameStream compares those.
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
		return equalKeys(a, b)
	case pdfString:
		b, ok := b.(pdfString)
		return ok && bytes.Equal(a, b)
	case *pdfStream:
		return false
	case float64:
		if b, ok := b.(float64); ok {
			return near(a, b)
		}
	}
	switch b.(type) {
	case pdfArray, pdfString:
		return false
	}
	return a == b
}

// near says that two real numbers are the same to readers, which keep them in single precision (ISO 32000-1, annex C.2). So do
// producers that write them again.
func near(a, b float64) bool { return math.Abs(a-b) <= 2e-7*max(math.Abs(a), math.Abs(b)) }

func equalKeys(a, b *pdfDict) bool {
	if a.repeated || b.repeated { // which of the values counts is the reader's choice: all must stay
		return slices.Equal(a.keys, b.keys) && slices.EqualFunc(a.vals, b.vals, equal)
	}
	for _, k := range keys(a, b) {
		if !equal(a.get(k), b.get(k)) {
			return false
		}
	}
	return true
}
