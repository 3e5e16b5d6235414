package storage

import (
	"context"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/truc-lienthong/truc/signing"
)

// Source is an address at which a certificate says that its revocation data are.
type Source struct {
	URL         string
	Host        string            // as AllowHost takes it; "" where it is of a scheme that is never asked
	Target      string            // fingerprint of the certificate asked about over OCSP; "" for a CRL
	Kind        ListKind          // what is to be had there
	Certificate *x509.Certificate // that is asked about over OCSP; nil for a CRL
	Issuer      *x509.Certificate // under which the answer must be signed
	SeenAt      time.Time
	Due         time.Time
	TriedAt     time.Time // zero: never
	FetchedAt   time.Time // when an answer came last, unchanged or not; zero: never
	Failures    int       // in a row
	Failure     string    // of the last try; "" when it was good
	ETag        string
	Modified    string // Last-Modified, as it came
}

// AddSources notes addresses: new ones are due at once, known ones stay as they are. It returns how many are new.
func (s *Store) AddSources(ctx context.Context, list []Source, now time.Time) (added int, err error) {
	batch := &pgx.Batch{}
	for _, x := range list {
		var certificate []byte
		if x.Certificate != nil {
			certificate = x.Certificate.Raw
		}
		batch.Queue(`
			INSERT INTO revocation_source (url, host, target, kind, certificate, issuer, seen_at, due) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
			ON CONFLICT DO NOTHING`, x.URL, x.Host, x.Target, x.Kind, certificate, x.Issuer.Raw, now.UTC()).Exec(
			func(tag pgconn.CommandTag) error {
				added += int(tag.RowsAffected())
				return nil
			})
	}
	if batch.Len() == 0 {
		return 0, nil
	}
	return added, unavailable(s.pool.SendBatch(ctx, batch).Close())
}

const sourceColumns = `url, host, target, kind, certificate, issuer, seen_at, due, tried_at, fetched_at, failures, failure, etag, modified`

func scanSource(row pgx.CollectableRow) (Source, error) {
	var x Source
	var certificate, issuer []byte
	var tried, fetched *time.Time
	err := row.Scan(&x.URL, &x.Host, &x.Target, &x.Kind, &certificate, &issuer, &x.SeenAt, &x.Due, &tried, &fetched, &x.Failures, &x.Failure, &x.ETag, &x.Modified)
	if err != nil {
		return x, err
	}
	x.TriedAt, x.FetchedAt = orZero(tried), orZero(fetched)
	if x.Issuer, err = signing.ParseCertificate(issuer); err != nil {
		return x, fmt.Errorf("read the issuer of %s: %w", x.URL, err)
	}
	if certificate != nil {
		x.Certificate, err = signing.ParseCertificate(certificate)
	}
	return x, err
}

// Sources lists the addresses.
func (s *Store) Sources(ctx context.Context) ([]Source, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+sourceColumns+` FROM revocation_source ORDER BY url, target`)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list sources: %w", err))
	}
	list, err := pgx.CollectRows(rows, scanSource)
	return list, unavailable(err)
}

// ClaimSources takes up to limit addresses that are due on a host of the list; all asks for those that are not due too. The
// lease is the due time: a node that dies lets them come due again.
func (s *Store) ClaimSources(ctx context.Context, hosts []string, all bool, now time.Time, lease time.Duration, limit int) ([]Source, error) {
	rows, err := s.pool.Query(ctx, `
		UPDATE revocation_source SET due = $3 WHERE (url, target) IN (
		    SELECT url, target FROM revocation_source
		     WHERE due <= CASE WHEN $4 THEN 'infinity'::timestamptz ELSE $2 END AND (tried_at IS NULL OR tried_at < $2)
		       AND host <> '' AND host = ANY($1)
		     ORDER BY due LIMIT $5 FOR UPDATE SKIP LOCKED)
		RETURNING `+sourceColumns, hosts, now.UTC(), now.Add(lease).UTC(), all, limit)
	if err != nil {
		return nil, unavailable(fmt.Errorf("claim sources: %w", err))
	}
	list, err := pgx.CollectRows(rows, scanSource)
	return list, unavailable(err)
}

// SourceTried notes what came of a claimed source.
func (s *Store) SourceTried(ctx context.Context, x Source) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE revocation_source SET due = $3, tried_at = $4, fetched_at = $5, failures = $6, failure = $7, etag = $8, modified = $9
		 WHERE url = $1 AND target = $2`, x.URL, x.Target, x.Due.UTC(), x.TriedAt.UTC(), orNull(x.FetchedAt.UTC(), x.FetchedAt.IsZero()),
		x.Failures, x.Failure, x.ETag, x.Modified)
	return unavailable(err)
}

// Answered ends a question over OCSP: its answer is at hand. When that is out of date, the next document asks anew.
func (s *Store) Answered(ctx context.Context, x Source) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM revocation_source WHERE url = $1 AND target = $2 AND kind = 'ocsp'`, x.URL, x.Target)
	return unavailable(err)
}

// ForgetSources drops the questions over OCSP of dispatches that nobody waits for any more. It returns how many.
func (s *Store) ForgetSources(ctx context.Context, before time.Time) (int, error) {
	tag, err := s.pool.Exec(ctx, `DELETE FROM revocation_source WHERE kind = 'ocsp' AND seen_at < $1`, before.UTC())
	return int(tag.RowsAffected()), unavailable(err)
}

// Host is one from which revocation data may be fetched: host, or host:port where the port is not the scheme's own.
type Host struct {
	Host    string
	AddedAt time.Time
	AddedBy string
}

// AllowHost lets revocation data be fetched from a host. The same again changes nothing.
func (s *Store) AllowHost(ctx context.Context, host, actor string, now time.Time) error {
	return s.changeHost(ctx, Event{At: now, Actor: actor, Action: "trust.host_add", Object: strings.ToLower(host)},
		`INSERT INTO trust_host (host, added_at, added_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, strings.ToLower(host), now.UTC(), actor)
}

// ForbidHost takes it back. ErrNotFound when it was not allowed.
func (s *Store) ForbidHost(ctx context.Context, host, actor string, now time.Time) error {
	return s.changeHost(ctx, Event{At: now, Actor: actor, Action: "trust.host_remove", Object: strings.ToLower(host)},
		`DELETE FROM trust_host WHERE host = $1`, strings.ToLower(host))
}

func (s *Store) changeHost(ctx context.Context, e Event, sql string, args ...any) error {
	return s.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sql, args...)
		if err != nil {
			return fmt.Errorf("change the hosts: %w", err)
		}
		if tag.RowsAffected() == 0 && e.Action == "trust.host_remove" {
			return fmt.Errorf("host %s is not allowed: %w", e.Object, ErrNotFound)
		}
		return audit(ctx, tx, e)
	})
}

// Hosts lists the hosts that may be asked.
func (s *Store) Hosts(ctx context.Context) ([]Host, error) {
	rows, err := s.pool.Query(ctx, `SELECT host, added_at, added_by FROM trust_host ORDER BY host`)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list hosts: %w", err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Host])
	return list, unavailable(err)
}
