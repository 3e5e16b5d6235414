package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// HTTP returns a server of every face of this node, and the listener to give to its Serve: l, with each connection
// watched while its caller is not known yet. l may be a TLS listener of crypto/tls. Header sizes and times are Limits'.
func (s *Server) HTTP(l net.Listener) (*http.Server, net.Listener) {
	faces := s.Handler()
	return &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c := connOf(r.Context()); c != nil {
				c.headerDone()
			}
			faces.ServeHTTP(w, r)
		}),
		MaxHeaderBytes:    vxpHeaders,
		ReadHeaderTimeout: s.Limits.HeaderTime,
		IdleTimeout:       2 * time.Minute,
		// Each route sets its own, shorter deadlines; this one begins each request anew, so that none is inherited from
		// the request before on the same connection.
		WriteTimeout: 35 * time.Minute,
		ErrorLog:     slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
		ConnState: func(c net.Conn, state http.ConnState) {
			if w, ok := c.(interface{ headerBegins() }); ok && state == http.StateIdle {
				w.headerBegins()
			}
		},
	}, &listener{Listener: l, server: s}
}

// listener watches the connections that it accepts.
type listener struct {
	net.Listener
	server *Server
}

// Accept returns the next connection, watched.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	watched := &conn{Conn: c, server: l.server}
	if secured, ok := c.(*tls.Conn); ok {
		return secureConn{watched, secured}, nil
	}
	return watched, nil
}

// conn is a connection on which net/http reads headers before anything of ours runs. While it does, what it reads is
// counted and bounded (see headroom), and what net/http answers by itself is put in the words of the face (see refuse).
type conn struct {
	net.Conn
	server *Server

	mu       sync.Mutex // net/http reads ahead while a handler runs
	handling bool       // a handler has the request: its body is read now
	read     int64      // bytes of the header
	lent     int64      // of them, those that headroom lent
	first    []byte     // how the header begins: method and path
	full     bool       // headroom had no more
}

// firstBytes is how much of a header is remembered to know which face it is for.
const firstBytes = 128

// errHeadroom ends a connection whose header finds no room. It is none of the errors that net/http is silent about.
var errHeadroom = errors.New("too many bytes from callers who are not known yet")

// Read reads, and counts what is a header's.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if refused := plainOverTLS(err); refused != nil {
		c.refuse(refused, http.StatusBadRequest)
		return 0, net.ErrClosed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handling || n == 0 {
		return n, err
	}
	if room := firstBytes - len(c.first); room > 0 {
		c.first = append(c.first, p[:min(n, room)]...)
	}
	c.read += int64(n)
	if more := c.read - freeHeader - c.lent; more > 0 {
		if !c.server.room.borrow(more, c.server.Limits.Headroom) {
			c.full = true
			return 0, errHeadroom
		}
		c.lent += more
	}
	return n, err
}

// Write writes. Before a handler runs only net/http itself writes, and only to refuse what it could not read: with a line of
// text, which clients of the VXP face would take for an empty list.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	status := 0
	if !c.handling {
		status = statusOf(p)
	}
	c.mu.Unlock()
	if status < 400 {
		return c.Conn.Write(p)
	}
	c.refuse(c.Conn, status)
	return len(p), nil
}

// headerDone says that a handler has the request now.
func (c *conn) headerDone() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handling = true
}

// headerBegins says that the request is over and the next one's header may come.
func (c *conn) headerBegins() {
	c.repay()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handling, c.read, c.first = false, 0, c.first[:0]
}

// repay gives back what headroom lent: the caller is known, or gone.
func (c *conn) repay() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server.room.repay(c.lent)
	c.read, c.lent = c.read-c.lent, 0
}

// Close closes the connection and gives back what it borrowed.
func (c *conn) Close() error {
	c.repay()
	return c.Conn.Close()
}

// CloseWrite says that nothing more will be written. net/http does so before it closes, so that its answer arrives.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// secureConn is a conn over TLS. net/http takes the state for the request from it.
type secureConn struct {
	*conn
	secured *tls.Conn
}

// ConnectionState returns what the two sides agreed on.
func (c secureConn) ConnectionState() tls.ConnectionState { return c.secured.ConnectionState() }

type connKey struct{}

// connOf finds the connection that a request came on; nil where it came on none of ours.
func connOf(ctx context.Context) *conn {
	switch c := ctx.Value(connKey{}).(type) {
	case *conn:
		return c
	case secureConn:
		return c.conn
	}
	return nil
}
