// Package testpki answers: what would a signed official document look like? It makes a TEST hierarchy (root, issuing CA,
// timestamp authority, revocation lists), agencies' certificates, realistic PDF documents and real signatures over them,
// fast enough to feed load tests. Every name it makes contains TEST, so that nothing of it can pass for the real thing.
package testpki

import (
	"crypto"
	"crypto/x509"
	"time"
)

// Options of a new hierarchy.
type Options struct {
	Now time.Time // when the certificates are issued; time.Now when zero
	RSA bool      // agencies get RSA-2048 keys instead of ECDSA P-256 (slow to make, as the real tokens are)
}

// Identity is a certificate with its key.
type Identity struct {
	Name        string
	Code        string // agency code, in the subject's serialNumber
	Certificate *x509.Certificate
	Key         crypto.Signer
	Chain       []*x509.Certificate // issuing CA and up, without the root
}

// Document is what a PDF shows. Empty fields get plausible values.
type Document struct {
	Parent     string // superior agency, top left: "ỦY BAN NHÂN DÂN TỈNH …"
	Agency     string // issuing agency
	Number     string // "123/UBND-VP"
	Place      string
	Date       time.Time
	Type       string // "CÔNG ĐIỆN"; "" for a công văn, which bears none
	Subject    string // trích yếu
	To         []string
	Paragraphs []string
	Position   string // "CHỦ TỊCH"
	Signer     string
	Size       int // bytes: padded up to it with an unreferenced object; 0: as it comes
}

// PDFSignature says how SignPDF signs.
type PDFSignature struct {
	Signer    *Identity
	Field     string // name of the signature field; "Signature1"… when empty
	Time      time.Time
	SubFilter string // "ETSI.CAdES.detached" (default) or "adbe.pkcs7.detached"
	TSA       *PKI   // when set, an RFC 3161 timestamp of this authority is added
	Seal      bool   // draw a red seal mark (agency), else a blue one (person)
}
