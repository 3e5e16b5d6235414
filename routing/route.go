package routing

import "strings"

// Way is how a system gets its documents.
type Way string

// The three ways (design, section 4).
const (
	Pull    Way = "pull"    // the system asks
	Push    Way = "push"    // the axis calls its webhook
	Mailbox Way = "mailbox" // hosted here
)

// Serving says that a system serves a code, or with Subtree that code and all under it.
type Serving struct {
	System  string
	Code    Code
	Subtree bool
	Way     Way
}

// ParseServing reads "H29.12" (that code) or "H29.12.*" (it and all under it).
// The error is a *CodeError of kind CodeMalformed.
func ParseServing(s string) (code Code, subtree bool, err error) {
	bare, subtree := strings.CutSuffix(trim(s), ".*")
	code, err = ParseCode(bare)
	return code, subtree, err
}

// String writes the serving's code as ParseServing reads it.
func (s Serving) String() string {
	if s.Subtree {
		return string(s.Code) + ".*"
	}
	return string(s.Code)
}

// Route is where a code leads now, and by which serving: the entry that explains it.
type Route struct {
	System  string
	Way     Way
	Serving Code
	Subtree bool // the serving is the whole subtree of Serving
}

// Route says where c leads. The longest match wins: a serving of exactly c, then one of its subtree, then of its parent's
// subtree, and so on up. !ok: nobody serves it, or the code is unknown. The status is not looked at: what was sent to a
// code before it closed still has a way.
func (d *Directory) Route(c Code) (Route, bool) {
	i, ok := d.at(c)
	if !ok {
		return Route{}, false
	}
	return d.routeAt(i)
}

func (d *Directory) routeAt(i int32) (Route, bool) {
	n := d.route[i]
	if n < 0 {
		return Route{}, false
	}
	s := d.servings[n]
	return Route{System: s.System, Way: s.Way, Serving: s.Code, Subtree: s.Subtree}, true
}

// Serves says whether system acts for c: sends in its name and gets its documents. Only the system to which c leads does,
// so a hub of H29.* does not act for H29.12 once that has its own.
func (d *Directory) Serves(system string, c Code) bool {
	r, ok := d.Route(c)
	return ok && r.System == system
}

// Manages says whether system keeps the entry of c in the directory: the nearest serving of a whole subtree that covers c is
// its own (QĐ 28/2018/QĐ-TTg, art. 16: each ministry and province manages its own codes). A hub of H29.* manages H29.12 also
// when that has a system of its own, but nothing under H29.12 once another hub has H29.12.*.
func (d *Directory) Manages(system string, c Code) bool {
	i, ok := d.at(c)
	return ok && d.care[i] >= 0 && d.servings[d.care[i]].System == system
}

// ServedBy lists the codes for which system acts, in tree order, the closed ones too.
func (d *Directory) ServedBy(system string) []Code {
	var out []Code
	for i, a := range d.agencies {
		if n := d.route[i]; n >= 0 && d.servings[n].System == system {
			out = append(out, a.Code)
		}
	}
	return out
}

// connect decides for every agency which serving leads. Parents come first, so what a parent hands down is known.
// Servings of unknown codes lead nowhere.
func (d *Directory) connect(servings []Serving) {
	d.servings = append([]Serving(nil), servings...)
	exact, subtree := make(map[int32]int32), make(map[int32]int32)
	for n, s := range d.servings {
		i, ok := d.at(s.Code)
		if !ok {
			continue
		}
		entries := exact
		if s.Subtree {
			entries = subtree
		}
		if _, taken := entries[i]; !taken {
			entries[i] = int32(n)
		}
	}
	d.care = make([]int32, len(d.agencies))
	d.route = make([]int32, len(d.agencies))
	for i := range d.agencies {
		d.care[i] = -1
		if p := d.parent[i]; p >= 0 {
			d.care[i] = d.care[p]
		}
		if n, ok := subtree[int32(i)]; ok {
			d.care[i] = n
		}
		d.route[i] = d.care[i]
		if n, ok := exact[int32(i)]; ok {
			d.route[i] = n
		}
	}
}
