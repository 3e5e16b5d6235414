package web

import (
	"fmt"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// fileRow is one attachment with what the validator found, in the clerk's words.
type fileRow struct {
	storage.Attachment
	URL        string
	Title      phrase // what it is called for those who may not see its name
	Reasons    []finding
	Signatures []signatureRow
}

// finding is one reason with its weight.
type finding struct {
	badge
	Clause string
}

type signatureRow struct {
	signing.SignatureReport
	Reasons []finding
	When    phrase
	Change  phrase
}

// files pairs each attachment with its report: reports stand in the order of the attachments, and after them comes the
// one about the sender's signature over the metadata, if there is one.
func (v dispatchView) files() []fileRow {
	rows := make([]fileRow, 0, len(v.Attachments)+1)
	for i, a := range v.Attachments {
		row := fileRow{Attachment: a, URL: v.fileURL(a.N), Title: phrase{fmt.Sprintf("Tệp %d", a.N), fmt.Sprintf("File %d", a.N)}}
		if i < len(v.Report.Files) {
			row.fill(v.Report.Files[i])
		}
		rows = append(rows, row)
	}
	if len(v.Report.Files) > len(v.Attachments) {
		r := v.Report.Files[len(v.Attachments)]
		row := fileRow{Title: phrase{"Thông tin gửi kèm (do hệ thống gửi ký)", "Metadata (signed by the sending system)"}}
		row.Verdict = r.Verdict
		row.fill(r)
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

func (r *fileRow) fill(report signing.FileReport) {
	own := map[signing.Reason]bool{}
	for _, s := range report.Signatures {
		row := signatureRow{SignatureReport: s, When: signedAt(s), Change: changed(s.After)}
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

// signedAt says when, and who vouches for it: a signer's own claim is never shown as a fact.
func signedAt(s signing.SignatureReport) phrase {
	at := moment(s.Time)
	switch s.TimeSource {
	case signing.TimeFromTimestamp:
		return phrase{at + " (dấu thời gian " + s.Authority + ")", at + " (timestamp of " + s.Authority + ")"}
	case signing.TimeFromReception:
		p := phrase{"Xét tại lúc trục nhận: " + at, "Judged at reception: " + at}
		if !s.Claimed.IsZero() {
			p.VI += "; người ký khai: " + moment(s.Claimed)
			p.EN += "; the signer claims: " + moment(s.Claimed)
		}
		return p
	}
	return timeOr(at, s.Claimed)
}

func timeOr(at string, claimed time.Time) phrase {
	if !claimed.IsZero() {
		return phrase{"Người ký khai: " + moment(claimed), "The signer claims: " + moment(claimed)}
	}
	return phrase{at, at}
}

func changed(a signing.After) phrase {
	switch a {
	case signing.AfterNothing:
		return phrase{"Không thay đổi sau khi ký", "Nothing changed after signing"}
	case signing.AfterSignatures:
		return phrase{"Sau khi ký chỉ có thêm chữ ký khác", "Only further signatures after signing"}
	case signing.AfterAllowed:
		return phrase{"Sau khi ký chỉ điền biểu mẫu được phép", "Only allowed form filling after signing"}
	case signing.AfterAdditions:
		return phrase{"Sau khi ký có thêm dấu, số hoặc ghi chú đặt trên trang", "Marks were laid over the page after signing"}
	case signing.AfterChanged:
		return phrase{"Nội dung đã bị thay đổi sau khi ký", "The content was changed after signing"}
	}
	return phrase{}
}
