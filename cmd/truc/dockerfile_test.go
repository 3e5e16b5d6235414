package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// stage is one FROM of the Dockerfile with its instructions, each on one line.
type stage struct {
	name, from string
	lines      []string
}

// instruction gives the arguments of a stage's first instruction of a kind.
func (s stage) instruction(kind string) string {
	for _, line := range s.lines {
		if rest, ok := strings.CutPrefix(line, kind+" "); ok {
			return rest
		}
	}
	return ""
}

func readDockerfile(t *testing.T) (args map[string]string, stages []stage) {
	t.Helper()
	args = map[string]string{}
	text := strings.ReplaceAll(readRoot(t, "Dockerfile"), "\\\n", "")
	for line := range strings.Lines(text) {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if words := strings.Fields(line); words[0] == "FROM" {
			if len(words) != 4 || words[2] != "AS" {
				t.Fatalf("%q: every stage has a name", line)
			}
			stages = append(stages, stage{name: words[3], from: words[1]})
			continue
		}
		if given, ok := strings.CutPrefix(line, "ARG "); ok {
			name, value, _ := strings.Cut(given, "=")
			args[name] = value
		}
		if len(stages) > 0 {
			last := &stages[len(stages)-1]
			last.lines = append(last.lines, line)
		}
	}
	return args, stages
}

// TestDockerfile: the stages that the compose file builds exist, run as a user that is not root, say whether they are
// well, and start with real commands; versions are those of the module and of the tests.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	args, stages := readDockerfile(t)
	find := func(name string) stage {
		i := slices.IndexFunc(stages, func(s stage) bool { return s.name == name })
		if i < 0 {
			t.Fatalf("no stage %s", name)
		}
		return stages[i]
	}
	for _, service := range readCompose(t).Services {
		if service.Build.Target == "" {
			continue
		}
		s := find(service.Build.Target)
		if user := s.instruction("USER"); !regexp.MustCompile(`^[1-9][0-9]*:[1-9][0-9]*$`).MatchString(user) {
			t.Errorf("stage %s runs as %q, want a number that is not root's", s.name, user)
		}
		if s.instruction("HEALTHCHECK") == "" || s.instruction("ENTRYPOINT") == "" || s.instruction("CMD") == "" {
			t.Errorf("stage %s lacks HEALTHCHECK, ENTRYPOINT or CMD", s.name)
		}
		for _, line := range s.lines {
			if from, ok := strings.CutPrefix(line, "COPY --from="); ok {
				find(strings.Fields(from)[0])
			}
		}
	}
	if last := stages[len(stages)-1].name; last != "truc" {
		t.Errorf("`docker build .` makes %s", last)
	}
	truc := find("truc")
	for kind, want := range map[string]string{"ENTRYPOINT": `["truc"]`, "CMD": `["serve"]`} {
		if got := truc.instruction(kind); got != want {
			t.Errorf("%s %s, want %s", kind, got, want)
		}
	}
	if !strings.HasSuffix(truc.instruction("HEALTHCHECK"), `CMD ["truc", "ready"]`) {
		t.Errorf("HEALTHCHECK %s", truc.instruction("HEALTHCHECK"))
	}
	if build := find("build").lines; !strings.HasPrefix(build[len(build)-1], "RUN CGO_ENABLED=0 go build ") {
		t.Errorf("not a static binary: %s", build[len(build)-1])
	}
	if !regexp.MustCompile(`(?m)^go ` + regexp.QuoteMeta(args["GO"]) + `(\.|$)`).MatchString(readRoot(t, "go.mod")) {
		t.Errorf("the image's Go %s is not that of go.mod", args["GO"])
	}
	if !strings.Contains(readRoot(t, ".ci/setup"), "minio=github.com/minio/minio@"+args["MINIO"]+"\n") {
		t.Errorf("MinIO %s is not the one that .ci/setup builds for the tests", args["MINIO"])
	}
}

// TestDockerfileCopies: what the build stage copies is there, and is all that the binary is made of.
func TestDockerfileCopies(t *testing.T) {
	t.Parallel()
	_, stages := readDockerfile(t)
	var copied []string
	for _, line := range stages[0].lines {
		words := strings.Fields(line)
		if words[0] != "COPY" {
			continue
		}
		for _, name := range words[1 : len(words)-1] {
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Error(err)
			}
			copied = append(copied, name)
		}
	}
	list := exec.Command("go", "list", "-deps", "-json=Module,Dir", "./cmd/truc")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for in := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Dir    string
			Module *struct{ Main bool }
		}
		if err := in.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module == nil || !p.Module.Main {
			continue
		}
		name, err := filepath.Rel(top, p.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if room, _, _ := strings.Cut(filepath.ToSlash(name), "/"); !slices.Contains(copied, room) {
			t.Errorf("%s is part of the binary and not copied", name)
		}
	}
}
