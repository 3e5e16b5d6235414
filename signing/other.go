package signing

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode/utf16"
)

// other recognises signatures of kinds that we do not verify: they are undetermined, never "not signed" (R71). It says
// whether it knows the kind of file, signed or not.
func (j judge) other(f File, head []byte, r *FileReport) bool {
	for _, k := range otherFormats {
		if !k.begins(head) {
			continue
		}
		if j.mentions(f, k.marks...) {
			r.Format = k.name
			r.Reasons = addReason(r.Reasons, UnsupportedFormat)
		}
		return true
	}
	return false
}

// otherFormat is a kind of file and the words of which one tells that it is signed.
type otherFormat struct {
	name   string
	begins func(head []byte) bool
	marks  []string
}

var otherFormats = []otherFormat{
	// Office Open XML, OpenDocument (ODF 1.2 part 3, 5), ASiC (ETSI EN 319 162-1), JAR.
	{"ooxml", beginsWith("PK\x03\x04"), []string{"_xmlsignatures/", "META-INF/signature", "META-INF/documentsignatures.xml",
		"META-INF/macrosignatures.xml", "META-INF/packagesignatures.xml", "META-INF/ASiCManifest", "META-INF/timestamp.tst"}},
	// Word, Excel and PowerPoint before 2007: names of storages and streams in an OLE file ([MS-OFFCRYPTO], 2.5).
	{"ole", beginsWith("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), utf16Words(binary.LittleEndian, "_signatures", "_xmlsignatures")},
	// XML-DSig and XAdES, whatever the prefix; edXML of QCVN 102 signs so too.
	{"xml", isXML, slices.Concat([]string{dsig, "http://www.w3.org/2009/xmldsig11#", "http://uri.etsi.org/01903/"},
		utf16Words(binary.LittleEndian, dsig), utf16Words(binary.BigEndian, dsig))},
	// S/MIME (RFC 8551, 3.5), OpenPGP in text (RFC 9580, 6 and 7).
	{"smime", isMail, []string{"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-signature"}},
	{"pgp", beginsWith("-----BEGIN PGP "), []string{"-----BEGIN PGP SIGNATURE-----", "-----BEGIN PGP MESSAGE-----"}},
}

const dsig = "http://www.w3.org/2000/09/xmldsig#"

func beginsWith(s string) func([]byte) bool {
	return func(head []byte) bool { return bytes.HasPrefix(head, []byte(s)) }
}

// utf16Words are words as UTF-16.
func utf16Words(order binary.AppendByteOrder, words ...string) []string {
	var out []string
	for _, w := range words {
		var b []byte
		for _, unit := range utf16.Encode([]rune(w)) {
			b = order.AppendUint16(b, unit)
		}
		out = append(out, string(b))
	}
	return out
}

// isXML sees the first "<" in UTF-8 or UTF-16, byte order mark or not.
func isXML(head []byte) bool {
	for _, mark := range []string{"\xEF\xBB\xBF", "\xFF\xFE", "\xFE\xFF"} {
		head = bytes.TrimPrefix(head, []byte(mark))
	}
	return bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n\x00"), []byte("<"))
}

// isMail sees a MIME header among the first lines.
func isMail(head []byte) bool {
	if bytes.IndexByte(head, 0) >= 0 {
		return false
	}
	head = bytes.ToLower(head)
	return bytes.HasPrefix(head, []byte("mime-version:")) || bytes.HasPrefix(head, []byte("content-type:")) ||
		bytes.Contains(head, []byte("\nmime-version:")) || bytes.Contains(head, []byte("\ncontent-type: multipart/signed"))
}

// foreignSignature says that what was handed over as a detached signature is one of those kinds.
func foreignSignature(b []byte) bool {
	for _, k := range otherFormats {
		if !k.begins(b[:min(len(b), 1024)]) {
			continue
		}
		for _, m := range k.marks {
			if bytes.Contains(b, []byte(m)) {
				return true
			}
		}
	}
	return false
}

// mentions looks for any of the marks in the file, a chunk at a time.
func (j judge) mentions(f File, marks ...string) bool {
	const overlap = 128
	buf := chunks.Get().(*[]byte)
	defer chunks.Put(buf)
	for at := int64(0); at < f.Size; at += chunk - overlap {
		b := (*buf)[:min(chunk, f.Size-at)]
		if j.ctx.Err() != nil || readFull(f.Content, b, at) != nil {
			return false
		}
		for _, m := range marks {
			if bytes.Contains(b, []byte(m)) {
				return true
			}
		}
	}
	return false
}
