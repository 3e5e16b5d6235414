package signing

import (
	"bytes"
	"context"
	"crypto"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// maxTSTInfo bounds the content of a timestamp token; a real one has about 150 bytes.
const maxTSTInfo = 64 << 10

// stamp is what a timestamp token (RFC 3161) says once it is checked.
type stamp struct {
	time      time.Time
	authority string
	hash      crypto.Hash
	imprint   []byte
	signer    checked
	certs     []*certificate
	reasons   []Reason // of its own signature and path
	path      *path
}

// good says that the token proves its time.
func (s stamp) good() bool {
	verdict, _ := decide(s.reasons)
	return verdict == Valid
}

// readStamp reads a token and checks its signature; not yet its path, nor what it is over.
func readStamp(ctx context.Context, der []byte, padded bool) (stamp, Reason) {
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
	s.certs, _ = m.readCertificates()
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
// certificate must have been good then.
func (j judge) trustStamp(s *stamp) {
	if s.signer.cert == nil {
		return
	}
	if s.time.After(j.o.At.Add(clockSkew)) {
		s.reasons = addReason(s.reasons, TimestampInvalid)
	}
	s.signer.strength(j.o.AllowSHA1)
	for _, r := range s.signer.reasons {
		s.reasons = addReason(s.reasons, r)
	}
	if weak(s.hash) && !j.o.AllowSHA1 {
		s.reasons = addReason(s.reasons, WeakDigest)
	}
	p, why := j.findPath(j.trust.tsa, append(s.certs, j.extra.certs...), s.signer.cert, s.time, forTimestamps)
	for _, r := range why {
		s.reasons = addReason(s.reasons, r)
	}
	s.path = p
	if p != nil && p.anchor.cert != nil {
		_, revoked := j.revocations(p, s.time, false, time.Time{})
		for _, r := range revoked {
			s.reasons = addReason(s.reasons, r)
		}
	}
}

// clockSkew is how far a timestamp may lie after the time of reception before it is disbelieved.
const clockSkew = 5 * time.Minute
