package main

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/storage"
)

type trustHost struct {
	Add    trustHostAdd    `cmd:"" help:"Allow a host."`
	List   trustHostList   `cmd:"" help:"List the allowed hosts."`
	Remove trustHostRemove `cmd:"" help:"Allow it no longer."`
}

type trustHostAdd struct {
	Host string `arg:"" name:"host[:port]" help:"Host, with its port where that is not 80 of http or 443 of https."`
	JSON bool   `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run allows a host.
func (a *trustHostAdd) Run(c *command) error {
	host, err := readHost(a.Host)
	if err != nil {
		return err
	}
	return c.with(func(in *installation) error {
		if err := in.store.AllowHost(c.ctx, host, actor(), time.Now()); err != nil {
			return err
		}
		return c.said(a.JSON, "allowed", host)
	})
}

// readHost takes a host as `server` compares it: lower case, no scheme, no path.
func readHost(text string) (string, error) {
	u, err := url.Parse("//" + strings.ToLower(text))
	if err != nil || u.Host == "" || u.Host != strings.ToLower(text) || u.User != nil || strings.HasSuffix(u.Host, ":") {
		return "", answer{exitFlags, fmt.Sprintf("%q is not a host or host:port", text)}
	}
	if port := u.Port(); port == "80" || port == "443" {
		return "", answer{exitFlags, fmt.Sprintf("leave :%s out: it is the port of http or https, which %s alone stands for", port, u.Hostname())}
	} else if port == "" {
		return u.Hostname(), nil
	}
	return net.JoinHostPort(u.Hostname(), u.Port()), nil
}

func (c *command) said(asJSON bool, did, what string) error {
	if asJSON {
		return c.printJSON(map[string]any{did: what})
	}
	_, err := fmt.Fprintf(c.out, "%s %s\n", what, did)
	return err
}

type trustHostRemove struct {
	Host string `arg:"" name:"host[:port]" help:"As the list shows it."`
	JSON bool   `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run takes a host off the list: exit 1 when it is not on it.
func (a *trustHostRemove) Run(c *command) error {
	return c.with(func(in *installation) error {
		if err := in.store.ForbidHost(c.ctx, a.Host, actor(), time.Now()); err != nil {
			return err
		}
		return c.said(a.JSON, "removed", strings.ToLower(a.Host))
	})
}

type trustHostList struct {
	JSON bool `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run lists the hosts.
func (a *trustHostList) Run(c *command) error {
	return c.with(func(in *installation) error {
		list, err := in.store.Hosts(c.ctx)
		if err != nil {
			return err
		}
		if a.JSON {
			type line struct {
				Host    string    `json:"host"`
				AddedAt time.Time `json:"added_at"`
				AddedBy string    `json:"added_by"`
			}
			lines := make([]line, len(list))
			for i, h := range list {
				lines[i] = line{h.Host, h.AddedAt.In(storage.Vietnam), h.AddedBy}
			}
			return c.printJSON(map[string]any{"hosts": lines})
		}
		for _, h := range list {
			fmt.Fprintf(c.out, "%s\t%s\t%s\n", h.Host, h.AddedAt.In(storage.Vietnam).Format("02/01/2006"), h.AddedBy)
		}
		return nil
	})
}

type trustFetchPlan struct {
	JSON bool `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run lists what certificates name, without asking anybody.
func (a *trustFetchPlan) Run(c *command) error {
	return c.with(func(in *installation) error {
		if err := server.NewFetcher(in.store, time.Now, c.log).Survey(c.ctx); err != nil {
			return err
		}
		plan, err := server.FetchPlan(c.ctx, in.store)
		if err != nil {
			return err
		}
		if a.JSON {
			return c.printJSON(map[string]any{"hosts": plan})
		}
		w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
		for _, h := range plan {
			state := map[bool]string{true: "allowed", false: "not allowed"}[h.Allowed]
			if h.Host == "" {
				state = "never asked: neither http nor https"
			}
			fmt.Fprintf(w, "%s\t%s\n", h.Host, state)
			for _, u := range h.URLs {
				fmt.Fprintf(w, "\t%s\t%s\t%s\n", u.Kind, u.URL, lastTry(u))
			}
		}
		return w.Flush()
	})
}

func lastTry(u server.PlannedAddress) string {
	switch {
	case u.Failure != "":
		return fmt.Sprintf("failed %d times: %s", u.Failures, u.Failure)
	case u.FetchedAt != nil:
		return "fetched " + u.FetchedAt.Format("02/01/2006 15:04")
	}
	return "not tried"
}

type trustFetch struct {
	JSON bool `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run asks every address on an allowed host now: exit 1 when one gave nothing of use, 3 when no host is allowed.
func (a *trustFetch) Run(c *command) error {
	return c.with(func(in *installation) error {
		hosts, err := in.store.Hosts(c.ctx)
		if err != nil {
			return err
		}
		got, err := server.NewFetcher(in.store, time.Now, c.log).Round(c.ctx, true)
		if err != nil {
			return err
		}
		if a.JSON {
			err = c.printJSON(got)
		} else {
			_, err = fmt.Fprintf(c.out, "%d installed, %d unchanged, %d failed\n", got.Installed, got.Unchanged, len(got.Failed))
		}
		switch {
		case err != nil:
			return err
		case len(hosts) == 0:
			return answer{exitNothing, "no host is allowed: `truc trust fetch-plan` names them, `truc trust host add` allows one"}
		case len(got.Failed) > 0:
			return answer{code: exitNo}
		}
		return nil
	})
}
