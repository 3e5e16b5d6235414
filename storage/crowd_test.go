package storage_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// TestCrowd lets everything that moves deliveries work on the same few at once: no verb may fail other than by its own
// rules, nobody waits in a circle (SQLSTATE 40P01), and what comes out is sound.
func TestCrowd(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var codes []string
	for i := range 12 {
		codes = append(codes, fmt.Sprintf("P%02d", i), fmt.Sprintf("Q%02d", i), fmt.Sprintf("L%02d", i))
	}
	var dispatches []uuid.UUID
	for i := range 6 {
		l := a.letter(codes...)
		if i%3 == 2 {
			l.HeldFor, l.HeldBy = "policy", "operator"
		}
		dispatches = append(dispatches, a.accept(l))
	}
	var ticks atomic.Int64 // the shared clock: every step is a second later, so leases end while others work
	clock := func() time.Time { return a.now.Add(time.Duration(ticks.Add(1)) * time.Second) }
	any := func(r *rand.Rand) storage.DeliveryID {
		return deliveryID(dispatches[r.IntN(len(dispatches))], 1+r.IntN(len(codes)))
	}
	verbs := []func(r *rand.Rand) error{
		func(r *rand.Rand) error { // a courier
			claims, err := a.Claim(ctx, "node", clock(), storage.ClaimLimits{Lease: 5 * time.Second, PerDestination: 8, Total: 20, Except: []string{}})
			if err != nil {
				return fmt.Errorf("claim: %w", err)
			}
			r.Shuffle(len(claims), func(i, j int) { claims[i], claims[j] = claims[j], claims[i] })
			cut := len(claims) / 3
			if err := a.Release(ctx, claims[:cut], clock()); err != nil {
				return fmt.Errorf("release: %w", err)
			}
			var results []storage.Result
			for _, c := range claims[cut:] {
				now := clock()
				result := storage.Result{Claimed: c, EndedAt: now, Outcome: storage.Later, Next: now.Add(time.Duration(r.IntN(200)) * time.Second)}
				switch r.IntN(12) {
				case 0:
					result.Outcome, result.Taken = storage.Done, true
				case 1:
					result.Outcome = storage.Done
				case 2:
					result.Outcome, result.Park, result.Reason, result.Owner, result.Deadline = storage.Never, storage.Refused, "no", "sender", now
				}
				results = append(results, result)
			}
			if _, err := a.Record(ctx, results); err != nil {
				return fmt.Errorf("record: %w", err)
			}
			return nil
		},
		func(r *rand.Rand) error {
			_, err := a.Taken(ctx, storage.ItemID{DeliveryID: any(r), Kind: storage.DispatchItem}, []string{"push", "push2", "pull"}[r.IntN(3)], clock(), "")
			return allow(err, "taken")
		},
		func(r *rand.Rand) error {
			_, err := a.AddReceipt(ctx, storage.Receipt{DeliveryID: any(r), Status: []storage.Status{"01", "03", "13"}[r.IntN(3)],
				Agency: "P", System: "push", EventTime: clock(), ReceivedAt: clock()}, "")
			return allow(err, "receipt")
		},
		func(r *rand.Rand) error { return allow(a.Fetched(ctx, any(r), clock()), "fetched") },
		func(r *rand.Rand) error {
			system := []string{"push", "push2"}[r.IntN(2)]
			_, err := a.Answers(ctx, system, r.IntN(2) == 0, "down", clock(), 5*time.Second)
			return allow(err, "answers")
		},
		func(r *rand.Rand) error {
			code := routing.Code(codes[r.IntN(len(codes))])
			ways := []storage.NewDelivery{to("P"), to("Q"), to("L")}
			from, to := ways[r.IntN(3)], ways[r.IntN(3)]
			if from.System == to.System {
				return nil
			}
			_, err := a.Reroute(ctx, code, from.System, to.System, to.Way, clock())
			return allow(err, "reroute")
		},
		func(r *rand.Rand) error {
			_, err := a.ReleaseHeld(ctx, dispatches[r.IntN(len(dispatches))], "operator", "", clock())
			return allow(err, "release held")
		},
		func(r *rand.Rand) error { // a recall of some of them, then of more
			some := r.Perm(len(codes))[:3]
			original := dispatches[r.IntN(len(dispatches))]
			l := a.letter(codes[some[0]], codes[some[1]])
			l.Kind, l.Original = storage.Recall, original
			if r.IntN(4) == 0 {
				l.HeldFor, l.HeldBy = "policy", "operator"
			}
			done, err := a.Accept(ctx, l)
			if err != nil {
				return fmt.Errorf("recall: %w", err)
			}
			more := same(l)
			more.Deliveries = append(more.Deliveries[:2:2], to(codes[some[2]]))
			if _, err := a.Accept(ctx, more); err != nil {
				return fmt.Errorf("recall more: %w", err)
			}
			if l.HeldFor != "" {
				_, err = a.ReleaseHeld(ctx, done.ID, "operator", "", clock())
			}
			return allow(err, "release a recall")
		},
		func(r *rand.Rand) error { // a new version or a recall, to which its recipients agree
			some, now := r.Perm(len(codes))[:3], clock()
			l := a.letter(codes[some[0]], codes[some[1]], codes[some[2]])
			l.ID, l.AcceptedAt = storage.NewID(now), now
			l.Kind, l.Original = []storage.Kind{storage.Update, storage.Recall}[r.IntN(2)], dispatches[r.IntN(len(dispatches))]
			var err error
			if l.Versions, err = a.Updates(ctx, l.Original); err != nil {
				return err
			}
			if _, err := a.Accept(ctx, l); err != nil {
				return fmt.Errorf("a version: %w", err)
			}
			for _, n := range r.Perm(3) {
				_, err := a.AddReceipt(ctx, storage.Receipt{DeliveryID: deliveryID(l.ID, n+1), Status: "15", Agency: "P", System: "push", EventTime: clock(), ReceivedAt: clock()}, "")
				if allow(err, "") != nil {
					return fmt.Errorf("agree: %w", err)
				}
			}
			return nil
		},
		func(r *rand.Rand) error {
			_, err := a.FoldTallies(ctx, 50)
			return err
		},
		func(r *rand.Rand) error {
			_, _, err := a.SealAudit(ctx, 50)
			return err
		},
		func(r *rand.Rand) error {
			return a.Seen(ctx, map[string]time.Time{"push": clock(), "push2": clock(), "pull": clock(), "from": clock(), "box": clock()})
		},
		func(r *rand.Rand) error {
			id := dispatches[r.IntN(len(dispatches))]
			_, err := a.KeepMade(ctx, id, storage.ProofFile, a.upload(id.String()), clock())
			return err
		},
	}
	var crowd sync.WaitGroup
	for g := range 24 {
		crowd.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 7))
			for range 60 {
				if err := verbs[(g+r.IntN(2)*r.IntN(len(verbs)))%len(verbs)](r); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	crowd.Wait()
}

// allow lets through what a verb's own rules say.
func allow(err error, what string) error {
	if err == nil || errors.Is(err, storage.ErrNotFound) || errors.As(err, new(*storage.StateError)) || errors.As(err, new(*storage.WithdrawnError)) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
