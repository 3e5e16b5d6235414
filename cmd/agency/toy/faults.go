package toy

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
)

// Faults is the dial: which faults a toy plays now. It may be turned at any time by anybody; the zero value and nil
// play none. Its choices follow from the seed and the order of the requests.
type Faults struct {
	mu       sync.Mutex
	rng      *rand.Rand
	set      map[FaultName]Fault
	hits     map[FaultName]int
	followed int
	changed  chan struct{} // closed by the next Set
	met      chan struct{} // closed by the next hit; nil while nobody waits for one
	watchers map[int]func() error
	nextID   int
}

// NewFaults makes a dial that is set to nothing.
func NewFaults(seed uint64) *Faults {
	f := &Faults{}
	f.init(seed)
	return f
}

func (f *Faults) init(seed uint64) {
	if f.set == nil {
		f.rng = rand.New(rand.NewPCG(seed, 0x7472_7563))
		f.set, f.hits = map[FaultName]Fault{}, map[FaultName]int{}
		f.changed, f.watchers = make(chan struct{}), map[int]func() error{}
	}
}

// Set replaces the whole dial; with nothing it ends all faults. It returns when doors are closed or open accordingly;
// an error is a wrong fault (then nothing changes) or a door that cannot be opened again.
func (f *Faults) Set(faults ...Fault) error {
	next := map[FaultName]Fault{}
	for _, x := range faults {
		if err := x.check(); err != nil {
			return err
		}
		next[x.Name] = x
	}
	f.mu.Lock()
	f.init(0)
	f.set = next
	close(f.changed)
	f.changed = make(chan struct{})
	watchers := slices.Collect(maps.Values(f.watchers))
	f.mu.Unlock()
	var errs []error
	for _, w := range watchers {
		errs = append(errs, w())
	}
	return errors.Join(errs...)
}

// All gives the present setting.
func (f *Faults) All() []Fault {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []Fault{}
	for _, name := range faultOrder {
		if x, ok := f.set[name]; ok {
			out = append(out, x)
		}
	}
	return out
}

// Hits counts how often each fault was played.
func (f *Faults) Hits() map[FaultName]int {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.hits)
}

// WaitHits blocks until the fault was played at least n times.
func (f *Faults) WaitHits(ctx context.Context, name FaultName, n int) error {
	for {
		f.mu.Lock()
		if f.met == nil {
			f.met = make(chan struct{})
		}
		hits, met := f.hits[name], f.met
		f.mu.Unlock()
		if hits >= n {
			return nil
		}
		select {
		case <-met:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Followed counts requests that came by following a Redirect. The axis must never do that.
func (f *Faults) Followed() int {
	if f == nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.followed
}

// shut says that nothing may get through at all.
func (f *Faults) shut() bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.set[Down].P >= 1
}

func (f *Faults) has(name FaultName) bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.set[name].P > 0
}

// onChange calls fn after every Set until the returned func is called.
func (f *Faults) onChange(fn func() error) (stop func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.init(0)
	id := f.nextID
	f.nextID++
	f.watchers[id] = fn
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.watchers, id)
	}
}

// next gives the channel that closes at the next Set.
func (f *Faults) next() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.init(0)
	return f.changed
}

// draw decides which of some faults one request meets: perhaps Slow, then at most one other.
func (f *Faults) draw(among ...FaultName) []Fault {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Fault
	for _, name := range faultOrder {
		x, ok := f.set[name]
		if !ok || !slices.Contains(among, name) || f.rng.Float64() >= x.P {
			continue
		}
		f.hits[name]++
		if f.met != nil {
			close(f.met)
			f.met = nil
		}
		out = append(out, x)
		if name != Slow {
			break
		}
	}
	return out
}

// Control is the dial over HTTP, for a toy that runs by itself: GET shows it, PUT replaces it by a JSON list of faults
// in their text form, DELETE ends them all. It has no access control: serve it on loopback only.
func (f *Faults) Control() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		switch r.Method {
		case http.MethodGet:
		case http.MethodDelete:
			err = f.Set()
		case http.MethodPut:
			var list []Fault
			if err = json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&list); err == nil {
				err = f.Set(list...)
			}
		default:
			w.Header().Set("Allow", "GET, PUT, DELETE")
			http.Error(w, "GET, PUT, DELETE", http.StatusMethodNotAllowed)
			return
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		state := map[string]any{"faults": f.All(), "hits": f.Hits(), "followed": f.Followed()}
		if err := json.NewEncoder(w).Encode(state); err != nil {
			panic(http.ErrAbortHandler) // the caller is gone
		}
	})
}
