package edxml

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// children reads the open element to its end and calls each for every child; each must read its child to the end.
// Text between the children is layout.
func (d *reader) children(each func(name string) error) error {
	for {
		tok, err := d.s.next()
		switch {
		case err != nil:
			return err
		case tok == tokenEnd:
			return nil
		case tok == tokenStart:
			if err := each(d.s.top().local); err != nil {
				return err
			}
		}
	}
}

// skip reads the open element to its end and keeps nothing.
func (d *reader) skip() error {
	return d.children(func(string) error { return d.skip() })
}

// text reads the open element to its end: its text without surrounding white space. Elements within are unknown ones.
func (d *reader) text() (string, error) {
	d.buf = d.buf[:0]
	for {
		tok, err := d.s.next()
		switch {
		case err != nil:
			return "", err
		case tok == tokenEnd:
			return string(bytes.Trim(d.buf, layout)), nil
		case tok == tokenStart:
			kept := d.buf
			d.buf = nil
			if err := d.unknown(); err != nil {
				return "", err
			}
			d.buf = kept
		case tok == tokenText:
			d.buf = append(d.buf, d.s.text...)
			if err := d.hold(len(d.s.text)); err != nil {
				return "", err
			}
			if len(d.buf) > maxText {
				return "", d.longText()
			}
		}
	}
}

const layout = " \t\r\n"

// hold counts n bytes that the packet will hold.
func (d *reader) hold(n int) error {
	d.held += n
	if d.held > maxHeld {
		return d.s.refuse(TooLong, fmt.Sprintf("Phần đầu gói tin lớn quá %d MiB.", maxHeld>>20),
			fmt.Sprintf("The packet's header is larger than %d MiB.", maxHeld>>20), fixSmall)
	}
	return nil
}

// longText refuses a text that is beyond any field, for while it is read it stands in memory twice and more.
func (d *reader) longText() error {
	return d.s.refuse(TooLong, fmt.Sprintf("Có phần tử dài quá %d KiB.", maxText>>10), fmt.Sprintf("An element's text is longer than %d KiB.", maxText>>10), fixSmall)
}

// What one value and one group of values cost beside their text.
const (
	valueCost = 16
	groupCost = 128
)

// grow appends to a list that the packet holds. It counts for two and a half, for while a list grows its old and new selves stand side by
// side.
func grow[T any](d *reader, list *[]T, v T) error {
	*list = append(*list, v)
	return d.hold(int(reflect.TypeFor[T]().Size()) * 5 / 2)
}

// limits are the characters that regulation R34 and R63 allow; beyond them is a warning.
var limits = map[string]int{
	"OrganId": 35, "OrganName": 200, "OrganAdd": 500, "Email": 100, "Subject": 500, "Content": 500, "AttachmentName": 500,
	"TypeName": 100, "CodeNumber": 11, "CodeNotation": 30, "Position": 100, "FullName": 50, "Description": 500,
}

// value reads the open element's text into v and warns of its length. An element that comes again is not read: the first counts,
// as for VNPT's parser.
func (d *reader) value(v *string) error {
	name, line := d.s.top().local, d.s.top().line
	if d.s.top().index > 1 {
		return d.again()
	}
	text, err := d.text()
	if err != nil {
		return err
	}
	if limit, ok := limits[name]; ok && len(text) > limit {
		if n := utf8.RuneCountInString(text); n > limit {
			d.warn(d.s.closedPath(), line, tooLong(name, n, limit))
		}
	}
	*v = text
	return d.hold(valueCost)
}

// again skips an element that may come once and has come before.
func (d *reader) again() error {
	name := d.s.top().local
	d.warn(d.s.path(), d.s.top().line, malformed(name, "lặp lại; chỉ dùng lần đầu.", "is given more than once; only the first counts.", "Bỏ phần lặp / Remove the repetition"))
	return d.skip()
}

// item reads the open element's text and appends it when there is any.
func (d *reader) item(list *[]string) error {
	text, err := d.text()
	if err != nil || text == "" {
		return err
	}
	if err := d.hold(valueCost); err != nil {
		return err
	}
	return grow(d, list, text)
}

// items reads children of one name into a list.
func (d *reader) items(name string, list *[]string) error {
	return d.children(func(child string) error {
		if child != name {
			return d.unknown()
		}
		return d.item(list)
	})
}

// number reads the open element as an integer; ok is false for an empty or odd one, and odd ones are warned of. Of one that comes
// again, here and in flag, the first counts, as in value.
func (d *reader) number() (n int, ok bool, err error) {
	name, line := d.s.top().local, d.s.top().line
	if d.s.top().index > 1 {
		return 0, false, d.again()
	}
	text, err := d.text()
	if err != nil || text == "" {
		return 0, false, err
	}
	n64, bad := strconv.ParseInt(text, 10, 32)
	if bad != nil {
		d.warn(d.s.closedPath(), line, malformed(name, "không phải số nguyên.", "is not an integer.", "Ghi số nguyên hoặc bỏ phần tử / Write an integer or leave it out"))
		return 0, false, nil
	}
	return int(n64), true, nil
}

// amount reads a number of pages or copies, at most three digits (R63).
func (d *reader) amount(v *int) error {
	name, line := d.s.top().local, d.s.top().line
	n, ok, err := d.number()
	if err != nil || !ok {
		return err
	}
	if n < 0 {
		d.warn(d.s.closedPath(), line, malformed(name, "là số âm.", "is negative.", "Ghi số không âm / Write a number that is not negative"))
		return nil
	}
	if n > 999 {
		d.warn(d.s.closedPath(), line, tooLong(name, len(strconv.Itoa(n)), 3))
	}
	*v = n
	return nil
}

// flag reads 0 or 1, false or true; nil for an empty or odd one.
func (d *reader) flag() (*bool, error) {
	name, line := d.s.top().local, d.s.top().line
	if d.s.top().index > 1 {
		return nil, d.again()
	}
	text, err := d.text()
	if err != nil || text == "" {
		return nil, err
	}
	yes := text == "1" || strings.EqualFold(text, "true")
	if !yes && text != "0" && !strings.EqualFold(text, "false") {
		d.warn(d.s.closedPath(), line, malformed(name, "phải là 0 hoặc 1.", "must be 0 or 1.", "Ghi 0 hoặc 1 / Write 0 or 1"))
		return nil, nil
	}
	return &yes, nil
}

// unknown reads an element that we do not know and keeps the text of it and of all within, for people to see; the packet's bytes are
// handed on as they are in any case.
func (d *reader) unknown() error {
	path, line := "", d.s.top().line
	keep := d.keepsUnknown(d.s.top().local)
	if keep {
		path = d.s.path()
	}
	var text []byte
	leaf := true
	for {
		tok, err := d.s.next()
		if err != nil {
			return err
		}
		switch tok {
		case tokenEnd:
			if text := string(bytes.Trim(text, layout)); keep && (leaf || text != "") {
				d.unknownFound = append(d.unknownFound, Unknown{path, line, strings.ToValidUTF8(text, "")})
				return d.hold(groupCost + len(path) + len(text))
			}
			return nil
		case tokenStart:
			leaf = false
			if err := d.unknown(); err != nil {
				return err
			}
		case tokenText:
			if keep {
				text = append(text, d.s.text[:min(len(d.s.text), maxUnknownText-len(text))]...)
			}
		}
	}
}

// keepsUnknown says whether there is room for one more unknown element of that name. What speaks of secrecy has room of its own: five
// hundred others before it must not hide it.
func (d *reader) keepsUnknown(name string) bool {
	if len(d.unknownFound) < maxUnknown {
		return true
	}
	if !d.crowded {
		d.crowded = true
		d.warn(d.s.path(), d.s.top().line, sentence{TooLong, fmt.Sprintf("Có quá %d phần tử lạ; phần còn lại không được liệt kê.", maxUnknown),
			fmt.Sprintf("There are more than %d unknown elements; the rest are not listed.", maxUnknown), fixSmall})
	}
	if !secrecyNames[strings.ToLower(name)] || d.secrecyFound == maxSecrecy {
		return false
	}
	d.secrecyFound++
	return true
}

// warn notes what is kept and shown.
func (d *reader) warn(path string, line int, t sentence) {
	if d.warnings++; d.warnings <= maxWarnings {
		q := t.at(path, line)
		q.Warning = true
		d.p.Problems = append(d.p.Problems, q)
	}
}

// fail notes what refuses the packet.
func (d *reader) fail(path string, line int, t sentence) {
	if d.errors++; d.errors <= maxErrors {
		d.p.Problems = append(d.p.Problems, t.at(path, line))
	}
}
