package signing

import (
	"context"
	"encoding/asn1"
	"time"
)

// judge turns a checked signer into a report: timestamp, path, revocation, time.
type judge struct {
	ctx    context.Context
	o      Options
	trust  *lazyTrust
	spent  *int // signatures of certificates checked so far: a message can bring many
	policy policyInputs
	extra  evidence // that came otherwise than in the message (the PDF's DSS)

	proofs  []stamp   // of a PDF: timestamps of the document that are over the signature to judge
	claimed time.Time // of a PDF: /M of its signature dictionary
}

// signer judges one signer of a message. certs are those in the message.
func (j judge) signer(c checked, certs []*certificate) SignatureReport {
	r := SignatureReport{Time: j.o.At, TimeSource: TimeFromReception, Claimed: c.info.claimed(), Reasons: []Reason{}}
	if r.Claimed.IsZero() {
		r.Claimed = j.claimed // PAdES has no signing-time attribute (ETSI EN 319 142-1, 6.3)
	}
	describe(&r, c)
	add := func(list ...Reason) {
		for _, why := range list {
			r.Reasons = addReason(r.Reasons, why)
		}
	}
	add(c.reasons...)
	if c.cert == nil {
		r.settle()
		return r
	}
	all := append(append([]*certificate(nil), certs...), j.extra.certs...)
	add(j.timestamps(&r, c, all)...)
	p, why := j.path(&r, c.cert, all)
	add(why...)
	if p != nil && p.anchor.cert != nil {
		found := j.revocations(p, all, r.Time, r.TimeSource == TimeFromReception, r.Claimed)
		r.Revocation, r.PathRevocation = found.leaf(), found.path
		add(found.reasons...)
		j.follow(&r, p)
		r.Evidence.add(found.used)
	}
	r.Role = roleOf(c.cert.x.Subject)
	if j.o.Sender != nil {
		r.Sender = j.o.Sender.match(r, c.cert.x.Subject)
		add(senderReasons[r.Sender]...)
	}
	add(j.damaged(certs, p)...)
	strong := c
	strong.reasons = nil
	strong.strength(j.o)
	add(strong.reasons...)
	if p != nil {
		add(j.pathStrength(p)...)
	}
	r.settle()
	return r
}

var senderReasons = map[SenderMatch][]Reason{SenderFormer: {SenderPredecessor}, SenderDiffers: {SenderOther}}

// settle decides the verdict from the reasons.
func (r *SignatureReport) settle() { r.Verdict, r.Reason = decide(r.Reasons) }

// describe fills in who signed and how.
func describe(r *SignatureReport, c checked) {
	if c.info.hash != 0 {
		r.DigestAlgorithm = c.info.hash.String()
	}
	if c.cert == nil {
		return
	}
	x := c.cert.x
	r.Signer, r.Subject, r.Issuer = display(c.cert), c.cert.subjectText(), c.cert.issuerText()
	r.Serial, r.NotBefore, r.NotAfter = c.cert.serial(), x.NotBefore, x.NotAfter
	r.SignatureAlgorithm = c.scheme.name(c.cert.key)
	if len(x.Subject.Organization) > 0 {
		r.Organization = x.Subject.Organization[0]
	}
	if len(x.Subject.OrganizationalUnit) > 0 {
		r.Unit = x.Subject.OrganizationalUnit[0]
	}
	r.AgencyCode = x.Subject.SerialNumber
	for _, n := range x.Subject.Names {
		text, _ := n.Value.(string)
		switch {
		case n.Type.Equal(oidEmail):
			r.Email = text
		case n.Type.Equal(oidUserID) && r.AgencyCode == "":
			r.AgencyCode = text
		}
	}
	if len(x.EmailAddresses) > 0 {
		r.Email = x.EmailAddresses[0]
	}
	r.Evidence.Certificates = [][]byte{x.Raw}
}

func values(list []attribute, id asn1.ObjectIdentifier) [][]byte {
	var out [][]byte
	for _, a := range list {
		if a.id.Equal(id) {
			out = append(out, a.values...)
		}
	}
	return out
}

// path finds the way to an anchor. A certificate that was good at the claimed time and is not at reception is not
// invalid: there is only no proof of the time (ETSI EN 319 102-1, OUT_OF_BOUNDS_NO_POE).
func (j judge) path(r *SignatureReport, leaf *certificate, all []*certificate) (*path, []Reason) {
	p, why := j.findPath(j.trust.anchors, all, leaf, r.Time, forSigning)
	if r.TimeSource != TimeFromReception || r.Claimed.IsZero() || r.Claimed.After(r.Time) || !has(why, CertificateExpired, AuthorityExpired) {
		return p, why
	}
	then, whyThen := j.findPath(j.trust.anchors, all, leaf, r.Claimed, forSigning)
	if has(whyThen, CertificateExpired, AuthorityExpired, CertificateNotYet, AuthorityNotYet) {
		return p, why
	}
	return then, addReason(whyThen, NoTimeProof)
}

func has(list []Reason, any ...Reason) bool {
	for _, r := range list {
		for _, a := range any {
			if r == a {
				return true
			}
		}
	}
	return false
}

// revocations is what was found about every certificate of a path.
type revocations struct {
	path    []RevocationReport // leaf first, without the anchor
	reasons []Reason
	used    evidence
}

func (r revocations) leaf() RevocationReport {
	if len(r.path) == 0 {
		return RevocationReport{Status: "unchecked"} // an anchor itself, or not asked
	}
	return r.path[0]
}

// revocations asks about every certificate of the path but the anchor. certs are those that came with it. unproven says
// that the time is only that of reception, so that a revocation after the claimed time leaves the matter open.
func (j judge) revocations(p *path, certs []*certificate, at time.Time, unproven bool, claimed time.Time) (out revocations) {
	if j.o.Revocation == Off {
		return revocations{reasons: []Reason{RevocationNotChecked}}
	}
	v := revocation{judge: j, path: p, certs: certs, at: at}
	for i := 0; i+1 < len(p.certs); i++ {
		s := v.of(p.certs[i], p.certs[i+1])
		s.report.Certificate = p.certs[i].subjectText()
		out.path = append(out.path, s.report)
		out.used.add(s.used)
		if r := j.weigh(s, i == 0, at, unproven, claimed); r != "" {
			out.reasons = addReason(out.reasons, r)
		}
	}
	return out
}

func (j judge) weigh(s standing, leaf bool, at time.Time, unproven bool, claimed time.Time) Reason {
	switch {
	case s.report.Status == "good":
		return ""
	case s.report.Status != "revoked" && j.o.Revocation == Soft:
		return RevocationSoft
	case s.report.Status != "revoked":
		return s.why
	case s.since.After(at):
		return RevokedLater
	case unproven && !claimed.IsZero() && claimed.Before(s.since):
		return NoTimeProof
	case leaf:
		return CertificateRevoked
	}
	return AuthorityRevoked
}

// follow writes the path into the report.
func (j judge) follow(r *SignatureReport, p *path) {
	r.Family, r.Test = p.anchor.Family, p.anchor.Test
	others := r.Evidence.Certificates // of timestamps
	r.Path, r.Evidence.Certificates = nil, nil
	for _, c := range p.certs {
		r.Path = append(r.Path, c.subjectText())
		r.Evidence.Certificates = append(r.Evidence.Certificates, c.x.Raw)
	}
	r.Anchor = r.Path[len(r.Path)-1]
	for _, der := range others {
		r.Evidence.Certificates = appendNew(r.Evidence.Certificates, der)
	}
	if r.Test {
		r.Reasons = addReason(r.Reasons, TestAnchor)
	}
	if r.Family == FamilyPublic || r.Family == FamilyPrivate {
		r.Reasons = addReason(r.Reasons, NotOfficial)
	}
}

// pathStrength looks at the signatures on the path's certificates and at the CAs' keys.
func (j judge) pathStrength(p *path) []Reason {
	var out []Reason
	for i, c := range p.certs {
		last := i == len(p.certs)-1
		if !last && j.o.weak(c.scheme.hash) {
			out = addReason(out, WeakDigest)
		}
		if c.key.weak() && !(j.o.AllowSHA1 && c.key.ofThePast()) {
			out = addReason(out, WeakKey)
		}
	}
	return out
}

// damaged looks for certificates in the message that were altered. They prove nothing, but a message with a flipped bit
// is not the message that was sent; a copy of the root, which no path needs, must not be the place to hide one.
func (j judge) damaged(certs []*certificate, p *path) []Reason {
	for _, c := range certs {
		if p != nil && contains(p.certs, c) || j.trust.installed(c) {
			continue
		}
		known, fits := false, false
		for _, issuer := range j.issuers(certs, p) {
			if issuer.owner == c.issuer && !keyIDsDiffer(c, issuer) && issuer.keyWhy == "" && c.sigWhy == "" {
				if *j.spent++; *j.spent > maxSpent {
					return []Reason{PathTooLong}
				}
				known = true
				fits = fits || j.trust.signedBy(c, issuer) == ""
			}
		}
		if known && !fits || !known && nearCopy(c, p) {
			return []Reason{CertificateDamaged}
		}
	}
	return nil
}

func (j judge) issuers(certs []*certificate, p *path) []*certificate {
	all := append(append([]*certificate(nil), certs...), j.trust.pool...)
	for _, a := range j.trust.anchors {
		all = append(all, a.cert)
	}
	if p != nil {
		all = append(all, p.certs...)
	}
	return all
}

// nearCopy says that c has the key and the serial number of a certificate of the path, without being it.
func nearCopy(c *certificate, p *path) bool {
	if p == nil {
		return false
	}
	for _, q := range p.certs {
		if string(q.x.RawSubjectPublicKeyInfo) == string(c.x.RawSubjectPublicKeyInfo) && q.x.SerialNumber.Cmp(c.x.SerialNumber) == 0 {
			return true
		}
	}
	return false
}
