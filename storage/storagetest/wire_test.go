package storagetest

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestWireCuts: each fault does what it says, once, and the line works again.
func TestWireCuts(t *testing.T) {
	t.Parallel()
	direct := Schema(t, migrateOne)
	w := NewWire(t, direct)
	ctx := t.Context()
	write := func(n int) error {
		return admin(ctx, w.DSN(), func(c *pgx.Conn) error {
			return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, `INSERT INTO one VALUES ($1)`, n)
				return err
			})
		})
	}
	stored := func(n int) (found bool) {
		err := admin(ctx, direct, func(c *pgx.Conn) error {
			return c.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM one WHERE n = $1)`, n).Scan(&found)
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	for i, c := range []struct {
		name   string
		fault  func()
		failed bool
		stored bool
	}{
		{"no fault", func() {}, false, true},
		{"cut before", func() { w.CutBefore(1) }, true, false},
		{"cut after", func() { w.CutAfter(1) }, true, true},
		{"whole again", func() {}, false, true},
		{"down", w.Down, true, false},
		{"mended", w.Mend, false, true},
		{"cut after, then down", func() { w.CutAfter(1); w.ThenDown() }, true, true},
		{"still down", func() {}, true, false},
		{"mended again", w.Mend, false, true},
	} {
		c.fault()
		if err := write(i + 10); (err != nil) != c.failed {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := stored(i + 10); got != c.stored {
			t.Errorf("%s: stored %t", c.name, got)
		}
	}
	if w.Cuts() != 3 {
		t.Errorf("%d cuts", w.Cuts())
	}
}

// TestWireLosesTheAnswerOfAStatement: a statement that is its own transaction happens and is not answered.
func TestWireLosesTheAnswerOfAStatement(t *testing.T) {
	t.Parallel()
	direct := Schema(t, migrateOne)
	w := NewWire(t, direct)
	ctx := t.Context()
	c, err := pgx.Connect(ctx, w.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	w.CutAnswer(1)
	if _, err := c.Exec(ctx, `INSERT INTO one VALUES (7)`); err == nil {
		t.Error("answered")
	}
	n := 0
	err = admin(ctx, direct, func(c *pgx.Conn) error { return c.QueryRow(ctx, `SELECT count(*) FROM one WHERE n = 7`).Scan(&n) })
	if err != nil || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
}
