package routing

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxQuery = 400 // bytes of a query that are looked at
	maxWords = 16  // words of a query: one bit each
)

// Search finds agencies by code in either form or its beginning, by name, by abbreviation (UBND, Sở TN&MT) and by the names
// over them, without regard to accents and case; "dinh my an giang" finds Định Mỹ first (R56). Every word of q must be in
// the name or come down from a parent, and one at least in the agency's own name; a word may be cut short. When no agency
// has all words, those that have the most come. The closed ones come too, lower; a picker filters with Agency.Pickable.
// At most limit agencies, the best first; about 2 ms among 125,000. Show them with Label: names repeat.
func (d *Directory) Search(q string, limit int) []Agency {
	return d.pick(d.search(q, limit))
}

func (d *Directory) search(q string, limit int) []int32 {
	if limit <= 0 || len(d.agencies) == 0 {
		return nil
	}
	if len(q) > maxQuery {
		q = strings.ToValidUTF8(q[:maxQuery], "")
	}
	out := d.searchCode(q, limit)
	if len(out) >= limit {
		return out
	}
	for _, i := range d.searchWords(q, limit+len(out)) {
		if len(out) < limit && !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	return out
}

// searchCode finds by code: the agency itself in any writing, then those whose code begins so.
func (d *Directory) searchCode(q string, limit int) []int32 {
	code, err := ParseCode(q)
	if err != nil || !strings.ContainsAny(string(code), "0123456789") {
		return nil
	}
	out := slices.Clone(d.find(string(code)))
	if len(out) == 0 {
		for _, t := range code.turned() {
			out = append(out, d.find(string(t))...)
		}
	}
	key := code.key()
	for i := range d.agencies {
		if len(out) >= limit {
			break
		}
		if strings.HasPrefix(string(d.agencies[i].Code), key) && !slices.Contains(out, int32(i)) {
			out = append(out, int32(i))
		}
	}
	return out[:min(len(out), limit)]
}

// marks says for each agency which words of the query it has, a bit for each word.
type marks struct{ exact, begun []uint16 }

// A million small writes for each keystroke of every clerk: the scratch space is used again.
var marksPool = sync.Pool{New: func() any { return new(marks) }}

func (m *marks) reset(n int) {
	if cap(m.exact) < n {
		m.exact, m.begun = make([]uint16, n), make([]uint16, n)
	}
	m.exact, m.begun = m.exact[:n], m.begun[:n]
	clear(m.exact)
	clear(m.begun)
}

func (d *Directory) searchWords(q string, limit int) []int32 {
	folded := Fold(q)
	words := strings.Fields(folded)
	words = words[:min(len(words), maxWords)]
	if len(words) == 0 {
		return nil
	}
	m := marksPool.Get().(*marks)
	defer marksPool.Put(m)
	m.reset(len(d.agencies))
	for n, w := range words {
		bit := uint16(1) << n
		// One letter begins far too many words, unless it is the one being typed.
		prefix := len(w) > 1 || n == len(words)-1
		d.words.each(w, prefix, func(i int32, exact bool) {
			m.begun[i] |= bit
			if exact {
				m.exact[i] |= bit
			}
		})
	}
	best := d.rank(m, len(words), limit)
	d.refine(best, q, folded)
	return best[:min(len(best), limit)]
}

// rank walks the tree once, parents first, handing down what they have, and keeps the best agencies: four times the limit,
// because refine looks closer.
func (d *Directory) rank(m *marks, words, limit int) []int32 {
	top := best{most: max(4*limit, 100)}
	exactAbove, begunAbove := make([]uint16, 0, 8), make([]uint16, 0, 8) // by depth: what the ancestors have
	ends := make([]int32, 0, 8)
	for i := range d.agencies {
		for len(ends) > 0 && int32(i) >= ends[len(ends)-1] {
			ends = ends[:len(ends)-1]
		}
		depth := len(ends)
		var exactOver, begunOver uint16
		if depth > 0 {
			exactOver, begunOver = exactAbove[depth-1], begunAbove[depth-1]
		}
		exact, begun := m.exact[i], m.begun[i]
		if begun != 0 {
			top.offer(int32(i), d.score(i, depth, words, exact, begun, exactOver, begunOver))
		}
		if d.end[i] > int32(i)+1 {
			ends = append(ends, d.end[i])
			exactAbove = append(exactAbove[:depth], exact|exactOver)
			begunAbove = append(begunAbove[:depth], begun|begunOver)
		}
	}
	return top.sorted()
}

// score: words found at all decide; then the agency's own words over inherited ones, whole words over begun ones, short
// names over long ones, high ones over low ones.
func (d *Directory) score(i, depth, words int, exact, begun, exactOver, begunOver uint16) int {
	found := bits.OnesCount16(begun | begunOver)
	if 2*found < words {
		return 0
	}
	own, ownExact := bits.OnesCount16(begun), bits.OnesCount16(exact)
	overExact := bits.OnesCount16(exactOver &^ begun)
	s := 10000*found + 40*own + 60*ownExact + 30*overExact
	s -= 4*max(int(d.words.size[i])-own, 0) + 3*depth
	switch d.agencies[i].Status {
	case Closed:
		s -= 200
	case Locked:
		s -= 20
	}
	return s
}

// refine orders the few best by what a count of words cannot see: the words in their order, and the accents as typed.
func (d *Directory) refine(is []int32, q, folded string) {
	typed := strings.ToLower(norm.NFC.String(strings.TrimSpace(q)))
	accented := utf8.RuneCountInString(typed) != len(typed)
	bonus := make(map[int32]int, len(is))
	for n, i := range is {
		name := d.agencies[i].Name
		foldedName := " " + Fold(name) + " "
		b := -n // keeps the order of rank among equals
		if strings.Contains(foldedName, " "+folded+" ") {
			b += 10000
		}
		if strings.HasSuffix(foldedName, " "+folded+" ") {
			b += 10000
		}
		if accented && strings.Contains(strings.ToLower(name), typed) {
			b += 50000
		}
		bonus[i] = b + 1000*shared(foldedName, folded)
		if d.agencies[i].Status == Closed {
			bonus[i] -= 12000 // under every live one of this name, over those that only have the words
		}
	}
	slices.SortStableFunc(is, func(x, y int32) int { return cmp.Compare(bonus[y], bonus[x]) })
}

// shared counts how many words from the beginning of the query stand in the name as a phrase ("dinh my" of "dinh my an giang").
func shared(paddedName, folded string) int {
	words := strings.Fields(folded)
	for n := len(words); n > 0; n-- {
		if strings.Contains(paddedName, " "+strings.Join(words[:n], " ")+" ") {
			return n
		}
	}
	return 0
}

// best keeps the highest scores, the earlier agency first among equals.
type best struct {
	most int
	heap []scored // the worst on top
}

type scored struct {
	i     int32
	score int
}

func (s scored) worse(t scored) bool {
	return s.score < t.score || s.score == t.score && s.i > t.i
}

func (b *best) offer(i int32, score int) {
	if score <= 0 {
		return
	}
	s := scored{i, score}
	if len(b.heap) < b.most {
		b.heap = append(b.heap, s)
		for n := len(b.heap) - 1; n > 0 && b.heap[n].worse(b.heap[(n-1)/2]); n = (n - 1) / 2 {
			b.heap[n], b.heap[(n-1)/2] = b.heap[(n-1)/2], b.heap[n]
		}
		return
	}
	if !b.heap[0].worse(s) {
		return
	}
	b.heap[0] = s
	b.sink()
}

func (b *best) sink() {
	for n := 0; ; {
		low := n
		for _, c := range []int{2*n + 1, 2*n + 2} {
			if c < len(b.heap) && b.heap[c].worse(b.heap[low]) {
				low = c
			}
		}
		if low == n {
			return
		}
		b.heap[n], b.heap[low] = b.heap[low], b.heap[n]
		n = low
	}
}

// sorted gives the best first, and of those only the ones that have as many words of the query as the first.
func (b *best) sorted() []int32 {
	slices.SortFunc(b.heap, func(s, t scored) int {
		return cmp.Or(cmp.Compare(t.score, s.score), cmp.Compare(s.i, t.i))
	})
	var out []int32
	for _, s := range b.heap {
		if (s.score+5000)/10000 == (b.heap[0].score+5000)/10000 {
			out = append(out, s.i)
		}
	}
	return out
}
