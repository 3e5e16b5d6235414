package toy

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// Received is one delivery as the recipient's system got it. Nothing in it is copied from what the axis said about
// hashes: they are of the bytes that came.
type Received struct {
	System      string    `json:"system"` // the toy's name
	Delivery    string    `json:"delivery"`
	Dispatch    string    `json:"dispatch"`
	DocumentID  string    `json:"document_id"`
	Sender      string    `json:"sender"`
	Kind        Kind      `json:"kind,omitempty"`
	Agency      string    `json:"agency"`       // who has it
	AddressedTo string    `json:"addressed_to"` // whom the sender named
	At          time.Time `json:"at"`
	// Code ("number/notation") and Promulgated (a day) are kept where answers must repeat them: over VXP.
	Code        string `json:"code,omitempty"`
	Promulgated string `json:"promulgated,omitempty"`
	// Package is the SHA-256 of the package's bytes; "" when this delivery's package was not fetched.
	Package string `json:"package,omitempty"`
	// Files are the attachments in order.
	Files []Digest `json:"files"`
	// FilesFrom is the delivery through which those bytes came. When it is another one (Hub.ShareFiles), the bytes of
	// this very delivery were not looked at, and a fault in them alone would not be seen.
	FilesFrom string `json:"files_from"`
}

// Shared says that the files were judged by the bytes of another delivery of the same dispatch.
func (r Received) Shared() bool { return r.FilesFrom != r.Delivery }

// Said is a receipt that the axis has taken from a toy.
type Said struct {
	Delivery string    `json:"delivery"`
	Status   Status    `json:"status"`
	Reason   string    `json:"reason,omitempty"`
	At       time.Time `json:"at"`
}

type saying struct {
	delivery string
	status   Status
}

// receivedLine is one line of the file: exactly one field is set.
type receivedLine struct {
	Received *Received `json:"received,omitempty"`
	Said     *Said     `json:"said,omitempty"`
	Heard    *Item     `json:"heard,omitempty"`
	Again    string    `json:"again,omitempty"` // a delivery that was offered once more
}

// ReceivedLog keeps what a receiving system got, in memory and, when it has a file, as JSON lines. Several toys may
// share one; deliveries are told apart by their id. The file is not synced: it outlives its process, not the machine. The zero
// ReceivedLog is in memory only.
type ReceivedLog struct {
	j        journal
	received []Received
	place    map[string]int // delivery -> index in received
	said     []Said
	saying   map[saying]bool // receipts said
	heard    []Item
	hearing  map[string]bool // items heard
	again    map[string]int
}

// OpenReceivedLog opens a log and reads what the file already holds, so that a toy that was killed knows what it has.
// path "" keeps it in memory only.
func OpenReceivedLog(path string) (*ReceivedLog, error) {
	l := &ReceivedLog{}
	if err := l.j.open(path, l.load); err != nil {
		return nil, err
	}
	return l, nil
}

// ReadReceived reads the log of another process, which may be writing it.
func ReadReceived(path string) ([]Received, error) {
	l := &ReceivedLog{}
	err := readJournal(path, l.load)
	return l.received, err
}

func (l *ReceivedLog) load(b []byte) error {
	var line receivedLine
	if err := json.Unmarshal(b, &line); err != nil {
		return err
	}
	l.keep(line)
	return nil
}

func (l *ReceivedLog) keep(line receivedLine) {
	if l.place == nil {
		l.place, l.again = map[string]int{}, map[string]int{}
		l.saying, l.hearing = map[saying]bool{}, map[string]bool{}
	}
	switch {
	case line.Received != nil:
		l.place[line.Received.Delivery] = len(l.received)
		l.received = append(l.received, *line.Received)
	case line.Said != nil:
		l.saying[saying{line.Said.Delivery, line.Said.Status}] = true
		l.said = append(l.said, *line.Said)
	case line.Heard != nil:
		l.hearing[line.Heard.Item] = true
		l.heard = append(l.heard, *line.Heard)
	case line.Again != "":
		l.again[line.Again]++
	}
}

func (l *ReceivedLog) add(line receivedLine) error {
	return l.j.add(line, func() { l.keep(line) })
}

// hear keeps a receipt or a notice, unless it is here already.
func (l *ReceivedLog) hear(it Item) error {
	l.j.mu.Lock()
	known := l.hearing[it.Item]
	l.j.mu.Unlock()
	if known {
		return nil
	}
	return l.add(receivedLine{Heard: &it})
}

// hasSaid says whether the axis took this receipt before.
func (l *ReceivedLog) hasSaid(delivery string, s Status) bool {
	l.j.mu.Lock()
	defer l.j.mu.Unlock()
	return l.saying[saying{delivery, s}]
}

// Find gives what is known of a delivery.
func (l *ReceivedLog) Find(delivery string) (Received, bool) {
	l.j.mu.Lock()
	defer l.j.mu.Unlock()
	i, ok := l.place[delivery]
	if !ok {
		return Received{}, false
	}
	return l.received[i], true
}

// All gives a copy of every delivery received, in order of arrival.
func (l *ReceivedLog) All() []Received {
	l.j.mu.Lock()
	defer l.j.mu.Unlock()
	return slices.Clone(l.received)
}

// Said gives the receipts that the axis took from here.
func (l *ReceivedLog) Said() []Said {
	l.j.mu.Lock()
	defer l.j.mu.Unlock()
	return slices.Clone(l.said)
}

// Heard gives the receipts and notices that came in for this system's own agencies, each item once.
func (l *ReceivedLog) Heard() []Item {
	l.j.mu.Lock()
	defer l.j.mu.Unlock()
	return slices.Clone(l.heard)
}

// Again counts how often deliveries were offered once more after they were here. At-least-once delivery does that
// after a lost answer; it is no fault.
func (l *ReceivedLog) Again() int {
	l.j.mu.Lock()
	defer l.j.mu.Unlock()
	sum := 0
	for _, n := range l.again {
		sum += n
	}
	return sum
}

// Wait blocks until at least n deliveries are here.
func (l *ReceivedLog) Wait(ctx context.Context, n int) error {
	return l.j.wait(ctx, func() bool { return len(l.received) >= n })
}

// WaitSaid blocks until the axis took at least n receipts from here.
func (l *ReceivedLog) WaitSaid(ctx context.Context, n int) error {
	return l.j.wait(ctx, func() bool { return len(l.said) >= n })
}

// WaitHeard blocks until at least n receipts and notices came in.
func (l *ReceivedLog) WaitHeard(ctx context.Context, n int) error {
	return l.j.wait(ctx, func() bool { return len(l.heard) >= n })
}

// Close closes the file; it gives back any failure to write since the log was opened.
func (l *ReceivedLog) Close() error { return l.j.close() }
