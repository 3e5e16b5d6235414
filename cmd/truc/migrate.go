package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

type migrateCommand struct{}

// Run migrates and says from where to where.
func (m *migrateCommand) Run(c *command) (err error) {
	in, err := c.reach()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	from, to, err := storage.Migrate(c.ctx, in.dsn, time.Now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "schema %d → %d\n", from, to)
	return err
}
