package edxml

import (
	"errors"
	"io"
	"time"
)

// Reading is how to read a packet. The zero value reads and checks everything and keeps no payload.
type Reading struct {
	// Header is called once, when the whole envelope (parties, document, business, manifest) has been read and before any
	// Attachment call; Problems holds what was found so far. Its error ends the reading and is returned as it is.
	Header func(*Packet) error
	// Attachment gets the i-th file (from 0): decoded, out of its one-entry ZIP. What it leaves unread is skipped. A read error
	// from content means that the packet broke off: keep nothing. Its own error ends the reading and is returned as it is.
	Attachment func(i int, a Attachment, content io.Reader) error
	// Now is the time of reception, for "in the future"; zero: not checked.
	Now time.Time
	// MaxFile bounds one unwrapped file in bytes (default 1 GiB); a larger one stays in its ZIP, with a warning.
	MaxFile int64
	// TempDir is where payloads wait that cannot be handed out at once, beyond 1 MiB, in an unlinked file; "" is the system's.
	TempDir string
}

// Packet is what was read. Exactly one of Document and Status is set when the packet has an envelope.
type Packet struct {
	Kind     Kind
	Document *Document
	Status   *Status
	Problems []Problem
}

// Read reads one packet to the end of r. It returns *Unreadable for what is no XML or no XML that we touch, a callback's error as it
// is, and r's own errors wrapped; everything else is in Packet.Problems (see Packet.Errors).
func Read(r io.Reader, o Reading) (Packet, error) { return Packet{}, errors.ErrUnsupported }
