package signing_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"io"
	"math/big"
	"testing"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// dsaSigner signs with DSA (FIPS 186-4, 4.6), which crypto/dsa only does with a warning.
type dsaSigner struct{ x *big.Int }

// Parameters of 2048 and 224 bits, made by openssl dsaparam.
var (
	dsaP = hexInt("B38A0EEFCC3DBF56E0280389D70896B00B24BFE259BFB1B10DC0AE42514BC51B638A9CCBE3B85759C2BE6CB46E859E9552E7F9F52E6791515033A448" +
		"54E9860D870DDD7E0C04E1598E641A025BF79D625E08211B6EE4060D2FA8D1BD3477B87656FF6FE971C7F824367D4082634AC21A3A85BE28FBEC9991" +
		"2917794C95C74FE9F1DACB3B323BD76B23473AF3AA099403D67F4C9757B035E308A23B60C4115F0E9C4240B4B26D10B0EC0FE95D0ECF9356B0FC46F8" +
		"C8B06110261AF0DE9BAC25369411B6046B082D7D32D9F07B8DFC9A3C1EA60C0E91B30CEDCBC5CD9ADA92DD4CF36798262F73E40663C9F4FD4875962D" +
		"607DC90E522F03D53389BC113EE8B60B")
	dsaQ = hexInt("BA12F59CB28C3DE1A564FEE55275DBDC83B63677B25F4A96FD9577B1")
	dsaG = hexInt("A75AEB9B095013ADF0DB75A888E1CE1E927C6B2173D5CE300F67524A0E464A788327F97F91D17D43E025B7E3CA82E3795C83F7E3191FFA8D59F6FB7A" +
		"794EFDF27D05A849B59485725DDE10C228C23F9B1D40583F17ED8B4007186EA39365CE4E9F4FFD86A2AE3A6DE03B8166429FB97E502AC901CC34E44D" +
		"34720870AD4962983C90835505B6BA0F89AB044309CBDA4988B3C7976F3566AE9F5B05ECE91E6C4725BA12D7B6AD457997AEC9A0E2C26D7245EA5A50" +
		"AC0497709E9C99D26F74497A72AD6670E964D2458378FCF3744241C2B1BD60B50C2E5DBBB4930AA788DCEF118CFA1124603274234D169E81A3ABD543" +
		"D7CE45C05D41CC1EC1BBABF669C88775")
)

func hexInt(s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 16)
	if !ok {
		panic(s)
	}
	return n
}

func newDSA() dsaSigner {
	x, err := rand.Int(rand.Reader, new(big.Int).Sub(dsaQ, big.NewInt(2)))
	if err != nil {
		panic(err)
	}
	return dsaSigner{x.Add(x, big.NewInt(1))}
}

func (d dsaSigner) Public() crypto.PublicKey { return nil }

func (d dsaSigner) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	k := newDSA().x
	r := new(big.Int).Exp(dsaG, k, dsaP)
	r.Mod(r, dsaQ)
	s := new(big.Int).Mul(d.x, r)
	s.Add(s, new(big.Int).SetBytes(digest[:28]))
	s.Mul(s, k.ModInverse(k, dsaQ)).Mod(s, dsaQ)
	return der(0x30, number(r), number(s)), nil
}

func number(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) == 0 || b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	return der(2, b)
}

// spki is the key with its parameters, or without them: then they are the issuer's (RFC 3279, 2.3.2).
func (d dsaSigner) spki(whole bool) []byte {
	var parameters []byte
	if whole {
		parameters = der(0x30, number(dsaP), number(dsaQ), number(dsaG))
	}
	return der(0x30, der(0x30, testpki.OID("1.2.840.10040.4.1"), parameters), der(3, []byte{0}, number(new(big.Int).Exp(dsaG, d.x, dsaP))))
}

var dsaSHA256 = der(0x30, testpki.OID("2.16.840.1.101.3.4.3.2"))

// signedBy has a certificate signed with DSA.
func signedBy(d dsaSigner, r testpki.Raw) []byte {
	r.Algorithm = dsaSHA256
	return r.Sign(d)
}

// dsaPath is an anchor, a CA with a DSA key, one below it with the same parameters, left out in its certificate, and a
// leaf; each CA has its list.
type dsaPath struct {
	*lab
	first, second              dsaSigner
	firstDER, secondDER, leaf  []byte
	rootList, upper, lower     []byte
	secondWhole, noneAnywhere  bool
	spoilLeaf, spoilLower, out bool
	strangeKey                 bool
}

func (p *dsaPath) raw(name, issuer string, serial int64, spki []byte) testpki.Raw {
	template := p.ee(p.root)
	r := testpki.Raw{Version: 2, Serial: big.NewInt(serial), Issuer: dn(issuer), Subject: dn(name), SPKI: spki,
		From: testpki.UTC(now.AddDate(-1, 0, 0)), Until: testpki.UTC(now.AddDate(4, 0, 0))}
	if name != "Leaf" {
		r.Extensions = []testpki.RawExtension{ext("2.5.29.19", true, testpki.Seq([]byte{1, 1, 0xFF})), ext("2.5.29.15", true, []byte{3, 2, 1, 6})}
	}
	if spki == nil {
		r.SPKI = parsed(p.t, template.der).RawSubjectPublicKeyInfo
	}
	return r
}

// dsaList is a list of a CA's that names the serial numbers given.
func dsaList(name string, by dsaSigner, serials ...int64) []byte {
	var entries []byte
	for _, n := range serials {
		entries = append(entries, testpki.Seq(testpki.Integer(n), testpki.UTC(now.AddDate(0, -1, 0)))...)
	}
	if entries != nil {
		entries = testpki.Seq(entries)
	}
	return testpki.SignRaw(testpki.Seq(testpki.Integer(1), dsaSHA256, dn(name), testpki.UTC(now.AddDate(0, 0, -1)), testpki.UTC(now.AddDate(0, 0, 6)), entries), dsaSHA256, by)
}

func (p *dsaPath) make() {
	p.first, p.second = newDSA(), newDSA()
	p.firstDER = p.raw("DSA CA", "Trust Anchor", 101, p.first.spki(!p.noneAnywhere)).Sign(p.root.key)
	p.secondDER = signedBy(p.first, p.raw("DSA Parameters Inherited CA", "DSA CA", 102, p.second.spki(p.secondWhole)))
	r := p.raw("Leaf", "DSA Parameters Inherited CA", 103, nil)
	r.Spoil = p.spoilLeaf
	by := p.second
	if p.strangeKey {
		by = newDSA()
	}
	p.leaf = signedBy(by, r)
	var revoked []int64
	if p.out {
		revoked = []int64{103}
	}
	p.rootList, p.upper, p.lower = p.crl(p.root), dsaList("DSA CA", p.first), dsaList("DSA Parameters Inherited CA", p.second, revoked...)
	if p.spoilLower {
		p.lower[len(p.lower)-1] ^= 1
	}
}

// TestDSAPaths: PKITS 4.1.4 to 4.1.6 and the same for lists.
func TestDSAPaths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cmsCase
		set func(p *dsaPath)
	}{
		{cmsCase{name: "valid_dsa"}, func(p *dsaPath) { p.secondWhole = true }},
		{cmsCase{name: "valid_dsa_parameters_inherited"}, func(*dsaPath) {}},
		{cmsCase{name: "path_signature_dsa", want: signing.PathSignature}, func(p *dsaPath) { p.spoilLeaf, p.secondWhole = true, true }},
		{cmsCase{name: "path_signature_dsa_inherited", want: signing.PathSignature}, func(p *dsaPath) { p.spoilLeaf = true }},
		{cmsCase{name: "path_signature_dsa_of_another_key", want: signing.PathSignature}, func(p *dsaPath) { p.strangeKey = true }},
		{cmsCase{name: "signature_algorithm_unsupported_dsa_parameters_nowhere", verdict: signing.Undetermined, want: signing.SignatureUnsupported},
			func(p *dsaPath) { p.noneAnywhere = true }},
		{cmsCase{name: "certificate_revoked_by_dsa_list", want: signing.CertificateRevoked}, func(p *dsaPath) { p.out = true }},
		{cmsCase{name: "revocation_data_invalid_dsa_list", verdict: signing.Undetermined, want: signing.RevocationInvalid}, func(p *dsaPath) { p.spoilLower = true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := &dsaPath{lab: newLab(t)}
			c.set(p)
			p.make()
			o := p.options()
			o.Revocation = signing.Require
			for _, ca := range [][]byte{p.secondDER, p.firstDER} {
				o.Trust.Intermediates = append(o.Trust.Intermediates, parsed(t, ca))
			}
			o.Trust.CRLs = [][]byte{p.lower, p.upper, p.rootList}
			r := signing.VerifyPath(context.Background(), p.leaf, o)
			c.check(t, signing.Report{Verdict: r.Verdict, Files: []signing.FileReport{{Reasons: r.Reasons}}})
			if r := signing.VerifyPath(context.Background(), p.leaf, o); (r.Verdict == signing.Valid) != (c.want == "") {
				t.Errorf("asked again: %s %v", r.Verdict, r.Reasons)
			}
		})
	}
}
