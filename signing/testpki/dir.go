package testpki

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Dir writes the hierarchy into a folder (made when missing, 0700, for the keys are in it): root.pem, issuing.pem, tsa.pem,
// crl.pem (both lists), each *.key beside them, and one pair for every agency known so far. Load reads it back.
func (p *PKI) Dir(path string) error {
	if err := os.MkdirAll(filepath.Join(path, "agencies"), 0o700); err != nil {
		return fmt.Errorf("make folder of test PKI: %w", err)
	}
	for name, id := range map[string]*Identity{"root": p.Root, "issuing": p.Issuing, "tsa": p.TSA} {
		if err := id.write(filepath.Join(path, name)); err != nil {
			return err
		}
	}
	var lists []byte
	for _, der := range p.CRLs {
		lists = append(lists, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})...)
	}
	if err := os.WriteFile(filepath.Join(path, "crl.pem"), lists, 0o644); err != nil {
		return fmt.Errorf("write revocation lists: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range p.agencies {
		if err := id.write(filepath.Join(path, "agencies", fmt.Sprintf("%x", id.Certificate.SerialNumber))); err != nil {
			return err
		}
	}
	return nil
}

func (id *Identity) write(path string) error {
	key, err := x509.MarshalPKCS8PrivateKey(id.Key)
	if err != nil {
		return fmt.Errorf("encode key of %s: %w", id.Name, err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.Certificate.Raw})
	if err := os.WriteFile(path+".pem", cert, 0o644); err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	if err := os.WriteFile(path+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return nil
}

// Load reads a hierarchy that Dir wrote, so that a demo can be continued.
func Load(path string, o Options) (*PKI, error) {
	p := &PKI{agencies: map[string]*Identity{}}
	for name, to := range map[string]**Identity{"root": &p.Root, "issuing": &p.Issuing, "tsa": &p.TSA} {
		id, err := readIdentity(filepath.Join(path, name))
		if err != nil {
			return nil, err
		}
		*to = id
	}
	o.Now = orTime(o.Now, p.Root.Certificate.NotBefore.Add(48*time.Hour))
	p.o = o
	lists, err := os.ReadFile(filepath.Join(path, "crl.pem"))
	if err != nil {
		return nil, fmt.Errorf("read revocation lists: %w", err)
	}
	for block, rest := pem.Decode(lists); block != nil; block, rest = pem.Decode(rest) {
		p.CRLs = append(p.CRLs, block.Bytes)
	}
	return p, p.loadAgencies(filepath.Join(path, "agencies"))
}

func (p *PKI) loadAgencies(path string) error {
	pairs, err := filepath.Glob(filepath.Join(path, "*.pem"))
	if err != nil {
		return fmt.Errorf("list agencies: %w", err)
	}
	for _, file := range pairs {
		id, err := readIdentity(file[:len(file)-len(".pem")])
		if err != nil {
			return err
		}
		id.Chain = []*x509.Certificate{p.Issuing.Certificate}
		p.agencies[cacheKey(id)] = id
	}
	return nil
}

func readIdentity(path string) (*Identity, error) {
	cert, err := readPEM(path + ".pem")
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(cert)
	if err != nil {
		return nil, fmt.Errorf("read certificate %s: %w", path, err)
	}
	der, err := readPEM(path + ".key")
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", path, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("read key %s: cannot sign", path)
	}
	return &Identity{Name: c.Subject.CommonName, Code: c.Subject.SerialNumber, Certificate: c, Key: signer}, nil
}

func readPEM(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read test PKI: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, errors.New("read test PKI: no PEM in " + path)
	}
	return block.Bytes, nil
}

// cacheKey is under what name Person keeps an identity: as it stands in the certificate.
func cacheKey(id *Identity) string {
	plain := func(s string) string { return strings.TrimSuffix(s, testMark) }
	person, agency := plain(id.Certificate.Subject.CommonName), ""
	if o := id.Certificate.Subject.Organization; len(o) > 0 {
		agency = plain(o[0])
	}
	if person == agency {
		person = ""
	}
	return person + "\x00" + agency + "\x00" + id.Certificate.Subject.SerialNumber
}
