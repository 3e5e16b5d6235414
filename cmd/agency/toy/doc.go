// Package toy answers: how does an agency's own system talk to the axis, and what did such a system really see?
//
// It holds two things. The first is [Client], an example client of the native API that partners may copy: it
// streams, checks every hash, never follows a redirect and never sends its secret to an address that a message
// named. The second are toys that behave like agencies: [Sender] sends until it is acknowledged, [Hub] receives by
// pull or push, [Mailbox] watches hosted mailboxes, [Faults] makes them misbehave on demand, and [Compare] says from
// their own logs alone whether something acknowledged was lost, damaged or doubled. truc demo, bench and drill and
// the end-to-end tests are built from them.
//
// [VXP] is the same for systems that were never changed: a client with the habits of VNPT's Java SDK, through which a
// Sender or a Hub speaks edXML packets over the VXP face. It is no example to copy: nobody would design it so.
//
// The package imports nothing of the project on purpose: it must not be able to share a mistake with it. So it writes and
// reads packets by itself too, as VNPT's library does and not as server/edxml does; tests hold the two against each other.
package toy
