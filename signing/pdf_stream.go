package signing

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"io"
)

// raw gives the bounds of a stream's data in the file.
func (d *pdfDoc) raw(st *pdfStream, v *pdfView) (int64, int64, error) {
	length := st.dict.get("Length")
	if v != nil {
		var err error
		if length, err = v.resolve(length); err != nil {
			return 0, 0, err
		}
	}
	n, ok := length.(int64)
	if !ok || n < 0 || n > d.limit-st.at {
		return 0, 0, errPDFSyntax
	}
	return st.at, n, nil
}

// delimited says that a stream's data begin right after "stream" and its end of line, and that "endstream" is where /Length
// has it (ISO 32000-1, 7.3.8.1). Readers look elsewhere when it is not, each in its way.
func (d *pdfDoc) delimited(st *pdfStream, v *pdfView) bool {
	at, n, err := d.raw(st, v)
	if err != nil || at < 8 {
		return false
	}
	head, err := d.bytes(at-8, 8)
	if err != nil || !bytes.HasSuffix(head, []byte("stream\r\n")) && !bytes.HasSuffix(head, []byte("stream\n")) {
		return false
	}
	tail, err := d.bytes(at+n, 32)
	return err == nil && bytes.HasPrefix(bytes.TrimLeft(tail, "\r\n\t \x00\f"), []byte("endstream"))
}

// maxInflate bounds one stream that we must read.
const maxInflate = 16 << 20

// inflate decodes a stream: no filter or Flate, with or without a PNG predictor. v resolves an indirect /Length.
func (d *pdfDoc) inflate(st *pdfStream, v *pdfView) ([]byte, error) {
	at, n, err := d.raw(st, v)
	if err != nil {
		return nil, err
	}
	section := io.NewSectionReader(d.r, at, n)
	filter, parms := st.dict.get("Filter"), st.dict.get("DecodeParms")
	if v != nil {
		if parms, err = v.resolve(parms); err != nil {
			return nil, err
		}
	} else if _, ok := parms.(pdfRef); ok {
		return nil, errPDFSyntax
	}
	if list, ok := filter.(pdfArray); ok {
		if len(list) > 1 {
			return nil, errPDFLimit
		}
		filter = nil
		if len(list) == 1 {
			filter = list[0]
		}
		if p, ok := parms.(pdfArray); ok && len(p) > 0 {
			if parms = p[0]; v != nil {
				if parms, err = v.resolve(parms); err != nil {
					return nil, err
				}
			}
		}
	}
	switch filter {
	case nil:
		return d.drain(section)
	case pdfName("FlateDecode"), pdfName("Fl"):
	default:
		return nil, errPDFLimit
	}
	z, err := zlib.NewReader(section)
	if err != nil {
		return nil, errPDFSyntax
	}
	data, err := d.drain(z)
	if err != nil {
		return nil, err
	}
	return unpredict(data, dictOf(parms))
}

// drain reads all, within the bounds.
func (d *pdfDoc) drain(r io.Reader) ([]byte, error) {
	room := min(int64(maxInflate), 1<<20+2*d.size, 16<<20+4*d.size-d.inflated)
	if room <= 0 {
		return nil, errPDFLimit
	}
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(r, room+1))
	d.inflated += n
	if n > room {
		return nil, errPDFLimit
	}
	if errors.Is(err, zlib.ErrChecksum) {
		err = nil // all data came; no reader looks at the sum
	}
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errPDFSyntax
	}
	return out.Bytes(), err
}

// unpredict undoes PNG predictors (ISO 32000-1, 7.4.4.4).
func unpredict(data []byte, parms *pdfDict) ([]byte, error) {
	predictor, _ := parms.get("Predictor").(int64)
	if predictor < 2 {
		return data, nil
	}
	columns, ok := parms.get("Columns").(int64)
	if !ok {
		columns = 1
	}
	if predictor < 10 || columns < 1 || columns > 1<<16 || parms.get("Colors") != nil && parms.get("Colors") != int64(1) ||
		parms.get("BitsPerComponent") != nil && parms.get("BitsPerComponent") != int64(8) {
		return nil, errPDFLimit
	}
	row := int(columns)
	out := make([]byte, 0, len(data))
	above := make([]byte, row)
	for len(data) > 1 {
		line := data[1:min(row+1, len(data))] // readers take part of a last row for what it is
		if !unfilter(data[0], line, above) {
			return nil, errPDFSyntax
		}
		out = append(out, line...)
		above, data = line, data[1+len(line):]
	}
	return out, nil
}

// unfilter undoes one row of a PNG filter with one byte a pixel.
func unfilter(kind byte, line, above []byte) bool {
	var left, corner byte
	for i := range line {
		up := above[i]
		switch kind {
		case 0:
		case 1:
			line[i] += left
		case 2:
			line[i] += up
		case 3:
			line[i] += byte((int(left) + int(up)) / 2)
		case 4:
			line[i] += paeth(left, up, corner)
		default:
			return false
		}
		left, corner = line[i], up
	}
	return true
}

func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	pa, pb, pc := abs(p-int(a)), abs(p-int(b)), abs(p-int(c))
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}

func abs(n int) int { return max(n, -n) }
