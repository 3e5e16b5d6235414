package edxml

import (
	"bytes"
	"regexp"
	"strings"
)

// prolog reads a byte order mark and the XML declaration, which must be the very first thing.
func (s *scanner) prolog() error {
	s.stack = make([]frame, 0, maxDepth)
	s.need(maxDeclaration)
	b := s.buf[:s.end]
	if bytes.HasPrefix(b, []byte("\xEF\xBB\xBF")) {
		s.pos = 3
		b = b[3:]
	}
	switch {
	case bytes.HasPrefix(b, []byte("\xFE\xFF")), bytes.HasPrefix(b, []byte("\xFF\xFE")), bytes.HasPrefix(b, []byte("<\x00")), bytes.HasPrefix(b, []byte("\x00<")):
		return s.bad("Tệp dùng bảng mã UTF-16; gói tin phải là UTF-8.", "The file is UTF-16; a packet is UTF-8.", fixUTF8)
	case len(b) > 5 && string(b[:5]) == "<?xml" && isSpace(b[5]):
		return s.xmlDeclaration(b)
	case len(b) > 0 && b[0] != '<' && !isSpace(b[0]):
		return s.junk()
	}
	s.undeclared = true
	return nil
}

const maxDeclaration = 256

var declaration = regexp.MustCompile(`^<\?xml\s+version\s*=\s*["']1\.[0-9]["'](?:\s+encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["'])?(?:\s+standalone\s*=\s*["'](?:yes|no)["'])?\s*$`)

func (s *scanner) xmlDeclaration(b []byte) error {
	end := bytes.Index(b[:min(len(b), maxDeclaration)], []byte("?>"))
	if end < 0 {
		if len(b) < maxDeclaration {
			return s.broken()
		}
		return s.bad("Khai báo XML quá dài.", "The XML declaration is too long.", fixWrite)
	}
	m := declaration.FindSubmatch(b[:end])
	if m == nil {
		return s.bad("Khai báo XML sai.", "The XML declaration is malformed.", `Viết <?xml version="1.0" encoding="UTF-8"?> / Write <?xml version="1.0" encoding="UTF-8"?>`)
	}
	switch strings.ToLower(string(m[1])) {
	case "", "utf-8", "utf8", "us-ascii":
		s.take(end + 2)
		return nil
	}
	return s.bad("Gói tin khai báo bảng mã "+string(m[1])+"; phải là UTF-8.", "The packet declares the encoding "+string(m[1])+"; it must be UTF-8.", fixUTF8)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// instruction skips a processing instruction. A second XML declaration, or one behind anything at all, is junk before the prolog.
func (s *scanner) instruction() error {
	s.take(2)
	from := len(s.raw)
	if _, err := s.name(); err != nil {
		return err
	}
	target := string(s.raw[from:])
	s.raw = s.raw[:from]
	if strings.EqualFold(target, "xml") {
		return s.junk()
	}
	return s.skipTo("?>")
}

// declaration reads what begins with "<!": a comment is skipped, CDATA entered, everything else (DOCTYPE, ENTITY …) refused.
func (s *scanner) declaration() error {
	s.need(len("<![CDATA["))
	b := s.buf[s.pos:s.end]
	switch {
	case bytes.HasPrefix(b, []byte("<!--")):
		s.take(4)
		return s.comment()
	case bytes.HasPrefix(b, []byte("<![CDATA[")):
		if len(s.stack) == 0 {
			return s.bad("Có CDATA ngoài phần tử gốc.", "There is CDATA outside the root element.", fixSmall)
		}
		s.take(len("<![CDATA["))
		s.inCDATA = true
		return nil
	case len(b) < len("<![CDATA[") && (strings.HasPrefix("<!--", string(b)) || strings.HasPrefix("<![CDATA[", string(b))):
		return s.broken()
	case len(b) > 2 && (b[2] >= 'A' && b[2] <= 'Z' || b[2] >= 'a' && b[2] <= 'z'):
		return s.refuse(Malformed, "Gói tin có DOCTYPE hoặc khai báo thực thể, không được phép.",
			"The packet has a DOCTYPE or an entity declaration; none is allowed.", "Bỏ khai báo DOCTYPE / Remove the DOCTYPE")
	}
	return s.bad("Có thẻ sai bắt đầu bằng \"<!\".", "There is a malformed tag that begins with \"<!\".", fixWrite)
}

// comment skips to "-->"; "--" within is not allowed.
func (s *scanner) comment() error {
	if err := s.skipTo("--"); err != nil {
		return err
	}
	if !s.need(1) {
		return s.broken()
	}
	if s.buf[s.pos] != '>' {
		return s.bad("Có \"--\" trong chú thích.", "There is \"--\" within a comment.", fixWrite)
	}
	s.take(1)
	return nil
}

// passed marks the ASCII bytes that may stand in a comment or CDATA.
var passed = func() (t [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		t[c] = true
	}
	t['\t'], t['\n'], t['\r'] = true, true, true
	return t
}()

// skipTo skips good characters up to and with the two bytes of stop.
func (s *scanner) skipTo(stop string) error {
	table := passed
	table[stop[0]] = false
	for {
		if !s.need(2) {
			return s.broken()
		}
		if n := s.run(&table); n > 0 {
			s.take(n)
			continue
		}
		switch {
		case string(s.buf[s.pos:s.pos+2]) == stop:
			s.take(2)
			return nil
		case s.buf[s.pos] != stop[0]:
			return s.badChar()
		}
		s.take(1)
	}
}

// verbatim is what CDATA hands out at once: all but "]" and CR.
var verbatim = func() [256]bool {
	t := passed
	t[']'], t['\r'] = false, false
	return t
}()

// cdata reads one piece of a CDATA section, or its end.
func (s *scanner) cdata() (token, error) {
	if !s.need(1) {
		return 0, s.broken()
	}
	if n := s.run(&verbatim); n > 0 {
		s.text = s.take(n)
		return tokenText, nil
	}
	switch s.buf[s.pos] {
	case '\r':
		return s.carriageReturn()
	case ']':
		if !s.need(3) {
			return 0, s.broken()
		}
		if s.buf[s.pos+1] == ']' && s.buf[s.pos+2] == '>' {
			s.take(3)
			s.inCDATA = false
			return 0, nil
		}
		s.text = s.take(1)
		return tokenText, nil
	}
	return 0, s.badChar()
}
