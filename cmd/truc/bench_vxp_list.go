package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// list measures the received list of a hub for which very much waits. What a list gives, its first items, are packets that
// went in by sendEdoc, each a dispatch of its own; behind them stand mailings to all of the hub's agencies.
func (b *benchVXP) list(ctx context.Context, site *benchSite) (benchCase, error) {
	one := benchCase{Name: fmt.Sprintf("getReceivedEdocList of %d with %d waiting, p95", vxpListed, b.Waiting), Unit: "ms", Goal: vxpListGoal}
	if err := b.fill(ctx, site); err != nil {
		return one, err
	}
	hub := newVXPSystem(site, vxpHub)
	via := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer via.CloseIdleConnections()
	took := make([]time.Duration, vxpLists)
	for i := range took {
		began := time.Now()
		waiting, err := hub.list(ctx, via)
		took[i] = time.Since(began)
		if err != nil {
			return one, err
		}
		if len(waiting) != vxpListed {
			return one, answer{exitNo, fmt.Sprintf("a list has %d items", len(waiting))}
		}
	}
	one.Value = percentile(took, 95)
	one.Met = one.Value <= one.Goal
	return one, nil
}

// fill makes so much wait for the hub.
func (b *benchVXP) fill(ctx context.Context, site *benchSite) error {
	sending, sendingCtx := errgroup.WithContext(ctx)
	sending.SetLimit(b.Clients)
	for i := range vxpListed {
		sending.Go(func() error {
			return newVXPSystem(site, "H29.12").send(sendingCtx, http.DefaultClient, b.packets.next(underHub(i)))
		})
	}
	if err := sending.Wait(); err != nil {
		return err
	}
	for n, i := b.Waiting-vxpListed, 0; n > 0; n, i = n-vxpMailing, i+1 {
		if _, err := site.in.store.Accept(ctx, mailing(i, min(n, vxpMailing), time.Now())); err != nil {
			return err
		}
	}
	waiting, err := site.in.store.CountQueued(ctx, vxpHub, storage.DispatchItem, time.Now())
	if err == nil && int(waiting) != b.Waiting {
		err = answer{exitNo, fmt.Sprintf("%d of %d packets wait", waiting, b.Waiting)}
	}
	return err
}

// mailing is a dispatch to the first so many agencies of the hub.
func mailing(i, agencies int, now time.Time) *storage.Acceptance {
	id := fmt.Sprintf("MAILING-%d", i)
	a := &storage.Acceptance{Dispatch: storage.Dispatch{ID: storage.NewID(now), System: "H29.12", Sender: "H29.12", DocumentID: id, Number: fmt.Sprint(i),
		Notation: "SYT-VP", TypeName: "Công văn", Subject: "Văn bản gửi toàn tỉnh (TEST)", Form: "edxml", FirstPart: []byte("{}"),
		Verdict: signing.Unsigned, AcceptedAt: now}, Fingerprint: sha256.Sum256([]byte(id))}
	for k := range agencies {
		a.Deliveries = append(a.Deliveries, storage.NewDelivery{AddressedTo: string(underHub(k)), Agency: underHub(k), System: vxpHub, Way: routing.Pull})
	}
	return a
}
