// Package routing answers: which agency does a code mean, which system serves it, and when do we try again?
//
// It is pure: no network, no clock, no files. A Directory is an immutable snapshot that any number of readers share.
package routing

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxCode is the longest code in bytes (QĐ 20/2020/QĐ-TTg: 35 characters, all of them ASCII).
const MaxCode = 35

// Code is an agency code (mã định danh điện tử) in normal form: as ParseCode gives it.
type Code string

// Form is the grammar that a code follows.
type Form int8

// The forms of a code. FormOther is in real use and follows neither grammar ("vxp.saas.03", "02.29.W00", an enterprise's
// "020100107370", the half-reversed "28.22.H17"): it is taken as registered.
const (
	FormOther Form = iota
	FormQD20       // QĐ 20/2020/QĐ-TTg, level 1 first: H29.12
	Form102        // QCVN 102:2016/BTTTT, level 1 last, 13 characters: 000.00.12.H29
)

// R46 and R47. Groups of level 2 have two or three digits in the wild, and letters occur (H37.DN.001).
var (
	grammarQD20 = regexp.MustCompile(`^[A-K][0-9]{2}(\.[0-9A-Z]{1,6})*$`)
	grammar102  = regexp.MustCompile(`^[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-K][0-9]{2}$`)
)

// ParseCode brings s into normal form: outer blanks go, and what is one of the two legal forms but for its case becomes
// upper case. Everything else of letters, digits and dots up to 35 characters is kept as written.
// The error is a *CodeError of kind CodeMalformed that names the fault; it proposes nothing (Directory.Resolve does).
func ParseCode(s string) (Code, error) {
	given := trim(s)
	if fault, ok := malformed(given); ok {
		return "", fault.about(s)
	}
	upper := strings.ToUpper(given)
	if formOf(upper) != FormOther {
		return Code(upper), nil
	}
	return Code(given), nil
}

// Form says which grammar the code follows.
func (c Code) Form() Form { return formOf(string(c)) }

func formOf(s string) Form {
	switch {
	case len(s) > MaxCode:
		return FormOther
	case grammarQD20.MatchString(s):
		return FormQD20
	case grammar102.MatchString(s):
		return Form102
	}
	return FormOther
}

// Groups gives the parts between the dots, as written.
func (c Code) Groups() []string { return strings.Split(string(c), ".") }

// Level is 1 for a ministry or province, 2 for what is directly under it, and so on; 0 for a code of neither form.
func (c Code) Level() int {
	switch c.Form() {
	case FormQD20:
		return strings.Count(string(c), ".") + 1
	case Form102:
		return len(dropZero(c.Groups()))
	}
	return 0
}

// Level1 gives the code of the ministry or province that c belongs to by its writing: H29 for H29.12 and for 000.00.12.H29.
func (c Code) Level1() (Code, bool) {
	switch c.Form() {
	case FormQD20:
		return c[:3], true
	case Form102:
		return c[len(c)-3:], true
	}
	return "", false
}

// Equivalent gives the mechanical counterpart in the other legal form: zero groups dropped or added, order reversed
// (000.01.14.H05 and H05.14.01). It is a hint and no more: provinces re-issued numbers, so the authority is the pair that
// the directory holds (R48). No counterpart: more than four levels, three digits at level 2 (H01.151), letters.
func (c Code) Equivalent() (Code, bool) {
	switch c.Form() {
	case FormQD20:
		return to102(c.Groups())
	case Form102:
		groups := dropZero(c.Groups())
		slices.Reverse(groups)
		return Code(strings.Join(groups, ".")), true
	}
	return "", false
}

func to102(groups []string) (Code, bool) {
	old := []string{"000", "00", "00", groups[0]}
	if len(groups) > len(old) {
		return "", false
	}
	for i, g := range groups[1:] {
		at := 2 - i
		if len(g) != len(old[at]) || !digits(g) || zero(g) {
			return "", false
		}
		old[at] = g
	}
	return Code(strings.Join(old, ".")), true
}

// turned gives the other writings that c may be a slip of, for suggestions: the mechanical equivalent and the reversed groups.
func (c Code) turned() []Code {
	var out []Code
	if e, ok := c.Equivalent(); ok {
		out = append(out, e)
	}
	groups := c.Groups()
	slices.Reverse(groups)
	for _, g := range [][]string{groups, dropZero(groups)} {
		if t := Code(strings.Join(g, ".")); t != "" && t != c && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// Compare orders codes as people read them: group by group, numbers by size (H01.99 before H01.100).
func (c Code) Compare(other Code) int {
	a, b := string(c), string(other)
	for a != "" && b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if digits(x) && digits(y) && len(x) != len(y) {
			return cmp.Compare(len(x), len(y))
		}
		if n := strings.Compare(x, y); n != 0 {
			return n
		}
	}
	return cmp.Compare(len(a), len(b))
}

// key folds case, so that a look-up does not depend on it; two codes that differ only in case are one code.
func (c Code) key() string { return strings.ToUpper(string(c)) }

// trim cuts outer blanks, also the invisible ones that come with a paste: NBSP (a space to Unicode), BOM, zero width space.
func trim(s string) string {
	return strings.TrimSpace(strings.Trim(strings.TrimSpace(s), "\ufeff\u200b\u00a0"))
}

func dropZero(groups []string) []string {
	out := make([]string, 0, len(groups))
	for _, g := range groups {
		if !zero(g) {
			out = append(out, g)
		}
	}
	return out
}

func zero(g string) bool { return strings.Trim(g, "0") == "" }

func digits(g string) bool {
	for i := range len(g) {
		if g[i] < '0' || g[i] > '9' {
			return false
		}
	}
	return g != ""
}

// malformed finds the first thing in s (already trimmed) that no code may have.
func malformed(s string) (malform, bool) {
	if s == "" {
		return malform{why: "empty"}, true
	}
	if len(s) > MaxCode {
		return malform{why: "long", n: utf8.RuneCountInString(s)}, true
	}
	before, place := byte('.'), 0
	for _, r := range s {
		place++
		if !codeRune(r) {
			return malform{why: "rune", r: r, n: place}, true
		}
		if r == '.' && before == '.' {
			return malform{why: "group", n: place}, true
		}
		before = byte(r)
	}
	if before == '.' {
		return malform{why: "group", n: place}, true
	}
	return malform{}, false
}

func codeRune(r rune) bool {
	return r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
}
