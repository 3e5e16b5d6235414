package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// demoCommand plays the axis's main job on an installation of its own.
type demoCommand struct {
	serveOptions
	Once bool `env:"TRUC_DEMO_ONCE" help:"Play on a throwaway folder and a free port, and end."`
	JSON bool `env:"TRUC_JSON" help:"Print the result as one JSON line; the story goes to standard error."`
}

// demoPatience bounds the whole story: a machine that needs longer is broken.
const demoPatience = 5 * time.Minute

// Run plays the story, prints what the database says of it, and serves until Ctrl-C (with --once it ends).
func (d *demoCommand) Run(c *command) (err error) {
	folder, err := d.openFolder(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.close()) }()
	own, logFile, err := c.apart(folder.path)
	if err != nil {
		return err
	}
	defer func() { _ = logFile.Close() }()
	show := newScreen(c.err)
	in, err := own.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	w, err := makeWorld(own, in, show)
	if w.toys != nil {
		defer func() { err = errors.Join(err, w.toys.close()) }()
	}
	if err != nil {
		return err
	}
	up, err := d.start(own, in)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, up.stop()) }()
	w.toys.run(own.ctx, up.url)
	return d.perform(c, in, w, up, show)
}

func (d *demoCommand) perform(c *command, in *installation, w *world, up *running, show *screen) error {
	ctx, cancel := context.WithTimeout(c.ctx, demoPatience)
	defer cancel()
	s := &story{world: w, store: in.store, show: show, began: show.started}
	if err := s.play(ctx); err != nil {
		return err
	}
	result, err := recount(ctx, in.store, s.began)
	if err != nil {
		return err
	}
	result.compare(w.toys)
	result.Seconds = float64(time.Since(show.started).Milliseconds()) / 1000
	if d.JSON {
		if err := c.printJSON(result); err != nil {
			return err
		}
	}
	if !result.good() {
		return answer{exitNo, "something was lost, or the ledger does not balance: " + result.compared.String()}
	}
	if d.Once {
		return nil
	}
	<-c.ctx.Done()
	return nil
}

// openFolder finds the demo's own folder: throwaway with --once, else --state, else beside the installation's.
func (d *demoCommand) openFolder(c *command) (*demoFolder, error) {
	if c.options.DatabaseURL != "" {
		fmt.Fprintln(c.err, "truc: the demo leaves the configured database and store alone: it plays on its own embedded one")
	}
	if d.Once {
		d.Listen = "127.0.0.1:0"
		return throwaway()
	}
	path := c.options.State
	if path == "" {
		beside, err := stateFolder("")
		if err != nil {
			return nil, err
		}
		path = beside + "-demo"
	}
	return openDemoFolder(path)
}

// apart gives the command that the demo's own installation is run with: the embedded default in folder, with its log in a
// file, so that it does not get between the lines of the story.
func (c *command) apart(folder string) (*command, *os.File, error) {
	file, err := os.OpenFile(filepath.Join(folder, "truc.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open the demo's log: %w", err)
	}
	own := *c
	own.options = &options{State: folder, LogLevel: c.options.LogLevel}
	own.log = slog.New(slog.NewTextHandler(file, &slog.HandlerOptions{Level: c.options.LogLevel}))
	return &own, file, nil
}
