package edxml

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestRoundTrip: what is written is read again as it was, without a problem that refuses it, and the same document gives the same bytes.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d, files := drawDocument(t)
		packet := write(t, d, files)
		if !bytes.Equal(packet, write(t, d, files)) {
			t.Fatal("the same document gave other bytes")
		}
		var got [][]byte
		p, err := Read(bytes.NewReader(packet), Reading{Attachment: func(_ int, _ Attachment, content io.Reader) error {
			b, err := io.ReadAll(content)
			got = append(got, b)
			return err
		}})
		if err != nil {
			t.Fatalf("read what was written: %v\n%s", err, packet)
		}
		if len(p.Errors()) > 0 {
			t.Fatalf("what was written is refused: %+v\n%s", p.Errors(), packet)
		}
		if want := asRead(d, files); !reflect.DeepEqual(p.Document, &want) {
			t.Fatalf("read\n%+v\nwrote\n%+v\n%s", p.Document, &want, packet)
		}
		for i := range files {
			if !bytes.Equal(got[i], files[i]) {
				t.Fatalf("file %d (%s) reads as %q, was %q", i, d.Attachments[i].Name, got[i], files[i])
			}
		}
	})
}

// TestStatusRoundTrip is the same for status packets.
func TestStatusRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := Status{From: drawOrganization(t), ResponseFor: drawResponseFor(t), Staff: drawStaff(t), Description: drawText(t),
			Code: rapid.SampledFrom([]string{"01", "02", "03", "04", "05", "06", "13", "15", "16"}).Draw(t, "status"), At: drawDate(t, time.Second)}
		s.ResponseFor.OrganID, s.ResponseFor.DocumentID = drawCode(t), drawWord(t)
		var packet bytes.Buffer
		if err := WriteStatus(&packet, s); err != nil {
			t.Fatal(err)
		}
		p, err := Read(&packet, Reading{})
		if err != nil || len(p.Errors()) > 0 || p.Kind != KindStatus || !reflect.DeepEqual(p.Status, &s) {
			t.Fatalf("read %+v (%v)\nwrote %+v", p, err, s)
		}
	})
}

// asRead is what Read finds of a document that Write wrote.
func asRead(d Document, files [][]byte) Document {
	d.Attachments = append([]Attachment(nil), d.Attachments...)
	for i := range d.Attachments {
		a := &d.Attachments[i]
		sum := sha256.Sum256(files[i])
		a.ContentID = packetID(d, i, *a)
		a.Size, a.SHA256 = int64(len(files[i])), hex.EncodeToString(sum[:])
		a.Name = packetName(a.Name)
		a.ContentType = payloadType(a.Name)
		_, raw := payloads[extension(a.Name)]
		a.Wrapped = !raw
	}
	return d
}

func write(t interface{ Fatal(...any) }, d Document, files [][]byte) []byte {
	var b bytes.Buffer
	if err := Write(&b, d, func(i int) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files[i])), nil }); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// drawDocument draws a document with its files' bytes. Lists hold nothing empty, for empty things are not on the wire.
func drawDocument(t *rapid.T) (Document, [][]byte) {
	d := Document{
		From: drawOrganization(t), To: rapid.SliceOfN(rapid.Custom(drawOrganization), 1, 4).Draw(t, "to"), ID: drawWord(t),
		Number: drawText(t), Notation: drawText(t), Place: drawText(t), PromulgationDate: drawDate(t, 24*time.Hour),
		Type:    DocumentType{Type: rapid.IntRange(0, 99).Draw(t, "type"), Detail: drawNumber(t), Name: drawText(t)},
		Subject: drawText(t), Content: drawText(t), Signer: Signer{drawText(t), drawText(t), drawText(t)}, DueDate: drawDate(t, 24*time.Hour),
		Other: OtherInfo{Priority: rapid.IntRange(0, 4).Draw(t, "priority"), Sphere: drawText(t), TyperNotation: drawText(t),
			PromulgationAmount: rapid.IntRange(0, 2000).Draw(t, "copies"), PageAmount: rapid.IntRange(0, 2000).Draw(t, "pages"),
			ReplyFors: drawText(t), Direction: drawFlag(t), ReferenceCodes: drawText(t), Appendixes: drawTexts(t)},
		ResponseFor: drawList(t, drawResponseFor), Steering: drawNumber(t), Tasks: drawTexts(t), ApplicationType: drawText(t), ToPlaces: drawTexts(t),
		Trace: drawList(t, func(t *rapid.T) TraceHeader { return TraceHeader{drawWord(t), drawDate(t, time.Second)} }),
	}
	if rapid.Bool().Draw(t, "business") {
		d.Business = drawBusiness(t)
	}
	var files [][]byte
	for range rapid.IntRange(0, 4).Draw(t, "files") {
		a, content := drawAttachment(t)
		d.Attachments = append(d.Attachments, a)
		files = append(files, content)
	}
	return d, files
}

func drawBusiness(t *rapid.T) *Business {
	return &Business{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), DocumentID: drawText(t), Reason: drawText(t), Paper: drawFlag(t), Staff: drawList(t, func(t *rapid.T) Staff {
		s := drawStaff(t)
		s.Name = drawWord(t)
		return s
	}), Changes: drawList(t, func(t *rapid.T) Change {
		return Change{true, rapid.Bool().Draw(t, "receivers"), drawList(t, func(t *rapid.T) Receiver {
			return Receiver{drawCode(t), rapid.Bool().Draw(t, "added")}
		})}
	}), Replacements: drawList(t, func(t *rapid.T) Replacement {
		return Replacement{drawWord(t), drawList(t, drawCode)}
	})}
}

func drawAttachment(t *rapid.T) (Attachment, []byte) {
	ext := rapid.SampledFrom([]string{".pdf", ".PDF", ".doc", ".docx", ".xls", ".xlsx", ".xsl", ".xslx", ".XSL", ".txt", ".xml", ".zip", ".ZIP", ".jpg", ".tar.gz", "", ".có dấu", ".x/y"}).Draw(t, "ext")
	content := rapid.OneOf(rapid.SliceOfN(rapid.Byte(), 0, 300), rapid.Custom(func(t *rapid.T) []byte {
		return bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(t, "bytes"), rapid.IntRange(1, 5000).Draw(t, "times"))
	})).Draw(t, "content")
	return Attachment{ContentID: rapid.SampledFrom([]string{"", drawWord(t)}).Draw(t, "id"), Name: drawWord(t) + ext, Description: drawText(t),
		Format: drawText(t), FieldName: drawText(t), MimeType: drawText(t)}, content
}

func drawOrganization(t *rapid.T) Organization {
	return Organization{drawCode(t), drawText(t), drawText(t), drawText(t), drawText(t), drawText(t), drawText(t), drawText(t)}
}

func drawResponseFor(t *rapid.T) ResponseFor {
	return ResponseFor{drawCode(t), drawText(t), drawText(t), drawDate(t, 24*time.Hour)}
}

func drawStaff(t *rapid.T) Staff {
	return Staff{drawText(t), drawText(t), drawText(t), drawText(t), drawText(t), drawText(t)}
}

func drawList[T any](t *rapid.T, one func(*rapid.T) T) []T {
	list := rapid.SliceOfN(rapid.Custom(one), 0, 3).Draw(t, "list")
	if len(list) == 0 {
		return nil
	}
	return list
}

func drawTexts(t *rapid.T) []string { return drawList(t, drawWord) }

func drawCode(t *rapid.T) string {
	return rapid.StringMatching(`[A-K][0-9]{2}(\.[0-9A-Z]{1,3}){0,3}|[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-K][0-9]{2}`).Draw(t, "code")
}

// drawText draws a text or nothing; drawWord a text that is not empty. Both may hold markup, line ends and all of Unicode.
func drawText(t *rapid.T) string {
	if rapid.Bool().Draw(t, "nothing") {
		return ""
	}
	return drawWord(t)
}

var words = []string{"Về việc", "Quyết định số 12/QĐ-UBND", "<b>&amp;</b>", "]]>", "<![CDATA[x]]>", "&#0;", "a\r\nb", "a\rb", "x\n\n\ty", "\"'", "cid", "𝒱ă n", "e\u0301", "null", "\u0085", "\u2028"}

func drawWord(t *rapid.T) string {
	word := rapid.OneOf(rapid.SampledFrom(words), rapid.String()).Draw(t, "word")
	word = strings.Map(func(r rune) rune {
		if !xmlRune(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(word, ""))
	word = strings.Trim(word, layout)
	if word == "" || word == "null" || strings.HasPrefix(strings.ToLower(word), "cid:") {
		return "x"
	}
	return word
}

func drawNumber(t *rapid.T) *int {
	if rapid.Bool().Draw(t, "none") {
		return nil
	}
	n := rapid.IntRange(-1, 99).Draw(t, "number")
	return &n
}

func drawFlag(t *rapid.T) *bool {
	if rapid.Bool().Draw(t, "none") {
		return nil
	}
	b := rapid.Bool().Draw(t, "flag")
	return &b
}

// drawDate draws a date of that fineness, a text that is none, or nothing.
func drawDate(t *rapid.T, fineness time.Duration) Date {
	switch rapid.IntRange(0, 3).Draw(t, "date") {
	case 0:
		return Date{}
	case 1:
		return Date{Text: rapid.SampledFrom([]string{"2014/02/30", "hôm nay", "0001/01/01", "20261121"}).Draw(t, "odd")}
	}
	at := time.Unix(rapid.Int64Range(-2_000_000_000, 7_000_000_000).Draw(t, "unix"), 0)
	if fineness == time.Second {
		return Moment(at)
	}
	return Day(at)
}
