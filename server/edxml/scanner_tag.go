package edxml

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// attributes are those of the last start tag, in one buffer that is used again.
type attributes struct {
	bytes []byte
	list  []attribute
}

type attribute struct{ name, value, end int } // offsets: bytes[name:value] is the qualified name, bytes[value:end] the value

// get gives the value of the attribute with that local name, "" when there is none.
func (a *attributes) get(local string) string {
	for _, x := range a.list {
		if string(localPart(a.bytes[x.name:x.value])) == local {
			return string(a.bytes[x.value:x.end])
		}
	}
	return ""
}

func localPart(qualified []byte) []byte {
	return qualified[bytes.IndexByte(qualified, ':')+1:]
}

// name appends a qualified name to s.raw and gives its local part.
func (s *scanner) name() (string, error) {
	from := len(s.raw)
	for {
		if !s.need(1) {
			return "", s.broken()
		}
		c := s.buf[s.pos]
		if !nameByte[c] {
			break
		}
		s.raw = append(s.raw, c)
		s.pos++
		if len(s.raw)-from > maxName {
			return "", s.refuse(TooLong, fmt.Sprintf("Tên phần tử dài quá %d byte.", maxName), fmt.Sprintf("A name is longer than %d bytes.", maxName), fixSmall)
		}
	}
	if !goodName(s.raw[from:]) {
		return "", s.bad("Tên thẻ sai hoặc có dấu < không viết thành &lt;.", "A tag's name is malformed, or a < is not written as &lt;.", "Viết < thành &lt; / Write < as &lt;")
	}
	return intern(localPart(s.raw[from:])), nil
}

// nameByte marks the bytes that may stand in a name, letters beyond ASCII unseen.
var nameByte = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c == ':' || c >= utf8.RuneSelf
	}
	return t
}()

// goodName says whether b is a name with at most one colon, not at its edge, each part beginning with a letter or _.
func goodName(b []byte) bool {
	prefix, local, found := bytes.Cut(b, []byte(":"))
	if !found {
		return goodPart(prefix)
	}
	return goodPart(prefix) && goodPart(local)
}

func goodPart(b []byte) bool {
	for i, first := 0, true; i < len(b); first = false {
		r, size := utf8.DecodeRune(b[i:])
		i += size
		switch {
		case r == utf8.RuneError, r == ':':
			return false
		case r == '_', unicode.IsLetter(r):
		case first:
			return false
		case r >= utf8.RuneSelf && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != 0xB7:
			return false
		}
	}
	return len(b) > 0
}

// intern gives the string of a name without making a new one for the names that packets use.
func intern(name []byte) string {
	if s, ok := known[string(name)]; ok {
		return s
	}
	return string(name)
}

// startTag reads a start tag with its attributes and opens the element.
func (s *scanner) startTag() (token, error) {
	line := s.line
	s.take(1)
	if len(s.stack) == 0 && s.rootSeen {
		return 0, s.bad("Có phần tử thứ hai sau phần tử gốc.", "There is a second root element.", fixSmall)
	}
	from := len(s.raw)
	local, err := s.name()
	if err != nil {
		return 0, err
	}
	if err := s.push(from, local, line); err != nil {
		return 0, err
	}
	s.rootSeen = true
	if err := s.attributes(); err != nil {
		return 0, err
	}
	return tokenStart, nil
}

// attributes reads to the end of a start tag.
func (s *scanner) attributes() error {
	s.tag.bytes, s.tag.list = s.tag.bytes[:0], s.tag.list[:0]
	for {
		spaced := s.space()
		if !s.need(1) {
			return s.broken()
		}
		switch s.buf[s.pos] {
		case '>':
			s.take(1)
			return s.distinct()
		case '/':
			if !s.need(2) {
				return s.broken()
			}
			if s.buf[s.pos+1] != '>' {
				return s.badTag()
			}
			s.take(2)
			s.selfClosed = true
			return s.distinct()
		}
		if !spaced {
			return s.badTag()
		}
		if err := s.attribute(); err != nil {
			return err
		}
	}
}

func (s *scanner) badTag() error {
	return s.bad("Thẻ viết sai.", "The tag is malformed.", fixWrite)
}

func (s *scanner) space() bool {
	found := false
	for s.need(1) && isSpace(s.buf[s.pos]) {
		s.take(1)
		found = true
	}
	return found
}

// attribute reads name = "value".
func (s *scanner) attribute() error {
	if len(s.tag.list) == maxAttributes {
		return s.refuse(TooLong, fmt.Sprintf("Phần tử có quá %d thuộc tính.", maxAttributes), fmt.Sprintf("An element has more than %d attributes.", maxAttributes), fixSmall)
	}
	from := len(s.raw)
	if _, err := s.name(); err != nil {
		return err
	}
	a := attribute{name: len(s.tag.bytes)}
	s.tag.bytes = append(s.tag.bytes, s.raw[from:]...)
	s.raw = s.raw[:from]
	a.value = len(s.tag.bytes)
	s.space()
	if !s.need(1) {
		return s.broken()
	}
	if s.buf[s.pos] != '=' {
		return s.badTag()
	}
	s.take(1)
	s.space()
	if err := s.value(); err != nil {
		return err
	}
	a.end = len(s.tag.bytes)
	s.tag.list = append(s.tag.list, a)
	return nil
}

// value reads a quoted attribute value.
func (s *scanner) value() error {
	if !s.need(1) {
		return s.broken()
	}
	quote := s.buf[s.pos]
	if quote != '"' && quote != '\'' {
		return s.badTag()
	}
	s.take(1)
	table := plain
	table['\t'], table['\n'], table[']'] = false, false, true
	table[quote] = false
	for {
		if !s.need(1) {
			return s.broken()
		}
		if n := s.run(&table); n > 0 {
			s.tag.bytes = append(s.tag.bytes, s.take(n)...)
		} else if done, err := s.valueByte(quote); done || err != nil {
			return err
		}
		if len(s.tag.bytes) > maxTag {
			return s.refuse(TooLong, fmt.Sprintf("Thuộc tính của một thẻ dài quá %d byte.", maxTag), fmt.Sprintf("A tag's attributes are longer than %d bytes.", maxTag), fixSmall)
		}
	}
}

// valueByte reads the one byte of a value that does not stand for itself; done says that it was the closing quote.
func (s *scanner) valueByte(quote byte) (done bool, err error) {
	switch c := s.buf[s.pos]; c {
	case quote:
		s.take(1)
		return true, nil
	case '&':
		r, err := s.entity()
		if err != nil {
			return false, err
		}
		s.tag.bytes = utf8.AppendRune(s.tag.bytes, r)
	case '\t', '\n', '\r':
		s.take(1)
		s.tag.bytes = append(s.tag.bytes, ' ')
	case '<':
		return false, s.badTag()
	default:
		return false, s.badChar()
	}
	return false, nil
}

// distinct refuses an attribute given twice.
func (s *scanner) distinct() error {
	if len(s.tag.list) < 2 {
		return nil
	}
	seen := make(map[string]bool, len(s.tag.list))
	for _, a := range s.tag.list {
		name := string(s.tag.bytes[a.name:a.value])
		if seen[name] {
			return s.bad("Thuộc tính "+name+" lặp lại.", "The attribute "+name+" is given twice.", fixWrite)
		}
		seen[name] = true
	}
	return nil
}

// endTag reads an end tag, which must name the element that is open.
func (s *scanner) endTag() (token, error) {
	s.take(2)
	from := len(s.raw)
	if _, err := s.name(); err != nil {
		return 0, err
	}
	name := string(s.raw[from:])
	s.raw = s.raw[:from]
	s.space()
	if !s.need(1) {
		return 0, s.broken()
	}
	if s.buf[s.pos] != '>' {
		return 0, s.badTag()
	}
	if len(s.stack) == 0 {
		return 0, s.bad("Thẻ đóng </"+name+"> không có thẻ mở.", "The end tag </"+name+"> has no start tag.", fixWrite)
	}
	if open := string(s.raw[s.top().raw:]); open != name {
		return 0, s.bad("Thẻ <"+open+"> bị đóng bằng </"+name+">.", "<"+open+"> is closed by </"+name+">.", fixWrite)
	}
	s.take(1)
	s.pop()
	return tokenEnd, nil
}
