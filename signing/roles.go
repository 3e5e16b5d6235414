package signing

import (
	"crypto/x509/pkix"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The subject of a Vietnamese certificate seldom says outright whether it is a person's or an agency's. From what speaks
// most clearly to what only hints:
//
//  1. a personal number (UID or serialNumber "CCCD:", "CMND:", "HC:", or a natural person's identifier of ETSI EN 319 412-1,
//     5.1.3), a given name, a surname or a title: a person, also one who signs for an agency named in O;
//  2. an organisation's number ("MST:", "MNS:", "MDN:", or organizationIdentifier): an agency;
//  3. the common name is that of O or OU, or begins with a word that agencies' names begin with: an agency;
//  4. the common name is written as a person's (two to six words, each with a capital), beside an organisation: a person.
//
// Anything else cannot be told, and nothing is said of it: a wrong warning costs more than a missing one.

var (
	personalNumbers = []string{"CCCD:", "CMND:", "CMT:", "CC:", "HC:", "PASVN-", "IDCVN-", "PNOVN-", "TINVN-"}
	agencyNumbers   = []string{"MST:", "MNS:", "MDN:", "MSDN:", "MĐD:", "VATVN-", "NTRVN-", "GOVVN-"}
)

// agencyWords begin the names of agencies and of systems, folded as by foldName. None is a surname.
var agencyWords = foldAll("ủy ban", "hội đồng", "văn phòng", "bộ", "sở", "cục", "chi cục", "tổng cục", "vụ", "ban", "phòng", "trung tâm",
	"trường", "cao đẳng", "đại học", "học viện", "viện", "bệnh viện", "trạm", "công ty", "tổng công ty", "tập đoàn", "ngân hàng", "kho bạc", "bảo hiểm",
	"thuế", "hải quan", "thanh tra", "tòa án", "viện kiểm sát", "công an", "bộ chỉ huy", "quân khu", "đảng ủy", "tỉnh ủy", "thành ủy", "huyện ủy",
	"quận ủy", "thị ủy", "liên đoàn", "hội", "mặt trận", "đoàn thanh niên", "đoàn đại biểu", "đài", "báo", "tạp chí", "cổng", "cơ quan", "đội", "thường trực",
	"quỹ", "nhà xuất bản", "thông tấn", "kiểm toán", "chính phủ", "quốc hội", "xã", "phường", "tỉnh", "thành phố", "huyện", "quận", "hệ thống", "dịch vụ", "phần mềm",
	"máy chủ", "trục", "tổ", "hạt", "khu", "cảng", "đồn", "biên phòng", "lữ đoàn", "trung đoàn", "sư đoàn", "quân đoàn", "bộ tư lệnh", "tư lệnh",
	"nhà", "bảo tàng", "thư viện", "xí nghiệp", "doanh nghiệp", "hợp tác xã", "chi nhánh", "câu lạc bộ", "liên hiệp", "mầm non", "tiểu học",
	"trung học", "đảng bộ", "chi bộ", "thị xã", "thị trấn", "đặc khu", "vườn quốc gia")

var plainAgencyWords = bareAll(agencyWords)

// firstOf gives the word of a list that a folded name begins with.
func firstOf(name string, list []string) string {
	for _, w := range list {
		if name == w || longer(name, w) {
			return w
		}
	}
	return ""
}

func foldAll(names ...string) []string {
	for i, n := range names {
		names[i] = foldName(n)
	}
	return names
}

// roleOf tells a person's certificate from an agency's; "" when it cannot be told.
func roleOf(subject pkix.Name) Role {
	number, personal := "", false
	for _, n := range subject.Names {
		text, _ := n.Value.(string)
		switch n.Type.String() {
		case "2.5.4.42", "2.5.4.4", "2.5.4.12": // givenName, surname, title
			personal = personal || text != ""
		case "2.5.4.97": // organizationIdentifier
			number = agencyNumbers[0]
		case oidUserID.String(), "2.5.4.5":
			text = strings.ToUpper(strings.ReplaceAll(text, " ", ""))
			personal = personal || begins(text, personalNumbers)
			if begins(text, agencyNumbers) {
				number = text
			}
		}
	}
	switch {
	case personal:
		return RolePerson
	case number != "":
		return RoleAgency
	}
	return roleOfName(subject)
}

func roleOfName(subject pkix.Name) Role {
	name := foldName(subject.CommonName)
	groups := append(append([]string(nil), subject.Organization...), subject.OrganizationalUnit...)
	for _, g := range groups {
		if name != "" && foldName(g) == name {
			return RoleAgency
		}
	}
	if w := firstOf(name, agencyWords); w != "" {
		return RoleAgency
	}
	if plain(name) { // written without marks, where Vũ and vụ, Bàn and ban look alike
		switch firstOf(name, plainAgencyWords) {
		case "":
		case "vu", "ban", "bao", "dai", "doi", "so":
			return ""
		default:
			return RoleAgency
		}
	}
	if len(groups) > 0 && personName(subject.CommonName) {
		return RolePerson
	}
	return ""
}

// personName says whether a name is written as a person's: what follows a comma, a dash or stands in brackets is not of it.
func personName(name string) bool {
	if i := strings.IndexAny(name, ",(-"); i >= 0 {
		name = name[:i]
	}
	words := strings.Fields(name)
	capitals := strings.ToUpper(name) == name
	for _, w := range words {
		if !nameWord(w, capitals) {
			return false
		}
	}
	return len(words) >= 2 && len(words) <= 6
}

// nameWord says whether a word is written as a part of a person's name: letters with a vowel among them, the first one
// large and the others small, unless the whole name is in capitals. So are acronyms told from names.
func nameWord(word string, capitals bool) bool {
	start := true
	for _, r := range word {
		switch {
		case r == '\'' || r == '’': // H'Ngăm
			start = true
			continue
		case unicode.IsMark(r):
			continue
		case !unicode.IsLetter(r), start && !unicode.IsUpper(r), !start && !capitals && unicode.IsUpper(r):
			return false
		}
		start = false
	}
	return strings.ContainsAny(strings.ToLower(norm.NFD.String(word)), "aeiouy")
}

func begins(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// roles says what each signature of a file is for, and which are missing for its part (Decree 30/2020, annex I; R68–R70).
func (r *FileReport) roles() {
	var who []*SignatureReport
	for i := range r.Signatures {
		if s := &r.Signatures[i]; s.Kind != "timestamp" {
			who = append(who, s)
		}
	}
	if r.Part == PartMain && len(who) == 2 {
		other(who[0], who[1])
	}
	persons, agencies, unknown, early := 0, 0, 0, false
	for _, s := range who {
		switch s.Role {
		case RolePerson:
			persons++
			early = early || agencies > 0 && persons == 1
		case RoleAgency:
			agencies++
		default:
			unknown++
		}
	}
	r.missing(len(r.Signatures), persons+unknown, agencies+unknown)
	if r.Part == PartMain && early {
		r.Reasons = addReason(r.Reasons, SealedBeforeHand)
	}
	for _, s := range who {
		if s.Role == RoleAgency {
			s.Role = map[Part]Role{PartCopy: RoleCopy, PartAppendix: RoleAppendix, PartMain: RoleAgency, "": RoleAgency}[r.Part]
		}
	}
}

// other takes the one of two signatures of a document that cannot be told by its certificate for what the usual order makes
// it: the competent person signs, then the agency.
func other(first, second *SignatureReport) {
	switch {
	case first.Role == "" && second.Role == RoleAgency:
		first.Role = RolePerson
	case second.Role == "" && first.Role == RolePerson:
		second.Role = RoleAgency
	}
}

// missing warns of signatures that the law asks for. One whose role cannot be told may be any of them. Of a main document
// without any it says enough that it is unsigned.
func (r *FileReport) missing(signed, persons, agencies int) {
	warn := func(ok bool, why Reason) {
		if !ok {
			r.Reasons = addReason(r.Reasons, why)
		}
	}
	switch {
	case r.Part == PartMain && signed > 0:
		warn(persons > 0, PersonMissing)
		warn(agencies > 0, AgencyMissing)
	case r.Part == PartCopy && signed > 0:
		warn(agencies > 0, CopyUnsealed)
	case r.Part == PartAppendix && (signed > 0 || r.Format == "pdf"):
		warn(agencies > 0, AppendixUnsealed)
	}
}
