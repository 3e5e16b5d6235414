package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

type reportCommand struct {
	Monthly reportMonthly `cmd:"" help:"Sent and received by agency in one month."`
}

type reportMonthly struct {
	Month   string `env:"TRUC_REPORT_MONTH" required:"" help:"Month, yyyy-mm, Vietnam time."`
	Format  string `env:"TRUC_REPORT_FORMAT" enum:"csv,xlsx" default:"csv" help:"csv or xlsx."`
	Output  string `env:"TRUC_OUTPUT" short:"o" type:"path" help:"File to write; default standard output."`
	Recount bool   `env:"TRUC_REPORT_RECOUNT" help:"Count from the rows instead of the day counts."`
}

// Run writes the month's volumes: sent counts dispatches accepted, received counts deliveries that became delivered.
func (r *reportMonthly) Run(c *command) error {
	start, err := time.ParseInLocation("2006-01", r.Month, storage.Vietnam)
	if err != nil {
		return answer{exitFlags, fmt.Sprintf("--month %q is not yyyy-mm", r.Month)}
	}
	return c.with(func(in *installation) error {
		read := in.store.Volumes
		if r.Recount {
			read = in.store.Recount
		}
		volumes, err := read(c.ctx, start, start.AddDate(0, 1, 0))
		if err != nil {
			return err
		}
		directory, err := in.store.Directory(c.ctx)
		if err != nil {
			return err
		}
		out := c.out
		if r.Output != "" {
			file, err := os.Create(r.Output)
			if err != nil {
				return fmt.Errorf("write the report: %w", err)
			}
			defer func() { _ = file.Close() }()
			out = file
		}
		if r.Format == "xlsx" {
			return writeXLSX(out, r.Month, volumes, directory)
		}
		return writeCSV(out, volumes, directory)
	})
}

func writeCSV(out io.Writer, volumes []storage.Volume, d *routing.Directory) error {
	w := csv.NewWriter(out)
	if err := w.Write([]string{"code", "name", "sent", "received", "total"}); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	for _, v := range volumes {
		a, _ := d.Get(v.Agency)
		err := w.Write([]string{string(v.Agency), plainCell(a.Name), strconv.FormatInt(v.Sent, 10), strconv.FormatInt(v.Received, 10),
			strconv.FormatInt(v.Sent+v.Received, 10)})
		if err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	w.Flush()
	return w.Error()
}

// plainCell keeps a spreadsheet from taking a name for a formula.
func plainCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// writeXLSX writes the same figures for people: a title, a frozen header, a line of totals.
func writeXLSX(out io.Writer, month string, volumes []storage.Volume, d *routing.Directory) (err error) {
	book := excelize.NewFile()
	defer func() {
		if closing := book.Close(); err == nil {
			err = closing
		}
	}()
	const sheet = "Sheet1"
	rows := [][]any{{"Văn bản gửi, nhận qua trục tháng " + month}, {"Mã định danh", "Tên cơ quan", "Gửi", "Nhận", "Tổng số"}}
	var sent, received int64
	for _, v := range volumes {
		a, _ := d.Get(v.Agency)
		rows = append(rows, []any{string(v.Agency), a.Name, v.Sent, v.Received, v.Sent + v.Received})
		sent, received = sent+v.Sent, received+v.Received
	}
	rows = append(rows, []any{"", "Tổng cộng", sent, received, sent + received})
	stream, err := book.NewStreamWriter(sheet)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := stream.SetColWidth(1, 1, 16); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := stream.SetColWidth(2, 2, 60); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 2, TopLeftCell: "A3", ActivePane: "bottomLeft"}); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	for i, row := range rows {
		if err := stream.SetRow("A"+strconv.Itoa(i+1), row); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	if err := stream.Flush(); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := book.SetSheetName(sheet, "Tháng "+month); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	_, err = book.WriteTo(out)
	return err
}
