package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
	"github.com/truc-lienthong/truc/cmd/truc/demodata"
	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing/testpki"
	"github.com/truc-lienthong/truc/storage"
)

// letter is one official document of the demo, before it is written and signed.
type letter struct {
	sender     routing.Code
	number     int
	about      demodata.Subject
	to         []string // codes, either form
	toText     string   // as printed
	signer     string
	position   string
	paragraphs []string
	spoil      func(pdf []byte) []byte // what a forger does to the signed file; nil: nothing
}

// subjectAbout finds one of demodata's documents by words of its subject.
func subjectAbout(words string) demodata.Subject {
	for _, s := range demodata.Subjects() {
		if strings.Contains(s.Subject, words) {
			return s
		}
	}
	panic("the demo has no document about " + words) // a slip in this package
}

// write makes the PDF, signs it as the leader and then as the agency, and makes the submission, whose metadata the agency
// signs too.
func (w *world) write(l letter, now time.Time) (toy.Document, error) {
	sender, ok := w.dir.Get(l.sender)
	if !ok {
		return toy.Document{}, fmt.Errorf("the demo's directory has no %s", l.sender)
	}
	pdf, err := w.signedPDF(l, sender, now)
	if err != nil {
		return toy.Document{}, err
	}
	if l.spoil != nil {
		pdf = l.spoil(pdf)
	}
	day := now.In(storage.Vietnam)
	d := toy.Dispatch{
		Sender: string(l.sender), Recipients: l.to, DocumentID: fmt.Sprintf("%s-%d-%06d", l.sender, day.Year(), l.number),
		Number: fmt.Sprint(l.number), Notation: l.about.NotationFor(sender), PromulgationDate: day.Format(time.DateOnly), Place: placeOf(w.dir, sender),
		Type: toy.Type{Name: l.about.Type, Code: l.about.TypeCode}, Subject: l.about.Subject + " (TEST)",
		Signer:  toy.Signer{Name: l.signer, Position: l.position},
		Urgency: urgencyWord(l.about.Urgency), PageAmount: 1, IssuedAmount: 1, ToPlaces: []string{l.toText},
	}
	seal, err := w.pki.Agency(fullName(w.dir, sender), string(sender.Code))
	if err != nil {
		return toy.Document{}, err
	}
	sign := func(part []byte) ([]byte, error) { return testpki.SignCMS(seal, part, now) }
	name := fmt.Sprintf("%d-%s.pdf", l.number, strings.ReplaceAll(d.Notation, "Đ", "D"))
	return toy.Document{Dispatch: d, Sign: sign, Files: []toy.File{toy.Bytes(name, "application/pdf", pdf)}}, nil
}

// signedPDF is the document in the form of NĐ 30/2020: the leader's signature first, then the agency's seal, each with a
// timestamp.
func (w *world) signedPDF(l letter, sender routing.Agency, now time.Time) ([]byte, error) {
	doc := testpki.Document{
		Parent: "CHÍNH PHỦ", Agency: strings.ToUpper(sender.Name), Number: fmt.Sprintf("%d/%s", l.number, l.about.NotationFor(sender)),
		Place: placeOf(w.dir, sender), Date: now, Subject: l.about.Subject, To: []string{l.toText}, Paragraphs: l.paragraphs,
		Position: strings.ToUpper(l.position), Signer: l.signer,
	}
	if parent, ok := w.dir.Get(sender.Parent); ok {
		doc.Parent = strings.ToUpper(parent.Name)
	}
	if l.about.Type != "Công văn" {
		doc.Type = strings.ToUpper(l.about.Type)
	}
	pdf, err := testpki.PDF(doc)
	if err != nil {
		return nil, err
	}
	person, err := w.pki.Person(l.signer, fullName(w.dir, sender), string(sender.Code))
	if err != nil {
		return nil, err
	}
	seal, err := w.pki.Agency(fullName(w.dir, sender), string(sender.Code))
	if err != nil {
		return nil, err
	}
	if pdf, err = testpki.SignPDF(pdf, testpki.PDFSignature{Signer: person, Time: now, TSA: w.pki}); err != nil {
		return nil, err
	}
	return testpki.SignPDF(pdf, testpki.PDFSignature{Signer: seal, Time: now, TSA: w.pki, Seal: true})
}

// fullName tells namesakes apart by their province: Sở Y tế tỉnh Nghệ An.
func fullName(d *routing.Directory, a routing.Agency) string {
	parent, ok := d.Get(a.Parent)
	if !ok {
		return a.Name
	}
	where := strings.TrimPrefix(parent.Name, "UBND ")
	if strings.HasPrefix(a.Name, "UBND ") {
		return a.Name + ", " + where
	}
	return a.Name + " " + where
}

// placeOf is where the document says it was written: the province's name, Hà Nội for a ministry.
func placeOf(d *routing.Directory, a routing.Agency) string {
	if path := d.Path(a.Code); len(path) > 0 && strings.HasPrefix(string(path[0].Code), "H") {
		return path[0].ShortName()
	}
	return "Hà Nội"
}

func urgencyWord(u routing.Urgency) toy.Urgency {
	text, err := u.MarshalText()
	if err != nil {
		panic(err) // an urgency of our own
	}
	return toy.Urgency(text)
}
