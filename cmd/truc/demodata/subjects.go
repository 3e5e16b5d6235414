package demodata

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/truc-lienthong/truc/routing"
)

// Subject is one realistic document for the demo to send.
type Subject struct {
	Type     string // name of the document type: "Công văn"
	TypeCode int    // its place in NĐ 30/2020 art. 7: Công văn 18, Công điện 19
	Notation string // pattern; {org} stands for the sender's abbreviation: "{org}-VP", "QĐ-{org}"
	Subject  string // trích yếu, at most 500 characters (R63)
	Urgency  routing.Urgency
}

// Subjects gives two dozen documents such as agencies send every day. The slice is the caller's own.
func Subjects() []Subject { return slices.Clone(subjects) }

// NotationFor writes the pattern for a sender: "QĐ-{org}" of UBND tỉnh An Giang is "QĐ-UBND" (NĐ 30/2020 art. 15).
func (s Subject) NotationFor(sender routing.Agency) string {
	return strings.ReplaceAll(s.Notation, "{org}", Abbreviation(sender))
}

// Abbreviation gives the letters for an agency in a notation: UBND, VPCP, BGDĐT.
func Abbreviation(a routing.Agency) string {
	first, _, _ := strings.Cut(a.Name, " ")
	if first == "UBND" {
		return first
	}
	var b strings.Builder
	for _, word := range strings.FieldsFunc(a.Name, func(r rune) bool { return strings.ContainsRune(" ,–-", r) }) {
		r, _ := utf8.DecodeRuneInString(word)
		if word == "UBND" || word == "HĐND" {
			b.WriteString(word)
		} else if word != "và" && word != "các" {
			b.WriteString(strings.ToUpper(string(r)))
		}
	}
	return b.String()
}

var subjects = []Subject{
	{"Công văn", 18, "{org}-VP", "V/v triển khai gửi, nhận văn bản điện tử có ký số trên Trục liên thông văn bản quốc gia", routing.Normal},
	{"Công văn", 18, "{org}-TH", "V/v báo cáo tình hình thực hiện nhiệm vụ phát triển kinh tế – xã hội 10 tháng năm 2026", routing.Normal},
	{"Công văn", 18, "{org}-NC", "V/v trả lời kiến nghị của cử tri gửi trước Kỳ họp thứ hai, Quốc hội khóa XVI", routing.Normal},
	{"Công văn", 18, "{org}-KT", "V/v đẩy nhanh tiến độ giải ngân vốn đầu tư công những tháng cuối năm 2026", routing.Urgent},
	{"Công văn", 18, "{org}-VX", "V/v tăng cường phòng, chống dịch sốt xuất huyết trên địa bàn", routing.Urgent},
	{"Công văn", 18, "{org}-NN", "V/v chủ động ứng phó với xâm nhập mặn mùa khô 2026–2027", routing.VeryUrgent},
	{"Công văn", 18, "{org}-KSTT", "V/v rà soát thủ tục hành chính thuộc thẩm quyền giải quyết của UBND cấp xã", routing.Normal},
	{"Công văn", 18, "{org}-TCCB", "V/v góp ý dự thảo Nghị định quy định chế độ làm việc của công chức cấp xã", routing.Normal},
	{"Công điện", 19, "CĐ-{org}", "Về việc tập trung ứng phó khẩn cấp bão số 12 và mưa lũ sau bão", routing.Express},
	{"Công điện", 19, "CĐ-{org}", "Về việc bảo đảm an toàn hồ đập, di dời dân khỏi vùng có nguy cơ sạt lở đất, lũ quét", routing.Express},
	{"Công điện", 19, "CĐ-{org}", "Về việc tăng cường phòng cháy, chữa cháy tại khu dân cư và cơ sở sản xuất", routing.VeryUrgent},
	{"Quyết định", 2, "QĐ-{org}", "Về việc ban hành Quy chế tiếp nhận, xử lý, phát hành và quản lý văn bản điện tử", routing.Normal},
	{"Quyết định", 2, "QĐ-{org}", "Về việc công bố danh mục thủ tục hành chính được sửa đổi, bổ sung lĩnh vực đất đai", routing.Normal},
	{"Quyết định", 2, "QĐ-{org}", "Về việc phê duyệt kế hoạch sử dụng đất năm 2027", routing.Normal},
	{"Chỉ thị", 3, "CT-{org}", "Về việc tổ chức đón Tết Nguyên đán Đinh Mùi 2027 vui tươi, an toàn, tiết kiệm", routing.Normal},
	{"Chỉ thị", 3, "CT-{org}", "Về việc tăng cường kỷ luật, kỷ cương hành chính trong cơ quan nhà nước", routing.Normal},
	{"Thông báo", 7, "TB-{org}", "Kết luận của Phó Chủ tịch tại cuộc họp về tiến độ các dự án giao thông trọng điểm", routing.Normal},
	{"Thông báo", 7, "TB-{org}", "Về việc nghỉ lễ và phân công trực bảo đảm an ninh, trật tự", routing.Normal},
	{"Hướng dẫn", 8, "HD-{org}", "Thực hiện cấp và sử dụng chữ ký số chuyên dùng công vụ tại UBND cấp xã", routing.Normal},
	{"Kế hoạch", 10, "KH-{org}", "Chuyển đổi số năm 2027", routing.Normal},
	{"Kế hoạch", 10, "KH-{org}", "Diễn tập ứng phó sự cố an toàn thông tin mạng năm 2026", routing.Normal},
	{"Báo cáo", 14, "BC-{org}", "Kết quả công tác cải cách hành chính Quý III năm 2026", routing.Normal},
	{"Báo cáo", 14, "BC-{org}", "Thiệt hại do mưa lũ gây ra và công tác khắc phục hậu quả (tính đến 17 giờ)", routing.VeryUrgent},
	{"Tờ trình", 16, "TTr-{org}", "Về việc đề nghị hỗ trợ kinh phí khắc phục hậu quả thiên tai năm 2026", routing.Urgent},
	{"Giấy mời", 23, "GM-{org}", "Họp trực tuyến sơ kết công tác vận hành chính quyền địa phương hai cấp", routing.Urgent},
	{"Phiếu chuyển", 27, "PC-{org}", "Chuyển đơn kiến nghị của công dân đến cơ quan có thẩm quyền giải quyết", routing.Normal},
}
