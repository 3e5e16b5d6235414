package signing

import (
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// maxEvidence bounds the lists, responses and certificates of each kind that one message may bring along.
const maxEvidence = 100

// evidence collects what a message brings to prove its certificates: revocation lists and OCSP responses beside the
// signers (RFC 5652, 10.2.1; RFC 5940), in the signed attribute of Acrobat, and in CAdES's unsigned ones. All of it is
// signed by those who issued it, so it does not matter that anyone could have put it there.
func (m *message) evidence(signers []signerInfo) evidence {
	var certs, crls, responses [][]byte
	for _, s := range signers {
		for _, v := range slices.Concat(values(s.attributes, oidArchival), values(s.unsigned, oidRevocationVals)) {
			lists, answers := revocationValues(v)
			crls, responses = append(crls, lists...), append(responses, answers...)
		}
		for _, v := range values(s.unsigned, oidCertificates) {
			certs = append(certs, elements(v)...)
		}
	}
	var out evidence
	for _, der := range bounded(certs) {
		if c, why := readCertificate(der); why == "" {
			out.certs = append(out.certs, c)
		}
	}
	for _, der := range bounded(slices.Concat(m.crls, crls)) {
		if l, ok := readCRL(der); ok {
			out.crls = append(out.crls, l)
		}
	}
	for _, der := range bounded(slices.Concat(m.ocsp, responses)) {
		if r, ok := readOCSP(der); ok {
			out.ocsp = append(out.ocsp, r)
		}
	}
	return out
}

func bounded(list [][]byte) [][]byte { return list[:min(len(list), maxEvidence)] }

// with joins two lots, leaving both as they are.
func (e evidence) with(more evidence) evidence {
	return evidence{certs: slices.Concat(e.certs, more.certs), crls: slices.Concat(e.crls, more.crls), ocsp: slices.Concat(e.ocsp, more.ocsp)}
}

// revocationValues reads RevocationValues (ETSI TS 101 733, 6.3.4) or Acrobat's RevocationInfoArchival (ISO 32000-1,
// 12.8.3.3.2), which have one form: lists in [0], OCSP responses in [1].
func revocationValues(der []byte) (lists, responses [][]byte) {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) {
		return nil, nil
	}
	for i, to := range []*[][]byte{&lists, &responses} {
		var field cryptobyte.String
		var present bool
		if !seq.ReadOptionalASN1(&field, &present, cbasn1.Tag(i).ContextSpecific().Constructed()) {
			return lists, responses
		}
		if present {
			*to = elements(field)
		}
	}
	return lists, responses
}

// elements are the parts of a SEQUENCE OF; none when it is not one.
func elements(der []byte) [][]byte {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) {
		return nil
	}
	var out [][]byte
	for !seq.Empty() && len(out) < maxEvidence {
		var part cryptobyte.String
		var tag cbasn1.Tag
		if !seq.ReadAnyASN1Element(&part, &tag) {
			return out
		}
		out = append(out, part)
	}
	return out
}

// otherOCSP is the OCSP response in an OtherRevocationInfoFormat, [1] { id-ri-ocsp-response, OCSPResponse } (RFC 5940, 2.1).
func otherOCSP(der []byte) ([]byte, bool) {
	in := cryptobyte.String(der)
	var other, response cryptobyte.String
	var id asn1.ObjectIdentifier
	ok := in.ReadASN1(&other, cbasn1.Tag(1).ContextSpecific().Constructed()) && other.ReadASN1ObjectIdentifier(&id) &&
		id.Equal(oidOCSPOther) && other.ReadASN1Element(&response, cbasn1.SEQUENCE)
	return response, ok
}
