package toy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// background runs a toy until the test ends and waits for it.
func background(t *testing.T, run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("ended by %v", err)
		}
	})
	stop = func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	return stop
}

var quick = Patience{First: time.Microsecond, Most: time.Millisecond}

// sendTo sends n documents to the agencies and gives the sender's log.
func sendTo(t *testing.T, a *axis, n int, to ...string) []Sent {
	t.Helper()
	s := Sender{Client: a.client(t, "H29.12"), Log: &SentLog{}, Workers: 2}
	s.Documents = func(i int) Document { return letter(i, "H29.12", to...) }
	if err := s.Run(t.Context(), 0, n); err != nil {
		t.Fatal(err)
	}
	return s.Log.Acknowledged()
}

func wantGood(t *testing.T, sent []Sent, received []Received, expected int) {
	t.Helper()
	if r := Compare(sent, received); !r.OK() || r.Expected != expected || r.Arrived != expected || len(r.Unknown) > 0 {
		t.Errorf("%v\n%+v", r, r)
	}
}

func TestPullTakesEverythingAndAnswers(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	a.routes["H26"], a.routes["H26.1"] = "hub", "hub"
	h := &Hub{Client: a.client(t, "hub"), Log: &ReceivedLog{}, Pull: true, Patience: quick, Faults: NewFaults(3)}
	if err := h.Faults.Set(Fault{Name: LoseAnswer, P: 0.5}, Fault{Name: Slow, P: 0.5, Delay: time.Microsecond}); err != nil {
		t.Fatal(err)
	}
	background(t, h.Run)
	sent := sendTo(t, a, 12, "H26", "H26.1")
	mine := &Hub{Client: a.client(t, "H29.12"), Log: &ReceivedLog{}, Pull: true, Patience: quick}
	background(t, mine.Run)
	if err := errors.Join(h.Log.Wait(t.Context(), 24), h.Log.WaitSaid(t.Context(), 48), h.Idle(t.Context()), mine.Log.WaitHeard(t.Context(), 48)); err != nil {
		t.Fatal(err)
	}
	wantGood(t, sent, h.Log.All(), 24)
	if h.Faults.Hits()[LoseAnswer] == 0 || h.Log.Again() == 0 {
		t.Errorf("no lost answer was repeated: %v, again %d", h.Faults.Hits(), h.Log.Again())
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, d := range a.deliveries {
		if d.State != Delivered || len(d.said) != 2 || d.said[0].Status != Arrived || d.said[1].Status != TakenIn {
			t.Errorf("%s: %s, said %+v", d.ID, d.State, d.said)
		}
	}
}

func TestADownHubComesBack(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	dial := NewFaults(1)
	if err := dial.Set(Fault{Name: Down, P: 1}); err != nil {
		t.Fatal(err)
	}
	h := &Hub{Client: a.client(t, "H26"), Log: &ReceivedLog{}, Pull: true, Faults: dial, Patience: quick, Policy: Reject("sai thẩm quyền")}
	background(t, h.Run)
	sent := sendTo(t, a, 2, "H26")
	if a.called("GET inbox") != 0 {
		t.Error("a hub that is down asked for its inbox")
	}
	if err := errors.Join(dial.Set(), h.Log.WaitSaid(t.Context(), 4)); err != nil {
		t.Fatal(err)
	}
	wantGood(t, sent, h.Log.All(), 2)
	for _, s := range h.Log.Said() {
		if s.Status == Rejected && s.Reason != "sai thẩm quyền" || s.Status == TakenIn {
			t.Errorf("said %+v", s)
		}
	}
}

// TestAKilledHubKnowsWhatItHas stops a hub between keeping and answering, and starts another with the same log.
func TestAKilledHubKnowsWhatItHas(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	path := filepath.Join(t.TempDir(), "received.jsonl")
	run := func(p Policy) (*Hub, func()) {
		l, err := OpenReceivedLog(path)
		if err != nil {
			t.Fatal(err)
		}
		h := &Hub{Client: a.client(t, "H26"), Log: l, Pull: true, Patience: quick, Policy: p}
		stop := background(t, h.Run)
		return h, func() {
			stop()
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	first, kill := run(Silent)
	sent := sendTo(t, a, 3, "H26")
	if err := first.Log.Wait(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	kill()
	second, kill := run(nil)
	if err := second.Log.WaitSaid(t.Context(), 6); err != nil {
		t.Fatal(err)
	}
	kill()
	received, err := ReadReceived(path)
	if err != nil {
		t.Fatal(err)
	}
	wantGood(t, sent, received, 3)
}

func TestSharedBytesAreSaidToBeShared(t *testing.T) {
	t.Parallel()
	for _, packages := range []bool{false, true} {
		a := newAxis(t)
		to := []string{"X1", "X2", "X3", "X4", "X5"}
		for _, c := range to {
			a.routes[c] = "hub"
		}
		h := &Hub{Client: a.client(t, "hub"), Log: &ReceivedLog{}, Pull: true, Patience: quick, Policy: Silent, ShareFiles: true, SharePackage: packages}
		background(t, h.Run)
		sent := sendTo(t, a, 2, to...)
		if err := h.Log.Wait(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		wantGood(t, sent, h.Log.All(), 10)
		if r := Compare(sent, h.Log.All()); r.Shared != 8 || a.called("GET 1") != 2 {
			t.Errorf("packages %v: shared %d, %d attachments read", packages, r.Shared, a.called("GET 1"))
		}
		read := 0
		for _, r := range h.Log.All() {
			if r.Package != "" {
				read++
			}
		}
		if want := map[bool]int{false: 10, true: 2}[packages]; read != want {
			t.Errorf("packages %v: %d were read, want %d", packages, read, want)
		}
	}
}

func TestDamageIsSeen(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	a.damage = func(delivery string, b []byte) []byte {
		if strings.HasSuffix(delivery, ".2") {
			return append([]byte("x"), b...)
		}
		return b
	}
	a.routes["X1"], a.routes["X2"] = "hub", "hub"
	h := &Hub{Client: a.client(t, "hub"), Log: &ReceivedLog{}, Pull: true, Patience: quick, Policy: Silent}
	background(t, h.Run)
	sent := sendTo(t, a, 1, "X1", "X2")
	if err := h.Log.Wait(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	r := Compare(sent, h.Log.All())
	if r.OK() || len(r.WrongHash) != 1 || r.WrongHash[0].Recipient != "X2" || r.Arrived != 2 {
		t.Errorf("%v", r)
	}
}

func TestAMailboxIsLookedThrough(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	sent := sendTo(t, a, 5, "xã 1", "xã 2")
	a.mu.Lock()
	for _, d := range a.deliveries {
		d.State = Delivered
	}
	a.mu.Unlock()
	m := &Mailbox{Client: a.client(t, "xã"), Log: &ReceivedLog{}, Agencies: []string{"xã 1", "xã 2"}, ShareFiles: true}
	if n, err := m.Scan(t.Context()); n != 10 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if n, err := m.Scan(t.Context()); n != 0 || err != nil {
		t.Fatalf("second look: %d, %v", n, err)
	}
	wantGood(t, sent, m.Log.All(), 10)
	looked := make(chan struct{}, 1)
	m.Patience.Sleep = func(ctx context.Context, d time.Duration) error {
		select {
		case looked <- struct{}{}:
		default:
		}
		<-ctx.Done()
		return ctx.Err()
	}
	background(t, m.Watch)
	<-looked
}

// pushHub opens a door with a hub behind it.
func pushHub(t *testing.T, h *Hub) *Door {
	t.Helper()
	d, err := OpenDoor("127.0.0.1:0", h, h.Faults, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestPushIsTakenOnce(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	sent := sendTo(t, a, 1, "H26")
	h := &Hub{Client: a.client(t, "H26"), Log: &ReceivedLog{}, Patience: quick}
	door := pushHub(t, h)
	background(t, h.Run)
	it := a.first().Item
	want := `{"taken":"` + digestOf("package of "+it.Delivery) + `"}`
	var wg sync.WaitGroup
	for range 8 { // an impatient axis
		wg.Go(func() {
			if code, body, err := a.push(t, door.URL(), it); code != 200 || body != want || err != nil {
				t.Errorf("%d %s %v", code, body, err)
			}
		})
	}
	wg.Wait()
	if err := h.Log.WaitSaid(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if n := len(h.Log.All()); n != 1 || h.Log.Again() != 7 || a.called("GET package") != 2 {
		t.Errorf("kept %d, again %d, asked %d times", n, h.Log.Again(), a.called("GET package"))
	}
	wantGood(t, sent, h.Log.All(), 1)
	receipt := Item{Item: "r1", Kind: ItemReceipt, Receipt: &HeardReceipt{Status: Rejected, Reason: "sai nơi nhận"}}
	for range 2 {
		if code, _, err := a.push(t, door.URL(), receipt); code != 204 || err != nil {
			t.Errorf("receipt: %d, %v", code, err)
		}
	}
	if heard := h.Log.Heard(); len(heard) != 1 || heard[0].Receipt.Reason != "sai nơi nhận" {
		t.Errorf("heard %+v", heard)
	}
}

func digestOf(s string) string {
	d := newDigester(io.Discard)
	io.WriteString(d, s)
	return d.digest("").SHA256
}

func TestPushIsToldNowAndTakenLater(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	sent := sendTo(t, a, 1, "H26")
	h := &Hub{Client: a.client(t, "H26"), Log: &ReceivedLog{}, Patience: quick, Later: true}
	door := pushHub(t, h)
	if code, _, err := a.push(t, door.URL(), a.first().Item); code != 202 || err != nil || a.first().taken {
		t.Fatalf("%d, %v", code, err)
	}
	background(t, h.Run)
	if err := errors.Join(h.Log.WaitSaid(t.Context(), 2), h.Idle(t.Context())); err != nil {
		t.Fatal(err)
	}
	if !a.first().taken {
		t.Error("never said taken")
	}
	wantGood(t, sent, h.Log.All(), 1)
}

func TestPushIsNotKept(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	sendTo(t, a, 1, "H26")
	h := &Hub{Client: a.client(t, "H26"), Log: &ReceivedLog{}, Patience: quick}
	door := pushHub(t, h)
	it := a.first().Item
	it.Package.SHA256 = strings.Repeat("0", 64)
	if code, _, err := a.push(t, door.URL(), it); code != 503 || err != nil || len(h.Log.All()) != 0 {
		t.Errorf("a package with another hash than announced: %d, %v", code, err)
	}
	if code, _, err := a.push(t, door.URL(), Item{Item: "i", Kind: ItemDispatch}); code != 400 || err != nil {
		t.Errorf("no delivery: %d, %v", code, err)
	}
}

func TestPushNeedsTheRightSignature(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	h := &Hub{Client: &Client{Secret: secret, System: "H26"}, Log: &ReceivedLog{}, Now: func() time.Time { return now }}
	body := `{"item":"n1","kind":"notice"}`
	good := SignPush(secret, "1800000000", []byte(body))
	for name, k := range map[string]struct {
		stamp, sign, body string
		want              int
	}{
		"right":       {"1800000000", good, body, 204},
		"while new":   {"1800000000", "v1=00, " + good, body, 204},
		"other body":  {"1800000000", good, body + " ", 401},
		"other time":  {"1800000001", good, body, 401},
		"old":         {"1799999000", SignPush(secret, "1799999000", []byte(body)), body, 401},
		"new":         {"1800001000", SignPush(secret, "1800001000", []byte(body)), body, 401},
		"no time":     {"", SignPush(secret, "", []byte(body)), body, 401},
		"none":        {"1800000000", "", body, 401},
		"other key":   {"1800000000", SignPush("x", "1800000000", []byte(body)), body, 401},
		"no json":     {"1800000000", SignPush(secret, "1800000000", []byte("{")), "{", 400},
		"far too big": {"1800000000", good, strings.Repeat(" ", maxPush+1), 413},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(k.body))
		r.Header.Set("Truc-Timestamp", k.stamp)
		r.Header.Set("Truc-Signature", k.sign)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != k.want {
			t.Errorf("%s: %d, want %d", name, w.Code, k.want)
		}
	}
	old := http.Header{"Truc-Timestamp": {"1"}, "Truc-Signature": {SignPush(secret, "1", nil)}}
	if !CheckPush(secret, old, nil, now, -1) {
		t.Error("any age was asked for")
	}
}

// TestPushThroughEachFault plays each fault once and then pushes again, as the axis would.
func TestPushThroughEachFault(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"down:p=0.99999999", "cut:bytes=0", "cut:bytes=20", "hang:delay=1us", "hang:delay=1us:stored", "status:status=500", "status:status=503:stored",
		"redirect", "redirect:stored", "json", "json:stored", "lose", "twice", "reset:bytes=0", "reset:bytes=9:stored", "drip:delay=1us", "slow:delay=1us",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			a := newAxis(t)
			sent := sendTo(t, a, 1, "H26")
			fault, err := ParseFault(text)
			if err != nil {
				t.Fatal(err)
			}
			h := &Hub{Client: a.client(t, "H26"), Log: &ReceivedLog{}, Patience: quick, Faults: NewFaults(1), Policy: Silent}
			door := pushHub(t, h)
			if err := h.Faults.Set(fault); err != nil {
				t.Fatal(err)
			}
			code, body, err := a.push(t, door.URL(), a.first().Item)
			whole := code == 200 && strings.HasPrefix(body, `{"taken":"`) && err == nil
			truthful := fault.Name == AnswerTwice || fault.Name == Drip || fault.Name == Slow
			if whole != truthful || h.Faults.Hits()[fault.Name] != 1 {
				t.Errorf("first push: %d %q %v, hits %v", code, body, err, h.Faults.Hits())
			}
			if kept := len(h.Log.All()) == 1; kept != (fault.Stored || truthful) {
				t.Errorf("kept %v", kept)
			}
			if err := h.Faults.Set(); err != nil {
				t.Fatal(err)
			}
			if code, _, err := a.push(t, door.URL(), a.first().Item); code != 200 || err != nil {
				t.Errorf("second push: %d, %v", code, err)
			}
			wantGood(t, sent, h.Log.All(), 1)
		})
	}
}
