package signing

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/binary"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// pssParams are RSASSA-PSS-params (RFC 4055, 3.1).
type pssParams struct {
	hash crypto.Hash
	mgf  crypto.Hash
	salt int
}

func readPSSParams(der []byte) (pssParams, Reason) {
	p := pssParams{hash: crypto.SHA1, mgf: crypto.SHA1, salt: 20}
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
		if why := p.field(i, field); why != "" {
			return p, why
		}
	}
	if !seq.Empty() {
		return p, AlgorithmMismatch
	}
	return p, ""
}

func (p *pssParams) field(i int, field cryptobyte.String) Reason {
	var a algorithm
	var n int
	switch i {
	case 0:
		if !a.read(&field) || !field.Empty() || !a.plain() {
			return AlgorithmMismatch
		}
		if p.hash = digestByOID[a.id.String()]; p.hash == 0 {
			return DigestUnsupported
		}
	case 1:
		if !a.read(&field) || !field.Empty() {
			return AlgorithmMismatch
		}
		inner, ok := readAlgorithm(a.params)
		if !ok || !a.id.Equal(oidMGF1) || !inner.plain() {
			return SignatureUnsupported
		}
		if p.mgf = digestByOID[inner.id.String()]; p.mgf == 0 {
			return DigestUnsupported
		}
	case 2:
		if !field.ReadASN1Integer(&n) || !field.Empty() || n < 0 || n > maxRSA/8 {
			return AlgorithmMismatch
		}
		p.salt = n
	case 3:
		if !field.ReadASN1Integer(&n) || !field.Empty() || n != 1 {
			return AlgorithmMismatch
		}
	}
	return ""
}

// verifyPSS is RSASSA-PSS-VERIFY (RFC 8017, 8.1.2). crypto/rsa has no salt of exactly nothing and no mask of another digest,
// both of which signers choose.
func verifyPSS(k *rsa.PublicKey, s scheme, digest, signature []byte) bool {
	em, ok := rsaOpen(k, signature)
	if !ok {
		return false
	}
	bits := k.N.BitLen() - 1
	if bits%8 == 0 { // the encoded message is one byte shorter than the modulus
		if em[0] != 0 {
			return false
		}
		em = em[1:]
	}
	return emsaPSS(em, bits, s, digest)
}

// emsaPSS is EMSA-PSS-VERIFY (RFC 8017, 9.1.2).
func emsaPSS(em []byte, bits int, s scheme, digest []byte) bool {
	size := s.hash.Size()
	if len(digest) != size || len(em) < size+s.salt+2 || em[len(em)-1] != 0xBC {
		return false
	}
	db, sum := bytes.Clone(em[:len(em)-size-1]), em[len(em)-size-1:len(em)-1]
	spare := byte(0xFF) << (8 - (8*len(em) - bits)) // the bits above the encoded message
	if db[0]&spare != 0 {
		return false
	}
	mask(db, s.mgf, sum)
	db[0] &^= spare
	padding := db[:len(db)-s.salt-1]
	if len(bytes.TrimLeft(padding, "\x00")) != 0 || db[len(padding)] != 1 {
		return false
	}
	h := s.hash.New()
	h.Write(make([]byte, 8))
	h.Write(digest)
	h.Write(db[len(padding)+1:])
	return bytes.Equal(h.Sum(nil), sum)
}

// mask is MGF1 (RFC 8017, B.2.1) over b.
func mask(b []byte, hash crypto.Hash, seed []byte) {
	h := hash.New()
	for counter := uint32(0); len(b) > 0; counter++ {
		h.Reset()
		h.Write(seed)
		h.Write(binary.BigEndian.AppendUint32(nil, counter))
		for i, c := range h.Sum(nil) {
			if i == len(b) {
				return
			}
			b[i] ^= c
		}
		b = b[min(len(b), hash.Size()):]
	}
}
