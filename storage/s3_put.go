package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/minio/minio-go/v7"
)

// Put as in Objects. At most 1 MiB is held of a small body and 5 MiB of a larger one; up to there it is one request,
// beyond it is a multipart upload. random: what passes is also written to a file without a name in the temporary folder.
func (s *S3) Put(ctx context.Context, key string, r io.Reader, random bool) (Kept, error) {
	if err := CheckKey(key); err != nil {
		return Kept{}, err
	}
	kept := Kept{Close: func() error { return nil }}
	if random {
		spool, err := newSpool()
		if err != nil {
			return Kept{}, fmt.Errorf("spool object %s: %w", key, full(err))
		}
		kept.ReaderAt, kept.Close = spool, spool.Close
		r = io.TeeReader(r, spool)
	}
	var err error
	if kept.Size, err = s.put(ctx, key, r); err != nil {
		_ = kept.Close()
		return Kept{}, s.wrap("store", key, err)
	}
	return kept, nil
}

func (s *S3) put(ctx context.Context, key string, r io.Reader) (int64, error) {
	small := s3Smalls.Get().(*[s3Small]byte)
	n, err := readChunk(r, small[:])
	if err == io.EOF {
		if err = s.putWhole(ctx, key, small[:n]); err == nil {
			s3Smalls.Put(small) // after a failure the connection may still be reading it
		}
		return int64(n), err
	}
	whole := s3Wholes.Get().(*[s3Part]byte)
	copy(whole[:], small[:n])
	s3Smalls.Put(small)
	if err == nil {
		var m int
		m, err = readChunk(r, whole[n:])
		n += m
	}
	size := int64(n)
	switch err {
	case io.EOF:
		err = s.putWhole(ctx, key, whole[:n])
	case nil:
		size, err = s.putParts(ctx, key, whole[:], r)
	default:
		err = fmt.Errorf("read what is to be stored: %w", err)
	}
	if err == nil {
		s3Wholes.Put(whole)
	}
	return size, err
}

// s3Plain: see S3 for why the content's hash is ours to give.
var s3Plain = minio.PutObjectOptions{DisableContentSha256: true, ContentType: "application/octet-stream"}

func (s *S3) putWhole(ctx context.Context, key string, body []byte) error {
	limited, cancel := context.WithTimeout(ctx, s3Patience)
	defer cancel()
	_, err := s.core.PutObject(limited, s.bucket, key, bytes.NewReader(body), int64(len(body)), "", sum(body), s3Plain)
	if err != nil && unknownOutcome(err) {
		s.undo(ctx, key, "")
	}
	return err
}

// putParts sends first, which is full, and then what r still gives; the buffer serves for every part.
func (s *S3) putParts(ctx context.Context, key string, first []byte, r io.Reader) (size int64, err error) {
	id, err := s.core.NewMultipartUpload(ctx, s.bucket, key, s3Plain)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			s.undo(ctx, key, id)
		}
	}()
	var parts []minio.CompletePart
	for n, rerr := len(first), error(nil); ; n, rerr = readChunk(r, first) {
		if rerr != nil && rerr != io.EOF {
			return size, fmt.Errorf("read what is to be stored: %w", rerr)
		}
		if n > 0 {
			if len(parts) == s3Parts {
				return size, fmt.Errorf("larger than %d bytes, the most that is stored as one object", size)
			}
			etag, err := s.putPart(ctx, key, id, len(parts)+1, first[:n])
			if err != nil {
				return size, err
			}
			parts = append(parts, minio.CompletePart{PartNumber: len(parts) + 1, ETag: etag})
			size += int64(n)
		}
		if rerr == io.EOF {
			break
		}
	}
	_, err = s.core.CompleteMultipartUpload(ctx, s.bucket, key, id, parts, minio.PutObjectOptions{})
	return size, err
}

func (s *S3) putPart(ctx context.Context, key, id string, n int, body []byte) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, s3Patience)
	defer cancel()
	part, err := s.core.PutObjectPart(ctx, s.bucket, key, id, n, bytes.NewReader(body), int64(len(body)),
		minio.PutObjectPartOptions{Sha256Hex: sum(body), DisableContentSha256: true})
	return part.ETag, err
}

func sum(body []byte) string {
	digest := sha256.Sum256(body)
	return hex.EncodeToString(digest[:])
}

// unknownOutcome: anything but a clear no. The store may have the object although we did not hear so.
func unknownOutcome(err error) bool {
	var r minio.ErrorResponse
	return !errors.As(err, &r) || r.StatusCode < 400 || r.StatusCode >= 500 && r.StatusCode != http.StatusInsufficientStorage
}

// undo removes what a failed put may have left, even when the caller has gone. What it cannot reach is an upload that
// the sweep of a later start aborts, or an object without a row that the sweep of uploads deletes.
func (s *S3) undo(ctx context.Context, key, upload string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s3Undo)
	defer cancel()
	if upload != "" {
		_ = s.core.AbortMultipartUpload(ctx, s.bucket, key, upload)
	}
	_ = s.core.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{})
}
