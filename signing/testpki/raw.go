package testpki

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"time"
)

// Raw is a certificate built piece by piece in DER, so that any piece can be one that no library would write.
type Raw struct {
	Version         int64 // as encoded: 2 is version 3; -1 leaves it out
	Serial          *big.Int
	Algorithm       []byte // AlgorithmIdentifier; nil: ecdsa-with-SHA256
	Inner           []byte // the one within what is signed, when it differs
	Issuer, Subject []byte // Names
	From, Until     []byte // whole Time elements
	SPKI            []byte
	Unique          []byte // issuerUniqueID and subjectUniqueID, whole elements
	Extensions      []RawExtension
	Spoil           bool // one bit of the signature is wrong
}

// RawExtension is one extension; Value is the DER inside the OCTET STRING.
type RawExtension struct {
	ID       string
	Critical bool
	Value    []byte
}

// Sign encodes the certificate and signs it with an ECDSA key over SHA-256.
func (r Raw) Sign(key crypto.Signer) []byte {
	algorithm := r.Algorithm
	if algorithm == nil {
		algorithm = Seq(OID("1.2.840.10045.4.3.2"))
	}
	inner := r.Inner
	if inner == nil {
		inner = algorithm
	}
	var version, extensions []byte
	if r.Version >= 0 {
		version = TLV(0xA0, integer(r.Version))
	}
	if len(r.Extensions) > 0 {
		var list [][]byte
		for _, e := range r.Extensions {
			var critical []byte
			if e.Critical {
				critical = []byte{1, 1, 0xFF}
			}
			list = append(list, Seq(OID(e.ID), critical, octets(e.Value)))
		}
		extensions = TLV(0xA3, Seq(list...))
	}
	tbs := Seq(version, bigInteger(r.Serial), inner, r.Issuer, Seq(r.From, r.Until), r.Subject, r.SPKI, r.Unique, extensions)
	out := SignRaw(tbs, algorithm, key)
	if r.Spoil {
		out[len(out)-1] ^= 1
	}
	return out
}

// SignRaw joins what is to be signed, the algorithm and the signature, as certificates and lists do.
func SignRaw(tbs, algorithm []byte, key crypto.Signer) []byte {
	sum := sha256.Sum256(tbs)
	return Seq(tbs, algorithm, TLV(3, []byte{0}, must(key.Sign(rand.Reader, sum[:], crypto.SHA256))))
}

// TLV, Seq and Set encode DER elements.
func TLV(tag byte, parts ...[]byte) []byte { return tlv(tag, parts...) }

// Seq encodes a SEQUENCE.
func Seq(parts ...[]byte) []byte { return seq(parts...) }

// Set encodes a SET OF.
func Set(parts ...[]byte) []byte { return set(parts...) }

// Integer encodes an INTEGER.
func Integer(n int64) []byte { return integer(n) }

// OID encodes an OBJECT IDENTIFIER written in dotted form.
func OID(text string) []byte {
	id, err := x509.ParseOID(text)
	contents := must(id.MarshalBinary())
	if err != nil {
		panic(err)
	}
	return tlv(6, contents)
}

// UTC and Generalized encode the two forms of Time.
func UTC(t time.Time) []byte { return utcTime(t) }

// Generalized encodes a GeneralizedTime.
func Generalized(t time.Time) []byte { return generalized(t) }
