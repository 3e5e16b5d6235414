package signing

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math"
	"math/big"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ParseCertificate reads the DER of one certificate (RFC 5280, 4.1) into the form of crypto/x509, without its PublicKey.
// crypto/x509's own reader refuses what a relying party has to take: negative serial numbers, DSA keys that inherit their
// parameters, names in strings of other kinds, alternative names that Go cannot parse. What is wrong with an extension is
// found when the certificate is judged, not here.
func ParseCertificate(der []byte) (*x509.Certificate, error) {
	x := &x509.Certificate{MaxPathLen: -1}
	if !parseCertificate(x, der) {
		return nil, errors.New("not a certificate")
	}
	for _, e := range x.Extensions {
		fillExtension(x, e)
	}
	return x, nil
}

func parseCertificate(x *x509.Certificate, der []byte) bool {
	in := cryptobyte.String(der)
	var outer, tbs cryptobyte.String
	var a algorithm
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Element(&tbs, cbasn1.SEQUENCE) || !a.read(&outer) ||
		!readSignature(&outer, &x.Signature) || !outer.Empty() {
		return false
	}
	x.Raw, x.RawTBSCertificate = der, tbs
	return tbs.ReadASN1(&tbs, cbasn1.SEQUENCE) && parseTBS(x, tbs)
}

// readSignature reads signatureValue. One whose bits do not fill its bytes is no signature of any kind that we know, and
// comes out empty, which none is right by; PKITS 4.1.2 and 4.1.6 have such.
func readSignature(in *cryptobyte.String, out *[]byte) bool {
	var bits asn1.BitString
	if !in.ReadASN1BitString(&bits) {
		return false
	}
	*out = nil
	if bits.BitLength%8 == 0 {
		*out = bits.Bytes
	}
	return true
}

func parseTBS(x *x509.Certificate, tbs cryptobyte.String) bool {
	var inner algorithm
	var issuer, validity, subject, key cryptobyte.String
	x.SerialNumber = new(big.Int)
	if !tbs.ReadOptionalASN1Integer(&x.Version, cbasn1.Tag(0).ContextSpecific().Constructed(), 0) || x.Version < 0 || x.Version > 2 ||
		!tbs.ReadASN1Integer(x.SerialNumber) || !inner.read(&tbs) || !tbs.ReadASN1Element(&issuer, cbasn1.SEQUENCE) ||
		!tbs.ReadASN1(&validity, cbasn1.SEQUENCE) || !readTime(&validity, &x.NotBefore) || !readTime(&validity, &x.NotAfter) || !validity.Empty() ||
		!tbs.ReadASN1Element(&subject, cbasn1.SEQUENCE) || !tbs.ReadASN1Element(&key, cbasn1.SEQUENCE) {
		return false
	}
	x.Version++ // crypto/x509 counts from 1
	x.RawIssuer, x.RawSubject, x.RawSubjectPublicKeyInfo = issuer, subject, key
	if !fillName(&x.Issuer, issuer) || !fillName(&x.Subject, subject) ||
		!tbs.SkipOptionalASN1(cbasn1.Tag(1).ContextSpecific()) || !tbs.SkipOptionalASN1(cbasn1.Tag(2).ContextSpecific()) {
		return false
	}
	var list cryptobyte.String
	var present bool
	if !tbs.ReadOptionalASN1(&list, &present, cbasn1.Tag(3).ContextSpecific().Constructed()) || !tbs.Empty() {
		return false
	}
	if !present {
		return true
	}
	return parseExtensions(x, &list) && list.Empty()
}

func parseExtensions(x *x509.Certificate, in *cryptobyte.String) bool {
	var list cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) {
		return false
	}
	for !list.Empty() {
		var one, id cryptobyte.String
		var e pkix.Extension
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1Element(&id, cbasn1.OBJECT_IDENTIFIER) ||
			!readDefaultFalse(&one, &e.Critical) ||
			!one.ReadASN1Bytes(&e.Value, cbasn1.OCTET_STRING) || !one.Empty() {
			return false
		}
		_ = id.ReadASN1ObjectIdentifier(&e.Id) // one with arcs beyond 31 bits is none that we know
		x.Extensions = append(x.Extensions, e)
	}
	return true
}

// readDefaultFalse reads BOOLEAN DEFAULT FALSE. (cryptobyte's own optional boolean is for one with an explicit tag.)
func readDefaultFalse(in *cryptobyte.String, yes *bool) bool {
	*yes = false
	return !in.PeekASN1Tag(cbasn1.BOOLEAN) || in.ReadASN1Boolean(yes)
}

// fillName decodes a Name for people to read; it is compared by its bytes (names.go).
func fillName(to *pkix.Name, der cryptobyte.String) bool {
	var seq pkix.RDNSequence
	var name cryptobyte.String
	if !der.ReadASN1(&name, cbasn1.SEQUENCE) {
		return false
	}
	for !name.Empty() {
		var rdn cryptobyte.String
		var set pkix.RelativeDistinguishedNameSET
		if !name.ReadASN1(&rdn, cbasn1.SET) {
			return false
		}
		for !rdn.Empty() {
			var pair, id, value cryptobyte.String
			var tag cbasn1.Tag
			var a pkix.AttributeTypeAndValue
			if !rdn.ReadASN1(&pair, cbasn1.SEQUENCE) || !pair.ReadASN1Element(&id, cbasn1.OBJECT_IDENTIFIER) ||
				!pair.ReadAnyASN1(&value, &tag) || !pair.Empty() {
				return false
			}
			_ = id.ReadASN1ObjectIdentifier(&a.Type)
			text, ok := decodeString(tag, value)
			if !ok {
				text = strings.ToValidUTF8(string(value), "?")
			}
			a.Value = text
			set = append(set, a)
		}
		seq = append(seq, set)
	}
	to.FillFromRDNSequence(&seq)
	return true
}

// fillExtension copies what one extension says; one that cannot be read says nothing here (see flaw).
func fillExtension(x *x509.Certificate, e pkix.Extension) {
	in := cryptobyte.String(e.Value)
	var seq cryptobyte.String
	switch e.Id.String() {
	case "2.5.29.14":
		_ = in.ReadASN1Bytes(&x.SubjectKeyId, cbasn1.OCTET_STRING)
	case "2.5.29.15":
		x.KeyUsage, _ = readKeyUsage(e.Value)
	case "2.5.29.17":
		names, _ := readGeneralNames(e.Value)
		for _, n := range names {
			switch n.form {
			case rfc822Name:
				x.EmailAddresses = append(x.EmailAddresses, string(n.value))
			case dNSName:
				x.DNSNames = append(x.DNSNames, string(n.value))
			}
		}
	case "2.5.29.19":
		x.IsCA, x.MaxPathLen, x.BasicConstraintsValid = readBasicConstraints(e.Value)
		x.MaxPathLenZero = x.MaxPathLen == 0
	case "2.5.29.31":
		x.CRLDistributionPoints = distributionURIs(e.Value)
	case "2.5.29.35":
		if in.ReadASN1(&seq, cbasn1.SEQUENCE) && seq.PeekASN1Tag(cbasn1.Tag(0).ContextSpecific()) {
			_ = seq.ReadASN1Bytes(&x.AuthorityKeyId, cbasn1.Tag(0).ContextSpecific())
		}
	case "2.5.29.37":
		x.ExtKeyUsage, x.UnknownExtKeyUsage, _ = readExtKeyUsage(e.Value)
	case "1.3.6.1.5.5.7.1.1":
		x.OCSPServer, x.IssuingCertificateURL = accessURIs(e.Value)
	}
}

func readKeyUsage(der []byte) (x509.KeyUsage, bool) {
	in := cryptobyte.String(der)
	var bits asn1.BitString
	if !in.ReadASN1BitString(&bits) || !in.Empty() {
		return 0, false
	}
	var usage x509.KeyUsage
	for i := range 9 {
		usage |= x509.KeyUsage(bits.At(i)) << i
	}
	return usage, true
}

func readBasicConstraints(der []byte) (ca bool, pathLen int, ok bool) {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !readDefaultFalse(&seq, &ca) {
		return false, -1, false
	}
	if seq.Empty() {
		return ca, -1, true
	}
	ok = readSkip(&seq, cbasn1.INTEGER, &pathLen) && seq.Empty()
	if !ok || pathLen == math.MaxInt16 {
		return ca && ok, -1, ok
	}
	return ca, pathLen, true
}

var extKeyUsages = map[string]x509.ExtKeyUsage{
	"2.5.29.37.0":       x509.ExtKeyUsageAny,
	"1.3.6.1.5.5.7.3.1": x509.ExtKeyUsageServerAuth,
	"1.3.6.1.5.5.7.3.2": x509.ExtKeyUsageClientAuth,
	"1.3.6.1.5.5.7.3.3": x509.ExtKeyUsageCodeSigning,
	"1.3.6.1.5.5.7.3.4": x509.ExtKeyUsageEmailProtection,
	"1.3.6.1.5.5.7.3.8": x509.ExtKeyUsageTimeStamping,
	"1.3.6.1.5.5.7.3.9": x509.ExtKeyUsageOCSPSigning,
}

func readExtKeyUsage(der []byte) (known []x509.ExtKeyUsage, other []asn1.ObjectIdentifier, ok bool) {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, nil, false
	}
	for !seq.Empty() {
		var raw cryptobyte.String
		var id asn1.ObjectIdentifier
		if !seq.ReadASN1Element(&raw, cbasn1.OBJECT_IDENTIFIER) {
			return known, other, false
		}
		_ = raw.ReadASN1ObjectIdentifier(&id)
		if usage, is := extKeyUsages[id.String()]; is {
			known = append(known, usage)
		} else {
			other = append(other, id)
		}
	}
	return known, other, true
}

// distributionURIs are the addresses in cRLDistributionPoints (RFC 5280, 4.2.1.13).
func distributionURIs(der []byte) []string {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	var out []string
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) {
		return nil
	}
	zero := cbasn1.Tag(0).ContextSpecific().Constructed()
	for !seq.Empty() {
		var point, name, full cryptobyte.String
		if !seq.ReadASN1(&point, cbasn1.SEQUENCE) {
			return out
		}
		if !point.PeekASN1Tag(zero) || !point.ReadASN1(&name, zero) || !name.ReadASN1(&full, zero) {
			continue
		}
		for !full.Empty() {
			n, ok := readGeneralName(&full)
			if !ok {
				break
			}
			if n.form == uniformResourceIdentifier {
				out = append(out, string(n.value))
			}
		}
	}
	return out
}

// accessURIs are the addresses in authorityInfoAccess (RFC 5280, 4.2.2.1).
func accessURIs(der []byte) (responders, issuers []string) {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) {
		return nil, nil
	}
	for !seq.Empty() {
		var one cryptobyte.String
		var method asn1.ObjectIdentifier
		if !seq.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&method) {
			return responders, issuers
		}
		n, ok := readGeneralName(&one)
		if !ok || n.form != uniformResourceIdentifier {
			continue
		}
		switch method.String() {
		case "1.3.6.1.5.5.7.48.1":
			responders = append(responders, string(n.value))
		case "1.3.6.1.5.5.7.48.2":
			issuers = append(issuers, string(n.value))
		}
	}
	return responders, issuers
}
