package signing_test

import (
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// branch is a name below that of the test certificates: permittedSubtree1 and so on.
func branch(unit string, more ...[]byte) []byte {
	return testpki.Seq(append([][]byte{rdn("2.5.4.6", 0x13, "VN"), rdn("2.5.4.10", 0x13, "Test Certificates"), rdn("2.5.4.11", 0x13, unit)}, more...)...)
}

func leafIn(unit string) edit { return called(branch(unit, rdn("2.5.4.3", 0x13, "EE"))) }

// Everything that a CA of these cases is allowed or forbidden.
var (
	one, two = directory(branch("one")), directory(branch("two"))
	cn       = rdn("2.5.4.3", 0x13, "EE")
)

func named(unit string) edit { return called(branch(unit, rdn("2.5.4.3", 0x13, "subCA"))) }

var outside = bad(signing.PathNames)

var pkitsNamesCases = []pathCase{
	// 4.13 Name constraints: directory names
	{name: "4.13.1 DN permitted", make: func(l *lab) *node { return l.ee(l.ca(l.root, "DN1 CA", permit(one)), leafIn("one")) }},
	{name: "4.13.2 DN not permitted", make: func(l *lab) *node { return l.ee(l.ca(l.root, "DN1 CA", permit(one)), leafIn("two")) }, runs: outside},
	{name: "4.13.3 DN permitted, alternative DN not", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "DN1 CA", permit(one)), leafIn("one"), san(directory(branch("two", cn))))
	}, runs: outside},
	{name: "4.13.4 DN and alternative DN permitted", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "DN1 CA", permit(one)), leafIn("one"), san(directory(branch("one", cn))))
	}},
	{name: "4.13.5 two DNs permitted", make: func(l *lab) *node { return l.ee(l.ca(l.root, "DN2 CA", permit(one, two)), leafIn("two")) }},
	{name: "4.13.7 DN excluded", make: func(l *lab) *node { return l.ee(l.ca(l.root, "DN3 CA", exclude(one)), leafIn("one")) }, runs: outside},
	{name: "4.13.6 DN not excluded", make: func(l *lab) *node { return l.ee(l.ca(l.root, "DN3 CA", exclude(one)), leafIn("two")) }},
	{name: "4.13.9 two DNs excluded", make: func(l *lab) *node { return l.ee(l.ca(l.root, "DN4 CA", exclude(one, two)), leafIn("two")) }, runs: outside},
	{name: "4.13.10 permitted and excluded", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "DN5 CA", constrain(true, [][]byte{one}, [][]byte{directory(branch("one", rdn("2.5.4.11", 0x13, "x")))})), called(branch("one", rdn("2.5.4.11", 0x13, "x"), cn)))
	}, runs: outside},
	{name: "4.13.11 permitted and not excluded", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "DN5 CA", constrain(true, [][]byte{one}, [][]byte{directory(branch("one", rdn("2.5.4.11", 0x13, "x")))})), leafIn("one"))
	}},
	{name: "4.13.12 intersection is empty", make: func(l *lab) *node {
		return l.ee(l.ca(l.ca(l.root, "DN1 CA", permit(one)), "", named("one"), permit(two)), leafIn("one"))
	}, runs: outside},
	{name: "4.13.13 intersection is empty, leaf of the other", make: func(l *lab) *node {
		return l.ee(l.ca(l.ca(l.root, "DN1 CA", permit(one)), "", named("one"), permit(two)), leafIn("two"))
	}, runs: outside},
	{name: "4.13.14 intersection, no subject", make: func(l *lab) *node {
		return l.ee(l.ca(l.ca(l.root, "DN1 CA", permit(one)), "", named("one"), permit(two)), called(testpki.Seq()), set("2.5.29.17", true, testpki.Seq(mail("a@b.test"))))
	}},
	{name: "4.13.15 permitted above, excluded below", make: func(l *lab) *node {
		return l.ee(l.ca(l.ca(l.root, "DN1 CA", permit(one)), "", named("one"), exclude(directory(branch("one", rdn("2.5.4.11", 0x13, "x"))))), called(branch("one", rdn("2.5.4.11", 0x13, "x"), cn)))
	}, runs: outside},
	{name: "4.13.17 excluded above and below", make: func(l *lab) *node {
		return l.ee(l.ca(l.ca(l.root, "DN3 CA", exclude(one)), "", named("three"), exclude(two)), leafIn("one"))
	}, runs: outside},
	{name: "4.13.18 neither excluded above nor below", make: func(l *lab) *node {
		return l.ee(l.ca(l.ca(l.root, "DN3 CA", exclude(one)), "", named("three"), exclude(two)), leafIn("three"))
	}},
	{name: "4.13.19 a self-issued CA is exempt", make: func(l *lab) *node { return l.ee(l.rolled(l.ca(l.root, "DN1 CA", permit(one))), leafIn("one")) }},
	{name: "4.13.20 a self-issued leaf is not", make: func(l *lab) *node {
		ca := l.ca(l.root, "DN1 CA", permit(one))
		return l.make(ca, ca.name, l.key(), asLeaf, policies(p1))
	}, runs: outside},
	{name: "4.13.x another string type and case of the same name", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "DN1 CA", permit(directory(testpki.Seq(rdn("2.5.4.6", 0x13, "vn"), rdn("2.5.4.10", 0x0C, "TEST  certificates"))))))
	}, alone: true},
	{name: "4.13.x a name that merely begins alike", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "DN1 CA", permit(directory(branch("on")))), leafIn("one"))
	}, runs: outside},
	{name: "4.13.x the intermediate is outside", make: func(l *lab) *node { return l.ee(l.ca(l.ca(l.root, "DN1 CA", permit(one)), "subCA"), leafIn("one")) }, runs: outside},

	// rfc822Name
	{name: "4.13.21 mail of a domain", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", permit(mail(".test.gov"))), san(mail("ee@mailserver.test.gov")))
	}},
	{name: "4.13.22 mail at the domain itself", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", permit(mail(".test.gov"))), san(mail("ee@test.gov")))
	}, runs: outside},
	{name: "4.13.23 mail of a host", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", permit(mail("test.gov"))), san(mail("ee@TEST.gov")))
	}},
	{name: "4.13.24 mail of a host below", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", permit(mail("test.gov"))), san(mail("ee@mailserver.test.gov")))
	}, runs: outside},
	{name: "4.13.25 mail not excluded", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", exclude(mail("test.gov"))), san(mail("ee@mailserver.test.gov")))
	}},
	{name: "4.13.26 mail excluded", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", exclude(mail("test.gov"))), san(mail("ee@test.gov")))
	}, runs: outside},
	{name: "4.13.x mailbox, its case matters", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", permit(mail("ee@test.gov"))), san(mail("EE@test.gov")))
	}, runs: outside},
	{name: "4.13.x mailbox", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", permit(mail("ee@test.gov"))), san(mail("ee@TEST.gov")))
	}},
	{name: "4.13.28 DN and mail permitted", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", permit(one, mail("test.gov"))), called(branch("one", rdn("1.2.840.113549.1.9.1", 0x16, "ee@test.gov"))))
	}},
	{name: "4.13.29 mail within the subject", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", permit(one, mail("test.gov"))), called(branch("one", rdn("1.2.840.113549.1.9.1", 0x16, "ee@mailserver.test.gov"))))
	}, runs: outside},

	// dNSName
	{name: "4.13.30 DNS permitted", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", permit(dns("test.gov"))), san(dns("testserver.test.gov")))
	}},
	{name: "4.13.31 DNS not permitted", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", permit(dns("test.gov"))), san(dns("invalidcertificates.gov")))
	}, runs: outside},
	{name: "4.13.32 DNS not excluded", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", exclude(dns("invalid.gov"))), san(dns("test.gov"))) }},
	{name: "4.13.33 DNS excluded", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", exclude(dns("invalid.gov"))), san(dns("a.INVALID.gov")))
	}, runs: outside},
	{name: "4.13.38 DNS that only ends alike", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", permit(dns("test.gov"))), san(dns("mytest.gov"))) }, runs: outside},
	{name: "4.13.x DNS permitted everywhere", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", permit(dns(""))), san(dns("a.b.c"))) }},
	{name: "4.13.x DNS excluded everywhere", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", exclude(dns(""))), san(dns("a.b.c"))) }, runs: outside},
	{name: "4.13.x a DNS name with a dot before permits nothing", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", permit(dns(".test.gov"))), san(dns("a.test.gov"))) }, runs: outside, alone: true},
	{name: "4.13.x a wildcard over an excluded host", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", exclude(dns("a.test.gov"))), san(dns("*.test.gov")))
	}, runs: outside, alone: true},
	{name: "4.13.x other forms are free", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", permit(dns("test.gov"))), san(mail("a@b.gov"), ip(1, 2, 3, 4)))
	}},

	// URI
	{name: "4.13.34 URI permitted", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", permit(uri(".test.gov"))), san(uri("http://testserver.test.gov/index.html")))
	}},
	{name: "4.13.35 URI not permitted", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", permit(uri(".test.gov"))), san(uri("http://test.gov/invalid.html")))
	}, runs: outside},
	{name: "4.13.36 URI not excluded", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", exclude(uri("invalid.gov"))), san(uri("ftp://a.invalid.gov:21/")))
	}},
	{name: "4.13.37 URI excluded", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", exclude(uri("invalid.gov"))), san(uri("http://user@INVALID.gov:80/x")))
	}, runs: outside, alone: true},
	{name: "4.13.x URI without a host", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", permit(uri("test.gov"))), san(uri("urn:x:y"))) }, runs: outside},
	{name: "4.13.x URI of an address", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", exclude(uri("test.gov"))), san(uri("http://[2001:db8::1]/")))
	}, runs: outside, alone: true},

	// iPAddress
	{name: "4.13.x IPv4 permitted", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", permit(ip(10, 1, 2, 0, 255, 255, 255, 0))), san(ip(10, 1, 2, 200)))
	}},
	{name: "4.13.x IPv4 not permitted", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", permit(ip(10, 1, 2, 0, 255, 255, 255, 0))), san(ip(10, 1, 3, 200)))
	}, runs: outside},
	{name: "4.13.x IPv4 excluded everywhere", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", exclude(ip(0, 0, 0, 0, 0, 0, 0, 0))), san(ip(10, 1, 3, 200)))
	}, runs: outside},
	{name: "4.13.x IPv6 where IPv4 is permitted", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", permit(ip(10, 1, 2, 0, 255, 255, 255, 0))), san(ip(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)))
	}, runs: outside},
	{name: "4.13.x IPv6 permitted", make: func(l *lab) *node {
		base := append([]byte{0x20, 1, 0xd, 0xb8}, make([]byte, 12)...)
		mask := append([]byte{255, 255, 255, 255}, make([]byte, 12)...)
		return l.ee(l.ca(l.root, "CA", permit(ip(append(base, mask...)...))), san(ip(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)))
	}},
	{name: "4.13.x mask with a hole", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", permit(ip(10, 1, 2, 0, 255, 0, 255, 0)))) }, runs: bad(signing.CertificateMalformed), alone: true},
	{name: "4.13.x address of five bytes in a constraint", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", permit(ip(10, 1, 2, 0, 255)))) }, runs: bad(signing.CertificateMalformed), alone: true},
	{name: "4.13.x address of five bytes in a name", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA"), san(ip(10, 1, 2, 0, 255))) }, runs: bad(signing.CertificateMalformed), alone: true},

	// forms and fields without a rule
	{name: "4.13.x otherName excluded and there", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", exclude(other("x"))), san(other("x"))) }, runs: bad(signing.PathUnsupported)},
	{name: "4.13.x otherName excluded and not there", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", exclude(other("x"))), san(mail("a@b.gov"))) }},
	{name: "4.13.x maximum given", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", set("2.5.29.30", true, testpki.Seq(testpki.TLV(0xA0, testpki.Seq(one, testpki.TLV(0x81, []byte{1})))))), leafIn("one"))
	}, runs: bad(signing.PathUnsupported)},
	{name: "4.13.x minimum 0 written out", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", set("2.5.29.30", true, testpki.Seq(testpki.TLV(0xA0, testpki.Seq(one, testpki.TLV(0x80, []byte{0})))))), leafIn("one"))
	}},
	{name: "4.13.x neither permitted nor excluded", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", constrain(true, nil, nil))) }, runs: bad(signing.CertificateMalformed), alone: true},
	{name: "4.13.x permitted without a subtree", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", constrain(true, [][]byte{}, nil))) }, runs: bad(signing.CertificateMalformed), alone: true},
	{name: "4.13.x not critical and still kept", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", constrain(false, [][]byte{one}, nil)), leafIn("two"))
	}, runs: outside},
	{name: "4.13.x constraints in a leaf", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA"), permit(one)) }, runs: bad(signing.CertificateMalformed), alone: true},
	{name: "4.13.x an anchor's own constraints are not judged", make: func(l *lab) *node {
		l.root = l.make(nil, dn("Constrained Anchor"), l.key(), permit(two))
		return l.ee(l.root, leafIn("one"))
	}, alone: true},
}

func TestPKITSNames(t *testing.T) { runPathCases(t, pkitsNamesCases) }

// TestHostileNames: thousands of names against thousands of subtrees end soon, and undetermined.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var bases, names [][]byte
	for range 3000 {
		bases, names = append(bases, dns("a.test.gov")), append(names, dns("b.test.gov"))
	}
	leaf := l.ee(l.ca(l.root, "CA", exclude(bases...)), san(names...))
	start := time.Now()
	if got := verifyPath(leaf, l.options()); got.Reason != signing.PathTooLong {
		t.Fatalf("%+v", got)
	}
	signing.Soon(t, start, 2*time.Second)
}
