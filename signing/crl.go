package signing

import (
	"crypto"
	"encoding/asn1"
	"math/big"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// crl is a parsed revocation list (RFC 5280, 5). Its entries are only a piece of the bytes until the first question, so
// that installing a list of a million costs nothing; see crlIndex.
type crl struct {
	raw          []byte
	tbs          []byte
	scheme       scheme
	schemeWhy    Reason
	signature    []byte
	name         []byte // of the issuer, DER
	issuer       string
	thisUpdate   time.Time
	nextUpdate   time.Time // zero when absent
	number       *big.Int  // nil when absent
	base         *big.Int  // BaseCRLNumber of a delta list, which says nothing by itself
	authorityKey []byte    // value of authorityKeyIdentifier
	scope        scope
	expiredSince time.Time // expiredCertsOnCRL (X.509, 9.5.2.5): certificates expired since then are still listed
	strange      bool      // has a critical extension that we do not know: it only says who is revoked, not who is not
	entries      []byte    // contents of revokedCertificates

	once     sync.Once
	index    crlIndex
	digested sync.Once
	digest   []byte
	mu       sync.Mutex
	verified map[[32]byte]bool // outcome of the signature by certificate; bounded
}

func readCRL(der []byte) (*crl, bool) {
	in := cryptobyte.String(der)
	var outer, whole, tbs cryptobyte.String
	var a, inner algorithm
	c := &crl{raw: der}
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Element(&whole, cbasn1.SEQUENCE) ||
		!a.read(&outer) || !readSignature(&outer, &c.signature) || !outer.Empty() {
		return nil, false
	}
	c.tbs = whole
	c.scheme, c.schemeWhy = readScheme(a)
	if c.schemeWhy == "" && c.scheme.kind != "ed25519" && c.scheme.hash == 0 {
		c.schemeWhy = SignatureUnsupported
	}
	if !whole.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		return nil, false
	}
	version := 0
	if tbs.PeekASN1Tag(cbasn1.INTEGER) && (!tbs.ReadASN1Integer(&version) || version != 1) {
		return nil, false
	}
	var name, entries cryptobyte.String
	if !inner.read(&tbs) || !inner.id.Equal(a.id) || !tbs.ReadASN1Element(&name, cbasn1.SEQUENCE) || !readTime(&tbs, &c.thisUpdate) {
		return nil, false
	}
	c.name, c.issuer = name, nameKey(name)
	if (tbs.PeekASN1Tag(cbasn1.UTCTime) || tbs.PeekASN1Tag(cbasn1.GeneralizedTime)) && !readTime(&tbs, &c.nextUpdate) {
		return nil, false
	}
	if tbs.PeekASN1Tag(cbasn1.SEQUENCE) && !tbs.ReadASN1(&entries, cbasn1.SEQUENCE) {
		return nil, false
	}
	c.entries = entries
	return c, c.readExtensions(&tbs) && tbs.Empty()
}

func readTime(in *cryptobyte.String, t *time.Time) bool {
	if in.PeekASN1Tag(cbasn1.UTCTime) {
		return in.ReadASN1UTCTime(t)
	}
	return in.ReadASN1GeneralizedTime(t)
}

type extension struct {
	id       asn1.ObjectIdentifier
	critical bool
	value    []byte
}

// readExtensions reads Extensions, in which none may come twice (RFC 5280, 4.2).
func readExtensions(in *cryptobyte.String) ([]extension, bool) {
	var list cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) {
		return nil, false
	}
	var out []extension
	for !list.Empty() {
		var one cryptobyte.String
		var x extension
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&x.id) ||
			!readDefaultFalse(&one, &x.critical) ||
			!one.ReadASN1Bytes(&x.value, cbasn1.OCTET_STRING) || !one.Empty() || len(out) == maxExtensions {
			return nil, false
		}
		for _, have := range out {
			if have.id.Equal(x.id) {
				return nil, false
			}
		}
		out = append(out, x)
	}
	return out, true
}

const maxExtensions = 64

func (c *crl) readExtensions(tbs *cryptobyte.String) bool {
	var outer cryptobyte.String
	var present bool
	if !tbs.ReadOptionalASN1(&outer, &present, cbasn1.Tag(0).ContextSpecific().Constructed()) {
		return false
	}
	c.scope.reasons = allReasons
	if !present {
		return true
	}
	list, ok := readExtensions(&outer)
	for _, x := range list {
		in := cryptobyte.String(x.value)
		switch x.id.String() {
		case "2.5.29.28":
			ok = ok && c.scope.read(x.value, c.name)
		case "2.5.29.27":
			ok = ok && readNumber(&in, &c.base)
		case "2.5.29.20":
			ok = ok && readNumber(&in, &c.number)
		case "2.5.29.35":
			c.authorityKey = x.value
		case "2.5.29.60":
			ok = ok && in.ReadASN1GeneralizedTime(&c.expiredSince) && in.Empty()
		case "2.5.29.18", "2.5.29.46", "1.3.6.1.5.5.7.1.1": // issuerAltName, freshestCRL, authorityInfoAccess: hints
		default:
			c.strange = c.strange || x.critical
		}
	}
	return ok && outer.Empty()
}

func readNumber(in *cryptobyte.String, to **big.Int) bool {
	*to = new(big.Int)
	return in.ReadASN1Integer(*to) && in.Empty()
}

// signedBy checks the list's signature with the key of c. A list may be large and is asked often: its digest is taken once
// and the outcome remembered.
func (l *crl) signedBy(c *certificate) bool {
	if l.schemeWhy != "" || c.keyWhy != "" {
		return false
	}
	ok, seen := l.remembered(c)
	if seen && c.key.dsa == nil {
		return ok
	}
	ok = l.check(c.key) == ""
	if c.key.dsa != nil {
		return ok // another path may give the key other parameters
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.verified == nil || len(l.verified) > 100 {
		l.verified = map[[32]byte]bool{}
	}
	l.verified[c.sum] = ok
	return ok
}

func (l *crl) remembered(c *certificate) (ok, seen bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ok, seen = l.verified[c.sum]
	return ok, seen
}

func (l *crl) check(k publicKey) Reason {
	if l.scheme.hash == crypto.Hash(0) {
		return k.verify(l.scheme, l.tbs, l.signature)
	}
	l.digested.Do(func() {
		h := l.scheme.hash.New()
		h.Write(l.tbs)
		l.digest = h.Sum(nil)
	})
	return k.verifyDigest(l.scheme, l.digest, l.signature)
}
