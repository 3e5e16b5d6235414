package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
	"github.com/truc-lienthong/truc/storage"
	"github.com/truc-lienthong/truc/storage/storagetest"
)

// axis is a whole node on a database of its own, with the clock in the test's hand.
type axis struct {
	*Server
	t        testing.TB
	url      string
	dsn      string
	mu       sync.Mutex
	now      time.Time
	http     *httptest.Server
	conn     *pgx.Conn                  // the test's own, see rows
	objects  *storagetest.FaultyObjects // the object store, with a dial for its faults
	unlisted bool                       // begin without revocation lists
}

// testNow is when every test begins unless it says otherwise: a Monday morning.
var testNow = time.Date(2026, 11, 23, 8, 0, 0, 0, storage.Vietnam)

// pki is made once: keys cost more than everything else in a test.
var pki = sync.OnceValues(func() (*testpki.PKI, error) { return testpki.New(testpki.Options{Now: testNow}) })

func testPKI(t testing.TB) *testpki.PKI {
	t.Helper()
	p, err := pki()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// agencies of the tests: a few real codes with real names.
var testAgencies = []routing.Agency{
	{Code: "G22", OldCode: "000.00.00.G22", Name: "Văn phòng Chính phủ", Kind: "ministry", Status: routing.Live},
	{Code: "H26", OldCode: "000.00.00.H26", Name: "UBND thành phố Hà Nội", Kind: "province", Status: routing.Live},
	{Code: "H29", OldCode: "000.00.00.H29", Name: "UBND Thành phố Hồ Chí Minh", Kind: "province", Status: routing.Live},
	{Code: "H29.12", OldCode: "000.00.12.H29", Name: "Sở Y tế Thành phố Hồ Chí Minh", Parent: "H29", Kind: "department", Status: routing.Live},
	{Code: "H01", Name: "UBND tỉnh An Giang", Kind: "province", Status: routing.Live},
	{Code: "H01.151", Name: "UBND xã Định Mỹ", Parent: "H01", Kind: "commune", Status: routing.Live},
	{Code: "H02", Name: "UBND tỉnh Tạm Khóa (TEST)", Kind: "province", Status: routing.Locked},
	{Code: "H31", Name: "UBND tỉnh Hưng Yên", Kind: "province", Status: routing.Live},
	{Code: "H54", OldCode: "000.00.00.H54", Name: "UBND tỉnh Thái Bình", Kind: "province", Status: routing.Closed,
		ValidTo: time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC), Successors: []routing.Code{"H31"}, Decision: "QĐ 09/2025/QĐ-TTg"},
}

// newAxis starts a node with the systems that the tests use: the department sends and pulls, Hà Nội pulls, the
// government office is pushed where hook is set, Định Mỹ has a mailbox. H31 is connected to nobody. A change may set the
// clock (Now, before which nothing happens) and Limits of the node.
func newAxis(t testing.TB, hook string, changes ...func(*axis, *Config)) *axis {
	t.Helper()
	a := &axis{t: t, now: testNow}
	config := Config{Node: "test", Now: a.clock, Log: slog.New(slog.DiscardHandler)}
	for _, change := range changes {
		change(a, &config)
	}
	dsn := storagetest.Schema(t, migrate)
	a.dsn = dsn
	ctx := context.Background()
	files, err := storage.OpenFiles(t.TempDir())
	check(t, err)
	key, err := storage.OpenKeyFile(t.TempDir()+"/key", true)
	check(t, err)
	a.objects = storagetest.Faulty(files)
	store, err := storage.Open(ctx, storage.Config{DSN: dsn, Objects: a.objects, Conns: 8})
	check(t, err)
	check(t, store.AttachMonths(ctx, a.now))
	_, err = store.ImportAgencies(ctx, testAgencies, "test", a.now)
	check(t, err)
	add := func(id string, way routing.Way, webhook string, codes ...string) {
		sys := storage.System{ID: id, Name: "Hệ thống " + id, Kind: "qlvb", Way: way, Webhook: webhook,
			Secret: key.Seal([]byte("secret-"+id), storage.SecretPurpose(id))}
		for _, c := range codes {
			code, subtree, err := routing.ParseServing(c)
			check(t, err)
			sys.Serves = append(sys.Serves, routing.Serving{Code: code, Subtree: subtree})
		}
		check(t, store.AddSystem(ctx, sys, "test", a.now))
	}
	add("H29.12", routing.Pull, "", "H29.12")
	add("H26", routing.Pull, "", "H26.*")
	add("box", routing.Mailbox, "", "H01.*")
	if hook != "" {
		add("G22", routing.Push, hook, "G22")
	}
	p := testPKI(t)
	for _, id := range []*testpki.Identity{p.Root} {
		_, err := store.AddAnchor(ctx, storage.Anchor{Purpose: storage.ForSigning, Family: signing.FamilyOfficial, Test: true, Certificate: id.Certificate, AddedBy: "test"}, a.now)
		check(t, err)
	}
	_, err = store.AddAnchor(ctx, storage.Anchor{Purpose: storage.Intermediate, Test: true, Certificate: p.Issuing.Certificate, AddedBy: "test"}, a.now)
	check(t, err)
	for _, list := range p.CRLs {
		if a.unlisted {
			break
		}
		check(t, store.AddRevocationList(ctx, list, "test", a.now))
	}
	if os.Getenv("TRUC_TEST_LOG") != "" {
		config.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	a.http = httptest.NewUnstartedServer(nil)
	a.url = "http://" + a.http.Listener.Addr().String()
	config.Store, config.Key, config.PublicURL = store, key, a.url
	a.Server, err = New(ctx, config)
	check(t, err)
	a.http.Config, a.http.Listener = a.HTTP(a.http.Listener)
	a.http.Config.Handler = watchVXP(t, a.http.Config.Handler)
	a.http.Start()
	a.Start(ctx)
	t.Cleanup(func() {
		if a.conn != nil {
			_ = a.conn.Close(context.Background())
		}
		a.Drain()
		a.http.Close()
		a.Stop()
		storagetest.Check(t, store)
		store.Close()
		check(t, files.Close())
	})
	return a
}

// migrate fills the template that every test's database is copied from.
func migrate(ctx context.Context, dsn string) error {
	_, _, err := storage.Migrate(ctx, dsn, testNow)
	return err
}

func (a *axis) clock() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now
}

// pass moves the clock.
func (a *axis) pass(d time.Duration) {
	a.mu.Lock()
	a.now = a.now.Add(d)
	a.mu.Unlock()
	a.wake.all()
}

// eventually looks again and again whether what others do has happened: there is no event to wait for where a courier
// records what it did.
func (a *axis) eventually(t testing.TB, happened func() bool) {
	t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for end := time.After(20 * time.Second); !happened(); {
		select {
		case <-end:
			t.Fatal("it did not happen within 20 seconds")
		case <-look.C:
		}
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// failing is what a test and a property's check have in common.
type failing interface {
	Helper()
	Fatalf(format string, args ...any)
}

// reply is an answer read to its end.
type reply struct {
	*http.Response
	raw  []byte
	json map[string]any
}

// call makes one request as a system.
func (a *axis) call(system, method, path string, body any, headers ...string) reply {
	a.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case io.Reader:
		reader = b
	default:
		raw, err := json.Marshal(b)
		check(a.t, err)
		reader = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, reader)
	check(a.t, err)
	if system != "" {
		request.SetBasicAuth(system, "secret-"+system)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return a.do(request)
}

// do makes a request and reads its answer to the end.
func (a *axis) do(request *http.Request) reply {
	a.t.Helper()
	response, err := http.DefaultClient.Do(request)
	check(a.t, err)
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	check(a.t, err)
	r := reply{Response: response, raw: raw}
	_ = json.Unmarshal(raw, &r.json) // not every answer is JSON
	truthful(a.t, request, r)
	return r
}

func (r reply) want(t failing, status int) reply {
	t.Helper()
	if r.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d: %.2000s", r.Request.Method, r.Request.URL.Path, r.StatusCode, status, r.raw)
	}
	return r
}

// letter is the metadata of a plain công văn.
func letter(id string, to ...string) map[string]any {
	return map[string]any{"sender": "H29.12", "recipients": to, "document_id": id, "number": "123", "notation": "SYT-VP",
		"promulgation_date": "2026-11-21", "place": "TP. Hồ Chí Minh", "type": map[string]any{"name": "Công văn", "code": 18},
		"subject": "V/v tăng cường phòng, chống dịch bệnh mùa đông xuân (TEST)", "signer": map[string]any{"name": "Nguyễn Văn Thử", "position": "Giám đốc"},
		"urgency": "normal"}
}

type file struct {
	name, media string
	content     []byte
}

// multipartBody writes a submission.
func multipartBody(t testing.TB, meta any, files ...file) (*bytes.Buffer, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	raw, ok := meta.([]byte)
	if !ok {
		var err error
		raw, err = json.Marshal(meta)
		check(t, err)
	}
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="dispatch"`}, "Content-Type": {"application/json"}})
	check(t, err)
	_, err = part.Write(raw)
	check(t, err)
	for _, f := range files {
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="` + f.name + `"`}, "Content-Type": {f.media}})
		check(t, err)
		_, err = part.Write(f.content)
		check(t, err)
	}
	check(t, w.Close())
	return &b, w.FormDataContentType()
}

func (a *axis) submit(system string, meta any, files ...file) reply {
	a.t.Helper()
	body, media := multipartBody(a.t, meta, files...)
	return a.call(system, "POST", "/api/v1/dispatches", body, "Content-Type", media)
}

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

func signed(t testing.TB) file {
	t.Helper()
	pdf, err := signedPDF()
	check(t, err)
	return file{"cong-van.pdf", "application/pdf", pdf}
}

// httptestRequest is a request that never meets a connection.
func httptestRequest(method, path string) *http.Request {
	return httptest.NewRequest(method, path, nil)
}

// discard is an answer that nobody reads.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
