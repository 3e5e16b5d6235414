package server

import (
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// software names what judges, for evidence: the revision that the binary was built from.
var software = sync.OnceValue(func() string {
	name := "truc"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				name += " " + s.Value
			}
		}
	}
	return name
})

// evidenceOf names by hash all that a report was made of (R77). The trust store's part is durable already, once for all
// documents (storage.TrustRecord), and the rest lies in the files themselves: so intake writes no object for it.
func evidenceOf(trust *storage.TrustInForce, version int64, files []signing.File, o signing.Options, report signing.Report) storage.Evidence {
	e := storage.Evidence{Software: software(), Trust: trust.Record, Version: version, At: o.At, Revocation: o.Revocation,
		AllowSHA1: o.AllowSHA1, Sender: o.Sender}
	if slices.ContainsFunc(files, func(f signing.File) bool { return f.Part != "" }) {
		for _, f := range files {
			e.Parts = append(e.Parts, f.Part)
		}
	}
	for _, s := range report.Signatures {
		e.Signatures = append(e.Signatures, storage.SignatureEvidence{File: s.File, Number: s.Number,
			Certificates: itemsOf(trust, s.Evidence.Certificates), CRLs: itemsOf(trust, s.Evidence.CRLs),
			OCSP: itemsOf(trust, s.Evidence.OCSP), Tokens: itemsOf(trust, s.Evidence.Tokens)})
	}
	return e
}

func itemsOf(trust *storage.TrustInForce, list [][]byte) []storage.EvidenceItem {
	var items []storage.EvidenceItem
	for _, b := range list {
		if item := trust.Item(b); item.Size > 0 && !slices.Contains(items, item) {
			items = append(items, item)
		}
	}
	return items
}

// hopeFor is how long a dispatch waits for data that would change its verdict: a CA that has published nothing for a
// month will not mend it.
const hopeFor = 30 * 24 * time.Hour

// curable are the reasons that anchors, certificates or revocation data to come can take away.
var curable = map[signing.Reason]bool{
	signing.NoAnchor: true, signing.Untrusted: true, signing.SignerMissing: true, signing.TimestampUntrusted: true,
	signing.RevocationMissing: true, signing.RevocationStale: true, signing.RevocationInvalid: true, signing.OCSPUnknown: true,
	signing.RevocationSoft: true,
}

// unchecked are those of them that revocation data alone can take away.
var unchecked = map[signing.Reason]bool{signing.RevocationMissing: true, signing.RevocationStale: true, signing.RevocationInvalid: true,
	signing.OCSPUnknown: true, signing.RevocationSoft: true}

// hopeful says that the verdict may still change by what is not at hand yet. What is invalid stays so.
func hopeful(report signing.Report) bool {
	return slices.ContainsFunc(report.Signatures, func(s signing.SignatureReport) bool {
		return s.Verdict != signing.Invalid && slices.ContainsFunc(s.Reasons, func(r signing.Reason) bool { return curable[r] })
	})
}
