package signing

import (
	"bytes"
	"compress/zlib"
	"io"
	"slices"
	"strings"
)

const (
	surveyAnnotations = 20_000
	surveyNames       = 1_000 // of name trees, bookmarks and fields each
)

// survey looks at what a document can do by itself (R97): scripts, commands, embedded files. It also numbers the pages, for
// the report. It is a survey and not a scanner: bounded, and silent about what it cannot read.
func (v pdfView) survey() (map[uint32]int, []Reason) {
	s := surveyor{view: v}
	root, err := v.dict(v.trailer().get("Root"))
	if err != nil || root == nil {
		return nil, nil
	}
	s.action(root.get("OpenAction"), 0)
	s.additional(root.get("AA"))
	names, _ := v.dict(root.get("Names"))
	if s.tree(names.get("JavaScript"), 0, func(any) {}) {
		s.flag(JavaScript)
	}
	s.tree(names.get("EmbeddedFiles"), 0, s.file)
	s.attached(root.get("AF"))
	outlines, _ := v.dict(root.get("Outlines"))
	s.bookmarks(outlines.get("First"))
	s.form(root.get("AcroForm"))
	pages, _ := v.pageTree()
	for num, n := range pages {
		if n > 0 {
			s.page(num)
		}
	}
	slices.Sort(s.flags)
	return pages, s.flags
}

type surveyor struct {
	view        pdfView
	flags       []Reason
	annotations int
	names       int
}

func (s *surveyor) flag(r Reason) { s.flags = addReason(s.flags, r) }

func (s *surveyor) page(num uint32) {
	d, err := s.view.dict(pdfRef{num: num})
	if err != nil || d == nil {
		return
	}
	s.additional(d.get("AA"))
	list, _ := s.view.array(d.get("Annots"))
	for _, o := range list {
		if s.annotations++; s.annotations > surveyAnnotations {
			return
		}
		a, err := s.view.dict(o)
		if err != nil || a == nil {
			continue
		}
		s.action(a.get("A"), 0)
		s.action(a.get("PA"), 0)
		s.additional(a.get("AA"))
		switch a.name("Subtype") {
		case "FileAttachment":
			s.file(a.get("FS"))
		case "RichMedia", "Movie", "Sound", "3D":
			s.flag(RichMedia)
		}
	}
}

// attached looks at the associated files of the document (ISO 32000-2, 14.13).
func (s *surveyor) attached(o any) {
	list, _ := s.view.array(o)
	for i, f := range list {
		if i < surveyNames {
			s.file(f)
		}
	}
}

// bookmarks follows those of the top and what hangs under each.
func (s *surveyor) bookmarks(o any) {
	queue := []any{o}
	for n := 0; len(queue) > 0 && n < surveyNames; n++ {
		d, err := s.view.dict(queue[0])
		queue = queue[1:]
		if err != nil || d == nil {
			continue
		}
		s.action(d.get("A"), 0)
		for _, k := range []pdfName{"First", "Next"} {
			if next := d.get(k); next != nil {
				queue = append(queue, next)
			}
		}
	}
}

// form looks at the scripts of fields, and at an XFA form, which shows what the pages do not say.
func (s *surveyor) form(o any) {
	form, err := s.view.dict(o)
	if err != nil || form == nil {
		return
	}
	if xfa := form.get("XFA"); xfa != nil {
		s.flag(XFAForm)
		s.xfa(xfa)
	}
	top, _ := s.view.array(form.get("Fields"))
	queue := top[:min(len(top), surveyNames)]
	for n := 0; len(queue) > 0 && n < surveyNames; n++ {
		d, err := s.view.dict(queue[0])
		queue = queue[1:]
		if err != nil || d == nil {
			continue
		}
		s.action(d.get("A"), 0)
		s.additional(d.get("AA"))
		if kids, err := s.view.array(d.get("Kids")); err == nil && len(queue) < surveyNames {
			queue = append(queue[:len(queue):len(queue)], kids...)
		}
	}
}

// xfa looks for scripts in the XML of a form, which is one stream or several.
func (s *surveyor) xfa(o any) {
	v, err := s.view.resolve(o)
	if err != nil {
		return
	}
	parts, ok := v.(pdfArray)
	if !ok {
		parts = pdfArray{v}
	}
	for i, p := range parts {
		st, _ := s.view.resolve(p)
		stream, ok := st.(*pdfStream)
		if !ok || i > 40 {
			continue
		}
		if data, err := s.view.doc.inflate(stream, &s.view); err == nil && bytes.Contains(data, []byte("<script")) {
			s.flag(JavaScript)
		}
	}
}

// action follows an action and its /Next.
func (s *surveyor) action(o any, depth int) {
	if o == nil || depth > 8 {
		return
	}
	v, err := s.view.resolve(o)
	if err != nil {
		return
	}
	if list, ok := v.(pdfArray); ok {
		for i, e := range list {
			if _, isRef := e.(pdfRef); i < 16 && (isRef || dictOf(e) != nil) {
				s.action(e, depth+1)
			}
		}
		return
	}
	d := dictOf(v)
	if d.get("JS") != nil { // of JavaScript and Rendition actions
		s.flag(JavaScript)
	}
	switch d.name("S") {
	case "JavaScript":
		s.flag(JavaScript)
	case "Launch":
		s.flag(LaunchAction)
	case "SubmitForm", "ImportData", "GoToR", "GoToE":
		s.flag(ExternalAction)
	case "RichMediaExecute":
		s.flag(RichMedia)
	}
	s.action(d.get("Next"), depth+1)
}

func (s *surveyor) additional(o any) {
	d, err := s.view.dict(o)
	if err != nil || d == nil {
		return
	}
	for i, v := range d.vals {
		if i < 32 {
			s.action(v, 0)
		}
	}
}

// tree visits the values of a name tree and says whether there are any.
func (s *surveyor) tree(o any, depth int, f func(any)) bool {
	d, err := s.view.dict(o)
	if err != nil || d == nil || depth > 16 {
		return false
	}
	found := false
	list, _ := s.view.array(d.get("Names"))
	for i := 1; i < len(list) && s.names < surveyNames; i += 2 {
		s.names++
		found = true
		f(list[i])
	}
	kids, _ := s.view.array(d.get("Kids"))
	for _, k := range kids {
		if s.names++; s.names > surveyNames {
			break
		}
		found = s.tree(k, depth+1, f) || found
	}
	return found
}

// executable are the endings that a receiver's machine would run.
var executable = map[string]bool{
	".exe": true, ".com": true, ".scr": true, ".bat": true, ".cmd": true, ".ps1": true, ".vbs": true, ".vbe": true, ".js": true,
	".jse": true, ".wsf": true, ".hta": true, ".msi": true, ".dll": true, ".jar": true, ".lnk": true, ".pif": true, ".cpl": true,
	".reg": true, ".sh": true, ".apk": true, ".app": true, ".docm": true, ".xlsm": true, ".pptm": true, ".msp": true, ".application": true, ".gadget": true, ".psm1": true,
	".dmg": true, ".vhd": true, ".img": true, ".py": true, ".chm": true, ".sct": true, ".url": true, ".xll": true, ".iso": true,
}

// file looks at a file specification.
func (s *surveyor) file(o any) {
	v, err := s.view.resolve(o)
	if err != nil {
		return
	}
	names := []any{v}
	if d := dictOf(v); d != nil {
		names = []any{d.get("F"), d.get("UF"), d.get("DOS"), d.get("Unix")}
		s.data(d.get("EF"))
	}
	s.flag(EmbeddedFile)
	for _, n := range names {
		n, err := s.view.resolve(n)
		if t, ok := n.(pdfString); err == nil && ok && executable[ending(pdfText(t))] {
			s.flag(EmbeddedExecutable)
		}
	}
}

// magic are the first bytes of what machines run, whatever its name says: Windows, Linux, scripts, Java, macOS, shortcuts.
var magic = []string{"MZ", "\x7fELF", "#!", "\xca\xfe\xba\xbe", "\xcf\xfa\xed\xfe", "\xce\xfa\xed\xfe", "L\x00\x00\x00\x01\x14\x02\x00"}

// data looks at the beginning of the embedded file itself.
func (s *surveyor) data(o any) {
	files, err := s.view.dict(o)
	if err != nil || files == nil {
		return
	}
	for i, f := range files.vals {
		st, _ := s.view.resolve(f)
		stream, ok := st.(*pdfStream)
		if !ok || i > 8 {
			continue
		}
		head := s.view.doc.head(stream, &s.view)
		for _, m := range magic {
			if strings.HasPrefix(head, m) {
				s.flag(EmbeddedExecutable)
			}
		}
	}
}

// head gives the first bytes of a stream, no more of which is unpacked.
func (d *pdfDoc) head(st *pdfStream, v *pdfView) string {
	at, n, err := d.raw(st, v)
	if err != nil {
		return ""
	}
	var r io.Reader = io.NewSectionReader(d.r, at, n)
	filter := st.dict.get("Filter")
	if list, ok := filter.(pdfArray); ok && len(list) == 1 {
		filter = list[0]
	}
	if filter == pdfName("FlateDecode") || filter == pdfName("Fl") {
		if r, err = zlib.NewReader(r); err != nil {
			return ""
		}
	} else if filter != nil {
		return ""
	}
	b := make([]byte, 16)
	got, _ := io.ReadFull(r, b)
	return string(b[:got])
}

// version gives the version that the catalog claims, which counts when it is the later (ISO 32000-1, 7.5.2).
func (v pdfView) version() string {
	root, err := v.dict(v.trailer().get("Root"))
	if err != nil {
		return ""
	}
	return pdfVersion([]byte("%PDF-" + root.name("Version")))
}

// ending is the file name's last extension, as a careless system would read it.
func ending(name string) string {
	name = strings.ToLower(strings.TrimRight(name, " ."))
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i:]
	}
	return ""
}
