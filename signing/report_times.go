package signing

import (
	"slices"
	"time"
)

// In gives the report with every time told in a zone. The instants stay the same.
func (r Report) In(zone *time.Location) Report {
	r.Files = slices.Clone(r.Files)
	for i := range r.Files {
		r.Files[i].Signatures = inZone(r.Files[i].Signatures, zone)
	}
	r.Signatures = inZone(r.Signatures, zone)
	return r
}

func inZone(list []SignatureReport, zone *time.Location) []SignatureReport {
	list = slices.Clone(list)
	for i := range list {
		s := &list[i]
		tell(zone, &s.NotBefore, &s.NotAfter, &s.Time, &s.Claimed)
		s.Revocation.tell(zone)
		s.PathRevocation = slices.Clone(s.PathRevocation)
		for k := range s.PathRevocation {
			s.PathRevocation[k].tell(zone)
		}
		s.Timestamps = slices.Clone(s.Timestamps)
		for k := range s.Timestamps {
			t := &s.Timestamps[k]
			tell(zone, &t.Time, &t.NotBefore, &t.NotAfter)
			t.Revocation.tell(zone)
		}
	}
	return list
}

func (r *RevocationReport) tell(zone *time.Location) {
	tell(zone, &r.ThisUpdate, &r.NextUpdate, &r.RevokedAt, &r.InvalidityDate)
}

func tell(zone *time.Location, times ...*time.Time) {
	for _, t := range times {
		if !t.IsZero() {
			*t = t.In(zone)
		}
	}
}
