package storage_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// province writes H29, and H29.1 … H29.n under it, and gives the directory.
func (a *axis) province(n int) *routing.Directory {
	a.t.Helper()
	list := []routing.Agency{{Code: "H29", OldCode: "000.00.00.H29", Name: "UBND Thành phố Hồ Chí Minh", Status: routing.Live}}
	for i := range n {
		list = append(list, routing.Agency{Code: routing.Code(fmt.Sprintf("H29.%d", i+1)), Name: fmt.Sprintf("Sở %d", i+1), Parent: "H29", Status: routing.Live})
	}
	must(a.t, second(a.ImportAgencies(a.t.Context(), list, "test", a.now)))
	return a.directory()
}

func (a *axis) directory() *routing.Directory {
	a.t.Helper()
	d, err := a.Directory(a.t.Context())
	must(a.t, err)
	return d
}

// change is one by the hub, judged on d.
func (a *axis) change(d *routing.Directory, code routing.Code) storage.Change {
	was, _ := d.Get(code)
	return storage.Change{System: "hub", IP: "10.0.0.1", At: a.now, Directory: d.Version(), Was: was}
}

func (a *axis) registration(d *routing.Directory, code routing.Code, name string) storage.Registration {
	return storage.Registration{Change: a.change(d, code), Agency: routing.Agency{Code: code, Name: name}}
}

// events lists the audit of a code: action and detail.
func (a *axis) events(code string) []string {
	a.t.Helper()
	return one[[]string](a, `SELECT coalesce(array_agg(actor || ' ' || ip || ' ' || action || ': ' || detail ORDER BY id), '{}') FROM audit WHERE object = $1`, code)
}

func text(s string) *string { return &s }

func TestRegisterAgency(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	d := a.province(2)
	a.now = a.now.Add(time.Hour)

	r := a.registration(d, "H29.9", "Sở "+strings.Repeat("ộ", 197)) // 200 letters
	r.Agency.OldCode, r.Agency.Parent = "000.00.09.H29", "H29"
	r.Mail, r.Phone = text("vanthu@so9.example"), text("028 1")
	if changed, err := a.RegisterAgency(t.Context(), r); !changed || err != nil {
		t.Fatalf("added %v, %v", changed, err)
	}
	d = a.directory()
	got, _ := d.Get("H29.9")
	if got.Name != r.Agency.Name || got.OldCode != "000.00.09.H29" || got.Parent != "H29" || got.Status != routing.Live ||
		storage.Day(got.ValidFrom) != storage.Day(a.now) || got.CodeSource != "VXP registerAgency hub" {
		t.Errorf("%+v", got)
	}
	contact := func(want storage.Contact) {
		t.Helper()
		if c, err := a.AgencyContact(t.Context(), "H29.9"); c != want || err != nil {
			t.Errorf("contact %+v, %v", c, err)
		}
	}
	contact(storage.Contact{Mail: "vanthu@so9.example", Phone: "028 1"})

	version := d.Version()
	same := a.registration(d, "H29.9", r.Agency.Name) // says less, and nothing new
	same.Mail = r.Mail
	if changed, err := a.RegisterAgency(t.Context(), same); changed || err != nil {
		t.Errorf("the same again: %v, %v", changed, err)
	}
	if d = a.directory(); d.Version() != version {
		t.Error("nothing changed, and yet there is a new version")
	}

	renamed := a.registration(d, "H29.9", "Sở Chín")
	renamed.Agency.Parent, renamed.Mail, renamed.Fax = "H29.1", text(""), text("028 2")
	if changed, err := a.RegisterAgency(t.Context(), renamed); !changed || err != nil {
		t.Errorf("renamed %v, %v", changed, err)
	}
	contact(storage.Contact{Phone: "028 1", Fax: "028 2"})
	d = a.directory()
	if got, _ := d.Get("H29.9"); got.Name != "Sở Chín" || got.Parent != "H29.1" || got.OldCode != "000.00.09.H29" {
		t.Errorf("%+v", got)
	}
	onlyContact := a.registration(d, "H29.9", "Sở Chín")
	onlyContact.Mail = text("moi@so9.example")
	if changed, err := a.RegisterAgency(t.Context(), onlyContact); !changed || err != nil {
		t.Errorf("contact %v, %v", changed, err)
	}
	want := []string{"hub 10.0.0.1 agency.register: added: " + r.Agency.Name + ", under H29",
		"hub 10.0.0.1 agency.register: name: " + r.Agency.Name + " → Sở Chín; parent: H29 → H29.1", "hub 10.0.0.1 agency.register: contact"}
	if got := a.events("H29.9"); !slices.Equal(got, want) {
		t.Errorf("audit: %q", got)
	}

	stale := a.registration(d, "H29.1", "Sở Một") // judged before the last change
	if changed, err := a.RegisterAgency(t.Context(), stale); changed || !errors.Is(err, storage.ErrMoved) {
		t.Errorf("stale: %v, %v", changed, err)
	}
}

// TestCloseAgency: closing names the state that it leaves, keeps the row, and is undone only by the hub that did it, as
// long as no operator has taken the matter up.
func TestCloseAgency(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	d := a.province(3)
	opened := a.registration(d, "H29.9", "Sở Chín")
	must(t, second(a.RegisterAgency(t.Context(), opened)))
	for _, code := range []routing.Code{"H29.1", "H29.2", "H29.9"} {
		d = a.directory()
		must(t, a.CloseAgency(t.Context(), a.change(d, code)))
		if err := a.CloseAgency(t.Context(), a.change(d, code)); !errors.Is(err, storage.ErrMoved) {
			t.Errorf("twice on one version: %v", err)
		}
		if err := a.CloseAgency(t.Context(), a.change(a.directory(), code)); !errors.Is(err, storage.ErrMoved) {
			t.Errorf("closing what is closed: %v", err)
		}
	}
	d = a.directory()
	for code, to := range map[routing.Code]time.Time{"H29.1": storage.Day(a.now), "H29.9": storage.Day(a.now).AddDate(0, 0, 1)} {
		if got, _ := d.Get(code); got.Status != routing.Closed || !storage.Day(got.ValidTo).Equal(to) || got.Decision != storage.ClosedBy("hub") {
			t.Errorf("%+v", got)
		}
	}

	open := func(system string, code routing.Code) error {
		r := a.registration(a.directory(), code, "Sở mở lại")
		r.System = system
		_, err := a.RegisterAgency(t.Context(), r)
		return err
	}
	if err := open("other", "H29.1"); !errors.Is(err, storage.ErrMoved) {
		t.Errorf("another hub opened it: %v", err)
	}
	heir, _ := d.Get("H29.2")
	heir.Successors = []routing.Code{"H29.3"}
	must(t, second(a.ImportAgencies(t.Context(), []routing.Agency{heir}, "operator", a.now)))
	if err := open("hub", "H29.2"); !errors.Is(err, storage.ErrMoved) {
		t.Errorf("opened although it has a successor: %v", err)
	}
	must(t, open("hub", "H29.1"))
	if got, _ := a.directory().Get("H29.1"); got.Status != routing.Live || !got.ValidTo.IsZero() || got.Decision != "" || got.Name != "Sở mở lại" {
		t.Errorf("%+v", got)
	}

	locked, _ := a.directory().Get("H29.3")
	locked.Status = routing.Locked
	must(t, second(a.ImportAgencies(t.Context(), []routing.Agency{locked}, "operator", a.now)))
	must(t, a.CloseAgency(t.Context(), a.change(a.directory(), "H29.3")))
	if err := open("hub", "H29.3"); !errors.Is(err, storage.ErrMoved) {
		t.Errorf("a lock was shaken off by closing and opening: %v", err)
	}
}

// TestRegistrationsTogether: hubs that judge on the same directory at once come one after the other, and none of what was
// told done is lost.
func TestRegistrationsTogether(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	a.province(1)
	const hubs, each = 4, 6
	var all sync.WaitGroup
	for hub := range hubs {
		all.Go(func() {
			for i := range each {
				code := routing.Code(fmt.Sprintf("H29.%d.%d", i+1, hub+1))
				if i%2 == 1 {
					code = routing.Code(fmt.Sprintf("H29.S%d", i)) // the same for all: one adds it, the others rename it
				}
				for moved := true; moved; {
					d, err := a.Directory(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					_, err = a.RegisterAgency(t.Context(), a.registration(d, code, fmt.Sprintf("Đơn vị %d của %d", i, hub)))
					if moved = errors.Is(err, storage.ErrMoved); err != nil && !moved {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	if n := a.directory().Len(); n != 2+hubs*each/2+each/2 {
		t.Errorf("%d agencies", n)
	}
	if n := one[int](a, `SELECT count(*) FROM audit WHERE action = 'agency.register'`); n != hubs*each {
		t.Errorf("%d lines of audit for %d changes", n, hubs*each)
	}
	if n := one[int](a, `SELECT count(*) FROM audit WHERE action = 'agency.register' AND detail LIKE 'added%'`); n != hubs*each/2+each/2 {
		t.Errorf("%d added", n)
	}
}

// TestBrokenRegistration: a commit that did not happen left nothing, one whose answer was lost is whole; doing the same
// again ends right in both cases.
func TestBrokenRegistration(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{false, true} {
		t.Run(word(stored), func(t *testing.T) {
			t.Parallel()
			a, node, wire := wired(t)
			d := a.province(1)
			r := a.registration(d, "H29.9", "Sở Chín")
			must(t, second(node.Versions(t.Context()))) // connected
			cut(wire, stored)
			_, err := node.RegisterAgency(t.Context(), r)
			mustFail(t, err)
			d = a.directory()
			if _, there := d.Get("H29.9"); there != stored || len(a.events("H29.9")) > 0 != stored {
				t.Errorf("there: %v, audit %q", there, a.events("H29.9"))
			}
			wire.Mend()
			changed, err := node.RegisterAgency(t.Context(), a.registration(d, "H29.9", "Sở Chín"))
			if changed == stored || err != nil {
				t.Errorf("again: %v, %v", changed, err)
			}
			closing := a.change(a.directory(), "H29.9")
			cut(wire, stored)
			mustFail(t, node.CloseAgency(t.Context(), closing))
			wire.Mend()
			if got, _ := a.directory().Get("H29.9"); (got.Status == routing.Closed) != stored {
				t.Errorf("%+v", got)
			}
			if n := len(a.events("H29.9")); n != map[bool]int{false: 1, true: 2}[stored] {
				t.Errorf("%d lines of audit", n)
			}
		})
	}
}

// TestAgencyPage: pages give every agency once, in the database's order, with what the last change left.
func TestAgencyPage(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	d := a.province(25)
	imported := a.now
	a.now = a.now.Add(time.Hour)
	r := a.registration(d, "H29.7", "Sở Bảy")
	r.Mail = text("bay@so.example")
	must(t, second(a.RegisterAgency(t.Context(), r)))
	must(t, a.CloseAgency(t.Context(), a.change(a.directory(), "H29.8")))
	a.now = a.now.Add(time.Hour)
	nine, _ := a.directory().Get("H29.9")
	nine.Name = "Sở Chín mới"
	seven, _ := a.directory().Get("H29.7")
	result, err := a.ImportAgencies(t.Context(), []routing.Agency{seven, nine}, "operator", a.now)
	if err != nil || result.Changed != 1 {
		t.Fatalf("%+v, %v", result, err)
	}
	seen := map[routing.Code]storage.ListedAgency{}
	var after routing.Code
	var page []storage.ListedAgency
	for {
		var err error
		page, err = a.AgencyPage(t.Context(), after, 10, page)
		must(t, err)
		if len(page) == 0 {
			break
		}
		for _, x := range page {
			if _, twice := seen[x.Code]; twice {
				t.Errorf("%s twice", x.Code)
			}
			seen[x.Code] = x
			after = x.Code
		}
	}
	if len(seen) != 26 {
		t.Errorf("%d agencies", len(seen))
	}
	for code, want := range map[routing.Code]storage.ListedAgency{
		"H29":   {OldCode: "000.00.00.H29", Name: "UBND Thành phố Hồ Chí Minh", Status: routing.Live, Version: 1, ModifiedAt: imported},
		"H29.6": {Parent: "H29", Name: "Sở 6", Status: routing.Live, Version: 1, ModifiedAt: imported},
		"H29.7": {Parent: "H29", Name: "Sở Bảy", Status: routing.Live, Mail: "bay@so.example", Version: 2, ModifiedAt: imported.Add(time.Hour)},
		"H29.8": {Parent: "H29", Name: "Sở 8", Status: routing.Closed, Version: 3, ModifiedAt: imported.Add(time.Hour)},
		"H29.9": {Parent: "H29", Name: "Sở Chín mới", Status: routing.Live, Version: 4, ModifiedAt: a.now},
	} {
		got := seen[code]
		want.Code = code
		if !got.ModifiedAt.Equal(want.ModifiedAt) {
			t.Errorf("%s: modified %s, want %s", code, got.ModifiedAt, want.ModifiedAt)
		}
		if got.ModifiedAt = want.ModifiedAt; got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if _, err := a.AgencyContact(t.Context(), "H77"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("contact of nobody: %v", err)
	}
}
