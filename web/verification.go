package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// verificationPage is the printed sheet "Biên bản kiểm tra chữ ký số" (R80): all that was found, how often it was judged,
// what it leaned on, and who prints it when.
type verificationPage struct {
	storage.Dispatch
	From     named
	Files    []fileRow
	Sentence phrase
	History  []judging
	Policy   phrase
	Software string
	Evidence []evidenceRow
	By       string
	Now      time.Time
}

// Mark is số ký hiệu, or what stands for it.
func (p verificationPage) Mark() string {
	if m := mark(p.Number, p.Notation); m != "" {
		return m
	}
	return p.DocumentID
}

// judging is one line of the history.
type judging struct {
	storage.Verification
	Why     phrase
	Reasons []finding
}

// evidenceRow names bytes by their hash.
type evidenceRow struct {
	Kind phrase
	File string
	N    int // of the signature; 0: of the whole judging
	storage.EvidenceItem
}

var verificationTitle = phrase{"Biên bản kiểm tra chữ ký số", "Record of signature verification"}

// getVerification shows the sheet to whoever sees the document's content, from either side.
func (s *site) getVerification(q *request) error {
	id, err := pathID(q)
	if err != nil {
		return err
	}
	d, err := s.find(q, id)
	if err != nil {
		return err
	}
	history, err := s.Store.Verifications(q.Context(), id)
	if err != nil {
		return err
	}
	if err := s.Store.Audit(q.Context(), storage.Event{At: s.Now(), Actor: q.viewer.Name, IP: q.ip(), Action: "document.verification", Object: id.String()}); err != nil {
		return err
	}
	page := newVerification(d, history, q.viewer, s.Now())
	s.show(q, http.StatusOK, "verification", verificationTitle, page)
	return nil
}

func newVerification(d seen, history []storage.Verification, who *viewer, now time.Time) verificationPage {
	last := history[len(history)-1]
	d.Report, d.Verdict = last.Report, last.Verdict // as the history was read: a judging may have come in between
	view := dispatchView{seen: d, viewer: who}
	p := verificationPage{Dispatch: d.Dispatch, From: nameOf(who.directory, d.Sender), Files: view.files(), Sentence: phrase(last.Report.Sentence),
		Policy: policyWording(last.Evidence), Software: last.Evidence.Software, By: who.Name, Now: now}
	for _, h := range history {
		p.History = append(p.History, newJudging(h))
	}
	p.Evidence = evidenceRows(last.Evidence)
	return p
}

func newJudging(h storage.Verification) judging {
	j := judging{Verification: h, Why: map[storage.Occasion]phrase{
		storage.AtReception: {"khi tiếp nhận", "at reception"},
		storage.NewData:     {"có thêm dữ liệu (gốc tin cậy, thu hồi)", "further data came (anchors, revocation)"},
		storage.Reverified:  {"kiểm tra lại", "verified again"},
	}[h.Occasion]}
	said := map[signing.Reason]bool{}
	for _, f := range h.Report.Files {
		if f.Reason != "" && !said[f.Reason] {
			said[f.Reason] = true
			j.Reasons = append(j.Reasons, found(f.Reason))
		}
	}
	return j
}

// turned is the last judging whose verdict was another than before: who has seen the document already must learn of it.
func turned(history []storage.Verification) *judging {
	for _, h := range slices.Backward(history) {
		if h.N > 1 && h.Before != h.Verdict {
			j := newJudging(h)
			return &j
		}
	}
	return nil
}

// policyWording says by what rules was judged.
func policyWording(e storage.Evidence) phrase {
	p := map[signing.Revocation]phrase{
		signing.Require: {"không có dữ liệu thu hồi thì chưa xác định", "without revocation data: undetermined"},
		signing.Soft:    {"không có dữ liệu thu hồi thì chấp nhận kèm cảnh báo", "without revocation data: accepted with a warning"},
		signing.Off:     {"không kiểm tra thu hồi", "revocation is not checked"},
	}[e.Revocation]
	if e.AllowSHA1 {
		p.VI, p.EN = p.VI+"; chấp nhận SHA-1", p.EN+"; SHA-1 is accepted"
	}
	return p
}

func evidenceRows(e storage.Evidence) []evidenceRow {
	var rows []evidenceRow
	if e.Trust.SHA256 != "" {
		rows = append(rows, evidenceRow{Kind: phrase{"Kho gốc tin cậy lúc kiểm tra", "Trust store as it was"}, EvidenceItem: e.Trust})
	}
	for _, s := range e.Signatures {
		for _, list := range []struct {
			kind  phrase
			items []storage.EvidenceItem
		}{
			{phrase{"Chứng thư số", "Certificate"}, s.Certificates}, {phrase{"Danh sách thu hồi (CRL)", "Revocation list (CRL)"}, s.CRLs},
			{phrase{"Trả lời OCSP", "OCSP response"}, s.OCSP}, {phrase{"Dấu thời gian", "Timestamp"}, s.Tokens},
		} {
			for _, item := range list.items {
				rows = append(rows, evidenceRow{list.kind, s.File, s.Number, item})
			}
		}
	}
	return rows
}
