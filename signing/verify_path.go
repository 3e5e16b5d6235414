package signing

import (
	"context"
	"time"
)

// PathOptions are what a certificate's path is judged by: the inputs of RFC 5280, 6.1.1.
type PathOptions struct {
	Options
	Policies         []string // user-initial-policy-set, OIDs in dotted form; empty: any policy
	ExplicitPolicy   bool     // initial-explicit-policy: the path must be good for one of Policies
	InhibitMapping   bool     // initial-policy-mapping-inhibit
	InhibitAnyPolicy bool     // initial-any-policy-inhibit
}

// PathReport is the answer of VerifyPath. Its JSON form is a promise (`truc verify-path --json`).
type PathReport struct {
	Verdict  Verdict  `json:"verdict"`
	Reason   Reason   `json:"reason"`  // the one that decided the verdict; "" when valid
	Reasons  []Reason `json:"reasons"` // all that was found, warnings too
	Path     []string `json:"path"`    // subjects, leaf first, the anchor last; empty when no path was found
	Policies []string `json:"policies"`
}

// VerifyPath judges the path of one certificate, given in DER, as RFC 5280, 6 does: at o.At, with its revocation. What
// the certificate's key is used for is not asked: it may be any certificate, a CA's too.
func VerifyPath(ctx context.Context, leaf []byte, o PathOptions) PathReport {
	report := PathReport{Reasons: []Reason{}, Path: []string{}, Policies: []string{}}
	c, why := readCertificate(leaf)
	if why != "" {
		report.Verdict, report.Reason, report.Reasons = why.Of(), why, []Reason{why}
		return report
	}
	spent := 0
	j := judge{ctx: ctx, o: o.Options, trust: o.Trust.ready(), spent: &spent, policy: policyInputs{explicit: o.ExplicitPolicy,
		inhibitMapping: o.InhibitMapping, inhibitPolicy: o.InhibitAnyPolicy}}
	for _, text := range o.Policies {
		j.policy.accepted = append(j.policy.accepted, readOID(text))
	}
	p, reasons := j.findPath(j.trust.anchors, nil, c, o.At, forAnything)
	if p != nil && p.anchor.cert != nil {
		revoked := j.revocations(p, nil, o.At, false, time.Time{})
		for _, r := range append(revoked.reasons, j.pathStrength(p)...) {
			reasons = addReason(reasons, r)
		}
		for _, c := range p.certs {
			report.Path = append(report.Path, c.subjectText())
		}
		for _, policy := range p.policies {
			report.Policies = append(report.Policies, policy.dotted())
		}
	}
	report.Reasons = append(report.Reasons, reasons...)
	report.Verdict, report.Reason = decide(reasons)
	return report
}
