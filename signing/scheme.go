package signing

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"math/big"
)

// scheme is a signature algorithm: which kind of key it wants, and its digest (0 when the CMS names it elsewhere).
type scheme struct {
	kind string // "rsa", "pss", "ecdsa", "dsa", "ed25519"
	hash crypto.Hash
	mgf  crypto.Hash // of PSS's mask
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
		return scheme{kind: "pss", hash: p.hash, mgf: p.mgf, salt: p.salt}, why
	case rsaWith[id] != 0:
		return scheme{kind: "rsa", hash: rsaWith[id]}, mismatchUnless(a.plain())
	case ecdsaWith[id] != 0:
		return scheme{kind: "ecdsa", hash: ecdsaWith[id]}, mismatchUnless(a.plain()) // NULL is wrong (RFC 5758, 3.2), harmless, and written by old tools
	case dsaWith[id] != 0:
		return scheme{kind: "dsa", hash: dsaWith[id]}, mismatchUnless(a.plain())
	case a.id.Equal(oidDSA):
		return scheme{kind: "dsa"}, "" // RFC 3370, 3.1; the digest is that of digestAlgorithm
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
		if k.lim != nil && (k.lim.hash != s.hash || k.lim.mgf != s.mgf || s.salt < k.lim.salt) {
			return AlgorithmMismatch
		}
		return wrongUnless(verifyPSS(k.rsa, s, digest, signature))
	case s.kind == "dsa" && k.dsa != nil:
		if k.dsa.incomplete() {
			return SignatureUnsupported
		}
		if !k.dsa.sound() {
			return CertificateMalformed
		}
		return wrongUnless(k.dsa.verify(digest, signature))
	case s.kind == "ecdsa" && k.ec != nil:
		return wrongUnless(ecdsa.VerifyASN1(k.ec, digest, signature))
	}
	return AlgorithmMismatch
}

// verifyPKCS1 is strict RSASSA-PKCS1-v1_5: the padding is made anew and compared whole (RFC 8017, 8.2.2). It takes keys of
// any size, so that "weak" and "forged" stay apart; and nothing here is secret, so math/big, at a quarter of the time that
// crypto/rsa takes.
func verifyPKCS1(k *rsa.PublicKey, h crypto.Hash, digest, signature []byte) bool {
	prefix, ok := digestInfo[h]
	pad := k.Size() - 3 - len(prefix) - len(digest)
	if !ok || pad < 8 || len(digest) != h.Size() {
		return false
	}
	want := append([]byte{0, 1}, bytes.Repeat([]byte{0xFF}, pad)...)
	want = append(append(append(want, 0), prefix...), digest...)
	got, ok := rsaOpen(k, signature)
	return ok && bytes.Equal(got, want)
}

// rsaOpen is RSAVP1 of a signature that has exactly the modulus's length and is below it (RFC 8017, 5.2.2 and 8.1.2).
func rsaOpen(k *rsa.PublicKey, signature []byte) ([]byte, bool) {
	s := new(big.Int).SetBytes(signature)
	if len(signature) != k.Size() || s.Cmp(k.N) >= 0 {
		return nil, false
	}
	return s.Exp(s, big.NewInt(int64(k.E)), k.N).FillBytes(make([]byte, k.Size())), true
}

// digestInfo are the DER prefixes of RFC 8017, 9.2, note 1, in which those of SHA-2 and SHA-3 differ in two bytes only.
var digestInfo = digestInfos()

func digestInfos() map[crypto.Hash][]byte {
	out := map[crypto.Hash][]byte{
		crypto.MD5:  {0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00, 0x04, 0x10},
		crypto.SHA1: {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14},
	}
	for i, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA224, crypto.SHA512_224, crypto.SHA512_256,
		crypto.SHA3_224, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512} { // 2.16.840.1.101.3.4.2, from 1
		n := byte(h.Size())
		out[h] = []byte{0x30, 0x11 + n, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, byte(i + 1), 0x05, 0x00, 0x04, n}
	}
	return out
}
