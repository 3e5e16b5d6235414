package server

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/truc-lienthong/truc/storage"
)

// signers is a node that knows some systems and has nothing else.
func signers() *Server {
	s := &Server{}
	s.config.Store(&snapshot{systems: map[string]*caller{
		"H29.12": {System: storage.System{ID: "H29.12"}, secret: []byte("s3cr3t")},
		"H26": {System: storage.System{ID: "H26"}, secret: []byte("bí mật mới"), oldSecret: []byte("cũ"),
			oldUntil: testNow.Add(time.Hour)},
	}})
	return s
}

// The vector of spec 1.9, captured from SDK 2.0.1.
const (
	vectorSigned = `{"XroadVnpt-systemid":"H29.12","XroadVnpt-timestamp":"21112026T195114+0731","XroadVnpt-Content-Type":"application/json"}`
	vectorMAC    = "ed55e123d6ee7339e29859eb27a44a301a33bdb58649d624a63b7e898ab68766"
)

// TestVXPVerify: who is believed. Where no mac is given it is the right one for the secret.
func TestVXPVerify(t *testing.T) {
	t.Parallel()
	latin1 := func(text string) string {
		var low strings.Builder
		for _, r := range text {
			low.WriteByte(byte(r))
		}
		return low.String()
	}
	described := func(words string) string {
		return `{"XroadVnpt-systemid":"H29.12","XroadVnpt-description":"` + words + `"}`
	}
	for name, c := range map[string]struct {
		signed, secret, mac string
		sent                func(string) string // what becomes of the map on its way
		later               time.Duration
		want                string // the system, "" for nobody
		key, value          string
	}{
		"the vector":                  {signed: vectorSigned, mac: vectorMAC, want: "H29.12", key: "timestamp", value: "21112026T195114+0731"},
		"the vector, upper case":      {signed: vectorSigned, mac: strings.ToUpper(vectorMAC), want: "H29.12"},
		"the vector, mixed case":      {signed: vectorSigned, mac: strings.Replace(vectorMAC, "ed55e", "eD55E", 1), want: "H29.12"},
		"the vector, blanks around":   {signed: vectorSigned, mac: " " + vectorMAC + "\t", want: "H29.12"},
		"one byte more":               {signed: vectorSigned + " ", mac: vectorMAC},
		"a key in another case":       {signed: strings.Replace(vectorSigned, "systemid", "systemId", 1), secret: "s3cr3t"},
		"a prefix in another case":    {signed: strings.Replace(vectorSigned, "XroadVnpt-systemid", "xroadvnpt-systemid", 1), secret: "s3cr3t"},
		"a mac cut short":             {signed: vectorSigned, mac: vectorMAC[:62]},
		"a mac of one digit less":     {signed: vectorSigned, mac: vectorMAC[:63]},
		"a mac unpadded":              {signed: vectorSigned, mac: strings.ReplaceAll(vectorMAC, "0", "")},
		"no mac":                      {signed: vectorSigned, mac: " "},
		"no hex":                      {signed: vectorSigned, mac: "x" + vectorMAC[1:]},
		"another's secret":            {signed: vectorSigned, secret: "bí mật mới"},
		"no secret at all":            {signed: strings.Replace(vectorSigned, "H29.12", "nobody", 1), secret: "\x00"},
		"an unknown system":           {signed: strings.Replace(vectorSigned, "H29.12", "nobody", 1), secret: "s3cr3t"},
		"no system":                   {signed: `{"XroadVnpt-from":"H29.12"}`, secret: "s3cr3t"},
		"a null for the system":       {signed: `{"XroadVnpt-systemid":null}`, secret: "s3cr3t"},
		"two systems: the last one":   {signed: `{"XroadVnpt-systemid":"H26","XroadVnpt-systemid":"H29.12"}`, secret: "s3cr3t", want: "H29.12"},
		"a secret that is no ASCII":   {signed: `{"XroadVnpt-systemid":"H26"}`, secret: "bí mật mới", want: "H26"},
		"the old secret, in time":     {signed: `{"XroadVnpt-systemid":"H26"}`, secret: "cũ", want: "H26"},
		"the old secret, too late":    {signed: `{"XroadVnpt-systemid":"H26"}`, secret: "cũ", later: time.Hour},
		"UTF-8":                       {signed: described("đã nhận đủ"), secret: "s3cr3t", want: "H29.12", key: "description", value: "đã nhận đủ"},
		"Latin-1":                     {signed: described("ê, ô, Ý"), secret: "s3cr3t", sent: latin1, want: "H29.12", key: "description", value: "ê, ô, Ý"},
		"letters beyond Latin-1":      {signed: described("chữ ký"), secret: "s3cr3t", sent: latin1},
		"Latin-1 that looks as UTF-8": {signed: described("Ãª"), secret: "s3cr3t", sent: latin1, want: "H29.12", key: "description", value: "Ãª"},
		"4 MB":                        {signed: `{"XroadVnpt-systemid":"H29.12","XroadVnpt-to":` + listOf(4<<20) + `}`, secret: "s3cr3t", want: "H29.12", key: "to", value: listOf(4 << 20)},
		"4 MB that are no JSON":       {signed: `{"XroadVnpt-systemid":"H29.12","XroadVnpt-to":` + listOf(4<<20), secret: "s3cr3t"},
		"4 MB of brackets":            {signed: `{"XroadVnpt-systemid":"H29.12","XroadVnpt-to":` + strings.Repeat("[", 4<<20), secret: "s3cr3t"},
		"something behind it":         {signed: vectorSigned + `{}`, secret: "s3cr3t"},
		"an array":                    {signed: `["XroadVnpt-systemid","H29.12"]`, secret: "s3cr3t"},
		"nothing":                     {secret: "s3cr3t"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := c.signed
			if c.sent != nil {
				sent = c.sent(sent)
			}
			if c.mac == "" {
				c.mac = hex.EncodeToString(signMap([]byte(strings.Trim(c.secret, "\x00")), c.signed))
			}
			call := signers().verifyVXP(sent, c.mac, testNow.Add(c.later))
			switch {
			case c.want == "" && call != nil:
				t.Errorf("%s is believed", call.ID)
			case c.want != "" && call == nil:
				t.Error("is not believed")
			case c.want != "" && (call.ID != c.want || c.key != "" && call.keys[c.key] != c.value):
				t.Errorf("%s says %.300q", call.ID, call.keys)
			}
		})
	}
}

// TestVXPSignedMap: what is read of a signed map.
func TestVXPSignedMap(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		signed string
		want   map[string]string // nil: not read
	}{
		"docId and docid":          {`{"XroadVnpt-docId":"1","XroadVnpt-docid":"2","XroadVnpt-DOCID":"3"}`, map[string]string{"docId": "1", "docid": "2", "DOCID": "3"}},
		"a key twice":              {`{"XroadVnpt-a":"1","XroadVnpt-a":"2"}`, map[string]string{"a": "2"}},
		"keys of somebody else":    {`{"a":"1","xroadvnpt-b":"2","XroadVnpt-c":"3","XroadVnpt-":"4"}`, map[string]string{"c": "3", "": "4"}},
		"arrays stay as they are":  {`{"XroadVnpt-to":["H26", "000.00.00.G22"]}`, map[string]string{"to": `["H26", "000.00.00.G22"]`}},
		"an array in a string":     {`{"XroadVnpt-to":"[\"H26\"]"}`, map[string]string{"to": `["H26"]`}},
		"nested, numbers, null":    {`{"XroadVnpt-a":{"b":[1]},"XroadVnpt-c":1e3,"XroadVnpt-d":null,"XroadVnpt-e":true}`, map[string]string{"a": `{"b":[1]}`, "c": "1e3", "d": "", "e": "true"}},
		"a null byte, a backslash": {`{"XroadVnpt-a":"\u0000\\\"/"}`, map[string]string{"a": "\x00\\\"/"}},
		"half a surrogate":         {`{"XroadVnpt-a":"\ud800"}`, map[string]string{"a": "\ufffd"}},
		"nothing in it":            {`{}`, map[string]string{}},
		"null":                     {`null`, map[string]string{}},
		"a string":                 {`"XroadVnpt-a"`, nil},
		"an array":                 {`[]`, nil},
		"cut short":                {`{"XroadVnpt-a":"1"`, nil},
		"something behind it":      {`{} {}`, nil},
		"nothing":                  {``, nil},
		"no JSON":                  {`systemid=H26`, nil},
		"single quotes":            {`{'XroadVnpt-a':'1'}`, nil},
		"100,000 levels":           {`{"XroadVnpt-a":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys, ok := parseSigned(c.signed)
			if ok != (c.want != nil) || !maps.Equal(keys, c.want) {
				t.Errorf("%v %q", ok, keys)
			}
		})
	}
}

// TestVXPSignHeaders: which headers count when there are several, none, or others that say something else.
func TestVXPSignHeaders(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	const signed, other = `{"XroadVnpt-systemid":"H26","XroadVnpt-messagetype":"edoc"}`, `{"XroadVnpt-systemid":"H29.12"}`
	good := macOf("secret-H26", signed)
	for name, c := range map[string]struct {
		header []string
		code   string
	}{
		"signed":                         {[]string{vxpSignHeader, signed, vxpHashHeader, good}, "0"},
		"names in another case":          {[]string{"xroadvnpt-SIGN-header", signed, "XROADVNPT-HASH-HEADER", good}, "0"},
		"the copies say somebody else":   {[]string{"XroadVnpt-systemid", "H29.12", "XroadVnpt-from", "G22", vxpSignHeader, signed, vxpHashHeader, good}, "0"},
		"two maps, the first is signed":  {[]string{vxpSignHeader, signed, vxpSignHeader, other, vxpHashHeader, good}, "0"},
		"two maps, the second is signed": {[]string{vxpSignHeader, other, vxpSignHeader, signed, vxpHashHeader, good}, "15"},
		"no hash":                        {[]string{vxpSignHeader, signed}, "15"},
		"no map":                         {[]string{"XroadVnpt-systemid", "H26", vxpHashHeader, macOf("secret-H26", "")}, "15"},
		"nothing":                        {nil, "15"},
		"HTTP Basic, as natively":        {[]string{"Authorization", "Basic SDI2OnNlY3JldC1IMjY="}, "15"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := a.dial(t).say("POST /vxp/getReceivedEdocList HTTP/1.1\r\nHost: truc\r\nContent-Length: 0\r\n")
			for i := 0; i < len(c.header); i += 2 {
				r.say(c.header[i], ": ", c.header[i+1], "\r\n")
			}
			answer, body := r.say("\r\n").hear()
			if answer.StatusCode != http.StatusOK || !strings.Contains(body, fmt.Sprintf(`"ErrorCode":"%s"`, c.code)) {
				t.Errorf("%s %s", answer.Status, body)
			}
		})
	}
}

// FuzzVXPSign: nobody is believed whose secret did not sign exactly this map, and everybody whose did, in UTF-8 or as the
// SDK's client cuts Latin-1 letters.
func FuzzVXPSign(f *testing.F) {
	for _, seed := range []string{vectorSigned, `{"XroadVnpt-systemid":"H26","XroadVnpt-docId":"1","XroadVnpt-docid":"2"}`, `{"XroadVnpt-systemid":"H29.12","XroadVnpt-description":"ê ô"}`,
		"{\"XroadVnpt-systemid\":\"H29.12\",\"XroadVnpt-description\":\"\xea\"}", `{"XroadVnpt-systemid":"H26","XroadVnpt-systemid":["H29.12"],"XroadVnpt-to":["a",{"b":null}]}`,
		`{"XroadVnpt-systemid":" H26 "}`, `{"XroadVnpt-systemid":"\u0048\u0032\u0036"}`, `{}`, `null`, ``, `[`, strings.Repeat("[", 200), "\xef\xbb\xbf{}"} {
		f.Add(seed, vectorMAC)
	}
	s := signers()
	f.Fuzz(func(t *testing.T, signed, mac string) {
		keys, ok := parseSigned(signed)
		if id := systemOf(signed); ok && id != keys["systemid"] {
			t.Fatalf("two answers to who calls: %q and %q", id, keys["systemid"])
		}
		if call := s.verifyVXP(signed, mac, testNow); call != nil && (signed != vectorSigned || !strings.EqualFold(strings.TrimSpace(mac), vectorMAC)) {
			t.Fatalf("%s is believed", call.ID)
		}
		who := s.config.Load().systems[strings.TrimSpace(keys["systemid"])]
		if who == nil {
			return
		}
		right := hex.EncodeToString(signMap(who.secret, signed))
		if call := s.verifyVXP(signed, right, testNow); call == nil || call.ID != who.ID || !maps.Equal(call.keys, keys) {
			t.Fatalf("what %s signed is not believed", who.ID)
		}
		low := make([]byte, 0, len(signed))
		for _, r := range signed {
			if r > 0xff || !utf8.ValidString(signed) {
				return
			}
			low = append(low, byte(r))
		}
		if call := s.verifyVXP(string(low), right, testNow); call == nil || !maps.Equal(call.keys, keys) {
			t.Fatalf("what %s signed is not believed in Latin-1", who.ID)
		}
	})
}
