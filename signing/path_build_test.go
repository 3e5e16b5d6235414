package signing_test

import (
	"crypto/x509"
	"fmt"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// buildCase is one way in which certificates can lie about for a path to be found among them.
type buildCase struct {
	name string
	make func(l *lab) *node
	o    func(l *lab, o *signing.PathOptions)
	want signing.Reason // "": valid
	deep int            // certificates in the path; 0: not compared
}

// revoking installs a list of each CA; serials are what the last one revokes.
func revoking(o *signing.PathOptions, l *lab, serials map[*node][]int64, issuers ...*node) {
	o.Revocation = signing.Require
	for _, ca := range issuers {
		o.Trust.CRLs = append(o.Trust.CRLs, l.crl(ca, serials[ca]...))
	}
}

// crl makes a list of a CA's.
func (l *lab) crl(issuer *node, revoked ...int64) []byte {
	algorithm := testpki.Seq(testpki.OID("1.2.840.10045.4.3.2"))
	var entries []byte
	for _, n := range revoked {
		entries = append(entries, testpki.Seq(testpki.Integer(n), testpki.UTC(now.AddDate(0, -1, 0)))...)
	}
	if entries != nil {
		entries = testpki.Seq(entries)
	}
	l.next++
	number := testpki.Seq(testpki.OID("2.5.29.20"), testpki.TLV(4, testpki.Integer(l.next)))
	key := testpki.Seq(testpki.OID("2.5.29.35"), testpki.TLV(4, testpki.Seq(testpki.TLV(0x80, keyID(issuer.key)))))
	return testpki.SignRaw(testpki.Seq(testpki.Integer(1), algorithm, issuer.name, testpki.UTC(now.AddDate(0, 0, -1)), testpki.UTC(now.AddDate(0, 0, 6)),
		entries, testpki.TLV(0xA0, testpki.Seq(number, key))), algorithm, issuer.key)
}

var buildCases = []buildCase{
	{name: "valid_cross_certificate", make: func(l *lab) *node {
		foreign := l.make(nil, dn("Foreign Root"), l.key())
		ca := l.ca(foreign, "CA")
		l.again(l.root, ca)
		return l.ee(ca)
	}, deep: 3},
	{name: "valid_two_steps_across", make: func(l *lab) *node {
		foreign := l.make(nil, dn("Foreign Root"), l.key())
		l.pool = append(l.pool, foreign)
		ca := l.ca(foreign, "CA")
		l.again(l.ca(l.root, "Bridge"), foreign)
		return l.ee(ca)
	}, deep: 5},
	{name: "valid_one_of_two_expired", make: func(l *lab) *node {
		ca := l.ca(l.root, "CA", validUntil(testpki.UTC(now.AddDate(0, 0, -1))))
		l.again(l.root, ca)
		return l.ee(ca)
	}},
	{name: "valid_one_of_two_outside_of_names", make: func(l *lab) *node {
		ca := l.ca(l.root, "CA", permit(two))
		l.again(l.root, ca, permit(one))
		l.again(l.root, ca, permit(two))
		return l.ee(ca, leafIn("one"))
	}},
	{name: "valid_one_of_two_too_long", make: func(l *lab) *node {
		ca := l.ca(l.root, "CA", pathLen(0))
		l.again(l.root, ca)
		return l.ee(l.ca(ca, "subCA"))
	}},
	{name: "valid_one_of_two_revoked", make: func(l *lab) *node {
		ca := l.ca(l.root, "CA")
		l.again(l.root, ca)
		return l.ee(ca)
	}, o: func(l *lab, o *signing.PathOptions) { // the anchor's first certificate has serial 1
		revoking(o, l, map[*node][]int64{l.root: {2}}, l.root, l.pool[0])
	}},
	{name: "ca_revoked", make: func(l *lab) *node {
		ca := l.ca(l.root, "CA")
		l.again(l.root, ca)
		return l.ee(ca)
	}, o: func(l *lab, o *signing.PathOptions) {
		revoking(o, l, map[*node][]int64{l.root: {2, 3}}, l.root, l.pool[0])
	}, want: signing.AuthorityRevoked},
	{name: "valid_one_of_two_without_lists", make: func(l *lab) *node {
		foreign := l.ca(l.root, "Silent CA")
		ca := l.ca(foreign, "CA")
		l.again(l.root, ca)
		return l.ee(ca)
	}, o: func(l *lab, o *signing.PathOptions) { revoking(o, l, nil, l.root, l.pool[1]) }, deep: 3},
	{name: "valid_leaf_is_an_anchor", make: func(l *lab) *node { return l.root }, deep: 1},
	{name: "valid_anchor_among_the_intermediates", make: func(l *lab) *node {
		l.pool = append(l.pool, l.root)
		return l.ee(l.ca(l.root, "CA"))
	}, deep: 3},
	{name: "valid_anchor_reissued", make: func(l *lab) *node {
		l.pool = append(l.pool, l.make(nil, l.root.name, l.root.key))
		return l.ee(l.ca(l.root, "CA"))
	}, deep: 3},
	{name: "valid_another_certificate_of_the_anchor", make: func(l *lab) *node { return l.make(nil, l.root.name, l.root.key) }, deep: 2},
	{name: "valid_two_anchors_of_one_name", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA")) }, o: func(l *lab, o *signing.PathOptions) {
		twin := l.make(nil, l.root.name, l.key())
		o.Trust.Anchors = append([]signing.Anchor{{Certificate: parsed(l.t, twin.der)}}, o.Trust.Anchors...)
	}, deep: 3},
	{name: "valid_expired_anchor", make: func(l *lab) *node {
		l.root = l.make(nil, dn("Old Anchor"), l.key(), validUntil(testpki.UTC(now.AddDate(0, 0, -1))))
		return l.ee(l.root)
	}},
	{name: "untrusted_retired_anchor", make: func(l *lab) *node { return l.ee(l.root) }, o: func(_ *lab, o *signing.PathOptions) {
		o.Trust.Anchors[0].Until = now
	}, want: signing.Untrusted},
	{name: "valid_anchor_retired_later", make: func(l *lab) *node { return l.ee(l.root) }, o: func(_ *lab, o *signing.PathOptions) {
		o.Trust.Anchors[0].Until = now.Add(time.Second)
	}},
	{name: "untrusted_loop", make: func(l *lab) *node {
		foreign := l.make(nil, dn("Foreign Root"), l.key())
		a := l.ca(foreign, "A")
		b := l.ca(a, "B")
		l.again(b, a)
		return l.ee(a)
	}, want: signing.Untrusted},
	{name: "valid_loop_with_a_way_out", make: func(l *lab) *node {
		a := l.ca(l.root, "A")
		b := l.ca(a, "B")
		l.pool = nil
		l.again(b, a)
		l.again(a, b)
		l.again(l.root, b)
		return l.ee(a)
	}, deep: 4},
	{name: "untrusted_another_key_of_the_name", make: func(l *lab) *node {
		unknown := &node{name: l.root.name, key: l.key()}
		return l.ee(unknown)
	}, want: signing.Untrusted},
	{name: "path_signature_of_an_impostor", make: func(l *lab) *node {
		return l.ee(&node{name: l.root.name, key: l.key()}, set("2.5.29.35", false, nil))
	}, want: signing.PathSignature},
	{name: "path_name_chaining_among_many", make: func(l *lab) *node {
		ca := l.root
		for i := range 150 {
			ca = l.ca(l.root, fmt.Sprint("CA ", i))
		}
		return l.ee(ca, func(r *testpki.Raw) { r.Issuer = dn("CA of another name") })
	}, want: signing.PathNameChaining},
	{name: "no_anchor", make: func(l *lab) *node { return l.ee(l.root) }, o: func(_ *lab, o *signing.PathOptions) { o.Trust.Anchors = nil }, want: signing.NoAnchor},
	{name: "path_too_long", make: func(l *lab) *node {
		ca := l.root
		for i := range 20 {
			ca = l.ca(ca, fmt.Sprint("CA ", i))
		}
		return l.ee(ca)
	}, want: signing.PathTooLong},
}

func TestPathBuilding(t *testing.T) {
	t.Parallel()
	for _, c := range buildCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			leaf := c.make(l)
			o := l.options()
			if c.o != nil {
				c.o(l, &o)
			}
			got := verifyPath(leaf, o)
			want := signing.Valid
			if c.want != "" {
				want = c.want.Of()
			}
			if got.Verdict != want || c.want != "" && !hasReason(got.Reasons, c.want) || c.deep > 0 && len(got.Path) != c.deep {
				t.Fatalf("%+v", got)
			}
		})
	}
}

// TestHostileMesh: authorities that all certify one another give more ways than can be walked.
func TestHostileMesh(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var cas []*node
	for i := range 12 {
		cas = append(cas, &node{name: dn(fmt.Sprint("CA ", i)), key: l.key()})
	}
	for _, a := range cas {
		for _, b := range cas {
			if a != b {
				l.again(a, b)
			}
		}
	}
	start := time.Now()
	if got := verifyPath(l.ee(cas[0]), l.options()); got.Verdict != signing.Undetermined {
		t.Fatalf("%+v", got)
	}
	signing.Soon(t, start, 2*time.Second)
	l.again(l.root, cas[7])
	if got := verifyPath(l.ee(cas[7]), l.options()); got.Verdict != signing.Valid {
		t.Fatalf("%+v", got)
	}
}

// FuzzCertificate feeds arbitrary bytes as a certificate and as an intermediate.
func FuzzCertificate(f *testing.F) {
	l := newLab(f)
	ca := l.ca(l.root, "CA", permit(one, mail(".test.gov"), dns("test.gov"), uri(".test.gov"), ip(10, 0, 0, 0, 255, 0, 0, 0)), mapping(p1, p2), demand(0, 1), inhibitAny(1), pathLen(1))
	leaf := l.ee(ca, leafIn("one"), policies(p2), san(mail("a@b.test.gov"), dns("a.test.gov"), uri("http://a.test.gov/"), ip(10, 1, 2, 3), directory(branch("one"))))
	for _, n := range []*node{l.root, ca, leaf} {
		f.Add(n.der)
	}
	anchor, _ := signing.ParseCertificate(l.root.der)
	f.Fuzz(func(t *testing.T, b []byte) {
		l.t = t
		start := time.Now()
		o := l.options()
		o.Trust.Anchors[0].Certificate = anchor
		got := verifyPath(&node{der: b}, o)
		if got.Verdict == signing.Valid && !known(b, l.root, ca, leaf) {
			t.Fatal("a certificate that nobody signed is valid")
		}
		if x, err := signing.ParseCertificate(b); err == nil {
			o.Trust.Intermediates = append([]*x509.Certificate{x}, o.Trust.Intermediates...)
			verifyPath(leaf, o)
		}
		signing.Soon(t, start, 2*time.Second)
	})
}

func known(b []byte, nodes ...*node) bool {
	for _, n := range nodes {
		if string(n.der) == string(b) {
			return true
		}
	}
	return false
}
