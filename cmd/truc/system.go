package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

type systemCommand struct {
	Add     systemAdd     `cmd:"" help:"Connect a system; prints its id and secret once."`
	Import  systemImport  `cmd:"" help:"Take existing systems with the secrets they have from a CSV file, for a cut-over."`
	List    systemList    `cmd:"" help:"List systems."`
	Rotate  systemRotate  `cmd:"" help:"Give a system a new secret; the old one stays good for a while."`
	Disable systemDisable `cmd:"" help:"End a system's access; what waits for it waits on."`
}

type systemAdd struct {
	ID      string   `env:"TRUC_SYSTEM_ID" required:"" name:"id" help:"Id, usually the agency's code."`
	Name    string   `env:"TRUC_SYSTEM_NAME" required:"" help:"Name, for people."`
	Kind    string   `env:"TRUC_SYSTEM_KIND" required:"" enum:"qlvb,lgsp,other" help:"qlvb, lgsp or other."`
	Agency  []string `env:"TRUC_SYSTEM_AGENCY" required:"" sep:"none" help:"Code that it serves; 'H29.12.*' is H29.12 and all under it. Repeat for more."`
	Way     string   `env:"TRUC_SYSTEM_WAY" enum:",pull,push,mailbox" default:"" help:"pull, push or mailbox; default push with a webhook, else pull."`
	Form    string   `env:"TRUC_SYSTEM_FORM" enum:"new,old" default:"new" help:"Form of the codes that it is shown over /vxp: new (QĐ 20/2020) or old (QCVN 102). It may send either."`
	Secret  string   `env:"TRUC_SYSTEM_SECRET" help:"Its secret; made when not given."`
	Webhook string   `env:"TRUC_SYSTEM_WEBHOOK" help:"Where a pushed system is told."`
	Rate    int      `env:"TRUC_SYSTEM_RATE" help:"Requests a second; default the server's."`
	JSON    bool     `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run writes the system with its secret sealed.
func (a *systemAdd) Run(c *command) error {
	sys, secret, err := a.system()
	if err != nil {
		return err
	}
	return c.with(func(in *installation) error {
		d, err := in.store.Directory(c.ctx)
		if err != nil {
			return err
		}
		for _, v := range sys.Serves {
			if _, ok := d.Get(v.Code); !ok {
				return answer{exitNo, fmt.Sprintf("no agency has the code %s: import the directory first, or mend the code", v.Code)}
			}
		}
		sys.Secret = in.key.Seal([]byte(secret), storage.SecretPurpose(sys.ID))
		if err := in.store.AddSystem(c.ctx, sys, actor(), time.Now()); err != nil {
			return err
		}
		if a.JSON {
			return c.printJSON(map[string]any{"id": sys.ID, "secret": secret, "way": sys.Way, "agencies": a.Agency})
		}
		_, err = fmt.Fprintf(c.out, "id        %s\nsecret    %s\nway       %s\nagencies  %v\n", sys.ID, secret, sys.Way, a.Agency)
		return err
	})
}

func (a *systemAdd) system() (storage.System, string, error) {
	sys := storage.System{ID: a.ID, Name: a.Name, Kind: a.Kind, Way: routing.Way(a.Way), Webhook: a.Webhook, Form: a.Form, Rate: a.Rate}
	if sys.Way == "" {
		sys.Way = routing.Pull
		if a.Webhook != "" {
			sys.Way = routing.Push
		}
	}
	if (sys.Way == routing.Push) != (a.Webhook != "") {
		return sys, "", answer{exitFlags, "a webhook goes with the way push, and push with a webhook"}
	}
	if a.Webhook != "" && !isWebhook(a.Webhook) {
		return sys, "", answer{exitFlags, "the webhook must be an http or https address without a password in it"}
	}
	if !systemID.MatchString(a.ID) {
		return sys, "", answer{exitFlags, "an id is 1 to 64 letters without accents, digits, dots, underscores or hyphens"}
	}
	for _, given := range a.Agency {
		code, subtree, err := routing.ParseServing(given)
		if err != nil {
			return sys, "", unusable("%v", err)
		}
		sys.Serves = append(sys.Serves, routing.Serving{System: a.ID, Code: code, Subtree: subtree, Way: sys.Way})
	}
	secret := a.Secret
	if secret == "" {
		secret = newSecret()
	}
	return sys, secret, nil
}

// newSecret is 256 random bits, in characters that survive a configuration file.
func newSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand since Go 1.24)
	return base64.RawURLEncoding.EncodeToString(b)
}

type systemList struct {
	JSON bool `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run lists systems without their secrets.
func (a *systemList) Run(c *command) error {
	return c.with(func(in *installation) error {
		list, err := in.store.Systems(c.ctx)
		if err != nil {
			return err
		}
		type line struct {
			ID, Name, Kind string
			Way            routing.Way
			Webhook, Form  string
			Agencies       []string
			Disabled       bool
			SeenAt         *time.Time
			Failing        string
		}
		lines := make([]line, len(list))
		for i, y := range list {
			lines[i] = line{ID: y.ID, Name: y.Name, Kind: y.Kind, Way: y.Way, Webhook: y.Webhook, Form: y.Form, Disabled: !y.DisabledAt.IsZero(), Failing: y.Failure}
			for _, v := range y.Serves {
				code := string(v.Code)
				if v.Subtree {
					code += ".*"
				}
				lines[i].Agencies = append(lines[i].Agencies, code)
			}
			if !y.SeenAt.IsZero() {
				at := y.SeenAt.In(storage.Vietnam)
				lines[i].SeenAt = &at
			}
		}
		if a.JSON {
			return c.printJSON(map[string]any{"systems": lines})
		}
		w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
		for _, l := range lines {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%v\t%s\n", l.ID, l.Name, l.Kind, l.Way, l.Form, l.Agencies, l.Failing)
		}
		return w.Flush()
	})
}

type systemRotate struct {
	ID      string        `arg:"" help:"The system's id."`
	Secret  string        `env:"TRUC_SYSTEM_SECRET" help:"The new secret; made when not given."`
	Overlap time.Duration `env:"TRUC_SYSTEM_OVERLAP" default:"168h" help:"How long the old secret stays good."`
	JSON    bool          `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run replaces the secret.
func (a *systemRotate) Run(c *command) error {
	secret := a.Secret
	if secret == "" {
		secret = newSecret()
	}
	return c.with(func(in *installation) error {
		now := time.Now()
		sealed := in.key.Seal([]byte(secret), storage.SecretPurpose(a.ID))
		if err := in.store.RotateSecret(c.ctx, a.ID, sealed, now.Add(a.Overlap), actor(), now); err != nil {
			return fmt.Errorf("system %s: %w", a.ID, err)
		}
		if a.JSON {
			return c.printJSON(map[string]any{"id": a.ID, "secret": secret, "old_until": now.Add(a.Overlap).In(storage.Vietnam)})
		}
		_, err := fmt.Fprintf(c.out, "id        %s\nsecret    %s\nthe old secret is good until %s\n", a.ID, secret, now.Add(a.Overlap).In(storage.Vietnam).Format("02/01/2006 15:04:05"))
		return err
	})
}

type systemDisable struct {
	ID string `arg:"" help:"The system's id."`
}

// Run disables the system.
func (a *systemDisable) Run(c *command) error {
	return c.with(func(in *installation) error {
		if err := in.store.DisableSystem(c.ctx, a.ID, actor(), time.Now()); err != nil {
			return fmt.Errorf("system %s: %w", a.ID, err)
		}
		_, err := fmt.Fprintf(c.out, "%s is disabled\n", a.ID)
		return err
	})
}
