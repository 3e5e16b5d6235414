package storage

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

// ReplacedOverlap is how long the old secret of a system stays good when an import gives it another one.
const ReplacedOverlap = 7 * 24 * time.Hour

// SystemRow is one row of a file of systems that exist elsewhere and are to be known here with the secrets they have. What
// is empty (nil for Rate) stays as it is for a system that is here already; a new one gets its default.
type SystemRow struct {
	Row     int // its line in the file, for faults
	ID      string
	Secret  []byte // in clear
	Serves  []routing.Serving
	Name    string      // default: the id
	Kind    string      // default: lgsp with a subtree, else qlvb
	Way     routing.Way // default: pull
	Form    string      // default: new
	Webhook string
	Rate    *int // default: 0, the server's
}

// SystemImport says what an import did, or would do: nothing is applied when there is a conflict.
type SystemImport struct {
	Added     int                `json:"added"`
	Changed   int                `json:"changed"`
	Unchanged int                `json:"unchanged"`
	Conflicts []routing.RowFault `json:"conflicts"` // never repeats a secret
	Applied   bool               `json:"applied"`
}

// SystemImportMode is how far an import may go.
type SystemImportMode struct {
	Replace bool // may give systems that are here another secret, other codes and other settings
	DryRun  bool // writes nothing
}

// ImportSystems adds systems with the secrets they have, and changes those that are here where mode allows it: all rows
// in one commit, or none. The same rows again change nothing. Secrets are opened to be compared and written sealed.
func (s *Store) ImportSystems(ctx context.Context, key *KeyFile, rows []SystemRow, mode SystemImportMode, actor string, now time.Time) (SystemImport, error) {
	var result SystemImport
	err := s.tx(ctx, func(tx pgx.Tx) error {
		// Every change of a system takes this row, so nothing moves between what is read here and what is written.
		if _, err := tx.Exec(ctx, `SELECT number FROM version WHERE name = 'systems' FOR UPDATE`); err != nil {
			return fmt.Errorf("wait for other changes of systems: %w", err)
		}
		systems, err := readSystems(ctx, tx)
		if err != nil {
			return err
		}
		p := newSystemPlan(systems, key, mode.Replace)
		for _, row := range rows {
			if err := p.take(row); err != nil {
				return err
			}
		}
		p.checkCodes()
		result = p.result()
		if len(result.Conflicts) > 0 || mode.DryRun {
			return nil
		}
		result.Applied = true
		return p.write(ctx, tx, actor, now)
	})
	if err != nil {
		result.Applied = false
	}
	return result, err
}

// systemPlan is what an import is about to do.
type systemPlan struct {
	key       *KeyFile
	replace   bool
	here      map[string]System
	rowOf     map[string]int // row of each id of the file
	changes   []systemChange
	unchanged int
	conflicts []routing.RowFault
}

// systemChange is one row that writes something.
type systemChange struct {
	System
	row   int
	added bool
	what  []string // of a system that is here: the columns that change
}

func newSystemPlan(systems []System, key *KeyFile, replace bool) *systemPlan {
	p := &systemPlan{key: key, replace: replace, here: map[string]System{}, rowOf: map[string]int{}}
	for _, y := range systems {
		p.here[y.ID] = y
	}
	return p
}

func (p *systemPlan) conflict(row int, column, word, vi, en string, args ...any) {
	if len(p.conflicts) < routing.MaxFaults {
		p.conflicts = append(p.conflicts, routing.RowFault{Row: row, Column: column, Code: word,
			VI: fmt.Sprintf(vi, args...), EN: fmt.Sprintf(en, args...)})
	}
}

func (p *systemPlan) result() SystemImport {
	r := SystemImport{Unchanged: p.unchanged, Conflicts: []routing.RowFault{}}
	for _, c := range p.changes {
		if c.added {
			r.Added++
		} else {
			r.Changed++
		}
	}
	slices.SortStableFunc(p.conflicts, func(a, b routing.RowFault) int { return a.Row - b.Row })
	r.Conflicts = append(r.Conflicts, p.conflicts...)
	return r
}

// take judges one row against what is here.
func (p *systemPlan) take(r SystemRow) error {
	if first, ok := p.rowOf[r.ID]; ok {
		p.conflict(r.Row, "id", "duplicate_id", "Mã hệ thống đã có ở dòng %d", "The id is already in row %d", first)
		return nil
	}
	p.rowOf[r.ID] = r.Row
	old, ok := p.here[r.ID]
	next := r.over(old)
	if (next.Way == routing.Push) != (next.Webhook != "") {
		p.conflict(r.Row, "webhook", "webhook", "Địa chỉ webhook đi cùng cách push, và push phải có webhook",
			"A webhook goes with the way push, and push with a webhook")
		return nil
	}
	if !ok {
		next.Secret = p.key.Seal(r.Secret, SecretPurpose(r.ID))
		p.changes = append(p.changes, systemChange{System: next, row: r.Row, added: true})
		return nil
	}
	return p.meet(r, old, next)
}

// meet compares a row with the system of the same id.
func (p *systemPlan) meet(r SystemRow, old, next System) error {
	secret, err := p.key.Open(old.Secret, SecretPurpose(old.ID))
	if err != nil {
		return fmt.Errorf("open the secret of %s: %w", old.ID, err)
	}
	var differs []string
	if !bytes.Equal(secret, r.Secret) {
		next.Secret = p.key.Seal(r.Secret, SecretPurpose(r.ID))
		differs = append(differs, "secret")
	}
	if !sameServings(old.Serves, next.Serves) {
		differs = append(differs, "agencies")
	}
	for _, c := range []struct {
		column string
		other  bool
	}{{"name", old.Name != next.Name}, {"kind", old.Kind != next.Kind}, {"form", old.Form != next.Form}, {"rate", old.Rate != next.Rate},
		{"webhook", old.Webhook != next.Webhook}} {
		if c.other {
			differs = append(differs, c.column)
		}
	}
	switch {
	case !old.DisabledAt.IsZero():
		p.conflict(r.Row, "id", "disabled", "Hệ thống này đã có ở đây và đã bị khóa; tệp nhập không mở lại được",
			"This system is here and is disabled; an import does not enable it")
	case old.Way != next.Way: // what waits for it waits by its way
		p.conflict(r.Row, "way", "other_way", "Hệ thống này nhận theo cách %s; tệp nhập không đổi được",
			"This system gets its documents by %s; an import does not change that", old.Way)
	case len(differs) > 0 && !p.replace:
		for _, column := range differs {
			p.conflict(r.Row, column, "differs", "Hệ thống này đã có ở đây với giá trị khác; --replace để thay",
				"This system is here with another value; --replace puts this one in its place")
		}
	case len(differs) > 0:
		p.changes = append(p.changes, systemChange{System: next, row: r.Row, what: differs})
	default:
		p.unchanged++
	}
	return nil
}

// over gives the system that the row makes of the one that is here, or of none. The secret stays the old one.
func (r SystemRow) over(old System) System {
	kind := "qlvb"
	if slices.ContainsFunc(r.Serves, func(v routing.Serving) bool { return v.Subtree }) {
		kind = "lgsp"
	}
	next := old
	next.ID, next.Serves = r.ID, distinct(r.Serves)
	next.Name = cmp.Or(r.Name, old.Name, r.ID)
	next.Kind = cmp.Or(r.Kind, old.Kind, kind)
	next.Way = cmp.Or(r.Way, old.Way, routing.Pull)
	next.Form = cmp.Or(r.Form, old.Form, "new")
	next.Webhook = cmp.Or(r.Webhook, old.Webhook)
	if r.Rate != nil {
		next.Rate = *r.Rate
	}
	return next
}

// entry is what a system_agency row is about: it can be given once.
func entry(v routing.Serving) routing.Serving {
	return routing.Serving{Code: v.Code, Subtree: v.Subtree}
}

// distinct drops what is given more than once, which a code is that stands there in both its forms.
func distinct(list []routing.Serving) (out []routing.Serving) {
	for _, v := range list {
		if !slices.Contains(out, entry(v)) {
			out = append(out, entry(v))
		}
	}
	return out
}

// sameServings compares lists of which neither holds an entry twice.
func sameServings(a, b []routing.Serving) bool {
	has := map[routing.Serving]bool{}
	for _, v := range a {
		has[entry(v)] = true
	}
	return len(a) == len(b) && !slices.ContainsFunc(b, func(v routing.Serving) bool { return !has[entry(v)] })
}

// checkCodes looks at who would serve what in the end: an entry that two systems claim is a conflict. Systems that the
// plan changes give up what they served.
func (p *systemPlan) checkCodes() {
	changed := map[string]bool{}
	for _, c := range p.changes {
		changed[c.ID] = true
	}
	owner := map[routing.Serving]string{}
	for id, y := range p.here {
		for _, v := range y.Serves {
			if !changed[id] {
				owner[entry(v)] = id
			}
		}
	}
	for _, c := range p.changes {
		for _, v := range c.Serves {
			switch by, ok := owner[entry(v)]; {
			case ok && p.rowOf[by] > 0:
				p.conflict(c.row, "agencies", "served", "%s đã thuộc hệ thống ở dòng %d", "%s already belongs to the system of row %d", v, p.rowOf[by])
			case ok:
				p.conflict(c.row, "agencies", "served", "%s đã thuộc hệ thống %s", "%s is already served by the system %s", v, by)
			default:
				owner[entry(v)] = c.ID
			}
		}
	}
}

// write puts the plan into the database. Codes are all given up before any is taken, for they may change hands.
func (p *systemPlan) write(ctx context.Context, tx pgx.Tx, actor string, now time.Time) error {
	if len(p.changes) == 0 {
		return nil
	}
	if _, err := bump(ctx, tx, "systems"); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for _, c := range p.changes {
		if !c.added {
			batch.Queue(`DELETE FROM system_agency WHERE system_id = $1`, c.ID)
		}
	}
	for _, c := range p.changes {
		event := Event{At: now, Actor: actor, Action: "system.add", Object: c.ID, Detail: string(c.Way) + ", imported"}
		if c.added {
			batch.Queue(insertSystem, c.columns(now)...)
		} else {
			c.queue(batch, now)
			event.Action, event.Detail = "system.replace", strings.Join(c.what, ", ")
		}
		for _, v := range c.Serves {
			batch.Queue(insertServing, c.ID, v.Code, v.Subtree)
		}
		queueAudit(batch, event)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write systems: %w", err)
	}
	return nil
}

// queue changes a system that is here.
func (c systemChange) queue(batch *pgx.Batch, now time.Time) {
	if slices.Contains(c.what, "secret") {
		batch.Queue(rotateSecret, c.ID, c.Secret, now.Add(ReplacedOverlap).UTC())
	}
	batch.Queue(`UPDATE system SET name = $2, kind = $3, form = $4, webhook = $5, rate = $6 WHERE id = $1`,
		c.ID, c.Name, c.Kind, c.Form, c.Webhook, c.Rate)
}
