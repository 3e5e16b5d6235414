package routing

import (
	"fmt"
	"strings"
)

// MaxFaults is how many faults of one file are listed; reading stops there.
const MaxFaults = 1000

// RowFault is one fault of an import file. A file with a fault is not applied at all.
type RowFault struct {
	Row    int    `json:"row"`              // line of the file, 1 = the header; 0 = the file as a whole
	Column string `json:"column,omitempty"` // name from the header, "column 3" where there is none
	Value  string `json:"value,omitempty"`  // what stands there, cut to 60 characters and made printable
	Code   string `json:"code"`             // a word for programs
	VI     string `json:"vi"`
	EN     string `json:"en"`
}

// String gives the English line for a terminal.
func (f RowFault) String() string {
	where := fmt.Sprintf("row %d", f.Row)
	if f.Column != "" {
		where += ", " + f.Column
	}
	return where + ": " + f.EN
}

// What each word means; %s is the fault's detail.
var faultTexts = map[string]struct{ vi, en string }{
	"empty_file":        {"Tệp rỗng: thiếu dòng tiêu đề%s", "The file is empty: it lacks the header line%s"},
	"not_csv":           {"Tệp không phải CSV (%s)", "The file is no CSV (%s)"},
	"too_large":         {"Tệp lớn hơn giới hạn %s", "The file is larger than the limit of %s"},
	"too_many_rows":     {"Tệp có hơn %s dòng", "The file has more than %s rows"},
	"missing_column":    {"Thiếu cột %s", "The column %s is missing"},
	"unknown_column":    {"Không có cột tên như vậy; các cột: %s", "There is no such column; the columns are: %s"},
	"double_column":     {"Cột này có hai lần%s", "This column is there twice%s"},
	"cells":             {"Dòng có số ô khác tiêu đề: %s", "The row has another number of cells than the header: %s"},
	"quote":             {"Dấu nháy kép sai chỗ: %s", "A quotation mark is out of place: %s"},
	"encoding":          {"Không phải UTF-8 (có thể là Windows-1258 hoặc TCVN3)%s", "Not UTF-8 (perhaps Windows-1258 or TCVN3)%s"},
	"control":           {"Có ký tự điều khiển hoặc xuống dòng trong ô%s", "A control character or line break is in the cell%s"},
	"formula":           {"Ô bắt đầu như công thức bảng tính (= + - @)%s", "The cell begins like a spreadsheet formula (= + - @)%s"},
	"missing":           {"Bắt buộc phải có giá trị%s", "A value is required%s"},
	"too_long":          {"Dài quá %s ký tự", "Longer than %s characters"},
	"malformed_code":    {"%s", "%s"},
	"bad_status":        {"Trạng thái phải là live, locked hoặc closed%s", "The status must be live, locked or closed%s"},
	"bad_date":          {"Ngày phải có dạng 2025-07-01 hoặc 01/07/2025%s", "A date must be written 2025-07-01 or 01/07/2025%s"},
	"date_order":        {"Ngày kết thúc không sau ngày bắt đầu%s", "The end is not after the beginning%s"},
	"too_many":          {"Có hơn %s mã", "There are more than %s codes"},
	"duplicate_code":    {"Mã đã có ở dòng %s", "The code is already in row %s"},
	"duplicate_old":     {"Mã cũ đã thuộc về %s", "The old code already belongs to %s"},
	"orphan":            {"Không có đơn vị cha mang mã này%s", "No agency has this code, so it cannot be a parent%s"},
	"cycle":             {"Quan hệ cha–con quay vòng: %s", "The parents run in a circle: %s"},
	"unknown_successor": {"Không có đơn vị kế thừa mang mã này%s", "No agency has this code, so it cannot be a successor%s"},
	"successor_cycle":   {"Quan hệ kế thừa quay vòng: %s", "The successors run in a circle: %s"},
}

// FaultWords lists the words of RowFault.Code, for tests and documents.
func FaultWords() []string {
	words := make([]string, 0, len(faultTexts))
	for w := range faultTexts {
		words = append(words, w)
	}
	return words
}

func newFault(row int, column, value, word, detail string) RowFault {
	t := faultTexts[word]
	f := RowFault{Row: row, Column: column, Value: show(value), Code: word}
	f.VI, f.EN = strings.Replace(t.vi, "%s", detail, 1), strings.Replace(t.en, "%s", detail, 1)
	return f
}

// codeFault takes both sentences from the code's own error.
func codeFault(row int, column, value string, err error) RowFault {
	f := RowFault{Row: row, Column: column, Value: show(value), Code: "malformed_code", VI: err.Error(), EN: err.Error()}
	if e, ok := err.(*CodeError); ok {
		f.VI, f.EN = e.VI, e.EN
	}
	return f
}
