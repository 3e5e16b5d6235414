package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

// Saying is what a status packet says of a document, by the names that the packet gives.
type Saying struct {
	Sender     []routing.Code // whose document it is: the agencies that its code can mean
	Agency     []routing.Code // who got it, likewise
	DocumentID string
	Status     Status
	EventTime  time.Time
	Packet     []byte
}

// Spoken is a delivery that a status packet can be about. There can be several: a recall repeats its original's id, and an
// update may.
type Spoken struct {
	DeliveryID
	Kind       Kind
	Sender     routing.Code
	Agency     routing.Code
	State      State
	Withdrawn  Withdrawal
	AcceptedAt time.Time
	Said       []Status // so far, in the order of reception
	Same       bool     // the same is among them, or came by this packet
}

// maxSpoken is how many dispatches of one document id are looked at, the newest first.
const maxSpoken = 50

// Spoken lists what a status packet can be about, oldest first: deliveries of the dispatches with its document id, and
// for an answer (15, 16) also of the recalls and updates of those, for some systems answer by the original's id. documents
// says whether there is a dispatch of that id at all.
func (s *Store) Spoken(ctx context.Context, q Saying) (list []Spoken, documents bool, err error) {
	answer := q.Status == RecallAgreed || q.Status == RecallDeclined
	rows, err := s.pool.Query(ctx, `
		WITH called AS (
		    SELECT dispatch_id AS id FROM identity WHERE sender = ANY($1) AND document_id = $2 ORDER BY dispatch_id DESC LIMIT $7),
		about AS (
		    SELECT id FROM called
		    UNION
		    SELECT v.id FROM called CROSS JOIN LATERAL (
		        SELECT id FROM dispatch WHERE original = called.id AND id >= `+firstID("called.id")+` AND kind IN (1, 2) ORDER BY id DESC LIMIT $7) AS v
		     WHERE $8)
		SELECT about.id, coalesce(dl.n, 0), d.kind, d.sender, coalesce(dl.agency, ''), coalesce(dl.state, ''), coalesce(dl.withdrawn, ''), d.accepted_at,
		       ARRAY(SELECT status FROM receipt AS r WHERE r.dispatch_id = dl.dispatch_id AND r.n = dl.n ORDER BY k),
		       EXISTS (SELECT 1 FROM receipt AS r WHERE r.dispatch_id = dl.dispatch_id AND r.n = dl.n AND (r.status = $4 AND r.event_time = $5 OR length(r.packet) = length($6::bytea) AND r.packet = $6))
		  FROM about JOIN dispatch AS d ON d.id = about.id
		  LEFT JOIN LATERAL (
		      SELECT x.* FROM unnest($3::text[]) AS of (code) JOIN delivery AS x ON x.agency = of.code AND x.dispatch_id = about.id) AS dl ON true
		 ORDER BY d.accepted_at, d.kind, about.id, dl.n`,
		codeStrings(q.Sender), q.DocumentID, codeStrings(q.Agency), q.Status, q.EventTime.UTC(), q.Packet, maxSpoken, answer)
	if err != nil {
		return nil, false, unavailable(fmt.Errorf("look for document %s: %w", q.DocumentID, err))
	}
	var p Spoken
	_, err = pgx.ForEachRow(rows, []any{&p.Dispatch, &p.N, &p.Kind, &p.Sender, &p.Agency, &p.State, &p.Withdrawn, &p.AcceptedAt, &p.Said, &p.Same}, func() error {
		if documents = true; p.N > 0 {
			list = append(list, p)
		}
		p = Spoken{}
		return nil
	})
	return list, documents, unavailable(err)
}
