package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// systemColumns are those of a file of systems; the first three are required.
var systemColumns = []string{"id", "secret", "agencies", "name", "kind", "way", "form", "rate", "webhook"}

const (
	requiredSystemColumns = 3
	maxSystemSecret       = 1024
	maxSystemName         = 200
)

// systemID is what the database takes: vxp.saas.03, 02.29.W00, 000.00.00.H29 and H29.12 are such ids.
var systemID = regexp.MustCompile(`^[0-9A-Za-z._-]{1,64}$`)

type systemImport struct {
	File    string `arg:"" type:"path" help:"UTF-8 CSV with the columns id,secret,agencies and, if you like, name,kind,way,form,rate,webhook. It holds secrets: delete it afterwards."`
	Replace bool   `env:"TRUC_SYSTEM_REPLACE" help:"Give systems that are here the file's secrets (the old ones stay good for 7 days), codes and settings."`
	DryRun  bool   `env:"TRUC_DRY_RUN" name:"dry-run" help:"Only say what would be done."`
	JSON    bool   `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Help is what --help says below the options.
func (a *systemImport) Help() string {
	return `Takes systems that are connected elsewhere, with the ids and secrets that they have, so that on the day of the cut-over
each changes nothing but its endpoint.

Columns by their names in the header, in any order, separated by commas or semicolons:
  id        as the system calls itself (systemid): vxp.saas.03, 02.29.W00, 000.00.00.H29, H29.12
  secret    as it has it, to the letter: blanks in it count
  agencies  codes that it serves, in either form, separated by blanks or semicolons; H29.12.* is H29.12 and all under it
  name      default the id
  kind      qlvb, lgsp or other; default lgsp with a subtree, else qlvb
  way       pull, push or mailbox; default pull
  form      of the codes that it is shown: new or old; default new
  rate      requests a second; default the server's
  webhook   of a pushed system

All rows are taken or none. The same file again changes nothing. An empty cell leaves a system that is here as it is.
Exit 0: applied (with --dry-run: it would be); 1: nothing was applied, each fault is named by row and column; 4: the file cannot
be read.

The file holds secrets in clear: keep it readable for you alone (chmod 600) and delete it afterwards (shred -u).`
}

// Run imports all rows or none.
func (a *systemImport) Run(c *command) error {
	file, err := os.Open(a.File)
	if err != nil {
		return unusable("%v", err)
	}
	defer func() { _ = file.Close() }()
	return c.with(func(in *installation) error {
		d, err := in.store.Directory(c.ctx)
		if err != nil {
			return err
		}
		t := systemTable{directory: d}
		if err := t.read(routing.CSVRows(file)); err != nil {
			return unusable("read %s: %v", a.File, err)
		}
		result := storage.SystemImport{Conflicts: t.faults}
		if !t.unreadable {
			// Rows without a fault are judged too, so that one run names all that is wrong.
			mode := storage.SystemImportMode{Replace: a.Replace, DryRun: a.DryRun || len(t.faults) > 0}
			if result, err = in.store.ImportSystems(c.ctx, in.key, t.rows, mode, actor(), time.Now()); err != nil {
				return err
			}
			result.Conflicts = t.all(result.Conflicts)
		}
		return a.tell(c, result, t.unreadable)
	})
}

// tell prints the result. What it prints never holds a secret.
func (a *systemImport) tell(c *command, result storage.SystemImport, unreadable bool) error {
	if a.JSON {
		if err := c.printJSON(result); err != nil {
			return err
		}
	} else if len(result.Conflicts) == 0 {
		if _, err := fmt.Fprintf(c.out, "%d added, %d changed, %d unchanged\n", result.Added, result.Changed, result.Unchanged); err != nil {
			return err
		}
	}
	for _, f := range result.Conflicts[:min(maxFaults, len(result.Conflicts))] {
		fmt.Fprintln(c.err, f)
	}
	switch n := len(result.Conflicts); {
	case unreadable:
		return unusable("%s cannot be read as a table of systems; nothing was applied", a.File)
	case n > 0:
		return answer{exitNo, fmt.Sprintf("%d faults; nothing was applied", n)}
	case a.DryRun:
		fmt.Fprintln(c.err, "a dry run: nothing was applied")
	default:
		fmt.Fprintf(c.err, "%s holds secrets: delete it now (shred -u)\n", a.File)
	}
	return nil
}

// systemTable reads the file. Its faults repeat nothing of a cell but well-formed agency codes: a secret may stand in
// whatever column the file's maker mixed up.
type systemTable struct {
	directory  *routing.Directory
	columns    []string
	rows       []storage.SystemRow
	faults     []routing.RowFault
	unreadable bool // no table: it cannot be told what stands where
}

func (t *systemTable) fault(row int, column, word, vi, en string) {
	if len(t.faults) < routing.MaxFaults {
		t.faults = append(t.faults, routing.RowFault{Row: row, Column: column, Code: word, VI: vi, EN: en})
	}
}

// all adds the conflicts that the database found, in the order of rows.
func (t *systemTable) all(found []routing.RowFault) []routing.RowFault {
	list := append(slices.Clone(t.faults), found...)
	slices.SortStableFunc(list, func(a, b routing.RowFault) int { return a.Row - b.Row })
	return append([]routing.RowFault{}, list[:min(len(list), routing.MaxFaults)]...)
}

// read takes the rows; the error is only for a file that fails while it is read.
func (t *systemTable) read(next func() (int, []string, error)) error {
	for !t.unreadable {
		row, cells, err := next()
		switch fault, more, ok := routing.FaultOf(err); {
		case errors.Is(err, io.EOF):
			if t.columns == nil {
				t.unreadable = true
				t.fault(0, "", "empty_file", "Tệp rỗng: thiếu dòng tiêu đề", "The file is empty: it lacks the header line")
			}
			return nil
		case ok:
			t.faults = append(t.faults, fault)
			t.unreadable = !more || t.columns == nil
		case err != nil:
			return err
		case t.columns == nil:
			t.header(row, cells)
		case len(t.rows) == routing.MaxCSVRows:
			t.fault(row, "", "too_many_rows", "Tệp có quá nhiều dòng", "The file has too many rows")
			return nil
		default:
			t.row(row, cells)
		}
	}
	return nil
}

// header takes the columns by name; without all that are required, or with one that is not known, the file says nothing.
func (t *systemTable) header(row int, cells []string) {
	for i, cell := range cells {
		name, place := strings.ToLower(strings.TrimSpace(cell)), "column "+strconv.Itoa(i+1)
		switch {
		case !slices.Contains(systemColumns, name):
			t.fault(row, place, "unknown_column", "Không có cột tên như vậy; các cột: "+strings.Join(systemColumns, ", "),
				"There is no such column; the columns are: "+strings.Join(systemColumns, ", "))
		case slices.Contains(t.columns, name):
			t.fault(row, name, "double_column", "Cột này có hai lần", "This column is there twice")
		}
		t.columns = append(t.columns, name)
	}
	for _, need := range systemColumns[:requiredSystemColumns] {
		if !slices.Contains(t.columns, need) {
			t.fault(row, need, "missing_column", "Thiếu cột "+need, "The column "+need+" is missing")
		}
	}
	t.unreadable = len(t.faults) > 0
}

func (t *systemTable) row(row int, cells []string) {
	if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
		return
	}
	if len(cells) != len(t.columns) {
		t.fault(row, "", "cells", fmt.Sprintf("Dòng có %d ô, tiêu đề có %d", len(cells), len(t.columns)),
			fmt.Sprintf("The row has %d cells, the header %d", len(cells), len(t.columns)))
		return
	}
	before := len(t.faults)
	r := systemRow{systemTable: t, SystemRow: storage.SystemRow{Row: row}}
	for i, cell := range cells {
		r.cell(t.columns[i], cell)
	}
	if len(t.faults) == before && len(t.faults) < routing.MaxFaults {
		t.rows = append(t.rows, r.SystemRow)
	}
}

// systemRow is a row while it is read.
type systemRow struct {
	*systemTable
	storage.SystemRow
}

func (r *systemRow) wrong(column, word, vi, en string) { r.fault(r.Row, column, word, vi, en) }

// cell reads one cell. Only the secret is taken to the letter.
func (r *systemRow) cell(column, cell string) {
	if !utf8.ValidString(cell) {
		r.wrong(column, "encoding", "Không phải UTF-8 (có thể là Windows-1258 hoặc TCVN3)", "Not UTF-8 (perhaps Windows-1258 or TCVN3)")
		return
	}
	if column == "secret" {
		r.secret(cell)
		return
	}
	text := norm.NFC.String(strings.TrimSpace(cell))
	if strings.ContainsFunc(text, unicode.IsControl) {
		r.wrong(column, "control", "Có ký tự điều khiển hoặc xuống dòng trong ô", "A control character or line break is in the cell")
		return
	}
	switch column {
	case "id":
		r.id(text)
	case "agencies":
		r.agencies(text)
	case "name":
		if r.Name = text; utf8.RuneCountInString(text) > maxSystemName {
			r.wrong(column, "too_long", "Dài quá 200 ký tự", "Longer than 200 characters")
		}
	case "kind":
		r.Kind = r.one(column, text, "qlvb", "lgsp", "other")
	case "way":
		r.Way = routing.Way(r.one(column, text, "pull", "push", "mailbox"))
	case "form":
		r.Form = r.one(column, text, "new", "old")
	case "rate":
		r.rate(text)
	case "webhook":
		if r.Webhook = text; text != "" && !isWebhook(text) {
			r.wrong(column, "webhook", "Phải là địa chỉ http hoặc https, không kèm mật khẩu", "It must be an http or https address without a password in it")
		}
	}
}

// secret takes what the system has, whatever its form: it signs with exactly these bytes.
func (r *systemRow) secret(cell string) {
	switch {
	case strings.TrimSpace(cell) == "":
		r.wrong("secret", "missing", "Bắt buộc phải có giá trị", "A value is required")
	case len(cell) > maxSystemSecret:
		r.wrong("secret", "too_long", "Dài quá 1024 byte", "Longer than 1024 bytes")
	case strings.ContainsAny(cell, "\r\n"):
		r.wrong("secret", "line_break", "Có xuống dòng trong ô", "A line break is in the cell")
	}
	r.Secret = []byte(cell)
}

func (r *systemRow) id(text string) {
	switch r.ID = text; {
	case text == "":
		r.wrong("id", "missing", "Bắt buộc phải có giá trị", "A value is required")
	case !systemID.MatchString(text):
		r.wrong("id", "bad_id", "Mã hệ thống gồm 1 đến 64 chữ cái không dấu, chữ số, dấu chấm, gạch dưới hoặc gạch nối",
			"An id is 1 to 64 letters without accents, digits, dots, underscores or hyphens")
	}
}

// one reads a cell that holds one of few words.
func (r *systemRow) one(column, text string, words ...string) string {
	text = strings.ToLower(text)
	if text != "" && !slices.Contains(words, text) {
		r.wrong(column, "not_one_of", "Phải là một trong: "+strings.Join(words, ", "), "It must be one of: "+strings.Join(words, ", "))
	}
	return text
}

func (r *systemRow) rate(text string) {
	if text == "" {
		return
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		r.wrong("rate", "bad_rate", "Phải là số nguyên không âm", "It must be a whole number, 0 or more")
	}
	r.Rate = new(int)
	*r.Rate = int(n)
}

// agencies finds each code in the directory, in either form; what is kept is the agency's own code.
func (r *systemRow) agencies(text string) {
	words := strings.FieldsFunc(text, func(c rune) bool { return c == ';' || unicode.IsSpace(c) })
	if len(words) == 0 {
		r.wrong("agencies", "missing", "Bắt buộc phải có giá trị", "A value is required")
	}
	for i, word := range words {
		code, subtree, err := routing.ParseServing(word)
		if err != nil {
			place := strconv.Itoa(i + 1)
			r.wrong("agencies", "malformed_code", "Mã thứ "+place+" không phải mã định danh", "Code "+place+" of the cell is no agency code")
			continue
		}
		switch found := r.directory.Find(string(code)); len(found) {
		case 0:
			r.wrong("agencies", "unknown_agency", "Không có cơ quan mang mã "+string(code), "No agency has the code "+string(code))
		case 1:
			r.Serves = append(r.Serves, routing.Serving{System: r.ID, Code: found[0].Code, Subtree: subtree})
		default:
			r.wrong("agencies", "ambiguous_agency", "Mã cũ "+string(code)+" thuộc nhiều cơ quan; hãy ghi mã mới",
				"Several agencies hold the old code "+string(code)+"; write the new one")
		}
	}
}

// isWebhook says whether a pushed system can be told there.
func isWebhook(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}
