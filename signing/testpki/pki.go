package testpki

import (
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// PKI is a test hierarchy. Safe for concurrent use.
type PKI struct {
	Root, Issuing, TSA *Identity
	CRLs               [][]byte // DER: of the root and of the issuing CA

	o        Options
	mu       sync.Mutex
	agencies map[string]*Identity
}

// New makes a root, an issuing CA, a timestamp authority and their revocation lists, all marked TEST.
func New(o Options) (*PKI, error) {
	o.Now = orTime(o.Now, time.Now()).UTC().Truncate(time.Second)
	p := &PKI{o: o, agencies: map[string]*Identity{}}
	kind := P256
	if o.RSA {
		kind = RSA2048
	}
	for _, step := range []struct {
		to       **Identity
		under    **Identity
		template *x509.Certificate
	}{
		{&p.Root, nil, authority("TEST Root CA", o.Now, 20)},
		{&p.Issuing, &p.Root, authority("TEST Issuing CA", o.Now, 10)},
		{&p.TSA, &p.Root, timestamper("TEST TSA", o.Now)},
	} {
		key, err := NewKey(kind)
		if err != nil {
			return nil, fmt.Errorf("make key of %s: %w", step.template.Subject.CommonName, err)
		}
		var ca *Identity
		if step.under != nil {
			ca = *step.under
		}
		if *step.to, err = sign(step.template, ca, key); err != nil {
			return nil, err
		}
	}
	return p, p.Publish(nil)
}

// Revoked is an entry of a revocation list.
type Revoked struct {
	Identity *Identity
	At       time.Time
	Reason   int // RFC 5280, 5.3.1; 0 unspecified
}

// Publish makes new revocation lists, good for ten years from Now, and puts them into CRLs. A certificate of the root
// (issuing CA, TSA) goes into the root's list, every other one into that of the issuing CA.
func (p *PKI) Publish(revoked []Revoked) error {
	lists := make([][]byte, 0, 2)
	for _, ca := range []*Identity{p.Root, p.Issuing} {
		der, err := p.CRL(ca, p.o.Now.Add(-time.Hour), p.o.Now.AddDate(10, 0, 0), revoked)
		if err != nil {
			return err
		}
		lists = append(lists, der)
	}
	p.CRLs = lists
	return nil
}

// CRL makes one revocation list of ca, with those of revoked that ca issued.
func (p *PKI) CRL(ca *Identity, thisUpdate, nextUpdate time.Time, revoked []Revoked) ([]byte, error) {
	list := &x509.RevocationList{Number: big.NewInt(thisUpdate.Unix()), ThisUpdate: thisUpdate, NextUpdate: nextUpdate}
	for _, r := range revoked {
		if string(r.Identity.Certificate.RawIssuer) != string(ca.Certificate.RawSubject) {
			continue
		}
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: r.Identity.Certificate.SerialNumber, RevocationTime: r.At.UTC(), ReasonCode: r.Reason})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, ca.Certificate, ca.Key)
	if err != nil {
		return nil, fmt.Errorf("make revocation list of %s: %w", ca.Name, err)
	}
	return der, nil
}

// Agency gives the certificate of an agency, made on first use and kept. Keys: ECDSA P-256, or RSA-2048 by Options.RSA.
func (p *PKI) Agency(name, code string) (*Identity, error) {
	return p.Person("", name, code)
}

// Person gives the certificate of someone who signs for an agency (the agency itself when person is empty).
func (p *PKI) Person(person, agency, code string) (*Identity, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	cache := person + "\x00" + agency + "\x00" + code
	if id := p.agencies[cache]; id != nil {
		return id, nil
	}
	r := Request{Name: orText(person, agency), Agency: agency, Code: code}
	if p.o.RSA {
		r.Key = RSA2048
	}
	id, err := p.Issue(r)
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", r.Name, err)
	}
	p.agencies[cache] = id
	return id, nil
}

// Now is the time at which the hierarchy was made.
func (p *PKI) Now() time.Time { return p.o.Now }

// Intermediates gives the issuing CA, for signing.Trust.
func (p *PKI) Intermediates() []*x509.Certificate { return []*x509.Certificate{p.Issuing.Certificate} }
