package storagetest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

func migrateOne(ctx context.Context, dsn string) error {
	return execute(ctx, dsn, `CREATE TABLE one AS SELECT 1 AS n`)
}

func TestSchemasAreSeparateAndMigrated(t *testing.T) {
	t.Parallel()
	first, second, empty := Schema(t, migrateOne), Schema(t, migrateOne), Schema(t, nil)
	if first == second || first == empty {
		t.Fatalf("not separate: %s, %s, %s", first, second, empty)
	}
	ctx := t.Context()
	if err := execute(ctx, first, `INSERT INTO one VALUES (2)`); err != nil {
		t.Fatal(err)
	}
	for dsn, want := range map[string]int{first: 2, second: 1} {
		got := 0
		err := admin(ctx, dsn, func(c *pgx.Conn) error { return c.QueryRow(ctx, `SELECT count(*) FROM one`).Scan(&got) })
		if err != nil || got != want {
			t.Errorf("%s has %d rows, %v; want %d", dsn, got, err, want)
		}
	}
	if err := execute(ctx, empty, `SELECT n FROM one`); err == nil {
		t.Error("the empty database is not empty")
	}
}

func TestSchemaGoesWithItsTest(t *testing.T) {
	t.Parallel()
	var dsn string
	var held *pgx.Conn
	t.Run("inner", func(t *testing.T) {
		dsn = Schema(t, nil)
		var err error
		if held, err = pgx.Connect(context.Background(), dsn); err != nil { // a connection that the test forgot
			t.Fatal(err)
		}
	})
	defer held.Close(context.Background())
	if err := execute(t.Context(), dsn, `SELECT 1`); err == nil {
		t.Error("the database outlived its test")
	}
}

func TestOrphansAreDropped(t *testing.T) {
	t.Parallel()
	dsn, ctx := Postgres(t), t.Context()
	const orphan = "truc_test_999999999_1" // no process has such an id
	if err := execute(ctx, dsn, `CREATE DATABASE `+orphan); err != nil && !goneMeanwhile(err) {
		t.Fatal(err)
	}
	mine := Schema(t, nil)
	if err := dropOrphans(ctx, dsn); err != nil {
		t.Fatal(err)
	}
	if err := execute(ctx, in(dsn, orphan), `SELECT 1`); err == nil {
		t.Error("the orphan is still there")
	}
	if err := execute(ctx, mine, `SELECT 1`); err != nil {
		t.Errorf("a living process's database was dropped: %v", err)
	}
}
