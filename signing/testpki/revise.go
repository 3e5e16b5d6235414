package testpki

import (
	"bytes"
	"fmt"
)

// Revision is an incremental update in the making: what a tool, a clerk or a forger appends to a file.
type Revision struct {
	f       *pdfFile
	changes []change
	next    int
}

// Revise begins an update of a PDF.
func Revise(pdf []byte) (*Revision, error) {
	f, err := open(pdf)
	if err != nil {
		return nil, err
	}
	return &Revision{f: f, next: f.size}, nil
}

// Root is the number of the catalog.
func (r *Revision) Root() int { return r.f.root }

// Page is the number of the first page.
func (r *Revision) Page() int {
	catalog := r.Object(r.f.root)
	n, _, err := r.f.firstPage(catalog)
	if err != nil {
		return 0
	}
	return n
}

// Form is the number of the AcroForm, 0 when there is none.
func (r *Revision) Form() int { return match(reAcroForm, r.Object(r.f.root)) }

// Ref finds "/key n 0 R" in a body and gives n.
func Ref(body []byte, key string) int {
	at := bytes.Index(body, []byte(key+" "))
	if at < 0 {
		return 0
	}
	return number(body[at+len(key)+1:])
}

// Object gives the body of an object as it will be: changed in this revision, or as it was.
func (r *Revision) Object(n int) []byte {
	for _, c := range r.changes {
		if c.n == n {
			return c.body
		}
	}
	body, err := r.f.object(n)
	if err != nil {
		return nil
	}
	return append([]byte(nil), body...)
}

// Set gives an object a new body.
func (r *Revision) Set(n int, body []byte) {
	for i := range r.changes {
		if r.changes[i].n == n {
			r.changes[i].body = body
			return
		}
	}
	r.changes = append(r.changes, change{n, body})
	r.next = max(r.next, n+1)
}

// Add makes a new object and gives its number.
func (r *Revision) Add(format string, args ...any) int {
	n := r.next
	r.Set(n, fmt.Appendf(nil, format, args...))
	return n
}

// Stream makes a new stream object.
func (r *Revision) Stream(dict, data string) int {
	return r.Add("<<%s /Length %d>>\nstream\n%s\nendstream", dict, len(data), data)
}

// Insert puts text into a dictionary object.
func (r *Revision) Insert(n int, format string, args ...any) {
	r.Set(n, insert(r.Object(n), fmt.Sprintf(format, args...)))
}

// Replace changes text within an object.
func (r *Revision) Replace(n int, old, new string) {
	r.Set(n, bytes.Replace(r.Object(n), []byte(old), []byte(new), 1))
}

// Annotate adds an annotation (given by the rest of its dictionary) to page 1.
func (r *Revision) Annotate(dict string) int {
	n := r.Add("<</Type /Annot /P %d 0 R %s>>", r.Page(), dict)
	r.Set(r.Page(), addRef(r.Object(r.Page()), reAnnots, "/Annots", n))
	return n
}

// Field adds a field to the form.
func (r *Revision) Field(n int) {
	r.Set(r.Form(), addRef(r.Object(r.Form()), reFields, "/Fields", n))
}

// Bytes gives the file with the revision appended.
func (r *Revision) Bytes() []byte {
	out, _ := r.f.update(r.changes)
	return out
}
