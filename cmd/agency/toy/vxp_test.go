package toy

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestVXPSignsAsTheSDKDid holds the vectors that were captured from SDK 2.0.1 (specification, 1.9).
func TestVXPSignsAsTheSDKDid(t *testing.T) {
	t.Parallel()
	var s service
	s.kept.put("systemid", "H29.12")
	s.kept.put("timestamp", "21112026T195114+0731")
	h, err := s.header("s3cr3t", Dialect{}, vxpCall{path: "/getAgenciesList"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"XroadVnpt-sign-header":     `{"XroadVnpt-systemid":"H29.12","XroadVnpt-timestamp":"21112026T195114+0731","XroadVnpt-Content-Type":"application/json"}`,
		"XroadVnpt-hash-header":     "ed55e123d6ee7339e29859eb27a44a301a33bdb58649d624a63b7e898ab68766",
		"XroadVnpt-sign-header-key": "systemid;timestamp;Content-Type",
		"XroadVnpt-systemid":        "H29.12",
	} {
		if got := h[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %s", name, got, want)
		}
	}
	if got := vxpFileHash([]byte("<edXML/>"), false); got != "8d55f6c7bf7cd534cf27a10e1bb5731c68279c3cb991cf4844774c685b3758" {
		t.Errorf("hash-file %s", got)
	}
	if got := vxpFileHash([]byte("<edXML/>"), true); got != "8d55f6c7bf7cd534cf027a10e1bb5731c68279c3cb991c0f4844774c685b3758" {
		t.Errorf("padded hash-file %s", got)
	}
	at := time.Date(2026, 11, 21, 12, 38, 57, 760e6, time.UTC)
	if got := vxpStamp(at); got != "21112026T193857+0760" {
		t.Errorf("timestamp %s", got)
	}
}

// TestJavaMapHasJavasOrder holds orders that a HashMap of Java 17 gave; the second one was captured from the SDK.
func TestJavaMapHasJavasOrder(t *testing.T) {
	t.Parallel()
	var m javaMap
	for _, step := range []struct{ put, want string }{
		{"systemid timestamp Content-Type", "systemid timestamp Content-Type"},
		{"servicetype messagetype hash-file from", "systemid servicetype messagetype hash-file from timestamp Content-Type"},
		{"to status filePath docId docid description fromDate toDate AgencyCode",
			"systemid messagetype docId docid filePath toDate description fromDate servicetype hash-file AgencyCode from to timestamp Content-Type status"},
	} {
		for key := range strings.FieldsSeq(step.put) {
			m.put(key, "")
		}
		if got := strings.Join(m.keys(), " "); got != step.want {
			t.Errorf("%s, want %s", got, step.want)
		}
	}
}

// wire answers one request with the JSON and gives what came over the connection.
func wire(t *testing.T, answer string, call func(v *VXP) error) (header []string, body string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var raw bytes.Buffer
		req, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &raw)))
		if err != nil {
			t.Error(err)
			return
		}
		if req.Header.Get("Expect") != "" {
			io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			t.Error(err)
		}
		got <- raw.String()
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"+answer)
	}()
	v := NewVXP("http://"+l.Addr().String()+"/vxp", "SYS", secret)
	defer v.Close()
	if err := call(v); err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(<-got, "\r\n\r\n")
	header = strings.Split(head, "\r\n")
	if i := slices.IndexFunc(header, func(s string) bool { return strings.HasPrefix(s, "Host:") }); i > 0 {
		header = slices.Delete(header, i, i+1)
	}
	return header, body
}

const answeredOK = `{"status":"OK","ErrorCode":"0","ErrorDesc":"Thanh cong","DocId":"68edc45b0123456789abcdef","data":"PGVkWE1MLz4=","count":"3"}`

// TestVXPOnTheWire looks at the very bytes: spelling of the headers, and how each body is sent.
func TestVXPOnTheWire(t *testing.T) {
	t.Parallel()
	var stamp string
	header, body := wire(t, answeredOK, func(v *VXP) error {
		stamp = v.documents.kept.value("timestamp")
		_, err := v.SendEdoc(t.Context(), Edoc{From: "A", Queue: EdocQueue, Bytes: []byte("<edXML/>")})
		return err
	})
	signed := `{"XroadVnpt-systemid":"SYS","XroadVnpt-servicetype":"eDoc","XroadVnpt-messagetype":"edoc","XroadVnpt-hash-file":"` +
		vxpFileHash([]byte("<edXML/>"), false) + `","XroadVnpt-from":"A","XroadVnpt-timestamp":"` + stamp + `","XroadVnpt-Content-Type":"application/octet-stream"}`
	want := []string{
		"POST /vxp/sendEdoc HTTP/1.1",
		"User-Agent: JAVASDKAgent/1.0.0 XRoad/VPCP",
		"Content-Length: 10",
		"Accept: text/html, image/gif, image/jpeg, */*; q=0.2",
		"Cache-Control: no-cache",
		"Connection: keep-alive",
		"Content-Type: application/octet-stream",
		"Pragma: no-cache",
		"XroadVnpt-Content-Type: application/octet-stream",
		"XroadVnpt-from: A",
		"XroadVnpt-hash-file: " + vxpFileHash([]byte("<edXML/>"), false),
		"XroadVnpt-hash-header: " + vxpHash(secret, signed),
		"XroadVnpt-messagetype: edoc",
		"XroadVnpt-servicetype: eDoc",
		"XroadVnpt-sign-header: " + signed,
		"XroadVnpt-sign-header-key: systemid;servicetype;messagetype;hash-file;from;timestamp;Content-Type",
		"XroadVnpt-systemid: SYS",
		"XroadVnpt-timestamp: " + stamp,
		"XroadVnpt-version: 3.0.201608",
	}
	if !slices.Equal(header, want) || body != "<edXML/>\r\n" {
		t.Errorf("sendEdoc: %q\n%s\nwant\n%s", body, strings.Join(header, "\n"), strings.Join(want, "\n"))
	}
	for name, c := range map[string]struct {
		call func(v *VXP) error
		has  []string
		body string
	}{
		"getEdoc": {func(v *VXP) error { _, err := v.GetEdoc(t.Context(), "1"); return err },
			[]string{"POST /vxp/getEdoc HTTP/1.1", "Expect: 100-continue", "Content-Length: 2", "Accept-Encoding: gzip,deflate", "Connection: Keep-Alive", "XroadVnpt-docId: 1"}, "{}"},
		"downloadEdoc": {func(v *VXP) error { _, err := v.DownloadEdoc(t.Context(), "1"); return err },
			[]string{"GET /vxp/downloadEdoc HTTP/1.1", "Content-Type: application/json"}, ""},
		"countReceiveStatus": {func(v *VXP) error { _, err := v.CountReceiveStatus(t.Context()); return err },
			[]string{"POST /vxp/countReceiveStatus HTTP/1.1", "Content-Length: 2"}, "{}"},
		"registerAgency": {func(v *VXP) error {
			return v.RegisterAgency(t.Context(), Registration{Parent: "H29", Code: "H29.99", Name: "Sở Thử"})
		}, []string{"POST /vxp/registerAgency HTTP/1.1", "Expect: 100-continue"}, `{"id":"","pcode":"H29","code":"H29.99","name":"Sở Thử","mail":"","mobile":"","fax":""}`},
		"updateStatus": {func(v *VXP) error { return v.UpdateStatus(t.Context(), "1", PacketFail, "lê") },
			[]string{"XroadVnpt-description: l\xea", "Content-Length: 2"}, "{}"},
		"getReceivedEdocList": {func(v *VXP) error {
			_, err := v.GetReceivedEdocList(t.Context(), StatusQueue, time.Date(2026, 11, 20, 17, 0, 0, 0, time.UTC), time.Time{})
			if errors.Is(err, ErrUnreadable) { // the answer is not a list
				err = nil
			}
			return err
		}, []string{"Content-Length: 0", "XroadVnpt-fromDate: 21/11/2026 00:00:00", "XroadVnpt-messagetype: status"}, ""},
	} {
		header, body := wire(t, answeredOK, c.call)
		for _, line := range c.has {
			if !slices.Contains(header, line) {
				t.Errorf("%s lacks %q:\n%s", name, line, strings.Join(header, "\n"))
			}
		}
		if body != c.body {
			t.Errorf("%s: body %q", name, body)
		}
		if name != "getEdoc" && name != "registerAgency" && slices.Contains(header, "Expect: 100-continue") {
			t.Errorf("%s expects", name)
		}
	}
}

// TestVXPLeaksItsMap: what was put into the map once goes along for ever, in both spellings.
func TestVXPLeaksItsMap(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	v := f.client(t, "H26")
	v.Dialect = Dialect{DocID: true, LowerCase: true, To: true}
	if _, err := v.SendEdoc(t.Context(), Edoc{From: "H26", Queue: EdocQueue, To: []string{"H26"}, Bytes: packetOf(t, letter(0, "H26", "H26"))}); err != nil {
		t.Fatal(err)
	}
	list, err := v.GetReceivedEdocList(t.Context(), EdocQueue, time.Time{}, time.Time{})
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	if _, err := v.GetEdoc(t.Context(), list[0].DocID); err != nil {
		t.Fatal(err)
	}
	if err := v.UpdateStatus(t.Context(), list[0].DocID, PacketDone, "dê"); err != nil {
		t.Fatal(err)
	}
	if _, err := v.GetAgenciesList(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := v.CountReceiveEdoc(t.Context()); err != nil || n != 0 {
		t.Errorf("%d wait, %v", n, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	last := f.requests[len(f.requests)-1]
	for key, want := range map[string]string{"servicetype": "edoc", "messagetype": "edoc", "from": "H26", "to": `["H26"]`, "status": "done",
		"docId": list[0].DocID, "docid": list[0].DocID, "description": "dê", "filePath": filePath, "Content-Type": "application/json"} {
		if last.fields[key] != want {
			t.Errorf("%s is %q, want %q", key, last.fields[key], want)
		}
	}
	if len(last.fields["hash-file"]) < 40 || last.fields["timestamp"] != f.requests[0].fields["timestamp"] {
		t.Errorf("%v", last.fields)
	}
	if got := last.header.Values("XroadVnpt-docId"); len(got) != 2 { // as Go's server merges them
		t.Errorf("docId %q", got)
	}
	if agencies := f.requests[len(f.requests)-2].fields; len(agencies) != 3 {
		t.Errorf("the agencies' service object has the documents' keys: %v", agencies)
	}
}

func TestVXPRefusesWhatNoHeaderCanCarry(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	v := f.client(t, "H26")
	var local *LocalError
	if err := v.UpdateStatus(t.Context(), "1", PacketFail, "từ đâu"); !errors.As(err, &local) {
		t.Errorf("đ: %v", err)
	}
	if _, err := v.GetReceivedEdocList(t.Context(), EdocQueue, time.Time{}, time.Time{}); err != nil {
		t.Errorf("the refused description was kept: %v", err)
	}
	v.Dialect.UTF8 = true
	if err := v.UpdateStatus(t.Context(), "1", PacketFail, "từ đâu"); err == nil || errors.As(err, &local) {
		t.Errorf("as UTF-8: %v", err)
	}
}

// TestVXPAnswers: what would make the SDK lose an answer is an error, and so is FAIL.
func TestVXPAnswers(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	ask := func(path, answer string) error {
		f.mu.Lock()
		f.canned[path] = answer
		f.mu.Unlock()
		v := f.client(t, "H26")
		var err error
		switch path {
		case "/sendEdoc":
			_, err = v.SendEdoc(t.Context(), Edoc{From: "H26", Queue: EdocQueue, Bytes: []byte("<edXML/>")})
		case "/getReceivedEdocList":
			_, err = v.GetReceivedEdocList(t.Context(), EdocQueue, time.Time{}, time.Time{})
		case "/getEdoc":
			_, err = v.GetEdoc(t.Context(), "1")
		case "/countReceiveEdoc":
			_, err = v.CountReceiveEdoc(t.Context())
		case "/getSynchronizeUnit":
			_, err = v.GetSynchronizeUnit(t.Context())
		}
		return err
	}
	const ok = `{"status":"OK","ErrorCode":"0","ErrorDesc":"x"`
	for _, c := range []struct{ path, answer, want string }{
		{"/sendEdoc", ok + `,"DocId":"1"}`, ""},
		{"/sendEdoc", ok + `,"DocId":17}`, ""},
		{"/sendEdoc", `{"status":"OK","ErrorCode":0,"DocId":"1"}`, ""},
		{"/sendEdoc", ok + `}`, "no DocId"},
		{"/sendEdoc", ok + `,"DocId":""}`, "empty DocId"},
		{"/sendEdoc", ok + `,"docId":"1"}`, "no DocId"},
		{"/sendEdoc", ok + `,"DocId":["1","2"]}`, "no text"},
		{"/sendEdoc", `{"status":"FAIL","ErrorCode":"18","ErrorDesc":"khong co"}`, "no DocId"},
		{"/sendEdoc", `{"status":"FAIL","ErrorCode":"18","ErrorDesc":"khong co","DocId":""}`, "vxp_18"},
		{"/sendEdoc", `{"status":"FAIL","ErrorCode":"18","ErrorDesc":"không có","DocId":""}`, "not ASCII"},
		{"/sendEdoc", `{"status":"FAIL","ErrorCode":"18","ErrorDesc":"kh\u00f4ng c\u00f3","DocId":""}`, "không có"},
		{"/sendEdoc", `{"status":"OK","ErrorCode":"18","DocId":""}`, "status"},
		{"/sendEdoc", `{"status":"FAIL","ErrorCode":"0","DocId":""}`, "status"},
		{"/getReceivedEdocList", ok + `,"data":[]}`, ""},
		{"/getReceivedEdocList", ok + `,"data":[{"docId":"1"}]}`, ""},
		{"/getReceivedEdocList", ok + `}`, "no list"},
		{"/getReceivedEdocList", ok + `,"data":""}`, "no list"},
		{"/getReceivedEdocList", ok + `,"data":[{"docId":null}]}`, "null"},
		{"/getReceivedEdocList", ok + `,"data":[],"more":{"x":[null]}}`, "null"},
		{"/getReceivedEdocList", ok + `,"data":["1"]}`, "no object"},
		{"/getReceivedEdocList", `<html>bảo trì</html>`, "no JSON object"},
		{"/getReceivedEdocList", `null`, "no JSON object"},
		{"/getReceivedEdocList", ok + `,"data":[]}{}`, "follows"},
		{"/getReceivedEdocList", `{"status":"FAIL","ErrorCode":"15","ErrorDesc":"sai"}`, "vxp_15"},
		{"/getEdoc", ok + `,"data":"PGVkWE1MLz4="}`, ""},
		{"/getEdoc", ok + `,"data":""}`, "empty"},
		{"/getEdoc", ok + `,"data":"PGVk\nWE1MLz4="}`, "line breaks"},
		{"/getEdoc", ok + `,"data":"not base64!"}`, "data of getEdoc"},
		{"/getEdoc", `{"status":"FAIL","ErrorCode":"10","ErrorDesc":"x"}`, "no data"},
		{"/countReceiveEdoc", ok + `,"count":"12"}`, ""},
		{"/countReceiveEdoc", ok + `}`, "no count"},
		{"/countReceiveEdoc", ok + `,"count":"many"}`, "no number"},
		{"/getSynchronizeUnit", ok + `,"data":[{"code":"H26","version":3,"deleted":false,"isAgency":true}]}`, ""},
	} {
		err := ask(c.path, c.answer)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %s: %v, want %q", c.path, c.answer, err, c.want)
		}
		again, _ := Again(err)
		if _, refused := Refusal(err); err != nil && again == refused {
			t.Errorf("%s: %v: again %v, refused %v", c.answer, err, again, refused)
		}
	}
	if err := ask("/getReceivedEdocList", `{"status":"FAIL","ErrorCode":"20","ErrorDesc":"loi he thong"}`); err == nil {
		t.Error("20 is no error")
	} else if again, _ := Again(err); !again {
		t.Error("a system error is not final")
	}
}

func TestVXPReadsAZippedAnswer(t *testing.T) {
	t.Parallel()
	if _, err := readAnswer(strings.NewReader("x"), "gzip"); err == nil {
		t.Error("no gzip was read as gzip")
	}
	if _, err := readAnswer(strings.NewReader("x"), "br"); !errors.Is(err, ErrUnreadable) {
		t.Error("an encoding that was not asked for was read")
	}
}

func TestVXPAgencies(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	v := f.client(t, "H26")
	if err := v.RegisterAgency(t.Context(), Registration{Parent: "H26", Code: "H26.99", Name: "Sở Thử nghiệm"}); err != nil {
		t.Fatal(err)
	}
	if err := v.DeleteAgency(t.Context(), "H26.99"); err != nil {
		t.Fatal(err)
	}
	if err := v.DeleteAgency(t.Context(), "H26.98"); err == nil || !strings.Contains(err.Error(), "vxp_18") {
		t.Errorf("an agency that does not exist: %v", err)
	}
	list, err := v.GetAgenciesList(t.Context())
	if err != nil || len(list) != 1 || list[0].OldCode != "000.00.00.H26.99" {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err = v.GetAgenciesListQD20(t.Context()); err != nil || len(list) != 1 || list[0].Code102 == "" {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err = v.GetSynchronizeUnit(t.Context()); err != nil || len(list) != 1 || !list[0].Deleted || list[0].Version != 7 || list[0].Name != "Sở Thử nghiệm" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestDialectsAreRead(t *testing.T) {
	t.Parallel()
	d, err := ParseDialect("padded", "base64", "docid", "lower", "utf8", "to")
	if err != nil || d != (Dialect{Padded: true, Base64: true, DocID: true, LowerCase: true, UTF8: true, To: true}) {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := ParseDialect("klingon"); err == nil {
		t.Error("an unknown dialect was read")
	}
}
