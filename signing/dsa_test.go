package signing

import (
	"math/big"
	"testing"
)

// TestKeysOfThePast: who asks for SHA-1 of the past gets DSA of 1024 bits with it, and nothing that was too small then.
func TestKeysOfThePast(t *testing.T) {
	t.Parallel()
	for bits, want := range map[uint]bool{512: false, 1023: false, 1024: true, 2048: true} {
		if k := (publicKey{dsa: &dsaKey{p: new(big.Int).Lsh(big.NewInt(1), bits-1)}}); k.ofThePast() != want {
			t.Errorf("%d bits: %v", bits, !want)
		}
	}
	if (publicKey{dsa: &dsaKey{}}).ofThePast() || (publicKey{}).ofThePast() {
		t.Error("a key without parameters is none of the past")
	}
}
