package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// Check runs the invariant checker and fails the test for each finding. It stands at the end of every test that writes.
func Check(t testing.TB, s *storage.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	findings, err := s.Check(ctx)
	if err != nil {
		t.Errorf("invariant checker: %v", err)
	}
	for _, f := range findings {
		t.Errorf("invariant broken: %s", f)
	}
}
