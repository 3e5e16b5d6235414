package signing

import "bytes"

// normal gives the DER form of one BER element in memory.
func normal(raw []byte, depth int) ([]byte, error) {
	plain, err := isPlain(raw, depth, 0)
	if err != nil || plain {
		return raw, err
	}
	s := newSource(sliceReader(raw), int64(len(raw)))
	e, err := s.next(0, s.size, depth)
	if err != nil {
		return nil, err
	}
	return rebuild(s, raw, e, depth, 0)
}

// isPlain says whether an element and all within it have definite, minimal lengths and no constructed strings. It also
// checks that the parts fill their wholes and that nothing is nested too deeply. A message within the message (a timestamp
// token) counts anew: a token inside an honest signature reaches 26.
func isPlain(raw []byte, depth, tokens int) (bool, error) {
	if depth > maxDepth || tokens > maxTokens {
		return false, errTooDeep
	}
	for len(raw) > 0 {
		if len(raw) < 2 || raw[0]&0x1F == 0x1F || raw[0] == 0 {
			return false, errMalformed
		}
		n, used := int(raw[1]), 2
		if raw[1] == 0x80 {
			return false, nil
		}
		if raw[1] > 0x80 {
			k := int(raw[1] & 0x7F)
			if k > 4 || len(raw) < 2+k {
				return false, errMalformed
			}
			n = 0
			for _, c := range raw[2 : 2+k] {
				n = n<<8 | int(c)
			}
			if n < 0x80 || raw[2] == 0 {
				return false, nil
			}
			used += k
		}
		if n > len(raw)-used {
			return false, errMalformed
		}
		if raw[0]&0x20 != 0 {
			if constructedString(raw[0]) {
				return false, nil
			}
			inside, nested := depth+1, tokens
			if bytes.HasPrefix(raw[used:used+n], oidSignedDataDER) {
				inside, nested = 2, tokens+1
			}
			plain, err := isPlain(raw[used:used+n], inside, nested)
			if err != nil || !plain {
				return plain, err
			}
		}
		raw = raw[used+n:]
	}
	return true, nil
}

// constructedString tells the universal string types in constructed form.
func constructedString(tag byte) bool {
	switch tag &^ 0x20 {
	case 3, 4, 12, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30:
		return tag&0xE0 == 0x20
	}
	return false
}

func rebuild(s *source, raw []byte, e element, depth, tokens int) ([]byte, error) {
	if bytes.HasPrefix(raw[e.body:e.bodyEnd], oidSignedDataDER) && tokens <= maxTokens {
		depth, tokens = 1, tokens+1
	}
	if !e.constructed() {
		return appendElement(nil, e.tag, raw[e.body:e.bodyEnd]), nil
	}
	parts, err := s.parts(e, depth, maxFramePDF)
	if err != nil {
		return nil, err
	}
	var body []byte
	for _, p := range parts {
		if constructedString(e.tag) {
			if body, err = joinString(s, raw, e.tag&^0x20, p, body, depth+1); err != nil {
				return nil, err
			}
			continue
		}
		der, err := rebuild(s, raw, p, depth+1, tokens)
		if err != nil {
			return nil, err
		}
		body = append(body, der...)
	}
	if constructedString(e.tag) {
		return appendElement(nil, e.tag&^0x20, body), nil
	}
	return appendElement(nil, e.tag, body), nil
}

// joinString appends one piece of a constructed string. Bit strings in pieces are used by nobody and refused.
func joinString(s *source, raw []byte, tag byte, p element, body []byte, depth int) ([]byte, error) {
	if tag == 3 || p.tag&^0x20 != tag {
		return nil, errMalformed
	}
	if !p.constructed() {
		return append(body, raw[p.body:p.bodyEnd]...), nil
	}
	inner, err := s.parts(p, depth, maxFramePDF)
	if err != nil {
		return nil, err
	}
	for _, q := range inner {
		if body, err = joinString(s, raw, tag, q, body, depth+1); err != nil {
			return nil, err
		}
	}
	return body, nil
}

// appendElement encodes one DER element.
func appendElement(out []byte, tag byte, body []byte) []byte {
	out = append(out, tag)
	switch n := len(body); {
	case n < 0x80:
		out = append(out, byte(n))
	case n < 0x100:
		out = append(out, 0x81, byte(n))
	case n < 0x10000:
		out = append(out, 0x82, byte(n>>8), byte(n))
	case n < 0x1000000:
		out = append(out, 0x83, byte(n>>16), byte(n>>8), byte(n))
	default:
		out = append(out, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(out, body...)
}
