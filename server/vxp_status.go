package server

import (
	"context"

	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/storage"
)

func (s *Server) takeStatus(_ context.Context, _ *caller, _ string, _ *edxml.Packet, _ []byte) (string, error) {
	return "", problem("not_found", "status")
}

func (s *Server) statusPacket(_ context.Context, _ storage.PacketID) ([]byte, error) {
	return nil, problem("not_found", "docId")
}
