package main

import (
	"errors"
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
	"github.com/truc-lienthong/truc/storage"
)

// sendCommand is the example sender: what an agency's document system does to hand a document in. Official PDFs come signed
// from the agency's signing tool and are sent byte for byte as they are; --cert and --key sign the metadata.
type sendCommand struct {
	Server     string `env:"TRUC_SERVER" default:"http://127.0.0.1:8080" help:"Address of the axis."`
	System     string `env:"TRUC_SYSTEM_ID" required:"" help:"Id of the connected system."`
	Secret     string `env:"TRUC_SYSTEM_SECRET" xor:"secret" required:"" help:"Its secret."`
	SecretFile string `env:"TRUC_SYSTEM_SECRET_FILE" name:"secret-file" xor:"secret" required:"" type:"existingfile" help:"File that holds it."`
	Cert       string `env:"TRUC_SEND_CERT" type:"existingfile" help:"Certificate, with its chain if you have it (PEM): with --key, the metadata are signed (detached PKCS#7)."`
	Key        string `env:"TRUC_SEND_KEY" type:"existingfile" help:"Its key (PEM)."`

	Sender     string   `env:"TRUC_SEND_SENDER" required:"" help:"Code of the sending agency."`
	To         []string `env:"TRUC_SEND_TO" required:"" help:"Code of a recipient, either form; repeat for more."`
	DocumentID string   `env:"TRUC_SEND_DOCUMENT_ID" name:"document-id" help:"Your own id of the document; sending it again is harmless. Made when not given."`
	Subject    string   `env:"TRUC_SEND_SUBJECT" help:"Subject (trích yếu)."`
	Type       string   `env:"TRUC_SEND_TYPE" default:"Công văn" help:"Document type."`
	TypeCode   int      `env:"TRUC_SEND_TYPE_CODE" name:"type-code" help:"Its number in the list of types."`
	Number     string   `env:"TRUC_SEND_NUMBER" help:"Code number (số)."`
	Notation   string   `env:"TRUC_SEND_NOTATION" help:"Notation (ký hiệu)."`
	Date       string   `env:"TRUC_SEND_DATE" help:"Promulgation date, yyyy-mm-dd; default today."`
	DueDate    string   `env:"TRUC_SEND_DUE_DATE" name:"due-date" help:"Due date, yyyy-mm-dd."`
	Signer     string   `env:"TRUC_SEND_SIGNER" help:"Who signed the document."`
	Position   string   `env:"TRUC_SEND_POSITION" help:"The signer's position."`
	Urgency    string   `env:"TRUC_SEND_URGENCY" enum:"normal,urgent,very_urgent,express" default:"normal" help:"normal, urgent, very_urgent or express (HỎA TỐC)."`

	DemoPDF string   `env:"TRUC_SEND_DEMO_PDF" name:"demo-pdf" placeholder:"SUBJECT" help:"Make a TEST document with this subject and sign it with the test PKI of a demo (needs --pki)."`
	PKI     string   `env:"TRUC_SEND_PKI" name:"pki" type:"existingdir" help:"Folder of a demo's test PKI: <state>/pki."`
	Files   []string `arg:"" optional:"" type:"path" help:"Files, sent as they are; the first is the document itself."`

	Tries int  `env:"TRUC_SEND_TRIES" default:"5" help:"Tries while the axis cannot be reached or asks to come later; 0: without end."`
	JSON  bool `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run sends one document until it is acknowledged or refused: exit 0 acknowledged (held, too: the axis has it), 1 refused,
// 4 what was given cannot be sent, 75 the axis cannot be reached, so that nobody knows whether it has the document.
func (s *sendCommand) Run(c *command) error {
	if err := s.check(); err != nil {
		return err
	}
	secret, err := s.secret()
	if err != nil {
		return err
	}
	client := toy.NewClient(s.Server, s.System, secret)
	defer client.Close()
	doc, err := s.document(c, client)
	if err != nil {
		return err
	}
	sender := toy.Sender{Client: client, Log: &toy.SentLog{}, Patience: toy.Patience{Tries: s.Tries}}
	sent, err := sender.Send(c.ctx, doc)
	var local *toy.LocalError
	switch {
	case errors.As(err, &local):
		return unusable("%v", err)
	case err != nil:
		return answer{exitDependency, fmt.Sprintf("%v; the document id is %s: sending it again with --document-id is harmless", err, doc.Dispatch.DocumentID)}
	case !sent.Acknowledged():
		return s.refused(c, sent)
	}
	return s.report(c, client, sent)
}

// check refuses what kong cannot.
func (s *sendCommand) check() error {
	wrong := func(text string) error { return answer{exitFlags, text} }
	switch {
	case (s.Cert == "") != (s.Key == ""):
		return wrong("--cert goes with --key")
	case s.DemoPDF != "" && s.PKI == "":
		return wrong("--demo-pdf needs --pki, the folder of a demo's test PKI (<state>/pki): an official document is signed by the agency's own tool")
	case s.DemoPDF == "" && len(s.Files) == 0:
		return wrong("nothing to send: name a file, or --demo-pdf with --pki for a TEST document")
	case s.DemoPDF == "" && s.Subject == "":
		return wrong("--subject is needed")
	}
	for name, day := range map[string]string{"--date": s.Date, "--due-date": s.DueDate} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return wrong(fmt.Sprintf("%s %q is not yyyy-mm-dd", name, day))
		}
	}
	return nil
}

func (s *sendCommand) secret() (string, error) {
	if s.SecretFile == "" {
		return s.Secret, nil
	}
	raw, err := os.ReadFile(s.SecretFile)
	if err != nil {
		return "", unusable("%v", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// document makes the submission.
func (s *sendCommand) document(c *command, client *toy.Client) (toy.Document, error) {
	now := time.Now()
	today := now.In(storage.Vietnam).Format(time.DateOnly)
	doc := toy.Document{Dispatch: toy.Dispatch{
		Sender: s.Sender, Recipients: s.To, DocumentID: s.DocumentID, Number: s.Number, Notation: s.Notation, PromulgationDate: s.Date,
		Type: toy.Type{Name: s.Type, Code: s.TypeCode}, Subject: s.Subject, Signer: toy.Signer{Name: s.Signer, Position: s.Position},
		Urgency: toy.Urgency(s.Urgency), DueDate: s.DueDate,
	}}
	if s.Date == "" {
		doc.Dispatch.PromulgationDate = today
	}
	if s.DocumentID == "" {
		doc.Dispatch.DocumentID = fmt.Sprintf("%s-%s-%s", s.Sender, today[:4], newSecret()[:12])
	}
	var err error
	if s.Cert != "" {
		if doc.Sign, err = metadataSigner(s.Cert, s.Key); err != nil {
			return doc, unusable("%v", err)
		}
	}
	if s.DemoPDF != "" {
		if err := s.addDemoPDF(c.ctx, client, &doc, now); err != nil {
			return doc, err
		}
	}
	for _, path := range s.Files {
		file, err := toy.Path(path, mime.TypeByExtension(filepath.Ext(path)))
		if err != nil {
			return doc, unusable("%v", err)
		}
		doc.Files = append(doc.Files, file)
	}
	return doc, nil
}

// refused tells why the axis did not take it: exit 1.
func (s *sendCommand) refused(c *command, sent toy.Sent) error {
	p := sent.Refused
	if s.JSON {
		if err := c.printJSON(map[string]any{"document_id": sent.DocumentID, "refused": p}); err != nil {
			return err
		}
		return answer{code: exitNo}
	}
	text := fmt.Sprintf("từ chối · refused: %s: %s · %s", p.Code, p.VI, p.EN)
	for _, q := range p.Problems {
		text += fmt.Sprintf("\n  %s: %s · %s", q.Field, q.VI, q.EN)
	}
	return answer{exitNo, text}
}

// report asks the axis what it has and tells it.
func (s *sendCommand) report(c *command, client *toy.Client, sent toy.Sent) error {
	a, err := client.Dispatch(c.ctx, sent.Dispatch, "", 500)
	if err != nil { // it is acknowledged all the same
		a = toy.Answer{ID: sent.Dispatch, State: sent.State, DocumentID: sent.DocumentID, Sender: sent.Sender, Recipients: len(sent.Recipients)}
		fmt.Fprintf(c.err, "truc: the document is acknowledged, but its state could not be read: %v\n", err)
	}
	a.Replay = sent.Replay
	if s.JSON {
		return c.printJSON(a)
	}
	return printAnswer(c, a)
}

func printAnswer(c *command, a toy.Answer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "id           %s\nstate        %s\ndocument id  %s\nverdict      %s\nrecipients   %d\n", a.ID, a.State, a.DocumentID, a.Verdict, a.Recipients)
	if a.Replay {
		b.WriteString("replay       trục đã có văn bản này · the axis had it already\n")
	}
	if a.Hold != nil {
		fmt.Fprintf(&b, "held         %s (%s)\n", a.Hold.Reason, a.Hold.Owner)
	}
	for _, f := range a.Files {
		fmt.Fprintf(&b, "file         %s  %d bytes  %s", f.Name, f.Size, f.Verdict)
		for _, r := range f.Reasons {
			fmt.Fprintf(&b, "; %s · %s", r.VI, r.EN)
		}
		b.WriteString("\n")
	}
	for _, w := range a.Warnings {
		fmt.Fprintf(&b, "warning      %s · %s\n", w.VI, w.EN)
	}
	for _, d := range a.Deliveries[:min(20, len(a.Deliveries))] {
		fmt.Fprintf(&b, "to           %s  %s  %s  %s\n", d.AddressedTo, d.Name, d.Way, d.State)
	}
	if more := a.Recipients - 20; more > 0 && len(a.Deliveries) > 0 {
		fmt.Fprintf(&b, "             … %d more\n", more)
	}
	_, err := fmt.Fprint(c.out, b.String())
	return err
}
