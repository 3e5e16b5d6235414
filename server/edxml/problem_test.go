package edxml

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestErrors: what refuses a packet on every face, and nothing else does.
func TestErrors(t *testing.T) {
	t.Parallel()
	status := strings.NewReplacer("<edXML:To><edXML:OrganId>H26</edXML:OrganId></edXML:To>", "<edXML:ResponseFor><edXML:OrganId>H26</edXML:OrganId><edXML:DocumentId>x</edXML:DocumentId></edXML:ResponseFor>",
		"<edXML:DocumentId>H29.12-2026-000001</edXML:DocumentId>", "<edXML:StatusCode>03</edXML:StatusCode><edXML:Timestamp>2026/11/21 08:00:00</edXML:Timestamp>").Replace(packetOf())
	from, to, id := "<edXML:From><edXML:OrganId>H29.12</edXML:OrganId></edXML:From>", "<edXML:To><edXML:OrganId>H26</edXML:OrganId></edXML:To>", "H29.12-2026-000001"
	for _, c := range []struct {
		name, packet string
		want         []string // path below MessageHeader : line : kind
	}{
		{"good", packetOf(), nil},
		{"no From", packetOf(from, ""), []string{"/From:5:missing"}},
		{"From without code", packetOf("<edXML:OrganId>H29.12</edXML:OrganId>", "<edXML:OrganName>Sở</edXML:OrganName>"), []string{"/From/OrganId:6:missing"}},
		{"no To", packetOf(to, ""), []string{"/To:5:missing"}},
		{"second To without code", packetOf(to, to+"<edXML:To/>"), []string{"/To[2]/OrganId:7:missing"}},
		{"blank code", packetOf(">H26<", "> <"), []string{"/To[1]/OrganId:7:missing"}},
		{"no DocumentId", packetOf(id, ""), []string{"/DocumentId:5:missing"}},
		{"all missing", packetOf(from, "", to, "", id, ""), []string{"/From:5:missing", "/To:5:missing", "/DocumentId:5:missing"}},
		{"good status", status, nil},
		{"status without From", strings.Replace(status, from, "", 1), []string{"/From:5:missing"}},
		{"status without document", strings.Replace(status, "<edXML:DocumentId>x</edXML:DocumentId>", "", 1), []string{"/ResponseFor/DocumentId:7:missing"}},
		{"status without recipient", strings.Replace(status, "<edXML:OrganId>H26</edXML:OrganId>", "", 1), []string{"/ResponseFor/OrganId:7:missing"}},
		{"status 07", strings.Replace(status, ">03<", ">07<", 1), []string{"/StatusCode:8:unknown_code"}},
		{"status empty", strings.Replace(status, ">03<", "><", 1), []string{"/StatusCode:8:missing"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := Read(strings.NewReader(c.packet), Reading{})
			if err != nil {
				t.Fatal(err)
			}
			checkPlaces(t, p.Errors(), c.want)
		})
	}
}

func checkPlaces(t *testing.T, problems []Problem, want []string) {
	t.Helper()
	var got []string
	for _, q := range problems {
		got = append(got, fmt.Sprintf("%s:%d:%s", strings.TrimPrefix(q.Path, messageHeaderPath), q.Line, q.Kind))
		if q.VI == "" || q.EN == "" || !strings.Contains(q.Fix, " / ") {
			t.Errorf("%s is not told in both languages: %+v", q.Path, q)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

// TestNoEnvelope: well-formed XML that is no packet is an error with a path, not unreadable.
func TestNoEnvelope(t *testing.T) {
	t.Parallel()
	for packet, want := range map[string]string{
		`<?xml version="1.0"?><edXML/>`:                                                   "/edXML/edXMLEnvelope",
		`<?xml version="1.0"?><html><body/></html>`:                                       "/html/edXMLEnvelope",
		`<?xml version="1.0"?><edXML><edXMLEnvelope/></edXML>`:                            "/edXML/edXMLEnvelope/edXMLHeader/MessageHeader",
		`<?xml version="1.0"?><edXML><edXMLEnvelope><edXMLBody/></edXMLEnvelope></edXML>`: "/edXML/edXMLEnvelope/edXMLHeader/MessageHeader",
	} {
		p, err := Read(strings.NewReader(packet), Reading{})
		if err != nil || len(p.Errors()) != 1 || p.Errors()[0].Path != want || p.Errors()[0].Line != 1 {
			t.Errorf("%s: %v, %+v; want it missing at %s", packet, err, p.Errors(), want)
		}
	}
}

// TestWarnings: what is kept and shown.
func TestWarnings(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("ệ", n) }
	subject, to := "Về việc thử nghiệm", "<edXML:To><edXML:OrganId>H26</edXML:OrganId></edXML:To>"
	for _, c := range []struct {
		name, packet string
		want         []string
	}{
		{"500 letters", packetOf(subject, long(500)), nil},
		{"501 letters", packetOf(subject, long(501)), []string{"/Subject:12:too_long"}},
		{"no Subject", packetOf(subject, ""), []string{"/Subject:5:missing"}},
		{"two Subjects", packetOf("</edXML:Subject>", "</edXML:Subject><edXML:Subject>khác</edXML:Subject>"), []string{"/Subject[2]:12:malformed"}},
		{"To twice, in another case", packetOf(to, to+"<edXML:To><edXML:OrganId>h26</edXML:OrganId></edXML:To>"), []string{"/To[2]:7:malformed"}},
		{"odd code", packetOf(">H26<", ">H26/A<"), []string{"/To[1]/OrganId:7:malformed"}},
		{"five groups", packetOf(">H26<", ">H26.1.2.3.4<"), []string{"/To[1]/OrganId:7:malformed"}},
		{"code of 36", packetOf(">H26<", ">H26."+strings.Repeat("A", 32)+"<"), []string{"/To[1]/OrganId:7:too_long"}},
		{"impossible date", packetOf("2026/11/20", "2014/02/30"), []string{"/PromulgationInfo/PromulgationDate:10:malformed"}},
		{"date in the future", packetOf("2026/11/20", "2026/11/23"), []string{"/PromulgationInfo/PromulgationDate:10:malformed"}},
		{"type 71", packetOf(">2<", ">71<"), []string{"/DocumentType/Type:11:malformed"}},
		{"type hai", packetOf(">2<", ">hai<"), []string{"/DocumentType/Type:11:malformed"}},
		{"priority 7", packetOf(">0<", ">7<"), []string{"/OtherInfo/Priority:13:malformed"}},
		{"no number", packetOf(">1</edXML:CodeNumber>", "></edXML:CodeNumber>"), []string{"/Code/CodeNumber:5:missing"}},
		{"no prolog", packetOf(`<?xml version="1.0" encoding="UTF-8"?>`, ""), []string{"/:1:missing"}},
		{"other root", packetOf("<edXML xml", "<packet xml", "</edXML>", "</packet>"), []string{"/packet:2:malformed"}},
		{"business type 9", packetOf("</edXML:edXMLHeader>", "<edXML:TraceHeaderList><edXML:Bussiness><edXML:BussinessDocType>9</edXML:BussinessDocType></edXML:Bussiness></edXML:TraceHeaderList></edXML:edXMLHeader>"),
			[]string{"/edXML/edXMLEnvelope/edXMLHeader/TraceHeaderList/Bussiness/BussinessDocType:15:malformed"}},
		{"no attachment", packetOf("<Attachment>", "<!--", "</Attachment>", "-->"), []string{"/edXML/AttachmentEncoded/Attachment:1:missing"}},
		{"empty file", packetOf("JVBERi0xLjQKdGVzdAo=", ""), []string{"/edXML/AttachmentEncoded/Attachment[1]/ContentType:22:malformed", "/edXML/AttachmentEncoded/Attachment[1]/ContentTransferEncoded:19:missing"}},
		{"no payload", packetOf("<edXML:ContentTransferEncoded>JVBERi0xLjQKdGVzdAo=</edXML:ContentTransferEncoded>", ""), []string{"/edXML/AttachmentEncoded/Attachment[1]/ContentTransferEncoded:19:missing"}},
		{"not base64", packetOf("JVBERi0xLjQKdGVzdAo=", "JVBERi0x*LjQKdGVzdAo="), []string{"/edXML/AttachmentEncoded/Attachment[1]/ContentTransferEncoded:23:malformed"}},
		{"cut base64", packetOf("JVBERi0xLjQKdGVzdAo=", "JVBERi0xLjQKdGVzdAo"), []string{"/edXML/AttachmentEncoded/Attachment[1]/ContentTransferEncoded:23:malformed"}},
		{"after the end of base64", packetOf("JVBERi0xLjQKdGVzdAo=", "JVBERi0xLjQKdGVzdAo=AAAA"), []string{"/edXML/AttachmentEncoded/Attachment[1]/ContentTransferEncoded:23:malformed"}},
		{"no name", packetOf("<AttachmentName>a.pdf</AttachmentName>", ""), []string{"/edXML/AttachmentEncoded/Attachment[1]/AttachmentName:19:missing"}},
		{"path for a name", packetOf("a.pdf", "../../etc/a.pdf"), []string{"/edXML/AttachmentEncoded/Attachment[1]/AttachmentName:21:malformed"}},
		{"not a PDF", packetOf("JVBERi0xLjQKdGVzdAo=", "dGVzdA=="), []string{"/edXML/AttachmentEncoded/Attachment[1]/ContentType:22:malformed"}},
		{"reference in vain", packetOf(`<edXML:edXMLManifest version="1.0" />`, `<edXML:edXMLManifest><edXML:Reference><edXML:ContentId>1</edXML:ContentId></edXML:Reference><edXML:Reference><edXML:ContentId>2</edXML:ContentId></edXML:Reference></edXML:edXMLManifest>`),
			[]string{"/edXML/edXMLEnvelope/edXMLBody/edXMLManifest/Reference[2]:16:malformed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := Read(strings.NewReader(c.packet), Reading{Now: received})
			if err != nil {
				t.Fatal(err)
			}
			checkPlaces(t, p.Warnings(), c.want)
			if len(p.Errors()) > 0 {
				t.Errorf("it is refused: %+v", p.Errors())
			}
		})
	}
}

// TestErrorsOutliveWarnings: a flood of warnings cannot push an error out, nor fill the memory.
func TestErrorsOutliveWarnings(t *testing.T) {
	t.Parallel()
	doubled := strings.Repeat("<edXML:To><edXML:OrganId>H26</edXML:OrganId></edXML:To>", 2000)
	p, err := Read(strings.NewReader(packetOf("<edXML:DocumentId>H29.12-2026-000001</edXML:DocumentId>", doubled)), Reading{})
	if err != nil || len(p.Errors()) != 1 || len(p.Warnings()) != maxWarnings {
		t.Errorf("%v: %d errors, %d warnings", err, len(p.Errors()), len(p.Warnings()))
	}
}

// TestUnknown: unknown elements are kept with their text, wherever they are.
func TestUnknown(t *testing.T) {
	t.Parallel()
	p, err := Read(strings.NewReader(packetOf("</edXML:Subject>", "</edXML:Subject><x:Thêm xmlns:x='u'>một<b> hai </b></x:Thêm><Rỗng/>",
		"<edXML:Priority>", "<DoMat>MẬT</DoMat><edXML:Priority>")), Reading{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Unknown{{messageHeaderPath + "/Thêm/b", 12, "hai"}, {messageHeaderPath + "/Thêm", 12, "một"}, {messageHeaderPath + "/Rỗng", 12, ""}, {messageHeaderPath + "/OtherInfo/DoMat", 13, "MẬT"}}
	if fmt.Sprint(p.Document.Unknown) != fmt.Sprint(want) {
		t.Errorf("kept %+v, want %+v", p.Document.Unknown, want)
	}
	if mark, path, found := p.Document.Secrecy(); !found || mark != "MẬT" || path != want[3].Path {
		t.Errorf("secrecy: %q at %q, %v", mark, path, found)
	}
}

// TestCheck: the two lists are arrays even when empty, and a directory's findings have their place.
func TestCheck(t *testing.T) {
	t.Parallel()
	p, err := Read(strings.NewReader(packetOf("</edXML:To>", "</edXML:To>\n<edXML:To/><edXML:To><edXML:OrganId>H99</edXML:OrganId></edXML:To>")), Reading{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(p.Check(p.UnknownCode(1, "Không có mã H99.", "There is no code H99."), p.UnknownCode(-1, "Đã đóng.", "Closed.")))
	if err != nil {
		t.Fatal(err)
	}
	const fix = `"fix":"Tra lại mã trong danh mục cơ quan / Look the code up in the directory"}`
	want := `{"ok":false,"kind":"new","errors":[{"path":"` + messageHeaderPath + `/To[2]/OrganId","line":8,"kind":"missing","message_vi":"Thiếu OrganId (mã định danh cơ quan).","message_en":"OrganId is missing or empty.","fix":"Bổ sung OrganId (mã định danh cơ quan) / Add OrganId"},` +
		`{"path":"` + messageHeaderPath + `/To[3]/OrganId","line":8,"kind":"unknown_code","message_vi":"Không có mã H99.","message_en":"There is no code H99.",` + fix + `,` +
		`{"path":"` + messageHeaderPath + `/From/OrganId","line":6,"kind":"unknown_code","message_vi":"Đã đóng.","message_en":"Closed.",` + fix + `],"warnings":[]}`
	if string(got) != want {
		t.Errorf("checked\n%s\nwant\n%s", got, want)
	}
}

// TestExactLines: what is wrong with a value is told with its own line, not that of the element around it.
func TestExactLines(t *testing.T) {
	t.Parallel()
	own := func(element string) []string {
		return []string{"<edXML:" + element + "><edXML:OrganId>", "<edXML:" + element + ">\n\n<edXML:OrganId>"}
	}
	p, err := Read(strings.NewReader(packetOf(append(append(own("From"), own("To")...), "H26</", "H26/A</", "<AttachmentName>a.pdf", "\n<AttachmentName>x/a.pdf")...)), Reading{})
	if err != nil {
		t.Fatal(err)
	}
	checkPlaces(t, p.Warnings(), []string{"/To[1]/OrganId:11:malformed", "/edXML/AttachmentEncoded/Attachment[1]/AttachmentName:26:malformed"})
	for i, line := range map[int]int{-1: 8, 0: 11} {
		if q := p.UnknownCode(i, "a", "b"); q.Line != line {
			t.Errorf("party %d stands in line %d, want %d", i, q.Line, line)
		}
	}
	status := strings.NewReplacer("<edXML:To>", "<ResponseFor>\n<DocumentId>1</DocumentId>\n", "</edXML:To>", "</ResponseFor>", "</edXML:Subject>", "</edXML:Subject><StatusCode>03</StatusCode>",
		"<edXML:DocumentId>H29.12-2026-000001</edXML:DocumentId>", "").Replace(packetOf())
	if p, err = Read(strings.NewReader(status), Reading{}); err != nil || p.Kind != KindStatus || p.UnknownCode(0, "a", "b").Line != 9 {
		t.Errorf("%v: %s, the other party stands in line %d, want 9", err, p.Kind, p.UnknownCode(0, "a", "b").Line)
	}
}
