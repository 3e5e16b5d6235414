package storage

import (
	"context"
	"time"
)

// AbortStale is the sweep that OpenS3 begins, for the uploads of one key and at a given time.
func (s *S3) AbortStale(ctx context.Context, key string, now time.Time) (int, error) {
	at := &S3{core: s.core, bucket: s.bucket, now: func() time.Time { return now }}
	return at.abortStale(ctx, key)
}
