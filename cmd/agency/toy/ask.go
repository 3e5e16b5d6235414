package toy

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Dispatch asks where a dispatch stands. Its deliveries come in pages: begin with after "" and go on with
// Answer.Next until that is "". limit 0 leaves the size of a page to the axis.
func (c *Client) Dispatch(ctx context.Context, id string, after Cursor, limit int) (Answer, error) {
	a := Answer{HTTPStatus: http.StatusOK}
	// A delivery's id says its number too, and only that is asked for.
	after = Cursor(strings.TrimPrefix(string(after), id+"."))
	err := c.get(ctx, "/dispatches/"+url.PathEscape(id), page(after, limit), 0, &a)
	return a, err
}

// Query narrows a list; empty fields do not.
type Query struct {
	Sender, DocumentID string // of dispatches
	From, To           string // of dispatches: days, "2006-01-02", Vietnam time
	Agency             string // of deliveries: one of the system's own agencies
	State              State  // of deliveries
	After              Cursor
	Limit              int
}

// Dispatches lists what this system's agencies sent, newest first.
func (c *Client) Dispatches(ctx context.Context, q Query) ([]Summary, Cursor, error) {
	v := page(q.After, q.Limit)
	set(v, "sender", q.Sender)
	set(v, "document_id", q.DocumentID)
	set(v, "from", q.From)
	set(v, "to", q.To)
	var out struct {
		Dispatches []Summary `json:"dispatches"`
		Next       Cursor    `json:"next"`
	}
	err := c.get(ctx, "/dispatches", v, 0, &out)
	return out.Dispatches, out.Next, err
}

// Deliveries lists what this system's agencies received, newest first, at most 1,000 a page.
func (c *Client) Deliveries(ctx context.Context, q Query) ([]Delivery, Cursor, error) {
	v := page(q.After, q.Limit)
	set(v, "agency", q.Agency)
	set(v, "state", string(q.State))
	var out struct {
		Deliveries []Delivery `json:"deliveries"`
		Next       Cursor     `json:"next"`
	}
	err := c.get(ctx, "/deliveries", v, 0, &out)
	return out.Deliveries, out.Next, err
}

// Proof streams the axis's own signed statement that it accepted a dispatch (giấy xác nhận của trục) to w: a CMS
// with the statement inside.
func (c *Client) Proof(ctx context.Context, dispatch string, w io.Writer) (Digest, error) {
	return c.download(ctx, "/dispatches/"+url.PathEscape(dispatch)+"/proof", "proof", w)
}

// PlanRequest is a dispatch in outline: whom it would go to, with which files.
type PlanRequest struct {
	Sender     string        `json:"sender"`
	Recipients []string      `json:"recipients"`
	Files      []PlannedFile `json:"files,omitempty"`
}

// PlannedFile is a file by name and size only.
type PlannedFile struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

// Plan is what a dispatch would meet.
type Plan struct {
	OK         bool               `json:"ok"`
	Recipients []PlannedRecipient `json:"recipients"`
	Faults     []Problem          `json:"faults"`
	Warnings   []Problem          `json:"warnings"` // doubled recipients, for example
	Limits     Limits             `json:"limits"`
}

// PlannedRecipient is one recipient as the axis understands its code.
type PlannedRecipient struct {
	Given     string `json:"given"`
	Code      string `json:"code"`
	Name      string `json:"name"`
	Connected bool   `json:"connected"`
	System    string `json:"system,omitempty"`
	Way       string `json:"way,omitempty"`
	Limit     int64  `json:"limit_bytes"`
}

// Limits are what one dispatch may hold.
type Limits struct {
	File       int64  `json:"file_bytes"`
	Dispatch   int64  `json:"dispatch_bytes"`
	Way        string `json:"way,omitempty"` // the way that limits Dispatch
	Files      int    `json:"files"`
	Recipients int    `json:"recipients"`
	Metadata   int64  `json:"metadata_bytes"`
}

// Plan asks what would happen to a dispatch: recipients unknown, closed or doubled, limits. Nothing is sent.
func (c *Client) Plan(ctx context.Context, p PlanRequest) (Plan, error) {
	var out Plan
	err := c.post(ctx, "/plan", p, &out)
	return out, err
}

// Agency looks one agency up by either form of its code; the answer is given as it came.
func (c *Client) Agency(ctx context.Context, code string) (json.RawMessage, error) {
	var out json.RawMessage
	err := c.get(ctx, "/agencies/"+url.PathEscape(code), nil, 0, &out)
	return out, err
}

// Agencies searches agencies by name or code, accents or not; the answer is given as it came.
func (c *Client) Agencies(ctx context.Context, q string, limit int) (json.RawMessage, error) {
	v := page("", limit)
	set(v, "q", q)
	var out json.RawMessage
	err := c.get(ctx, "/agencies", v, 0, &out)
	return out, err
}

func page(after Cursor, limit int) url.Values {
	v := url.Values{}
	set(v, "after", string(after))
	if limit > 0 {
		v.Set("limit", strconv.Itoa(limit))
	}
	return v
}

func set(v url.Values, name, value string) {
	if value != "" {
		v.Set(name, value)
	}
}
