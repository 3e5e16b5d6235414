package toy

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// edxmlNamespace is bound twice, as default and as prefix: the .NET library wants the prefixes, VNPT's wants neither.
const edxmlNamespace = "http://www.mic.gov.vn/TBT/QCVN_102_2016"

// EdXML writes a document as VNPT's EdXML102-0.0.3 does: its prefixes and order, CRLF, two blanks a level, nothing empty,
// and its odd rule of which files go as they are and which in a ZIP of their own. now is the time of its trace header; the
// same document at the same time gives the same bytes. The whole packet is in memory, as it is there.
func EdXML(d Document, now time.Time) ([]byte, error) {
	x := &edxmlWriter{}
	refs, err := x.attachments(d.Files)
	if err != nil {
		return nil, err
	}
	return x.envelope(func() {
		x.group("edXML:edXMLHeader", func() {
			x.group("edXML:MessageHeader", func() { x.messageHeader(d.Dispatch) })
			x.group("edXML:TraceHeaderList", func() { x.trace(d.Dispatch, now) })
		})
		x.group("edXML:edXMLBody", func() { x.manifest(refs) })
	}, refs), nil
}

// StatusXML writes the status packet by which a recipient answers a document.
func StatusXML(r Received, said Receipt) []byte {
	x := &edxmlWriter{}
	return x.envelope(func() {
		x.group("edXML:edXMLHeader", func() {
			x.group("edXML:MessageHeader", func() {
				x.organization("edXML:From", r.Agency)
				x.responseFor(Reference{Agency: r.Sender, NumberNotation: r.Code, DocumentID: r.DocumentID, Date: r.Promulgated})
				x.group("edXML:StaffInfo", func() {
					x.leaf("edXML:Department", said.Staff.Department)
					x.leaf("edXML:Staff", said.Staff.Name)
					x.leaf("edXML:Mobile", said.Staff.Phone)
					x.leaf("edXML:Email", said.Staff.Email)
				})
				x.leaf("edXML:StatusCode", string(said.Status))
				x.leaf("edXML:Description", said.Reason)
				x.leaf("edXML:Timestamp", edxmlMoment(said.EventTime))
			})
		})
	}, nil)
}

func edxmlMoment(t time.Time) string { return t.In(vietnam).Format("2006/01/02 15:04:05") }

// edxmlDay turns "2006-01-02" into the packet's form.
func edxmlDay(s string) string { return strings.ReplaceAll(s, "-", "/") }

// edxmlWriter writes elements; groups that hold nothing leave nothing.
type edxmlWriter struct {
	b     bytes.Buffer
	depth int
}

func (x *edxmlWriter) line(text string) {
	x.b.WriteString(strings.Repeat("  ", x.depth) + text + "\r\n")
}

func (x *edxmlWriter) leaf(name, text string) {
	if text != "" {
		x.line("<" + name + ">" + escaped(text) + "</" + name + ">")
	}
}

func escaped(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil { // a builder takes everything
		panic(err)
	}
	return b.String()
}

func (x *edxmlWriter) group(name string, inside func()) {
	start := x.b.Len()
	x.line("<" + name + ">")
	filled := x.b.Len()
	x.depth++
	inside()
	x.depth--
	if x.b.Len() == filled {
		x.b.Truncate(start)
		return
	}
	name, _, _ = strings.Cut(name, " ")
	x.line("</" + name + ">")
}

// envelope writes a whole packet: what fill writes, and the attachments behind it.
func (x *edxmlWriter) envelope(fill func(), refs []edxmlFile) []byte {
	x.line(`<?xml version="1.0" encoding="UTF-8"?>`)
	x.group(`edXML xmlns="`+edxmlNamespace+`"`, func() {
		x.group(`edXML:edXMLEnvelope xmlns:edXML="`+edxmlNamespace+`"`, fill)
		x.group("AttachmentEncoded", func() {
			for _, f := range refs {
				x.group("Attachment", func() { x.attachment(f) })
			}
		})
	})
	return x.b.Bytes()
}

func (x *edxmlWriter) messageHeader(d Dispatch) {
	x.organization("edXML:From", d.Sender)
	for _, to := range d.Recipients {
		x.organization("edXML:To", to)
	}
	x.leaf("edXML:DocumentId", d.DocumentID)
	x.group("edXML:Code", func() {
		x.leaf("edXML:CodeNumber", d.Number)
		x.leaf("edXML:CodeNotation", d.Notation)
	})
	x.group("edXML:PromulgationInfo", func() {
		x.leaf("edXML:Place", d.Place)
		x.leaf("edXML:PromulgationDate", edxmlDay(d.PromulgationDate))
	})
	x.group("edXML:DocumentType", func() {
		x.leaf("edXML:Type", "2")
		x.leaf("edXML:TypeDetail", strconv.Itoa(d.Type.Code))
		x.leaf("edXML:TypeName", d.Type.Name)
	})
	x.leaf("edXML:Subject", d.Subject)
	x.leaf("edXML:Content", d.Content)
	x.group("edXML:SignerInfo", func() {
		x.leaf("edXML:Competence", d.Signer.Competence)
		x.leaf("edXML:Position", d.Signer.Position)
		x.leaf("edXML:FullName", d.Signer.Name)
	})
	x.leaf("edXML:DueDate", edxmlDay(d.DueDate))
	x.group("edXML:OtherInfo", func() {
		x.leaf("edXML:Priority", strconv.Itoa(slices.Index(edxmlPriorities, cmp.Or(d.Urgency, Normal))))
		x.leaf("edXML:PromulgationAmount", strconv.Itoa(max(1, d.IssuedAmount)))
		x.leaf("edXML:PageAmount", strconv.Itoa(max(1, d.PageAmount)))
		x.leaf("edXML:Direction", "false")
	})
	for _, r := range d.References {
		x.responseFor(r)
	}
	if d.Steering > 0 { // an empty one would crash VNPT's parser
		x.leaf("edXML:SteeringType", strconv.Itoa(d.Steering))
	}
	x.group("edXML:ToPlaces", func() {
		for _, place := range d.ToPlaces {
			x.leaf("edXML:Place", place)
		}
	})
}

// edxmlPriorities stand at their numbers.
var edxmlPriorities = []Urgency{Normal, Urgent, VeryUrgent, Express}

func (x *edxmlWriter) organization(name, code string) {
	x.group(name, func() { x.leaf("edXML:OrganId", code) })
}

func (x *edxmlWriter) responseFor(r Reference) {
	x.group("edXML:ResponseFor", func() {
		x.leaf("edXML:OrganId", r.Agency)
		x.leaf("edXML:Code", r.NumberNotation)
		x.leaf("edXML:DocumentId", r.DocumentID)
		x.leaf("edXML:PromulgationDate", edxmlDay(r.Date))
	})
}

// edxmlKinds stand at their numbers.
var edxmlKinds = []Kind{KindNew, KindRecall, KindUpdate, KindReplace}

// trace writes what the packet is for. A recall that repeats its original's id does not name it twice, as in the
// official sample.
func (x *edxmlWriter) trace(d Dispatch, now time.Time) {
	kind := cmp.Or(d.Kind, KindNew)
	x.group("edXML:Bussiness", func() {
		if d.Original != d.DocumentID && kind != KindReplace {
			x.leaf("edXML:DocumentId", d.Original)
		}
		x.leaf("edXML:BussinessDocType", strconv.Itoa(slices.Index(edxmlKinds, kind)))
		x.leaf("edXML:BussinessDocReason", d.Reason)
		if kind == KindUpdate {
			x.group("edXML:BussinessDocumentInfo", func() {
				x.leaf("edXML:DocumentInfo", "1")
				x.leaf("edXML:DocumentReceiver", "0")
			})
		}
		x.leaf("edXML:Paper", map[bool]string{true: "1", false: "0"}[d.Paper])
		if kind == KindReplace {
			x.replacement(d)
		}
	})
	x.group("edXML:TraceHeader", func() {
		x.leaf("edXML:OrganId", d.Sender)
		x.leaf("edXML:Timestamp", edxmlMoment(now))
	})
}

func (x *edxmlWriter) replacement(d Dispatch) {
	x.group("edXML:ReplacementInfoList", func() {
		x.group("edXML:ReplacementInfo", func() {
			x.leaf("edXML:DocumentId", d.Original)
			x.group("edXML:OrganIdList", func() {
				for _, to := range d.Recipients {
					x.leaf("edXML:OrganId", to)
				}
			})
		})
	})
}

// edxmlFile is an attachment as it goes into a packet.
type edxmlFile struct {
	id, name, mediaType string
	payload             []byte
}

// edxmlRaw are the extensions whose files go as they are; "xsl" and "xslx" are the library's typing errors. Everything
// else, xlsx too, goes in a ZIP.
var edxmlRaw = []string{"pdf", "doc", "docx", "xsl", "xslx", "zip"}

func (x *edxmlWriter) attachments(files []File) ([]edxmlFile, error) {
	out := make([]edxmlFile, len(files))
	for i, f := range files {
		content, digest, err := f.read()
		if err != nil {
			return nil, err
		}
		ext := strings.TrimPrefix(path.Ext(f.Name), ".")
		// Upper case would make VNPT's reader open a ZIP and keep its first file only.
		name := strings.TrimSuffix(f.Name, ext) + strings.ToLower(ext)
		ext = strings.ToLower(ext)
		out[i] = edxmlFile{id: fmt.Sprintf("%d-%.16s", i+1, digest.SHA256), name: name, mediaType: "application/" + ext, payload: content}
		if slices.Contains(edxmlRaw, ext) {
			continue
		}
		out[i].mediaType = "application/zip"
		if out[i].payload, err = wrapped(digest.SHA256, ext, content); err != nil {
			return nil, &LocalError{Name: f.Name, Err: err}
		}
	}
	return out, nil
}

// read gives the whole file.
func (f File) read() ([]byte, Digest, error) {
	digest, err := f.Digest()
	if err != nil {
		return nil, digest, err
	}
	r, err := f.Open()
	if err != nil {
		return nil, digest, &LocalError{Name: f.Name, Err: err}
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, digest, &LocalError{Name: f.Name, Err: err}
	}
	return content, digest, nil
}

// wrapped is the ZIP with the one entry <uuid>.<ext>, with the flags that Java's writer sets.
func wrapped(sum, ext string, content []byte) ([]byte, error) {
	uuid := fmt.Sprintf("%s-%s-4%s-8%s-%s", sum[:8], sum[8:12], sum[13:16], sum[17:20], sum[20:32])
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	entry, err := w.CreateHeader(&zip.FileHeader{Name: uuid + "." + ext, Method: zip.Deflate, Flags: 0x0808})
	if err == nil {
		_, err = entry.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	return b.Bytes(), err
}

func (x *edxmlWriter) manifest(refs []edxmlFile) {
	x.group(`edXML:edXMLManifest version="1.0"`, func() {
		for _, f := range refs {
			x.group("edXML:Reference", func() {
				x.leaf("edXML:ContentId", "cid:"+f.id)
				x.leaf("edXML:ContentType", f.mediaType)
				x.leaf("edXML:AttachmentName", f.name)
			})
		}
	})
}

func (x *edxmlWriter) attachment(f edxmlFile) {
	x.leaf("ContentId", "cid:"+f.id)
	x.leaf("AttachmentName", f.name)
	x.leaf("ContentType", f.mediaType)
	x.line(`<edXML:ContentTransferEncoded xmlns:edXML="` + edxmlNamespace + `">` + base64.StdEncoding.EncodeToString(f.payload) +
		"</edXML:ContentTransferEncoded>")
}
