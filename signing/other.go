package signing

import "bytes"

// scanLimit bounds the search for signature marks in files of kinds that we do not verify.
const scanLimit = 64 << 20

// other recognises signatures of kinds that we do not verify: they are undetermined, never "not signed" (R71).
func (j judge) other(f File, head []byte, r *FileReport) {
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")), " \t\r\n")
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		if j.mentions(f, "_xmlsignatures/", "META-INF/signatures", "META-INF/documentsignatures.xml") {
			r.Format = "ooxml"
			r.Reasons = addReason(r.Reasons, UnsupportedFormat)
		}
	case bytes.HasPrefix(text, []byte("<")):
		if j.mentions(f, "http://www.w3.org/2000/09/xmldsig#") {
			r.Format = "xml"
			r.Reasons = addReason(r.Reasons, UnsupportedFormat)
		}
	}
}

// mentions looks for any of the words in the file, a chunk at a time.
func (j judge) mentions(f File, words ...string) bool {
	const overlap = 64
	buf := chunks.Get().(*[]byte)
	defer chunks.Put(buf)
	for at := int64(0); at < min(f.Size, scanLimit); at += chunk - overlap {
		b := (*buf)[:min(chunk, f.Size-at)]
		if j.ctx.Err() != nil || readFull(f.Content, b, at) != nil {
			return false
		}
		for _, w := range words {
			if bytes.Contains(b, []byte(w)) {
				return true
			}
		}
	}
	return false
}
