package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
)

// vietnam is the zone of every day that an agency writes.
var vietnam = time.FixedZone("+07", 7*3600)

// documentFlags describe the document, for send and load.
type documentFlags struct {
	Sender     string   `help:"Mã định danh cơ quan gửi. · Code of the sending agency."`
	To         []string `help:"Mã định danh cơ quan nhận; lặp lại được. · Code of a recipient; repeatable."`
	DocumentID string   `help:"Mã văn bản của bên gửi; mặc định tự sinh. · The sender's own document id; made by default."`
	Number     string   `default:"1" help:"Số văn bản. · Code number."`
	Notation   string   `default:"VP" help:"Ký hiệu văn bản. · Notation."`
	Type       string   `default:"Công văn" help:"Loại văn bản. · Document type."`
	Subject    string   `default:"V/v gửi thử" help:"Trích yếu. · Subject."`
	Signer     string   `default:"Nguyễn Văn Thử" help:"Người ký. · Who signed."`
	Urgency    string   `default:"normal" enum:"normal,urgent,very_urgent,express" help:"Độ khẩn (express = HỎA TỐC). · Urgency."`
	Files      []string `arg:"" optional:"" type:"existingfile" help:"Tệp văn bản đã ký. · Signed files."`
}

// document makes document i; suffix tells several of one run apart.
func (d documentFlags) document(suffix string) (toy.Document, error) {
	doc := toy.Document{Dispatch: toy.Dispatch{
		Sender: d.Sender, Recipients: d.To, DocumentID: d.DocumentID + suffix, Kind: toy.KindNew, Number: d.Number, Notation: d.Notation,
		PromulgationDate: time.Now().In(vietnam).Format(time.DateOnly), Type: toy.Type{Name: d.Type}, Subject: d.Subject,
		Signer: toy.Signer{Name: d.Signer}, Urgency: toy.Urgency(d.Urgency),
	}}
	var err error
	doc.Files, err = d.files()
	return doc, err
}

func (d documentFlags) files() ([]toy.File, error) {
	var files []toy.File
	for _, path := range d.Files {
		f, err := toy.Path(path, mime.TypeByExtension(filepath.Ext(path)))
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// name gives the run a document id of its own when none was given.
func (d *documentFlags) name() {
	if d.DocumentID == "" {
		d.DocumentID = fmt.Sprintf("%s-%s-%s", d.Sender, time.Now().In(vietnam).Format("2006"), rand.Text()[:10])
	}
}

type sendCmd struct {
	axisFlags
	vxpFlags
	documentFlags
	Dispatch  string `type:"existingfile" help:"Tệp chứa đúng các byte của phần đầu (JSON) thay cho các tùy chọn trên. · File with the exact bytes of the first part (JSON), in place of the options above."`
	Edxml     string `type:"existingfile" help:"Gói tin edXML thay cho JSON. · An edXML packet in place of JSON."`
	Signature string `type:"existingfile" help:"Chữ ký PKCS#7 tách rời trên phần đầu (DER). · Detached PKCS#7 (DER) over the first part."`
	Key       string `help:"Idempotency-Key."`
	Count     int    `default:"1" help:"Số văn bản, mã thêm -1, -2 … · Number of documents, ids get -1, -2 …"`
	Workers   int    `default:"1" help:"Số văn bản gửi cùng lúc. · Documents in flight."`
	Tries     int    `default:"0" help:"Số lần thử; 0 là không giới hạn. · Tries; 0 is no limit."`
	Standing  bool   `help:"VXP: hỏi getSentEdocList xem văn bản đã gửi đến đâu ở từng nơi nhận. · VXP: ask getSentEdocList where each recipient's packet stands."`
	Log       string `type:"path" help:"Nhật ký JSON từng dòng của những gì đã được xác nhận. · JSON-lines log of what was acknowledged."`
}

// Validate checks what kong cannot.
func (c *sendCmd) Validate() error {
	ready := c.Dispatch != "" || c.Edxml != ""
	switch {
	case c.Dispatch != "" && c.Edxml != "":
		return fmt.Errorf("chỉ một trong --dispatch, --edxml · only one of --dispatch, --edxml")
	case !ready && (c.Sender == "" || len(c.To) == 0):
		return fmt.Errorf("cần --sender và --to (hoặc --dispatch, --edxml) · --sender and --to are needed (or --dispatch, --edxml)")
	case ready && c.Count != 1:
		return fmt.Errorf("--count cần --sender và --to · --count needs --sender and --to")
	case c.Standing && !c.Vxp:
		return fmt.Errorf("--standing cần --vxp · --standing needs --vxp")
	case c.Vxp && (c.Dispatch != "" || c.Signature != "" || c.Key != ""):
		return fmt.Errorf("--vxp gửi gói edXML: không có --dispatch, --signature, --key · --vxp sends edXML packets: no --dispatch, --signature, --key")
	case c.Signature != "" && !ready:
		return fmt.Errorf("--signature ký đúng các byte của --dispatch hoặc --edxml · --signature is over the exact bytes of --dispatch or --edxml")
	}
	return nil
}

// Run sends and tells of each document what the axis said.
func (c *sendCmd) Run(ctx context.Context, t *term) error {
	c.name()
	log, err := toy.OpenSentLog(c.Log)
	if err != nil {
		return input(c.Log, err)
	}
	defer log.Close()
	before := len(log.All())
	client, err := c.clients(c.axisFlags)
	if err != nil {
		return err
	}
	defer client.close()
	docs := make([]toy.Document, c.Count)
	for i := range docs {
		if docs[i], err = c.make(i); err != nil {
			return err
		}
	}
	s := toy.Sender{Client: client.native, VXP: client.vxp, Log: log, Workers: c.Workers, Standing: c.Standing, Documents: func(i int) toy.Document { return docs[i] }}
	s.Patience.Tries = c.Tries
	if err := s.Run(ctx, 0, c.Count); err != nil {
		return err
	}
	sent := log.All()[before:]
	var rows []toy.SentEdoc
	if c.Standing {
		if rows, err = standing(ctx, client.vxp, sent); err != nil {
			return err
		}
	}
	return c.report(t, sent, rows)
}

// standing asks where what was sent stands.
func standing(ctx context.Context, v *toy.VXP, sent []toy.Sent) ([]toy.SentEdoc, error) {
	all := []toy.SentEdoc{}
	for _, s := range sent {
		if !s.Acknowledged() {
			continue
		}
		rows, err := v.GetSentEdocList(ctx, toy.EdocQueue, s.Dispatch)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

func (c *sendCmd) report(t *term, sent []toy.Sent, rows []toy.SentEdoc) error {
	refused := 0
	var text []string
	for _, s := range sent {
		if s.Acknowledged() {
			text = append(text, fmt.Sprintf("%s: %s %s, %d nơi nhận · recipients", s.DocumentID, s.State, s.Dispatch, len(s.Recipients)))
			continue
		}
		refused++
		text = append(text, fmt.Sprintf("%s: %v", s.DocumentID, s.Refused))
	}
	for _, r := range rows {
		text = append(text, fmt.Sprintf("  %s: %s %s", r.ToCode, r.ReceiveStatus, r.ReceiveStatusDesc))
	}
	sum := map[string]any{"acknowledged": len(sent) - refused, "refused": refused, "sent": sent}
	if c.Standing {
		sum["standing"] = rows
	}
	if err := t.tell(sum, strings.Join(text, "\n")); err != nil {
		return err
	}
	if refused > 0 {
		return errNo
	}
	return nil
}

func (c *sendCmd) make(i int) (toy.Document, error) {
	if c.Dispatch == "" && c.Edxml == "" {
		suffix := ""
		if c.Count > 1 {
			suffix = fmt.Sprintf("-%d", i+1)
		}
		doc, err := c.document(suffix)
		doc.Key = c.key(suffix)
		return doc, err
	}
	doc := toy.Document{EdXML: c.Edxml != "", Key: c.Key}
	var err error
	if doc.Files, err = c.files(); err != nil {
		return doc, err
	}
	path := c.Dispatch + c.Edxml // one of them is empty
	if doc.Part, err = os.ReadFile(path); err != nil {
		return doc, input(path, err)
	}
	if c.Signature != "" {
		doc.Sign = func([]byte) ([]byte, error) { return os.ReadFile(c.Signature) }
	}
	if doc.EdXML {
		return doc, nil
	}
	return doc, input(path, json.Unmarshal(doc.Part, &doc.Dispatch))
}

func (c *sendCmd) key(suffix string) string {
	if c.Key == "" {
		return ""
	}
	return c.Key + suffix
}
