package storagetest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// Wire stands between pgx and PostgreSQL as a second Unix socket. It reads the messages that go by (PostgreSQL's
// frontend/backend protocol 3.0) and can cut a connection where a commit's outcome hangs on it: before COMMIT reaches the
// server (failed, not stored), or when COMMIT was executed and its answer is on the way back (failed, but stored).
type Wire struct {
	server, dsn string
	pumps       sync.WaitGroup
	listener    net.Listener

	mu     sync.Mutex
	before int  // so many commits are cut before the server hears of them
	after  int  // so many commits are executed and their answers are lost
	answer int  // so many answers to anything else are lost
	stay   bool // the next cut takes the whole line down until Mend
	down   bool
	open   map[net.Conn]struct{}
	cuts   int
}

// NewWire gives a wire to the database that dsn names. Until a fault is set it carries everything. It ends with the test.
func NewWire(t testing.TB, dsn string) *Wire {
	t.Helper()
	config, err := pgconn.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "truc-wire-") // t.TempDir is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	name := ".s.PGSQL." + strconv.Itoa(int(config.Port))
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("host", dir)
	u.RawQuery = query.Encode()
	w := &Wire{server: filepath.Join(config.Host, name), dsn: u.String(), open: map[net.Conn]struct{}{}}
	if w.listener, err = net.Listen("unix", filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	w.pumps.Go(w.accept)
	t.Cleanup(func() {
		_ = w.listener.Close()
		w.Down()
		w.pumps.Wait()
		_ = os.RemoveAll(dir)
	})
	return w
}

// DSN is the database's address through this wire.
func (w *Wire) DSN() string { return w.dsn }

// CutBefore cuts the connections of the next n commits before the server hears of them.
func (w *Wire) CutBefore(n int) { w.set(func() { w.before = n }) }

// CutAfter lets the server execute the next n commits and cuts their connections before the answers come back.
func (w *Wire) CutAfter(n int) { w.set(func() { w.after = n }) }

// CutAnswer does the same to the next n requests that are no commit: a statement that is its own transaction.
func (w *Wire) CutAnswer(n int) { w.set(func() { w.answer = n }) }

// ThenDown lets the next cut take all connections, and refuse new ones until Mend: the server is gone.
func (w *Wire) ThenDown() { w.set(func() { w.stay = true }) }

// Down cuts every connection and refuses new ones until Mend.
func (w *Wire) Down() {
	w.set(func() {
		w.down = true
		for conn := range w.open {
			_ = conn.Close()
		}
	})
}

// Mend switches all faults off.
func (w *Wire) Mend() {
	w.set(func() { w.before, w.after, w.answer, w.stay, w.down = 0, 0, 0, false, false })
}

// Cuts says how often a connection was cut at a request.
func (w *Wire) Cuts() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cuts
}

func (w *Wire) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func (w *Wire) accept() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return // closed
		}
		w.pumps.Go(func() { w.carry(client) })
	}
}

// carry takes one connection's messages both ways until either side ends.
func (w *Wire) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", w.server)
	if err != nil {
		return
	}
	defer server.Close()
	if !w.enter(client, server) {
		return
	}
	defer w.leave(client, server)
	lost := make(chan struct{}, 1) // the answer to the request under way is not to be carried
	var back sync.WaitGroup
	back.Go(func() {
		defer client.Close()
		w.carryAnswers(client, server, lost)
	})
	w.carryRequests(client, server, lost)
	if half, ok := server.(*net.UnixConn); ok {
		_ = half.CloseWrite() // a cancel request is over when its sender closes; its answer is the server's end
	}
	back.Wait()
}

func (w *Wire) enter(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		return false
	}
	for _, c := range conns {
		w.open[c] = struct{}{}
	}
	return true
}

func (w *Wire) leave(conns ...net.Conn) {
	w.set(func() {
		for _, c := range conns {
			delete(w.open, c)
		}
	})
}

func (w *Wire) carryRequests(client, server net.Conn, lost chan<- struct{}) {
	in := bufio.NewReader(client)
	if err := carryStartup(server, in); err != nil {
		return
	}
	for {
		kind, message, err := readMessage(in)
		if err != nil {
			return
		}
		switch w.fate(kind, message) {
		case cutNow:
			return
		case loseAnswer:
			lost <- struct{}{}
		}
		if _, err := server.Write(message); err != nil {
			return
		}
	}
}

// carryAnswers ends the connection instead of carrying the ready message that ends a lost answer: the server has done
// all it was asked by then.
func (w *Wire) carryAnswers(client, server net.Conn, lost <-chan struct{}) {
	in := bufio.NewReader(server)
	losing := false
	for {
		kind, message, err := readMessage(in)
		if err != nil {
			return
		}
		select {
		case <-lost: // told before the request went out, so before its answer can come
			losing = true
		default:
		}
		if losing {
			if kind == 'Z' {
				w.cut()
				return
			}
			continue
		}
		if _, err := client.Write(message); err != nil {
			return
		}
	}
}

type requestFate int

const (
	carryOn requestFate = iota
	cutNow
	loseAnswer
)

// fate applies the dials to one request. Query carries text; Sync ends a request in the extended protocol.
func (w *Wire) fate(kind byte, message []byte) requestFate {
	if kind != 'Q' && kind != 'S' {
		return carryOn
	}
	commit := kind == 'Q' && strings.EqualFold(strings.TrimRight(string(message[5:]), "\x00"), "commit")
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case commit && w.before > 0:
		w.before--
		w.cutLocked()
		return cutNow
	case commit && w.after > 0:
		w.after--
		return loseAnswer
	case !commit && w.answer > 0:
		w.answer--
		return loseAnswer
	}
	return carryOn
}

func (w *Wire) cut() { w.set(w.cutLocked) }

func (w *Wire) cutLocked() {
	w.cuts++
	if w.stay {
		w.stay, w.down = false, true
		for conn := range w.open {
			_ = conn.Close()
		}
	}
}

// carryStartup carries the first message, which has a length but no kind.
func carryStartup(to io.Writer, in *bufio.Reader) error {
	var size [4]byte
	if _, err := io.ReadFull(in, size[:]); err != nil {
		return err
	}
	body, err := readBody(in, size)
	if err != nil {
		return err
	}
	_, err = to.Write(append(size[:], body...))
	return err
}

func readMessage(in *bufio.Reader) (kind byte, message []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return 0, nil, err
	}
	body, err := readBody(in, [4]byte(head[1:]))
	return head[0], append(head[:], body...), err
}

func readBody(in *bufio.Reader, size [4]byte) ([]byte, error) {
	n := binary.BigEndian.Uint32(size[:])
	if n < 4 || n > 1<<30 {
		return nil, fmt.Errorf("a message of %d bytes", n)
	}
	body := make([]byte, n-4)
	_, err := io.ReadFull(in, body)
	return body, err
}
