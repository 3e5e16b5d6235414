package testpki

import (
	"bytes"
	"encoding/asn1"
	"math/big"
	"sort"
	"time"
)

// tlv encodes one DER element from its parts.
func tlv(tag byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	out := make([]byte, 0, n+6)
	out = append(out, tag)
	switch {
	case n < 0x80:
		out = append(out, byte(n))
	case n < 0x100:
		out = append(out, 0x81, byte(n))
	case n < 0x10000:
		out = append(out, 0x82, byte(n>>8), byte(n))
	case n < 0x1000000:
		out = append(out, 0x83, byte(n>>16), byte(n>>8), byte(n))
	default:
		out = append(out, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func seq(parts ...[]byte) []byte { return tlv(0x30, parts...) }

// set encodes a SET OF in DER order.
func set(parts ...[]byte) []byte {
	sorted := append([][]byte(nil), parts...)
	sort.Slice(sorted, func(i, j int) bool { return bytes.Compare(sorted[i], sorted[j]) < 0 })
	return tlv(0x31, sorted...)
}

func octets(b []byte) []byte { return tlv(0x04, b) }

func integer(n int64) []byte { return bigInteger(big.NewInt(n)) }

func bigInteger(n *big.Int) []byte { return must(asn1.Marshal(n)) }

func oid(id asn1.ObjectIdentifier) []byte { return must(asn1.Marshal(id)) }

func utcTime(t time.Time) []byte { return must(asn1.Marshal(t.UTC())) }

func generalized(t time.Time) []byte { return tlv(0x18, []byte(t.UTC().Format("20060102150405Z"))) }

var null = []byte{5, 0}

// must is for encodings that cannot fail: their inputs are made here.
func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
