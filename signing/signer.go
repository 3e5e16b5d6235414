package signing

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// signerInfo is a parsed SignerInfo (RFC 5652, 5.3).
type signerInfo struct {
	version    int64
	issuer     []byte // DER of the name, with serial; or
	serial     []byte // DER of the integer
	keyID      []byte // subject key identifier
	digest     algorithm
	hash       crypto.Hash // 0 when we do not know it
	signed     []byte      // DER of the attributes as SET OF, which is what is signed; nil when there are none
	attributes []attribute
	algorithm  algorithm
	value      []byte
	unsigned   []attribute
}

// attribute is one Attribute; values are whole DER elements.
type attribute struct {
	id     asn1.ObjectIdentifier
	values [][]byte
}

func readSigner(der []byte) (signerInfo, Reason) {
	var s signerInfo
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(&s.version) || !s.readID(&seq) || !s.digest.read(&seq) {
		return s, CMSMalformed
	}
	s.hash = digestByOID[s.digest.id.String()]
	if why := s.readSigned(&seq); why != "" {
		return s, why
	}
	if !s.algorithm.read(&seq) || !seq.ReadASN1Bytes(&s.value, cbasn1.OCTET_STRING) {
		return s, CMSMalformed
	}
	if !seq.Empty() {
		var set cryptobyte.String
		if !seq.ReadASN1(&set, cbasn1.Tag(1).ContextSpecific().Constructed()) || !seq.Empty() {
			return s, CMSMalformed
		}
		list, ok := readAttributes(set)
		if !ok {
			return s, CMSMalformed
		}
		s.unsigned = list
	}
	return s, ""
}

func (s *signerInfo) readID(seq *cryptobyte.String) bool {
	if seq.PeekASN1Tag(cbasn1.Tag(0).ContextSpecific()) {
		return seq.ReadASN1Bytes(&s.keyID, cbasn1.Tag(0).ContextSpecific()) && len(s.keyID) > 0
	}
	var pieces cryptobyte.String
	if inPieces := cbasn1.Tag(0).ContextSpecific().Constructed(); seq.PeekASN1Tag(inPieces) { // a BER OCTET STRING, tagged
		for ok := seq.ReadASN1(&pieces, inPieces); !pieces.Empty(); {
			var piece []byte
			if !ok || !pieces.ReadASN1Bytes(&piece, cbasn1.OCTET_STRING) {
				return false
			}
			s.keyID = append(s.keyID, piece...)
		}
		return len(s.keyID) > 0
	}
	var id, issuer, serial cryptobyte.String
	if !seq.ReadASN1(&id, cbasn1.SEQUENCE) || !id.ReadASN1Element(&issuer, cbasn1.SEQUENCE) ||
		!id.ReadASN1Element(&serial, cbasn1.INTEGER) || !id.Empty() {
		return false
	}
	s.issuer, s.serial = issuer, serial
	return true
}

func (s *signerInfo) readSigned(seq *cryptobyte.String) Reason {
	tag := cbasn1.Tag(0).ContextSpecific().Constructed()
	if !seq.PeekASN1Tag(tag) {
		return ""
	}
	var whole, set cryptobyte.String
	if !seq.ReadASN1Element(&whole, tag) {
		return CMSMalformed
	}
	s.signed = append([]byte{tagSet}, whole[1:]...)
	inner := whole
	if !inner.ReadASN1(&set, tag) {
		return CMSMalformed
	}
	list, ok := readAttributes(set)
	if !ok || len(list) == 0 {
		return AttributesMalformed
	}
	s.attributes = list
	return ""
}

func readAttributes(in cryptobyte.String) ([]attribute, bool) {
	var out []attribute
	for !in.Empty() {
		var seq, set cryptobyte.String
		var a attribute
		if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !takeOID(&seq, &a.id) || !seq.ReadASN1(&set, cbasn1.SET) || !seq.Empty() {
			return nil, false
		}
		for !set.Empty() {
			var value cryptobyte.String
			var tag cbasn1.Tag
			if !set.ReadAnyASN1Element(&value, &tag) {
				return nil, false
			}
			a.values = append(a.values, value)
		}
		out = append(out, a)
	}
	return out, true
}

// only gives the single value of an attribute. found counts the values over all its occurrences.
func only(list []attribute, id asn1.ObjectIdentifier) (value []byte, found int) {
	for _, a := range list {
		if !a.id.Equal(id) {
			continue
		}
		if len(a.values) == 0 {
			found += 2 // an empty attribute is as wrong as a doubled one
		}
		for _, v := range a.values {
			value = v
			found++
		}
	}
	return value, found
}

// claimed is the signingTime attribute: what the signer says.
func (s signerInfo) claimed() time.Time {
	v, n := only(s.attributes, oidSigningTime)
	if n != 1 {
		return time.Time{}
	}
	var t time.Time
	in := cryptobyte.String(v)
	if in.PeekASN1Tag(cbasn1.UTCTime) && in.ReadASN1UTCTime(&t) || in.ReadASN1GeneralizedTime(&t) {
		return t.UTC()
	}
	return time.Time{}
}

// maxCandidates bounds the certificates tried for one signer.
const maxCandidates = 8

// candidates are the certificates that the signer may mean. Mostly it is one; a key identifier, or an authority that gave a
// serial number twice, can mean several. The issuer's name is compared by its very bytes, for that is where it was copied
// from and a folded comparison would let flipped letters pass; only when none fits by the string types' names alone too.
func (s signerInfo) candidates(list []*certificate) []*certificate {
	for _, same := range []func(a, b []byte) bool{bytes.Equal, sameText} {
		var out []*certificate
		for _, c := range list {
			named := s.keyID != nil && bytes.Equal(c.x.SubjectKeyId, s.keyID) ||
				s.keyID == nil && bytes.Equal(integerDER(c), s.serial) && same(c.x.RawIssuer, s.issuer)
			if named && len(out) < maxCandidates {
				out = append(out, c)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// sameText compares two names by their text, as some signers write an issuer's PrintableString as UTF8String. The three
// types differ in two bits at least, so that no flipped bit makes one of another.
func sameText(a, b []byte) bool {
	return len(a) == len(b) && bytes.Equal(plainText(a), plainText(b))
}

// plainText is a name with all its UTF8String, PrintableString and IA5String as UTF8String.
func plainText(name []byte) []byte {
	var walk func(in cryptobyte.String) bool
	walk = func(in cryptobyte.String) bool {
		for !in.Empty() {
			var value cryptobyte.String
			var tag cbasn1.Tag
			before := in
			if !in.ReadAnyASN1(&value, &tag) {
				return false
			}
			switch {
			case tag == cbasn1.PrintableString || tag == cbasn1.IA5String:
				before[0] = byte(cbasn1.UTF8String)
			case tag == cbasn1.SEQUENCE || tag == cbasn1.SET:
				if !walk(value) {
					return false
				}
			}
		}
		return true
	}
	if out := bytes.Clone(name); walk(out) {
		return out
	}
	return name
}

func integerDER(c *certificate) []byte {
	der, err := asn1.Marshal(c.x.SerialNumber)
	if err != nil {
		return nil
	}
	return der
}

// expectedVersion is 1 for issuer and serial, 3 for a key identifier.
func (s signerInfo) expectedVersion() int64 {
	if s.keyID != nil {
		return 3
	}
	return 1
}
