package testpki

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"time"
)

// PDFSignature says how SignPDF signs.
type PDFSignature struct {
	Signer    *Identity
	Field     string // name of the signature field; "Signature1"… when empty
	Time      time.Time
	SubFilter string // "ETSI.CAdES.detached" (default), "adbe.pkcs7.detached", or "ETSI.RFC3161" (then TSA signs and Signer is not used)
	TSA       *PKI   // when set, an RFC 3161 timestamp of this authority is added
	Seal      bool   // draw a red seal mark (agency), else a blue one (person)
	Hidden    bool   // show no mark
	Unlisted  bool   // leave the field out of the form, as some signers do; only its widget on the page tells of it
	DocMDP    int    // 1…3: certify the document with that permission; 0: an approval signature
	CMS       *CMS   // how the CMS is made; Signers, Time and TSA are filled in when empty

	// BendDict changes the signature dictionary's text before it is written, to make broken ones. Lengths must stay.
	BendDict func(dict []byte) []byte
}

// SignPDF signs by a real incremental update: a signature field with a widget on page 1, ByteRange, and a detached CMS in
// /Contents. It can be called again on its own output (the leader signs, then the seal). It reads what PDF and Compressed
// make, and other plain files.
func SignPDF(pdf []byte, s PDFSignature) ([]byte, error) {
	f, err := open(pdf)
	if err != nil {
		return nil, err
	}
	room := 6000
	if s.TSA != nil || s.SubFilter == "ETSI.RFC3161" {
		room = 12000
	}
	changes, sig, err := f.signatureObjects(s, room)
	if err != nil {
		return nil, err
	}
	out, offsets := f.update(changes)
	return s.fill(out, offsets[sig], room)
}

// fill computes the ranges and puts the CMS into its place.
func (s PDFSignature) fill(out []byte, dictAt, room int) ([]byte, error) {
	start := dictAt + bytes.Index(out[dictAt:], []byte("/Contents <")) + len("/Contents ")
	end := start + 2*room + 2
	ranges := fmt.Sprintf("/ByteRange [0 %d %d %d]", start, end, len(out)-end)
	at := dictAt + bytes.Index(out[dictAt:], []byte("/ByteRange ["))
	copy(out[at:at+len(byteRangeRoom)], ranges+"                                                      "[:len(byteRangeRoom)-len(ranges)])
	if s.BendDict != nil {
		dictEnd := dictAt + bytes.Index(out[dictAt:], []byte("endobj"))
		copy(out[dictAt:dictEnd], s.BendDict(out[dictAt:dictEnd]))
	}
	der, err := s.message(out, start, end)
	if err != nil {
		return nil, err
	}
	if len(der) > room {
		return nil, fmt.Errorf("sign PDF: signature of %d bytes does not fit %d", len(der), room)
	}
	hex.Encode(out[start+1:], der)
	return out, nil
}

func (s PDFSignature) message(out []byte, start, end int) ([]byte, error) {
	c := CMS{}
	if s.CMS != nil {
		c = *s.CMS
	}
	if len(c.Signers) == 0 && s.Signer != nil {
		c.Signers = []*Identity{s.Signer}
	}
	h := c.hash().New()
	if s.SubFilter == "ETSI.RFC3161" {
		h = sha256.New()
	}
	h.Write(out[:start])
	h.Write(out[end:])
	if s.SubFilter == "ETSI.RFC3161" {
		return s.TSA.Timestamp(h.Sum(nil), s.Time)
	}
	if c.Time.IsZero() {
		c.Time = s.Time
	}
	if c.TSA == nil {
		c.TSA = s.TSA
	}
	content := out
	if c.BareSignature {
		content = append(append([]byte(nil), out[:start]...), out[end:]...)
	}
	return c.SignDigest(content, h.Sum(nil))
}

const byteRangeRoom = "/ByteRange [0 0000000000 0000000000 0000000000]"

var (
	rePages    = regexp.MustCompile(`/Pages (\d+) 0 R`)
	reKid      = regexp.MustCompile(`/Kids \[\s*(\d+) 0 R`)
	reAcroForm = regexp.MustCompile(`/AcroForm (\d+) 0 R`)
	reFields   = regexp.MustCompile(`/Fields \[([^\]]*)\]`)
	reAnnots   = regexp.MustCompile(`/Annots \[([^\]]*)\]`)
)

func (f *pdfFile) signatureObjects(s PDFSignature, room int) ([]change, int, error) {
	catalog, err := f.object(f.root)
	if err != nil {
		return nil, 0, err
	}
	pageN, page, err := f.firstPage(catalog)
	if err != nil {
		return nil, 0, err
	}
	sig, widget, look, form := f.size, f.size+1, f.size+2, match(reAcroForm, catalog)
	formBody, count := []byte("<</SigFlags 3 /Fields []>>"), 0
	changes := []change{}
	if form == 0 {
		form = f.size + 3
		catalog = insert(catalog, fmt.Sprintf("/AcroForm %d 0 R", form))
		if s.DocMDP > 0 {
			catalog = insert(catalog, fmt.Sprintf("/Perms <</DocMDP %d 0 R>>", sig))
		}
		changes = append(changes, change{f.root, catalog})
	} else {
		if formBody, err = f.object(form); err != nil {
			return nil, 0, err
		}
		if m := reFields.FindSubmatch(formBody); m != nil {
			count = bytes.Count(m[1], []byte("R"))
		}
	}
	name := orText(s.Field, fmt.Sprintf("Signature%d", count+1))
	if !s.Unlisted {
		formBody = addRef(formBody, reFields, "/Fields", widget)
	}
	changes = append(changes,
		change{sig, s.dictionary(room)},
		change{widget, s.widget(name, pageN, sig, look, count)},
		change{look, s.appearance()},
		change{form, formBody},
		change{pageN, addRef(page, reAnnots, "/Annots", widget)})
	return changes, sig, nil
}

func (f *pdfFile) firstPage(catalog []byte) (int, []byte, error) {
	pages, err := f.object(match(rePages, catalog))
	if err != nil {
		return 0, nil, err
	}
	n := match(reKid, pages)
	page, err := f.object(n)
	return n, page, err
}

func (s PDFSignature) dictionary(room int) []byte {
	kind := "Sig"
	if s.SubFilter == "ETSI.RFC3161" {
		kind = "DocTimeStamp"
	}
	out := fmt.Appendf(nil, "<</Type /%s /Filter /Adobe.PPKLite /SubFilter /%s\n", kind, orText(s.SubFilter, "ETSI.CAdES.detached"))
	out = append(out, byteRangeRoom+"\n/Contents <"...)
	out = append(out, bytes.Repeat([]byte{'0'}, 2*room)...)
	out = append(out, ">\n"...)
	if s.DocMDP > 0 {
		out = fmt.Appendf(out, "/Reference [<</Type /SigRef /TransformMethod /DocMDP /TransformParams <</Type /TransformParams /P %d /V /1.2>>>>]\n", s.DocMDP)
	}
	if !s.Time.IsZero() {
		out = fmt.Appendf(out, "/M (D:%s+00'00')", s.Time.UTC().Format("20060102150405"))
	}
	return append(out, ">>"...)
}

func (s PDFSignature) widget(name string, page, sig, look, count int) []byte {
	x, y := 385-count*60, 460 // under the position; the seal covers about a third of the signature on its left (Decree 30/2020)
	rect := fmt.Sprintf("%d %d %d %d", x, y, x+90, y+90)
	if s.Hidden {
		rect = "0 0 0 0"
	}
	return fmt.Appendf(nil, "<</Type /Annot /Subtype /Widget /FT /Sig /F 132 /T (%s) /V %d 0 R /P %d 0 R /Rect [%s] /AP <</N %d 0 R>>>>", name, sig, page, rect, look)
}

// appearance draws a round seal in red, or a stroke of the pen in blue.
func (s PDFSignature) appearance() []byte {
	draw := "0.1 0.2 0.8 RG 2 w 10 40 m 30 80 40 10 60 60 c 70 80 80 30 95 50 c S"
	if s.Seal {
		draw = "0.85 0.1 0.1 RG 3 w 50 95 m 75 95 95 75 95 50 c 95 25 75 5 50 5 c 25 5 5 25 5 50 c 5 75 25 95 50 95 c S"
	}
	draw += " BT /H 12 Tf 34 46 Td (TEST) Tj ET"
	return fmt.Appendf(nil, "<</Type /XObject /Subtype /Form /BBox [0 0 100 100] /Resources <</Font <</H <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>>>>> /Length %d>>\nstream\n%s\nendstream", len(draw), draw)
}

// insert puts text before the last ">>" of a dictionary.
func insert(dict []byte, text string) []byte {
	at := bytes.LastIndex(dict, []byte(">>"))
	out := append([]byte(nil), dict[:at]...)
	out = append(out, " "+text+" "...)
	return append(out, dict[at:]...)
}

// addRef adds a reference to an array of a dictionary, making the array when there is none.
func addRef(dict []byte, re *regexp.Regexp, key string, n int) []byte {
	m := re.FindSubmatchIndex(dict)
	if m == nil {
		return insert(dict, fmt.Sprintf("%s [%d 0 R]", key, n))
	}
	out := append([]byte(nil), dict[:m[3]]...)
	out = fmt.Appendf(out, " %d 0 R", n)
	return append(out, dict[m[3]:]...)
}
