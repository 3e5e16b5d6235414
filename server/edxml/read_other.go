package edxml

import "strings"

// otherInfo reads one child of OtherInfo.
func (d *reader) otherInfo(o *OtherInfo, name string) error {
	switch name {
	case "Priority":
		return d.priority(&o.Priority)
	case "SphereOfPromulgation":
		return d.value(&o.Sphere)
	case "TyperNotation":
		return d.value(&o.TyperNotation)
	case "PromulgationAmount":
		return d.amount(&o.PromulgationAmount)
	case "PageAmount":
		return d.amount(&o.PageAmount)
	case "ReplyFors":
		return d.joined(&o.ReplyFors)
	case "Direction":
		yes, err := d.flag()
		if yes != nil {
			o.Direction = yes
		}
		return err
	case "ReferenceCodes":
		return d.joined(&o.ReferenceCodes)
	case "Appendixes":
		return d.items("Appendix", &o.Appendixes)
	}
	return d.unknown()
}

// priorities are the words that some people write for the number.
var priorities = map[string]int{"thường": 0, "khẩn": 1, "thượng khẩn": 2, "hỏa tốc": 3, "hoả tốc": 3, "hỏa tốc hẹn giờ": 4, "hoả tốc hẹn giờ": 4}

// priority reads 0 to 4. A number beyond is kept and warned of.
func (d *reader) priority(v *int) error {
	line := d.s.top().line
	if d.s.top().index > 1 {
		return d.again()
	}
	text, err := d.text()
	if err != nil || text == "" {
		return err
	}
	n, ok := priorities[strings.ToLower(text)]
	if !ok {
		n, ok = smallNumber(text)
	}
	if !ok || n > 4 {
		d.warn(d.s.closedPath(), line, malformed("Priority", "phải là 0 đến 4.", "must be 0 to 4.",
			"0 thường, 1 khẩn, 2 thượng khẩn, 3 hỏa tốc, 4 hỏa tốc hẹn giờ / 0 normal, 1 urgent, 2 very urgent, 3 express, 4 express at a time"))
	}
	*v = n
	return nil
}

// smallNumber reads one or two digits.
func smallNumber(text string) (int, bool) {
	if len(text) > 2 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n := 0
	for _, c := range text {
		n = n*10 + int(c-'0')
	}
	return n, true
}

// joined reads the text of an element, or of all within it, parted by "; ": what the SDK means to stand in ReplyFors and
// ReferenceCodes is not known, and no packet with either has been seen.
func (d *reader) joined(v *string) error {
	if d.s.top().index > 1 {
		return d.again()
	}
	var parts []string
	if err := d.leaves(&parts); err != nil {
		return err
	}
	*v = strings.Join(parts, "; ")
	return nil
}

// leaves appends the texts of the open element and of all within, in order.
func (d *reader) leaves(parts *[]string) error {
	var text []byte
	flush := func() error {
		trimmed := strings.Trim(string(text), layout)
		text = nil
		if trimmed == "" {
			return nil
		}
		if err := d.hold(valueCost + len(trimmed)); err != nil {
			return err
		}
		return grow(d, parts, trimmed)
	}
	for {
		tok, err := d.s.next()
		if err != nil {
			return err
		}
		switch tok {
		case tokenEnd:
			return flush()
		case tokenText:
			text = append(text, d.s.text...)
			if len(text) > maxText {
				return d.longText()
			}
		case tokenStart:
			if err := flush(); err != nil {
				return err
			}
			if err := d.leaves(parts); err != nil {
				return err
			}
		}
	}
}

// responseFor reads one ResponseFor; an empty one says nothing and is left out.
func (d *reader) responseFor(h *header) error {
	var f ResponseFor
	line := d.s.top().line
	at := line
	err := d.children(func(name string) error {
		switch name {
		case "OrganId":
			if d.s.top().index == 1 {
				at = d.s.top().line
			}
			return d.value(&f.OrganID)
		case "Code":
			return d.value(&f.Code)
		case "DocumentId":
			return d.value(&f.DocumentID)
		case "PromulgationDate":
			return d.day(&f.PromulgationDate)
		}
		return d.unknown()
	})
	if err != nil || f == (ResponseFor{}) {
		return err
	}
	if len(h.doc.ResponseFor) == 0 {
		h.status.ResponseFor, h.responseLine, h.partyLine = f, line, at
	}
	return grow(d, &h.doc.ResponseFor, f)
}
