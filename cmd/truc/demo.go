package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// demoCommand plays the axis's main job on an installation of its own. Of the configuration of a server it reads nothing but
// where to listen: the story is to go the same way everywhere.
type demoCommand struct {
	Listen    string `env:"TRUC_LISTEN" default:"127.0.0.1:8080" help:"Address to serve on; a free port when the default is taken."`
	PlainHTTP bool   `env:"TRUC_PLAIN_HTTP" name:"plain-http" help:"Allow an address that is not loopback."`
	Once      bool   `env:"TRUC_DEMO_ONCE" help:"Play on a throwaway folder and a free port, and end."`
	JSON      bool   `env:"TRUC_JSON" help:"Print the result as one JSON line; the story goes to standard error."`
}

const demoListen = "127.0.0.1:8080"

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
	out := c.out
	if d.JSON {
		out = c.err
	}
	show := newScreen(out)
	show.title()
	if folder.anew {
		show.say("Làm mới từ đầu: đã xóa dữ liệu của lần trình diễn trước trong "+folder.path, "starting anew: the data of the demo before were deleted")
	}
	in, err := own.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	w, err := makeWorld(own, in, show)
	defer func() { err = errors.Join(err, w.close()) }()
	if err != nil {
		return err
	}
	up, err := d.serve(own, in, show)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, up.stop()) }()
	w.toys.run(own.ctx, up.url)
	return d.perform(c, in, w, up, show)
}

// serve starts the server as `truc serve` does.
func (d *demoCommand) serve(c *command, in *installation, show *screen) (*running, error) {
	up, err := (&serveOptions{Listen: d.Listen, PlainHTTP: d.PlainHTTP}).start(c, in)
	if errors.Is(err, syscall.EADDRINUSE) && d.Listen == demoListen {
		show.say("Cổng 8080 đang được dùng: demo dùng một cổng khác", "port 8080 is taken: the demo takes a free one")
		up, err = (&serveOptions{Listen: "127.0.0.1:0"}).start(c, in)
	}
	if err == nil {
		show.say("Trục đang chạy tại "+up.url, "the axis is up")
	}
	return up, err
}

// perform plays, recounts, prints, and lingers.
func (d *demoCommand) perform(c *command, in *installation, w *world, up *running, show *screen) error {
	ctx, cancel := context.WithTimeout(c.ctx, demoPatience)
	defer cancel()
	s := &story{world: w, store: in.store, show: show, began: show.started}
	late := s.play(ctx)
	switch {
	case late == nil:
	case c.ctx.Err() != nil:
		return answer{exitNo, "stopped before the end of the story"}
	case ctx.Err() != nil: // the books are shown all the same, with what is still pending
		show.say("Quá thời gian: dừng chờ", fmt.Sprintf("the story took more than %v: %v", demoPatience, late))
	default:
		return fmt.Errorf("the story stopped (what the server said is in %s): %w", filepath.Join(in.state, "truc.log"), late)
	}
	result, err := recount(c.ctx, in.store, s.began)
	if err != nil {
		return err
	}
	result.compare(w.toys)
	result.Seconds = float64(time.Since(show.started).Milliseconds()) / 1000
	show.showLedger(result)
	if !d.Once {
		if err := w.savePKI(in); err != nil { // with the agencies' keys, for `truc send --pki`
			return err
		}
		d.guide(in, w, s, up.url)
	}
	if d.JSON {
		if err := c.printJSON(result); err != nil {
			return err
		}
	}
	if !d.Once {
		if err := d.linger(c.ctx, up, show, w); err != nil {
			return err
		}
	}
	if late != nil || !result.good() {
		return answer{exitNo, "something was lost, or the ledger does not balance: " + result.compared.String()}
	}
	return nil
}

// openFolder finds the demo's own folder: throwaway with --once, else --state, else beside the installation's (<state>-demo).
func (d *demoCommand) openFolder(c *command) (*demoFolder, error) {
	if c.options.DatabaseURL != "" {
		fmt.Fprintln(c.err, "truc: the demo leaves the configured database and store alone: it plays on its own embedded one")
	}
	if d.Once {
		d.Listen = "127.0.0.1:0"
		return throwaway()
	}
	path := c.options.State
	// TRUC_STATE names an installation, --state the demo's folder.
	if named, err := filepath.Abs(os.Getenv("TRUC_STATE")); path == "" || err == nil && os.Getenv("TRUC_STATE") != "" && named == path {
		beside, err := stateFolder(path)
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
