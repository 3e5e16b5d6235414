package signing

import (
	"crypto/x509"
	"math"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// oid is the contents octets of an OBJECT IDENTIFIER, so that arcs of any size are compared.
type oid string

var anyPolicy = oid([]byte{0x55, 0x1D, 0x20, 0x00}) // 2.5.29.32.0

// maxPolicies bounds the policies and mappings of one certificate; those of practice have a dozen.
const maxPolicies = 1000

// policyExtensions are what a certificate says about policies (RFC 5280, 4.2.1.4, .5, .11, .14).
type policyExtensions struct {
	present                                 bool // certificatePolicies
	policies                                []oid
	mappings                                [][2]oid // issuerDomainPolicy, subjectDomainPolicy
	explicit, inhibitMapping, inhibitPolicy int      // SkipCerts; -1 when absent
}

// read takes one of the four extensions.
func (p *policyExtensions) read(id string, der []byte) bool {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	if id == "2.5.29.54" {
		return readSkip(&in, cbasn1.INTEGER, &p.inhibitPolicy) && in.Empty()
	}
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return false
	}
	switch id {
	case "2.5.29.32":
		return p.readPolicies(seq)
	case "2.5.29.33":
		return p.readMappings(seq)
	}
	first, second := cbasn1.Tag(0).ContextSpecific(), cbasn1.Tag(1).ContextSpecific()
	if seq.PeekASN1Tag(first) && !readSkip(&seq, first, &p.explicit) || seq.PeekASN1Tag(second) && !readSkip(&seq, second, &p.inhibitMapping) {
		return false
	}
	return seq.Empty() && (p.explicit >= 0 || p.inhibitMapping >= 0)
}

// readSkip reads SkipCerts, INTEGER (0..MAX); what does not fit is more than any path has.
func readSkip(in *cryptobyte.String, tag cbasn1.Tag, n *int) bool {
	var raw cryptobyte.String
	if !in.ReadASN1(&raw, tag) || len(raw) == 0 || raw[0]&0x80 != 0 {
		return false
	}
	*n = 0
	for _, b := range raw {
		if *n = *n<<8 | int(b); *n > math.MaxInt16 {
			*n = math.MaxInt16
		}
	}
	return true
}

func (p *policyExtensions) readPolicies(seq cryptobyte.String) bool {
	p.present = true
	seen := map[oid]bool{}
	for !seq.Empty() {
		var one, id cryptobyte.String
		if !seq.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) || seen[oid(id)] {
			return false // twice is forbidden (RFC 5280, 4.2.1.4)
		}
		if !one.Empty() && (!one.SkipASN1(cbasn1.SEQUENCE) || !one.Empty()) { // the qualifiers decide nothing
			return false
		}
		seen[oid(id)] = true
		p.policies = append(p.policies, oid(id))
	}
	return len(p.policies) > 0
}

func (p *policyExtensions) readMappings(seq cryptobyte.String) bool {
	for !seq.Empty() {
		var one, from, to cryptobyte.String
		if !seq.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1(&from, cbasn1.OBJECT_IDENTIFIER) ||
			!one.ReadASN1(&to, cbasn1.OBJECT_IDENTIFIER) || !one.Empty() {
			return false
		}
		p.mappings = append(p.mappings, [2]oid{oid(from), oid(to)})
	}
	return len(p.mappings) > 0
}

// policyInputs are the inputs (c), (e), (f), (g) of RFC 5280, 6.1.1.
type policyInputs struct {
	accepted                                []oid // user-initial-policy-set; empty: any
	explicit, inhibitMapping, inhibitPolicy bool
}

// policyNode is a valid_policy at one depth. There is one for each policy and depth, with all its parents: the tree of
// RFC 5280 can grow without bound, the graph of RFC 9618 cannot.
type policyNode struct {
	policy   oid
	expected []oid
	parents  []*policyNode
	root     bool // its parent stands for anyPolicy: here a policy of the anchor's domain begins
}

// policyGraph is the state of the policies while a path is walked from the anchor down.
type policyGraph struct {
	levels                                  []map[oid]*policyNode // nil: the valid_policy_graph is NULL
	explicit, inhibitMapping, inhibitPolicy int
}

func newPolicyGraph(n int, in policyInputs) *policyGraph {
	start := func(zero bool) int {
		if zero {
			return 0
		}
		return n + 1
	}
	top := &policyNode{policy: anyPolicy, expected: []oid{anyPolicy}}
	return &policyGraph{levels: []map[oid]*policyNode{{anyPolicy: top}}, explicit: start(in.explicit),
		inhibitMapping: start(in.inhibitMapping), inhibitPolicy: start(in.inhibitPolicy)}
}

// add is RFC 5280, 6.1.3 (d) to (f), with the graph of RFC 9618, 5.3.
func (g *policyGraph) add(c *certificate, last bool) Reason {
	switch {
	case len(c.policy.policies)+len(c.policy.mappings) > maxPolicies:
		return PathTooLong
	case !c.policy.present:
		g.levels = nil
	case g.levels != nil:
		g.grow(c, last)
	}
	if g.explicit == 0 && g.levels == nil {
		return PathPolicy
	}
	return ""
}

func (g *policyGraph) grow(c *certificate, last bool) {
	above := g.levels[len(g.levels)-1]
	by := map[oid][]*policyNode{} // parents by the policy that they expect
	for _, n := range above {
		for _, e := range n.expected {
			by[e] = append(by[e], n)
		}
	}
	level := map[oid]*policyNode{}
	grow := func(p oid, parents ...*policyNode) {
		level[p] = &policyNode{policy: p, expected: []oid{p}, parents: parents, root: parents[0].policy == anyPolicy}
	}
	free := above[anyPolicy]
	for _, p := range c.policy.policies {
		switch {
		case p == anyPolicy:
		case len(by[p]) > 0:
			grow(p, by[p]...)
		case free != nil:
			grow(p, free)
		}
	}
	if slices.Contains(c.policy.policies, anyPolicy) && (g.inhibitPolicy > 0 || !last && c.selfIssued()) {
		for p, parents := range by {
			if level[p] == nil {
				grow(p, parents...)
			}
		}
	}
	g.levels = append(g.levels, level)
	g.prune()
}

// prune leaves NULL when no policy reaches the lowest level. Nodes without children do no harm: what is good is asked
// from below.
func (g *policyGraph) prune() {
	if len(g.levels[len(g.levels)-1]) == 0 {
		g.levels = nil
	}
}

// descend is RFC 5280, 6.1.4 (a), (b) and (h) to (j): what an intermediate says to those below it.
func (g *policyGraph) descend(c *certificate) Reason {
	for _, m := range c.policy.mappings {
		if m[0] == anyPolicy || m[1] == anyPolicy {
			return PathMapping
		}
	}
	if len(c.policy.mappings) > 0 && g.levels != nil {
		g.apply(c.policy.mappings)
	}
	if !c.selfIssued() {
		g.explicit, g.inhibitMapping, g.inhibitPolicy = max(g.explicit-1, 0), max(g.inhibitMapping-1, 0), max(g.inhibitPolicy-1, 0)
	}
	g.explicit = atMost(g.explicit, c.policy.explicit)
	g.inhibitMapping = atMost(g.inhibitMapping, c.policy.inhibitMapping)
	g.inhibitPolicy = atMost(g.inhibitPolicy, c.policy.inhibitPolicy)
	return ""
}

func atMost(n, limit int) int {
	if limit >= 0 {
		return min(n, limit)
	}
	return n
}

func (g *policyGraph) apply(mappings [][2]oid) {
	level := g.levels[len(g.levels)-1]
	to, seen := map[oid][]oid{}, map[[2]oid]bool{}
	for _, m := range mappings {
		if !seen[m] {
			to[m[0]] = append(to[m[0]], m[1])
		}
		seen[m] = true
	}
	free := level[anyPolicy]
	for from, expected := range to {
		n := level[from]
		switch {
		case g.inhibitMapping == 0:
			delete(level, from)
		case n != nil:
			n.expected = expected
		case free != nil:
			level[from] = &policyNode{policy: from, expected: expected, parents: free.parents, root: true}
		}
	}
	g.prune()
}

// finish is RFC 5280, 6.1.5 (a), (b), (g): the policies, in the anchor's terms, that the path is good for.
func (g *policyGraph) finish(leaf *certificate, accepted []oid) ([]oid, Reason) {
	explicit := max(g.explicit-1, 0)
	if leaf.policy.explicit == 0 {
		explicit = 0
	}
	good := g.good(accepted)
	if len(good) == 0 && explicit == 0 {
		return nil, PathPolicy
	}
	return good, ""
}

func (g *policyGraph) good(accepted []oid) []oid {
	if g.levels == nil {
		return nil
	}
	anything := len(accepted) == 0 || slices.Contains(accepted, anyPolicy)
	var out []oid
	lowest := g.levels[len(g.levels)-1]
	if lowest[anyPolicy] != nil {
		if !anything {
			return accepted
		}
		out = append(out, anyPolicy)
	}
	reached := map[*policyNode]bool{}
	var climb func(n *policyNode)
	climb = func(n *policyNode) {
		if reached[n] {
			return
		}
		reached[n] = true
		if n.root && n.policy != anyPolicy && (anything || slices.Contains(accepted, n.policy)) && !slices.Contains(out, n.policy) {
			out = append(out, n.policy)
		}
		for _, p := range n.parents {
			climb(p)
		}
	}
	for _, n := range lowest {
		climb(n)
	}
	slices.Sort(out)
	return out
}

// dotted is the form that people read.
func (o oid) dotted() string {
	var id x509.OID
	if id.UnmarshalBinary([]byte(o)) != nil {
		return "?"
	}
	return id.String()
}

// readOID reads the form that people write. One that is none never matches.
func readOID(text string) oid {
	id, err := x509.ParseOID(text)
	if err != nil {
		return oid(text)
	}
	contents, _ := id.MarshalBinary()
	return oid(contents)
}
