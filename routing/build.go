package routing

import (
	"cmp"
	"slices"
	"strings"
)

// builder brings agencies into tree order.
type builder struct {
	agencies []Agency // without second holders of a code
	byKey    map[string]int32
	parent   []int32
	share    map[string]string
}

func newBuilder(agencies []Agency) *builder {
	b := &builder{
		agencies: make([]Agency, 0, len(agencies)),
		byKey:    make(map[string]int32, len(agencies)),
		share:    make(map[string]string),
	}
	for _, a := range agencies {
		key := a.Code.key()
		if _, taken := b.byKey[key]; taken {
			continue
		}
		b.byKey[key] = int32(len(b.agencies))
		b.agencies = append(b.agencies, b.thrifty(a))
	}
	return b
}

// thrifty lets agencies share the few strings that thousands of them repeat; a database gives each row its own copy.
func (b *builder) thrifty(a Agency) Agency {
	a.Kind, a.Decision, a.CodeSource = b.shared(a.Kind), b.shared(a.Decision), b.shared(a.CodeSource)
	a.Status = Status(b.shared(string(cmp.Or(a.Status, Live))))
	if len(a.Successors) == 0 {
		a.Successors = nil
	}
	return a
}

func (b *builder) shared(s string) string {
	if known, ok := b.share[s]; ok {
		return known
	}
	b.share[s] = s
	return s
}

// findParents sets the parent of each, by its entry or by its code, and cuts cycles.
func (b *builder) findParents() {
	b.parent = make([]int32, len(b.agencies))
	for i := range b.agencies {
		b.parent[i] = b.parentOf(int32(i))
	}
	b.cutCycles()
	for i, p := range b.parent {
		b.agencies[i].Parent = ""
		if p >= 0 {
			b.agencies[i].Parent = b.agencies[p].Code
		}
	}
}

func (b *builder) parentOf(i int32) int32 {
	a := b.agencies[i]
	if p, ok := b.byKey[a.Parent.key()]; ok && a.Parent != "" {
		if p == i {
			return -1
		}
		return p
	}
	code := a.Code.key()
	for {
		dot := strings.LastIndexByte(code, '.')
		if dot < 0 {
			return -1
		}
		code = code[:dot]
		if p, ok := b.byKey[code]; ok {
			return p
		}
	}
}

// cutCycles makes the lowest code of each ring of parents a root. Each agency is walked over once: seen[i] is the number
// of the walk that met it first, and a walk that meets its own number has closed a ring.
func (b *builder) cutCycles() {
	seen := make([]int32, len(b.agencies))
	for start := range b.agencies {
		walk := int32(start) + 1
		i := int32(start)
		for i >= 0 && seen[i] == 0 {
			seen[i] = walk
			i = b.parent[i]
		}
		if i >= 0 && seen[i] == walk {
			b.parent[b.lowestOfRing(i)] = -1
		}
	}
}

func (b *builder) lowestOfRing(start int32) int32 {
	low := start
	for i := b.parent[start]; i != start; i = b.parent[i] {
		if b.agencies[i].Code.Compare(b.agencies[low].Code) < 0 {
			low = i
		}
	}
	return low
}

// treeOrder gives the indices with every parent directly before all under it, brothers by code.
func (b *builder) treeOrder() []int32 {
	sorted := make([]int32, len(b.agencies))
	for i := range sorted {
		sorted[i] = int32(i)
	}
	slices.SortFunc(sorted, func(x, y int32) int {
		return cmp.Or(b.agencies[x].Code.Compare(b.agencies[y].Code), cmp.Compare(x, y))
	})
	// Linked lists of children, filled from the back so that each list is in order.
	roots, child, next := int32(-1), fill(len(sorted), -1), fill(len(sorted), -1)
	for _, i := range slices.Backward(sorted) {
		head := &roots
		if p := b.parent[i]; p >= 0 {
			head = &child[p]
		}
		next[i], *head = *head, i
	}
	order := make([]int32, 0, len(sorted))
	stack := []int32{roots}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if i < 0 {
			continue
		}
		order = append(order, i)
		stack = append(stack, next[i], child[i])
	}
	return order
}

// laidOut copies the agencies in tree order and says for each its parent and where what is under it ends.
func (b *builder) laidOut(order []int32) (agencies []Agency, parent, end []int32) {
	agencies = make([]Agency, len(order))
	parent, end = make([]int32, len(order)), make([]int32, len(order))
	place := make([]int32, len(order))
	for to, from := range order {
		place[from] = int32(to)
		agencies[to], parent[to], end[to] = b.agencies[from], -1, int32(to)+1
		if p := b.parent[from]; p >= 0 {
			parent[to] = place[p]
		}
	}
	for i, p := range slices.Backward(parent) {
		if p >= 0 {
			end[p] = max(end[p], end[i])
		}
	}
	return agencies, parent, end
}

func fill(n int, v int32) []int32 { return slices.Repeat([]int32{v}, n) }
