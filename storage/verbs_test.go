package storage_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
	"github.com/truc-lienthong/truc/storage/storagetest"
)

// What the tests of the SQL verbs share: an axis's database with a few systems, and dispatches to put into it.

// testNow is when tests begin unless they say otherwise: a Monday morning.
var testNow = time.Date(2026, 11, 23, 8, 0, 0, 0, storage.Vietnam)

// axis is a database of its own with objects in a folder. The systems: "from" sends and pulls for S; "push", "push2" are
// called for P… and Q…; "pull" pulls for L…; "box" keeps mailboxes for M….
type axis struct {
	*storage.Store
	t       testing.TB
	dsn     string
	objects *storagetest.FaultyObjects
	now     time.Time
	mu      sync.Mutex
	letters int
	spoilt  bool // the test broke something: what is found at its end is no fault
}

func migrate(ctx context.Context, dsn string) error {
	_, _, err := storage.Migrate(ctx, dsn, testNow)
	return err
}

// newAxis makes one; at the end of the test the invariants are checked.
func newAxis(t testing.TB) *axis {
	t.Helper()
	return newAxisOn(t, storagetest.Schema(t, migrate))
}

func newAxisOn(t testing.TB, dsn string) *axis {
	t.Helper()
	files, err := storage.OpenFiles(t.TempDir())
	must(t, err)
	a := &axis{t: t, dsn: dsn, objects: storagetest.Faulty(files), now: testNow}
	a.Store, err = storage.Open(t.Context(), storage.Config{DSN: dsn, Objects: a.objects})
	must(t, err)
	t.Cleanup(func() {
		a.objects.Mend()
		if !a.spoilt {
			storagetest.Check(t, a.Store)
		}
		a.Store.Close()
		must(t, files.Close())
	})
	a.system("from", routing.Pull, "S")
	a.system("push", routing.Push, "P")
	a.system("push2", routing.Push, "Q")
	a.system("pull", routing.Pull, "L")
	a.system("box", routing.Mailbox, "M")
	return a
}

// again opens another node on the same database and objects, over the wire when there is one.
func (a *axis) again(dsn string) *axis {
	a.t.Helper()
	s, err := storage.Open(a.t.Context(), storage.Config{DSN: dsn, Objects: a.objects, Conns: 6})
	must(a.t, err)
	a.t.Cleanup(s.Close)
	return &axis{Store: s, t: a.t, dsn: dsn, objects: a.objects, now: a.now}
}

func (a *axis) system(id string, way routing.Way, code routing.Code) {
	a.t.Helper()
	sys := storage.System{ID: id, Name: id, Kind: "qlvb", Way: way, Secret: []byte{1},
		Serves: []routing.Serving{{Code: code, Subtree: true}}}
	if way == routing.Push {
		sys.Webhook = "http://" + id
	}
	must(a.t, a.AddSystem(context.Background(), sys, "test", a.now))
}

// to makes a recipient of a code: its first letter says which system serves it.
func to(code string) storage.NewDelivery {
	d := storage.NewDelivery{AddressedTo: code, Agency: routing.Code(code)}
	switch code[0] {
	case 'P':
		d.System, d.Way = "push", routing.Push
	case 'Q':
		d.System, d.Way = "push2", routing.Push
	case 'M':
		d.System, d.Way = "box", routing.Mailbox
	case 'S':
		d.System, d.Way = "from", routing.Pull
	default:
		d.System, d.Way = "pull", routing.Pull
	}
	return d
}

// letter makes a new dispatch of S with a document id of its own, accepted now, without files.
func (a *axis) letter(codes ...string) *storage.Acceptance {
	a.mu.Lock()
	a.letters++
	id := fmt.Sprintf("S-2026-%06d", a.letters)
	a.mu.Unlock()
	return a.letterCalled(id, codes...)
}

func (a *axis) letterCalled(documentID string, codes ...string) *storage.Acceptance {
	letter := &storage.Acceptance{
		Dispatch: storage.Dispatch{ID: storage.NewID(a.now), System: "from", Sender: "S", DocumentID: documentID,
			Number: "1", Notation: "UBND-VP", TypeName: "Công văn", Subject: "Về việc thử", Form: "native", FirstPart: []byte("{}"),
			Verdict: signing.Unsigned, AcceptedAt: a.now},
		Fingerprint: sha256.Sum256([]byte(documentID)),
		Deadline:    a.now.Add(24 * time.Hour),
	}
	for _, code := range codes {
		letter.Deliveries = append(letter.Deliveries, to(code))
	}
	letter.Request = sha256.Sum256(fmt.Append(nil, documentID, codes))
	return letter
}

// same makes what a sender's repetition becomes: another request for the same document.
func same(l *storage.Acceptance) *storage.Acceptance {
	again := *l
	again.ID = storage.NewID(l.AcceptedAt)
	again.Uploads = nil
	return &again
}

// with stores the files and attaches them, as intake does before the commit.
func (a *axis) with(l *storage.Acceptance, bodies ...string) *storage.Acceptance {
	a.t.Helper()
	l.Attachments = nil
	for i, body := range bodies {
		u := a.upload(body)
		l.Uploads = append(l.Uploads, u)
		l.Attachments = append(l.Attachments, storage.Attachment{N: i + 1, Name: "a.txt", MediaType: "text/plain", Object: u.Object,
			Verdict: signing.Unsigned})
	}
	return l
}

func (a *axis) upload(body string) storage.Upload {
	a.t.Helper()
	u := storage.Upload{Object: objectOf(body), Key: storage.NewKey(a.now)}
	kept, err := a.objects.Put(context.Background(), u.Key, readerOf(body), false)
	must(a.t, err)
	must(a.t, kept.Close())
	return u
}

func objectOf(body string) storage.Object {
	sum := sha256.Sum256([]byte(body))
	return storage.Object{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(body))}
}

// accept accepts and must.
func (a *axis) accept(l *storage.Acceptance) uuid.UUID {
	a.t.Helper()
	done, err := a.Accept(context.Background(), l)
	must(a.t, err)
	return done.ID
}

// stored lists what is in the object store, and whether a row names it.
func (a *axis) stored() (kept, loose []string) {
	a.t.Helper()
	ctx := context.Background()
	err := a.objects.Objects.List(ctx, "", func(key string, _ int64, _ time.Time) error {
		if one[bool](a, `SELECT EXISTS (SELECT 1 FROM object WHERE key = $1)`, key) {
			kept = append(kept, key)
		} else {
			loose = append(loose, key)
		}
		return nil
	})
	must(a.t, err)
	return kept, loose
}

// one reads a single value.
func one[T any](a *axis, sql string, args ...any) T {
	a.t.Helper()
	rows, err := a.Pool().Query(context.Background(), sql, args...)
	must(a.t, err)
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		a.t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// states lists the deliveries' states by number.
func (a *axis) states(id uuid.UUID) []storage.State {
	a.t.Helper()
	list, err := a.Deliveries(context.Background(), id, 0, 1000)
	must(a.t, err)
	states := make([]storage.State, len(list))
	for i, d := range list {
		states[i] = d.State
	}
	return states
}

// claim takes what is due now.
func (a *axis) claim(now time.Time) []storage.Claimed {
	a.t.Helper()
	list, err := a.Claim(context.Background(), "test", now, limits)
	must(a.t, err)
	return list
}

var limits = storage.ClaimLimits{Lease: 30 * time.Second, PerDestination: 100, Total: 1000, Except: []string{}}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func deliveryID(dispatch uuid.UUID, n int) storage.DeliveryID {
	return storage.DeliveryID{Dispatch: dispatch, N: n}
}

func itemID(dispatch uuid.UUID, n int) storage.ItemID {
	return storage.ItemID{DeliveryID: deliveryID(dispatch, n), Kind: storage.DispatchItem}
}

func readerOf(body string) *bytes.Reader { return bytes.NewReader([]byte(body)) }

// until looks again and again for what another goroutine is about to do and gives no event for.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for end := time.After(30 * time.Second); !ok(); {
		select {
		case <-look.C:
		case <-end:
			t.Fatalf("never: %s", what)
		}
	}
}

func codes(list ...string) []routing.Code {
	out := make([]routing.Code, len(list))
	for i, c := range list {
		out[i] = routing.Code(c)
	}
	return out
}

func servings(code string) []routing.Serving {
	return []routing.Serving{{Code: routing.Code(code), Subtree: true}}
}
