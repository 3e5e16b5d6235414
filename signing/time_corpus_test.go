package signing_test

import (
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// token makes RFC 3161 tokens, good or bent.
type token struct {
	at      time.Time
	signer  *testpki.Identity // the world's TSA when nil
	hash    crypto.Hash       // of the imprint; SHA-256 when 0
	digest  crypto.Hash       // of the token's own signature
	imprint func([]byte) []byte
	genTime string // instead of at
	extra   []byte // behind genTime: accuracy, ordering, nonce, tsa
	bare    bool   // without the authority's certificate
	noESS   bool
	ess1    bool   // signing-certificate (SHA-1) instead of -v2
	version byte   // 1 when 0
	policy  []byte // DER
}

func (k token) make(w *world, value []byte) []byte {
	hash, id := crypto.SHA256, k.signer
	if k.hash != 0 {
		hash = k.hash
	}
	if id == nil {
		id = w.TSA
	}
	h := hash.New()
	h.Write(value)
	imprint := h.Sum(nil)
	if k.imprint != nil {
		imprint = k.imprint(imprint)
	}
	gen, version, policy := k.genTime, max(k.version, 1), k.policy
	if gen == "" {
		gen = k.at.UTC().Format("20060102150405Z")
	}
	if policy == nil {
		policy = must(asn1.Marshal(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}))
	}
	oids := map[crypto.Hash]asn1.ObjectIdentifier{crypto.SHA1: {1, 3, 14, 3, 2, 26}, crypto.SHA256: {2, 16, 840, 1, 101, 3, 4, 2, 1}, crypto.SHA512: {2, 16, 840, 1, 101, 3, 4, 2, 3}}
	info := der(0x30, []byte{2, 1, version}, policy, der(0x30, der(0x30, must(asn1.Marshal(oids[hash])), []byte{5, 0}), der(4, imprint)),
		[]byte{2, 1, 7}, der(0x18, []byte(gen)), k.extra)
	c := testpki.CMS{Signers: []*testpki.Identity{id}, Attached: true, ContentType: oidText, Time: now, Digest: k.digest, NoSigningCert: k.noESS || k.ess1, NoCertificates: k.bare}
	c.Bend = func(piece string, b []byte) []byte {
		if piece == "messageDigest" && k.ess1 {
			sum := sha1.Sum(id.Certificate.Raw)
			return append(b, testpki.Attribute(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}, der(0x30, der(0x30, der(0x30, der(4, sum[:])))))...)
		}
		return b
	}
	return must(c.Sign(info))
}

// stamped makes a message with these tokens over its signature value, as values of one attribute.
func (w *world) stamped(c testpki.CMS, tokens ...token) []byte {
	return w.attributed(c, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}, tokens...)
}

func (w *world) attributed(c testpki.CMS, id asn1.ObjectIdentifier, tokens ...token) []byte {
	var value []byte
	c.Bend = func(piece string, b []byte) []byte {
		switch piece {
		case "signature":
			value = b
		case "unsignedAttributes":
			var made [][]byte
			for _, k := range tokens {
				made = append(made, k.make(w, value))
			}
			return der(0xA1, testpki.Attribute(id, made...))
		}
		return b
	}
	return w.sign(c)
}

// expired is a signer whose certificate was good at now and no longer at reception: valid only with proof of the time.
func (w *world) expired() testpki.CMS {
	id := w.issue(testpki.Request{Name: "Vừa hết hạn", From: now.AddDate(-1, 0, 0), Until: now.Add(time.Minute)})
	return testpki.CMS{Signers: []*testpki.Identity{id}}
}

// tsa makes another timestamp authority under a CA of the world.
func (w *world) tsa(ca *testpki.Identity, edit func(*x509.Certificate)) *testpki.Identity {
	use := pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: must(asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}}))}
	id, err := w.IssueUnder(ca, testpki.Request{Name: "TSA khác", Edit: func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{use}
		if edit != nil {
			edit(c)
		}
	}})
	w.must(err)
	return id
}

// revokeWhy puts id on its issuer's list with that CRLReason; reason -1: none given.
func (w *world) revokeWhy(o *signing.Options, id *testpki.Identity, at time.Time, reason int) {
	entry := x509.RevocationListEntry{SerialNumber: id.Certificate.SerialNumber, RevocationTime: at}
	if reason > 0 {
		entry.ReasonCode = reason
	}
	list, err := x509.CreateRevocationList(nil, &x509.RevocationList{Number: big.NewInt(11), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.AddDate(9, 0, 0),
		RevokedCertificateEntries: []x509.RevocationListEntry{entry}}, w.Root.Certificate, w.Root.Key)
	w.must(err)
	o.Trust.CRLs = [][]byte{list, w.CRLs[1]}
}

// timeCase is one message and a clock. proven: a token must be believed. The last reason of want must stand in the report.
type timeCase struct {
	name    string
	make    func(w *world) []byte
	options func(w *world, o *signing.Options)
	proven  bool
	verdict signing.Verdict
	want    signing.Reason
	at      time.Time      // that the report must have judged at, when proven; now when zero
	token   signing.Reason // what is said of the (first) token itself
}

var (
	noProof = signing.Undetermined
	before  = token{at: now}
)

var timeCases = []timeCase{
	{name: "valid_expired_with_token", make: func(w *world) []byte { return w.stamped(w.expired(), before) }, proven: true},
	{name: "valid_sha512_imprint", make: func(w *world) []byte { return w.stamped(w.expired(), token{at: now, hash: crypto.SHA512}) }, proven: true},
	{name: "valid_fraction_of_a_second", make: func(w *world) []byte { return w.stamped(w.expired(), token{genTime: "20261121020000.123Z"}) }, proven: true, at: now.Add(123 * time.Millisecond)},
	{name: "valid_accuracy_ordering_nonce_tsa", make: func(w *world) []byte {
		tsa := der(0xA0, der(0xA4, w.TSA.Certificate.RawSubject))
		return w.stamped(w.expired(), token{at: now, extra: append(append(der(0x30, []byte{2, 1, 1}), 1, 1, 0xFF, 2, 1, 9), tsa...)})
	}, proven: true},
	{name: "valid_any_policy_of_the_authority", make: func(w *world) []byte {
		return w.stamped(w.expired(), token{at: now, policy: must(asn1.Marshal(asn1.ObjectIdentifier{0, 4, 0, 2023, 1, 1}))})
	}, proven: true},
	{name: "valid_bound_by_signing_certificate_v1", make: func(w *world) []byte { return w.stamped(w.expired(), token{at: now, ess1: true}) }, proven: true},
	{name: "valid_authority_certificate_installed_only", make: func(w *world) []byte { return w.stamped(w.expired(), token{at: now, bare: true}) },
		options: func(w *world, o *signing.Options) {
			o.Trust.Intermediates = append(o.Trust.Intermediates, w.TSA.Certificate)
		}, proven: true},
	{name: "valid_first_token_bad_second_good", make: func(w *world) []byte {
		return w.stamped(w.expired(), token{at: now, imprint: flip}, before)
	}, proven: true},
	{name: "valid_earliest_of_several", make: func(w *world) []byte {
		return w.stamped(w.expired(), token{at: now.Add(30 * time.Second)}, before, token{at: now.Add(20 * time.Second)})
	}, proven: true},
	{name: "valid_token_within_skew_of_reception", make: func(w *world) []byte { return w.stamped(testpki.CMS{}, token{at: now.Add(time.Hour + 4*time.Minute)}) },
		proven: true, at: now.Add(time.Hour + 4*time.Minute)},
	{name: "valid_authority_expired_since", make: func(w *world) []byte {
		id := w.tsa(w.Root, func(c *x509.Certificate) { c.NotAfter = now.Add(10 * time.Minute) })
		return w.stamped(w.expired(), token{at: now, signer: id})
	}, options: func(w *world, o *signing.Options) {
		o.Trust.CRLs[0] = w.list(w.Root, w.Root, now, now.Add(5*time.Minute)) // the list of then
	}, proven: true},
	{name: "valid_authority_superseded_since", make: func(w *world) []byte { return w.stamped(w.expired(), before) },
		options: func(w *world, o *signing.Options) { w.revokeWhy(o, w.TSA, now.Add(time.Minute), 4) }, proven: true},
	{name: "valid_authority_ceased_since", make: func(w *world) []byte { return w.stamped(w.expired(), before) },
		options: func(w *world, o *signing.Options) { w.revokeWhy(o, w.TSA, now.Add(time.Minute), 5) }, proven: true},
	{name: "valid_signer_revoked_after_token", make: func(w *world) []byte { return w.stamped(testpki.CMS{}, before) },
		options: func(w *world, o *signing.Options) { w.revoke(o, w.agency, now.Add(time.Second)) }, proven: true, want: signing.RevokedLater},
	{name: "certificate_revoked_before_token", make: func(w *world) []byte { return w.stamped(testpki.CMS{}, before) },
		options: func(w *world, o *signing.Options) { w.revoke(o, w.agency, now.Add(-time.Second)) },
		proven:  true, verdict: signing.Invalid, want: signing.CertificateRevoked},
	{name: "certificate_expired_before_token", make: func(w *world) []byte { return w.stamped(w.expired(), token{at: now.Add(2 * time.Minute)}) },
		proven: true, verdict: signing.Invalid, want: signing.CertificateExpired, at: now.Add(2 * time.Minute)},
	{name: "certificate_not_yet_valid_at_token", make: func(w *world) []byte {
		id := w.issue(testpki.Request{Name: "Cấp sau", From: now.Add(-time.Hour)})
		return w.stamped(testpki.CMS{Signers: []*testpki.Identity{id}}, token{at: now.Add(-2 * time.Hour)})
	}, proven: true, verdict: signing.Invalid, want: signing.CertificateNotYet, at: now.Add(-2 * time.Hour)},

	// Tokens that prove nothing: the signer's certificate is judged at reception, with what its owner says of the time.
	{name: "no_time_proof_without_token", make: func(w *world) []byte { return w.sign(w.expired()) }, verdict: noProof, want: signing.NoTimestamp},
	{name: "timestamp_invalid_imprint", make: func(w *world) []byte { return w.stamped(w.expired(), token{at: now, imprint: flip}) }, verdict: noProof, want: signing.TimestampInvalid},
	{name: "timestamp_invalid_imprint_of_content", make: func(w *world) []byte {
		return w.stamped(w.expired(), token{at: now, imprint: func([]byte) []byte { s := sha256.Sum256(content); return s[:] }})
	}, verdict: noProof, want: signing.TimestampInvalid},
	{name: "timestamp_invalid_imprint_length", make: func(w *world) []byte {
		return w.stamped(w.expired(), token{at: now, imprint: func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }})
	}, verdict: noProof, want: signing.TimestampInvalid},
	{name: "timestamp_invalid_version", make: func(w *world) []byte { return w.stamped(w.expired(), token{at: now, version: 2}) }, verdict: noProof, want: signing.TimestampInvalid},
	{name: "timestamp_invalid_time", make: func(w *world) []byte { return w.stamped(w.expired(), token{genTime: "20261321020000Z"}) }, verdict: noProof, want: signing.TimestampInvalid},
	{name: "timestamp_invalid_local_time", make: func(w *world) []byte { return w.stamped(w.expired(), token{genTime: "20261121020000+0700"}) }, verdict: noProof, want: signing.TimestampInvalid},
	{name: "timestamp_invalid_not_bound", make: func(w *world) []byte { return w.stamped(w.expired(), token{at: now, noESS: true}) }, verdict: noProof, want: signing.TimestampInvalid},
	{name: "timestamp_invalid_no_token", make: func(w *world) []byte {
		return w.sign(testpki.CMS{Signers: w.expired().Signers, Bend: func(p string, b []byte) []byte {
			if p == "unsignedAttributes" {
				return der(0xA1, testpki.Attribute(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}, []byte{5, 0}))
			}
			return b
		}})
	}, verdict: noProof, want: signing.TimestampInvalid},
	{name: "timestamp_invalid_after_reception", make: func(w *world) []byte { return w.stamped(w.expired(), token{at: now.Add(2 * time.Hour)}) }, verdict: noProof, want: signing.TimestampInvalid, token: signing.TimestampFuture},
	{name: "timestamp_invalid_signer_is_no_authority", make: func(w *world) []byte { return w.stamped(w.expired(), token{at: now, signer: w.agency}) }, verdict: noProof, want: signing.TimestampInvalid},
	{name: "timestamp_invalid_use_not_critical", make: func(w *world) []byte {
		id := w.tsa(w.Root, func(c *x509.Certificate) { c.ExtraExtensions[0].Critical = false })
		return w.stamped(w.expired(), token{at: now, signer: id})
	}, verdict: noProof, want: signing.TimestampInvalid},
	{name: "timestamp_invalid_use_not_alone", make: func(w *world) []byte {
		id := w.tsa(w.Root, func(c *x509.Certificate) {
			c.ExtraExtensions[0].Value = must(asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}, {1, 3, 6, 1, 5, 5, 7, 3, 4}}))
		})
		return w.stamped(w.expired(), token{at: now, signer: id})
	}, verdict: noProof, want: signing.TimestampInvalid},
	{name: "timestamp_invalid_authority_expired_then", make: func(w *world) []byte {
		id := w.tsa(w.Root, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(-2, 0, 0), now.Add(-time.Minute) })
		return w.stamped(w.expired(), token{at: now, signer: id})
	}, verdict: noProof, want: signing.TimestampInvalid},
	{name: "timestamp_invalid_authority_not_yet_valid", make: func(w *world) []byte {
		id := w.tsa(w.Root, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) })
		return w.stamped(w.expired(), token{at: now, signer: id})
	}, verdict: noProof, want: signing.TimestampInvalid},
	{name: "timestamp_invalid_authority_revoked_before", make: func(w *world) []byte { return w.stamped(w.expired(), before) },
		options: func(w *world, o *signing.Options) { w.revokeWhy(o, w.TSA, now.Add(-time.Minute), 4) }, verdict: noProof, want: signing.TimestampInvalid},
	{name: "timestamp_invalid_authority_key_compromised_since", make: func(w *world) []byte { return w.stamped(w.expired(), before) },
		options: func(w *world, o *signing.Options) { w.revokeWhy(o, w.TSA, now.Add(time.Minute), 1) }, verdict: noProof, want: signing.TimestampInvalid},
	{name: "timestamp_invalid_authority_revoked_since_no_reason", make: func(w *world) []byte { return w.stamped(w.expired(), before) },
		options: func(w *world, o *signing.Options) { w.revokeWhy(o, w.TSA, now.Add(time.Minute), -1) }, verdict: noProof, want: signing.TimestampInvalid},
	{name: "timestamp_weak_imprint_sha1", make: func(w *world) []byte { return w.stamped(w.expired(), token{at: now, hash: crypto.SHA1}) }, verdict: noProof, want: signing.TimestampWeak},
	{name: "timestamp_weak_signature_sha1", make: func(w *world) []byte { return w.stamped(w.expired(), token{at: now, digest: crypto.SHA1}) }, verdict: noProof, want: signing.TimestampWeak},
	{name: "valid_sha1_token_allowed", make: func(w *world) []byte {
		return w.stamped(w.expired(), token{at: now, hash: crypto.SHA1, digest: crypto.SHA1})
	},
		options: func(_ *world, o *signing.Options) { o.AllowSHA1 = true }, proven: true},
	{name: "timestamp_untrusted_no_anchor", make: func(w *world) []byte { return w.stamped(w.expired(), before) },
		options: func(_ *world, o *signing.Options) { o.Trust.TSAAnchors = nil }, verdict: noProof, want: signing.TimestampUntrusted},
	{name: "timestamp_untrusted_anchor_of_signers_only", make: func(w *world) []byte { return w.stamped(testpki.CMS{}, before) },
		options: func(w *world, o *signing.Options) {
			o.Trust.TSAAnchors = []signing.Anchor{{Certificate: newWorld(w.t).agency.Certificate}}
		}, want: signing.TimestampUntrusted},
	{name: "timestamp_untrusted_revocation_unknown", make: func(w *world) []byte { return w.stamped(w.expired(), before) },
		options: func(w *world, o *signing.Options) { o.Trust.CRLs = w.CRLs[1:] }, verdict: noProof, want: signing.TimestampUntrusted},
	{name: "no_timestamp_archive_only", make: func(w *world) []byte {
		return w.attributed(w.expired(), asn1.ObjectIdentifier{0, 4, 0, 1733, 2, 4}, before)
	}, verdict: noProof, want: signing.NoTimestamp, token: signing.TimestampKept},
	{name: "valid_bad_token_harms_nothing", make: func(w *world) []byte { return w.stamped(testpki.CMS{}, token{at: now, imprint: flip}) }, want: signing.TimestampInvalid},
	{name: "certificate_expired_claim_after_reception", make: func(w *world) []byte {
		c := w.expired()
		c.Time = now.AddDate(0, 0, 3)
		return w.sign(c)
	}, verdict: signing.Invalid, want: signing.CertificateExpired},
	{name: "certificate_expired_without_claim", make: func(w *world) []byte {
		c := w.expired()
		c.Bend = func(p string, b []byte) []byte {
			if p == "signingTime" {
				return nil
			}
			return b
		}
		return w.sign(c)
	}, verdict: signing.Invalid, want: signing.CertificateExpired},
	{name: "certificate_revoked_before_claim", make: func(w *world) []byte { return w.sign(testpki.CMS{}) },
		options: func(w *world, o *signing.Options) { w.revoke(o, w.agency, now.Add(-time.Second)) }, verdict: signing.Invalid, want: signing.CertificateRevoked},
	{name: "no_time_proof_ca_expired", make: func(w *world) []byte {
		ca, err := w.IssueUnder(w.Root, testpki.Request{Name: "CA hết hạn", Until: now.Add(time.Minute), Edit: func(c *x509.Certificate) {
			c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
		}})
		w.must(err)
		id, err := w.IssueUnder(ca, testpki.Request{Name: "Dưới CA hết hạn"})
		w.must(err)
		return w.sign(testpki.CMS{Signers: []*testpki.Identity{id}})
	}, options: func(_ *world, o *signing.Options) { o.Revocation = signing.Off }, verdict: noProof, want: signing.NoTimeProof},
	{name: "valid_ca_expired_with_token", make: func(w *world) []byte {
		ca, err := w.IssueUnder(w.Root, testpki.Request{Name: "CA hết hạn", Until: now.Add(time.Minute), Edit: func(c *x509.Certificate) {
			c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
		}})
		w.must(err)
		id, err := w.IssueUnder(ca, testpki.Request{Name: "Dưới CA hết hạn"})
		w.must(err)
		return w.stamped(testpki.CMS{Signers: []*testpki.Identity{id}}, before)
	}, options: func(_ *world, o *signing.Options) { o.Revocation = signing.Off }, proven: true},
}

func TestTimeCorpus(t *testing.T) {
	t.Parallel()
	for _, c := range timeCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := c.make(w)
			o := w.options()
			o.Trust.CRLs = append([][]byte(nil), o.Trust.CRLs...)
			if c.options != nil {
				c.options(w, &o)
			}
			s := verify(detached(content, b), o).Signatures[0]
			want, at := c.verdict, c.at
			if want == "" {
				want = signing.Valid
			}
			if at.IsZero() {
				at = now
			}
			if s.Verdict != want || c.want != "" && !hasReason(s.Reasons, c.want) {
				t.Errorf("verdict %s, reasons %v, tokens %+v; want %s with %q", s.Verdict, s.Reasons, s.Timestamps, want, c.want)
			}
			if c.token != "" && !hasReason(s.Timestamps[0].Reasons, c.token) {
				t.Errorf("of the token: %v", s.Timestamps[0].Reasons)
			}
			if want == noProof && !hasReason(s.Reasons, signing.NoTimeProof) {
				t.Errorf("undetermined for another reason: %v", s.Reasons)
			}
			if proven := s.TimeSource == signing.TimeFromTimestamp; proven != c.proven || proven && !s.Time.Equal(at) {
				t.Errorf("judged at %s by %s; tokens %+v", s.Time, s.TimeSource, s.Timestamps)
			}
		})
	}
}

// An anchor counts only at times within its dates, be the time a timestamp's or that of reception (R82).
func TestAnchorDates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain, stamped := w.sign(testpki.CMS{}), w.stamped(testpki.CMS{}, before)
	reception := now.Add(time.Hour)
	for _, c := range []struct {
		name        string
		message     []byte
		from, until time.Time
		want        signing.Verdict
	}{
		{"without dates", plain, time.Time{}, time.Time{}, signing.Valid},
		{"within", plain, reception, reception.Add(time.Second), signing.Valid},
		{"not yet", plain, reception.Add(time.Second), time.Time{}, signing.Undetermined},
		{"no longer", plain, time.Time{}, reception, signing.Undetermined},
		{"retired since the timestamp", stamped, time.Time{}, now.Add(time.Minute), signing.Valid},
		{"installed for later than the timestamp", stamped, now.Add(time.Minute), time.Time{}, signing.Undetermined},
	} {
		o := w.options()
		o.Trust.Anchors[0].From, o.Trust.Anchors[0].Until = c.from, c.until
		s := verify(detached(content, c.message), o).Signatures[0]
		if s.Verdict != c.want || hasReason(s.Reasons, signing.Untrusted) != (c.want == signing.Undetermined) {
			t.Errorf("%s: %s %v", c.name, s.Verdict, s.Reasons)
		}
	}
	o := w.options()
	o.Trust.TSAAnchors[0].Until = now
	if s := verify(detached(content, stamped), o).Signatures[0]; s.TimeSource != signing.TimeFromReception || !hasReason(s.Reasons, signing.TimestampUntrusted) {
		t.Errorf("authority retired before: %s %v %+v", s.TimeSource, s.Reasons, s.Timestamps)
	}
}

// A root that a message brings and that nobody installed makes its signer untrusted, not forged.
func TestStrangersRootIsNotForged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.options()
	o.Trust.Anchors = []signing.Anchor{{Certificate: newWorld(t).agency.Certificate}}
	b := w.sign(testpki.CMS{Certificates: []*x509.Certificate{w.Root.Certificate}})
	if s := verify(detached(content, b), o).Signatures[0]; s.Verdict != signing.Undetermined || s.Reason != signing.Untrusted {
		t.Errorf("%s %v", s.Verdict, s.Reasons)
	}
}

// FuzzTimestamp feeds arbitrary bytes as a token: it must neither fall over nor cost much, nor prove anything, for the
// seeds are over another signature and nobody can sign another one.
func FuzzTimestamp(f *testing.F) {
	w := newWorld(f)
	value := []byte("a signature")
	for _, k := range []token{before, {at: now, ess1: true}, {at: now, bare: true}, {at: now, hash: crypto.SHA512, extra: []byte{1, 1, 0xFF}}, {at: now, noESS: true}} {
		f.Add(k.make(w, value))
	}
	o := w.options()
	f.Fuzz(func(t *testing.T, b []byte) {
		message := must(testpki.CMS{Signers: []*testpki.Identity{w.agency}, Time: now, Bend: func(p string, was []byte) []byte {
			if p == "unsignedAttributes" {
				return der(0xA1, testpki.Attribute(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}, b))
			}
			return was
		}}.Sign(content))
		signing.Bounded(t, len(message), func() {
			for _, s := range verify(detached(content, message), o).Signatures {
				if s.TimeSource == signing.TimeFromTimestamp {
					t.Fatalf("a token over another signature proves %s", s.Time)
				}
			}
		})
	})
}
