package signing

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
)

// judge applies RFC 5280, 6.1 to a complete path, from the anchor down.
func (b *builder) judge(p path) []Reason {
	var reasons []Reason
	add := func(r Reason) {
		if r != "" {
			reasons = addReason(reasons, r)
		}
	}
	top := len(p.certs) - 1             // the anchor itself
	room := narrower(-1, p.anchor.cert) // how many more CA certificates may follow; -1: any number
	for i := top - 1; i >= 0; i-- {
		c, issuer := p.certs[i], p.certs[i+1]
		add(b.link(c, issuer))
		add(b.dates(c, i == 0))
		for _, r := range extensions(c) {
			add(r)
		}
		if i == 0 {
			break
		}
		add(authorityFit(c))
		if !c.selfIssued() {
			if room == 0 {
				add(PathLength)
			}
			if room > 0 {
				room--
			}
		}
		room = narrower(room, c)
	}
	add(b.leafFit(p.certs[0], top == 0))
	return reasons
}

// narrower applies the pathLenConstraint of a CA to the room left under it.
func narrower(room int, c *certificate) int {
	n := c.x.MaxPathLen
	if !c.x.BasicConstraintsValid || n < 0 || n == 0 && !c.x.MaxPathLenZero {
		return room
	}
	if room < 0 {
		return n
	}
	return min(room, n)
}

// link checks the signature of c by its issuer.
func (b *builder) link(c, issuer *certificate) Reason {
	switch why := b.trust.signedBy(c, issuer); why {
	case "":
		return ""
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

// authorityFit checks that an intermediate may issue certificates.
func authorityFit(c *certificate) Reason {
	switch {
	case !c.x.BasicConstraintsValid || !c.x.IsCA:
		return PathNotCA
	case c.x.KeyUsage != 0 && c.x.KeyUsage&x509.KeyUsageCertSign == 0:
		return PathKeyUsage
	}
	return ""
}

// known are the extensions that we process or that say nothing about a signature's truth.
var known = []string{
	"2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.18", "2.5.29.19", "2.5.29.31", "2.5.29.32", "2.5.29.35", "2.5.29.37",
	"1.3.6.1.5.5.7.1.1",
}

// unsupported are constraints that we recognise and cannot judge yet: better undetermined than wrongly valid.
var unsupported = []string{"2.5.29.30", "2.5.29.33", "2.5.29.36", "2.5.29.54"}

func extensions(c *certificate) []Reason {
	var out []Reason
	for _, e := range c.x.Extensions {
		id := e.Id.String()
		switch {
		case slices.Contains(unsupported, id):
			if e.Critical || id == "2.5.29.30" || id == "2.5.29.36" {
				out = addReason(out, PathUnsupported)
			}
		case e.Critical && !slices.Contains(known, id):
			out = addReason(out, PathCritical)
		}
	}
	return out
}

// leafFit checks that the leaf may do what it did. A leaf that is itself an anchor was chosen by a person.
func (b *builder) leafFit(c *certificate, isAnchor bool) Reason {
	if isAnchor {
		return ""
	}
	usage := c.x.KeyUsage
	switch b.why {
	case forAnything:
		return ""
	case forCRLs:
		if usage != 0 && usage&x509.KeyUsageCRLSign == 0 {
			return CertificateKeyUsage
		}
		return ""
	case forTimestamps:
		return timestampUse(c)
	}
	if usage != 0 && usage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
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
