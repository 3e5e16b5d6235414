package edxml

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// plain marks the bytes that stand for themselves in text: no markup, no control, nothing to decode.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		t[c] = c != '<' && c != '&' && c != ']'
	}
	t['\t'], t['\n'] = true, true
	return t
}()

// chars reads one piece of text, or nothing where only white space may be.
func (s *scanner) chars() (token, error) {
	if len(s.stack) == 0 {
		return 0, s.outside()
	}
	if n := s.run(&plain); n > 0 {
		s.text = s.take(n)
		return tokenText, nil
	}
	switch s.buf[s.pos] {
	case '&':
		return s.reference()
	case '\r':
		return s.carriageReturn()
	case ']':
		return s.bracket()
	}
	return 0, s.badChar()
}

// run measures what can be handed out at once: bytes that table passes and whole UTF-8 letters.
func (s *scanner) run(table *[256]bool) int {
	b := s.buf[s.pos:s.end]
	n := 0
	for n < len(b) {
		if table[b[n]] {
			n++
			continue
		}
		if b[n] < utf8.RuneSelf {
			return n
		}
		size := letter(b[n:])
		if size > 0 {
			n += size
			continue
		}
		if n > 0 || utf8.FullRune(b) || !s.need(utf8.UTFMax) && !utf8.FullRune(s.buf[s.pos:s.end]) {
			return n // hand out what is good; at 0 the caller says what is wrong
		}
		b = s.buf[s.pos:s.end]
	}
	return n
}

// letter is the size of the multi-byte letter that b begins with; 0 when it is none that XML knows, or not whole.
func letter(b []byte) int {
	r, size := utf8.DecodeRune(b)
	if r == utf8.RuneError && size < 2 || r == 0xFFFE || r == 0xFFFF {
		return 0
	}
	return size
}

func (s *scanner) badChar() error {
	c := s.buf[s.pos]
	if c < utf8.RuneSelf {
		return s.bad(fmt.Sprintf("Có ký tự điều khiển 0x%02X, XML không cho phép.", c),
			fmt.Sprintf("Control character 0x%02X is not allowed in XML.", c), "Xóa ký tự điều khiển / Remove the control character")
	}
	return s.bad(fmt.Sprintf("Byte 0x%02X không phải UTF-8 hợp lệ.", c), fmt.Sprintf("Byte 0x%02X is not valid UTF-8.", c), fixUTF8)
}

const fixUTF8 = "Lưu tệp với bảng mã UTF-8 / Save the file as UTF-8"

// outside reads what stands before or after the root element: white space only.
func (s *scanner) outside() error {
	switch s.buf[s.pos] {
	case ' ', '\t', '\r', '\n':
		s.take(1)
		return nil
	}
	if s.rootSeen {
		return s.bad("Có nội dung thừa sau phần tử gốc.", "There is content after the root element.", fixSmall)
	}
	return s.junk()
}

// junk is the error for anything before the prolog: VNPT's parser dies of it, so a recipient would (spec 2.10).
func (s *scanner) junk() error {
	return s.bad("Có nội dung thừa trước phần khai báo XML.", "There is junk before the XML prolog.",
		"Bắt đầu tệp bằng <?xml / Begin the file with <?xml")
}

// carriageReturn makes CR LF and CR one LF, as XML demands.
func (s *scanner) carriageReturn() (token, error) {
	more := s.need(2)
	s.take(1)
	if more && s.buf[s.pos] == '\n' {
		return 0, nil // the LF follows as text
	}
	s.text = newline
	return tokenText, nil
}

// bracket reads a "]", which may not begin "]]>" in text.
func (s *scanner) bracket() (token, error) {
	if s.need(3) && s.buf[s.pos+1] == ']' && s.buf[s.pos+2] == '>' {
		return 0, s.bad("Có \"]]>\" ngoài CDATA.", "There is \"]]>\" outside CDATA.", fixWrite)
	}
	s.text = s.take(1)
	return tokenText, nil
}

// reference reads &amp; and the like and hands its character out as text.
func (s *scanner) reference() (token, error) {
	r, err := s.entity()
	if err != nil {
		return 0, err
	}
	s.text = utf8.AppendRune(s.rune4[:0], r)
	return tokenText, nil
}

const maxReference = 12 // bytes of "&#x0010FFFF;"

// entity reads one of the five predefined entities or a character reference. Any other is refused: nothing is ever expanded.
func (s *scanner) entity() (rune, error) {
	s.need(maxReference)
	b := s.buf[s.pos:min(s.end, s.pos+maxReference)]
	end := 1
	for end < len(b) && b[end] != ';' {
		if b[end] <= ' ' || b[end] == '<' || b[end] == '&' {
			break
		}
		end++
	}
	if end == len(b) && len(b) < maxReference {
		return 0, s.broken()
	}
	if end == len(b) || b[end] != ';' {
		return 0, s.bad("Có dấu & không viết thành &amp;.", "There is an & that is not written as &amp;.", "Viết & thành &amp; / Write & as &amp;")
	}
	r, ok := decodeEntity(string(b[1:end]))
	if !ok {
		return 0, s.refuse(Malformed, "Có thực thể XML ngoài năm thực thể định sẵn.",
			"There is an entity other than the five predefined ones.", "Viết thẳng ký tự / Write the character itself")
	}
	s.take(end + 1)
	return r, nil
}

var predefined = map[string]rune{"lt": '<', "gt": '>', "amp": '&', "apos": '\'', "quot": '"'}

func decodeEntity(name string) (rune, bool) {
	if r, ok := predefined[name]; ok {
		return r, true
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	for _, c := range digits {
		if c == '+' || c == '-' || c == '_' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || !xmlRune(rune(n)) {
		return 0, false
	}
	return rune(n), true
}

// xmlRune says whether XML 1.0 can carry r.
func xmlRune(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r':
		return true
	case r < 0x20, r == 0xFFFE, r == 0xFFFF:
		return false
	}
	return utf8.ValidRune(r)
}
