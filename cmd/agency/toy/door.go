package toy

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Door is the listening side of a toy: an HTTP/1.1 server whose dial can close it, so that connections are refused,
// and open it again at the same address.
type Door struct {
	addr    string // with the port that was found
	scheme  string
	handler http.Handler
	faults  *Faults
	tls     *tls.Config
	hold    io.Closer // keeps the port ours while the door is shut
	stop    func()

	mu     sync.Mutex
	server *http.Server // nil: shut
	closed bool
	work   sync.WaitGroup // servers and handlers
	ctx    context.Context
	cancel context.CancelFunc
}

// OpenDoor listens on addr, for example "127.0.0.1:0", and serves h behind the dial. f may be nil. With conf it
// speaks TLS. Close it at the end.
func OpenDoor(addr string, h http.Handler, f *Faults, conf *tls.Config) (*Door, error) {
	hold, addr, err := holdPort(addr)
	if err != nil {
		return nil, err
	}
	d := &Door{addr: addr, scheme: "http", handler: f.Wrap(h), faults: f, hold: hold, stop: func() {}}
	if conf != nil {
		d.scheme, d.tls = "https", conf.Clone()
		d.tls.NextProtos = []string{"http/1.1"}
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	if err := d.turn(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if f != nil {
		d.stop = f.onChange(d.turn)
	}
	return d, nil
}

// URL is where the door is, or would be if it were open: scheme, host and port, without a slash at the end.
func (d *Door) URL() string { return d.scheme + "://" + d.addr }

// turn opens or shuts the door as the dial says. Shutting it breaks what is under way, as a crash would.
func (d *Door) turn() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	shut := d.closed || d.faults.shut()
	switch {
	case shut && d.server != nil:
		s := d.server
		d.server = nil
		return s.Close()
	case !shut && d.server == nil:
		if err := d.listen(); err != nil {
			return err
		}
	}
	if d.server != nil && d.tls != nil {
		// Connections that are open already would not see a certificate that expires now.
		d.server.SetKeepAlivesEnabled(!d.faults.has(ExpiredTLS))
	}
	return nil
}

func (d *Door) listen() error {
	l, err := net.Listen("tcp", d.addr)
	if err != nil {
		return err
	}
	if d.tls != nil {
		l = tls.NewListener(l, d.tls)
	}
	s := &http.Server{
		Handler:           d.tracked(),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		BaseContext:       func(net.Listener) context.Context { return d.ctx },
		ErrorLog:          log.New(io.Discard, "", 0), // broken connections are what a dial is for
	}
	d.server = s
	d.work.Go(func() { s.Serve(l) }) // ends by Close, always with an error
	return nil
}

// tracked counts handlers in, for http.Server.Close does not wait for them.
func (d *Door) tracked() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		if d.closed {
			d.mu.Unlock()
			panic(http.ErrAbortHandler)
		}
		d.work.Add(1)
		d.mu.Unlock()
		defer d.work.Done()
		d.handler.ServeHTTP(w, r)
	})
}

// Close shuts the door for good and waits until nothing of it runs any more.
func (d *Door) Close() error {
	d.stop()
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	err := d.turn()
	d.cancel()
	d.work.Wait()
	return errors.Join(err, d.hold.Close())
}
