package edxml

import (
	"fmt"
	"strings"
)

// header is a MessageHeader while it is read: whether it is a document's or a status's shows only at its end, for order is free.
type header struct {
	doc    Document
	status Status

	from         bool // a From has been read
	to           int  // To elements
	recipients   map[string]bool
	coded        bool // a StatusCode has been read
	codeLine     int
	responseLine int // of the first ResponseFor
	partyLine    int // of its OrganId, when it has one
}

// messageHeader reads MessageHeader, or Status, as Bkav calls it in a status packet.
func (d *reader) messageHeader(named bool) error {
	h := header{recipients: map[string]bool{}}
	h.doc.Type.Type = defaultType
	path, line := d.s.path(), d.s.top().line
	h.responseLine, h.partyLine = line, line
	d.p.header = path
	if err := d.children(func(name string) error { return d.messageChild(&h, name) }); err != nil {
		return err
	}
	if named || h.isStatus() {
		d.p.Kind, d.p.Status, d.p.parties = KindStatus, &h.status, []party{{1, h.partyLine}}
		d.checkStatus(&h, path, line)
		return nil
	}
	d.p.Document = &h.doc
	d.checkDocument(&h, path, line)
	return d.strays(&h, path, line)
}

// isStatus says whether a MessageHeader is a status's: it has a StatusCode, or lacks only that; but with both To and DocumentId it is a
// document, whatever strays into it.
func (h *header) isStatus() bool {
	if h.to > 0 && h.doc.ID != "" {
		return false
	}
	uncoded := h.to == 0 && h.doc.ID == "" && len(h.doc.ResponseFor) > 0 && (!h.status.At.IsZero() || h.status.Staff != (Staff{}))
	return h.coded || uncoded
}

// strays keeps what only a status has but stood in a document, as unknown elements.
func (d *reader) strays(h *header, path string, line int) error {
	s := &h.status
	for _, x := range []struct{ name, text string }{{"StatusCode", s.Code}, {"Description", s.Description}, {"StaffInfo/Department", s.Staff.Department},
		{"StaffInfo/Staff", s.Staff.Name}, {"StaffInfo/Email", s.Staff.Email}, {"StaffInfo/Mobile", s.Staff.Mobile}} {
		if x.text == "" || len(d.unknownFound) >= maxUnknown {
			continue
		}
		d.unknownFound = append(d.unknownFound, Unknown{path + "/" + x.name, line, x.text})
		if err := d.hold(groupCost + len(path)); err != nil {
			return err
		}
	}
	return nil
}

// defaultType is what VNPT's parser takes where no type is given.
const defaultType = 2

// once are the children that are read by themselves and not as a value, and may come once.
var once = map[string]bool{"From": true, "Code": true, "PromulgationInfo": true, "DocumentType": true, "SignerInfo": true, "OtherInfo": true,
	"SteeringType": true, "ResponseForTask": true, "ToPlaces": true, "StaffInfo": true, "StatusCode": true}

func (d *reader) messageChild(h *header, name string) error {
	if once[name] && d.s.top().index > 1 {
		return d.again()
	}
	doc := &h.doc
	switch name {
	case "From":
		h.from = true
		return d.sender(h)
	case "To":
		return d.recipient(h)
	case "DocumentId":
		return d.value(&doc.ID)
	case "Code":
		return d.group(map[string]*string{"CodeNumber": &doc.Number, "CodeNotation": &doc.Notation})
	case "PromulgationInfo":
		return d.promulgation(doc)
	case "DocumentType":
		return d.documentType(&doc.Type)
	case "Subject":
		return d.value(&doc.Subject)
	case "Content":
		return d.value(&doc.Content)
	case "SignerInfo":
		return d.group(map[string]*string{"Competence": &doc.Signer.Competence, "Position": &doc.Signer.Position, "FullName": &doc.Signer.FullName})
	case "DueDate":
		return d.day(&doc.DueDate)
	case "OtherInfo":
		return d.children(func(name string) error { return d.otherInfo(&doc.Other, name) })
	case "ResponseFor":
		return d.responseFor(h)
	case "SteeringType":
		return d.steering(doc)
	case "ResponseForTask":
		return d.items("TaskCode", &doc.Tasks)
	case "ApplicationType":
		return d.value(&doc.ApplicationType)
	case "ToPlaces":
		return d.toPlaces(doc)
	}
	return d.statusChild(h, name)
}

// group reads an element whose children are values.
func (d *reader) group(fields map[string]*string) error {
	return d.children(func(name string) error {
		if v, ok := fields[name]; ok {
			return d.value(v)
		}
		return d.unknown()
	})
}

// organization reads From or To. at is the line of its code, or its own when it has none.
func (d *reader) organization(o *Organization) (at int, err error) {
	at = d.s.top().line
	err = d.children(func(name string) error {
		switch name {
		case "OrganId":
			if d.s.top().index == 1 {
				at = d.s.top().line
			}
			return d.value(&o.ID)
		case "OrganizationInCharge":
			return d.value(&o.InCharge)
		case "OrganName":
			return d.value(&o.Name)
		case "OrganAdd":
			return d.value(&o.Address)
		case "Email":
			return d.value(&o.Email)
		case "Telephone":
			return d.value(&o.Telephone)
		case "Fax":
			return d.value(&o.Fax)
		case "Website":
			return d.value(&o.Website)
		}
		return d.unknown()
	})
	return at, err
}

func (d *reader) sender(h *header) error {
	var o Organization
	at, err := d.organization(&o)
	if err != nil {
		return err
	}
	if o.ID == "" {
		d.fail(d.s.closedPath()+"/OrganId", at, missing("OrganId"))
	}
	d.checkCode(o.ID, at)
	h.doc.From, h.status.From = o, o
	d.p.from = at
	return nil
}

func (d *reader) recipient(h *header) error {
	if h.to++; h.to > MaxRecipients {
		return d.s.refuse(TooLong, fmt.Sprintf("Gói tin có quá %d nơi nhận.", MaxRecipients), fmt.Sprintf("The packet has more than %d recipients.", MaxRecipients),
			"Chia thành nhiều gói tin / Split it into several packets")
	}
	var o Organization
	at, err := d.organization(&o)
	if err != nil {
		return err
	}
	if o.ID == "" {
		d.fail(d.s.closedPath()+"/OrganId", at, missing("OrganId"))
	}
	d.checkCode(o.ID, at)
	if key := strings.ToUpper(o.ID); key != "" && h.recipients[key] {
		d.warn(d.s.closedPath(), d.s.closed.line, malformed("To", "lặp lại mã "+o.ID+".", "repeats the code "+o.ID+".", "Bỏ nơi nhận lặp / Remove the doubled recipient"))
	} else {
		h.recipients[key] = true
	}
	if o == (Organization{}) { // the packet is refused, and five bytes of <To/> need not cost two hundred
		return nil
	}
	h.doc.To = append(h.doc.To, o)
	d.p.parties = append(d.p.parties, party{h.to, at})
	return d.hold(groupCost + recipientCost)
}

// recipientCost is what noticing doubled recipients costs.
const recipientCost = 64

// checkCode warns of a code that no directory can hold; whether it exists is the directory's to say.
func (d *reader) checkCode(code string, line int) {
	odd := strings.Trim(code, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.") != "" ||
		strings.HasPrefix(code, ".") || strings.HasSuffix(code, ".") || strings.Contains(code, "..") || strings.Count(code, ".") > 3
	if odd {
		d.warn(d.s.closedPath()+"/OrganId", line, malformed("OrganId", "\""+clip(code)+"\" không đúng dạng mã định danh (tối đa 4 nhóm chữ và số, cách nhau bằng dấu chấm).",
			"\""+clip(code)+"\" does not look like an agency code (at most 4 groups of letters and digits between dots).", "Kiểm tra lại mã / Check the code"))
	}
}

// clip shortens what is quoted in a sentence.
func clip(text string) string {
	letters := []rune(text[:min(len(text), 200)])
	if len(letters) < 40 {
		return strings.ToValidUTF8(string(letters), "")
	}
	return string(letters[:40]) + "…"
}

func (d *reader) promulgation(doc *Document) error {
	return d.children(func(name string) error {
		switch name {
		case "Place":
			return d.value(&doc.Place)
		case "PromulgationDate":
			if err := d.day(&doc.PromulgationDate); err != nil {
				return err
			}
			d.notLater(doc.PromulgationDate)
			return nil
		}
		return d.unknown()
	})
}

func (d *reader) documentType(t *DocumentType) error {
	return d.children(func(name string) error {
		switch name {
		case "Type":
			n, ok, err := d.number()
			if ok {
				t.Type = n
			}
			if ok && n != 1 && n != 2 {
				d.warn(d.s.closedPath(), d.s.closed.line, malformed(name, "ngoài hai nhóm 1 và 2.", "is neither 1 nor 2.", "1: quy phạm pháp luật, 2: hành chính / 1: legal normative, 2: administrative"))
			}
			return err
		case "TypeDetail":
			n, ok, err := d.number()
			if ok {
				t.Detail = &n
			}
			return err
		case "TypeName":
			return d.value(&t.Name)
		}
		return d.unknown()
	})
}

func (d *reader) steering(doc *Document) error {
	n, ok, err := d.number()
	if ok {
		doc.Steering = &n
	}
	return err
}

// maxToPlaces is the sum of characters that R63 allows for ToPlaces.
const maxToPlaces = 1000

func (d *reader) toPlaces(doc *Document) error {
	if err := d.items("Place", &doc.ToPlaces); err != nil {
		return err
	}
	if n := len([]rune(strings.Join(doc.ToPlaces, ""))); n > maxToPlaces {
		d.warn(d.s.closedPath(), d.s.closed.line, tooLong("ToPlaces", n, maxToPlaces))
	}
	return nil
}
