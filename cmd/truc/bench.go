package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

type benchCommand struct {
	Intake benchIntake `cmd:"" help:"Documents accepted per second: verified, durable, acknowledged."`
	Verify benchVerify `cmd:"" help:"Signatures verified per second, against the bare digest and RSA verification; PDF files; memory."`
	VXP    benchVXP    `cmd:"" name:"vxp" help:"Packets per second through the VXP face: sent, listed, fetched, acknowledged."`
}

// benchResult is what every bench prints (design 8). Ratio, not the absolute figures, decides.
type benchResult struct {
	Bench   string      `json:"bench"`
	Unit    string      `json:"unit"`
	Truc    float64     `json:"truc"`
	Floor   float64     `json:"floor"`
	Ratio   float64     `json:"ratio"`
	Goal    float64     `json:"goal"`
	Met     bool        `json:"met"`
	N       int         `json:"n"`
	Seconds float64     `json:"seconds"`
	P50     float64     `json:"p50_ms"`
	P95     float64     `json:"p95_ms"`
	Cores   int         `json:"cores"`
	Commit  string      `json:"commit"`
	Cases   []benchCase `json:"cases,omitempty"`
}

// benchCase is one part of a bench with figures of its own.
type benchCase struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Value float64 `json:"value"`
	Goal  float64 `json:"goal,omitempty"`
	Met   bool    `json:"met"`
}

func newBench(name, unit string, goal float64) benchResult {
	return benchResult{Bench: name, Unit: unit, Goal: goal, Cores: runtime.NumCPU(), Commit: commit()}
}

// add notes a case and tells of it.
func (r *benchResult) add(c *command, one benchCase) {
	one.Met = one.Met || one.Goal == 0
	r.Cases = append(r.Cases, one)
	goal := ""
	if one.Goal > 0 {
		goal = fmt.Sprintf(" (goal %g)", one.Goal)
	}
	fmt.Fprintf(c.err, "%s: %.3g %s%s\n", one.Name, one.Value, one.Unit, goal)
}

// turn is clients that call for so long: how long each call took, and how long all did.
type turn func(slice time.Duration) (took []time.Duration, spent time.Duration, err error)

// turns lets axis and floor take turns, so that both see the same machine, and sums up. Each warms up for a second first.
func (r *benchResult) turns(seconds, rounds int, axis, floor turn) error {
	slice := time.Duration(seconds) * time.Second / time.Duration(2*rounds)
	for _, warm := range []turn{axis, floor} {
		if _, _, err := warm(time.Second); err != nil {
			return err
		}
	}
	var took []time.Duration
	var floorN int
	var axisTime, floorTime time.Duration
	for range rounds {
		some, spent, err := axis(slice)
		if err != nil {
			return err
		}
		took, axisTime = append(took, some...), axisTime+spent
		some, spent, err = floor(slice)
		if err != nil {
			return err
		}
		floorN, floorTime = floorN+len(some), floorTime+spent
	}
	r.N = len(took)
	r.Seconds = (axisTime + floorTime).Seconds()
	r.Truc, r.Floor = float64(len(took))/axisTime.Seconds(), float64(floorN)/floorTime.Seconds()
	r.P50, r.P95 = percentile(took, 50), percentile(took, 95)
	r.settle()
	return nil
}

// hammer lets clients call for a while, each one call after the other. A client whose call fails stops.
func hammer(clients int, slice time.Duration, call func(client int, via *http.Client) error) (took []time.Duration, spent time.Duration, err error) {
	transport := &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true, WriteBufferSize: 256 << 10}
	defer transport.CloseIdleConnections()
	via := &http.Client{Transport: transport}
	started := time.Now()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for time.Since(started) < slice {
				began := time.Now()
				fault := call(i, via)
				mu.Lock()
				took = append(took, time.Since(began))
				err = errors.Join(err, fault)
				mu.Unlock()
				if fault != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return took, time.Since(started), err
}

// settle fills the ratio from the two rates.
func (r *benchResult) settle() {
	if r.Floor > 0 {
		r.Ratio = r.Truc / r.Floor
	}
	r.Met = r.Ratio >= r.Goal
}

// commit is the source's commit, as the Go tool stamped it or $TRUC_COMMIT says.
func commit() string {
	if given := os.Getenv("TRUC_COMMIT"); given != "" {
		return given
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value[:min(12, len(s.Value))]
			}
		}
	}
	return "unknown"
}

// percentile gives the p-th percentile of durations in milliseconds; 0 for none.
func percentile(took []time.Duration, p int) float64 {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return float64(took[min(len(took)-1, len(took)*p/100)].Microseconds()) / 1000
}
