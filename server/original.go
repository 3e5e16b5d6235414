package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// findOriginal links a recall, update or replacement to the document that it is about, which must be its sender's own, or
// of an agency that closed and whose successor the sender is (R25). An original that the axis does not know is refused in
// the native form; a packet may be about what went another way, or before the axis was there, and is taken with a warning.
func (s *Server) findOriginal(ctx context.Context, sub *submission) error {
	sub.kind, _ = storage.ParseKind(sub.meta.Kind) // checked by readMetadata
	if sub.kind == storage.New {
		return nil
	}
	for _, id := range sub.meta.originals() {
		found, err := s.originalOf(ctx, sub, id)
		switch {
		case errors.Is(err, storage.ErrNotFound) && sub.form != "edxml":
			return problem("original_unknown", "original", id)
		case errors.Is(err, storage.ErrNotFound):
			sub.warn("original_unknown", cut(id, maxEcho))
		case err != nil:
			return err
		case sub.original == (uuid.UUID{}):
			sub.original = found
		case sub.original != found:
			sub.warn("original_second", cut(id, maxEcho))
		}
	}
	if sub.original == (uuid.UUID{}) || sub.kind == storage.Replace {
		return nil
	}
	return s.checkOriginalRecipients(ctx, sub)
}

// warn adds what was strange but accepted about the original.
func (sub *submission) warn(code string, args ...any) {
	p := problem(code, "original", args...)
	sub.warnings = append(sub.warnings, *p)
}

// originals are the ids of the documents that are concerned, the first one first.
func (m *Metadata) originals() []string {
	if len(m.replaced) > 0 {
		return m.replaced[:min(len(m.replaced), maxReferences)]
	}
	return []string{m.Original}
}

// originalOf finds one document of the sender's, or says that there is none, or that it is somebody else's.
func (s *Server) originalOf(ctx context.Context, sub *submission, documentID string) (uuid.UUID, error) {
	if strings.TrimSpace(documentID) == "" {
		return uuid.UUID{}, storage.ErrNotFound
	}
	own := []routing.Code{sub.sender.Code}
	id, err := s.Store.FindOriginal(ctx, own, documentID)
	if !errors.Is(err, storage.ErrNotFound) {
		return id, err
	}
	if own = s.inherited(own); len(own) > 0 {
		if id, err = s.Store.FindOriginal(ctx, own, documentID); !errors.Is(err, storage.ErrNotFound) {
			return id, err
		}
	}
	// Ids are unique only with their sender: another's document of the same id is meant only by who could mean it.
	foreign, err := s.Store.WentTo(ctx, documentID, agenciesOf(sub.to))
	switch {
	case err != nil:
		return id, err
	case foreign:
		return id, problem("foreign_original", "original", cut(documentID, maxEcho))
	}
	return id, storage.ErrNotFound
}

func agenciesOf(to []routing.Recipient) []routing.Code {
	list := make([]routing.Code, len(to))
	for i, r := range to {
		list[i] = r.Agency.Code
	}
	return list
}

// checkOriginalRecipients compares with who got the document, in any version. A recall goes to nobody else, for there is
// nothing to take back: the native form is told so, and a packet goes to the others. An update may add recipients; a packet
// has a list for that, and those who stand in To and not in it are a warning.
func (s *Server) checkOriginalRecipients(ctx context.Context, sub *submission) error {
	updates, err := s.Store.Updates(ctx, sub.original)
	if err != nil {
		return err
	}
	got := map[routing.Code]bool{}
	for _, version := range append([]uuid.UUID{sub.original}, updates...) {
		codes, err := s.Store.Recipients(ctx, version)
		if err != nil {
			return err
		}
		for _, code := range codes {
			got[code] = true
		}
	}
	if sub.kind == storage.Update {
		if sub.form == "edxml" {
			others := sub.others(s.orAdded(sub, got))
			sub.warnings = append(sub.warnings, others[:min(len(others), maxFaults)]...)
		}
		return nil
	}
	sub.versions = updates
	others := sub.others(got)
	left := slices.DeleteFunc(slices.Clone(sub.to), func(r routing.Recipient) bool { return !got[r.Agency.Code] })
	if len(others) == 0 || sub.form == "edxml" && len(left) > 0 {
		sub.to, sub.warnings = left, append(sub.warnings, others[:min(len(others), maxFaults)]...)
		return nil
	}
	p := problem("not_original", "recipients", len(others))
	p.Problems = others[:min(len(others), maxFaults)]
	return p
}

// others names the recipients that are not among some.
func (sub *submission) others(got map[routing.Code]bool) (list []Problem) {
	places := newPlaces(sub.meta.Recipients)
	for _, r := range sub.to {
		if place := places.next(r.Given); !got[r.Agency.Code] {
			list = append(list, *problem("not_recipient", place, r.Agency.Code, r.Agency.Name))
		}
	}
	return list
}

// orAdded adds those whom an update's packet names as new recipients.
func (s *Server) orAdded(sub *submission, got map[routing.Code]bool) map[routing.Code]bool {
	for _, given := range sub.meta.added {
		for _, a := range s.directory().Find(given) {
			got[a.Code] = true
		}
	}
	return got
}

// relatedView is a document that another one recalls, updates or replaces, or the other way round.
type relatedView struct {
	Relation string `json:"relation"` // recalls, updates, replaces; recalled_by, updated_by, replaced_by
	VI       string `json:"vi"`
	EN       string `json:"en"`
	lineView
}

// relations are what a dispatch of each kind does, and what its original sees of it, in both languages.
var relations = map[storage.Kind][2]Relation{
	storage.Recall:  {{"recalls", "Thu hồi văn bản", "Recalls"}, {"recalled_by", "Bị thu hồi bởi", "Recalled by"}},
	storage.Update:  {{"updates", "Cập nhật văn bản", "Updates"}, {"updated_by", "Đã được cập nhật bởi", "Updated by"}},
	storage.Replace: {{"replaces", "Thay thế văn bản", "Replaces"}, {"replaced_by", "Đã được thay thế bởi", "Replaced by"}},
}

// Relation names how two documents hang together.
type Relation struct{ Word, VI, EN string }

// RelationOf says what a related document is to the one that it is listed with.
func RelationOf(r storage.Related) Relation {
	of := relations[r.By]
	if r.Original {
		return of[0]
	}
	return of[1]
}

// addRelated tells what recalls, updates or replaces a document, what it does so itself, and which others have its number
// and notation (nghi trùng, R37).
func (s *Server) addRelated(ctx context.Context, d storage.Dispatch, v *dispatchView) error {
	related, err := s.Store.Related(ctx, d)
	if err != nil {
		return fmt.Errorf("related documents: %w", err)
	}
	for _, r := range related {
		of := RelationOf(r)
		v.Related = append(v.Related, relatedView{of.Word, of.VI, of.EN, viewLine(r.DispatchLine)})
	}
	twins, err := s.Store.Twins(ctx, d)
	if err != nil {
		return fmt.Errorf("documents of the same number: %w", err)
	}
	for _, t := range twins {
		v.Twins = append(v.Twins, viewLine(t))
	}
	return nil
}
