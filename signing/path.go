package signing

import (
	"bytes"
	"time"
)

// Limits on path building: a message can bring certificates that lead in circles.
const (
	maxPath  = 10  // certificates in a path
	maxTries = 100 // certificates' signatures checked for one signer
	maxSpent = 600 // and for one file
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
	certs   []*certificate
	anchor  anchor
	reasons []Reason
}

// builder looks for paths.
type builder struct {
	trust   *lazyTrust
	anchors []anchor
	pool    []*certificate
	at      time.Time
	why     purpose
	tries   int
	spent   *int // of the file
	best    *path
	full    bool // gave up for want of tries
}

// findPath gives the best path from leaf to an anchor, judged at a time: the first without fault, else the one whose
// fault weighs least. A nil path says that there is none.
func (j judge) findPath(anchors []anchor, extra []*certificate, leaf *certificate, at time.Time, why purpose) (*path, []Reason) {
	if len(anchors) == 0 {
		return nil, []Reason{NoAnchor}
	}
	b := &builder{trust: j.trust, anchors: anchors, at: at, why: why, spent: j.spent}
	b.pool = append(append(b.pool, extra...), j.trust.pool...)
	b.extend([]*certificate{leaf})
	switch {
	case b.best != nil:
		return b.best, b.best.reasons
	case b.full:
		return nil, []Reason{PathTooLong}
	}
	return nil, []Reason{Untrusted}
}

// extend tries to lead certs further up. It is depth first; it stops at the first path without fault.
func (b *builder) extend(certs []*certificate) {
	last := certs[len(certs)-1]
	for _, a := range b.anchors {
		if a.cert.is(last) {
			b.offer(path{certs: certs, anchor: a})
			return
		}
	}
	if len(certs) == maxPath {
		b.full = true
		return
	}
	for _, a := range b.anchors {
		if a.cert.owner == last.issuer && b.spend() {
			b.offer(path{certs: append(certs[:len(certs):len(certs)], a.cert), anchor: a})
		}
	}
	for _, c := range b.pool {
		if b.found() || b.full {
			return
		}
		if c.owner != last.issuer || keyIDsDiffer(last, c) || contains(certs, c) || b.isAnchorCopy(c) {
			continue
		}
		if b.spend() && b.leads(last, c) {
			b.extend(append(certs[:len(certs):len(certs)], c))
		}
	}
}

// leads says whether going on through c is worthwhile: its key must have signed the last certificate. When no other
// way is found a wrong signature is remembered as the finding.
func (b *builder) leads(last, c *certificate) bool {
	if c.key.dsa != nil && c.key.dsa.incomplete() {
		return true // only the whole path gives the parameters
	}
	why := b.trust.signedBy(last, c)
	if why == SignatureMismatch && b.best == nil && !b.hasOther(last, c) {
		b.best = &path{certs: []*certificate{last}, reasons: []Reason{PathSignature}}
	}
	return why == ""
}

// hasOther says whether another certificate could have issued last.
func (b *builder) hasOther(last, not *certificate) bool {
	for _, c := range b.pool {
		if !c.is(not) && c.owner == last.issuer {
			return true
		}
	}
	return false
}

func (b *builder) isAnchorCopy(c *certificate) bool {
	for _, a := range b.anchors {
		if a.cert.is(c) {
			return true
		}
	}
	return false
}

func (b *builder) found() bool {
	return b.best != nil && len(b.best.reasons) == 0 && b.best.anchor.cert != nil
}

func (b *builder) spend() bool {
	b.tries++
	*b.spent++
	b.full = b.full || b.tries > maxTries || *b.spent > maxSpent
	return !b.full
}

// offer judges a complete path and keeps it when it is better than the best so far.
func (b *builder) offer(p path) {
	p.certs = inheritKeys(p.certs)
	p.reasons = b.judge(p)
	if b.best == nil || b.best.anchor.cert == nil || weight(p.reasons) < weight(b.best.reasons) {
		b.best = &p
	}
}

func weight(reasons []Reason) int {
	verdict, _ := decide(reasons)
	return map[Verdict]int{Valid: 0, Undetermined: 100, Invalid: 200}[verdict] + len(reasons)
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
