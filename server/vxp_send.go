package server

import (
	"encoding/json"
	"hash"
	"io"
	"maps"

	"github.com/labstack/echo/v4"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// vxpSent is sendEdoc's answer. DocId is there also when it failed, or the client gets nothing at all.
type vxpSent struct {
	vxpResult
	DocID string `json:"DocId"`
}

// vxpSend takes a packet in: a document for the agencies in its To, or a status for the other side of a document. A packet
// that comes again byte for byte gets its first answer (spec 8, item 10).
func (s *Server) vxpSend(c echo.Context, call *vxpCall) error {
	docID, err := s.takeVXP(c, call)
	if err != nil {
		s.readOut(c)
		return err
	}
	return answerVXP(c, vxpSent{vxpOK, docID})
}

// readOut reads the rest of a refused packet, as long and as much as one that is taken may have. The SDK reads no answer
// before it has written everything: cut off, it sends the whole packet once more and then reports a broken connection, never
// why. Who calls is known by now; strangers are bounded by drain.
func (s *Server) readOut(c echo.Context) {
	_, _ = io.CopyN(io.Discard, c.Request().Body, s.Limits.Packet) // whatever ends it, the answer is written next
}

func (s *Server) takeVXP(c echo.Context, call *vxpCall) (docID string, err error) {
	if err := s.vxpFrom(call); err != nil {
		return "", err
	}
	ctx := c.Request().Context()
	sub := &submission{caller: call.caller, ip: c.RealIP(), lenient: true}
	file := newVXPFile(c.Request().Body)
	packet, err := s.takePacket(ctx, sub, file, c.Request().ContentLength, func(read hash.Hash) error {
		if !file.matches(call.key(keyHashFile), read) {
			return problem("hash_file", "hash-file")
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if packet.Status != nil {
		return s.takeStatus(ctx, call.caller, sub.ip, &packet, sub.first)
	}
	s.noteTo(call, sub)
	_, accepted, err := s.conclude(ctx, sub)
	if err != nil {
		return "", err
	}
	return storage.PacketID{Dispatch: accepted.ID}.String(), nil
}

// vxpFrom checks the signed "from": it must be an agency of the caller's. What the packet says itself is checked when it
// is read; where the key is missing, it alone counts.
func (s *Server) vxpFrom(call *vxpCall) error {
	from := call.key(keyFrom)
	if from == "" || from == call.ID {
		return nil
	}
	for _, a := range s.directory().Find(from) {
		if s.serves(call.caller, a.Code) {
			return nil
		}
	}
	return problem("foreign_sender", "from", call.ID, cut(from, maxEcho))
}

// noteTo logs recipients in the signed map that are not those of the packet, be they fewer, more or others. The packet
// counts: the map may be left over from an earlier document (spec 1.3).
func (s *Server) noteTo(call *vxpCall, sub *submission) {
	to := call.key(keyTo)
	if to == "" {
		return
	}
	d, given, named := s.directory(), map[routing.Code]bool{}, map[routing.Code]bool{}
	for _, text := range codesOf(to) {
		if found := d.Find(text); len(found) == 1 {
			text = string(found[0].Code)
		}
		given[routing.Code(text)] = true
	}
	for _, r := range sub.to {
		named[r.Agency.Code] = true
	}
	if !maps.Equal(given, named) {
		s.Log.Info("the header's recipients differ from the packet's", "system", call.ID, "sender", sub.sender.Code, "document", sub.meta.DocumentID)
	}
}

// codesOf reads a header "to": a JSON array of codes, or one code alone.
func codesOf(to string) []string {
	var list []string
	if json.Unmarshal([]byte(to), &list) != nil {
		return []string{to}
	}
	return list
}

// inForm is a code in the form that a system is shown codes in: the old one where it wants that and there is one.
func (s *Server) inForm(who *caller, code routing.Code) string {
	if who.Form == "old" {
		if a, ok := s.directory().Get(code); ok && a.OldCode != "" {
			return string(a.OldCode)
		}
	}
	return string(code)
}
