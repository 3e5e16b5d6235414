package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/web"
)

type serveCommand struct {
	serveOptions
}

// serveOptions are shared with demo, which serves too.
type serveOptions struct {
	Listen     string             `env:"TRUC_LISTEN" default:"127.0.0.1:8080" help:"Address to listen on."`
	PublicURL  string             `env:"TRUC_PUBLIC_URL" name:"public-url" help:"How systems reach this server; default from the address."`
	TLSCert    string             `env:"TRUC_TLS_CERT" name:"tls-cert" type:"path" help:"Certificate chain (PEM)."`
	TLSKey     string             `env:"TRUC_TLS_KEY" name:"tls-key" type:"path" help:"Its key (PEM)."`
	PlainHTTP  bool               `env:"TRUC_PLAIN_HTTP" name:"plain-http" help:"Allow plain HTTP on an address that is not loopback: a proxy ends TLS."`
	Timetable  routing.Timetable  `env:"TRUC_TIMETABLE" help:"When a failed push is tried again, as the README says."`
	Revocation signing.Revocation `env:"TRUC_REVOCATION" enum:"require,soft,off" default:"soft" help:"What a missing revocation list means: require, soft or off."`
	MaxFile    int64              `env:"TRUC_MAX_FILE" name:"max-file" default:"2147483648" help:"Largest file, bytes."`
	Rate       int                `env:"TRUC_RATE" default:"1000" help:"Requests a second for one system."`
	Workers    int                `env:"TRUC_WORKERS" default:"64" help:"Pushes in flight."`
	Node       string             `env:"TRUC_NODE" help:"Name of this node; default host and process."`
}

// Run serves until SIGTERM or SIGINT.
func (s *serveCommand) Run(c *command) (err error) {
	started := time.Now()
	in, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	up, err := s.start(c, in)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.err, "truc: ready at %s in %d ms\n", up.url, time.Since(started).Milliseconds())
	select {
	case <-c.ctx.Done():
		fmt.Fprintln(c.err, "truc: stopping; requests in flight end first")
		return up.stop()
	case err := <-up.failed:
		return errors.Join(fmt.Errorf("serve: %w", err), up.stop())
	}
}

// running is a server that listens.
type running struct {
	url    string
	server *server.Server
	http   *http.Server
	failed chan error
}

// start makes the server, listens, and runs couriers and jobs.
func (s *serveOptions) start(c *command, in *installation) (*running, error) {
	listener, err := s.listen()
	if err != nil {
		return nil, err
	}
	url := "http://" + listener.Addr().String()
	if s.TLSCert != "" {
		url = "https://" + listener.Addr().String()
	}
	public := s.PublicURL
	if public == "" {
		public = url
	}
	srv, err := server.New(c.ctx, server.Config{Store: in.store, Key: in.key, Node: s.Node, PublicURL: public, Timetable: s.Timetable,
		Revocation: s.Revocation, Limits: server.Limits{File: s.MaxFile, Rate: s.Rate}, Workers: s.Workers, Proxied: s.PlainHTTP, Log: c.log})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	if srv.Pages, err = web.New(web.Config{Server: srv, Store: in.store, Key: in.key, Log: c.log, Secure: strings.HasPrefix(public, "https://")}); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	up := &running{url: url, server: srv, failed: make(chan error, 1)}
	up.http, listener = srv.HTTP(listener)
	srv.Start(c.ctx)
	go func() { up.failed <- up.http.Serve(listener) }()
	return up, nil
}

// listen opens the port. An address that others can reach needs TLS, or the word of the operator that a proxy has it.
func (s *serveOptions) listen() (net.Listener, error) {
	host, _, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return nil, answer{exitFlags, fmt.Sprintf("--listen %q is not host:port", s.Listen)}
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return nil, answer{exitFlags, "TRUC_TLS_CERT goes with TRUC_TLS_KEY"}
	}
	if s.TLSCert == "" && !s.PlainHTTP && !loopback(host) {
		return nil, answer{exitFlags, fmt.Sprintf("%s can be reached from outside: set TRUC_TLS_CERT and TRUC_TLS_KEY, or TRUC_PLAIN_HTTP=1 behind a proxy that ends TLS", s.Listen)}
	}
	listener, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if s.TLSCert == "" {
		return listener, nil
	}
	pair, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load the TLS certificate: %w", err), listener.Close())
	}
	return tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"}}), nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// stopWithin bounds the wait for requests in flight.
const stopWithin = 30 * time.Second

// stop ends it gently: no new requests, those in flight end, pushes end, claims go back.
func (r *running) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	r.server.Drain()
	err := r.http.Shutdown(ctx)
	r.server.Stop()
	return err
}
