package signing

import (
	"slices"
	"strings"
)

// fieldLock says which form fields a signature locks (ISO 32000-2, 12.8.2.4 and table 236).
type fieldLock struct {
	action pdfName // All, Include or Exclude
	fields []string
}

// holds says whether a field is locked. Naming a field locks those under it too.
func (l fieldLock) holds(name string) bool {
	listed := slices.ContainsFunc(l.fields, func(f string) bool { return name == f || strings.HasPrefix(name, f+".") })
	switch l.action {
	case "All":
		return true
	case "Include":
		return listed
	case "Exclude":
		return !listed
	}
	return false
}

// permissions reads what a signature says of later changes: the transforms of its /Reference and the /Lock of its field.
func (d *pdfDoc) permissions(s *pdfSignature) {
	v := d.view(max(s.revision, 0))
	list, err := v.array(s.field.dict.get("Reference"))
	if err != nil {
		return
	}
	for i, o := range list {
		ref, err := v.dict(o)
		if err != nil || i == 16 {
			return
		}
		parms, err := v.dict(ref.get("TransformParams"))
		if err != nil {
			return
		}
		switch v.value(ref, "TransformMethod") {
		case pdfName("DocMDP"):
			s.restrict(v, parms, 2) // the default (ISO 32000-1, table 254)
		case pdfName("FieldMDP"):
			s.lock(v, parms)
		}
	}
	if lock, err := v.dict(s.field.lock); err == nil && lock != nil {
		s.restrict(v, lock, 0)
		s.lock(v, lock)
	}
}

// restrict takes the narrowest permission /P.
func (s *pdfSignature) restrict(v pdfView, d *pdfDict, p int) {
	if n, ok := v.value(d, "P").(int64); ok && n >= 1 && n <= 3 {
		p = int(n)
	}
	if p > 0 && (s.docMDP == 0 || p < s.docMDP) {
		s.docMDP = p
	}
}

func (s *pdfSignature) lock(v pdfView, d *pdfDict) {
	l := fieldLock{}
	l.action, _ = v.value(d, "Action").(pdfName)
	names, _ := v.array(d.get("Fields"))
	for i, n := range names {
		if n, err := v.resolve(n); err == nil && i < 1000 {
			if t, ok := n.(pdfString); ok {
				l.fields = append(l.fields, pdfText(t))
			}
		}
	}
	if l.action != "" {
		s.locks = append(s.locks, l)
	}
}

// value gives an entry, resolved; nil when it cannot be read.
func (v pdfView) value(d *pdfDict, key pdfName) any {
	o, err := v.resolve(d.get(key))
	if err != nil {
		return nil
	}
	return o
}
