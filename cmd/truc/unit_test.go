package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestUnit: the systemd unit starts a real command with real options, stops it as truc wants to be stopped, and systemd
// itself, where it is there to be asked, finds nothing wrong with it.
func TestUnit(t *testing.T) {
	t.Parallel()
	text := readRoot(t, "cmd/truc/truc.service")
	set := map[string][]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			set[name] = append(set[name], value)
		}
	}
	start := strings.Fields(set["ExecStart"][0])
	args, options := start[1:], everyOption(t)
	for _, line := range set["Environment"] {
		env, value, _ := strings.Cut(line, "=")
		o, ok := ofCommand(options, args[0], env)
		if !ok {
			t.Errorf("%s is no option of truc %s", env, args[0])
			continue
		}
		args = append(args, "--"+o.flag.Name+"="+value)
	}
	var c cli
	if _, err := newParser(t, &c).Parse(args); err != nil {
		t.Errorf("truc %v: %v", args, err)
	}
	if want := "/var/lib/" + set["StateDirectory"][0]; c.State != want {
		t.Errorf("the state folder is %s, systemd makes %s", c.State, want)
	}
	if filepath.Base(start[0]) != "truc" || set["KillMode"][0] != "mixed" || set["Restart"][0] != "always" {
		t.Error("ExecStart, KillMode or Restart is not as truc needs it")
	}
	for _, line := range []string{"NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "User=truc", "StateDirectoryMode=0700"} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("%s is missing", line)
		}
	}
	// PostgreSQL's shared memory, and that of other commands on the same folder, must stay what it is.
	for _, line := range []string{"PrivateIPC", "RemoveIPC", "DynamicUser"} {
		if slices.Contains(set[line], "yes") {
			t.Errorf("%s must not be set", line)
		}
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		return
	}
	there := filepath.Join(t.TempDir(), "truc.service")
	if err := os.WriteFile(there, []byte(strings.Replace(text, "ExecStart="+start[0], "ExecStart=/bin/true", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", there).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
