package server

import (
	"bufio"
	"bytes"
	"compress/gzip"
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
