package server

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

// tables are all that hold documents or what follows from them. Neither the audit, where a refusal may leave a
// line, nor the counts, which a job folds.
var tables = []string{"object", "identity", "idempotency", "dispatch", "attachment", "delivery", "attempt", "receipt", "queue"}

// kept says what an axis holds: every object by key and size, and how many rows each table has.
func (a *axis) kept(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	ctx := t.Context()
	check(t, a.Store.Objects.List(ctx, "", func(key string, size int64, _ time.Time) error {
		if !strings.HasPrefix(key, "audit/") { // the signed heads of the audit chain, one a minute
			fmt.Fprintf(&b, "%s %d\n", key, size)
		}
		return nil
	}))
	counts := make([]string, len(tables))
	for i, table := range tables {
		counts[i] = "SELECT '" + table + "' AS name, count(*) FROM " + table
	}
	rows, err := a.rows(t).Query(ctx, strings.Join(counts, " UNION ALL ")+" ORDER BY 1")
	check(t, err)
	var name string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&name, &n}, func() error {
		fmt.Fprintf(&b, "%s %d\n", name, n)
		return nil
	})
	check(t, err)
	return b.String()
}

// rows is a connection of the test's own, for what no verb of storage tells.
func (a *axis) rows(t testing.TB) *pgx.Conn {
	t.Helper()
	if a.conn == nil {
		conn, err := pgx.Connect(context.Background(), a.dsn)
		check(t, err)
		a.conn = conn
	}
	return a.conn
}

// refused checks that an answer is a refusal in the promised form: problem+json with code, vi and en at every level.
func (r reply) refused(t testing.TB, status int, code string) reply {
	t.Helper()
	r.want(t, status)
	if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("content type %q: %.500s", got, r.raw)
	}
	var p Problem
	check(t, json.Unmarshal(r.raw, &p))
	if p.Code != code {
		t.Fatalf("code %q, want %q: %.1000s", p.Code, code, r.raw)
	}
	for _, one := range append([]Problem{p}, p.Problems...) {
		if one.Code == "" || one.VI == "" || one.EN == "" || strings.Contains(one.VI+one.EN, "%!") {
			t.Fatalf("a problem without its sentences: %+v", one)
		}
	}
	if code == "unavailable" || code == "rate" {
		if r.Header.Get("Retry-After") == "" {
			t.Fatal("no Retry-After")
		}
	}
	return r
}

// untouched runs f and checks that nothing was kept of it.
func (a *axis) untouched(t *testing.T, f func()) {
	t.Helper()
	before := a.kept(t)
	f()
	if after := a.kept(t); after != before {
		t.Fatalf("something was kept of what was refused:\nbefore:\n%s\nafter:\n%s", before, after)
	}
}

func small(a *axis, c *Config) {
	c.Limits = Limits{File: 1 << 20, Dispatch: 4 << 20, PerWay: map[routing.Way]int64{routing.Mailbox: 1<<20 + 1<<19}}
}

// with gives a letter with some fields changed; nil takes a field away.
func with(changes map[string]any) map[string]any {
	m := letter("H29.12-2026-refused", "H26")
	for field, value := range changes {
		if m[field] = value; value == nil {
			delete(m, field)
		}
	}
	return m
}
