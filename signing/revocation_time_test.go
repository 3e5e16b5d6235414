package signing_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// momentCase is a leaf and lists of several days, judged at a simulated time.
type momentCase struct {
	name    string
	until   time.Time // of the leaf; default: years on
	lists   func(w *world, leaf *testpki.Identity) []list
	at      time.Time
	verdict signing.Verdict
	want    signing.Reason
}

func day(n int) time.Time { return now.AddDate(0, 0, n) }

// daily is the issuing CA's list of a day, good for two.
func (w *world) daily(n int, entries ...entry) list {
	return list{by: w.Issuing, number: int64(100 + n), from: day(n), to: day(n + 2), entries: entries}
}

func dated(e entry, n, reason int) entry { e.at, e.reason = day(n), reason; return e }

func invalidSince(e entry, n int) entry {
	e.extensions = append(slices.Clone(e.extensions), pkix.Extension{Id: oidOf("2.5.29.24"), Value: generalized(day(n))})
	return e
}

func expiredSince(l list, n int) list {
	l.extensions = []pkix.Extension{{Id: oidOf("2.5.29.60"), Value: generalized(day(n))}}
	return l
}

var momentCases = []momentCase{
	{name: "list of the day", at: day(1), lists: func(w *world, _ *testpki.Identity) []list { return []list{w.daily(0)} }},
	{name: "list of the day, out of date at the judged time", at: day(5), lists: func(w *world, _ *testpki.Identity) []list { return []list{w.daily(0)} },
		verdict: signing.Undetermined, want: signing.RevocationStale},
	{name: "list made after the judged time", at: day(1), lists: func(w *world, _ *testpki.Identity) []list { return []list{w.daily(9)} }},
	{name: "revoked before the judged time", at: day(3), lists: func(w *world, id *testpki.Identity) []list { return []list{w.daily(9, dated(listed(id), 2, 1))} },
		want: signing.CertificateRevoked},
	{name: "revoked at the judged time", at: day(3), lists: func(w *world, id *testpki.Identity) []list { return []list{w.daily(9, dated(listed(id), 3, 1))} },
		want: signing.CertificateRevoked},
	{name: "revoked after the judged time", at: day(1), lists: func(w *world, id *testpki.Identity) []list { return []list{w.daily(9, dated(listed(id), 2, 1))} }},
	{name: "revoked by an old list, out of date", at: day(9), lists: func(w *world, id *testpki.Identity) []list { return []list{w.daily(0, dated(listed(id), -1, 1))} },
		want: signing.CertificateRevoked},
	{name: "revoked by a list, not yet on an older one", at: day(1), lists: func(w *world, id *testpki.Identity) []list {
		return []list{w.daily(0), w.daily(1, dated(listed(id), 1, 0))}
	}, want: signing.CertificateRevoked},
	{name: "key in other hands before the judged time, revoked after", at: day(2), lists: func(w *world, id *testpki.Identity) []list {
		return []list{w.daily(9, invalidSince(dated(listed(id), 3, 1), 1))}
	}, want: signing.CertificateRevoked},
	{name: "key in other hands after the judged time", at: day(1), lists: func(w *world, id *testpki.Identity) []list {
		return []list{w.daily(9, invalidSince(dated(listed(id), 3, 1), 2))}
	}},
	{name: "no longer in office before the judged time, revoked after", at: day(2), lists: func(w *world, id *testpki.Identity) []list {
		return []list{w.daily(9, invalidSince(dated(listed(id), 3, 5), 1))}
	}},
	{name: "on hold at the judged time", at: day(1), lists: func(w *world, id *testpki.Identity) []list { return []list{w.daily(1, dated(listed(id), 0, 6))} },
		want: signing.CertificateRevoked},
	{name: "on hold after the judged time", at: day(0), lists: func(w *world, id *testpki.Identity) []list { return []list{w.daily(2, dated(listed(id), 1, 6))} }},
	{name: "on hold once, lifted before the judged time", at: day(5), lists: func(w *world, id *testpki.Identity) []list {
		return []list{w.daily(0, dated(listed(id), -1, 6)), w.daily(4)}
	}},
	{name: "on hold at the judged time, lifted after", at: day(1), lists: func(w *world, id *testpki.Identity) []list {
		return []list{w.daily(0, dated(listed(id), -1, 6)), w.daily(4)}
	}, want: signing.CertificateRevoked},
	{name: "on hold, and nothing newer known", at: day(5), lists: func(w *world, id *testpki.Identity) []list { return []list{w.daily(0, dated(listed(id), -1, 6))} },
		verdict: signing.Undetermined, want: signing.RevocationStale},
	{name: "on hold in the base, lifted by a later delta", at: day(1), lists: func(w *world, id *testpki.Identity) []list {
		return []list{w.daily(0, dated(listed(id), -1, 6)), {by: w.Issuing, number: 104, base: 100, from: day(4), to: day(6), entries: with1(listed(id), 8)}}
	}, want: signing.CertificateRevoked},
	{name: "revoked by a later delta after the judged time", at: day(1), lists: func(w *world, id *testpki.Identity) []list {
		return []list{w.daily(0), {by: w.Issuing, number: 104, base: 100, from: day(4), to: day(6), entries: []entry{dated(listed(id), 3, 1)}}}
	}},
	{name: "expired since, and may have been dropped from the list", at: day(1), until: day(4), lists: func(w *world, _ *testpki.Identity) []list {
		return []list{w.daily(9)}
	}, verdict: signing.Undetermined, want: signing.RevocationStale},
	{name: "expired since, and the list keeps the expired", at: day(1), until: day(4), lists: func(w *world, _ *testpki.Identity) []list {
		return []list{expiredSince(w.daily(9), 3)}
	}},
	{name: "expired since, and the list keeps only those that expired later", at: day(1), until: day(4), lists: func(w *world, _ *testpki.Identity) []list {
		return []list{expiredSince(w.daily(9), 5)}
	}, verdict: signing.Undetermined, want: signing.RevocationStale},
	{name: "expired since, but still listed", at: day(3), until: day(4), lists: func(w *world, id *testpki.Identity) []list {
		return []list{w.daily(9, dated(listed(id), 2, 1))}
	}, want: signing.CertificateRevoked},
}

func TestRevocationAtTheJudgedTime(t *testing.T) {
	t.Parallel()
	for _, c := range momentCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			leaf := w.issue(testpki.Request{Name: "Lá", Until: c.until, Edit: withPoints()})
			g := given{others: w.Intermediates(), lists: [][]byte{w.CRLs[0]}, at: c.at}
			g.add(t, c.lists(w, leaf)...)
			listCase{verdict: c.verdict, want: c.want}.check(t, w.judge(leaf, g))
			slices.Reverse(g.lists) // the order in which they come must not matter
			listCase{verdict: c.verdict, want: c.want}.check(t, w.judge(leaf, g))
		})
	}
}

// What the report says of each certificate, and its reason.
func TestReportTellsHowEachCertificateWasChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options()
	o.Trust.CRLs = [][]byte{w.CRLs[0], w.daily(0, invalidSince(dated(listed(w.agency), -1, 1), -2)).make(t)}
	s := verify(detached(content, w.sign(testpki.CMS{})), o).Signatures[0]
	if len(s.PathRevocation) != 2 || len(s.Path) != 3 || s.PathRevocation[0] != s.Revocation {
		t.Fatalf("%+v", s.PathRevocation)
	}
	leaf, ca := s.PathRevocation[0], s.PathRevocation[1]
	if leaf.Status != "revoked" || leaf.RevokedFor != "keyCompromise" || !leaf.RevokedAt.Equal(day(-1)) || !leaf.InvalidityDate.Equal(day(-2)) ||
		leaf.Certificate != s.Path[0] || ca.Status != "good" || ca.Source != "crl" || ca.Certificate != s.Path[1] {
		t.Errorf("%+v", s.PathRevocation)
	}
}

// A report can be made again from the evidence that it names and the anchors alone (R77).
func TestReportIsReplayedFromItsEvidence(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(w *world, o *signing.Options) []byte{
		"plain": func(w *world, _ *signing.Options) []byte { return w.sign(testpki.CMS{}) },
		"message without certificates of CAs": func(w *world, _ *signing.Options) []byte {
			bare := *w.agency
			bare.Chain = nil
			return w.sign(testpki.CMS{Signers: []*testpki.Identity{&bare}})
		},
		"timestamp": func(w *world, _ *signing.Options) []byte { return w.sign(testpki.CMS{TSA: w.PKI}) },
		"revoked": func(w *world, o *signing.Options) []byte {
			w.revoke(o, w.agency, now.Add(-time.Hour))
			return w.sign(testpki.CMS{})
		},
		"stale": func(w *world, o *signing.Options) []byte {
			o.Trust.CRLs = [][]byte{w.CRLs[0], list{by: w.Issuing, number: 1, from: day(-3), to: day(-2)}.make(w.t)}
			return w.sign(testpki.CMS{})
		},
		"not valid": func(w *world, o *signing.Options) []byte {
			o.Trust.CRLs = [][]byte{w.CRLs[0], list{by: w.Root, named: w.Issuing, number: 1}.make(w.t)}
			return w.sign(testpki.CMS{})
		},
		"delta": func(w *world, o *signing.Options) []byte {
			o.Trust.CRLs = append(o.Trust.CRLs, list{by: w.Issuing, number: 5}.make(w.t), list{by: w.Issuing, number: 6, base: 5, from: now}.make(w.t))
			return w.sign(testpki.CMS{})
		},
		"two lists by reason": func(w *world, o *signing.Options) []byte {
			o.Trust.CRLs = [][]byte{w.CRLs[0], list{by: w.Issuing, number: 1, scope: scopeOf(reasons(0x83, 1, 2))}.make(w.t),
				list{by: w.Issuing, number: 1, scope: scopeOf(reasons(0x83, 3, 4, 5, 6, 7, 8))}.make(w.t)}
			return w.sign(testpki.CMS{})
		},
		"list by another key": func(w *world, o *signing.Options) []byte {
			by := otherKey(w)
			o.Trust.Intermediates = append(o.Trust.Intermediates, by.Certificate)
			o.Trust.CRLs = [][]byte{w.CRLs[0], list{by: by, number: 1}.make(w.t)}
			return w.sign(testpki.CMS{})
		},
		"OCSP by a responder that the response does not bring": func(w *world, o *signing.Options) []byte {
			by := w.ocspResponder(w.Issuing)
			o.Trust.Intermediates = append(o.Trust.Intermediates, by.Certificate)
			o.Trust.CRLs, o.Trust.OCSP = w.CRLs[:1], [][]byte{response{by: by, noCerts: true, answers: []answer{{about: w.agency}}}.make(w)}
			return w.sign(testpki.CMS{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			o := w.options()
			stranger := newWorld(t) // whose data must not be taken for evidence
			o.Trust.CRLs = append(o.Trust.CRLs, stranger.CRLs...)
			message := set(w, &o)
			first := verify(detached(content, message), o)
			e := first.Signatures[0].Evidence
			again := o
			again.Trust = &signing.Trust{Anchors: o.Trust.Anchors, TSAAnchors: o.Trust.TSAAnchors, CRLs: e.CRLs, OCSP: e.OCSP}
			for _, der := range e.Certificates {
				c, err := x509.ParseCertificate(der)
				w.must(err)
				again.Trust.Intermediates = append(again.Trust.Intermediates, c)
			}
			second := verify(detached(content, message), again)
			if a, b := asJSON(t, first), asJSON(t, second); a != b {
				t.Errorf("first\n%s\nsecond\n%s", a, b)
			}
			if slices.ContainsFunc(e.CRLs, func(der []byte) bool {
				return slices.ContainsFunc(stranger.CRLs, func(s []byte) bool { return string(s) == string(der) })
			}) {
				t.Error("lists that say nothing of this document are its evidence")
			}
		})
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
