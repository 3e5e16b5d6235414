package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/server/edxml"
)

type packetCommand struct {
	Check packetCheck `cmd:"" help:"Say what is wrong with an edXML packet, where, and how to mend it."`
}

type packetCheck struct {
	File      string `arg:"" type:"existingfile" help:"edXML packet (QCVN 102:2016/BTTTT)."`
	Directory bool   `env:"TRUC_PACKET_DIRECTORY" help:"Also look the codes up in the installation's directory; without it no state folder or database is touched."`
	JSON      bool   `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run checks one packet as POST /api/v1/packets/check does: exit 0 no errors (warnings or not), 1 errors, 4 not XML.
func (k *packetCheck) Run(c *command) error {
	p, unreadable, err := k.read()
	if err != nil {
		return err
	}
	var further []edxml.Problem
	if k.Directory && (p.Document != nil || p.Status != nil) {
		if further, err = k.lookUp(c, p); err != nil {
			return err
		}
	}
	check := p.Check(further...)
	if k.JSON {
		err = c.printJSON(check)
	} else {
		err = c.printCheck(filepath.Base(k.File), p, check)
	}
	switch {
	case err != nil:
		return err
	case unreadable != nil && !unreadable.XML:
		return answer{code: exitUnusable}
	case !check.OK:
		return answer{code: exitNo}
	}
	return nil
}

// read reads the packet to its end or to where it is no packet any more, which is an answer and no failure.
func (k *packetCheck) read() (edxml.Packet, *edxml.Unreadable, error) {
	file, err := os.Open(k.File)
	if err != nil {
		return edxml.Packet{}, nil, unusable("%v", err)
	}
	defer func() { _ = file.Close() }()
	p, err := edxml.Read(file, edxml.Reading{Now: time.Now()})
	var unreadable *edxml.Unreadable
	switch {
	case err == nil, errors.As(err, &unreadable):
		return p, unreadable, nil
	case errors.Is(err, edxml.ErrAside):
		return p, nil, err
	}
	return p, nil, unusable("%s: %v", k.File, err)
}

func (k *packetCheck) lookUp(c *command, p edxml.Packet) (found []edxml.Problem, err error) {
	err = c.with(func(in *installation) error {
		d, err := in.store.Directory(c.ctx)
		if err != nil {
			return err
		}
		found = server.CheckCodes(d, p)
		return nil
	})
	return found, err
}

var kindLabels = map[edxml.Kind]string{edxml.KindNew: "văn bản mới", edxml.KindRecall: "thu hồi", edxml.KindUpdate: "cập nhật",
	edxml.KindReplace: "thay thế", edxml.KindStatus: "trạng thái"}

// printCheck writes the answer for people: a sentence, then a table of what is wrong, errors first, each in Vietnamese and below it in English.
func (c *command) printCheck(name string, p edxml.Packet, check edxml.Check) error {
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	kind := fmt.Sprintf("%s (%s)", kindLabels[check.Kind], check.Kind)
	if p.Document == nil && p.Status == nil {
		kind = "không phải gói tin / no packet"
	}
	fmt.Fprintf(w, "%s: %s: %d lỗi, %d cảnh báo / %d errors, %d warnings\n", printable(name), kind,
		len(check.Errors), len(check.Warnings), len(check.Errors), len(check.Warnings))
	for _, list := range []struct {
		title    string
		problems []edxml.Problem
	}{{"LỖI / ERRORS", check.Errors}, {"CẢNH BÁO / WARNINGS", check.Warnings}} {
		if len(list.problems) > 0 {
			fmt.Fprintf(w, "\n%s\tĐIỀU SAI / WHAT\tCÁCH SỬA / FIX\n", list.title)
		}
		for _, q := range list.problems {
			vi, en, _ := strings.Cut(q.Fix, " / ")
			fmt.Fprintf(w, "%s:%d\t%s\t%s\n\t%s\t%s\n", printable(q.Path), q.Line, printable(q.VI), printable(vi), printable(q.EN), printable(en))
		}
	}
	return w.Flush()
}

// printable keeps what a stranger wrote from steering the terminal or breaking the table.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\ufffd'
		}
		return r
	}, s)
}
