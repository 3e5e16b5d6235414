package server

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// Wording is a text in both languages. An empty EN reads as VI.
type Wording struct{ VI, EN string }

// Row is one line of what a validator must report of a signature (regulation 7.3): the page, the printed sheet and the
// command line show the same ones in the same words. Names says that the value tells who signed.
type Row struct {
	Label, Value Wording
	Names        bool
}

// SignatureRows tells a signature row by row. Every row is there, also where nothing is known: an auditor asks for it.
func SignatureRows(s signing.SignatureReport) []Row {
	return []Row{
		{Label: Wording{"Kết quả", "Result"}, Value: VerdictWording(s.Verdict)},
		{Label: Wording{"Chữ ký", "Signature"}, Value: whereIs(s), Names: true},
		{Label: Wording{"Vai trò", "Role"}, Value: orElse(roleWordings[s.Role], Wording{"không xác định được từ chứng thư số", "cannot be told from the certificate"})},
		{Label: Wording{"Người ký", "Signer"}, Value: orElse(same(joinedText(", ", s.Signer, s.Unit, s.Organization, s.Email)), Wording{"không rõ người ký", "signer unknown"}), Names: true},
		{Label: Wording{"Mã cơ quan", "Agency code"}, Value: orElse(same(s.AgencyCode), Wording{"không có trong chứng thư số", "none in the certificate"}), Names: true},
		{Label: Wording{"Đơn vị cấp chứng thư số", "Issuer"}, Value: same(s.Issuer)},
		{Label: Wording{"Số serial", "Serial number"}, Value: same(s.Serial), Names: true},
		{Label: Wording{"Hiệu lực chứng thư số", "Certificate valid"}, Value: validity(s)},
		{Label: Wording{"Tình trạng thu hồi", "Revocation"}, Value: revocationWording(s.Revocation)},
		{Label: Wording{"Thu hồi của các CA", "Revocation of the CAs"}, Value: orElse(pathRevocation(s.PathRevocation), Wording{"không có CA nào cần kiểm tra", "no CA to check"})},
		{Label: Wording{"Đường dẫn chứng thực", "Certificate path"}, Value: orElse(same(strings.Join(s.Path, " ← ")), Wording{"không dẫn tới gốc tin cậy nào", "leads to no trust anchor"}), Names: true},
		{Label: Wording{"Loại chữ ký", "Family"}, Value: orElse(familyWordings[s.Family], Wording{"không xác định", "unknown"})},
		{Label: Wording{"Thời gian ký", "Time"}, Value: judgedAt(s)},
		{Label: Wording{"Thời điểm do người ký khai", "Time claimed by the signer"}, Value: orElse(same(instant(s.Claimed)), Wording{"không khai", "none"})},
		{Label: Wording{"Dấu thời gian", "Timestamp"}, Value: timestampWording(s)},
		{Label: Wording{"Toàn vẹn", "Integrity"}, Value: integrity(s)},
		{Label: Wording{"Phạm vi ký", "Coverage"}, Value: coversWordings[s.Covers]},
		{Label: Wording{"Thuật toán", "Algorithms"}, Value: same(joinedText(", ", s.DigestAlgorithm, s.SignatureAlgorithm))},
		{Label: Wording{"Cơ quan ký và bên gửi", "Seal and sender"}, Value: orElse(matchWordings[s.Sender], Wording{"không so sánh", "not compared"})},
	}
}

// VerdictWording gives the words that clerks know for a verdict (R75).
func VerdictWording(v signing.Verdict) Wording {
	return map[signing.Verdict]Wording{signing.Valid: {"HỢP LỆ", "VALID"}, signing.Invalid: {"KHÔNG HỢP LỆ", "INVALID"},
		signing.Undetermined: {"CHƯA XÁC ĐỊNH", "UNDETERMINED"}, signing.Unsigned: {"KHÔNG CÓ CHỮ KÝ", "NO SIGNATURE"}}[v]
}

var roleWordings = map[signing.Role]Wording{
	signing.RolePerson: {"Người có thẩm quyền", "Competent person"}, signing.RoleAgency: {"Cơ quan, tổ chức", "Agency"},
	signing.RoleCopy: {"Bản sao", "Copy"}, signing.RoleAppendix: {"Phụ lục", "Appendix"},
}

var familyWordings = map[signing.Family]Wording{
	signing.FamilyOfficial: {"chữ ký số chuyên dùng công vụ", "official duty (công vụ)"},
	signing.FamilyPublic:   {"chữ ký số công cộng", "public (công cộng)"},
	signing.FamilyPrivate:  {"chữ ký điện tử chuyên dùng", "private (chuyên dùng)"},
	signing.FamilyAxis:     {"chữ ký của trục", "the axis's own"},
}

var coversWordings = map[signing.Covers]Wording{
	signing.CoversWhole:    {"toàn bộ tệp", "the whole file"},
	signing.CoversRevision: {"một phiên bản trước của tệp", "an earlier state of the file"},
	"":                     {"không xác định", "unknown"},
}

var matchWordings = map[signing.SenderMatch]Wording{
	signing.SenderSame:    {"khớp bên gửi", "the sender's"},
	signing.SenderFormer:  {"khớp cơ quan tiền thân của bên gửi", "of an agency whose successor the sender is"},
	signing.SenderDiffers: {"không khớp bên gửi", "not the sender's"},
}

func same(text string) Wording { return Wording{VI: text} }

func orElse(w, otherwise Wording) Wording {
	if w.VI == "" {
		return otherwise
	}
	return w
}

func joinedText(sep string, parts ...string) string {
	var some []string
	for _, p := range parts {
		if p != "" && !slices.Contains(some, p) {
			some = append(some, p)
		}
	}
	return strings.Join(some, sep)
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(storage.Vietnam).Format("02/01/2006 15:04:05")
}

func whereIs(s signing.SignatureReport) Wording {
	w := Wording{fmt.Sprintf("Chữ ký số %d", s.Number), fmt.Sprintf("No. %d", s.Number)}
	if s.Kind == "timestamp" {
		w.VI, w.EN = w.VI+" (dấu thời gian của tài liệu)", w.EN+" (document timestamp)"
	}
	if s.Field != "" {
		w.VI, w.EN = w.VI+", trường "+s.Field, w.EN+", field "+s.Field
	}
	if s.Page > 0 {
		w.VI, w.EN = fmt.Sprintf("%s, trang %d", w.VI, s.Page), fmt.Sprintf("%s, page %d", w.EN, s.Page)
	}
	if s.Rect != nil {
		r := s.Rect
		w.VI += fmt.Sprintf(", vị trí (%.0f, %.0f)–(%.0f, %.0f)", r[0], r[1], r[2], r[3])
		w.EN += fmt.Sprintf(", at (%.0f, %.0f)–(%.0f, %.0f)", r[0], r[1], r[2], r[3])
	}
	return w
}

func validity(s signing.SignatureReport) Wording {
	if s.NotAfter.IsZero() {
		return Wording{"không tìm thấy chứng thư số", "the certificate was not found"}
	}
	from, to := instant(s.NotBefore), instant(s.NotAfter)
	return Wording{"từ " + from + " đến " + to, "from " + from + " to " + to}
}

// revocationWording says what is known, from what, and as of when.
func revocationWording(r signing.RevocationReport) Wording {
	var w Wording
	switch r.Status {
	case "good":
		w = Wording{"chưa bị thu hồi", "not revoked"}
	case "revoked":
		w = Wording{"đã bị thu hồi lúc " + instant(r.RevokedAt), "revoked at " + instant(r.RevokedAt)}
		if r.RevokedFor != "" {
			why := orElse(revokedForWordings[r.RevokedFor], Wording{r.RevokedFor, r.RevokedFor})
			w.VI, w.EN = w.VI+" ("+why.VI+")", w.EN+" ("+why.EN+")"
		}
	case "unknown":
		w = Wording{"chưa xác định", "unknown"}
	default:
		return Wording{"không kiểm tra", "not checked"}
	}
	if r.Source != "" {
		how := strings.ToUpper(r.Source)
		w.VI += ", theo " + how + " phát hành " + instant(r.ThisUpdate)
		w.EN += ", by " + how + " of " + instant(r.ThisUpdate)
	}
	if !r.NextUpdate.IsZero() {
		w.VI += ", lần sau " + instant(r.NextUpdate)
		w.EN += ", next " + instant(r.NextUpdate)
	}
	return w
}

// revokedForWordings are the reason codes of RFC 5280, 5.3.1.
var revokedForWordings = map[string]Wording{
	"unspecified": {"không nêu lý do", "no reason given"}, "keyCompromise": {"lộ khóa", "key compromise"},
	"cACompromise": {"lộ khóa của CA", "CA compromise"}, "aACompromise": {"lộ khóa của bên cấp thuộc tính", "attribute authority compromise"},
	"affiliationChanged": {"thay đổi thông tin thuê bao", "affiliation changed"}, "superseded": {"đã thay bằng chứng thư số khác", "superseded"},
	"cessationOfOperation": {"ngừng sử dụng", "cessation of operation"}, "certificateHold": {"tạm dừng", "on hold"},
	"privilegeWithdrawn": {"thu hồi quyền", "privilege withdrawn"},
}

// judgedAt says at what time the signature was judged, and who vouches for it: a signer's own claim never is a fact (R74).
func judgedAt(s signing.SignatureReport) Wording {
	at := instant(s.Time)
	switch s.TimeSource {
	case signing.TimeFromTimestamp:
		return Wording{at + " (theo dấu thời gian)", at + " (by the timestamp)"}
	case signing.TimeFromReception:
		return Wording{"không có bằng chứng; xét tại thời điểm tiếp nhận " + at, "not proven; judged at reception, " + at}
	}
	return Wording{at + " (thời điểm do người ký khai)", at + " (claimed by the signer)"}
}

// pathRevocation tells of the certificates above the signer's.
func pathRevocation(list []signing.RevocationReport) Wording {
	var vi, en []string
	for _, r := range list[min(1, len(list)):] {
		w := revocationWording(r)
		vi, en = append(vi, commonName(r.Certificate)+": "+w.VI), append(en, commonName(r.Certificate)+": "+w.EN)
	}
	return Wording{strings.Join(vi, "; "), strings.Join(en, "; ")}
}

// commonName takes CN out of a name as x509 writes it, or gives it whole.
func commonName(name string) string {
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == ',' || r == '+' }) {
		if cn, ok := strings.CutPrefix(part, "CN="); ok {
			return cn
		}
	}
	return name
}

// timestampWording tells of each token: whose, when, what it is worth, and how its authority's certificate stands (R74).
func timestampWording(s signing.SignatureReport) Wording {
	var vi, en []string
	for _, t := range s.Timestamps {
		v := VerdictWording(t.Verdict)
		certificate, revoked := validity(signing.SignatureReport{NotBefore: t.NotBefore, NotAfter: t.NotAfter}), revocationWording(t.Revocation)
		vi = append(vi, fmt.Sprintf("%s: %s cấp lúc %s; chứng thư số TSA: %s, %s", strings.ToLower(v.VI), t.Authority, instant(t.Time), certificate.VI, revoked.VI))
		en = append(en, fmt.Sprintf("%s: of %s at %s; TSA certificate: %s, %s", strings.ToLower(v.EN), t.Authority, instant(t.Time), certificate.EN, revoked.EN))
	}
	switch {
	case len(vi) > 0:
		return Wording{strings.Join(vi, "; "), strings.Join(en, "; ")}
	case s.TimeSource == signing.TimeFromTimestamp:
		return Wording{"hợp lệ, do " + s.Authority + " cấp lúc " + instant(s.Time), "valid, of " + s.Authority + " at " + instant(s.Time)}
	}
	return Wording{"không có", "none"}
}

// integrity uses the words that clerks know (regulation 7.3).
func integrity(s signing.SignatureReport) Wording {
	switch {
	case s.Forged() || s.After == signing.AfterChanged:
		return Wording{"Tài liệu đã bị thay đổi", "The document was changed"}
	case s.After == signing.AfterNothing:
		return Wording{"Nội dung đã ký số chưa bị thay đổi", "The signed content is unchanged"}
	case s.After == signing.AfterSignatures:
		return Wording{"Nội dung đã ký số chưa bị thay đổi; sau đó chỉ có thêm chữ ký", "The signed content is unchanged; only signatures followed"}
	case s.After == signing.AfterAllowed:
		return Wording{"Nội dung đã ký số chưa bị thay đổi. Tuy nhiên, tài liệu đã có những thay đổi trong giới hạn cho phép", "The signed content is unchanged. However, the document has changes within what is allowed"}
	case s.After == signing.AfterAdditions:
		return Wording{"Nội dung đã ký số chưa bị thay đổi; sau đó có bổ sung đặt lên trang (số, ngày, con dấu, ghi chú)", "The signed content is unchanged; marks were laid over the page afterwards (number, date, seal, remarks)"}
	}
	return Wording{"không xác định", "unknown"}
}

// MarkWording names a mark that was laid over a page, by the annotation's /Subtype (ISO 32000-1, 12.5.6).
func MarkWording(kind string) Wording {
	if w, ok := markWordings[kind]; ok {
		return w
	}
	return Wording{VI: kind}
}

var markWordings = map[string]Wording{
	"FreeText": {"chữ ghi trên trang", "text on the page"}, "Text": {"ghi chú", "note"}, "Stamp": {"dấu", "stamp"},
	"Widget": {"trường biểu mẫu", "form field"}, "Ink": {"nét vẽ tay", "handwriting"}, "Highlight": {"tô sáng", "highlight"},
	"Square": {"khung", "rectangle"}, "Circle": {"vòng tròn", "circle"}, "Line": {"đường kẻ", "line"}, "Underline": {"gạch chân", "underline"},
	"StrikeOut": {"gạch ngang", "strike-out"}, "Link": {"liên kết", "link"}, "Popup": {"khung ghi chú", "pop-up note"},
	"Content": {"nội dung ghi thêm vào trang", "content appended to the page"},
}
