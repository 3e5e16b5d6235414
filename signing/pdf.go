package signing

import (
	"bytes"
	"errors"
	"sort"
	"strings"
	"time"
)

// pdf judges all signatures inside a PDF and flags active content.
func (j judge) pdf(f File, r *FileReport) {
	r.Version = pdfVersion(peekFile(f, 1024))
	d := newPDFDoc(f.Content, f.Size)
	fields, err := d.open()
	if err == nil && d.encrypted() {
		r.Encrypted = true
		r.Reasons = addReason(r.Reasons, PDFEncrypted)
		return
	}
	if err != nil {
		j.unreadable(d, r, err)
		return
	}
	r.Version = max(r.Version, d.view(0).version())
	if r.Version != "" && r.Version < "1.4" {
		r.Flags = addReason(r.Flags, PDFOld)
	}
	if len(fields) > 0 {
		j.extra = d.view(0).validationData()
	}
	j.pdfSignatures(f, d, fields)
	d.classify(fields)
	pages, flags := d.view(0).survey()
	for _, why := range flags {
		r.Flags = addReason(r.Flags, why)
	}
	for _, s := range fields {
		s.report.Page = pages[s.field.page.num]
		if box := s.field.rect; box[0] != box[2] && box[1] != box[3] {
			s.report.Rect = &box
		}
		r.Signatures = append(r.Signatures, s.report)
	}
}

// unreadable says what to make of a PDF whose structure cannot be followed. Without any /ByteRange in it there can be no
// signature; with one, the matter is open.
func (j judge) unreadable(d *pdfDoc, r *FileReport, err error) {
	why := PDFMalformed
	switch {
	case errors.Is(err, errPDFLimit):
		why = PDFLimits
	case !errors.Is(err, errPDFSyntax) && !errors.Is(err, errPDFShort):
		why = readReason(err)
	}
	if why == PDFMalformed && !d.mentions("/ByteRange") && !d.mentions("/Encrypt") {
		r.Flags = addReason(r.Flags, PDFMalformed)
		return
	}
	r.Reasons = addReason(r.Reasons, why)
}

// pdfVersion reads the header.
func pdfVersion(head []byte) string {
	i := bytes.Index(head, []byte("%PDF-"))
	if i < 0 || len(head) < i+8 {
		return ""
	}
	v := head[i+5 : i+8]
	if v[0] < '0' || v[0] > '9' || v[1] != '.' || v[2] < '0' || v[2] > '9' {
		return ""
	}
	return string(v)
}

// encrypted says whether any revision is.
func (d *pdfDoc) encrypted() bool {
	for _, s := range d.sections {
		if s.trailer.get("Encrypt") != nil {
			return true
		}
	}
	return false
}

// pdfSignature is one signature on its way to a report.
type pdfSignature struct {
	field    pdfField
	removed  bool   // stands in an earlier revision and no longer in the last
	stray    bool   // no field holds it
	end      int64  // where its ByteRange ends; 0 when that is forged
	revision int    // index of the section it was signed with; -1 unknown
	docMDP   int    // permission that it certifies with or locks to; 0: none
	stamp    *stamp // of a timestamp of the document
	locks    []fieldLock
	report   SignatureReport
}

// maxSignatures bounds how many signatures of one file are judged.
const maxSignatures = 500

// signatures collects the signature fields of the last revision, and those of earlier ones that were taken out since. In
// order of their ranges, so of signing.
func (d *pdfDoc) signatures() ([]*pdfSignature, error) {
	type identity struct {
		at       xrefEntry
		contents int64
	}
	var out []*pdfSignature
	seen := map[identity]bool{}
	for i := range d.sections {
		fields, err := d.view(i).signatureFields()
		if err != nil {
			if i == 0 {
				return nil, err
			}
			break // an older revision that cannot be read is classify's business
		}
		for _, f := range fields {
			id := identity{f.at, f.dict.contentsAt}
			if seen[id] {
				continue
			}
			seen[id] = true
			out = append(out, &pdfSignature{field: f, removed: i > 0, revision: -1})
			if len(out) > maxSignatures {
				return nil, errPDFLimit
			}
		}
	}
	more, err := d.strays(out)
	if err != nil {
		return nil, err
	}
	out = append(out, more...)
	sort.SliceStable(out, func(a, b int) bool { return out[a].field.dict.contentsAt < out[b].field.dict.contentsAt })
	return out, nil
}

// pdfSignatures judges each by itself. The timestamps of the document come first: they prove when the signatures that they
// are over existed.
func (j judge) pdfSignatures(f File, d *pdfDoc, fields []*pdfSignature) {
	shared := newPrefixes(j.ctx, f)
	for _, stamps := range []bool{true, false} {
		for _, s := range fields {
			sub, _ := d.view(0).resolve(s.field.dict.get("SubFilter"))
			if (sub == pdfName("ETSI.RFC3161")) == stamps {
				j.proofs = proofs(fields, s)
				j.pdfSignature(f, d, s, sub, shared)
			}
		}
	}
}

// proofs are the timestamps of the document whose ranges hold all of s.
func proofs(fields []*pdfSignature, s *pdfSignature) []stamp {
	var out []stamp
	for _, t := range fields {
		if t.stamp != nil && t.end > 0 && s.field.dict.contentsEnd <= t.field.dict.contentsAt && len(out) < maxStamps {
			out = append(out, *t.stamp)
		}
	}
	return out
}

// pdfSignature judges one signature by itself: its dictionary, its ranges, its CMS.
func (j judge) pdfSignature(f File, d *pdfDoc, s *pdfSignature, sub any, shared *prefixes) {
	dict := s.field.dict
	why := s.check(d, sub)
	if why != "" {
		s.fail(sub, why)
		return
	}
	a, b := dict.contentsAt, dict.contentsEnd
	content := newDigester(j.ctx, f.Content, []segment{{0, a}, {b, s.end - b}})
	content.shared = shared
	value, _ := dict.get("Contents").(pdfString)
	if sub == pdfName("ETSI.RFC3161") {
		s.report, s.stamp = j.documentTimestamp(value, content)
	} else {
		when, _ := d.view(0).resolve(dict.get("M"))
		j.claimed = pdfDate(when)
		s.report = j.pdfMessage(value, content)
	}
	s.label(sub)
	s.report.Covers = CoversRevision
	if s.end == d.size {
		s.report.Covers = CoversWhole
	}
}

// label writes what kind of signature it is and in which field.
func (s *pdfSignature) label(sub any) {
	s.report.Field, s.report.Kind = s.field.name, "pdf"
	if sub == pdfName("ETSI.RFC3161") {
		s.report.Kind = "timestamp"
	}
}

func (s *pdfSignature) fail(sub any, why ...Reason) {
	s.report = failed(why...)
	s.report.Covers, s.report.After = CoversRevision, AfterChanged
	s.label(sub)
}

// check looks at the dictionary and the ranges: exactly what stands before and after the one /Contents string of this very
// dictionary (ISO 32000-1, 12.8.1). It sets end.
func (s *pdfSignature) check(d *pdfDoc, sub any) Reason {
	dict := s.field.dict
	if dict.repeated {
		return ByteRangeForged
	}
	switch sub {
	case pdfName("adbe.pkcs7.detached"), pdfName("ETSI.CAdES.detached"), pdfName("ETSI.RFC3161"):
	case nil:
		return SignatureDictInvalid
	default:
		return UnsupportedFormat
	}
	list, _ := dict.get("ByteRange").(pdfArray)
	if len(list) != 4 || dict.contentsEnd == 0 {
		return ByteRangeForged
	}
	var n [4]int64
	for i, v := range list {
		k, ok := v.(int64)
		if !ok || k < 0 {
			return ByteRangeForged
		}
		n[i] = k
	}
	if n[0] != 0 || n[1] != dict.contentsAt || n[2] != dict.contentsEnd || n[3] > d.size-n[2] {
		return ByteRangeForged
	}
	if s.field.at.kind == 1 && s.field.at.at >= dict.contentsAt {
		return ByteRangeForged
	}
	s.end = n[2] + n[3]
	return ""
}

// pdfMessage judges the CMS of a signature. A PDF signature has one signer; more are refused (ETSI EN 319 142-1, 4.1).
func (j judge) pdfMessage(value []byte, content *digester) SignatureReport {
	m, why := readMessage(sliceReader(value), int64(len(value)), maxFramePDF, true)
	if why != "" {
		return failed(why)
	}
	reports := j.message(m, content)
	r := reports[0]
	if len(reports) > 1 {
		r.Reasons = addReason(r.Reasons, SignatureDictInvalid)
	}
	if m.hasContent {
		r.Reasons = addReason(r.Reasons, DetachedHasContent)
	}
	r.settle()
	return r
}

// documentTimestamp judges an RFC 3161 token over the document (ETSI EN 319 142-1, 5.4.3).
func (j judge) documentTimestamp(value []byte, content *digester) (SignatureReport, *stamp) {
	s, why := readStamp(j.ctx, value, true, j.installed())
	if why != "" {
		return failed(CMSMalformed, TimestampInvalid), nil
	}
	s.kind = StampDocument
	have, ok := content.get(s.hash)
	if !ok {
		return failed(readReason(content.err)), nil
	}
	if !s.over(have) {
		s.reasons = addReason(s.reasons, DigestMismatch)
	}
	j.trustStamp(&s)
	r := SignatureReport{Reasons: append([]Reason{}, s.reasons...), Time: s.time, TimeSource: TimeFromTimestamp, Authority: s.authority,
		Revocation: s.revocation, Timestamps: []Stamp{s.report()}}
	describe(&r, s.signer)
	if s.path != nil && s.path.anchor.cert != nil {
		j.follow(&r, s.path)
	}
	if !s.good() { // its time is then only what it says
		r.Time, r.TimeSource, r.Claimed = j.o.At, TimeFromReception, s.time
	}
	r.Evidence.Tokens = [][]byte{s.der}
	r.Evidence.add(s.evidence())
	r.settle()
	return r, &s
}

// pdfDate reads a date string (ISO 32000-1, 7.9.4): D:YYYYMMDDHHmmSSOHH'mm'. What is no date is none.
func pdfDate(o any) time.Time {
	raw, _ := o.(pdfString)
	text := strings.NewReplacer("D:", "", "'", "").Replace(pdfText(raw))
	for _, layout := range []string{"20060102150405Z0700", "20060102150405-0700", "20060102150405Z07", "20060102150405", "200601021504", "20060102"} {
		if t, err := time.Parse(layout, strings.Replace(text, "Z0000", "Z", 1)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
