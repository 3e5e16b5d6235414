package signing

// objectPack is an opened object stream.
type objectPack struct {
	data []byte
	nums []uint32
	offs []int

	unordered bool // an object stands before the one listed before it
}

// unpack reads an object out of its object stream (ISO 32000-1, 7.5.7), which stands at e.at in the file.
func (v pdfView) unpack(num uint32, e xrefEntry) (any, error) {
	p, err := v.pack(e.at)
	if err != nil {
		return nil, err
	}
	i := int(e.index)
	if i >= len(p.nums) || p.nums[i] != num {
		return nil, errPDFSyntax
	}
	if err := v.doc.spendParsed(int64(p.length(i))); err != nil {
		return nil, err
	}
	l := lexer{b: p.data[p.offs[i]:], base: -1, final: true}
	return l.value(0)
}

// packedWell says that an object ends before the next one of its object stream begins: there some readers cut it off.
func (v pdfView) packedWell(num uint32, e xrefEntry) bool {
	container, ok := v.entry(uint32(e.at))
	if !ok {
		return false
	}
	p, err := v.pack(container.at)
	i := int(e.index)
	if err != nil || p.unordered || i >= len(p.nums) || p.nums[i] != num {
		return false
	}
	end := len(p.data)
	if i+1 < len(p.offs) {
		end = p.offs[i+1]
	}
	l := lexer{b: p.data[p.offs[i]:], base: -1, final: true}
	_, err = l.value(0)
	return err == nil && p.offs[i]+l.p <= end && v.doc.spendParsed(int64(l.p)) == nil
}

// length is about how many bytes object i takes.
func (p *objectPack) length(i int) int {
	if i+1 < len(p.offs) && p.offs[i+1] > p.offs[i] {
		return p.offs[i+1] - p.offs[i]
	}
	return 256
}

// pack opens an object stream and keeps it.
func (v pdfView) pack(at int64) (*objectPack, error) {
	if p := v.doc.packs[at]; p != nil {
		return p, nil
	}
	_, o, err := v.doc.objectAt(at)
	if err != nil {
		return nil, err
	}
	st, ok := o.(*pdfStream)
	if !ok || st.dict.name("Type") != "ObjStm" {
		return nil, errPDFSyntax
	}
	data, err := v.doc.inflate(st, &v)
	if err != nil {
		return nil, err
	}
	p, err := openPack(st.dict, data)
	if err != nil {
		return nil, err
	}
	if v.doc.packBytes += int64(len(data)); v.doc.packBytes > 4<<20+v.doc.size {
		clear(v.doc.packs)
		v.doc.packBytes = int64(len(data))
	}
	v.doc.packs[at] = p
	return p, nil
}

func openPack(dict *pdfDict, data []byte) (*objectPack, error) {
	n, ok1 := dict.get("N").(int64)
	first, ok2 := dict.get("First").(int64)
	if !ok1 || !ok2 || n < 0 || first < 0 || first > int64(len(data)) || n > first {
		return nil, errPDFSyntax
	}
	p := &objectPack{data: data}
	l := lexer{b: data[:first], final: true}
	for range n {
		num, err := l.integer()
		if err != nil {
			return nil, err
		}
		at, err := l.integer()
		if err != nil || first+at > int64(len(data)) || num > 1<<31 {
			return nil, errPDFSyntax
		}
		p.unordered = p.unordered || len(p.offs) > 0 && int(first+at) <= p.offs[len(p.offs)-1]
		p.nums, p.offs = append(p.nums, uint32(num)), append(p.offs, int(first+at))
	}
	return p, nil
}
