package toy

import (
	"bytes"
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// face is a small fake of the axis's VXP face, built from the specification only. Every agency is served by the system
// of the same name unless routed otherwise, and every system has the same secret.
type face struct {
	*httptest.Server
	faults *Faults

	mu       sync.Mutex
	routes   map[string]string // agency -> system
	packets  []*facePacket
	sent     map[string]string            // system and hash -> DocId, for packets sent again
	requests []faceRequest                // in order
	reports  map[string][]string          // docId -> what updateStatus said
	canned   map[string]string            // path -> the answer, whatever is asked
	agencies map[string]map[string]string // code -> what registerAgency said
}

// facePacket is one packet for one recipient.
type facePacket struct {
	id, sentID, queue, from, to, system, status, desc string
	bytes                                             []byte
}

type faceRequest struct {
	method, path string
	header       http.Header
	fields       map[string]string
	body         string
}

func newFace(t *testing.T) *face {
	f := &face{faults: NewFaults(1), routes: map[string]string{}, sent: map[string]string{}, reports: map[string][]string{},
		canned: map[string]string{}, agencies: map[string]map[string]string{}}
	calls := map[string]func(faceRequest) string{
		"POST /sendEdoc": f.sendEdoc, "POST /getReceivedEdocList": f.received, "POST /getSentEdocList": f.sentList, "POST /getEdoc": f.getEdoc,
		"GET /downloadEdoc": f.download, "POST /updateStatus": f.updateStatus, "POST /countReceiveEdoc": f.count, "POST /countReceiveStatus": f.count,
		"POST /getAgenciesList": f.listAgencies, "POST /getAgenciesListQD20": f.listAgencies, "POST /getSynchronizeUnit": f.listAgencies,
		"POST /registerAgency": f.register, "POST /deleteAgency": f.deleteAgency,
	}
	f.Server = httptest.NewServer(f.faults.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, err := faceRead(r)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.requests = append(f.requests, req)
		call, ok := calls[r.Method+" "+strings.TrimPrefix(r.URL.Path, "/vxp")]
		switch {
		case f.canned[req.path] != "":
			io.WriteString(w, f.canned[req.path])
		case err != nil:
			io.WriteString(w, faceFail("15", err.Error()))
		case !ok:
			io.WriteString(w, faceFail("20", "khong co "+r.Method+" "+r.URL.Path))
		default:
			io.WriteString(w, call(req))
		}
	})))
	t.Cleanup(func() {
		if err := f.faults.Set(); err != nil {
			t.Error(err)
		}
		f.CloseClientConnections()
		f.Close()
	})
	return f
}

func (f *face) client(t *testing.T, system string) *VXP {
	v := NewVXP(f.URL+"/vxp", system, secret)
	t.Cleanup(v.Close)
	return v
}

// faceRead verifies a request by the rule of section 1.1 and gives the sign-header's map, which alone counts.
func faceRead(r *http.Request) (faceRequest, error) {
	body, err := io.ReadAll(r.Body)
	req := faceRequest{method: r.Method, path: strings.TrimPrefix(r.URL.Path, "/vxp"), header: r.Header, fields: map[string]string{}, body: string(body)}
	if err != nil {
		return req, err
	}
	sign := r.Header.Get("XroadVnpt-sign-header")
	if hash := strings.ToLower(r.Header.Get("XroadVnpt-hash-header")); !hmac.Equal([]byte(hash), []byte(vxpHash(secret, sign))) {
		var wide []rune
		for _, c := range []byte(sign) {
			wide = append(wide, rune(c))
		}
		if sign = string(wide); !hmac.Equal([]byte(hash), []byte(vxpHash(secret, sign))) {
			return req, fmt.Errorf("sai chu ky")
		}
	}
	var signed map[string]string
	if err := json.Unmarshal([]byte(sign), &signed); err != nil || !utf8.ValidString(sign) {
		return req, fmt.Errorf("sign-header: %v", err)
	}
	for key, value := range signed {
		req.fields[strings.TrimPrefix(key, "XroadVnpt-")] = value
	}
	return req, nil
}

func faceOK(more map[string]any) string {
	o := map[string]any{"status": "OK", "ErrorCode": "0", "ErrorDesc": "Thanh cong"}
	for k, v := range more {
		o[k] = v
	}
	b, _ := json.Marshal(o)
	return string(b)
}

func faceFail(code, desc string) string {
	b, _ := json.Marshal(map[string]any{"status": "FAIL", "ErrorCode": code, "ErrorDesc": desc, "DocId": "", "data": ""})
	return string(b)
}

func (f *face) serves(system, agency string) bool {
	if to, ok := f.routes[agency]; ok {
		return to == system
	}
	return system == agency
}

func (f *face) sendEdoc(r faceRequest) string {
	file := []byte(strings.TrimSuffix(r.body, "\r\n"))
	if len(file) != len(r.body)-2 {
		return faceFail("10", "khong co CRLF")
	}
	hash := r.fields["hash-file"]
	if hash != vxpFileHash(file, false) && hash != vxpFileHash(file, true) {
		return faceFail("10", "sai hash-file")
	}
	if again, ok := f.sent[r.fields["systemid"]+hash]; ok {
		return faceOK(map[string]any{"DocId": again})
	}
	if file[0] != '<' {
		plain, err := base64.StdEncoding.Strict().DecodeString(string(file))
		if err != nil {
			return faceFail("22", "khong phai edXML")
		}
		file = plain
	}
	if !f.serves(r.fields["systemid"], r.fields["from"]) {
		return faceFail("19", "Don vi gui "+r.fields["from"]+" khong dung voi ma da dang ky: "+r.fields["systemid"])
	}
	p, err := ReadEdXML(file)
	if err != nil {
		return faceFail("22", "khong phai edXML")
	}
	id := fmt.Sprintf("%024x", len(f.sent)+1)
	to := p.Dispatch.Recipients
	if p.Said != nil {
		to = []string{p.Said.To}
	}
	if slices.Contains(to, "unknown") {
		return faceFail("18", "Don vi nhan khong ton tai")
	}
	for i, code := range to {
		system := code
		if other, ok := f.routes[code]; ok {
			system = other
		}
		f.packets = append(f.packets, &facePacket{id: fmt.Sprintf("%s-%d", id, i+1), sentID: id, queue: r.fields["messagetype"], from: r.fields["from"],
			to: code, system: system, status: PacketInitial, bytes: bytes.Clone(file)})
	}
	f.sent[r.fields["systemid"]+hash] = id
	return faceOK(map[string]any{"DocId": id})
}

// received lists what is initial, as the map says; also what a client should leave alone.
func (f *face) received(r faceRequest) string {
	rows := []map[string]any{}
	for _, p := range f.packets {
		if p.system == r.fields["systemid"] && p.queue == r.fields["messagetype"] && p.status != PacketDone {
			rows = append(rows, map[string]any{"docId": p.id, "serviceType": "eDoc", "messageType": p.queue, "from": p.from, "to": p.to,
				"status": p.status, "created_time": "2026-11-21 19:51:14"})
		}
	}
	return faceOK(map[string]any{"data": rows})
}

func (f *face) sentList(r faceRequest) string {
	rows := []map[string]any{}
	for _, p := range f.packets {
		if p.sentID == r.fields["docId"] {
			rows = append(rows, map[string]any{"senderDocId": p.sentID, "receiverDocId": p.id, "fromCode": p.from, "toCode": p.to,
				"messageType": p.queue, "sendStatus": f.sending(p), "receiveStatus": p.status, "receiveStatusDesc": p.desc})
		}
	}
	return faceOK(map[string]any{"data": rows})
}

// sending says that a document for an agency called "held" is held.
func (f *face) sending(p *facePacket) string {
	if p.to == "held" {
		return PacketProcessing
	}
	return PacketDone
}

// find must be called under the lock, as all that follow.
func (f *face) find(r faceRequest, keys ...string) *facePacket {
	for _, key := range keys {
		if id, ok := r.fields[key]; ok {
			i := slices.IndexFunc(f.packets, func(p *facePacket) bool { return p.id == id && p.system == r.fields["systemid"] })
			if i >= 0 {
				return f.packets[i]
			}
			return nil
		}
	}
	return nil
}

func (f *face) getEdoc(r faceRequest) string {
	p := f.find(r, "docId", "docid")
	if p == nil || r.body != "{}" {
		return faceFail("10", "khong co goi tin")
	}
	return faceOK(map[string]any{"data": base64.StdEncoding.EncodeToString(p.bytes)})
}

func (f *face) download(r faceRequest) string {
	if p := f.find(r, "docId", "docid"); p != nil {
		return string(p.bytes)
	}
	return ""
}

func (f *face) updateStatus(r faceRequest) string {
	p := f.find(r, "docid", "docId")
	if p == nil {
		return faceFail("10", "khong co goi tin")
	}
	report := r.fields["status"]
	f.reports[p.id] = append(f.reports[p.id], report)
	if p.status != PacketDone && report != PacketFail { // what failed comes again at once: here no time passes
		p.status = report
	}
	if p.status == PacketProcessing {
		p.status = PacketInitial
	}
	p.desc = r.fields["description"]
	return faceOK(nil)
}

func (f *face) count(r faceRequest) string {
	n, queue := 0, EdocQueue
	if r.path == "/countReceiveStatus" {
		queue = StatusQueue
	}
	for _, p := range f.packets {
		if p.system == r.fields["systemid"] && p.queue == queue && p.status == PacketInitial {
			n++
		}
	}
	return faceOK(map[string]any{"count": n})
}

func (f *face) listAgencies(r faceRequest) string {
	rows := []map[string]any{}
	for code, a := range f.agencies {
		rows = append(rows, map[string]any{"id": "1", "pid": "0", "code": code, "name": a["name"], "oldCode": "000.00.00." + code,
			"code102": "000.00.00." + code, "version": 7, "deleted": a["deleted"] == "true", "isAgency": true})
	}
	return faceOK(map[string]any{"data": rows})
}

func (f *face) register(r faceRequest) string {
	var a map[string]string
	if err := json.Unmarshal([]byte(r.body), &a); err != nil || a["code"] == "" {
		return faceFail("10", "khong phai JSON")
	}
	f.agencies[a["code"]] = a
	return faceOK(nil)
}

func (f *face) deleteAgency(r faceRequest) string {
	a, ok := f.agencies[r.fields["AgencyCode"]]
	if !ok {
		return faceFail("18", "khong co don vi")
	}
	a["deleted"] = "true"
	return faceOK(nil)
}
