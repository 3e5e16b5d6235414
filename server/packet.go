package server

import (
	"errors"
	"hash"
	"io"
	"path"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/storage"
)

// receivePacket takes a dispatch in as an edXML packet (QCVN 102:2016/BTTTT) in the native face's first part.
func (s *Server) receivePacket(c echo.Context, sub *submission, body io.Reader, rest parts) error {
	ctx := c.Request().Context()
	packet, err := s.takePacket(ctx, sub, body, 0, func(hash.Hash) error { return nil })
	if err != nil {
		return err
	}
	if packet.Document == nil {
		return problem("edxml", "edxml", "status")
	}
	if err := nothingMore(rest); err != nil {
		s.drop(ctx, sub)
		return err
	}
	a, accepted, err := s.conclude(ctx, sub)
	if err != nil {
		return err
	}
	return s.answerSubmission(c, a, accepted)
}

// packetType is a file's media type: the declared one is that of the ZIP it came in, where it came in one.
func packetType(a edxml.Attachment) string {
	switch {
	case a.MimeType != "":
		return a.MimeType
	case !a.Wrapped:
		return a.ContentType
	case strings.EqualFold(path.Ext(a.Name), ".pdf"):
		return "application/pdf"
	}
	return "application/octet-stream"
}

// nothingMore refuses parts behind a packet: they would be lost without a word.
func nothingMore(rest parts) error {
	_, err := rest.next()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil && asProblem(err).Code != "part_unknown":
		return err
	}
	return problem("part_extra", "")
}

func packetProblem(faults []edxml.Problem) *Problem {
	list := make([]Problem, len(faults))
	for i, f := range faults {
		list[i] = Problem{Code: "edxml_" + string(f.Kind), Field: f.Path, VI: f.VI, EN: f.EN}
	}
	p := &Problem{Status: 422, Code: "edxml", Field: faults[0].Path, VI: faults[0].VI, EN: faults[0].EN}
	if len(list) > 1 {
		p.Problems = list
	}
	return p
}

// fromPacket reads our metadata out of a packet's header.
func fromPacket(p *edxml.Packet) Metadata {
	d := p.Document
	m := Metadata{
		Sender: d.From.ID, DocumentID: d.ID, Kind: string(p.Kind), Number: d.Number, Notation: d.Notation,
		PromulgationDay: packetDay(d.PromulgationDate), Place: d.Place, Type: DocumentType{Name: d.Type.Name},
		Subject: d.Subject, Content: d.Content,
		Signer:  Signer{Name: d.Signer.FullName, Position: d.Signer.Position, Competence: d.Signer.Competence},
		Urgency: d.Urgency(),
		DueDay:  packetDay(d.DueDate), PageAmount: d.Other.PageAmount, IssuedAmount: d.Other.PromulgationAmount, ToPlaces: d.ToPlaces,
	}
	if mark, _, found := d.Secrecy(); found {
		m.Secrecy = mark
	}
	if d.Type.Detail != nil {
		m.Type.Code = *d.Type.Detail
	}
	for _, to := range d.To {
		m.Recipients = append(m.Recipients, to.ID)
	}
	for _, r := range d.ResponseFor {
		m.References = append(m.References, Reference{Agency: r.OrganID, NumberNotation: r.Code, DocumentID: r.DocumentID, Day: packetDay(r.PromulgationDate)})
	}
	if b := d.Business; b != nil {
		m.Reason = b.Reason
		m.concern(d)
		m.Paper = b.Paper != nil && *b.Paper
	}
	if d.Steering != nil {
		m.Steering = *d.Steering
	}
	return m
}

// concern reads which documents a packet is about. A replacement lists them; its own id is a new document's.
func (m *Metadata) concern(d *edxml.Document) {
	switch m.Kind {
	case "new":
		return
	case "replace":
		for _, r := range d.Business.Replacements {
			m.replaced = append(m.replaced, r.DocumentID)
		}
		if m.Original = d.Business.DocumentID; len(m.replaced) > 0 {
			m.Original = m.replaced[0]
		}
	default:
		m.Original = d.Original()
	}
	for _, change := range d.Business.Changes {
		for _, r := range change.List {
			if r.Added {
				m.added = append(m.added, r.OrganID)
			}
		}
	}
}

func packetDay(d edxml.Date) string {
	if d.At.IsZero() {
		return ""
	}
	return d.At.In(storage.Vietnam).Format(time.DateOnly)
}

// maxPacketID is the longest document id of a packet, characters: what the index of identities can hold. Longer ones than
// the regulation's are a warning up to there.
const maxPacketID = 500

// checkPacket tests only what the axis cannot do without: everything else in a packet is a warning at most.
func (m *Metadata) checkPacket() error {
	for _, l := range []limit{{"sender", m.Sender, 64, true}, {"document_id", m.DocumentID, maxPacketID, true}} {
		if p := l.check(); p != nil {
			return p
		}
	}
	return nil
}

// toPacket writes a dispatch as an edXML document; its attachments follow in their order.
func (s *Server) toPacket(d storage.Dispatch, m Metadata, to []routing.Code) edxml.Document {
	doc := edxml.Document{
		From: s.organization(d.Sender), ID: d.DocumentID, Number: m.Number, Notation: m.Notation, Place: m.Place,
		Type: edxml.DocumentType{Type: 2, Name: m.Type.Name}, Subject: m.Subject, Content: m.Content,
		Signer:   edxml.Signer{Competence: m.Signer.Competence, Position: m.Signer.Position, FullName: m.Signer.Name},
		Other:    edxml.OtherInfo{Priority: int(m.Urgency), PageAmount: m.PageAmount, PromulgationAmount: m.IssuedAmount},
		ToPlaces: m.ToPlaces,
		Business: &edxml.Business{Kind: edxml.Kind(d.Kind.String()), Reason: m.Reason, Paper: &m.Paper},
		Trace:    []edxml.TraceHeader{{OrganID: string(d.Sender), At: edxml.Moment(d.AcceptedAt)}},
	}
	if day, ok := readDay(m.PromulgationDay); ok && !day.IsZero() {
		doc.PromulgationDate = edxml.Day(day)
	}
	if day, ok := readDay(m.DueDay); ok && !day.IsZero() {
		doc.DueDate = edxml.Day(day)
	}
	if m.Type.Code != 0 {
		doc.Type.Detail = &m.Type.Code
	}
	if m.Steering != 0 {
		doc.Steering = &m.Steering
	}
	switch d.Kind {
	case storage.Recall, storage.Update:
		doc.Business.DocumentID = m.Original
	case storage.Replace:
		doc.Business.Replacements = []edxml.Replacement{{DocumentID: m.Original, OrganIDs: codes(to)}}
	}
	for _, code := range to {
		doc.To = append(doc.To, s.organization(code))
	}
	for _, r := range m.References {
		ref := edxml.ResponseFor{OrganID: r.Agency, Code: r.NumberNotation, DocumentID: r.DocumentID}
		if day, ok := readDay(r.Day); ok && !day.IsZero() {
			ref.PromulgationDate = edxml.Day(day)
		}
		doc.ResponseFor = append(doc.ResponseFor, ref)
	}
	for _, a := range d.Attachments {
		doc.Attachments = append(doc.Attachments, edxml.Attachment{Name: a.Name, MimeType: a.MediaType, Size: a.Size, SHA256: a.SHA256})
	}
	return doc
}

func codes(list []routing.Code) []string {
	texts := make([]string, len(list))
	for i, code := range list {
		texts[i] = string(code)
	}
	return texts
}

func (s *Server) organization(code routing.Code) edxml.Organization {
	return edxml.Organization{ID: string(code), Name: s.agencyName(code)}
}
