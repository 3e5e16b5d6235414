package signing

// The values of PDF (ISO 32000-1, 7.3). null is nil, booleans are bool, integers int64, reals float64.
type (
	pdfName   string
	pdfString []byte
	pdfArray  []any
	pdfRef    struct{ num, gen uint32 }
)

// pdfDict keeps its keys in order; dictionaries are small and are asked a few times.
type pdfDict struct {
	keys     []pdfName
	vals     []any
	repeated bool // a key stands twice: readers differ on which one counts, and forgers know it

	// Where the value of /Contents stands in the file, delimiters included; both 0 when it is no hexadecimal string
	// written directly in the file.
	contentsAt, contentsEnd int64
}

// pdfStream is a dictionary with data, which stay in the file.
type pdfStream struct {
	dict *pdfDict
	at   int64 // of the data in the file
}

func (d *pdfDict) get(key pdfName) any {
	if d == nil {
		return nil
	}
	for i, k := range d.keys {
		if k == key {
			return d.vals[i]
		}
	}
	return nil
}

func (d *pdfDict) name(key pdfName) pdfName {
	n, _ := d.get(key).(pdfName)
	return n
}

// dictOf gives the dictionary of a value that is one, or of a stream.
func dictOf(v any) *pdfDict {
	switch v := v.(type) {
	case *pdfDict:
		return v
	case *pdfStream:
		return v.dict
	}
	return nil
}
