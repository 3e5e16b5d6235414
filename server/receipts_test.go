package server

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/truc-lienthong/truc/storage"
)

// TestMain bounds the property tests, each step of which is a request: -rapid.checks=1000 looks longer.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		_ = flag.Set("rapid.checks", "25")
	}
	os.Exit(m.Run())
}

// order decides between statuses of one moment; else the latest event is the shown one (R28), whenever it was heard of.
var order = []storage.Status{storage.Arrived, storage.Registered, storage.Returned, storage.Assigned, storage.InProcess,
	storage.Completed, storage.RecallAsked, storage.RecallDeclined, storage.RecallAgreed}

// model is what should be known of one delivery.
type model struct {
	said    map[string]bool // status and time
	current storage.Status
	at      time.Time
	asked   bool
}

func place(s storage.Status) int {
	for i, o := range order {
		if o == s {
			return i + 1
		}
	}
	return 0
}

// hear says what the axis should answer to a receipt.
func (m *model) hear(s storage.Status, at time.Time) (status int) {
	key := fmt.Sprint(s, at.Unix())
	switch {
	case m.said[key]:
		return 200
	case (s == storage.RecallAgreed || s == storage.RecallDeclined) && !m.asked:
		return 409
	}
	m.said[key] = true
	m.asked = m.asked || s == storage.RecallAsked
	if at.After(m.at) || at.Equal(m.at) && place(s) > place(m.current) {
		m.current, m.at = s, at
	}
	return 201
}

// TestReceiptsInAnyOrder: late, doubled and shuffled receipts are kept once each, and the shown status follows what happened.
func TestReceiptsInAnyOrder(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "", func(_ *axis, c *Config) { c.Limits.Rate = 1_000_000 })
	documents := 0
	rapid.Check(t, func(r *rapid.T) {
		documents++
		id := a.submit("H29.12", letter(fmt.Sprintf("H29.12-2026-%d", documents), "H26"), signed(t)).want(r, 201).json["id"].(string)
		m := model{said: map[string]bool{}}
		statuses := rapid.SliceOfN(rapid.SampledFrom(order), 1, 10).Draw(r, "statuses")
		for i, s := range statuses {
			at := a.clock().Add(-time.Duration(rapid.IntRange(0, 3).Draw(r, fmt.Sprint("hours ago ", i))) * time.Hour)
			system := "H26"
			if s == storage.RecallAsked {
				system = "H29.12"
			}
			want := m.hear(s, at)
			got := a.call(system, "POST", "/api/v1/deliveries/"+id+".1/receipts",
				map[string]any{"status": s, "reason": "lý do", "event_time": at.Format(time.RFC3339)})
			if got.StatusCode != want {
				r.Fatalf("%s at %s: %d, want %d: %s", s, at, got.StatusCode, want, got.raw)
			}
		}
		d := a.call("H29.12", "GET", "/api/v1/dispatches/"+id, nil).want(r, 200).json["deliveries"].([]any)[0].(map[string]any)
		status, _ := d["status"].(string)
		receipts, _ := d["receipts"].([]any)
		if status != string(m.current) || len(receipts) != len(m.said) {
			r.Fatalf("status %q after %d receipts, want %q after %d", status, len(receipts), m.current, len(m.said))
		}
		if m.current != "" && m.current != storage.RecallAsked && d["state"] != "delivered" {
			r.Fatalf("a receipt proves that it arrived, yet it is %v", d["state"])
		}
	})
}
