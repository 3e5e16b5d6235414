package edxml

import (
	"strings"

	"github.com/truc-lienthong/truc/routing"
)

// Kind is the document's business type; without Bussiness it is new, for the axis itself drops that element at times (spec 2.3).
func (d Document) Kind() Kind {
	if d.Business == nil || d.Business.Kind == "" {
		return KindNew
	}
	return d.Business.Kind
}

// Original is the id of the document that a recall or update concerns: Bussiness/DocumentId, else the packet's own, as in the official
// recall. A replacement names its originals in Business.Replacements.
func (d Document) Original() string {
	if d.Business != nil && d.Business.DocumentID != "" {
		return d.Business.DocumentID
	}
	return d.ID
}

// Urgency is the priority as we rank it: 4 (hỏa tốc hẹn giờ) is HỎA TỐC; what is beyond 0 to 4 is normal.
func (d Document) Urgency() routing.Urgency {
	switch d.Other.Priority {
	case 1:
		return routing.Urgent
	case 2:
		return routing.VeryUrgent
	case 3, 4:
		return routing.Express
	}
	return routing.Normal
}

// secrecyNames are elements in which some systems mark secrecy. edXML has none (secret documents never travel here), so they come as
// unknown ones.
var secrecyNames = map[string]bool{"secrecy": true, "secrecylevel": true, "secret": true, "secretlevel": true, "security": true,
	"securitylevel": true, "confidentiality": true, "confidential": true, "domat": true}

// harmless is what such an element says of an ordinary document.
var harmless = map[string]bool{"": true, "0": true, "thường": true, "bình thường": true, "không": true, "không mật": true, "none": true,
	"normal": true, "no": true, "false": true}

// Secrecy gives the mark of an element that says the document is secret, and its path. Such a document may not be accepted (R2). It
// looks only at elements that speak of secrecy: marks in texts are the caller's to find.
func (d Document) Secrecy() (mark, path string, found bool) {
	for _, u := range d.Unknown {
		name, _, _ := strings.Cut(lastOf(u.Path), "[")
		if secrecyNames[strings.ToLower(name)] && !harmless[strings.ToLower(u.Text)] {
			return u.Text, u.Path, true
		}
	}
	return "", "", false
}

// FileName is a name under which the file may be stored or offered: no folders, no control characters, at most 200 bytes, never empty.
func (a Attachment) FileName() string {
	name := a.Name[strings.LastIndexAny(a.Name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7F || r == '\uFFFD' || strings.ContainsRune(`:*?"<>|`, r) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 {
			return -1 // also the marks that turn the direction of text, with which exe.pdf can read fdp.exe
		}
		return r
	}, name)
	name = strings.TrimLeft(strings.TrimRight(name, " ."), " .")
	if len(name) > 200 {
		ext := extension(name)
		name = strings.ToValidUTF8(name[:200-len(ext)-1], "") + "." + ext
	}
	if name == "" {
		return "tep-dinh-kem"
	}
	return name
}
