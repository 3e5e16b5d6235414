package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var update = flag.Bool("update", false, "write README's table of options anew")

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
	for _, name := range []string{"README.md", "README.vi.md", "ARCHITECTURE.md", "server/CONNECT.md", "Dockerfile", "docker-compose.yml", "Makefile",
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
