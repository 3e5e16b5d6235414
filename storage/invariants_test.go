package storage_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/truc-lienthong/truc/storage"
)

// spoils breaks each invariant in a database with one accepted, told, answered and one pending delivery. What it finds
// begins with the key.
var spoils = map[string]string{
	"dispatch without a delivery":                      `DELETE FROM delivery WHERE n = 1`,
	"dispatch without its identity":                    `DELETE FROM identity`,
	"identity without its dispatch":                    `INSERT INTO identity VALUES ('S', 'x', 0, '', sha256(''), gen_random_uuid())`,
	"idempotency key without its dispatch":             `INSERT INTO idempotency VALUES ('from', 'x', sha256(''), gen_random_uuid(), now())`,
	"dispatch without its audit line":                  `DELETE FROM audit WHERE action = 'dispatch.accept'`,
	"attachment, delivery, attempt or receipt without": `DELETE FROM dispatch`,
	"attachment whose object is not kept":              `DELETE FROM object`,
	"package or proof that is not kept":                `UPDATE dispatch SET proof_sha256 = 'x', proof_size = 1`,
	"one agency twice in a dispatch":                   `UPDATE delivery SET agency = 'P1'`,
	"pending delivery that nothing will move":          `DELETE FROM queue WHERE kind = 'd'`,
	"queued delivery that is not pending":              `UPDATE queue SET destination = 'pull' WHERE kind = 'd'`,
	"queued item, attempt or receipt of no delivery":   `INSERT INTO queue SELECT dispatch_id, 9, 'n', 1, 'from', 0, now() FROM delivery WHERE n = 1`,
	"queued receipt that does not exist":               `UPDATE queue SET k = 7 WHERE kind = 'r'`,
	"pushed item without a due time":                   `UPDATE queue SET due = NULL WHERE kind = 'd'`,
	"attempts with a gap":                              `UPDATE attempt SET k = 3 WHERE k = 1`,
	"receipts with a gap":                              `UPDATE receipt SET k = 3`,
	"shown status that is not the latest":              `UPDATE delivery SET status = '06' WHERE n = 1`,
	"more receipts than a delivery can have": `INSERT INTO receipt (dispatch_id, n, k, status, agency, system_id, staff, event_time, received_at)
		SELECT dispatch_id, n, more + 1, status, agency, system_id, staff, event_time - more * interval '1 second', received_at FROM receipt, generate_series(1, 4095) AS more`,
	"packet that is two receipts": `WITH first AS (UPDATE receipt SET packet = 'x' RETURNING *)
		INSERT INTO receipt (dispatch_id, n, k, status, agency, system_id, staff, event_time, received_at, packet)
		SELECT dispatch_id, n, 2, status, agency, system_id, staff, event_time - interval '1 second', received_at, 'x' FROM first`,
	"withdrawn delivery that is not delivered":         `UPDATE delivery SET withdrawn = 'recalled' WHERE n = 2`,
	"withdrawn delivery whose recipient did not agree": `UPDATE delivery SET withdrawn = 'recalled' WHERE n = 1`,
	"delivery withdrawn by what is no recall":          `UPDATE delivery SET withdrawn = 'updated', withdrawn_by = dispatch_id WHERE n = 1`,
	"new document that has an original":                `UPDATE dispatch SET kind = 1, original = gen_random_uuid()`,
	"stray whose packet is not": `INSERT INTO stray (id, system_id, agency, other, document_id, status, reason, cause, event_time, received_at, packet, packet_sha256)
		VALUES (gen_random_uuid(), '', '', '', '', '', '', 'state', now(), now(), 'x', sha256('y'))`,
	"verdict whose trust store is not kept":    `UPDATE dispatch SET evidence = '{"trust": {"sha256": "x", "size": 1}}'`,
	"history of verdicts with a gap":           `UPDATE dispatch SET verification = 2`,
	"history of verdicts without its dispatch": `INSERT INTO verification VALUES (gen_random_uuid(), 1, now(), '', 'reception', 'valid', '{}')`,
	"wait for a better verdict of no dispatch": `INSERT INTO reverify VALUES (gen_random_uuid(), 1, 0, now(), now())`,
	"day counts that differ from a recount":    `DELETE FROM tally WHERE metric = 'received'`,
}

// TestCheckFinds: the checker that stands at the end of every test finds each of the things that it looks for, and
// nothing else in a sound database.
func TestCheckFinds(t *testing.T) {
	t.Parallel()
	for _, invariant := range append(storage.Invariants(), "object") {
		t.Run(invariant, func(t *testing.T) {
			t.Parallel()
			a := newAxis(t)
			ctx := t.Context()
			l := a.with(a.letter("P1", "P2"), "tệp")
			id := a.accept(l)
			claims := a.claim(a.now)
			must(t, a.Release(ctx, claims, a.now))
			must(t, second(a.AddReceipt(ctx, storage.Receipt{DeliveryID: deliveryID(id, 1), Status: storage.Registered, Agency: "P1", System: "push",
				EventTime: a.now, ReceivedAt: a.now}, "")))
			if findings, err := a.Check(ctx); err != nil || len(findings) != 0 {
				t.Fatalf("%v, %v", findings, err)
			}
			a.spoilt = true
			if invariant == "object" {
				kept, err := a.objects.Put(ctx, l.Uploads[0].Key, readerOf("khác"), false)
				must(t, err)
				must(t, kept.Close())
			} else {
				must(t, second(a.Pool().Exec(ctx, spoil(t, invariant))))
			}
			findings, err := a.Check(ctx)
			if err != nil || !slices.ContainsFunc(findings, func(f string) bool { return strings.HasPrefix(f, invariant) }) {
				t.Errorf("not found: %v, %v", findings, err)
			}
		})
	}
}

func spoil(t *testing.T, invariant string) string {
	t.Helper()
	for key, sql := range spoils {
		if strings.HasPrefix(invariant, key) {
			return sql
		}
	}
	t.Fatalf("no test breaks the invariant %q", invariant)
	return ""
}
