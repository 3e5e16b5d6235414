package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// Fetcher gets revocation data from where certificates say that they are, from hosts that an administrator allowed, and
// never on a request's path: a document is judged by what is at hand, and again when more is (lessons of OCSP responders
// that were busy for days). A proxy of the environment is not used: what may be asked is said by `truc trust host` alone.
type Fetcher struct {
	Store  *storage.Store
	Now    func() time.Time
	Log    *slog.Logger
	client *http.Client
	pause  time.Duration // before the second try; twice as long before the third
}

const (
	fetchParallel = 4
	fetchTries    = 3
	fetchTime     = 60 * time.Second // for one try: a list of 64 MB over a slow line
	fetchPause    = time.Second
	fetchLease    = 10 * time.Minute
	fetchBatch    = 40
	maxCRL        = 64 << 20
	maxOCSP       = 64 << 10
)

// NewFetcher makes one.
func NewFetcher(store *storage.Store, now func() time.Time, log *slog.Logger) *Fetcher {
	return &Fetcher{Store: store, Now: now, Log: log, pause: fetchPause, client: &http.Client{
		Timeout: fetchTime,
		// A redirect is not followed: it would lead to hosts that nobody allowed.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, TLSHandshakeTimeout: 10 * time.Second,
			ResponseHeaderTimeout: 30 * time.Second, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, MaxIdleConns: fetchParallel,
			IdleConnTimeout: 30 * time.Second, DisableCompression: true}, // a list that unpacks itself could be of any size
	}}
}

// Fetched is what a round brought.
type Fetched struct {
	Installed int           `json:"installed"` // lists and responses that were not at hand
	Unchanged int           `json:"unchanged"`
	Failed    []FetchFailed `json:"failed"`
}

// FetchFailed is an address that gave nothing of use.
type FetchFailed struct {
	URL    string `json:"url"`
	Reason string `json:"reason"`
}

// tried is what one address gave.
type tried struct {
	storage.Source
	lists []storage.NewList
	err   error
}

// Round asks every address that is due; all: those that are not due too. What it finds is installed in one commit for each
// batch, so that the trust store moves once.
func (f *Fetcher) Round(ctx context.Context, all bool) (Fetched, error) {
	sum := Fetched{Failed: []FetchFailed{}}
	if err := f.Survey(ctx); err != nil {
		return sum, err
	}
	hosts, err := f.Store.Hosts(ctx)
	if err != nil || len(hosts) == 0 {
		return sum, err
	}
	names := make([]string, len(hosts))
	for i, h := range hosts {
		names[i] = h.Host
	}
	now := f.Now()
	for ctx.Err() == nil {
		batch, err := f.Store.ClaimSources(ctx, names, all, now, fetchLease, fetchBatch)
		if err != nil || len(batch) == 0 {
			return sum, err
		}
		if err := f.batch(ctx, batch, &sum); err != nil {
			return sum, err
		}
	}
	return sum, ctx.Err()
}

// Survey notes the addresses in the installed certificates themselves.
func (f *Fetcher) Survey(ctx context.Context) error {
	if err := f.Store.ScopeLists(ctx); err != nil {
		return err
	}
	anchors, err := f.Store.Anchors(ctx)
	if err != nil {
		return err
	}
	var installed []*x509.Certificate
	for _, a := range anchors {
		if a.RetiredAt.IsZero() {
			installed = append(installed, a.Certificate)
		}
	}
	_, err = f.Store.AddSources(ctx, sourcesOf(installed, installed, false), f.Now())
	return err
}

// batch asks a few addresses at once. The order: lists are installed, then what was tried is noted; after a crash in between
// the same lists come again and change nothing.
func (f *Fetcher) batch(ctx context.Context, batch []storage.Source, sum *Fetched) error {
	signers, err := f.Store.Signers(ctx)
	if err != nil {
		return err
	}
	have, err := f.Store.Lists(ctx)
	if err != nil {
		return err
	}
	results := make([]tried, len(batch))
	turn := make(chan struct{}, fetchParallel)
	var group sync.WaitGroup
	for i, x := range batch {
		group.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			results[i] = f.ask(ctx, x, signers, have)
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return ctx.Err() // the lease ends, and they are asked again
	}
	var lists []storage.NewList
	for _, r := range results {
		lists = append(lists, r.lists...)
	}
	if len(lists) > 0 {
		if err := f.Store.AddLists(ctx, lists, f.Now()); err != nil {
			return err
		}
	}
	for _, r := range results {
		if err := f.note(ctx, r, sum); err != nil {
			return err
		}
	}
	return nil
}

// note says what came of an address, and when it is asked again.
func (f *Fetcher) note(ctx context.Context, r tried, sum *Fetched) error {
	now := f.Now()
	r.TriedAt = now
	switch {
	case r.err != nil:
		r.Failures++
		r.Failure = r.err.Error()
		r.Due = now.Add(min(time.Minute<<min(r.Failures, 10), 6*time.Hour))
		sum.Failed = append(sum.Failed, FetchFailed{r.URL, r.Failure})
		f.Log.Warn("revocation data not fetched", "url", r.URL, "failures", r.Failures, "err", r.err)
		return f.Store.SourceTried(ctx, r.Source)
	case r.Kind == storage.OCSP:
		sum.Installed += len(r.lists)
		return f.Store.Answered(ctx, r.Source)
	}
	r.Failures, r.Failure, r.FetchedAt = 0, "", now
	if len(r.lists) == 0 {
		sum.Unchanged++
	}
	sum.Installed += len(r.lists)
	return f.Store.SourceTried(ctx, r.Source)
}

// errFinal marks what trying again at once cannot mend.
var errFinal = errors.New("refused")

// ask asks one address, three times at most.
func (f *Fetcher) ask(ctx context.Context, x storage.Source, signers []*x509.Certificate, have []storage.RevocationList) tried {
	r := tried{Source: x}
	pause := f.pause
	for try := 1; ; try++ {
		var body []byte
		body, r.err = f.get(ctx, &r.Source)
		if r.err == nil {
			if body != nil {
				r.lists, r.err = f.judge(x, body, signers, have)
			}
			break
		}
		if try == fetchTries || errors.Is(r.err, errFinal) {
			break
		}
		select {
		case <-ctx.Done():
			r.err = ctx.Err()
			return r
		case <-time.After(pause):
			pause *= 2
		}
	}
	if r.err != nil { // whatever it was, the next answer must not be "unchanged"
		r.ETag, r.Modified = x.ETag, x.Modified
		return r
	}
	r.Due = f.next(r, have)
	return r
}

// next is half way to when a newer list is promised, within ten minutes and six hours: CAs publish early too.
func (f *Fetcher) next(r tried, have []storage.RevocationList) time.Time {
	now := f.Now()
	wait := time.Hour
	for _, l := range r.lists {
		if !l.NextUpdate.IsZero() {
			wait = l.NextUpdate.Sub(now) / 2
		}
	}
	return now.Add(min(max(wait, 10*time.Minute), 6*time.Hour))
}

// get makes one request. A nil body without an error says that nothing has changed.
func (f *Fetcher) get(ctx context.Context, x *storage.Source) ([]byte, error) {
	request, most, err := request(ctx, *x)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFinal, err)
	}
	response, err := f.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	switch {
	case response.StatusCode == http.StatusNotModified && x.Kind == storage.CRL && (x.ETag != "" || x.Modified != ""):
		return nil, nil
	case response.StatusCode >= 300 && response.StatusCode < 400:
		return nil, fmt.Errorf("%w: %d: redirects are not followed", errFinal, response.StatusCode)
	case response.StatusCode >= 400 && response.StatusCode < 500 && response.StatusCode != http.StatusTooManyRequests:
		return nil, fmt.Errorf("%w: status %d", errFinal, response.StatusCode)
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("status %d", response.StatusCode)
	case response.ContentLength > most:
		return nil, fmt.Errorf("%w: %d bytes, more than %d", errFinal, response.ContentLength, most)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("the answer broke off: %w", err)
	}
	if int64(len(body)) > most {
		return nil, fmt.Errorf("%w: more than %d bytes", errFinal, most)
	}
	x.ETag, x.Modified = cut(response.Header.Get("ETag"), 200), cut(response.Header.Get("Last-Modified"), 100)
	return body, nil
}

// request asks for a list if it changed (RFC 9110, 13), or about one certificate (RFC 6960, A.1).
func request(ctx context.Context, x storage.Source) (*http.Request, int64, error) {
	if x.Kind == storage.OCSP {
		question, err := ocsp.CreateRequest(x.Certificate, x.Issuer, nil) // SHA-1 in the CertID: the one that every responder knows
		if err != nil {
			return nil, 0, fmt.Errorf("write the question: %w", err)
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, x.URL, bytes.NewReader(question))
		if err != nil {
			return nil, 0, err
		}
		r.Header.Set("Content-Type", "application/ocsp-request")
		r.Header.Set("Accept", "application/ocsp-response")
		return r, maxOCSP, nil
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, x.URL, nil)
	if err != nil {
		return nil, 0, err
	}
	if x.ETag != "" {
		r.Header.Set("If-None-Match", x.ETag)
	}
	if x.Modified != "" {
		r.Header.Set("If-Modified-Since", x.Modified)
	}
	return r, maxCRL, nil
}

// judge takes what came only when it is what was asked for, signed by somebody within the trust store's reach, and not
// older than what is at hand: who answers over http may be anybody.
func (f *Fetcher) judge(x storage.Source, body []byte, signers []*x509.Certificate, have []storage.RevocationList) ([]storage.NewList, error) {
	if x.Kind == storage.OCSP {
		return f.judgeOCSP(x, body, have)
	}
	var lists []storage.NewList
	for _, der := range signing.CRLsIn(body) {
		l, err := storage.ReadList(der, append(slices.Clone(signers), x.Issuer))
		switch {
		case err != nil || l.Kind != storage.CRL:
			return nil, errors.New("the answer is not a revocation list")
		case !l.Replaces:
			return nil, errors.New("the list is signed by nobody within the trust store's reach")
		case l.ThisUpdate.After(f.Now().Add(time.Hour)):
			return nil, fmt.Errorf("the list is of the future: %s", l.ThisUpdate.UTC().Format(time.RFC3339))
		}
		if new, err := newer(l, have); err != nil {
			return nil, err
		} else if new {
			l.AddedBy = "truc"
			lists = append(lists, l)
		}
	}
	if lists == nil && len(signing.CRLsIn(body)) == 0 {
		return nil, errors.New("the answer is not a revocation list")
	}
	return lists, nil
}

// newer says whether the list is not at hand; one that is older than what is would undo revocations.
func newer(l storage.NewList, have []storage.RevocationList) (bool, error) {
	for _, h := range have {
		if h.SHA256 == l.SHA256 {
			return false, nil
		}
		if h.Scope == l.Scope && h.ThisUpdate.After(l.ThisUpdate) {
			return false, fmt.Errorf("older than the list at hand: %s, not %s", l.ThisUpdate.UTC().Format(time.RFC3339), h.ThisUpdate.UTC().Format(time.RFC3339))
		}
	}
	return true, nil
}

func (f *Fetcher) judgeOCSP(x storage.Source, body []byte, have []storage.RevocationList) ([]storage.NewList, error) {
	info, ok := signing.ReadOCSP(body)
	if !ok {
		return nil, errors.New("the answer is not a successful OCSP response")
	}
	i := slices.IndexFunc(info.Answers, func(a signing.OCSPAnswer) bool { return a.About(x.Certificate, x.Issuer) })
	if i < 0 {
		return nil, errors.New("the response is about another certificate")
	}
	if !info.SignedFor(x.Issuer) {
		return nil, errors.New("the response is signed by nobody who may")
	}
	l, err := storage.ReadList(body, nil)
	if err != nil {
		return nil, err
	}
	l.Scope, l.ThisUpdate, l.NextUpdate = "ocsp:"+x.Target, info.Answers[i].ThisUpdate, info.Answers[i].NextUpdate
	l.Issuer, l.AddedBy, l.Replaces = x.Certificate.Subject.String(), "truc", true
	if info.Answers[i].Status == "unknown" {
		return nil, errors.New("the responder does not know the certificate")
	}
	if new, err := newer(l, have); err != nil || !new {
		return nil, err
	}
	return []storage.NewList{l}, nil
}
