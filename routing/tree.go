package routing

import (
	"slices"
	"strings"
)

// Children gives the agencies directly under c, in the order of codes, the closed ones too.
func (d *Directory) Children(c Code) []Agency {
	top, ok := d.at(c)
	if !ok {
		return nil
	}
	var out []Agency
	for i := top + 1; i < d.end[top]; i = d.end[i] {
		out = append(out, d.agencies[i])
	}
	return out
}

// Roots gives the agencies under nobody: ministries, provinces, and what else stands alone.
func (d *Directory) Roots() []Agency {
	var out []Agency
	for i := int32(0); int(i) < len(d.agencies); i = d.end[i] {
		out = append(out, d.agencies[i])
	}
	return out
}

// Subtree gives c and all codes under it, parents first, the closed ones too. Nothing for an unknown code.
func (d *Directory) Subtree(c Code) []Code {
	top, ok := d.at(c)
	if !ok {
		return nil
	}
	out := make([]Code, 0, d.end[top]-top)
	for _, a := range d.agencies[top:d.end[top]] {
		out = append(out, a.Code)
	}
	return out
}

// Under says whether c is top or lies under it.
func (d *Directory) Under(top, c Code) bool {
	t, known := d.at(top)
	i, ok := d.at(c)
	return known && ok && i >= t && i < d.end[t]
}

// Path gives the ancestors of c from the root down, c itself last. Nothing for an unknown code.
func (d *Directory) Path(c Code) []Agency {
	i, ok := d.at(c)
	if !ok {
		return nil
	}
	var out []Agency
	for ; i >= 0; i = d.parent[i] {
		out = append(out, d.agencies[i])
	}
	slices.Reverse(out)
	return out
}

// Label names an agency so that homonyms differ: "H01.151 xã Định Mỹ (An Giang)" (R56: code, name, parents).
// For an unknown code it is the code alone.
func (d *Directory) Label(c Code) string {
	i, ok := d.at(c)
	if !ok {
		return string(c)
	}
	return d.label(i)
}

func (d *Directory) label(i int32) string {
	s := string(d.agencies[i].Code) + " " + d.agencies[i].ShortName()
	const most = 5 // parents named; a real code has three
	var over []string
	for p := d.parent[i]; p >= 0 && len(over) < most; p = d.parent[p] {
		over = append(over, d.agencies[p].ShortName())
	}
	if len(over) > 0 {
		s += " (" + strings.Join(over, ", ") + ")"
	}
	return s
}

func (d *Directory) labels(is []int32) []string {
	out := make([]string, len(is))
	for n, i := range is {
		out[n] = d.label(i)
	}
	return out
}

func (d *Directory) pick(is []int32) []Agency {
	out := make([]Agency, len(is))
	for n, i := range is {
		out[n] = d.agencies[i]
	}
	return out
}
