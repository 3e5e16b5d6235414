package routing

import (
	"slices"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"UBND xã Định Mỹ":             "ubnd xa dinh my",
		"UBND xã Đi\u0323nh My\u0303": "ubnd xa dinh my", // combining accents
		"Sở TN&MT":                    "so tnmt",
		"Sở TN & MT":                  "so tnmt",
		"  Phòng Văn hóa – Xã hội  ":  "phong van hoa xa hoi",
		"ĐƯỜNG Ỷ Ỵ ự":                 "duong y y u",
		"Bà Rịa–Vũng Tàu (H06)":       "ba ria vung tau h06",
		"":                            "",
		" – ":                         "",
	} {
		if got := Fold(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}

// Every accented letter of Vietnamese folds to its bare one.
func TestFoldKnowsEveryLetter(t *testing.T) {
	t.Parallel()
	for bare, letters := range map[string]string{
		"a": "aáàảãạăắằẳẵặâấầẩẫậAÁÀẢÃẠĂẮẰẲẴẶÂẤẦẨẪẬ", "d": "dđDĐ", "e": "eéèẻẽẹêếềểễệEÉÈẺẼẸÊẾỀỂỄỆ", "i": "iíìỉĩịIÍÌỈĨỊ",
		"o": "oóòỏõọôốồổỗộơớờởỡợOÓÒỎÕỌÔỐỒỔỖỘƠỚỜỞỠỢ", "u": "uúùủũụưứừửữựUÚÙỦŨỤƯỨỪỬỮỰ", "y": "yýỳỷỹỵYÝỲỶỸỴ",
	} {
		for _, r := range letters {
			if got := Fold(string(r)); got != bare {
				t.Errorf("%c: %q", r, got)
			}
		}
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	d := NewDirectory(1, family(), nil)
	for q, want := range map[string][]Code{
		"dinh my an giang":            {"H01.151"},
		"Định Mỹ":                     {"H01.151"},
		"định":                        {"H01.151"},
		"phong kinh te dinh my":       {"H01.151.03"},
		"H01.151":                     {"H01.151", "H01.151.03"},
		"h01.15":                      {"H01.151", "H01.151.03"},
		"000.00.51.H31":               {"H31.51"},
		"31.h54":                      {"H54"}, // one word of two
		"sở tn&mt":                    {"H01.06"},
		"nnmt":                        {"H31.06"},
		"So NN&MT hung yen":           {"H31.06"},
		"ủy ban nhân dân xã tân tiến": {"H01.100", "H31.52"},
		"tan tien hung yen":           {"H31.52"},
		"tphcm":                       {"H29"},
		"tp hcm":                      {"H29"},
		"ubnd tp ho chi minh":         {"H29"},
		"vpcp":                        {"G22"},
		"thai binh":                   {"H54"}, // closed ones are found too
		"huyen quynh phu":             {"H54.21"},
		"so tai chinh":                {"H01.04", "H31.04"},
		"xangdau":                     nil,
		"":                            nil,
		"   ":                         nil,
		"–":                           nil,
	} {
		got := codes(d.Search(q, 10))
		if len(got) > len(want) && len(want) > 0 {
			got = got[:len(want)]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q finds %v, want %v first", q, codes(d.Search(q, 10)), want)
		}
	}
	if got := d.Search("so tai chinh", 1); len(got) != 1 {
		t.Errorf("limit: %v", got)
	}
	if got := d.Search("so tai chinh", 0); len(got) != 0 {
		t.Errorf("limit 0: %v", got)
	}
}

// What is typed with accents prefers the same accents; without, both come.
func TestAccentsWhenTyped(t *testing.T) {
	t.Parallel()
	d := NewDirectory(1, []Agency{
		{Code: "H01", Name: "UBND tỉnh An Giang"},
		{Code: "H01.51", Name: "UBND xã Tân Tiên"},
		{Code: "H01.52", Name: "UBND xã Tân Tiến"},
	}, nil)
	if got := codes(d.Search("Tân Tiến", 5)); !slices.Equal(got, []Code{"H01.52", "H01.51"}) {
		t.Errorf("%v", got)
	}
	if got := codes(d.Search("tan tien", 5)); len(got) != 2 {
		t.Errorf("%v", got)
	}
}

// Every agency is found by its own name and parent's name without accents, among the first of its namesakes.
func TestEveryAgencyIsFound(t *testing.T) {
	t.Parallel()
	d := NewDirectory(1, many(2000), nil)
	rapid.Check(t, func(t *rapid.T) {
		a := d.agencies[rapid.IntRange(0, d.Len()-1).Draw(t, "agency")]
		q := Fold(a.Name)
		if over, ok := d.Get(a.Parent); ok {
			q += " " + Fold(over.ShortName())
		}
		found := d.Search(q, 200)
		if !slices.ContainsFunc(found, func(f Agency) bool { return f.Code == a.Code }) {
			t.Fatalf("%q does not find %s", q, d.Label(a.Code))
		}
		if Fold(found[0].Name) != Fold(a.Name) {
			t.Fatalf("%q finds %s first", q, d.Label(found[0].Code))
		}
	})
}

func FuzzSearch(f *testing.F) {
	for _, s := range []string{"dinh my an giang", "H01.151", "sở tn&mt", "a b c d e f g h i j k l m n o p q r s", "\xff", "&&&", "000.00.00.H54"} {
		f.Add(s)
	}
	d := NewDirectory(1, family(), nil)
	f.Fuzz(func(t *testing.T, q string) {
		found := d.Search(q, 5)
		if len(found) > 5 {
			t.Fatalf("%q: %d", q, len(found))
		}
		seen := map[Code]bool{}
		for _, a := range found {
			if seen[a.Code] {
				t.Fatalf("%q: %s twice", q, a.Code)
			}
			seen[a.Code] = true
		}
		if folded := Fold(q); !utf8.ValidString(folded) || Fold(folded) != folded {
			t.Fatalf("%q folds to %q and then to %q", q, folded, Fold(folded))
		}
	})
}
