package main

import (
	"fmt"
	"strings"

	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/signing"
)

var verdictLabels = map[signing.Verdict]string{signing.Valid: "HỢP LỆ", signing.Invalid: "KHÔNG HỢP LỆ",
	signing.Undetermined: "CHƯA XÁC ĐỊNH", signing.Unsigned: "KHÔNG CÓ CHỮ KÝ"}

// printReport writes the answer for a clerk: each file, each of its signatures row by row, then what was found in words.
func (c *command) printReport(report signing.Report) error {
	var b strings.Builder
	for i, f := range report.Files {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s: %s (%s)\n  SHA-256 %s\n", printable(f.Name), verdictLabels[f.Verdict], f.Verdict, f.SHA256)
		printSentence(&b, "  ", f.Sentence)
		own := map[signing.Reason]bool{}
		for _, s := range f.Signatures {
			printSignature(&b, s)
			for _, r := range s.Reasons {
				own[r] = true
			}
		}
		for _, r := range append(append([]signing.Reason{}, f.Reasons...), f.Flags...) {
			if !own[r] { // what a signature says stands with it
				own[r] = true
				printReason(&b, "  ", r)
			}
		}
	}
	if len(report.Files) > 1 {
		fmt.Fprintf(&b, "\nTất cả / all: %s (%s)\n", verdictLabels[report.Verdict], report.Verdict)
	}
	_, err := fmt.Fprint(c.out, b.String())
	return err
}

func printSignature(b *strings.Builder, s signing.SignatureReport) {
	fmt.Fprintf(b, "\n  %d. %s: %s (%s)\n", s.Number, printable(orDash(s.Signer)), verdictLabels[s.Verdict], s.Verdict)
	printSentence(b, "     ", s.Sentence)
	for _, row := range server.SignatureRows(s)[1:] { // the result stands above
		if row.Value.VI != "" {
			fmt.Fprintf(b, "     %-28s %s\n", row.Label.VI+":", printable(row.Value.VI))
		}
	}
	for _, m := range s.Marks {
		fmt.Fprintf(b, "     %-28s trang %d, %s, (%.0f, %.0f)–(%.0f, %.0f)\n", "Bổ sung trên trang:", m.Page, printable(server.MarkWording(m.Kind).VI), m.Rect[0], m.Rect[1], m.Rect[2], m.Rect[3])
	}
	for _, r := range s.Reasons {
		printReason(b, "     ", r)
	}
}

func printSentence(b *strings.Builder, indent string, s signing.Sentence) {
	if s.VI != "" {
		fmt.Fprintf(b, "%s%s\n%s%s\n", indent, printable(s.VI), indent, printable(s.EN))
	}
}

// printReason gives a finding in words; "!" takes something away, "·" is a remark.
func printReason(b *strings.Builder, indent string, r signing.Reason) {
	text, sign := r.Text(), "·"
	if text.Verdict != signing.Valid {
		sign = "!"
	}
	fmt.Fprintf(b, "%s%s %s: %s / %s (%s)\n", indent, sign, r, text.VI, text.EN, text.Clause)
}

func orDash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}
