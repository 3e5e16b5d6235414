package signing_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// A message in bare base64 ends where its text ends.
func TestStrayCharactersAfterBase64(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	message := w.sign(testpki.CMS{})
	for _, c := range []struct {
		tail string
		cmsCase
	}{
		{"", cmsCase{name: "valid_base64"}},
		{"\r\n \n", cmsCase{name: "valid_base64_line_ends"}},
		{"A", cmsCase{name: "cms_malformed_base64_one_more", want: signing.CMSMalformed}},
		{"AB", cmsCase{name: "cms_malformed_base64_two_more", want: signing.CMSMalformed}},
		{"\x00", cmsCase{name: "cms_malformed_base64_nul", want: signing.CMSMalformed}},
		{" x", cmsCase{name: "cms_malformed_base64_word", want: signing.CMSMalformed}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.check(t, verify(detached(content, []byte(base64.StdEncoding.EncodeToString(message)+c.tail)), w.options()))
		})
	}
}

// A damaged attached message does not become an unsigned file by its damage, whatever its name.
func TestNoBitFlipMakesAMessageUnsigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o, message := w.options(), w.sign(testpki.CMS{Attached: true})
	for bit := range 32 * 8 {
		b := bytes.Clone(message)
		b[bit/8] ^= 1 << (bit % 8)
		if got := verify(inside(b), o); got.Verdict != signing.Invalid && got.Verdict != signing.Undetermined {
			t.Errorf("bit %d of byte %d flipped: %s", bit%8, bit/8, got.Verdict)
		}
	}
	for name, b := range map[string][]byte{
		"data": der(0x30, must(oidDER(1)), der(0xA0, der(4, content))), "certificate": w.Root.Certificate.Raw, "list": w.CRLs[0],
		"key store": der(0x30, []byte{2, 1, 3}, der(0x30, must(oidDER(1)), der(0xA0, der(4, content)))),
	} {
		if got := verify(inside(b), o); got.Verdict != signing.Unsigned {
			t.Errorf("%s: %s %v", name, got.Verdict, got.Files[0].Reasons)
		}
	}
}

// Names that are too long to be folded do not slip past the constraints on them.
func TestLongNames(t *testing.T) {
	runPathCases(t, []pathCase{
		{name: "path_too_long_name_excluded", make: func(l *lab) *node {
			return l.ee(l.ca(l.root, "CA", exclude(one)), leafIn("one"), func(r *testpki.Raw) {
				r.Subject = testpki.Seq(append(parts(r.Subject), rdn("2.5.4.3", 0x0C, strings.Repeat("x", 5000)))...)
			})
		}, runs: bad(signing.PathTooLong), alone: true},
		{name: "valid_name_of_megabytes", make: func(l *lab) *node {
			return l.ee(l.ca(l.root, "CA"), called(dn("", rdn("2.5.4.3", 0x0C, strings.Repeat("\uFDFA", 400_000)))))
		}, alone: true},
	})
}

// What makes a DSA key unsound is found when it is used: here g is not of order q, so that (y, g) could be anything.
func TestUnsoundDSAKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := new(big.Int).Lsh(big.NewInt(1), 2047)
	p.Add(p, big.NewInt(9))
	q := new(big.Int).Lsh(big.NewInt(1), 255)
	q.Add(q, big.NewInt(95))
	number := func(n *big.Int) []byte { return must(asn1.Marshal(n)) }
	id := *w.agency
	id.Certificate = w.bendTBS(id.Certificate, tbsKey, der(0x30,
		der(0x30, testpki.OID("1.2.840.10040.4.1"), der(0x30, number(p), number(q), number(big.NewInt(2)))), der(3, []byte{0}, number(big.NewInt(4)))))
	message := w.sign(testpki.CMS{Signers: []*testpki.Identity{&id}, Bend: func(piece string, b []byte) []byte {
		switch piece {
		case "signatureAlgorithm":
			return der(0x30, testpki.OID("2.16.840.1.101.3.4.3.2"))
		case "signature":
			return der(0x30, []byte{2, 1, 1, 2, 1, 1})
		}
		return b
	}})
	cmsCase{name: "certificate_malformed_dsa_order", want: signing.CertificateMalformed}.check(t, verify(detached(content, message), w.options()))
}

// A list that names one number a hundred thousand times costs no more than one of as many numbers; it is not believed.
func TestListOfOneNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	leaf := w.leaf()
	g := given{others: w.Intermediates(), lists: [][]byte{w.CRLs[0]}, at: now.Add(time.Hour)}
	g.add(t, list{by: w.Issuing, number: 1, entries: slices.Repeat([]entry{{serial: big.NewInt(7)}}, 100_000)})
	start := time.Now()
	listCase{verdict: signing.Undetermined, want: signing.RevocationInvalid}.check(t, w.judge(leaf, g))
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	g.lists = g.lists[:1]
	g.add(t, list{by: w.Issuing, number: 1, entries: slices.Repeat([]entry{{serial: big.NewInt(7)}}, 3000)})
	listCase{}.check(t, w.judge(leaf, g))
}

// Who asks for SHA-1 of the past does not get MD5, for which whole certificates were forged.
func TestDigestsOfThePast(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	key, err := testpki.NewKey(testpki.RSA2048)
	if err != nil {
		t.Fatal(err)
	}
	ca := l.ca(l.root, "RSA CA", func(r *testpki.Raw) { r.SPKI = must(x509.MarshalPKIXPublicKey(key.Public())) })
	for _, c := range []struct {
		cmsCase
		hash  crypto.Hash
		id    string
		allow bool
	}{
		{cmsCase{name: "weak_digest_md5", verdict: signing.Undetermined, want: signing.WeakDigest}, crypto.MD5, "1.2.840.113549.1.1.4", false},
		{cmsCase{name: "weak_digest_md5_sha1_allowed", verdict: signing.Undetermined, want: signing.WeakDigest}, crypto.MD5, "1.2.840.113549.1.1.4", true},
		{cmsCase{name: "weak_digest_sha1", verdict: signing.Undetermined, want: signing.WeakDigest}, crypto.SHA1, "1.2.840.113549.1.1.5", false},
		{cmsCase{name: "valid_sha1_allowed"}, crypto.SHA1, "1.2.840.113549.1.1.5", true},
	} {
		leaf := l.ee(ca, func(r *testpki.Raw) { r.Algorithm = der(0x30, testpki.OID(c.id), []byte{5, 0}) })
		whole := parts(leaf.der)
		h := c.hash.New()
		h.Write(whole[0])
		leaf.der = der(0x30, whole[0], whole[1], der(3, []byte{0}, must(key.Sign(rand.Reader, h.Sum(nil), c.hash))))
		o := l.options()
		o.AllowSHA1 = c.allow
		r := verifyPath(leaf, o)
		t.Run(c.name, func(t *testing.T) {
			c.check(t, signing.Report{Verdict: r.Verdict, Files: []signing.FileReport{{Reasons: r.Reasons}}})
		})
	}
}

// A signature whose bits do not fill its bytes is a wrong one; its certificate, or list, is read all the same.
func TestSignatureOfOddBits(t *testing.T) {
	runPathCases(t, []pathCase{
		{name: "4.1.2 as NIST made it", make: func(l *lab) *node {
			ca := l.ca(l.root, "Bad Signed CA")
			oddBits(ca.der)
			return l.ee(ca)
		}, runs: bad(signing.PathSignature)},
		{name: "4.1.3 in its manner", make: func(l *lab) *node {
			leaf := l.ee(l.ca(l.root, "CA"))
			oddBits(leaf.der)
			return leaf
		}, runs: bad(signing.PathSignature)},
	})
	w := newWorld(t)
	g := given{others: w.Intermediates(), lists: [][]byte{w.CRLs[0], oddBits(bytes.Clone(w.CRLs[1]))}, at: now.Add(time.Hour)}
	listCase{verdict: signing.Undetermined, want: signing.RevocationInvalid}.check(t, w.judge(w.agency, g))
}

// oddBits says of the last BIT STRING that one bit of it is unused.
func oddBits(signed []byte) []byte {
	value := parts(signed)[2]
	signed[len(signed)-len(inner(value))] = 1
	signed[len(signed)-1] &= 0xFE
	return signed
}
