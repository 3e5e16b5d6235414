package storage

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/signing"
)

// ListKind says what revocation data are.
type ListKind string

// The kinds.
const (
	CRL  ListKind = "crl"
	OCSP ListKind = "ocsp"
)

// RevocationList is one piece of revocation data at hand, without its bytes.
type RevocationList struct {
	SHA256     string
	Kind       ListKind
	Scope      string // what follows what: lists of one scope replace each other
	Issuer     string
	Size       int64
	ThisUpdate time.Time
	NextUpdate time.Time // zero when it does not say
	AddedAt    time.Time
	AddedBy    string
}

// NewList is revocation data to install.
type NewList struct {
	RevocationList
	DER      []byte
	Replaces bool // its signature was checked: older ones of its scope are no longer needed
}

// ErrNoList says that bytes are no revocation data that Verify could use.
var ErrNoList = errors.New("neither a revocation list nor an OCSP response that can be used")

// ReadList reads what a CRL or an OCSP response says of itself. A CRL replaces older ones when one of signers signed it.
func ReadList(der []byte, signers []*x509.Certificate) (NewList, error) {
	l := NewList{DER: der, RevocationList: RevocationList{SHA256: Fingerprint(der), Size: int64(len(der))}}
	if info, ok := signing.ReadCRL(der); ok {
		l.Kind, l.ThisUpdate, l.NextUpdate, l.Scope, l.Issuer = CRL, info.ThisUpdate, info.NextUpdate, crlScope(info, der), nameText(info.Issuer)
		l.Replaces = slices.ContainsFunc(signers, info.SignedBy)
		return l, nil
	}
	info, ok := signing.ReadOCSP(der)
	if !ok || len(info.Answers) == 0 {
		return l, ErrNoList
	}
	l.Kind, l.Scope, l.ThisUpdate = OCSP, "sha256:"+l.SHA256, info.Answers[0].ThisUpdate
	for _, a := range info.Answers {
		if a.NextUpdate.After(l.NextUpdate) {
			l.NextUpdate = a.NextUpdate
		}
	}
	return l, nil
}

// nameText shows the DER of a distinguished name to people.
func nameText(der []byte) string {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &name); err != nil {
		return ""
	}
	return name.String()
}

// crlScope tells which lists follow each other: those of one issuer's name and key, of one distribution point, full ones
// and deltas apart (RFC 5280, 5.2).
func crlScope(info signing.CRLInfo, der []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %t", info.IssuerKey, info.Delta())
	if parsed, err := x509.ParseRevocationList(der); err == nil { // a list of version 1 has no extensions
		for _, e := range parsed.Extensions {
			if id := e.Id.String(); id == "2.5.29.28" || id == "2.5.29.35" { // issuingDistributionPoint, authorityKeyIdentifier
				fmt.Fprintf(h, " %s %x", id, e.Value)
			}
		}
	}
	return "crl:" + hex.EncodeToString(h.Sum(nil))
}

// AddRevocationList keeps a CRL or an OCSP response for verification. The same again changes nothing.
func (s *Store) AddRevocationList(ctx context.Context, der []byte, actor string, now time.Time) error {
	signers, err := s.Signers(ctx)
	if err != nil {
		return err
	}
	l, err := ReadList(der, signers)
	if err != nil {
		return fmt.Errorf("read the revocation list: %w", err)
	}
	l.AddedBy = actor
	return s.AddLists(ctx, []NewList{l}, now)
}

// Signers are the certificates within the trust store's reach that may sign lists: the installed ones, and those that
// issued a signer's certificate whose path led to an anchor.
func (s *Store) Signers(ctx context.Context) ([]*x509.Certificate, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT certificate FROM trust_anchor WHERE retired_at IS NULL UNION SELECT issuer FROM revocation_source`)
	if err != nil {
		return nil, unavailable(fmt.Errorf("read who may sign lists: %w", err))
	}
	var der []byte
	var list []*x509.Certificate
	_, err = pgx.ForEachRow(rows, []any{&der}, func() error {
		if c, err := signing.ParseCertificate(slices.Clone(der)); err == nil {
			list = append(list, c)
		}
		return nil
	})
	return list, unavailable(err)
}

// ScopeLists works out what older binaries did not: which lists follow each other.
func (s *Store) ScopeLists(ctx context.Context) error {
	rows, err := s.pool.Query(ctx, `SELECT sha256, list FROM revocation_list WHERE scope = ''`)
	if err != nil {
		return unavailable(fmt.Errorf("read lists without a scope: %w", err))
	}
	batch := &pgx.Batch{}
	var sum string
	var der []byte
	_, err = pgx.ForEachRow(rows, []any{&sum, &der}, func() error {
		l, err := ReadList(slices.Clone(der), nil)
		if err != nil {
			l.Scope = "sha256:" + sum // it proves nothing; only an administrator's eye may miss it
		}
		batch.Queue(`UPDATE revocation_list SET scope = $2, issuer = $3 WHERE sha256 = $1 AND scope = ''`, sum, l.Scope, l.Issuer)
		return nil
	})
	if err != nil || batch.Len() == 0 {
		return unavailable(err)
	}
	return unavailable(s.pool.SendBatch(ctx, batch).Close())
}

// AddLists installs revocation data in one commit, after their bytes are objects: evidence may name them for ever. What
// they replace goes from the table, never from the objects.
func (s *Store) AddLists(ctx context.Context, lists []NewList, now time.Time) error {
	for _, l := range lists {
		if _, err := s.keepBytes(ctx, l.DER, now); err != nil {
			return err
		}
	}
	lists = slices.SortedStableFunc(slices.Values(lists), func(x, y NewList) int { return x.ThisUpdate.Compare(y.ThisUpdate) }) // a newer one goes last
	return s.tx(ctx, func(tx pgx.Tx) error {
		news := false
		if _, err := bump(ctx, tx, "trust"); err != nil {
			return err
		}
		for _, l := range lists {
			cures, err := addList(ctx, tx, l, now)
			if err != nil {
				return err
			}
			news = news || cures
		}
		if !news {
			return nil
		}
		return hopeNow(ctx, tx, now)
	})
}

// addList returns whether there was no list in its place, or only one whose time was over: then documents wait for it.
func addList(ctx context.Context, tx pgx.Tx, l NewList, now time.Time) (cures bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT NOT EXISTS (SELECT 1 FROM revocation_list WHERE kind = $1 AND scope = $2 AND (next_update IS NULL OR next_update > $3))`,
		l.Kind, l.Scope, now.UTC()).Scan(&cures)
	if err != nil {
		return false, fmt.Errorf("look for the list before: %w", err)
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO revocation_list (sha256, kind, scope, issuer, list, this_update, next_update, added_at, added_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`, l.SHA256, l.Kind, l.Scope, l.Issuer, l.DER,
		l.ThisUpdate.UTC(), orNull(l.NextUpdate.UTC(), l.NextUpdate.IsZero()), now.UTC(), l.AddedBy)
	if err != nil {
		return false, fmt.Errorf("keep the revocation list: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return false, nil
	}
	if l.Replaces {
		_, err = tx.Exec(ctx, `
			DELETE FROM revocation_list AS r WHERE kind = $1 AND scope = $2 AND this_update < $3
			   AND EXISTS (SELECT 1 FROM object AS o WHERE o.sha256 = r.sha256)`, l.Kind, l.Scope, l.ThisUpdate.UTC())
		if err != nil {
			return false, fmt.Errorf("drop the lists before it: %w", err)
		}
	}
	return cures, audit(ctx, tx, Event{At: now, Actor: l.AddedBy, Action: "trust." + string(l.Kind), Object: l.SHA256, Detail: l.Issuer})
}

// Lists tells what revocation data are at hand.
func (s *Store) Lists(ctx context.Context) ([]RevocationList, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT sha256, kind, scope, issuer, length(list), this_update, next_update, added_at, added_by
		  FROM revocation_list ORDER BY kind, issuer, this_update, sha256`)
	if err != nil {
		return nil, unavailable(fmt.Errorf("list revocation lists: %w", err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (RevocationList, error) {
		var l RevocationList
		var next *time.Time
		err := row.Scan(&l.SHA256, &l.Kind, &l.Scope, &l.Issuer, &l.Size, &l.ThisUpdate, &next, &l.AddedAt, &l.AddedBy)
		l.NextUpdate = orZero(next)
		return l, err
	})
	return list, unavailable(err)
}

// forgetAfter is how long an OCSP response is at hand after its time: longer than a dispatch is judged again.
const forgetAfter = 40 * 24 * time.Hour

// ForgetOCSP takes responses whose time is long over out of the trust store; as evidence they stay. It returns how many.
func (s *Store) ForgetOCSP(ctx context.Context, now time.Time) (gone int, err error) {
	err = s.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			DELETE FROM revocation_list AS r WHERE kind = 'ocsp' AND coalesce(next_update, this_update) < $1
			   AND EXISTS (SELECT 1 FROM object AS o WHERE o.sha256 = r.sha256)`, now.Add(-forgetAfter).UTC())
		if err != nil {
			return fmt.Errorf("forget old OCSP responses: %w", err)
		}
		if gone = int(tag.RowsAffected()); gone == 0 {
			return nil
		}
		_, err = bump(ctx, tx, "trust")
		return err
	})
	return gone, err
}
