package signing

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/text/unicode/norm"
)

// nameKey folds a distinguished name for comparison (RFC 5280, 7.1). A name that does not parse is compared by its bytes.
func nameKey(raw []byte) string {
	list, ok := rdnKeys(raw)
	if !ok {
		return string(raw)
	}
	return strings.Join(list, "")
}

// rdnKeys gives each RDN of a name in the form that is compared. The attributes of one RDN are a set: their order says
// nothing.
func rdnKeys(raw []byte) ([]string, bool) {
	in := cryptobyte.String(raw)
	var name cryptobyte.String
	if !in.ReadASN1(&name, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, false
	}
	var out []string
	fold := len(raw) <= maxFolded
	for !name.Empty() {
		var rdn cryptobyte.String
		var attributes []string
		if !name.ReadASN1(&rdn, cbasn1.SET) {
			return nil, false
		}
		for !rdn.Empty() {
			a, ok := attributeKey(&rdn, fold)
			if !ok {
				return nil, false
			}
			attributes = append(attributes, a)
		}
		slices.Sort(attributes)
		key := binary.BigEndian.AppendUint32(nil, uint32(len(attributes)))
		out = append(out, string(key)+strings.Join(attributes, ""))
	}
	return out, true
}

// maxFolded is how long a name may be to be folded, which can make it eleven times as long; a longer one is compared by the
// bytes of its values. X.520 allows an attribute 64 letters in most cases.
const maxFolded = 4 << 10

// attributeKey gives one attribute as type, kind and value, each with its length before it: two different attributes
// can never come out as one.
func attributeKey(rdn *cryptobyte.String, fold bool) (string, bool) {
	var pair, id, value cryptobyte.String
	var tag cbasn1.Tag
	if !rdn.ReadASN1(&pair, cbasn1.SEQUENCE) || !pair.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) ||
		!pair.ReadAnyASN1(&value, &tag) || !pair.Empty() {
		return "", false
	}
	folded := string(value)
	if text, ok := decodeString(tag, value); ok && fold {
		tag, folded = 0, prepare(text)
	}
	key := binary.BigEndian.AppendUint32(nil, uint32(len(id)))
	key = append(append(key, id...), byte(tag))
	key = binary.BigEndian.AppendUint32(key, uint32(len(folded)))
	return string(key) + folded, true
}

// The string types that encoding/asn1 and cryptobyte have no names for.
const (
	tagNumericString   = cbasn1.Tag(18)
	tagVisibleString   = cbasn1.Tag(26)
	tagUniversalString = cbasn1.Tag(28)
	tagBMPString       = cbasn1.Tag(30)
)

// decodeString gives the text of a DirectoryString or its kin; false for what is no text, which is compared as bytes.
func decodeString(tag cbasn1.Tag, value []byte) (string, bool) {
	switch tag {
	case cbasn1.UTF8String, cbasn1.PrintableString, cbasn1.IA5String, tagNumericString, tagVisibleString:
		return string(value), utf8.Valid(value) // UTF-8 inside the others is a common fault of issuers, and harmless
	case cbasn1.T61String:
		if utf8.Valid(value) {
			return string(value), true
		}
		runes := make([]rune, len(value)) // as everybody does: Latin-1
		for i, b := range value {
			runes[i] = rune(b)
		}
		return string(runes), true
	case tagBMPString:
		return wideText(value, 2)
	case tagUniversalString:
		return wideText(value, 4)
	}
	return "", false
}

func wideText(value []byte, size int) (string, bool) {
	if len(value)%size != 0 {
		return "", false
	}
	var out strings.Builder
	for ; len(value) > 0; value = value[size:] {
		r := rune(binary.BigEndian.Uint16(value))
		if size == 4 {
			r = rune(binary.BigEndian.Uint32(value))
		}
		if utf16.IsSurrogate(r) || !utf8.ValidRune(r) {
			return "", false
		}
		out.WriteRune(r)
	}
	return out.String(), true
}

// prepare is the string preparation of RFC 4518, 2, for a caseIgnoreMatch: map, normalize (NFKC), fold case, and leave
// one space where there are any, none at the ends.
func prepare(s string) string {
	mapped := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r >= 0xFE00 && r <= 0xFE0F, r == 0x34F, r == 0xFFFC:
			return -1
		}
		return r
	}, s)
	folded := strings.ToLower(strings.ToUpper(norm.NFKC.String(mapped)))
	return strings.Join(strings.Fields(norm.NFKC.String(folded)), " ")
}

// generalName is one GeneralName (RFC 5280, 4.2.1.6): the number of its choice and its contents.
type generalName struct {
	form  nameForm
	value []byte // contents; of a directoryName the whole Name
}

type nameForm int

const (
	otherName nameForm = iota
	rfc822Name
	dNSName
	x400Address
	directoryName
	ediPartyName
	uniformResourceIdentifier
	iPAddress
	registeredID
)

// readGeneralName takes one GeneralName off the front of in.
func readGeneralName(in *cryptobyte.String) (generalName, bool) {
	var value cryptobyte.String
	var tag cbasn1.Tag
	if !in.ReadAnyASN1(&value, &tag) {
		return generalName{}, false
	}
	n := generalName{form: nameForm(tag & 0x1F), value: value}
	if tag&0xC0 != 0x80 || n.form > registeredID {
		return n, false
	}
	constructed := tag&0x20 != 0
	switch n.form {
	case otherName, x400Address, ediPartyName:
		return n, constructed
	case directoryName:
		_, ok := rdnKeys(value)
		return n, constructed && ok
	}
	return n, !constructed
}

// readGeneralNames reads the SEQUENCE of subjectAltName.
func readGeneralNames(der []byte) ([]generalName, bool) {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, false
	}
	var out []generalName
	for !seq.Empty() {
		n, ok := readGeneralName(&seq)
		if !ok || n.form == iPAddress && len(n.value) != 4 && len(n.value) != 16 {
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}
