// Package edxml answers: what does this packet say, and how is it said on the wire?
//
// It reads and writes the edXML packets of QCVN 102:2016/BTTTT as VNPT's SDK and its many re-writers make them: document packets
// (new, recall, update, replace) and status packets. It is pure: bytes and callbacks in, values and bytes out; the one thing that it may
// put on disk is an unlinked file for contents that must wait.
//
//	scanner*.go      bytes -> tags and pieces of text, in constant memory, with line and path
//	read*.go         tags -> Packet, element by element; element.go and date.go read single values
//	payload.go       base64 text -> bytes, while they are read; spool.go keeps aside what must wait; zip.go takes off the one-entry ZIP
//	write*.go        Document, Status -> bytes
//	problem.go       what is wrong, where, in both languages
//
// # What was chosen where the specification is silent or only infers
//
//   - The header comes first: Header is called at the envelope's end and no content is handed out before it. AttachmentEncoded may stand
//     before or within the envelope (order is free for VNPT's parser); its contents then wait aside.
//   - A header child is a status when it is called Status or has a StatusCode, unless it has both To and DocumentId; or when it has
//     neither, but a ResponseFor and a Timestamp or StaffInfo: then only its code is missing. In a status the first ResponseFor counts.
//   - An element that may come once and comes again is warned of and its first counts, as for VNPT's parser, however much stands
//     between: else we would judge one sender and the recipient's software would see another.
//   - A To without OrganId is a missing To, and refuses, also beside others: left out in silence, somebody who was meant to get the
//     document would not. A Receiver without ReceiverType is read as removed, with a warning.
//   - No XML declaration: a warning. Blanks before one, an encoding other than UTF-8, a DOCTYPE: unreadable, as recipients' parsers die of them.
//   - Type not given is 2, as the SDK takes it; amounts not given are 0 here and not written, so that the SDK takes its own 1.
//     OtherInfo with its Priority is always written. BussinessDocType beyond 0 to 3 is new, with a warning.
//   - ReplyFors and ReferenceCodes are one text each, for nobody has seen them filled: a text is what no reader trips over.
//   - ContentTransferEncoded binds its prefix itself, since the envelope's binding does not reach it; both ContentIds carry "cid:".
//   - Base64 is read as Java's usual decoder does: foreign letters are left out, "=" ends it; both with a warning.
//   - A ZIP is taken off only when it is one entry called <uuid>.<ext of the attachment's name>, its directory says the same, and its
//     checksum holds; never for a name ending in .zip. A PDF that were such a ZIP itself would lose it: no genuine one is. What grows
//     more than a hundredfold may become 64 MiB in all files of a packet together.
//   - White space around a text is layout. The literal OrganId "null" of a TraceHeader is none. Elements of secrecy, which edXML does not
//     have, are found by name among the unknown ones (Document.Secrecy); 500 unknown ones are kept, those of secrecy beyond that too.
//   - A status code that is none of the nine refuses the packet (R26); so do a missing sender, recipient or document id. All else warns.
package edxml
