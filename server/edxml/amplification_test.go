package edxml

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// Of a packet we hold at most so many bytes for each of its own, beside what every reading costs. A few bytes must not become many: an axis
// reads what strangers send, hundreds at a time.
const (
	heldPerByte = 8
	heldAlways  = 512 << 10 // the problems that are kept, in two languages, and unknown elements with their paths
)

// holding is what a value takes in memory, with all that it refers to; text that is shared is counted each time.
func holding(v reflect.Value) int {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return 0
		}
		return int(v.Type().Elem().Size()) + holding(v.Elem())
	case reflect.String:
		return v.Len()
	case reflect.Slice:
		n := v.Cap() * int(v.Type().Elem().Size())
		for i := range v.Len() {
			n += holding(v.Index(i))
		}
		return n
	case reflect.Struct:
		if v.Type().String() == "time.Time" {
			return 0
		}
		n := 0
		for i := range v.NumField() {
			n += holding(v.Field(i))
		}
		return n
	}
	return 0
}

// amplified says by how much too many bytes are held of a packet of that size, or 0.
func amplified(p Packet, size int) int {
	return max(0, holding(reflect.ValueOf(p))-heldAlways-heldPerByte*size)
}

// TestAmplification: the cheapest forms of everything that a packet may have many of, and the real heap beside what holding says.
func TestAmplification(t *testing.T) {
	skipUnderRace(t)
	after := func(place, more string) string { return packetOf(place, place+more) }
	const n = 40_000
	business := func(s string) string {
		return after("<edXML:edXMLHeader>", "<TraceHeaderList><Bussiness>"+s+"</Bussiness></TraceHeaderList>")
	}
	for name, packet := range map[string]string{
		"empty recipients":   after("</edXML:To>", strings.Repeat("<To/>", n)),
		"smallest ones":      after("</edXML:To>", strings.Repeat("<To><Fax>1</Fax></To>", n)),
		"recipients":         after("</edXML:To>", strings.Repeat("<To><OrganId>A</OrganId></To>", n)),
		"places":             after("</edXML:Subject>", "<ToPlaces>"+strings.Repeat("<Place>x</Place>", n)+"</ToPlaces>"),
		"tasks":              after("</edXML:Subject>", "<ResponseForTask>"+strings.Repeat("<TaskCode>x</TaskCode>", n)+"</ResponseForTask>"),
		"appendixes":         after("<edXML:OtherInfo>", "<Appendixes>"+strings.Repeat("<Appendix>x</Appendix>", n)+"</Appendixes>"),
		"leaves":             after("<edXML:OtherInfo>", "<ReferenceCodes>"+strings.Repeat("<x>y</x>", n)+"</ReferenceCodes>"),
		"unknown":            after("</edXML:Subject>", strings.Repeat("<x/>", n)),
		"unknown, deep":      after("</edXML:Subject>", strings.Repeat("<"+strings.Repeat("a", 250)+">", 50)+strings.Repeat("<x/>", n)+strings.Repeat("</"+strings.Repeat("a", 250)+">", 50)),
		"hops":               after("<edXML:edXMLHeader>", "<TraceHeaderList>"+strings.Repeat("<TraceHeader><OrganId>x</OrganId></TraceHeader>", n)+"</TraceHeaderList>"),
		"answers":            after("</edXML:Subject>", strings.Repeat("<ResponseFor><Code>x</Code></ResponseFor>", n)),
		"staff":              business(strings.Repeat("<StaffInfo><Staff>x</Staff></StaffInfo>", n)),
		"receivers":          business("<BussinessDocumentInfo><ReceiverList>" + strings.Repeat("<Receiver><OrganId>x</OrganId></Receiver>", n) + "</ReceiverList></BussinessDocumentInfo>"),
		"changes":            business(strings.Repeat("<BussinessDocumentInfo><DocumentInfo>1</DocumentInfo></BussinessDocumentInfo>", n)),
		"replacements":       business("<ReplacementInfoList>" + strings.Repeat("<ReplacementInfo><DocumentId>x</DocumentId></ReplacementInfo>", n) + "</ReplacementInfoList>"),
		"replaced agencies":  business("<ReplacementInfoList><ReplacementInfo><OrganIdList>" + strings.Repeat("<OrganId>x</OrganId>", n) + "</OrganIdList></ReplacementInfo></ReplacementInfoList>"),
		"references":         after("<edXML:edXMLBody>", "<edXMLManifest>"+strings.Repeat("<Reference/>", MaxAttachments)+"</edXMLManifest>"),
		"empty attachments":  packetOf("<Attachment>", strings.Repeat("<Attachment/>", MaxAttachments-1)+"<Attachment>"),
		"attachments, early": attachmentsFirst(packetOf("<Attachment>", strings.Repeat("<Attachment><ContentTransferEncoded/></Attachment>", MaxAttachments-1)+"<Attachment>")),
		"warned of, deep":    after("</edXML:Subject>", strings.Repeat("<"+strings.Repeat("a", 250)+">", 50)+strings.Repeat("</"+strings.Repeat("a", 250)+">", 50)+strings.Repeat("<Subject/>", n)),
		"wrong dates":        after("</edXML:edXMLHeader>", "<TraceHeaderList>"+strings.Repeat("<TraceHeader><Timestamp>x</Timestamp></TraceHeader>", n)+"</TraceHeaderList>"),
	} {
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		p, err := Read(strings.NewReader(packet), Reading{})
		runtime.GC()
		runtime.ReadMemStats(&now)
		heap := int(now.HeapAlloc) - int(before.HeapAlloc)
		t.Logf("%s: %d bytes hold %d, the heap %d (%.1f of each) %v", name, len(packet), holding(reflect.ValueOf(p)), heap, float64(heap)/float64(len(packet)), err)
		if over := amplified(p, len(packet)); over > 0 || heap-heldAlways > heldPerByte*len(packet) {
			t.Errorf("%s: %d bytes hold %d, the heap grew by %d", name, len(packet), holding(reflect.ValueOf(p)), heap)
		}
		runtime.KeepAlive(p)
		runtime.KeepAlive(packet)
	}
}

// TestNationwide: the largest honest packet is far from these bounds: an update to forty thousand recipients, each with its code, name and
// address, each listed again, and all of them as places.
func TestNationwide(t *testing.T) {
	t.Parallel()
	const n = 40_000
	var to, receivers, places strings.Builder
	for i := range n {
		code := fmt.Sprintf("H%02d.%d.%d", i%63+1, i%40, i)
		fmt.Fprintf(&to, "<To><OrganId>%s</OrganId><OrganName>Ủy ban nhân dân xã Thử Nghiệm số %d</OrganName><OrganAdd>Thôn Một, xã Thử Nghiệm, tỉnh Thử Nghiệm</OrganAdd></To>\n", code, i)
		fmt.Fprintf(&receivers, "<Receiver><OrganId>%s</OrganId><ReceiverType>1</ReceiverType></Receiver>\n", code)
		fmt.Fprintf(&places, "<Place>UBND xã %d</Place>", i)
	}
	p, err := Read(strings.NewReader(packetOf("</edXML:To>", "</edXML:To>"+to.String(), "</edXML:Subject>", "</edXML:Subject><ToPlaces>"+places.String()+"</ToPlaces>",
		"</edXML:edXMLHeader>", "<TraceHeaderList><Bussiness><BussinessDocType>2</BussinessDocType><BussinessDocumentInfo><DocumentReceiver>1</DocumentReceiver><ReceiverList>"+
			receivers.String()+"</ReceiverList></BussinessDocumentInfo></Bussiness></TraceHeaderList></edXML:edXMLHeader>")), Reading{})
	if err != nil || len(p.Errors()) > 0 || len(p.Document.To) != n+1 || len(p.Document.Business.Changes[0].List) != n || len(p.Document.ToPlaces) != n {
		t.Fatalf("%v %+v", err, p.Errors())
	}
	checkPlaces(t, p.Warnings(), []string{fmt.Sprintf("/ToPlaces:%d:too_long", 12+n)})
}

// TestHeldBound: what is beyond them is refused, as XML that we do not read.
func TestHeldBound(t *testing.T) {
	t.Parallel()
	_, err := Read(strings.NewReader(packetOf("</edXML:Subject>", "</edXML:Subject><ToPlaces>"+strings.Repeat("<Place>xxxxxxxx</Place>", 400_000)+"</ToPlaces>")), Reading{})
	var u *Unreadable
	if !errors.As(err, &u) || u.Kind != TooLong || !u.XML || u.Path != messageHeaderPath+"/ToPlaces" {
		t.Errorf("%+v", err)
	}
}
