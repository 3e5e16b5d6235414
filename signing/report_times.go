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
		for _, t := range []*time.Time{&s.NotBefore, &s.NotAfter, &s.Time, &s.Claimed, &s.Revocation.ThisUpdate, &s.Revocation.NextUpdate, &s.Revocation.RevokedAt} {
			if !t.IsZero() {
				*t = t.In(zone)
			}
		}
	}
	return list
}
