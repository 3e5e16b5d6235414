package main

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// documents are what people read first; the tests below hold them true.
var documents = []string{"README.md", "README.vi.md", "ARCHITECTURE.md"}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestReadmeLinks: every link leads to a file or folder of this project.
func TestReadmeLinks(t *testing.T) {
	t.Parallel()
	for _, name := range documents {
		for _, m := range link.FindAllStringSubmatch(readRoot(t, name), -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(target))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

var namedFunction = regexp.MustCompile("\\[`(\\w+)`\\]\\(([^)\\s]+\\.go)\\)")

// TestReadmeFunctions: a function that is named with a link to a file is declared in that file.
func TestReadmeFunctions(t *testing.T) {
	t.Parallel()
	declared := map[string]map[string]bool{}
	for _, name := range documents {
		for _, m := range namedFunction.FindAllStringSubmatch(readRoot(t, name), -1) {
			file := m[2]
			if declared[file] == nil {
				declared[file] = functionsOf(t, file)
			}
			if !declared[file][m[1]] {
				t.Errorf("%s: %s declares no function %s", name, file, m[1])
			}
		}
	}
	if len(declared) < 20 {
		t.Errorf("the path of one dispatch names functions in %d files only", len(declared))
	}
}

func functionsOf(t *testing.T, file string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, d := range parseFile(t, file).Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			names[f.Name.Name] = true
		}
	}
	return names
}

func parseFile(t *testing.T, file string) *ast.File {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, filepath.FromSlash(file)), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

var refusal = regexp.MustCompile("\\b([45][0-9]{2}) `([a-z_]+)`")

// TestReadmeRefusals: each "422 `code`" is what the table of problems says.
func TestReadmeRefusals(t *testing.T) {
	t.Parallel()
	statuses := problemStatuses(t)
	named := 0
	for _, name := range documents {
		for _, m := range refusal.FindAllStringSubmatch(readRoot(t, name), -1) {
			named++
			if statuses[m[2]] != m[1] {
				t.Errorf("%s says %s %s, the server says %q", name, m[1], m[2], statuses[m[2]])
			}
		}
	}
	if named < 30 {
		t.Errorf("only %d refusals are named", named)
	}
}

// problemStatuses reads the table problems of server/problem.go, and adds those that are put together from a code's fault.
func problemStatuses(t *testing.T) map[string]string {
	t.Helper()
	statuses := map[string]string{}
	for _, f := range []routing.Fault{routing.CodeMalformed, routing.CodeUnknown, routing.CodeClosed, routing.CodeLocked, routing.CodeAmbiguous} {
		statuses["code_"+string(f)] = "422"
	}
	ast.Inspect(parseFile(t, "server/problem.go"), func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		key, isText := pair.Key.(*ast.BasicLit)
		value, isSentence := pair.Value.(*ast.CompositeLit)
		if isText && isSentence && len(value.Elts) == 3 {
			code, err := strconv.Unquote(key.Value)
			status, isNumber := value.Elts[0].(*ast.BasicLit)
			if err == nil && isNumber {
				statuses[code] = status.Value
			}
		}
		return true
	})
	if len(statuses) < 40 {
		t.Fatalf("server/problem.go has %d problems: is the table still there?", len(statuses))
	}
	return statuses
}

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

var fileWord = regexp.MustCompile(`\.(csv|pem|crl|pdf|p7m|p7s|secret|txt|key)$`)

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

// TestArchitectureFits: the page stays one page.
func TestArchitectureFits(t *testing.T) {
	t.Parallel()
	if n := strings.Count(readRoot(t, "ARCHITECTURE.md"), "\n"); n > 60 {
		t.Errorf("ARCHITECTURE.md has %d lines, at most 60", n)
	}
}

// TestTopLevel: the top level is given (design 2), and README's map names every room.
func TestTopLevel(t *testing.T) {
	t.Parallel()
	given := map[string]bool{}
	for name := range strings.FieldsSeq("cmd server signing storage routing web migrations docker-compose.yml go.mod go.sum README.md README.vi.md " +
		"Makefile Dockerfile ARCHITECTURE.md LICENSE bin secrets") { // the last two are made here and not committed
		given[name] = true
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	readme := readRoot(t, "README.md")
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if !given[e.Name()] && !ignored(t, e) {
			t.Errorf("%s does not belong to the top level", e.Name())
		}
		if e.IsDir() && given[e.Name()] && e.Name() != "bin" && e.Name() != "secrets" && !strings.Contains(readme, "]("+e.Name()) {
			t.Errorf("README.md does not name %s", e.Name())
		}
	}
}

// ignored asks git, where this is a clone.
func ignored(t *testing.T, e fs.DirEntry) bool {
	t.Helper()
	cmd := exec.Command("git", "check-ignore", "-q", e.Name())
	cmd.Dir = root
	return cmd.Run() == nil
}

// TestOptionsTable: README's table of options is the real one; -update writes it.
func TestOptionsTable(t *testing.T) {
	t.Parallel()
	const begin, end = "<!-- options: written by `go test ./cmd/truc -run TestOptionsTable -update` -->\n", "<!-- /options -->"
	readme := readRoot(t, "README.md")
	head, rest, ok := strings.Cut(readme, begin)
	table, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("README.md has no place for the table of options")
	}
	want := optionsTable(everyOption(t))
	if *update {
		if err := os.WriteFile(filepath.Join(root, "README.md"), []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != want {
		t.Errorf("README.md's table of options is not the real one: run `go test ./cmd/truc -run TestOptionsTable -update`\n%s", want)
	}
}

// optionsTable writes one line for each variable, in the order of the commands.
func optionsTable(options []option) string {
	var out bytes.Buffer
	out.WriteString("| variable | option | default | meaning |\n|---|---|---|---|\n")
	seen := map[string]bool{}
	for _, o := range options {
		if seen[o.env] {
			continue
		}
		seen[o.env] = true
		var where []string
		said := map[string]int{}
		for _, other := range options {
			if other.env == o.env {
				where = append(where, other.command)
				said[other.flag.Help]++
			}
		}
		help := o.flag.Help
		for text, times := range said { // what most commands say of it
			if times > said[help] {
				help = text
			}
		}
		place := "of " + strings.Join(where, ", ")
		switch {
		case o.command == "":
			place = "of every command"
		case len(where) > 4:
			place = fmt.Sprintf("of %d commands", len(where))
		}
		value := ""
		if o.flag.HasDefault && o.flag.Default != "" {
			value = "`" + o.flag.Default + "`"
		}
		fmt.Fprintf(&out, "| `%s` | `--%s` %s | %s | %s |\n", o.env, o.flag.Name, place, value, strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(help))
	}
	return out.String()
}
