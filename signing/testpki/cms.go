package testpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // SHA-1 and MD5 only to make documents that must not be accepted
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// CMS says how a message is made. The zero value with Signers is a detached CAdES-B message with SHA-256.
type CMS struct {
	Signers        []*Identity
	Attached       bool                  // put the content in
	ContentType    asn1.ObjectIdentifier // id-data when nil
	Digest         crypto.Hash           // SHA-256 when 0; SHA-512 for Ed25519
	PSS            bool                  // RSA only
	KeyID          bool                  // name the signer by subject key identifier
	Time           time.Time             // signingTime; none when zero
	NoSigningCert  bool                  // leave signing-certificate-v2 out
	NoCertificates bool
	BareSignature  bool // no signed attributes at all
	Certificates   []*x509.Certificate
	TSA            *PKI      // add a timestamp of this authority over the signature value
	TimestampTime  time.Time // Time when zero

	// Bend changes a piece of the message on its way in, to make broken ones. The pieces, in the order of making: "contentType",
	// "messageDigest", "signingTime", "signingCertificate" (each a whole Attribute; nil drops it), "signature" (the value),
	// "signerVersion", "sid", "digestAlgorithm", "signedAttributes", "signatureAlgorithm", "unsignedAttributes",
	// "signerInfo", "version", "digestAlgorithms", "encapContentInfo", "certificates", "signerInfos", "signedData", "contentInfo".
	Bend func(piece string, der []byte) []byte
}

// SignCMS makes a detached CAdES signature of id over content: SHA-256, signing-certificate-v2, claimed time t.
func SignCMS(id *Identity, content []byte, t time.Time) ([]byte, error) {
	return CMS{Signers: []*Identity{id}, Time: t}.Sign(content)
}

// Sign makes the message over content.
func (c CMS) Sign(content []byte) ([]byte, error) {
	h := c.hash().New()
	h.Write(content)
	return c.SignDigest(content, h.Sum(nil))
}

// SignDigest makes the message over a content whose digest is known; content is used only when Attached or bare.
func (c CMS) SignDigest(content, digest []byte) ([]byte, error) {
	if len(c.Signers) == 0 && c.Bend == nil {
		return nil, errors.New("sign: no signer")
	}
	var infos, certs [][]byte
	for _, id := range c.Signers {
		info, err := c.signerInfo(id, content, digest)
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
		certs = append(certs, id.Certificate.Raw)
		for _, up := range id.Chain {
			certs = append(certs, up.Raw)
		}
	}
	for _, extra := range c.Certificates {
		certs = append(certs, extra.Raw)
	}
	certificates := tlv(0xA0, unique(certs)...)
	if c.NoCertificates {
		certificates = nil
	}
	body := seq(
		c.bend("version", integer(c.version())),
		c.bend("digestAlgorithms", tlv(0x31, c.digestAlgorithm())),
		c.bend("encapContentInfo", c.encap(content)),
		c.bend("certificates", certificates),
		c.bend("signerInfos", set(infos...)))
	return c.bend("contentInfo", seq(oid(oidSignedData), tlv(0xA0, c.bend("signedData", body)))), nil
}

func (c CMS) signerInfo(id *Identity, content, digest []byte) ([]byte, error) {
	var attributes []byte
	toSign := content
	if !c.BareSignature {
		signed := set(split(c.attributes(id, digest))...)
		toSign = signed
		attributes = append([]byte{0xA0}, signed[1:]...)
	}
	value, err := c.signature(id, toSign)
	if err != nil {
		return nil, fmt.Errorf("sign as %s: %w", id.Name, err)
	}
	value = c.bend("signature", value)
	unsigned, err := c.unsigned(value)
	if err != nil {
		return nil, err
	}
	version, sid := int64(1), seq(id.Certificate.RawIssuer, bigInteger(id.Certificate.SerialNumber))
	if c.KeyID {
		version, sid = 3, tlv(0x80, id.Certificate.SubjectKeyId)
	}
	return c.bend("signerInfo", seq(
		c.bend("signerVersion", integer(version)),
		c.bend("sid", sid),
		c.bend("digestAlgorithm", c.digestAlgorithm()),
		c.bend("signedAttributes", attributes),
		c.bend("signatureAlgorithm", c.signatureAlgorithm(id)),
		octets(value),
		c.bend("unsignedAttributes", unsigned))), nil
}

func (c CMS) attributes(id *Identity, digest []byte) []byte {
	out := c.bend("contentType", Attribute(oidContentType, oid(c.contentType())))
	out = append(out, c.bend("messageDigest", Attribute(oidMessageDigest, octets(digest)))...)
	if !c.Time.IsZero() {
		out = append(out, c.bend("signingTime", Attribute(oidSigningTime, utcTime(c.Time)))...)
	}
	if !c.NoSigningCert {
		out = append(out, c.bend("signingCertificate", Attribute(oidSigningCertV2, signingCertificate(id.Certificate)))...)
	}
	return out
}

// signingCertificate is SigningCertificateV2 with the default SHA-256 and the issuer's serial (RFC 5035, 3).
func signingCertificate(c *x509.Certificate) []byte {
	h := crypto.SHA256.New()
	h.Write(c.Raw)
	issuer := seq(seq(tlv(0xA4, c.RawIssuer)), bigInteger(c.SerialNumber))
	return seq(seq(seq(octets(h.Sum(nil)), issuer)))
}

// Attribute encodes a CMS attribute with one value or several.
func Attribute(id asn1.ObjectIdentifier, values ...[]byte) []byte {
	return seq(oid(id), tlv(0x31, values...))
}

func (c CMS) unsigned(signature []byte) ([]byte, error) {
	if c.TSA == nil {
		return c.bend("unsignedAttributes", nil), nil
	}
	h := crypto.SHA256.New()
	h.Write(signature)
	token, err := c.TSA.Timestamp(h.Sum(nil), orTime(c.TimestampTime, c.Time))
	if err != nil {
		return nil, err
	}
	return tlv(0xA1, Attribute(oidTimestampToken, token)), nil
}

func (c CMS) encap(content []byte) []byte {
	if !c.Attached {
		return seq(oid(c.contentType()))
	}
	return seq(oid(c.contentType()), tlv(0xA0, octets(content)))
}

// version is that of SignedData (RFC 5652, 5.1).
func (c CMS) version() int64 {
	if c.KeyID || !c.contentType().Equal(oidData) {
		return 3
	}
	return 1
}

func (c CMS) contentType() asn1.ObjectIdentifier {
	if c.ContentType == nil {
		return oidData
	}
	return c.ContentType
}

func (c CMS) hash() crypto.Hash {
	if c.Digest != 0 {
		return c.Digest
	}
	if len(c.Signers) > 0 {
		if _, ok := c.Signers[0].Key.(ed25519.PrivateKey); ok {
			return crypto.SHA512
		}
	}
	return crypto.SHA256
}

func (c CMS) digestAlgorithm() []byte { return seq(oid(oidDigests[c.hash()])) }

func (c CMS) signatureAlgorithm(id *Identity) []byte {
	switch id.Key.(type) {
	case *ecdsa.PrivateKey:
		return seq(oid(oidECDSA[c.hash()]))
	case ed25519.PrivateKey:
		return seq(oid(oidEd25519))
	}
	if !c.PSS {
		return seq(oid(oidRSA), null)
	}
	hash := seq(oid(oidDigests[c.hash()]), null)
	return seq(oid(oidPSS), seq(tlv(0xA0, hash), tlv(0xA1, seq(oid(oidMGF1), hash)), tlv(0xA2, integer(int64(c.hash().Size())))))
}

func (c CMS) signature(id *Identity, message []byte) ([]byte, error) {
	if _, ok := id.Key.(ed25519.PrivateKey); ok {
		return id.Key.Sign(rand.Reader, message, crypto.Hash(0))
	}
	h := c.hash().New()
	h.Write(message)
	if _, ok := id.Key.(*rsa.PrivateKey); ok && c.PSS {
		return id.Key.Sign(rand.Reader, h.Sum(nil), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: c.hash()})
	}
	return id.Key.Sign(rand.Reader, h.Sum(nil), c.hash())
}

func (c CMS) bend(piece string, der []byte) []byte {
	if c.Bend == nil {
		return der
	}
	return c.Bend(piece, der)
}

// split cuts a row of DER elements into its elements.
func split(der []byte) [][]byte {
	var out [][]byte
	for len(der) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil {
			return append(out, der)
		}
		out, der = append(out, v.FullBytes), rest
	}
	return out
}

func unique(list [][]byte) [][]byte {
	var out [][]byte
	seen := map[string]bool{}
	for _, b := range list {
		if !seen[string(b)] {
			seen[string(b)] = true
			out = append(out, b)
		}
	}
	return out
}

// Timestamp makes an RFC 3161 token of the TSA over a SHA-256 imprint.
func (p *PKI) Timestamp(imprint []byte, at time.Time) ([]byte, error) {
	info := seq(integer(1), oid(oidTestPolicy),
		seq(seq(oid(oidDigests[crypto.SHA256]), null), octets(imprint)),
		bigInteger(new(big.Int).SetInt64(at.UnixNano())), generalized(orTime(at, p.o.Now)))
	token, err := CMS{Signers: []*Identity{p.TSA}, Attached: true, ContentType: oidTSTInfo, Time: at}.Sign(info)
	if err != nil {
		return nil, fmt.Errorf("timestamp: %w", err)
	}
	return token, nil
}
