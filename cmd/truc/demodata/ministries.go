package demodata

import "github.com/truc-lienthong/truc/routing"

// The ministries and government agencies after QĐ 09/2025/QĐ-TTg (regulation.md section 5.2; G36 and G39 by their short
// titles, which is all that was seen).
var liveMinistries = []struct {
	code routing.Code
	name string
}{
	{"G01", "Bộ Công an"},
	{"G02", "Bộ Công Thương"},
	{"G03", "Bộ Giáo dục và Đào tạo"},
	{"G06", "Bộ Khoa học và Công nghệ"},
	{"G08", "Bộ Ngoại giao"},
	{"G09", "Bộ Nội vụ"},
	{"G10", "Bộ Nông nghiệp và Môi trường"},
	{"G11", "Bộ Quốc phòng"},
	{"G12", "Bộ Tài chính"},
	{"G15", "Bộ Tư pháp"},
	{"G16", "Bộ Văn hóa, Thể thao và Du lịch"},
	{"G17", "Bộ Xây dựng"},
	{"G18", "Bộ Y tế"},
	{"G19", "Ngân hàng Nhà nước Việt Nam"},
	{"G20", "Thanh tra Chính phủ"},
	{"G21", "Bộ Dân tộc và Tôn giáo"},
	{"G22", "Văn phòng Chính phủ"},
	{"G27", "Đài Tiếng nói Việt Nam"},
	{"G28", "Đài Truyền hình Việt Nam"},
	{"G30", "Thông tấn xã Việt Nam"},
	{"G31", "Viện Hàn lâm Khoa học và Công nghệ Việt Nam"},
	{"G32", "Viện Hàn lâm Khoa học xã hội Việt Nam"},
	{"G35", "Ủy ban An toàn giao thông Quốc gia"},
	{"G36", "Ủy ban Quản lý vốn nhà nước"},
	{"G38", "Ủy ban sông Mê Công Việt Nam"},
	{"G39", "Ủy ban Trữ lượng khoáng sản"},
	{"G40", "Ủy ban Chỉ đạo kinh tế biển"},
}

// nameUnknown: the annex that names them was not to be had, and a name is not to be guessed.
const nameUnknown = "Cơ quan đã đóng mã (tên chưa xác lập)"

// The closed ones. Successors are common knowledge of the mergers of 2025, not of the decision's text; where none is known
// none is given. The day of closing was not seen and is left open. G14 is in neither list of the decision.
var closedMinistries = []struct {
	code       routing.Code
	name       string
	successors []routing.Code
	decision   string
}{
	{"G04", "Bộ Giao thông vận tải", []routing.Code{"G17"}, decision09},
	{"G05", "Bộ Kế hoạch và Đầu tư", []routing.Code{"G12"}, decision09},
	{"G07", "Bộ Lao động – Thương binh và Xã hội", []routing.Code{"G09", "G18", "G03"}, decision09},
	{"G13", "Bộ Tài nguyên và Môi trường", []routing.Code{"G10"}, decision09},
	{"G14", "Bộ Thông tin và Truyền thông", []routing.Code{"G06"}, ""},
	{"G23", nameUnknown, nil, decision09},
	{"G24", "Bảo hiểm xã hội Việt Nam", []routing.Code{"G12"}, decision09},
	{"G25", nameUnknown, nil, decision09},
	{"G26", nameUnknown, nil, decision09},
	{"G34", nameUnknown, []routing.Code{"G12"}, decision09},
	{"G37", nameUnknown, nil, decision09},
}

const decision09 = "QĐ 09/2025/QĐ-TTg"

func ministries() []routing.Agency {
	var out []routing.Agency
	for _, m := range liveMinistries {
		out = append(out, routing.Agency{
			Code: m.code, OldCode: oldForm(m.code), Name: m.name, Kind: "Cơ quan trung ương", Status: routing.Live,
			ValidFrom: since2020, Decision: "QĐ 20/2020/QĐ-TTg", CodeSource: SourceLaw,
		})
	}
	for _, m := range closedMinistries {
		out = append(out, routing.Agency{
			Code: m.code, OldCode: oldForm(m.code), Name: m.name, Kind: "Cơ quan trung ương", Status: routing.Closed,
			ValidFrom: since2020, Successors: m.successors, Decision: m.decision, CodeSource: SourceLaw,
		})
	}
	return out
}
