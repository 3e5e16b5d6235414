package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/cmd/truc/demodata"
	"github.com/truc-lienthong/truc/routing"
)

// documents are what people read first; the tests below hold them true.
var documents = []string{"README.md", "README.vi.md", "ARCHITECTURE.md", "server/CONNECT.md"}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestReadmeLinks: every link leads to a file or folder of this project.
func TestReadmeLinks(t *testing.T) {
	t.Parallel()
	for _, name := range documents {
		for _, m := range link.FindAllStringSubmatch(readRoot(t, name), -1) {
			target, place, _ := strings.Cut(m[1], "#")
			file := path.Join(path.Dir(name), target)
			if target == "" {
				file = name
			}
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(file))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if file == connectDoc && place != "" && !strings.Contains(readRoot(t, file), `<a id="`+place+`">`) {
				t.Errorf("%s: %s has no place %s", name, file, place)
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
			file := path.Join(path.Dir(name), m[2])
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

// TestReadmeDemo: what is said of the demo is what it loads.
func TestReadmeDemo(t *testing.T) {
	t.Parallel()
	agencies := demodata.Directory()
	systems := demoSystems(agencies)
	for name, wants := range map[string][]string{
		"README.md":    {groupedEN(len(agencies)) + " agencies", groupedEN(len(demoCommunes())) + " communes", strconv.Itoa(len(systems)) + " toy systems"},
		"README.vi.md": {grouped(len(agencies)) + " cơ quan", grouped(len(demoCommunes())) + " xã, phường", strconv.Itoa(len(systems)) + " hệ thống mẫu"},
	} {
		text := strings.Join(strings.Fields(readRoot(t, name)), " ") // whatever the line ends
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
	}
}
