package storagetest

import (
	"errors"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/storage"
)

func TestFaultyFailsBeforeAndAfter(t *testing.T) {
	t.Parallel()
	files, err := storage.OpenFiles(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	f, mine := Faulty(files), errors.New("mine")
	stored := func(key string) bool { _, err := files.Stat(t.Context(), key); return err == nil }
	put := func(key string) error {
		kept, err := f.Put(t.Context(), key, strings.NewReader("x"), true)
		if err == nil {
			_ = kept.Close()
		} else if kept.ReaderAt != nil {
			t.Error("a failed put gives access")
		}
		return err
	}
	f.FailBefore(Put, 1, nil)
	if err := put("a"); !errors.Is(err, ErrFault) || stored("a") {
		t.Errorf("before: %v, stored %v", err, stored("a"))
	}
	f.FailAfter(Put, 2, mine)
	for _, key := range []string{"b", "c"} {
		if err := put(key); !errors.Is(err, mine) || !stored(key) {
			t.Errorf("after: %v, stored %v", err, stored(key))
		}
	}
	if err := put("d"); err != nil || f.Calls(Put) != 4 {
		t.Errorf("after the dial ran out: %v, %d calls", err, f.Calls(Put))
	}
	f.FailAfter(Delete, -1, nil)
	for range 3 {
		if err := f.Delete(t.Context(), "b"); !errors.Is(err, ErrFault) || stored("b") {
			t.Errorf("delete: %v, still stored %v", err, stored("b"))
		}
	}
	f.FailAfter(Open, 1, nil)
	if body, err := f.Open(t.Context(), "d", 0, -1); !errors.Is(err, ErrFault) || body != nil {
		t.Errorf("open: %v, %v", body, err)
	}
	f.FailBefore(Ping, -1, nil)
	if err := f.Ping(t.Context()); !errors.Is(err, ErrFault) {
		t.Errorf("ping: %v", err)
	}
	f.Mend()
	if err := f.Ping(t.Context()); err != nil {
		t.Errorf("mended: %v", err)
	}
}
