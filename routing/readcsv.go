package routing

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
)

// Limits of one import file. 125,000 agencies are about 15 MB.
const (
	MaxCSVBytes = 64 << 20
	MaxCSVRows  = 500_000
)

// ReadCSV reads an import file: UTF-8 (with or without BOM), separated by commas (or semicolons or tabs when the header
// is), with the header
//
//	code,old_code,name,parent,kind,status,valid_from,valid_to,successors,decision,code_source
//
// in any order, code and name required. Successors are separated by blanks; a status left empty is live; dates are
// 2025-07-01 or 01/07/2025; valid_to is the first day on which the code no longer holds. Composed and decomposed Vietnamese
// are one (NFC comes out).
//
// base is the directory that the file is an update of: parents and successors may be in it. Without base the file stands
// alone. Every fault comes with row and column, up to MaxFaults; with any fault no agency comes back. The error is only for
// a reader that fails.
func ReadCSV(r io.Reader, base ...*Directory) ([]Agency, []RowFault, error) {
	return ReadTable(CSVRows(r), base...)
}

// CSVRows reads any CSV file the way ReadCSV does (BOM, separator, limits), row by row: next gives the number of the line
// that a row begins on (1 = the header) and its cells, which stand until the next call, and io.EOF after the last. What
// FaultOf says of another error of next is the fault of a row or of the file.
func CSVRows(r io.Reader) (next func() (row int, cells []string, err error)) {
	limited := &io.LimitedReader{R: r, N: MaxCSVBytes + 1}
	in := bufio.NewReaderSize(limited, 64<<10)
	if fault, ok := sniff(in); ok {
		return func() (int, []string, error) { return 0, nil, &tableError{fault} }
	}
	return csvRows(in, limited)
}

// FaultOf gives the fault behind an error of CSVRows; more says that the next row can still be read. !ok: the reader
// itself failed. The fault repeats nothing of what stands in the file.
func FaultOf(err error) (fault RowFault, more, ok bool) {
	var badRow *rowError
	var badTable *tableError
	switch {
	case errors.As(err, &badRow):
		return badRow.fault, true, true
	case errors.As(err, &badTable):
		return badTable.fault, false, true
	}
	return RowFault{}, false, false
}

// sniff looks at the beginning of the file: it drops a UTF-8 BOM and names what cannot be a CSV file.
func sniff(in *bufio.Reader) (RowFault, bool) {
	head, _ := in.Peek(4)
	for magic, what := range map[string]string{"PK\x03\x04": "XLSX/ZIP", "\xff\xfe": "UTF-16", "\xfe\xff": "UTF-16", "%PDF": "PDF"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return newFault(0, "", "", "not_csv", what), true
		}
	}
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		in.Discard(3) // peeked: cannot fail
	}
	return RowFault{}, false
}

// separator is the one of , ; and tab that is in the header line most often: Excel with Vietnamese settings writes ";".
func separator(in *bufio.Reader) rune {
	head, _ := in.Peek(4096)
	line, _, _ := bytes.Cut(head, []byte("\n"))
	sep, most := ',', bytes.Count(line, []byte(","))
	for _, c := range []byte(";\t") {
		if n := bytes.Count(line, []byte{c}); n > most {
			sep, most = rune(c), n
		}
	}
	return sep
}

// csvRows gives the rows of a CSV file one by one, the way ReadTable wants them.
func csvRows(in *bufio.Reader, limited *io.LimitedReader) func() (int, []string, error) {
	c := csv.NewReader(in)
	c.Comma = separator(in)
	c.FieldsPerRecord = -1
	c.ReuseRecord = true
	return func() (int, []string, error) {
		cells, err := c.Read()
		if limited.N <= 0 {
			return 0, nil, &tableError{newFault(0, "", "", "too_large", fmt.Sprintf("%d MB", MaxCSVBytes>>20))}
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			place := fmt.Sprintf("%d:%d", bad.Line, bad.Column)
			return bad.StartLine, nil, &rowError{newFault(bad.StartLine, "", "", "quote", place)}
		}
		if err != nil {
			return 0, nil, err
		}
		row, _ := c.FieldPos(0)
		return row, cells, nil
	}
}

// rowError is a row that cannot be read; the next one can.
type rowError struct{ fault RowFault }

func (e *rowError) Error() string { return e.fault.EN }

// tableError ends the reading.
type tableError struct{ fault RowFault }

func (e *tableError) Error() string { return e.fault.EN }
