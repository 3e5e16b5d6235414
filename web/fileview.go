package web

import (
	"fmt"

	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// fileRow is one attachment with what the validator found, in the clerk's words.
type fileRow struct {
	storage.Attachment
	URL        string
	Title      phrase // what it is called for those who may not see its name
	Sentence   phrase
	Reasons    []finding
	Signatures []signatureRow
}

// finding is one reason with its weight.
type finding struct {
	badge
	Clause string
}

// signatureRow is one signature with every row of regulation 7.3.
type signatureRow struct {
	signing.SignatureReport
	Sentence phrase
	Facts    []fact
	Reasons  []finding
	Sketches []sketch
}

// fact is a labelled value.
type fact struct{ Label, Value phrase }

// files pairs each attachment with its report: reports stand in the order of the attachments, and after them comes the
// one about the sender's signature over the metadata, if there is one.
func (v dispatchView) files() []fileRow {
	rows := make([]fileRow, 0, len(v.Attachments)+1)
	for i, a := range v.Attachments {
		row := fileRow{Attachment: a, URL: v.fileURL(a.N), Title: phrase{fmt.Sprintf("Tệp %d", a.N), fmt.Sprintf("File %d", a.N)}}
		if i < len(v.Report.Files) {
			row.fill(v.Report.Files[i], v.viewer.may(content))
		}
		rows = append(rows, row)
	}
	if len(v.Report.Files) > len(v.Attachments) {
		r := v.Report.Files[len(v.Attachments)]
		row := fileRow{Title: phrase{"Thông tin gửi kèm (do hệ thống gửi ký)", "Metadata (signed by the sending system)"}}
		row.Verdict = r.Verdict
		row.fill(r, v.viewer.may(content))
		rows = append(rows, row)
	}
	return rows
}

// fileURL is where the viewer gets a file: empty for a recipient who gave the document back.
func (v dispatchView) fileURL(n int) string {
	if v.sender {
		return fmt.Sprintf("/dispatches/%s/attachments/%d", v.ID, n)
	}
	for _, dl := range v.deliveries {
		if dl.Withdrawn == "" {
			return fmt.Sprintf("/deliveries/%s/attachments/%d", dl.DeliveryID, n)
		}
	}
	return ""
}

// fill takes over what was found. Without content nothing may tell who signed, nor what a file is called (R102).
func (r *fileRow) fill(report signing.FileReport, content bool) {
	if content {
		r.Sentence = phrase(report.Sentence)
	}
	own := map[signing.Reason]bool{}
	for _, s := range report.Signatures {
		row := signatureRow{SignatureReport: s, Sketches: sketches(s)}
		if content {
			row.Sentence = phrase(s.Sentence)
		}
		for _, known := range server.SignatureRows(s)[1:] { // the result stands above
			if content || !known.Names {
				row.Facts = append(row.Facts, fact{phrase(known.Label), phrase(known.Value)})
			}
		}
		for _, why := range s.Reasons {
			own[why] = true
			row.Reasons = append(row.Reasons, found(why))
		}
		r.Signatures = append(r.Signatures, row)
	}
	for _, why := range append(append([]signing.Reason{}, report.Reasons...), report.Flags...) {
		if !own[why] { // what a signature says of itself stands with it
			own[why] = true
			r.Reasons = append(r.Reasons, found(why))
		}
	}
}

func found(why signing.Reason) finding {
	text := why.Text()
	tone := verdictBadge(text.Verdict)
	if text.Verdict == signing.Valid {
		tone = badge{Tone: "quiet", Icon: "question"} // a remark that alone takes nothing away
	}
	return finding{badge{tone.Tone, tone.Icon, phrase{text.VI, text.EN}}, text.Clause}
}
