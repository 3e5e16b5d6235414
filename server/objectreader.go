package server

import (
	"context"
	"errors"
	"io"

	"github.com/truc-lienthong/truc/storage"
)

// objectReader lets net/http seek in an object: a seek only moves the mark, the next read opens the stream there.
type objectReader struct {
	ctx    context.Context
	store  *storage.Store
	object storage.Object
	at     int64
	body   io.ReadCloser
	failed error // the first failure of the store, which http.ServeContent would swallow
}

func (r *objectReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.object.Size
	}
	if offset < 0 {
		return 0, errors.New("seek before the start")
	}
	if offset != r.at {
		r.close()
		r.at = offset
	}
	return offset, nil
}

func (r *objectReader) Read(b []byte) (int, error) {
	if r.at >= r.object.Size {
		return 0, io.EOF
	}
	if err := r.open(); err != nil {
		r.failed = err
		return 0, err
	}
	n, err := r.body.Read(b)
	r.at += int64(n)
	if err != nil && (!errors.Is(err, io.EOF) || r.at < r.object.Size) {
		r.failed = err
		if errors.Is(err, io.EOF) {
			r.failed = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

// open starts the stream at the mark.
func (r *objectReader) open() error {
	if r.body != nil {
		return nil
	}
	body, err := r.store.OpenObject(r.ctx, r.object, r.at, -1)
	if err != nil {
		return err
	}
	r.body = body
	return nil
}

func (r *objectReader) close() {
	if r.body != nil {
		_ = r.body.Close() // reading is over; nothing to lose
		r.body = nil
	}
}
