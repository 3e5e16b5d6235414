package main

import (
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/truc-lienthong/truc/routing"
)

type agencyCommand struct {
	Import agencyImport `cmd:"" help:"Add and change agencies from a CSV file."`
	Show   agencyShow   `cmd:"" help:"Show one agency."`
	List   agencyList   `cmd:"" help:"Search the directory."`
}

type agencyImport struct {
	File string `arg:"" type:"existingfile" help:"UTF-8 CSV with the header code,old_code,name,parent,kind,status,valid_from,valid_to,successors,decision,code_source."`
	JSON bool   `env:"TRUC_JSON" help:"Answer as JSON."`
}

// maxFaults is how many faults of a file are printed.
const maxFaults = 20

// Run imports all rows or none.
func (a *agencyImport) Run(c *command) error {
	file, err := os.Open(a.File)
	if err != nil {
		return unusable("%v", err)
	}
	defer func() { _ = file.Close() }()
	return c.with(func(in *installation) error {
		base, err := in.store.Directory(c.ctx)
		if err != nil {
			return err
		}
		// Parents and successors may be in the directory already, so it is read with the file.
		agencies, faults, err := routing.ReadCSV(file, base)
		if err != nil {
			return unusable("read %s: %v", a.File, err)
		}
		if len(faults) > 0 {
			for _, f := range faults[:min(maxFaults, len(faults))] {
				fmt.Fprintln(c.err, f)
			}
			return answer{exitNo, fmt.Sprintf("%d faults; nothing was applied", len(faults))}
		}
		result, err := in.store.ImportAgencies(c.ctx, agencies, actor(), time.Now())
		if err != nil {
			return err
		}
		if a.JSON {
			return c.printJSON(result)
		}
		_, err = fmt.Fprintf(c.out, "%d added, %d changed, %d unchanged; directory version %d\n",
			result.Added, result.Changed, result.Unchanged, result.Version)
		return err
	})
}

type agencyShow struct {
	Code string `arg:"" help:"Agency code, either form."`
	JSON bool   `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run shows an agency, whatever its status, and where its documents go.
func (a *agencyShow) Run(c *command) error {
	return c.with(func(in *installation) error {
		d, err := in.store.Directory(c.ctx)
		if err != nil {
			return err
		}
		found := d.Find(a.Code)
		if len(found) == 0 {
			_, err := d.Resolve(a.Code)
			return answer{exitNo, err.Error()}
		}
		if a.JSON {
			return c.printJSON(found)
		}
		for _, one := range found {
			c.printAgency(d, one)
		}
		return nil
	})
}

func (c *command) printAgency(d *routing.Directory, a routing.Agency) {
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "code\t%s\nold code\t%s\nname\t%s\nparent\t%s\nkind\t%s\nstatus\t%s\n", a.Code, a.OldCode, a.Name, a.Parent, a.Kind, a.Status)
	if len(a.Successors) > 0 {
		fmt.Fprintf(w, "successors\t%v\ndecision\t%s\n", a.Successors, a.Decision)
	}
	if r, ok := d.Route(a.Code); ok {
		fmt.Fprintf(w, "served by\t%s (%s, by %s)\n", r.System, r.Way, r.Serving)
	} else {
		fmt.Fprintf(w, "served by\tnobody\n")
	}
	_ = w.Flush() // a terminal that is gone
}

type agencyList struct {
	Query string `arg:"" optional:"" help:"Name or code, with or without accents."`
	Limit int    `env:"TRUC_LIMIT" default:"20" help:"At most so many."`
	JSON  bool   `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run lists agencies that match.
func (a *agencyList) Run(c *command) error {
	return c.with(func(in *installation) error {
		d, err := in.store.Directory(c.ctx)
		if err != nil {
			return err
		}
		var list []routing.Agency
		if a.Query != "" {
			list = d.Search(a.Query, a.Limit)
		} else {
			for one := range d.All() {
				if list = append(list, one); len(list) == a.Limit {
					break
				}
			}
		}
		if a.JSON {
			return c.printJSON(map[string]any{"agencies": list, "total": d.Len(), "version": d.Version()})
		}
		w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
		for _, one := range list {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", one.Code, one.Name, one.Parent, one.Status)
		}
		fmt.Fprintf(w, "%d of %d\n", len(list), d.Len())
		return w.Flush()
	})
}
