package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// installation is the data that a command works on: the embedded default, or the configured database and store.
type installation struct {
	store    *storage.Store
	key      *storage.KeyFile
	dsn      string
	objects  storage.Objects
	state    string
	embedded *storage.Embedded // nil with a configured database
	closers  []func() error
}

// open brings the installation up: in the embedded default it starts PostgreSQL (or joins the one that runs on the same
// folder) and migrates; elsewhere an old schema is refused.
func (c *command) open() (*installation, error) {
	in, err := c.reach()
	if err != nil {
		return nil, err
	}
	if in.embedded != nil {
		if _, _, err := storage.Migrate(c.ctx, in.dsn, time.Now()); err != nil {
			return nil, errors.Join(err, in.close())
		}
	}
	in.store, err = storage.Open(c.ctx, storage.Config{DSN: in.dsn, Objects: in.objects, Conns: 24})
	if err != nil {
		return nil, errors.Join(err, in.close())
	}
	in.closers = append(in.closers, func() error { in.store.Close(); return nil })
	return in, nil
}

// reach finds the database, the objects and the key without opening the schema.
func (c *command) reach() (*installation, error) {
	o := c.options
	in := &installation{}
	var err error
	switch {
	case o.DatabaseURL == "" && o.S3Endpoint == "" && o.ObjectsDir == "":
		err = in.startEmbedded(c)
	case o.DatabaseURL == "" || o.S3Endpoint == "" && o.ObjectsDir == "":
		err = answer{exitFlags, "TRUC_DATABASE_URL goes with TRUC_S3_ENDPOINT (or TRUC_OBJECTS_DIR): set both or neither"}
	default:
		err = in.useConfigured(c.ctx, o)
	}
	if err != nil {
		return nil, errors.Join(err, in.close())
	}
	return in, nil
}

func (in *installation) startEmbedded(c *command) error {
	state, err := stateFolder(c.options.State)
	if err != nil {
		return err
	}
	in.state = state
	if err := os.MkdirAll(state, 0o755); err != nil { // PostgreSQL's own user must be able to pass through; each part below is 0700
		return fmt.Errorf("make the state folder: %w", err)
	}
	// PostgreSQL takes longest: the rest is made meanwhile.
	started := make(chan error, 1)
	go func() {
		var err error
		in.embedded, err = storage.StartEmbedded(c.ctx, storage.EmbeddedConfig{Dir: filepath.Join(state, "postgres"), Log: c.log})
		started <- err
	}()
	files, err := storage.OpenFiles(filepath.Join(state, "objects"))
	keyPath := c.options.KeyFile
	if keyPath == "" {
		keyPath = filepath.Join(state, "key")
	}
	var keyErr error
	in.key, keyErr = storage.OpenKeyFile(keyPath, true)
	startErr := <-started
	if startErr == nil {
		in.closers = append(in.closers, in.embedded.Close)
		in.dsn = in.embedded.DSN()
	} else {
		in.embedded = nil
		startErr = fmt.Errorf("%w: %w", storage.ErrUnavailable, startErr)
	}
	if err == nil {
		in.objects = files
		in.closers = append(in.closers, files.Close)
	}
	return errors.Join(startErr, err, keyErr)
}

func (in *installation) useConfigured(ctx context.Context, o *options) error {
	if o.KeyFile == "" {
		return answer{exitFlags, "TRUC_KEY_FILE must be set: with a configured database the key is yours to keep (make one, readable by its user alone, with `od -An -v -tx1 -N32 /dev/urandom | tr -d ' \\n'`)"}
	}
	var err error
	if in.key, err = storage.OpenKeyFile(o.KeyFile, false); err != nil {
		return unusable("%v", err)
	}
	if in.dsn, err = databaseURL(o); err != nil {
		return err
	}
	if o.ObjectsDir != "" {
		files, err := storage.OpenFiles(o.ObjectsDir)
		if err != nil {
			return err
		}
		in.objects = files
		in.closers = append(in.closers, files.Close)
		return nil
	}
	secret := o.S3SecretKey
	if secret == "" && o.S3SecretFile != "" {
		if secret, err = readSecret(o.S3SecretFile); err != nil {
			return err
		}
	}
	s3, err := storage.OpenS3(ctx, storage.S3Config{Endpoint: o.S3Endpoint, Bucket: o.S3Bucket, AccessKey: o.S3AccessKey,
		SecretKey: secret, TLS: o.S3TLS})
	if err != nil {
		return fmt.Errorf("%w: %w", storage.ErrUnavailable, err)
	}
	in.objects = s3
	in.closers = append(in.closers, s3.Close)
	return nil
}

// close takes everything down in reverse order.
func (in *installation) close() error {
	var all error
	for i := len(in.closers) - 1; i >= 0; i-- {
		all = errors.Join(all, in.closers[i]())
	}
	in.closers = nil
	return all
}

// readSecret reads a secret from its file; white space around it is an editor's, not the secret's.
func readSecret(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", unusable("read a secret: %v", err)
	}
	secret := strings.TrimSpace(string(raw))
	if secret == "" {
		return "", unusable("the secret file %s is empty", path)
	}
	return secret, nil
}

// databaseURL is the configured URL with the password from its file, if there is one. It is put in as text, because a URL
// with several hosts (host1:5432,host2:5432) is not one that net/url takes; and behind the user, where a driver that
// reports the URL in an error knows how to hide it.
func databaseURL(o *options) (string, error) {
	if o.DatabasePass == "" {
		return o.DatabaseURL, nil
	}
	scheme, rest, ok := strings.Cut(o.DatabaseURL, "://")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	at := strings.LastIndexByte(rest[:end], '@')
	if !ok || at < 1 || strings.Contains(rest[:at], ":") {
		return "", answer{exitFlags, "with TRUC_DATABASE_PASSWORD_FILE, TRUC_DATABASE_URL must be postgres://user@host/database: a user, and no password"}
	}
	password, err := readSecret(o.DatabasePass)
	if err != nil {
		return "", err
	}
	return scheme + "://" + rest[:at] + url.UserPassword("", password).String() + rest[at:], nil
}

// stateFolder is where the embedded default keeps everything.
func stateFolder(given string) (string, error) {
	if given != "" {
		return filepath.Abs(given)
	}
	if os.Geteuid() == 0 {
		return "/var/lib/truc", nil
	}
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find the home folder: %w", err)
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "truc"), nil
}

// with opens the installation, runs f, and closes.
func (c *command) with(f func(*installation) error) (err error) {
	in, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	if err := in.store.BindKey(c.ctx, in.key.Fingerprint()); err != nil {
		return err
	}
	return f(in)
}

// actor names who runs a command, for the audit.
func actor() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return "cli:" + name
	}
	if name := os.Getenv("USER"); name != "" {
		return "cli:" + name
	}
	return "cli"
}
