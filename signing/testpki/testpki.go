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
