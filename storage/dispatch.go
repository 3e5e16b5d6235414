package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing"
)

// Kind is the business type of a dispatch (QCVN 102:2016/BTTTT, BussinessDocType).
type Kind int16

// The four business types: văn bản mới, thu hồi, cập nhật, thay thế.
const (
	New Kind = iota
	Recall
	Update
	Replace
)

var kindWords = [...]string{"new", "recall", "update", "replace"}

// String returns the word of the native API.
func (k Kind) String() string {
	if k < New || k > Replace {
		return fmt.Sprintf("kind(%d)", int16(k))
	}
	return kindWords[k]
}

// ParseKind reads the word of the native API; "" is New.
func ParseKind(word string) (Kind, bool) {
	if word == "" {
		return New, true
	}
	for i, w := range kindWords {
		if w == word {
			return Kind(i), true
		}
	}
	return 0, false
}

// Dispatch is what one agency submitted, without its deliveries.
type Dispatch struct {
	ID          uuid.UUID
	System      string       // who handed it in
	Sender      routing.Code // the agency whose document it is
	DocumentID  string       // the sender's own id, opaque
	Kind        Kind
	Original    uuid.UUID // of a recall, update or replacement; zero otherwise
	Number      string    // số
	Notation    string    // ký hiệu
	Promulgated time.Time // date at 00:00 UTC; zero when not given
	TypeName    string    // tên loại
	Subject     string    // trích yếu
	Urgency     routing.Urgency
	Form        string          // "native" or "edxml": how to read FirstPart
	FirstPart   []byte          // the exact bytes of the metadata as they came
	Signature   []byte          // detached PKCS#7 over FirstPart; nil when none came
	Verdict     signing.Verdict // the worst among the signed files
	Report      signing.Report
	Evidence    Evidence        // what the verdict leaned on
	Judged      int             // the number of the judging in force, from 1
	Warnings    json.RawMessage // what was strange but accepted: a JSON array
	HeldFor     string          // why it was held at the door; empty when it was not
	HeldBy      string          // who decides about it
	Directory   int64           // the directory's version at acceptance
	AcceptedAt  time.Time
	Attachments []Attachment
	Package     Object // the edXML package; zero until it was made
	Proof       Object // the axis's proof; zero until it was made
}

// Attachment is a file that travels with a dispatch.
type Attachment struct {
	N         int // from 1
	Name      string
	MediaType string
	Object
	Verdict signing.Verdict
}

// The columns of a dispatch, in the order of scanDispatch: those that are small, and its bulk, or nothing in place of that.
const (
	dispatchColumns = `id, system_id, sender, document_id, kind, coalesce(original, '00000000-0000-0000-0000-000000000000'),
	number, notation, coalesce(promulgated, '0001-01-01'), type_name, subject, urgency, form,
	verdict, coalesce(held_for, ''), coalesce(held_by, ''), directory, accepted_at,
	coalesce(package_sha256, ''), coalesce(package_size, 0), coalesce(proof_sha256, ''), coalesce(proof_size, 0), verification, `
	dispatchBulk   = `first_part, signature, report, warnings, coalesce(evidence, '{}')`
	dispatchNoBulk = `''::bytea, NULL::bytea, '{}'::jsonb, '[]'::jsonb, '{}'::jsonb`
)

func scanDispatch(row pgx.Row) (Dispatch, error) {
	var d Dispatch
	var report, evidence []byte
	err := row.Scan(&d.ID, &d.System, &d.Sender, &d.DocumentID, &d.Kind, &d.Original,
		&d.Number, &d.Notation, &d.Promulgated, &d.TypeName, &d.Subject, &d.Urgency, &d.Form,
		&d.Verdict, &d.HeldFor, &d.HeldBy, &d.Directory, &d.AcceptedAt,
		&d.Package.SHA256, &d.Package.Size, &d.Proof.SHA256, &d.Proof.Size, &d.Judged,
		&d.FirstPart, &d.Signature, &report, &d.Warnings, &evidence)
	if errors.Is(err, pgx.ErrNoRows) {
		return d, ErrNotFound
	}
	if err != nil {
		return d, unavailable(fmt.Errorf("read dispatch: %w", err))
	}
	if d.Promulgated.Year() == 1 {
		d.Promulgated = time.Time{}
	}
	if err := errors.Join(json.Unmarshal(report, &d.Report), json.Unmarshal(evidence, &d.Evidence)); err != nil {
		return d, fmt.Errorf("read the report of dispatch %s: %w", d.ID, err)
	}
	return d, nil
}

// Dispatch returns one dispatch with its attachments, or ErrNotFound.
func (s *Store) Dispatch(ctx context.Context, id uuid.UUID) (Dispatch, error) {
	return s.dispatch(ctx, id, dispatchBulk)
}

// DispatchHead is Dispatch without first part, signature, report and warnings. The first part names every recipient (some
// 300 kB for thirty thousand), and each recipient's system asks for its package, its files and its receipts: what answers
// those must not read it every time.
func (s *Store) DispatchHead(ctx context.Context, id uuid.UUID) (Dispatch, error) {
	return s.dispatch(ctx, id, dispatchNoBulk)
}

func (s *Store) dispatch(ctx context.Context, id uuid.UUID, bulk string) (Dispatch, error) {
	d, err := scanDispatch(s.pool.QueryRow(ctx, `SELECT `+dispatchColumns+bulk+` FROM dispatch WHERE id = $1`, id))
	if err != nil {
		return d, err
	}
	d.Attachments, err = s.attachments(ctx, id)
	return d, err
}

func (s *Store) attachments(ctx context.Context, id uuid.UUID) ([]Attachment, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT n, name, media_type, sha256, size, verdict FROM attachment WHERE dispatch_id = $1 ORDER BY n`, id)
	if err != nil {
		return nil, unavailable(fmt.Errorf("read attachments of %s: %w", id, err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Attachment, error) {
		var a Attachment
		err := row.Scan(&a.N, &a.Name, &a.MediaType, &a.SHA256, &a.Size, &a.Verdict)
		return a, err
	})
	return list, unavailable(err)
}

// DispatchFilter chooses sent dispatches. Senders must not be empty; the list is newest first.
type DispatchFilter struct {
	Senders    []routing.Code
	DocumentID string
	From, To   time.Time // of acceptance, From inclusive, To exclusive; From bounds the months that are read
	Before     uuid.UUID // the last id of the page before; zero for the first page
	Limit      int       // at most 500
}

// DispatchLine is a dispatch as a list shows it.
type DispatchLine struct {
	ID          uuid.UUID
	Sender      routing.Code
	DocumentID  string
	Kind        Kind
	Number      string
	Notation    string
	Promulgated time.Time
	TypeName    string
	Subject     string
	Urgency     routing.Urgency
	Verdict     signing.Verdict
	HeldFor     string
	AcceptedAt  time.Time
	States      map[State]int // deliveries by state
}

// Sent lists what agencies sent, newest first.
func (s *Store) Sent(ctx context.Context, f DispatchFilter) ([]DispatchLine, error) {
	before := f.Before
	if before == (uuid.UUID{}) {
		before = uuid.Max
	}
	if !f.To.IsZero() {
		if end := FirstID(f.To); compareIDs(end, before) < 0 {
			before = end
		}
	}
	args := []any{codeStrings(f.Senders), FirstID(f.From), before, pageSize(f.Limit)}
	condition := ``
	if f.DocumentID != "" {
		condition = ` AND d.id IN (SELECT dispatch_id FROM identity WHERE sender = d.sender AND document_id = $5)`
		args = append(args, f.DocumentID)
	}
	rows, err := s.pool.Query(ctx, `
		WITH page AS (`+eachOf(len(f.Senders), `$1`, `d.sender`, `
		    SELECT `+dispatchLine+` FROM dispatch AS d WHERE d.id >= $2 AND d.id < $3`+condition, `id DESC`, `$4`)+`)
		SELECT page.*, `+statesOf+` FROM page ORDER BY id DESC`, args...)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list dispatches: %w", err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (DispatchLine, error) {
		var l DispatchLine
		err := row.Scan(append(l.targets(), &l.States)...)
		return l.undated(), err
	})
	return list, unavailable(err)
}

// dispatchLine are the columns of dispatch d that DispatchLine.targets takes; statesOf counts what became of a page's line.
const dispatchLine = `d.id, d.sender, d.document_id, d.kind, d.number, d.notation, coalesce(d.promulgated, '0001-01-01') AS promulgated,
	d.type_name, d.subject, d.urgency, d.verdict, coalesce(d.held_for, '') AS held_for, d.accepted_at`

const statesOf = `
	(SELECT coalesce(json_object_agg(state, count), '{}')
	   FROM (SELECT state, count(*) FROM delivery WHERE dispatch_id = page.id AND dispatch_id >= $2 GROUP BY state) AS by_state)`

func (l *DispatchLine) targets() []any {
	return []any{&l.ID, &l.Sender, &l.DocumentID, &l.Kind, &l.Number, &l.Notation, &l.Promulgated,
		&l.TypeName, &l.Subject, &l.Urgency, &l.Verdict, &l.HeldFor, &l.AcceptedAt}
}

// undated takes the database's "no day" off.
func (l DispatchLine) undated() DispatchLine {
	if l.Promulgated.Year() == 1 {
		l.Promulgated = time.Time{}
	}
	return l
}

// fewCodes is up to how many codes a list asks the index for each code's newest lines; above, their share of all
// traffic decides how PostgreSQL reads.
const fewCodes = 100

// eachOf makes of a list's statement the one for n codes that stand in an array argument: for each of them its newest
// lines by the index of that column and the order, and of those the newest. Asked for all codes at once, PostgreSQL
// reads and sorts all that they ever had, or walks through everybody's lines until it has found enough of theirs.
func eachOf(n int, codes, column, sql, order, limit string) string {
	tail := ` ORDER BY ` + order + ` LIMIT ` + limit
	if n > fewCodes {
		return sql + ` AND ` + column + ` = ANY(` + codes + `)` + tail
	}
	return `
		SELECT own.* FROM (SELECT DISTINCT unnest(` + codes + `::text[]) AS code) AS of CROSS JOIN LATERAL (` +
		sql + ` AND ` + column + ` = of.code` + tail + `) AS own` + tail
}

func codeStrings(codes []routing.Code) []string {
	list := make([]string, len(codes))
	for i, c := range codes {
		list[i] = string(c)
	}
	return list
}

func compareIDs(a, b uuid.UUID) int {
	for i := range a {
		if a[i] != b[i] {
			return int(a[i]) - int(b[i])
		}
	}
	return 0
}

func pageSize(limit int) int {
	if limit <= 0 {
		return 50
	}
	return min(limit, 1000)
}
