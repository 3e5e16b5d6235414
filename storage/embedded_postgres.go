package storage

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// debianPostgres is where Debian keeps the programs of each version, in a folder named by its number.
const debianPostgres = "/usr/lib/postgresql"

var errNoPostgres = errors.New("the programs initdb and postgres are neither on PATH nor in " + debianPostgres +
	"/*/bin: install the Debian package postgresql (apt-get install postgresql), or name a database with TRUC_DATABASE_URL")

// findPostgres gives the folder of initdb and postgres: of the version that made the cluster in dir, if there is one and
// it is installed; else of those on PATH; else of the newest in debian.
func findPostgres(dir, debian string) (string, error) {
	var at []string
	made, err := os.ReadFile(filepath.Join(dir, "pg", "PG_VERSION"))
	version := strings.TrimSpace(string(made))
	if err == nil {
		at = append(at, filepath.Join(debian, version, "bin"))
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			at = append(at, filepath.Dir(path))
		}
	}
	at = append(at, newestPostgres(debian)...)
	for _, bin := range at {
		if runs(filepath.Join(bin, "initdb")) && runs(filepath.Join(bin, "postgres")) {
			return bin, nil
		}
	}
	if version != "" {
		return "", fmt.Errorf("%w (the cluster was made by version %s)", errNoPostgres, version)
	}
	return "", errNoPostgres
}

func newestPostgres(debian string) []string {
	found, _ := filepath.Glob(debian + "/*/bin") // fails only for a bad pattern
	best, newest := "", 0
	for _, bin := range found {
		if v, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && v > newest {
			best, newest = bin, v
		}
	}
	if best == "" {
		return nil
	}
	return []string{best}
}

func runs(path string) bool { return unix.Access(path, unix.X_OK) == nil }

// embeddedSettings are given on the command line, so that a newer truc changes them without touching the cluster.
func embeddedSettings(noSync bool) []string {
	set := []string{
		"listen_addresses=", // the socket only
		"unix_socket_permissions=0700",
		"max_connections=200",
		fmt.Sprintf("shared_buffers=%dMB", sharedBuffers(memory())),
		"max_wal_size=2GB", // with 256 MB kept, so that files are used again instead of made
		"min_wal_size=256MB",
		"wal_compression=on",
		"checkpoint_timeout=15min",
		"autovacuum_naptime=15s", // the queue's rows live for seconds
		"random_page_cost=1.1",
		"jit=off", // our statements are small: compiling costs more than it saves
		"TimeZone=UTC",
		"log_timezone=UTC",
		"log_min_messages=log", // an error goes to the client, which logs it; the server's copy could hold a document's data
		"log_checkpoints=off",
		"fsync=on",
		"synchronous_commit=on",
	}
	if noSync {
		set = append(set, "fsync=off", "full_page_writes=off", "max_connections=400")
	}
	args := make([]string, 0, 2*len(set))
	for _, s := range set {
		args = append(args, "-c", s)
	}
	return args
}

// sharedBuffers in MB: a sixteenth of the memory, 128 to 512. The rest is the file cache's and ours.
func sharedBuffers(memory int64) int64 { return min(512, max(128, memory>>20/16)) }

// memory in bytes: of the machine, or what a container may use of it.
func memory() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	all := int64(info.Totalram) * int64(info.Unit)
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if most, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
			return min(all, most)
		}
	}
	return all
}
