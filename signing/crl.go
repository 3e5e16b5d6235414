package signing

import (
	"encoding/asn1"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// crl is a parsed revocation list (RFC 5280, 5). Entries are by serial number, so that a list of a million is asked at once.
type crl struct {
	raw        []byte
	tbs        []byte
	scheme     scheme
	schemeWhy  Reason
	signature  []byte
	name       []byte // of the issuer, DER
	issuer     string
	number     *big.Int // nil when absent
	base       *big.Int // of a delta list
	thisUpdate time.Time
	nextUpdate time.Time // zero when absent
	entries    map[string]revokedEntry
	unusable   bool // delta, indirect, partial, or with a critical extension that we do not know
	users, cas bool // onlyContainsUserCerts, onlyContainsCACerts
}

type revokedEntry struct {
	at     time.Time
	reason int
}

func readCRL(der []byte) (*crl, bool) {
	in := cryptobyte.String(der)
	var outer, whole, tbs cryptobyte.String
	var a, inner algorithm
	c := &crl{raw: der}
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Element(&whole, cbasn1.SEQUENCE) ||
		!a.read(&outer) || !outer.ReadASN1BitStringAsBytes(&c.signature) || !outer.Empty() {
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
	var name cryptobyte.String
	if !inner.read(&tbs) || !inner.id.Equal(a.id) || !tbs.ReadASN1Element(&name, cbasn1.SEQUENCE) || !readTime(&tbs, &c.thisUpdate) {
		return nil, false
	}
	c.name, c.issuer = name, nameKey(name)
	if (tbs.PeekASN1Tag(cbasn1.UTCTime) || tbs.PeekASN1Tag(cbasn1.GeneralizedTime)) && !readTime(&tbs, &c.nextUpdate) {
		return nil, false
	}
	return c, c.readEntries(&tbs) && c.readExtensions(&tbs) && tbs.Empty()
}

func readTime(in *cryptobyte.String, t *time.Time) bool {
	if in.PeekASN1Tag(cbasn1.UTCTime) {
		return in.ReadASN1UTCTime(t)
	}
	return in.ReadASN1GeneralizedTime(t)
}

func (c *crl) readEntries(tbs *cryptobyte.String) bool {
	c.entries = map[string]revokedEntry{}
	if !tbs.PeekASN1Tag(cbasn1.SEQUENCE) {
		return true
	}
	var list cryptobyte.String
	if !tbs.ReadASN1(&list, cbasn1.SEQUENCE) {
		return false
	}
	for !list.Empty() {
		var entry, serial cryptobyte.String
		e := revokedEntry{reason: -1} // not given
		if !list.ReadASN1(&entry, cbasn1.SEQUENCE) || !entry.ReadASN1(&serial, cbasn1.INTEGER) || !readTime(&entry, &e.at) {
			return false
		}
		if !entry.Empty() && !c.entryExtensions(&entry, &e) {
			return false
		}
		c.entries[string(serial)] = e
	}
	return true
}

func (c *crl) entryExtensions(entry *cryptobyte.String, e *revokedEntry) bool {
	list, ok := readExtensions(entry)
	for _, x := range list {
		switch {
		case x.id.Equal(asn1.ObjectIdentifier{2, 5, 29, 21}):
			in := cryptobyte.String(x.value)
			if !in.ReadASN1Enum(&e.reason) {
				return false
			}
		case x.critical:
			c.unusable = true
		}
	}
	return ok
}

type extension struct {
	id       asn1.ObjectIdentifier
	critical bool
	value    []byte
}

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
			!one.ReadASN1Bytes(&x.value, cbasn1.OCTET_STRING) || !one.Empty() {
			return nil, false
		}
		out = append(out, x)
	}
	return out, true
}

func (c *crl) readExtensions(tbs *cryptobyte.String) bool {
	var outer cryptobyte.String
	var present bool
	if !tbs.ReadOptionalASN1(&outer, &present, cbasn1.Tag(0).ContextSpecific().Constructed()) {
		return false
	}
	if !present {
		return true
	}
	list, ok := readExtensions(&outer)
	for _, x := range list {
		switch id := x.id.String(); {
		case id == "2.5.29.28":
			ok = ok && c.distributionPoint(x.value)
		case id == "2.5.29.27":
			c.unusable = true // a delta list adds to another one and says nothing by itself
			ok = ok && readNumber(x.value, &c.base)
		case id == "2.5.29.20":
			ok = ok && readNumber(x.value, &c.number)
		case id == "2.5.29.35":
		case x.critical:
			c.unusable = true
		}
	}
	return ok && outer.Empty()
}

func readNumber(der []byte, to **big.Int) bool {
	in := cryptobyte.String(der)
	*to = new(big.Int)
	return in.ReadASN1Integer(*to) && in.Empty()
}

// distributionPoint reads IssuingDistributionPoint: lists that hold only a part of the certificates or reasons are not
// taken for the whole.
func (c *crl) distributionPoint(der []byte) bool {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return false
	}
	for !seq.Empty() {
		var value cryptobyte.String
		var tag cbasn1.Tag
		if !seq.ReadAnyASN1(&value, &tag) {
			return false
		}
		yes := len(value) == 1 && value[0] != 0
		switch tag &^ 0x20 {
		case cbasn1.Tag(1).ContextSpecific():
			c.users = yes
		case cbasn1.Tag(2).ContextSpecific():
			c.cas = yes
		case cbasn1.Tag(0).ContextSpecific():
		case cbasn1.Tag(3).ContextSpecific():
			c.unusable = true
		default:
			c.unusable = c.unusable || yes
		}
	}
	return true
}
