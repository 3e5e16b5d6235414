package signing

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"sync"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// certificate is a parsed certificate with the key, the signature algorithm and the extensions of path validation read by
// our own rules.
type certificate struct {
	x      *x509.Certificate
	sum    [32]byte // SHA-256 of the whole DER
	key    publicKey
	keyWhy Reason // why there is no key
	scheme scheme
	sigWhy Reason
	issuer string // normal forms of the names, for comparing (RFC 5280, 7.1)
	owner  string
	texts  *nameTexts

	flaw        Reason        // CertificateMalformed: an extension or a rule of RFC 5280, 4 is broken; the path will not stand
	alternative []generalName // subjectAltName
	constraints *nameConstraints
	policy      policyExtensions
}

// nameTexts are the names as they are written into reports: made once for a certificate that comes again with each document.
type nameTexts struct {
	once            sync.Once
	subject, issuer string
}

func (c *certificate) subjectText() string { return c.written().subject }
func (c *certificate) issuerText() string  { return c.written().issuer }

func (c *certificate) written() *nameTexts {
	c.texts.once.Do(func() { c.texts.subject, c.texts.issuer = c.x.Subject.String(), c.x.Issuer.String() })
	return c.texts
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
	c := &certificate{x: x, sum: sha256.Sum256(x.Raw), issuer: nameKey(x.RawIssuer), owner: nameKey(x.RawSubject), texts: &nameTexts{}}
	c.key, c.keyWhy = readKey(x.RawSubjectPublicKeyInfo)
	in := cryptobyte.String(x.Raw)
	var outer, tbs, algo cryptobyte.String
	var a algorithm
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) || !outer.ReadASN1Element(&algo, cbasn1.SEQUENCE) {
		return nil, CertificateMalformed
	}
	whole := algo
	if !a.read(&algo) {
		return nil, CertificateMalformed
	}
	c.scheme, c.sigWhy = readScheme(a)
	if c.sigWhy == "" && c.scheme.kind != "ed25519" && c.scheme.hash == 0 {
		c.sigWhy = SignatureUnsupported
	}
	c.readFlaws(tbs, whole)
	return c, ""
}

// readFlaws reads the extensions that paths are judged by and remembers what breaks RFC 5280, 4.
func (c *certificate) readFlaws(tbs, outer cryptobyte.String) {
	c.policy = policyExtensions{explicit: -1, inhibitMapping: -1, inhibitPolicy: -1}
	ok := sameAlgorithm(tbs, outer) && (c.x.Version == 3 || len(c.x.Extensions) == 0)
	seen := map[string]bool{}
	critical := false // of the alternative names
	for _, e := range c.x.Extensions {
		id := e.Id.String()
		ok = ok && (len(e.Id) == 0 || !seen[id]) && c.readExtension(id, e) // 4.2: not more than one of a kind
		seen[id] = true
		critical = critical || id == "2.5.29.17" && e.Critical
	}
	ok = ok && !emptyName(c.x.RawIssuer)                             // 4.1.2.4
	ok = ok && (!emptyName(c.x.RawSubject) || critical && !c.x.IsCA) // 4.1.2.6
	ok = ok && (c.x.IsCA || c.constraints == nil)                    // 4.2.1.10: only in a CA's certificate
	if !ok {
		c.flaw = CertificateMalformed
	}
}

// sameAlgorithm: the algorithm stands twice, within what is signed and beside it (4.1.1.2).
func sameAlgorithm(tbs, outer cryptobyte.String) bool {
	var inner cryptobyte.String
	return tbs.SkipOptionalASN1(cbasn1.Tag(0).ContextSpecific().Constructed()) && tbs.SkipASN1(cbasn1.INTEGER) &&
		tbs.ReadASN1Element(&inner, cbasn1.SEQUENCE) && bytes.Equal(inner, outer)
}

func emptyName(der []byte) bool { return len(der) == 2 }

func (c *certificate) readExtension(id string, e pkix.Extension) (ok bool) {
	in := cryptobyte.String(e.Value)
	switch id {
	case "2.5.29.14":
		return in.SkipASN1(cbasn1.OCTET_STRING) && in.Empty() && !e.Critical
	case "2.5.29.35", "1.3.6.1.5.5.7.1.1":
		return in.SkipASN1(cbasn1.SEQUENCE) && in.Empty() && !e.Critical // "MUST mark this extension as non-critical"
	case "2.5.29.15":
		_, ok = readKeyUsage(e.Value)
	case "2.5.29.17":
		c.alternative, ok = readGeneralNames(e.Value)
	case "2.5.29.19":
		_, _, ok = readBasicConstraints(e.Value)
	case "2.5.29.30":
		c.constraints, ok = readConstraints(e.Value, e.Critical)
	case "2.5.29.31":
		return in.SkipASN1(cbasn1.SEQUENCE) && in.Empty()
	case "2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.54":
		return c.policy.read(id, e.Value)
	case "2.5.29.37":
		_, _, ok = readExtKeyUsage(e.Value)
	default:
		return true
	}
	return ok
}

// usage says whether the key usage allows what is asked; without the extension everything is allowed.
func (c *certificate) usage(any x509.KeyUsage) bool {
	for _, e := range c.x.Extensions {
		if e.Id.String() == "2.5.29.15" {
			return c.x.KeyUsage&any != 0
		}
	}
	return true
}

func (c *certificate) is(other *certificate) bool { return c.sum == other.sum }

func (c *certificate) selfIssued() bool { return c.issuer == c.owner }

// sameHolder says that two certificates are of one name and key: to go from one to the other leads nowhere.
func (c *certificate) sameHolder(other *certificate) bool {
	return c.owner == other.owner && bytes.Equal(c.x.RawSubjectPublicKeyInfo, other.x.RawSubjectPublicKeyInfo)
}

// signedBy checks the signature on c with a key.
func (c *certificate) signedBy(k publicKey) Reason {
	if c.sigWhy != "" {
		return c.sigWhy
	}
	return k.verify(c.scheme, c.x.RawTBSCertificate, c.x.Signature)
}

func (c *certificate) serial() string { return hex.EncodeToString(c.x.SerialNumber.Bytes()) }

// display is a name as a clerk reads it: the common name, else the whole.
func display(c *certificate) string {
	if c.x.Subject.CommonName != "" {
		return c.x.Subject.CommonName
	}
	return c.subjectText()
}
