package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// request makes the bytes of a request.
func (p *vxpPlayer) request(a *act) (header, body []byte) {
	lines, texts := a.request, []string{}
	for i, line := range lines {
		if line == "" {
			lines, texts = lines[:i], lines[i+1:]
			break
		}
	}
	var hashed []byte
	for i, text := range texts {
		for rest := text; rest != ""; {
			piece := p.piece(a, &rest)
			if body = append(body, piece...); i < len(texts)-1 || rest != "" || string(piece) != "\r\n" {
				hashed = body
			}
		}
	}
	first := vxpRequestLine.FindStringSubmatch(lines[0])
	sum := sha256.Sum256(hashed)
	fill := strings.NewReplacer("{hash-file}", unpaddedHex(sum[:]), "{hash-file-64}", fmt.Sprintf("%x", sum), "{length}", strconv.Itoa(len(body)))
	out := []string{p.filled(a, first[1])}
	for _, line := range lines[1:] {
		line = p.filled(a, fill.Replace(line))
		switch {
		case strings.HasPrefix(line, "| "):
			out[len(out)-1] += line[2:]
		case strings.HasPrefix(line, "XroadVnpt-*: "):
			out = append(out, sdkHeaders(out, strings.TrimPrefix(line, "XroadVnpt-*: "))...)
		default:
			out = append(out, line)
		}
	}
	text := strings.Join(p.macs(out), "\r\n") + "\r\n\r\n"
	if first[2] != "" {
		var low bytes.Buffer
		for _, r := range text {
			low.WriteByte(byte(r))
		}
		return low.Bytes(), body
	}
	return []byte(text), body
}

var vxpThing = regexp.MustCompile(`\((base64 )?[A-Za-z0-9_-]+\.edxml\)|\(CRLF\)|\([0-9]+ bytes\)`)

// piece cuts the next piece off a body's line: a thing in parentheses, or text up to the next one.
func (p *vxpPlayer) piece(a *act, rest *string) []byte {
	at := vxpThing.FindStringIndex(*rest)
	switch {
	case at == nil:
		text := p.filled(a, *rest)
		*rest = ""
		return []byte(text)
	case at[0] > 0:
		text := strings.TrimRight((*rest)[:at[0]], " ")
		*rest = (*rest)[at[0]:]
		return []byte(p.filled(a, text))
	}
	thing := (*rest)[:at[1]]
	*rest = strings.TrimLeft((*rest)[at[1]:], " ")
	return p.thing(a, thing)
}

// thing is what stands in parentheses.
func (p *vxpPlayer) thing(a *act, text string) []byte {
	name := strings.Trim(text, "()")
	if name == "CRLF" {
		return []byte("\r\n")
	}
	if size, ok := strings.CutSuffix(name, " bytes"); ok {
		n, err := strconv.Atoi(size)
		check(p.t, err)
		return bytes.Repeat([]byte(" "), n)
	}
	if name, ok := strings.CutPrefix(name, "base64 "); ok {
		return []byte(base64.StdEncoding.EncodeToString(p.cupboard(a, "vxp/"+name)))
	}
	return p.cupboard(a, "vxp/"+name)
}

// macs fills {hash-header} in.
func (p *vxpPlayer) macs(lines []string) []string {
	signed := ""
	for _, line := range lines {
		if value, ok := strings.CutPrefix(line, "XroadVnpt-sign-header: "); ok {
			signed = value
		}
	}
	var keys map[string]json.RawMessage
	var system string
	_ = json.Unmarshal([]byte(signed), &keys) // a conversation may well send what is no JSON
	_ = json.Unmarshal(keys["XroadVnpt-systemid"], &system)
	secret := p.secrets[system]
	if secret == "" {
		secret = "secret-" + system
	}
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(line, "{hash-header}", macOf(secret, signed))
	}
	return lines
}

// sdkHeaders are the headers that the SDK makes of its map, in its order.
func sdkHeaders(before []string, text string) (lines []string) {
	media := ""
	for _, line := range before {
		if value, ok := strings.CutPrefix(line, "Content-Type: "); ok {
			media = value
		}
	}
	var names, signed []string
	for _, entry := range append(strings.Split(text, "; "), "timestamp=21112026T192921+0718", "Content-Type="+media) {
		key, value, _ := strings.Cut(entry, "=")
		quoted := value
		if !strings.HasPrefix(value, "[") {
			quoted = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
		}
		names, signed = append(names, key), append(signed, `"XroadVnpt-`+key+`":`+quoted)
		lines = append(lines, "XroadVnpt-"+key+": "+value)
	}
	return append(lines, "XroadVnpt-sign-header-key: "+strings.Join(names, ";"), "XroadVnpt-sign-header: {"+strings.Join(signed, ",")+"}",
		"XroadVnpt-hash-header: {hash-header}", "User-Agent: JAVASDKAgent/1.0.0 XRoad/VPCP", "XroadVnpt-version: 3.0.201608")
}
