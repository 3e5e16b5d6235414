package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
)

// Fetch opens a delivery's package for its recipient's own system, in one journey to the database: a document is fetched as
// often as it is delivered. From now on a recall has to ask. ok is false when there is nothing to give out this way: no
// such delivery of this system, none made yet, held, taken back; then the longer way (Delivery, Fetched, Package) says why.
func (s *Store) Fetch(ctx context.Context, id DeliveryID, system string, now time.Time) (body io.ReadCloser, size int64, ok bool, err error) {
	var key string
	batch := &pgx.Batch{}
	batch.Queue(`
		UPDATE delivery SET told_at = $4 WHERE dispatch_id = $1 AND n = $2 AND system_id = $3 AND state = 'pending' AND told_at IS NULL`,
		id.Dispatch, id.N, system, now.UTC())
	batch.Queue(`
		SELECT o.key, o.size
		  FROM delivery AS dl JOIN dispatch AS d ON d.id = dl.dispatch_id
		  LEFT JOIN LATERAL (SELECT package_sha256, package_size FROM supplement AS s WHERE s.dispatch_id = $1 AND s.first_n <= $2
		                      ORDER BY s.first_n DESC LIMIT 1) AS p ON true
		  JOIN object AS o ON o.sha256 = coalesce(p.package_sha256, d.package_sha256) AND o.size = coalesce(p.package_size, d.package_size)
		 WHERE dl.dispatch_id = $1 AND dl.n = $2 AND d.id = $1 AND dl.system_id = $3 AND dl.withdrawn = '' AND dl.state NOT IN ('held', 'recalled')`,
		id.Dispatch, id.N, system).
		QueryRow(func(row pgx.Row) error {
			err := row.Scan(&key, &size)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			return err
		})
	if err := s.pool.SendBatch(ctx, batch).Close(); err != nil {
		return nil, 0, false, unavailable(fmt.Errorf("fetch %s: %w", id, err))
	}
	if key == "" {
		return nil, 0, false, nil
	}
	body, err = s.Objects.Open(ctx, key, 0, -1)
	if err != nil {
		return nil, 0, false, fmt.Errorf("%w: open the package of %s: %w", ErrUnavailable, id, err)
	}
	return body, size, true, nil
}
