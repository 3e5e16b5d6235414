package signing

import (
	"crypto/x509"
	"time"
)

// standing is what the lists say about one certificate.
type standing struct {
	report RevocationReport
	why    Reason // RevocationMissing, RevocationStale or RevocationInvalid when not known
}

// evidence is what came with a document to help to judge it.
type evidence struct {
	certs []*certificate
	crls  []*crl
	ocsp  []*ocsp
}

// revocation asks the lists at hand about each certificate of a path.
type revocation struct {
	trust *lazyTrust
	extra evidence // from the message or the PDF's DSS: they are signed, so where they come from does not matter
	at    time.Time
}

// of gives the standing of c, whose issuer is known.
func (v revocation) of(c, issuer *certificate) standing {
	best := standing{report: RevocationReport{Status: "unknown"}, why: RevocationMissing}
	for _, responses := range [][]*ocsp{v.trust.ocsp, v.extra.ocsp} {
		for _, r := range responses {
			if s, ok := v.askOCSP(r, c, issuer); ok && better(s, best) {
				best = s
			}
		}
	}
	for _, lists := range [][]*crl{v.trust.crls, v.extra.crls} {
		for _, l := range lists {
			if l.issuer != c.issuer || l.unusable || l.users && c.x.IsCA || l.cas && !c.x.IsCA {
				continue
			}
			if s := v.ask(l, c, issuer); better(s, best) {
				best = s
			}
		}
	}
	return best
}

// ask reads one list.
func (v revocation) ask(l *crl, c, issuer *certificate) standing {
	s := standing{report: RevocationReport{Status: "unknown", Source: "crl", ThisUpdate: l.thisUpdate, NextUpdate: l.nextUpdate}}
	if !v.signed(l, issuer) {
		s.why = RevocationInvalid
		return s
	}
	e, found := l.entries[string(serialBytes(c))]
	const removeFromCRL = 8
	if found && e.reason != removeFromCRL {
		s.report.Status, s.report.RevokedAt, s.report.RevokedFor = "revoked", e.at, reasonNames[e.reason]
		return s
	}
	if !l.nextUpdate.IsZero() && v.at.After(l.nextUpdate) {
		s.why = RevocationStale
		return s
	}
	if l.thisUpdate.After(c.x.NotAfter) {
		s.why = RevocationStale // the entry of an expired certificate may have been dropped (RFC 5280, 3.3)
		return s
	}
	s.report.Status = "good"
	return s
}

// reasonNames are the CRLReasons (RFC 5280, 5.3.1).
var reasonNames = map[int]string{0: "unspecified", 1: "keyCompromise", 2: "cACompromise", 3: "affiliationChanged", 4: "superseded",
	5: "cessationOfOperation", 6: "certificateHold", 9: "privilegeWithdrawn", 10: "aACompromise"}

// signed checks that the issuer itself signed the list, with a key that may.
func (v revocation) signed(l *crl, issuer *certificate) bool {
	if weak(l.scheme.hash) || !mayListRevoked(issuer) {
		return false
	}
	return v.trust.listSigned(l, issuer)
}

// mayListRevoked says that c's key usage allows it to sign lists (RFC 5280, 6.3.3 f).
func mayListRevoked(c *certificate) bool {
	return c.x.KeyUsage == 0 || c.x.KeyUsage&x509.KeyUsageCRLSign != 0
}

// signedBy checks the list's signature with the key of c.
func (l *crl) signedBy(c *certificate) bool {
	return l.schemeWhy == "" && c.keyWhy == "" && c.key.verify(l.scheme, l.tbs, l.signature) == ""
}

// better prefers an answer to none, revoked to good, and the later of two good ones.
func better(a, b standing) bool {
	rank := func(s standing) int {
		switch {
		case s.report.Status == "revoked":
			return 4
		case s.report.Status == "good":
			return 3
		case s.why == RevocationStale, s.why == OCSPUnknown:
			return 2
		case s.why == RevocationInvalid:
			return 1
		}
		return 0
	}
	if rank(a) != rank(b) {
		return rank(a) > rank(b)
	}
	if a.report.Status == "revoked" {
		return a.report.RevokedAt.Before(b.report.RevokedAt)
	}
	return a.report.ThisUpdate.After(b.report.ThisUpdate)
}

// serialBytes are the contents octets of the serial number.
func serialBytes(c *certificate) []byte {
	der := integerDER(c)
	if len(der) < 3 {
		return nil
	}
	return der[2:]
}
