package testpki

import (
	"crypto/x509"
	"sync"
)

// PKI is a test hierarchy. Safe for concurrent use.
type PKI struct {
	Root, Issuing, TSA *Identity
	CRLs               [][]byte // DER: of the root and of the issuing CA

	o        Options
	mu       sync.Mutex
	agencies map[string]*Identity
}

// Intermediates gives the issuing CA, for signing.Trust.
func (p *PKI) Intermediates() []*x509.Certificate { return []*x509.Certificate{p.Issuing.Certificate} }
