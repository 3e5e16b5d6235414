package signing

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ParseCertificate reads one DER certificate. It takes what crypto/x509 refuses because of a key (of another curve, a
// compressed point, DSA parameters inherited, RSA without NULL) or a name (an "@" in a PrintableString): which keys may
// sign is for readKey to say, and names are only compared.
func ParseCertificate(der []byte) (*x509.Certificate, error) {
	x, err := x509.ParseCertificate(der)
	if err == nil {
		return x, nil
	}
	if odd, ok := parseOdd(der); ok {
		return odd, nil
	}
	return nil, err
}

// tbsFields are the parts of a TBSCertificate (RFC 5280, 4.1), each a whole element.
type tbsFields struct {
	head, issuer, validity, subject, key, tail cryptobyte.String
}

func (f *tbsFields) read(tbs cryptobyte.String) bool {
	var version, serial, algorithm cryptobyte.String
	if tbs.PeekASN1Tag(cbasn1.Tag(0).ContextSpecific().Constructed()) && !tbs.ReadASN1Element(&version, cbasn1.Tag(0).ContextSpecific().Constructed()) {
		return false
	}
	if !tbs.ReadASN1Element(&serial, cbasn1.INTEGER) || !tbs.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) {
		return false
	}
	f.head = slices.Concat(version, serial, algorithm)
	for _, part := range []*cryptobyte.String{&f.issuer, &f.validity, &f.subject, &f.key} {
		if !tbs.ReadASN1Element(part, cbasn1.SEQUENCE) {
			return false
		}
	}
	f.tail = tbs
	return true
}

// parseOdd lets crypto/x509 read the certificate with an empty name and an unknown key in the places of those it may
// refuse, and then puts the real ones back.
func parseOdd(der []byte) (*x509.Certificate, bool) {
	in := cryptobyte.String(der)
	var outer, whole, tbs cryptobyte.String
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Element(&whole, cbasn1.SEQUENCE) {
		return nil, false
	}
	var f tbsFields
	inside := whole
	if !inside.ReadASN1(&tbs, cbasn1.SEQUENCE) || !f.read(tbs) {
		return nil, false
	}
	noName, noKey := []byte{0x30, 0}, []byte{0x30, 9, 0x30, 4, 6, 2, 0x88, 0x37, 3, 1, 0} // 2.999: an arc for examples
	replaced := slices.Concat([]byte(f.head), noName, f.validity, noName, noKey, f.tail)
	x, err := x509.ParseCertificate(appendElement(nil, tagSequence, append(appendElement(nil, tagSequence, replaced), outer...)))
	if err != nil {
		return nil, false
	}
	var ok1, ok2 bool
	x.Issuer, ok1 = readName(f.issuer)
	x.Subject, ok2 = readName(f.subject)
	x.Raw, x.RawTBSCertificate, x.RawSubjectPublicKeyInfo = der, whole, f.key
	x.RawIssuer, x.RawSubject = f.issuer, f.subject
	return x, ok1 && ok2
}

// readName reads a Name with whatever characters its strings have.
func readName(der cryptobyte.String) (pkix.Name, bool) {
	var out pkix.Name
	var rdns pkix.RDNSequence
	var name cryptobyte.String
	if !der.ReadASN1(&name, cbasn1.SEQUENCE) {
		return out, false
	}
	for !name.Empty() {
		var set cryptobyte.String
		var rdn pkix.RelativeDistinguishedNameSET
		if !name.ReadASN1(&set, cbasn1.SET) {
			return out, false
		}
		for !set.Empty() {
			var pair, value cryptobyte.String
			var id asn1.ObjectIdentifier
			var tag cbasn1.Tag
			if !set.ReadASN1(&pair, cbasn1.SEQUENCE) || !pair.ReadASN1ObjectIdentifier(&id) || !pair.ReadAnyASN1(&value, &tag) || !pair.Empty() {
				return out, false
			}
			rdn = append(rdn, pkix.AttributeTypeAndValue{Type: id, Value: nameText(tag, value)})
		}
		rdns = append(rdns, rdn)
	}
	out.FillFromRDNSequence(&rdns)
	return out, true
}

// nameText is what a string of a name says: UTF-16, UTF-8, else Latin-1, as old authorities wrote in any string type.
func nameText(tag cbasn1.Tag, value []byte) string {
	const bmpString = 30
	switch {
	case tag == bmpString && len(value)%2 == 0:
		units := make([]uint16, len(value)/2)
		for i := range units {
			units[i] = uint16(value[2*i])<<8 | uint16(value[2*i+1])
		}
		return string(utf16.Decode(units))
	case utf8.Valid(value):
		return string(value)
	}
	runes := make([]rune, len(value))
	for i, c := range value {
		runes[i] = rune(c)
	}
	return string(runes)
}
