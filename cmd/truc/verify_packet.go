package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"

	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/signing"
)

// isPacket looks for an edXML packet by what it is: XML whose start speaks of edXML.
func isPacket(f signing.File) bool {
	head := make([]byte, min(f.Size, 8<<10))
	if _, err := f.Content.ReadAt(head, 0); err != nil && err != io.EOF {
		return false
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")), " \t\r\n")
	return bytes.HasPrefix(text, []byte("<")) && bytes.Contains(head, []byte("edXML"))
}

// packet takes the attachments out of an edXML packet, decoded and out of their ZIP, each to be judged by itself. The
// packet's own Signature element is left alone: nobody signs at that layer (what stands there is a constant), and the law
// asks for the signatures in the files. A packet without files, and XML that is no packet after all, is judged as it is.
func (v *verifyCommand) packet(file signing.File, closing func()) ([]signing.File, func(), error) {
	aside, err := unlinked()
	if err != nil {
		closing()
		return nil, nil, unusable("%v", err)
	}
	files, err := attachments(file, aside)
	var unreadable *edxml.Unreadable
	if len(files) == 0 && (err == nil || errors.As(err, &unreadable)) {
		_ = aside.Close()
		return []signing.File{file}, closing, nil
	}
	closing()
	if err != nil {
		_ = aside.Close()
		return nil, nil, unusable("%s: %v", v.File, err)
	}
	return files, func() { _ = aside.Close() }, nil
}

// attachments writes them one after the other into a file aside.
func attachments(packet signing.File, aside *os.File) (files []signing.File, err error) {
	var at int64
	_, err = edxml.Read(io.NewSectionReader(packet.Content, 0, packet.Size), edxml.Reading{Now: time.Now(),
		Attachment: func(_ int, a edxml.Attachment, content io.Reader) error {
			n, err := io.Copy(io.NewOffsetWriter(aside, at), content)
			files = append(files, signing.File{Name: a.FileName(), Content: io.NewSectionReader(aside, at, n), Size: n})
			at += n
			return err
		}})
	return files, err
}
