package edxml

import (
	"io"
	"time"
)

// Reading is how to read a packet. The zero value reads and checks everything and keeps no payload.
type Reading struct {
	// Header is called once, when the whole envelope (parties, document, business, manifest) has been read and before any
	// Attachment call; Problems holds what was found so far. Its error ends the reading and is returned as it is. A packet without an
	// envelope never comes to it.
	Header func(*Packet) error
	// Attachment gets the i-th file (from 0): decoded, out of its one-entry ZIP. a holds what the packet said of it before its content.
	// What it leaves unread is skipped. A read error from content means that the packet broke off: keep nothing. Its own error ends the
	// reading and is returned as it is.
	Attachment func(i int, a Attachment, content io.Reader) error
	// Unhashed leaves Attachment.SHA256 empty: Attachment hashes what it gets.
	Unhashed bool
	// Now is the time of reception, for "in the future"; zero: not checked.
	Now time.Time
	// MaxFile bounds one unwrapped file in bytes (default 1 GiB); a larger one stays in its ZIP, with a warning.
	MaxFile int64
	// TempDir is where payloads wait that cannot be handed out at once, beyond 1 MiB, in an unlinked file; "" is the system's.
	TempDir string
}

// Packet is what was read. Document or Status is set once the envelope has been read; never both.
type Packet struct {
	Kind     Kind
	Document *Document
	Status   *Status
	Problems []Problem

	header  string  // path of MessageHeader
	from    int     // line of From
	parties []party // where Document.To stand, or the one ResponseFor that counts in a status
}

// party is where a recipient stands: its number among the To elements, from 1, and its line.
type party struct{ n, line int }

// Limits of one packet's header, so that its few bytes cannot become much memory.
const (
	MaxRecipients  = 50_000 // To elements
	MaxAttachments = 1_000
	maxHeld        = 20 << 20 // estimated bytes of everything that Packet holds
	maxText        = 1 << 20  // bytes of one text
	maxUnknown     = 500      // unknown elements that are kept
	maxUnknownText = 4 << 10  // bytes of each that are kept
	maxSecrecy     = 10       // of those beyond, elements that speak of secrecy
	defaultMaxFile = 1 << 30
)

// Read reads one packet to the end of r. It returns *Unreadable for what is no XML or no XML that we touch, a callback's error as it
// is, and r's own errors wrapped; everything else is in Packet.Problems (see Packet.Errors). The Packet is what was read until then.
func Read(r io.Reader, o Reading) (Packet, error) {
	if o.MaxFile <= 0 {
		o.MaxFile = defaultMaxFile
	}
	d := &reader{s: newScanner(r), o: o, spool: spool{dir: o.TempDir}}
	defer d.release()
	err := d.packet()
	if closing := d.spool.Close(); err == nil {
		err = closing
	}
	if u, ok := err.(*Unreadable); ok {
		d.p.Problems = append(d.p.Problems, u.Problem)
	}
	if d.p.Kind == "" { // it broke off, or has no envelope: what it said until then, else new, as without Bussiness
		d.p.Kind = Document{Business: d.business}.Kind()
	}
	return d.p, err
}

// reader maps tokens to a Packet, element by element, so that no tree of a big header is ever built.
type reader struct {
	s     *scanner
	o     Reading
	p     Packet
	held  int    // estimated bytes of p
	buf   []byte // of the text being read
	spool spool

	errors, warnings int
	unknownFound     []Unknown
	secrecyFound     int  // of unknownFound, those beyond its bound
	crowded          bool // warned that some unknown ones are not kept
	business         *Business
	businessRead     bool
	businessTyped    bool // a BussinessDocType has been read
	trace            []TraceHeader
	manifest         []reference
	enveloped        bool // the envelope has been read and Header called
	seen             int  // Attachment elements
	waiting          []waiting
	found            []Attachment
	payload          payload
	swollen          int64 // bytes of the files that came out of their ZIPs beyond bombRatio
}

// packet reads the root element and all that follows it.
func (d *reader) packet() error {
	if err := d.root(); err != nil {
		return err
	}
	if d.s.undeclared {
		d.warn("/", 1, sentence{Missing, "Thiếu khai báo XML ở đầu tệp.", "The XML declaration is missing.",
			`Thêm <?xml version="1.0" encoding="UTF-8"?> / Add <?xml version="1.0" encoding="UTF-8"?>`})
	}
	line, path := d.s.top().line, d.s.path()
	if root := d.s.top().local; root != "edXML" {
		d.warn(path, line, malformed(root, "không phải phần tử gốc edXML.", "is not the root element edXML.", "Đặt tên phần tử gốc là edXML / Name the root element edXML"))
	}
	if err := d.children(d.rootChild); err != nil {
		return err
	}
	if tok, err := d.s.next(); tok != tokenEOF {
		return err
	}
	if !d.enveloped {
		d.fail(path+"/edXMLEnvelope", line, missing("edXMLEnvelope"))
		return nil
	}
	d.checkAttachments(path)
	d.settle() // again: unknown elements may stand behind the envelope, too
	return nil
}

func (d *reader) root() error {
	tok, err := d.s.next()
	if err != nil {
		return err
	}
	if tok != tokenStart {
		return d.s.broken()
	}
	return nil
}

func (d *reader) rootChild(name string) error {
	switch {
	case name == "edXMLEnvelope" && !d.enveloped:
		return d.envelope()
	case name == "AttachmentEncoded":
		return d.attachments()
	case name == "Signature", name == "DigitalSignature":
		return d.skip()
	}
	return d.unknown()
}

// envelope reads the envelope, calls Header and then hands out the attachments that came too early for it.
func (d *reader) envelope() error {
	if err := d.children(d.envelopeChild); err != nil {
		return err
	}
	if d.p.Document == nil && d.p.Status == nil {
		d.fail(d.s.closedPath()+"/edXMLHeader/MessageHeader", d.s.closed.line, missing("MessageHeader"))
		d.p.Kind, d.p.Document = KindNew, &Document{}
	}
	d.settle()
	d.enveloped = true
	if d.o.Header != nil {
		if err := d.o.Header(&d.p); err != nil {
			return err
		}
	}
	return d.handOutWaiting()
}

// settle moves what was found beside the MessageHeader to where it belongs.
func (d *reader) settle() {
	if d.p.Status != nil {
		d.p.Status.Unknown = d.unknownFound
		return
	}
	d.p.Document.Unknown = d.unknownFound
	d.p.Document.Business, d.p.Document.Trace = d.business, d.trace
	d.p.Kind = d.p.Document.Kind()
}

func (d *reader) envelopeChild(name string) error {
	switch name {
	case "edXMLHeader":
		return d.children(d.headerChild)
	case "edXMLBody":
		return d.children(d.bodyChild)
	case "AttachmentEncoded":
		return d.attachments()
	case "Signature", "DigitalSignature":
		return d.skip()
	}
	return d.unknown()
}

func (d *reader) headerChild(name string) error {
	switch {
	case (name == "MessageHeader" || name == "Status") && d.p.Document == nil && d.p.Status == nil:
		return d.messageHeader(name == "Status")
	case name == "TraceHeaderList":
		return d.traceHeaderList()
	case name == "Signature", name == "DigitalSignature":
		return d.skip() // a dummy in all real traffic; legal signatures are in the files (spec 2.6)
	}
	return d.unknown()
}

func (d *reader) bodyChild(name string) error {
	if name == "edXMLManifest" {
		return d.children(d.manifestChild)
	}
	return d.unknown()
}
