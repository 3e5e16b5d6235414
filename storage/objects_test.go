package storage_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/truc-lienthong/truc/storage"
	"github.com/truc-lienthong/truc/storage/storagetest"
)

// store is one of the two object stores under test.
type store struct {
	storage.Objects
	staged func(t *testing.T) []string // what unfinished puts have left, other than objects
	shaky  bool                        // MinIO: a put may meet "Access Denied" while a delete empties the key's folder
}

func filesStore(t *testing.T) store {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "objects")
	f, err := storage.OpenFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return store{f, func(t *testing.T) (names []string) {
		entries, err := os.ReadDir(filepath.Join(dir, ".tmp"))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}, false}
}

func s3Store(t *testing.T) store {
	t.Helper()
	c := storagetest.MinIO(t)
	s, err := storage.OpenS3(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return store{s, func(t *testing.T) []string { return uploads(t, c, "broken") }, true}
}

// uploads lists the unfinished multipart uploads of one key; MinIO lists no others.
func uploads(t *testing.T, c storage.S3Config, key string) (ids []string) {
	client, err := minio.New(c.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(c.AccessKey, c.SecretKey, "")})
	if err != nil {
		t.Fatal(err)
	}
	for u := range client.ListIncompleteUploads(t.Context(), c.Bucket, key, true) {
		if u.Err != nil {
			t.Fatal(u.Err)
		}
		ids = append(ids, u.UploadID)
	}
	return ids
}

// TestObjects holds every store to the same behaviour.
func TestObjects(t *testing.T) {
	t.Parallel()
	behaviours := []struct {
		name string
		test func(t *testing.T, o store)
	}{
		{"what is put comes back", putComesBack},
		{"a range is what was asked for", ranges},
		{"an absent object is ErrNoObject", absentObject},
		{"a second put replaces the first", replaced},
		{"a key that is none is refused", badKeys},
		{"a body that breaks off leaves nothing", brokenBody},
		{"a caller that goes away leaves nothing", cancelled},
		{"a broken put does not touch what was there", brokenReplacement},
		{"many puts at once", manyPuts},
		{"puts and deletes in one folder", putsAndDeletes},
		{"the list is in order", listed},
		{"the list ends with the first error", listEnds},
		{"random access outlives the object", randomOutlives},
		{"ping leaves nothing", pinged},
	}
	for name, open := range map[string]func(*testing.T) store{"files": filesStore, "s3": s3Store} {
		for _, b := range behaviours {
			t.Run(name+"/"+b.name, func(t *testing.T) {
				t.Parallel()
				b.test(t, open(t))
			})
		}
	}
}

// noise is n bytes that no store can guess, the same for the same seed.
func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = r.Read(b)
	return b
}

func put(t *testing.T, o storage.Objects, key string, body []byte) {
	t.Helper()
	kept, err := o.Put(t.Context(), key, bytes.NewReader(body), false)
	if err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
	if kept.Size != int64(len(body)) || kept.ReaderAt != nil || kept.Close() != nil {
		t.Errorf("put %s: %+v, want size %d and no random access", key, kept, len(body))
	}
}

func get(t *testing.T, o storage.Objects, key string, off, n int64) []byte {
	t.Helper()
	body, err := o.Open(t.Context(), key, off, n)
	if err != nil {
		t.Fatalf("open %s at %d for %d: %v", key, off, n, err)
	}
	defer body.Close()
	all, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("read %s at %d for %d: %v", key, off, n, err)
	}
	return all
}

func keys(t *testing.T, o storage.Objects, after string) (all []string) {
	t.Helper()
	err := o.List(t.Context(), after, func(key string, _ int64, _ time.Time) error {
		all = append(all, key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func putComesBack(t *testing.T, o store) {
	const small, part = 1 << 20, 5 << 20 // where the S3 store changes its way
	for i, n := range []int{0, 1, 4096, small - 1, small, small + 1, part - 1, part, part + 1, 2 * part, 2*part + 12345} {
		body, key := noise(uint64(i), n), fmt.Sprintf("20261121/size-%d", n)
		kept, err := o.Put(t.Context(), key, iotest.HalfReader(bytes.NewReader(body)), true)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		again, err := io.ReadAll(io.NewSectionReader(kept, 0, kept.Size))
		if err != nil || !bytes.Equal(again, body) {
			t.Errorf("%d bytes: random access gives %d bytes, %v", n, len(again), err)
		}
		if err := kept.Close(); err != nil {
			t.Errorf("%d bytes: close: %v", n, err)
		}
		if size, err := o.Stat(t.Context(), key); err != nil || size != int64(n) {
			t.Errorf("%d bytes: stat says %d, %v", n, size, err)
		}
		if got := get(t, o, key, 0, -1); !bytes.Equal(got, body) {
			t.Errorf("%d bytes: %d other bytes came back", n, len(got))
		}
		put(t, o, key+"-plain", body)
		if got := get(t, o, key+"-plain", 0, int64(n)); !bytes.Equal(got, body) {
			t.Errorf("%d bytes, plain: %d other bytes came back", n, len(got))
		}
	}
}

func ranges(t *testing.T, o store) {
	body := noise(1, 100_000)
	put(t, o, "r", body)
	put(t, o, "empty", nil)
	for _, c := range []struct {
		key    string
		off, n int64
		want   []byte
	}{
		{"r", 0, -1, body}, {"r", 0, 1, body[:1]}, {"r", 0, 0, nil}, {"r", 1, -1, body[1:]}, {"r", 99_999, 1, body[99_999:]},
		{"r", 99_999, -1, body[99_999:]}, {"r", 500, 1000, body[500:1500]}, {"r", 99_000, 5000, body[99_000:]},
		{"r", 0, 1 << 62, body}, {"r", 7, 1<<63 - 1, body[7:]}, {"r", 100_000, -1, nil}, {"r", 100_000, 5, nil},
		{"r", 1 << 40, -1, nil}, {"r", 1 << 40, 5, nil}, {"r", 5, 0, nil}, {"empty", 0, -1, nil}, {"empty", 0, 5, nil}, {"empty", 3, -1, nil},
	} {
		if got := get(t, o, c.key, c.off, c.n); !bytes.Equal(got, c.want) {
			t.Errorf("%s at %d for %d: %d bytes, want %d", c.key, c.off, c.n, len(got), len(c.want))
		}
	}
	if _, err := o.Open(t.Context(), "r", -1, 5); err == nil {
		t.Error("a negative offset was taken")
	}
	var sent bytes.Buffer
	body2, err := o.Open(t.Context(), "r", 10, 20)
	if err != nil {
		t.Fatal(err)
	}
	defer body2.Close()
	if n, err := io.Copy(&sent, body2); n != 20 || err != nil || !bytes.Equal(sent.Bytes(), body[10:30]) {
		t.Errorf("copied %d bytes, %v", n, err)
	}
}

func absentObject(t *testing.T, o store) {
	put(t, o, "folder/a", []byte("x"))
	for _, key := range []string{"nothing", "folder", "folder/b", "folder/a/b", "no/thing"} {
		if _, err := o.Stat(t.Context(), key); !errors.Is(err, storage.ErrNoObject) {
			t.Errorf("stat %s: %v", key, err)
		}
		for _, n := range []int64{-1, 0, 1} {
			if _, err := o.Open(t.Context(), key, 0, n); !errors.Is(err, storage.ErrNoObject) {
				t.Errorf("open %s for %d: %v", key, n, err)
			}
		}
		if _, err := o.Open(t.Context(), key, 5, -1); !errors.Is(err, storage.ErrNoObject) {
			t.Errorf("open %s at 5: %v", key, err)
		}
		if err := o.Delete(t.Context(), key); err != nil {
			t.Errorf("delete %s: %v", key, err)
		}
	}
	if got := get(t, o, "folder/a", 0, -1); string(got) != "x" {
		t.Errorf("folder/a is now %q", got)
	}
	if err := o.Delete(t.Context(), "folder/a"); err != nil {
		t.Fatal(err)
	}
	if left := keys(t, o, ""); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func replaced(t *testing.T, o store) {
	put(t, o, "a", noise(1, 5000))
	put(t, o, "a", noise(2, 300))
	if got := get(t, o, "a", 0, -1); !bytes.Equal(got, noise(2, 300)) {
		t.Errorf("%d bytes, want the second object", len(got))
	}
}

func badKeys(t *testing.T, o store) {
	long := strings.Repeat("a", 201)
	for _, key := range []string{"", "/", "/etc/passwd", "../x", "a/../b", "a/..", "..", ".", ".tmp/x", "a/.b", "a//b", "a/",
		"a b", "a\\b", "a\x00", "é", "a\n", long, "a/" + long, strings.Repeat("aaaa/", 103) + "a"} {
		_, putErr := o.Put(t.Context(), key, strings.NewReader("x"), false)
		_, openErr := o.Open(t.Context(), key, 0, -1)
		_, statErr := o.Stat(t.Context(), key)
		for verb, err := range map[string]error{"put": putErr, "open": openErr, "stat": statErr, "delete": o.Delete(t.Context(), key)} {
			if err == nil || errors.Is(err, storage.ErrNoObject) {
				t.Errorf("%s %q: %v", verb, key, err)
			}
		}
	}
	for _, key := range []string{"a", "a.b_c-D9", strings.Repeat("a", 200), "20261121/019f-..x"} {
		put(t, o, key, []byte("x"))
	}
	if all := keys(t, o, ""); len(all) != 4 {
		t.Errorf("stored: %v", all)
	}
}

// unreadable gives n bytes and then the error.
func unreadable(n int, err error) io.Reader {
	return io.MultiReader(bytes.NewReader(noise(3, n)), iotest.ErrReader(err))
}

func nothingLeft(t *testing.T, o store, what string) {
	t.Helper()
	if left := keys(t, o, ""); len(left) != 0 {
		t.Errorf("%s: objects left: %v", what, left)
	}
	if left := o.staged(t); len(left) != 0 {
		t.Errorf("%s: staged left: %v", what, left)
	}
}

func brokenBody(t *testing.T, o store) {
	mine := errors.New("the client broke off")
	for _, n := range []int{0, 1, 1 << 20, 3 << 20, 5 << 20, 5<<20 + 1, 12 << 20} {
		for _, cause := range []error{mine, io.ErrUnexpectedEOF} {
			for _, random := range []bool{false, true} {
				what := fmt.Sprintf("%d bytes, %v, %v", n, cause, random)
				kept, err := o.Put(t.Context(), "broken", unreadable(n, cause), random)
				if !errors.Is(err, cause) || kept.Size != 0 || kept.ReaderAt != nil {
					t.Errorf("%s: %+v, %v", what, kept, err)
				}
				nothingLeft(t, o, what)
			}
		}
	}
}

func cancelled(t *testing.T, o store) {
	for _, n := range []int{1, 3 << 20, 6 << 20} {
		ctx, cancel := context.WithCancel(t.Context())
		goAway := readerFunc(func([]byte) (int, error) { cancel(); return 0, io.EOF })
		body := io.MultiReader(bytes.NewReader(noise(4, n)), goAway, bytes.NewReader(noise(5, 6<<20)))
		if _, err := o.Put(ctx, "broken", body, false); !errors.Is(err, context.Canceled) {
			t.Errorf("after %d bytes: %v", n, err)
		}
		nothingLeft(t, o, fmt.Sprintf("after %d bytes", n))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range []error{
		second(o.Put(ctx, "broken", strings.NewReader("x"), false)), second(o.Open(ctx, "broken", 0, -1)),
		second(o.Stat(ctx, "broken")), o.Delete(ctx, "broken"), o.Ping(ctx),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("with an ended context: %v", err)
		}
	}
	nothingLeft(t, o, "with an ended context")
}

func second[T any](_ T, err error) error { return err }

func brokenReplacement(t *testing.T, o store) {
	put(t, o, "a", []byte("first"))
	for _, n := range []int{10, 7 << 20} {
		if _, err := o.Put(t.Context(), "a", unreadable(n, io.ErrUnexpectedEOF), false); err == nil {
			t.Error("a broken body was stored")
		}
	}
	if n, err := o.Stat(t.Context(), "a"); err == nil && n != 5 {
		t.Errorf("something new is under the key: %d bytes", n)
	}
}

func manyPuts(t *testing.T, o store) {
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			for j := range 4 {
				key, body := fmt.Sprintf("2026112%d/o-%d-%d", i%3, i, j), noise(uint64(i*10+j), 1000*i+j)
				kept, err := o.Put(t.Context(), key, bytes.NewReader(body), j%2 == 0)
				if err != nil {
					t.Errorf("put %s: %v", key, err)
					return
				}
				_ = kept.Close()
				if _, err := o.Put(t.Context(), "one-for-all", bytes.NewReader(noise(9, 2000)), false); err != nil {
					t.Errorf("put one-for-all: %v", err)
				}
				got := get(t, o, key, 0, -1)
				if sha256.Sum256(got) != sha256.Sum256(body) {
					t.Errorf("%s: other bytes came back", key)
				}
			}
		})
	}
	all.Wait()
	if n := len(keys(t, o, "")); n != 24*4+1 {
		t.Errorf("%d keys, want %d", n, 24*4+1)
	}
	if got := get(t, o, "one-for-all", 0, -1); !bytes.Equal(got, noise(9, 2000)) {
		t.Error("one-for-all is torn")
	}
}

func putsAndDeletes(t *testing.T, o store) {
	if o.shaky {
		put(t, o, "a/b/anchor", nil)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 20 {
				key := fmt.Sprintf("a/b/%d-%d", i, j)
				if _, err := o.Put(t.Context(), key, strings.NewReader("x"), false); err != nil {
					t.Errorf("put %s: %v", key, err)
				}
				if err := o.Delete(t.Context(), key); err != nil {
					t.Errorf("delete %s: %v", key, err)
				}
			}
		})
	}
	all.Wait()
	if err := o.Delete(t.Context(), "a/b/anchor"); err != nil {
		t.Error(err)
	}
	nothingLeft(t, o, "after all")
}

func listed(t *testing.T, o store) {
	all := []string{"a-b", "a.b", "a/b", "a/b0", "a/c/d", "a0", "b", "b-/x", "b/x", "b0/x", "z/y/x/w"}
	shuffled := slices.Clone(all)
	rand.Shuffle(len(all), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	shuffled = slices.DeleteFunc(shuffled, func(k string) bool { return k == "b" }) // "b/x" makes it a folder
	all = slices.DeleteFunc(all, func(k string) bool { return k == "b" })
	for _, key := range shuffled {
		put(t, o, key, []byte(key))
	}
	for i, after := range append([]string{""}, all...) {
		if got := keys(t, o, after); !slices.Equal(got, all[i:]) {
			t.Errorf("after %q: %v, want %v", after, got, all[i:])
		}
	}
	for after, want := range map[string]int{"a": len(all), "a/": len(all) - 2, "a/b/": len(all) - 3, "a/zz": len(all) - 5, "zz": 0} {
		if got := keys(t, o, after); len(got) != want {
			t.Errorf("after %q: %v, want the last %d", after, got, want)
		}
	}
	err := o.List(t.Context(), "", func(key string, size int64, modified time.Time) error {
		if size != int64(len(key)) || time.Since(modified).Abs() > time.Minute {
			t.Errorf("%s: size %d, modified %s", key, size, modified)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func listEnds(t *testing.T, o store) {
	for i := range 5 {
		put(t, o, fmt.Sprintf("d/%d", i), nil)
	}
	mine, calls := errors.New("enough"), 0
	err := o.List(t.Context(), "", func(string, int64, time.Time) error {
		if calls++; calls == 2 {
			return mine
		}
		return nil
	})
	if !errors.Is(err, mine) || calls != 2 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func randomOutlives(t *testing.T, o store) {
	kept, err := o.Put(t.Context(), "a", strings.NewReader("%PDF-1.7"), true)
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	if err := o.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 4)
	if n, err := kept.ReadAt(p, 1); n != 4 || err != nil || string(p) != "PDF-" {
		t.Errorf("%q, %v", p[:n], err)
	}
}

func pinged(t *testing.T, o store) {
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := o.Ping(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	nothingLeft(t, o, "after ping")
}

// TestObjectsLong streams 1 GB through each store (TRUC_LONG=1). It is not parallel: it looks at this process's memory.
func TestObjectsLong(t *testing.T) {
	if os.Getenv("TRUC_LONG") != "1" {
		t.Skip("streams 1 GB through each store: set TRUC_LONG=1")
	}
	const size, most = 1 << 30, 32 << 20
	for name, open := range map[string]func(*testing.T) store{"files": filesStore, "s3": s3Store} {
		for _, random := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/random=%v", name, random), func(t *testing.T) {
				o := open(t)
				debug.FreeOSMemory()
				before, peak, read := resident(t), int64(0), int64(0)
				hash := sha256.New()
				pattern := noise(1, 1<<20)
				body := io.TeeReader(io.LimitReader(readerFunc(func(p []byte) (int, error) {
					n := copy(p, pattern[read%int64(len(pattern)):])
					if read += int64(n); read>>24 != (read-int64(n))>>24 { // every 16 MB
						peak = max(peak, resident(t))
					}
					return n, nil
				}), size), hash)
				began := time.Now()
				kept, err := o.Put(t.Context(), "20261121/large", body, random)
				if err != nil || kept.Size != size {
					t.Fatalf("%d bytes, %v", kept.Size, err)
				}
				defer kept.Close()
				t.Logf("%.0f MB/s, %d MB more memory", size/1e6/time.Since(began).Seconds(), (peak-before)>>20)
				if peak-before > most {
					t.Errorf("%d MB more memory, at most %d", (peak-before)>>20, most>>20)
				}
				again := sha256.New()
				back, err := o.Open(t.Context(), "20261121/large", 0, -1)
				if err != nil {
					t.Fatal(err)
				}
				defer back.Close()
				if n, err := io.Copy(again, back); n != size || err != nil || !bytes.Equal(again.Sum(nil), hash.Sum(nil)) {
					t.Errorf("%d bytes came back, %v", n, err)
				}
				if random {
					last := make([]byte, 100)
					if _, err := kept.ReadAt(last, size-100); err != nil || !bytes.Equal(last, pattern[len(pattern)-100:]) {
						t.Errorf("random access to the end: %v", err)
					}
				}
			})
		}
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// resident is this process's memory in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var total, pages int64
	if _, err := fmt.Sscan(string(text), &total, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
