package storage

import (
	"context"
	"io"
	"time"
)

// S3Config says where the bucket is and who we are there.
type S3Config struct {
	Endpoint, Bucket, AccessKey, SecretKey string // Endpoint is host:port
	TLS                                    bool
}

// S3 keeps objects in a bucket of any S3 store.
type S3 struct{}

// OpenS3 connects, and makes the bucket if it is missing.
func OpenS3(ctx context.Context, c S3Config) (*S3, error) { return nil, errSkeleton }

// Close ends the connections.
func (s *S3) Close() error { return nil }

func (s *S3) Put(ctx context.Context, key string, r io.Reader, random bool) (Kept, error) {
	return Kept{}, errSkeleton
}
func (s *S3) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	return nil, errSkeleton
}
func (s *S3) Stat(ctx context.Context, key string) (int64, error) { return 0, errSkeleton }
func (s *S3) Delete(ctx context.Context, key string) error        { return errSkeleton }
func (s *S3) List(ctx context.Context, after string, each func(string, int64, time.Time) error) error {
	return errSkeleton
}
func (s *S3) Ping(ctx context.Context) error { return errSkeleton }
