package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
	"unicode"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// The headers of the wire (spec 1.1). Every entry of the client's map comes twice: signed, in the JSON of sign-header, and
// as an unsigned header "XroadVnpt-<key>", which nothing here reads.
const (
	vxpPrefix     = "XroadVnpt-"
	vxpSignHeader = vxpPrefix + "sign-header"
	vxpHashHeader = vxpPrefix + "hash-header"
)

// The keys of the signed map that mean something to us. All others are ignored, servicetype, filePath and timestamp too.
const (
	keySystem      = "systemid" // who calls
	keyFrom        = "from"     // sendEdoc: one of the caller's agencies; a list: whose packets
	keyTo          = "to"       // sendEdoc: only compared with the packet's To
	keyHashFile    = "hash-file"
	keyMessageType = "messagetype" // which of the two queues: edoc or status
	keyDocID       = "docId"
	keyDocid       = "docid" // Bkav's client, in updateStatus
	keyStatus      = "status"
	keyDescription = "description"
	keyFromDate    = "fromDate"
	keyToDate      = "toDate"
	keyPageSize    = "pageSize"
	keyPageIndex   = "pageIndex"
	keyAgency      = "AgencyCode"
)

// authenticateVXP finds who calls and what the call says. There is no freshness window: clients compute their timestamp
// once in their life, so that an old one says nothing.
func (s *Server) authenticateVXP(c echo.Context) (*vxpCall, error) {
	h := c.Request().Header
	call := s.verifyVXP(h.Get(vxpSignHeader), h.Get(vxpHashHeader), s.Now())
	if call == nil {
		s.metrics.unauthorized.Inc()
		return nil, problem("unauthorized", "")
	}
	known(c)
	return call, s.admitCaller(call.caller)
}

// verifyVXP checks a signed map. The raw bytes come first; where they do not verify and are not ASCII, an old HTTP client
// may have sent UTF-8 as Latin-1, so the letters are tried as what they were. nil: not verified.
func (s *Server) verifyVXP(signed, mac string, now time.Time) *vxpCall {
	sum, err := hex.DecodeString(strings.ToLower(strings.TrimSpace(mac)))
	if err != nil {
		sum = nil
	}
	if call := s.verifyMap(signed, sum, now); call != nil {
		return call
	}
	if strings.IndexFunc(signed, func(r rune) bool { return r >= 0x80 }) < 0 {
		return nil
	}
	meant, err := charmap.ISO8859_1.NewDecoder().String(signed)
	if err != nil {
		return nil
	}
	return s.verifyMap(meant, sum, now)
}

// verifyMap checks the HMAC-SHA256 over the JSON with the secret of the system that it names. An unknown system and a
// wrong secret take the same way.
func (s *Server) verifyMap(signed string, sum []byte, now time.Time) *vxpCall {
	who := s.config.Load().systems[strings.TrimSpace(systemOf(signed))]
	if who == nil {
		who = nobody
	}
	good := hmac.Equal(sum, signMap(who.secret, signed))
	old := hmac.Equal(sum, signMap(who.oldSecret, signed)) && now.Before(who.oldUntil)
	if !good && !old || who == nobody {
		return nil
	}
	keys, ok := parseSigned(signed)
	if !ok {
		return nil
	}
	return &vxpCall{caller: who, keys: keys}
}

// systemOf reads the one key that is needed to check who signed a map. Nothing else of it is kept before that: 4 MB from a
// stranger can be half a million keys.
func systemOf(signed string) (id string) {
	in := json.NewDecoder(strings.NewReader(signed))
	if begin, err := in.Token(); err != nil || begin != json.Delim('{') {
		return ""
	}
	for in.More() {
		name, err := in.Token()
		var value json.RawMessage
		if err != nil || in.Decode(&value) != nil {
			return ""
		}
		if name == vxpPrefix+keySystem {
			id = textOf(value)
		}
	}
	return id
}

func signMap(secret []byte, signed string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return mac.Sum(nil)
}

// parseSigned reads the signed map with keys as they are written: docId and docid are two keys (encoding/json would match a
// struct's fields without regard to case). The value of "to" may be an array, which stays as it is written.
func parseSigned(signed string) (map[string]string, bool) {
	var raw map[string]json.RawMessage
	if json.Unmarshal([]byte(signed), &raw) != nil {
		return nil, false
	}
	keys := make(map[string]string, len(raw))
	for name, value := range raw {
		key, ok := strings.CutPrefix(name, vxpPrefix)
		if !ok {
			continue
		}
		keys[key] = textOf(value)
	}
	return keys, true
}

// textOf is a string, or what else there is as it is written.
func textOf(value json.RawMessage) (text string) {
	if json.Unmarshal(value, &text) != nil {
		return string(value)
	}
	return text
}

// plainText is a text in ASCII: letters without their marks, and "?" for what has no such letter. Answers of sendEdoc are
// read as ASCII.
func plainText(s string) string {
	var out strings.Builder
	for _, r := range norm.NFD.String(s) {
		switch {
		case r < 0x80 && r >= ' ' && r != 0x7f:
			out.WriteRune(r)
		case r == 'đ':
			out.WriteByte('d')
		case r == 'Đ':
			out.WriteByte('D')
		case r == '…':
			out.WriteString("...")
		case unicode.Is(unicode.Mn, r):
		case unicode.IsSpace(r):
			out.WriteByte(' ')
		default:
			out.WriteByte('?')
		}
	}
	return out.String()
}
