package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/storage"
	"github.com/truc-lienthong/truc/storage/storagetest"
)

// between stands between us and a real MinIO. Its dial sees each request before MinIO does and may answer it (true).
type between struct {
	mu   sync.Mutex
	dial func(w http.ResponseWriter, r *http.Request, forward http.Handler) bool
	*storage.S3
	config storage.S3Config // of MinIO itself
}

func (b *between) set(dial func(w http.ResponseWriter, r *http.Request, forward http.Handler) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dial = dial
}

func (b *between) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: b.config.Endpoint}) // keeps the signed Host
	forward.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, err error) { w.WriteHeader(http.StatusBadGateway) }
	b.mu.Lock()
	dial := b.dial
	b.mu.Unlock()
	if dial == nil || !dial(w, r, forward) {
		forward.ServeHTTP(w, r)
	}
}

func standBetween(t *testing.T) *between {
	t.Helper()
	b := &between{config: storagetest.MinIO(t)}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	c := b.config
	c.Endpoint = strings.TrimPrefix(server.URL, "http://")
	s, err := storage.OpenS3(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b.S3 = s
	return b
}

func refuse(status int, code string) func(http.ResponseWriter, *http.Request, http.Handler) bool {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		if code != "" && r.Method != http.MethodHead {
			_, _ = fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>dial</Message></Error>`, code)
		}
		return true
	}
}

// loseAnswer lets MinIO do what was asked, for requests that match, and then cuts the connection.
func loseAnswer(match func(*http.Request) bool) func(http.ResponseWriter, *http.Request, http.Handler) bool {
	return func(w http.ResponseWriter, r *http.Request, forward http.Handler) bool {
		if !match(r) {
			return false
		}
		forward.ServeHTTP(httptest.NewRecorder(), r)
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = c.Close()
		}
		return true
	}
}

func TestS3FailuresAreErrorsAndNeverAbsence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dial func(http.ResponseWriter, *http.Request, http.Handler) bool
		full bool
	}{
		"503":           {refuse(http.StatusServiceUnavailable, "SlowDown"), false},
		"500 no body":   {refuse(http.StatusInternalServerError, ""), false},
		"403":           {refuse(http.StatusForbidden, "AccessDenied"), false},
		"no bucket":     {refuse(http.StatusNotFound, "NoSuchBucket"), false},
		"storage full":  {refuse(http.StatusInsufficientStorage, "XMinioStorageFull"), true},
		"quota reached": {refuse(http.StatusConflict, "XMinioAdminBucketQuotaExceeded"), true},
		"cut off":       {loseAnswer(func(*http.Request) bool { return true }), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := standBetween(t)
			put(t, b, "there", []byte("x"))
			b.set(c.dial)
			each := func(string, int64, time.Time) error { return nil }
			var all sync.WaitGroup
			for verb, do := range map[string]func(context.Context) error{
				"put": func(ctx context.Context) error { return second(b.Put(ctx, "new", strings.NewReader("x"), false)) },
				"big put": func(ctx context.Context) error {
					return second(b.Put(ctx, "big", bytes.NewReader(make([]byte, 6<<20)), false))
				},
				"ping":   b.Ping,
				"open":   func(ctx context.Context) error { return second(b.Open(ctx, "there", 0, -1)) },
				"range":  func(ctx context.Context) error { return second(b.Open(ctx, "there", 0, 1)) },
				"stat":   func(ctx context.Context) error { return second(b.Stat(ctx, "there")) },
				"delete": func(ctx context.Context) error { return b.Delete(ctx, "there") },
				"list":   func(ctx context.Context) error { return b.List(ctx, "", each) },
			} {
				all.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
					defer cancel()
					err := do(ctx)
					if err == nil || errors.Is(err, storage.ErrNoObject) || ctx.Err() != nil {
						t.Errorf("%s: %v", verb, err)
					}
					if strings.HasSuffix(verb, "put") && errors.Is(err, storage.ErrFull) != c.full {
						t.Errorf("%s: %v; ErrFull should be %v", verb, err, c.full)
					}
				})
			}
			all.Wait()
		})
	}
}

func TestS3LostAnswerLeavesNothing(t *testing.T) {
	t.Parallel()
	isPut := func(r *http.Request) bool { return r.Method == http.MethodPut && r.URL.Query().Get("uploadId") == "" }
	isComplete := func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Query().Get("uploadId") != "" }
	for name, c := range map[string]struct {
		match func(*http.Request) bool
		size  int
	}{
		"small": {isPut, 10}, "one part": {isPut, 3 << 20}, "many parts": {isComplete, 11 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := standBetween(t)
			b.set(loseAnswer(c.match))
			if _, err := b.Put(t.Context(), "broken", bytes.NewReader(make([]byte, c.size)), true); err == nil {
				t.Error("a put without an answer succeeded")
			}
			b.set(nil)
			if left := keys(t, b, ""); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
			if left := uploads(t, b.config, "broken"); len(left) != 0 {
				t.Errorf("unfinished uploads: %v", left)
			}
		})
	}
}

func TestS3AbandonedUploadsAreAborted(t *testing.T) {
	t.Parallel()
	b := standBetween(t)
	// The process "dies" in the middle: neither the upload's end nor its abort reaches the store.
	b.set(func(w http.ResponseWriter, r *http.Request, forward http.Handler) bool {
		if r.URL.Query().Get("uploadId") != "" && r.Method != http.MethodPut {
			return refuse(http.StatusForbidden, "AccessDenied")(w, r, forward)
		}
		return false
	})
	if _, err := b.Put(t.Context(), "broken", unreadable(7<<20, io.ErrUnexpectedEOF), false); err == nil {
		t.Fatal("a broken body was stored")
	}
	b.set(nil)
	if left := uploads(t, b.config, "broken"); len(left) != 1 {
		t.Fatalf("unfinished uploads: %v, want one", left)
	}
	for after, want := range map[time.Duration]int{23 * time.Hour: 0, 25 * time.Hour: 1} {
		if n, err := b.AbortStale(t.Context(), "broken", time.Now().Add(after)); err != nil || n != want {
			t.Errorf("after %s: %d aborted, %v", after, n, err)
		}
	}
	if left := uploads(t, b.config, "broken"); len(left) != 0 {
		t.Errorf("unfinished uploads: %v", left)
	}
}

func TestS3OneFailureIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := standBetween(t)
	var mu sync.Mutex
	seen := map[string]bool{}
	b.set(func(w http.ResponseWriter, r *http.Request, forward http.Handler) bool {
		mu.Lock()
		first := !seen[r.Method+r.URL.String()]
		seen[r.Method+r.URL.String()] = true
		mu.Unlock()
		return first && refuse(http.StatusServiceUnavailable, "SlowDown")(w, r, forward)
	})
	put(t, b, "small", noise(1, 1000))
	put(t, b, "large", noise(2, 11<<20))
	if got := get(t, b, "large", 0, -1); !bytes.Equal(got, noise(2, 11<<20)) {
		t.Errorf("%d other bytes came back", len(got))
	}
}

func TestS3ChangedBytesAreRefused(t *testing.T) {
	t.Parallel()
	b := standBetween(t)
	b.set(func(w http.ResponseWriter, r *http.Request, forward http.Handler) bool {
		body, _ := io.ReadAll(r.Body)
		if len(body) > 100 {
			body[50] ^= 1
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		return false
	})
	for _, n := range []int{1000, 11 << 20} {
		if _, err := b.Put(t.Context(), "broken", bytes.NewReader(noise(1, n)), false); err == nil {
			t.Errorf("%d bytes that were changed on the way were stored", n)
		}
	}
}

func TestS3BodyThatStopsHalfWayIsAnError(t *testing.T) {
	t.Parallel()
	b := standBetween(t)
	put(t, b, "a", noise(1, 100_000))
	b.set(func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		w.Header().Set("Content-Length", "100000")
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		w.Header().Set("ETag", `"x"`)
		_, _ = w.Write(noise(1, 40_000))
		return true
	})
	body, err := b.Open(t.Context(), "a", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, err := io.ReadAll(body); err == nil {
		t.Errorf("%d bytes passed for all", len(got))
	}
}

func TestS3StoreThatIgnoresRangesIsAnError(t *testing.T) {
	t.Parallel()
	b := standBetween(t)
	put(t, b, "a", noise(1, 1000))
	b.set(func(w http.ResponseWriter, r *http.Request, forward http.Handler) bool {
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		_, _ = w.Write(noise(1, 1000))
		return true
	})
	if _, err := b.Open(t.Context(), "a", 10, 5); err == nil {
		t.Error("the whole was taken for a part")
	}
}

func TestOpenS3SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	good := storagetest.MinIO(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	secret, bucket, nobody, scheme, mute := good, good, good, good, good
	secret.SecretKey = "wrong"
	bucket.Bucket = "Not A Bucket"
	nobody.Endpoint = "127.0.0.1:1"
	scheme.Endpoint = "http://" + good.Endpoint + "/x"
	mute.Endpoint = silent.Addr().String()
	for name, c := range map[string]storage.S3Config{"secret": secret, "bucket": bucket, "nobody listens": nobody, "scheme": scheme, "silence": mute} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			s, err := storage.OpenS3(ctx, c)
			if err == nil {
				_ = s.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), c.Endpoint) || strings.Contains(err.Error(), c.SecretKey+"\"") {
				t.Errorf("unclear: %v", err)
			}
		})
	}
	for range 2 { // the bucket is made once and found the second time
		s, err := storage.OpenS3(t.Context(), good)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		_ = s.Close()
	}
}
