package signing

import (
	"bytes"
	"slices"
	"time"
)

// Covers says how much of the file a signature covers.
type Covers string

const (
	CoversWhole    Covers = "whole"    // every byte of the file (save its own value)
	CoversRevision Covers = "revision" // an earlier state of the file, up to the end of its ByteRange
)

// After says what was done to a file after a signature was put on it.
type After string

const (
	AfterNothing    After = "nothing"
	AfterSignatures After = "signatures" // only further signatures, their validation data (DSS) and timestamps
	AfterAllowed    After = "allowed"    // form filling that the signature's own DocMDP allows
	AfterAdditions  After = "additions"  // marks laid over the page (number, date, seal, stamp, remarks); nothing replaced
	AfterChanged    After = "changed"    // anything else: the document is not what was signed
)

// TimeSource says what vouches for SignatureReport.Time.
type TimeSource string

const (
	TimeFromTimestamp TimeSource = "timestamp" // a valid RFC 3161 token under a TSA anchor
	TimeFromReception TimeSource = "reception" // Options.At
	TimeFromClaim     TimeSource = "claimed"   // only what the signer says: never used to judge
)

// Report is the answer of Verify. Its JSON form is a promise to partners (`truc verify --json`).
type Report struct {
	Verdict    Verdict           `json:"verdict"`    // the worst signed file; unsigned when none is signed
	Files      []FileReport      `json:"files"`      // in the order given
	Signatures []SignatureReport `json:"signatures"` // all signatures of all files, flat, each with "file"
	Sentence   Sentence          `json:"sentence,omitzero"`
}

// Sentence is a finding in a clerk's words (R75, regulation 7.3).
type Sentence struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// FileReport is what was found in one file.
type FileReport struct {
	Name       string            `json:"name"`
	SHA256     string            `json:"sha256"`
	Format     string            `json:"format,omitempty"` // "pdf", "cms", "xml", "ooxml" or "" for everything else
	Verdict    Verdict           `json:"verdict"`          // invalid > undetermined > valid of its signatures; unsigned if none
	Reason     Reason            `json:"reason"`           // the first that decided the verdict
	Reasons    []Reason          `json:"reasons"`          // of the file itself and of its signatures, each once
	Encrypted  bool              `json:"encrypted,omitempty"`
	Flags      []Reason          `json:"flags,omitempty"`   // active content and the like: warnings whatever the verdict
	Version    string            `json:"version,omitempty"` // of the PDF, e.g. "1.7"
	Signatures []SignatureReport `json:"signatures"`        // in the order they were put on
	Part       Part              `json:"part,omitempty"`    // as File.Part said
	Sentence   Sentence          `json:"sentence,omitzero"`
}

// SignatureReport is what was found about one signature of one signer.
type SignatureReport struct {
	File    string   `json:"file"`
	Number  int      `json:"number"`          // 1…n within the file
	Kind    string   `json:"kind"`            // "cms", "pdf" or "timestamp" (a document timestamp)
	Field   string   `json:"field,omitempty"` // name of the PDF form field
	Page    int      `json:"page,omitempty"`  // from 1; 0 when the signature shows nowhere or the page was not sought
	Rect    *Rect    `json:"rect,omitempty"`  // where it shows on the page; nil: nowhere, or not sought
	Verdict Verdict  `json:"verdict"`
	Reason  Reason   `json:"reason"`  // the first that decided the verdict; empty when valid
	Reasons []Reason `json:"reasons"` // all, warnings included
	Covers  Covers   `json:"covers"`
	After   After    `json:"after"`

	Signer       string    `json:"signer"` // common name of the certificate's subject
	Subject      string    `json:"subject,omitempty"`
	Organization string    `json:"organization,omitempty"`
	Unit         string    `json:"unit,omitempty"`
	Email        string    `json:"email,omitempty"`
	AgencyCode   string    `json:"agency_code,omitempty"` // subject's serialNumber or UID attribute, where agencies put their code
	Issuer       string    `json:"issuer,omitempty"`
	Serial       string    `json:"serial,omitempty"` // lower hex
	NotBefore    time.Time `json:"not_before,omitzero"`
	NotAfter     time.Time `json:"not_after,omitzero"`
	Path         []string  `json:"path,omitempty"`   // subjects, leaf first, anchor last
	Anchor       string    `json:"anchor,omitempty"` // the last of Path: what is trusted
	Family       Family    `json:"family,omitempty"`
	Test         bool      `json:"test,omitempty"` // leads to a test root

	Time       time.Time  `json:"time,omitzero"` // what it was judged at
	TimeSource TimeSource `json:"time_source"`
	Claimed    time.Time  `json:"claimed_time,omitzero"` // thời điểm do người ký khai
	Authority  string     `json:"timestamp_authority,omitempty"`
	Timestamps []Stamp    `json:"timestamps,omitempty"` // every token found, believed or not

	DigestAlgorithm    string           `json:"digest_algorithm,omitempty"`
	SignatureAlgorithm string           `json:"signature_algorithm,omitempty"`
	Revocation         RevocationReport `json:"revocation,omitzero"`

	PathRevocation []RevocationReport `json:"path_revocation,omitempty"` // of each certificate of Path but the anchor

	Role   Role        `json:"role,omitempty"`         // what the signature is for; "" when it cannot be told
	Sender SenderMatch `json:"sender_match,omitempty"` // whether the seal is the sender's; "" when not compared
	Marks  []Mark      `json:"marks,omitempty"`        // what was laid over the pages after it, to be drawn there

	Sentence Sentence `json:"sentence,omitzero"`

	Evidence Evidence `json:"-"`
}

// Role is what a signature is for (R68–R70).
type Role string

// The roles.
const (
	RolePerson   Role = "person"   // người có thẩm quyền
	RoleAgency   Role = "agency"   // cơ quan, tổ chức
	RoleCopy     Role = "copy"     // bản sao
	RoleAppendix Role = "appendix" // phụ lục
)

// SenderMatch says whether the certificate's agency is the one that sent the file. It is only ever a warning.
type SenderMatch string

// The matches.
const (
	SenderSame    SenderMatch = "same"    // khớp: by code or by name
	SenderFormer  SenderMatch = "former"  // an agency whose successor the sender is
	SenderDiffers SenderMatch = "differs" // không khớp
)

// Rect is left, bottom, right, top in points of a page's own space.
type Rect = [4]float64

// StampKind says what a timestamp token is over, and so what it can prove.
type StampKind string

// The kinds. Only the first two prove when a signature existed.
const (
	StampSignature StampKind = "signature" // the signature value (RFC 3161, annex A)
	StampDocument  StampKind = "document"  // the PDF up to it, earlier signatures included (ETSI EN 319 142-1, 5.4.3)
	StampContent   StampKind = "content"   // the content before it was signed (ETSI EN 319 122-1, 5.2.8)
	StampArchive   StampKind = "archive"   // signature and validation data, for keeping (ETSI EN 319 122-1, 5.5)
)

// Stamp is what was found about one timestamp token and its authority's certificate (R74).
type Stamp struct {
	Kind       StampKind        `json:"kind"`
	Verdict    Verdict          `json:"verdict"` // only a valid one proves its time
	Reasons    []Reason         `json:"reasons"`
	Time       time.Time        `json:"time,omitzero"`
	Authority  string           `json:"authority,omitempty"`
	Issuer     string           `json:"issuer,omitempty"`
	Serial     string           `json:"serial,omitempty"`
	NotBefore  time.Time        `json:"not_before,omitzero"`
	NotAfter   time.Time        `json:"not_after,omitzero"`
	Path       []string         `json:"path,omitempty"`
	Revocation RevocationReport `json:"revocation,omitzero"`
}

// Mark is something that was laid over a page after signing.
type Mark struct {
	Page int    `json:"page"` // from 1
	Rect Rect   `json:"rect"`
	Kind string `json:"kind"` // the annotation's /Subtype, or "Content" for marks appended to the page
}

// Evidence is what a verdict leaned on, as bytes: kept with the document so that the report can be replayed (R77).
type Evidence struct {
	Certificates [][]byte // DER of the paths found, the signer's leaf first, then those of timestamps and list signers
	CRLs         [][]byte // DER
	OCSP         [][]byte // DER of whole responses
	Tokens       [][]byte // DER of RFC 3161 tokens
}

// add takes in what a judgement leaned on, each thing once.
func (e *Evidence) add(used evidence) {
	for _, c := range used.certs {
		e.Certificates = appendNew(e.Certificates, c.x.Raw)
	}
	for _, l := range used.crls {
		e.CRLs = appendNew(e.CRLs, l.raw)
	}
	for _, r := range used.ocsp {
		e.OCSP = appendNew(e.OCSP, r.raw)
	}
}

func appendNew(list [][]byte, der []byte) [][]byte {
	if slices.ContainsFunc(list, func(have []byte) bool { return bytes.Equal(have, der) }) {
		return list
	}
	return append(list, der)
}

// RevocationReport says how a certificate's status was found, and when.
type RevocationReport struct {
	Certificate string `json:"certificate,omitempty"` // its subject

	Status     string    `json:"status"`           // "good", "revoked", "unknown" or "unchecked"
	Source     string    `json:"source,omitempty"` // "crl" or "ocsp"
	ThisUpdate time.Time `json:"this_update,omitzero"`
	NextUpdate time.Time `json:"next_update,omitzero"`
	RevokedAt  time.Time `json:"revoked_at,omitzero"`
	RevokedFor string    `json:"revoked_for,omitempty"` // the list's CRLReason (RFC 5280, 5.3.1); "" when it gives none
	// InvalidityDate is since when its key may have been in other hands (RFC 5280, 5.3.2).
	InvalidityDate time.Time `json:"invalidity_date,omitzero"`
}

// Forged says that what is signed is not what is here: a digest or signature value is wrong, a ByteRange is forged, or
// the document was changed after signing. A weak algorithm or a doubtful certificate is not forgery.
func (s SignatureReport) Forged() bool {
	_, ok := firstForged(s.Reasons)
	return ok
}

// Broken says that a digest or signature value of the file is wrong, a ByteRange forged, or the document changed after
// signing: what intake refuses at once, for the sender can mend it. The reason is the one to show.
func (r FileReport) Broken() (Reason, bool) {
	if why, ok := firstForged(r.Reasons); ok {
		return why, true
	}
	for _, s := range r.Signatures {
		if why, ok := firstForged(s.Reasons); ok {
			return why, true
		}
	}
	return "", false
}

func firstForged(reasons []Reason) (Reason, bool) {
	for _, r := range reasons {
		if forged[r] {
			return r, true
		}
	}
	return "", false
}

// worse orders verdicts for a file or a dispatch: invalid > undetermined > valid > unsigned.
func worse(a, b Verdict) Verdict {
	rank := map[Verdict]int{Invalid: 3, Undetermined: 2, Valid: 1}
	if rank[b] > rank[a] {
		return b
	}
	return a
}
