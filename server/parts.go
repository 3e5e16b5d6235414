package server

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing"
)

// parts says what each file is within its dispatch, and so whose signatures the law asks for (Decree 30/2020, annex I):
// the first PDF that is not named as an appendix is the document itself, or the copy when the type says so; without any
// PDF the first file is. All others are appendices in files of their own.
func (sub *submission) parts() []signing.Part {
	out := make([]signing.Part, len(sub.files))
	if len(out) == 0 {
		return out
	}
	main := max(0, slices.IndexFunc(sub.files, func(f received) bool { return f.isPDF() && !namedAppendix(f.Name) }))
	for i := range out {
		out[i] = signing.PartAppendix
	}
	out[main] = signing.PartMain
	if isCopy(sub.meta.Type.Name) {
		out[main] = signing.PartCopy
	}
	return out
}

func (f received) isPDF() bool {
	return strings.EqualFold(path.Ext(f.Name), ".pdf") || f.MediaType == "application/pdf"
}

// namedAppendix knows the usual names of appendix files: "Phụ lục I.pdf", "phu-luc 2.pdf", "PL01.pdf".
func namedAppendix(name string) bool {
	name = strings.NewReplacer("-", " ", "_", " ").Replace(strings.ToLower(norm.NFC.String(name)))
	for _, start := range []string{"phụ lục", "phu luc", "phuluc", "pl"} {
		if rest, ok := strings.CutPrefix(name, start); ok && (start != "pl" || strings.TrimLeft(rest, " 0123456789ivx") == ".pdf") {
			return true
		}
	}
	return false
}

// isCopy knows the three forms of a copy by their type's name (Decree 30/2020, art. 25).
func isCopy(typeName string) bool {
	name := strings.ToLower(norm.NFC.String(typeName))
	return slices.ContainsFunc([]string{"sao y", "trích sao", "sao lục"}, func(form string) bool { return strings.Contains(name, form) })
}

// senderOf is what the directory knows of a sender, for its seal to be compared with.
func senderOf(d *routing.Directory, a routing.Agency) *signing.Sender {
	s := &signing.Sender{Code: string(a.Code), Name: a.Name}
	if a.OldCode != "" {
		s.Codes = []string{string(a.OldCode)}
	}
	names := func(list []routing.Agency) (out []string) {
		for _, a := range list {
			for _, name := range []string{string(a.Code), string(a.OldCode), a.Name} {
				if name != "" {
					out = append(out, name)
				}
			}
		}
		return out
	}
	s.Former = names(d.Predecessors(a.Code))
	if over := d.Path(a.Code); len(over) > 1 {
		s.Ancestors = names(over[:len(over)-1])
	}
	return s
}
