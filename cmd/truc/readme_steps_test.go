package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing/testpki"
)

var fence = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// blocks gives the fenced blocks of a document in one language.
func blocks(text, language string) (list []string) {
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		if m[1] == language {
			list = append(list, m[2])
		}
	}
	return list
}

// TestReadmeFirstSteps runs the two blocks of First steps as a person would, in one folder, with the server started in
// between as the text says.
func TestReadmeFirstSteps(t *testing.T) {
	t.Parallel()
	steps := blocks(readRoot(t, "README.md"), "sh")
	if len(steps) != 2 {
		t.Fatalf("README.md has %d blocks to run, want 2", len(steps))
	}
	folder, state, address := t.TempDir(), stateDir(t), freeAddress(t)
	firstStepsFiles(t, folder)
	env := append(os.Environ(), "TRUC_STATE="+state, "TRUC_SERVER=http://"+address, "PATH="+filepath.Dir(binary(t))+":"+os.Getenv("PATH"))
	run := func(script string) string {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "sh", "-eux")
		cmd.Dir, cmd.Env, cmd.Stdin = folder, env, strings.NewReader(script)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	run(steps[0])
	n := serve(t, state, address)
	said := run(steps[1])
	for _, want := range []string{"verdict      valid", "H26", "HỢP LỆ (valid)", "code,name,sent,received,total"} {
		if !strings.Contains(said, want) {
			t.Errorf("the second block does not say %q:\n%s", want, said)
		}
	}
	n.stop(t)
	for _, name := range []string{"admin.txt", "vanthu.txt", "axis.pem"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// firstStepsFiles puts what the text takes for given into folder: certificates and a signed document.
func firstStepsFiles(t *testing.T, folder string) {
	t.Helper()
	pki, err := testpki.New(testpki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := pki.Dir(folder); err != nil {
		t.Fatal(err)
	}
	id, err := pki.Agency("Sở Y tế Thành phố Hồ Chí Minh", "H29.12")
	if err != nil {
		t.Fatal(err)
	}
	pdf, err := testpki.PDF(testpki.Document{Agency: "SỞ Y TẾ", Number: "1/SYT-VP", Subject: "V/v gửi thử"})
	if err != nil {
		t.Fatal(err)
	}
	if pdf, err = testpki.SignPDF(pdf, testpki.PDFSignature{Signer: id, Time: pki.Now(), Seal: true}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "van-ban.pdf"), pdf, 0o600); err != nil {
		t.Fatal(err)
	}
}

var fileWord = regexp.MustCompile(`\.(csv|edxml|pem|crl|pdf|p7m|p7s|secret|txt|key)$`)

// TestReadmeCommands: every command line of truc, of make and of the go tool in a block is one that is taken, also where
// running it needs another machine.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	targets := readRoot(t, "Makefile")
	seen := 0
	for _, name := range documents {
		text := readRoot(t, name)
		for _, block := range append(blocks(text, "sh"), blocks(text, "console")...) {
			for line := range strings.Lines(withoutHeredocs(block)) {
				words := shellWords(line)
				if len(words) > 1 && words[0] == "make" && !strings.Contains(targets, "\n"+words[1]+":") {
					t.Errorf("%s: the Makefile has no %s", name, words[1])
				}
				args, ok := trucArguments(words)
				if !ok {
					continue
				}
				seen++
				for i, w := range args {
					if fileWord.MatchString(w) {
						args[i] = filepath.Join(root, "go.mod") // a file that exists
					}
				}
				if _, err := newParser(t, &cli{}).Parse(args); err != nil {
					t.Errorf("%s: %q: %v", name, strings.TrimSpace(line), err)
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d command lines were found", seen)
	}
}

var heredoc = regexp.MustCompile(`(?ms)<<'(\w+)'$.*?^\w+$`)

func withoutHeredocs(block string) string { return heredoc.ReplaceAllString(block, "") }

// trucArguments finds the arguments of truc in a line, be it truc itself or truc in a container or by sudo.
func trucArguments(words []string) ([]string, bool) {
	for i := len(words) - 2; i >= 0; i-- {
		user := i > 0 && words[i-1] == "-u"
		if words[i] == "truc" && !user && (i == 0 || words[0] == "sudo" || words[0] == "docker") {
			return words[i+1:], true
		}
	}
	return nil, false
}

// shellWords cuts a line as a shell does, as far as the documents go: quotes, a comment, redirections, a pipe's first part.
func shellWords(line string) (words []string) {
	var word strings.Builder
	quote, open := rune(0), false
	end := func() {
		if open {
			words = append(words, word.String())
		}
		word.Reset()
		open = false
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, open = r, true
		case r == ' ' || r == '\n':
			end()
		case !open && r == '#', r == '>', r == '|', r == ';', r == '&', r == '<':
			end()
			return words
		default:
			word.WriteRune(r)
			open = true
		}
	}
	end()
	return words
}
