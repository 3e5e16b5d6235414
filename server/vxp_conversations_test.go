package server

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/storage"
	"github.com/truc-lienthong/truc/storage/storagetest"
)

// The conversations in testdata/vxp/*.txt are the manual of the VXP face, a file for each of its thirteen calls. They are
// written as those of the native face are (see TestConversations), but a request whose first line ends in HTTP/1.1 goes over
// the wire byte for byte: each header as it is written, in this order and this case, each line ended by CRLF.
//
//	> POST /vxp/getEdoc HTTP/1.1    the request line. "(Latin-1)" after it: each letter of the header is cut to its low byte,
//	                                as the SDK's HTTP client does
//	> XroadVnpt-docId: {doc}        a header; one that is too long for a line goes on in the next, behind "| "
//	> XroadVnpt-*: docId={doc}; …   all headers that the SDK makes of a map: a copy of each entry, sign-header-key, sign-header,
//	                                hash-header, User-Agent and version. timestamp and Content-Type are added to the map
//	>                               an empty line ends the header; below it is the body: texts, and
//	> (new.edxml) (CRLF)            what is in testdata/vxp, "(base64 new.edxml)" the same in base64, a CRLF, "(70000 bytes)"
//	< 100                           "100 Continue" must come before the body is sent; then
//	< 200                           the answer
//	< (empty)                       a body with nothing in it; "(new.edxml)" one with exactly these bytes
//
// In a request {hash-header} is the HMAC of sign-header with the secret of the system that it names (secret-<id>, until a
// direction says otherwise), {hash-file} the body's SHA-256 without a last CRLF, not padded, as the SDK writes it,
// {hash-file-64} the same padded, and {length} the body's length.
//
//   - the secret of H26 is s3cr3t
//   - H26 is shown old codes        as "truc system add --form old" makes a system
//   - the object store is away      and "is back"
//   - another connection            for the next request; one connection is used for all until it is closed
func TestVXPConversations(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/vxp/*.txt")
	check(t, err)
	if len(files) != len(vxp) {
		t.Errorf("there are %d conversations for %d calls", len(files), len(vxp))
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			t.Parallel()
			acts, err := readConversation(name)
			check(t, err)
			p := &vxpPlayer{player: player{t: t, name: name, words: words{}, axis: newAxis(t, "")}, secrets: map[string]string{}}
			t.Cleanup(p.hangUp)
			for _, a := range acts {
				p.act(a)
			}
		})
	}
}

// vxpPlayer plays one conversation over one connection.
type vxpPlayer struct {
	player
	conn    net.Conn
	in      *bufio.Reader
	secrets map[string]string
}

func (p *vxpPlayer) act(a *act) {
	switch {
	case a.direction != "":
		p.directVXP(a)
	case vxpRequestLine.MatchString(a.request[0]):
		p.exchange(a)
	default:
		p.ask(a)
	}
}

var (
	vxpRequestLine = regexp.MustCompile(`^(.* HTTP/1\.[01])( \(Latin-1\))?$`)
	vxpForm        = regexp.MustCompile(`^(\S+) is shown old codes$`)
	vxpSecret      = regexp.MustCompile(`^the secret of (\S+) is (\S+)$`)
)

func (p *vxpPlayer) directVXP(a *act) {
	if m := vxpSecret.FindStringSubmatch(a.direction); m != nil {
		p.secrets[m[1]] = m[2]
		sealed := p.axis.Key.Seal([]byte(m[2]), storage.SecretPurpose(m[1]))
		check(p.t, p.axis.Store.RotateSecret(p.t.Context(), m[1], sealed, p.axis.clock(), "test", p.axis.clock()))
		check(p.t, p.axis.reload(p.t.Context()))
		return
	}
	if m := vxpForm.FindStringSubmatch(a.direction); m != nil {
		_, err := p.axis.rows(p.t).Exec(p.t.Context(), `WITH formed AS (UPDATE system SET form = 'old' WHERE id = $1) UPDATE version SET number = number + 1 WHERE name = 'systems'`, m[1])
		check(p.t, err)
		check(p.t, p.axis.reload(p.t.Context()))
		return
	}
	switch a.direction {
	case "another connection":
		p.hangUp()
	case "the object store is away":
		for _, op := range []storagetest.Op{storagetest.Put, storagetest.Open} {
			p.axis.objects.FailBefore(op, 1000, nil)
		}
	case "the object store is back":
		p.axis.objects.Mend()
	default:
		p.direct(a)
	}
}

// exchange sends one request and compares its answer.
func (p *vxpPlayer) exchange(a *act) {
	header, body := p.request(a)
	if p.conn == nil {
		conn, err := net.Dial("tcp", p.axis.http.Listener.Addr().String())
		check(p.t, err)
		p.conn, p.in = conn, bufio.NewReader(conn)
	}
	check(p.t, p.conn.SetDeadline(time.Now().Add(time.Minute)))
	wanted := a.answer
	goesOn := len(wanted) > 0 && wanted[0] == "100"
	if goesOn {
		p.write(header)
		if interim := p.read(a, http.MethodPost); interim.StatusCode != http.StatusContinue {
			p.fatalf(a, "no 100 Continue, but %s: %.2000s", interim.Status, interim.raw)
		}
		wanted = wanted[1:]
		p.write(body)
	} else {
		p.write(append(header, body...))
	}
	method, _, _ := strings.Cut(a.request[0], " ")
	answer := p.read(a, method)
	if answer.Close {
		p.hangUp()
	}
	if err := p.agrees(a, wanted, answer); err != nil {
		p.fatalf(a, "%v", err)
	}
}

// agrees compares an answer with what is written.
func (p *vxpPlayer) agrees(a *act, wanted []string, answer reply) error {
	want := readMessage(wanted, true)
	switch what := strings.TrimSpace(want.body); {
	case what == "(empty)":
		if len(answer.raw) > 0 {
			return fmt.Errorf("not empty: %.2000s", answer.raw)
		}
		want.body = ""
	case vxpThing.FindString(what) == what && what != "":
		if whole := p.thing(a, what); !bytes.Equal(whole, answer.raw) {
			return fmt.Errorf("other bytes than %s: %.2000s", what, answer.raw)
		}
		want.body = ""
	default:
		want.body = vxpThing.ReplaceAllStringFunc(want.body, func(one string) string {
			if strings.HasPrefix(one, "(base64 ") {
				return string(p.thing(a, one))
			}
			return one
		})
	}
	return p.words.compare(want, strconv.Itoa(answer.StatusCode), answer.Header, answer.raw)
}

func (p *vxpPlayer) write(raw []byte) {
	_, err := p.conn.Write(raw)
	check(p.t, err)
}

// read reads one answer to its end.
func (p *vxpPlayer) read(a *act, method string) reply {
	response, err := http.ReadResponse(p.in, &http.Request{Method: method})
	if err != nil {
		p.fatalf(a, "no answer: %v", err)
	}
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		p.fatalf(a, "the answer stopped: %v", err)
	}
	_ = response.Body.Close()
	if response.Header.Get("Content-Encoding") == "gzip" {
		raw = unzipped(p.t, raw)
	}
	return reply{Response: response, raw: raw}
}

func unzipped(t testing.TB, raw []byte) []byte {
	t.Helper()
	from, err := gzip.NewReader(bytes.NewReader(raw))
	check(t, err)
	whole, err := io.ReadAll(from)
	check(t, err)
	return whole
}

func (p *vxpPlayer) hangUp() {
	if p.conn != nil {
		_ = p.conn.Close()
		p.conn = nil
	}
}

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
