package server

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The conversations in testdata/*.txt are the manual of the native face: each is played against a fresh axis, and every
// answer must be as it is written there. They are made of lines, told apart by their first character:
//
//	# text                          a comment
//	> GET /api/v1/inbox as H26      a request: method, path, and the system that asks (its secret is secret-H26); without
//	                                "as" nobody; with "until" at the end it is asked again until the answer is as written
//	> Accept: application/json      its headers, directly below
//	> {"sender": …}                 its body, which begins with the first line that is not a header
//	> --- file a.pdf application/pdf  a part of a multipart/form-data body: name, and for a file its name and media type
//	> (signed.pdf)                  a body, or a part, of the runner's own, see cupboard
//	< 201                           the status that is answered
//	< ETag: "{sum}"                 its headers, directly below
//	< {"id": "{id}"}                its body; JSON when it begins with a brace or bracket, else lines that the answer must
//	                                contain in this order
//	* G22 is told                   the axis pushes an item to a system: below it, with "<", what the system receives,
//	                                and with ">" the status and body that it answers
//	* 30s pass                      the clock goes on; it stands still otherwise, at Monday 23/11/2026 08:00:00 in Vietnam
//	* H29.12's policy: broken=hold unsigned=forward        what happens to the files of a sender
//	* an operator lets {id} go on: reason                  a person releases what was held
//
// JSON is compared by what is written: fields that are not written may be there or not; an array has exactly the elements
// that are written, or more where the last one is "...". "(none)" says that a field is not there. {name} stands for any
// text; what it stood for first, it stands for in all that follows, in requests and answers.
func TestConversations(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	check(t, err)
	if len(files) == 0 {
		t.Fatal("there are no conversations")
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			t.Parallel()
			acts, err := readConversation(name)
			check(t, err)
			newPlayer(t, name).play(acts)
		})
	}
}

// act is one exchange, or a stage direction.
type act struct {
	line      int
	direction string // without "* "; empty for a request
	request   []string
	answer    []string
}

// readConversation cuts a file into acts: each begins with a request after an answer, or with a direction.
func readConversation(name string) ([]*act, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var acts []*act
	last, apart := byte('<'), false // the kind of the last line, and whether something stands between it and this one
	begin := func(line int) *act {
		acts = append(acts, &act{line: line})
		return acts[len(acts)-1]
	}
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		text := lines.Text()
		if strings.TrimSpace(text) == "" || text[0] == '#' {
			apart = true
			continue
		}
		rest := strings.TrimPrefix(text[1:], " ")
		switch kind := text[0]; kind {
		case '*':
			begin(n).direction = rest
			last = kind
		case '>':
			told := len(acts) > 0 && strings.HasSuffix(acts[len(acts)-1].direction, " is told")
			if last != '>' && !(told && len(acts[len(acts)-1].request) == 0) || last == '>' && told && apart {
				begin(n)
			}
			acts[len(acts)-1].request = append(acts[len(acts)-1].request, rest)
			last = kind
		case '<':
			if len(acts) == 0 {
				return nil, fmt.Errorf("%s:%d: an answer to nothing", name, n)
			}
			acts[len(acts)-1].answer = append(acts[len(acts)-1].answer, rest)
			last = kind
		default:
			return nil, fmt.Errorf("%s:%d: what is %q?", name, n, text)
		}
		apart = false
	}
	return acts, lines.Err()
}

// message is a request or an answer cut into its parts.
type message struct {
	first   string
	headers [][2]string
	body    string
}

var headerLine = regexp.MustCompile(`^([A-Z][A-Za-z-]*): (.*)$`)

// readMessage cuts lines into the first one (when there is one of its own), headers and body.
func readMessage(lines []string, first bool) message {
	var m message
	if first && len(lines) > 0 {
		m.first, lines = lines[0], lines[1:]
	}
	for len(lines) > 0 {
		h := headerLine.FindStringSubmatch(lines[0])
		if h == nil {
			break
		}
		m.headers = append(m.headers, [2]string{h[1], h[2]})
		lines = lines[1:]
	}
	m.body = strings.Join(lines, "\n")
	return m
}
