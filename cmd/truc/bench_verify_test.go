package main

import "testing"

// TestBenchVerify runs the bench for a moment: everything must be judged valid, and the answer must have its form. Its
// figures say nothing.
func TestBenchVerify(t *testing.T) {
	t.Parallel()
	got := must(t, "/nonexistent", "bench", "verify", "--json", "--seconds", "1", "--signers", "1", "--large", "4")
	if got["bench"] != "verify" || got["unit"] != "documents/s" || got["goal"] != verifyGoal {
		t.Errorf("%v", got)
	}
	for _, name := range []string{"truc", "floor", "ratio", "n", "seconds", "p50_ms", "p95_ms", "cores"} {
		if n, ok := got[name].(float64); !ok || n <= 0 {
			t.Errorf("%s: %v", name, got[name])
		}
	}
	if cases, _ := got["cases"].([]any); len(cases) != 7 {
		t.Errorf("%d cases: %v", len(cases), cases)
	}
}
