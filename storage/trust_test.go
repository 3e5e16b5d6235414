package storage_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
	"github.com/truc-lienthong/truc/storage"
	"github.com/truc-lienthong/truc/storage/storagetest"
)

// TestAnchors: an anchor is managed data: installed, retired, installed again, each by somebody and at some time; its record
// gives back what once was trusted.
func TestAnchors(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a := newAxis(t)
	p, err := testpki.New(testpki.Options{Now: testNow})
	must(t, err)
	from, until := testNow.AddDate(-1, 0, 0), testNow.AddDate(1, 0, 0)
	root := storage.Anchor{Purpose: storage.ForSigning, Family: signing.FamilyOfficial, Certificate: p.Root.Certificate, From: from, Until: until, AddedBy: "an"}
	sum, err := a.AddAnchor(ctx, root, a.now)
	must(t, err)
	tsa := root
	tsa.Purpose, tsa.Family = storage.ForTimestamp, ""
	must(t, second(a.AddAnchor(ctx, tsa, a.now)))
	must(t, a.AddRevocationList(ctx, p.CRLs[0], "an", a.now))
	with, err := a.TrustInForce(ctx, nil, a.now)
	must(t, err)
	if len(with.Anchors) != 1 || len(with.TSAAnchors) != 1 || len(with.CRLs) != 1 || !with.Anchors[0].From.Equal(from) || !with.Anchors[0].Until.Equal(until) {
		t.Fatalf("%+v", with.Trust)
	}
	must(t, a.RetireAnchor(ctx, sum, storage.ForSigning, "bình", a.now.Add(time.Hour)))
	if err := a.RetireAnchor(ctx, sum, storage.ForSigning, "bình", a.now); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("retired twice: %v", err)
	}
	list, err := a.Anchors(ctx)
	must(t, err)
	i := slices.IndexFunc(list, func(x storage.Anchor) bool { return x.Purpose == storage.ForSigning })
	if list[i].RetiredBy != "bình" || !list[i].RetiredAt.Equal(a.now.Add(time.Hour)) {
		t.Errorf("%+v", list[i])
	}
	now, err := a.Trust(ctx)
	must(t, err)
	if len(now.Anchors) != 0 || len(now.TSAAnchors) != 1 {
		t.Errorf("in force: %+v", now)
	}
	then, err := a.TrustAt(ctx, with.Record)
	must(t, err)
	if len(then.Anchors) != 1 || !then.Anchors[0].Certificate.Equal(p.Root.Certificate) || !then.Anchors[0].From.Equal(from) || then.Anchors[0].Family != signing.FamilyOfficial || len(then.CRLs) != 1 {
		t.Errorf("of then: %+v", then)
	}
	must(t, second(a.AddAnchor(ctx, root, a.now.Add(2*time.Hour))))
	if again, err := a.TrustInForce(ctx, with, a.now); err != nil || again.Record != with.Record {
		t.Errorf("the same state has another record: %+v, %v", again.Record, err)
	}
}

// TestTrustRecordFirst: what evidence names is durable before it is in force: a store that fails, before or after it wrote,
// leaves the trust store as it was.
func TestTrustRecordFirst(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a := newAxis(t)
	p, err := testpki.New(testpki.Options{Now: testNow})
	must(t, err)
	for _, fail := range []func(storagetest.Op, int, error){a.objects.FailBefore, a.objects.FailAfter} {
		fail(storagetest.Put, 1, storage.ErrFull)
		if _, err := a.AddAnchor(ctx, storage.Anchor{Purpose: storage.ForSigning, Certificate: p.Root.Certificate, AddedBy: "an"}, a.now); err == nil {
			t.Error("installed though its bytes are not durable")
		}
		if list, err := a.Anchors(ctx); err != nil || len(list) != 0 {
			t.Errorf("%+v, %v", list, err)
		}
	}
}

// TestNewerListReplaces: only what a certificate of the trust store signed makes older lists go, and those of one issuer and
// point alone; as evidence they stay.
func TestNewerListReplaces(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a := newAxis(t)
	p, err := testpki.New(testpki.Options{Now: testNow})
	must(t, err)
	fake, err := testpki.New(testpki.Options{Now: testNow}) // the same names, other keys
	must(t, err)
	list := func(p *testpki.PKI, hours int) []byte {
		der, err := p.CRL(p.Root, testNow.Add(time.Duration(hours)*time.Hour), testNow.AddDate(0, 1, 0), nil)
		must(t, err)
		return der
	}
	must(t, second(a.AddAnchor(ctx, storage.Anchor{Purpose: storage.ForSigning, Certificate: p.Root.Certificate, AddedBy: "an"}, a.now)))
	add := func(der []byte, want int) {
		t.Helper()
		must(t, a.AddRevocationList(ctx, der, "an", a.now))
		lists, err := a.Lists(ctx)
		must(t, err)
		if len(lists) != want {
			t.Errorf("%d lists, want %d: %+v", len(lists), want, lists)
		}
	}
	first := list(p, 0)
	add(first, 1)
	add(list(fake, 5), 2)
	add(list(p, 1), 2)
	add(list(p, 2), 2)
	issuing, err := p.CRL(p.Issuing, testNow, testNow.AddDate(0, 1, 0), nil)
	must(t, err)
	add(issuing, 3)
	body, err := a.OpenObject(ctx, storage.Object{SHA256: storage.Fingerprint(first), Size: int64(len(first))}, 0, -1)
	must(t, err)
	must(t, body.Close())
}

// TestImported: OCSP responses are installed offline too, what is neither is refused, and what an older binary installed
// becomes evidence before it judges anything.
func TestImported(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a := newAxis(t)
	p, err := testpki.New(testpki.Options{Now: testNow})
	must(t, err)
	id, err := p.Agency("Sở Y tế", "H29.12")
	must(t, err)
	answer, err := ocsp.CreateResponse(p.Issuing.Certificate, p.Issuing.Certificate, ocsp.Response{Status: ocsp.Good,
		SerialNumber: id.Certificate.SerialNumber, ThisUpdate: testNow.Add(-time.Hour), NextUpdate: testNow.Add(time.Hour)}, p.Issuing.Key)
	must(t, err)
	must(t, a.AddRevocationList(ctx, answer, "an", a.now))
	if err := a.AddRevocationList(ctx, p.Root.Certificate.Raw, "an", a.now); !errors.Is(err, storage.ErrNoList) {
		t.Errorf("a certificate as a list: %v", err)
	}
	must(t, second(a.Pool().Exec(ctx, `INSERT INTO trust_anchor (fingerprint, purpose, test, certificate, added_at, added_by) VALUES ($1, 'signing', true, $2, now(), 'old')`,
		storage.Fingerprint(p.Root.Certificate.Raw), p.Root.Certificate.Raw)))
	must(t, second(a.Pool().Exec(ctx, `INSERT INTO revocation_list (sha256, list, this_update, added_at) VALUES ($1, $2, now(), now())`,
		storage.Fingerprint(p.CRLs[0]), p.CRLs[0])))
	now, err := a.TrustInForce(ctx, nil, a.now)
	must(t, err)
	must(t, a.ScopeLists(ctx))
	then, err := a.TrustAt(ctx, now.Record)
	must(t, err)
	if len(then.Anchors) != 1 || len(then.CRLs) != 1 || len(then.OCSP) != 1 {
		t.Errorf("%+v", then)
	}
	if n, err := a.ForgetOCSP(ctx, testNow.AddDate(0, 2, 0)); err != nil || n != 1 {
		t.Errorf("%d forgotten, %v", n, err)
	}
	if lists, err := a.Lists(ctx); err != nil || len(lists) != 1 || lists[0].Scope == "" || lists[0].Issuer == "" {
		t.Errorf("%+v, %v", lists, err)
	}
	again, err := a.TrustAt(ctx, now.Record)
	must(t, err)
	if len(again.OCSP) != 1 {
		t.Error("evidence went with what is no longer at hand")
	}
}
