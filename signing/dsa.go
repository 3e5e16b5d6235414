package signing

import (
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// dsaKey is a DSA public key (FIPS 186-4, 4). New signatures no longer use it, older authorities do.
type dsaKey struct {
	p, q, g, y *big.Int
	inherited  bool // p, q and g are the issuer's: another path may give others
}

// incomplete says that the parameters are those of the issuer's key (RFC 3279, 2.3.2).
func (k *dsaKey) incomplete() bool { return k.p == nil }

func (k *dsaKey) weak() bool { return k.p != nil && (k.p.BitLen() < 2048 || k.q.BitLen() < 224) }

// ofThePast tells keys that went with SHA-1: DSA of 1024 bits had no other digest (FIPS 186-2).
func (k publicKey) ofThePast() bool {
	return k.dsa != nil && k.dsa.p != nil && k.dsa.p.BitLen() >= 1024
}

// inherit gives k with the parameters of the issuer's key when its own are left out (RFC 5280, 6.1.4 e).
func (k publicKey) inherit(issuer publicKey) publicKey {
	if k.dsa == nil || !k.dsa.incomplete() || issuer.dsa == nil || issuer.dsa.incomplete() {
		return k
	}
	whole := dsaKey{p: issuer.dsa.p, q: issuer.dsa.q, g: issuer.dsa.g, y: k.dsa.y, inherited: true}
	if !whole.fits() {
		return k
	}
	return publicKey{dsa: &whole}
}

// inheritKeys completes the keys of a path, leaf first, from its anchor down.
func inheritKeys(certs []*certificate) []*certificate {
	out := slices.Clone(certs)
	for i := len(out) - 2; i >= 0; i-- {
		if k := out[i].key; k.dsa != nil && k.dsa.incomplete() {
			c := *out[i]
			c.key = k.inherit(out[i+1].key)
			out[i] = &c
		}
	}
	return out
}

func readDSA(a algorithm, bits []byte) (publicKey, Reason) {
	in := cryptobyte.String(bits)
	k := &dsaKey{y: new(big.Int)}
	if !in.ReadASN1Integer(k.y) || !in.Empty() || k.y.Sign() <= 0 || k.y.BitLen() > 3072 {
		return publicKey{}, CertificateMalformed
	}
	if a.plain() {
		return publicKey{dsa: k}, ""
	}
	k.p, k.q, k.g = new(big.Int), new(big.Int), new(big.Int)
	params := cryptobyte.String(a.params)
	var seq cryptobyte.String
	if !params.ReadASN1(&seq, cbasn1.SEQUENCE) || !params.Empty() || !seq.ReadASN1Integer(k.p) || !seq.ReadASN1Integer(k.q) ||
		!seq.ReadASN1Integer(k.g) || !seq.Empty() {
		return publicKey{}, CertificateMalformed
	}
	if k.p.BitLen() > 3072 || k.q.BitLen() > 256 {
		return publicKey{}, SignatureUnsupported
	}
	if !k.fits() {
		return publicKey{}, CertificateMalformed
	}
	return publicKey{dsa: k}, ""
}

// fits checks the sizes.
func (k *dsaKey) fits() bool {
	if k.p.Sign() <= 0 || k.p.Bit(0) == 0 || k.q.BitLen() < 160 || k.q.Bit(0) == 0 {
		return false
	}
	one := big.NewInt(1)
	return k.g.Cmp(one) > 0 && k.g.Cmp(k.p) < 0 && k.y.Cmp(one) > 0 && k.y.Cmp(k.p) < 0
}

// sound checks that g and y are of order q: with others anyone could sign. It costs as much as a signature, so only a key
// that is used is asked, and not every one that a stranger's message brings.
func (k *dsaKey) sound() bool {
	for _, n := range []*big.Int{k.g, k.y} {
		if new(big.Int).Exp(n, k.q, k.p).Cmp(big.NewInt(1)) != 0 {
			return false
		}
	}
	return true
}

// verify is FIPS 186-4, 4.7. The value must be DER with r and s in range.
func (k *dsaKey) verify(digest, signature []byte) bool {
	in := cryptobyte.String(signature)
	var seq cryptobyte.String
	r, s := new(big.Int), new(big.Int)
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(r) || !seq.ReadASN1Integer(s) || !seq.Empty() ||
		r.Sign() <= 0 || s.Sign() <= 0 || r.Cmp(k.q) >= 0 || s.Cmp(k.q) >= 0 {
		return false
	}
	w := new(big.Int).ModInverse(s, k.q)
	if w == nil {
		return false
	}
	z := new(big.Int).SetBytes(digest)
	if over := 8*len(digest) - k.q.BitLen(); over > 0 {
		z.Rsh(z, uint(over))
	}
	u1 := z.Mod(z.Mul(z, w), k.q)
	u2 := w.Mod(w.Mul(r, w), k.q)
	v := u1.Exp(k.g, u1, k.p)
	v.Mul(v, u2.Exp(k.y, u2, k.p))
	return v.Mod(v.Mod(v, k.p), k.q).Cmp(r) == 0
}
