package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

type verifyCommand struct {
	File      string `arg:"" optional:"" help:"PDF, .p7s, .p7m, edXML packet (each attachment is judged), or any file with --signature; - is standard input."`
	Signature string `env:"TRUC_VERIFY_SIGNATURE" help:"Detached signature over FILE."`
	Content   string `env:"TRUC_VERIFY_CONTENT" help:"Content of the detached signature FILE."`
	Reasons   bool   `env:"TRUC_VERIFY_REASONS" help:"List every reason that a report can hold, with its verdict, clause and sentences; no FILE."`
	JSON      bool   `env:"TRUC_JSON" help:"Answer as JSON."`
	trustFlags
}

// Run judges one file: exit 0 valid, 1 invalid, 2 undetermined, 3 no signature, 4 unusable input.
func (v *verifyCommand) Run(c *command) error {
	switch {
	case v.Reasons:
		return v.listReasons(c)
	case v.File == "":
		return answer{exitFlags, "FILE is missing"}
	case v.Signature != "" && v.Content != "":
		return answer{exitFlags, "--content goes with a FILE that is the signature, --signature with one that is the content: not both"}
	}
	files, closing, err := v.input()
	if err != nil {
		return err
	}
	defer closing()
	o, err := v.options(c) // after the file: what cannot be used needs no database
	if err != nil {
		return err
	}
	report := signing.Verify(c.ctx, files, o).In(storage.Vietnam)
	if v.JSON {
		err = c.printJSON(report)
	} else {
		err = c.printReport(report)
	}
	if err != nil {
		return err
	}
	return answer{code: verdictExit[report.Verdict]}
}

var verdictExit = map[signing.Verdict]int{signing.Valid: exitYes, signing.Invalid: exitNo, signing.Undetermined: exitUndetermined, signing.Unsigned: exitNothing}

// listReasons prints the words that never change their meaning.
func (v *verifyCommand) listReasons(c *command) error {
	list := signing.Reasons()
	if v.JSON {
		return c.printJSON(map[string]any{"reasons": list})
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	for _, r := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n\t\t%s\n\t\t%s\n", r.Word, r.Verdict, r.Clause, r.VI, r.EN)
	}
	return w.Flush()
}

// maxSignature bounds what is read into memory as a detached signature.
const maxSignature = 32 << 20

// input opens what is to be judged; with --content FILE is the signature, with --signature it is the content.
func (v *verifyCommand) input() ([]signing.File, func(), error) {
	path, signature := v.File, v.Signature
	if v.Content != "" {
		path, signature = v.Content, v.File
	}
	file, closing, err := openInput(path)
	if err != nil {
		return nil, nil, err
	}
	if signature != "" {
		file.Signature, err = readSmall(signature, maxSignature)
	} else if isPacket(file) {
		return v.packet(file, closing)
	}
	if err != nil {
		closing()
		return nil, nil, err
	}
	return []signing.File{file}, closing, nil
}

// openInput opens a regular file where it lies; anything else that can be read ("-", a pipe) is copied aside first, for
// a signature is found and judged by random access.
func openInput(path string) (signing.File, func(), error) {
	if path == "-" {
		path = "/dev/stdin"
	}
	file, err := os.Open(path)
	if err != nil {
		return signing.File{}, nil, unusable("%v", err)
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder", path)
	}
	if err == nil && !info.Mode().IsRegular() {
		file, err = copyAside(file)
		if err == nil {
			info, err = file.Stat()
		}
	}
	if err != nil {
		_ = file.Close()
		return signing.File{}, nil, unusable("%v", err)
	}
	return signing.File{Name: filepath.Base(path), Content: file, Size: info.Size()}, func() { _ = file.Close() }, nil
}

// copyAside copies a stream into a file that has no name any more.
func copyAside(from *os.File) (*os.File, error) {
	defer func() { _ = from.Close() }()
	to, err := unlinked()
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(to, from); err != nil {
		_ = to.Close()
		return nil, err
	}
	return to, nil
}

func unlinked() (*os.File, error) {
	file, err := os.CreateTemp("", "truc-verify-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// readSmall reads a whole file that has no business being large.
func readSmall(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, unusable("%v", err)
	}
	defer func() { _ = file.Close() }()
	raw, err := io.ReadAll(io.LimitReader(file, most+1))
	switch {
	case err != nil:
		return nil, unusable("%v", err)
	case int64(len(raw)) > most:
		return nil, unusable("%s is larger than %d MB", path, most>>20)
	}
	return raw, nil
}
