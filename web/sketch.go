package web

import (
	"slices"

	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/signing"
)

// sketch is a page drawn small: where a signature shows, and what was laid over the page after it. The document itself is
// not drawn: the sketch tells a clerk where to look.
type sketch struct {
	Page          int
	Width, Height float64 // of the page in points; A4 where nothing is known, or what holds all boxes
	Boxes         []box
}

// box is a rectangle as SVG has it: from the top.
type box struct {
	X, Y, Width, Height float64
	Signature           bool // else a mark
	N                   int  // its number in the list beside the sketch; 0 for the signature
	Kind                phrase
}

// A4 in points.
const (
	a4Width  = 595.28
	a4Height = 841.89
)

// sketches draws the pages that a signature's marks are on, and none where there are no marks.
func sketches(s signing.SignatureReport) []sketch {
	pages := map[int]*sketch{}
	var order []int
	for i, m := range s.Marks {
		p := pages[m.Page]
		if p == nil {
			p = &sketch{Page: m.Page, Width: a4Width, Height: a4Height}
			pages[m.Page], order = p, append(order, m.Page)
			if s.Page == m.Page && s.Rect != nil {
				p.add(*s.Rect, box{Signature: true, Kind: phrase{"Chữ ký này", "This signature"}})
			}
		}
		p.add(m.Rect, box{N: i + 1, Kind: phrase(server.MarkWording(m.Kind))})
	}
	slices.Sort(order)
	list := make([]sketch, 0, len(order))
	for _, n := range order {
		list = append(list, pages[n].turned())
	}
	return list
}

// add keeps a box with its sides in PDF's own directions: Y is its top above the page's foot until turned.
func (p *sketch) add(r signing.Rect, b box) {
	left, right := min(r[0], r[2]), max(r[0], r[2])
	foot, top := min(r[1], r[3]), max(r[1], r[3])
	left, right = clamp(left), clamp(right)
	foot, top = clamp(foot), clamp(top)
	b.X, b.Y, b.Width, b.Height = left, top, max(right-left, 4), max(top-foot, 4) // what has no extent must be seen
	p.Boxes = append(p.Boxes, b)
	p.Width, p.Height = max(p.Width, right), max(p.Height, top)
}

// clamp keeps a stranger's numbers on a page of the largest size that ISO 32000 knows.
func clamp(v float64) float64 { return min(max(v, 0), 14400) }

// turned counts from the top, as SVG does.
func (p *sketch) turned() sketch {
	for i := range p.Boxes {
		p.Boxes[i].Y = p.Height - p.Boxes[i].Y
	}
	return *p
}
