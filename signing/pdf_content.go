package signing

import "bytes"

const maxSearched = 10_000 // streams, over all revisions

// contents compares what a page draws. All that was drawn must be drawn still, in order and first: content that comes after
// it lies over it. Before it nothing may come but what saves the graphics state ("q"), as tools do that append; anything
// else could move, clip or recolour what was signed. names are the resources that came with the revision.
func (c *comparison) contents(num uint32, page, before *pdfDict, names []pdfName) {
	a, b := page.get("Contents"), before.get("Contents")
	now, was := c.parts(c.new, a), c.parts(c.old, b)
	if !equal(a, b) || c.touched(b) || c.anyTouched(was) {
		c.compareParts(num, page, now, was)
		if _, isArray := c.value(c.old, b).(pdfArray); isArray {
			c.free(b)
		}
	}
	if len(names) > 0 {
		c.calledBefore(before, was, names)
	}
}

func (c *comparison) anyTouched(list pdfArray) bool {
	for _, o := range list {
		if c.touched(o) {
			return true
		}
	}
	return false
}

// parts gives the streams of /Contents, which is one or an array.
func (c *comparison) parts(v pdfView, o any) pdfArray {
	switch list := c.value(v, o).(type) {
	case nil:
		return nil
	case pdfArray:
		return list
	}
	return pdfArray{o}
}

func (c *comparison) compareParts(num uint32, page *pdfDict, now, was pdfArray) {
	at := c.findParts(now, was)
	if at < 0 {
		c.compareText(num, page, now, was)
		return
	}
	for _, o := range now[:at] {
		text, err := c.text(c.new, pdfArray{o})
		c.changedIf(err != nil || !neutral(text))
	}
	if text, err := c.text(c.new, now[at+len(was):]); err != nil || !idle(text) {
		c.overlay(num, page)
	}
}

// findParts gives the place where the old streams stand in the new list, one after the other and unchanged; else -1.
func (c *comparison) findParts(now, was pdfArray) int {
	for at := 0; at+len(was) <= len(now); at++ {
		if c.budget -= len(was); c.budget < 0 {
			c.note(errPDFLimit)
			return -1
		}
		if !equal(now[at:at+len(was)], was) {
			continue
		}
		for _, o := range was {
			r, _ := o.(pdfRef)
			if c.touched(o) && !c.unchanged(r.num) {
				return -1
			}
		}
		return at
	}
	return -1
}

// compareText serves producers that write old and new content into one stream.
func (c *comparison) compareText(num uint32, page *pdfDict, now, was pdfArray) {
	if len(now)+len(was) > maxSearched {
		c.note(errPDFLimit)
		return
	}
	x, err1 := c.text(c.new, now)
	y, err2 := c.text(c.old, was)
	if err1 != nil || err2 != nil || !c.settled(c.new, now) || !c.settled(c.old, was) {
		c.changedIf(true)
		return
	}
	head, rest, found := bytes.Cut(x, bytes.TrimSpace(y))
	if !found || !neutral(head) || joined(head, true) || joined(rest, false) {
		c.changedIf(true)
		return
	}
	for _, o := range was {
		c.free(o)
	}
	if !idle(rest) {
		c.overlay(num, page)
	}
}

// settled says that readers agree on the data of content streams.
func (c *comparison) settled(v pdfView, list pdfArray) bool {
	for _, o := range list {
		st, ok := c.value(v, o).(*pdfStream)
		if !ok || !plainlyCoded(st.dict) || v == c.new && !v.doc.delimited(st, &v) {
			return false
		}
	}
	return true
}

// joined says that no white space parts the old content from what stands before or behind it.
func joined(text []byte, before bool) bool {
	switch {
	case len(text) == 0:
		return false
	case before:
		return class[text[len(text)-1]] != 1
	}
	return class[text[0]] != 1
}

// text joins the data of content streams as a reader does (ISO 32000-1, 7.8.2).
func (c *comparison) text(v pdfView, list pdfArray) ([]byte, error) {
	var out []byte
	for _, o := range list {
		o, err := v.resolve(o)
		if err != nil {
			return nil, err
		}
		st, ok := o.(*pdfStream)
		if !ok {
			return nil, errPDFSyntax
		}
		data, err := v.doc.inflate(st, &v)
		if err != nil {
			return nil, err
		}
		out = append(append(out, data...), '\n')
	}
	return out, nil
}

// neutral says that content does nothing but save the graphics state.
func neutral(text []byte) bool {
	for _, word := range bytes.Fields(text) {
		if string(word) != "q" {
			return false
		}
	}
	return true
}

// idle says that content at the end of a page only saves and restores the graphics state: tools write that around marks that
// they then lay over the page as annotations.
func idle(text []byte) bool {
	for _, word := range bytes.Fields(text) {
		if string(word) != "q" && string(word) != "Q" {
			return false
		}
	}
	return true
}

// overlay notes content that was appended to a page.
func (c *comparison) overlay(num uint32, page *pdfDict) {
	c.step.appended = true
	c.markPage(num, page)
}

// calledBefore asks whether the old content already called for a name that it lacked: given now, it shows or hides what was
// signed. Content that cannot be read is left to the warning that something was appended.
func (c *comparison) calledBefore(page *pdfDict, was pdfArray, list []pdfName) {
	names := make(map[pdfName]bool, len(list))
	for _, k := range list {
		names[k] = true
	}
	if c.use.searched++; c.use.searched > maxSearched {
		c.step.marks = true
		return
	}
	text, err := c.text(c.old, was)
	c.step.marks = c.step.marks || err != nil
	c.callsIn(text, names)
	n := nested{comparison: c, names: names, seen: map[uint32]bool{}}
	n.resources(c.effective(c.old, page, "Resources"), 0)
	annots, _ := c.value(c.old, page.get("Annots")).(pdfArray)
	for _, o := range annots {
		n.looks(dictOf(c.value(c.old, o)).get("AP"), 0)
	}
}

// callsIn looks for names in content.
func (c *comparison) callsIn(text []byte, names map[pdfName]bool) {
	for i := bytes.IndexByte(text, '/'); i >= 0; i = bytes.IndexByte(text, '/') {
		l := lexer{b: text, p: i + 1}
		c.changedIf(names[unescapeName(l.word())])
		text = text[l.p:]
	}
}

// nested searches what a page's content is made of: forms, patterns, glyphs, looks of annotations. Those without a name in
// their own resources take it from the page's, many readers find.
type nested struct {
	*comparison
	names map[pdfName]bool
	seen  map[uint32]bool
}

// resources searches what resources name.
func (n *nested) resources(o any, depth int) {
	if n.again(o, depth) {
		return
	}
	d := dictOf(n.value(n.old, o))
	for _, kind := range []pdfName{"XObject", "Pattern"} {
		list := dictOf(n.value(n.old, d.get(kind)))
		for i := range list.size() {
			n.stream(list.vals[i], depth+1)
		}
	}
	fonts := dictOf(n.value(n.old, d.get("Font")))
	for i := range fonts.size() {
		font := dictOf(n.value(n.old, fonts.vals[i]))
		glyphs := dictOf(n.value(n.old, font.get("CharProcs")))
		for k := range glyphs.size() {
			n.stream(glyphs.vals[k], depth+1)
		}
		if glyphs != nil {
			n.resources(font.get("Resources"), depth+1)
		}
	}
}

// looks searches the appearances of an annotation.
func (n *nested) looks(o any, depth int) {
	if o == nil || depth > 3 {
		return
	}
	switch v := n.value(n.old, o).(type) {
	case *pdfStream:
		n.stream(o, depth)
	case *pdfDict:
		for _, e := range v.vals {
			n.looks(e, depth+1)
		}
	}
}

// stream searches one content stream.
func (n *nested) stream(o any, depth int) {
	if n.again(o, depth) {
		return
	}
	st, ok := n.value(n.old, o).(*pdfStream)
	if !ok || st.dict.name("Subtype") == "Image" {
		return
	}
	text, err := n.text(n.old, pdfArray{o})
	n.step.marks = n.step.marks || err != nil
	n.callsIn(text, n.names)
	n.resources(st.dict.get("Resources"), depth+1)
}

// again says that a value was searched, or that no more is.
func (n *nested) again(o any, depth int) bool {
	if r, ok := o.(pdfRef); ok {
		if n.seen[r.num] {
			return true
		}
		n.seen[r.num] = true
	}
	n.use.searched++
	over := n.use.searched > maxSearched || depth > 32
	n.step.marks = n.step.marks || over
	return o == nil || over || n.err != nil
}
