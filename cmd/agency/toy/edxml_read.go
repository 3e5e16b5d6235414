package toy

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"time"
)

// Packet is what a recipient's system reads in an edXML packet: a document, or what somebody says of one.
type Packet struct {
	Document             // with the codes as written; its files are in memory
	Files    []Digest    // of the files themselves, in order
	Said     *SaidPacket // not nil: a status packet, whose Dispatch is the document that it answers
}

// SaidPacket is what a status packet says beside the document it answers.
type SaidPacket struct {
	From, To string // who says it, to whom
	Receipt  Receipt
}

// Code is number and notation in one text.
func (p Packet) Code() string {
	return strings.Trim(p.Dispatch.Number+"/"+p.Dispatch.Notation, "/")
}

// ReadEdXML reads a packet as VNPT's parser does: by local names, in any order, over what it does not know; nothing
// may stand before the prolog; and a payload called application/zip is opened for its first entry, unless its name
// ends in .zip. What a real recipient would not get to see is so not seen here either.
func ReadEdXML(b []byte) (Packet, error) {
	if !bytes.HasPrefix(b, []byte("<?xml")) {
		return Packet{}, errors.New("edXML: no XML prolog at the beginning")
	}
	var x edxmlPacket
	if err := xml.Unmarshal(b, &x); err != nil {
		return Packet{}, fmt.Errorf("edXML: %w", err)
	}
	if x.Envelope == nil || x.Envelope.Header == nil || x.Envelope.Header.Message == nil {
		return Packet{}, errors.New("edXML: no envelope with a MessageHeader")
	}
	m := x.Envelope.Header.Message
	if m.StatusCode != "" {
		return m.said()
	}
	p := Packet{Document: Document{Dispatch: m.dispatch(), EdXML: true, Part: b}}
	x.Envelope.Header.business(&p.Dispatch)
	if p.Dispatch.Sender == "" || len(p.Dispatch.Recipients) == 0 || p.Dispatch.DocumentID == "" {
		return Packet{}, errors.New("edXML: no sender, no recipient or no document id")
	}
	for i, a := range x.Attachments {
		content, err := a.content()
		if err != nil {
			return Packet{}, fmt.Errorf("edXML: attachment %d: %w", i+1, err)
		}
		d := newDigester(io.Discard)
		d.Write(content) // a hash never fails
		p.Files = append(p.Files, d.digest(a.Name))
		p.Document.Files = append(p.Document.Files, Bytes(a.Name, a.ContentType, content))
	}
	return p, nil
}

type edxmlPacket struct {
	Envelope *struct {
		Header *edxmlHeader `xml:"edXMLHeader"`
	} `xml:"edXMLEnvelope"`
	Attachments []edxmlAttachment `xml:"AttachmentEncoded>Attachment"`
}

type edxmlHeader struct {
	Message  *edxmlMessage  `xml:"MessageHeader"`
	Business *edxmlBusiness `xml:"TraceHeaderList>Bussiness"`
}

type edxmlMessage struct {
	From struct {
		ID string `xml:"OrganId"`
	} `xml:"From"`
	To []struct {
		ID string `xml:"OrganId"`
	} `xml:"To"`
	DocumentID  string `xml:"DocumentId"`
	Number      string `xml:"Code>CodeNumber"`
	Notation    string `xml:"Code>CodeNotation"`
	Place       string `xml:"PromulgationInfo>Place"`
	Promulgated string `xml:"PromulgationInfo>PromulgationDate"`
	TypeDetail  string `xml:"DocumentType>TypeDetail"`
	TypeName    string `xml:"DocumentType>TypeName"`
	Subject     string `xml:"Subject"`
	Priority    string `xml:"OtherInfo>Priority"`
	ResponseFor []struct {
		OrganID     string `xml:"OrganId"`
		Code        string `xml:"Code"`
		DocumentID  string `xml:"DocumentId"`
		Promulgated string `xml:"PromulgationDate"`
	} `xml:"ResponseFor"`
	Staff struct {
		Department string `xml:"Department"`
		Name       string `xml:"Staff"`
		Mobile     string `xml:"Mobile"`
		Email      string `xml:"Email"`
	} `xml:"StaffInfo"`
	StatusCode  string `xml:"StatusCode"`
	Description string `xml:"Description"`
	Timestamp   string `xml:"Timestamp"`
}

type edxmlBusiness struct {
	DocumentID string `xml:"DocumentId"`
	DocType    string `xml:"BussinessDocType"`
	Reason     string `xml:"BussinessDocReason"`
	Replaced   string `xml:"ReplacementInfoList>ReplacementInfo>DocumentId"`
}

func (m *edxmlMessage) dispatch() Dispatch {
	d := Dispatch{Sender: trim(m.From.ID), DocumentID: trim(m.DocumentID), Kind: KindNew, Number: trim(m.Number), Notation: trim(m.Notation),
		PromulgationDate: isoDay(m.Promulgated), Place: trim(m.Place), Type: Type{Name: trim(m.TypeName)}, Subject: trim(m.Subject), Urgency: Normal}
	for _, to := range m.To {
		d.Recipients = append(d.Recipients, trim(to.ID))
	}
	d.Type.Code, _ = strconv.Atoi(trim(m.TypeDetail)) // 0 when it is no number
	if n, err := strconv.Atoi(trim(m.Priority)); err == nil && n > 0 {
		d.Urgency = edxmlPriorities[min(n, len(edxmlPriorities)-1)] // 4 is hỏa tốc too, hẹn giờ
	}
	return d
}

// business says what the packet is for; nothing said is a new document.
func (h *edxmlHeader) business(d *Dispatch) {
	if h.Business == nil {
		return
	}
	n, err := strconv.Atoi(trim(h.Business.DocType))
	if err != nil || n < 0 || n >= len(edxmlKinds) {
		return
	}
	d.Kind, d.Reason = edxmlKinds[n], trim(h.Business.Reason)
	if d.Kind != KindNew {
		d.Original = cmp.Or(trim(h.Business.Replaced), trim(h.Business.DocumentID), d.DocumentID)
	}
}

// said reads a status packet.
func (m *edxmlMessage) said() (Packet, error) {
	if len(m.ResponseFor) == 0 || trim(m.ResponseFor[0].DocumentID) == "" || trim(m.From.ID) == "" {
		return Packet{}, errors.New("edXML: a status without its sender or the document that it answers")
	}
	about := m.ResponseFor[0]
	said := &SaidPacket{From: trim(m.From.ID), To: trim(about.OrganID), Receipt: Receipt{
		Status: Status(trim(m.StatusCode)), Reason: trim(m.Description),
		Staff: Staff{Name: trim(m.Staff.Name), Department: trim(m.Staff.Department), Phone: trim(m.Staff.Mobile), Email: trim(m.Staff.Email)},
	}}
	if at, err := time.ParseInLocation("2006/01/02 15:04:05", trim(m.Timestamp), vietnam); err == nil {
		said.Receipt.EventTime = at
	}
	d := Dispatch{Sender: said.To, DocumentID: trim(about.DocumentID), PromulgationDate: isoDay(about.Promulgated)}
	d.Number, d.Notation, _ = strings.Cut(trim(about.Code), "/")
	return Packet{Document: Document{Dispatch: d, EdXML: true}, Said: said}, nil
}

type edxmlAttachment struct {
	Name        string `xml:"AttachmentName"`
	ContentType string `xml:"ContentType"`
	Encoded     string `xml:"ContentTransferEncoded"`
}

// content decodes the payload and takes it out of its ZIP.
func (a edxmlAttachment) content() ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(trim(a.Encoded))
	if err != nil || a.ContentType != "application/zip" || strings.TrimPrefix(path.Ext(a.Name), ".") == "zip" {
		return b, err
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.Name, err)
	}
	if len(z.File) == 0 {
		return nil, fmt.Errorf("%s: an empty ZIP", a.Name)
	}
	r, err := z.File[0].Open() // its name is a stranger's, and not used
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.Name, err)
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, maxVXP+1))
	if err == nil && len(content) > maxVXP {
		err = fmt.Errorf("%s: more than %d bytes in a ZIP", a.Name, maxVXP)
	}
	return content, err
}

func trim(s string) string { return strings.TrimSpace(s) }

func isoDay(s string) string { return strings.ReplaceAll(trim(s), "/", "-") }
