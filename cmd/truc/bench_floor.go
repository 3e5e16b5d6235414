package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// floorServer is the least that any durable intake must do: receive over HTTP, SHA-256, one file written and fsynced,
// one PostgreSQL commit. It checks nothing and none of the axis's code runs in it.
type floorServer struct {
	url    string
	http   *http.Server
	bare   *storage.Bare
	folder string
	count  atomic.Int64
}

func startFloor(ctx context.Context, dsn, folder string) (*floorServer, error) {
	f := &floorServer{folder: filepath.Join(folder, "floor")}
	if err := os.Mkdir(f.folder, 0o755); err != nil {
		return nil, err
	}
	var err error
	if f.bare, err = storage.OpenBare(ctx, dsn, 24); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, f.bare.Close(ctx))
	}
	f.url = "http://" + listener.Addr().String()
	f.http = &http.Server{Handler: http.HandlerFunc(f.receive), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = f.http.Serve(listener) }() // ends with close
	return f, nil
}

func (f *floorServer) receive(w http.ResponseWriter, r *http.Request) {
	if err := f.take(r); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"verdict":"valid"}`) // what the client looks for; nothing was verified
}

func (f *floorServer) take(r *http.Request) error {
	body := multipart.NewReader(r.Body, boundary)
	if _, err := body.NextRawPart(); err != nil {
		return err
	}
	part, err := body.NextRawPart()
	if err != nil {
		return err
	}
	name := strconv.FormatInt(f.count.Add(1), 10)
	file, err := os.Create(filepath.Join(f.folder, name))
	if err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, sum), part)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return f.bare.Commit(r.Context(), name, hex.EncodeToString(sum.Sum(nil)), n)
}

func (f *floorServer) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(f.http.Shutdown(ctx), f.bare.Close(ctx))
}
