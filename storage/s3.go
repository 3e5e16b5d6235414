package storage

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Config says where the bucket is and who we are there.
type S3Config struct {
	Endpoint  string // host or host:port, without a scheme
	Bucket    string // made when missing
	AccessKey string
	SecretKey string
	TLS       bool // https, checked against the machine's certificate authorities
}

// S3 keeps objects in a bucket of any S3 store. Only the plain parts of the protocol are used: no checksum headers, no
// trailers, no chunked signatures; each body is signed with its SHA-256, so a store that checks signatures also checks
// that the bytes arrived whole.
type S3 struct {
	core      minio.Core
	bucket    string
	transport *http.Transport
	stop      context.CancelFunc
	sweeping  sync.WaitGroup
	now       func() time.Time
}

const (
	s3Small    = 1 << 20         // bytes held for a small body
	s3Part     = 5 << 20         // bytes held for a larger one; the least that S3 takes as a part, so 48 GiB in all
	s3Parts    = 10_000          // parts that S3 allows
	s3Patience = 2 * time.Minute // for one request with a body of at most a part
	s3Undo     = 5 * time.Second // for cleaning up after a failed put
	s3Tries    = 3               // about 1 s in all when the store refuses at once; then the caller may come again
	s3Stale    = 24 * time.Hour  // an upload begun so long ago has lost its process
)

var (
	s3Smalls = sync.Pool{New: func() any { return new([s3Small]byte) }}
	s3Wholes = sync.Pool{New: func() any { return new([s3Part]byte) }}
)

// OpenS3 connects, makes the bucket if it is missing, and begins to remove multipart uploads older than a day.
func OpenS3(ctx context.Context, c S3Config) (*S3, error) {
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: time.Minute, // a store may take long to put many parts together
		IdleConnTimeout:       time.Minute,
		MaxIdleConnsPerHost:   64,
		DisableCompression:    true, // the bytes as they are
	}
	core, err := minio.NewCore(c.Endpoint, &minio.Options{
		Creds:      credentials.NewStaticV4(c.AccessKey, c.SecretKey, ""),
		Secure:     c.TLS,
		Transport:  transport,
		MaxRetries: s3Tries,
	})
	if err != nil {
		return nil, fmt.Errorf("S3 at %q: %w", c.Endpoint, err)
	}
	s := &S3{core: *core, bucket: c.Bucket, transport: transport, now: time.Now}
	if err := s.makeBucket(ctx); err != nil {
		transport.CloseIdleConnections()
		return nil, fmt.Errorf("S3 bucket %q at %s: %w", c.Bucket, c.Endpoint, err)
	}
	sweep, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.sweeping.Go(func() { _, _ = s.abortStale(sweep, "") }) // rubbish only: what fails now is done at the next start
	return s, nil
}

func (s *S3) makeBucket(ctx context.Context) error {
	ok, err := s.core.BucketExists(ctx, s.bucket)
	if err != nil || ok {
		return err
	}
	err = s.core.MakeBucket(ctx, s.bucket, minio.MakeBucketOptions{})
	if ok, again := s.core.BucketExists(ctx, s.bucket); again == nil && ok {
		return nil // another node was faster
	}
	return err
}

// Close ends the connections that are idle and waits for the sweep of old uploads.
func (s *S3) Close() error {
	s.stop()
	s.sweeping.Wait()
	s.transport.CloseIdleConnections()
	return nil
}

// abortStale ends multipart uploads of keys with the prefix that began more than a day ago and returns how many.
// (MinIO lists only the uploads of one exact key, and ends old ones by itself.)
func (s *S3) abortStale(ctx context.Context, prefix string) (int, error) {
	gone := 0
	for u := range s.core.ListIncompleteUploads(ctx, s.bucket, prefix, true) {
		if u.Err != nil {
			return gone, u.Err
		}
		if s.now().Sub(u.Initiated) < s3Stale {
			continue
		}
		if err := s.core.AbortMultipartUpload(ctx, s.bucket, u.Key, u.UploadID); err != nil {
			return gone, err
		}
		gone++
	}
	return gone, nil
}

// wrap says what we were doing and makes the store's own words for "not there" and "no room" our errors.
func (s *S3) wrap(verb, key string, err error) error {
	var r minio.ErrorResponse
	if errors.As(err, &r) {
		switch {
		case r.Code == minio.NoSuchKey:
			err = ErrNoObject
		case r.StatusCode == http.StatusInsufficientStorage, r.Code == "XMinioStorageFull", r.Code == "QuotaExceeded",
			r.Code == "XMinioAdminBucketQuotaExceeded":
			err = fmt.Errorf("%w: %w", ErrFull, err)
		}
	}
	return fmt.Errorf("%s object %s: %w", verb, key, full(err))
}

// Open as in Objects.
func (s *S3) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	if err := firstError(CheckKey(key), checkOffset(off)); err != nil {
		return nil, err
	}
	if n == 0 {
		_, err := s.Stat(ctx, key)
		return http.NoBody, err
	}
	var o minio.GetObjectOptions
	ranged := off > 0 || n > 0
	if n > 0 {
		_ = o.SetRange(off, off+min(n, math.MaxInt64-off)-1) // cannot fail: 0 <= off <= end
	} else if off > 0 {
		_ = o.SetRange(off, 0)
	}
	body, _, header, err := s.core.GetObject(ctx, s.bucket, key, o)
	var r minio.ErrorResponse
	if errors.As(err, &r) && (r.Code == minio.InvalidRange || r.StatusCode == http.StatusRequestedRangeNotSatisfiable) {
		return http.NoBody, nil // past the end
	}
	if err != nil {
		return nil, s.wrap("open", key, err)
	}
	if ranged && header.Get("Content-Range") == "" {
		_ = body.Close()
		return nil, fmt.Errorf("open object %s: the store answered a range with the whole", key)
	}
	return body, nil
}

// Stat as in Objects.
func (s *S3) Stat(ctx context.Context, key string) (int64, error) {
	if err := CheckKey(key); err != nil {
		return 0, err
	}
	info, err := s.core.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{})
	if err == nil {
		return info.Size, nil
	}
	err = s.wrap("look at", key, err)
	if errors.Is(err, ErrNoObject) {
		// The answer to HEAD has no body, so a missing bucket looks like a missing object: ask, for that is a failure.
		if ok, berr := s.core.BucketExists(ctx, s.bucket); berr != nil || !ok {
			return 0, fmt.Errorf("look at object %s: bucket %s is missing: %w", key, s.bucket, firstError(berr, errNoBucket))
		}
	}
	return 0, err
}

var errNoBucket = errors.New("no such bucket")

// Delete as in Objects.
func (s *S3) Delete(ctx context.Context, key string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	err := s.core.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{})
	if err == nil {
		return nil
	}
	if err = s.wrap("delete", key, err); errors.Is(err, ErrNoObject) {
		return nil
	}
	return err
}

// List as in Objects.
func (s *S3) List(ctx context.Context, after string, each func(key string, size int64, modified time.Time) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing when each fails
	for o := range s.core.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Recursive: true, StartAfter: after}) {
		if o.Err != nil {
			return fmt.Errorf("list objects: %w", o.Err)
		}
		if err := each(o.Key, o.Size, o.LastModified); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Ping as in Objects.
func (s *S3) Ping(ctx context.Context) error { return pingObjects(ctx, s) }
