package storage

import (
	"context"
	"errors"
	"log/slog"
)

// EmbeddedConfig says where the private PostgreSQL lives.
type EmbeddedConfig struct {
	Dir    string // a folder of its own, made when missing; all processes that name it share one PostgreSQL
	Log    *slog.Logger
	NoSync bool // tests only: a power cut loses data
}

var errSkeleton = errors.New("not written yet")

// Embedded is this process's share in a private PostgreSQL.
type Embedded struct{}

// StartEmbedded makes and starts the private PostgreSQL of the folder unless another process already did.
func StartEmbedded(ctx context.Context, c EmbeddedConfig) (*Embedded, error) { return nil, errSkeleton }

// DSN is the connection URL (Unix socket).
func (e *Embedded) DSN() string { return "" }

// Close gives up this process's share; the last one out stops PostgreSQL and waits for it.
func (e *Embedded) Close() error { return nil }
