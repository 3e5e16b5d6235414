package edxml

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// payloads is what VNPT's library declares for a file, by extension; "xsl" and "xslx" are its own slips. Such a file goes raw; every
// other goes as application/zip in a ZIP of one entry (spec 2.5).
var payloads = map[string]string{
	"pdf": "application/pdf", "doc": "application/doc", "docx": "application/docx",
	"xsl": "application/xsl", "xslx": "application/xslx", "zip": zipType,
}

const zipType = "application/zip"

func payloadType(name string) string {
	if t, ok := payloads[strings.ToLower(extension(strings.Trim(name, layout)))]; ok {
		return t
	}
	return zipType
}

// packetID is the attachment's content id; without one it follows from the content and the place, so that it is always the same.
func packetID(d Document, i int, a Attachment) string {
	if id := contentID(a.ContentID); id != "" {
		return id
	}
	return derived("content id", d, i, a)
}

// derived is a UUID (version 8) that follows from purpose and the attachment: its hash where known, else where it stands.
func derived(purpose string, d Document, i int, a Attachment) string {
	of := a.SHA256
	if of == "" {
		of = strings.Join([]string{d.From.ID, d.ID, a.ContentID, a.Name}, "\x00")
	}
	sum := sha256.Sum256([]byte(purpose + "\x00" + of + "\x00" + strconv.Itoa(i)))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// attachment writes one Attachment, its content streamed from open.
func (x *writer) attachment(d Document, i int, a Attachment, open func(i int) (io.ReadCloser, error)) {
	if x.err != nil {
		return
	}
	x.group("Attachment", func() {
		x.leaf("ContentId", "cid:"+packetID(d, i, a))
		x.leaf("AttachmentName", packetName(a.Name))
		x.leaf("Description", a.Description)
		x.leaf("ContentType", payloadType(a.Name))
		x.leaf("Format", a.Format)
		x.leaf("FieldName", a.FieldName)
		x.leaf("MimeType", a.MimeType)
		x.settle()
		x.indent()
		// The prefix is bound on the envelope only, so it is bound again here: a strict parser must find it.
		x.raw(`<edXML:ContentTransferEncoded xmlns:edXML="` + namespace + `">`)
		if x.err == nil {
			x.err = x.payload(d, i, a, open)
		}
		x.raw("</edXML:ContentTransferEncoded>\r\n")
	})
}

func (x *writer) payload(d Document, i int, a Attachment, open func(i int) (io.ReadCloser, error)) (err error) {
	content, err := open(i)
	if err != nil {
		return fmt.Errorf("open attachment %d: %w", i+1, err)
	}
	defer func() {
		if closing := content.Close(); err == nil {
			err = closing
		}
	}()
	m := measured{r: content, hash: sha256.New()}
	encoder := base64.NewEncoder(base64.StdEncoding, x.w)
	if err := x.pack(encoder, &m, d, i, a); err != nil {
		return fmt.Errorf("attachment %d: %w", i+1, err)
	}
	if sum := hex.EncodeToString(m.hash.Sum(nil)); a.Size > 0 && a.Size != m.size || a.SHA256 != "" && a.SHA256 != sum {
		return fmt.Errorf("attachment %d: its content has %d bytes and SHA-256 %s, not %d and %s", i+1, m.size, sum, a.Size, a.SHA256)
	}
	return encoder.Close()
}

// pack writes the content raw or as the one entry of a ZIP.
func (x *writer) pack(w io.Writer, content io.Reader, d Document, i int, a Attachment) error {
	ext := strings.ToLower(extension(strings.Trim(a.Name, layout)))
	if _, raw := payloads[ext]; raw {
		_, err := io.Copy(w, content)
		return err
	}
	name := derived("entry", d, i, a)
	if ext != "" {
		name += "." + ext
	}
	z := zip.NewWriter(w)
	// Flags end up as 0x0808, as the library has them. The date is DOS's first: none at all is no date to some readers.
	//lint:ignore SA1019 Modified would add an extended timestamp, which the library does not write
	e, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Flags: 0x800, ModifiedDate: 1<<5 | 1})
	if err != nil {
		return err
	}
	if _, err := io.Copy(e, content); err != nil {
		return err
	}
	return z.Close()
}
