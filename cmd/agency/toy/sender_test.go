package toy

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// mend gives a patience that ends the faults of the axis instead of waiting, and notes the pauses.
func mend(a *axis, pauses *[]time.Duration) Patience {
	return Patience{Sleep: func(ctx context.Context, d time.Duration) error {
		*pauses = append(*pauses, d)
		return a.faults.Set()
	}}
}

// TestSenderOutlastsEachFault breaks the axis twice for each fault: before it stored the document, and after.
func TestSenderOutlastsEachFault(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"down", "cut:bytes=0", "cut:bytes=40", "hang:delay=1ms", "hang:delay=1ms:stored", "json", "json:stored",
		"status:status=500", "status:status=503:retry=7s:stored", "status:status=429:retry=7s", "status:status=202:stored",
		"lose", "reset:bytes=0", "reset:bytes=0:stored", "reset:bytes=1:stored", "reset:bytes=60:stored",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			fault, err := ParseFault(text)
			if err != nil {
				t.Fatal(err)
			}
			a := newAxis(t)
			if err := a.faults.Set(fault); err != nil {
				t.Fatal(err)
			}
			var pauses []time.Duration
			s := Sender{Client: a.client(t, "H29.12"), Log: &SentLog{}, Patience: mend(a, &pauses)}
			sent, err := s.Send(t.Context(), letter(0, "H29.12", "H26"))
			if err != nil {
				t.Fatal(err)
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			if !sent.Acknowledged() || sent.Tries != 2 || sent.Replay != fault.Stored || len(a.dispatches) != 1 {
				t.Errorf("sent %+v, %d dispatches", sent, len(a.dispatches))
			}
			if len(pauses) != 1 || pauses[0] < fault.RetryAfter {
				t.Errorf("pauses %v", pauses)
			}
			for _, p := range a.posts {
				if !bytes.Equal(p, a.posts[0]) {
					t.Error("the same document was sent with other bytes")
				}
			}
		})
	}
}

func TestSenderIsNotImpressedByATwofoldOrSlowAnswer(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"twice", "drip:delay=1us", "slow:delay=1us"} {
		a := newAxis(t)
		fault, err := ParseFault(text)
		if err == nil {
			err = a.faults.Set(fault)
		}
		if err != nil {
			t.Fatal(err)
		}
		s := Sender{Client: a.client(t, "H29.12"), Log: &SentLog{}, Documents: func(i int) Document { return letter(i, "H29.12", "H26") }}
		if err := s.Run(t.Context(), 0, 3); err != nil || len(s.Log.Acknowledged()) != 3 {
			t.Errorf("%s: %v, %d", text, err, len(s.Log.Acknowledged()))
		}
	}
}

func TestSenderMeetsARefusedConnection(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	dial := NewFaults(1)
	door, err := OpenDoor("127.0.0.1:0", a.Config.Handler, dial, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer door.Close()
	if err := dial.Set(Fault{Name: Down, P: 1}); err != nil {
		t.Fatal(err)
	}
	tries := 0
	s := Sender{Log: &SentLog{}, Client: NewClient(door.URL(), "H29.12", secret)}
	defer s.Client.Close()
	s.Patience.Sleep = func(ctx context.Context, d time.Duration) error {
		if tries++; tries == 3 {
			return dial.Set()
		}
		return nil
	}
	sent, err := s.Send(t.Context(), letter(0, "H29.12", "H26"))
	if err != nil || sent.Tries != 4 || sent.Replay {
		t.Errorf("sent %+v, %v", sent, err)
	}
}

func TestSenderLogsRefusals(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	s := Sender{Client: a.client(t, "H29.12"), Log: &SentLog{}, Workers: 3}
	s.Documents = func(i int) Document {
		if i == 1 {
			return letter(i, "H29.12", "unknown")
		}
		return letter(i, "H29.12", "H26", "G22")
	}
	if err := s.Run(t.Context(), 0, 5); err != nil {
		t.Fatal(err)
	}
	refused := s.Log.Refused()
	if len(s.Log.All()) != 5 || len(refused) != 1 || refused[0].Refused.Code != "code_unknown" || refused[0].Refused.Status != 422 {
		t.Errorf("refused %+v", refused)
	}
	if err := s.Log.Wait(t.Context(), 5); err != nil {
		t.Error(err)
	}
}

func TestSenderStops(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	if err := a.faults.Set(Fault{Name: AnswerCode, Status: 503, P: 1}); err != nil {
		t.Fatal(err)
	}
	s := Sender{Client: a.client(t, "H29.12"), Log: &SentLog{}, Documents: func(i int) Document { return letter(i, "H29.12", "H26") }}
	s.Patience = Patience{Tries: 3, First: time.Microsecond}
	var p *Problem
	if err := s.Run(t.Context(), 0, 2); !errors.As(err, &p) || p.Status != 503 {
		t.Errorf("tries ran out: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.Patience = Patience{Sleep: func(ctx context.Context, d time.Duration) error { cancel(); return ctx.Err() }}
	if err := s.Run(ctx, 0, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("caller gave up: %v", err)
	}
	if n := len(s.Log.All()); n != 0 {
		t.Errorf("%d lines for documents of which nothing is known", n)
	}
}

func TestALogOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sent.jsonl")
	l, err := OpenSentLog(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Add(Sent{DocumentID: "1"}), l.Add(Sent{DocumentID: "2", Refused: &Problem{Status: 422, Code: "x"}})); err != nil {
		t.Fatal(err)
	}
	// Its process dies in the middle of a line.
	whole, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(whole, `{"document_id":"3`...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ReadSent(path); err != nil || len(got) != 2 {
		t.Errorf("read beside the writer: %v, %v", got, err)
	}
	again, err := OpenSentLog(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(again.Add(Sent{DocumentID: "4"}), again.Close()); err != nil {
		t.Fatal(err)
	}
	got, err := ReadSent(path)
	if err != nil || len(got) != 3 || got[1].Refused.Status != 422 || got[2].DocumentID != "4" {
		t.Errorf("log %+v, %v", got, err)
	}
	if again.Add(Sent{}) == nil {
		t.Error("a closed log took a line")
	}
	if err := os.WriteFile(path, []byte("no json\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSentLog(path); err == nil {
		t.Error("a log of nonsense was opened")
	}
	l.Close()
}

func TestPauses(t *testing.T) {
	t.Parallel()
	p := Patience{}
	for n, want := range map[int]time.Duration{1: 100 * time.Millisecond, 3: 400 * time.Millisecond, 60: 5 * time.Second} {
		if got := p.pause(n); got < want*9/10 || got > want*11/10 {
			t.Errorf("pause %d: %v, want about %v", n, got, want)
		}
	}
}
