package server

import (
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// verificationView is what the axis found about a document's signatures, and how it came to it (R77, R80).
type verificationView struct {
	ID         string               `json:"id"`
	DocumentID string               `json:"document_id"`
	AcceptedAt time.Time            `json:"accepted_at"` // the time that is judged at, where no timestamp proves an earlier one
	Verdict    signing.Verdict      `json:"verdict"`
	Files      []verifiedFile       `json:"files"`
	Reasons    []signing.ReasonText `json:"reasons"` // each word that occurs in files and history, once
	History    []judgingView        `json:"history"` // oldest first; the last is in force
	Evidence   storage.Evidence     `json:"evidence"`
}

type verifiedFile struct {
	signing.FileReport
	Signatures []verifiedSignature `json:"signatures"`
}

type verifiedSignature struct {
	signing.SignatureReport
	Rows []rowView `json:"rows"`
}

// rowView is a row of the printed sheet, for those who show it in their own pages.
type rowView struct {
	LabelVI string `json:"label_vi"`
	LabelEN string `json:"label_en"`
	VI      string `json:"vi"`
	EN      string `json:"en"`
}

type judgingView struct {
	N        int              `json:"n"`
	At       time.Time        `json:"at"`
	By       string           `json:"by"`
	Occasion storage.Occasion `json:"occasion"`
	Before   signing.Verdict  `json:"before,omitempty"`
	Verdict  signing.Verdict  `json:"verdict"`
	Reasons  []signing.Reason `json:"reasons"` // that decided the files' verdicts
}

// getVerification shows the report to the sender's side and to recipients that have the document.
func (s *Server) getVerification(c echo.Context) error {
	d, err := s.concernedDispatch(c)
	if err != nil {
		return err
	}
	history, err := s.Store.Verifications(c.Request().Context(), d.ID)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, viewVerification(d, history))
}

// concernedDispatch finds a dispatch of the caller's, or one that came to it and that it has not given back. What is held
// never came. To everyone else there is none.
func (s *Server) concernedDispatch(c echo.Context) (storage.Dispatch, error) {
	id, err := uuid.Parse(c.Param("id"))
	if err != nil || len(c.Param("id")) != 36 {
		return storage.Dispatch{}, problem("not_found", "id")
	}
	ctx := c.Request().Context()
	d, err := s.Store.Dispatch(ctx, id)
	if err != nil || d.System == who(c).ID || s.serves(who(c), d.Sender) {
		return d, err
	}
	agencies := s.directory().ServedBy(who(c).ID)
	if len(agencies) == 0 {
		return d, problem("not_found", "id")
	}
	for after := 0; ; {
		page, err := s.Store.RecipientPage(ctx, id, storage.RecipientFilter{Agencies: agencies, After: after, Limit: 1000})
		switch {
		case err != nil:
			return d, err
		case slices.ContainsFunc(page, func(dl storage.Delivery) bool { return dl.Withdrawn == "" }):
			return d, nil
		case len(page) < 1000:
			return d, problem("not_found", "id")
		}
		after = page[len(page)-1].N
	}
}

func viewVerification(d storage.Dispatch, history []storage.Verification) verificationView {
	v := verificationView{ID: d.ID.String(), DocumentID: d.DocumentID, AcceptedAt: vn(d.AcceptedAt), Files: []verifiedFile{}}
	now := history[len(history)-1]
	v.Verdict, v.Evidence = now.Verdict, now.Evidence
	if !v.Evidence.At.IsZero() {
		v.Evidence.At = vn(v.Evidence.At)
	}
	words := map[signing.Reason]bool{}
	for _, f := range now.Report.In(storage.Vietnam).Files {
		v.Files = append(v.Files, viewFile(f, words))
	}
	for _, h := range history {
		j := judgingView{N: h.N, At: vn(h.At), By: h.By, Occasion: h.Occasion, Before: h.Before, Verdict: h.Verdict, Reasons: []signing.Reason{}}
		for _, f := range h.Report.Files {
			if f.Reason != "" && !slices.Contains(j.Reasons, f.Reason) {
				j.Reasons = append(j.Reasons, f.Reason)
				words[f.Reason] = true
			}
		}
		v.History = append(v.History, j)
	}
	v.Reasons = []signing.ReasonText{}
	for _, text := range signing.Reasons() {
		if words[text.Word] {
			v.Reasons = append(v.Reasons, text)
		}
	}
	return v
}

func viewFile(f signing.FileReport, words map[signing.Reason]bool) verifiedFile {
	out := verifiedFile{FileReport: f, Signatures: []verifiedSignature{}}
	for _, list := range [][]signing.Reason{f.Reasons, f.Flags} {
		for _, r := range list {
			words[r] = true
		}
	}
	for _, s := range f.Signatures {
		one := verifiedSignature{SignatureReport: s}
		for _, r := range s.Reasons {
			words[r] = true
		}
		for _, row := range SignatureRows(s) {
			view := rowView{row.Label.VI, row.Label.EN, row.Value.VI, row.Value.EN}
			if view.EN == "" {
				view.EN = view.VI
			}
			one.Rows = append(one.Rows, view)
		}
		out.Signatures = append(out.Signatures, one)
	}
	return out
}
