// Package storagetest answers: on what real dependencies do tests run?
package storagetest

import (
	"context"
	"testing"
)

// Postgres gives the DSN of a PostgreSQL shared by all tests of this machine.
func Postgres(t testing.TB) string { t.Fatal("not written yet"); return "" }

// Schema gives the DSN of a fresh database that migrate has filled; it goes when the test ends.
func Schema(t testing.TB, migrate func(ctx context.Context, dsn string) error) string {
	t.Fatal("not written yet")
	return ""
}
