package routing

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Columns are those of an import file, in the order in which WriteCSV writes them.
func Columns() []string { return slices.Clone(columns) }

var columns = []string{"code", "old_code", "name", "parent", "kind", "status", "valid_from", "valid_to", "successors", "decision", "code_source"}

// ReadTable reads rows that ReadCSV or another reader (a spreadsheet) gives: the header first. next gives the row's number
// in the file (1 = the header) and its cells, and io.EOF after the last. The cells need to stand only until the next call.
// Result and base as for ReadCSV.
func ReadTable(next func() (row int, cells []string, err error), base ...*Directory) ([]Agency, []RowFault, error) {
	t := table{rowOf: make(map[string]int), share: make(map[string]string)}
	if err := t.read(next); err != nil {
		return nil, nil, err
	}
	if len(t.faults) < MaxFaults {
		c := checker{base: firstOf(base), agencies: t.agencies, rows: t.rows, broken: t.broken}
		t.add(c.faults()...)
	}
	if len(t.faults) > 0 {
		slices.SortStableFunc(t.faults, func(a, b RowFault) int { return a.Row - b.Row })
		return nil, t.faults, nil
	}
	return t.agencies, nil, nil
}

func firstOf(base []*Directory) *Directory {
	if len(base) > 0 {
		return base[0]
	}
	return nil
}

// table collects what has been read.
type table struct {
	column   []string // name by position
	agencies []Agency
	rows     []int           // row of each agency
	rowOf    map[string]int  // first row of each code
	broken   map[string]bool // codes of rows that have a fault: known, so that nothing under them is an orphan
	share    map[string]string
	faults   []RowFault
	n        int
}

func (t *table) add(faults ...RowFault) {
	t.faults = append(t.faults, faults[:min(len(faults), MaxFaults-len(t.faults))]...)
}

func (t *table) read(next func() (int, []string, error)) error {
	t.broken = make(map[string]bool)
	for len(t.faults) < MaxFaults {
		row, cells, err := next()
		var badRow *rowError
		var badTable *tableError
		switch {
		case err == io.EOF:
			if t.column == nil && len(t.faults) == 0 {
				t.add(newFault(0, "", "", "empty_file", ""))
			}
			return nil
		case errors.As(err, &badTable):
			t.add(badTable.fault)
			return nil
		case errors.As(err, &badRow):
			t.add(badRow.fault)
			if t.column == nil {
				return nil // the header itself
			}
		case err != nil:
			return fmt.Errorf("read the agency table: %w", err)
		case t.column == nil:
			if t.readHeader(row, cells); len(t.faults) > 0 {
				return nil
			}
		default:
			if t.n++; t.n > MaxCSVRows {
				t.add(newFault(row, "", "", "too_many_rows", strconv.Itoa(MaxCSVRows)))
				return nil
			}
			t.readRow(row, cells)
		}
	}
	return nil
}

// readHeader takes the columns by name. An unknown one is a fault: a misspelt "succesors" would lose them silently.
func (t *table) readHeader(row int, cells []string) {
	t.column = make([]string, len(cells))
	for i, cell := range cells {
		name := strings.ToLower(trim(cell))
		switch {
		case !slices.Contains(columns, name):
			t.add(newFault(row, "column "+strconv.Itoa(i+1), cell, "unknown_column", strings.Join(columns, ", ")))
		case slices.Contains(t.column, name):
			t.add(newFault(row, name, cell, "double_column", ""))
		}
		t.column[i] = name
	}
	for _, need := range []string{"code", "name"} {
		if !slices.Contains(t.column, need) {
			t.add(newFault(row, need, "", "missing_column", need))
		}
	}
}

func (t *table) readRow(row int, cells []string) {
	if blank(cells) {
		return
	}
	if len(cells) != len(t.column) {
		t.add(newFault(row, "", "", "cells", fmt.Sprintf("%d ≠ %d", len(cells), len(t.column))))
		return
	}
	before := len(t.faults)
	r := rowReader{table: t, row: row}
	for i, cell := range cells {
		r.read(t.column[i], cell)
	}
	r.finish()
	key := r.agency.Code.key()
	if len(t.faults) > before {
		t.broken[key] = true
		return
	}
	t.rowOf[key] = row
	t.agencies = append(t.agencies, r.agency)
	t.rows = append(t.rows, row)
}

func blank(cells []string) bool {
	for _, c := range cells {
		if trim(c) != "" {
			return false
		}
	}
	return true
}
