package routing

import (
	"cmp"
	"slices"
	"strings"
)

// MaxSuggestions is how many agencies the answer to a wrong code proposes at most.
const MaxSuggestions = 5

// Suggest gives the live agencies that a wrong code may have meant, the likeliest first: the other writing of the code
// (reversed groups, other separators, O for 0), the heirs of a closed code, codes that are one slip away, two slips away
// under the same parent, and, when what was given is a name, the agencies of that name. Nothing is ever sent to one of
// these without a person's choice (R49).
func (d *Directory) Suggest(given string, limit int) []Agency {
	return d.pick(d.suggest(given, limit))
}

func (d *Directory) suggest(given string, limit int) []int32 {
	s := suggestions{d: d, limit: limit}
	written := strings.ToUpper(trim(given))
	if len(written) <= 2*MaxCode {
		for _, w := range rewritten(written) {
			s.addCode(w)
			for _, t := range Code(w).turned() {
				s.addCode(string(t))
			}
		}
		s.addSlips(written)
		s.addNear(written)
	}
	if !s.full() && len(given) <= maxQuery && strings.Count(Fold(given), " ") > 0 {
		for _, i := range d.search(given, limit) {
			s.add(i)
		}
	}
	return s.found
}

// suggestions collects live agencies without doubles, up to a limit.
type suggestions struct {
	d     *Directory
	limit int
	found []int32
}

func (s *suggestions) full() bool { return len(s.found) >= s.limit }

// add takes a live agency, or in place of a closed one its heirs.
func (s *suggestions) add(i int32) {
	a := s.d.agencies[i]
	if a.Status == Closed {
		for _, heir := range s.d.heirs(i) {
			s.add(heir)
		}
		return
	}
	if !s.full() && a.Pickable() && !slices.Contains(s.found, i) {
		s.found = append(s.found, i)
	}
}

func (s *suggestions) addCode(code string) {
	for _, i := range s.d.find(code) {
		s.add(i)
	}
}

// rewritten gives what was written, with other separators as dots, and with the letters that are read for digits.
func rewritten(written string) []string {
	dotted := strings.Join(strings.FieldsFunc(written, func(r rune) bool { return !codeRune(r) || r == '.' }), ".")
	joined := strings.Join(strings.Fields(written), "")
	out := []string{written, dotted, joined}
	groups := strings.Split(dotted, ".")
	for i, g := range groups {
		if i == 0 && len(g) > 0 { // the level-1 letter stays
			groups[i] = g[:1] + lookalikes.Replace(g[1:])
		} else {
			groups[i] = lookalikes.Replace(g)
		}
	}
	return append(out, strings.Join(groups, "."))
}

var lookalikes = strings.NewReplacer("O", "0", "Q", "0", "I", "1", "L", "1", "Z", "2", "S", "5", "B", "8")

const codeLetters = "0123456789.ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// addSlips tries every code that is one slip away (a character wrong, missing, too many, two swapped): some 2,600 look-ups
// in a map, which is cheaper than measuring the distance to each of 125,000 codes.
func (s *suggestions) addSlips(written string) {
	if s.full() || len(written) > MaxCode+1 {
		return
	}
	var near []int32
	var buf [MaxCode + 2]byte
	try := func(head, letter, tail string) {
		slip := append(append(append(buf[:0], head...), letter...), tail...)
		if i, ok := s.d.keys[string(slip)]; ok && i >= 0 {
			near = append(near, i)
		} else if ok {
			near = append(near, s.d.clashes[-1-i]...)
		}
	}
	for i := range len(written) + 1 {
		head, tail := written[:i], written[i:]
		for n := range len(codeLetters) {
			letter := codeLetters[n : n+1]
			try(head, letter, tail) // one missing
			if tail != "" {
				try(head, letter, tail[1:]) // one wrong
			}
		}
		if len(tail) > 0 {
			try(head, "", tail[1:]) // one too many
		}
		if len(tail) > 1 {
			try(head, tail[1:2]+tail[:1], tail[2:]) // two swapped
		}
	}
	s.addNearest(written, near)
}

// addNear tries, when nothing was nearer, what is two slips away under the nearest parent that does exist, and that parent.
func (s *suggestions) addNear(written string) {
	const most = 2000 // children looked at, so that a flat directory of 100,000 is not measured one by one
	if len(s.found) > 0 || len(written) > MaxCode+1 {
		return
	}
	over := written
	for dot := strings.LastIndexByte(over, '.'); dot > 0; dot = strings.LastIndexByte(over, '.') {
		over = over[:dot]
		found := s.d.find(over)
		if len(found) != 1 {
			continue
		}
		var near []int32
		for n, i := 0, found[0]+1; i < s.d.end[found[0]] && n < most; i, n = s.d.end[i], n+1 {
			if distance(written, s.d.agencies[i].Code.key()) <= 2 {
				near = append(near, i)
			}
		}
		s.addNearest(written, near)
		s.add(found[0])
		return
	}
}

// addNearest adds near in the order of distance, then of code.
func (s *suggestions) addNearest(written string, near []int32) {
	slices.SortFunc(near, func(x, y int32) int {
		a, b := s.d.agencies[x], s.d.agencies[y]
		return cmp.Or(
			cmp.Compare(distance(written, a.Code.key()), distance(written, b.Code.key())),
			a.Code.Compare(b.Code))
	})
	for _, i := range near {
		s.add(i)
	}
}

// distance counts the slips between two codes: characters wrong, missing, too many, or two neighbours swapped.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		now := make([]int, len(b)+1)
		now[0] = i + 1
		for j := range len(b) {
			wrong := last[j]
			if a[i] != b[j] {
				wrong++
			}
			now[j+1] = min(wrong, last[j+1]+1, now[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				now[j+1] = min(now[j+1], before[j-1]+1)
			}
		}
		before, last = last, now
	}
	return last[len(b)]
}

// namesakes gives the live agencies of the same name as agency i, those under the same parent first.
func (d *Directory) namesakes(i int32, limit int) []int32 {
	name := Fold(d.agencies[i].Name)
	var same []int32
	for _, j := range d.search(d.agencies[i].Name, 4*limit) {
		if j != i && d.agencies[j].Pickable() && Fold(d.agencies[j].Name) == name {
			same = append(same, j)
		}
	}
	slices.SortStableFunc(same, func(x, y int32) int {
		far := func(j int32) int {
			if d.parent[j] == d.parent[i] {
				return 0
			}
			return 1
		}
		return cmp.Compare(far(x), far(y))
	})
	return same[:min(len(same), limit)]
}
