package toy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Problem is a refusal of the axis: application/problem+json with its HTTP status. It is an error.
type Problem struct {
	Status      int           `json:"http_status,omitempty"` // the HTTP status; not on the wire
	Code        string        `json:"code"`
	Field       string        `json:"field,omitempty"`
	VI          string        `json:"vi"`
	EN          string        `json:"en"`
	ID          string        `json:"id,omitempty"` // what to quote to the axis's operators
	Problems    []Problem     `json:"problems,omitempty"`
	Suggestions []Named       `json:"suggestions,omitempty"` // codes that may have been meant
	Successors  []Named       `json:"successors,omitempty"`  // of a closed agency
	Existing    string        `json:"existing,omitempty"`    // the dispatch that the sender and document id stand for
	RetryAfter  time.Duration `json:"-"`                     // 0: the axis did not say
}

// Named is an agency's code with its name.
type Named struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Error gives the status, the code, the field and the sentence in both languages.
func (p *Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s", p.Status, p.Code)
	if p.Field != "" {
		fmt.Fprintf(&b, " (%s)", p.Field)
	}
	fmt.Fprintf(&b, ": %s / %s", p.VI, p.EN)
	for _, q := range p.Problems {
		fmt.Fprintf(&b, "; %s %s: %s / %s", q.Code, q.Field, q.VI, q.EN)
	}
	if p.ID != "" {
		fmt.Fprintf(&b, " [%s]", p.ID)
	}
	return b.String()
}

// Later says that the same request may succeed later, unchanged: the axis is busy (408, 425, 429) or unwell (5xx, or
// system error over VXP, which comes with any HTTP status).
func (p *Problem) Later() bool {
	if p.Code == vxpSystemError {
		return true
	}
	switch p.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return p.Status >= 500
}

// MismatchError says that bytes do not hash to what was promised.
type MismatchError struct {
	What      string // "package", "attachment 2" …
	Want, Got string // SHA-256, lower hex
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("%s: SHA-256 is %s, promised was %s", e.What, e.Got, e.Want)
}

// LocalError is a fault on our own side, such as a file that cannot be read: trying again will not mend it.
type LocalError struct {
	Name string
	Err  error
}

func (e *LocalError) Error() string { return e.Name + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *LocalError) Unwrap() error { return e.Err }

// ErrUnreadable marks a 2xx whose body is not what the contract says. What happened is unknown, so it counts as later.
var ErrUnreadable = errors.New("unreadable answer")

// Refusal gives the final refusal inside err: a problem that repeating the request cannot change.
func Refusal(err error) (*Problem, bool) {
	var p *Problem
	if errors.As(err, &p) && !p.Later() {
		return p, true
	}
	return nil, false
}

// Again says whether a call that ended with err is worth repeating unchanged, and the least time to wait before.
// Everything that leaves the outcome unknown (refused connection, reset, time-out, unreadable answer) is: the axis
// knows a document by its sender and id, and a delivery by its id, so that repeating does no harm.
func Again(err error) (bool, time.Duration) {
	var local *LocalError
	var wrong *MismatchError
	var p *Problem
	switch {
	case err == nil, errors.As(err, &local), errors.As(err, &wrong):
		return false, 0
	case errors.As(err, &p):
		return p.Later(), p.RetryAfter
	}
	return !errors.Is(err, context.Canceled), 0
}

// maxProblem bounds what is read of a refusal: a stranger writes it.
const maxProblem = 1 << 20

func readProblem(r *http.Response, now time.Time) *Problem {
	p := &Problem{}
	b, err := io.ReadAll(io.LimitReader(r.Body, maxProblem))
	if err != nil || json.Unmarshal(b, p) != nil || p.Code == "" {
		p = &Problem{Code: "http_" + strconv.Itoa(r.StatusCode), VI: "trục trả lời " + r.Status, EN: "the axis answered " + r.Status}
	}
	p.Status = r.StatusCode
	p.RetryAfter = retryAfter(r.Header.Get("Retry-After"), now)
	return p
}

// retryAfter reads both forms of RFC 9110, 10.2.3; nonsense and the past are 0, and more than a day is a day.
func retryAfter(h string, now time.Time) time.Duration {
	const most = 24 * time.Hour
	var d time.Duration
	if s, err := strconv.Atoi(strings.TrimSpace(h)); err == nil {
		d = time.Duration(min(s, int(most/time.Second))) * time.Second
	} else if t, err := http.ParseTime(h); err == nil {
		d = t.Sub(now)
	}
	return max(0, min(d, most))
}
