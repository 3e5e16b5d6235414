package signing

import (
	"bytes"
	"context"
	"crypto"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// maxTSTInfo bounds the content of a timestamp token; a real one has about 150 bytes.
const maxTSTInfo = 64 << 10

// maxStamps bounds the tokens that are judged for one signer; each costs a search for a path.
const maxStamps = 8

// stamp is what a timestamp token (RFC 3161) says once it is checked.
type stamp struct {
	kind       StampKind
	der        []byte
	time       time.Time
	authority  string
	hash       crypto.Hash
	imprint    []byte
	signer     checked
	certs      []*certificate
	reasons    []Reason // of its own signature and path
	path       *path
	revocation RevocationReport
	used       evidence // what that leaned on
}

// good says that the token proves its time.
func (s stamp) good() bool {
	verdict, _ := decide(s.reasons)
	return verdict == Valid && !has(s.reasons, TimestampInvalid)
}

// readStamp reads a token and checks its signature; not yet its path, nor what it is over. extra are certificates among
// which the authority's may be, for a token need not bring it (RFC 3161, 2.4.1, certReq).
func readStamp(ctx context.Context, der []byte, padded bool, extra []*certificate) (stamp, Reason) {
	m, why := readMessage(sliceReader(der), int64(len(der)), maxFrame, padded)
	if why != "" {
		return stamp{}, why
	}
	info, why := m.tstInfo(der)
	if why != "" {
		return stamp{}, why
	}
	s, why := parseTSTInfo(info)
	if why != "" {
		return s, why
	}
	signers, why := m.readSigners()
	if why != "" {
		return s, why
	}
	if len(signers) != 1 {
		return s, TimestampInvalid
	}
	if m.version != m.expectedVersion(signers) {
		return s, CMSVersion
	}
	s.der = unpadded(der)
	own, _ := m.readCertificates(nil)
	s.certs = append(own, extra...)
	d := newDigester(ctx, sliceReader(der), m.content)
	s.signer = checkSigner(m, signers[0], s.certs, d.get)
	s.reasons = s.signer.reasons
	if _, v1 := only(signers[0].attributes, oidSigningCert); v1 == 0 {
		if _, v2 := only(signers[0].attributes, oidSigningCertV2); v2 == 0 {
			s.reasons = addReason(s.reasons, SigningCertMismatch) // RFC 3161, 2.4.1: it must be bound
		}
	}
	if s.signer.cert != nil {
		s.authority = display(s.signer.cert)
	}
	return s, ""
}

// unpadded cuts the zeros that fill the space of a token in a PDF; BER of indefinite length is left as it is.
func unpadded(der []byte) []byte {
	in, one := cryptobyte.String(der), cryptobyte.String(nil)
	if in.ReadASN1Element(&one, cbasn1.SEQUENCE) {
		return one
	}
	return der
}

// tstInfo joins the content of a token.
func (m *message) tstInfo(der []byte) ([]byte, Reason) {
	if !m.contentType.Equal(oidTSTInfo) || !m.hasContent {
		return nil, TimestampInvalid
	}
	var out []byte
	for _, p := range m.content {
		if int64(len(out))+p.n > maxTSTInfo {
			return nil, TimestampInvalid
		}
		out = append(out, der[p.at:p.at+p.n]...)
	}
	return out, ""
}

// parseTSTInfo reads version, policy, messageImprint, serialNumber and genTime; what follows does not change them.
func parseTSTInfo(der []byte) (stamp, Reason) {
	in := cryptobyte.String(der)
	var seq, imprint cryptobyte.String
	var version int
	var a algorithm
	var s stamp
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(&version) || version != 1 ||
		!seq.SkipASN1(cbasn1.OBJECT_IDENTIFIER) || !seq.ReadASN1(&imprint, cbasn1.SEQUENCE) || !a.read(&imprint) ||
		!imprint.ReadASN1Bytes(&s.imprint, cbasn1.OCTET_STRING) || !imprint.Empty() || !seq.SkipASN1(cbasn1.INTEGER) {
		return s, TimestampInvalid
	}
	var raw cryptobyte.String
	if !seq.ReadASN1(&raw, cbasn1.GeneralizedTime) {
		return s, TimestampInvalid
	}
	at, ok := parseGenTime(string(raw))
	s.time, s.hash = at, digestByOID[a.id.String()]
	if !ok || s.hash == 0 || !a.plain() {
		return s, TimestampInvalid
	}
	return s, ""
}

// parseGenTime reads a GeneralizedTime with or without a fraction of a second, which RFC 3161 allows and others do not.
func parseGenTime(s string) (time.Time, bool) {
	for _, layout := range []string{"20060102150405Z", "20060102150405.999999999Z"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// over says whether the token is about these bytes' digest.
func (s stamp) over(digest []byte) bool { return bytes.Equal(digest, s.imprint) }

// trustStamp finds the path of the token's signer under the timestamp anchors. The token speaks for its own time: its
// certificate must have been good then. That it has expired since takes nothing away, when revocation data of its own days
// are at hand (or the policy does without): documents outlive certificates (Decree 68/2024, art. 9).
func (j judge) trustStamp(s *stamp) {
	add := func(list ...Reason) {
		for _, r := range list {
			s.reasons = addReason(s.reasons, r)
		}
	}
	if s.signer.cert == nil {
		return
	}
	if s.time.After(j.o.At.Add(clockSkew)) {
		add(TimestampFuture)
	}
	s.signer.strength(j.o)
	add(s.signer.reasons...)
	if j.o.weak(s.hash) {
		add(WeakDigest)
	}
	p, why := j.findPath(j.trust.tsa, append(s.certs, j.extra.certs...), s.signer.cert, s.time, forTimestamps)
	add(why...)
	s.path = p
	if p == nil || p.anchor.cert == nil {
		return
	}
	add(j.pathStrength(p)...)
	found := j.revocations(p, s.certs, s.time, false, time.Time{})
	s.revocation, s.used = found.leaf(), found.used
	add(found.reasons...)
	if s.revocation.Status == "revoked" && !harmless[s.revocation.RevokedFor] {
		add(CertificateRevoked)
	}
}

// harmless are the reasons for which an authority's certificate may be revoked and its earlier tokens stand. With any other
// or none given its key may be in other hands, who would write any time into a token (RFC 3161, 4).
var harmless = map[string]bool{"unspecified": true, "affiliationChanged": true, "superseded": true, "cessationOfOperation": true}

// clockSkew is how far a timestamp may lie after the time of reception before it is disbelieved.
const clockSkew = 5 * time.Minute

// timestamps judges the tokens of a signer. The earliest good one, or the earliest good timestamp of the document that is
// over this signature, proves when it existed; the answer is what to say when there is none.
func (j judge) timestamps(r *SignatureReport, c checked, certs []*certificate) []Reason {
	worst := NoTimestamp
	var proof *stamp
	for _, s := range append(j.tokens(c, certs), j.proofs...) {
		r.Timestamps = append(r.Timestamps, s.report())
		r.Evidence.Tokens = append(r.Evidence.Tokens, s.der)
		r.Evidence.add(s.evidence())
		switch {
		case s.kind == StampContent, s.kind == StampArchive:
		case !s.good():
			worst = s.worse(worst)
		case proof == nil || s.time.Before(proof.time):
			proof = &s
		}
	}
	if proof == nil {
		return []Reason{worst}
	}
	r.Time, r.TimeSource, r.Authority = proof.time, TimeFromTimestamp, proof.authority
	return nil
}

// tokens reads the timestamps among a signer's attributes.
func (j judge) tokens(c checked, certs []*certificate) []stamp {
	var out []stamp
	for _, k := range []struct {
		kind StampKind
		list []attribute
		id   asn1.ObjectIdentifier
	}{
		{StampSignature, c.info.unsigned, oidTimestampToken},
		{StampContent, c.info.attributes, oidContentTimestamp},
		{StampArchive, c.info.unsigned, oidESCTimestamp}, {StampArchive, c.info.unsigned, oidCertCRLTimestamp},
		{StampArchive, c.info.unsigned, oidArchiveV2}, {StampArchive, c.info.unsigned, oidArchiveV3},
	} {
		for _, der := range values(k.list, k.id) {
			if len(out) < maxStamps {
				out = append(out, j.token(k.kind, der, c.info.value, certs))
			}
		}
	}
	return out
}

// token judges one token over a signature value. Those over other things are only read.
func (j judge) token(kind StampKind, der, value []byte, certs []*certificate) stamp {
	s, why := readStamp(j.ctx, der, false, append(certs[:len(certs):len(certs)], j.installed()...))
	s.kind, s.der = kind, der
	switch {
	case why != "":
		s.reasons = addReason(s.reasons, TimestampInvalid)
	case kind != StampSignature:
		s.reasons = addReason(s.reasons, TimestampKept)
	default:
		h := s.hash.New()
		h.Write(value)
		if !s.over(h.Sum(nil)) {
			s.reasons = addReason(s.reasons, TimestampInvalid)
		}
		j.trustStamp(&s)
	}
	return s
}

// installed are the certificates at hand among which an authority's may be that its token does not bring.
func (j judge) installed() []*certificate {
	out := append(j.extra.certs[:len(j.extra.certs):len(j.extra.certs)], j.trust.pool...)
	for _, a := range j.trust.tsa {
		out = append(out, a.cert)
	}
	return out
}

// worse says of a token that proves nothing whether it is wrong, weak or merely not trusted; sofar is what was said of others.
func (s stamp) worse(sofar Reason) Reason {
	why := TimestampUntrusted
	for _, r := range s.reasons {
		switch {
		case r == TimestampInvalid, r == TimestampFuture, r.Of() == Invalid:
			return TimestampInvalid
		case r == WeakDigest, r == WeakKey:
			why = TimestampWeak
		}
	}
	if sofar == TimestampInvalid {
		return sofar
	}
	return why
}

// evidence is what the judging of a token leaned on.
func (s stamp) evidence() evidence {
	var e evidence
	switch {
	case s.path != nil:
		e.add(evidence{certs: s.path.certs})
	case s.signer.cert != nil:
		e.add(evidence{certs: []*certificate{s.signer.cert}})
	}
	e.add(s.used)
	return e
}

// report writes the token into a report.
func (s stamp) report() Stamp {
	verdict, _ := decide(s.reasons)
	if has(s.reasons, TimestampInvalid) {
		verdict = Invalid
	}
	out := Stamp{Kind: s.kind, Verdict: verdict, Reasons: append([]Reason{}, s.reasons...), Time: s.time, Authority: s.authority, Revocation: s.revocation}
	if c := s.signer.cert; c != nil {
		out.Issuer, out.Serial, out.NotBefore, out.NotAfter = c.issuerText(), c.serial(), c.x.NotBefore, c.x.NotAfter
	}
	if s.path != nil {
		for _, c := range s.path.certs {
			out.Path = append(out.Path, c.subjectText())
		}
	}
	return out
}
