package main

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/truc-lienthong/truc/storage/storagetest"
)

// composeFile is what the tests below look at in docker-compose.yml.
type composeFile struct {
	Services map[string]composeService `yaml:"services"`
	Networks map[string]struct {
		Internal bool `yaml:"internal"`
	} `yaml:"networks"`
	Volumes map[string]any `yaml:"volumes"`
	Secrets map[string]struct {
		File string `yaml:"file"`
	} `yaml:"secrets"`
}

type composeService struct {
	Image string `yaml:"image"`
	Build struct {
		Target string `yaml:"target"`
	} `yaml:"build"`
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	Secrets     []string          `yaml:"secrets"`
	Networks    []string          `yaml:"networks"`
	Volumes     []string          `yaml:"volumes"`
	Ports       []string          `yaml:"ports"`
	DependsOn   map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
	Health struct {
		Test     []string `yaml:"test"`
		Interval string   `yaml:"interval"`
		Disable  bool     `yaml:"disable"`
	} `yaml:"healthcheck"`
	Restart string `yaml:"restart"`
}

func readCompose(t *testing.T) composeFile {
	t.Helper()
	var c composeFile
	if err := yaml.Unmarshal([]byte(readRoot(t, "docker-compose.yml")), &c); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"truc", "migrate", "database", "objects"} {
		if _, ok := c.Services[name]; !ok {
			t.Fatalf("there is no service %s", name)
		}
	}
	return c
}

// plainValue is a variable's value as the file sets it where the person who starts it sets nothing: ${NAME:-value} is value.
func plainValue(s string) string {
	if inner, ok := strings.CutPrefix(s, "${"); ok {
		_, value, _ := strings.Cut(strings.TrimSuffix(inner, "}"), ":-")
		return value
	}
	return s
}

// TestComposeOptions: each TRUC_ variable is an option of the command that its service runs, and all of them together are
// a command line that truc takes.
func TestComposeOptions(t *testing.T) {
	t.Parallel()
	compose, options := readCompose(t), everyOption(t)
	for _, name := range []string{"truc", "migrate"} {
		service := compose.Services[name]
		if service.Build.Target != "truc" {
			t.Errorf("%s is built from stage %q", name, service.Build.Target)
		}
		command := "serve" // the image's own
		if len(service.Command) > 0 {
			command = strings.Join(service.Command, " ")
		}
		args := []string{command}
		for env, value := range service.Environment {
			o, ok := ofCommand(options, command, env)
			if !ok {
				t.Errorf("%s sets %s, which is no option of truc %s", name, env, command)
				continue
			}
			args = append(args, "--"+o.flag.Name+"="+plainValue(value))
		}
		var c cli
		if _, err := newParser(t, &c).Parse(args); err != nil {
			t.Errorf("%s: truc %v: %v", name, args, err)
		}
		if c.DatabaseURL == "" || c.S3Endpoint == "" || c.KeyFile == "" {
			t.Errorf("%s does not name database, object store and key file: %v", name, args)
		}
	}
}

// TestComposeSecrets: what is secret comes from a file, each file is declared, given to the service that reads it and to
// no other, and lies where git does not look.
func TestComposeSecrets(t *testing.T) {
	t.Parallel()
	compose := readCompose(t)
	used := map[string]bool{}
	for name, service := range compose.Services {
		var read []string
		for env, value := range service.Environment {
			if secret, ok := strings.CutPrefix(value, "/run/secrets/"); ok {
				read = append(read, secret)
				used[secret] = true
				continue
			}
			for _, word := range []string{"PASSWORD", "SECRET", "KEY"} {
				if strings.Contains(env, word) && env != "TRUC_S3_ACCESS_KEY" { // the store's user, not its secret
					t.Errorf("%s: %s is not from a secret's file", name, env)
				}
			}
			if u, err := url.Parse(value); err == nil && u.User != nil {
				if _, has := u.User.Password(); has {
					t.Errorf("%s: %s holds a password", name, env)
				}
			}
		}
		slices.Sort(read)
		given := slices.Sorted(slices.Values(service.Secrets))
		if !slices.Equal(read, given) {
			t.Errorf("%s reads the secrets %v and is given %v", name, read, given)
		}
	}
	for secret, at := range compose.Secrets {
		if !used[secret] {
			t.Errorf("secret %s is used by nobody", secret)
		}
		if at.File != "./secrets/"+secret {
			t.Errorf("secret %s lies at %q", secret, at.File)
		}
		delete(used, secret)
	}
	if len(used) > 0 {
		t.Errorf("not declared: %v", used)
	}
	if !strings.Contains(readRoot(t, ".gitignore"), "/secrets/\n") {
		t.Error("git would take the secrets")
	}
	pairs := map[string][2]string{"TRUC_DATABASE_PASSWORD_FILE": {"database", "POSTGRES_PASSWORD_FILE"},
		"TRUC_S3_SECRET_KEY_FILE": {"objects", "MINIO_ROOT_PASSWORD_FILE"}, "TRUC_S3_ACCESS_KEY": {"objects", "MINIO_ROOT_USER"}}
	for ours, theirs := range pairs {
		if a, b := compose.Services["truc"].Environment[ours], compose.Services[theirs[0]].Environment[theirs[1]]; a != b || a == "" {
			t.Errorf("%s is %q, %s of %s is %q", ours, a, theirs[1], theirs[0], b)
		}
	}
}

// TestComposeParts: everything that is used is declared, and the other way round; only truc can be reached, from this
// machine alone; whatever goes on running says whether it is well.
func TestComposeParts(t *testing.T) {
	t.Parallel()
	compose := readCompose(t)
	volumes, networks := map[string]bool{}, map[string]bool{}
	for name, service := range compose.Services {
		for _, v := range service.Volumes {
			source, target, _ := strings.Cut(v, ":")
			volumes[source] = true
			if _, ok := compose.Volumes[source]; !ok || !strings.HasPrefix(target, "/") {
				t.Errorf("%s: volume %q is not declared", name, v)
			}
		}
		for _, n := range service.Networks {
			networks[n] = true
			if declared, ok := compose.Networks[n]; !ok || name != "truc" && name != "migrate" && !declared.Internal {
				t.Errorf("%s: network %q is not declared, or not internal", name, n)
			}
		}
		for _, p := range service.Ports {
			if name != "truc" || !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s publishes %s", name, p)
			}
		}
		lives := service.Restart == "unless-stopped"
		if lives != (len(service.Health.Test) > 1 && service.Health.Interval != "") || lives == service.Health.Disable {
			t.Errorf("%s: restart %q, health check %v, disabled %v", name, service.Restart, service.Health.Test, service.Health.Disable)
		}
		for other, on := range service.DependsOn {
			want := "service_healthy"
			if other == "migrate" {
				want = "service_completed_successfully"
			}
			if _, ok := compose.Services[other]; !ok || on.Condition != want {
				t.Errorf("%s waits for %s to be %q", name, other, on.Condition)
			}
		}
	}
	for name := range compose.Volumes {
		if !volumes[name] {
			t.Errorf("volume %s is used by nobody", name)
		}
	}
	for name := range compose.Networks {
		if !networks[name] {
			t.Errorf("network %s is used by nobody", name)
		}
	}
	if _, ok := compose.Services["truc"].DependsOn["migrate"]; !ok {
		t.Error("truc does not wait for the schema")
	}
}

// TestComposeRuns runs what the services truc and migrate run, with their environment, on a real PostgreSQL and a real
// MinIO: only addresses and the files of the secrets are other ones.
func TestComposeRuns(t *testing.T) {
	t.Parallel()
	compose := readCompose(t)
	s3 := storagetest.MinIO(t)
	folder, address := t.TempDir(), freeAddress(t)
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o400); err != nil {
			t.Fatal(err)
		}
		return path
	}
	here := map[string]string{
		"TRUC_DATABASE_URL":           storagetest.Schema(t, nil),
		"TRUC_DATABASE_PASSWORD_FILE": write("database_password", "any: these tests trust the user"),
		"TRUC_S3_ENDPOINT":            s3.Endpoint,
		"TRUC_S3_BUCKET":              s3.Bucket,
		"TRUC_S3_ACCESS_KEY":          s3.AccessKey,
		"TRUC_S3_SECRET_KEY_FILE":     write("objects_password", s3.SecretKey+"\n"),
		"TRUC_KEY_FILE":               write("key", strings.Repeat("0123456789abcdef", 4)),
		"TRUC_LISTEN":                 address,
	}
	environment := func(service string) (env []string) {
		for name, value := range compose.Services[service].Environment {
			if mine, ok := here[name]; ok {
				value = mine
			}
			env = append(env, name+"="+plainValue(value))
		}
		return env
	}
	if code, _, errs := trucWith(t, environment("truc"), "doctor"); code != exitDependency || !strings.Contains(errs, "truc migrate") {
		t.Errorf("before the migration: exit %d: %s", code, errs)
	}
	for range 2 {
		if code, out, errs := trucWith(t, environment("migrate"), compose.Services["migrate"].Command...); code != exitYes {
			t.Fatalf("migrate: exit %d\n%s%s", code, out, errs)
		}
	}
	n := serve(t, "", address, environment("truc")...)
	health := compose.Services["truc"].Health.Test // CMD truc ready
	if code, out, errs := trucWith(t, environment("truc"), health[2:]...); code != exitYes || !strings.Contains(out, `"ready"`) {
		t.Errorf("%v: exit %d\n%s%s", health, code, out, errs)
	}
	if code, out, errs := trucWith(t, environment("truc"), "setup", "--json"); code != exitYes || !strings.Contains(out, `"totp_secret"`) {
		t.Errorf("setup: exit %d\n%s%s", code, out, errs)
	}
	n.stop(t)
	if code, _, _ := trucWith(t, environment("truc"), health[2:]...); code != exitDependency {
		t.Errorf("a server that has gone is healthy: exit %d", code)
	}
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("it still listens")
	}
}
