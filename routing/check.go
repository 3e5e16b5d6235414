package routing

import "strings"

// Check finds what is wrong between agencies: codes and old codes that two have, parents and successors that nobody is,
// circles. base is the directory that they are to be merged into by code, nil for none. Row is the agency's place + 2, as
// if they stood in a file under a header. At most MaxFaults.
func Check(base *Directory, agencies []Agency) []RowFault {
	rows := make([]int, len(agencies))
	for i := range rows {
		rows[i] = i + 2
	}
	c := checker{base: base, agencies: agencies, rows: rows}
	out := c.faults()
	return out[:min(len(out), MaxFaults)]
}

// checker sees the agencies of a file over those of the base: the file wins by code.
type checker struct {
	base     *Directory
	agencies []Agency
	rows     []int
	broken   map[string]bool // codes that the file names in rows with faults
	byKey    map[string]int
	out      []RowFault
}

func (c *checker) faults() []RowFault {
	c.byKey = make(map[string]int, len(c.agencies))
	for i, a := range c.agencies {
		if first, taken := c.byKey[a.Code.key()]; taken {
			c.fault(i, "code", string(a.Code), "duplicate_code", itoa(c.rows[first]))
			continue
		}
		c.byKey[a.Code.key()] = i
	}
	c.oldCodes()
	c.relations()
	c.circles("parent", "cycle", func(a Agency) []Code { return nonEmpty(a.Parent) })
	c.circles("successors", "successor_cycle", func(a Agency) []Code { return a.Successors })
	return c.out
}

func (c *checker) fault(i int, column, value, word, detail string) {
	if len(c.out) < MaxFaults {
		c.out = append(c.out, newFault(c.rows[i], column, value, word, detail))
	}
}

// get gives the agency of a code as it would be after the merge.
func (c *checker) get(code Code) (Agency, bool) {
	if i, ok := c.byKey[code.key()]; ok {
		return c.agencies[i], true
	}
	if c.base != nil {
		return c.base.Get(code)
	}
	return Agency{}, false
}

func (c *checker) known(code Code) bool {
	_, ok := c.get(code)
	return ok || c.broken[code.key()]
}

// oldCodes: an old form belongs to one agency, and is not another's code.
func (c *checker) oldCodes() {
	holder := make(map[string]Code)
	for i, a := range c.agencies {
		if a.OldCode == "" || a.OldCode.key() == a.Code.key() {
			continue
		}
		if other, ok := c.holds(a.OldCode, a.Code); ok {
			c.fault(i, "old_code", string(a.OldCode), "duplicate_old", string(other))
		} else if other, ok := holder[a.OldCode.key()]; ok {
			c.fault(i, "old_code", string(a.OldCode), "duplicate_old", string(other))
		}
		holder[a.OldCode.key()] = a.Code
	}
}

// holds says who but self would have old as code, or keeps it as old code in the base.
func (c *checker) holds(old, self Code) (Code, bool) {
	if a, ok := c.get(old); ok {
		return a.Code, true
	}
	if c.base == nil {
		return "", false
	}
	for _, a := range c.base.Find(string(old)) {
		_, replaced := c.byKey[a.Code.key()]
		if !replaced && a.Code.key() != self.key() {
			return a.Code, true
		}
	}
	return "", false
}

func (c *checker) relations() {
	for i, a := range c.agencies {
		if a.Parent != "" && !c.known(a.Parent) {
			c.fault(i, "parent", string(a.Parent), "orphan", "")
		}
		for _, s := range a.Successors {
			if !c.known(s) {
				c.fault(i, "successors", string(s), "unknown_successor", "")
			}
		}
	}
}

// circles finds rings along a relation. A new ring passes through the file, so only its agencies are begun from; each ring
// is named once, at the row where the walk closed it.
func (c *checker) circles(column, word string, to func(Agency) []Code) {
	w := walker{c: c, to: to, state: make(map[string]int8)}
	for i, a := range c.agencies {
		if ring := w.from(a); ring != nil {
			c.fault(i, column, string(ring[0]), word, join(ring))
		}
	}
}

// walker is a depth-first search with its own stack: a chain of 125,000 parents must not end the process.
type walker struct {
	c     *checker
	to    func(Agency) []Code
	state map[string]int8 // 1 on the path, 2 done
}

type step struct {
	at   Agency
	next []Code
}

// from walks from a and gives the first ring it meets, nil for none.
func (w *walker) from(a Agency) (ring []Code) {
	if w.state[a.Code.key()] != 0 {
		return nil
	}
	path := []step{{a, w.to(a)}}
	w.state[a.Code.key()] = 1
	for len(path) > 0 {
		top := &path[len(path)-1]
		if len(top.next) == 0 {
			w.state[top.at.Code.key()] = 2
			path = path[:len(path)-1]
			continue
		}
		code := top.next[0]
		top.next = top.next[1:]
		next, ok := w.c.get(code)
		if !ok {
			continue
		}
		switch w.state[next.Code.key()] {
		case 0:
			w.state[next.Code.key()] = 1
			path = append(path, step{next, w.to(next)})
		case 1:
			if ring == nil {
				ring = ringOf(path, next.Code)
			}
		}
	}
	return ring
}

// ringOf gives the codes of the path from where it first meets code, and code again.
func ringOf(path []step, code Code) []Code {
	var ring []Code
	for _, s := range path {
		if len(ring) > 0 || s.at.Code.key() == code.key() {
			ring = append(ring, s.at.Code)
		}
	}
	return append(ring, code)
}

// join writes a ring, its middle left out when it is long.
func join(ring []Code) string {
	var words []string
	for i, c := range ring {
		if len(ring) > 12 && i == 10 {
			words = append(words, "…")
		}
		if len(ring) <= 12 || i < 10 || i == len(ring)-1 {
			words = append(words, string(c))
		}
	}
	return strings.Join(words, " → ")
}

func nonEmpty(c Code) []Code {
	if c == "" {
		return nil
	}
	return []Code{c}
}
