package signing_test

import (
	"math/big"
	"os/exec"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// pathCase is one test in the manner of NIST's PKITS, named by its section there.
type pathCase struct {
	name  string
	make  func(l *lab) *node
	runs  []pathRun // none: one run with no inputs that must be valid
	alone bool      // OpenSSL is known to see it otherwise, or cannot
}

// pathRun is one set of inputs and what comes out.
type pathRun struct {
	policies               []string
	explicit, noMap, noAny bool
	want                   signing.Reason // "": valid
	good                   []string       // the policies reported; nil: not compared
}

func bad(want signing.Reason) []pathRun { return []pathRun{{want: want}} }

// explicitly asks for an explicit policy out of a set.
func explicitly(want signing.Reason, set ...string) pathRun {
	return pathRun{policies: set, explicit: true, want: want}
}

var pkitsCases = []pathCase{
	// 4.1 Signatures
	{name: "4.1.1 valid signatures", make: func(l *lab) *node { return l.ee(l.ca(l.root, "Good CA")) }},
	{name: "4.1.2 invalid CA signature", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "Bad Signed CA", func(r *testpki.Raw) { r.Spoil = true }))
	}, runs: bad(signing.PathSignature)},
	{name: "4.1.3 invalid EE signature", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "Good CA"), func(r *testpki.Raw) { r.Spoil = true })
	}, runs: bad(signing.PathSignature)},
	{name: "4.1.x algorithm within differs from the one beside", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "Good CA"), func(r *testpki.Raw) { r.Inner = testpki.Seq(testpki.OID("1.2.840.10045.4.3.3")) })
	}, runs: bad(signing.CertificateMalformed)},

	// 4.2 Validity periods
	{name: "4.2.1 invalid CA notBefore", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", validFrom(testpki.UTC(now.AddDate(1, 0, 0)))))
	}, runs: bad(signing.AuthorityNotYet)},
	{name: "4.2.2 invalid EE notBefore", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA"), validFrom(testpki.UTC(now.AddDate(1, 0, 0)))) },
		runs: bad(signing.CertificateNotYet)},
	{name: "4.2.3 valid pre-2000 UTCTime notBefore", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA"), validFrom(testpki.TLV(0x17, []byte("500101120100Z"))))
	}},
	{name: "4.2.4 valid GeneralizedTime notBefore", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA"), validFrom(testpki.Generalized(now.AddDate(-2, 0, 0))))
	}},
	{name: "4.2.5 invalid CA notAfter", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", validUntil(testpki.UTC(now.AddDate(0, 0, -1))))) },
		runs: bad(signing.AuthorityExpired)},
	{name: "4.2.6 invalid EE notAfter", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA"), validUntil(testpki.UTC(now.AddDate(0, 0, -1)))) },
		runs: bad(signing.CertificateExpired)},
	{name: "4.2.7 invalid pre-2000 UTCTime notAfter", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA"), validFrom(testpki.TLV(0x17, []byte("980101120100Z"))), validUntil(testpki.TLV(0x17, []byte("990101120100Z"))))
	}, runs: bad(signing.CertificateExpired)},
	{name: "4.2.8 valid GeneralizedTime notAfter", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA"), validUntil(testpki.Generalized(time.Date(2050, 1, 1, 12, 1, 0, 0, time.UTC))))
	}},
	{name: "4.2.x no well-defined end", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA"), validUntil(testpki.TLV(0x18, []byte("99991231235959Z"))))
	}},

	// 4.3 Name chaining
	{name: "4.3.1 invalid name chaining", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "Good CA"), func(r *testpki.Raw) { r.Issuer = dn("Good CA Root") })
	}, runs: bad(signing.PathNameChaining)},
	{name: "4.3.2 invalid name chaining, order", make: func(l *lab) *node {
		l.pool = append(l.pool, l.make(l.root, testpki.Seq(rdn("2.5.4.11", 0x13, "One"), rdn("2.5.4.11", 0x13, "Two")), l.key(), policies(p1)))
		return l.ee(l.pool[0], func(r *testpki.Raw) {
			r.Issuer = testpki.Seq(rdn("2.5.4.11", 0x13, "Two"), rdn("2.5.4.11", 0x13, "One"))
		})
	}, runs: bad(signing.PathNameChaining)},
	{name: "4.3.3 valid name chaining, white space", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "Good CA"), func(r *testpki.Raw) { r.Issuer = dn("Good     CA") })
	}},
	{name: "4.3.4 valid name chaining, white space at the ends", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "Good CA"), func(r *testpki.Raw) { r.Issuer = dn("   Good CA   ") })
	}},
	{name: "4.3.5 valid name chaining, capitals", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "Good CA"), func(r *testpki.Raw) { r.Issuer = dn("GOOD CA") })
	}},
	{name: "4.3.6 valid name chaining, UIDs", make: func(l *lab) *node {
		uid := append(testpki.TLV(0x81, []byte{0, 1, 2, 3}), testpki.TLV(0x82, []byte{0, 1, 2, 3})...)
		return l.ee(l.ca(l.root, "UID CA", func(r *testpki.Raw) { r.Unique = uid }))
	}},
	{name: "4.3.7 valid mandatory attribute types", make: func(l *lab) *node {
		return l.ee(l.under("", rdn("2.5.4.46", 0x13, "CA"), rdn("2.5.4.8", 0x13, "Maryland"), rdn("2.5.4.5", 0x13, "345"),
			rdn("0.9.2342.19200300.100.1.25", 0x16, "testcertificates"), rdn("0.9.2342.19200300.100.1.25", 0x16, "gov")))
	}},
	{name: "4.3.8 valid optional attribute types", make: func(l *lab) *node {
		return l.ee(l.under("", rdn("2.5.4.7", 0x13, "Gaithersburg"), rdn("2.5.4.42", 0x13, "John"), rdn("2.5.4.43", 0x13, "Q"),
			rdn("2.5.4.65", 0x13, "Fictitious"), rdn("2.5.4.4", 0x13, "CA"), rdn("2.5.4.44", 0x13, "III"), rdn("2.5.4.12", 0x13, "M.D.")))
	}},
	{name: "4.3.9 valid UTF8String names", make: func(l *lab) *node { return l.ee(l.under("", rdn("2.5.4.3", 0x0C, "Cơ quan chứng thực"))) }},
	{name: "4.3.10 valid rollover from PrintableString to UTF8String", make: func(l *lab) *node {
		ca := l.ca(l.root, "Rollover CA")
		return l.ee(ca, func(r *testpki.Raw) {
			r.Issuer = testpki.Seq(rdn("2.5.4.6", 0x13, "VN"), rdn("2.5.4.10", 0x0C, "Test Certificates"), rdn("2.5.4.3", 0x0C, "Rollover CA"))
		})
	}},
	{name: "4.3.11 valid UTF8String, case", make: func(l *lab) *node {
		return l.ee(l.under("", rdn("2.5.4.3", 0x0C, "Cơ quan chứng thực")), func(r *testpki.Raw) { r.Issuer = dn("", rdn("2.5.4.3", 0x0C, "CƠ  QUAN CHỨNG THỰC ")) })
	}, alone: true},
	{name: "4.3.x BMPString and UniversalString", make: func(l *lab) *node {
		return l.ee(l.under("", rdn("2.5.4.3", 0x1E, "\x00C\x00A"), rdn("2.5.4.11", 0x1C, "\x00\x00\x00X")),
			func(r *testpki.Raw) { r.Issuer = dn("", rdn("2.5.4.3", 0x0C, "CA"), rdn("2.5.4.11", 0x13, "x")) })
	}},
	{name: "4.3.x decomposed letters", make: func(l *lab) *node {
		return l.ee(l.under("", rdn("2.5.4.3", 0x0C, "Ch\u1ee9ng th\u1ef1c")), func(r *testpki.Raw) { r.Issuer = dn("", rdn("2.5.4.3", 0x0C, "Chu\u031b\u0301ng thu\u031b\u0323c")) })
	}, alone: true},
	{name: "4.3.x attributes of one RDN in another order", make: func(l *lab) *node {
		a, b := attribute("2.5.4.3", 0x13, "CA"), attribute("2.5.4.5", 0x13, "1")
		return l.ee(l.under("", testpki.TLV(0x31, a, b)), func(r *testpki.Raw) { r.Issuer = dn("", testpki.TLV(0x31, b, a)) })
	}, alone: true},
	{name: "4.3.x two RDNs are not one", make: func(l *lab) *node {
		a, b := attribute("2.5.4.3", 0x13, "CA"), attribute("2.5.4.5", 0x13, "1")
		return l.ee(l.under("", testpki.TLV(0x31, a, b)), func(r *testpki.Raw) { r.Issuer = dn("", testpki.Set(a), testpki.Set(b)) })
	}, runs: bad(signing.PathNameChaining)},

	// 4.4 the parts that are not about lists
	{name: "4.4.14 valid negative serial number", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA"), func(r *testpki.Raw) { r.Serial = big.NewInt(-1) })
	}},
	{name: "4.4.16 valid long serial number", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA"), func(r *testpki.Raw) { r.Serial = new(big.Int).Lsh(big.NewInt(0x7F), 152) })
	}},

	// 4.5 Self-issued certificates
	{name: "4.5.1 valid old with new", make: func(l *lab) *node {
		newer := l.ca(l.root, "Basic Self-Issued New Key CA")
		old := &node{name: newer.name, key: l.key()}
		l.again(newer, old)
		return l.ee(old)
	}},
	{name: "4.5.3 valid new with old", make: func(l *lab) *node { return l.ee(l.rolled(l.ca(l.root, "Basic Self-Issued Old Key CA"))) }},
	{name: "4.5.x several keys of one name, wrong hints", make: func(l *lab) *node {
		ca := l.ca(l.root, "Many Keys CA")
		for range 5 {
			l.again(l.root, &node{name: ca.name, key: l.key()})
		}
		return l.ee(ca, set("2.5.29.35", false, testpki.Seq(testpki.TLV(0x80, []byte("wrong")))))
	}, alone: true},

	// 4.6 Basic constraints
	{name: "4.6.1 invalid missing basicConstraints", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", set("2.5.29.19", false, nil))) }, runs: bad(signing.PathNotCA)},
	{name: "4.6.2 invalid cA false, critical", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", set("2.5.29.19", true, testpki.Seq()))) }, runs: bad(signing.PathNotCA)},
	{name: "4.6.3 invalid cA false", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", set("2.5.29.19", false, testpki.Seq()))) }, runs: bad(signing.PathNotCA)},
	{name: "4.6.4 valid basicConstraints not critical", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", set("2.5.29.19", false, testpki.Seq([]byte{1, 1, 0xFF}))))
	}},
	{name: "4.6.5 invalid pathLen", make: func(l *lab) *node { return l.ee(l.ca(l.ca(l.root, "pathLen0 CA", pathLen(0)), "subCA")) }, runs: bad(signing.PathLength)},
	{name: "4.6.6 invalid pathLen, the leaf a CA", make: func(l *lab) *node { return l.ca(l.ca(l.ca(l.root, "pathLen0 CA", pathLen(0)), "subCA"), "EE") }, runs: bad(signing.PathLength)},
	{name: "4.6.7 valid pathLen", make: func(l *lab) *node { return l.ee(l.ca(l.root, "pathLen0 CA", pathLen(0))) }},
	{name: "4.6.8 valid pathLen, the leaf a CA", make: func(l *lab) *node { return l.ca(l.ca(l.root, "pathLen0 CA", pathLen(0)), "EE") }},
	{name: "4.6.9 invalid pathLen", make: func(l *lab) *node {
		return l.ee(l.ca(l.ca(l.ca(l.root, "pathLen6 CA", pathLen(6)), "subCA0", pathLen(0)), "subsubCA"))
	}, runs: bad(signing.PathLength)},
	{name: "4.6.11 invalid pathLen", make: func(l *lab) *node {
		return l.ee(l.ca(l.ca(l.ca(l.ca(l.root, "pathLen6 CA", pathLen(6)), "subCA1", pathLen(1)), "subsubCA", pathLen(4)), "subsubsubCA"))
	}, runs: bad(signing.PathLength)},
	{name: "4.6.13 valid pathLen", make: func(l *lab) *node {
		return l.ee(l.ca(l.ca(l.ca(l.ca(l.root, "pathLen6 CA", pathLen(6)), "subCA4", pathLen(4)), "subsubCA41", pathLen(1)), "subsubsubCA41X"))
	}},
	{name: "4.6.15 valid self-issued pathLen", make: func(l *lab) *node { return l.ee(l.rolled(l.ca(l.root, "pathLen0 CA", pathLen(0)))) }},
	{name: "4.6.16 invalid self-issued pathLen", make: func(l *lab) *node {
		return l.ee(l.ca(l.rolled(l.ca(l.root, "pathLen0 CA", pathLen(0))), "subCA"))
	}, runs: bad(signing.PathLength)},
	{name: "4.6.17 valid self-issued pathLen", make: func(l *lab) *node {
		return l.ee(l.rolled(l.ca(l.rolled(l.ca(l.root, "pathLen1 CA", pathLen(1))), "subCA")))
	}},
	{name: "4.6.x an anchor's own pathLen is not judged", make: func(l *lab) *node {
		l.root = l.make(nil, dn("Narrow Anchor"), l.key(), pathLen(0))
		return l.ee(l.ca(l.root, "CA"))
	}, alone: true},
	{name: "4.6.x version 1 intermediate", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA", func(r *testpki.Raw) { r.Version, r.Extensions = -1, nil }))
	}, runs: bad(signing.PathNotCA)},
	{name: "4.6.x version 1 leaf", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA"), func(r *testpki.Raw) { r.Version, r.Extensions = -1, nil })
	}},

	// 4.7 Key usage
	{name: "4.7.1 invalid keyCertSign false, critical", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", set("2.5.29.15", true, []byte{3, 2, 1, 2}))) }, runs: bad(signing.PathKeyUsage)},
	{name: "4.7.2 invalid keyCertSign false", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", set("2.5.29.15", false, []byte{3, 2, 1, 2}))) }, runs: bad(signing.PathKeyUsage)},
	{name: "4.7.3 valid key usage not critical", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", set("2.5.29.15", false, []byte{3, 2, 1, 6}))) }},
	{name: "4.7.x no key usage", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", set("2.5.29.15", false, nil))) }},
	{name: "4.7.x key usage without a bit", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", set("2.5.29.15", true, []byte{3, 1, 0}))) }, runs: bad(signing.PathKeyUsage), alone: true},

	// 4.16 Private extensions
	{name: "4.16.1 valid unknown not critical", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA"), set("2.16.840.1.101.2.1.12.2", false, testpki.Integer(1)))
	}},
	{name: "4.16.2 invalid unknown critical", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA"), set("2.16.840.1.101.2.1.12.2", true, testpki.Integer(1)))
	}, runs: bad(signing.PathCritical)},
	{name: "4.16.x unknown critical in a CA", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", set("2.999.7", true, testpki.Integer(1)))) }, runs: bad(signing.PathCritical)},
	{name: "4.16.x unknown critical with an arc of 128 bits", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA"), set("2.25.329800735698586629295641978511506172918", true, testpki.Integer(1)))
	}, runs: bad(signing.PathCritical)},
	{name: "4.16.x an extension twice", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA"), func(r *testpki.Raw) { r.Extensions = append(r.Extensions, r.Extensions[0]) })
	}, runs: bad(signing.CertificateMalformed), alone: true},
	{name: "4.16.x no issuer", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA", called(testpki.Seq()))) }, runs: bad(signing.CertificateMalformed), alone: true},
	{name: "4.16.x no subject and no alternative name", make: func(l *lab) *node { return l.ee(l.ca(l.root, "CA"), called(testpki.Seq())) }, runs: bad(signing.CertificateMalformed), alone: true},
	{name: "4.16.x no subject but an alternative name", make: func(l *lab) *node {
		return l.ee(l.ca(l.root, "CA"), called(testpki.Seq()), set("2.5.29.17", true, testpki.Seq(mail("a@b.test"))))
	}},
}

// under makes a CA of a name with these RDNs under the anchor.
func (l *lab) under(cn string, more ...[]byte) *node {
	n := l.make(l.root, dn(cn, more...), l.key(), policies(p1))
	l.pool = append(l.pool, n)
	return n
}

func validFrom(t []byte) edit  { return func(r *testpki.Raw) { r.From = t } }
func validUntil(t []byte) edit { return func(r *testpki.Raw) { r.Until = t } }

func TestPKITS(t *testing.T) { runPathCases(t, pkitsCases) }

func runPathCases(t *testing.T, cases []pathCase) {
	t.Parallel()
	_, noOpenSSL := exec.LookPath("openssl")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			leaf := c.make(l)
			runs := c.runs
			if runs == nil {
				runs = []pathRun{{}}
			}
			for _, r := range runs {
				o := l.options()
				o.Policies, o.ExplicitPolicy, o.InhibitMapping, o.InhibitAnyPolicy = r.policies, r.explicit, r.noMap, r.noAny
				got := verifyPath(leaf, o)
				want := signing.Valid
				if r.want != "" {
					want = r.want.Of()
				}
				if got.Verdict != want || r.want != "" && !hasReason(got.Reasons, r.want) {
					t.Errorf("%+v: verdict %s, reasons %v", r, got.Verdict, got.Reasons)
				}
				if r.good != nil && !equal(got.Policies, r.good) {
					t.Errorf("%+v: policies %v", r, got.Policies)
				}
				if noOpenSSL != nil || c.alone || testing.Short() {
					continue
				}
				if ok, said := l.openssl(leaf, o); ok != (want == signing.Valid) {
					t.Errorf("%+v: openssl sees it otherwise: %s", r, said)
				}
			}
		})
	}
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
