package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/truc-lienthong/truc/routing"
)

// Action is what a policy does with a dispatch.
type Action string

// The actions.
const (
	Forward Action = "forward" // on its way, with its flag and reason
	Hold    Action = "hold"    // kept for a person to decide
	Refuse  Action = "refuse"  // 422 at once; nothing is kept
)

// Policy says what happens to a sender's dispatches by the worst that was found in their files (R81).
type Policy struct {
	Sender       routing.Code // "*" is everybody without a policy of its own
	Broken       Action       // digest or signature value wrong, ByteRange forged, changed after signing
	Invalid      Action       // any other invalid signature
	Undetermined Action
	Unsigned     Action
}

// Policies returns every policy by sender; "*" is always there.
func (s *Store) Policies(ctx context.Context) (map[routing.Code]Policy, error) {
	rows, err := s.pool.Query(ctx, `SELECT sender, broken, invalid, undetermined, unsigned FROM intake_policy`)
	if err != nil {
		return nil, unavailable(fmt.Errorf("read policies: %w", err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Policy])
	if err != nil {
		return nil, unavailable(err)
	}
	policies := make(map[routing.Code]Policy, len(list))
	for _, p := range list {
		policies[p.Sender] = p
	}
	return policies, nil
}

// SetPolicy writes a sender's policy.
func (s *Store) SetPolicy(ctx context.Context, p Policy, actor string, now time.Time) error {
	return s.tx(ctx, func(tx pgx.Tx) error {
		if _, err := bump(ctx, tx, "policy"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO intake_policy (sender, broken, invalid, undetermined, unsigned) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (sender) DO UPDATE SET broken = excluded.broken, invalid = excluded.invalid,
			    undetermined = excluded.undetermined, unsigned = excluded.unsigned`,
			p.Sender, p.Broken, p.Invalid, p.Undetermined, p.Unsigned)
		if err != nil {
			return fmt.Errorf("write the policy of %s: %w", p.Sender, err)
		}
		return audit(ctx, tx, Event{At: now, Actor: actor, Action: "policy.set", Object: string(p.Sender),
			Detail: fmt.Sprintf("broken %s, invalid %s, undetermined %s, unsigned %s", p.Broken, p.Invalid, p.Undetermined, p.Unsigned)})
	})
}
