package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// TestLostDatabase kills PostgreSQL under a running server: submissions are answered with 503 and Retry-After, never with
// another failure, and are accepted again without a restart.
func TestLostDatabase(t *testing.T) {
	t.Parallel()
	state, address := stateDir(t), freeAddress(t)
	directory := filepath.Join(state, "agencies.csv")
	if err := os.WriteFile(directory, []byte(killDirectory), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, state, "agency", "import", directory)
	must(t, state, "system", "add", "--id", "H29.12", "--name", "Sở Y tế", "--kind", "qlvb", "--agency", "H29.12", "--secret", "secret-send")
	must(t, state, "system", "add", "--id", "H26", "--name", "Hà Nội", "--kind", "lgsp", "--agency", "H26.*", "--secret", "secret-pull")
	node := serve(t, state, address)
	pki, err := testpki.New(testpki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	documents := killDocuments(t, pki)
	client := toy.NewClient("http://"+address, "H29.12", "secret-send")
	submit := func(i int) error {
		document := documents(i)
		document.Dispatch.Recipients = []string{"H26"}
		sub, err := toy.Compose(document.Dispatch, nil, document.Files...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Submit(t.Context(), sub)
		return err
	}
	if err := submit(0); err != nil {
		t.Fatal(err)
	}
	killPostgres(t, state)
	refused, end := 0, time.Now().Add(time.Minute)
	for i := 1; ; i++ {
		err := submit(i)
		var p *toy.Problem
		switch {
		case err == nil:
			t.Logf("%d refused with 503 until PostgreSQL was back", refused)
			node.stop(t)
			checkState(t, state, true)
			return
		case !errors.As(err, &p) || p.Status != 503 || p.RetryAfter <= 0:
			t.Fatalf("without a database: %v", err)
		case time.Now().After(end):
			t.Fatalf("not back in a minute: %v\n%s", err, node.log)
		}
		refused++
	}
}
