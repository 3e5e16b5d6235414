package web

import (
	"bytes"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/storage"
)

// relations are the other documents that a document's page names, each with a link. Those that the viewer may not see
// are left out: nobody needs to know that they exist.
type relations struct {
	Originals []relation // what this one recalls, updates or replaces
	Later     []relation // what does so to this one (R21)
	Twins     []relation // same number, notation, agency and year: perhaps the same document again (R37)
	MoreTwins bool
}

// relation is another document, and what it is to this one.
type relation struct {
	storage.DispatchLine
	Says phrase
}

// mostRelations is how many of each are shown: to look whether a recipient may see one costs a question each.
const mostRelations = 10

var (
	originalSays = map[storage.Kind]phrase{
		storage.Recall:  {"Thu hồi văn bản", "Recalls"},
		storage.Update:  {"Cập nhật văn bản", "Updates"},
		storage.Replace: {"Thay thế văn bản", "Replaces"},
	}
	laterSays = map[storage.Kind]phrase{
		storage.Recall:  {"Bên gửi yêu cầu thu hồi bằng", "The sender asks it back with"},
		storage.Update:  {"Đã được cập nhật bởi", "Updated by"},
		storage.Replace: {"Đã được thay thế bởi", "Replaced by"},
	}
)

// Mark is số ký hiệu, or the document's id.
func (r relation) Mark() string {
	if m := mark(r.Number, r.Notation); m != "" {
		return m
	}
	return r.DocumentID
}

// relate finds a document's relations.
func (s *site) relate(q *request, d seen) (relations, error) {
	var out relations
	list, err := s.Store.Related(q.Context(), d.Dispatch)
	if err != nil {
		return out, err
	}
	if d.Kind == storage.Update && d.Original != (uuid.UUID{}) { // over VXP it may be of a document that the axis never saw
		versions, err := s.laterVersions(q, d)
		if err != nil {
			return out, err
		}
		list = append(list, versions...)
	}
	for _, r := range list {
		into, says := &out.Later, laterSays[r.By]
		if r.Original {
			into, says = &out.Originals, originalSays[r.By]
		}
		if _, err := s.add(q, d, into, relation{r.DispatchLine, says}); err != nil {
			return out, err
		}
	}
	twins, err := s.Store.Twins(q.Context(), d.Dispatch)
	if err != nil {
		return out, err
	}
	for i := 0; i < len(twins) && !out.MoreTwins; i++ {
		if out.MoreTwins, err = s.add(q, d, &out.Twins, relation{DispatchLine: twins[i]}); err != nil {
			return out, err
		}
	}
	return out, nil
}

// laterVersions are what came after this update: it names the same original, and means this version of it too.
func (s *site) laterVersions(q *request, d seen) ([]storage.Related, error) {
	list, err := s.Store.Related(q.Context(), storage.Dispatch{ID: d.Original})
	if err != nil {
		return nil, err
	}
	later := list[:0]
	for _, r := range list {
		if !r.Original && bytes.Compare(r.ID[:], d.ID[:]) > 0 { // ids grow with time
			later = append(later, r)
		}
	}
	return later, nil
}

// add puts a relation into a list when the viewer may see it. full says that it had no room.
func (s *site) add(q *request, d seen, into *[]relation, r relation) (full bool, err error) {
	if visible, err := s.visible(q, d, r.ID); err != nil || !visible {
		return false, err
	}
	if len(*into) >= mostRelations {
		return true, nil
	}
	*into = append(*into, r)
	return false, nil
}

// visible says whether the viewer may see another document of the same sender: who sees the sender's documents sees all
// of them, a recipient those that came to it too.
func (s *site) visible(q *request, d seen, id uuid.UUID) (bool, error) {
	if q.viewer.sees(d.Sender) {
		return true, nil
	}
	states, _, err := s.Store.CountRecipients(q.Context(), id, storage.RecipientFilter{Agencies: q.viewer.own()})
	return len(states) > 0, err
}
