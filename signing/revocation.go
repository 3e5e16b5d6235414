package signing

import (
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// standing is what the lists and responses say about one certificate.
type standing struct {
	report RevocationReport
	since  time.Time // when revoked: from when on it does not count
	why    Reason    // when unknown: why
	used   evidence  // what says so
}

// evidence are certificates, lists and responses: those that came with a document, or those that an answer leaned on.
type evidence struct {
	certs []*certificate
	crls  []*crl
	ocsp  []*ocsp
}

// add takes in what is not there yet.
func (e *evidence) add(more evidence) {
	for _, c := range more.certs {
		if !contains(e.certs, c) {
			e.certs = append(e.certs, c)
		}
	}
	for _, l := range more.crls {
		if !slices.Contains(e.crls, l) {
			e.crls = append(e.crls, l)
		}
	}
	for _, r := range more.ocsp {
		if !slices.Contains(e.ocsp, r) {
			e.ocsp = append(e.ocsp, r)
		}
	}
}

// revocation asks the lists and responses at hand about the certificates of a path. They are signed, so where they come
// from does not matter.
type revocation struct {
	judge
	path   *path          // whose certificates are asked about
	certs  []*certificate // at hand, to find who signed a list
	at     time.Time      // judged at
	asking []*certificate // on the way to this question: signers of lists, and of the lists about them …
}

// maxAsking bounds that way.
const maxAsking = 16

// finding is what one list (with a delta) or one response says about a certificate.
type finding struct {
	standing
	covers reasonMask // for which reasons it tells
	clean  bool       // it does not name the certificate
	fresh  bool       // and speaks for the judged time
	held   bool       // suspended (certificateHold), which can be lifted
}

// of gives the standing of c, which issuer issued.
func (v revocation) of(c, issuer *certificate) standing {
	found := append(v.fromOCSP(c, issuer), v.fromLists(c, issuer)...)
	if s, ok := revoked(found, v.at); ok {
		return s
	}
	if s, ok := good(found); ok {
		return s
	}
	best := standing{report: RevocationReport{Status: "unknown"}, why: RevocationMissing}
	for _, f := range found {
		if f.why != "" && weightOf[f.why] > weightOf[best.why] {
			best = f.standing
		}
	}
	return best
}

// weightOf orders the reasons for which nothing is known: the one nearest to an answer is told.
var weightOf = map[Reason]int{RevocationStale: 4, OCSPUnknown: 3, WeakDigest: 2, RevocationInvalid: 1}

// revoked gives the earliest revocation found. A suspension counts while it is in force: not when something newer, no later
// than the judged time, no longer names the certificate, nor when it is out of date (it may have been lifted since).
func revoked(found []finding, at time.Time) (standing, bool) {
	var first *finding
	for i := range found {
		f := &found[i]
		if f.report.Status != "revoked" || f.held && (!f.fresh || lifted(*f, found, at)) {
			continue
		}
		if first == nil || f.since.Before(first.since) {
			first = f
		}
	}
	if first == nil {
		return standing{}, false
	}
	return first.standing, true
}

func lifted(hold finding, found []finding, at time.Time) bool {
	return slices.ContainsFunc(found, func(f finding) bool {
		return f.clean && f.covers == allReasons && f.report.ThisUpdate.After(hold.report.ThisUpdate) && !f.report.ThisUpdate.After(at)
	})
}

// good says that fresh lists or responses do not name the certificate, which between them tell of every reason
// (RFC 5280, 6.3.3): the newest that tells of all, else several together.
func good(found []finding) (standing, bool) {
	var clean []finding
	for _, f := range found {
		if f.clean && f.fresh {
			clean = append(clean, f)
		}
	}
	slices.SortStableFunc(clean, func(a, b finding) int { return b.report.ThisUpdate.Compare(a.report.ThisUpdate) })
	for _, f := range clean {
		if f.covers == allReasons {
			return f.standing, true
		}
	}
	var all reasonMask
	var sum standing
	for _, f := range clean {
		if f.covers&^all == 0 {
			continue
		}
		if all == 0 {
			sum.report = f.report
		}
		sum.report.ThisUpdate = f.report.ThisUpdate // the oldest: they come newest first
		all |= f.covers
		sum.used.add(f.used)
	}
	return sum, all == allReasons
}

// covered says whether a statement made at thisUpdate, good until nextUpdate, speaks for the judged time: it is not out of
// date then, or was made later. dropped says that a certificate that expired before the statement may be missing from it
// for that alone (RFC 5280, 3.3).
func (v revocation) covered(thisUpdate, nextUpdate time.Time) bool {
	return thisUpdate.After(v.at) || !v.at.After(nextUpdate)
}

func dropped(c *certificate, thisUpdate, since time.Time) bool {
	return thisUpdate.After(c.x.NotAfter) && (since.IsZero() || since.After(c.x.NotAfter))
}

// tell writes into a finding what is said of a certificate: entries, or none.
func (f *finding) tell(entries []revokedEntry) {
	f.clean = true
	f.report.Status = "good"
	for _, e := range entries {
		if e.reason == removeFromCRL {
			continue
		}
		if f.clean || e.since().Before(f.since) {
			f.since, f.report.RevokedAt, f.report.RevokedFor, f.report.InvalidityDate = e.since(), e.at, e.reasonName(), e.invalidity
		}
		f.held = (f.clean || f.held) && e.reason == certificateHold
		f.clean = false
		f.report.Status = "revoked"
	}
}

// unknown says why a finding settles nothing.
func (f *finding) unknown(why Reason) {
	f.clean, f.why, f.report.Status = false, why, "unknown"
}

// serialBytes are the contents octets of the serial number.
func serialBytes(c *certificate) []byte {
	in := cryptobyte.String(integerDER(c))
	var out cryptobyte.String
	if !in.ReadASN1(&out, cbasn1.INTEGER) {
		return nil
	}
	return out
}
