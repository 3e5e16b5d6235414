package demodata

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/truc-lienthong/truc/routing"
)

//go:embed address.tsv
var addressTSV string

// addresses are the names in address.tsv, by the statistical office's code of the province.
type addresses struct {
	provinces map[string]string
	wards     map[string][]string
}

func readAddresses() addresses {
	a := addresses{provinces: make(map[string]string), wards: make(map[string][]string)}
	for line := range strings.Lines(addressTSV) {
		switch f := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); f[0] {
		case "P":
			a.provinces[f[1]] = f[2]
		case "W":
			a.wards[f[2]] = append(a.wards[f[2]], f[3])
		}
	}
	return a
}

// The one commune whose code is published, and its number.
const (
	dinhMy     = "Xã Định Mỹ"
	dinhMyCode = routing.Code("H01.151")
)

// communes numbers the communes of a province from .51 on, in the order phường, xã, đặc khu, then name. That is the order of
// code points of the full names, for P < X < Đ.
func communes(p province, names addresses) []routing.Agency {
	wards := slices.Sorted(slices.Values(names.wards[p.gso]))
	pin(p, wards)
	var out []routing.Agency
	for i, ward := range wards {
		code := routing.Code(fmt.Sprintf("%s.%d", p.code, 51+i))
		source := Synthetic
		if code == dinhMyCode {
			source = SourcePublished
		}
		out = append(out, routing.Agency{
			Code: code, OldCode: oldForm(code), Name: "UBND " + lowerFirst(ward), Parent: p.code, Kind: "UBND cấp xã",
			Status: routing.Live, ValidFrom: reform, CodeSource: source,
		})
	}
	return out
}

// pin brings Định Mỹ to the place of its real code; the one that stood there takes its place.
func pin(p province, wards []string) {
	if p.code != "H01" {
		return
	}
	const place = 151 - 51
	at := slices.Index(wards, dinhMy)
	wards[at], wards[place] = wards[place], wards[at]
}

// lowerFirst: "Xã Định Mỹ" is "xã Định Mỹ" within a name.
func lowerFirst(ward string) string {
	for _, kind := range []string{"Phường", "Xã", "Đặc khu"} {
		if rest, ok := strings.CutPrefix(ward, kind); ok {
			return strings.ToLower(kind) + rest
		}
	}
	return ward
}

// dinhMyUnits are the five published units of UBND xã Định Mỹ.
func dinhMyUnits() []routing.Agency {
	var out []routing.Agency
	for i, name := range []string{
		"Trung tâm Phục vụ hành chính công", "Văn phòng HĐND và UBND", "Phòng Kinh tế", "Phòng Văn hóa – Xã hội", "Trung tâm Dịch vụ tổng hợp",
	} {
		out = append(out, routing.Agency{
			Code: routing.Code(fmt.Sprintf("%s.%02d", dinhMyCode, i+1)), Name: name, Parent: dinhMyCode, Kind: "Đơn vị cấp xã",
			Status: routing.Live, ValidFrom: reform, CodeSource: SourcePublished,
		})
	}
	return out
}
