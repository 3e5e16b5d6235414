package storage

import (
	"encoding/binary"

	"github.com/google/uuid"
)

// PacketID names what a system meets over the VXP face by one UUID, which every known client takes (it becomes a file's
// name there, and a column of 36 characters): a dispatch (as its sender has it), a delivery (as its recipient has it), or
// a receipt. NewID leaves the last 32 bits of a dispatch's id free: 20 of them are the delivery's number, 12 the receipt's.
type PacketID struct {
	Dispatch uuid.UUID
	N        int // 0: the dispatch itself
	K        int // 0: the delivery itself
}

// MaxReceipts is how many receipts one delivery can have: what a PacketID has room for.
const MaxReceipts = 1<<12 - 1

// String returns the UUID. A dispatch that was accepted before its id left room has longer names.
func (p PacketID) String() string {
	if !roomy(p.Dispatch) {
		switch {
		case p.N == 0:
			return p.Dispatch.String()
		case p.K == 0:
			return DeliveryID{Dispatch: p.Dispatch, N: p.N}.String()
		}
		return ItemID{DeliveryID: DeliveryID{Dispatch: p.Dispatch, N: p.N}, Kind: ReceiptItem, K: p.K}.String()
	}
	id := p.Dispatch
	binary.BigEndian.PutUint32(id[12:], uint32(p.N)<<12|uint32(p.K))
	return id.String()
}

// ParsePacketID reads the text form.
func ParsePacketID(s string) (PacketID, bool) {
	if item, ok := ParseItemID(s); ok && item.Kind == ReceiptItem && !roomy(item.Dispatch) {
		return PacketID{item.Dispatch, item.N, item.K}, true
	}
	if d, ok := ParseDeliveryID(s); ok && !roomy(d.Dispatch) {
		return PacketID{d.Dispatch, d.N, 0}, true
	}
	id, err := uuid.Parse(s)
	if err != nil || len(s) != 36 {
		return PacketID{}, false
	}
	low := binary.BigEndian.Uint32(id[12:])
	clear(id[12:])
	return PacketID{Dispatch: id, N: int(low >> 12), K: int(low & MaxReceipts)}, true
}

// Packet returns the delivery's name over VXP.
func (id DeliveryID) Packet() PacketID { return PacketID{id.Dispatch, id.N, 0} }

// Packet returns the item's name over VXP: of a document or a receipt. Notices have none.
func (id ItemID) Packet() PacketID { return PacketID{id.Dispatch, id.N, id.K} }

// Item returns the waiting item that the name stands for, when it stands for one.
func (p PacketID) Item() (ItemID, bool) {
	item := ItemID{DeliveryID: DeliveryID{Dispatch: p.Dispatch, N: p.N}, Kind: DispatchItem, K: p.K}
	if p.K > 0 {
		item.Kind = ReceiptItem
	}
	return item, p.N > 0
}

func roomy(id uuid.UUID) bool { return binary.BigEndian.Uint32(id[12:]) == 0 }
