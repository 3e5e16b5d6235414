package server

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
)

var devN atomic.Int64

func devSchema(t testing.TB, m func(context.Context, string) error) string {
	n := fmt.Sprintf("t%d_%d", os.Getpid(), devN.Add(1))
	out, err := exec.Command("psql", "-h", "/tmp/pgdev", "-U", "truc", "postgres", "-c", "create database "+n).CombinedOutput()
	if err != nil {
		t.Fatal(string(out))
	}
	dsn := "postgres:///" + n + "?host=/tmp/pgdev&user=truc"
	check(t, m(context.Background(), dsn))
	t.Cleanup(func() {
		exec.Command("psql", "-h", "/tmp/pgdev", "-U", "truc", "postgres", "-c", "drop database "+n+" with (force)").Run()
	})
	return dsn
}
