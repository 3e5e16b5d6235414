package toy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Inbox gives what waits for this system, urgent first. It returns at once when something waits, else after at most
// wait (the axis has its own maximum) with nothing. An item stays until Taken ends it. limit 0 leaves it to the axis.
func (c *Client) Inbox(ctx context.Context, wait time.Duration, limit int) ([]Item, error) {
	q := url.Values{}
	if wait > 0 {
		q.Set("wait", wait.String())
	}
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	var page struct {
		Items []Item `json:"items"`
	}
	err := c.get(ctx, "/inbox", q, wait, &page)
	return page.Items, err
}

// Taken says that this system has the item and keeps it: only then is a delivery "delivered". sha256 is the hash of
// the package as received ("" when it was not read, or for receipts and notices); the axis answers 409 when it is not
// what it sent. Saying it twice does no harm.
func (c *Client) Taken(ctx context.Context, item, sha256 string) error {
	var body any
	if sha256 != "" {
		body = map[string]string{"sha256": sha256}
	}
	return c.post(ctx, "/inbox/"+url.PathEscape(item)+"/taken", body, nil)
}

// Package streams a delivery's package (edXML) to w and gives what its bytes really are. It is a *MismatchError when
// they do not hash to what the axis promised in ETag; w has them all the same.
func (c *Client) Package(ctx context.Context, delivery string, w io.Writer) (Digest, error) {
	return c.download(ctx, "/deliveries/"+url.PathEscape(delivery)+"/package", "package", w)
}

// Attachment streams the n-th file (from 1) of a delivery to w and gives what its bytes really are. It is a
// *MismatchError when they do not hash to what the axis promised in ETag.
func (c *Client) Attachment(ctx context.Context, delivery string, n int, w io.Writer) (Digest, error) {
	path := fmt.Sprintf("/deliveries/%s/attachments/%d", url.PathEscape(delivery), n)
	return c.download(ctx, path, fmt.Sprintf("attachment %d", n), w)
}

func (c *Client) download(ctx context.Context, path, what string, w io.Writer) (Digest, error) {
	res, err := c.do(ctx, call{method: http.MethodGet, path: path, want: []int{http.StatusOK}})
	if err != nil {
		return Digest{}, err
	}
	defer res.Body.Close()
	d := newDigester(w)
	// Too few bytes are an unexpected EOF here, for the length was announced.
	if _, err := io.Copy(d, res.Body); err != nil {
		return Digest{}, fmt.Errorf("read %s: %w", what, err)
	}
	got := d.digest("")
	promised := strings.Trim(strings.TrimPrefix(res.Header.Get("ETag"), "W/"), `"`)
	if promised != "" && promised != got.SHA256 {
		return got, &MismatchError{What: what, Want: promised, Got: got.SHA256}
	}
	return got, nil
}

// Contents is the JSON form of a package: what it holds, without the files' bytes.
type Contents struct {
	Delivery    string          `json:"delivery"`
	AddressedTo string          `json:"addressed_to"`
	Agency      string          `json:"agency"`
	State       State           `json:"state"`
	Dispatch    string          `json:"dispatch"` // its id
	SenderName  string          `json:"sender_name,omitempty"`
	Metadata    json.RawMessage `json:"metadata,omitempty"` // what the sender wrote; a Dispatch when it came by this API
	Verdict     string          `json:"verdict,omitempty"`
	AcceptedAt  time.Time       `json:"accepted_at,omitzero"`
	Attachments []Attached      `json:"attachments"`
}

// Contents lists what a delivery holds.
func (c *Client) Contents(ctx context.Context, delivery string) (Contents, error) {
	var out Contents
	err := c.get(ctx, "/deliveries/"+url.PathEscape(delivery)+"/package", nil, 0, &out)
	return out, err
}

// Receipt says what became of a delivery at the recipient. Saying the same twice does no harm.
func (c *Client) Receipt(ctx context.Context, delivery string, r Receipt) error {
	return c.post(ctx, "/deliveries/"+url.PathEscape(delivery)+"/receipts", r, nil)
}
