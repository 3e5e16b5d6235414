// Package edxml answers: what does this packet say, and how is it said on the wire?
//
// It reads and writes the edXML packets of QCVN 102:2016/BTTTT as VNPT's SDK and its many re-writers make them: document packets
// (new, recall, update, replace) and status packets. It is pure: bytes and callbacks in, values and bytes out.
package edxml
