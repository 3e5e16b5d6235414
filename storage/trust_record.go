package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/signing"
)

// TrustRecord lists a whole trust store by hash. Kept as an object, it lets every report made with that store be made
// again, after anchors were retired and lists replaced (R77): one small object for each state of the store, however many
// documents were judged with it.
type TrustRecord struct {
	Certificates []TrustedItem  `json:"certificates"`
	CRLs         []EvidenceItem `json:"crls"`
	OCSP         []EvidenceItem `json:"ocsp"`
}

// TrustedItem is an installed certificate.
type TrustedItem struct {
	EvidenceItem
	Purpose Purpose        `json:"purpose"`
	Family  signing.Family `json:"family,omitempty"`
	Test    bool           `json:"test,omitempty"`
	From    time.Time      `json:"from,omitzero"`
	Until   time.Time      `json:"until,omitzero"`
}

// TrustInForce is the trust store of one moment, with the record that it can be had back by.
type TrustInForce struct {
	*signing.Trust
	Record EvidenceItem
	items  map[string]EvidenceItem // by hash
	known  map[*byte]EvidenceItem  // the bytes given to Trust, so that a list of 50 MB is not hashed with each document
	lists  map[string][]byte       // by hash
}

// Item names bytes that a verdict leaned on.
func (t *TrustInForce) Item(b []byte) EvidenceItem {
	if len(b) == 0 {
		return EvidenceItem{}
	}
	if item, ok := t.known[&b[0]]; ok && item.Size == int64(len(b)) {
		return item
	}
	sum := Fingerprint(b)
	if item, ok := t.items[sum]; ok {
		return item
	}
	return EvidenceItem{SHA256: sum, Size: int64(len(b))}
}

// Trust builds what verification uses: the installed certificates and the revocation data at hand.
func (s *Store) Trust(ctx context.Context) (*signing.Trust, error) {
	t, _, err := s.loadTrust(ctx, nil)
	if err != nil {
		return nil, err
	}
	return t.Trust, nil
}

// TrustInForce is Trust with its record, which is durable, as all that it names, when this returns. Lists that last holds
// are not read again.
func (s *Store) TrustInForce(ctx context.Context, last *TrustInForce, now time.Time) (*TrustInForce, error) {
	t, record, err := s.loadTrust(ctx, last)
	if err != nil || s.Objects == nil {
		return t, err
	}
	if err := s.keepAll(ctx, t, now); err != nil {
		return nil, err
	}
	text, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("write the record of the trust store: %w", err)
	}
	t.Record, err = s.keepBytes(ctx, text, now)
	return t, err
}

func (s *Store) loadTrust(ctx context.Context, last *TrustInForce) (*TrustInForce, TrustRecord, error) {
	t := &TrustInForce{Trust: &signing.Trust{}, items: map[string]EvidenceItem{}, known: map[*byte]EvidenceItem{}, lists: map[string][]byte{}}
	record := TrustRecord{Certificates: []TrustedItem{}, CRLs: []EvidenceItem{}, OCSP: []EvidenceItem{}}
	anchors, err := s.Anchors(ctx)
	if err != nil {
		return nil, record, err
	}
	for _, a := range anchors {
		if !a.RetiredAt.IsZero() {
			continue
		}
		item := TrustedItem{t.note(a.Fingerprint, a.Certificate.Raw), a.Purpose, a.Family, a.Test, a.From.UTC(), a.Until.UTC()}
		record.Certificates = append(record.Certificates, item)
		if err := item.install(t.Trust, a.Certificate.Raw); err != nil {
			return nil, record, err
		}
	}
	slices.SortFunc(record.Certificates, func(x, y TrustedItem) int {
		return strings.Compare(string(x.Purpose)+x.SHA256, string(y.Purpose)+y.SHA256)
	})
	if err := s.loadLists(ctx, t, &record, last); err != nil {
		return nil, record, err
	}
	return t, record, nil
}

func (t *TrustInForce) note(sum string, b []byte) EvidenceItem {
	item := EvidenceItem{SHA256: sum, Size: int64(len(b)), Kept: true}
	t.items[sum], t.known[&b[0]] = item, item
	return item
}

// install puts a certificate where its purpose says.
func (i TrustedItem) install(t *signing.Trust, der []byte) error {
	x, err := signing.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("read the installed certificate %s: %w", i.SHA256, err)
	}
	anchor := signing.Anchor{Certificate: x, Family: i.Family, Test: i.Test, From: i.From, Until: i.Until}
	switch i.Purpose {
	case ForSigning:
		t.Anchors = append(t.Anchors, anchor)
	case ForTimestamp:
		t.TSAAnchors = append(t.TSAAnchors, anchor)
	default:
		t.Intermediates = append(t.Intermediates, x)
	}
	return nil
}

// loadLists reads the lists in an order that depends on nothing but them.
func (s *Store) loadLists(ctx context.Context, t *TrustInForce, record *TrustRecord, last *TrustInForce) error {
	var have []string
	if last != nil {
		for sum := range last.lists {
			have = append(have, sum)
		}
	}
	rows, err := s.pool.Query(ctx, `
		SELECT sha256, kind, CASE WHEN sha256 = ANY($1) THEN NULL ELSE list END FROM revocation_list ORDER BY this_update, sha256`, have)
	if err != nil {
		return unavailable(fmt.Errorf("read revocation lists: %w", err))
	}
	var sum, kind string
	var list []byte
	_, err = pgx.ForEachRow(rows, []any{&sum, &kind, &list}, func() error {
		der := bytes.Clone(list)
		if list == nil {
			der = last.lists[sum]
		}
		if len(der) == 0 {
			return nil
		}
		t.lists[sum] = der
		item := t.note(sum, der)
		if kind == "ocsp" {
			t.OCSP, record.OCSP = append(t.OCSP, der), append(record.OCSP, item)
		} else {
			t.CRLs, record.CRLs = append(t.CRLs, der), append(record.CRLs, item)
		}
		return nil
	})
	return unavailable(err)
}

// TrustAt gives the trust store back that a record names: with a dispatch's own files and the rest of its Evidence, all
// that its report was made of.
func (s *Store) TrustAt(ctx context.Context, record EvidenceItem) (*signing.Trust, error) {
	text, err := s.readObject(ctx, record.Object())
	if err != nil {
		return nil, err
	}
	var r TrustRecord
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("read the record %s of the trust store: %w", record.SHA256, err)
	}
	t := &signing.Trust{}
	for _, c := range r.Certificates {
		der, err := s.readObject(ctx, c.Object())
		if err != nil {
			return nil, err
		}
		if err := c.install(t, der); err != nil {
			return nil, err
		}
	}
	if t.CRLs, err = s.readObjects(ctx, r.CRLs); err != nil {
		return nil, err
	}
	t.OCSP, err = s.readObjects(ctx, r.OCSP)
	return t, err
}

func (s *Store) readObjects(ctx context.Context, items []EvidenceItem) ([][]byte, error) {
	var list [][]byte
	for _, item := range items {
		b, err := s.readObject(ctx, item.Object())
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, nil
}

// readObject reads an object of bounded size whole: evidence, never a document.
func (s *Store) readObject(ctx context.Context, o Object) ([]byte, error) {
	body, err := s.OpenObject(ctx, o, 0, -1)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(body)
	_ = body.Close() // read to its end
	if err != nil {
		return nil, fmt.Errorf("%w: read object %s: %w", ErrUnavailable, o.SHA256, err)
	}
	if Fingerprint(b) != o.SHA256 {
		return nil, fmt.Errorf("object %s is not what it was", o.SHA256)
	}
	return b, nil
}

// keepAll makes objects of what was installed by a binary that did not, yet.
func (s *Store) keepAll(ctx context.Context, t *TrustInForce, now time.Time) error {
	sums, sizes := make([]string, 0, len(t.items)), make([]int64, 0, len(t.items))
	for sum, item := range t.items {
		sums, sizes = append(sums, sum), append(sizes, item.Size)
	}
	rows, err := s.pool.Query(ctx, `
		SELECT x.sha256 FROM unnest($1::text[], $2::bigint[]) AS x (sha256, size)
		 WHERE NOT EXISTS (SELECT 1 FROM object AS o WHERE o.sha256 = x.sha256 AND o.size = x.size)`, sums, sizes)
	if err != nil {
		return unavailable(fmt.Errorf("look for evidence that is not kept: %w", err))
	}
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return unavailable(err)
	}
	if len(missing) == 0 {
		return nil
	}
	bytesOf := map[string][]byte{}
	for _, x := range t.Intermediates {
		bytesOf[Fingerprint(x.Raw)] = x.Raw
	}
	for _, a := range slices.Concat(t.Anchors, t.TSAAnchors) {
		bytesOf[Fingerprint(a.Certificate.Raw)] = a.Certificate.Raw
	}
	for _, sum := range missing {
		b := bytesOf[sum]
		if b == nil {
			b = t.lists[sum]
		}
		if _, err := s.keepBytes(ctx, b, now); err != nil {
			return err
		}
	}
	return nil
}

// keepBytes makes an object of evidence, unless it is one already. A crash between the two writes leaves an unused upload.
func (s *Store) keepBytes(ctx context.Context, b []byte, now time.Time) (EvidenceItem, error) {
	item := EvidenceItem{SHA256: Fingerprint(b), Size: int64(len(b)), Kept: true}
	if s.Objects == nil {
		return item, nil
	}
	var known bool
	err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM object WHERE sha256 = $1 AND size = $2)`, item.SHA256, item.Size).Scan(&known)
	if err != nil || known {
		return item, unavailable(err)
	}
	key := NewKey(now)
	if _, err := s.Objects.Put(ctx, key, bytes.NewReader(b), false); err != nil {
		return item, fmt.Errorf("%w: keep evidence: %w", ErrUnavailable, err)
	}
	var counts string
	if err := s.pool.QueryRow(ctx, keepObject, item.SHA256, item.Size, key, now.UTC()).Scan(&counts); err != nil {
		return item, unavailable(fmt.Errorf("keep evidence: %w", err)) // whether it counts is unknown: the sweep finds out
	}
	if counts != key {
		s.discard(context.WithoutCancel(ctx), []string{key})
	}
	return item, nil
}
