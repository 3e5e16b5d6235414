package server

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/storage"
)

var (
	codeRow  = regexp.MustCompile("(?m)^\\| (\\d+) \\| `(\\w+)` \\| (.*?) \\| (.*?) \\| (.*?) \\|$")
	fillings = regexp.MustCompile(`%[sd]`)
)

// TestConnectCodes: CONNECT.md's table of error codes is vxpCodes with the sentences of problems, word for word, and what it
// calls a system error is one.
func TestConnectCodes(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("CONNECT.md")
	check(t, err)
	_, rest, begins := strings.Cut(string(raw), "<!-- codes")
	table, _, ends := strings.Cut(rest, "<!-- /codes -->")
	if !begins || !ends {
		t.Fatal("CONNECT.md has no table of codes")
	}
	told := map[string]string{} // by word; what is refused with two codes, by word and code
	for _, row := range codeRow.FindAllStringSubmatch(table, -1) {
		code, word, desc := row[1], row[2], row[3]
		said, known := problems[word]
		if want := plainText(fillings.ReplaceAllString(said.vi, "...")); !known || desc != want {
			t.Errorf("%s %s says %q, the axis %q", code, word, desc, want)
		}
		if row[4] == "" || row[5] == "" {
			t.Errorf("%s %s says nothing of what to do", code, word)
		}
		p := &Problem{Code: word}
		if code == "23" {
			p.Problems, word = []Problem{{Code: "code_locked"}}, word+" 23"
		} else if word == "recipients" {
			p.Problems = []Problem{{Code: "code_locked"}, {Code: "code_closed"}}
		}
		if told[word] != "" || vxpCode(p) != code {
			t.Errorf("%s: told as %s, the axis answers %s", word, code, vxpCode(p))
		}
		told[word] = code
	}
	for word, code := range vxpCodes {
		if _, said := problems[word]; said && told[word] != code { // nothing refuses with a word that has no sentence
			t.Errorf("%s %s is not told", code, word)
		}
	}
	codes := map[string]bool{"0": true, "100": true} // success, and the SDK's own
	for _, code := range told {
		codes[code] = true
	}
	if len(codes) != 10 {
		t.Errorf("the codes told are %v", codes)
	}
}

// TestConnectLimits: the figures that CONNECT.md names are the code's.
func TestConnectLimits(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("CONNECT.md")
	check(t, err)
	text := strings.Join(strings.Fields(string(raw)), " ")
	limits := Limits{}.orDefaults()
	for _, want := range []string{
		fmt.Sprintf("at most %d items", vxpListed),
		fmt.Sprintf("aside for %d hour", int(vxpProcessing.Hours())),
		fmt.Sprintf("`fail` lần thứ %s thì dừng", map[int]string{3: "ba"}[vxpFailures]),
		fmt.Sprintf("%d MB of header, %d GiB a file, 1,000 calls a second", vxpHeaders>>20, limits.File>>30),
		fmt.Sprintf("A packet over %d GiB, a status packet over %d KiB, or another call's body over %d KiB", limits.Packet>>30, maxStatusPacket>>10, maxVXPBody>>10),
		fmt.Sprintf("quá %.0f phút", limits.Body.Minutes()),
		fmt.Sprintf("somebody has %.0f hours to act", parkedFor.Hours()),
		fmt.Sprintf("stays good for %.0f days", storage.ReplacedOverlap.Hours()/24),
	} {
		want = strings.Replace(want, "for 1 hour", "for one hour", 1)
		if !strings.Contains(text, want) {
			t.Errorf("CONNECT.md does not say %q", want)
		}
	}
	if limits.Rate != 1000 {
		t.Errorf("the rate is %d", limits.Rate)
	}
}
