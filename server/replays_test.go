package server

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/server/edxml"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

func states(r reply) []string {
	var list []string
	for _, d := range r.json["deliveries"].([]any) {
		list = append(list, d.(map[string]any)["agency"].(string)+" "+d.(map[string]any)["state"].(string))
	}
	return list
}

// TestReplay: what was accepted once gets the same answer again, whoever lost the first one.
func TestReplay(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	first := a.submit("H29.12", letter("H29.12-2026-1", "H26"), signed(t)).want(t, 201)
	a.pass(time.Hour)
	a.untouched(t, func() {
		again := a.submit("H29.12", letter("H29.12-2026-1", "H26"), signed(t)).want(t, 200)
		if again.json["id"] != first.json["id"] || again.json["replay"] != true || again.json["accepted_at"] != first.json["accepted_at"] {
			t.Errorf("not the first answer: %s", again.raw)
		}
		old := letter("H29.12-2026-1", "000.00.00.H26") // the old forms of the same codes, and what is said by default
		old["sender"], old["kind"] = "000.00.12.H29", "new"
		a.submit("H29.12", old, signed(t)).want(t, 200)
		for name, other := range map[string]reply{
			"another subject": a.submit("H29.12", with(map[string]any{"document_id": "H29.12-2026-1", "subject": "Khác"}), signed(t)),
			"another file":    a.submit("H29.12", letter("H29.12-2026-1", "H26"), file{"cong-van.pdf", "application/pdf", []byte("%PDF-1.4 khác")}),
			"another name":    a.submit("H29.12", letter("H29.12-2026-1", "H26"), file{"b.pdf", "application/pdf", signed(t).content}),
			"one file more":   a.submit("H29.12", letter("H29.12-2026-1", "H26"), signed(t), file{"b.txt", "text/plain", []byte("b")}),
		} {
			if other.refused(t, 409, "conflict"); other.json["existing"] != first.json["id"] {
				t.Errorf("%s: %s", name, other.raw)
			}
		}
	})
}

// TestFirstAnswerIsTheStoredOne: a new dispatch is answered from memory; what is stored says the same to the last field.
func TestFirstAnswerIsTheStoredOne(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "", func(a *axis, _ *Config) { a.now = a.now.Add(123456789 * time.Nanosecond) })
	policy := storage.Policy{Sender: "H29.12", Broken: storage.Hold, Invalid: storage.Hold, Undetermined: storage.Forward, Unsigned: storage.Forward}
	check(t, a.Store.SetPolicy(t.Context(), policy, "test", a.clock()))
	check(t, a.reload(t.Context()))
	changed := bytes.Clone(signed(t).content)
	changed[bytes.LastIndex(changed, []byte("/ByteRange"))-200] ^= 1
	full := with(map[string]any{"document_id": "1", "recipients": []string{"000.00.00.H26", "H26", "H01.151", "H01"}, "content": "Tóm tắt", "due_date": "2026-12-01",
		"urgency": "express", "references": []any{map[string]any{"agency": "G22", "number_notation": "1/VPCP"}}, "to_places": []string{"Như trên"}, "paper": true})
	edxmlBody := packet(t, func(d *edxml.Document) { d.Subject = strings.Repeat("dài ", 200) }, file{"a.txt", "text/plain", []byte("x")})
	for name, submit := range map[string]func() reply{
		"full": func() reply { return a.submit("H29.12", full, signed(t), file{"kèm.txt", "text/plain", []byte("x")}) },
		"held": func() reply {
			return a.submit("H29.12", letter("2", "H26", "H01.151"), file{"đổi.pdf", "application/pdf", changed})
		},
		"packet": func() reply { return a.post(formPart{`form-data; name="edxml"`, "", []byte(edxmlBody)}) },
	} {
		first := submit().want(t, 201)
		stored := a.call("H29.12", "GET", "/api/v1/dispatches/"+first.json["id"].(string), nil).want(t, 200)
		again := submit().want(t, 200)
		delete(stored.json, "metadata") // only when asked for
		delete(stored.json, "twins")
		again.json["replay"] = false
		if !reflect.DeepEqual(first.json, again.json) || !reflect.DeepEqual(first.json, stored.json) {
			t.Errorf("%s:\nfirst:  %.3000s\nagain:  %.3000s\nstored: %.3000s", name, first.raw, again.raw, stored.raw)
		}
	}
}

// TestSupplement: the same document to further recipients adds them (gửi bổ sung); those who have it get nothing twice.
func TestSupplement(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	first := a.submit("H29.12", letter("H29.12-2026-1", "H26"), signed(t)).want(t, 201)
	proof := a.call("H29.12", "GET", "/api/v1/dispatches/"+first.json["id"].(string)+"/proof", nil).want(t, 200)
	more := a.submitKey("k-2", letter("H29.12-2026-1", "H26", "H01.151"), signed(t)).want(t, 201)
	if more.json["id"] != first.json["id"] || more.json["replay"] != false || fmt.Sprint(more.json["added"]) != "[H01.151]" {
		t.Errorf("%s", more.raw)
	}
	if got := states(more); !slices.Equal(got, []string{"H26 pending", "H01.151 delivered"}) {
		t.Errorf("%v", got)
	}
	newProof := a.call("H29.12", "GET", "/api/v1/dispatches/"+first.json["id"].(string)+"/proof", nil).want(t, 200)
	if bytes.Equal(newProof.raw, proof.raw) || !strings.Contains(string(newProof.raw), "H01.151") {
		t.Error("the proof does not name the recipient that was added")
	}
	a.untouched(t, func() {
		if again := a.submitKey("k-2", letter("H29.12-2026-1", "H26", "H01.151"), signed(t)).want(t, 200); again.json["replay"] != true {
			t.Errorf("%s", again.raw)
		}
		a.submitKey("k-2", letter("H29.12-2026-9", "H26"), signed(t)).refused(t, 409, "idempotency_key")
	})
}

// submitKey submits under an Idempotency-Key.
func (a *axis) submitKey(key string, meta any, files ...file) reply {
	a.t.Helper()
	body, media := multipartBody(a.t, meta, files...)
	return a.call("H29.12", "POST", "/api/v1/dispatches", body, "Content-Type", media, "Idempotency-Key", key)
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	first := a.submitKey("k-1", letter("H29.12-2026-1", "H26"), signed(t)).want(t, 201)
	a.untouched(t, func() {
		if again := a.submitKey("k-1", letter("H29.12-2026-1", "H26"), signed(t)).want(t, 200); again.json["id"] != first.json["id"] {
			t.Errorf("%s", again.raw)
		}
		for _, other := range []map[string]any{letter("H29.12-2026-2", "H26"), letter("H29.12-2026-1", "H26", "H01.151")} {
			r := a.submitKey("k-1", other, signed(t)).refused(t, 409, "idempotency_key")
			if r.json["existing"] != first.json["id"] || r.json["field"] != "Idempotency-Key" {
				t.Errorf("%s", r.raw)
			}
		}
		a.submitKey("k-9", with(map[string]any{"document_id": "H29.12-2026-1"}), file2(t)).refused(t, 409, "conflict")
	})
	// The key of a refused request is free, and another system's keys are its own.
	a.submitKey("k-9", letter("H29.12-2026-3", "H26"), signed(t)).want(t, 201)
	body, media := multipartBody(t, map[string]any{"sender": "H26", "recipients": []string{"H29.12"}, "document_id": "1", "type": map[string]any{"name": "Công văn"}, "subject": "x"}, signed(t))
	a.call("H26", "POST", "/api/v1/dispatches", body, "Content-Type", media, "Idempotency-Key", "k-1").want(t, 201)
}

// TestConcurrentReplays: of identical submissions at one moment one is accepted and all get its id; one object is kept.
func TestConcurrentReplays(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	content := bytes.Repeat([]byte("đồng thời "), 20_000)
	for round, keyed := range []bool{false, true} {
		id := fmt.Sprintf("H29.12-2026-%d", round)
		var group sync.WaitGroup
		answers := make([]reply, 12)
		for i := range answers {
			group.Go(func() {
				key := ""
				if keyed {
					key = "cùng một khóa"
				}
				answers[i] = a.submitKey(key, letter(id, "H26", "H01.151"), file{"a.txt", "text/plain", append(content, byte('0'+round))})
			})
		}
		group.Wait()
		created := 0
		for _, r := range answers {
			if r.StatusCode == 201 {
				created++
			} else {
				r.want(t, 200)
			}
			if r.json["id"] != answers[0].json["id"] {
				t.Errorf("%v and %v", r.json["id"], answers[0].json["id"])
			}
		}
		if created != 1 {
			t.Errorf("%d were created", created)
		}
	}
	if kept := a.kept(t); strings.Count(kept, " 300001") != 2 || !strings.Contains(kept, "\ndispatch 2\n") {
		t.Errorf("kept: %s", kept)
	}
}

// TestConcurrentSupplements: different recipients of one document at one moment end up as one dispatch to all of them.
func TestConcurrentSupplements(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	sets := [][]string{{"H26"}, {"H01"}, {"H01.151"}, {"H26", "H01"}, {"H01", "H01.151"}, {"H01.151", "H26"}}
	var group sync.WaitGroup
	answers := make([]reply, len(sets))
	for i, to := range sets {
		group.Go(func() { answers[i] = a.submit("H29.12", letter("H29.12-2026-1", to...), signed(t)) })
	}
	group.Wait()
	for _, r := range answers {
		if r.StatusCode > 201 || r.json["id"] != answers[0].json["id"] {
			t.Errorf("%d %s", r.StatusCode, r.raw)
		}
	}
	all := states(a.call("H29.12", "GET", "/api/v1/dispatches/"+answers[0].json["id"].(string), nil).want(t, 200))
	slices.Sort(all)
	if !slices.Equal(all, []string{"H01 delivered", "H01.151 delivered", "H26 pending"}) {
		t.Errorf("%v", all)
	}
}

func follow(kind, id, original string, to ...string) map[string]any {
	m := letter(id, to...)
	m["kind"], m["original"], m["reason"] = kind, original, "Gửi nhầm phụ lục"
	return m
}

// TestRecallBeforeFetch: taken back before its system fetched it, a document is cancelled without a message (R22); the
// mailbox and the system that fetched it are asked.
func TestRecallBeforeFetch(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	first := a.submit("H29.12", letter("H29.12-2026-1", "H26", "H01.151"), signed(t)).want(t, 201)
	id := first.json["id"].(string)
	recall := a.submit("H29.12", follow("recall", "H29.12-2026-1", "H29.12-2026-1", "H26", "H01.151")).want(t, 201)
	if recall.json["original"] != id || recall.json["kind"] != "recall" {
		t.Errorf("%s", recall.raw)
	}
	if got := states(recall); !slices.Equal(got, []string{"H26 recalled", "H01.151 delivered"}) {
		t.Errorf("the recall's own deliveries: %v", got)
	}
	now := a.call("H29.12", "GET", "/api/v1/dispatches/"+id, nil).want(t, 200)
	if got := states(now); !slices.Equal(got, []string{"H26 recalled", "H01.151 delivered"}) {
		t.Errorf("the original's deliveries: %v", got)
	}
	if items := a.call("H26", "GET", "/api/v1/inbox", nil).want(t, 200).json["items"].([]any); len(items) != 0 {
		t.Errorf("H26 is told: %v", items)
	}
	a.untouched(t, func() {
		a.call("H26", "GET", "/api/v1/deliveries/"+id+".1/package", nil).refused(t, 410, "recalled")
		a.call("H26", "POST", "/api/v1/inbox/"+id+".1.d.0/taken", nil).refused(t, 410, "recalled")
		a.call("H26", "POST", "/api/v1/deliveries/"+id+".1/receipts", map[string]any{"status": "01"}).refused(t, 410, "recalled")
		if list := a.call("H26", "GET", "/api/v1/deliveries", nil).want(t, 200).json["deliveries"].([]any); len(list) != 0 {
			t.Errorf("H26 sees it in its list: %v", list)
		}
		a.submit("H29.12", follow("recall", "H29.12-2026-1", "H29.12-2026-1", "H26", "H01.151")).want(t, 200)
	})
}

// TestRecallAfterFetch: the recipient is asked, and answers.
func TestRecallAfterFetch(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	id := a.submit("H29.12", letter("H29.12-2026-1", "H26"), signed(t)).want(t, 201).json["id"].(string)
	a.call("H26", "GET", "/api/v1/deliveries/"+id+".1/package", nil).want(t, 200)
	a.pass(time.Minute)
	recall := a.submit("H29.12", follow("recall", "H29.12-2026-1", "H29.12-2026-1", "H26")).want(t, 201)
	if got := states(recall); !slices.Equal(got, []string{"H26 pending"}) {
		t.Errorf("%v", got)
	}
	items := a.call("H26", "GET", "/api/v1/inbox", nil).want(t, 200).json["items"].([]any)
	if len(items) != 2 || items[1].(map[string]any)["dispatch"].(map[string]any)["kind"] != "recall" {
		t.Fatalf("%v", items)
	}
	answer := "/api/v1/deliveries/" + recall.json["id"].(string) + ".1/receipts"
	a.call("H26", "POST", answer, map[string]any{"status": "16"}).refused(t, 422, "reason_required")
	a.call("H26", "POST", answer, map[string]any{"status": "15"}).want(t, 201)
	heard := a.call("H29.12", "GET", "/api/v1/inbox", nil).want(t, 200).json["items"].([]any)
	if len(heard) != 1 || heard[0].(map[string]any)["receipt"].(map[string]any)["label"] != "Đồng ý lấy lại/cập nhật" {
		t.Errorf("%v", heard)
	}
}

// TestRecallReachesLaterRecipients: a recall that is sent to further recipients takes back there too.
func TestRecallReachesLaterRecipients(t *testing.T) {
	t.Parallel()
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }))
	defer hook.Close()
	a := newAxis(t, hook.URL)
	id := a.submit("H29.12", letter("H29.12-2026-1", "H26", "G22"), signed(t)).want(t, 201).json["id"].(string)
	a.submit("H29.12", follow("recall", "H29.12-2026-1", "H29.12-2026-1", "H26")).want(t, 201)
	recall := a.submit("H29.12", follow("recall", "H29.12-2026-1", "H29.12-2026-1", "H26", "G22")).want(t, 201)
	if got := states(recall); !slices.Equal(got, []string{"H26 recalled", "G22 recalled"}) {
		t.Errorf("the recall: %v", got)
	}
	if got := states(a.call("H29.12", "GET", "/api/v1/dispatches/"+id, nil).want(t, 200)); !slices.Equal(got, []string{"H26 recalled", "G22 recalled"}) {
		t.Errorf("the original: %v", got)
	}
}

// TestHeldAndRecalled: a held document can be taken back, and then nobody can let it go on; a recall that is held itself
// takes nothing back.
func TestHeldAndRecalled(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	policy := storage.Policy{Sender: "H29.12", Broken: storage.Refuse, Invalid: storage.Hold, Undetermined: storage.Hold, Unsigned: storage.Hold}
	check(t, a.Store.SetPolicy(t.Context(), policy, "test", a.clock()))
	check(t, a.reload(t.Context()))
	text := file{"a.txt", "text/plain", []byte("không ký")}
	held := a.submit("H29.12", letter("H29.12-2026-1", "H26", "H01.151"), text).want(t, 201)
	if got := states(held); held.json["state"] != "held" || !slices.Equal(got, []string{"H26 held", "H01.151 held"}) {
		t.Fatalf("%s", held.raw)
	}
	id := uuid.MustParse(held.json["id"].(string))
	signedLetter := a.submit("H29.12", letter("H29.12-2026-2", "H26"), signed(t)).want(t, 201)
	heldRecall := a.submit("H29.12", follow("recall", "H29.12-2026-2", "H29.12-2026-2", "H26"), text).want(t, 201)
	if got := states(a.call("H29.12", "GET", "/api/v1/dispatches/"+signedLetter.json["id"].(string), nil)); heldRecall.json["state"] != "held" || got[0] != "H26 pending" {
		t.Errorf("a held recall took back: %v", got)
	}
	a.submit("H29.12", follow("recall", "H29.12-2026-1", "H29.12-2026-1", "H26", "H01.151")).want(t, 201)
	if got := states(a.call("H29.12", "GET", "/api/v1/dispatches/"+id.String(), nil)); !slices.Equal(got, []string{"H26 recalled", "H01.151 recalled"}) {
		t.Errorf("%v", got)
	}
	if _, err := a.Release(t.Context(), id, "operator", "", "đã kiểm tra"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("released after its recall: %v", err)
	}
}

// TestUpdateAndReplace: further kinds repeat the original's id by custom, are dispatches of their own, and need an
// original of the same sender (R25).
func TestUpdateAndReplace(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	original := a.submit("H29.12", letter("H29.12-2026-1", "H26"), signed(t)).want(t, 201).json["id"]
	ids := []any{original}
	for _, kind := range []string{"update", "replace"} {
		r := a.submit("H29.12", follow(kind, "H29.12-2026-1", "H29.12-2026-1", "H26"), signed(t)).want(t, 201)
		if slices.Contains(ids, r.json["id"]) || r.json["original"] != original {
			t.Errorf("%s: %s", kind, r.raw)
		}
		ids = append(ids, r.json["id"])
		if again := a.submit("H29.12", follow(kind, "H29.12-2026-1", "H29.12-2026-1", "H26"), signed(t)).want(t, 200); again.json["id"] != r.json["id"] {
			t.Errorf("%s again: %s", kind, again.raw)
		}
	}
	second := follow("update", "H29.12-2026-1", "H29.12-2026-1", "H26")
	second["reason"] = "Cập nhật lần hai"
	if r := a.submit("H29.12", second, signed(t)).want(t, 201); slices.Contains(ids, r.json["id"]) {
		t.Errorf("the second update is the first: %s", r.raw)
	}
	a.untouched(t, func() {
		foreign := follow("recall", "x", "H29.12-2026-1", "H26")
		foreign["sender"] = "H26"
		a.submit("H26", foreign).refused(t, 403, "foreign_original")
		foreign["recipients"] = []string{"H29.12"} // who never got it: another document may have that id
		a.submit("H26", foreign).refused(t, 422, "original_unknown")
		a.submit("H29.12", follow("recall", "x", "H29.12-2026-2", "H26")).refused(t, 422, "original_unknown")
		a.submit("H29.12", follow("recall", "x", "H29.12-2026-1", "H26", "H01")).refused(t, 422, "not_original")
		a.submit("H29.12", follow("update", "H29.12-2026-1", "H29.12-2026-1", "H26")).refused(t, 422, "files_none")
	})
	if items := a.call("H26", "GET", "/api/v1/inbox", nil).want(t, 200).json["items"].([]any); len(items) != 4 {
		t.Errorf("%d items", len(items))
	}
}

// TestLongPoll: a waiting inbox answers within a moment of the commit, not at its next look.
func TestLongPoll(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	fastest := time.Hour
	for round := range 5 {
		answered := make(chan reply, 1)
		go func() { answered <- a.call("H26", "GET", "/api/v1/inbox?wait=30s", nil) }()
		a.submit("H29.12", letter(fmt.Sprintf("H29.12-2026-%d", round), "H26"), signed(t)).want(t, 201)
		done := time.Now()
		r := <-answered
		fastest = min(fastest, time.Since(done))
		items := r.want(t, 200).json["items"].([]any)
		if len(items) != 1 {
			t.Fatalf("%s", r.raw)
		}
		a.call("H26", "POST", "/api/v1/inbox/"+items[0].(map[string]any)["item"].(string)+"/taken", nil).want(t, 200)
	}
	if fastest > 700*time.Millisecond { // a look each second would need longer, every time
		t.Errorf("the fastest of five answers came after %v", fastest)
	}
	if r := a.call("H26", "GET", "/api/v1/inbox?wait=10ms", nil).want(t, 200); len(r.json["items"].([]any)) != 0 {
		t.Errorf("%s", r.raw)
	}
	waiting := make(chan reply, 1)
	go func() { waiting <- a.call("H26", "GET", "/api/v1/inbox?wait=1m", nil) }()
	a.Drain() // a node that goes away sends its callers elsewhere at once
	(<-waiting).want(t, 200)
	a.call("", "GET", "/readyz", nil).refused(t, 503, "unavailable")
}

// TestNULInReport: what a stranger's PDF or certificate says reaches the report, and U+0000 in it stops nothing.
func TestNULInReport(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	now := a.clock()
	d := storage.Dispatch{ID: storage.NewID(now), System: "H29.12", Sender: "H29.12", DocumentID: "nul", TypeName: "Công văn", Form: "native",
		FirstPart: []byte("{}"), Verdict: signing.Undetermined, AcceptedAt: now,
		Report: signing.Report{Verdict: signing.Undetermined, Files: []signing.FileReport{{Name: `a\u0000` + "\x00b"}}}}
	acceptance := &storage.Acceptance{Dispatch: d, Deliveries: []storage.NewDelivery{{AddressedTo: "H26", Agency: "H26", System: "H26", Way: "pull"}}}
	_, err := a.Store.Accept(t.Context(), acceptance)
	check(t, err)
	back, err := a.Store.Dispatch(t.Context(), d.ID)
	check(t, err)
	if got := back.Report.Files[0].Name; got != `a\u0000`+"\ufffdb" {
		t.Errorf("%q", got)
	}
}
