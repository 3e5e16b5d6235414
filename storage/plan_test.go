package storage_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
	"github.com/truc-lienthong/truc/storage/storagetest"
)

// seen is a tracer that notes every statement with its arguments.
type seen struct {
	mu   sync.Mutex
	list []statement
}

type statement struct {
	sql  string
	args []any
}

func (s *seen) note(sql string, args []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, statement{sql, slices.Clone(args)})
}

func (s *seen) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	s.note(d.SQL, d.Args)
	return ctx
}
func (s *seen) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (s *seen) TraceBatchStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	return ctx
}
func (s *seen) TraceBatchQuery(_ context.Context, _ *pgx.Conn, d pgx.TraceBatchQueryData) {
	s.note(d.SQL, d.Args)
}
func (s *seen) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// take returns what was noted since the last time, without BEGIN and the like.
func (s *seen) take() []statement {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.list
	s.list = nil
	return slices.DeleteFunc(list, func(x statement) bool {
		return !regexp.MustCompile(`(?i)\b(select|update|insert|delete)\b`).MatchString(x.sql)
	})
}

// fill writes three months of traffic, faster than the axis would: deliveries are 20,000 dispatches to 10 agencies each, a tenth of
// the last month's still wait. What it writes is for plans only: the invariants do not hold.
const fill = `
	INSERT INTO system (id, name, kind, way, webhook, secret, created_at)
	SELECT 's' || i, 's', 'lgsp', CASE WHEN i % 2 = 0 THEN 'push' ELSE 'pull' END, 'http://x', '', now() FROM generate_series(0, 39) AS i;
	CREATE TEMPORARY TABLE made AS
	SELECT i, at, (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(i::text), 1, 3) || '8' || substr(md5(i::text), 4, 15))::uuid AS id
	  FROM (SELECT i, timestamptz '2026-10-01 00:00:00+07' + i * interval '6.6 minutes' AS at FROM generate_series(0, 19999) AS i) AS x;
	INSERT INTO dispatch (id, system_id, sender, document_id, kind, number, notation, type_name, subject, urgency, form, first_part, verdict, report, warnings, directory, accepted_at)
	SELECT id, 's' || i % 40, 'G' || i % 50, 'd' || i, 0, i, 'UBND', 'Công văn', 'Về việc số ' || i, 0, 'native', '{}', 'unsigned', '{}', '[]', 1, at FROM made;
	INSERT INTO identity (sender, document_id, kind, again, fingerprint, dispatch_id)
	SELECT 'G' || i % 50, 'd' || i, 0, '', sha256(i::text::bytea), id FROM made;
	INSERT INTO attachment (dispatch_id, n, name, media_type, sha256, size, verdict)
	SELECT id, 1, 'a.pdf', 'application/pdf', encode(sha256(i::text::bytea), 'hex'), 1, 'unsigned' FROM made;
	INSERT INTO delivery (dispatch_id, n, addressed_to, agency, system_id, way, state, state_at, status)
	SELECT id, n, 'H' || (i * 7 + n) % 2000, 'H' || (i * 7 + n) % 2000, 's' || (i + n) % 40, CASE WHEN (i + n) % 2 = 0 THEN 'push' ELSE 'pull' END,
	       CASE WHEN i > 18000 THEN 'pending' ELSE 'delivered' END, at, CASE WHEN i % 3 = 0 THEN '03' ELSE '' END
	  FROM made, generate_series(1, 10) AS n;
	UPDATE delivery SET state = 'refused', owner = 'sender', deadline = state_at WHERE dispatch_id IN (SELECT id FROM made WHERE i % 500 = 0);
	INSERT INTO queue (dispatch_id, n, kind, destination, urgency, entered, due)
	SELECT dispatch_id, n, 'd', system_id, n % 4, state_at, CASE WHEN way = 'push' THEN state_at END FROM delivery WHERE state = 'pending';
	INSERT INTO attempt (dispatch_id, n, k, node, started_at, outcome)
	SELECT dispatch_id, n, 1, 'n', state_at, 'later' FROM delivery WHERE way = 'push';
	INSERT INTO receipt (dispatch_id, n, k, status, agency, system_id, staff, event_time, received_at)
	SELECT dispatch_id, n, 1, '03', agency, system_id, '{}', state_at, state_at FROM delivery WHERE status = '03';
	INSERT INTO object (sha256, size, key, created_at) SELECT encode(sha256(i::text::bytea), 'hex'), 1, i::text, at FROM made;
	INSERT INTO idempotency (system_id, key, request, dispatch_id, created_at) SELECT 's' || i % 40, i::text, sha256(''), id, at FROM made;
	UPDATE dispatch SET kind = 2, original = (SELECT id FROM made WHERE i = 10000) WHERE id IN (SELECT id FROM made WHERE i IN (12000, 19500));
	INSERT INTO stray (id, system_id, agency, other, document_id, status, reason, cause, event_time, received_at, packet, packet_sha256, closed_at, closed_by)
	SELECT id, 's' || i % 40, 'H1', 'G1', i, '03', '', 'no_document', at, at, i::text::bytea, sha256(i::text::bytea), CASE WHEN i < 19900 THEN at END, CASE WHEN i < 19900 THEN 'op' END FROM made;
	INSERT INTO revocation_source (url, host, target, kind, issuer, seen_at, due)
	SELECT 'http://x/' || i, 'x', '', 'crl', '', now(), timestamptz '2026-10-01 00:00:00+07' + i * interval '1 hour' FROM generate_series(0, 9999) AS i;
	INSERT INTO reverify (dispatch_id, trust, due, until) SELECT id, i % 300, at, at + interval '30 days' FROM made;
	INSERT INTO verification (dispatch_id, n, at, by_whom, occasion, verdict, report)
	SELECT id, n, at, 'truc', 'new_data', 'invalid', '{}' FROM made, generate_series(1, 2) AS n WHERE i % 10 = 0;
	INSERT INTO tally (day, agency, metric, count) SELECT at::date, 'G1', 'sent', 1 FROM made;
	INSERT INTO agency (code, name, status, version) SELECT 'H29.' || i, 'Đơn vị ' || i, 'live', 1 FROM generate_series(1, 20000) AS i;
	INSERT INTO audit (at, actor, action, object, seal, hash)
	SELECT at, 's', 'dispatch.accept', id::text, i + 1, '' FROM made;
	ANALYZE`

// TestPlans: at three months of traffic every verb of daily work reaches its rows through the index that is there for
// it, in the months that it means and no others, with the plan for these values and with the one for any.
func TestPlans(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	tracer := &seen{}
	s, err := storage.OpenTraced(ctx, storage.Config{DSN: storagetest.Schema(t, migrate)}, tracer)
	must(t, err)
	t.Cleanup(s.Close)
	a := &axis{Store: s, t: t, now: vietnam(2026, 12, 31, 20, 0, 0)}
	started := time.Now()
	must(t, second(s.Pool().Exec(ctx, fill)))
	t.Logf("200,000 deliveries made in %s", time.Since(started).Round(time.Millisecond))
	december := vietnam(2026, 12, 1, 0, 0, 0)
	last := one[uuid.UUID](a, `SELECT dispatch_id FROM queue WHERE destination = 's1' LIMIT 1`)
	n := one[int](a, `SELECT n FROM queue WHERE destination = 's1' AND dispatch_id = $1 LIMIT 1`, last)
	id := deliveryID(last, n)
	update := one[uuid.UUID](a, `SELECT max(id::text)::uuid FROM dispatch WHERE kind = 2`)
	original := one[uuid.UUID](a, `SELECT original FROM dispatch WHERE id = $1`, update)
	many := make([]routing.Code, 300)
	for i := range many {
		many[i] = routing.Code(fmt.Sprint("H", i*5))
	}
	claims, err := s.Claim(ctx, "n", a.now, storage.ClaimLimits{Lease: time.Minute, PerDestination: 16, Total: 200})
	if err != nil || len(claims) != 200 {
		t.Fatalf("%d claims, %v", len(claims), err)
	}
	results := make([]storage.Result, len(claims))
	for i, c := range claims {
		results[i] = storage.Result{Claimed: c, Outcome: []storage.Outcome{storage.Done, storage.Later, storage.Never}[i%3], Taken: i%2 == 0, EndedAt: a.now, Next: a.now}
		if results[i].Outcome == storage.Never {
			results[i].Park, results[i].Owner, results[i].Deadline = storage.Refused, "sender", a.now
		}
	}
	for _, c := range []struct {
		name  string
		do    func() error
		index string // must appear
		month string // the only one that may, but for what is already cut off at run time: months to come are empty
	}{
		{"claim", func() error { return second(s.Claim(ctx, "n", a.now, limits)) }, "queue_due", ""},
		{"record", func() error { return second(s.Record(ctx, results)) }, "queue_pkey", ""},
		{"release", func() error { return s.Release(ctx, claims[:3], a.now) }, "queue_pkey", ""},
		{"inbox", func() error { return second(s.Inbox(ctx, "s1", 100)) }, "queue_inbox", ""},
		{"the VXP list", func() error {
			return second(s.Queued(ctx, storage.QueueFilter{System: "s1", Kind: storage.DispatchItem, Now: a.now, Limit: 500}))
		}, "queue_inbox", ""},
		{"the VXP list of one sender", func() error {
			return second(s.Queued(ctx, storage.QueueFilter{System: "s1", Kind: storage.ReceiptItem, Now: a.now, Limit: 500, Sender: "G7"}))
		}, "dispatch_202612_pkey", ""},
		{"the VXP count", func() error { return second(s.CountQueued(ctx, "s1", storage.DispatchItem, a.now)) }, "queue_", ""},
		{"taken", func() error { return second(s.Taken(ctx, storage.ItemID{DeliveryID: id, Kind: 'd'}, "s1", a.now, "")) }, "delivery_202612_pkey", "202612"},
		{"receipt", func() error {
			return second(s.AddReceipt(ctx, storage.Receipt{DeliveryID: id, Status: "03", Agency: "H1", System: "s1", EventTime: a.now, ReceivedAt: a.now}, ""))
		}, "delivery_202612_pkey", "202612"},
		{"fetched", func() error { return s.Fetched(ctx, id, a.now) }, "delivery_202612_pkey", "202612"},
		{"dispatch", func() error { return second(s.Dispatch(ctx, last)) }, "dispatch_202612_pkey", "202612"},
		{"deliveries", func() error { return second(s.Deliveries(ctx, last, 0, 1000)) }, "delivery_202612_pkey", "202612"},
		{"attempts", func() error { return second(s.Attempts(ctx, last, 1, 1000)) }, "attempt_202612_pkey", "202612"},
		{"receipts", func() error { return second(s.Receipts(ctx, last, 1, 1000)) }, "receipt_202612_pkey", "202612"},
		{"sent by one", func() error {
			return second(s.Sent(ctx, storage.DispatchFilter{Senders: codes("G7"), From: december, Limit: 50}))
		}, "dispatch_202612_sender_id_idx", "202612|2027"},
		{"sent by many", func() error {
			return second(s.Sent(ctx, storage.DispatchFilter{Senders: codes("G7", "G8", "G9"), From: december, Limit: 50}))
		}, "dispatch_202612_sender_id_idx", "202612|2027"},
		{"received by one", func() error {
			return second(s.Received(ctx, storage.ReceivedFilter{Agencies: codes("H7"), From: december, Limit: 50}))
		}, "delivery_202612_agency_dispatch_id_n_idx", "202612|2027"},
		{"received by many", func() error {
			return second(s.Received(ctx, storage.ReceivedFilter{Agencies: many, From: december, Limit: 50}))
		}, "delivery_202612_agency_dispatch_id_n_idx", "202612|2027"},
		{"the page of what was sent", func() error {
			return second(s.SentPage(ctx, storage.ListFilter{Agencies: codes("G7"), From: december, Limit: 50}))
		}, "dispatch_202612_sender_id_idx", "202612|2027"},
		{"the page of what was received", func() error {
			return second(s.ReceivedPage(ctx, storage.ListFilter{Agencies: codes("H7"), From: december, Limit: 50}))
		}, "delivery_202612_agency_dispatch_id_n_idx", "202612|2027"},
		{"the page of all", func() error {
			return second(s.ReceivedPage(ctx, storage.ListFilter{Everyone: true, From: december, Limit: 50}))
		}, "delivery_202612_pkey", "202612|2027"},
		{"a page of recipients", func() error { return second(s.RecipientPage(ctx, last, storage.RecipientFilter{Limit: 50})) }, "delivery_202612_pkey", "202612"},
		{"a received page with words", func() error {
			return second(s.ReceivedPage(ctx, storage.ListFilter{Agencies: codes("H7"), From: december, Limit: 50, Text: "số 7", Subjects: true, Face: storage.FaceWaiting}))
		}, "delivery_202612_agency_dispatch_id_n_idx", "202612|2027"},
		{"sent under an id", func() error {
			return second(s.Sent(ctx, storage.DispatchFilter{Senders: codes("G7"), DocumentID: "d19007", From: december, Limit: 50}))
		}, "identity_pkey", "202612|2027"},
		{"faces", func() error {
			_, _, err := s.Faces(ctx, storage.ListFilter{Agencies: codes("G7"), From: december})
			return err
		}, "delivery_202612_deadline_idx", "202612|2027"},
		{"reroute", func() error { return second(s.Reroute(ctx, "H7", "s0", "s1", routing.Pull, a.now)) }, "queue_", ""},
		{"answers", func() error {
			must(t, second(s.Answers(ctx, "s0", false, "down", a.now, time.Minute)))
			return second(s.Answers(ctx, "s0", true, "", a.now.Add(-time.Hour), time.Minute))
		}, "", ""},
		{"release held", func() error { return allow(second(s.ReleaseHeld(ctx, last, "op", "", a.now)), "") }, "delivery_202612_pkey", ""}, // an original's updates, in all months
		{"an agreement", func() error {
			return allow(second(s.AddReceipt(ctx, storage.Receipt{DeliveryID: deliveryID(update, 1), Status: "15", Agency: "H1", System: "s1", EventTime: a.now, ReceivedAt: a.now, Packet: []byte("x")}, "")), "")
		}, "agency_dispatch_id_n_idx", ""}, // an original and its updates, in all months
		{"a receipt's packet", func() error { return second(s.Receipt(ctx, id, 1)) }, "receipt_202612_", "202612"},
		{"what a status is about", func() error {
			_, _, err := s.Spoken(ctx, storage.Saying{Sender: codes("G7"), Agency: codes("H1", "H2"), DocumentID: "d19007", Status: "03", EventTime: a.now, Packet: []byte("x")})
			return err
		}, "identity_pkey", ""},
		{"what an answer is about", func() error {
			_, _, err := s.Spoken(ctx, storage.Saying{Sender: codes("G7"), Agency: codes("H1"), DocumentID: "d19007", Status: "15", EventTime: a.now, Packet: []byte("x")})
			return err
		}, "original_idx", ""},
		{"an original", func() error { return allow(second(s.FindOriginal(ctx, codes("G7"), "d19007")), "") }, "identity_pkey", ""},
		{"another's original", func() error { return second(s.WentTo(ctx, "d19007", many)) }, "identity_by_document", ""},
		{"updates", func() error { return second(s.Updates(ctx, original)) }, "dispatch_202612_original_idx", "202611|202612|2027"},
		{"related", func() error { return second(s.Related(ctx, storage.Dispatch{ID: update, Original: original})) }, "dispatch_202612_original_idx", "202611|202612|2027"},
		{"twins", func() error {
			return second(s.Twins(ctx, storage.Dispatch{ID: update, Sender: "G7", Number: "19007", Notation: "UBND", AcceptedAt: a.now}))
		}, "dispatch_202612_sender_left_left1_idx", ""},
		{"strays", func() error { return second(s.Strays(ctx, storage.StrayFilter{Limit: 50})) }, "stray_open", ""},
		{"all strays", func() error { return second(s.Strays(ctx, storage.StrayFilter{Closed: true, Limit: 50})) }, "stray_pkey", ""},
		{"a stray", func() error {
			_, _, err := s.AddStray(ctx, storage.Stray{System: "s1", Status: "03", Cause: storage.NoDocument, EventTime: a.now, ReceivedAt: a.now, Packet: []byte("1")}, "")
			return err
		}, "stray_system_id_packet_sha256_key", ""},
		{"fetch", func() error {
			_, _, _, err := s.Fetch(ctx, storage.DeliveryID{Dispatch: last, N: 1}, "s1", a.now)
			return err
		}, "delivery_202612_pkey", "202612"},
		{"taken", func() error {
			return allow(second(s.Taken(ctx, storage.ItemID{DeliveryID: storage.DeliveryID{Dispatch: last, N: 1}, Kind: storage.DispatchItem}, "s1", a.now, "")), "")
		}, "delivery_202612_pkey", "202612"},
		{"accept", func() error {
			l := a.letterCalled("new", "H1", "H2")
			return second(s.Accept(ctx, l))
		}, "", ""},
		{"add recipients, then recall", func() error {
			l := a.letterCalled("new", "H1", "H2", "H3")
			done, err := s.Accept(ctx, l)
			r := a.letterCalled("back", "H1", "H3")
			r.Kind, r.Original = storage.Recall, done.ID
			_, failed := s.Accept(ctx, r)
			must(t, failed)
			return err
		}, "delivery_202612_pkey", ""},
		{"keep a made file", func() error {
			return second(s.KeepMade(ctx, last, storage.ProofFile, storage.Upload{Object: objectOf("x"), Key: "x"}, a.now))
		}, "dispatch_202612_pkey", "202612"},
		{"a page of agencies", func() error { return second(s.AgencyPage(ctx, "H29.2", storage.AgencyPageSize, nil)) }, "agency_pkey", ""},
		{"change an agency", func() error {
			was := routing.Agency{Code: "H29.7", Status: routing.Live}
			return second(s.RegisterAgency(ctx, storage.Registration{Change: storage.Change{System: "s1", At: a.now, Was: was}, Agency: routing.Agency{Code: "H29.7", Name: "Sở"}}))
		}, "agency_pkey", ""},
		{"verifications", func() error { return second(s.Verifications(ctx, last)) }, "dispatch_202612_pkey", "202612"},
		{"a verdict that changed", func() error {
			return s.Rejudge(ctx, last, storage.Verification{N: 2, At: a.now, By: "truc", Occasion: storage.NewData, Before: "unsigned", Verdict: "invalid",
				Report: signing.Report{Files: []signing.FileReport{{Verdict: "invalid"}}}})
		}, "dispatch_202612_pkey", "202612"},
		{"what may be judged better", func() error {
			hopes, err := s.ClaimHopeful(ctx, 300, a.now, time.Minute, 50)
			must(t, s.Judged(ctx, hopes[0], 300, false, a.now))
			must(t, s.Judged(ctx, hopes[1], 300, true, a.now))
			return err
		}, "reverify_by_trust", ""},
		{"what is to be fetched", func() error {
			_, err := s.ClaimSources(ctx, []string{"x"}, false, a.now, time.Minute, 40)
			if err == nil || !strings.Contains(err.Error(), "not a certificate") { // what fill writes names none
				t.Errorf("%v", err)
			}
			return nil
		}, "revocation_source_due", ""},
		{"the end of hope", func() error { return second(s.EndHope(ctx, a.now.AddDate(0, -1, 0))) }, "reverify_until", ""},
		{"the end of notices", func() error { return second(s.EndHope(ctx, a.now.AddDate(0, -1, 0))) }, "verification_changed", ""},
		{"judging the past again", func() error { return second(s.Since(ctx, december, time.Time{}, original, 100)) }, "dispatch_202612_pkey", "202612|2027"},
		{"seal", func() error { _, _, err := s.SealAudit(ctx, 100); return err }, "audit_unsealed", ""},
	} {
		tracer.take()
		must(t, c.do())
		plans := ""
		done := map[string]bool{}
		for _, q := range tracer.take() {
			if done[q.sql] {
				continue
			}
			done[q.sql] = true
			for _, generic := range []bool{false, true} {
				plan := explain(t, s, q, generic)
				plans += plan
				if bad := fullScan.FindString(plan); bad != "" {
					t.Errorf("%s (generic %t): %s\n%s\n%s", c.name, generic, bad, q.sql, plan)
				}
				if months := otherMonths(plan, c.month); c.month != "" && len(months) > 0 {
					t.Errorf("%s (generic %t) reads %v\n%s\n%s", c.name, generic, months, q.sql, plan)
				}
			}
		}
		if !strings.Contains(plans, c.index) {
			t.Errorf("%s does not use %s:\n%s", c.name, c.index, plans)
		}
		if os.Getenv("TRUC_PLANS") != "" {
			t.Logf("%s\n%s", c.name, plans)
		}
	}
}

// fullScan finds what reads a whole table that grows; the months to come are empty.
var fullScan = regexp.MustCompile(`Seq Scan on (?:(?:queue|identity|idempotency|object|audit|tally|agency|reverify|verification)\b|(?:dispatch|delivery|attempt|receipt|attachment)_2026)`)

var months = regexp.MustCompile(`Scan .*\bon \w+?_(20\d{4})`)

func otherMonths(plan, wanted string) (other []string) {
	allowed := regexp.MustCompile(`^(` + wanted + `)`)
	for _, m := range months.FindAllStringSubmatch(plan, -1) {
		if !allowed.MatchString(m[1]) && !slices.Contains(other, m[1]) {
			other = append(other, m[1])
		}
	}
	return other
}

// explain shows the plan that PostgreSQL makes for these arguments, or for any.
func explain(t *testing.T, s *storage.Store, q statement, generic bool) string {
	t.Helper()
	ctx := t.Context()
	var plan []string
	err := s.Pool().AcquireFunc(ctx, func(pool *pgxpool.Conn) error {
		c := pool.Conn()
		mode := "force_custom_plan"
		if generic {
			mode = "force_generic_plan"
		}
		d, err := c.Prepare(ctx, "", q.sql)
		if err != nil {
			return err
		}
		if _, err := c.Exec(ctx, "SET plan_cache_mode = "+mode+"; PREPARE explained AS "+q.sql); err != nil {
			return err
		}
		values := make([]string, len(q.args))
		for i, arg := range q.args {
			text, err := c.TypeMap().Encode(d.ParamOIDs[i], pgx.TextFormatCode, arg, []byte{})
			if err != nil {
				return err
			}
			if values[i] = "NULL"; text != nil {
				values[i] = "'" + strings.ReplaceAll(string(text), "'", "''") + "'"
			}
		}
		execute := "EXPLAIN (COSTS OFF) EXECUTE explained"
		if len(values) > 0 {
			execute += "(" + strings.Join(values, ", ") + ")"
		}
		rows, err := c.Query(ctx, execute)
		if err != nil {
			return err
		}
		if plan, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return err
		}
		_, err = c.Exec(ctx, "DEALLOCATE explained; RESET plan_cache_mode")
		return err
	})
	if err != nil {
		t.Fatalf("explain %s: %v", q.sql, err)
	}
	return strings.Join(plan, "\n") + "\n"
}
