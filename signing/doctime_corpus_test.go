package signing_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// stampPDF puts a timestamp of the document on a file.
func (w *world) stampPDF(pdf []byte, by *testpki.PKI, at time.Time) []byte {
	return w.signPDF(pdf, testpki.PDFSignature{SubFilter: "ETSI.RFC3161", TSA: by, Hidden: true, Time: at})
}

// pades signs as PAdES asks: the claimed time in /M and not in the CMS.
func (w *world) pades(c testpki.CMS) []byte {
	c.Bend = func(p string, b []byte) []byte {
		if p == "signingTime" {
			return nil
		}
		return b
	}
	return w.signPDF(w.pdf(), testpki.PDFSignature{Signer: c.Signers[0], CMS: &c})
}

// docTimeCase is a PDF and a clock; proven is what the first signature must be judged at (zero: reception).
type docTimeCase struct {
	name    string
	make    func(w *world) []byte
	options func(w *world, o *signing.Options)
	proven  time.Time
	verdict signing.Verdict // of the file
	want    signing.Reason
}

var docTimeCases = []docTimeCase{
	{name: "valid_expired_under_document_timestamp", make: func(w *world) []byte { return w.stampPDF(w.pades(w.expired()), w.PKI, now) }, proven: now},
	{name: "valid_earliest_document_timestamp", make: func(w *world) []byte {
		return w.stampPDF(w.stampPDF(w.pades(w.expired()), w.PKI, now), w.PKI, now.Add(30*time.Minute))
	}, proven: now},
	{name: "valid_validation_data_between", make: func(w *world) []byte {
		return w.stampPDF(w.AddValidationData(w.pades(w.expired())), w.PKI, now)
	}, options: func(w *world, o *signing.Options) { o.Trust.CRLs = nil }, proven: now},
	{name: "valid_revoked_after_document_timestamp", make: func(w *world) []byte { return w.stampPDF(w.one(), w.PKI, now) },
		options: func(w *world, o *signing.Options) { w.revoke(o, w.person, now.Add(time.Second)) }, proven: now, verdict: signing.Valid, want: signing.RevokedLater},
	{name: "valid_own_token_before_document_timestamp", make: func(w *world) []byte {
		return w.stampPDF(w.signPDF(w.pdf(), testpki.PDFSignature{TSA: w.PKI}), w.PKI, now.Add(time.Minute))
	}, proven: now},
	{name: "certificate_revoked_before_document_timestamp", make: func(w *world) []byte { return w.stampPDF(w.one(), w.PKI, now) },
		options: func(w *world, o *signing.Options) { w.revoke(o, w.person, now.Add(-time.Second)) },
		proven:  now, verdict: signing.Invalid, want: signing.CertificateRevoked},
	{name: "no_time_proof_claimed_in_the_dictionary", make: func(w *world) []byte { return w.pades(w.expired()) }, verdict: signing.Undetermined, want: signing.NoTimeProof},
	{name: "no_time_proof_document_timestamp_before_the_signature", make: func(w *world) []byte {
		return w.signPDF(w.stampPDF(w.pdf(), w.PKI, now), testpki.PDFSignature{Signer: w.expired().Signers[0]})
	}, verdict: signing.Undetermined, want: signing.NoTimeProof},
	{name: "no_time_proof_document_timestamp_after_reception", make: func(w *world) []byte {
		return w.stampPDF(w.pades(w.expired()), w.PKI, now.Add(3*time.Hour))
	}, verdict: signing.Undetermined, want: signing.TimestampInvalid},
	{name: "valid_document_timestamp_not_trusted", make: func(w *world) []byte { return w.stampPDF(w.one(), w.PKI, now) },
		options: func(_ *world, o *signing.Options) { o.Trust.TSAAnchors = nil }, verdict: signing.Valid, want: signing.TimestampUntrusted},
	{name: "valid_document_timestamp_of_an_impostor", make: func(w *world) []byte { return w.stampPDF(w.one(), newWorld(w.t).PKI, now) },
		verdict: signing.Valid, want: signing.TimestampUntrusted}, // a root of that name with another key may exist: it is only not trusted
	{name: "no_anchor_document_timestamp_alone", make: func(w *world) []byte { return w.stampPDF(w.pdf(), w.PKI, now) },
		options: func(_ *world, o *signing.Options) { o.Trust.TSAAnchors = nil }, verdict: signing.Undetermined, want: signing.NoAnchor},
	{name: "digest_mismatch_under_document_timestamp", make: func(w *world) []byte {
		return testpki.ChangeSigned(w.stampPDF(w.one(), w.PKI, now))
	}, verdict: signing.Invalid, want: signing.DigestMismatch},
}

func TestDocumentTimestampCorpus(t *testing.T) {
	t.Parallel()
	for _, c := range docTimeCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			pdf := c.make(w)
			o := w.options()
			if c.options != nil {
				c.options(w, &o)
			}
			f := verify(inside(pdf), o).Files[0]
			cmsCase{verdict: c.verdict, want: c.want}.check(t, signing.Report{Verdict: f.Verdict, Files: []signing.FileReport{f}})
			for _, s := range f.Signatures {
				if s.Kind == "timestamp" {
					continue
				}
				if s.TimeSource == signing.TimeFromTimestamp != !c.proven.IsZero() || !c.proven.IsZero() && !s.Time.Equal(c.proven) {
					t.Errorf("judged at %s by %s: %s", s.Time, s.TimeSource, fmt.Sprint(s.Timestamps))
				}
				if !s.Claimed.Equal(now) {
					t.Errorf("claimed time %s", s.Claimed)
				}
			}
		})
	}
}
