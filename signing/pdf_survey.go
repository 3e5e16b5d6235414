package signing

import "strings"

const (
	surveyPages       = 5_000
	surveyAnnotations = 20_000
	surveyNames       = 1_000
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
	pages, _ := v.pageTree()
	seen := 0
	for num, n := range pages {
		if n == 0 {
			continue
		}
		if seen++; seen > surveyPages {
			break
		}
		s.page(num)
	}
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
		s.additional(a.get("AA"))
		if a.name("Subtype") == "FileAttachment" {
			s.file(a.get("FS"))
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
	switch d.name("S") {
	case "JavaScript", "Rendition":
		s.flag(JavaScript)
	case "Launch":
		s.flag(LaunchAction)
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
	".reg": true, ".sh": true, ".apk": true, ".app": true, ".docm": true, ".xlsm": true, ".iso": true,
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
	}
	s.flag(EmbeddedFile)
	for _, n := range names {
		n, err := s.view.resolve(n)
		if t, ok := n.(pdfString); err == nil && ok && executable[ending(pdfText(t))] {
			s.flag(EmbeddedExecutable)
		}
	}
}

// ending is the file name's last extension, as a careless system would read it.
func ending(name string) string {
	name = strings.ToLower(strings.TrimRight(name, " ."))
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i:]
	}
	return ""
}
