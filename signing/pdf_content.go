package signing

import (
	"bytes"
	"strings"
)

const maxSearched = 1_000

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
	if len(names) > 0 && len(was) > 0 {
		c.calledBefore(was, names)
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
	if at > 0 || len(now) > len(was) {
		c.overlay(num, page)
	}
}

// findParts gives the place where the old streams stand in the new list, one after the other and unchanged; else -1.
func (c *comparison) findParts(now, was pdfArray) int {
	for at := 0; at+len(was) <= len(now); at++ {
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
	x, err1 := c.text(c.new, now)
	y, err2 := c.text(c.old, was)
	if err1 != nil || err2 != nil {
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
	if len(bytes.TrimSpace(head))+len(bytes.TrimSpace(rest)) > 0 {
		c.overlay(num, page)
	}
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

// overlay notes content that was appended to a page.
func (c *comparison) overlay(num uint32, page *pdfDict) {
	c.step.appended = true
	c.markPage(num, page)
}

// calledBefore asks whether the old content already called for a name that it lacked: given now, it shows or hides what was
// signed. Content that cannot be read is left to the warning that something was appended.
func (c *comparison) calledBefore(was pdfArray, names []pdfName) {
	if c.searched++; c.searched > maxSearched {
		c.step.marks = true
		return
	}
	text, err := c.text(c.old, was)
	if err != nil {
		c.step.marks = true
		return
	}
	text = []byte(unescapeName(text))
	for _, n := range names {
		c.changedIf(callsFor(string(text), string(n)))
	}
}

func callsFor(text, name string) bool {
	for {
		i := strings.Index(text, "/"+name)
		if i < 0 {
			return false
		}
		text = text[i+1+len(name):]
		if text == "" || class[text[0]] != 0 {
			return true
		}
	}
}
