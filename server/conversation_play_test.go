package server

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing/testpki"
	"github.com/truc-lienthong/truc/storage"
)

// player plays one conversation.
type player struct {
	t     *testing.T
	name  string
	axis  *axis
	words words
	told  chan *push
}

// push is a webhook's call that waits for the conversation's answer.
type push struct {
	header http.Header
	body   []byte
	answer chan message
}

func newPlayer(t *testing.T, name string) *player {
	p := &player{t: t, name: name, words: words{}, told: make(chan *push)}
	hook := httptest.NewServer(http.HandlerFunc(p.webhook))
	t.Cleanup(hook.Close)
	p.axis = newAxis(t, hook.URL)
	p.words["url"] = p.axis.url
	return p
}

// webhook is the government office's system: it hands each call to the conversation.
func (p *player) webhook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	one := &push{header: r.Header, body: body, answer: make(chan message, 1)}
	select {
	case p.told <- one:
	case <-r.Context().Done():
		return
	case <-p.t.Context().Done():
		return
	}
	answer := <-one.answer
	status, _ := strconv.Atoi(answer.first)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer.body)
}

func (p *player) play(acts []*act) {
	for _, a := range acts {
		switch {
		case strings.HasSuffix(a.direction, " is told"):
			p.tell(a)
		case a.direction != "":
			p.direct(a)
		default:
			p.ask(a)
		}
	}
}

func (p *player) fatalf(a *act, format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("%s:%d: "+format, append([]any{p.name, a.line}, args...)...)
}

// filled puts what names stand for into a text that is sent.
func (p *player) filled(a *act, text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string {
		value, ok := p.words[strings.Trim(name, "{}")]
		if !ok {
			p.fatalf(a, "%s stands for nothing yet", name)
		}
		return value
	})
}

var requestLine = regexp.MustCompile(`^([A-Z]+) (\S+)(?: as (\S+))?( until)?$`)

// ask makes a request and compares its answer.
func (p *player) ask(a *act) {
	m := readMessage(a.request, true)
	parts := requestLine.FindStringSubmatch(p.filled(a, m.first))
	if parts == nil {
		p.fatalf(a, "not a request: %s", m.first)
	}
	want := readMessage(a.answer, true)
	if want.first == "" {
		p.fatalf(a, "no answer is written")
	}
	once := func() error {
		body, media := p.body(a, m.body)
		headers := []string{}
		if media != "" {
			headers = append(headers, "Content-Type", media)
		}
		for _, h := range m.headers {
			headers = append(headers, h[0], p.filled(a, h[1]))
		}
		var reader any
		if m.body != "" {
			reader = bytes.NewReader(body)
		}
		r := p.axis.call(parts[3], parts[1], parts[2], reader, headers...)
		if r.StatusCode < 300 && strings.HasPrefix(strings.TrimSpace(m.body), "{") {
			asked(p.t, parts[1], strings.Split(parts[2], "?")[0], "application/json", body)
		}
		if r.StatusCode < 300 && strings.HasPrefix(m.body, "--- dispatch\n") {
			asked(p.t, parts[1], parts[2], "multipart/form-data", []byte(p.words["first"]))
		}
		return p.words.compare(want, strconv.Itoa(r.StatusCode), r.Header, r.raw)
	}
	err := once()
	if parts[4] != "" {
		p.axis.eventually(p.t, func() bool {
			if err != nil {
				err = once()
			}
			return err == nil
		})
	}
	if err != nil {
		p.fatalf(a, "%v", err)
	}
}

// body makes a request's body and, where it is multipart, its media type.
func (p *player) body(a *act, text string) (raw []byte, media string) {
	if !strings.HasPrefix(text, "--- ") {
		return p.bytes(a, text), ""
	}
	var parts []formPart
	for _, one := range strings.Split("\n"+text, "\n--- ")[1:] {
		head, content, _ := strings.Cut(one, "\n")
		words := strings.Fields(head)
		part := formPart{disposition: `form-data; name="` + words[0] + `"`, body: p.bytes(a, content)}
		if len(words) > 1 {
			part.disposition += `; filename="` + strings.ReplaceAll(words[1], "_", " ") + `"`
		}
		if len(words) > 2 {
			part.media = words[2]
		}
		if words[0] == "dispatch" && json.Valid(part.body) {
			p.words["first"] = string(part.body)
		}
		parts = append(parts, part)
	}
	b, media := form(p.t, parts...)
	return b.Bytes(), media
}

// bytes are a text, or what the cupboard has under a name in parentheses.
func (p *player) bytes(a *act, text string) []byte {
	if inner, ok := strings.CutPrefix(text, "("); ok {
		if name, ok := strings.CutSuffix(inner, ")"); ok && !strings.Contains(name, "\n") {
			return p.cupboard(a, name)
		}
	}
	return []byte(p.filled(a, text))
}

// cupboard holds what cannot be written in a text: signed.pdf, a letter signed by the agency H29.12; changed.pdf, the same
// changed afterwards; unsigned.pdf; encrypted.pdf; signature, a PKCS#7 of H29.12 over the exact bytes of the part before; and
// the files of testdata and edxml/testdata by their names.
func (p *player) cupboard(a *act, name string) []byte {
	switch name {
	case "signed.pdf":
		return signed(p.t).content
	case "changed.pdf":
		changed := bytes.Clone(signed(p.t).content)
		changed[bytes.LastIndex(changed, []byte("/ByteRange"))-200] ^= 1
		return changed
	case "unsigned.pdf", "encrypted.pdf":
		pdf, err := testpki.PDF(testpki.Document{Agency: "SỞ Y TẾ", Number: "124/SYT-VP", Subject: "Về việc thử nghiệm"})
		check(p.t, err)
		if name == "encrypted.pdf" {
			return bytes.Replace(pdf, []byte("/Root "), []byte("/Encrypt <<>> /Root "), 1)
		}
		return pdf
	case "signature":
		id, err := testPKI(p.t).Agency("Sở Y tế Thành phố Hồ Chí Minh", "H29.12")
		check(p.t, err)
		der, err := testpki.SignCMS(id, []byte(p.words["first"]), testNow)
		check(p.t, err)
		return der
	}
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		p.fatalf(a, "the cupboard has no %s: %v", name, err)
	}
	return []byte(p.filled(a, string(raw)))
}

// tell waits until the axis pushes an item, compares it and answers.
func (p *player) tell(a *act) {
	var one *push
	select {
	case one = <-p.told:
	case <-time.After(20 * time.Second):
		p.fatalf(a, "nothing was pushed")
	}
	answer := readMessage(a.request, true)
	defer func() {
		answer.body = p.filled(a, answer.body)
		one.answer <- answer
	}()
	if err := p.words.compare(readMessage(a.answer, false), "", one.header, one.body); err != nil {
		answer = message{first: "500"}
		p.fatalf(a, "%v", err)
	}
	described(p.t, one)
}

var (
	passing   = regexp.MustCompile(`^(\S+) pass(?:es)?$`)
	policyOf  = regexp.MustCompile(`^(\S+)'s policy: (.+)$`)
	releasing = regexp.MustCompile(`^an operator lets (\S+) go on: (.+)$`)
)

// direct does what a stage direction says.
func (p *player) direct(a *act) {
	text := p.filled(a, a.direction)
	if m := passing.FindStringSubmatch(text); m != nil {
		d, err := time.ParseDuration(m[1])
		check(p.t, err)
		p.axis.pass(d)
		return
	}
	ctx := p.t.Context()
	if m := policyOf.FindStringSubmatch(text); m != nil {
		policy := storage.Policy{Sender: routing.Code(m[1]), Broken: storage.Refuse, Invalid: storage.Forward, Undetermined: storage.Forward, Unsigned: storage.Forward}
		for _, rule := range strings.Fields(m[2]) {
			finding, action, _ := strings.Cut(rule, "=")
			*map[string]*storage.Action{"broken": &policy.Broken, "invalid": &policy.Invalid, "undetermined": &policy.Undetermined, "unsigned": &policy.Unsigned}[finding] = storage.Action(action)
		}
		check(p.t, p.axis.Store.SetPolicy(ctx, policy, "test", p.axis.clock()))
		check(p.t, p.axis.reload(ctx))
		return
	}
	if m := releasing.FindStringSubmatch(text); m != nil {
		_, err := p.axis.Release(ctx, uuid.MustParse(m[1]), "operator", "", m[2])
		check(p.t, err)
		return
	}
	p.fatalf(a, "what is %q?", a.direction)
}
