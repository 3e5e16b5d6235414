package signing

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"sync"
)

// lazyTrust is what Verify makes of a Trust on first use.
type lazyTrust struct {
	once    sync.Once
	anchors []anchor
	tsa     []anchor
	pool    []*certificate
	lists   map[string][]*crl  // by issuer
	answers map[string][]*ocsp // by the serial number (DER) that they tell about

	mu       sync.Mutex
	verified map[[64]byte]Reason       // outcome of a certificate's signature under a key; bounded
	parsed   map[[32]byte]*certificate // those of messages, by SHA-256; bounded
}

// anchor is an Anchor made ready.
type anchor struct {
	Anchor
	cert *certificate
}

// Prepare reads the lists now instead of with the first Verify, which else would wait for it.
func (t *Trust) Prepare() { t.ready() }

// ready prepares a Trust once; nil gives an empty one.
func (t *Trust) ready() *lazyTrust {
	if t == nil {
		return &lazyTrust{}
	}
	t.prepared.once.Do(func() {
		p := &t.prepared
		p.anchors, p.tsa = readyAnchors(t.Anchors), readyAnchors(t.TSAAnchors)
		for _, x := range t.Intermediates {
			if c, why := newCertificate(x); why == "" {
				p.pool = append(p.pool, c)
			}
		}
		p.lists, p.answers = byIssuer(t.CRLs), bySerial(t.OCSP)
	})
	return &t.prepared
}

func readyAnchors(list []Anchor) []anchor {
	var out []anchor
	for _, a := range list {
		if a.Certificate == nil {
			continue
		}
		if c, why := newCertificate(a.Certificate); why == "" {
			out = append(out, anchor{a, c})
		}
	}
	return out
}

// byIssuer reads lists. Unreadable ones are left out: they prove nothing.
func byIssuer(files [][]byte) map[string][]*crl {
	out := map[string][]*crl{}
	for _, b := range files {
		for _, der := range CRLsIn(b) {
			if l, ok := readCRL(der); ok {
				out[l.issuer] = append(out[l.issuer], l)
			}
		}
	}
	return out
}

// bySerial reads responses.
func bySerial(files [][]byte) map[string][]*ocsp {
	out := map[string][]*ocsp{}
	for _, b := range files {
		r, ok := readOCSP(b)
		if !ok {
			continue
		}
		for _, a := range r.answers {
			if have := out[string(a.serial)]; len(have) == 0 || have[len(have)-1] != r {
				out[string(a.serial)] = append(have, r)
			}
		}
	}
	return out
}

// installed says that an administrator installed c, so that it needs no further proof of being whole.
func (t *lazyTrust) installed(c *certificate) bool {
	for _, list := range [][]anchor{t.anchors, t.tsa} {
		for _, a := range list {
			if a.cert.is(c) {
				return true
			}
		}
	}
	return contains(t.pool, c)
}

// maxKnown bounds what is remembered: a stranger's certificates push out those of others and gain nothing.
const maxKnown = 4096

// read parses a certificate of a message, or knows it: an agency's seal comes again with each of its documents. A parsed
// certificate is never written to.
func (t *lazyTrust) read(der []byte) (*certificate, Reason) {
	if t == nil {
		return readCertificate(der)
	}
	sum := sha256.Sum256(der)
	t.mu.Lock()
	c, ok := t.parsed[sum]
	t.mu.Unlock()
	if ok {
		return c, ""
	}
	c, why := readCertificate(bytes.Clone(der)) // it outlives the message
	if why != "" || !c.light() {
		return c, why
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.parsed == nil || len(t.parsed) >= maxKnown {
		t.parsed = map[[32]byte]*certificate{}
	}
	t.parsed[sum] = c
	return c, ""
}

// How large a certificate may be to be remembered, and how many parts it may have, each of which takes up to fifty times
// its bytes once it is parsed; those of practice have thirty. All together stay below 64 MB.
const (
	maxKnownSize  = 3 << 10
	maxKnownParts = 64
)

// light says that c is small enough to be remembered. Object identifiers count by their arcs, a word each, and folding can
// make a name ten times as long.
func (c *certificate) light() bool {
	if len(c.x.Raw) > maxKnownSize || len(c.issuer)+len(c.owner) > maxKnownSize {
		return false
	}
	parts := len(c.alternative) + len(c.policy.policies) + len(c.policy.mappings) + len(c.x.CRLDistributionPoints)
	if c.constraints != nil {
		parts += len(c.constraints.subtrees)
	}
	for _, e := range c.x.Extensions {
		parts += 1 + len(e.Id)/16
	}
	for _, id := range c.x.UnknownExtKeyUsage {
		parts += 1 + len(id)/16
	}
	for _, a := range slices.Concat(c.x.Issuer.Names, c.x.Subject.Names) {
		parts += 1 + len(a.Type)/16
	}
	return parts+len(c.x.ExtKeyUsage) <= maxKnownParts
}

// signedBy remembers the outcome: the same certificates come again with every document.
func (t *lazyTrust) signedBy(c, issuer *certificate) Reason {
	if issuer.keyWhy != "" {
		return issuer.keyWhy
	}
	if issuer.key.dsa != nil && issuer.key.dsa.inherited {
		return c.signedBy(issuer.key)
	}
	var key [64]byte
	copy(key[:32], c.sum[:])
	copy(key[32:], issuer.sum[:])
	t.mu.Lock()
	why, ok := t.verified[key]
	t.mu.Unlock()
	if ok {
		return why
	}
	why = c.signedBy(issuer.key)
	t.mu.Lock()
	if t.verified == nil || len(t.verified) >= maxKnown {
		t.verified = map[[64]byte]Reason{}
	}
	t.verified[key] = why
	t.mu.Unlock()
	return why
}
