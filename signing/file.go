package signing

import (
	"bytes"
	"context"
	"crypto"
	"encoding/hex"
	"slices"
	"strings"
)

// verifyFile judges one file: its detached signature, if any, and what signatures are inside.
func verifyFile(ctx context.Context, f File, o Options) FileReport {
	if f.Part == "" {
		o.Sender = nil // nothing is known of who should have signed it
	}
	r := FileReport{Name: f.Name, SHA256: f.SHA256, Part: f.Part, Reasons: []Reason{}, Signatures: []SignatureReport{}}
	j := judge{ctx: ctx, o: o, trust: o.Trust.ready(), spent: new(int)}
	if r.SHA256 == "" {
		f.Stream = j.streamed(f)
		r.SHA256 = j.fileDigest(f, &r)
		f.SHA256 = r.SHA256 // a detached signature is mostly over the same digest: no second pass
	}
	if f.Signature != nil && foreignSignature(f.Signature) {
		r.Reasons = addReason(r.Reasons, UnsupportedFormat)
	} else if f.Signature != nil {
		for _, s := range j.detached(f) {
			s.Kind, s.Covers, s.After = "cms", CoversWhole, AfterNothing
			r.Signatures = append(r.Signatures, s)
		}
	}
	j.inside(f, &r)
	r.finish()
	return r
}

// streamed digests a PDF so that its signatures need not read it again; nil for other files and when the caller did it.
func (j judge) streamed(f File) *Stream {
	if f.Stream != nil || f.Content == nil || !bytes.Contains(peekFile(f, 1024), []byte("%PDF-")) {
		return f.Stream
	}
	s := NewStream()
	if err := digestPart(j.ctx, f.Content, s, 0, f.Size); err != nil {
		return nil
	}
	return s
}

// fileDigest computes what the report names the file by.
func (j judge) fileDigest(f File, r *FileReport) string {
	if f.Stream != nil {
		return hex.EncodeToString(f.Stream.Sum())
	}
	d := wholeFile(j.ctx, f)
	sum, ok := d.get(crypto.SHA256)
	if !ok {
		if d.err != nil {
			r.Reasons = addReason(r.Reasons, readReason(d.err))
		}
		return ""
	}
	return hex.EncodeToString(sum)
}

// inside looks for signatures within the file, by what it is and not by its name.
func (j judge) inside(f File, r *FileReport) {
	head := peekFile(f, 1024)
	switch {
	case bytes.Contains(head, []byte("%PDF-")):
		r.Format = "pdf"
		j.pdf(f, r)
	case f.Signature == nil && isCMS(head):
		r.Format = "cms"
		for _, s := range j.attached(f) {
			s.Kind, s.Covers, s.After = "cms", CoversWhole, AfterNothing
			r.Signatures = append(r.Signatures, s)
		}
	default:
		if j.other(f, head, r) || f.Signature != nil || !namedCMS(f.Name) && !brokenCMS(head) {
			return
		}
		r.Format = "cms" // a damaged one, which does not become an unsigned file by that
		r.Signatures = append(r.Signatures, failed(CMSMalformed))
	}
}

// namedCMS says that a file's name announces a CMS message.
func namedCMS(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, ".p7s") || strings.HasSuffix(name, ".p7m")
}

var oidSignedDataDER = []byte{0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02}

// finish draws the file's verdict from its signatures, and from what was found about the file itself.
func (r *FileReport) finish() {
	r.roles()
	r.Verdict = Unsigned
	for i := range r.Signatures {
		s := &r.Signatures[i]
		s.File, s.Number = r.Name, i+1
		if s.doubted() && r.signed() { // as good as no timestamp: the signatures are judged without it
			r.Reasons = addReason(r.Reasons, stamp{reasons: s.Reasons}.worse(""))
			continue
		}
		if w := worse(r.Verdict, s.Verdict); w != r.Verdict {
			r.Verdict, r.Reason = w, s.Reason
		}
		for _, why := range s.Reasons {
			r.Reasons = addReason(r.Reasons, why)
		}
	}
	own, why := decide(r.Reasons)
	if w := worse(r.Verdict, own); own != Valid && w != r.Verdict {
		r.Verdict, r.Reason = w, why
	}
	if r.Verdict == Unsigned {
		r.Reason = NoSignature
		r.Reasons = addReason(r.Reasons, NoSignature)
	}
	for i := range r.Signatures {
		r.Signatures[i].Sentence = r.Signatures[i].sentence()
	}
	r.Sentence = r.sentence()
}

// doubted says that a timestamp of the document is whole, and only its authority is not to be believed.
func (s SignatureReport) doubted() bool {
	if s.Kind != "timestamp" || s.Verdict == Valid {
		return false
	}
	return !slices.ContainsFunc(s.Reasons, func(r Reason) bool { return r.Of() != Valid && !ofAuthority[r] })
}

// ofAuthority are the reasons that speak of a certificate and its path, not of what is signed.
var ofAuthority = map[Reason]bool{
	NoAnchor: true, Untrusted: true, PathSignature: true, PathNotCA: true, PathKeyUsage: true, PathLength: true, PathCritical: true,
	PathNames: true, PathUnsupported: true, PathTooLong: true, CertificateExpired: true, CertificateNotYet: true,
	AuthorityExpired: true, AuthorityNotYet: true, CertificateKeyUsage: true, CertificateRevoked: true, AuthorityRevoked: true,
	RevocationMissing: true, RevocationStale: true, RevocationInvalid: true, OCSPUnknown: true, WeakDigest: true, WeakKey: true,
	TimestampFuture: true, SignerMissing: true,
}

// signed says whether there is a signature that is more than a timestamp of the document.
func (r *FileReport) signed() bool {
	return slices.ContainsFunc(r.Signatures, func(s SignatureReport) bool { return s.Kind != "timestamp" })
}
