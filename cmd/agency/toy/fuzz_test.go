package toy

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// FuzzPush gives the webhook rightly signed nonsense: whatever the axis sends, it answers, and keeps nothing that it
// could not fetch.
func FuzzPush(f *testing.F) {
	for _, s := range []string{
		`{"item":"i1","kind":"dispatch","delivery":"d1.1"}`, `{"item":"i1","kind":"receipt","receipt":{"status":"02","reason":"sai"}}`,
		`{"item":"i1","kind":"notice","notice":{"code":"x","vi":"y","en":"z"}}`, `{`, `[]`, `null`, `{"item":1}`, `{"item":"a","at":"hôm qua"}`,
	} {
		f.Add([]byte(s))
	}
	refuse := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) })
	s := httptest.NewServer(refuse)
	c := NewClient(s.URL, "H26", secret)
	f.Cleanup(func() { c.Close(); s.Close() })
	now := time.Unix(1_800_000_000, 0)
	f.Fuzz(func(t *testing.T, body []byte) {
		h := &Hub{Client: c, Log: &ReceivedLog{}, Now: func() time.Time { return now }}
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header.Set("Truc-Timestamp", "1800000000")
		r.Header.Set("Truc-Signature", SignPush(secret, "1800000000", body))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if len(h.Log.All()) != 0 || w.Code < 200 || w.Code == 401 {
			t.Errorf("%d, kept %d", w.Code, len(h.Log.All()))
		}
	})
}

// FuzzAnswers gives the client nonsense from a server: it is an error or an answer, never a panic, and every refusal
// has a code.
func FuzzAnswers(f *testing.F) {
	f.Add(201, []byte(`{"id":"d1","document_id":"1","deliveries":[{"id":"d1.1","awaited":{"who":"x"}}],"next":7}`), "3")
	f.Add(429, []byte(`{"code":"too_many","problems":[{"code":"x"}]}`), "Sat, 21 Nov 2026 09:00:30 GMT")
	f.Add(200, []byte(`null`), "-1")
	f.Fuzz(func(t *testing.T, code int, body []byte, wait string) {
		if code < 200 || code > 599 {
			return
		}
		w := httptest.NewRecorder()
		w.Header()["Retry-After"] = []string{wait}
		w.WriteHeader(code)
		w.Write(body)
		if p := readProblem(w.Result(), time.Unix(0, 0)); p.Code == "" || p.Error() == "" || p.RetryAfter < 0 {
			t.Errorf("%+v", p)
		}
		for _, v := range []any{new(Answer), new(Item), new(Contents), new(Delivery)} {
			_ = decode(w.Result(), v) // an error is as good as an answer
		}
	})
}

// FuzzFault holds that what is read can be written and read again.
func FuzzFault(f *testing.F) {
	for _, s := range []string{"down", "slow:delay=1s", "status:status=503:p=0.5:retry=3s:stored", "reset:bytes=1e3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, err := ParseFault(s)
		if err != nil {
			return
		}
		b, err := json.Marshal(x)
		var again Fault
		if err == nil {
			err = json.Unmarshal(b, &again)
		}
		if err != nil || again != x {
			t.Errorf("%q: %+v, read again %+v, %v", s, x, again, err)
		}
	})
}

// FuzzVXP gives the VXP client's readers nonsense: a packet is read or it is not, an answer is read or an error that may
// pass, and what is read says who sent it.
func FuzzVXP(f *testing.F) {
	good, err := EdXML(letter(0, "H29.12", "H26"), time.Unix(1_800_000_000, 0))
	if err != nil {
		f.Fatal(err)
	}
	said := StatusXML(Received{Sender: "H29.12", DocumentID: "1", Agency: "H26"}, Receipt{Status: Arrived})
	for _, s := range [][]byte{good, said, []byte(`{"status":"OK","ErrorCode":"0","DocId":"1","data":[{"docId":1}],"count":"7"}`),
		[]byte(`{"status":"FAIL","ErrorCode":20,"ErrorDesc":["x"],"data":""}`), []byte(`{"ErrorCode":null}`), []byte("<?xml"), nil} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ReadEdXML(b)
		switch {
		case err == nil && p.Said != nil && (p.Said.From == "" || p.Dispatch.DocumentID == ""):
			t.Errorf("a status of nobody: %+v", p)
		case err == nil && p.Said == nil && (p.Dispatch.Sender == "" || len(p.Files) != len(p.Document.Files)):
			t.Errorf("a document of nobody: %+v", p)
		}
		o, err := readVXP(&http.Response{StatusCode: 200, Status: "200 OK"}, b, "DocId")
		if err != nil {
			return
		}
		if _, ok := o["DocId"]; !ok {
			t.Errorf("an answer without DocId was read: %s", b)
		}
		_, _ = o.list() // an error or rows
	})
}
