package edxml

import "fmt"

// statusChild reads the children that only a status packet has.
func (d *reader) statusChild(h *header, name string) error {
	switch name {
	case "StatusCode":
		h.coded, h.codeLine = true, d.s.top().line
		return d.value(&h.status.Code)
	case "Description":
		return d.value(&h.status.Description)
	case "Timestamp":
		if err := d.moment(&h.status.At); err != nil {
			return err
		}
		d.notLater(h.status.At)
		return nil
	case "StaffInfo":
		return d.staff(&h.status.Staff)
	}
	return d.unknown()
}

// staff reads StaffInfo, in a status and in Bussiness.
func (d *reader) staff(s *Staff) error {
	return d.group(map[string]*string{"Department": &s.Department, "DepartmentId": &s.DepartmentID, "Staff": &s.Name, "StaffId": &s.NameID,
		"Email": &s.Email, "Mobile": &s.Mobile})
}

// StatusCodes are the nine that exist (spec 2.7), with what they say.
var StatusCodes = map[string]string{
	"01": "Đã đến", "02": "Từ chối tiếp nhận", "03": "Đã tiếp nhận", "04": "Phân công", "05": "Đang xử lý", "06": "Hoàn thành",
	"13": "Lấy lại", "15": "Đồng ý lấy lại/cập nhật", "16": "Từ chối lấy lại/cập nhật",
}

// checkStatus says what a status packet lacks. Its ResponseFor is its recipient and its document.
func (d *reader) checkStatus(h *header, path string, line int) {
	if !h.from {
		d.fail(path+"/From", line, missing("From"))
	}
	s := &h.status
	switch at := h.responseLine; {
	case s.ResponseFor == (ResponseFor{}):
		d.fail(path+"/ResponseFor", line, missing("ResponseFor"))
	case s.ResponseFor.OrganID == "":
		d.fail(path+"/ResponseFor/OrganId", at, missing("OrganId"))
	case s.ResponseFor.DocumentID == "":
		d.fail(path+"/ResponseFor/DocumentId", at, missing("DocumentId"))
	}
	if len(h.doc.ResponseFor) > 1 {
		d.warn(path+"/ResponseFor[2]", line, malformed("ResponseFor", "lặp lại; chỉ dùng lần đầu.", "is given more than once; only the first counts.", "Gửi mỗi văn bản một gói / Send one packet for each document"))
	}
	d.checkStatusCode(h, path, line)
	if s.At.IsZero() {
		d.warn(path+"/Timestamp", line, missing("Timestamp"))
	}
	if (s.Code == "02" || s.Code == "16") && s.Description == "" {
		d.warn(path+"/Description", line, missing("Description"))
	}
}

// checkStatusCode refuses a code that does not exist (R26); "3" is taken for "03".
func (d *reader) checkStatusCode(h *header, path string, line int) {
	s := &h.status
	line = max(h.codeLine, line)
	if s.Code == "" {
		d.fail(path+"/StatusCode", line, missing("StatusCode"))
		return
	}
	if len(s.Code) == 1 && StatusCodes["0"+s.Code] != "" {
		s.Code = "0" + s.Code
		d.warn(path+"/StatusCode", line, malformed("StatusCode", "phải có hai chữ số.", "must have two digits.", "Ghi "+s.Code+" / Write "+s.Code))
	}
	if StatusCodes[s.Code] == "" {
		code := clip(s.Code)
		d.fail(path+"/StatusCode", line, sentence{UnknownCode, fmt.Sprintf("Không có mã trạng thái \"%s\".", code), fmt.Sprintf("There is no status code \"%s\".", code),
			"Dùng 01, 02, 03, 04, 05, 06, 13, 15 hoặc 16 / Use 01, 02, 03, 04, 05, 06, 13, 15 or 16"})
	}
}

// checkDocument says what a document's header lacks: without a sender, a recipient or an identity nothing can be done with it; the rest
// is shown.
func (d *reader) checkDocument(h *header, path string, line int) {
	doc := &h.doc
	for _, need := range []struct {
		name    string
		present bool
	}{{"From", h.from}, {"To", h.to > 0}, {"DocumentId", doc.ID != ""}} {
		if !need.present {
			d.fail(path+"/"+need.name, line, missing(need.name))
		}
	}
	for _, want := range []struct {
		name    string
		present bool
	}{
		{"Code/CodeNumber", doc.Number != ""}, {"Code/CodeNotation", doc.Notation != ""}, {"PromulgationInfo/PromulgationDate", !doc.PromulgationDate.IsZero()},
		{"DocumentType/TypeName", doc.Type.Name != ""}, {"Subject", doc.Subject != ""},
	} {
		if !want.present {
			d.warn(path+"/"+want.name, line, missing(lastOf(want.name)))
		}
	}
}
