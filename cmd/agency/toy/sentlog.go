package toy

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// Sent is the end of one submission: acknowledged, or refused for good.
type Sent struct {
	DocumentID string    `json:"document_id"`
	Sender     string    `json:"sender"`
	Kind       Kind      `json:"kind,omitempty"`
	Dispatch   string    `json:"dispatch,omitempty"` // "" when refused
	State      State     `json:"state,omitempty"`    // accepted or held, at acknowledgement
	Recipients []string  `json:"recipients"`         // whom we named
	Files      []Digest  `json:"files"`              // hashed from our own bytes, in order
	At         time.Time `json:"at"`                 // when the answer was there
	Tries      int       `json:"tries"`
	Replay     bool      `json:"replay,omitempty"` // acknowledged as one that the axis had before
	Refused    *Problem  `json:"refused,omitempty"`
}

// Acknowledged says that the axis has taken responsibility.
func (s Sent) Acknowledged() bool { return s.Refused == nil }

// SentLog keeps what a sender may rely on, in memory and, when it has a file, as JSON lines. The file is not synced:
// it outlives its process, not the machine. The zero SentLog is in memory only.
type SentLog struct {
	j    journal
	sent []Sent
}

// OpenSentLog opens a log and reads what the file already holds. path "" keeps it in memory only.
func OpenSentLog(path string) (*SentLog, error) {
	l := &SentLog{}
	if err := l.j.open(path, l.load); err != nil {
		return nil, err
	}
	return l, nil
}

// ReadSent reads the log of another process, which may be writing it.
func ReadSent(path string) ([]Sent, error) {
	l := &SentLog{}
	err := readJournal(path, l.load)
	return l.sent, err
}

func (l *SentLog) load(line []byte) error {
	var s Sent
	if err := json.Unmarshal(line, &s); err != nil {
		return err
	}
	l.sent = append(l.sent, s)
	return nil
}

// Add appends one line.
func (l *SentLog) Add(s Sent) error {
	return l.j.add(s, func() { l.sent = append(l.sent, s) })
}

// All gives a copy of every line, refusals included.
func (l *SentLog) All() []Sent {
	l.j.mu.Lock()
	defer l.j.mu.Unlock()
	return slices.Clone(l.sent)
}

// Acknowledged gives the lines for which the axis has taken responsibility.
func (l *SentLog) Acknowledged() []Sent {
	return slices.DeleteFunc(l.All(), func(s Sent) bool { return !s.Acknowledged() })
}

// Refused gives the lines that the axis refused for good.
func (l *SentLog) Refused() []Sent {
	return slices.DeleteFunc(l.All(), Sent.Acknowledged)
}

// Wait blocks until the log has at least n lines.
func (l *SentLog) Wait(ctx context.Context, n int) error {
	return l.j.wait(ctx, func() bool { return len(l.sent) >= n })
}

// Close closes the file; it gives back any failure to write since the log was opened.
func (l *SentLog) Close() error { return l.j.close() }
