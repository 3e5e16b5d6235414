package signing

import (
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
	dsa *dsaKey
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
	case k.dsa != nil && k.dsa.p != nil:
		return fmt.Sprintf("DSA-%d", k.dsa.p.BitLen())
	case k.dsa != nil:
		return "DSA"
	}
	return "?"
}

func (k publicKey) weak() bool {
	return k.rsa != nil && k.rsa.N.BitLen() < 2048 || k.dsa != nil && k.dsa.weak()
}

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
	case a.id.Equal(oidDSA):
		return readDSA(a, bits)
	case a.id.Equal(oidEd25519) && a.params == nil && len(bits) == ed25519.PublicKeySize:
		if smallOrder(bits) {
			return publicKey{}, WeakKey
		}
		return publicKey{ed: bits}, ""
	}
	return publicKey{}, SignatureUnsupported
}

// maxRSA bounds the time of one check, together with the exponent: a millisecond.
const maxRSA = 16384

func readRSA(bits []byte) (publicKey, Reason) {
	in := cryptobyte.String(bits)
	var seq cryptobyte.String
	n, e := new(big.Int), new(big.Int)
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(n) || !seq.ReadASN1Integer(e) || !seq.Empty() {
		return publicKey{}, CertificateMalformed
	}
	if n.Sign() <= 0 || n.Bit(0) == 0 || n.BitLen() > maxRSA || e.BitLen() > 31 || e.Sign() <= 0 || e.Bit(0) == 0 ||
		n.BitLen() > maxRSA/2 && e.BitLen() > 17 {
		return publicKey{}, SignatureUnsupported
	}
	if e.IsInt64() && e.Int64() == 1 {
		return publicKey{}, WeakKey // the padded digest is its own signature
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
	if len(bits) > 0 && (bits[0] == 2 || bits[0] == 3) { // compressed (RFC 5480, 2.2)
		x, y := elliptic.UnmarshalCompressed(curve, bits)
		if x == nil {
			return publicKey{}, CertificateMalformed
		}
		size := (curve.Params().BitSize + 7) / 8
		bits = append(append([]byte{4}, x.FillBytes(make([]byte, size))...), y.FillBytes(make([]byte, size))...)
	}
	k, err := ecdsa.ParseUncompressedPublicKey(curve, bits)
	if err != nil {
		return publicKey{}, CertificateMalformed
	}
	return publicKey{ec: k}, ""
}
