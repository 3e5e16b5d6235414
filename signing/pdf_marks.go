package signing

// maxMarks bounds what is told of one signature; a page that bears more is not drawn better by telling.
const maxMarks = 200

// mark notes where an annotation or a field's widget lies.
func (c *comparison) mark(page uint32, d *pdfDict) {
	r := c.new.rect(d)
	if r[0] == r[2] || r[1] == r[3] || d.name("Subtype") == "Popup" {
		return
	}
	c.draw(c.tree[page], r, string(d.name("Subtype")))
}

func (c *comparison) draw(page int, r [4]float64, kind string) {
	if page == 0 || len(c.step.drawn) == maxMarks {
		return
	}
	c.step.drawn = append(c.step.drawn, Mark{Page: page, Rect: upright(r), Kind: kind})
}

// upright orders the corners of a rectangle, which a file may give as any two that are opposite (ISO 32000-1, 7.9.5).
func upright(r [4]float64) [4]float64 {
	return [4]float64{min(r[0], r[2]), min(r[1], r[3]), max(r[0], r[2]), max(r[1], r[3])}
}

// markPage notes that content was appended to a page: anywhere within its box.
func (c *comparison) markPage(num uint32, page *pdfDict) {
	box := page.get("CropBox")
	if box == nil {
		box = c.effective(c.new, page, "CropBox")
	}
	if box == nil {
		box = c.effective(c.new, page, "MediaBox")
	}
	c.draw(c.tree[num], c.new.rectangle(box), "Content")
}
