package testpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"
)

// KeyKind is what key a certificate gets.
type KeyKind string

const (
	P256    KeyKind = "p256" // the default
	P384    KeyKind = "p384"
	P521    KeyKind = "p521"
	RSA2048 KeyKind = "rsa2048"
	RSA1024 KeyKind = "rsa1024" // too weak, for tests of that
	Ed25519 KeyKind = "ed25519"
)

// NewKey makes a key of that kind.
func NewKey(kind KeyKind) (crypto.Signer, error) {
	switch kind {
	case P384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case P521:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case RSA2048:
		return rsa.GenerateKey(rand.Reader, 2048)
	case RSA1024:
		return rsa.GenerateKey(rand.Reader, 1024)
	case Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// Request describes a certificate to issue. Zero values get the usual ones.
type Request struct {
	Name, Code  string
	Agency      string // organisation; Name when empty
	Unit        string
	Email       string
	Key         KeyKind
	KeyToUse    crypto.Signer // instead of a new one of kind Key
	From, Until time.Time     // default: a day before Now, and three years on
	Edit        func(*x509.Certificate)
}

// Issue makes a certificate under the issuing CA.
func (p *PKI) Issue(r Request) (*Identity, error) { return p.IssueUnder(p.Issuing, r) }

// IssueUnder makes a certificate under any CA of this hierarchy.
func (p *PKI) IssueUnder(ca *Identity, r Request) (*Identity, error) {
	key := r.KeyToUse
	if key == nil {
		var err error
		if key, err = NewKey(r.Key); err != nil {
			return nil, fmt.Errorf("make key: %w", err)
		}
	}
	template := &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               subject(r),
		NotBefore:             orTime(r.From, p.o.Now.Add(-24*time.Hour)),
		NotAfter:              orTime(r.Until, p.o.Now.AddDate(3, 0, 0)),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		BasicConstraintsValid: true,
		CRLDistributionPoints: []string{"http://crl.test.invalid/TEST.crl"},
	}
	if r.Email != "" {
		template.EmailAddresses = []string{r.Email}
	}
	if r.Edit != nil {
		r.Edit(template)
	}
	id, err := sign(template, ca, key)
	if err != nil {
		return nil, err
	}
	id.Name, id.Code = r.Name, r.Code
	return id, nil
}

// sign issues template under ca (nil: self-signed) for key.
func sign(template *x509.Certificate, ca *Identity, key crypto.Signer) (*Identity, error) {
	parent, signer := template, key
	var chain []*x509.Certificate
	if ca != nil {
		parent, signer = ca.Certificate, ca.Key
		if !selfSigned(ca.Certificate) {
			chain = append([]*x509.Certificate{ca.Certificate}, ca.Chain...)
		}
	}
	if template.SubjectKeyId == nil {
		template.SubjectKeyId = keyID(key.Public())
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("issue %s: %w", template.Subject, err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back %s: %w", template.Subject, err)
	}
	return &Identity{Name: template.Subject.CommonName, Certificate: c, Key: key, Chain: chain}, nil
}

// keyID is the first 20 bytes of the SHA-256 of the public key (RFC 7093, 2, method 1).
func keyID(public crypto.PublicKey) []byte {
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(spki)
	return sum[:20]
}

// testMark ends every name made here.
const testMark = " (TEST)"

func selfSigned(c *x509.Certificate) bool { return string(c.RawIssuer) == string(c.RawSubject) }

func subject(r Request) pkix.Name {
	n := pkix.Name{Country: []string{"VN"}, CommonName: r.Name + testMark, Organization: []string{orText(r.Agency, r.Name) + testMark}}
	if r.Unit != "" {
		n.OrganizationalUnit = []string{r.Unit}
	}
	n.SerialNumber = r.Code
	return n
}

func authority(name string, now time.Time, years int) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{Country: []string{"VN"}, Organization: []string{"TEST - khong co gia tri phap ly"}, CommonName: name},
		NotBefore:             now.Add(-48 * time.Hour),
		NotAfter:              now.AddDate(years, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
}

func timestamper(name string, now time.Time) *x509.Certificate {
	c := authority(name, now, 10)
	c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment
	c.ExtraExtensions = []pkix.Extension{{Id: oidExtKeyUsage, Critical: true, Value: must(asn1.Marshal([]asn1.ObjectIdentifier{oidEKUTimeStamping}))}}
	return c
}

func newSerial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return n.Add(n, big.NewInt(1))
}

func orTime(t, otherwise time.Time) time.Time {
	if t.IsZero() {
		return otherwise
	}
	return t
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
