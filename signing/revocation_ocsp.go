package signing

import (
	"slices"
	"time"
)

// fromOCSP reads what the responses at hand say about c.
func (v revocation) fromOCSP(c, issuer *certificate) []finding {
	var out []finding
	for _, list := range [][]*ocsp{v.trust.answers[string(integerDER(c))], v.extra.ocsp} {
		for _, r := range list {
			var used evidence
			why, asked := Reason(""), false
			for _, a := range r.answers {
				if !a.about(c, issuer) {
					continue
				}
				if !asked { // once: a response can hold many answers
					used.ocsp = []*ocsp{r}
					why, asked = v.believed(r, issuer, &used), true
				}
				f := v.hear(r, a, c, why)
				f.used = used
				out = append(out, f)
			}
		}
	}
	return out
}

// hear reads one answer about c of a response; why says why that is not to be believed.
func (v revocation) hear(r *ocsp, a ocspAnswer, c *certificate, why Reason) finding {
	f := finding{covers: allReasons}
	f.report = RevocationReport{Status: "unknown", Source: "ocsp", ThisUpdate: a.thisUpdate, NextUpdate: a.nextUpdate}
	late := a.thisUpdate.After(r.produced.Add(clockSkew)) || !a.nextUpdate.IsZero() && a.nextUpdate.Before(a.thisUpdate)
	switch {
	case why != "":
		f.unknown(why)
		return f
	case a.strange || late:
		f.unknown(RevocationInvalid)
		return f
	case a.status == "unknown":
		f.unknown(OCSPUnknown)
		return f
	case a.status == "revoked" && a.revoked.reason == removeFromCRL: // belongs in delta lists alone
		f.unknown(RevocationInvalid)
		return f
	case a.status == "revoked":
		f.tell([]revokedEntry{a.revoked})
	default:
		f.tell(nil)
	}
	f.fresh = v.covered(a.thisUpdate, a.freshUntil())
	switch {
	case f.held && !f.fresh:
		f.unknown(RevocationStale)
	case f.clean && (!f.fresh || dropped(c, a.thisUpdate, a.cutoff)):
		f.why, f.fresh, f.report.Status = RevocationStale, false, "unknown"
	}
	return f
}

// believed says why a response is not to be believed about issuer's certificates, "" when it is.
func (v revocation) believed(r *ocsp, issuer *certificate, used *evidence) Reason {
	if r.schemeWhy == "" && v.o.weak(r.scheme.hash) {
		return WeakDigest
	}
	if r.strange {
		return RevocationInvalid
	}
	by := r.signer(issuer, v.responders(issuer), func() bool {
		*v.spent++
		return *v.spent <= maxSpent
	})
	if by == nil || !by.is(issuer) && !v.responderStands(by, issuer, r.produced, used) {
		return RevocationInvalid
	}
	return ""
}

// responders are the certificates at hand that an issuer issued, for a response need not bring its signer's.
func (v revocation) responders(issuer *certificate) []*certificate {
	var out []*certificate
	for _, list := range [][]*certificate{v.certs, v.extra.certs, v.trust.pool} {
		for _, c := range list {
			if c.issuer == issuer.owner && len(out) < maxResponders {
				out = append(out, c)
			}
		}
	}
	return out
}

// responderStands asks about a delegated responder unless its CA wants it trusted for its life. One about which nothing is
// known is believed: its CA names no way to check it in most cases, and then leaves it to us (RFC 6960, 4.2.2.2.1). One that
// is revoked when it signed is not.
func (v revocation) responderStands(by, issuer *certificate, produced time.Time, used *evidence) bool {
	if by.key.weak() || v.o.weak(by.scheme.hash) {
		return false
	}
	used.add(evidence{certs: []*certificate{by}})
	if unchecked(by) || contains(v.asking, by) || len(v.asking) == maxAsking {
		return true
	}
	v.asking = append(slices.Clone(v.asking), by)
	s := v.of(by, issuer)
	used.add(s.used)
	return s.report.Status != "revoked" || s.since.After(produced)
}
