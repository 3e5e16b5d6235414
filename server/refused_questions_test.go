package server

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestRefusedQuestions: whatever stands in a path, a query or a small body, the answer is a 4xx with its sentence.
func TestRefusedQuestions(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	id := a.submit("H29.12", letter("H29.12-2026-1", "H26"), signed(t)).want(t, 201).json["id"].(string)
	bad := []string{"%00", "%ff", "x", "-1", "99999999999999999999", id + ".0", id + ".2", id + ".1.d.0.0", strings.Repeat("9", 400), "%2e%2e%2f", "'%3b--"}
	a.untouched(t, func() {
		for _, b := range bad {
			for _, path := range []string{"/dispatches/" + b, "/dispatches/" + b + "/proof", "/deliveries/" + b + "/package",
				"/deliveries/" + b + "/attachments/1", "/deliveries/" + id + ".1/attachments/" + b, "/agencies/" + b,
				"/dispatches?sender=" + b, "/dispatches?from=" + b, "/dispatches?to=" + b, "/dispatches?after=" + b,
				"/deliveries?agency=" + b, "/deliveries?state=" + b, "/deliveries?after=" + b, "/inbox?wait=" + b} {
				if strings.HasSuffix(path, "after="+id+".2") {
					continue // the id of a page's last line, as good as any
				}
				if r := a.call("H26", "GET", "/api/v1"+path, nil); r.StatusCode < 400 || r.StatusCode >= 500 || r.json["vi"] == nil {
					t.Errorf("GET %s: %d %.300s", path, r.StatusCode, r.raw)
				}
			}
			for _, path := range []string{"/dispatches?document_id=" + b, "/dispatches?limit=" + b, "/agencies?q=" + b, "/agencies?limit=" + b,
				"/inbox?limit=" + b, "/deliveries?limit=" + b, "/dispatches/" + id + "?after=" + b, "/dispatches/" + id + "?limit=" + b} {
				if r := a.call("H29.12", "GET", "/api/v1"+path, nil); r.StatusCode >= 500 {
					t.Errorf("GET %s: %d %.300s", path, r.StatusCode, r.raw)
				}
			}
			a.call("H26", "POST", "/api/v1/inbox/"+b+"/taken", nil).refused(t, 404, "not_found")
			a.call("H26", "POST", "/api/v1/deliveries/"+b+"/receipts", map[string]any{"status": "01"}).refused(t, 404, "not_found")
		}
		a.call("H26", "GET", "/api/v1/deliveries?state=held", nil).refused(t, 400, "query") // a recipient is not told of what is held
		receipts := "/api/v1/deliveries/" + id + ".1/receipts"
		for body, code := range map[string]string{
			``: "status_unknown", `{}`: "status_unknown", `{"status":"07"}`: "status_unknown", `{"status":1}`: "malformed", `[]`: "malformed",
			`{"status":"01"`: "json", `{"status":"01"}{}`: "json", `{"status":"02"}`: "reason_required", `{"status":"02","reason":" "}`: "reason_required",
			"{\"status\":\"03\",\"reason\":\"\xff\"}":                            "utf8",
			`{"status":"03","reason":"\u0000"}`:                                  "utf8",
			`{"status":"03","staff":{"name":"\u001b[31m"}}`:                      "utf8",
			`{"status":"03","reason":"` + strings.Repeat("ă", 1001) + `"}`:       "too_long",
			`{"status":"03","arrival_number":"` + strings.Repeat("1", 21) + `"}`: "too_long",
			`{"status":"03","event_time":"2018-12-31T00:00:00Z"}`:                "malformed", // a clock far off, behind
			`{"status":"03","event_time":"2026-11-25T00:00:00+07:00"}`:           "malformed", // and ahead
			`{"status":"03","event_time":"yesterday"}`:                           "malformed",
			strings.Repeat("[", 60_000):                                          "json",
		} {
			a.call("H26", "POST", receipts, strings.NewReader(body)).refused(t, 422, code)
		}
		a.call("H26", "POST", receipts, strings.NewReader(`{"reason":"`+strings.Repeat("x", 70_000))).refused(t, 413, "body_large")
		a.call("H26", "POST", receipts, map[string]any{"status": "15"}).refused(t, 409, "not_asked")
		for body, code := range map[string]string{`{"recipients":"H26"}`: "malformed", `{`: "json", "{\"sender\":\"\xff\"}": "utf8"} {
			a.call("H26", "POST", "/api/v1/plan", strings.NewReader(body)).refused(t, 422, code)
		}
		a.call("H26", "POST", "/api/v1/plan", strings.NewReader(`{"recipients":[`+strings.Repeat(`"",`, 50_000)+`""]}`)).refused(t, 413, "recipients_many")
		a.call("H26", "POST", "/api/v1/plan", strings.NewReader(`{"files":[`+strings.Repeat(`{},`, 500_000)+`{}]}`)).refused(t, 413, "parts")
		if ok := a.call("H26", "POST", "/api/v1/plan", map[string]any{"recipients": []string{"H29.12"}, "files": []map[string]any{{"name": "a", "size": -5}}}).want(t, 200).json["ok"]; ok != false {
			t.Error("a negative size is planned")
		}
	})
}

// TestRanges: a part, a part that is not there, many parts at once, and a client that goes away in the middle.
func TestRanges(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	content := bytes.Repeat([]byte("0123456789"), 200_000)
	id := a.submit("H29.12", letter("H29.12-2026-1", "H26"), file{"số liệu.txt", "text/plain", content}).want(t, 201).json["id"].(string)
	path := "/api/v1/deliveries/" + id + ".1/attachments/1"
	part := a.call("H26", "GET", path, nil, "Range", "bytes=-5").want(t, 206)
	if string(part.raw) != "56789" || part.Header.Get("Content-Range") != "bytes 1999995-1999999/2000000" {
		t.Errorf("%q %v", part.raw, part.Header)
	}
	if r := a.call("H26", "GET", path, nil, "Range", "bytes=2000000-").refused(t, 416, "range"); r.Header.Get("Content-Range") != "bytes */2000000" {
		t.Errorf("%v", r.Header)
	}
	a.call("H26", "GET", path, nil, "Range", "bytes=9-5").refused(t, 416, "range")
	whole := a.call("H26", "GET", path, nil, "Range", "bytes=0-1,5-9").want(t, 200) // several at once are answered with the whole (RFC 9110, 14.2)
	if !bytes.Equal(whole.raw, content) {
		t.Error("not the whole")
	}
	a.call("H26", "GET", path, nil, "If-None-Match", whole.Header.Get("ETag")).want(t, 304)
	if head := a.call("H26", "HEAD", path, nil).want(t, 200); head.ContentLength != 2_000_000 || len(head.raw) != 0 {
		t.Errorf("HEAD: %d", head.ContentLength)
	}
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, "GET", a.url+path, nil)
	check(t, err)
	request.SetBasicAuth("H26", "secret-H26")
	response, err := http.DefaultClient.Do(request)
	check(t, err)
	_, err = io.ReadFull(response.Body, make([]byte, 10))
	check(t, err)
	cancel()
	_ = response.Body.Close()
	a.call("H26", "GET", path, nil).want(t, 200)
}

// TestServerClockFarOff: where the node's own clock points to a month that has no place yet, nothing is recorded and the
// sender is asked to come again; it is not an internal error.
func TestServerClockFarOff(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	a.pass(10 * 365 * 24 * time.Hour)
	rows := func() string { return strings.SplitAfter(a.kept(t), "object ")[1] }
	before := rows()
	a.submit("H29.12", letter("H29.12-2036-1", "H26"), signed(t)).refused(t, 503, "unavailable")
	if after := rows(); after != before {
		t.Errorf("rows: %s, before %s", after, before)
	}
	check(t, a.Store.AttachMonths(t.Context(), a.clock())) // what a job does each hour
	a.submit("H29.12", letter("H29.12-2036-1", "H26"), signed(t)).want(t, 201)
}
