package routing

// Resolve gives the live agency that given names, as its code or as its registered old form, in any case and with blanks
// around it. Everything else is a *CodeError that says what is wrong and what could be meant: it never guesses (R49).
// The mechanical equivalence of the two forms finds nothing here; it only makes suggestions.
func (d *Directory) Resolve(given string) (Agency, error) {
	i, fault := d.resolve(given, true)
	if fault != nil {
		return Agency{}, fault
	}
	return d.agencies[i], nil
}

// resolve with hints also looks for suggestions, which costs up to a millisecond.
func (d *Directory) resolve(given string, hints bool) (int32, *CodeError) {
	i, ok := d.keys[given]
	if ok && i >= 0 && d.agencies[i].Status == Live {
		return i, nil
	}
	found := d.find(given)
	switch {
	case len(found) == 0:
		return 0, d.notFound(given, hints)
	case len(found) > 1:
		return 0, ambiguous(given, d.pick(found), d.labels(found))
	}
	i = found[0]
	switch a := d.agencies[i]; a.Status {
	case Live:
		return i, nil
	case Locked:
		e := locked(given, a)
		e.Suggestions = d.pick(d.namesakes(i, MaxSuggestions))
		return 0, e
	default:
		heirs := d.heirs(i)
		e := closed(given, a, d.pick(heirs), d.labels(heirs))
		if len(heirs) == 0 {
			same := d.namesakes(i, MaxSuggestions)
			e.Suggestions = d.pick(same)
			e.offer(d.labels(same))
		}
		return 0, e
	}
}

func (d *Directory) notFound(given string, hints bool) *CodeError {
	e := unknown(given)
	if _, err := ParseCode(given); err != nil {
		e = err.(*CodeError)
	}
	if hints {
		is := d.suggest(given, MaxSuggestions)
		e.Suggestions = d.pick(is)
		e.offer(d.labels(is))
	}
	return e
}

// heirs follows successors until they are not closed themselves. An unknown successor is left out; a ring ends.
func (d *Directory) heirs(i int32) []int32 {
	var out []int32
	seen := map[int32]bool{i: true}
	queue := []int32{i}
	for len(queue) > 0 {
		a := d.agencies[queue[0]]
		queue = queue[1:]
		for _, c := range a.Successors {
			s, ok := d.at(c)
			if !ok || seen[s] {
				continue
			}
			seen[s] = true
			if d.agencies[s].Status == Closed {
				queue = append(queue, s)
			} else {
				out = append(out, s)
			}
		}
	}
	return out
}

// Predecessors gives the agencies whose successor c is, also by way of others that are closed by now, in tree order: their
// seals and names live on in its documents for a while.
func (d *Directory) Predecessors(c Code) []Agency {
	i, ok := d.at(c)
	if !ok {
		return nil
	}
	return d.pick(d.former[i])
}

func (d *Directory) indexFormer() {
	d.former = map[int32][]int32{}
	for i := range d.agencies {
		if len(d.agencies[i].Successors) > 0 {
			for _, h := range d.heirs(int32(i)) {
				d.former[h] = append(d.former[h], int32(i))
			}
		}
	}
}

// Recipient is one agency that a dispatch goes to.
type Recipient struct {
	Given     string // as addressed; with two writings of one agency, the first
	Agency    Agency
	Route     Route
	Connected bool // somebody serves it; else Route is empty
}

// Doubled is an agency that was given more than once, in either form. It gets one delivery (issue 2, line 3).
type Doubled struct {
	Agency Agency
	Given  []string // all writings, in order
	VI, EN string
}

// Expand resolves all recipients of a dispatch: the agencies in the order given, each once; every code that is wrong; every
// agency that was given twice. With any fault the dispatch is refused as a whole. Thirty thousand take about 6 ms.
// The first 50 faults come with suggestions, for those of thirty thousand wrong codes would take half a minute.
func (d *Directory) Expand(given []string) (rs []Recipient, faults []*CodeError, doubled []Doubled) {
	const hinted = 50
	rs = make([]Recipient, 0, len(given))
	first, again := make(map[int32]int, len(given)), make(map[int32]int)
	for _, g := range given {
		i, fault := d.resolve(g, len(faults) < hinted)
		if fault != nil {
			faults = append(faults, fault)
			continue
		}
		n, seen := first[i]
		if !seen {
			first[i] = len(rs)
			route, ok := d.routeAt(i)
			rs = append(rs, Recipient{Given: g, Agency: d.agencies[i], Route: route, Connected: ok})
			continue
		}
		k, ok := again[i]
		if !ok {
			k = len(doubled)
			again[i] = k
			doubled = append(doubled, Doubled{Agency: rs[n].Agency, Given: []string{rs[n].Given}})
		}
		doubled[k].Given = append(doubled[k].Given, g)
	}
	for k := range doubled {
		doubled[k].say(d)
	}
	return rs, faults, doubled
}
