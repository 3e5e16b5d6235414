package server

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// maxNotice bounds a webhook's body; maxAnswer what is read of its answer.
const (
	maxNotice = 10_000
	maxAnswer = 64 << 10
)

// webhooks is the one client of all pushes. Redirects are not followed: where documents are announced is configuration,
// not something that an answer may change.
var webhooks = &http.Client{
	Timeout:       pushTimeout,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConnsPerHost: window,
		IdleConnTimeout:     90 * time.Second,
		ForceAttemptHTTP2:   true,
	},
}

// push tells a system of one item by a signed POST and reads its answer.
func (c *courier) push(ctx context.Context, claim storage.Claimed) storage.Result {
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	r := storage.Result{Claimed: claim}
	answer, err := c.call(ctx, claim)
	switch {
	case err != nil:
		r.Outcome, r.Detail = storage.Later, callFault(err)
	default:
		r.Outcome, r.Taken, r.Detail = judgeAnswer(claim, answer)
	}
	r.EndedAt = c.Now()
	c.schedule(&r)
	c.Log.Debug("pushed", "item", claim.ItemID.String(), "system", claim.Destination, "try", claim.Try, "outcome", r.Outcome, "detail", r.Detail)
	return r
}

// answered is what a webhook answered and which package it was told of.
type answered struct {
	status int
	body   []byte
	sha256 string
}

func (c *courier) call(ctx context.Context, claim storage.Claimed) (answered, error) {
	to := c.config.Load().systems[claim.Destination]
	if to == nil || to.disabled {
		return answered{}, errors.New("the system is no longer connected")
	}
	view := c.viewItem(claim.Item)
	if claim.Kind == storage.DispatchItem {
		made, err := c.packageOf(ctx, claim.DeliveryID)
		if err != nil {
			return answered{}, fmt.Errorf("package: %w", err)
		}
		view.Package = &packageView{URL: c.PublicURL + view.Package.URL, SHA256: made.SHA256, Size: made.Size}
	}
	body, err := writeNotice(view)
	if err != nil {
		return answered{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.Webhook, bytes.NewReader(body))
	if err != nil {
		return answered{}, fmt.Errorf("webhook address: %w", err)
	}
	stamp := strconv.FormatInt(c.Now().Unix(), 10)
	for name, value := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "truc", "Truc-Delivery": view.Delivery, "Truc-Item": view.Item,
		"Truc-Timestamp": stamp, "Truc-Signature": "v1=" + signNotice(to.secret, stamp, body),
	} {
		request.Header.Set(name, value)
	}
	response, err := webhooks.Do(request)
	if err != nil {
		return answered{}, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return answered{}, fmt.Errorf("answer %d broke off: %w", response.StatusCode, err)
	}
	a := answered{status: response.StatusCode, body: text}
	if view.Package != nil {
		a.sha256 = view.Package.SHA256
	}
	return a, nil
}

// writeNotice writes a webhook's body. Texts at their limits, in letters of many bytes, would go over maxNotice: then the
// long ones are cut, for what is pushed only tells of the item; the inbox and the package have them whole.
func writeNotice(view itemView) ([]byte, error) {
	for _, v := range []itemView{view, view.short()} {
		var body bytes.Buffer
		encoder := json.NewEncoder(&body)
		encoder.SetEscapeHTML(false) // six bytes for a bracket, and no browser reads it
		if err := encoder.Encode(v); err != nil {
			return nil, fmt.Errorf("write the notice: %w", err)
		}
		if body.Len() <= maxNotice {
			return body.Bytes(), nil
		}
	}
	return nil, fmt.Errorf("the notice of %s has more than %d bytes", view.Item, maxNotice)
}

// short cuts the texts that people write at length.
func (v itemView) short() itemView {
	const most = 200
	v.Dispatch.Subject = cut(v.Dispatch.Subject, most)
	if v.Receipt != nil {
		r := *v.Receipt
		r.Reason = cut(r.Reason, most)
		v.Receipt = &r
	}
	if v.Notice != nil {
		n := *v.Notice
		n.VI, n.EN = cut(n.VI, 2*most), cut(n.EN, 2*most)
		v.Notice = &n
	}
	return v
}

// signNotice is the HMAC-SHA256 over "<timestamp>.<body>" with the system's secret, in lower hex.
func signNotice(secret []byte, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// judgeAnswer is the table of answers. Only what the system says of the document itself is "never"; everything that a
// restart, a deployment or a corrected configuration can mend is "later".
func judgeAnswer(claim storage.Claimed, a answered) (outcome storage.Outcome, taken bool, detail string) {
	detail = "HTTP " + strconv.Itoa(a.status)
	switch {
	case a.status >= 200 && a.status < 300:
		if claim.Kind != storage.DispatchItem {
			return storage.Done, true, detail
		}
		var said struct {
			Taken string `json:"taken"`
		}
		if json.Unmarshal(a.body, &said) == nil && strings.EqualFold(said.Taken, a.sha256) {
			return storage.Done, true, "taken"
		}
		if said.Taken != "" {
			return storage.Later, false, "the system took other bytes: SHA-256 " + cut(said.Taken, 64)
		}
		return storage.Done, false, detail + ": told, not taken yet"
	case (a.status == http.StatusGone || a.status == http.StatusUnprocessableEntity) && claim.Kind == storage.DispatchItem:
		return storage.Never, false, detail + reasonIn(a.body)
	}
	return storage.Later, false, detail
}

// reasonIn reads a refusal's reason, for people: from {"reason": …} or problem+json.
func reasonIn(body []byte) string {
	var said struct {
		Reason string `json:"reason"`
		VI     string `json:"vi"`
		Detail string `json:"detail"`
	}
	if json.Unmarshal(body, &said) != nil {
		return ""
	}
	for _, text := range []string{said.Reason, said.VI, said.Detail} {
		if text != "" {
			return ": " + cut(text, 300)
		}
	}
	return ""
}

// cut shortens a stranger's text, at a rune's end and without control characters.
func cut(s string, most int) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if runes := []rune(clean); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return clean
}

// callFault names the cause of a failed call, in few words and without the address: the list shows it by destination.
func callFault(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return "no answer in time"
	case errors.As(err, &dns):
		return "host name not found"
	case errors.As(err, &op) && op.Op == "dial":
		return "connection refused or unreachable"
	case errors.As(err, &op):
		return "connection broke"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed without an answer"
	}
	return cut(err.Error(), 200)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// parkedFor is how long the owner of a parked delivery has to act.
const parkedFor = 24 * time.Hour

// schedule says when a result comes due again, or that it is parked with an owner.
func (c *courier) schedule(r *storage.Result) {
	switch {
	case r.Outcome == storage.Done && r.Taken:
		return
	case r.Outcome == storage.Done:
		r.Next = r.EndedAt.Add(toldFor)
		return
	case r.Outcome == storage.Never:
		r.Park, r.Reason = storage.Refused, r.Detail
	default:
		next, ok := c.Timetable.Next(r.Try, r.Urgency, r.Entered, r.EndedAt)
		if ok {
			r.Next = next
			return
		}
		r.Park, r.Reason = storage.Expired, r.Detail
	}
	r.Owner, r.Deadline = "sender", r.EndedAt.Add(parkedFor)
}
