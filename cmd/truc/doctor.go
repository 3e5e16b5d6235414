package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/truc-lienthong/truc/server"
)

type doctorCommand struct {
	JSON bool `env:"TRUC_JSON" help:"Answer as JSON."`
}

// finding is what one check of the doctor found.
type finding struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// Run tries each dependency for real; exit 0 when all are well, 75 when one is not.
func (d *doctorCommand) Run(c *command) (err error) {
	in, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	findings := d.examine(c, in)
	sick := 0
	for _, f := range findings {
		if !f.OK {
			sick++
		}
	}
	if d.JSON {
		err = c.printJSON(map[string]any{"ok": sick == 0, "checks": findings})
	} else {
		w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
		for _, f := range findings {
			fmt.Fprintf(w, "%s\t%s\t%s\n", map[bool]string{true: "ok", false: "FAILS"}[f.OK], f.Name, f.Detail)
		}
		err = w.Flush()
	}
	if err == nil && sick > 0 {
		return answer{exitDependency, fmt.Sprintf("%d of %d checks fail", sick, len(findings))}
	}
	return err
}

func (d *doctorCommand) examine(c *command, in *installation) []finding {
	check := func(name string, f func() (string, error)) finding {
		detail, err := f()
		if err != nil {
			return finding{name, false, err.Error()}
		}
		return finding{name, true, detail}
	}
	return []finding{
		check("database: a row written and read back", func() (string, error) {
			started := time.Now()
			err := in.store.Ready(c.ctx, "doctor", time.Now())
			return fmt.Sprintf("with an object: %d ms", time.Since(started).Milliseconds()), err
		}),
		check("object store: an object written, read back, deleted", func() (string, error) {
			started := time.Now()
			err := in.objects.Ping(c.ctx)
			return fmt.Sprintf("%d ms", time.Since(started).Milliseconds()), err
		}),
		check("clock: this machine against the database", func() (string, error) { return clock(c, in) }),
		check("trust store", func() (string, error) { return trustState(c, in) }),
		check("key file: belongs to this database", func() (string, error) {
			return in.key.Fingerprint(), in.store.BindKey(c.ctx, in.key.Fingerprint())
		}),
		check("disk", func() (string, error) { return disk(in) }),
	}
}

// maxSkew is how far two clocks may differ before times in proofs and receipts would mislead.
const maxSkew = 2 * time.Second

func clock(c *command, in *installation) (string, error) {
	theirs, err := in.store.Clock(c.ctx)
	if err != nil {
		return "", err
	}
	skew := time.Since(theirs).Abs()
	detail := fmt.Sprintf("%d ms apart", skew.Milliseconds())
	if skew > maxSkew {
		return "", fmt.Errorf("%s: set both by NTP", detail)
	}
	return detail, nil
}

func trustState(c *command, in *installation) (string, error) {
	alarms, err := server.Alarms(c.ctx, in.store, time.Now())
	if err != nil {
		return "", err
	}
	var urgent, soon []string
	for _, a := range alarms {
		text := a.EN
		if a.Subject != "" {
			text = a.Subject + ": " + text
		}
		if a.Code == "no_anchor" {
			text = "no anchor is in force: every signature is undetermined; `truc trust add` installs one"
		}
		if a.Urgent() {
			urgent = append(urgent, text)
		} else {
			soon = append(soon, text)
		}
	}
	if len(urgent) > 0 {
		return "", errors.New(strings.Join(append(urgent, soon...), "; "))
	}
	if len(soon) > 0 {
		return strings.Join(soon, "; "), nil
	}
	return "anchors and lists are good for 90 days, or as long as they promise", nil
}

// minFree is the least free space: a day of a province with room to spare.
const minFree = 5 << 30

func disk(in *installation) (string, error) {
	path := in.state
	if path == "" {
		var err error
		if path, err = os.Getwd(); err != nil {
			return "", err
		}
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		return "", fmt.Errorf("free space of %s: %w", path, err)
	}
	free := fs.Bavail * uint64(fs.Bsize)
	detail := fmt.Sprintf("%d GiB free at %s", free>>30, path)
	if free < minFree {
		return "", errors.New(detail)
	}
	return detail, nil
}
