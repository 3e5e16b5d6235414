package signing

import "unicode/utf16"

const maxFields = 20_000

// pdfField is a signature field with a value.
type pdfField struct {
	name string
	ref  pdfRef // of the field, 0 when written in place
	sig  pdfRef // of the signature dictionary, 0 when written in place
	dict *pdfDict

	lock   any        // /Lock of the field
	holder pdfRef     // of the object that the signature dictionary is written in
	page   pdfRef     // /P of its (first) widget
	rect   [4]float64 // of its (first) widget
	at     xrefEntry  // where the holder is: the signature's identity across revisions, with the place of its Contents
}

// form gives the AcroForm dictionary of a revision; nil when there is none.
func (v pdfView) form() (*pdfDict, error) {
	root, err := v.dict(v.trailer().get("Root"))
	if err != nil {
		return nil, err
	}
	return v.dict(root.get("AcroForm"))
}

// signatureFields walks the form of a revision for signature fields that have a value, in the order of the form.
func (v pdfView) signatureFields() ([]pdfField, error) {
	form, err := v.form()
	if err != nil || form == nil {
		return nil, err
	}
	top, err := v.array(form.get("Fields"))
	if err != nil {
		return nil, err
	}
	w := fieldWalk{view: v, seen: map[uint32]bool{}}
	root, _ := v.trailer().get("Root").(pdfRef)
	holder := nearest(form.get("Fields"), nearest(v.formRef(), root))
	for _, f := range top {
		if err := w.field(f, holder, "", nil, 0); err != nil {
			return nil, err
		}
	}
	return w.found, nil
}

// formRef gives the reference to the form, when it is one.
func (v pdfView) formRef() any {
	root, err := v.dict(v.trailer().get("Root"))
	if err != nil {
		return nil
	}
	return root.get("AcroForm")
}

// nearest gives the object that a value is written in: its own, or the one around it.
func nearest(o any, around pdfRef) pdfRef {
	if r, ok := o.(pdfRef); ok {
		return r
	}
	return around
}

type fieldWalk struct {
	view  pdfView
	seen  map[uint32]bool
	count int
	found []pdfField
}

// field visits one node of the field tree; holder is the object around it, kind the inherited /FT.
func (w *fieldWalk) field(o any, holder pdfRef, name string, kind any, depth int) error {
	ref, isRef := o.(pdfRef)
	holder = nearest(o, holder)
	if isRef {
		if w.seen[ref.num] {
			return nil
		}
		w.seen[ref.num] = true
	}
	w.count++
	if w.count > maxFields || depth > 32 {
		return errPDFLimit
	}
	d, err := w.view.dict(o)
	if err != nil || d == nil {
		return err
	}
	if t, ok := d.get("T").(pdfString); ok {
		if name != "" {
			name += "."
		}
		name += pdfText(t)
	}
	if ft := d.get("FT"); ft != nil {
		if kind, err = w.view.resolve(ft); err != nil {
			return err
		}
	}
	if value := d.get("V"); value != nil && kind == pdfName("Sig") {
		return w.signature(d, pdfField{name: name, ref: ref, holder: nearest(value, holder)}, value)
	}
	kids, err := w.view.array(d.get("Kids"))
	if err != nil {
		return err
	}
	for _, k := range kids {
		if err := w.field(k, nearest(d.get("Kids"), holder), name, kind, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *fieldWalk) signature(d *pdfDict, f pdfField, value any) error {
	f.lock = d.get("Lock")
	f.sig, _ = value.(pdfRef)
	var err error
	if f.dict, err = w.view.dict(value); err != nil {
		return err
	}
	if f.dict == nil {
		return nil // the value is null: a field made ready for signing
	}
	f.at, _ = w.view.entry(f.holder.num)
	widget := d
	if kids, err := w.view.array(d.get("Kids")); err == nil && len(kids) > 0 {
		if k, err := w.view.dict(kids[0]); err == nil && k != nil {
			widget = k
		}
	}
	f.page, _ = widget.get("P").(pdfRef)
	f.rect = w.view.rect(widget)
	w.found = append(w.found, f)
	return nil
}

// rect reads /Rect.
func (v pdfView) rect(d *pdfDict) [4]float64 { return v.rectangle(d.get("Rect")) }

func (v pdfView) rectangle(o any) (out [4]float64) {
	list, err := v.array(o)
	if err != nil || len(list) != 4 {
		return out
	}
	for i, n := range list {
		switch n := n.(type) {
		case int64:
			out[i] = float64(n)
		case float64:
			out[i] = n
		}
	}
	return out
}

// pdfText decodes a text string: UTF-16 with its mark, UTF-8 with its mark, else bytes as they are.
func pdfText(s pdfString) string {
	if len(s) >= 2 && s[0] == 0xFE && s[1] == 0xFF {
		var units []uint16
		for i := 2; i+1 < len(s); i += 2 {
			units = append(units, uint16(s[i])<<8|uint16(s[i+1]))
		}
		return string(utf16.Decode(units))
	}
	if len(s) >= 3 && s[0] == 0xEF && s[1] == 0xBB && s[2] == 0xBF {
		return string(s[3:])
	}
	return string(s)
}
