package signing

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ocsp is a parsed BasicOCSPResponse (RFC 6960, 4.2.1).
type ocsp struct {
	raw       []byte // as it came
	tbs       []byte
	scheme    scheme
	schemeWhy Reason
	signature []byte
	certs     []*certificate
	byName    string // responderID: a folded name, or
	byKey     []byte // the SHA-1 of a key
	answers   []ocspAnswer
	produced  time.Time
	strange   bool // has a critical extension that we do not know
}

// ocspAnswer is a SingleResponse.
type ocspAnswer struct {
	hash              algorithm
	name, key, serial []byte
	status            string // "good", "revoked", "unknown"
	revoked           revokedEntry
	thisUpdate        time.Time
	nextUpdate        time.Time // zero when absent
	cutoff            time.Time // archiveCutoff (RFC 6960, 4.4.4): what expired since is still known
	strange           bool
}

// Limits on a response; a responder's own has one to a few.
const (
	maxAnswers    = 1000
	maxResponders = 10
)

var (
	oidBasicOCSP = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidNoCheck   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
)

// readOCSP reads an OCSPResponse, or the BasicOCSPResponse that PDF's DSS and CAdES may hold instead. An unsuccessful
// response says nothing.
func readOCSP(der []byte) (*ocsp, bool) {
	in := cryptobyte.String(der)
	var outer, bytesOuter, both, basic cryptobyte.String
	var status int
	var id asn1.ObjectIdentifier
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, false
	}
	if !outer.PeekASN1Tag(cbasn1.ENUM) {
		return readBasic(der, der)
	}
	if !outer.ReadASN1Enum(&status) || status != 0 || !outer.ReadASN1(&bytesOuter, cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		!outer.Empty() || !bytesOuter.ReadASN1(&both, cbasn1.SEQUENCE) || !bytesOuter.Empty() || !both.ReadASN1ObjectIdentifier(&id) ||
		!id.Equal(oidBasicOCSP) || !both.ReadASN1(&basic, cbasn1.OCTET_STRING) || !both.Empty() {
		return nil, false
	}
	return readBasic(basic, der)
}

func readBasic(der, raw []byte) (*ocsp, bool) {
	in := cryptobyte.String(der)
	var seq, tbs, data cryptobyte.String
	var a algorithm
	r := &ocsp{raw: raw}
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Element(&tbs, cbasn1.SEQUENCE) || !a.read(&seq) ||
		!readSignature(&seq, &r.signature) {
		return nil, false
	}
	r.tbs = tbs
	r.scheme, r.schemeWhy = readScheme(a)
	if r.schemeWhy == "" && r.scheme.kind != "ed25519" && r.scheme.hash == 0 {
		r.schemeWhy = SignatureUnsupported
	}
	if !tbs.ReadASN1(&data, cbasn1.SEQUENCE) || !r.readData(&data) {
		return nil, false
	}
	return r, r.readCerts(&seq) && seq.Empty()
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
	if !outer.ReadASN1(&list, cbasn1.SEQUENCE) || !outer.Empty() {
		return false
	}
	for !list.Empty() && len(r.certs) < maxResponders {
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

// readData reads ResponseData: version, responderID, producedAt, responses, responseExtensions.
func (r *ocsp) readData(data *cryptobyte.String) bool {
	var list, skip cryptobyte.String
	var present bool
	if !data.ReadOptionalASN1(&skip, &present, cbasn1.Tag(0).ContextSpecific().Constructed()) || !r.readResponder(data) ||
		!data.ReadASN1GeneralizedTime(&r.produced) || !data.ReadASN1(&list, cbasn1.SEQUENCE) {
		return false
	}
	for !list.Empty() {
		var one cryptobyte.String
		var a ocspAnswer
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) || !a.read(&one) || len(r.answers) == maxAnswers {
			return false
		}
		r.answers = append(r.answers, a)
	}
	extensions, ok := optionalExtensions(data)
	for _, x := range extensions {
		r.strange = r.strange || x.critical && !harmlessOCSP[x.id.String()]
	}
	return ok && data.Empty()
}

// harmlessOCSP are the extensions of RFC 6960, 4.4 that do not change what an answer says.
var harmlessOCSP = map[string]bool{
	"1.3.6.1.5.5.7.48.1.2": true, // nonce: binds an answer to a question that was not ours
	"1.3.6.1.5.5.7.48.1.3": true, // CrlID
	"1.3.6.1.5.5.7.48.1.4": true, // acceptable responses
	"1.3.6.1.5.5.7.48.1.7": true, // service locator
	"1.3.6.1.5.5.7.48.1.9": true, // extended revoked definition: certificates never issued are told as revoked
}

// readResponder reads ResponderID: [1] Name or [2] KeyHash.
func (r *ocsp) readResponder(data *cryptobyte.String) bool {
	var id, key cryptobyte.String
	var tag cbasn1.Tag
	if !data.ReadAnyASN1(&id, &tag) {
		return false
	}
	switch tag {
	case cbasn1.Tag(1).ContextSpecific().Constructed():
		r.byName = nameKey(id)
		return true
	case cbasn1.Tag(2).ContextSpecific().Constructed():
		ok := id.ReadASN1(&key, cbasn1.OCTET_STRING) && id.Empty()
		r.byKey = key
		return ok
	}
	return false
}

func optionalExtensions(in *cryptobyte.String) ([]extension, bool) {
	var outer cryptobyte.String
	var present bool
	if !in.ReadOptionalASN1(&outer, &present, cbasn1.Tag(1).ContextSpecific().Constructed()) {
		return nil, false
	}
	if !present {
		return nil, true
	}
	list, ok := readExtensions(&outer)
	return list, ok && outer.Empty()
}

func (a *ocspAnswer) read(one *cryptobyte.String) bool {
	var id, serial, status, next cryptobyte.String
	var tag cbasn1.Tag
	if !one.ReadASN1(&id, cbasn1.SEQUENCE) || !a.hash.read(&id) || !id.ReadASN1Bytes(&a.name, cbasn1.OCTET_STRING) ||
		!id.ReadASN1Bytes(&a.key, cbasn1.OCTET_STRING) || !id.ReadASN1Element(&serial, cbasn1.INTEGER) || !id.Empty() ||
		!one.ReadAnyASN1(&status, &tag) || !a.readStatus(status, tag) || !one.ReadASN1GeneralizedTime(&a.thisUpdate) {
		return false
	}
	a.serial = serial
	var present bool
	if !one.ReadOptionalASN1(&next, &present, cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		present && (!next.ReadASN1GeneralizedTime(&a.nextUpdate) || !next.Empty()) {
		return false
	}
	extensions, ok := optionalExtensions(one)
	return ok && one.Empty() && a.readExtensions(extensions)
}

// readStatus reads CertStatus: [0] good, [1] revoked with its time and reason, [2] unknown.
func (a *ocspAnswer) readStatus(status cryptobyte.String, tag cbasn1.Tag) bool {
	switch tag {
	case cbasn1.Tag(0).ContextSpecific():
		a.status = "good"
		return status.Empty()
	case cbasn1.Tag(2).ContextSpecific():
		a.status = "unknown"
		return status.Empty()
	case cbasn1.Tag(1).ContextSpecific().Constructed():
		var reason cryptobyte.String
		var present bool
		a.status, a.revoked.reason = "revoked", notGiven
		return status.ReadASN1GeneralizedTime(&a.revoked.at) &&
			status.ReadOptionalASN1(&reason, &present, cbasn1.Tag(0).ContextSpecific().Constructed()) && status.Empty() &&
			(!present || reason.ReadASN1Enum(&a.revoked.reason) && reason.Empty())
	}
	return false
}

func (a *ocspAnswer) readExtensions(list []extension) bool {
	for _, x := range list {
		id := x.id.String()
		switch {
		case id == "1.3.6.1.5.5.7.48.1.6":
			in := cryptobyte.String(x.value)
			if !in.ReadASN1GeneralizedTime(&a.cutoff) || !in.Empty() {
				return false
			}
		case id == "2.5.29.21" || id == "2.5.29.23" || id == "2.5.29.24": // CRL entry extensions (RFC 6960, 4.4.5)
		default:
			a.strange = a.strange || x.critical && !harmlessOCSP[id]
		}
	}
	return a.revoked.read(list)
}

// about says whether the answer is about c. Which digest names the issuer does not matter: it identifies, it does not prove.
func (a ocspAnswer) about(c, issuer *certificate) bool {
	h := digestByOID[a.hash.id.String()]
	if h == 0 || !a.hash.plain() || c.issuer != issuer.owner || !bytes.Equal(a.serial, integerDER(c)) {
		return false
	}
	name, key := h.New(), h.New()
	name.Write(issuer.x.RawSubject)
	key.Write(keyBits(issuer))
	if !bytes.Equal(a.key, key.Sum(nil)) {
		return false
	}
	if bytes.Equal(a.name, name.Sum(nil)) {
		return true
	}
	name.Reset() // the name as the certificate writes it, where the issuer's own writes it otherwise
	name.Write(c.x.RawIssuer)
	return bytes.Equal(a.name, name.Sum(nil))
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

// signer finds who signed a response for an issuer: the issuer itself, or a responder to whom it gave that right with its
// own key (RFC 6960, 4.2.2.2), from the response or from others at hand. Nil: nobody who may. spend counts what is tried and
// says when it is enough.
func (r *ocsp) signer(issuer *certificate, others []*certificate, spend func() bool) *certificate {
	if r.schemeWhy != "" {
		return nil
	}
	for _, c := range append(append([]*certificate{issuer}, r.certs...), others...) {
		if c.keyWhy != "" || !r.names(c) || !spend() || !c.is(issuer) && !delegate(c, issuer, r.produced) {
			continue
		}
		if c.key.verify(r.scheme, r.tbs, r.signature) == "" {
			return c
		}
	}
	return nil
}

// authorised says that the response speaks for an issuer.
func (r *ocsp) authorised(issuer *certificate) bool {
	return r.signer(issuer, nil, func() bool { return true }) != nil
}

// names says that the responderID means c.
func (r *ocsp) names(c *certificate) bool {
	if r.byKey == nil {
		return r.byName == c.owner
	}
	sum := sha1.Sum(keyBits(c))
	return bytes.Equal(sum[:], r.byKey)
}

// delegate says that the issuer made c a responder for it, that c was good when the response was made, and that nothing in
// c speaks against it.
func delegate(c, issuer *certificate, produced time.Time) bool {
	signs := c.usage(x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment)
	return c.issuer == issuer.owner && slices.Contains(c.x.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) && signs &&
		!produced.Before(c.x.NotBefore) && !produced.After(c.x.NotAfter) && !hasUnknownCritical(c) &&
		issuer.keyWhy == "" && c.signedBy(issuer.key) == ""
}

func hasUnknownCritical(c *certificate) bool {
	return slices.ContainsFunc(c.x.Extensions, func(e pkix.Extension) bool {
		return e.Critical && !slices.Contains(processed, e.Id.String()) && !e.Id.Equal(oidNoCheck)
	})
}

// unchecked says that the issuer wants the responder trusted for its certificate's life (RFC 6960, 4.2.2.2.1).
func unchecked(c *certificate) bool {
	return slices.ContainsFunc(c.x.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidNoCheck) })
}

// freshUntil is nextUpdate; a responder that names none always has news, so its answer is good for a day.
func (a ocspAnswer) freshUntil() time.Time {
	if a.nextUpdate.IsZero() {
		return a.thisUpdate.Add(24 * time.Hour)
	}
	return a.nextUpdate
}
