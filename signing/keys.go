package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// publicKey is a SubjectPublicKeyInfo that we read ourselves, for crypto/x509 gives no key for id-RSASSA-PSS.
type publicKey struct {
	rsa *rsa.PublicKey
	ec  *ecdsa.PublicKey
	ed  ed25519.PublicKey
	pss bool       // id-RSASSA-PSS: the key may sign only so (RFC 4055, 1.2)
	lim *pssParams // and only with these parameters, when given
}

// name is for the report.
func (k publicKey) name() string {
	switch {
	case k.rsa != nil:
		return fmt.Sprintf("RSA-%d", k.rsa.N.BitLen())
	case k.ec != nil:
		return "ECDSA " + k.ec.Params().Name
	case k.ed != nil:
		return "Ed25519"
	}
	return "?"
}

func (k publicKey) weak() bool { return k.rsa != nil && k.rsa.N.BitLen() < 2048 }

// readKey reads a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7; RFC 3279; RFC 4055; RFC 5480; RFC 8410).
func readKey(der []byte) (publicKey, Reason) {
	in := cryptobyte.String(der)
	var spki cryptobyte.String
	var a algorithm
	var bits []byte
	if !in.ReadASN1(&spki, cbasn1.SEQUENCE) || !in.Empty() || !a.read(&spki) || !spki.ReadASN1BitStringAsBytes(&bits) || !spki.Empty() {
		return publicKey{}, CertificateMalformed
	}
	switch {
	case a.id.Equal(oidRSA) && a.plain():
		return readRSA(bits)
	case a.id.Equal(oidPSS):
		return readPSSKey(a, bits)
	case a.id.Equal(oidEC):
		return readEC(a.params, bits)
	case a.id.Equal(oidEd25519) && a.params == nil && len(bits) == ed25519.PublicKeySize:
		return publicKey{ed: bits}, ""
	}
	return publicKey{}, SignatureUnsupported
}

func readRSA(bits []byte) (publicKey, Reason) {
	in := cryptobyte.String(bits)
	var seq cryptobyte.String
	n, e := new(big.Int), new(big.Int)
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(n) || !seq.ReadASN1Integer(e) || !seq.Empty() {
		return publicKey{}, CertificateMalformed
	}
	if n.Sign() <= 0 || n.BitLen() > 8192 || e.BitLen() > 31 || e.Sign() <= 0 || e.Bit(0) == 0 {
		return publicKey{}, SignatureUnsupported
	}
	return publicKey{rsa: &rsa.PublicKey{N: n, E: int(e.Int64())}}, ""
}

func readPSSKey(a algorithm, bits []byte) (publicKey, Reason) {
	k, why := readRSA(bits)
	if why != "" {
		return k, why
	}
	k.pss = true
	if a.params != nil {
		p, why := readPSSParams(a.params)
		if why != "" {
			return k, why
		}
		k.lim = &p
	}
	return k, ""
}

var curves = map[string]elliptic.Curve{
	"1.2.840.10045.3.1.7": elliptic.P256(),
	"1.3.132.0.34":        elliptic.P384(),
	"1.3.132.0.35":        elliptic.P521(),
}

func readEC(params, bits []byte) (publicKey, Reason) {
	in := cryptobyte.String(params)
	var id asn1.ObjectIdentifier
	if !in.ReadASN1ObjectIdentifier(&id) || !in.Empty() {
		return publicKey{}, SignatureUnsupported
	}
	curve, ok := curves[id.String()]
	if !ok {
		return publicKey{}, SignatureUnsupported
	}
	k, err := ecdsa.ParseUncompressedPublicKey(curve, bits)
	if err != nil {
		return publicKey{}, CertificateMalformed
	}
	return publicKey{ec: k}, ""
}

// pssParams are RSASSA-PSS-params (RFC 4055, 3.1).
type pssParams struct {
	hash crypto.Hash
	salt int
}

func readPSSParams(der []byte) (pssParams, Reason) {
	p := pssParams{hash: crypto.SHA1, salt: 20}
	mgf := crypto.SHA1
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return p, AlgorithmMismatch
	}
	for i, tag := range []cbasn1.Tag{0, 1, 2, 3} {
		var field cryptobyte.String
		var present bool
		if !seq.ReadOptionalASN1(&field, &present, tag.ContextSpecific().Constructed()) {
			return p, AlgorithmMismatch
		}
		if !present {
			continue
		}
		if why := p.field(i, field, &mgf); why != "" {
			return p, why
		}
	}
	if !seq.Empty() {
		return p, AlgorithmMismatch
	}
	if mgf != p.hash {
		return p, SignatureUnsupported
	}
	return p, ""
}

func (p *pssParams) field(i int, field cryptobyte.String, mgf *crypto.Hash) Reason {
	var a algorithm
	var n int
	switch i {
	case 0:
		if !a.read(&field) || !field.Empty() || !a.plain() {
			return AlgorithmMismatch
		}
		p.hash = digestByOID[a.id.String()]
	case 1:
		if !a.read(&field) || !field.Empty() {
			return AlgorithmMismatch
		}
		inner, ok := readAlgorithm(a.params)
		if !ok || !a.id.Equal(oidMGF1) || !inner.plain() {
			return SignatureUnsupported
		}
		*mgf = digestByOID[inner.id.String()]
	case 2:
		if !field.ReadASN1Integer(&n) || !field.Empty() || n < 0 || n > 1024 {
			return AlgorithmMismatch
		}
		p.salt = n
	case 3:
		if !field.ReadASN1Integer(&n) || !field.Empty() || n != 1 {
			return AlgorithmMismatch
		}
	}
	if i == 0 && p.hash == 0 {
		return DigestUnsupported
	}
	return ""
}
