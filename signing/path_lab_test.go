package signing_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// lab makes the certificates of one path case, in the manner of NIST's PKITS.
type lab struct {
	t    testing.TB
	next int64
	root *node
	pool []*node // every CA and cross certificate made
}

// node is a certificate with its key.
type node struct {
	name []byte
	key  *ecdsa.PrivateKey
	der  []byte
}

// edit bends a certificate before it is signed.
type edit func(r *testpki.Raw)

func newLab(t testing.TB) *lab {
	l := &lab{t: t}
	l.root = l.make(nil, dn("Trust Anchor"), l.key())
	return l
}

func (l *lab) key() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		l.t.Fatal(err)
	}
	return key
}

// make signs a certificate that is a CA's, under issuer (nil: itself).
func (l *lab) make(issuer *node, name []byte, key *ecdsa.PrivateKey, edits ...edit) *node {
	if issuer == nil {
		issuer = &node{name: name, key: key}
	}
	l.next++
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		l.t.Fatal(err)
	}
	r := testpki.Raw{Version: 2, Serial: big.NewInt(l.next), Issuer: issuer.name, Subject: name, SPKI: spki,
		From: testpki.UTC(now.AddDate(-1, 0, 0)), Until: testpki.UTC(now.AddDate(4, 0, 0)), Extensions: []testpki.RawExtension{
			ext("2.5.29.19", true, testpki.Seq([]byte{1, 1, 0xFF})),
			ext("2.5.29.15", true, []byte{3, 2, 1, 6}), // keyCertSign, cRLSign
			ext("2.5.29.14", false, testpki.TLV(4, keyID(key))),
			ext("2.5.29.35", false, testpki.Seq(testpki.TLV(0x80, keyID(issuer.key)))),
		}}
	for _, e := range edits {
		e(&r)
	}
	return &node{name: r.Subject, key: key, der: r.Sign(issuer.key)}
}

// ca makes a CA under issuer that the pool holds.
func (l *lab) ca(issuer *node, name string, edits ...edit) *node {
	n := l.make(issuer, dn(name), l.key(), append([]edit{policies(p1)}, edits...)...)
	l.pool = append(l.pool, n)
	return n
}

// again makes another certificate of the same holder: cross, self-issued or renewed.
func (l *lab) again(issuer, holder *node, edits ...edit) *node {
	n := l.make(issuer, holder.name, holder.key, append([]edit{policies(p1)}, edits...)...)
	l.pool = append(l.pool, n)
	return n
}

// rolled makes a self-issued CA certificate: the same name, a new key.
func (l *lab) rolled(issuer *node, edits ...edit) *node {
	n := l.make(issuer, issuer.name, l.key(), append([]edit{policies(p1)}, edits...)...)
	l.pool = append(l.pool, n)
	return n
}

// ee makes an end entity's certificate.
func (l *lab) ee(issuer *node, edits ...edit) *node {
	return l.make(issuer, dn("EE"), l.key(), append([]edit{asLeaf, policies(p1)}, edits...)...)
}

func keyID(key *ecdsa.PrivateKey) []byte {
	b, _ := key.PublicKey.Bytes()
	sum := sha256.Sum256(b)
	return sum[:20]
}

func ext(id string, critical bool, value []byte) testpki.RawExtension {
	return testpki.RawExtension{ID: id, Critical: critical, Value: value}
}

// set replaces or adds an extension; a nil value takes it away.
func set(id string, critical bool, value []byte) edit {
	return func(r *testpki.Raw) {
		r.Extensions = slices.DeleteFunc(slices.Clone(r.Extensions), func(e testpki.RawExtension) bool { return e.ID == id })
		if value != nil {
			r.Extensions = append(r.Extensions, ext(id, critical, value))
		}
	}
}

func asLeaf(r *testpki.Raw) {
	set("2.5.29.19", false, nil)(r)
	set("2.5.29.15", true, []byte{3, 2, 4, 0xF0})(r)
}

// The policies of the cases: an arc that nobody has.
const (
	p1, p2, p3, p4 = "2.999.1", "2.999.2", "2.999.3", "2.999.4"
	anyP           = "2.5.29.32.0"
)

func policies(list ...string) edit {
	if len(list) == 0 {
		return set("2.5.29.32", false, nil)
	}
	var out [][]byte
	for _, p := range list {
		out = append(out, testpki.Seq(testpki.OID(p)))
	}
	return set("2.5.29.32", false, testpki.Seq(out...))
}

// qualified is one policy with a CPS qualifier.
func qualified(p string) edit {
	cps := testpki.Seq(testpki.OID("1.3.6.1.5.5.7.2.1"), testpki.TLV(0x16, []byte("http://cps.test.invalid")))
	return set("2.5.29.32", false, testpki.Seq(testpki.Seq(testpki.OID(p), testpki.Seq(cps))))
}

func mapping(pairs ...string) edit {
	var out [][]byte
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, testpki.Seq(testpki.OID(pairs[i]), testpki.OID(pairs[i+1])))
	}
	return set("2.5.29.33", true, testpki.Seq(out...))
}

// demand is policyConstraints; -1 leaves a field out.
func demand(explicit, inhibitMapping int) edit {
	var a, b []byte
	if explicit >= 0 {
		a = testpki.TLV(0x80, []byte{byte(explicit)})
	}
	if inhibitMapping >= 0 {
		b = testpki.TLV(0x81, []byte{byte(inhibitMapping)})
	}
	return set("2.5.29.36", true, testpki.Seq(a, b))
}

func inhibitAny(n int) edit { return set("2.5.29.54", true, testpki.Integer(int64(n))) }

func pathLen(n int) edit {
	return set("2.5.29.19", true, testpki.Seq([]byte{1, 1, 0xFF}, testpki.Integer(int64(n))))
}

func called(name []byte) edit { return func(r *testpki.Raw) { r.Subject = name } }

// dn is the name C=VN, O=Test Certificates, CN=cn in PrintableString; more RDNs may follow.
func dn(cn string, more ...[]byte) []byte {
	parts := [][]byte{rdn("2.5.4.6", 0x13, "VN"), rdn("2.5.4.10", 0x13, "Test Certificates")}
	if cn != "" {
		parts = append(parts, rdn("2.5.4.3", 0x13, cn))
	}
	return testpki.Seq(append(parts, more...)...)
}

func rdn(id string, tag byte, value string) []byte { return testpki.Set(attribute(id, tag, value)) }

func attribute(id string, tag byte, value string) []byte {
	return testpki.Seq(testpki.OID(id), testpki.TLV(tag, []byte(value)))
}

// The forms of GeneralName.
func mail(s string) []byte         { return testpki.TLV(0x81, []byte(s)) }
func dns(s string) []byte          { return testpki.TLV(0x82, []byte(s)) }
func uri(s string) []byte          { return testpki.TLV(0x86, []byte(s)) }
func ip(b ...byte) []byte          { return testpki.TLV(0x87, b) }
func directory(name []byte) []byte { return testpki.TLV(0xA4, name) }
func other(s string) []byte {
	return testpki.TLV(0xA0, testpki.OID("1.3.6.1.4.1.311.20.2.3"), testpki.TLV(0xA0, testpki.TLV(0x0C, []byte(s))))
}

func san(names ...[]byte) edit { return set("2.5.29.17", false, testpki.Seq(names...)) }

// permit and exclude are the two halves of name constraints; constrain joins them.
func permit(names ...[]byte) edit  { return constrain(true, names, nil) }
func exclude(names ...[]byte) edit { return constrain(true, nil, names) }

func constrain(critical bool, permitted, excluded [][]byte) edit {
	return set("2.5.29.30", critical, testpki.Seq(subtrees(0xA0, permitted), subtrees(0xA1, excluded)))
}

func subtrees(tag byte, names [][]byte) []byte {
	if names == nil {
		return nil
	}
	var out [][]byte
	for _, n := range names {
		out = append(out, testpki.Seq(n))
	}
	return testpki.TLV(tag, out...)
}

// options are those of a case, at the lab's time, without revocation.
func (l *lab) options() signing.PathOptions {
	o := signing.PathOptions{Options: signing.Options{At: now, Revocation: signing.Off,
		Trust: &signing.Trust{Anchors: []signing.Anchor{{Certificate: parsed(l.t, l.root.der)}}}}}
	for _, n := range l.pool {
		o.Trust.Intermediates = append(o.Trust.Intermediates, parsed(l.t, n.der))
	}
	return o
}

func parsed(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	x, err := signing.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func verifyPath(leaf *node, o signing.PathOptions) signing.PathReport {
	return signing.VerifyPath(context.Background(), leaf.der, o)
}

// openssl asks OpenSSL for its opinion: does the path hold?
func (l *lab) openssl(leaf *node, o signing.PathOptions) (bool, string) {
	dir := l.t.TempDir()
	write := func(name string, nodes ...*node) string {
		path := filepath.Join(dir, name)
		var out []byte
		for _, n := range nodes {
			out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: n.der})...)
		}
		if err := os.WriteFile(path, out, 0o600); err != nil {
			l.t.Fatal(err)
		}
		return path
	}
	args := []string{"verify", "-policy_check", "-attime", strconv.FormatInt(o.At.Unix(), 10), "-CAfile", write("root", l.root)}
	if len(l.pool) > 0 {
		args = append(args, "-untrusted", write("pool", l.pool...))
	}
	for _, p := range append(o.Policies, anyP)[:max(len(o.Policies), 1)] {
		args = append(args, "-policy", p)
	}
	for flag, on := range map[string]bool{"-explicit_policy": o.ExplicitPolicy, "-inhibit_map": o.InhibitMapping, "-inhibit_any": o.InhibitAnyPolicy} {
		if on {
			args = append(args, flag)
		}
	}
	cmd := exec.Command("openssl", append(args, write("leaf", leaf))...)
	out, err := cmd.CombinedOutput()
	return err == nil, strings.TrimSpace(string(out))
}
