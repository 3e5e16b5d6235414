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
	c.cert = info.find(certs)
	if !c.algorithms(m) {
		return c
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
		if n > 1 || !boundTo(value, id.Equal(oidSigningCertV2), c.cert) {
			c.add(SigningCertMismatch)
		}
	}
}

func boundTo(value []byte, v2 bool, cert *certificate) bool {
	in := cryptobyte.String(value)
	var outer, list, first cryptobyte.String
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1(&list, cbasn1.SEQUENCE) || !list.ReadASN1(&first, cbasn1.SEQUENCE) {
		return false
	}
	hash := crypto.SHA1
	if v2 {
		hash = crypto.SHA256
		if first.PeekASN1Tag(cbasn1.SEQUENCE) {
			var a algorithm
			if !a.read(&first) || !a.plain() {
				return false
			}
			hash = digestByOID[a.id.String()]
		}
	}
	var sum []byte
	if hash == 0 || !first.ReadASN1Bytes(&sum, cbasn1.OCTET_STRING) {
		return false
	}
	h := hash.New()
	h.Write(cert.x.Raw)
	return bytes.Equal(h.Sum(nil), sum) && issuerSerialFits(first, cert)
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
		c.add(c.cert.key.verify(c.scheme, c.info.signed, c.info.value))
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
func (c *checked) strength(allowSHA1 bool) {
	if weak(c.info.hash) && !(allowSHA1 && c.info.hash == crypto.SHA1) {
		c.add(WeakDigest)
	}
	if c.cert != nil && c.cert.key.weak() {
		c.add(WeakKey)
	}
}
