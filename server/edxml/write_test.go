package edxml

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// everything is a document in which every element of spec 2.2, 2.3 and 2.5 occurs.
func everything() (Document, [][]byte) {
	yes, no, eighteen, two := true, false, 18, 2
	day := func(m time.Month, d int) Date { return Day(time.Date(2026, m, d, 0, 0, 0, 0, Vietnam)) }
	return Document{
		From: Organization{"H29.12", "UBND Thành phố Hồ Chí Minh", "Sở Nội vụ", "86 Lê Thánh Tôn", "test@test.invalid", "02800000000", "02800000001", "test.invalid"},
		To:   []Organization{{ID: "H26", Name: "UBND Thành phố Hà Nội"}, {ID: "000.00.00.G22"}},
		ID:   "H29.12-2026-000125", Number: "130", Notation: "SNV-VP", Place: "TP. Hồ Chí Minh", PromulgationDate: day(11, 20),
		Type: DocumentType{2, &eighteen, "Công văn"}, Subject: "V/v \"thử\" <A> & B", Content: "dòng một\r\ndòng hai",
		Signer: Signer{"KT. GIÁM ĐỐC", "Phó Giám đốc", "Nguyễn Văn Thử"}, DueDate: day(12, 1),
		Other:       OtherInfo{1, "Nội vụ", "VP", 2, 3, "7816/VPCP-TTĐT", &no, "NV-01", []string{"Phụ lục I"}},
		ResponseFor: []ResponseFor{{"G22", "7816/VPCP-TTĐT", "G22-2026-7816", day(9, 30)}}, Steering: &two, Tasks: []string{"NV-2026-01"},
		ApplicationType: "MCDT_DT", ToPlaces: []string{"Như trên", "Lưu: VT"},
		Business: &Business{KindReplace, "H29.12-2026-000123", "Thay thế", []Change{{true, true, []Receiver{{"H26", true}, {"G22", false}}}}, &yes,
			[]Replacement{{"H29.12-2026-000123", []string{"H26", "G22"}}}, []Staff{{"Văn phòng", "VP", "Trần Thị Thử", "TTT", "vt@test.invalid", "0900000000"}}},
		Trace: []TraceHeader{{"H29.12", Moment(time.Date(2026, 11, 21, 1, 30, 0, 0, time.UTC))}, {"", Date{Text: "hôm nay"}}},
		Attachments: []Attachment{
			{ContentID: "208", Name: "130_SNV-VP.PDF", Description: "Công văn", Format: "pdf", FieldName: "tep", MimeType: "application/pdf"},
			{Name: "phu-luc.docx"},
		},
		Unknown: []Unknown{{Path: "/x", Text: "not written"}},
	}, [][]byte{[]byte(samplePDF), []byte("PK docx")}
}

// TestWritten: every element has its prefix and place, byte for byte. The file was written down from the specification.
func TestWritten(t *testing.T) {
	t.Parallel()
	d, files := everything()
	want, err := os.ReadFile("testdata/written.edxml")
	if err != nil {
		t.Fatal(err)
	}
	if got := write(t, d, files); !bytes.Equal(got, want) {
		t.Errorf("wrote\n%s\nwant\n%s", got, want)
	}
	var status bytes.Buffer
	if err := WriteStatus(&status, Status{d.From, ResponseFor{"H26", "130/SNV-VP", d.ID, d.PromulgationDate}, d.Business.Staff[0], "13", "Phát hành nhầm", d.Trace[0].At, nil}); err != nil {
		t.Fatal(err)
	}
	if want, err = os.ReadFile("testdata/written_status.edxml"); err != nil || !bytes.Equal(status.Bytes(), want) {
		t.Errorf("wrote\n%s\nwant\n%s (%v)", status.Bytes(), want, err)
	}
}

// TestWrittenNames: a namespace-aware parser finds every prefix bound, to the one namespace.
func TestWrittenNames(t *testing.T) {
	t.Parallel()
	d, files := everything()
	x := xml.NewDecoder(bytes.NewReader(write(t, d, files)))
	for {
		tok, err := x.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := tok.(xml.StartElement); ok && e.Name.Space != namespace {
			t.Errorf("%s is in the namespace %q", e.Name.Local, e.Name.Space)
		}
	}
}

// TestPayloads: the table of spec 2.5, with the library's two slips: what goes raw and what in a ZIP, and what is declared; extensions come
// out in lower case, else VNPT's reader opens x.ZIP and loses all but its first entry.
func TestPayloads(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		name, contentType string
		raw               bool
	}{
		"a.pdf": {"a.pdf", "application/pdf", true}, "a.PDF": {"a.pdf", "application/pdf", true}, "a.doc": {"a.doc", "application/doc", true},
		"a.docx": {"a.docx", "application/docx", true}, "a.xsl": {"a.xsl", "application/xsl", true}, "a.xslx": {"a.xslx", "application/xslx", true},
		"a.zip": {"a.zip", "application/zip", true}, "A.ZIP": {"A.zip", "application/zip", true}, "a.b.Zip": {"a.b.zip", "application/zip", true},
		"a.xls": {"a.xls", "application/zip", false}, "a.XLSX": {"a.xlsx", "application/zip", false}, "a.txt": {"a.txt", "application/zip", false},
		"a.xml": {"a.xml", "application/zip", false}, "a.jpg": {"a.jpg", "application/zip", false}, "a": {"a", "application/zip", false},
		"a.tar.gz": {"a.tar.gz", "application/zip", false}, "a.pdf.exe": {"a.pdf.exe", "application/zip", false},
	} {
		d := Document{From: Organization{ID: "H29"}, To: []Organization{{ID: "H26"}}, ID: "1", Attachments: []Attachment{{Name: name}}}
		packet := string(write(t, d, [][]byte{[]byte("nội dung")}))
		if strings.Count(packet, "AttachmentName>"+want.name+"<") != 2 || strings.Count(packet, "ContentType>"+want.contentType+"<") != 2 {
			t.Errorf("%s: want %+v twice in\n%s", name, want, packet)
		}
		_, rest, _ := strings.Cut(packet, `<edXML:ContentTransferEncoded xmlns:edXML="`+namespace+`">`)
		encoded, _, _ := strings.Cut(rest, "<")
		content, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || (string(content) == "nội dung") != want.raw || strings.HasPrefix(string(content), localHeader) == want.raw {
			t.Errorf("%s: the payload is %q (%v), raw %v", name, content, err, want.raw)
		}
		if read := readAll(t, []byte(packet)); read.Files[0] != "nội dung" || read.Document.Attachments[0].Wrapped == want.raw {
			t.Errorf("%s: reads again as %q, %+v", name, read.Files[0], read.Document.Attachments[0])
		}
	}
}

// TestSmallest: what is not said is not on the wire, no element is empty.
func TestSmallest(t *testing.T) {
	t.Parallel()
	got := string(write(t, Document{From: Organization{ID: "H29"}, To: []Organization{{ID: "H26"}}, ID: "1", Type: DocumentType{Type: 2}}, nil))
	for _, absent := range []string{"></", "Trace", "Bussiness", "Signer", "PromulgationInfo", "AttachmentEncoded", "<edXML:Code>", "DueDate", "SteeringType"} {
		if strings.Contains(got, absent) {
			t.Errorf("there is %q in\n%s", absent, got)
		}
	}
	if strings.Count(got, "\n") != strings.Count(got, "\r\n") {
		t.Error("a line does not end with CR LF")
	}
}

// TestWriteRefuses: what no reader could use, or would get changed, is not written.
func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	lost := errors.New("lost")
	for name, spoil := range map[string]func(*Document){
		"no sender":         func(d *Document) { d.From.ID = "" },
		"no recipient":      func(d *Document) { d.To = nil },
		"no id":             func(d *Document) { d.ID = "" },
		"control character": func(d *Document) { d.Subject = "a\x01b" },
		"not UTF-8":         func(d *Document) { d.To[0].Name = "\xff" },
		"other hash":        func(d *Document) { d.Attachments[0].SHA256 = strings.Repeat("0", 64) },
		"other size":        func(d *Document) { d.Attachments[0].Size = 3 },
	} {
		d := Document{From: Organization{ID: "H29"}, To: []Organization{{ID: "H26"}}, ID: "1", Attachments: []Attachment{{Name: "a.pdf"}}}
		spoil(&d)
		if err := Write(io.Discard, d, func(int) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil }); err == nil {
			t.Errorf("%s: it is written", name)
		}
	}
	d := Document{From: Organization{ID: "H29"}, To: []Organization{{ID: "H26"}}, ID: "1", Attachments: []Attachment{{Name: "a.xls"}}}
	for name, open := range map[string]func(int) (io.ReadCloser, error){
		"cannot open": func(int) (io.ReadCloser, error) { return nil, lost },
		"cannot read": func(int) (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(lost)), nil },
	} {
		if err := Write(io.Discard, d, open); !errors.Is(err, lost) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, s := range map[string]Status{
		"no sender": {ResponseFor: ResponseFor{OrganID: "H26", DocumentID: "1"}, Code: "01"},
		"no code":   {From: Organization{ID: "H29"}, ResponseFor: ResponseFor{OrganID: "H26", DocumentID: "1"}},
		"code 07":   {From: Organization{ID: "H29"}, ResponseFor: ResponseFor{OrganID: "H26", DocumentID: "1"}, Code: "07"},
		"no target": {From: Organization{ID: "H29"}, Code: "01"},
	} {
		if err := WriteStatus(io.Discard, s); err == nil {
			t.Errorf("status with %s: it is written", name)
		}
	}
}
