package storage

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// recall is the taking back of what the recipients' systems have not been told of yet, be it pending or held: there it
// is a cancellation with no message (R22), so the recall's own delivery ends with it, where no version has been told of.
type recall struct {
	versions []uuid.UUID // whose deliveries are taken back: the original and its new versions
	id       uuid.UUID   // the recall's own dispatch
	agencies []string    // at which recipients
	at       time.Time
}

// recall returns what a is to take back, if it is a recall of something that the axis knows.
func (a *Acceptance) recall(id uuid.UUID, list []NewDelivery, held string) []recall {
	if a.Kind != Recall || a.Original == (uuid.UUID{}) || held != "" { // one that is held takes nothing back before a person lets it go on
		return nil
	}
	agencies := make([]string, len(list))
	for i, d := range list {
		agencies[i] = string(d.Agency)
	}
	return []recall{{versions: append([]uuid.UUID{a.Original}, a.Versions...), id: id, agencies: agencies, at: a.AcceptedAt}}
}

// lockRecalled adds the statements that lock all that recalls would take back, in the order of ids.
func lockRecalled(batch *pgx.Batch, recalls []recall) {
	agencies := map[uuid.UUID][]string{}
	for _, r := range recalls {
		for _, version := range r.versions {
			agencies[version] = append(agencies[version], r.agencies...)
		}
	}
	for _, version := range slices.SortedFunc(maps.Keys(agencies), compareIDs) {
		batch.Queue(`
			SELECT 1 FROM delivery WHERE dispatch_id = $1 AND agency = ANY($2) AND state IN ('pending', 'held') AND told_at IS NULL
			 ORDER BY n FOR UPDATE`, version, agencies[version])
	}
}

// queue adds the statements that take back what lockRecalled locked. They are several, for a row that a courier changes
// meanwhile is looked at once more, and PostgreSQL cannot do that in a statement that draws on another one's changes.
func (r recall) queue(batch *pgx.Batch) {
	for _, version := range r.versions {
		batch.Queue(`
			UPDATE delivery SET state = 'recalled', state_at = $3, reason = 'recalled_unfetched', owner = '', deadline = NULL
			 WHERE dispatch_id = $1 AND agency = ANY($2) AND state IN ('pending', 'held') AND told_at IS NULL`,
			version, r.agencies, r.at.UTC())
	}
	// "IS TRUE" lets PostgreSQL hash what it looks in, whatever it expects of its size; a join it may make in a loop.
	batch.Queue(`
		UPDATE delivery SET state = 'recalled', state_at = $4, reason = 'recalled_unfetched'
		 WHERE dispatch_id = $2 AND agency = ANY($3) AND state = 'pending'
		   AND (agency IN (SELECT agency FROM delivery WHERE dispatch_id = ANY($1) GROUP BY agency HAVING bool_and(state = 'recalled'))) IS TRUE`,
		r.versions, r.id, r.agencies, r.at.UTC())
	batch.Queue(`
		DELETE FROM queue AS q WHERE q.dispatch_id = ANY($1) AND q.kind = 'd'
		   AND EXISTS (SELECT 1 FROM delivery AS d WHERE d.dispatch_id = q.dispatch_id AND d.n = q.n AND d.state = 'recalled')`,
		append(slices.Clone(r.versions), r.id))
}

// versionsBefore is a subquery: the new versions (updates) of dispatch d's original that were accepted before d.
var versionsBefore = `ARRAY(
	SELECT v.id FROM dispatch AS v WHERE v.original = d.original AND v.kind = 2 AND v.id >= ` + firstID("d.original") + `
	   AND (v.accepted_at < d.accepted_at OR v.accepted_at = d.accepted_at AND (d.kind = 1 AND v.id <> d.id OR v.id < d.id)))`
