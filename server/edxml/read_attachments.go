package edxml

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
)

// reference is one line of the manifest.
type reference struct {
	id, name, contentType, description string
	path                               string
	line                               int
	used                               bool
}

func (d *reader) manifestChild(name string) error {
	if name != "Reference" {
		return d.unknown()
	}
	if len(d.manifest) == MaxAttachments {
		return d.tooManyAttachments()
	}
	r := reference{id: d.s.tag.get("href"), line: d.s.top().line, path: d.s.path()} // href: the .NET library's
	if err := d.group(map[string]*string{"ContentId": &r.id, "ContentType": &r.contentType, "Description": &r.description, "AttachmentName": &r.name}); err != nil {
		return err
	}
	r.id = contentID(r.id)
	d.manifest = append(d.manifest, r)
	return d.hold(groupCost + len(r.path))
}

func (d *reader) tooManyAttachments() error {
	return d.s.refuse(TooLong, fmt.Sprintf("Gói tin có quá %d tệp.", MaxAttachments), fmt.Sprintf("The packet has more than %d attachments.", MaxAttachments),
		"Chia thành nhiều gói tin / Split it into several packets")
}

// contentID takes off every leading "cid:"; the axis's library puts on another each time.
func contentID(id string) string {
	id = strings.Trim(id, layout)
	for len(id) >= 4 && strings.EqualFold(id[:4], "cid:") {
		id = strings.Trim(id[4:], layout)
	}
	return id
}

// find gives the manifest line of the i-th attachment: by content id, else by name, else by order.
func (d *reader) find(i int, a *Attachment) *reference {
	for _, same := range []func(r *reference) bool{
		func(r *reference) bool { return a.ContentID != "" && r.id == a.ContentID },
		func(r *reference) bool { return a.Name != "" && r.name == a.Name },
	} {
		for k := range d.manifest {
			if r := &d.manifest[k]; !r.used && same(r) {
				return r
			}
		}
	}
	if i < len(d.manifest) && !d.manifest[i].used {
		return &d.manifest[i]
	}
	return nil
}

// join fills a from the manifest where the attachment says nothing itself.
func (d *reader) join(i int, a *Attachment) *reference {
	r := d.find(i, a)
	if r == nil {
		return nil
	}
	for _, f := range []struct {
		to   *string
		from string
	}{{&a.ContentID, r.id}, {&a.Name, r.name}, {&a.ContentType, r.contentType}, {&a.Description, r.description}} {
		if *f.to == "" {
			*f.to = f.from
		}
	}
	return r
}

func (d *reader) attachments() error {
	return d.children(func(name string) error {
		if name != "Attachment" {
			return d.unknown()
		}
		if d.seen++; d.seen > MaxAttachments {
			return d.tooManyAttachments()
		}
		return d.attachment(d.seen - 1)
	})
}

// waiting is an attachment whose content had to be kept aside.
type waiting struct {
	i       int
	a       Attachment
	aside   section // its content, decoded
	carried bool    // it has a content at all
	path    string
	line    int // of the Attachment; of its name and type, when it has them
	nameAt  int
	typeAt  int
}

// attachment reads one Attachment. A content that can be handed out while it is read is; one that may be a ZIP to unwrap waits for
// the attachment's end, where its name is known, and one that comes before the envelope's end waits for that (Header must be asked
// before anything is stored).
func (d *reader) attachment(i int) error {
	line := d.s.top().line
	w := waiting{i: i, path: d.s.path(), line: line, nameAt: line, typeAt: line}
	handed := false
	err := d.children(func(name string) error {
		a := &w.a
		switch name {
		case "ContentId":
			return d.value(&a.ContentID)
		case "AttachmentName":
			if d.s.top().index == 1 {
				w.nameAt = d.s.top().line
			}
			return d.value(&a.Name)
		case "Description":
			return d.value(&a.Description)
		case "ContentType":
			if d.s.top().index == 1 {
				w.typeAt = d.s.top().line
			}
			return d.value(&a.ContentType)
		case "Format":
			return d.value(&a.Format)
		case "FieldName":
			return d.value(&a.FieldName)
		case "MimeType":
			return d.value(&a.MimeType)
		case "ContentTransferEncoded":
			if w.carried {
				return d.again()
			}
			w.carried = true
			done, err := d.content(&w)
			handed = done
			return err
		}
		return d.unknown()
	})
	if err != nil {
		return err
	}
	w.a.ContentID = contentID(w.a.ContentID)
	if handed || !w.carried {
		return d.finished(&w)
	}
	if !d.enveloped {
		d.waiting = append(d.waiting, w)
		return d.hold(2*groupCost + len(w.path))
	}
	return d.handOutAside(&w)
}

// content reads ContentTransferEncoded; handed says that it has been handed out.
func (d *reader) content(w *waiting) (handed bool, err error) {
	d.payload.begin(d)
	in := d.bufio()
	head, _ := in.Peek(sniffed) // its error comes again when read
	if !d.enveloped || looksWrapped(head) {
		w.aside, err = d.spool.keep(in)
		return false, err
	}
	known := w.a
	known.ContentID = contentID(known.ContentID)
	d.join(w.i, &known)
	if known.ContentType == "application/pdf" && !strings.Contains(string(head), "%PDF-") {
		d.warnType(w, "application/pdf", "PDF")
	}
	return true, d.handOut(w.i, known, in, &w.a)
}

func (d *reader) warnType(w *waiting, declared, what string) {
	d.warn(w.path+"/ContentType", w.typeAt, malformed("ContentType", "ghi "+declared+" nhưng nội dung không phải "+what+".",
		"says "+declared+" but the content is no "+what+".", "Ghi đúng kiểu nội dung / Write the content's true type"))
}

// bufio gives the one buffer through which payloads are read.
func (d *reader) bufio() *bufio.Reader {
	if d.payload.buffer == nil {
		d.payload.buffer = payloadBuffers.Get().(*bufio.Reader)
	}
	d.payload.buffer.Reset(&d.payload)
	return d.payload.buffer
}

// handOut gives one file to the caller and measures it into a.
func (d *reader) handOut(i int, known Attachment, content io.Reader, a *Attachment) error {
	m := measured{r: content}
	if !d.o.Unhashed {
		m.hash = sha256.New()
	}
	var refused error
	if d.o.Attachment != nil && d.p.Status == nil {
		refused = d.o.Attachment(i, known, &m)
	}
	if m.failed == nil && refused == nil {
		_, _ = io.Copy(io.Discard, &m)
	}
	if m.failed != nil {
		return m.failed // the packet's own fault comes before what the caller made of it
	}
	if a.Size = m.size; m.hash != nil {
		a.SHA256 = hex.EncodeToString(m.hash.Sum(nil))
	}
	return refused
}

// measured counts and hashes what is read through it.
type measured struct {
	r      io.Reader
	hash   hash.Hash
	size   int64
	failed error
}

func (m *measured) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if m.hash != nil {
		m.hash.Write(p[:n])
	}
	m.size += int64(n)
	if err != nil && err != io.EOF {
		m.failed = err
	}
	return n, err
}

func (d *reader) handOutWaiting() error {
	for k := range d.waiting {
		if err := d.handOutAside(&d.waiting[k]); err != nil {
			return err
		}
	}
	d.waiting = nil
	return nil
}

// handOutAside hands out a content that was kept aside, out of its ZIP when it is wrapped.
func (d *reader) handOutAside(w *waiting) error {
	known := w.a
	d.join(w.i, &known)
	content, wrapped, err := d.unwrap(w, known)
	if err != nil {
		return err
	}
	known.Wrapped, w.a.Wrapped = wrapped, wrapped
	if err := d.handOut(w.i, known, content, &w.a); err != nil {
		return err
	}
	d.spool.release(w.aside)
	return d.finished(w)
}

// finished notes a whole attachment in the document.
func (d *reader) finished(w *waiting) error {
	if r := d.join(w.i, &w.a); r != nil {
		r.used = true
	}
	switch {
	case !w.carried:
		d.warn(w.path+"/ContentTransferEncoded", w.line, missing("ContentTransferEncoded"))
	case w.a.Size == 0 && d.enveloped:
		d.warn(w.path+"/ContentTransferEncoded", w.line, missing("ContentTransferEncoded"))
	}
	if w.a.Name == "" {
		d.warn(w.path+"/AttachmentName", w.line, missing("AttachmentName"))
	}
	if w.a.FileName() != w.a.Name && w.a.Name != "" {
		d.warn(w.path+"/AttachmentName", w.nameAt, malformed("AttachmentName", "không phải tên tệp.", "is not a plain file name.", "Chỉ ghi tên tệp, không ghi đường dẫn / Give the file's name without a path"))
	}
	d.found = append(d.found, w.a)
	return d.hold(2 * groupCost)
}

// checkAttachments puts the files into the document, and says which the manifest promises in vain.
func (d *reader) checkAttachments(root string) {
	if d.p.Status != nil {
		if len(d.found) > 0 {
			d.warn(root+"/AttachmentEncoded", d.s.closed.line, malformed("AttachmentEncoded", "không có nghĩa trong gói tin trạng thái.", "means nothing in a status packet.", "Bỏ tệp đính kèm / Leave the files out"))
		}
		return
	}
	d.p.Document.Attachments = d.found
	for _, r := range d.manifest {
		if !r.used {
			d.warn(r.path, r.line, malformed("Reference", "không có tệp kèm theo.", "has no attachment.", "Gửi kèm tệp hoặc bỏ khỏi danh mục / Send the file or take it off the manifest"))
		}
	}
	if len(d.found) == 0 && len(d.manifest) == 0 {
		d.warn(root+"/AttachmentEncoded/Attachment", 1, missing("Attachment"))
	}
}
