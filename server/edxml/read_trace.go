package edxml

import "strings"

func lastOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// traceHeaderList reads the hops and what the packet does to an earlier one. A second list is read on top of the first.
func (d *reader) traceHeaderList() error {
	return d.children(func(name string) error {
		switch name {
		case "Bussiness", "Business":
			if d.businessRead {
				return d.again()
			}
			d.businessRead = true
			return d.readBusiness()
		case "TraceHeader":
			return d.traceHeader()
		case "Paper": // rare: beside Bussiness instead of in it
			return d.paper()
		}
		return d.unknown()
	})
}

func (d *reader) traceHeader() error {
	var t TraceHeader
	err := d.children(func(name string) error {
		switch name {
		case "OrganId":
			return d.value(&t.OrganID)
		case "Timestamp":
			return d.moment(&t.At)
		}
		return d.unknown()
	})
	if t.OrganID == "null" { // what the axis writes for its own hop
		t.OrganID = ""
	}
	if err != nil || t == (TraceHeader{}) {
		return err
	}
	return grow(d, &d.trace, t)
}

// theBusiness is the packet's Business, made when first needed.
func (d *reader) theBusiness() *Business {
	if d.business == nil {
		d.business = &Business{Kind: KindNew}
	}
	return d.business
}

func (d *reader) paper() error {
	yes, err := d.flag()
	if yes == nil {
		return err
	}
	if b := d.theBusiness(); b.Paper == nil {
		b.Paper = yes
	}
	return err
}

func (d *reader) readBusiness() error {
	b := d.theBusiness()
	return d.children(func(name string) error {
		switch name {
		case "DocumentId":
			return d.value(&b.DocumentID)
		case "BussinessDocType", "BusinessDocType":
			return d.businessKind(b)
		case "BussinessDocReason", "BusinessDocReason":
			return d.value(&b.Reason)
		case "BussinessDocumentInfo", "BusinessDocumentInfo":
			return d.change(b)
		case "Paper":
			return d.paper()
		case "ReplacementInfoList":
			return d.replacements(b)
		case "StaffInfo":
			return d.businessStaff(b)
		}
		return d.unknown()
	})
}

// kinds are the packets by BussinessDocType.
var kinds = []Kind{KindNew, KindRecall, KindUpdate, KindReplace}

func (d *reader) businessKind(b *Business) error {
	if d.businessTyped { // under its other spelling
		return d.again()
	}
	n, ok, err := d.number()
	if err != nil || !ok {
		return err
	}
	d.businessTyped = true
	if n < 0 || n >= len(kinds) {
		name := d.s.closed.local
		d.warn(d.s.closedPath(), d.s.closed.line, malformed(name, "phải là 0 đến 3; coi như văn bản mới.", "must be 0 to 3; taken as new.",
			"0 mới, 1 thu hồi, 2 cập nhật, 3 thay thế / 0 new, 1 recall, 2 update, 3 replace"))
		return nil
	}
	b.Kind = kinds[n]
	return nil
}

func (d *reader) change(b *Business) error {
	var c Change
	err := d.children(func(name string) error {
		switch name {
		case "DocumentInfo":
			return d.isSet(&c.Content)
		case "DocumentReceiver":
			return d.isSet(&c.Receivers)
		case "ReceiverList":
			return d.children(func(name string) error {
				if name != "Receiver" {
					return d.unknown()
				}
				return d.receiver(&c)
			})
		}
		return d.unknown()
	})
	if err != nil || !c.Content && !c.Receivers && len(c.List) == 0 {
		return err
	}
	return grow(d, &b.Changes, c)
}

func (d *reader) isSet(v *bool) error {
	yes, err := d.flag()
	if yes != nil {
		*v = *yes
	}
	return err
}

func (d *reader) receiver(c *Change) error {
	var r Receiver
	var added *bool
	err := d.children(func(name string) (err error) {
		switch name {
		case "OrganId":
			return d.value(&r.OrganID)
		case "ReceiverType":
			if d.s.top().index > 1 {
				return d.again()
			}
			added, err = d.flag()
			return err
		}
		return d.unknown()
	})
	if err != nil || r.OrganID == "" && added == nil {
		return err
	}
	if added == nil { // read as removed: a person should see it
		d.warn(d.s.closedPath()+"/ReceiverType", d.s.closed.line, missing("ReceiverType"))
		added = new(bool)
	}
	r.Added = *added
	return grow(d, &c.List, r)
}

func (d *reader) replacements(b *Business) error {
	return d.children(func(name string) error {
		if name != "ReplacementInfo" {
			return d.unknown()
		}
		var r Replacement
		err := d.children(func(name string) error {
			switch name {
			case "DocumentId":
				return d.value(&r.DocumentID)
			case "OrganIdList":
				return d.items("OrganId", &r.OrganIDs)
			}
			return d.unknown()
		})
		if err != nil || r.DocumentID == "" && len(r.OrganIDs) == 0 {
			return err
		}
		return grow(d, &b.Replacements, r)
	})
}

func (d *reader) businessStaff(b *Business) error {
	var s Staff
	if err := d.staff(&s); err != nil || s == (Staff{}) {
		return err
	}
	return grow(d, &b.Staff, s)
}
