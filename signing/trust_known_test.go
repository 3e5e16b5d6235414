package signing

import (
	"bytes"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

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

// TestManyPartsAreNotKept: a certificate within the allowed size whose parts take fifty times its bytes is judged, and not
// remembered.
func TestManyPartsAreNotKept(t *testing.T) {
	t.Parallel()
	key, err := testpki.NewKey(testpki.P256)
	if err != nil {
		t.Fatal(err)
	}
	named := func(text string) []byte {
		return testpki.Seq(testpki.Set(testpki.Seq(testpki.OID("2.5.4.3"), testpki.TLV(0x0C, []byte(text)))))
	}
	arcs := append([]byte{6, 0x82, 0x0A, 0xF0}, bytes.Repeat([]byte{1}, 0xAF0)...)
	for name, c := range map[string]struct {
		kept    bool
		subject string
		list    []testpki.RawExtension
	}{
		"plain":                   {kept: true, subject: "Sở Thử nghiệm"},
		"alternative names":       {list: []testpki.RawExtension{{ID: "2.5.29.17", Value: testpki.Seq(bytes.Repeat([]byte{0x82, 0}, 1000))}}},
		"subtrees":                {list: []testpki.RawExtension{{ID: "2.5.29.30", Value: testpki.Seq(testpki.TLV(0xA0, bytes.Repeat(testpki.Seq([]byte{0x82, 0}), 600)))}}},
		"uses":                    {list: []testpki.RawExtension{{ID: "2.5.29.37", Value: testpki.Seq(bytes.Repeat([]byte{6, 1, 1}, 800))}}},
		"arcs":                    {list: []testpki.RawExtension{{ID: "2.5.29.37", Value: testpki.Seq(arcs)}}},
		"mappings":                {list: []testpki.RawExtension{{ID: "2.5.29.33", Value: testpki.Seq(bytes.Repeat(testpki.Seq([]byte{6, 1, 1}, []byte{6, 1, 2}), 300))}}},
		"distribution points":     {list: []testpki.RawExtension{{ID: "2.5.29.31", Value: testpki.Seq(testpki.Seq(testpki.TLV(0xA0, testpki.TLV(0xA0, bytes.Repeat([]byte{0x86, 0}, 1000)))))}}},
		"extensions":              {list: slices.Repeat([]testpki.RawExtension{{ID: "2.999"}}, 200)},
		"names that grow by tens": {subject: strings.Repeat("\uFDFA", 300)},
	} {
		trust := &lazyTrust{}
		der := testpki.Raw{Version: 2, Serial: big.NewInt(1), Issuer: named("CA"), Subject: named(c.subject), From: testpki.UTC(time.Now()), Until: testpki.UTC(time.Now()),
			SPKI: testpki.Seq(testpki.Seq(testpki.OID("2.999")), testpki.TLV(3, []byte{0})), Extensions: c.list}.Sign(key)
		if _, why := trust.read(der); why != "" || len(der) > maxKnownSize || (len(trust.parsed) == 1) != c.kept {
			t.Errorf("%s: %d bytes, %d kept, %s", name, len(der), len(trust.parsed), why)
		}
	}
}
