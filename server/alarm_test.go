package server

import (
	"slices"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// TestAlarms: a certificate is spoken of 90, 30 and 7 days before its end and after it, a list once it is out of date and
// no newer one is at hand, and a trust store in which no anchor counts.
func TestAlarms(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	p := testPKI(t)
	alarms := func(at time.Time) []Alarm {
		t.Helper()
		list, err := Alarms(t.Context(), a.Store, at)
		check(t, err)
		return list
	}
	about := func(at time.Time, code, subject string) []int {
		var days []int
		for _, x := range alarms(at) {
			if x.Code == code && (subject == "" || x.Subject == subject) {
				days = append(days, x.Days)
			}
		}
		return days
	}
	if list := alarms(testNow); len(list) != 0 {
		t.Fatalf("nothing is the matter: %+v", list)
	}
	root := p.Root.Certificate
	end, name := root.NotAfter, root.Subject.String()
	for days, threshold := range map[int]int{89: 90, 29: 30, 6: 7} {
		if got := about(end.AddDate(0, 0, -days), "expiring", name); !slices.Contains(got, threshold) {
			t.Errorf("%d days before its end: %v", days, got)
		}
	}
	if got := about(end.Add(time.Hour), "expired", name); len(got) == 0 {
		t.Error("an ended root is not spoken of")
	}

	issuer := p.Issuing.Certificate.Subject.String()
	short, err := p.CRL(p.Issuing, testNow.Add(time.Hour), testNow.Add(2*time.Hour), nil)
	check(t, err)
	check(t, a.Store.AddRevocationList(t.Context(), short, "test", a.clock()))
	if got := about(testNow.Add(90*time.Minute), "list_stale", ""); len(got) != 0 {
		t.Errorf("a list that is good is called stale")
	}
	if got := about(testNow.Add(3*time.Hour), "list_stale", issuer); len(got) != 1 {
		t.Errorf("the newest list is out of date: %v", got)
	}
	next, err := p.CRL(p.Issuing, testNow.Add(2*time.Hour), testNow.AddDate(0, 0, 7), nil)
	check(t, err)
	check(t, a.Store.AddRevocationList(t.Context(), next, "test", a.clock()))
	if got := about(testNow.Add(3*time.Hour), "list_stale", issuer); len(got) != 0 {
		t.Error("a newer list does not end the alarm")
	}

	_, err = a.Store.AddAnchor(t.Context(), storage.Anchor{Purpose: storage.ForSigning, Family: signing.FamilyOfficial, Test: true, Certificate: root,
		Until: testNow.AddDate(0, 0, 1), AddedBy: "test"}, a.clock())
	check(t, err)
	if got := about(testNow.AddDate(0, 0, 2), "no_anchor", ""); len(got) != 1 {
		t.Errorf("the only anchor counts no more: %v", got)
	}
}
