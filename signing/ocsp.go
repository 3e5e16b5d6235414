package signing

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ocsp is a parsed BasicOCSPResponse (RFC 6960, 4.2.1).
type ocsp struct {
	tbs       []byte
	scheme    scheme
	signature []byte
	certs     []*certificate
	answers   []ocspAnswer
	produced  time.Time
}

// ocspAnswer is a SingleResponse.
type ocspAnswer struct {
	hash              algorithm
	name, key, serial []byte
	status            string // "good", "revoked", "unknown"
	revokedFor        string
	revokedAt         time.Time
	thisUpdate        time.Time
	nextUpdate        time.Time
}

var oidBasicOCSP = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}

// readOCSP reads an OCSPResponse, or the BasicOCSPResponse that PDF's DSS may hold instead.
func readOCSP(der []byte) (*ocsp, bool) {
	in := cryptobyte.String(der)
	var outer, bytesOuter, both, basic cryptobyte.String
	var status int
	var id asn1.ObjectIdentifier
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, false
	}
	if !outer.PeekASN1Tag(cbasn1.ENUM) {
		return readBasic(der)
	}
	if !outer.ReadASN1Enum(&status) || status != 0 || !outer.ReadASN1(&bytesOuter, cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		!bytesOuter.ReadASN1(&both, cbasn1.SEQUENCE) || !both.ReadASN1ObjectIdentifier(&id) || !id.Equal(oidBasicOCSP) ||
		!both.ReadASN1(&basic, cbasn1.OCTET_STRING) {
		return nil, false
	}
	return readBasic(basic)
}

func readBasic(der []byte) (*ocsp, bool) {
	in := cryptobyte.String(der)
	var seq, tbs, data cryptobyte.String
	var a algorithm
	r := &ocsp{}
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Element(&tbs, cbasn1.SEQUENCE) || !a.read(&seq) ||
		!seq.ReadASN1BitStringAsBytes(&r.signature) {
		return nil, false
	}
	r.tbs = tbs
	var why Reason
	if r.scheme, why = readScheme(a); why != "" || r.scheme.kind != "ed25519" && r.scheme.hash == 0 {
		return nil, false
	}
	if !tbs.ReadASN1(&data, cbasn1.SEQUENCE) || !r.readData(&data) {
		return nil, false
	}
	return r, r.readCerts(&seq)
}

func (r *ocsp) readCerts(seq *cryptobyte.String) bool {
	var outer, list cryptobyte.String
	var present bool
	if !seq.ReadOptionalASN1(&outer, &present, cbasn1.Tag(0).ContextSpecific().Constructed()) {
		return false
	}
	if !present {
		return true
	}
	if !outer.ReadASN1(&list, cbasn1.SEQUENCE) {
		return false
	}
	for !list.Empty() && len(r.certs) < 10 {
		var one cryptobyte.String
		if !list.ReadASN1Element(&one, cbasn1.SEQUENCE) {
			return false
		}
		if c, why := readCertificate(one); why == "" {
			r.certs = append(r.certs, c)
		}
	}
	return true
}

// readData reads ResponseData: [0] version, responderID, producedAt, responses. The responder is found by trying keys.
func (r *ocsp) readData(data *cryptobyte.String) bool {
	var list, skip cryptobyte.String
	var tag cbasn1.Tag
	var present bool
	if !data.ReadOptionalASN1(&skip, &present, cbasn1.Tag(0).ContextSpecific().Constructed()) || !data.ReadAnyASN1(&skip, &tag) ||
		!data.ReadASN1GeneralizedTime(&r.produced) || !data.ReadASN1(&list, cbasn1.SEQUENCE) {
		return false
	}
	for !list.Empty() && len(r.answers) < 1000 {
		var one cryptobyte.String
		var a ocspAnswer
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) || !a.read(&one) {
			return false
		}
		r.answers = append(r.answers, a)
	}
	return true
}

func (a *ocspAnswer) read(one *cryptobyte.String) bool {
	var id, serial, status, next cryptobyte.String
	var tag cbasn1.Tag
	if !one.ReadASN1(&id, cbasn1.SEQUENCE) || !a.hash.read(&id) || !id.ReadASN1Bytes(&a.name, cbasn1.OCTET_STRING) ||
		!id.ReadASN1Bytes(&a.key, cbasn1.OCTET_STRING) || !id.ReadASN1Element(&serial, cbasn1.INTEGER) ||
		!one.ReadAnyASN1(&status, &tag) || !one.ReadASN1GeneralizedTime(&a.thisUpdate) {
		return false
	}
	a.serial = serial
	switch tag &^ 0x20 {
	case cbasn1.Tag(0).ContextSpecific():
		a.status = "good"
	case cbasn1.Tag(1).ContextSpecific():
		a.status = "revoked"
		reason := -1
		inner := cryptobyte.String(nil)
		if !status.ReadASN1GeneralizedTime(&a.revokedAt) {
			return false
		}
		if status.ReadASN1(&inner, cbasn1.Tag(0).ContextSpecific().Constructed()) && !inner.ReadASN1Enum(&reason) {
			return false
		}
		a.revokedFor = reasonNames[reason]
	default:
		a.status = "unknown"
	}
	var present bool
	if !one.ReadOptionalASN1(&next, &present, cbasn1.Tag(0).ContextSpecific().Constructed()) {
		return false
	}
	return !present || next.ReadASN1GeneralizedTime(&a.nextUpdate)
}

// about says whether the answer is about c.
func (a ocspAnswer) about(c, issuer *certificate) bool {
	h := digestByOID[a.hash.id.String()]
	if h == 0 || !bytes.Equal(a.serial, integerDER(c)) {
		return false
	}
	name, key := h.New(), h.New()
	name.Write(issuer.x.RawSubject)
	key.Write(keyBits(issuer))
	return bytes.Equal(a.name, name.Sum(nil)) && bytes.Equal(a.key, key.Sum(nil))
}

// keyBits is the BIT STRING of the public key, without its count of unused bits.
func keyBits(c *certificate) []byte {
	in := cryptobyte.String(c.x.RawSubjectPublicKeyInfo)
	var seq cryptobyte.String
	var bits []byte
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.SkipASN1(cbasn1.SEQUENCE) || !seq.ReadASN1BitStringAsBytes(&bits) {
		return nil
	}
	return bits
}

// authorised says that the issuer signed the response, or a responder to whom it gave that right (RFC 6960, 4.2.2.2).
func (r *ocsp) authorised(issuer *certificate) bool {
	if weak(r.scheme.hash) {
		return false
	}
	if issuer.keyWhy == "" && issuer.key.verify(r.scheme, r.tbs, r.signature) == "" {
		return true
	}
	for _, c := range r.certs {
		if c.issuer == issuer.owner && slices.Contains(c.x.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) && c.keyWhy == "" &&
			!r.produced.Before(c.x.NotBefore) && !r.produced.After(c.x.NotAfter) &&
			c.signedBy(issuer.key) == "" && c.key.verify(r.scheme, r.tbs, r.signature) == "" {
			return true
		}
	}
	return false
}

// askOCSP reads what one response says about c.
func (v revocation) askOCSP(r *ocsp, c, issuer *certificate) (standing, bool) {
	for _, a := range r.answers {
		if !a.about(c, issuer) {
			continue
		}
		s := standing{report: RevocationReport{Status: a.status, Source: "ocsp", ThisUpdate: a.thisUpdate, NextUpdate: a.nextUpdate, RevokedAt: a.revokedAt, RevokedFor: a.revokedFor}}
		switch {
		case !r.authorised(issuer):
			s.report.Status, s.why = "unknown", RevocationInvalid
		case a.status == "unknown":
			s.why = OCSPUnknown
		case a.status == "good" && v.at.After(a.freshUntil()):
			s.report.Status, s.why = "unknown", RevocationStale
		}
		return s, true
	}
	return standing{}, false
}

// freshUntil is nextUpdate; a responder that names none always has news, so its answer is good for a day.
func (a ocspAnswer) freshUntil() time.Time {
	if a.nextUpdate.IsZero() {
		return a.thisUpdate.Add(24 * time.Hour)
	}
	return a.nextUpdate
}
