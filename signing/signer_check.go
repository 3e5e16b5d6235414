package signing

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// checked is what the cryptographic part found about one signer; the path and the times come after.
type checked struct {
	info    signerInfo
	cert    *certificate // nil when not found
	scheme  scheme
	reasons []Reason
}

func (c *checked) add(r Reason) {
	if r != "" {
		c.reasons = addReason(c.reasons, r)
	}
}

// contentDigest gives the digest of what is signed; ok is false when it is not at hand.
type contentDigest func(crypto.Hash) (digest []byte, ok bool)

// checkSigner judges one SignerInfo over a content: attributes, digest, certificate binding, signature value.
func checkSigner(m *message, info signerInfo, certs []*certificate, digest contentDigest) checked {
	c := checked{info: info}
	if info.version != info.expectedVersion() {
		c.add(CMSVersion)
	}
	named := info.candidates(certs)
	if len(named) > 0 {
		c.cert = named[0]
	}
	if !c.algorithms(m) {
		return c
	}
	if len(named) > 1 {
		c.choose(named, digest)
	}
	if info.signed == nil {
		c.add(NoSignedAttributes)
	} else {
		c.attributes(m, digest)
	}
	if c.cert == nil {
		c.add(SignerMissing)
		return c
	}
	c.binding()
	c.signature(digest)
	return c
}

// choose takes, of several certificates that the signer may mean, the one that is bound and whose key fits.
func (c *checked) choose(named []*certificate, digest contentDigest) {
	for _, cert := range named {
		trial := checked{info: c.info, scheme: c.scheme, cert: cert}
		trial.binding()
		trial.signature(digest)
		if len(trial.reasons) == 0 {
			c.cert = cert
			return
		}
	}
}

// algorithms checks that digest and signature algorithm are known, listed and belong together. Unknown ones end the check.
func (c *checked) algorithms(m *message) bool {
	if !slices.Contains(m.digests, c.info.digest.id.String()) {
		c.add(DigestUnlisted)
	}
	if !c.info.digest.plain() {
		c.add(AlgorithmMismatch)
	}
	if c.info.hash == 0 {
		c.add(DigestUnsupported)
		return false
	}
	var why Reason
	if c.scheme, why = readScheme(c.info.algorithm); why != "" {
		c.add(why)
		return false
	}
	if c.scheme.hash == 0 {
		c.scheme.hash = c.info.hash
	}
	if c.scheme.hash != c.info.hash {
		c.add(AlgorithmMismatch)
	}
	if c.scheme.kind == "ed25519" && c.info.hash != crypto.SHA512 {
		c.add(AlgorithmMismatch) // RFC 8419, 3.1
	}
	return true
}

// attributes checks contentType and messageDigest: each once, with one value, and right (RFC 5652, 11.1 and 11.2).
func (c *checked) attributes(m *message, digest contentDigest) {
	c.contentType(m)
	if _, n := only(c.info.attributes, oidSigningTime); n > 1 {
		c.add(SigningTimeRepeated)
	}
	c.protected()
	value, n := only(c.info.attributes, oidMessageDigest)
	switch {
	case n == 0:
		c.add(DigestMissing)
		return
	case n > 1:
		c.add(DigestRepeated)
		return
	}
	in := cryptobyte.String(value)
	var signed []byte
	if !in.ReadASN1Bytes(&signed, cbasn1.OCTET_STRING) || !in.Empty() {
		c.add(AttributesMalformed)
		return
	}
	have, ok := digest(c.info.hash)
	switch {
	case !ok:
		c.add(ExternalContentUnknown)
	case !bytes.Equal(have, signed):
		c.add(DigestMismatch)
	}
}

// protected checks the attribute that repeats the names of the algorithms, which themselves are not signed: one value, and
// the same names (RFC 6211, 2 and 3).
func (c *checked) protected() {
	value, n := only(c.info.attributes, oidProtection)
	if n == 0 {
		return
	}
	in := cryptobyte.String(value)
	var seq cryptobyte.String
	var digest, signature algorithm
	tag := cbasn1.Tag(1).ContextSpecific().Constructed()
	switch {
	case n > 1 || !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !digest.read(&seq):
		c.add(AttributesMalformed)
	case !signature.readTagged(&seq, tag) || !seq.Empty():
		c.add(AttributesMalformed)
	case !digest.same(c.info.digest) || !signature.same(c.info.algorithm):
		c.add(AlgorithmMismatch)
	}
}

func (c *checked) contentType(m *message) {
	value, n := only(c.info.attributes, oidContentType)
	switch {
	case n == 0:
		c.add(ContentTypeMissing)
		return
	case n > 1:
		c.add(ContentTypeRepeated)
		return
	}
	in := cryptobyte.String(value)
	var id asn1.ObjectIdentifier
	if !in.ReadASN1ObjectIdentifier(&id) || !in.Empty() {
		c.add(AttributesMalformed)
		return
	}
	if !id.Equal(m.contentType) {
		c.add(ContentTypeMismatch)
	}
}

// binding checks signing-certificate and -v2: the first ESSCertID must be the signer's certificate (RFC 2634, 5.4; RFC 5035).
func (c *checked) binding() {
	for _, id := range []asn1.ObjectIdentifier{oidSigningCert, oidSigningCertV2} {
		value, n := only(c.info.attributes, id)
		if n == 0 {
			continue
		}
		if n > 1 {
			c.add(SigningCertMismatch)
			continue
		}
		c.add(boundTo(value, id.Equal(oidSigningCertV2), c.cert))
	}
}

func boundTo(value []byte, v2 bool, cert *certificate) Reason {
	in := cryptobyte.String(value)
	var outer, list, first cryptobyte.String
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1(&list, cbasn1.SEQUENCE) || !list.ReadASN1(&first, cbasn1.SEQUENCE) {
		return SigningCertMismatch
	}
	hash := crypto.SHA1
	if v2 {
		hash = crypto.SHA256
		if first.PeekASN1Tag(cbasn1.SEQUENCE) {
			var a algorithm
			if !a.read(&first) || !a.plain() {
				return SigningCertMismatch
			}
			if hash = digestByOID[a.id.String()]; hash == 0 {
				return DigestUnsupported
			}
		}
	}
	var sum []byte
	if !first.ReadASN1Bytes(&sum, cbasn1.OCTET_STRING) {
		return SigningCertMismatch
	}
	h := hash.New()
	h.Write(cert.x.Raw)
	if !bytes.Equal(h.Sum(nil), sum) || !issuerSerialFits(first, cert) {
		return SigningCertMismatch
	}
	return ""
}

// issuerSerialFits checks the optional IssuerSerial of an ESSCertID.
func issuerSerialFits(in cryptobyte.String, cert *certificate) bool {
	if in.Empty() {
		return true
	}
	var both, names, name, serial cryptobyte.String
	if !in.ReadASN1(&both, cbasn1.SEQUENCE) || !in.Empty() || !both.ReadASN1(&names, cbasn1.SEQUENCE) ||
		!both.ReadASN1Element(&serial, cbasn1.INTEGER) || !bytes.Equal(serial, integerDER(cert)) {
		return false
	}
	directory := cbasn1.Tag(4).ContextSpecific().Constructed()
	return names.ReadASN1(&name, directory) && nameKey(name) == cert.issuer
}

// signature checks the value itself with the signer's key.
func (c *checked) signature(digest contentDigest) {
	if c.cert.keyWhy != "" {
		c.add(c.cert.keyWhy)
		return
	}
	if c.info.signed != nil {
		why := c.cert.key.verify(c.scheme, c.info.signed, c.info.value)
		if why == SignatureMismatch {
			if sorted := sortedSet(c.info.signed); !bytes.Equal(sorted, c.info.signed) {
				why = c.cert.key.verify(c.scheme, sorted, c.info.value)
			}
		}
		c.add(why)
		return
	}
	if c.scheme.kind == "ed25519" {
		return // needs the whole content at once; refused already for want of attributes
	}
	if have, ok := digest(c.info.hash); ok {
		c.add(c.cert.key.verifyDigest(c.scheme, have, c.info.value))
	}
}

// strength adds the reasons for algorithms that no longer bind. Run last: forged outranks weak.
func (c *checked) strength(o Options) {
	if o.weak(c.info.hash) {
		c.add(WeakDigest)
	}
	if c.cert != nil && c.cert.key.weak() {
		c.add(WeakKey)
	}
}

// sortedSet is a SET OF in the order of DER. What is signed is the DER of the attributes (RFC 5652, 5.4), but signers who
// send them in another order have signed one or the other: OpenSSL checks the order as sent, Bouncy Castle that of DER.
func sortedSet(set []byte) []byte {
	in := cryptobyte.String(set)
	var body cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SET) {
		return set
	}
	var parts [][]byte
	for !body.Empty() {
		var part cryptobyte.String
		var tag cbasn1.Tag
		if !body.ReadAnyASN1Element(&part, &tag) {
			return set
		}
		parts = append(parts, part)
	}
	slices.SortFunc(parts, bytes.Compare)
	return appendElement(nil, tagSet, bytes.Join(parts, nil))
}
