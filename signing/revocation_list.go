package signing

import (
	"crypto/x509"
	"slices"
	"time"
)

// fromLists asks every list about c that is in its scope (RFC 5280, 6.3.3).
func (v revocation) fromLists(c, issuer *certificate) []finding {
	points := pointsOf(c)
	lists := v.listsFor(c, points)
	var out []finding
	for _, l := range lists {
		covers := l.covers(c, points)
		if l.base != nil || covers == 0 {
			continue
		}
		by, used, why := v.signer(l, issuer)
		used.add(evidence{crls: []*crl{l}})
		if why != "" {
			f := finding{standing: standing{report: v.reportOf(l, nil), used: used}}
			f.unknown(why)
			out = append(out, f)
			continue
		}
		for _, d := range v.deltas(l, lists, by) {
			out = append(out, v.read(l, d, c, covers, used))
		}
	}
	return out
}

// listsFor gives the lists of those who may tell about c: its issuer, and whom its distribution points name.
func (v revocation) listsFor(c *certificate, points []point) []*crl {
	issuers := []string{c.issuer}
	for _, p := range points {
		for _, name := range p.issuers {
			if name[0] == 'D' && !slices.Contains(issuers, name[1:]) {
				issuers = append(issuers, name[1:])
			}
		}
	}
	var out []*crl
	for _, issuer := range issuers {
		out = append(out, v.trust.lists[issuer]...)
	}
	for _, l := range v.extra.crls {
		if slices.Contains(issuers, l.issuer) {
			out = append(out, l)
		}
	}
	return out
}

func (v revocation) reportOf(l, d *crl) RevocationReport {
	r := RevocationReport{Status: "unknown", Source: "crl", ThisUpdate: l.thisUpdate, NextUpdate: l.nextUpdate}
	if d != nil && d.thisUpdate.After(r.ThisUpdate) {
		r.ThisUpdate = d.thisUpdate
	}
	if d != nil && d.nextUpdate.After(r.NextUpdate) {
		r.NextUpdate = d.nextUpdate
	}
	return r
}

// deltas gives what to lay over a complete list: the newest delta of the judged time (nil when there is none), and each
// later one, which shows what came after.
func (v revocation) deltas(l *crl, lists []*crl, by *certificate) []*crl {
	var now *crl
	var later []*crl
	for _, d := range lists {
		switch {
		case !l.completedBy(d) || !d.signedBy(by) || d.asked().broken:
		case d.thisUpdate.After(v.at):
			later = append(later, d)
		case now == nil || d.number.Cmp(now.number) > 0:
			now = d
		}
	}
	return append([]*crl{now}, later...)
}

// read asks a list, with a delta over it unless nil, about c.
func (v revocation) read(l, d *crl, c *certificate, covers reasonMask, used evidence) finding {
	f := finding{standing: standing{report: v.reportOf(l, d), used: used}, covers: covers}
	serial := serialBytes(c)
	entries, ok := l.find(c.issuer, serial)
	if d != nil {
		f.used.crls = append(slices.Clone(used.crls), d)
		newer, readable := d.find(c.issuer, serial)
		ok = ok && readable
		if len(newer) > 0 {
			entries = newer
		}
	}
	if !ok {
		f.unknown(RevocationInvalid)
		return f
	}
	f.tell(entries)
	f.fresh = v.covered(f.report.ThisUpdate, listUntil(f.report))
	switch {
	case !f.clean && f.held && !f.fresh:
		f.unknown(RevocationStale)
	case !f.clean:
	case l.odd() || d != nil && d.odd() || f.report.NextUpdate.Before(f.report.ThisUpdate) && !f.report.NextUpdate.IsZero():
		// What an unknown critical extension says may be that others are revoked too (X.509, 7.3).
		f.unknown(RevocationInvalid)
	case !f.fresh || dropped(c, f.report.ThisUpdate, l.expiredSince):
		f.why = RevocationStale
		f.fresh = false
		f.report.Status = "unknown"
	}
	return f
}

// listUntil is nextUpdate. RFC 5280 asks for it and does not say what a list without one is worth; one that promises no
// successor is good until there is one, which is as X.509 has it.
func listUntil(r RevocationReport) time.Time {
	if r.NextUpdate.IsZero() {
		return time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	}
	return r.NextUpdate
}

// signer finds whose key signed a list: the issuer's own, or another certificate of the list's issuer that leads to the same
// anchor and is not revoked itself (RFC 5280, 6.3.3 f and g). It gives what that leaned on.
func (v revocation) signer(l *crl, issuer *certificate) (*certificate, evidence, Reason) {
	if l.schemeWhy == "" && v.o.weak(l.scheme.hash) {
		return nil, evidence{}, WeakDigest
	}
	if l.issuer == issuer.owner && mayListRevoked(issuer) && l.signedBy(issuer) {
		return issuer, evidence{}, ""
	}
	for _, c := range v.candidates(l) {
		if c.is(issuer) || !mayListRevoked(c) || !v.spend(l, c) || !l.signedBy(c) {
			continue
		}
		if used, ok := v.vouched(c, l.thisUpdate); ok {
			return c, used, ""
		}
	}
	return nil, evidence{}, RevocationInvalid
}

// spend counts signatures, as the search for paths does; those remembered are free.
func (v revocation) spend(l *crl, c *certificate) bool {
	if _, seen := l.remembered(c); !seen {
		*v.spent++
	}
	return *v.spent <= maxSpent
}

// candidates are the certificates at hand with the name of a list's issuer.
func (v revocation) candidates(l *crl) []*certificate {
	var out []*certificate
	for _, list := range [][]*certificate{v.path.certs, v.certs, v.extra.certs, v.trust.pool} {
		for _, c := range list {
			if c.owner == l.issuer && !contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// vouched says whether a list's signer leads to the anchor of the path and stands there, and on what that leans. It is
// judged when the list was made, if that is later: a CA may have got a new key since. Certificates that are being asked
// about further up are not asked again: if they are revoked, that will be the answer there.
func (v revocation) vouched(c *certificate, made time.Time) (evidence, bool) {
	if contains(v.path.certs, c) {
		return evidence{}, true
	}
	if len(v.asking) == maxAsking {
		return evidence{}, false
	}
	if made.After(v.at) {
		v.at = made
	}
	v.policy = policyInputs{} // asked of the path to the signer of a document, not of those who sign lists
	at := append(slices.Clone(v.certs), v.path.certs...)
	p, why := v.findPath([]anchor{v.path.anchor}, at, c, v.at, forCRLs)
	if p == nil || p.anchor.cert == nil {
		return evidence{}, false
	}
	if verdict, _ := decide(append(slices.Clone(why), v.pathStrength(p)...)); verdict != Valid {
		return evidence{}, false
	}
	used := evidence{certs: p.certs}
	above := append(slices.Clone(v.asking), v.path.certs...)
	v.asking = append(slices.Clone(v.asking), p.certs[:len(p.certs)-1]...)
	for i := 0; i+1 < len(p.certs); i++ {
		if contains(above, p.certs[i]) {
			continue
		}
		s := v.of(p.certs[i], p.certs[i+1])
		used.add(s.used)
		if s.report.Status == "revoked" && !s.since.After(v.at) || s.report.Status == "unknown" && v.o.Revocation != Soft {
			return evidence{}, false
		}
	}
	return used, true
}

// mayListRevoked says that c's key usage allows it to sign lists (RFC 5280, 6.3.3 f).
func mayListRevoked(c *certificate) bool {
	return c.usage(x509.KeyUsageCRLSign)
}
