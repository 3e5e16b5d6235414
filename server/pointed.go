package server

import (
	"context"
	"crypto/x509"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

// pointed gathers where the certificates of recent signers say that their revocation data are. Requests only note; the
// watcher writes them down. What a crash loses the next document of the same signer brings again.
type pointed struct {
	mu      sync.Mutex
	known   map[string]time.Time // by leaf: not looked at again for a while
	waiting []chain
}

// chain is a path that led to an anchor, whose addresses may therefore be asked. ask: revocation could not be checked.
type chain struct {
	certificates [][]byte
	ask          bool
}

const (
	pointedAgain = 10 * time.Minute
	pointedMost  = 10_000
)

// note remembers the paths of a report. Addresses in certificates that lead nowhere are a stranger's, and are never asked.
func (p *pointed) note(report signing.Report, now time.Time) {
	for _, s := range report.Signatures {
		if len(s.Path) < 2 || len(s.Evidence.Certificates) == 0 {
			continue
		}
		ask := slices.ContainsFunc(s.Reasons, func(r signing.Reason) bool { return unchecked[r] })
		p.add(chain{s.Evidence.Certificates, ask}, now)
	}
}

func (p *pointed) add(c chain, now time.Time) {
	key := storage.Fingerprint(c.certificates[0])
	if c.ask {
		key += "?"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if last, ok := p.known[key]; ok && now.Sub(last) < pointedAgain || len(p.waiting) >= pointedMost {
		return
	}
	if p.known == nil || len(p.known) >= pointedMost {
		p.known = map[string]time.Time{}
	}
	p.known[key] = now
	p.waiting = append(p.waiting, c)
}

// flush writes down what was noted.
func (p *pointed) flush(ctx context.Context, s *Server) {
	p.mu.Lock()
	waiting := p.waiting
	p.waiting = nil
	p.mu.Unlock()
	var list []storage.Source
	for _, c := range waiting {
		list = append(list, c.sources()...)
	}
	if _, err := s.Store.AddSources(ctx, list, s.Now()); err != nil && ctx.Err() == nil {
		s.Log.Warn("addresses of revocation data not noted", "err", err)
	}
}

// sources are the addresses in a path's certificates, and in those of its timestamps and list signers.
func (c chain) sources() []storage.Source {
	var certificates []*x509.Certificate
	for _, der := range c.certificates {
		if x, err := signing.ParseCertificate(der); err == nil {
			certificates = append(certificates, x)
		}
	}
	return sourcesOf(certificates, certificates, c.ask)
}

// mostAddresses bounds what one certificate may name.
const mostAddresses = 10

// sourcesOf gives the addresses in certificates whose issuers are among those given. ask: over OCSP too.
func sourcesOf(certificates, issuers []*x509.Certificate, ask bool) []storage.Source {
	var list []storage.Source
	for _, x := range certificates {
		i := slices.IndexFunc(issuers, func(y *x509.Certificate) bool {
			return y != x && signing.NameKey(y.RawSubject) == signing.NameKey(x.RawIssuer)
		})
		if i < 0 {
			continue
		}
		points := signing.SourcesOf(x)
		for _, u := range firstOf(slices.Concat(points.CRLs, points.Deltas)) {
			list = append(list, storage.Source{URL: u, Host: hostOf(u), Kind: storage.CRL, Issuer: issuers[i]})
		}
		if !ask {
			continue
		}
		for _, u := range firstOf(points.OCSP) {
			list = append(list, storage.Source{URL: u, Host: hostOf(u), Kind: storage.OCSP, Target: storage.Fingerprint(x.Raw), Certificate: x, Issuer: issuers[i]})
		}
	}
	return list
}

func firstOf(urls []string) []string {
	return slices.DeleteFunc(urls[:min(len(urls), mostAddresses)], func(u string) bool { return u == "" || len(u) > 2000 || strings.ContainsRune(u, 0) })
}

// hostOf is the host as the administrator allows it: in lower case, with its port where that is not the scheme's own. It is
// "" for what is never asked: other schemes than http and https (ldap), and addresses with a user in them.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return ""
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" || port == map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		return host
	}
	return net.JoinHostPort(host, port)
}
