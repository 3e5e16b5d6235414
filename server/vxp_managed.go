package server

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// What a hub may say about the agencies that it manages: pure judgements on one snapshot of the directory.

// judge says what the registration means on a directory, or why it may not be.
func (r registration) judge(d *routing.Directory, who *caller) (storage.Registration, error) {
	code, err := routing.ParseCode(r.Code.text())
	if err != nil {
		return storage.Registration{}, codeProblem("code", err)
	}
	out := storage.Registration{Mail: pointer(r.Mail), Phone: pointer(r.Mobile), Fax: pointer(r.Fax)}
	switch found := d.Find(string(code)); len(found) {
	case 0:
		err = r.admit(d, who, code, &out)
	case 1:
		out.Was, out.Agency = found[0], routing.Agency{Code: found[0].Code}
		err = r.mayChange(d, who, found[0])
	default:
		_, err = d.Resolve(string(code))
		err = codeProblem("code", err)
	}
	if err == nil {
		out.Agency.Parent, err = r.parent(d, who, out)
	}
	if err == nil {
		out.Agency.Name, err = r.name(d, who, out)
	}
	return out, err
}

func pointer(l *loose) *string {
	if l == nil {
		return nil
	}
	text := l.text()
	return &text
}

// admit judges a code that the directory does not have: it must begin with what the caller manages. An agency that is given
// by its old form gets the form of QĐ 20/2020 that answers to it, and keeps the pair, unless somebody has that code already
// (provinces have re-issued numbers, R48): then the old form is its only one. Where that somebody is plainly the same, with
// no old code and of the same name, the pair is made there.
func (r registration) admit(d *routing.Directory, who *caller, code routing.Code, out *storage.Registration) error {
	out.Agency = routing.Agency{Code: code}
	if place := inTree(code); place != code {
		switch holder, taken := d.Get(place); {
		case !taken:
			out.Agency = routing.Agency{Code: place, OldCode: code}
		case holder.OldCode == "" && holder.Status != routing.Closed && sameName(holder.Name, r.Name.text()):
			out.Agency, out.Was = routing.Agency{Code: place, OldCode: code}, holder
		}
	}
	if above, ok := nearest(d, inTree(code), false); !ok || !d.Manages(who.ID, above) {
		return foreignCode("code", who, code)
	}
	return nil
}

// inTree writes a code with its highest level first, whichever form it has.
func inTree(c routing.Code) routing.Code {
	if c.Form() == routing.Form102 {
		c, _ = c.Equivalent() // every code of that form has one
	}
	return c
}

// over is the code without its last group, "" at level 1.
func over(c routing.Code) routing.Code { return c[:max(0, strings.LastIndexByte(string(c), '.'))] }

// nearest is the registered agency whose code is c or the longest beginning of c; with open, of those that are not closed.
func nearest(d *routing.Directory, c routing.Code, open bool) (routing.Code, bool) {
	for ; c != ""; c = over(c) {
		if a, ok := d.Get(c); ok && (!open || a.Status != routing.Closed) {
			return a.Code, true
		}
	}
	return "", false
}

// mayChange: an agency is changed by who manages it. A system that is connected for it alone may say its contact, under the
// name that it has. A closed code is never used again, but the hub that closed it by deleteAgency may take that back: with
// the same name it is the same agency.
func (r registration) mayChange(d *routing.Directory, who *caller, a routing.Agency) error {
	name, managed := r.Name.text(), d.Manages(who.ID, a.Code)
	switch {
	case !managed && !d.Serves(who.ID, a.Code):
		return foreignCode("code", who, a.Code)
	case a.Status == routing.Closed && (!managed || !mayOpen(who, a, name)):
		_, err := d.Resolve(string(a.Code))
		return codeProblem("code", err)
	case !managed && routing.Fold(a.Name) != routing.Fold(name):
		return refusal("foreign", "name",
			fmt.Sprintf("Hệ thống %s phục vụ %s nhưng không quản lý mã này nên không đổi được tên; tên trong danh mục: %s.", who.ID, a.Code, a.Name),
			fmt.Sprintf("System %s serves %s but does not manage that code, so it cannot change the name; the directory has: %s.", who.ID, a.Code, a.Name))
	}
	return nil
}

// mayOpen: what storage.RegisterAgency opens again, and only under its own name.
func mayOpen(who *caller, a routing.Agency, name string) bool {
	return a.Decision == storage.ClosedBy(who.ID) && len(a.Successors) == 0 && sameName(a.Name, name)
}

// sameName compares as people read: without regard to case, blanks, and how accents are put together.
func sameName(a, b string) bool {
	plain := func(s string) string { return strings.Join(strings.Fields(norm.NFC.String(s)), " ") }
	return strings.EqualFold(plain(a), plain(b))
}

// parent is the parent that was given, which the caller must manage too, "" for one that stays where it is. Without one, a
// new agency hangs under the longest open beginning of its code.
func (r registration) parent(d *routing.Directory, who *caller, out storage.Registration) (routing.Code, error) {
	given, there := r.Parent.text(), out.Was.Code != ""
	found := d.Find(given)
	switch {
	case given == "" || strings.EqualFold(given, r.Code.text()):
		if there {
			return "", nil
		}
		above, ok := nearest(d, over(inTree(out.Agency.Code)), true)
		if !ok || !d.Manages(who.ID, above) {
			return "", foreignCode("pcode", who, above)
		}
		return above, nil
	case len(found) == 1 && there && (found[0].Code == out.Was.Parent || found[0].Code == out.Was.Code):
		return "", nil
	case len(found) != 1 || found[0].Status == routing.Closed:
		_, err := d.Resolve(given)
		return "", codeProblem("pcode", err)
	case !d.Manages(who.ID, found[0].Code) || there && !d.Manages(who.ID, out.Was.Code):
		return "", foreignCode("pcode", who, found[0].Code)
	case there && who.top(out.Was.Code):
		return "", topProblem(who, out.Was)
	}
	return found[0].Code, nil
}

// name is the name in the form in which the directory keeps it, after all rules of an import have been held against the
// agency as it is to be. Who does not manage the code leaves the name as it is.
func (r registration) name(d *routing.Directory, who *caller, out storage.Registration) (string, error) {
	if out.Was.Code != "" && !d.Manages(who.ID, out.Was.Code) {
		return out.Was.Name, nil
	}
	table := [][]string{{"code", "old_code", "name", "parent"},
		{string(out.Agency.Code), string(out.Agency.OldCode), r.Name.text(), string(out.Agency.Parent)}}
	row := -1
	agencies, faults, err := routing.ReadTable(func() (int, []string, error) {
		if row++; row == len(table) {
			return 0, nil, io.EOF
		}
		return row + 1, table[row], nil
	}, d)
	if err != nil {
		return "", err
	}
	if len(faults) > 0 {
		f := faults[0]
		return "", refusal("metadata", f.Column, f.Column+": "+f.VI, f.Column+": "+f.EN)
	}
	return agencies[0].Name, nil
}

// top says whether the caller serves the whole subtree of this very code.
func (w *caller) top(code routing.Code) bool {
	return slices.ContainsFunc(w.Serves, func(v routing.Serving) bool { return v.Subtree && v.Code == code })
}

// refusal has sentences of its own for a code of the table.
func refusal(code, field, vi, en string) *Problem {
	return &Problem{Status: problems[code].status, Code: code, Field: field, VI: vi, EN: en}
}

func foreignCode(field string, who *caller, code routing.Code) *Problem {
	var own []string
	for _, v := range who.Serves {
		if v.Subtree {
			own = append(own, v.String())
		}
	}
	if len(own) == 0 {
		return refusal("foreign", field, fmt.Sprintf("Hệ thống %s không quản lý mã %s: không phục vụ nhánh nào.", who.ID, code),
			fmt.Sprintf("System %s does not manage the code %s: it serves no subtree.", who.ID, code))
	}
	list := strings.Join(own[:min(len(own), 5)], ", ")
	return refusal("foreign", field, fmt.Sprintf("Hệ thống %s không quản lý mã %s; các nhánh của hệ thống: %s.", who.ID, code, list),
		fmt.Sprintf("System %s does not manage the code %s; its subtrees: %s.", who.ID, code, list))
}

func topProblem(who *caller, a routing.Agency) *Problem {
	return refusal("state", "code", fmt.Sprintf("%s là gốc của nhánh mà hệ thống %s phục vụ; chỉ quản trị trục đóng hoặc chuyển được.", a.Code, who.ID),
		fmt.Sprintf("%s is the top of what system %s serves; only the axis's operators can close or move it.", a.Code, who.ID))
}
