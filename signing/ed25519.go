package signing

import (
	"encoding/hex"
	"slices"
)

// smallOrder tells the Ed25519 keys of order 1, 2, 4 and 8, in every encoding: under them anyone can sign (RFC 8032, 8.9;
// crypto/ed25519 takes them as RFC 8032 asks).
func smallOrder(key []byte) bool {
	k := slices.Clone(key)
	k[31] &= 0x7F // the sign of x, which is 0 or of no matter
	return slices.Contains(smallOrderY, hex.EncodeToString(k))
}

// smallOrderY are the y of those points: 0, 1, those of order 8, -1, and p, p+1 in their other encoding.
var smallOrderY = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}
