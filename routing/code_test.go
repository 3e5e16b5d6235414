package routing

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestParseCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		given string
		want  Code
		form  Form
		level int
	}{
		{"H29", "H29", FormQD20, 1},
		{" h29.12\u00a0", "H29.12", FormQD20, 2},
		{"H01.151", "H01.151", FormQD20, 2},
		{"H37.DN.001", "H37.DN.001", FormQD20, 3},
		{"H52.101.114", "H52.101.114", FormQD20, 3},
		{"000.00.13.h53", "000.00.13.H53", Form102, 2},
		{"000.00.00.G22", "000.00.00.G22", Form102, 1},
		{"001.02.01.H59", "001.02.01.H59", Form102, 4},
		{"vxp.saas.03", "vxp.saas.03", FormOther, 0},
		{"02.29.W00", "02.29.W00", FormOther, 0},
		{"020100107370", "020100107370", FormOther, 0},
		{"28.22.H17", "28.22.H17", FormOther, 0},
		{"001.00.20.TT2", "001.00.20.TT2", FormOther, 0},
		{"\ufeffG12\u200b", "G12", FormQD20, 1},
	} {
		got, err := ParseCode(c.given)
		if err != nil || got != c.want || got.Form() != c.form || got.Level() != c.level {
			t.Errorf("%q: %q, form %d, level %d, %v; want %q, %d, %d", c.given, got, got.Form(), got.Level(), err, c.want, c.form, c.level)
		}
	}
}

func TestMalformedCodesAreNamed(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"":                        "để trống",
		" \u200b ":                "để trống",
		"H29..12":                 "vị trí 5",
		".H29":                    "vị trí 1",
		"H29.":                    "vị trí 4",
		"H29-12":                  "'-' ở vị trí 4",
		"H29 12":                  "' ' ở vị trí 4",
		"Н29":                     "'Н' ở vị trí 1", // a Cyrillic letter
		"Sở Nội vụ":               "'ở' ở vị trí 2",
		strings.Repeat("H29", 12): "dài 36 ký tự",
		"H\x0029":                 "vị trí 2",
	} {
		_, err := ParseCode(given)
		var e *CodeError
		if !errors.As(err, &e) || e.Kind != CodeMalformed || !strings.Contains(e.VI, want) || e.EN == "" {
			t.Errorf("%q: %v, want %q", given, err, want)
		}
	}
}

func TestEquivalent(t *testing.T) {
	t.Parallel()
	for code, want := range map[Code]Code{
		"H53.13": "000.00.13.H53", "H05.14.01": "000.01.14.H05", "G22": "000.00.00.G22", "H59.01.02.001": "001.02.01.H59",
		"000.00.13.H53": "H53.13", "000.01.14.H05": "H05.14.01", "000.00.00.G22": "G22",
		"H01.151": "", "H37.DN.001": "", "H29.00": "", "H29.1": "", "vxp.saas.03": "", "H01.02.03.004.05": "",
	} {
		got, ok := code.Equivalent()
		if got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v; want %q", code, got, ok, want)
		}
	}
}

func TestLevel1(t *testing.T) {
	t.Parallel()
	for code, want := range map[Code]Code{"H29.12": "H29", "000.00.12.H29": "H29", "G22": "G22", "vxp.saas.03": ""} {
		if got, ok := code.Level1(); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", code, got, ok)
		}
	}
}

func TestCompareOrdersNumbersBySize(t *testing.T) {
	t.Parallel()
	want := []Code{"G22", "H01", "H01.02", "H01.02.01", "H01.99", "H01.100", "H01.151", "H01.DN.001", "H02"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, Code.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// aCode draws codes of all forms, few enough to meet each other.
func aCode() *rapid.Generator[Code] {
	return rapid.Map(rapid.OneOf(
		rapid.StringMatching(`[GH][0-2][0-3](\.[0-1][0-4]){0,3}`),
		rapid.StringMatching(`[GH][0-9]{2}(\.[0-9A-Z]{1,6}){0,3}`),
		rapid.StringMatching(`00[0-2]\.0[0-2]\.0[0-4]\.[GH]0[0-3]`),
		rapid.StringMatching(`(vxp|axis)\.[a-z]{1,4}\.0[0-9]`),
	), func(s string) Code { return Code(s) })
}

func TestEquivalentIsItsOwnReverse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := aCode().Draw(t, "code")
		e, ok := c.Equivalent()
		if !ok || c.Form() != FormQD20 {
			return
		}
		if back, ok := e.Equivalent(); !ok || back != c {
			t.Fatalf("%s is %s is %s", c, e, back)
		}
		if e.Level() != c.Level() {
			t.Fatalf("%s has level %d, %s has %d", c, c.Level(), e, e.Level())
		}
	})
}

func TestCompareIsAnOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := aCode().Draw(t, "a"), aCode().Draw(t, "b"), aCode().Draw(t, "c")
		if a.Compare(b) != -b.Compare(a) {
			t.Fatalf("%s and %s disagree", a, b)
		}
		if (a.Compare(b) == 0) != (a == b) {
			t.Fatalf("%s and %s are equal", a, b)
		}
		if a.Compare(b) < 0 && b.Compare(c) < 0 && a.Compare(c) >= 0 {
			t.Fatalf("%s < %s < %s", a, b, c)
		}
	})
}

func FuzzParseCode(f *testing.F) {
	for _, s := range []string{"H29.12", "h29.12", "000.00.13.H53", "vxp.saas.03", "02.29.W00", "020100107370", "28.22.H17", "", "H29..1", "Sở Nội vụ", "\xff\xfe", strings.Repeat("0", 40)} {
		f.Add(s)
	}
	d := NewDirectory(1, family(), nil)
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCode(s)
		var e *CodeError
		if err != nil {
			if !errors.As(err, &e) || e.VI == "" || e.EN == "" || utf8.RuneCountInString(e.VI) > 400 {
				t.Fatalf("%q: %#v", s, err)
			}
		} else if again, err := ParseCode(string(c)); err != nil || again != c || len(c) > MaxCode || c == "" {
			t.Fatalf("%q gives %q, which gives %q, %v", s, c, again, err)
		}
		if _, err := d.Resolve(s); err != nil {
			if !errors.As(err, &e) || len(e.Suggestions) > MaxSuggestions || !utf8.ValidString(e.VI) {
				t.Fatalf("%q: %#v", s, err)
			}
		}
	})
}
