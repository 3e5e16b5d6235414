package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// readyCommand asks the server that runs beside it with the same environment: the health check of a container, whose
// image has no HTTP client, and of whatever else supervises a server.
type readyCommand struct {
	Listen  string        `env:"TRUC_LISTEN" default:"127.0.0.1:8080" help:"Address that the server listens on."`
	TLSCert string        `env:"TRUC_TLS_CERT" name:"tls-cert" type:"path" help:"The server's certificate: when set, it is asked over TLS."`
	Within  time.Duration `env:"TRUC_READY_WITHIN" default:"5s" help:"How long to wait for the answer."`
}

// Run asks /readyz: exit 0 when the server wrote a row and an object just now, 75 when it did not.
func (r *readyCommand) Run(c *command) error {
	address, err := r.address()
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: r.Within, Transport: &http.Transport{
		// Whoever answers is on this machine and is told nothing. Its certificate names the host that others call.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
	}}
	request, err := http.NewRequestWithContext(c.ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{exitFlags, err.Error()}
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{exitDependency, err.Error()}
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	if err != nil {
		return answer{exitDependency, err.Error()}
	}
	if response.StatusCode != http.StatusOK {
		return answer{exitDependency, fmt.Sprintf("%s: %s", response.Status, text)}
	}
	_, err = fmt.Fprintf(c.out, "%s\n", text)
	return err
}

// address is where the server's readiness is asked: an address that means "every interface" is this machine's own.
func (r *readyCommand) address() (string, error) {
	host, port, err := net.SplitHostPort(r.Listen)
	if err != nil {
		return "", answer{exitFlags, fmt.Sprintf("--listen %q is not host:port", r.Listen)}
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http"
	if r.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/readyz", nil
}
