package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
)

// invariants are the statements that must find nothing, each with what it would have found. They stand in for the
// foreign keys that partitions cannot have, and for what no constraint can say.
var invariants = []struct{ broken, sql string }{
	{"dispatch without a delivery, or with a gap in its delivery numbers", `
		SELECT d.id::text FROM dispatch AS d LEFT JOIN delivery AS dl ON dl.dispatch_id = d.id
		 GROUP BY d.id HAVING count(dl.n) = 0 OR max(dl.n) <> count(dl.n)`},
	{"dispatch without its identity", `SELECT d.id::text FROM dispatch AS d WHERE NOT EXISTS (SELECT 1 FROM identity AS i WHERE i.dispatch_id = d.id)`},
	{"identity without its dispatch", `SELECT dispatch_id::text FROM identity WHERE NOT EXISTS (SELECT 1 FROM dispatch WHERE id = dispatch_id)`},
	{"idempotency key without its dispatch", `SELECT dispatch_id::text FROM idempotency WHERE NOT EXISTS (SELECT 1 FROM dispatch WHERE id = dispatch_id)`},
	{"dispatch without its audit line", `
		SELECT d.id::text FROM dispatch AS d WHERE NOT EXISTS (SELECT 1 FROM audit AS a WHERE a.action = 'dispatch.accept' AND a.object = d.id::text)`},
	{"attachment, delivery, attempt or receipt without its dispatch", `
		SELECT dispatch_id::text FROM (SELECT dispatch_id FROM attachment UNION SELECT dispatch_id FROM delivery
		       UNION SELECT dispatch_id FROM attempt UNION SELECT dispatch_id FROM receipt) AS x
		 WHERE NOT EXISTS (SELECT 1 FROM dispatch WHERE id = dispatch_id)`},
	{"attachment whose object is not kept", `
		SELECT dispatch_id || '.' || n FROM attachment AS a
		 WHERE NOT EXISTS (SELECT 1 FROM object AS o WHERE o.sha256 = a.sha256 AND o.size = a.size)`},
	{"package or proof that is not kept", `
		SELECT id::text FROM dispatch AS d
		 WHERE (package_sha256 IS NOT NULL AND NOT EXISTS (SELECT 1 FROM object WHERE sha256 = package_sha256 AND size = package_size))
		    OR (proof_sha256 IS NOT NULL AND NOT EXISTS (SELECT 1 FROM object WHERE sha256 = proof_sha256 AND size = proof_size))`},
	{"verdict whose trust store is not kept", `
		SELECT e.id::text FROM (SELECT id, evidence FROM dispatch UNION ALL SELECT dispatch_id, evidence FROM verification) AS e
		 WHERE e.evidence ? 'trust' AND NOT EXISTS (
		     SELECT 1 FROM object AS o WHERE o.sha256 = e.evidence #>> '{trust,sha256}' AND o.size = (e.evidence #>> '{trust,size}')::bigint)`},
	{"history of verdicts with a gap, or whose last is not the dispatch's", `
		SELECT d.id::text FROM dispatch AS d LEFT JOIN verification AS v ON v.dispatch_id = d.id GROUP BY d.id, d.verification, d.verdict
		HAVING d.verification <> greatest(1, count(v.n)) OR max(v.n) <> count(v.n)
		    OR count(v.n) > 0 AND d.verdict <> (array_agg(v.verdict ORDER BY v.n DESC))[1]`},
	{"history of verdicts without its dispatch", `SELECT dispatch_id::text FROM verification WHERE NOT EXISTS (SELECT 1 FROM dispatch WHERE id = dispatch_id)`},
	{"wait for a better verdict of no dispatch", `SELECT dispatch_id::text FROM reverify WHERE NOT EXISTS (SELECT 1 FROM dispatch WHERE id = dispatch_id)`},
	{"one agency twice in a dispatch", `
		SELECT dispatch_id || ' ' || agency FROM delivery GROUP BY dispatch_id, agency HAVING count(*) > 1`},
	{"pending delivery that nothing will move", `
		SELECT dispatch_id || '.' || n FROM delivery AS d WHERE state = 'pending'
		   AND NOT EXISTS (SELECT 1 FROM queue AS q WHERE q.dispatch_id = d.dispatch_id AND q.n = d.n AND q.kind = 'd')`},
	{"queued delivery that is not pending, or waits at another system than the delivery says", `
		SELECT q.dispatch_id || '.' || q.n FROM queue AS q JOIN delivery AS d ON d.dispatch_id = q.dispatch_id AND d.n = q.n
		 WHERE q.kind = 'd' AND (d.state <> 'pending' OR d.system_id <> q.destination)`},
	{"queued item, attempt or receipt of no delivery", `
		SELECT x.dispatch_id || '.' || x.n FROM (SELECT dispatch_id, n FROM queue UNION SELECT dispatch_id, n FROM attempt
		       UNION SELECT dispatch_id, n FROM receipt) AS x
		 WHERE NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.dispatch_id = x.dispatch_id AND d.n = x.n)`},
	{"queued receipt that does not exist", `
		SELECT q.dispatch_id || '.' || q.n FROM queue AS q WHERE q.kind = 'r'
		   AND NOT EXISTS (SELECT 1 FROM receipt AS r WHERE r.dispatch_id = q.dispatch_id AND r.n = q.n AND r.k = q.k)`},
	{"pushed item without a due time", `
		SELECT q.dispatch_id || '.' || q.n FROM queue AS q JOIN system AS s ON s.id = q.destination
		 WHERE q.kind = 'd' AND s.way = 'push' AND q.due IS NULL`},
	{"attempts with a gap", `SELECT dispatch_id || '.' || n FROM attempt GROUP BY dispatch_id, n HAVING max(k) <> count(*)`},
	{"receipts with a gap", `SELECT dispatch_id || '.' || n FROM receipt GROUP BY dispatch_id, n HAVING max(k) <> count(*)`},
	{"shown status that is not the latest event's", `
		SELECT d.dispatch_id || '.' || d.n FROM delivery AS d LEFT JOIN LATERAL (
		    SELECT r.status, r.event_time FROM receipt AS r WHERE r.dispatch_id = d.dispatch_id AND r.n = d.n
		     ORDER BY r.event_time DESC, array_position('{01,03,02,04,05,06,13,16,15}', r.status) DESC LIMIT 1) AS last ON true
		 WHERE d.status <> coalesce(last.status, '') OR d.status_at IS DISTINCT FROM last.event_time`},
	{"more receipts than a delivery can have", `SELECT dispatch_id || '.' || n FROM receipt GROUP BY dispatch_id, n HAVING count(*) > 4095`},
	{"packet that is two receipts", `
		SELECT dispatch_id || '.' || n FROM receipt WHERE packet IS NOT NULL GROUP BY dispatch_id, n, packet HAVING count(*) > 1`},
	{"withdrawn delivery that is not delivered", `SELECT dispatch_id || '.' || n FROM delivery WHERE withdrawn <> '' AND state <> 'delivered'`},
	{"withdrawn delivery whose recipient did not agree", `
		SELECT d.dispatch_id || '.' || d.n FROM delivery AS d WHERE d.withdrawn <> '' AND NOT EXISTS (
		    SELECT 1 FROM delivery AS x JOIN receipt AS r ON r.dispatch_id = x.dispatch_id AND r.n = x.n
		     WHERE x.dispatch_id = coalesce(d.withdrawn_by, d.dispatch_id) AND x.agency = d.agency AND r.status = '15')`},
	{"delivery withdrawn by what is no recall or update of its document", `
		SELECT d.dispatch_id || '.' || d.n FROM delivery AS d JOIN dispatch AS own ON own.id = d.dispatch_id
		 WHERE d.withdrawn <> '' AND (d.withdrawn_by IS NOT NULL OR d.withdrawn = 'updated') AND NOT EXISTS (
		     SELECT 1 FROM dispatch AS b WHERE b.id = d.withdrawn_by AND b.kind = CASE d.withdrawn WHEN 'recalled' THEN 1 ELSE 2 END
		        AND b.original IN (own.id, own.original))`},
	{"new document that has an original, or one that is not there", `
		SELECT d.id::text FROM dispatch AS d WHERE d.original IS NOT NULL AND (d.kind = 0 OR NOT EXISTS (SELECT 1 FROM dispatch AS o WHERE o.id = d.original))`},
	{"stray whose packet is not what its hash says", `SELECT id::text FROM stray WHERE packet_sha256 <> sha256(packet)`},
	{"day counts that differ from a recount", `
		SELECT agency || ' ' || metric || ' on ' || day || ': counted ' || sum(counted) || ', rows ' || sum(rows)
		  FROM (SELECT day, agency, metric, count AS counted, 0 AS rows FROM volume
		        UNION ALL SELECT day, agency, metric, count, 0 FROM tally
		        UNION ALL SELECT (accepted_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, sender, 'sent', 0, 1 FROM dispatch
		        UNION ALL SELECT (state_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, agency, 'received', 0, 1 FROM delivery WHERE state = 'delivered') AS x
		 GROUP BY day, agency, metric HAVING sum(counted) <> sum(rows)`},
}

// Check looks for whatever must never be: it returns a line for each finding, none on a sound database. With objects it
// also reads every kept object and compares its hash. It reads everything: for tests and for a person in doubt.
func (s *Store) Check(ctx context.Context) ([]string, error) {
	var findings []string
	for _, i := range invariants {
		rows, err := s.pool.Query(ctx, i.sql+` LIMIT 5`)
		if err != nil {
			return findings, unavailable(fmt.Errorf("look for a %s: %w", i.broken, err))
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return findings, unavailable(fmt.Errorf("look for a %s: %w", i.broken, err))
		}
		for _, f := range found {
			findings = append(findings, i.broken+": "+f)
		}
	}
	if s.Objects == nil {
		return findings, nil
	}
	bad, err := s.checkObjects(ctx)
	return append(findings, bad...), err
}

func (s *Store) checkObjects(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT sha256, size, key FROM object ORDER BY sha256`)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list objects: %w", err))
	}
	type kept struct {
		SHA256 string
		Size   int64
		Key    string
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[kept])
	if err != nil {
		return nil, unavailable(err)
	}
	var findings []string
	for _, k := range list {
		body, err := s.Objects.Open(ctx, k.Key, 0, -1)
		if err != nil {
			findings = append(findings, fmt.Sprintf("object %s cannot be read: %v", k.SHA256, err))
			continue
		}
		h := sha256.New()
		n, err := io.Copy(h, body)
		_ = body.Close() // read to its end
		if err != nil || n != k.Size || hex.EncodeToString(h.Sum(nil)) != k.SHA256 {
			findings = append(findings, fmt.Sprintf("object %s is not what it was: %d of %d bytes, %v", k.SHA256, n, k.Size, err))
		}
	}
	return findings, nil
}
