package toy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Client talks to the native API (/api/v1) for one connected system. It is safe for concurrent use. Its errors are a
// [*Problem] when the axis refused, else what went wrong on the way; [Again] says which are worth repeating.
type Client struct {
	Base   string // scheme and host of the axis, for example "https://truc.example"
	System string // system id
	Secret string

	HTTP  *http.Client  // must not follow redirects; NewClient makes one that does not
	Quiet time.Duration // the longest silence in either direction before a call is given up; 0 is one minute
}

// NewClient makes a client with connections of its own. Close it at the end.
func NewClient(base, system, secret string) *Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 64
	t.DisableCompression = true // hashes are of the bytes as sent
	return &Client{
		Base: strings.TrimSuffix(base, "/"), System: system, Secret: secret,
		HTTP: &http.Client{
			Transport: t,
			// A redirect would carry the secret to whoever it names.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Close gives back idle connections. Calls in flight go on.
func (c *Client) Close() { c.HTTP.CloseIdleConnections() }

func (c *Client) quiet() time.Duration {
	if c.Quiet > 0 {
		return c.Quiet
	}
	return time.Minute
}

// call is one request to be made.
type call struct {
	method, path string
	query        url.Values
	header       http.Header
	body         io.Reader
	length       int64         // of body; -1 when unknown
	patience     time.Duration // silence allowed beyond Client.Quiet, as for a long poll
	want         []int         // statuses that are success; none: any 2xx
}

// do makes the request and gives back an answer whose status is wanted; everything but a 2xx is a *Problem.
// The caller closes the body.
func (c *Client) do(ctx context.Context, k call) (*http.Response, error) {
	ctx, watch := newWatch(ctx, c.quiet()+k.patience)
	req, err := c.request(ctx, k, watch)
	if err != nil {
		watch.stop()
		return nil, &LocalError{Name: k.method + " " + k.path, Err: err}
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		err = watch.explain(err)
		watch.stop()
		return nil, err
	}
	res.Body = &watched{ReadCloser: res.Body, watch: watch, last: true}
	if k.wants(res.StatusCode) {
		return res, nil
	}
	defer res.Body.Close()
	if res.StatusCode < 300 { // a success, but not the one that was asked for
		return nil, fmt.Errorf("%w: %s", ErrUnreadable, res.Status)
	}
	return nil, readProblem(res, time.Now())
}

func (k call) wants(status int) bool {
	if len(k.want) == 0 {
		return status >= 200 && status < 300
	}
	return slices.Contains(k.want, status)
}

func (c *Client) request(ctx context.Context, k call, w *watch) (*http.Request, error) {
	u := c.Base + "/api/v1" + k.path
	if len(k.query) > 0 {
		u += "?" + k.query.Encode()
	}
	var body io.Reader
	if k.body != nil {
		body = &watched{ReadCloser: readCloser(k.body), watch: w}
	}
	req, err := http.NewRequestWithContext(ctx, k.method, u, body)
	if err != nil {
		return nil, err
	}
	if k.body != nil {
		req.ContentLength = k.length
	}
	for name, v := range k.header {
		req.Header[name] = v
	}
	req.SetBasicAuth(c.System, c.Secret)
	return req, nil
}

func readCloser(r io.Reader) io.ReadCloser {
	if rc, ok := r.(io.ReadCloser); ok {
		return rc
	}
	return io.NopCloser(r)
}

// maxJSON bounds a JSON answer: a page of 1,000 deliveries with attempts stays far below.
const maxJSON = 64 << 20

// get asks for JSON and decodes it into v.
func (c *Client) get(ctx context.Context, path string, q url.Values, patience time.Duration, v any) error {
	k := call{method: http.MethodGet, path: path, query: q, patience: patience, want: []int{http.StatusOK}}
	k.header = http.Header{"Accept": {"application/json"}}
	res, err := c.do(ctx, k)
	if err != nil {
		return err
	}
	return decode(res, v)
}

// post sends v as JSON (nothing when v is nil) and decodes the answer into out unless that is nil.
func (c *Client) post(ctx context.Context, path string, v, out any) error {
	k := call{method: http.MethodPost, path: path}
	if v != nil {
		b, err := json.Marshal(v)
		if err != nil {
			return &LocalError{Name: path, Err: err}
		}
		k.body, k.length = strings.NewReader(string(b)), int64(len(b))
		k.header = http.Header{"Content-Type": {"application/json"}}
	}
	res, err := c.do(ctx, k)
	if err != nil {
		return err
	}
	if out == nil {
		return drain(res)
	}
	return decode(res, out)
}

// decode reads a JSON answer to its end, so that the connection can be used again, and closes it.
func decode(res *http.Response, v any) error {
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxJSON))
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %v", ErrUnreadable, err)
	}
	return nil
}

func drain(res *http.Response) error {
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, maxJSON)); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}

var errQuiet = errors.New("no byte moved for too long")
