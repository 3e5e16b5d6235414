package signing

import (
	"bytes"
	"slices"
	"time"
)

// Limits on path building: a message can bring certificates that lead in circles.
const (
	maxPath  = 12  // certificates in a path
	maxTries = 100 // certificates' signatures checked, and paths judged, for one signer
	maxSpent = 600 // and for one file
	maxSteps = 3000
)

// purpose is what the leaf of a path is wanted for.
type purpose int

const (
	forSigning purpose = iota
	forTimestamps
	forCRLs
	forAnything // no demand on the leaf's key usage
)

// path is a way from a leaf to an anchor. Certificates are leaf first; the anchor's own comes last.
type path struct {
	certs    []*certificate
	anchor   anchor
	reasons  []Reason
	policies []oid // that the path is good for, in the anchor's terms
}

// builder looks for paths.
type builder struct {
	trust   *lazyTrust
	anchors []anchor
	pool    []*certificate
	at      time.Time
	why     purpose
	policy  policyInputs
	revoked func(*path) []Reason // what revocation says of a path without other fault
	tries   int
	spent   *int // of the file
	links   map[[2]*certificate]Reason
	stuck   []*certificate // for which no issuer was found, or none whose key fits
	forks   bool           // somewhere there was a choice of issuers
	best    *path
	weight  int
	limit   int  // certificates in the paths looked for now
	cut     bool // there was a way on, beyond limit
	steps   int
	full    bool // gave up for want of tries
}

// findPath gives the best path from leaf to an anchor, judged at a time: the first without fault, else the one whose
// fault weighs least. Where there is a choice, a path with a revoked certificate gives way to one without. A nil path
// says that there is none.
func (j judge) findPath(anchors []anchor, extra []*certificate, leaf *certificate, at time.Time, why purpose) (*path, []Reason) {
	if len(anchors) == 0 {
		return nil, []Reason{NoAnchor}
	}
	b := &builder{trust: j.trust, at: at, why: why, spent: j.spent, links: map[[2]*certificate]Reason{}}
	if why == forAnything {
		b.policy = j.policy // nobody asks for policies of those who sign lists or timestamps
	}
	if why != forCRLs { // who signs lists is asked while revocation is: it must not turn in a circle
		b.revoked = func(p *path) []Reason { return j.revocations(p, extra, at, false, time.Time{}).reasons }
	}
	seen := map[[32]byte]bool{leaf.sum: true}
	for _, a := range anchors {
		if a.counts(at) {
			b.anchors = append(b.anchors, a)
			seen[a.cert.sum] = true
		}
	}
	for _, c := range slices.Concat(extra, j.trust.pool) {
		if !seen[c.sum] {
			b.pool = append(b.pool, c)
			seen[c.sum] = true
		}
	}
	b.search(leaf)
	if b.best != nil {
		return b.best, b.best.reasons
	}
	reasons := []Reason{b.deadEnd()}
	if leaf.flaw != "" {
		reasons = append(reasons, leaf.flaw)
	}
	return nil, reasons
}

// counts says whether an anchor was in force at a time: from From on, and until before Until (R82).
func (a Anchor) counts(at time.Time) bool {
	return !at.Before(a.From) && (a.Until.IsZero() || at.Before(a.Until))
}

// search deepens step by step, so that a short way is found before all the long ones that hostile certificates offer.
func (b *builder) search(leaf *certificate) {
	for b.limit = 1; b.limit <= maxPath && !b.done(); b.limit++ {
		b.cut = false
		b.extend([]*certificate{leaf})
		if !b.cut {
			return
		}
	}
	b.full = b.full || b.best == nil
}

// extend tries to lead certs, leaf first, further up to a path of exactly limit certificates.
func (b *builder) extend(certs []*certificate) {
	last := certs[len(certs)-1]
	if a := b.anchorOf(last); a != nil {
		if len(certs) == b.limit {
			b.offer(path{certs: certs, anchor: *a})
		}
		return
	}
	if b.steps++; b.steps > maxSteps {
		b.full = true
	}
	above, pool := b.issuers(certs)
	b.forks = b.forks || len(above)+len(pool) > 1
	if len(certs) == b.limit-1 && len(pool) > 0 || len(certs) == b.limit { // only an anchor can end it here
		b.cut, pool = true, nil
	}
	if len(certs) == b.limit {
		return
	}
	led := false
	for _, c := range slices.Concat(above, pool) {
		if b.done() {
			return
		}
		if b.fits(last, c) {
			led = true
			b.extend(append(certs[:len(certs):len(certs)], c))
		}
	}
	if !led && !b.cut && len(b.stuck) < 10 && !contains(b.stuck, last) {
		b.stuck = append(b.stuck, last)
	}
}

// issuers are the anchors and the certificates that by their name may have issued the last of certs. Key identifiers are
// hints: those that fit come first, and none is left out for them (RFC 5280, 4.2.1.1; RFC 4158, 3.5).
func (b *builder) issuers(certs []*certificate) (above, pool []*certificate) {
	last := certs[len(certs)-1]
	for _, a := range b.anchors {
		if a.cert.owner == last.issuer {
			above = append(above, a.cert)
		}
	}
	for _, c := range b.pool {
		if c.owner == last.issuer && !slices.ContainsFunc(certs, c.sameHolder) {
			pool = append(pool, c)
		}
	}
	byHint := func(x, y *certificate) int { return b.hint(last, x) - b.hint(last, y) }
	slices.SortStableFunc(above, byHint)
	slices.SortStableFunc(pool, byHint)
	return above, pool
}

// hint ranks an issuer: 0 is the likeliest.
func (b *builder) hint(c, issuer *certificate) int {
	n := 0
	if keyIDsDiffer(c, issuer) {
		n += 2
	}
	if b.at.Before(issuer.x.NotBefore) || b.at.After(issuer.x.NotAfter) {
		n++
	}
	return n
}

// fits says whether going on from c to an issuer is worthwhile: its key must have signed c, as far as one can know.
func (b *builder) fits(c, issuer *certificate) bool {
	if issuer.key.dsa != nil && issuer.key.dsa.incomplete() {
		return true // only the whole path gives the parameters
	}
	why := b.link(c, issuer)
	return why != SignatureMismatch && why != AlgorithmMismatch
}

// link checks the signature of c by the issuer's key, once.
func (b *builder) link(c, issuer *certificate) Reason {
	key := [2]*certificate{c, issuer}
	why, known := b.links[key]
	if known {
		return why
	}
	if !b.spend() {
		return PathTooLong
	}
	why = b.trust.signedBy(c, issuer)
	b.links[key] = why
	return why
}

func (b *builder) anchorOf(c *certificate) *anchor {
	for i := range b.anchors {
		if b.anchors[i].cert.is(c) {
			return &b.anchors[i]
		}
	}
	return nil
}

// done says that a path without fault was found, or that it is enough.
func (b *builder) done() bool { return b.full || b.best != nil && b.weight == 0 }

func (b *builder) spend() bool {
	b.tries++
	*b.spent++
	b.full = b.full || b.tries > maxTries || *b.spent > maxSpent
	return !b.full
}

// offer judges a complete path and keeps it when it is better than the best so far.
func (b *builder) offer(p path) {
	if !b.spend() {
		return
	}
	p.certs = inheritKeys(p.certs)
	p.reasons = b.judge(&p)
	w := weight(p.reasons)
	if w == 0 && b.forks && b.revoked != nil {
		w = weight(b.revoked(&p))
	}
	if b.best == nil || w < b.weight {
		b.best, b.weight = &p, w
	}
}

// weight is 0 for what is valid; warnings weigh nothing.
func weight(reasons []Reason) int {
	switch verdict, _ := decide(reasons); verdict {
	case Valid:
		return 0
	case Undetermined:
		return 100 + len(reasons)
	}
	return 200 + len(reasons)
}

// deadEnd says why there is no path: for want of tries, of an issuer, or because the issuer's key did not make the
// signature, or made it under another name.
func (b *builder) deadEnd() Reason {
	if b.full {
		return PathTooLong
	}
	for _, c := range b.stuck {
		for _, issuer := range b.everyone() {
			if issuer.owner == c.issuer && !keyIDsDiffer(c, issuer) && !b.fits(c, issuer) {
				return PathSignature
			}
		}
	}
	for _, c := range b.stuck {
		all := b.everyone()
		slices.SortStableFunc(all, func(x, y *certificate) int { return b.hint(c, x) - b.hint(c, y) })
		for _, issuer := range all {
			if issuer.x.IsCA && issuer.owner != c.issuer && b.link(c, issuer) == "" {
				return PathNameChaining
			}
		}
	}
	return Untrusted
}

func (b *builder) everyone() []*certificate {
	out := slices.Clone(b.pool)
	for _, a := range b.anchors {
		out = append(out, a.cert)
	}
	return out
}

// keyIDsDiffer lets the key identifiers choose among issuers of one name. They are hints: absent ones match.
func keyIDsDiffer(c, issuer *certificate) bool {
	a, s := c.x.AuthorityKeyId, issuer.x.SubjectKeyId
	return len(a) > 0 && len(s) > 0 && !bytes.Equal(a, s)
}

func contains(list []*certificate, c *certificate) bool {
	for _, have := range list {
		if have.is(c) {
			return true
		}
	}
	return false
}
