package signing

// usage knows how the objects of a revision are referred to. An object that a later revision writes anew may be many things
// at once: the /Metadata that may change freely and the text of a page, if both references name it.
type usage struct {
	count  map[uint32]uint32
	mapped map[uint32]bool // stands where its keys are names that content uses, so any key of it may show
	parts  map[uint32]bool // pages may be made of it: a list of annotations, content, resources
	limit  int

	resources, categories map[uint32]uint32 // how many of count are as such
	pages                 int               // compared so far
	searched              int               // streams searched for names so far
}

// nameMaps are the keys whose value is a dictionary with names of the producer's choice.
var nameMaps = map[pdfName]bool{"Resources": true, "XObject": true, "Font": true, "ExtGState": true, "ColorSpace": true,
	"Pattern": true, "Shading": true, "Properties": true, "CharProcs": true, "AP": true, "N": true, "R": true, "D": true}

// isCategory are the keys of resources by kind (ISO 32000-1, table 33).
var isCategory = map[pdfName]bool{"XObject": true, "Font": true, "ExtGState": true, "ColorSpace": true, "Pattern": true, "Shading": true,
	"Properties": true}

func newUsage(size int64) *usage {
	return &usage{count: map[uint32]uint32{}, mapped: map[uint32]bool{}, parts: map[uint32]bool{}, limit: 50_000 + int(size/8),
		resources: map[uint32]uint32{}, categories: map[uint32]uint32{}}
}

// object adds (1) or takes away (-1) what one object refers to, the object stream that holds it included. A reference to an
// object that is not there counts too: when it is put there later, it appears in what was signed, without changing a byte.
func (u *usage) object(e xrefEntry, o any, by int) {
	if e.kind == 2 {
		u.refer(uint32(e.at), "", by)
	}
	u.add(o, "", by)
}

func (u *usage) add(o any, key pdfName, by int) {
	switch o := o.(type) {
	case pdfRef:
		u.refer(o.num, key, by)
	case pdfArray:
		for _, e := range o {
			u.add(e, key, by)
		}
	case *pdfDict:
		for i, e := range o.vals {
			if r, ok := e.(pdfRef); ok && o.keys[i] == "Annots" && by > 0 {
				u.parts[r.num] = true
			}
			u.add(e, o.keys[i], by)
		}
	case *pdfStream:
		u.add(o.dict, "", by)
	}
}

func (u *usage) refer(num uint32, key pdfName, by int) {
	u.count[num] += uint32(by)
	switch {
	case key == "Resources" || key == "DR":
		u.resources[num] += uint32(by)
	case isCategory[key]:
		u.categories[num] += uint32(by)
	}
	if by > 0 && nameMaps[key] {
		u.mapped[num], u.parts[num] = true, true
	}
	if by > 0 && key == "Contents" {
		u.parts[num] = true
	}
}
