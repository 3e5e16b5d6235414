package toy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// Certificates are TEST server certificates for 127.0.0.1, ::1 and localhost under a root of their own. Good and
// Expired differ in nothing but their dates.
type Certificates struct {
	Good, Expired tls.Certificate
	Roots         *x509.CertPool
	RootPEM       []byte
}

// NewCertificates makes them anew; Good is valid for a day around now, Expired ended an hour before it.
func NewCertificates(now time.Time) (*Certificates, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "TEST toy agency root"},
		NotBefore: now.Add(-72 * time.Hour), NotAfter: now.Add(72 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		return nil, err
	}
	if root, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	c := &Certificates{Roots: x509.NewCertPool(), RootPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
	c.Roots.AddCert(root)
	if c.Good, err = serverCertificate(root, key, 2, now.Add(-12*time.Hour), now.Add(12*time.Hour)); err != nil {
		return nil, err
	}
	c.Expired, err = serverCertificate(root, key, 3, now.Add(-48*time.Hour), now.Add(-time.Hour))
	return c, err
}

func serverCertificate(root *x509.Certificate, key *ecdsa.PrivateKey, serial int64, from, to time.Time) (tls.Certificate, error) {
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "TEST toy agency"}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// Config is for OpenDoor: the dial decides at each new connection which certificate is shown.
func (c *Certificates) Config(f *Faults) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS12,
		SessionTicketsDisabled: true, // a resumed session shows no certificate
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			if len(f.draw(ExpiredTLS)) > 0 {
				return &c.Expired, nil
			}
			return &c.Good, nil
		},
	}
}
