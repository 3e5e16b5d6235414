package main

import (
	"bytes"
	"testing"

	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// TestBenchVXP runs the bench for a moment, with small packets: every packet must come through, and the answer must have its
// form. Its figures say nothing.
func TestBenchVXP(t *testing.T) {
	t.Parallel()
	got := must(t, stateDir(t), "bench", "vxp", "--json", "--seconds", "1", "--rounds", "1", "--clients", "3", "--packet", "60000", "--waiting", "1800")
	if got["bench"] != "vxp" || got["unit"] != "documents/s" || got["goal"] != vxpGoal {
		t.Errorf("%v", got)
	}
	for _, name := range []string{"truc", "floor", "ratio", "n", "seconds", "p50_ms", "p95_ms", "cores"} {
		if n, ok := got[name].(float64); !ok || n <= 0 {
			t.Errorf("%s: %v", name, got[name])
		}
	}
	cases, _ := got["cases"].([]any)
	if len(cases) != 6 {
		t.Fatalf("%d cases: %v", len(cases), cases)
	}
	for _, c := range cases {
		one := c.(map[string]any)
		if n, ok := one["value"].(float64); !ok || n <= 0 || one["name"] == "" || one["unit"] == "" {
			t.Errorf("%v", one)
		}
	}
}

// TestPackets: of what the bench makes no two packets, and no two files in them, are the same bytes.
func TestPackets(t *testing.T) {
	t.Parallel()
	pki, err := testpki.New(testpki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPackets(pki, 60_000)
	if err != nil {
		t.Fatal(err)
	}
	if p.size < 55_000 || p.size > 65_000 {
		t.Errorf("a packet has %d bytes", p.size)
	}
	seen := map[string]bool{}
	for range 300 {
		text := bytes.Join(p.next("H26.1").pieces, nil)
		packet, err := edxml.Read(bytes.NewReader(text), edxml.Reading{})
		if err != nil || len(packet.Errors()) > 0 || len(packet.Document.Attachments) != 1 {
			t.Fatalf("%v, %v", err, packet.Problems)
		}
		seen[packet.Document.ID], seen[packet.Document.Attachments[0].SHA256] = true, true
	}
	if len(seen) != 600 {
		t.Errorf("300 packets have %d ids and files", len(seen))
	}
}
