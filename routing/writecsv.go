package routing

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
)

// WriteCSV writes agencies in the form that ReadCSV reads: UTF-8 without BOM, commas, days as 2025-07-01.
func WriteCSV(w io.Writer, agencies iter.Seq[Agency]) error {
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return fmt.Errorf("write the agency table: %w", err)
	}
	for a := range agencies {
		if err := out.Write(cells(a)); err != nil {
			return fmt.Errorf("write agency %s: %w", a.Code, err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write the agency table: %w", err)
	}
	return nil
}

// cells is one row, in the order of columns.
func cells(a Agency) []string {
	successors := make([]string, len(a.Successors))
	for i, s := range a.Successors {
		successors[i] = string(s)
	}
	return []string{
		string(a.Code), string(a.OldCode), a.Name, string(a.Parent), a.Kind, string(a.Status),
		date(a.ValidFrom), date(a.ValidTo), strings.Join(successors, " "), a.Decision, a.CodeSource,
	}
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(vietnam).Format(time.DateOnly)
}

func itoa(n int) string { return strconv.Itoa(n) }
