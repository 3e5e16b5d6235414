package web

import (
	"strings"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

func galleryStray(n byte, status storage.Status, cause storage.Cause, reason string) storage.Stray {
	at := galleryNow.Add(-time.Duration(n) * 37 * time.Minute)
	return storage.Stray{ID: galleryID(n), System: "H26", Agency: "H26", Other: "000.00.12.H29", DocumentID: "000.00.12.H29,2026/11/20,123/SYT-VP", Status: status, Reason: reason,
		Cause: cause, EventTime: at.Add(-10 * time.Second), ReceivedAt: at}
}

func strayList(role storage.Role, strays ...storage.Stray) straysPage {
	p := straysPage{}
	for _, one := range strays {
		p.Strays = append(p.Strays, newStrayRow(one, galleryViewer(role), straysChoice{}))
	}
	return p
}

// manyStrays is a full page with every cause and status.
func manyStrays() []storage.Stray {
	causes := []storage.Cause{storage.NoDocument, storage.NoDelivery, storage.WrongState, storage.NothingAsked}
	statuses := []storage.Status{storage.Registered, storage.Arrived, storage.Returned, storage.RecallAgreed, storage.RecallAsked, storage.InProcess}
	var list []storage.Stray
	for i := range pageLines {
		one := galleryStray(byte(i+1), statuses[i%len(statuses)], causes[i%len(causes)], "")
		if one.Status == storage.Returned {
			one.Reason = "Gửi nhầm đơn vị"
		}
		if i%5 == 4 {
			one.EventTime = one.ReceivedAt.AddDate(0, 0, -3)
		}
		list = append(list, one)
	}
	return list
}

func strayPictures() []picture {
	long, bad := galleryStray(2, storage.Returned, storage.NoDelivery, strings.Repeat(longName+" ", 2)), galleryStray(3, storage.Returned, storage.NoDocument, probe)
	long.Agency, long.Other, long.DocumentID = "H29.99", "H29.99", strings.Repeat("H29.99-2026-", 12)
	bad.Agency, bad.Other, bad.DocumentID, bad.System, bad.Cause, bad.ClosedBy = "H29.98", probe, probe, probe, probe, ""
	many, closed := strayList(storage.Operator, manyStrays()...), galleryStray(4, storage.Completed, storage.NoDocument, "")
	many.Older = "/strays?before=" + galleryID(50).String()
	closed.ClosedAt, closed.ClosedBy = galleryNow, "van.hanh"
	done, gone, all := strayList(storage.Operator, manyStrays()[:2]...), strayList(storage.Operator, manyStrays()[2:3]...), strayList(storage.Auditor, closed, manyStrays()[5])
	done.Done, gone.Fault, all.All = strayClosed, strayGone, true
	return []picture{
		{"strays-empty", "strays", straysTitle, storage.Operator, false, strayList(storage.Operator)},
		{"strays-one", "strays", straysTitle, storage.Operator, false, strayList(storage.Operator, galleryStray(1, storage.Registered, storage.NoDocument, ""))},
		{"strays-many", "strays", straysTitle, storage.Operator, false, many},
		{"strays-many-english", "strays", straysTitle, storage.Operator, true, many},
		{"strays-long-names", "strays", straysTitle, storage.Operator, false, strayList(storage.Operator, long)},
		{"strays-probes", "strays", straysTitle, storage.Operator, false, strayList(storage.Operator, bad)},
		{"strays-closed", "strays", straysTitle, storage.Operator, false, done},
		{"strays-gone", "strays", straysTitle, storage.Operator, false, gone},
		{"strays-auditor", "strays", straysTitle, storage.Auditor, false, all},
	}
}
