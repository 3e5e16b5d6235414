package toy

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

const redirectMark = "toy-followed"

// Wrap puts the dial before a receiving system.
func (f *Faults) Wrap(next http.Handler) http.Handler {
	if f == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has(redirectMark) {
			f.mu.Lock()
			f.followed++
			f.mu.Unlock()
		}
		for _, x := range f.draw(httpFaults...) {
			if x.Name != Slow {
				f.play(x, w, r, next)
				return
			}
			if sleep(r.Context(), x.Delay) != nil {
				panic(http.ErrAbortHandler) // the caller gave up, or the door closed
			}
		}
		next.ServeHTTP(w, r)
	})
}

// play answers one request wrongly.
func (f *Faults) play(x Fault, w http.ResponseWriter, r *http.Request, next http.Handler) {
	rec := &recorder{header: http.Header{}, code: http.StatusOK}
	if x.Stored {
		next.ServeHTTP(rec, r)
	}
	switch x.Name {
	case Down:
		abort(w)
	case Cut:
		io.CopyN(io.Discard, r.Body, int64(x.Bytes)) // a shorter body is as good
		abort(w)
	case Hang:
		f.hang(x, w, r)
	case AnswerCode:
		if x.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(x.RetryAfter/time.Second)))
		}
		http.Error(w, "fault dial", x.Status)
	case Redirect:
		http.Redirect(w, r, r.URL.Path+"?"+redirectMark, http.StatusTemporaryRedirect)
	case WrongJSON:
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"taken": nobody`) // an answer that cannot be written is as bad as meant
	case LoseAnswer:
		hijack(w).Close()
	default:
		f.raw(x, w, r, rec, next)
	}
}

// raw plays the faults that act on the bytes of an answer.
func (f *Faults) raw(x Fault, w http.ResponseWriter, r *http.Request, rec *recorder, next http.Handler) {
	if x.Name == Drip && !x.Stored {
		next.ServeHTTP(rec, r) // a slow answer is a true one
	}
	b := rec.wire(r)
	conn := hijack(w)
	defer conn.Close()
	switch x.Name {
	case AnswerTwice:
		conn.Write(append(b, b...)) // the caller may be gone: its affair
	case Reset:
		conn.Write(b[:min(x.Bytes, len(b))])
		reset(conn)
	case Drip:
		for i := range b {
			if _, err := conn.Write(b[i : i+1]); err != nil || sleep(r.Context(), x.Delay) != nil {
				return
			}
		}
	}
}

// hang reads the request, so that the server sees when the caller gives up, and waits for that.
func (f *Faults) hang(x Fault, w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, io.LimitReader(r.Body, 1<<20)) // whatever comes
	var over <-chan time.Time
	if x.Delay > 0 {
		t := time.NewTimer(x.Delay)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-r.Context().Done():
	case <-f.next():
	case <-over:
	}
	abort(w)
}

// hijack takes the connection away from the server. The doors speak HTTP/1.1 only, so that it can be taken.
func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return conn
}

func abort(w http.ResponseWriter) {
	conn := hijack(w)
	reset(conn)
	conn.Close()
}

// reset makes the next Close send RST in place of FIN.
func reset(conn net.Conn) {
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn()
	}
	if t, ok := conn.(*net.TCPConn); ok {
		t.SetLinger(0) // fails only on a closed connection
	}
}

// recorder keeps an answer that is not sent yet.
type recorder struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
func (r *recorder) WriteHeader(code int)        { r.code = code }

// wire gives the answer as it would go over the connection.
func (r *recorder) wire(req *http.Request) []byte {
	res := http.Response{
		StatusCode: r.code, ProtoMajor: 1, ProtoMinor: 1, Header: r.header, Request: req,
		ContentLength: int64(r.body.Len()), Body: io.NopCloser(bytes.NewReader(r.body.Bytes())),
	}
	var b bytes.Buffer
	if err := res.Write(&b); err != nil { // a buffer takes everything
		panic(err)
	}
	return b.Bytes()
}
