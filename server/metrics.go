package server

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what Prometheus reads. Backlogs are read from the database at each scrape: they are the cluster's, not
// this node's.
type metrics struct {
	registry     *prometheus.Registry
	accepted     *prometheus.CounterVec
	refused      *prometheus.CounterVec
	attempts     *prometheus.CounterVec
	receipts     *prometheus.CounterVec
	unauthorized prometheus.Counter
	leasesLost   prometheus.Counter
	rejudged     *prometheus.CounterVec
	verify       prometheus.Histogram
	requests     *prometheus.HistogramVec
	jobs         *prometheus.HistogramVec
}

func newMetrics(s *Server) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "truc", Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "truc", Name: name, Help: help}, labels)
	}
	m := &metrics{
		registry:     prometheus.NewRegistry(),
		accepted:     counter("dispatches_accepted_total", "Dispatches accepted, by form.", "form"),
		refused:      counter("requests_refused_total", "Requests answered with a problem, by its code.", "code"),
		attempts:     counter("push_attempts_total", "Pushes, by outcome.", "outcome"),
		receipts:     counter("receipts_total", "Receipts recorded, by status.", "status"),
		rejudged:     counter("dispatches_rejudged_total", "Dispatches whose verdict or reasons changed after acceptance.", "before", "after"),
		unauthorized: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "truc", Name: "unauthorized_total", Help: "Calls with a wrong id or secret."}),
		leasesLost:   prometheus.NewCounter(prometheus.CounterOpts{Namespace: "truc", Name: "leases_lost_total", Help: "Results whose claim was lost meanwhile."}),
		verify: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "truc", Name: "verify_seconds", Help: "Time to verify one dispatch.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .5, 2}}),
		requests: histogram("request_seconds", "Requests by route, method and class of answer.", "route", "method", "class"),
		jobs:     histogram("job_seconds", "Runs of jobs.", "job"),
	}
	m.registry.MustRegister(m.accepted, m.refused, m.attempts, m.receipts, m.unauthorized, m.leasesLost, m.rejudged, m.verify, m.requests, m.jobs,
		backlog{s}, trustHealth{s})
	return m
}

// backlog collects what waits, by destination.
type backlog struct{ *Server }

var (
	backlogCount = prometheus.NewDesc("truc_backlog_items", "Items that wait for a destination.", []string{"system"}, nil)
	backlogAge   = prometheus.NewDesc("truc_backlog_oldest_seconds", "Age of the oldest item that waits for a destination.", []string{"system"}, nil)
)

// Describe names the collector's metrics.
func (b backlog) Describe(out chan<- *prometheus.Desc) { out <- backlogCount; out <- backlogAge }

// Collect reads them from the database, for at most five seconds.
func (b backlog) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	depths, err := b.Store.QueueDepths(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(backlogCount, err)
		return
	}
	for _, d := range depths {
		out <- prometheus.MustNewConstMetric(backlogCount, prometheus.GaugeValue, float64(d.Count), d.Destination)
		out <- prometheus.MustNewConstMetric(backlogAge, prometheus.GaugeValue, b.Now().Sub(d.Oldest).Seconds(), d.Destination)
	}
}

func (s *Server) getMetrics(c echo.Context) error {
	promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}).ServeHTTP(c.Response(), c.Request())
	return nil
}
