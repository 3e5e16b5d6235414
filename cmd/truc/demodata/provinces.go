package demodata

import (
	"fmt"
	"strings"

	"github.com/truc-lienthong/truc/routing"
)

// province is a row of regulation.md section 5.3: the statistical office's code, the agency code that the province kept,
// how many communes it has, and the provinces that went into it.
type province struct {
	gso      string
	code     routing.Code
	communes int
	closed   []closedProvince
}

type closedProvince struct {
	code routing.Code
	name string
}

// The 34 provinces of Resolution 202/2025/QH15. The office's code and the agency code have nothing to do with each other.
var provinces = []province{
	{"91", "H01", 102, []closedProvince{{"H33", "Kiên Giang"}}},
	{"24", "H05", 99, []closedProvince{{"H02", "Bắc Giang"}}},
	{"96", "H12", 64, []closedProvince{{"H04", "Bạc Liêu"}}},
	{"92", "H13", 103, []closedProvince{{"H51", "Sóc Trăng"}, {"H30", "Hậu Giang"}}},
	{"04", "H14", 56, nil},
	{"66", "H15", 102, []closedProvince{{"H45", "Phú Yên"}}},
	{"48", "H17", 94, []closedProvince{{"H47", "Quảng Nam"}}},
	{"11", "H18", 45, nil},
	{"75", "H19", 95, []closedProvince{{"H10", "Bình Phước"}}},
	{"82", "H20", 102, []closedProvince{{"H58", "Tiền Giang"}}},
	{"52", "H21", 135, []closedProvince{{"H08", "Bình Định"}}},
	{"31", "H24", 114, []closedProvince{{"H23", "Hải Dương"}}},
	{"01", "H26", 126, nil},
	{"42", "H27", 69, nil},
	{"79", "H29", 168, []closedProvince{{"H09", "Bình Dương"}, {"H06", "Bà Rịa – Vũng Tàu"}}},
	{"33", "H31", 104, []closedProvince{{"H54", "Thái Bình"}}},
	{"56", "H32", 65, []closedProvince{{"H43", "Ninh Thuận"}}},
	{"12", "H35", 38, nil},
	{"68", "H36", 124, []closedProvince{{"H16", "Đắk Nông"}, {"H11", "Bình Thuận"}}},
	{"20", "H37", 65, nil},
	{"15", "H38", 99, []closedProvince{{"H63", "Yên Bái"}}},
	{"40", "H41", 130, nil},
	{"37", "H42", 129, []closedProvince{{"H25", "Hà Nam"}, {"H40", "Nam Định"}}},
	{"25", "H44", 148, []closedProvince{{"H62", "Vĩnh Phúc"}, {"H28", "Hòa Bình"}}},
	{"51", "H48", 96, []closedProvince{{"H34", "Kon Tum"}}},
	{"22", "H49", 54, nil},
	{"44", "H50", 78, []closedProvince{{"H46", "Quảng Bình"}}},
	{"14", "H52", 75, nil},
	{"80", "H53", 96, []closedProvince{{"H39", "Long An"}}},
	{"19", "H55", 92, []closedProvince{{"H03", "Bắc Kạn"}}},
	{"38", "H56", 166, nil},
	{"46", "H57", 40, nil},
	{"08", "H60", 124, []closedProvince{{"H22", "Hà Giang"}}},
	{"86", "H61", 124, []closedProvince{{"H07", "Bến Tre"}, {"H59", "Trà Vinh"}}},
}

func (p province) agency(names addresses) routing.Agency {
	name := "UBND tỉnh " + names.provinces[p.gso]
	if city, ok := strings.CutPrefix(names.provinces[p.gso], "Thành phố "); ok {
		name = "UBND thành phố " + city
	}
	return routing.Agency{
		Code: p.code, OldCode: oldForm(p.code), Name: name, Kind: "UBND cấp tỉnh", Status: routing.Live,
		ValidFrom: since2020, Decision: "QĐ 20/2020/QĐ-TTg", CodeSource: SourceLaw,
	}
}

// closedOnes: a merged province keeps the code of the one whose name it keeps, the others' are closed (QĐ 09/2025/QĐ-TTg).
func (p province) closedOnes() []routing.Agency {
	var out []routing.Agency
	for _, c := range p.closed {
		out = append(out, routing.Agency{
			Code: c.code, OldCode: oldForm(c.code), Name: "UBND tỉnh " + c.name, Kind: "UBND cấp tỉnh", Status: routing.Closed,
			ValidFrom: since2020, ValidTo: reform, Successors: []routing.Code{p.code},
			Decision: "QĐ 09/2025/QĐ-TTg", CodeSource: SourceLaw,
		})
	}
	return out
}

// The bodies under a province, in the order of regulation.md section 11, step 2.
var departmentNames = []string{
	"Văn phòng UBND", "Sở Nội vụ", "Sở Tư pháp", "Sở Tài chính", "Sở Công Thương", "Sở Nông nghiệp và Môi trường", "Sở Xây dựng",
	"Sở Khoa học và Công nghệ", "Sở Văn hóa, Thể thao và Du lịch", "Sở Giáo dục và Đào tạo", "Sở Y tế", "Sở Dân tộc và Tôn giáo",
	"Sở Ngoại vụ", "Thanh tra tỉnh", "Ban Quản lý các khu công nghiệp",
}

// departments gives .01 to .15 of a province.
func departments(p province) []routing.Agency {
	var out []routing.Agency
	for i, name := range departmentNames {
		code := routing.Code(fmt.Sprintf("%s.%02d", p.code, i+1))
		out = append(out, routing.Agency{
			Code: code, OldCode: oldForm(code), Name: name, Parent: p.code, Kind: "Cơ quan cấp tỉnh", Status: routing.Live,
			ValidFrom: reform, CodeSource: Synthetic,
		})
	}
	return out
}
