package signing

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// Sources are where a certificate says that what is needed to judge it can be had: URIs as they stand in it, of any
// scheme, in its order. Which of them may be fetched is not decided here.
type Sources struct {
	CRLs    []string // cRLDistributionPoints (RFC 5280, 4.2.1.13)
	Deltas  []string // freshestCRL (4.2.1.15)
	OCSP    []string // authorityInfoAccess, id-ad-ocsp (4.2.2.1)
	Issuers []string // authorityInfoAccess, id-ad-caIssuers: certificates of its issuer
}

// SourcesOf reads them from a certificate.
func SourcesOf(c *x509.Certificate) Sources {
	s := Sources{OCSP: c.OCSPServer, Issuers: c.IssuingCertificateURL}
	for _, e := range c.Extensions {
		switch {
		case e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 31}):
			s.CRLs = append(s.CRLs, distributionURIs(e.Value)...)
		case e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 46}):
			s.Deltas = append(s.Deltas, distributionURIs(e.Value)...)
		}
	}
	return s
}

// CRLInfo is what a revocation list says of itself.
type CRLInfo struct {
	Issuer     []byte    // DER of its issuer's name
	IssuerKey  string    // the same folded as RFC 5280, 7.1 compares names: equal for equal names (see NameKey)
	Number     *big.Int  // cRLNumber; nil when it has none
	Base       *big.Int  // BaseCRLNumber of a delta list; nil for a complete one
	ThisUpdate time.Time // when it was made
	NextUpdate time.Time // by when a newer one is promised; zero when it does not say

	list *crl
}

// Delta says that the list only tells what changed since the list with the number Base.
func (i CRLInfo) Delta() bool { return i.Base != nil }

// ReadCRL reads what one DER list says of itself. False: it is no list that Verify could use.
func ReadCRL(der []byte) (CRLInfo, bool) {
	l, ok := readCRL(der)
	if !ok {
		return CRLInfo{}, false
	}
	return CRLInfo{l.name, l.issuer, l.number, l.base, l.thisUpdate, l.nextUpdate, l}, true
}

// SignedBy says that the key of c signed the list, and that c may sign lists. Names are not compared: an indirect list is
// not signed by the issuer of the certificates on it.
func (i CRLInfo) SignedBy(c *x509.Certificate) bool {
	signer, why := newCertificate(c)
	return why == "" && i.list != nil && mayListRevoked(signer) && i.list.signedBy(signer)
}

// CRLsIn gives the DER lists in a file: itself, or every PEM block of a list, whatever text stands around them.
func CRLsIn(b []byte) [][]byte {
	if len(b) > 0 && b[0] == 0x30 {
		return [][]byte{b}
	}
	var out [][]byte
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "X509 CRL" || block.Type == "CRL" {
			out = append(out, block.Bytes)
		}
	}
	return out
}

// OCSPInfo is what an OCSP response says of itself.
type OCSPInfo struct {
	ProducedAt time.Time
	Answers    []OCSPAnswer

	response *ocsp
}

// OCSPAnswer is about one certificate.
type OCSPAnswer struct {
	Serial     *big.Int
	Status     string // "good", "revoked" or "unknown"
	ThisUpdate time.Time
	NextUpdate time.Time // zero when it does not say

	answer ocspAnswer
}

// About says that the answer is about c, which issuer issued.
func (a OCSPAnswer) About(c, issuer *x509.Certificate) bool {
	leaf, why := newCertificate(c)
	ca, whyCA := newCertificate(issuer)
	return why == "" && whyCA == "" && a.answer.about(leaf, ca)
}

// ReadOCSP reads what one DER response says of itself. False: it is no successful response that Verify could use; a
// responder's error (tryLater, unauthorized …) is none.
func ReadOCSP(der []byte) (OCSPInfo, bool) {
	r, ok := readOCSP(der)
	if !ok {
		return OCSPInfo{}, false
	}
	out := OCSPInfo{ProducedAt: r.produced, response: r}
	for _, a := range r.answers {
		serial := new(big.Int)
		if in := cryptobyte.String(a.serial); !in.ReadASN1Integer(serial) {
			continue
		}
		out.Answers = append(out.Answers, OCSPAnswer{serial, a.status, a.thisUpdate, a.nextUpdate, a})
	}
	return out, true
}

// SignedFor says that the response speaks for the CA issuer: signed by it or by a responder that it named.
func (i OCSPInfo) SignedFor(issuer *x509.Certificate) bool {
	ca, why := newCertificate(issuer)
	return why == "" && i.response != nil && i.response.authorised(ca)
}

// NameKey folds the DER of a distinguished name so that equal names give equal keys (RFC 5280, 7.1).
func NameKey(der []byte) string { return nameKey(der) }
