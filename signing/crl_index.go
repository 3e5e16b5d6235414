package signing

import (
	"bytes"
	"slices"
	"sort"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// revokedEntry is one entry of a list, or what a SingleResponse says of a revocation.
type revokedEntry struct {
	at         time.Time
	reason     int       // CRLReason; notGiven when there is none
	invalidity time.Time // invalidityDate, since when the key was or may have been in other hands; zero when absent
}

// crlReasons are the names of CRLReason (RFC 5280, 5.3.1).
var crlReasons = [...]string{"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
	"certificateHold", "", "removeFromCRL", "privilegeWithdrawn", "aACompromise"}

const (
	notGiven        = -1
	keyCompromise   = 1
	caCompromise    = 2
	certificateHold = 6
	removeFromCRL   = 8
	aaCompromise    = 10
)

func (e revokedEntry) reasonName() string {
	if e.reason < 0 || e.reason >= len(crlReasons) {
		return ""
	}
	return crlReasons[e.reason]
}

// since is from when on the certificate does not count: of a key in wrong hands, from when that may have been so
// (RFC 5280, 5.3.2), which may be earlier than the CA learnt of it.
func (e revokedEntry) since() time.Time {
	compromised := e.reason == keyCompromise || e.reason == caCompromise || e.reason == aaCompromise
	if compromised && !e.invalidity.IsZero() && e.invalidity.Before(e.at) {
		return e.invalidity
	}
	return e.at
}

// crlIndex finds entries by serial number: a hash table of places in the list's bytes, 8 to 16 bytes for an entry where a
// map of strings takes a hundred.
type crlIndex struct {
	table   []uint32      // place of an entry plus one; 0: empty. Its length is a power of two
	owners  []entriesFrom // of an indirect list: whose certificates come from there on
	strange bool          // an entry has a critical extension that we do not know
	broken  bool
}

// entriesFrom says that certificateIssuer changes at a place; it holds until the next change (RFC 5280, 5.3.3).
type entriesFrom struct {
	at      uint32
	issuers []string // folded names
}

// asked gives the index, made at the first question.
func (c *crl) asked() *crlIndex {
	c.once.Do(func() { c.index.build(c.entries) })
	return &c.index
}

// odd says that the list, or an entry of it, has a critical extension that we do not know.
func (c *crl) odd() bool { return c.strange || c.asked().strange }

// maxTied is how many entries may wait for one place. An indirect list has one serial number from each of its issuers; a
// list of a million times the same would take hours.
const maxTied = 4096

// build goes over all entries twice: once to see that they hold together and what they ask to be understood, once to place
// them.
func (x *crlIndex) build(entries []byte) {
	count := 0
	for at := 0; at < len(entries); count++ {
		e, ok := entryAt(entries, at)
		if !ok || !x.extensions(e.rest, uint32(at)) {
			x.broken = true
			return
		}
		at = e.end
	}
	size := 2
	for size < count+count/2 {
		size *= 2
	}
	x.table = make([]uint32, size)
	for at := 0; at < len(entries); {
		e, _ := entryAt(entries, at)
		slot := serialHash(e.serial) & uint32(size-1)
		for tried := 0; x.table[slot] != 0; tried++ {
			if tried == maxTied {
				x.broken = true
				return
			}
			slot = (slot + 1) & uint32(size-1)
		}
		x.table[slot] = uint32(at) + 1
		at = e.end
	}
}

// rawEntry is an entry whose parts were only told apart.
type rawEntry struct {
	serial, rest []byte // rest: date and extensions
	end          int
}

func entryAt(entries []byte, at int) (rawEntry, bool) {
	in := cryptobyte.String(entries[at:])
	var entry, serial cryptobyte.String
	if !in.ReadASN1(&entry, cbasn1.SEQUENCE) || !entry.ReadASN1(&serial, cbasn1.INTEGER) || len(serial) == 0 || entry.Empty() {
		return rawEntry{}, false
	}
	return rawEntry{minimal(serial), entry, len(entries) - len(in)}, true
}

// minimal drops the leading bytes that DER would not have: an issuer that writes them means the same number.
func minimal(serial []byte) []byte {
	for len(serial) > 1 && (serial[0] == 0 && serial[1] < 0x80 || serial[0] == 0xFF && serial[1] >= 0x80) {
		serial = serial[1:]
	}
	return serial
}

func serialHash(serial []byte) uint32 {
	h := uint32(2166136261) // FNV-1a; only lists whose signature is right are asked, so nobody can choose collisions
	for _, b := range serial {
		h = (h ^ uint32(b)) * 16777619
	}
	return h ^ h>>15
}

// onlyReason is how nearly every entry's extensions begin: one reasonCode and nothing else.
var onlyReason = []byte{0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01}

// extensions looks for what concerns other entries too: certificateIssuer, and what we do not understand.
func (x *crlIndex) extensions(rest cryptobyte.String, at uint32) bool {
	var date, issuers cryptobyte.String
	var tag cbasn1.Tag
	if !rest.ReadAnyASN1(&date, &tag) {
		return false
	}
	if rest.Empty() || len(rest) == len(onlyReason)+1 && bytes.HasPrefix(rest, onlyReason) {
		return true
	}
	list, ok := readExtensions(&rest)
	for _, e := range list {
		switch e.id.String() {
		case "2.5.29.29":
			in := cryptobyte.String(e.value)
			if !in.ReadASN1(&issuers, cbasn1.SEQUENCE) || !in.Empty() {
				return false
			}
			names, read := foldGeneralNames(issuers)
			if !read {
				return false
			}
			x.owners = append(x.owners, entriesFrom{at, names})
		case "2.5.29.21", "2.5.29.23", "2.5.29.24": // reasonCode, holdInstructionCode, invalidityDate
		default:
			x.strange = x.strange || e.critical
		}
	}
	return ok && rest.Empty()
}

// find gives the entries about a certificate of an issuer. False: an entry is there that cannot be read.
func (c *crl) find(issuer string, serial []byte) ([]revokedEntry, bool) {
	x := c.asked()
	if x.broken {
		return nil, false
	}
	var out []revokedEntry
	mask := uint32(len(x.table) - 1)
	for slot := serialHash(serial) & mask; x.table[slot] != 0; slot = (slot + 1) & mask {
		at := x.table[slot] - 1
		raw, _ := entryAt(c.entries, int(at))
		if !bytes.Equal(raw.serial, serial) || !x.belongs(at, issuer, c.issuer) {
			continue
		}
		e, ok := readEntry(raw.rest)
		if !ok {
			return nil, false
		}
		out = append(out, e)
	}
	return out, true
}

// belongs says whether the entry at a place is about a certificate of that issuer.
func (x *crlIndex) belongs(at uint32, issuer, lister string) bool {
	n := sort.Search(len(x.owners), func(i int) bool { return x.owners[i].at > at })
	if n == 0 {
		return issuer == lister
	}
	return slices.Contains(x.owners[n-1].issuers, directoryKey(issuer))
}

func readEntry(rest cryptobyte.String) (e revokedEntry, ok bool) {
	e.reason = notGiven
	if !readTime(&rest, &e.at) {
		return e, false
	}
	if rest.Empty() {
		return e, true
	}
	list, ok := readExtensions(&rest)
	return e, ok && e.read(list)
}

// read takes reasonCode and invalidityDate, which OCSP has too.
func (e *revokedEntry) read(list []extension) bool {
	for _, x := range list {
		in := cryptobyte.String(x.value)
		switch x.id.String() {
		case "2.5.29.21":
			if !in.ReadASN1Enum(&e.reason) || !in.Empty() {
				return false
			}
		case "2.5.29.24":
			if !in.ReadASN1GeneralizedTime(&e.invalidity) || !in.Empty() {
				return false
			}
		}
	}
	return true
}
