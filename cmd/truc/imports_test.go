package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/truc-lienthong/truc/"

// arrows are the imports of ours that each room may have (design 2). A new arrow is a design decision: it is made here,
// in the commit that needs it, with its reason.
var arrows = map[string][]string{
	"migrations":          {},
	"signing":             {},
	"routing":             {},
	"signing/testpki":     {"signing"},
	"storage":             {"migrations", "routing", "signing"},
	"storage/storagetest": {"storage"},
	"server/edxml":        {"routing"},
	"server":              {"routing", "signing", "storage", "server/edxml"},
	"web":                 {"routing", "signing", "storage", "server"},
	"cmd/agency/toy":      {},
	"cmd/agency":          {"cmd/agency/toy", "signing/testpki"},
	"cmd/truc/demodata":   {"routing"},
	"cmd/truc": {"migrations", "routing", "signing", "signing/testpki", "storage", "server", "server/edxml", "web",
		"cmd/agency/toy", "cmd/truc/demodata"},
}

// only says in which room alone, with its test helpers, a foreign package may be used.
var only = map[string]string{
	"github.com/jackc/pgx":      "storage",
	"github.com/pressly/goose":  "storage",
	"database/sql":              "storage",
	"github.com/minio/minio-go": "storage",
	"html/template":             "web",
}

// machineTime are the places outside cmd that read the machine's clock on purpose; everywhere else time comes in.
var machineTime = map[string]string{
	"server/routes.go": "socket deadlines are the machine's, whatever a test's clock says",
}

// TestImports reads every source file (so that no test cache hides a new arrow) and fails on an arrow, a foreign package,
// an environment variable or a clock in the wrong room.
func TestImports(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && path != root {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		room := filepath.ToSlash(filepath.Dir(name))
		seen[room] = true
		if file.Name.Name == "main" && room == "cmd/truc/demodata" { // the generator behind a build tag
			return nil
		}
		checkImports(t, filepath.ToSlash(name), room, file)
		checkCalls(t, filepath.ToSlash(name), room, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range arrows {
		if !seen[room] {
			t.Errorf("room %s has no source file: take it out of the table", room)
		}
	}
}

func checkImports(t *testing.T, name, room string, file *ast.File) {
	allowed, known := arrows[room]
	if !known {
		t.Errorf("%s: room %s is not in the table", name, room)
	}
	for _, spec := range file.Imports {
		path := strings.Trim(spec.Path.Value, `"`)
		if ours, ok := strings.CutPrefix(path, module); ok {
			if !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s: not an arrow of room %s", name, ours, room)
			}
			continue
		}
		for foreign, home := range only {
			if (path == foreign || strings.HasPrefix(path, foreign+"/")) && room != home && room != home+"/"+home+"test" {
				t.Errorf("%s imports %s, which only %s may", name, path, home)
			}
		}
	}
}

func checkCalls(t *testing.T, name, room string, file *ast.File) {
	if strings.HasPrefix(room, "cmd/") {
		return
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		selector, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := selector.X.(*ast.Ident)
		if !ok {
			return true
		}
		switch pkg.Name + "." + selector.Sel.Name {
		case "os.Getenv", "os.LookupEnv", "os.Exit", "log.Fatal":
			if !strings.HasSuffix(room, "test") { // test helpers find their tools by the environment
				t.Errorf("%s calls %s.%s: only cmd reads the environment and may exit", name, pkg.Name, selector.Sel.Name)
			}
		case "time.Now":
			if _, ok := machineTime[name]; !ok && !strings.HasSuffix(room, "test") && room != "signing/testpki" {
				t.Errorf("%s calls time.Now(): time comes in as an argument or a Now field", name)
			}
		}
		return true
	})
}
