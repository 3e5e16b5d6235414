package signing

import (
	"slices"
	"sync"
)

// lazyTrust is what Verify makes of a Trust on first use.
type lazyTrust struct {
	once    sync.Once
	anchors []anchor
	tsa     []anchor
	pool    []*certificate
	crls    []*crl
	ocsp    []*ocsp

	mu       sync.Mutex
	verified map[[64]byte]Reason // outcome of a certificate's signature under a key; bounded
	lists    map[*crl]map[[32]byte]bool
}

// anchor is an Anchor made ready.
type anchor struct {
	Anchor
	cert *certificate
}

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
		for _, b := range t.CRLs {
			p.crls = append(p.crls, readCRLs(b)...)
		}
		for _, b := range t.OCSP {
			if r, ok := readOCSP(b); ok {
				p.ocsp = append(p.ocsp, r)
			}
		}
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

// readCRLs reads DER, or PEM with any number of lists. Unreadable ones are left out: they prove nothing.
func readCRLs(b []byte) []*crl {
	var out []*crl
	for _, der := range CRLsIn(b) {
		if c, ok := readCRL(der); ok {
			out = append(out, c)
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

// signedBy remembers the outcome for CA certificates, which come again with every document.
func (t *lazyTrust) signedBy(c, issuer *certificate) Reason {
	if issuer.keyWhy != "" {
		return issuer.keyWhy
	}
	if !c.x.IsCA || issuer.key.dsa != nil && issuer.key.dsa.inherited {
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
	if t.verified == nil || len(t.verified) >= 1024 {
		t.verified = map[[64]byte]Reason{}
	}
	t.verified[key] = why
	t.mu.Unlock()
	return why
}

// listSigned remembers the outcome for the installed lists, which may be large.
func (t *lazyTrust) listSigned(l *crl, issuer *certificate) bool {
	t.mu.Lock()
	ok, seen := t.lists[l][issuer.sum]
	t.mu.Unlock()
	if seen {
		return ok
	}
	ok = l.signedBy(issuer)
	if !slices.Contains(t.crls, l) {
		return ok
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lists == nil {
		t.lists = map[*crl]map[[32]byte]bool{}
	}
	if t.lists[l] == nil || len(t.lists[l]) > 100 {
		t.lists[l] = map[[32]byte]bool{}
	}
	t.lists[l][issuer.sum] = ok
	return ok
}
