package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
	"github.com/truc-lienthong/truc/web"
)

type userCommand struct {
	Add userAdd `cmd:"" help:"Add a person; prints password and TOTP secret once."`
}

type userAdd struct {
	Name         string   `env:"TRUC_USER_NAME" required:"" help:"Sign-in name, lower case."`
	Role         string   `env:"TRUC_USER_ROLE" required:"" enum:"operator,authority,administrator,clerk,auditor" help:"operator, authority, administrator, clerk or auditor."`
	Agency       []string `env:"TRUC_USER_AGENCY" sep:"none" help:"A clerk's agency, or the root of an administrator's subtree. Repeat for more."`
	PasswordFile string   `env:"TRUC_USER_PASSWORD_FILE" name:"password-file" type:"existingfile" help:"File with the password; made when not given, and then for one use."`
	TOTPSecret   string   `env:"TRUC_USER_TOTP_SECRET" name:"totp-secret" help:"Base32 TOTP secret; made when not given."`
	JSON         bool     `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run adds the user.
func (a *userAdd) Run(c *command) error {
	return c.with(func(in *installation) error {
		made, err := a.add(c, in)
		if err != nil {
			return err
		}
		if a.JSON {
			return c.printJSON(made)
		}
		_, err = fmt.Fprintf(c.out, "name      %s\npassword  %s\ntotp      %s\n%s\n", made.Name, made.Password, made.TOTP, made.URI)
		return err
	})
}

// madeUser is what is shown once.
type madeUser struct {
	Name     string `json:"name"`
	Password string `json:"password"`
	TOTP     string `json:"totp_secret"`
	URI      string `json:"totp_uri"`
}

func (a *userAdd) add(c *command, in *installation) (madeUser, error) {
	made := madeUser{Name: a.Name, Password: web.NewPassword(), TOTP: a.TOTPSecret}
	u := storage.User{Name: a.Name, Role: storage.Role(a.Role), OneTime: a.PasswordFile == ""}
	if a.PasswordFile != "" {
		raw, err := os.ReadFile(a.PasswordFile)
		if err != nil {
			return made, unusable("%v", err)
		}
		if made.Password = strings.TrimRight(string(raw), "\r\n"); len(made.Password) < 8 {
			return made, unusable("the password in %s has fewer than 8 characters", a.PasswordFile)
		}
	}
	if made.TOTP == "" {
		var err error
		if made.TOTP, made.URI, err = web.NewTOTP(a.Name); err != nil {
			return made, err
		}
	}
	var err error
	if u.Agencies, err = a.agencies(c, in); err != nil {
		return made, err
	}
	if u.Password, err = web.HashPassword(made.Password); err != nil {
		return made, err
	}
	u.TOTP = in.key.Seal([]byte(made.TOTP), storage.TOTPPurpose(a.Name))
	return made, in.store.AddUser(c.ctx, u, actor(), time.Now())
}

func (a *userAdd) agencies(c *command, in *installation) ([]routing.Code, error) {
	if len(a.Agency) == 0 {
		if a.Role == "clerk" || a.Role == "administrator" {
			return nil, answer{exitFlags, "--agency is needed for a clerk or an administrator"}
		}
		return nil, nil
	}
	d, err := in.store.Directory(c.ctx)
	if err != nil {
		return nil, err
	}
	var codes []routing.Code
	for _, given := range a.Agency {
		found, err := d.Resolve(given)
		if err != nil {
			return nil, answer{exitNo, err.Error()}
		}
		codes = append(codes, found.Code)
	}
	return codes, nil
}

type setupCommand struct {
	Name string `env:"TRUC_SETUP_NAME" default:"admin" help:"Sign-in name."`
	JSON bool   `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run makes the first operator, and refuses when there are users already.
func (s *setupCommand) Run(c *command) error {
	return c.with(func(in *installation) error {
		n, err := in.store.CountUsers(c.ctx)
		if err != nil {
			return err
		}
		if n > 0 {
			return answer{exitNo, "there are users already: `truc user add` adds more"}
		}
		made, err := (&userAdd{Name: s.Name, Role: string(storage.Operator)}).add(c, in)
		if err != nil {
			return err
		}
		if s.JSON {
			return c.printJSON(made)
		}
		_, err = fmt.Fprintf(c.out, "The first administrator. Both are shown once; the password is for one sign-in.\n\nname      %s\npassword  %s\ntotp      %s\n%s\n",
			made.Name, made.Password, made.TOTP, made.URI)
		return err
	})
}
