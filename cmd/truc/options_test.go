package main

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// option is one flag of one command, as kong knows it.
type option struct {
	env     string
	command string // "" for those of every command, else "system add"
	flag    *kong.Flag
}

// newParser is the parser of the real command line.
func newParser(t *testing.T, c *cli) *kong.Kong {
	t.Helper()
	parser, err := kong.New(c, kong.Name("truc"), kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

// everyOption lists all options in the order of the commands, those of every command first.
func everyOption(t *testing.T) []option {
	t.Helper()
	var list []option
	var walk func(*kong.Node, string)
	walk = func(n *kong.Node, path string) {
		for _, f := range n.Flags {
			if f.Name == "help" {
				continue
			}
			if len(f.Envs) != 1 {
				t.Errorf("%s --%s has %d environment variables, want 1", path, f.Name, len(f.Envs))
				continue
			}
			list = append(list, option{f.Envs[0], path, f})
		}
		for _, child := range n.Children {
			if child.Type == kong.CommandNode {
				walk(child, strings.TrimSpace(path+" "+child.Name))
			}
		}
	}
	walk(newParser(t, &cli{}).Model.Node, "")
	return list
}

// ofCommand finds the option that a variable sets for a command.
func ofCommand(list []option, command, env string) (option, bool) {
	i := slices.IndexFunc(list, func(o option) bool { return o.env == env && (o.command == "" || o.command == command) })
	if i < 0 {
		return option{}, false
	}
	return list[i], true
}

// notOptions are variables that something else than an option of truc reads.
var notOptions = map[string]string{
	"TRUC_COMMIT":        "bench.go: which commit a binary was built from, where the build did not stamp it",
	"TRUC_REQUIRE_TOOLS": "tests: a tool that is missing is a failure",
	"TRUC_LONG":          "tests: the long forms",
	"TRUC_MINIO":         "tests: where the MinIO server is",
}

var trucVariable = regexp.MustCompile(`\bTRUC_[A-Z0-9_]*[A-Z0-9]\b`)

// TestNamedVariables: whatever a document or a configuration file calls TRUC_… is a real option.
func TestNamedVariables(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, o := range everyOption(t) {
		known[o.env] = true
	}
	for _, name := range []string{"README.md", "README.vi.md", "ARCHITECTURE.md", "Dockerfile", "docker-compose.yml", "Makefile",
		".ci/setup", "cmd/truc/truc.service"} {
		for _, env := range trucVariable.FindAllString(readRoot(t, name), -1) {
			if !known[env] && notOptions[env] == "" && !strings.HasPrefix(env, "TRUC_AGENCY_") && !prefixOfKnown(known, env) {
				t.Errorf("%s names %s, which is no option", name, env)
			}
		}
	}
}

// prefixOfKnown allows a family such as TRUC_S3_* to be named.
func prefixOfKnown(known map[string]bool, env string) bool {
	for k := range known {
		if strings.HasPrefix(k, env+"_") {
			return true
		}
	}
	return false
}

// root is the folder of the whole project.
var root = filepath.Join("..", "..")

func readRoot(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var update = flag.Bool("update", false, "write README's table of options anew")
