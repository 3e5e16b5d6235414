package server

import (
	"context"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/storage"
)

// Release lets a held dispatch go on: a person (actor, at address ip) decided so and says why. It returns how many
// deliveries moved; storage.ErrNotFound when none was held any more.
func (s *Server) Release(ctx context.Context, dispatch uuid.UUID, actor, ip, reason string) (int64, error) {
	// 1. The reason. A crash after it leaves a line that says what was meant; the other order could leave a release
	// without a reason.
	now := s.Now()
	err := s.Store.Audit(ctx, storage.Event{At: now, Actor: actor, IP: ip, Action: "dispatch.release_reason",
		Object: dispatch.String(), Detail: reason})
	if err != nil {
		return 0, err
	}
	// 2. The release, audited in its own commit.
	moved, err := s.Store.ReleaseHeld(ctx, dispatch, actor, ip, now)
	if err != nil {
		return 0, err
	}
	// 3. The couriers. A crash before it costs a second: they look by themselves.
	s.queued()
	s.Log.Info("released", "dispatch", dispatch, "by", actor, "deliveries", moved)
	return moved, nil
}

// Read notes that a person at the recipient opened a delivery's content on a page: from then on a recall has to ask.
// *storage.StateError: it was recalled or is held, and may not be shown.
func (s *Server) Read(ctx context.Context, id storage.DeliveryID) error {
	return s.Store.Fetched(ctx, id, s.Now())
}
