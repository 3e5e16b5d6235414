package signing

import (
	"bytes"
	"testing"

	"github.com/truc-lienthong/truc/signing/testpki"
)

// TestKnownCertificates: what is remembered of a message's certificates stays theirs, also when the message's bytes are
// used again, and does not grow without end.
func TestKnownCertificates(t *testing.T) {
	t.Parallel()
	pki, err := testpki.New(testpki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	trust := &lazyTrust{}
	der := bytes.Clone(pki.Issuing.Certificate.Raw)
	first, why := trust.read(der)
	if why != "" {
		t.Fatal(why)
	}
	if again, _ := trust.read(der); first != again {
		t.Error("a known certificate was parsed again")
	}
	der[len(der)-1] ^= 1
	if other, _ := trust.read(der); other == first || !bytes.Equal(first.x.Raw, pki.Issuing.Certificate.Raw) {
		t.Error("another certificate is taken for a known one")
	}
	for i := range maxKnown {
		trust.parsed[[32]byte{1, byte(i), byte(i >> 8)}] = first
	}
	if _, why := trust.read(bytes.Clone(pki.Root.Certificate.Raw)); why != "" || len(trust.parsed) > maxKnown {
		t.Errorf("%d certificates are kept, %s", len(trust.parsed), why)
	}
}
