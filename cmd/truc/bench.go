package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
)

type benchCommand struct {
	Intake benchIntake `cmd:"" help:"Documents accepted per second: verified, durable, acknowledged."`
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
