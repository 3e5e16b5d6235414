package edxml

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what was read beside the golden packets, to be looked through by hand")

// received is when the golden packets come in.
var received = time.Date(2026, 11, 21, 10, 0, 0, 0, Vietnam)

// TestGolden reads packets of every kind, written by hand from the specification in the shapes that official samples, .NET software,
// Bkav and the axis give them, and compares all that was read, problems included.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.edxml")
	if err != nil || len(files) < 9 {
		t.Fatalf("found %d golden packets (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			packet, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			read := readAll(t, packet)
			got, err := json.MarshalIndent(read, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(file, ".edxml") + ".json"
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(append(got, '\n'), want) {
				t.Errorf("%s reads as\n%s\nwant\n%s", file, got, want)
			}
		})
	}
}

// whole is a packet with the bytes of its files.
type whole struct {
	Packet
	Files []string
}

// readAll reads a packet that must be readable, with its files.
func readAll(t testing.TB, packet []byte) whole {
	t.Helper()
	var w whole
	p, err := Read(bytes.NewReader(packet), Reading{Now: received, Attachment: func(i int, _ Attachment, content io.Reader) error {
		b, err := io.ReadAll(content)
		if i != len(w.Files) {
			t.Errorf("attachment %d came as number %d", len(w.Files), i)
		}
		w.Files = append(w.Files, string(b))
		return err
	}})
	if err != nil {
		t.Fatalf("read the packet: %v", err)
	}
	w.Packet = p
	return w
}
