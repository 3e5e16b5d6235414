package server

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

// snapshot is the configuration that requests read: immutable, swapped as one.
type snapshot struct {
	versions  map[string]int64
	directory *routing.Directory
	systems   map[string]*caller
	trust     *storage.TrustInForce
	policies  map[routing.Code]storage.Policy
}

// caller is a connected system with its secrets opened. Secrets are kept as hashes for Basic and in clear for HMACs.
type caller struct {
	storage.System
	secret    []byte
	oldSecret []byte
	sum       [32]byte
	oldSum    [32]byte
	disabled  bool
	oldUntil  time.Time
}

// watchEvery is how often a node looks whether the configuration moved. Commands promise effect within two seconds.
const watchEvery = time.Second

// watch reloads what moved, until ctx ends. A database that is away leaves the last snapshot in force.
func (s *Server) watch(ctx context.Context) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := s.reload(ctx); err != nil && ctx.Err() == nil {
				s.Log.Error("configuration not reloaded; the last one stays in force", "err", err)
			}
			s.seen.flush(ctx, s)
			s.pointed.flush(ctx, s)
		}
	}
}

// reload reads what changed since the snapshot in force and swaps in a new one. One at a time, so that an older one never
// takes a newer one's place: who has just changed something finds it in force when reload returns.
func (s *Server) reload(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	versions, err := s.Store.Versions(ctx)
	if err != nil {
		return err
	}
	last := s.config.Load()
	if last != nil && maps.Equal(last.versions, versions) {
		return nil
	}
	next := snapshot{}
	if last != nil {
		next = *last
	}
	moved := func(names ...string) bool {
		for _, name := range names {
			if last == nil || last.versions[name] != versions[name] {
				return true
			}
		}
		return false
	}
	next.versions = versions
	if moved("directory", "systems") {
		if next.directory, err = s.Store.Directory(ctx); err != nil {
			return fmt.Errorf("load the directory: %w", err)
		}
	}
	if moved("systems") {
		if next.systems, err = s.loadSystems(ctx); err != nil {
			return err
		}
	}
	if moved("trust") {
		var had *storage.TrustInForce
		if last != nil {
			had = last.trust
		}
		if next.trust, err = s.Store.TrustInForce(ctx, had, s.Now()); err != nil {
			return fmt.Errorf("load the trust store: %w", err)
		}
		next.trust.Prepare() // here, so that no document waits for it
	}
	if moved("policy") {
		if next.policies, err = s.Store.Policies(ctx); err != nil {
			return fmt.Errorf("load policies: %w", err)
		}
	}
	s.config.Store(&next)
	if last != nil && moved("directory", "systems") {
		if err := s.reroute(ctx, next.directory); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) loadSystems(ctx context.Context) (map[string]*caller, error) {
	list, err := s.Store.Systems(ctx)
	if err != nil {
		return nil, fmt.Errorf("load systems: %w", err)
	}
	systems := make(map[string]*caller, len(list))
	for _, y := range list {
		c := &caller{System: y, disabled: !y.DisabledAt.IsZero(), oldUntil: y.OldUntil}
		if c.secret, err = s.Key.Open(y.Secret, storage.SecretPurpose(y.ID)); err != nil {
			return nil, fmt.Errorf("open the secret of %s: %w", y.ID, err)
		}
		c.sum = sha256.Sum256(c.secret)
		if len(y.OldSecret) > 0 {
			if c.oldSecret, err = s.Key.Open(y.OldSecret, storage.SecretPurpose(y.ID)); err != nil {
				return nil, fmt.Errorf("open the old secret of %s: %w", y.ID, err)
			}
			c.oldSum = sha256.Sum256(c.oldSecret)
		}
		systems[y.ID] = c
	}
	return systems, nil
}

// reroute moves what waits for an agency at a system that no longer serves it: where a document goes is decided at
// sending, not at acceptance.
func (s *Server) reroute(ctx context.Context, d *routing.Directory) error {
	waiting, err := s.Store.WaitingFor(ctx)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		route, ok := d.Route(w.Agency)
		if !ok || route.System == w.Destination {
			continue // nobody serves it now: it waits where it is, and the list of what is late names it
		}
		moved, err := s.Store.Reroute(ctx, w.Agency, w.Destination, route.System, route.Way, s.Now())
		if err != nil {
			return err
		}
		s.Log.Info("rerouted", "agency", w.Agency, "from", w.Destination, "to", route.System, "deliveries", moved)
		s.queued()
	}
	return nil
}

// directory, trust and system read the snapshot in force.
func (s *Server) directory() *routing.Directory { return s.config.Load().directory }

// Directory returns the directory in force.
func (s *Server) Directory() *routing.Directory { return s.directory() }

func (s *Server) policy(sender routing.Code) storage.Policy {
	policies := s.config.Load().policies
	if p, ok := policies[sender]; ok {
		return p
	}
	return policies["*"]
}
