package signing

import "slices"

// The values of PDF (ISO 32000-1, 7.3). null is nil, booleans are bool, integers int64, reals float64.
type (
	pdfName   string
	pdfWord   string // what is no value
	pdfString []byte
	pdfArray  []any
	pdfRef    struct{ num, gen uint32 }
)

// pdfDict keeps its keys in order; dictionaries are small and are asked a few times.
type pdfDict struct {
	keys     []pdfName
	vals     []any
	index    map[pdfName]int // of keys, once there are many
	repeated bool            // a key stands twice: readers differ on which one counts, and forgers know it

	// Where the value of /Contents stands in the file, delimiters included; both 0 when it is no hexadecimal string
	// written directly in the file.
	contentsAt, contentsEnd int64
	from, to                int64 // where such a dictionary itself stands
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
	if i := d.find(key); i >= 0 {
		return d.vals[i]
	}
	return nil
}

// find gives the place of the first such key, -1 when there is none. Large dictionaries get an index: a stranger's file
// must not make us search for long.
func (d *pdfDict) find(key pdfName) int {
	if len(d.keys) <= 32 {
		return slices.Index(d.keys, key)
	}
	if d.index == nil {
		d.index = make(map[pdfName]int, len(d.keys))
		for i := len(d.keys) - 1; i >= 0; i-- {
			d.index[d.keys[i]] = i
		}
	}
	if i, ok := d.index[key]; ok {
		return i
	}
	return -1
}

// add puts a key at the end, and notes when it was there.
func (d *pdfDict) add(key pdfName, v any) {
	d.repeated = d.repeated || d.find(key) >= 0
	if d.index != nil && !d.repeated {
		d.index[key] = len(d.keys)
	}
	d.keys, d.vals = append(d.keys, key), append(d.vals, v)
}

func (d *pdfDict) size() int {
	if d == nil {
		return 0
	}
	return len(d.vals)
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
