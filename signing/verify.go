package signing

import (
	"context"
)

// Verify judges every file and gives one report; it never fails: what cannot be judged is undetermined, with its reason.
// It stops early, with the reason "interrupted", when ctx is done.
func Verify(ctx context.Context, files []File, o Options) Report {
	report := Report{Verdict: Unsigned, Files: make([]FileReport, 0, len(files)), Signatures: []SignatureReport{}}
	for _, f := range files {
		fr := verifyFile(ctx, f, o)
		report.Files = append(report.Files, fr)
		report.Signatures = append(report.Signatures, fr.Signatures...)
		report.Verdict = worse(report.Verdict, fr.Verdict)
	}
	report.Sentence = report.sentence()
	return report
}
