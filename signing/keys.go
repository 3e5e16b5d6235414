package signing

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/subtle"
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
	if n.Sign() <= 0 || n.BitLen() > 16384 || e.BitLen() > 31 || e.Sign() <= 0 || e.Bit(0) == 0 {
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

// scheme is a signature algorithm: which kind of key it wants, and its digest (0 when the CMS names it elsewhere).
type scheme struct {
	kind string // "rsa", "pss", "ecdsa", "ed25519"
	hash crypto.Hash
	salt int
}

// readScheme reads a signature AlgorithmIdentifier strictly: wrong parameters are a trick, not a dialect.
func readScheme(a algorithm) (scheme, Reason) {
	id := a.id.String()
	switch {
	case a.id.Equal(oidRSA):
		return scheme{kind: "rsa"}, mismatchUnless(a.plain())
	case a.id.Equal(oidPSS):
		if a.params == nil {
			return scheme{}, AlgorithmMismatch
		}
		p, why := readPSSParams(a.params)
		return scheme{kind: "pss", hash: p.hash, salt: p.salt}, why
	case rsaWith[id] != 0:
		return scheme{kind: "rsa", hash: rsaWith[id]}, mismatchUnless(a.plain())
	case ecdsaWith[id] != 0:
		return scheme{kind: "ecdsa", hash: ecdsaWith[id]}, mismatchUnless(a.params == nil)
	case a.id.Equal(oidEC):
		return scheme{kind: "ecdsa"}, "" // written by some old tools; the digest is that of digestAlgorithm
	case a.id.Equal(oidEd25519):
		return scheme{kind: "ed25519"}, mismatchUnless(a.params == nil)
	}
	return scheme{}, SignatureUnsupported
}

func mismatchUnless(ok bool) Reason {
	if ok {
		return ""
	}
	return AlgorithmMismatch
}

func (s scheme) name(k publicKey) string {
	if s.kind == "pss" {
		return k.name() + " PSS"
	}
	return k.name()
}

// verify checks a signature over message. It gives "" when right, SignatureMismatch when wrong, AlgorithmMismatch when
// key and algorithm do not belong together.
func (k publicKey) verify(s scheme, message, signature []byte) Reason {
	if s.kind == "ed25519" {
		if k.ed == nil {
			return AlgorithmMismatch
		}
		return wrongUnless(ed25519.Verify(k.ed, message, signature))
	}
	h := s.hash.New()
	h.Write(message)
	return k.verifyDigest(s, h.Sum(nil), signature)
}

func wrongUnless(ok bool) Reason {
	if ok {
		return ""
	}
	return SignatureMismatch
}

// verifyDigest is verify for a message whose digest is known; not for Ed25519, which digests by itself.
func (k publicKey) verifyDigest(s scheme, digest, signature []byte) Reason {
	switch {
	case s.kind == "rsa" && k.rsa != nil && !k.pss:
		return wrongUnless(verifyPKCS1(k.rsa, s.hash, digest, signature))
	case s.kind == "pss" && k.rsa != nil:
		if k.lim != nil && (k.lim.hash != s.hash || s.salt < k.lim.salt) {
			return AlgorithmMismatch
		}
		if k.rsa.N.BitLen() < 1024 {
			return WeakKey
		}
		if s.salt == rsa.PSSSaltLengthAuto {
			return SignatureUnsupported // crypto/rsa takes 0 for "any length", which would let a wrong one pass
		}
		err := rsa.VerifyPSS(k.rsa, s.hash, digest, signature, &rsa.PSSOptions{SaltLength: s.salt, Hash: s.hash})
		return wrongUnless(err == nil)
	case s.kind == "ecdsa" && k.ec != nil:
		return wrongUnless(ecdsa.VerifyASN1(k.ec, digest, signature))
	}
	return AlgorithmMismatch
}

// verifyPKCS1 is strict RSASSA-PKCS1-v1_5: the padding is made anew and compared whole (RFC 8017, 8.2.2). Keys too small
// for crypto/rsa are computed here, so that "weak" and "forged" stay apart.
func verifyPKCS1(k *rsa.PublicKey, h crypto.Hash, digest, signature []byte) bool {
	if k.N.BitLen() >= 1024 {
		return rsa.VerifyPKCS1v15(k, h, digest, signature) == nil
	}
	size := (k.N.BitLen() + 7) / 8
	prefix, ok := digestInfo[h]
	pad := size - 3 - len(prefix) - len(digest)
	if !ok || len(signature) != size || pad < 8 {
		return false
	}
	sig := new(big.Int).SetBytes(signature)
	if sig.Cmp(k.N) >= 0 {
		return false
	}
	want := append([]byte{0, 1}, bytes.Repeat([]byte{0xFF}, pad)...)
	want = append(append(append(want, 0), prefix...), digest...)
	got := sig.Exp(sig, big.NewInt(int64(k.E)), k.N).FillBytes(make([]byte, size))
	return subtle.ConstantTimeCompare(got, want) == 1
}

// digestInfo are the DER prefixes of RFC 8017, 9.2, note 1.
var digestInfo = map[crypto.Hash][]byte{
	crypto.MD5:    {0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00, 0x04, 0x10},
	crypto.SHA1:   {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14},
	crypto.SHA224: {0x30, 0x2d, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04, 0x05, 0x00, 0x04, 0x1c},
	crypto.SHA256: {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20},
	crypto.SHA384: {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30},
	crypto.SHA512: {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40},
}
