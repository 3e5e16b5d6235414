package signing

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// certificate is a parsed certificate with the key and the signature algorithm read by our own rules.
type certificate struct {
	x      *x509.Certificate
	sum    [32]byte // SHA-256 of the whole DER
	key    publicKey
	keyWhy Reason // why there is no key
	scheme scheme
	sigWhy Reason
	issuer string // normal forms of the names, for comparing (RFC 5280, 7.1)
	owner  string
}

// readCertificate parses one DER certificate: what it says is read here, the judging is elsewhere.
func readCertificate(der []byte) (*certificate, Reason) {
	x, err := ParseCertificate(der)
	if err != nil {
		return nil, CertificateMalformed
	}
	return newCertificate(x)
}

func newCertificate(x *x509.Certificate) (*certificate, Reason) {
	c := &certificate{x: x, sum: sha256.Sum256(x.Raw), issuer: nameKey(x.RawIssuer), owner: nameKey(x.RawSubject)}
	c.key, c.keyWhy = readKey(x.RawSubjectPublicKeyInfo)
	in := cryptobyte.String(x.Raw)
	var outer, tbs cryptobyte.String
	var a algorithm
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) || !a.read(&outer) {
		return nil, CertificateMalformed
	}
	c.scheme, c.sigWhy = readScheme(a)
	if c.sigWhy == "" && c.scheme.kind != "ed25519" && c.scheme.hash == 0 {
		c.sigWhy = SignatureUnsupported
	}
	return c, ""
}

func (c *certificate) is(other *certificate) bool { return c.sum == other.sum }

func (c *certificate) selfIssued() bool { return c.issuer == c.owner }

// signedBy checks the signature on c with a key.
func (c *certificate) signedBy(k publicKey) Reason {
	if c.sigWhy != "" {
		return c.sigWhy
	}
	return k.verify(c.scheme, c.x.RawTBSCertificate, c.x.Signature)
}

// weak tells algorithms in the certificate's own signature that no longer bind.
func (c *certificate) weak() bool { return weak(c.scheme.hash) }

func (c *certificate) serial() string { return hex.EncodeToString(c.x.SerialNumber.Bytes()) }

// display is a name as a clerk reads it: the common name, else the whole.
func display(c *certificate) string {
	if c.x.Subject.CommonName != "" {
		return c.x.Subject.CommonName
	}
	return c.x.Subject.String()
}

// nameKey folds a distinguished name for comparison: string types are equal when their text is, without regard to case
// and to white space at the ends or doubled (RFC 5280, 7.1, the part of RFC 4518 that occurs). A name that does not parse
// is compared by its bytes.
func nameKey(raw []byte) string {
	var out bytes.Buffer
	in := cryptobyte.String(raw)
	var name cryptobyte.String
	if !in.ReadASN1(&name, cbasn1.SEQUENCE) || !in.Empty() {
		return string(raw)
	}
	for !name.Empty() {
		var rdn cryptobyte.String
		if !name.ReadASN1(&rdn, cbasn1.SET) {
			return string(raw)
		}
		out.WriteByte(1)
		for !rdn.Empty() {
			if !attributeKey(&rdn, &out) {
				return string(raw)
			}
		}
	}
	return out.String()
}

func attributeKey(rdn *cryptobyte.String, out *bytes.Buffer) bool {
	var pair, id, value cryptobyte.String
	var tag cbasn1.Tag
	if !rdn.ReadASN1(&pair, cbasn1.SEQUENCE) || !pair.ReadASN1Element(&id, cbasn1.OBJECT_IDENTIFIER) ||
		!pair.ReadAnyASN1(&value, &tag) || !pair.Empty() {
		return false
	}
	out.WriteByte(2)
	out.Write(id)
	switch {
	case foldable(tag) && utf8.Valid(value): // folding turns all invalid bytes into one character
		out.WriteByte(3)
		out.WriteString(strings.Join(strings.Fields(strings.ToLower(string(value))), " "))
	default:
		out.WriteByte(byte(tag))
		out.Write(value)
	}
	return true
}

func foldable(tag cbasn1.Tag) bool {
	return tag == cbasn1.UTF8String || tag == cbasn1.PrintableString || tag == cbasn1.IA5String || tag == cbasn1.T61String
}
