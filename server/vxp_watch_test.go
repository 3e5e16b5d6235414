package server

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// watchVXP looks at every answer of the VXP face in every test of this package, and fails the test for what a client of
// the SDK would trip over (see vxpFaults).
func watchVXP(t testing.TB, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !vxpPath(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		path := r.URL.Path // before the router changes it
		seen := &vxpAnswer{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r) // what is cut off in the middle panics past here
		for _, fault := range vxpFaults(r.Method, path, seen.status, w.Header(), seen.body.Bytes()) {
			t.Errorf("%s %s answers %d: %s: %.500q", r.Method, path, seen.status, fault, seen.body.Bytes())
		}
	})
}

// vxpAnswer copies an answer.
type vxpAnswer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer // up to mostWatched
}

// mostWatched bounds the copy of an answer: tests of large ones measure memory.
const mostWatched = 512 << 10

func (a *vxpAnswer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *vxpAnswer) Write(b []byte) (int, error) {
	if a.body.Len() <= mostWatched {
		a.body.Write(b)
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the connection.
func (a *vxpAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// vxpFaults says what is wrong with an answer of the VXP face: it must be a JSON object with status, ErrorCode and
// ErrorDesc, with the fields that a client of this call reads unguarded, and with no null anywhere, for which the SDK loses
// the whole answer. sendEdoc's is ASCII, and a download that fails is empty.
func vxpFaults(method, path string, status int, header http.Header, body []byte) (faults []string) {
	call := strings.TrimLeft(strings.TrimPrefix(path, "/vxp"), "/")
	if call == "downloadEdoc" {
		if status != http.StatusOK && len(body) > 0 {
			faults = append(faults, "a failed download is not empty")
		}
		return faults
	}
	if method == http.MethodHead || len(body) > mostWatched {
		return nil
	}
	if media := header.Get("Content-Type"); media != "application/json;charset=UTF-8" {
		faults = append(faults, "media type "+media)
	}
	if header.Get("Content-Encoding") == "gzip" {
		from, err := gzip.NewReader(bytes.NewReader(body))
		if err == nil {
			body, err = io.ReadAll(from)
		}
		if err != nil {
			return append(faults, "not packed right: "+err.Error())
		}
	}
	if call == "sendEdoc" && bytes.ContainsFunc(body, func(r rune) bool { return r >= 0x80 }) {
		faults = append(faults, "not ASCII")
	}
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil || answer == nil {
		return append(faults, fmt.Sprintf("no JSON object: %v", err))
	}
	if hasNull(answer) {
		faults = append(faults, "a null")
	}
	good := answer["status"] == "OK" && answer["ErrorCode"] == "0" || answer["status"] == "FAIL" && answer["ErrorCode"] != "0" && answer["ErrorCode"] != ""
	if desc, ok := answer["ErrorDesc"].(string); !good || !ok || desc == "" {
		faults = append(faults, "status, ErrorCode and ErrorDesc do not fit")
	}
	return append(faults, vxpLacks(call, answer)...)
}

// vxpLacks looks for the fields that clients read unguarded.
func vxpLacks(call string, answer map[string]any) (faults []string) {
	ok := true
	switch blank := vxpBlank("/vxp/" + call); {
	case blank == "DocId":
		var id string
		id, ok = answer["DocId"].(string)
		ok = ok && (id == "") == (answer["status"] == "FAIL")
	case blank == "text":
		_, ok = answer["data"].(string)
	case blank == "list":
		_, ok = answer["data"].([]any)
	case strings.HasPrefix(call, "countReceive") && answer["status"] == "OK":
		_, ok = answer["count"].(float64)
	}
	if !ok {
		faults = append(faults, "a field is missing that clients read")
	}
	return faults
}

func hasNull(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case []any:
		for _, one := range value {
			if hasNull(one) {
				return true
			}
		}
	case map[string]any:
		for _, one := range value {
			if hasNull(one) {
				return true
			}
		}
	}
	return false
}

// TestVXPFaults: what the watch finds.
func TestVXPFaults(t *testing.T) {
	t.Parallel()
	const fail = `{"status":"FAIL","ErrorCode":"21","ErrorDesc":"Khong tim thay."`
	for _, c := range []struct {
		path, body string
		status     int
		fault      string // "" for none
	}{
		{"/vxp/sendEdoc", fail + `,"DocId":""}`, 200, ""},
		{"/vxp/sendEdoc", fail + `}`, 200, "missing"},
		{"/vxp/sendEdoc", `{"status":"OK","ErrorCode":"0","ErrorDesc":"Thành công","DocId":"1"}`, 200, "ASCII"},
		{"/vxp//sendEdoc", `{"status":"OK","ErrorCode":"0","ErrorDesc":"Thanh cong","DocId":""}`, 200, "missing"},
		{"/vxp/updateStatus", fail + `}`, 404, ""},
		{"/vxp/updateStatus", `{"status":"OK","ErrorCode":"0","ErrorDesc":"Thành công"}`, 200, ""},
		{"/vxp/updateStatus", `{"status":"OK","ErrorCode":"21","ErrorDesc":"x"}`, 200, "fit"},
		{"/vxp/updateStatus", `<html>`, 502, "no JSON"},
		{"/vxp/updateStatus", ``, 200, "no JSON"},
		{"/vxp/updateStatus", `null`, 200, "no JSON"},
		{"/vxp/nothing", fail + `}`, 404, ""},
		{"/vxp/getReceivedEdocList", fail + `}`, 200, "missing"},
		{"/vxp/getReceivedEdocList", fail + `,"data":[]}`, 200, ""},
		{"/vxp/getReceivedEdocList", `{"status":"OK","ErrorCode":"0","ErrorDesc":"x","data":[{"to":null}]}`, 200, "null"},
		{"/vxp/getReceivedEdocList", `{"status":"OK","ErrorCode":"0","ErrorDesc":"x","data":null}`, 200, "null"},
		{"/vxp/getEdoc", fail + `}`, 200, "missing"},
		{"/vxp/countReceiveEdoc", `{"status":"OK","ErrorCode":"0","ErrorDesc":"x"}`, 200, "missing"},
		{"/vxp/downloadEdoc", "", 404, ""},
		{"/vxp/downloadEdoc", fail + "}", 404, "empty"},
		{"/vxp/downloadEdoc", "<edXML/>", 200, ""},
	} {
		faults := strings.Join(vxpFaults("POST", c.path, c.status, http.Header{"Content-Type": {"application/json;charset=UTF-8"}}, []byte(c.body)), "; ")
		if (faults == "") != (c.fault == "") || !strings.Contains(faults, c.fault) {
			t.Errorf("%s %s: %q", c.path, c.body, faults)
		}
	}
	if faults := vxpFaults("POST", "/vxp/getEdoc", 500, http.Header{"Content-Type": {"text/plain"}}, []byte(fail+`,"data":""}`)); len(faults) != 1 {
		t.Errorf("a page of text: %v", faults)
	}
}
