package signing

import (
	"bytes"
	"encoding/asn1"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// reasonMask is a set of ReasonFlags (RFC 5280, 4.2.1.13), bit n for reason n.
type reasonMask uint16

// allReasons are bits 1 (keyCompromise) to 8 (aACompromise); bit 0 is unused.
const allReasons reasonMask = 0x1FE

// scope is IssuingDistributionPoint (RFC 5280, 5.2.5): which certificates and reasons a list is about.
type scope struct {
	raw                    []byte
	names                  []string // of the distribution point, folded; none: the issuer's only one
	users, cas, attributes bool     // onlyContains…
	indirect               bool
	reasons                reasonMask
}

// point is a DistributionPoint of a certificate.
type point struct {
	names   []string // folded
	issuers []string // cRLIssuer: folded directory names; none: the certificate's issuer
	reasons reasonMask
}

// read takes IssuingDistributionPoint of a list by an issuer.
func (s *scope) read(der, issuer []byte) bool {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	s.raw = der
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return false
	}
	last := -1
	for !seq.Empty() {
		var value cryptobyte.String
		var tag cbasn1.Tag
		if !seq.ReadAnyASN1(&value, &tag) || int(tag&0x1F) <= last {
			return false
		}
		last = int(tag & 0x1F)
		ok := true
		switch tag {
		case cbasn1.Tag(0).ContextSpecific().Constructed():
			s.names, ok = readPointName(value, issuer)
		case cbasn1.Tag(1).ContextSpecific():
			s.users, ok = readFlag(value)
		case cbasn1.Tag(2).ContextSpecific():
			s.cas, ok = readFlag(value)
		case cbasn1.Tag(3).ContextSpecific():
			s.reasons, ok = readReasons(value)
		case cbasn1.Tag(4).ContextSpecific():
			s.indirect, ok = readFlag(value)
		case cbasn1.Tag(5).ContextSpecific():
			s.attributes, ok = readFlag(value)
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return true
}

func readFlag(value []byte) (yes, ok bool) {
	return len(value) == 1 && value[0] != 0, len(value) == 1
}

func readReasons(value []byte) (reasonMask, bool) {
	if len(value) == 0 || value[0] > 7 || len(value) == 1 && value[0] != 0 {
		return 0, false
	}
	bits := asn1.BitString{Bytes: value[1:], BitLength: 8*(len(value)-1) - int(value[0])}
	var out reasonMask
	for n := range 16 {
		out |= reasonMask(bits.At(n)) << n
	}
	return out & allReasons, true
}

// readPointName reads DistributionPointName: full names, or one relative to the issuer of the list.
func readPointName(value cryptobyte.String, issuer []byte) ([]string, bool) {
	var inner cryptobyte.String
	var tag cbasn1.Tag
	if !value.ReadAnyASN1(&inner, &tag) || !value.Empty() {
		return nil, false
	}
	switch tag {
	case cbasn1.Tag(0).ContextSpecific().Constructed():
		return foldGeneralNames(inner)
	case cbasn1.Tag(1).ContextSpecific().Constructed():
		name, ok := under(issuer, inner)
		return []string{directoryKey(nameKey(name))}, ok
	}
	return nil, false
}

// under makes the name that has one more part than that of the issuer.
func under(issuer, part []byte) ([]byte, bool) {
	in := cryptobyte.String(issuer)
	var rdns cryptobyte.String
	if !in.ReadASN1(&rdns, cbasn1.SEQUENCE) {
		return nil, false
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(rdns)
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(part) })
	})
	out, err := b.Bytes()
	return out, err == nil
}

// foldGeneralNames reads the names of GeneralNames and makes them comparable: a letter for the kind, and the value.
func foldGeneralNames(list cryptobyte.String) ([]string, bool) {
	var out []string
	for !list.Empty() {
		n, ok := readGeneralName(&list)
		if !ok || len(out) == maxPointNames {
			return nil, false
		}
		switch n.form {
		case directoryName:
			out = append(out, directoryKey(nameKey(n.value)))
		case uniformResourceIdentifier:
			out = append(out, uriKey(string(n.value)))
		default:
			out = append(out, string(rune('a'+n.form))+string(n.value))
		}
	}
	return out, len(out) > 0
}

const maxPointNames = 100

func directoryKey(folded string) string { return "D" + folded }

// uriKey folds scheme and host, which do not tell case apart (RFC 5280, 7.4).
func uriKey(uri string) string {
	end := strings.Index(uri, "://")
	if end < 0 {
		return "U" + uri
	}
	if slash := strings.IndexByte(uri[end+3:], '/'); slash >= 0 {
		end += 3 + slash
	} else {
		end = len(uri)
	}
	return "U" + strings.ToLower(uri[:end]) + uri[end:]
}

// pointsOf gives the distribution points of a certificate, and at the end that which every issuer has: its complete list
// counts wherever it was had (RFC 5280, 6.3.3, last paragraph).
func pointsOf(c *certificate) []point {
	var out []point
	for _, e := range c.x.Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 31}) {
			out = readPoints(e.Value, c.x.RawIssuer)
		}
	}
	return append(out, point{reasons: allReasons})
}

func readPoints(der, issuer []byte) []point {
	in := cryptobyte.String(der)
	var list cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() {
		return nil
	}
	var out []point
	for !list.Empty() && len(out) < maxPointNames {
		var one cryptobyte.String
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) {
			return out
		}
		if p, ok := readPoint(one, issuer); ok {
			out = append(out, p)
		}
	}
	return out
}

func readPoint(one cryptobyte.String, issuer []byte) (p point, ok bool) {
	var name, reasons, lister cryptobyte.String
	var hasName, hasReasons, hasLister bool
	if !one.ReadOptionalASN1(&name, &hasName, cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		!one.ReadOptionalASN1(&reasons, &hasReasons, cbasn1.Tag(1).ContextSpecific()) ||
		!one.ReadOptionalASN1(&lister, &hasLister, cbasn1.Tag(2).ContextSpecific().Constructed()) || !one.Empty() {
		return p, false
	}
	p.reasons, ok = allReasons, true
	if hasReasons {
		p.reasons, ok = readReasons(reasons)
	}
	if hasLister && ok {
		p.issuers, ok = foldGeneralNames(lister)
		issuer = firstDirectoryName(lister)
	}
	if hasName && ok {
		p.names, ok = readPointName(name, issuer)
	}
	return p, ok
}

// firstDirectoryName is the DER of the name to which others are relative.
func firstDirectoryName(list cryptobyte.String) []byte {
	for !list.Empty() {
		n, ok := readGeneralName(&list)
		if !ok || n.form == directoryName {
			return n.value
		}
	}
	return nil
}

// covers says for which reasons a list tells about c, whose points are given (RFC 5280, 6.3.3 b and d).
func (c *crl) covers(x *certificate, points []point) reasonMask {
	isCA := x.x.BasicConstraintsValid && x.x.IsCA
	if c.scope.attributes || c.scope.users && isCA || c.scope.cas && !isCA {
		return 0
	}
	var out reasonMask
	for _, p := range points {
		if c.at(p, x.issuer) {
			out |= p.reasons & c.scope.reasons
		}
	}
	return out
}

// at says whether a list is the one, or one of those, that a distribution point of a certificate of issuer means.
func (c *crl) at(p point, issuer string) bool {
	if len(p.issuers) > 0 {
		if !c.scope.indirect || !slices.Contains(p.issuers, directoryKey(c.issuer)) {
			return false
		}
	} else if c.issuer != issuer {
		return false
	}
	switch {
	case len(c.scope.names) == 0:
		return true
	case len(p.names) > 0:
		return meet(c.scope.names, p.names)
	case len(p.issuers) > 0:
		return meet(c.scope.names, p.issuers)
	}
	return slices.Contains(c.scope.names, directoryKey(issuer))
}

func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// completedBy says whether a delta list may be laid over this one (RFC 5280, 5.2.4): same issuer, scope and key, not made
// for a later base, and newer.
func (c *crl) completedBy(d *crl) bool {
	return d.base != nil && c.number != nil && d.number != nil && d.issuer == c.issuer &&
		bytes.Equal(d.scope.raw, c.scope.raw) && bytes.Equal(d.authorityKey, c.authorityKey) &&
		c.number.Cmp(d.base) >= 0 && c.number.Cmp(d.number) < 0
}
