package testpki

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"regexp"
	"strings"
)

var reContents = regexp.MustCompile(`/Contents \[?(\d+) 0 R`) // the first of an array

// revise makes one revision; a file that testpki cannot read comes back as it is.
func revise(pdf []byte, change func(r *Revision)) []byte {
	r, err := Revise(pdf)
	if err != nil {
		return pdf
	}
	change(r)
	return r.Bytes()
}

// ChangeAfterSigning replaces what page 1 says, by an incremental update: the signatures before it no longer show what was
// signed, though each of their digests is still right.
func ChangeAfterSigning(pdf []byte) []byte {
	return revise(pdf, func(r *Revision) {
		text := "BT /F1 18 Tf 80 700 Td 1 0 0 rg 80 600 200 40 re f ET"
		r.Set(match(reContents, r.Object(r.Page())), fmt.Appendf(nil, "<</Length %d>>\nstream\n%s\nendstream", len(text), text))
	})
}

// ChangeSigned flips a bit of the content that the first signature covers, so that its digest is wrong. The file still opens.
func ChangeSigned(pdf []byte) []byte {
	at := bytes.Index(pdf, []byte("/CreationDate (D:2"))
	if at < 0 {
		return FlipByte(pdf, 20)
	}
	return FlipByte(pdf, at+len("/CreationDate (D:2"))
}

// Stamp lays the receiver's "công văn đến" mark on page 1, as an annotation.
func Stamp(pdf []byte) []byte {
	return revise(pdf, func(r *Revision) {
		draw := "0.8 0 0 RG 1 w 1 1 118 38 re S BT /H 10 Tf 8 16 Td (CONG VAN DEN - TEST) Tj ET"
		look := r.Stream("/Type /XObject /Subtype /Form /BBox [0 0 120 40] /Resources <</Font <</H <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>>>>>", draw)
		r.Annotate(fmt.Sprintf("/Subtype /Stamp /Rect [60 60 180 100] /F 4 /AP <</N %d 0 R>>", look))
	})
}

// Overlay appends content to page 1 after what it shows: number, date and seal as the văn thư's tool writes them.
func Overlay(pdf []byte) []byte {
	return revise(pdf, func(r *Revision) {
		n := r.Stream("", "q 0.85 0.1 0.1 RG 2 w 300 300 60 60 re S Q")
		page := r.Object(r.Page())
		was := match(reContents, page)
		r.Replace(r.Page(), fmt.Sprintf("/Contents %d 0 R", was), fmt.Sprintf("/Contents [%d 0 R %d 0 R]", was, n))
	})
}

// AddPage appends a page that nobody signed.
func AddPage(pdf []byte) []byte {
	return revise(pdf, func(r *Revision) {
		pages := match(rePages, r.Object(r.Root()))
		n := r.Add("<</Type /Page /Parent %d 0 R /MediaBox [0 0 595 842]>>", pages)
		body := string(r.Object(pages))
		body = strings.Replace(body, "/Count 1", "/Count 2", 1)
		r.Set(pages, []byte(body))
		r.Set(pages, addRef(r.Object(pages), regexp.MustCompile(`/Kids \[([^\]]*)\]`), "/Kids", n))
	})
}

// AddValidationData adds a document security store with the hierarchy's certificates and lists.
func (p *PKI) AddValidationData(pdf []byte) []byte {
	return revise(pdf, func(r *Revision) {
		var certs, lists []string
		for _, id := range []*Identity{p.Root, p.Issuing, p.TSA} {
			certs = append(certs, fmt.Sprintf("%d 0 R", r.Stream("", string(id.Certificate.Raw))))
		}
		for _, der := range p.CRLs {
			lists = append(lists, fmt.Sprintf("%d 0 R", r.Stream("", string(der))))
		}
		dss := r.Add("<</Type /DSS /Certs [%s] /CRLs [%s]>>", strings.Join(certs, " "), strings.Join(lists, " "))
		r.Insert(r.Root(), "/DSS %d 0 R", dss)
	})
}

// RemoveSignatures takes the form out of the catalog.
func RemoveSignatures(pdf []byte) []byte {
	return revise(pdf, func(r *Revision) {
		body := regexp.MustCompile(`/AcroForm \d+ 0 R`).ReplaceAll(r.Object(r.Root()), nil)
		r.Set(r.Root(), body)
	})
}

// Compressed rewrites an unsigned PDF with object streams and a cross-reference stream (PDF 1.5), deflated and predicted
// as most producers do it.
func Compressed(pdf []byte) ([]byte, error) {
	f, err := open(pdf)
	if err != nil {
		return nil, err
	}
	g := &pdfFile{offsets: map[int]int{}, packed: map[int][2]int{}, root: f.root, info: f.info}
	out := append([]byte(nil), pdf[:bytes.IndexByte(pdf, '\n')+1]...)
	var head, data bytes.Buffer
	var packed []int
	for _, run := range f.runs() {
		for _, n := range run {
			body, err := f.object(n)
			if err != nil {
				return nil, err
			}
			if bytes.HasSuffix(body, []byte("endstream")) {
				g.offsets[n] = len(out)
				out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", n, body)
				continue
			}
			fmt.Fprintf(&head, "%d %d ", n, data.Len())
			data.Write(body)
			data.WriteByte('\n')
			packed = append(packed, n)
		}
	}
	container := f.size
	for i, n := range packed {
		g.packed[n] = [2]int{container, i}
	}
	z := deflate(append(head.Bytes(), data.Bytes()...))
	g.offsets[container] = len(out)
	out = fmt.Appendf(out, "%d 0 obj\n<</Type /ObjStm /N %d /First %d /Filter /FlateDecode /Length %d>>\nstream\n", container, len(packed), head.Len(), len(z))
	out = append(append(out, z...), "\nendstream\nendobj\n"...)
	at := len(out)
	g.offsets[container+1], g.size = at, container+2
	out = append(out, g.predictedXref(container+1)...)
	return fmt.Appendf(out, "startxref\n%d\n%%%%EOF\n", at), nil
}

// predictedXref is a deflated cross-reference stream with PNG "up" rows.
func (f *pdfFile) predictedXref(n int) []byte {
	plain := f.xrefStream(n, fmt.Sprintf("/Root %d 0 R /Info %d 0 R", f.root, f.info))
	start := bytes.Index(plain, []byte("stream\n")) + len("stream\n")
	rows := plain[start:bytes.LastIndex(plain, []byte("\nendstream"))]
	above := make([]byte, 7)
	var predicted []byte
	for ; len(rows) >= 7; rows = rows[7:] {
		predicted = append(predicted, 2)
		for i := range 7 {
			predicted = append(predicted, rows[i]-above[i])
		}
		above = rows[:7]
	}
	z := deflate(predicted)
	dict := regexp.MustCompile(`/Length \d+>>`).ReplaceAll(plain[:start], fmt.Appendf(nil, "/Filter /FlateDecode /DecodeParms <</Predictor 12 /Columns 7>> /Length %d>>", len(z)))
	return append(append(dict, z...), "\nendstream\nendobj\n"...)
}

func deflate(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(b) // into memory: cannot fail
	w.Close()
	return out.Bytes()
}
