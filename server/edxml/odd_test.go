package edxml

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// TestOddPlaces: elements that stand where only some writers put them are read; unknown ones are kept wherever they stand.
func TestOddPlaces(t *testing.T) {
	t.Parallel()
	trace := func(s string) string {
		return packetOf("</edXML:edXMLHeader>", "<TraceHeaderList>"+s+"</TraceHeaderList></edXML:edXMLHeader>")
	}
	unknown := func(d *Document) string {
		var s string
		for _, u := range d.Unknown {
			s += strings.TrimPrefix(u.Path, "/edXML/") + "=" + u.Text + " "
		}
		return s
	}
	for _, c := range []struct {
		name, packet, want string
		get                func(d *Document) string
	}{
		{"Paper beside Bussiness", trace("<Paper>1</Paper><Bussiness><BussinessDocType>1</BussinessDocType></Bussiness>"), "recall true",
			func(d *Document) string { return fmt.Sprint(d.Kind(), " ", *d.Business.Paper) }},
		{"second Bussiness", trace("<Bussiness><BussinessDocType>1</BussinessDocType></Bussiness><Business><BusinessDocType>2</BusinessDocType></Business>"), "recall",
			func(d *Document) string { return string(d.Kind()) }},
		{"status of a document", packetOf("</edXML:Subject>", "</edXML:Subject><StatusCode>07</StatusCode><StaffInfo><Staff>Lê Thử</Staff></StaffInfo>"),
			"edXMLEnvelope/edXMLHeader/MessageHeader/StatusCode=07 edXMLEnvelope/edXMLHeader/MessageHeader/StaffInfo/Staff=Lê Thử ", unknown},
		{"unknown everywhere", packetOf("<edXML:edXMLHeader>", "<a>1</a><edXML:edXMLHeader><a>2</a>", "<edXML:edXMLBody>", "<edXML:edXMLBody><a>3</a>", "</edXML:OrganId></edXML:To>", "</edXML:OrganId><a>4</a></edXML:To>"),
			"edXMLEnvelope/a=1 edXMLEnvelope/edXMLHeader/a=2 edXMLEnvelope/edXMLHeader/MessageHeader/To[1]/a=4 edXMLEnvelope/edXMLBody/a=3 ", unknown},
		{"signatures", packetOf("</edXML:edXMLHeader>", "<DigitalSignature><a>1</a></DigitalSignature></edXML:edXMLHeader>", "</edXML>", "<Signature><a>1</a></Signature></edXML>"), "", unknown},
		{"element in a value", packetOf("Về việc", "Về <b>đậm</b>việc"), "Về việc thử nghiệm", func(d *Document) string { return d.Subject }},
		{"odd numbers", packetOf("<edXML:Priority>", "<PageAmount>-1</PageAmount><PromulgationAmount>1000</PromulgationAmount><Direction>có</Direction><edXML:Priority>"), "0 1000 true",
			func(d *Document) string {
				return fmt.Sprint(d.Other.PageAmount, " ", d.Other.PromulgationAmount, " ", d.Other.Direction == nil)
			}},
		{"codes as a list", packetOf("<edXML:Priority>", "<ReferenceCodes><Code>a</Code><Code> b </Code></ReferenceCodes><ReplyFors>c</ReplyFors><edXML:Priority>"), "a; b|c",
			func(d *Document) string { return d.Other.ReferenceCodes + "|" + d.Other.ReplyFors }},
		{"URL-safe base64 with an element in it", packetOf("JVBERi0xLjQKdGVzdAo=", "__<b>x</b>-_ \n_w=="), "4", func(d *Document) string { return fmt.Sprint(d.Attachments[0].Size) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := Read(strings.NewReader(c.packet), Reading{})
			if err != nil || len(p.Errors()) > 0 {
				t.Fatalf("%v %+v", err, p.Errors())
			}
			if got := c.get(p.Document); got != c.want {
				t.Errorf("read %q, want %q", got, c.want)
			}
		})
	}
}

// TestOddStatus: a one-digit code is understood, files are not handed out, a refusal without reason is warned of.
func TestOddStatus(t *testing.T) {
	t.Parallel()
	packet := packetOf("<edXML:To><edXML:OrganId>H26</edXML:OrganId></edXML:To>", "<ResponseFor><OrganId>H26</OrganId><DocumentId>1</DocumentId></ResponseFor><ResponseFor><OrganId>H27</OrganId></ResponseFor>", "</edXML:Subject>", "</edXML:Subject><StatusCode>2</StatusCode>")
	p, err := Read(strings.NewReader(packet), Reading{Attachment: func(int, Attachment, io.Reader) error { t.Error("a file was handed out"); return nil }})
	if err != nil || len(p.Errors()) > 0 || p.Kind != KindStatus || p.Status.Code != "02" || p.Status.ResponseFor.OrganID != "H26" {
		t.Fatalf("%v %+v", err, p)
	}
	checkPlaces(t, p.Warnings(), []string{"/ResponseFor[2]:5:malformed", "/StatusCode:12:malformed", "/Timestamp:5:missing", "/Description:5:missing", "/edXML/AttachmentEncoded:2:malformed"})
	if q := p.UnknownCode(0, "a", "b"); q.Path != messageHeaderPath+"/ResponseFor/OrganId" || q.Line != 7 {
		t.Errorf("%+v", q)
	}
}
