package toy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// axis is a small fake of the axis's native API, built from its contract only: one JSON dispatch part, files in
// memory, every agency served by the system of the same name unless routed otherwise.
type axis struct {
	*httptest.Server
	faults *Faults // before everything: the axis can misbehave too

	mu         sync.Mutex
	posts      [][]byte // first parts as received, in order
	dispatches map[string]*axisDispatch
	deliveries map[string]*axisDelivery
	routes     map[string]string // agency -> system
	inbox      []*axisItem
	changed    chan struct{}
	calls      map[string]int // "GET package" …
	damage     func(delivery string, content []byte) []byte
}

type axisDispatch struct {
	answer Answer
	form   Dispatch
	files  []Digest
	bytes  [][]byte
}

type axisDelivery struct {
	Delivery
	dispatch *axisDispatch
	said     []Receipt
}

type axisItem struct {
	Item
	system string
	taken  bool
}

const secret = "bí mật"

func newAxis(t *testing.T) *axis {
	a := &axis{
		faults: NewFaults(1), dispatches: map[string]*axisDispatch{}, deliveries: map[string]*axisDelivery{},
		routes: map[string]string{}, changed: make(chan struct{}), calls: map[string]int{},
	}
	m := http.NewServeMux()
	m.HandleFunc("POST /api/v1/dispatches", a.submit)
	m.HandleFunc("GET /api/v1/dispatches/{id}", a.dispatch)
	m.HandleFunc("GET /api/v1/dispatches/{id}/proof", func(w http.ResponseWriter, r *http.Request) { blob(w, []byte("proof")) })
	m.HandleFunc("GET /api/v1/inbox", a.listInbox)
	m.HandleFunc("POST /api/v1/inbox/{item}/taken", a.taken)
	m.HandleFunc("GET /api/v1/deliveries", a.listDeliveries)
	m.HandleFunc("GET /api/v1/deliveries/{id}/package", a.pack)
	m.HandleFunc("GET /api/v1/deliveries/{id}/attachments/{n}", a.attachment)
	m.HandleFunc("POST /api/v1/deliveries/{id}/receipts", a.receipt)
	m.HandleFunc("POST /api/v1/plan", func(w http.ResponseWriter, r *http.Request) {
		reply(w, 200, Plan{OK: true, Recipients: []PlannedRecipient{{Given: "H26"}}})
	})
	a.Server = httptest.NewServer(a.faults.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, s, _ := r.BasicAuth(); s != secret {
			refuse(w, 401, "unauthorized", "")
			return
		}
		a.mu.Lock()
		a.calls[r.Method+" "+r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]]++
		a.mu.Unlock()
		m.ServeHTTP(w, r)
	})))
	a.Config.ErrorLog = nil
	t.Cleanup(func() {
		if err := a.faults.Set(); err != nil {
			t.Error(err)
		}
		a.CloseClientConnections()
		a.Close()
	})
	return a
}

// called counts requests, for example "GET package".
func (a *axis) called(what string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls[what]
}

// first gives the first item that was ever put into an inbox, as it is now.
func (a *axis) first() axisItem {
	a.mu.Lock()
	defer a.mu.Unlock()
	return *a.inbox[0]
}

func (a *axis) client(t *testing.T, system string) *Client {
	c := NewClient(a.URL, system, secret)
	t.Cleanup(c.Close)
	return c
}

func reply(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, code int, word, field string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(Problem{Code: word, Field: field, VI: "từ chối", EN: "refused", ID: "p-1"})
}

func blob(w http.ResponseWriter, b []byte) {
	d := newDigester(io.Discard)
	d.Write(b)
	w.Header().Set("ETag", `"`+d.digest("").SHA256+`"`)
	w.Write(b)
}

func (a *axis) submit(w http.ResponseWriter, r *http.Request) {
	mr, err := r.MultipartReader()
	if err != nil {
		refuse(w, 400, "not_multipart", "")
		return
	}
	d := &axisDispatch{}
	for n := 0; ; n++ {
		p, err := mr.NextPart()
		if err == io.EOF {
			break
		}
		var b bytes.Buffer
		dig := newDigester(&b)
		if err == nil {
			_, err = io.Copy(dig, p)
		}
		if err != nil {
			refuse(w, 400, "body", "")
			return
		}
		switch {
		case n == 0:
			a.mu.Lock()
			a.posts = append(a.posts, b.Bytes())
			a.mu.Unlock()
			if p.FormName() != "dispatch" || json.Unmarshal(b.Bytes(), &d.form) != nil {
				refuse(w, 400, "part_order", "dispatch")
				return
			}
		case p.FormName() == "file":
			d.files, d.bytes = append(d.files, dig.digest(p.FileName())), append(d.bytes, b.Bytes())
		}
	}
	if slices.Contains(d.form.Recipients, "unknown") {
		refuse(w, 422, "code_unknown", "recipients[0]")
		return
	}
	a.accept(w, d)
}

func (a *axis) accept(w http.ResponseWriter, d *axisDispatch) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, old := range a.dispatches {
		if old.form.DocumentID == d.form.DocumentID {
			again := old.answer
			again.Replay = true
			reply(w, 200, again)
			return
		}
	}
	id := fmt.Sprintf("d%03d", len(a.dispatches)+1)
	d.answer = Answer{ID: id, State: Accepted, DocumentID: d.form.DocumentID, Sender: d.form.Sender, Recipients: len(d.form.Recipients), AcceptedAt: time.Now()}
	if strings.HasPrefix(d.form.Subject, "hold") {
		d.answer.State = HeldBack
	}
	for i, to := range d.form.Recipients {
		x := &axisDelivery{dispatch: d}
		x.Delivery = Delivery{ID: fmt.Sprintf("%s.%d", id, i+1), AddressedTo: to, Agency: to, State: "pending"}
		d.answer.Deliveries = append(d.answer.Deliveries, x.Delivery)
		a.deliveries[x.ID] = x
		if d.answer.State == Accepted {
			a.put(a.route(to), a.item(x))
		}
	}
	a.dispatches[id] = d
	reply(w, 201, d.answer)
}

func (a *axis) route(agency string) string {
	if s, ok := a.routes[agency]; ok {
		return s
	}
	return agency
}

func (a *axis) item(x *axisDelivery) Item {
	f := x.dispatch.form
	return Item{
		Kind: ItemDispatch, Delivery: x.ID, Agency: x.Agency, AddressedTo: x.AddressedTo,
		Dispatch: Summary{ID: x.dispatch.answer.ID, DocumentID: f.DocumentID, Sender: f.Sender, Kind: KindNew},
	}
}

// put must be called under the lock.
func (a *axis) put(system string, it Item) *axisItem {
	it.Item = "i" + strconv.Itoa(len(a.inbox)+1)
	x := &axisItem{Item: it, system: system}
	a.inbox = append(a.inbox, x)
	close(a.changed)
	a.changed = make(chan struct{})
	return x
}

func (a *axis) dispatch(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	d, ok := a.dispatches[r.PathValue("id")]
	if !ok {
		refuse(w, 404, "not_found", "id")
		return
	}
	reply(w, 200, d.answer)
}

func (a *axis) listInbox(w http.ResponseWriter, r *http.Request) {
	system, _, _ := r.BasicAuth()
	wait, _ := time.ParseDuration(r.URL.Query().Get("wait"))
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	for {
		a.mu.Lock()
		changed := a.changed
		out := []Item{}
		for _, x := range a.inbox {
			if x.system == system && !x.taken && len(out) < 10 {
				out = append(out, x.Item)
			}
		}
		a.mu.Unlock()
		if len(out) > 0 || ctx.Err() != nil {
			reply(w, 200, map[string]any{"items": out})
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (a *axis) taken(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, x := range a.inbox {
		if x.Item.Item == r.PathValue("item") {
			x.taken = true
			if d := a.deliveries[x.Delivery]; d != nil {
				d.State = Delivered
			}
			reply(w, 200, map[string]string{"state": "delivered"})
			return
		}
	}
	refuse(w, 404, "not_found", "item")
}

func (a *axis) listDeliveries(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := r.URL.Query()
	out, next := []Delivery{}, ""
	for _, id := range slices.Sorted(maps.Keys(a.deliveries)) {
		x := a.deliveries[id]
		if x.Agency != q.Get("agency") || id <= q.Get("after") || x.State != State(q.Get("state")) {
			continue
		}
		if len(out) == 2 { // small pages, to see that the client pages
			next = out[1].ID
			break
		}
		out = append(out, x.Delivery)
	}
	reply(w, 200, map[string]any{"deliveries": out, "next": next})
}

func (a *axis) find(w http.ResponseWriter, r *http.Request) *axisDelivery {
	a.mu.Lock()
	defer a.mu.Unlock()
	x, ok := a.deliveries[r.PathValue("id")]
	if !ok {
		refuse(w, 404, "not_found", "id")
	}
	return x
}

func (a *axis) pack(w http.ResponseWriter, r *http.Request) {
	x := a.find(w, r)
	switch {
	case x == nil:
	case r.Header.Get("Accept") == "application/json":
		wrote, _ := json.Marshal(x.dispatch.form)
		c := Contents{Delivery: x.ID, Dispatch: x.dispatch.answer.ID, Metadata: wrote}
		for i, f := range x.dispatch.files {
			c.Attachments = append(c.Attachments, Attached{N: i + 1, Name: f.Name, Size: f.Size})
		}
		reply(w, 200, c)
	default:
		blob(w, []byte("package of "+x.ID))
	}
}

func (a *axis) attachment(w http.ResponseWriter, r *http.Request) {
	x := a.find(w, r)
	n, err := strconv.Atoi(r.PathValue("n"))
	if x == nil || err != nil || n < 1 || n > len(x.dispatch.bytes) {
		refuse(w, 404, "not_found", "n")
		return
	}
	b := x.dispatch.bytes[n-1]
	if a.damage != nil {
		b = a.damage(x.ID, b)
	}
	blob(w, b)
}

func (a *axis) receipt(w http.ResponseWriter, r *http.Request) {
	x := a.find(w, r)
	var said Receipt
	if x == nil || json.NewDecoder(r.Body).Decode(&said) != nil || said.Status == Rejected && said.Reason == "" {
		refuse(w, 422, "receipt", "reason")
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	x.said = append(x.said, said)
	heard := HeardReceipt{Status: said.Status, Reason: said.Reason, Agency: x.Agency}
	a.put(x.dispatch.form.Sender, Item{Kind: ItemReceipt, Delivery: x.ID, Receipt: &heard})
	reply(w, 201, said)
}

// push sends an item to a webhook as the axis would and gives the answer.
func (a *axis) push(t *testing.T, url string, it Item) (int, string, error) {
	t.Helper()
	body, err := json.Marshal(it)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Truc-Timestamp", stamp)
	req.Header.Set("Truc-Signature", SignPush(secret, stamp, body))
	res, err := a.client(t, "axis").HTTP.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, strings.TrimSpace(string(b)), err
}
