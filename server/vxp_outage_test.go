package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/storage"
	"github.com/truc-lienthong/truc/storage/storagetest"
)

// everyCall makes each of the thirteen calls once, well signed, against a handler.
func everyCall(t *testing.T, h http.Handler) map[string]*httptest.ResponseRecorder {
	t.Helper()
	answers := map[string]*httptest.ResponseRecorder{}
	for _, r := range vxp {
		body := "{}"
		switch r.path {
		case "/sendEdoc":
			body = "<edXML/>"
		case "/registerAgency":
			body = `{"pcode":"H26","code":"H26.32","name":"Sở Thử nghiệm (TEST)"}`
		}
		answers[r.path] = oneCall(t, h, r.methods[0], r.path, body)
	}
	return answers
}

func oneCall(t *testing.T, h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	doc := storage.PacketID{Dispatch: storage.NewID(testNow), N: 1}
	signed := `{"XroadVnpt-systemid":"H26","XroadVnpt-servicetype":"eDoc","XroadVnpt-messagetype":"edoc","XroadVnpt-status":"done",` +
		`"XroadVnpt-docId":"` + doc.String() + `","XroadVnpt-AgencyCode":"H26.31"}`
	request := httptest.NewRequestWithContext(t.Context(), method, "/vxp"+path, strings.NewReader(body))
	request.Header.Set(vxpSignHeader, signed)
	request.Header.Set(vxpHashHeader, macOf("secret-H26", signed))
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, request)
	return answer
}

// TestVXPDatabaseAway: with a database that is away, or a pool that is closed, every call is answered in the words of the
// wire, as something that passes; and it passes without a restart.
func TestVXPDatabaseAway(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	if answer := a.vxp("H26").call("/registerAgency", []byte(`{"pcode":"H26","code":"H26.31","name":"Sở Thử nghiệm (TEST)"}`)); answer["ErrorCode"] != "0" {
		t.Fatal(answer)
	}
	wire := storagetest.NewWire(t, a.dsn)
	store, err := storage.Open(t.Context(), storage.Config{DSN: wire.DSN(), Objects: a.objects, Conns: 4})
	check(t, err)
	node, err := New(t.Context(), Config{Store: store, Key: a.Key, Node: "other", Now: a.clock})
	check(t, err)
	h := watchVXP(t, node.Handler())
	wire.Down()
	for path, answer := range everyCall(t, h) {
		switch body := answer.Body.String(); {
		case path == "/sendEdoc": // this packet is refused before anything is asked of the database
		case answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "":
			t.Errorf("%s: %d %v %s", path, answer.Code, answer.Header(), body)
		case path != "/downloadEdoc" && !strings.Contains(body, `"ErrorCode":"20"`):
			t.Errorf("%s: %s", path, body)
		}
	}
	wire.Mend()
	a.eventually(t, func() bool { return oneCall(t, h, "POST", "/getReceivedEdocList", "").Code == http.StatusOK })
	store.Close()
	for path, answer := range everyCall(t, h) {
		if answer.Code < 500 && path != "/sendEdoc" {
			t.Errorf("%s, closed: %d %s", path, answer.Code, answer.Body)
		}
	}
}

// TestVXPPanic: a handler that panics answers as everything else does.
func TestVXPPanic(t *testing.T) {
	t.Parallel()
	log := &panics{on: "the header's recipients differ from the packet's"}
	a := newAxis(t, "", func(_ *axis, c *Config) { c.Log = slog.New(log) })
	sender := a.vxp("H29.12")
	sender.set("to", `["G22"]`)
	packet := a.packetOf("1", "a.txt", []byte("x"), "H26")
	if answer := sender.send(packet, "H29.12"); answer["ErrorCode"] != "20" || !strings.Contains(answer["ErrorDesc"].(string), "Loi he thong") {
		t.Errorf("%v", answer)
	}
	sender.set("to", `["H26"]`)
	if answer := sender.send(packet, "H29.12"); answer["ErrorCode"] != "0" {
		t.Errorf("afterwards: %v", answer)
	}
}

// panics is a log that dies of one line.
type panics struct {
	on string
}

func (p *panics) Enabled(context.Context, slog.Level) bool { return true }
func (p *panics) WithAttrs([]slog.Attr) slog.Handler       { return p }
func (p *panics) WithGroup(string) slog.Handler            { return p }
func (p *panics) Handle(_ context.Context, r slog.Record) error {
	if r.Message == p.on {
		panic("a test wants it so")
	}
	return nil
}

// TestVXPCut: a store that fails in the middle of a packet cuts the connection; no client takes half a packet for a whole.
func TestVXPCut(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	sender, hub := a.vxp("H29.12"), a.vxp("H26")
	content := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(content) // never fails
	packet := a.packetOf("1", "a.txt", content, "H26")
	if answer := sender.send(packet, "H29.12"); answer["ErrorCode"] != "0" {
		t.Fatal(answer)
	}
	doc := hub.list("edoc")[0]["docId"].(string)
	files := a.objects.Objects
	a.objects.Objects = half{files, 100_000}
	defer func() { a.objects.Objects = files }()
	for _, call := range []string{"getEdoc", "downloadEdoc"} {
		answer, err := http.ReadResponse(a.dial(t).say(signedHeader(call, "H26", "docId", doc), "\r\n").in, nil)
		check(t, err)
		if read, err := io.ReadAll(answer.Body); err == nil {
			t.Errorf("%s: %d bytes look like all of it: %s", call, len(read), answer.Status)
		}
		_ = answer.Body.Close()
	}
}

// half is an object store that loses its connection after so many bytes of each object.
type half struct {
	storage.Objects
	bytes int64
}

func (h half) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	body, err := h.Objects.Open(ctx, key, off, n)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(io.LimitReader(body, h.bytes), broken{}), body}, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, fmt.Errorf("connection reset") }
