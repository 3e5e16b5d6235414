package signing

import "unicode/utf16"

const maxFields = 20_000

// pdfField is a signature field with a value.
type pdfField struct {
	name string
	ref  pdfRef // of the field, 0 when written in place
	sig  pdfRef // of the signature dictionary, 0 when written in place
	dict *pdfDict
	page pdfRef     // /P of its (first) widget
	rect [4]float64 // of its (first) widget
	at   xrefEntry  // where the signature dictionary is: its identity across revisions
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
	for _, f := range top {
		if err := w.field(f, "", nil, 0); err != nil {
			return nil, err
		}
	}
	return w.found, nil
}

type fieldWalk struct {
	view  pdfView
	seen  map[uint32]bool
	count int
	found []pdfField
}

// field visits one node of the field tree; kind is the inherited /FT.
func (w *fieldWalk) field(o any, name string, kind any, depth int) error {
	ref, isRef := o.(pdfRef)
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
		return w.signature(d, ref, name, value)
	}
	kids, err := w.view.array(d.get("Kids"))
	if err != nil {
		return err
	}
	for _, k := range kids {
		if err := w.field(k, name, kind, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *fieldWalk) signature(d *pdfDict, ref pdfRef, name string, value any) error {
	f := pdfField{name: name, ref: ref}
	f.sig, _ = value.(pdfRef)
	var err error
	if f.dict, err = w.view.dict(value); err != nil {
		return err
	}
	if f.dict == nil {
		return nil // the value is null: a field made ready for signing
	}
	if f.sig.num != 0 {
		f.at, _ = w.view.entry(f.sig.num)
	}
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
func (v pdfView) rect(d *pdfDict) (out [4]float64) {
	list, err := v.array(d.get("Rect"))
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
