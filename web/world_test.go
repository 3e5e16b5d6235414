package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
	"github.com/truc-lienthong/truc/storage"
	"github.com/truc-lienthong/truc/storage/storagetest"
)

// world is a whole node with its pages, on a database of its own.
type world struct {
	t     testing.TB
	url   string
	store *storage.Store
	site  *site
	ahead atomic.Int64 // how far the node's clock is ahead
	users map[string]secrets
}

type secrets struct{ password, totp string }

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const communes = 150

func testAgencies() []routing.Agency {
	list := []routing.Agency{
		{Code: "G22", Name: "Văn phòng Chính phủ", Status: routing.Live},
		{Code: "H26", Name: "UBND thành phố Hà Nội", Status: routing.Live},
		{Code: "H29", Name: "UBND Thành phố Hồ Chí Minh", Status: routing.Live},
		{Code: "H29.12", OldCode: "000.00.12.H29", Name: "Sở Y tế Thành phố Hồ Chí Minh", Parent: "H29", Status: routing.Live},
		{Code: "H29.13", Name: "Sở Nội vụ Thành phố Hồ Chí Minh", Parent: "H29", Status: routing.Live},
		{Code: "H01", Name: "UBND tỉnh An Giang", Status: routing.Live},
	}
	for i := range communes {
		list = append(list, routing.Agency{Code: routing.Code(fmt.Sprintf("H01.%d", 151+i)), Name: fmt.Sprintf("UBND xã Thử Nghiệm %d", i+1), Parent: "H01", Status: routing.Live})
	}
	return list
}

var pki = sync.OnceValues(func() (*testpki.PKI, error) { return testpki.New(testpki.Options{Now: time.Now().Add(-time.Hour)}) })

// signedPDF is a document that the health department signed.
var signedPDF = sync.OnceValues(func() ([]byte, error) {
	p, err := pki()
	if err != nil {
		return nil, err
	}
	id, err := p.Agency("Sở Y tế Thành phố Hồ Chí Minh", "H29.12")
	if err != nil {
		return nil, err
	}
	pdf, err := testpki.PDF(testpki.Document{Agency: "SỞ Y TẾ", Number: "123/SYT-VP", Subject: "Về việc thử nghiệm"})
	if err != nil {
		return nil, err
	}
	return testpki.SignPDF(pdf, testpki.PDFSignature{Signer: id, Time: p.Now(), Seal: true})
})

// newWorld starts a node with systems, people of every role, and a government office whose system refuses everything.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, users: map[string]secrets{}}
	ctx := context.Background()
	now := time.Now()
	dsn := storagetest.Schema(t, func(ctx context.Context, dsn string) error {
		_, _, err := storage.Migrate(ctx, dsn, now)
		return err
	})
	files := must[*storage.Files](t)(storage.OpenFiles(t.TempDir()))
	key := must[*storage.KeyFile](t)(storage.OpenKeyFile(t.TempDir()+"/key", true))
	w.store = must[*storage.Store](t)(storage.Open(ctx, storage.Config{DSN: dsn, Objects: files, Conns: 8}))
	must[storage.ImportResult](t)(w.store.ImportAgencies(ctx, testAgencies(), "test", now))
	dead := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { http.Error(rw, "closed for good", http.StatusGone) }))
	w.addSystems(key, dead.URL, now)
	w.addTrust(now)
	w.addUsers(key, now)
	clock := func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }
	srv := must[*server.Server](t)(server.New(ctx, server.Config{Store: w.store, Key: key, Node: "test", PublicURL: "http://127.0.0.1", Now: clock, Log: slog.New(slog.DiscardHandler)}))
	w.site = must[*site](t)(newSite(Config{Server: srv, Store: w.store, Key: key, Now: clock, Log: slog.New(slog.NewTextHandler(testLog{t}, nil))}))
	srv.Pages = w.site.handler()
	web := httptest.NewServer(srv.Handler())
	w.url = web.URL
	srv.Start(ctx)
	t.Cleanup(func() {
		web.Close()
		srv.Stop()
		dead.Close()
		storagetest.Check(t, w.store)
		w.store.Close()
		check(t, files.Close())
	})
	return w
}

type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

func (w *world) addSystems(key *storage.KeyFile, dead string, now time.Time) {
	w.t.Helper()
	for _, one := range []struct {
		id   string
		way  routing.Way
		hook string
		code string
	}{{"H29.12", routing.Pull, "", "H29.12"}, {"H29.13", routing.Pull, "", "H29.13"}, {"H26", routing.Pull, "", "H26"},
		{"box", routing.Mailbox, "", "H01.*"}, {"G22", routing.Push, dead, "G22"}} {
		code, subtree, err := routing.ParseServing(one.code)
		check(w.t, err)
		check(w.t, w.store.AddSystem(w.t.Context(), storage.System{ID: one.id, Name: "Hệ thống " + one.id, Kind: "qlvb", Way: one.way, Webhook: one.hook,
			Secret: key.Seal([]byte("secret-"+one.id), storage.SecretPurpose(one.id)), Serves: []routing.Serving{{System: one.id, Code: code, Subtree: subtree}}}, "test", now))
	}
	check(w.t, w.store.SetPolicy(w.t.Context(), storage.Policy{Sender: "H29.13", Broken: storage.Hold, Invalid: storage.Hold,
		Undetermined: storage.Forward, Unsigned: storage.Forward}, "test", now))
}

func (w *world) addTrust(now time.Time) {
	w.t.Helper()
	p := must[*testpki.PKI](w.t)(pki())
	for purpose, id := range map[storage.Purpose]*testpki.Identity{storage.ForSigning: p.Root, storage.Intermediate: p.Issuing} {
		must[string](w.t)(w.store.AddAnchor(w.t.Context(), storage.Anchor{Purpose: purpose, Family: signing.FamilyOfficial, Test: true,
			Certificate: id.Certificate, AddedBy: "test"}, now))
	}
	for _, list := range p.CRLs {
		check(w.t, w.store.AddRevocationList(w.t.Context(), list, "test", now))
	}
}

// testUsers are one person of each role, and a second clerk on the other side.
var testUsers = []storage.User{
	{Name: "van.hanh", Role: storage.Operator},
	{Name: "ma.dinh.danh", Role: storage.Authority},
	{Name: "quan.tri", Role: storage.Administrator, Agencies: []routing.Code{"H29"}},
	{Name: "van.thu", Role: storage.Clerk, Agencies: []routing.Code{"H29.12"}},
	{Name: "van.thu.hanoi", Role: storage.Clerk, Agencies: []routing.Code{"H26"}},
	{Name: "kiem.tra", Role: storage.Auditor},
}

func (w *world) addUsers(key *storage.KeyFile, now time.Time) {
	w.t.Helper()
	for _, u := range testUsers {
		s := secrets{password: NewPassword()}
		var err error
		s.totp, _, err = NewTOTP(u.Name)
		check(w.t, err)
		u.Password = must[string](w.t)(HashPassword(s.password))
		u.TOTP = key.Seal([]byte(s.totp), storage.TOTPPurpose(u.Name))
		check(w.t, w.store.AddUser(w.t.Context(), u, "test", now))
		w.users[u.Name] = s
	}
}

// person is a browser without script: cookies, forms, links.
type person struct {
	*world
	http *http.Client
}

func (w *world) person() *person {
	jar := must[*cookiejar.Jar](w.t)(cookiejar.New(nil))
	return &person{w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

type answer struct {
	*http.Response
	body string
}

func (p *person) do(method, path string, form url.Values, headers ...string) answer {
	p.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := must[*http.Request](p.t)(http.NewRequestWithContext(p.t.Context(), method, p.url+path, body))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a := must[*http.Response](p.t)(p.http.Do(r))
	defer func() { _ = a.Body.Close() }()
	return answer{a, string(must[[]byte](p.t)(io.ReadAll(a.Body)))}
}

func (p *person) get(path string) answer { p.t.Helper(); return p.do("GET", path, nil) }

func (a answer) want(t testing.TB, status int, words ...string) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d\n%.3000s", a.Request.Method, a.Request.URL, a.StatusCode, status, a.body)
	}
	for _, word := range words {
		if !strings.Contains(a.body, word) {
			t.Errorf("%s %s: %q is missing in\n%.6000s", a.Request.Method, a.Request.URL, word, a.body)
		}
	}
	return a
}

func (a answer) lacks(t testing.TB, words ...string) answer {
	t.Helper()
	for _, word := range words {
		if strings.Contains(a.body, word) {
			t.Errorf("%s %s shows %q", a.Request.Method, a.Request.URL, word)
		}
	}
	return a
}

// code is the user's code of the moment; later ones come by moving the clock.
func (w *world) code(name string) string {
	return must[string](w.t)(totp.GenerateCode(w.users[name].totp, w.site.Now()))
}

func (w *world) signIn(name string) *person {
	w.t.Helper()
	p := w.person()
	p.do("POST", "/sign-in", url.Values{"name": {name}, "password": {w.users[name].password}, "code": {w.code(name)}}).want(w.t, http.StatusSeeOther)
	return p
}

// letter is the metadata of a công văn of the health department.
func letter(id string, to ...string) map[string]any {
	return map[string]any{"sender": "H29.12", "recipients": to, "document_id": id, "number": "123", "notation": "SYT-VP",
		"promulgation_date": "2026-11-20", "type": map[string]any{"name": "Công văn"}, "due_date": "2026-12-01", "paper": true, "page_amount": 2,
		"subject": "V/v tăng cường phòng, chống dịch bệnh mùa đông xuân",
		"signer":  map[string]any{"name": "Nguyễn Văn Thử", "position": "Giám đốc", "competence": ""}, "urgency": "normal"}
}

// submit hands a document in as a system does and returns its id.
func (w *world) submit(system string, meta map[string]any, name string, content []byte) string {
	w.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	part := must[io.Writer](w.t)(m.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="dispatch"`}, "Content-Type": {"application/json"}}))
	check(w.t, json.NewEncoder(part).Encode(meta))
	part = must[io.Writer](w.t)(m.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="` + name + `"`}, "Content-Type": {"application/pdf"}}))
	_, err := part.Write(content)
	check(w.t, err)
	check(w.t, m.Close())
	got := w.call(system, "POST", "/api/v1/dispatches", &b, m.FormDataContentType())
	id, _ := got["id"].(string)
	if id == "" {
		w.t.Fatalf("not accepted: %v", got)
	}
	return id
}

// call makes one request of the native face.
func (w *world) call(system, method, path string, body io.Reader, media string) map[string]any {
	w.t.Helper()
	r := must[*http.Request](w.t)(http.NewRequestWithContext(w.t.Context(), method, w.url+path, body))
	r.SetBasicAuth(system, "secret-"+system)
	r.Header.Set("Content-Type", media)
	a := must[*http.Response](w.t)(http.DefaultClient.Do(r))
	defer func() { _ = a.Body.Close() }()
	var got map[string]any
	check(w.t, json.NewDecoder(a.Body).Decode(&got))
	return got
}

// receipt says something about a delivery as its recipient's system.
func (w *world) receipt(system, delivery, status, reason string) {
	w.t.Helper()
	body := must[[]byte](w.t)(json.Marshal(map[string]any{"status": status, "reason": reason, "staff": map[string]string{"name": "Trần Thị Tiếp Nhận", "phone": "0240000000"}}))
	if got := w.call(system, "POST", "/api/v1/deliveries/"+delivery+"/receipts", bytes.NewReader(body), "application/json"); got["status"] != status {
		w.t.Fatalf("receipt %s: %v", status, got)
	}
}

// story is a set of documents that between them show every state.
type story struct{ plain, returned, urgent, held string }

func (w *world) story() story {
	w.t.Helper()
	pdf := must[[]byte](w.t)(signedPDF())
	s := story{plain: w.submit("H29.12", letter("SYT-1", "H26", "G22", "H01.151"), "Công văn số 123.pdf", pdf)}
	back := letter("SYT-2", "H26")
	back["number"], back["subject"] = "124", "V/v báo cáo số liệu tiêm chủng quý IV"
	s.returned = w.submit("H29.12", back, "bao-cao.pdf", pdf)
	w.receipt("H26", s.returned+".1", "02", "Sai thẩm quyền: đề nghị gửi Sở Y tế")
	to := []string{}
	for i := range communes {
		to = append(to, fmt.Sprintf("H01.%d", 151+i))
	}
	telegram := letter("SYT-3", to...)
	telegram["number"], telegram["notation"], telegram["urgency"], telegram["type"] = "05", "CĐ-SYT", "express", map[string]any{"name": "Công điện"}
	telegram["subject"] = "Công điện khẩn về việc ứng phó bão số 12 và hoàn lưu sau bão"
	s.urgent = w.submit("H29.12", telegram, "cong-dien.pdf", pdf)
	stopped := letter("SNV-1", "H26")
	stopped["sender"], stopped["number"], stopped["notation"], stopped["subject"] = "H29.13", "88", "SNV-TCCB", "V/v rà soát biên chế năm 2027"
	s.held = w.submit("H29.13", stopped, "Bí mật tên tệp.pdf", testpki.ChangeAfterSigning(pdf))
	w.wait(func() bool {
		d, err := w.store.Deliveries(w.t.Context(), mustID(w.t, s.plain), 1, 1)
		return err == nil && len(d) == 1 && d[0].State == storage.Refused
	})
	return s
}
