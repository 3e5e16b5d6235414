package signing

import (
	"runtime"
	"testing"
	"time"
)

// Bounded does work on a stranger's bytes and holds it to what all readers promise: 8 times the size plus 32 MB of memory
// (all that is allocated counts, garbage too, so twice that), and 2 s for each 20 MB begun.
func Bounded(t testing.TB, size int, work func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	work()
	Soon(t, start, time.Duration(1+size/(20<<20))*2*time.Second)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > uint64(2*(8*size+32<<20)) {
		t.Errorf("%d bytes allocated for %d", used, size)
	}
}

// Soon fails when work took so much longer than promised that its bound cannot hold: ten times, for no test may fail
// because its machine is busy.
func Soon(t testing.TB, start time.Time, promised time.Duration) {
	t.Helper()
	if took := time.Since(start); took > 10*promised {
		t.Errorf("took %v, more than ten times %v", took, promised)
	}
}
