package signing

import (
	"crypto/x509/pkix"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// match compares the agency that a certificate names with the sender: by code, then by name. "" when it names none.
func (w *Sender) match(s SignatureReport, subject pkix.Name) SenderMatch {
	if m := w.byCode(bareCode(s.AgencyCode), s.Role); m != "" {
		return m
	}
	groups := foldAll(append(append([]string(nil), subject.OrganizationalUnit...), subject.Organization...)...)
	names := groups
	if s.Role != RolePerson { // an agency's own name comes first; O may name it too, or one above it
		names = append([]string{foldName(subject.CommonName)}, groups...)
	}
	for i, n := range names {
		if m := w.byName(n, groups, s.Role == RolePerson || i == 0); m != "" {
			return m
		}
	}
	if strings.Join(names, "") == "" && s.AgencyCode == "" {
		return ""
	}
	return SenderDiffers
}

// byCode takes a unit's person for the agency's, and the seal of an agency above it: a department without a seal of its
// own issues under that one (Decree 30/2020, art. 32).
func (w *Sender) byCode(code string, role Role) SenderMatch {
	is := func(c string) bool { return code != "" && bareCode(c) == code }
	switch {
	case is(w.Code), slices.ContainsFunc(w.Codes, is), slices.ContainsFunc(w.Ancestors, is):
		return SenderSame
	case slices.ContainsFunc(w.Former, is):
		return SenderFormer
	case role == RolePerson && w.Code != "" && strings.HasPrefix(code, bareCode(w.Code)+"."):
		return SenderSame
	}
	return ""
}

// byName compares folded names. What a name leaves out, such as the province, must be said by the names around it: "Sở Nội
// vụ" under one People's Committee is not that under another.
func (w *Sender) byName(name string, groups []string, ancestors bool) SenderMatch {
	own, above, former := foldName(w.Name), foldAll(slices.Clone(w.Ancestors)...), foldAll(slices.Clone(w.Former)...)
	if plain(name) {
		own, above, former = bareAll([]string{own})[0], bareAll(above), bareAll(former)
	}
	switch {
	case name == "" || own == "":
		return ""
	case ancestors && slices.Contains(above, name), name == own && besides(groups, own, above):
		return SenderSame
	case slices.Contains(former, name):
		return SenderFormer
	case longer(name, own) && within(rest(name, own), above), longer(own, name) && within(rest(own, name), groups):
		return SenderSame
	}
	return ""
}

// besides says that no organisation that a certificate names beside the agency is a stranger to those above the sender.
func besides(groups []string, own string, above []string) bool {
	names := slices.DeleteFunc(slices.Clone(above), func(n string) bool { return !strings.Contains(n, " ") }) // codes
	for _, g := range groups {
		if g != own && len(names) > 0 && !within(g, names) && !slices.ContainsFunc(names, func(n string) bool { return strings.Contains(g, n) }) {
			return false
		}
	}
	return true
}

func longer(name, start string) bool { return strings.HasPrefix(name, start+" ") }

func rest(name, start string) string { return name[len(start)+1:] }

// within says that a text stands, word by word, in one of the names.
func within(text string, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.Contains(" "+n+" ", " "+text+" ") })
}

// bareCode takes off what some certificates put before a code, and writing that does not matter.
func bareCode(code string) string {
	code = strings.ToUpper(strings.TrimSpace(code))
	for _, p := range []string{"MDN:", "MĐD:", "MDD:"} {
		code = strings.TrimSpace(strings.TrimPrefix(code, p))
	}
	return code
}

// foldName brings the writings of one name together: case, composed or decomposed letters, where the tone mark stands
// (hòa, hoà; ủy, uỷ), punctuation, and the usual abbreviations.
func foldName(name string) string {
	name = strings.ToLower(norm.NFC.String(name))
	words := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" \t\r\n.,;:()[]\"'“”–-/", r) })
	for i, w := range words {
		if long, ok := abbreviations[w]; ok {
			words[i] = long
		}
	}
	words = strings.Fields(strings.Join(words, " "))
	for i, w := range words {
		words[i] = toneLast(w)
	}
	return strings.Join(words, " ")
}

// abbreviations as they stand in certificates and directories, lower case.
var abbreviations = map[string]string{
	"ubnd": "ủy ban nhân dân", "hđnd": "hội đồng nhân dân", "ubmttq": "ủy ban mặt trận tổ quốc", "tp": "thành phố", "vp": "văn phòng", "gd&đt": "giáo dục và đào tạo",
	"gdđt": "giáo dục và đào tạo", "kh&cn": "khoa học và công nghệ", "khcn": "khoa học và công nghệ", "kh&đt": "kế hoạch và đầu tư",
	"tn&mt": "tài nguyên và môi trường", "nn&mt": "nông nghiệp và môi trường", "nn&ptnt": "nông nghiệp và phát triển nông thôn",
	"tt&tt": "thông tin và truyền thông", "vh&tt": "văn hóa và thể thao", "vhtt&dl": "văn hóa thể thao và du lịch", "bhxh": "bảo hiểm xã hội",
	"hcm": "hồ chí minh", "tphcm": "thành phố hồ chí minh", "&": "và",
}

// toneLast writes a syllable with its tone mark at the end, wherever it stood.
func toneLast(word string) string {
	var letters, tones strings.Builder
	for _, r := range norm.NFD.String(word) {
		switch r {
		case 0x0300, 0x0301, 0x0303, 0x0309, 0x0323: // huyền, sắc, ngã, hỏi, nặng
			tones.WriteRune(r)
		default:
			letters.WriteRune(r)
		}
	}
	return letters.String() + tones.String()
}

// plain says that a name is written without any Vietnamese letter, as in older certificates.
func plain(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII })
}

// bareAll takes all marks off folded names.
func bareAll(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.Map(func(r rune) rune {
			switch {
			case unicode.Is(unicode.Mn, r):
				return -1
			case r == 'đ':
				return 'd'
			}
			return r
		}, norm.NFD.String(n))
	}
	return out
}
