package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

// ErrMoved says that the directory is no longer the one on which a change was judged: judge it again on the new one.
var ErrMoved = errors.New("the directory has moved on")

// errUnchanged rolls a registration back that would have changed nothing.
var errUnchanged = errors.New("nothing to change")

// Change is who changes an agency, when, and on what it was judged. It is made only while the directory still has that
// version, so that two hubs at once, or a hub and an import, cannot both be right about what they saw.
type Change struct {
	System    string // the hub
	IP        string
	At        time.Time
	Directory int64          // version
	Was       routing.Agency // as that version has it; no code: it is not there yet
}

func (c Change) event(action string, code routing.Code, detail string) Event {
	return Event{At: c.At, Actor: c.System, IP: c.IP, Action: action, Object: string(code), Detail: detail}
}

// Registration is what a hub says of an agency in its care.
type Registration struct {
	Change
	Agency           routing.Agency // Code, OldCode, Name and Parent count; an empty OldCode or Parent leaves what is there
	Mail, Phone, Fax *string        // nil leaves what is there
}

// RegisterAgency adds an agency, changes its name, parent, old code and contact, or opens it again. The state that it leaves
// is the one that Was has: not there; live or locked, which stay so; or closed by this same system's CloseAgency, for what
// an operator closed or gave a successor is not opened by a hub. changed is false when nothing was left to do, so repeating
// it is harmless; then there is no new version and no line in the audit. ErrMoved as Change says. ErrUnavailable also for
// a commit whose answer was lost: do the same again.
func (s *Store) RegisterAgency(ctx context.Context, r Registration) (changed bool, err error) {
	write, detail := updateAgency, r.told()
	switch {
	case r.Was.Code == "":
		write, detail = insertAgency, fmt.Sprintf("added: %s, under %s", r.Agency.Name, r.Agency.Parent)
	case r.Was.Status == routing.Closed:
		write, detail = reopenAgency, "opened again: "+r.Agency.Name
	}
	err = s.tx(ctx, func(tx pgx.Tx) error {
		version, err := bumpFrom(ctx, tx, r.Directory)
		if err != nil {
			return err
		}
		if err := write(ctx, tx, r, version); err != nil {
			return err
		}
		return audit(ctx, tx, r.event("agency.register", r.Agency.Code, detail))
	})
	if errors.Is(err, errUnchanged) {
		return false, nil
	}
	return err == nil, err
}

// told names what changes, for the audit; what a contact was stays out of it, which is kept longer than a contact may be.
func (r Registration) told() string {
	var list []string
	say := func(what, was, is string) {
		if is != "" && was != is {
			list = append(list, fmt.Sprintf("%s: %s → %s", what, was, is))
		}
	}
	say("name", r.Was.Name, r.Agency.Name)
	say("parent", string(r.Was.Parent), string(r.Agency.Parent))
	say("old code", string(r.Was.OldCode), string(r.Agency.OldCode))
	if len(list) == 0 {
		return "contact"
	}
	return strings.Join(list, "; ")
}

// bumpFrom raises the directory's version from the one that a change was judged on. Who comes second waits here for the
// first one's commit and then finds another number.
func bumpFrom(ctx context.Context, tx pgx.Tx, from int64) (int64, error) {
	var number int64
	err := tx.QueryRow(ctx, `
		UPDATE version SET number = number + 1 WHERE name = 'directory' AND number = $1 RETURNING number`, from).Scan(&number)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, ErrMoved
	}
	if err != nil {
		return 0, fmt.Errorf("raise the version of the directory: %w", err)
	}
	return number, nil
}

func insertAgency(ctx context.Context, tx pgx.Tx, r Registration, version int64) error {
	a := r.Agency
	tag, err := tx.Exec(ctx, `
		INSERT INTO agency (code, old_code, name, parent, status, valid_from, code_source, mail, phone, fax, version, modified_at)
		VALUES ($1, $2, $3, $4, 'live', $5, $6, coalesce($7, ''), coalesce($8, ''), coalesce($9, ''), $10, $11)
		ON CONFLICT (code) DO NOTHING`,
		a.Code, a.OldCode, a.Name, a.Parent, Day(r.At), "VXP registerAgency "+r.System, r.Mail, r.Phone, r.Fax, version, r.At.UTC())
	if err != nil {
		return fmt.Errorf("add agency %s: %w", a.Code, err)
	}
	return movedUnless(tag.RowsAffected() == 1)
}

func updateAgency(ctx context.Context, tx pgx.Tx, r Registration, version int64) error {
	a := r.Agency
	tag, err := tx.Exec(ctx, `
		UPDATE agency AS a SET name = new.name, old_code = new.old_code, parent = new.parent, mail = new.mail, phone = new.phone,
		       fax = new.fax, version = $9, modified_at = $10
		  FROM (SELECT code, $3::text AS name, coalesce(nullif($4::text, ''), old_code) AS old_code, coalesce(nullif($5::text, ''), parent) AS parent,
		               coalesce($6, mail) AS mail, coalesce($7, phone) AS phone, coalesce($8, fax) AS fax FROM agency WHERE code = $1) AS new
		 WHERE a.code = new.code AND a.status = $2
		   AND (a.name, a.old_code, a.parent, a.mail, a.phone, a.fax) IS DISTINCT FROM
		       (new.name, new.old_code, new.parent, new.mail, new.phone, new.fax)`,
		a.Code, r.Was.Status, a.Name, a.OldCode, a.Parent, r.Mail, r.Phone, r.Fax, version, r.At.UTC())
	if err != nil {
		return fmt.Errorf("change agency %s: %w", a.Code, err)
	}
	if tag.RowsAffected() == 0 {
		return errUnchanged // the version says that the row is as Was has it
	}
	return nil
}

// ClosedBy is the decision of an agency that a hub closed: what says later that the hub may open it again. An import that
// gives the row another decision takes that away.
func ClosedBy(system string) string { return "VXP deleteAgency " + system }

// closedLocked is the same for one that was locked: whoever locked it must open it.
func closedLocked(system string) string { return "VXP deleteAgency (locked) " + system }

func reopenAgency(ctx context.Context, tx pgx.Tx, r Registration, version int64) error {
	a := r.Agency
	tag, err := tx.Exec(ctx, `
		UPDATE agency SET status = 'live', valid_to = NULL, decision = '', name = $3, old_code = coalesce(nullif($4, ''), old_code),
		       parent = coalesce(nullif($5, ''), parent), mail = coalesce($6, mail), phone = coalesce($7, phone), fax = coalesce($8, fax),
		       version = $9, modified_at = $10
		 WHERE code = $1 AND status = 'closed' AND decision = $2 AND successors = '{}'`,
		a.Code, ClosedBy(r.System), a.Name, a.OldCode, a.Parent, r.Mail, r.Phone, r.Fax, version, r.At.UTC())
	if err != nil {
		return fmt.Errorf("open agency %s again: %w", a.Code, err)
	}
	return movedUnless(tag.RowsAffected() == 1)
}

// CloseAgency closes an agency that is as Was has it, live or locked, from today (Vietnam) on; nothing is deleted, and what
// waits for it stays where it is. One that was opened today is closed from tomorrow, for a code that held for no day at all
// is a contradiction. ErrMoved as Change says; ErrUnavailable also for a commit whose answer was lost: do the same again.
func (s *Store) CloseAgency(ctx context.Context, c Change) error {
	return s.tx(ctx, func(tx pgx.Tx) error {
		version, err := bumpFrom(ctx, tx, c.Directory)
		if err != nil {
			return err
		}
		decision := ClosedBy(c.System)
		if c.Was.Status == routing.Locked {
			decision = closedLocked(c.System)
		}
		tag, err := tx.Exec(ctx, `
			UPDATE agency SET status = 'closed', valid_to = greatest($3::date, valid_from + 1), decision = $4, version = $5, modified_at = $6
			 WHERE code = $1 AND status = $2 AND status <> 'closed'`,
			c.Was.Code, c.Was.Status, Day(c.At), decision, version, c.At.UTC())
		if err != nil {
			return fmt.Errorf("close agency %s: %w", c.Was.Code, err)
		}
		if err := movedUnless(tag.RowsAffected() == 1); err != nil {
			return err
		}
		return audit(ctx, tx, c.event("agency.close", c.Was.Code, strings.TrimSuffix(c.Was.Name+"; "+c.Was.Decision, "; ")))
	})
}

// movedUnless: a row that is not in the state that the version promised was changed behind the version's back.
func movedUnless(done bool) error {
	if !done {
		return ErrMoved
	}
	return nil
}
