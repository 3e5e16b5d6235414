// Package signing answers one question about a file: is it true?
//
// Verify reads the digital signatures of official documents (CMS, detached or attached, and those inside PDF files),
// judges the certificate paths, the revocation data and the times at hand, and gives back a Report whose every finding
// is a Reason: a word, its clause, and a sentence in Vietnamese and in English.
//
// The package is pure: it opens no network connection, reads no environment and no clock. What it may use comes in with
// File and Options, so that a report can be replayed years later with the same answer.
package signing

import (
	"crypto"
	"crypto/x509"
	"io"
	"time"
)

// Verdict is the three-valued result of ETSI EN 319 102-1, and a fourth word for what bears no signature at all.
type Verdict string

const (
	Valid        Verdict = "valid"        // hợp lệ
	Invalid      Verdict = "invalid"      // không hợp lệ
	Undetermined Verdict = "undetermined" // chưa xác định: never to be shown as valid, nor as forged
	Unsigned     Verdict = "unsigned"     // không có chữ ký
)

// File is one file to judge.
type File struct {
	Name      string                 // as the sender named it; copied into the report. Only ".p7s" and ".p7m" mean something, where the bytes say nothing
	Content   io.ReaderAt            // random access to the bytes; nil when only Digests are known (detached signature only)
	Size      int64                  // bytes in Content
	SHA256    string                 // lower hex; computed from Content when empty. When given it is believed, also as a digest of the content
	Signature []byte                 // detached CMS over Content (DER, BER or PEM); nil: look inside (PDF, attached .p7m or .p7s)
	Stream    *Stream                // the file's SHA-256 as it streamed past; nil: read again. It must be of these very bytes
	Digests   map[crypto.Hash][]byte // digests of the content, taken while it streamed past; used where Content is nil
	Part      Part                   // what the file is within its dispatch; "": nothing is said of who should have signed it
}

// Part is what a file is within a dispatch: it decides whose signatures the law asks for (Decree 30/2020, annex I).
type Part string

// The parts.
const (
	PartMain     Part = "main"     // the document itself: a competent person and the agency sign it (R68)
	PartAppendix Part = "appendix" // an appendix in a file of its own: the agency signs it (R69)
	PartCopy     Part = "copy"     // an electronic copy (sao y, trích sao, sao lục): the copying agency signs it (R70)
)

// Sender is the agency that sent the files, as the directory knew it at reception: what a seal is compared with.
type Sender struct {
	Code      string   `json:"code"`                // its code
	Name      string   `json:"name"`                // its name in Vietnamese
	Codes     []string `json:"codes,omitempty"`     // its other codes (the form of before, or of now)
	Former    []string `json:"former,omitempty"`    // codes and names of agencies whose successor it is: their seals count, with a word of it
	Ancestors []string `json:"ancestors,omitempty"` // codes and names of the agencies above it: a unit's document bears the seal of the agency that it belongs to
}

// Family is the kind of signature that an anchor vouches for (Law on e-transactions 2023, art. 22).
type Family string

const (
	FamilyOfficial Family = "công vụ"     // chữ ký số chuyên dùng công vụ: what state agencies must use (Decree 68/2024)
	FamilyPublic   Family = "công cộng"   // chữ ký số công cộng
	FamilyPrivate  Family = "chuyên dùng" // chữ ký điện tử chuyên dùng
	FamilyAxis     Family = "trục"        // the axis's own proofs
)

// Anchor is a trusted root: a name and a key, installed by an administrator. Its own dates are not judged (RFC 5280, 6.1.1 d).
type Anchor struct {
	Certificate *x509.Certificate
	Family      Family
	Test        bool      // a test root: everything under it is marked so
	From, Until time.Time // when it counts, by the time that a signature is judged at; zero: without bound
}

// Trust is what the administrator installed and what revocation data are at hand. It is read-only once used: Verify
// prepares it on first use (parsed CRLs, index by name) and keeps that with it, so share one *Trust among all calls.
type Trust struct {
	Anchors       []Anchor            // roots for signers
	TSAAnchors    []Anchor            // roots for timestamp authorities, apart from those for signers
	Intermediates []*x509.Certificate // help to build paths; never trusted by themselves
	CRLs          [][]byte            // DER or PEM
	OCSP          [][]byte            // DER responses

	prepared lazyTrust
}

// Revocation says what it means that no revocation data are at hand.
type Revocation string

const (
	Require Revocation = "require" // none found: undetermined. The default ("")
	Soft    Revocation = "soft"    // none found: a warning
	Off     Revocation = "off"     // not looked at, with a warning
)

// Options are the same for all files of one call.
type Options struct {
	Trust      *Trust    // nil: nothing is trusted, every path is undetermined (no_anchor)
	At         time.Time // time of reception: what is judged at when no timestamp proves an earlier time. Must be set
	Revocation Revocation
	AllowSHA1  bool    // judge SHA-1 like SHA-2: for documents of the past
	Sender     *Sender // whom the seals should belong to; nil: not compared. Only for files whose Part is known
}
