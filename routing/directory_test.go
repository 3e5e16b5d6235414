package routing

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// family is a small directory with one of everything that goes wrong.
func family() []Agency {
	reform := time.Date(2025, 7, 1, 0, 0, 0, 0, vietnam)
	closed := func(code, old Code, name string, heirs ...Code) Agency {
		return Agency{Code: code, OldCode: old, Name: name, Status: Closed, ValidTo: reform, Successors: heirs, Decision: "QĐ 09/2025/QĐ-TTg"}
	}
	return []Agency{
		{Code: "H31", OldCode: "000.00.00.H31", Name: "UBND tỉnh Hưng Yên"},
		closed("H54", "000.00.00.H54", "UBND tỉnh Thái Bình", "H31"),
		closed("H54.20", "000.00.20.H54", "UBND huyện Đông Hưng", "H31.51", "H31.52"),
		closed("H54.21", "", "UBND huyện Quỳnh Phụ"),
		closed("H54.22", "", "UBND xã Cũ", "H54.23"),
		closed("H54.23", "", "UBND xã Cũ hơn", "H31.51", "H54.22"),
		{Code: "H31.51", OldCode: "000.00.51.H31", Name: "UBND phường Phố Hiến"},
		{Code: "H31.52", OldCode: "000.00.52.H31", Name: "UBND xã Tân Tiến"},
		{Code: "H31.04", OldCode: "000.00.40.H31", Name: "Sở Tài chính"}, // the pair that the province re-issued
		{Code: "H31.06", OldCode: "000.00.10.H31", Name: "Sở Nông nghiệp và Môi trường"},
		{Code: "H31.05", Name: "Sở Công Thương", Status: Locked, Decision: "QĐ 1/QĐ-UBND"},
		{Code: "H01", OldCode: "000.00.00.H01", Name: "UBND tỉnh An Giang"},
		{Code: "H01.04", OldCode: "000.00.04.H01", Name: "Sở Tài chính"},
		{Code: "H01.06", Name: "Sở Tài nguyên và Môi trường"},
		{Code: "H01.100", Name: "UBND xã Tân Tiến"},
		{Code: "H01.151", Name: "UBND xã Định Mỹ"},
		{Code: "H01.151.03", Name: "Phòng Kinh tế"},
		{Code: "H01.DN.001", Name: "Công ty Cổ phần Mỹ An"},
		{Code: "H17.22.28", Name: "Chi cục Thủy lợi"},
		{Code: "H29", OldCode: "000.00.00.H29", Name: "UBND thành phố Hồ Chí Minh"},
		{Code: "G22", OldCode: "000.00.00.G22", Name: "Văn phòng Chính phủ"},
		{Code: "vxp.saas.03", Name: "Trung tâm thử nghiệm"},
		{Code: "02.29.W00", Name: "Trung tâm tích hợp", Parent: "H29"},
		{Code: "020100107370", Name: "Tập đoàn Xăng dầu Việt Nam"},
		{Code: "H31.90", OldCode: "000.00.77.H31", Name: "Trường A"},
		{Code: "H31.91", OldCode: "000.00.77.H31", Name: "Trường B"},
	}
}

func TestTree(t *testing.T) {
	t.Parallel()
	d := NewDirectory(7, family(), nil)
	if d.Version() != 7 || d.Len() != len(family()) {
		t.Errorf("version %d, %d agencies", d.Version(), d.Len())
	}
	if got := d.Subtree("H01"); !slices.Equal(got, []Code{"H01", "H01.04", "H01.06", "H01.100", "H01.151", "H01.151.03", "H01.DN.001"}) {
		t.Errorf("subtree: %v", got)
	}
	if got := codes(d.Children("H01")); !slices.Equal(got, []Code{"H01.04", "H01.06", "H01.100", "H01.151", "H01.DN.001"}) {
		t.Errorf("children: %v", got)
	}
	if got := codes(d.Path("H01.151.03")); !slices.Equal(got, []Code{"H01", "H01.151", "H01.151.03"}) {
		t.Errorf("path: %v", got)
	}
	if got := d.Label("H01.151.03"); got != "H01.151.03 Phòng Kinh tế (xã Định Mỹ, An Giang)" {
		t.Errorf("label: %s", got)
	}
	if got := d.Label("H29"); got != "H29 TP. Hồ Chí Minh" {
		t.Errorf("label: %s", got)
	}
	if !d.Under("H29", "02.29.W00") || d.Under("H01", "H31.51") || !d.Under("H01", "H01") {
		t.Error("under")
	}
	if d.Subtree("H99") != nil || d.Children("H99") != nil || d.Path("H99") != nil || d.Label("H99") != "H99" {
		t.Error("an unknown code has a tree")
	}
	if a, ok := d.Get("000.00.00.H01"); ok {
		t.Errorf("Get takes an old form: %v", a)
	}
	if a := d.Find("000.00.00.h01"); len(a) != 1 || a[0].Code != "H01" {
		t.Errorf("find: %v", a)
	}
}

func codes(agencies []Agency) []Code {
	var out []Code
	for _, a := range agencies {
		out = append(out, a.Code)
	}
	return out
}

func TestShortName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"UBND tỉnh Hưng Yên": "Hưng Yên", "Ủy ban nhân dân thành phố Huế": "TP. Huế", "UBND xã Định Mỹ": "xã Định Mỹ", "Sở Nội vụ": "Sở Nội vụ",
	} {
		if got := (Agency{Name: name}).ShortName(); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestDaysAreWrittenTheOfficialWay(t *testing.T) {
	t.Parallel()
	for want, at := range map[string]time.Time{
		"01/7/2025":  time.Date(2025, 7, 1, 0, 0, 0, 0, vietnam),
		"02/7/2025":  time.Date(2025, 7, 1, 17, 0, 0, 0, time.UTC),
		"30/12/2025": time.Date(2025, 12, 30, 0, 0, 0, 0, time.UTC), // a day as the database gives it
		"09/02/2026": time.Date(2026, 2, 9, 0, 0, 0, 0, vietnam),
	} {
		if got := day(at); got != want {
			t.Errorf("%v: %s, want %s", at, got, want)
		}
	}
}

// drawn is a directory of few codes, so that parents, circles and doubles come about.
func drawn(t *rapid.T) []Agency {
	code := rapid.Map(rapid.StringMatching(`[GH]0[0-2](\.0[0-2]){0,3}`), func(s string) Code { return Code(s) })
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Agency {
		return Agency{
			Code:    code.Draw(t, "code"),
			OldCode: rapid.OneOf(rapid.Just(Code("")), rapid.Map(rapid.StringMatching(`000\.0[0-1]\.0[0-2]\.[GH]0[0-2]`), func(s string) Code { return Code(s) })).Draw(t, "old"),
			Name:    rapid.SampledFrom([]string{"Sở Nội vụ", "UBND xã Định Mỹ", "Phòng Kinh tế"}).Draw(t, "name"),
			Parent:  rapid.OneOf(rapid.Just(Code("")), code).Draw(t, "parent"),
			Status:  rapid.SampledFrom([]Status{Live, Live, Locked, Closed}).Draw(t, "status"),
		}
	}), 0, 40).Draw(t, "agencies")
}

// The slices of the snapshot agree with walking up the parents one by one.
func TestTreeAgreesWithItsParents(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		agencies := drawn(t)
		d := NewDirectory(1, agencies, nil)
		distinct := map[Code]bool{}
		for _, a := range agencies {
			distinct[a.Code] = true
		}
		if d.Len() != len(distinct) {
			t.Fatalf("%d agencies, want %d", d.Len(), len(distinct))
		}
		under, children := map[Code][]Code{}, map[Code][]Code{}
		for a := range d.All() {
			children[a.Parent] = append(children[a.Parent], a.Code)
			for up := a.Code; up != ""; {
				under[up] = append(under[up], a.Code)
				over, ok := d.Get(up)
				if !ok || len(under[up]) > d.Len() {
					t.Fatalf("%s hangs in the air or in a circle", a.Code)
				}
				up = over.Parent
			}
		}
		for c := range distinct {
			if !slices.Equal(d.Subtree(c), under[c]) {
				t.Fatalf("subtree of %s: %v, want %v", c, d.Subtree(c), under[c])
			}
			if !slices.Equal(codes(d.Children(c)), children[c]) {
				t.Fatalf("children of %s: %v, want %v", c, codes(d.Children(c)), children[c])
			}
		}
		if !slices.Equal(codes(d.Roots()), children[""]) {
			t.Fatalf("roots: %v, want %v", codes(d.Roots()), children[""])
		}
	})
}

// Resolve agrees with looking through the list, code before old code.
func TestResolveAgreesWithTheList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := NewDirectory(1, drawn(t), nil)
		given := rapid.StringMatching(`[GH]0[0-2](\.0[0-2]){0,3}|000\.0[0-1]\.0[0-2]\.[GH]0[0-2]`).Draw(t, "given")
		var byCode, byOld []Agency
		for a := range d.All() {
			if string(a.Code) == given {
				byCode = append(byCode, a)
			} else if string(a.OldCode) == given {
				byOld = append(byOld, a)
			}
		}
		if len(byCode) == 0 {
			byCode = byOld
		}
		got, err := d.Resolve(given)
		switch e, _ := err.(*CodeError); {
		case len(byCode) == 0:
			if e == nil || e.Kind != CodeUnknown {
				t.Fatalf("%s: %v, %v", given, got, err)
			}
		case len(byCode) > 1:
			if e == nil || e.Kind != CodeAmbiguous || !slices.Equal(codes(e.Suggestions), codes(byCode)) {
				t.Fatalf("%s: %v, %v", given, got, err)
			}
		case byCode[0].Status == Live:
			if err != nil || got.Code != byCode[0].Code {
				t.Fatalf("%s: %v, %v", given, got, err)
			}
		default:
			if e == nil || string(e.Kind) != string(byCode[0].Status) || e.Agency.Code != byCode[0].Code {
				t.Fatalf("%s: %v, %v", given, got, err)
			}
		}
	})
}

func TestManyReaders(t *testing.T) {
	t.Parallel()
	d := NewDirectory(1, family(), []Serving{{System: "s", Code: "H01", Subtree: true, Way: Pull}})
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for range 50 {
				d.Search(fmt.Sprintf("tan tien %d", n), 5)
				d.Resolve("H54")
				d.Resolve("H0l.151")
				d.Expand([]string{"H01", "000.00.00.H01", "H99"})
				d.Serves("s", "H01.151")
			}
		})
	}
	wg.Wait()
}
