package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

type verifyCommand struct {
	File      string   `arg:"" type:"existingfile" help:"PDF, .p7s, .p7m, or any file with --signature."`
	Signature string   `env:"TRUC_VERIFY_SIGNATURE" type:"existingfile" help:"Detached signature over FILE."`
	Content   string   `env:"TRUC_VERIFY_CONTENT" type:"existingfile" help:"Content of the detached signature FILE."`
	TSAAnchor []string `env:"TRUC_VERIFY_TSA_ANCHOR" name:"tsa-anchor" type:"existingfile" help:"Trusted roots of timestamp authorities."`
	trustFlags
	JSON bool `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run judges one file: exit 0 valid, 1 invalid, 2 undetermined, 3 no signature, 4 unusable input.
func (v *verifyCommand) Run(c *command) error {
	o, err := v.options(c, v.TSAAnchor)
	if err != nil {
		return err
	}
	file, close, err := v.input()
	if err != nil {
		return err
	}
	defer close()
	report := signing.Verify(c.ctx, []signing.File{file}, o)
	if v.JSON {
		if err := c.printJSON(report); err != nil {
			return err
		}
	} else {
		c.printReport(report)
	}
	return answer{code: verdictExit[report.Verdict]}
}

var verdictExit = map[signing.Verdict]int{signing.Valid: exitYes, signing.Invalid: exitNo, signing.Undetermined: exitUndetermined,
	signing.Unsigned: exitNothing}

// input opens the file; with --content FILE is the signature, with --signature it is the content.
func (v *verifyCommand) input() (signing.File, func(), error) {
	path, signature := v.File, v.Signature
	if v.Content != "" {
		path, signature = v.Content, v.File
	}
	file, err := os.Open(path)
	if err != nil {
		return signing.File{}, nil, unusable("%v", err)
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		_ = file.Close()
		return signing.File{}, nil, unusable("%s is not a regular file", path)
	}
	input := signing.File{Name: filepath.Base(path), Content: file, Size: info.Size()}
	if signature != "" {
		if input.Signature, err = os.ReadFile(signature); err != nil {
			_ = file.Close()
			return signing.File{}, nil, unusable("%v", err)
		}
	}
	return input, func() { _ = file.Close() }, nil
}

var verdictLabels = map[signing.Verdict]string{signing.Valid: "HỢP LỆ", signing.Invalid: "KHÔNG HỢP LỆ",
	signing.Undetermined: "CHƯA XÁC ĐỊNH", signing.Unsigned: "KHÔNG CÓ CHỮ KÝ"}

func (c *command) printReport(report signing.Report) {
	for _, f := range report.Files {
		fmt.Fprintf(c.out, "%s: %s (%s)\n  SHA-256 %s\n", f.Name, verdictLabels[f.Verdict], f.Verdict, f.SHA256)
		for _, s := range f.Signatures {
			fmt.Fprintf(c.out, "  %d. %s — %s\n     %s (%s)\n", s.Number, s.Signer, verdictLabels[s.Verdict], s.Time.In(storage.Vietnam).Format("02/01/2006 15:04:05"), s.TimeSource)
			for _, r := range s.Reasons {
				fmt.Fprintf(c.out, "     · %s: %s / %s\n", r, r.Text().VI, r.Text().EN)
			}
		}
		if len(f.Signatures) == 0 {
			for _, r := range f.Reasons {
				fmt.Fprintf(c.out, "  · %s: %s / %s\n", r, r.Text().VI, r.Text().EN)
			}
		}
	}
}
