package edxml

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

const messageHeaderPath = "/edXML/edXMLEnvelope/edXMLHeader/MessageHeader"

// TestRefused: what is no XML, or XML that we do not touch, is refused with its line and path.
func TestRefused(t *testing.T) {
	t.Parallel()
	subject := messageHeaderPath + "/Subject"
	inSubject := func(s string) string { return packetOf("Về việc thử nghiệm", s) }
	deep := func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	attributes := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ` a%d="1"`, i)
		}
		return packetOf(`<edXML:Subject>`, `<edXML:Subject`+b.String()+`>`)
	}
	for _, c := range []struct {
		name, packet, path string
		line               int
		xml                bool
	}{
		{"empty", "", "/", 1, false},
		{"blank", " \r\n ", "/", 2, false},
		{"only prolog", `<?xml version="1.0"?>`, "/", 1, false},
		{"junk before the prolog", "1212" + packetOf(), "/", 1, false},
		{"blank before the prolog", "\n" + packetOf(), "/", 2, false},
		{"comment before the prolog", "<!-- -->" + packetOf(), "/", 1, false},
		{"second prolog", inSubject(`<?xml version="1.0"?>`), subject, 12, false},
		{"junk after the root", packetOf() + "x", "/", 27, false},
		{"second root", packetOf() + "<a/>", "/", 27, false},
		{"NUL after the root", packetOf() + "\x00", "/", 27, false},
		{"UTF-16", "\xff\xfe<\x00?\x00", "/", 1, false},
		{"UTF-16 without a mark", "<\x00?\x00x\x00", "/", 1, false},
		{"UTF-16, the other way", "\x00<\x00?", "/", 1, false},
		{"UTF-32", "\x00\x00\xfe\xff\x00\x00\x00<", "/", 1, false},
		{"declared ISO-8859-1", packetOf("UTF-8", "ISO-8859-1"), "/", 1, false},
		{"BOM behind a blank", " \xef\xbb\xbf" + packetOf(), "/", 1, false},
		{"blank behind the BOM", "\xef\xbb\xbf " + packetOf(), "/", 1, false},
		{"two BOMs", "\xef\xbb\xbf\xef\xbb\xbf" + packetOf(), "/", 1, false},
		{"base64 for XML", "PD94bWwgdmVyc2lvbj0iMS4wIj8+", "/", 1, false},
		{"multipart for XML", "--x\r\nContent-Disposition: form-data\r\n\r\n" + packetOf(), "/", 1, false},
		{"declared windows-1258", packetOf("UTF-8", "windows-1258"), "/", 1, false},
		{"declared UTF-16", packetOf("UTF-8", "utf-16"), "/", 1, false},
		{"bad declaration", packetOf(`version="1.0"`, `version="2.0"`), "/", 1, false},
		{"DOCTYPE", packetOf(`?>`, "?>\n<!DOCTYPE edXML>"), "/", 2, true},
		{"entity bomb", packetOf(`?>`, "?>\n<!DOCTYPE e [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>"), "/", 2, true},
		{"external entity", packetOf(`?>`, "?><!DOCTYPE e [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"), "/", 1, true},
		{"entity", inSubject("a &nbsp; b"), subject, 12, true},
		{"entity in an attribute", packetOf("<edXML:Subject>", `<edXML:Subject a="&x;">`), subject, 12, true},
		{"reference to NUL", inSubject("&#0;"), subject, 12, true},
		{"reference to a surrogate", inSubject("&#xD800;"), subject, 12, true},
		{"reference beyond Unicode", inSubject("&#x110000;"), subject, 12, true},
		{"bare ampersand", inSubject("A & B"), subject, 12, false},
		{"bare less-than", inSubject("a < b"), subject, 12, false},
		{"control character", inSubject("a\x0bb"), subject, 12, false},
		{"not UTF-8", inSubject("a\xe1b"), subject, 12, false},
		{"half a letter at a tag", inSubject("a\xe1\xbb"), subject, 12, false},
		{"encoded surrogate", inSubject("\xed\xa0\x80"), subject, 12, false},
		{"non-character", inSubject("\xef\xbf\xbe"), subject, 12, false},
		{"CDATA end outside CDATA", inSubject("a]]>b"), subject, 12, false},
		{"CDATA outside the root", packetOf() + "<![CDATA[x]]>", "/", 27, false},
		{"dashes in a comment", inSubject("<!-- a -- b -->"), subject, 12, false},
		{"wrong end tag", packetOf("</edXML:Subject>", "</edXML:Content>"), subject, 12, false},
		{"wrong prefix at the end", packetOf("</edXML:Subject>", "</Subject>"), subject, 12, false},
		{"attribute twice", packetOf("<edXML:Subject>", `<edXML:Subject a="1" a="2">`), subject, 12, false},
		{"attribute without quotes", packetOf("<edXML:Subject>", `<edXML:Subject a=1>`), subject, 12, false},
		{"attributes run together", packetOf("<edXML:Subject>", `<edXML:Subject a="1"b="2">`), subject, 12, false},
		{"less-than in an attribute", packetOf("<edXML:Subject>", `<edXML:Subject a="<">`), subject, 12, false},
		{"two colons", inSubject("<a:b:c/>"), subject, 12, false},
		{"depth over 64", inSubject(deep(60)), subject + strings.Repeat("/a", 59), 12, true},
		{"257 attributes", attributes(257), subject, 12, true},
		{"long attribute", packetOf("<edXML:Subject>", `<edXML:Subject a="`+strings.Repeat("x", maxTag)+`">`), subject, 12, true},
		{"long name", inSubject("<" + strings.Repeat("a", 300) + "/>"), subject, 12, true},
		{"text over its size", inSubject(strings.Repeat("x", maxText+1)), subject, 12, true},
		{"codes over their size", packetOf("<edXML:OtherInfo>", "<edXML:OtherInfo><ReferenceCodes>"+strings.Repeat("x", maxText+1)+"</ReferenceCodes>"), messageHeaderPath + "/OtherInfo/ReferenceCodes", 13, true},
		{"too many attachments", packetOf("<Attachment>", strings.Repeat("<Attachment/>", MaxAttachments)+"<Attachment>"), "/edXML/AttachmentEncoded/Attachment[1001]", 19, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := Read(strings.NewReader(c.packet), Reading{})
			var u *Unreadable
			if !errors.As(err, &u) {
				t.Fatalf("read: %v, want it refused", err)
			}
			if u.Path != c.path || u.Line != c.line || u.XML != c.xml {
				t.Errorf("refused at line %d, %s, XML %v (%s)\nwant line %d, %s, XML %v", u.Line, u.Path, u.XML, u.EN, c.line, c.path, c.xml)
			}
			if last := p.Problems[len(p.Problems)-1]; last != u.Problem || last.VI == "" || last.EN == "" || last.Fix == "" || len(p.Errors()) != 1 {
				t.Errorf("the problems do not end with it, told in both languages: %+v", p.Problems)
			}
		})
	}
}

// TestAllowed: at the limits, and with all that is unusual but harmless, a packet is read.
func TestAllowed(t *testing.T) {
	t.Parallel()
	for name, packet := range map[string]string{
		"BOM":                "\xef\xbb\xbf" + packetOf(),
		"no prolog":          packetOf(`<?xml version="1.0" encoding="UTF-8"?>`, ""),
		"single quotes":      packetOf(`version="1.0" encoding="UTF-8"`, `version='1.0' encoding='utf-8' standalone='yes'`),
		"CRLF after":         packetOf() + "\r\n",
		"CRLF throughout":    strings.ReplaceAll(packetOf(), "\n", "\r\n"),
		"CR throughout":      strings.ReplaceAll(packetOf(), "\n", "\r"),
		"BOM and CRLF":       "\xef\xbb\xbf" + strings.ReplaceAll(packetOf(), "\n", "\r\n"),
		"CDATA in base64":    packetOf("JVBERi0xLjQKdGVzdAo=", "<![CDATA[JVBERi0x]]><!-- x -->\r\n<![CDATA[LjQKdGVz]]><?p q?>dAo="),
		"blanks in base64":   packetOf("JVBERi0xLjQKdGVzdAo=", "\r\n  JVBE Ri0x\r\n\tLjQKdGVzdAo=  \n"),
		"URIs swapped":       packetOf(`xmlns:edXML="`+namespace+`"`, `xmlns:edXML="urn:x"`),
		"comments and PIs":   packetOf("?>\n", "?>\n<!-- Việt -->\n<?xml-stylesheet href='x'?>\n") + "<!-- -->",
		"comment in a value": packetOf("Về việc", "Về<!-- x --> việc"),
		"references":         packetOf("Về việc", "V&#7873; vi&#x1EC7;c"),
		"CDATA":              packetOf("Về việc thử nghiệm", "<![CDATA[Về việc]]> th<![CDATA[ử nghiệm]]>"),
		"other prefix":       packetOf("edXML:", "ns0:", "xmlns:edXML", "xmlns:ns0"),
		"no prefix":          packetOf("edXML:", "", "xmlns:edXML", "xmlns"),
		"unbound prefix":     packetOf(` xmlns:edXML="`+namespace+`"`, ""),
		"other namespace":    packetOf(namespace, "http://www.go.vn/eDoc"),
		"old namespace":      packetOf(namespace, "http://www.e-doc.vn/Schema/"),
		"spaces in tags":     packetOf("<edXML:Subject>", "<edXML:Subject\n a = '1'\r\n>", "</edXML:Subject>", "</edXML:Subject\n>"),
		"one line":           strings.NewReplacer("\n  ", "", "\n    ", "").Replace(packetOf()),
		"layout in a value":  packetOf("Về việc thử nghiệm", "\r\n\tVề việc thử nghiệm\r\n    "),
		"256 attributes": packetOf("<edXML:Subject>", "<edXML:Subject"+func() (s string) {
			for i := range 256 {
				s += fmt.Sprintf(" a%d='%d'", i, i)
			}
			return s
		}()+">"),
		"depth 64": packetOf("</edXML:Subject>", "</edXML:Subject>"+strings.Repeat("<a>", 60)+strings.Repeat("</a>", 60)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for cut, r := range map[string]io.Reader{"whole": strings.NewReader(packet), "byte by byte": iotest.OneByteReader(strings.NewReader(packet))} {
				p, err := Read(r, Reading{})
				if err != nil || len(p.Errors()) > 0 {
					t.Fatalf("%s: refused: %v %+v", cut, err, p.Errors())
				}
				d := p.Document
				if d.Subject != "Về việc thử nghiệm" || d.From.ID != "H29.12" || d.To[0].ID != "H26" || len(d.Attachments) != 1 || d.Attachments[0].Size != int64(len(samplePDF)) {
					t.Errorf("%s: read as %+v", cut, d)
				}
			}
		})
	}
}

// TestTruncated: a packet that breaks off is refused wherever it does, and the file that it broke in is never whole.
func TestTruncated(t *testing.T) {
	t.Parallel()
	packet := strings.TrimRight(packetOf(), "\n")
	for n := range len(packet) {
		_, err := Read(strings.NewReader(packet[:n]), Reading{Attachment: func(_ int, _ Attachment, content io.Reader) error {
			b, err := io.ReadAll(content)
			if err == nil && string(b) != samplePDF {
				t.Errorf("cut at %d: the file reads whole as %q", n, b)
			}
			return nil // even a caller that overlooks the error does not hide it
		}})
		var u *Unreadable
		if !errors.As(err, &u) {
			t.Fatalf("cut at %d of %d: %v", n, len(packet), err)
		}
	}
}

// TestSourceFails: an error of the source is not the packet's fault.
func TestSourceFails(t *testing.T) {
	t.Parallel()
	lost := errors.New("connection lost")
	packet := packetOf()
	for _, n := range []int{0, 10, 200, 900, len(packet) - 60} {
		_, err := Read(io.MultiReader(strings.NewReader(packet[:n]), iotest.ErrReader(lost)), Reading{})
		var u *Unreadable
		if !errors.Is(err, lost) || errors.As(err, &u) {
			t.Errorf("after %d bytes: %v, want the source's error", n, err)
		}
	}
}
