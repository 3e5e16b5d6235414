package toy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// letter is document i from one agency to others, with one file.
func letter(i int, sender string, to ...string) Document {
	id := sender + "-2026-" + string(rune('A'+i%26)) + strings.Repeat("I", i/26)
	return Document{
		Dispatch: Dispatch{Sender: sender, Recipients: to, DocumentID: id, Kind: KindNew, Subject: "V/v thử nghiệm"},
		Files:    []File{Bytes("công văn.pdf", "application/pdf", []byte("%PDF-1.7 "+id))},
	}
}

// serve answers every request with h and gives a client for it.
func serve(t *testing.T, h http.HandlerFunc) *Client {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c := NewClient(s.URL+"/", "H29.12", secret)
	t.Cleanup(c.Close)
	return c
}

func TestSubmitSendsThePartsInOrder(t *testing.T) {
	t.Parallel()
	var names []string
	var part, signature, file []byte
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if id, s, ok := r.BasicAuth(); !ok || id != "H29.12" || s != secret || r.Header.Get("Idempotency-Key") != "k1" || r.ContentLength <= 0 {
			t.Errorf("request: %s %s, key %q, length %d", id, s, r.Header.Get("Idempotency-Key"), r.ContentLength)
		}
		mr, err := r.MultipartReader()
		if err != nil {
			t.Error(err)
			return
		}
		for p, err := mr.NextPart(); err == nil; p, err = mr.NextPart() {
			b, err := io.ReadAll(p)
			if err != nil {
				t.Error(err)
			}
			names = append(names, p.FormName()+"|"+p.FileName()+"|"+p.Header.Get("Content-Type"))
			switch p.FormName() {
			case "dispatch":
				part = b
			case "signature":
				signature = b
			case "file":
				file = append(file, b...)
			}
		}
		reply(w, 201, Answer{ID: "d1", DocumentID: "1"})
	})
	d := letter(0, "H29.12", "H26")
	path := filepath.Join(t.TempDir(), "phụ lục.txt")
	if err := os.WriteFile(path, []byte("phụ lục"), 0o600); err != nil {
		t.Fatal(err)
	}
	second, err := Path(path, "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Compose(d.Dispatch, func(p []byte) ([]byte, error) { return append([]byte("signed "), p...), nil }, d.Files[0], second)
	if err != nil {
		t.Fatal(err)
	}
	s.Key = "k1"
	a, err := c.Submit(t.Context(), s)
	if err != nil || a.ID != "d1" || a.HTTPStatus != 201 {
		t.Fatalf("answer %+v, %v", a, err)
	}
	want := "dispatch||application/json,file|công văn.pdf|application/pdf,file|phụ lục.txt|text/plain,signature|signature.p7s|application/pkcs7-signature"
	if got := strings.Join(names, ","); got != want {
		t.Errorf("parts\n%s, want\n%s", got, want)
	}
	if !bytes.Equal(signature, append([]byte("signed "), part...)) {
		t.Error("the signature is not over the exact bytes of the first part")
	}
	if string(file) != "%PDF-1.7 "+d.Dispatch.DocumentID+"phụ lục" {
		t.Errorf("files %q", file)
	}
}

func TestSubmitOfUnknownSizeAndOfAPacket(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		f, err := r.MultipartReader()
		var p *multipart.Part
		if err == nil {
			p, err = f.NextPart()
		}
		if err != nil || p.FormName() != "edxml" || r.ContentLength != -1 {
			t.Errorf("part %v, length %d, %v", p, r.ContentLength, err)
		}
		io.Copy(io.Discard, r.Body)
		reply(w, 200, Answer{ID: "d1", Replay: true})
	})
	s := Submission{Part: []byte("<edXML/>"), EdXML: true, Files: []File{Once("x", "", strings.NewReader("abc"), -1)}}
	if a, err := c.Submit(t.Context(), s); err != nil || !a.Replay || a.HTTPStatus != 200 {
		t.Fatalf("answer %+v, %v", a, err)
	}
	_, err := c.Submit(t.Context(), s)
	if again, _ := Again(err); err == nil || again {
		t.Errorf("bytes that are gone were sent again: %v", err)
	}
}

func TestALocalFaultIsNotSentAgain(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	c := a.client(t, "H29.12")
	broken := errors.New("đĩa hỏng")
	for name, f := range map[string]File{
		"shorter":    {Name: "x", Size: 9, Open: Bytes("x", "", []byte("abc")).Open},
		"longer":     {Name: "x", Size: 2, Open: Bytes("x", "", []byte("abc")).Open},
		"unreadable": {Name: "x", Size: 2, Open: func() (io.ReadCloser, error) { return nil, broken }},
	} {
		_, err := c.Submit(t.Context(), Submission{Part: []byte("{}"), Files: []File{f}})
		var local *LocalError
		if again, _ := Again(err); again || !errors.As(err, &local) {
			t.Errorf("%s: %v, again %v", name, err, again)
		}
		if _, err := f.Digest(); !errors.As(err, &local) {
			t.Errorf("%s: digest: %v", name, err)
		}
	}
	if _, err := Path(t.TempDir(), ""); err == nil {
		t.Error("a folder was taken for a file")
	}
}

func TestProblemsAreTyped(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for _, k := range []struct {
		status     int
		body, wait string
		code       string
		again      bool
		after      time.Duration
	}{
		{422, `{"code":"code_unknown","field":"recipients[1]","vi":"mã không có","en":"unknown code","id":"7"}`, "", "code_unknown", false, 0},
		{429, `{"code":"too_many","vi":"chậm lại","en":"slow down"}`, "7", "too_many", true, 7 * time.Second},
		{503, `<html>`, "Sat, 21 Nov 2026 09:00:30 GMT", "http_503", true, 30 * time.Second},
		{502, ``, "-3", "http_502", true, 0},
		{500, `{"code":"internal"}`, "999999999", "internal", true, 24 * time.Hour},
		{308, ``, "soon", "http_308", false, 0},
	} {
		r := httptest.NewRecorder()
		r.Header().Set("Retry-After", k.wait)
		r.WriteHeader(k.status)
		r.WriteString(k.body)
		p := readProblem(r.Result(), now)
		again, after := Again(p)
		if p.Code != k.code || p.Status != k.status || again != k.again || after != k.after {
			t.Errorf("%d: %+v, again %v after %v", k.status, p, again, after)
		}
	}
	p := &Problem{Status: 422, Code: "many", VI: "nhiều lỗi", EN: "several faults", ID: "9", Problems: []Problem{{Code: "a", Field: "b", VI: "c", EN: "d"}}}
	if got := p.Error(); got != "422 many: nhiều lỗi / several faults; a b: c / d [9]" {
		t.Error(got)
	}
}

func TestAnUnreadableAnswerIsNoAcknowledgement(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `{`, `[]`, `{"id":""}`, `{"id":7}`} {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.WriteHeader(201)
			io.WriteString(w, body)
		})
		_, err := c.Submit(t.Context(), Submission{Part: []byte("{}")})
		if again, _ := Again(err); !errors.Is(err, ErrUnreadable) || !again {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	if err := a.faults.Set(Fault{Name: Redirect, P: 1}); err != nil {
		t.Fatal(err)
	}
	_, err := a.client(t, "H26").Inbox(t.Context(), 0, 0)
	if p, ok := Refusal(err); !ok || p.Status != 307 || a.faults.Followed() != 0 {
		t.Errorf("%v, followed %d", err, a.faults.Followed())
	}
	// The counter itself works.
	if _, err := http.Get(a.URL + "/x"); err == nil || a.faults.Followed() == 0 {
		t.Error("a followed redirect was not counted")
	}
}

func TestSilenceEndsACall(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	if err := a.faults.Set(Fault{Name: Hang, P: 1}); err != nil {
		t.Fatal(err)
	}
	c := a.client(t, "H26")
	c.Quiet = 10 * time.Millisecond
	_, err := c.Contents(t.Context(), "d1.1")
	if again, _ := Again(err); !errors.Is(err, errQuiet) || !again {
		t.Errorf("silence: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if again, _ := Again(func() error { _, err := c.Contents(ctx, "d1.1"); return err }()); again {
		t.Error("a caller who gave up was told to try again")
	}
}

func TestEveryQuestionIsAsked(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	c := a.client(t, "H29.12")
	sender := Sender{Client: c, Log: &SentLog{}}
	sent, err := sender.Send(t.Context(), letter(0, "H29.12", "H26", "G22"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Dispatch(t.Context(), sent.Dispatch, "", 10); err != nil || len(got.Deliveries) != 2 {
		t.Errorf("dispatch: %+v, %v", got, err)
	}
	var proof bytes.Buffer
	if d, err := c.Proof(t.Context(), sent.Dispatch, &proof); err != nil || proof.String() != "proof" || d.Size != 5 {
		t.Errorf("proof: %+v, %v", d, err)
	}
	if _, err := c.Plan(t.Context(), PlanRequest{Sender: "H29.12", Recipients: []string{"H26"}}); err != nil {
		t.Errorf("plan: %v", err)
	}
	if _, err := c.Dispatch(t.Context(), "d999", "", 0); err == nil {
		t.Error("an unknown dispatch was found")
	}
	items, err := a.client(t, "H26").Inbox(t.Context(), time.Minute, 5)
	if err != nil || len(items) != 1 {
		t.Fatalf("inbox: %+v, %v", items, err)
	}
	var pack bytes.Buffer
	if _, err := c.Package(t.Context(), items[0].Delivery, &pack); err != nil || pack.String() != "package of "+items[0].Delivery {
		t.Errorf("package: %q, %v", pack.String(), err)
	}
}

func TestDownloadedBytesMustHashToWhatWasPromised(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `W/"00"`)
		io.WriteString(w, "abc")
	})
	_, err := c.Package(t.Context(), "d1.1", io.Discard)
	var wrong *MismatchError
	if again, _ := Again(err); !errors.As(err, &wrong) || again || !strings.HasPrefix(wrong.Got, "ba7816bf") {
		t.Errorf("mismatch: %v", err)
	}
}

func TestCursorTakesEveryForm(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Cursor{`"a-1"`: "a-1", `17`: "17", `0`: "", `null`: "", `""`: ""} {
		c := Cursor("before")
		if err := c.UnmarshalJSON([]byte(in)); err != nil || c != want {
			t.Errorf("%s: %q, %v", in, c, err)
		}
	}
	if err := new(Cursor).UnmarshalJSON([]byte(`{}`)); err == nil {
		t.Error("an object is no cursor")
	}
}
