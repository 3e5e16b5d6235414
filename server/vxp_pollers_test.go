package server

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/storage"
)

// pollers are several processes of one system: each with a map of its own, all with the same id and secret.
const pollers = 8

// TestVXPPollers: eight pollers of one system empty its queue while it is filled: each looks into the list, fetches what is
// there in an order of its own, writes a status and says done, whatever the others do meanwhile. Nothing is skipped, no
// packet is another's, and nothing happens twice: the ledger, the receipts and the sender's status queue have each
// document once.
func TestVXPPollers(t *testing.T) {
	t.Parallel()
	documents := 300
	if testing.Short() {
		documents = 60
	}
	a := newAxis(t, "", func(_ *axis, c *Config) { c.Limits.Rate = 1 << 30 })
	sent := &sync.Map{} // document id → packet
	var filled, emptied sync.WaitGroup
	var open atomic.Bool
	open.Store(true)
	for i := range 4 {
		filled.Go(func() {
			sender := a.vxp("H29.12")
			for n := i; n < documents; n += 4 {
				id := fmt.Sprintf("H29.12,2026/11/21,%d/SYT-VP", n)
				packet := a.packetOf(id, "a.txt", []byte(id), "H26")
				sent.Store(id, packet)
				if answer := sender.send(packet, "H29.12"); answer["ErrorCode"] != "0" {
					t.Errorf("%s: %v", id, answer)
				}
			}
		})
	}
	taken := &sync.Map{} // docId → document id
	for range pollers {
		emptied.Go(func() {
			hub := a.vxp("H26")
			for more := true; more; {
				more = open.Load() // looked at before the list, so that the last list is of everything
				items := hub.list("edoc")
				more = more || len(items) > 0
				rand.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
				for _, item := range items[:min(len(items), 10)] {
					a.poll(hub, item["docId"].(string), sent, taken)
				}
			}
		})
	}
	filled.Wait()
	open.Store(false)
	emptied.Wait()
	seen := map[string]bool{}
	taken.Range(func(docID, id any) bool {
		if seen[id.(string)] {
			t.Errorf("%s is there under two names", id)
		}
		seen[id.(string)] = true
		return true
	})
	if len(seen) != documents {
		t.Errorf("%d documents of %d were taken", len(seen), documents)
	}
	a.onceEach(t, documents)
	a.statusesOnce(t, documents)
}

// poll does with one item what a careful client does. Another poller may be at the same item.
func (a *axis) poll(hub *vxpSystem, docID string, sent, taken *sync.Map) {
	got := hub.call("/getEdoc", []byte("{}"), "docId", docID)
	raw, err := base64.StdEncoding.DecodeString(fmt.Sprint(got["data"]))
	if err != nil || got["ErrorCode"] != "0" {
		a.t.Errorf("getEdoc %s: %v", docID, got)
		return
	}
	packet, err := edxml.Read(bytes.NewReader(raw), edxml.Reading{Now: testNow})
	if err != nil || packet.Document == nil {
		a.t.Errorf("%s: %v", docID, err)
		return
	}
	id := packet.Document.ID
	if original, ok := sent.Load(id); !ok || !bytes.Equal(original.([]byte), raw) {
		a.t.Errorf("%s: other bytes than %s", docID, id)
	}
	if other, before := taken.LoadOrStore(docID, id); before && other != id {
		a.t.Errorf("%s is %s and %s", docID, other, id)
	}
	if answer := hub.send(statusOf03(a.t, id), "H26"); answer["ErrorCode"] != "0" {
		a.t.Errorf("status of %s: %v", id, answer)
	}
	if answer := hub.call("/updateStatus", []byte("{}"), "status", "done"); answer["ErrorCode"] != "0" {
		a.t.Errorf("updateStatus %s: %v", docID, answer)
	}
}

// statusOf03 is Hà Nội's status packet "registered" for a document of Sở Y tế: the same bytes whoever of its pollers writes it.
func statusOf03(t testing.TB, id string) []byte {
	t.Helper()
	var out bytes.Buffer
	check(t, edxml.WriteStatus(&out, edxml.Status{From: edxml.Organization{ID: "H26"}, Code: "03", At: edxml.Moment(testNow),
		ResponseFor: edxml.ResponseFor{OrganID: "H29.12", DocumentID: id, Code: "123/SYT-VP"}}))
	return out.Bytes()
}

// onceEach asks the rows: every delivery is delivered, counted once and told once.
func (a *axis) onceEach(t *testing.T, documents int) {
	t.Helper()
	volumes, err := a.Store.Volumes(t.Context(), testNow, testNow.AddDate(0, 0, 1))
	check(t, err)
	for _, v := range volumes {
		if v != (storage.Volume{Agency: "H26", Received: int64(documents)}) && v != (storage.Volume{Agency: "H29.12", Sent: int64(documents)}) {
			t.Errorf("counted: %+v", v)
		}
	}
	for question, want := range map[string]int{
		`SELECT count(*) FROM delivery WHERE state = 'delivered'`:                                    documents,
		`SELECT count(*) FROM delivery`:                                                              documents,
		`SELECT count(*) FROM receipt`:                                                               documents,
		`SELECT count(DISTINCT (dispatch_id, n)) FROM receipt WHERE status = '03'`:                   documents,
		`SELECT count(*) FROM queue WHERE kind = 'd'`:                                                0,
		`SELECT count(*) FROM queue WHERE kind = 'r'`:                                                documents,
		`SELECT count(*) FROM stray`:                                                                 0,
		`SELECT count(*) FROM (SELECT FROM audit GROUP BY action, object HAVING count(*) > 1) twice`: 0,
	} {
		var got int
		check(t, a.rows(t).QueryRow(t.Context(), question).Scan(&got))
		if got != want {
			t.Errorf("%s: %d, not %d", question, got, want)
		}
	}
}

// statusesOnce lets eight pollers of the sender empty its status queue.
func (a *axis) statusesOnce(t *testing.T, documents int) {
	t.Helper()
	fetched := &sync.Map{} // docId → packet
	var emptied sync.WaitGroup
	for range pollers {
		emptied.Go(func() {
			sender := a.vxp("H29.12")
			for {
				items := sender.list("status")
				if len(items) == 0 {
					return
				}
				rand.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
				for _, item := range items[:min(len(items), 10)] {
					docID := item["docId"].(string)
					got := sender.call("/getEdoc", []byte("{}"), "docId", docID)
					if first, before := fetched.LoadOrStore(docID, got["data"]); got["ErrorCode"] != "0" || before && first != got["data"] {
						t.Errorf("getEdoc %s: %v", docID, got)
					}
					if answer := sender.call("/updateStatus", []byte("{}"), "status", "done"); answer["ErrorCode"] != "0" {
						t.Errorf("updateStatus %s: %v", docID, answer)
					}
				}
			}
		})
	}
	emptied.Wait()
	about := map[string]bool{}
	fetched.Range(func(docID, data any) bool {
		raw, err := base64.StdEncoding.DecodeString(data.(string))
		check(t, err)
		packet, err := edxml.Read(bytes.NewReader(raw), edxml.Reading{Now: testNow})
		check(t, err)
		if id := packet.Status.ResponseFor.DocumentID; about[id] || !strings.HasPrefix(id, "H29.12,") {
			t.Errorf("%s comes twice", id)
		} else {
			about[id] = true
		}
		return true
	})
	if len(about) != documents {
		t.Errorf("%d statuses of %d came back", len(about), documents)
	}
}
