package server

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// PlannedHost is a host that certificates name for revocation data: what to open in a firewall, and to allow.
type PlannedHost struct {
	Host    string           `json:"host"` // as `truc trust host add` takes it; "" for schemes that are never asked
	Allowed bool             `json:"allowed"`
	URLs    []PlannedAddress `json:"urls"`
}

// PlannedAddress is one address there.
type PlannedAddress struct {
	URL       string           `json:"url"`
	Kind      storage.ListKind `json:"kind"`
	FetchedAt *time.Time       `json:"fetched_at,omitempty"`
	TriedAt   *time.Time       `json:"tried_at,omitempty"`
	Failures  int              `json:"failures,omitempty"`
	Failure   string           `json:"failure,omitempty"`
}

// FetchPlan lists the hosts and addresses in installed certificates and in those of recent signers, and the hosts that are
// allowed without being named.
func FetchPlan(ctx context.Context, store *storage.Store) ([]PlannedHost, error) {
	allowed, err := store.Hosts(ctx)
	if err != nil {
		return nil, err
	}
	sources, err := store.Sources(ctx)
	if err != nil {
		return nil, err
	}
	hosts := map[string]*PlannedHost{}
	for _, h := range allowed {
		hosts[h.Host] = &PlannedHost{Host: h.Host, Allowed: true, URLs: []PlannedAddress{}}
	}
	for _, x := range sources {
		h := hosts[x.Host]
		if h == nil {
			h = &PlannedHost{Host: x.Host}
			hosts[x.Host] = h
		}
		if n := len(h.URLs); n > 0 && h.URLs[n-1].URL == x.URL { // one responder, asked about several certificates
			continue
		}
		h.URLs = append(h.URLs, PlannedAddress{x.URL, x.Kind, vnOrNil(x.FetchedAt), vnOrNil(x.TriedAt), x.Failures, x.Failure})
	}
	list := []PlannedHost{}
	for _, h := range hosts {
		list = append(list, *h)
	}
	slices.SortFunc(list, func(x, y PlannedHost) int { return cmp.Compare(x.Host, y.Host) })
	return list, nil
}
