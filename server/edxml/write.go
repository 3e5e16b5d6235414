package edxml

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Write writes a document packet as VNPT's library would: its prefixes, its order, CRLF, two blanks a level, nothing empty. open gives
// the i-th attachment's bytes; it is called once for each, in order, and what it gives is closed. The same input gives the same bytes.
//
// It refuses, before the first byte where it can: a document without sender, recipient or id; a text that XML cannot carry (control
// characters, bytes that are not UTF-8), naming the element; an attachment whose size or SHA-256 is not as d says. After an error
// w holds a torn packet: throw it away.
func Write(w io.Writer, d Document, open func(i int) (io.ReadCloser, error)) error {
	if d.From.ID == "" || len(d.To) == 0 || d.ID == "" {
		return errors.New("edxml: write a document: it has no sender, no recipient or no id")
	}
	x := newWriter(w)
	x.openEnvelope()
	x.group("edXML:edXMLHeader", func() {
		x.group("edXML:MessageHeader", func() { x.messageHeader(d) })
		x.group("edXML:TraceHeaderList", func() { x.traceHeaderList(d) })
	})
	x.group("edXML:edXMLBody", func() { x.manifest(d) })
	x.close("edXML:edXMLEnvelope")
	x.group("AttachmentEncoded", func() {
		for i, a := range d.Attachments {
			x.attachment(d, i, a, open)
		}
	})
	return x.finish("document " + d.ID)
}

// WriteStatus writes a status packet. It refuses one without sender, without ResponseFor.OrganID (its recipient) or DocumentID, or
// with a code that does not exist.
func WriteStatus(w io.Writer, s Status) error {
	if s.From.ID == "" || s.ResponseFor.OrganID == "" || s.ResponseFor.DocumentID == "" {
		return errors.New("edxml: write a status: it has no sender, no recipient or no document")
	}
	if StatusCodes[s.Code] == "" {
		return fmt.Errorf("edxml: write a status: there is no code %q", s.Code)
	}
	x := newWriter(w)
	x.openEnvelope()
	x.group("edXML:edXMLHeader", func() {
		x.group("edXML:MessageHeader", func() {
			x.organization("edXML:From", s.From)
			x.responseFor(s.ResponseFor)
			x.group("edXML:StaffInfo", func() {
				x.leaf("edXML:Department", s.Staff.Department)
				x.leaf("edXML:DepartmentId", s.Staff.DepartmentID)
				x.leaf("edXML:Staff", s.Staff.Name)
				x.leaf("edXML:StaffId", s.Staff.NameID)
				x.leaf("edXML:Mobile", s.Staff.Mobile)
				x.leaf("edXML:Email", s.Staff.Email)
			})
			x.leaf("edXML:StatusCode", s.Code)
			x.leaf("edXML:Description", s.Description)
			x.date("edXML:Timestamp", s.At, momentLayout)
		})
	})
	x.close("edXML:edXMLEnvelope")
	return x.finish("status of " + s.ResponseFor.DocumentID)
}

// messageHeader writes the sixteen children of spec 2.2 in their order.
func (x *writer) messageHeader(d Document) {
	x.organization("edXML:From", d.From)
	for _, o := range d.To {
		x.organization("edXML:To", o)
	}
	x.leaf("edXML:DocumentId", d.ID)
	x.group("edXML:Code", func() {
		x.leaf("edXML:CodeNumber", d.Number)
		x.leaf("edXML:CodeNotation", d.Notation)
	})
	x.group("edXML:PromulgationInfo", func() {
		x.leaf("edXML:Place", d.Place)
		x.date("edXML:PromulgationDate", d.PromulgationDate, dayLayout)
	})
	x.group("edXML:DocumentType", func() {
		x.leaf("edXML:Type", strconv.Itoa(d.Type.Type))
		x.number("edXML:TypeDetail", d.Type.Detail)
		x.leaf("edXML:TypeName", d.Type.Name)
	})
	x.leaf("edXML:Subject", d.Subject)
	x.leaf("edXML:Content", d.Content)
	x.group("edXML:SignerInfo", func() {
		x.leaf("edXML:Competence", d.Signer.Competence)
		x.leaf("edXML:Position", d.Signer.Position)
		x.leaf("edXML:FullName", d.Signer.FullName)
	})
	x.date("edXML:DueDate", d.DueDate, dayLayout)
	x.group("edXML:OtherInfo", func() { x.otherInfo(d.Other) })
	for _, f := range d.ResponseFor {
		x.responseFor(f)
	}
	x.number("edXML:SteeringType", d.Steering)
	x.list("edXML:ResponseForTask", "edXML:TaskCode", d.Tasks)
	x.leaf("edXML:ApplicationType", d.ApplicationType)
	x.list("edXML:ToPlaces", "edXML:Place", d.ToPlaces)
}

// organization writes a party; OrganId first, as the library does.
func (x *writer) organization(name string, o Organization) {
	x.group(name, func() {
		x.leaf("edXML:OrganId", o.ID)
		x.leaf("edXML:OrganizationInCharge", o.InCharge)
		x.leaf("edXML:OrganName", o.Name)
		x.leaf("edXML:OrganAdd", o.Address)
		x.leaf("edXML:Email", o.Email)
		x.leaf("edXML:Telephone", o.Telephone)
		x.leaf("edXML:Fax", o.Fax)
		x.leaf("edXML:Website", o.Website)
	})
}

// otherInfo always says the priority, so that no client meets a document without OtherInfo.
func (x *writer) otherInfo(o OtherInfo) {
	x.leaf("edXML:Priority", strconv.Itoa(o.Priority))
	x.leaf("edXML:SphereOfPromulgation", o.Sphere)
	x.leaf("edXML:TyperNotation", o.TyperNotation)
	x.amount("edXML:PromulgationAmount", o.PromulgationAmount)
	x.amount("edXML:PageAmount", o.PageAmount)
	x.leaf("edXML:ReplyFors", o.ReplyFors)
	if o.Direction != nil {
		x.leaf("edXML:Direction", strconv.FormatBool(*o.Direction))
	}
	x.leaf("edXML:ReferenceCodes", o.ReferenceCodes)
	x.list("edXML:Appendixes", "edXML:Appendix", o.Appendixes)
}

func (x *writer) responseFor(f ResponseFor) {
	x.group("edXML:ResponseFor", func() {
		x.leaf("edXML:OrganId", f.OrganID)
		x.leaf("edXML:Code", f.Code)
		x.leaf("edXML:DocumentId", f.DocumentID)
		x.date("edXML:PromulgationDate", f.PromulgationDate, dayLayout)
	})
}

// traceHeaderList writes Bussiness first, as the library does, then the hops.
func (x *writer) traceHeaderList(d Document) {
	if d.Business != nil {
		x.group("edXML:Bussiness", func() { x.business(*d.Business) })
	}
	for _, t := range d.Trace {
		x.group("edXML:TraceHeader", func() {
			x.leaf("edXML:OrganId", t.OrganID)
			x.date("edXML:Timestamp", t.At, momentLayout)
		})
	}
}

func (x *writer) business(b Business) {
	x.leaf("edXML:DocumentId", b.DocumentID)
	x.leaf("edXML:BussinessDocType", docType(b.Kind))
	x.leaf("edXML:BussinessDocReason", b.Reason)
	for _, c := range b.Changes {
		x.group("edXML:BussinessDocumentInfo", func() {
			x.leaf("edXML:DocumentInfo", bit(c.Content))
			x.leaf("edXML:DocumentReceiver", bit(c.Receivers))
			x.group("edXML:ReceiverList", func() {
				for _, r := range c.List {
					x.group("edXML:Receiver", func() {
						x.leaf("edXML:OrganId", r.OrganID)
						x.leaf("edXML:ReceiverType", bit(r.Added))
					})
				}
			})
		})
	}
	if b.Paper != nil {
		x.leaf("edXML:Paper", bit(*b.Paper))
	}
	x.group("edXML:ReplacementInfoList", func() {
		for _, r := range b.Replacements {
			x.group("edXML:ReplacementInfo", func() {
				x.leaf("edXML:DocumentId", r.DocumentID)
				x.list("edXML:OrganIdList", "edXML:OrganId", r.OrganIDs)
			})
		}
	})
	for _, s := range b.Staff {
		x.group("edXML:StaffInfo", func() {
			x.leaf("edXML:Department", s.Department)
			x.leaf("edXML:DepartmentId", s.DepartmentID)
			x.leaf("edXML:Staff", s.Name)
			x.leaf("edXML:StaffId", s.NameID)
			x.leaf("edXML:Email", s.Email)
			x.leaf("edXML:Mobile", s.Mobile)
		})
	}
}

func docType(k Kind) string {
	for n, kind := range kinds {
		if kind == k {
			return strconv.Itoa(n)
		}
	}
	return "0"
}

func bit(yes bool) string {
	if yes {
		return "1"
	}
	return "0"
}

// manifest lists the files; the list itself is there though it be empty.
func (x *writer) manifest(d Document) {
	if len(d.Attachments) == 0 {
		x.line(`<edXML:edXMLManifest version="1.0" />`)
		return
	}
	x.openWith("edXML:edXMLManifest", ` version="1.0"`)
	for i, a := range d.Attachments {
		x.group("edXML:Reference", func() {
			x.leaf("edXML:ContentId", "cid:"+packetID(d, i, a))
			x.leaf("edXML:ContentType", payloadType(a.Name))
			x.leaf("edXML:Description", a.Description)
			x.leaf("edXML:AttachmentName", packetName(a.Name))
		})
	}
	x.close("edXML:edXMLManifest")
}

// packetName is the file's name with its extension in lower case: VNPT's reader opens "x.ZIP" and loses all but its first entry.
func packetName(name string) string {
	name = strings.Trim(name, layout)
	e := extension(name)
	return name[:len(name)-len(e)] + strings.ToLower(e)
}
