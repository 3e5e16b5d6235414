package signing

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
)

// judge applies RFC 5280, 6.1 to a complete path, from the anchor down. The anchor is a name and a key (6.1.1 (d)): its
// own dates and extensions are not judged.
func (b *builder) judge(p *path) []Reason {
	var reasons []Reason
	add := func(r Reason) {
		if r != "" {
			reasons = addReason(reasons, r)
		}
	}
	top := len(p.certs) - 1 // the anchor itself
	room := top             // max_path_length
	var names nameSpace
	policies := newPolicyGraph(top, b.policy)
	for i := top - 1; i >= 0; i-- {
		c, last := p.certs[i], i == 0
		add(c.flaw)
		add(b.signature(c, p.certs[i+1]))
		add(b.dates(c, last))
		if last || !c.selfIssued() {
			add(names.judge(c))
		}
		add(policies.add(c, last))
		add(unknownCritical(c))
		if last {
			break
		}
		add(policies.descend(c))
		names.narrow(c.constraints)
		add(authorityFit(c))
		if !c.selfIssued() {
			if room == 0 {
				add(PathLength)
			}
			room = max(room-1, 0)
		}
		room = atMost(room, c.x.MaxPathLen)
	}
	if top > 0 {
		var why Reason
		p.policies, why = policies.finish(p.certs[0], b.policy.accepted)
		add(why)
		add(leafRules(p.certs[0]))
	}
	add(b.leafFit(p.certs[0], top == 0))
	return reasons
}

// signature checks the signature of c by its issuer.
func (b *builder) signature(c, issuer *certificate) Reason {
	switch why := b.link(c, issuer); why {
	case SignatureMismatch, AlgorithmMismatch:
		return PathSignature
	default:
		return why
	}
}

func (b *builder) dates(c *certificate, leaf bool) Reason {
	late, early := AuthorityExpired, AuthorityNotYet
	if leaf {
		late, early = CertificateExpired, CertificateNotYet
	}
	switch {
	case b.at.After(c.x.NotAfter):
		return late
	case b.at.Before(c.x.NotBefore):
		return early
	}
	return ""
}

// authorityFit checks that an intermediate may issue certificates. Without basicConstraints, as in all of version 1 and
// 2, nothing says that it is a CA.
func authorityFit(c *certificate) Reason {
	switch {
	case c.x.Version != 3 || !c.x.BasicConstraintsValid || !c.x.IsCA:
		return PathNotCA
	case !c.usage(x509.KeyUsageCertSign):
		return PathKeyUsage
	}
	return ""
}

// leafRules are what a certificate that is no CA's must not say (RFC 5280, 4.2.1.3).
func leafRules(c *certificate) Reason {
	if !c.x.IsCA && c.x.KeyUsage&x509.KeyUsageCertSign != 0 {
		return CertificateMalformed
	}
	return ""
}

// processed are the extensions that we process or that say nothing about a signature's truth.
var processed = []string{
	"2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.18", "2.5.29.19", "2.5.29.30", "2.5.29.31", "2.5.29.32", "2.5.29.33",
	"2.5.29.35", "2.5.29.36", "2.5.29.37", "2.5.29.54", "1.3.6.1.5.5.7.1.1",
}

func unknownCritical(c *certificate) Reason {
	for _, e := range c.x.Extensions {
		if e.Critical && !slices.Contains(processed, e.Id.String()) {
			return PathCritical
		}
	}
	return ""
}

// leafFit checks that the leaf may do what it did. A leaf that is itself an anchor was chosen by a person.
func (b *builder) leafFit(c *certificate, isAnchor bool) Reason {
	if isAnchor {
		return ""
	}
	switch b.why {
	case forAnything:
		return ""
	case forCRLs:
		if !c.usage(x509.KeyUsageCRLSign) {
			return CertificateKeyUsage
		}
		return ""
	case forTimestamps:
		return timestampUse(c)
	}
	if !c.usage(x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment) {
		return CertificateKeyUsage
	}
	if onlyOtherUses(c) {
		return CertificateKeyUsage
	}
	return ""
}

// timestampUse: the one extended use, critical (RFC 3161, 2.3).
func timestampUse(c *certificate) Reason {
	if len(c.x.ExtKeyUsage) != 1 || c.x.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(c.x.UnknownExtKeyUsage) > 0 {
		return CertificateKeyUsage
	}
	for _, e := range c.x.Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 37}) && !e.Critical {
			return CertificateKeyUsage
		}
	}
	return ""
}

// onlyOtherUses tells certificates whose every extended use is one that has nothing to do with documents.
func onlyOtherUses(c *certificate) bool {
	if len(c.x.ExtKeyUsage) == 0 || len(c.x.UnknownExtKeyUsage) > 0 {
		return false
	}
	for _, u := range c.x.ExtKeyUsage {
		switch u {
		case x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageCodeSigning, x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageOCSPSigning:
		default:
			return false
		}
	}
	return true
}
