package toy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FaultName names one way in which a receiving system misbehaves.
type FaultName string

// The faults. "Stored" ones do their work first and fail only then; see Fault.Stored.
const (
	Down        FaultName = "down"     // connections are refused; with a probability below 1 they are reset at once
	Slow        FaultName = "slow"     // everything happens, but Delay later
	Hang        FaultName = "hang"     // no answer until the caller gives up (or Delay has passed, then a reset)
	AnswerCode  FaultName = "status"   // the answer is Status; with Retry-After when RetryAfter is set
	LoseAnswer  FaultName = "lose"     // the work is done and stored; the connection closes without an answer
	AnswerTwice FaultName = "twice"    // the work is done; the same answer comes twice on one connection
	WrongJSON   FaultName = "json"     // 200 with a body that is no JSON
	Redirect    FaultName = "redirect" // 307 to the same place, marked, so that Followed can count who goes there
	Reset       FaultName = "reset"    // the connection is reset after Bytes bytes of the answer
	Cut         FaultName = "cut"      // the connection is reset after Bytes bytes of the request's body were read
	ExpiredTLS  FaultName = "tls"      // new connections get an expired certificate (Certificates.Config)
	Drip        FaultName = "drip"     // the answer comes one byte at a time, Delay apart (slow-loris)

	// What only a hub plays that fetches over VXP; it knows Slow, LoseAnswer and AnswerTwice (done is said twice) too.
	Crash      FaultName = "crash"      // nothing happens after getEdoc; with Stored the packet is kept first
	FailPacket FaultName = "fail"       // fail is reported with Reason in place of done, and the packet is not kept
	Processing FaultName = "processing" // processing is reported, and then done
)

// httpFaults are those that one request can meet, in the order in which they are drawn: the first that hits is
// played, Slow may go before it.
var httpFaults = []FaultName{Down, Slow, Cut, Hang, AnswerCode, Redirect, WrongJSON, LoseAnswer, AnswerTwice, Reset, Drip}

// vxpFaults are those that one packet can meet at a hub that fetches over VXP.
var vxpFaults = []FaultName{Slow, LoseAnswer, AnswerTwice, Crash, FailPacket, Processing}

var faultOrder = append(append([]FaultName{ExpiredTLS}, httpFaults...), Crash, FailPacket, Processing)

// Fault is one setting of the dial.
type Fault struct {
	Name       FaultName
	P          float64       // probability for each request, 0 … 1
	Delay      time.Duration // Slow, Hang, Drip
	Status     int           // AnswerCode
	RetryAfter time.Duration // AnswerCode, in whole seconds
	Bytes      int           // Reset, Cut
	Reason     string        // FailPacket; ASCII, for the SDK can send nothing else
	// Stored does the real work before the fault: failed, but stored. LoseAnswer and AnswerTwice always do; Down and
	// Cut cannot.
	Stored bool
}

// ParseFault reads the text form: a name, then options after colons, for example "down", "slow:delay=2s",
// "status:status=503:retry=5s:p=0.3", "reset:bytes=12:stored". Without p the fault always hits.
func ParseFault(s string) (Fault, error) {
	name, rest, _ := strings.Cut(s, ":")
	f := Fault{Name: FaultName(name), P: 1}
	for o := range strings.SplitSeq(rest, ":") {
		if o == "" {
			continue
		}
		if err := f.option(o); err != nil {
			return Fault{}, fmt.Errorf("fault %q: %w", s, err)
		}
	}
	if err := f.check(); err != nil {
		return Fault{}, fmt.Errorf("fault %q: %w", s, err)
	}
	return f, nil
}

func (f *Fault) option(o string) (err error) {
	key, v, _ := strings.Cut(o, "=")
	switch key {
	case "p":
		f.P, err = strconv.ParseFloat(v, 64)
	case "delay":
		f.Delay, err = time.ParseDuration(v)
	case "status":
		f.Status, err = strconv.Atoi(v)
	case "retry":
		f.RetryAfter, err = time.ParseDuration(v)
	case "bytes":
		f.Bytes, err = strconv.Atoi(v)
	case "reason":
		f.Reason = v
	case "stored":
		f.Stored = true
	default:
		err = fmt.Errorf("unknown option %q; there are p, delay, status, retry, bytes, reason, stored", key)
	}
	return err
}

func (f *Fault) check() error {
	switch {
	case !slices.Contains(faultOrder, f.Name):
		return fmt.Errorf("unknown fault %q; there are %v", f.Name, faultOrder)
	case !(f.P >= 0 && f.P <= 1): // NaN too
		return fmt.Errorf("probability %v is not between 0 and 1", f.P)
	case f.Name == AnswerCode && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status %d is not between 200 and 599", f.Status)
	case f.Delay < 0 || f.Bytes < 0 || f.RetryAfter < 0:
		return fmt.Errorf("a delay or a number of bytes is below 0")
	case strings.ContainsFunc(f.Reason, func(r rune) bool { return r < ' ' || r > '~' || r == ':' }):
		return fmt.Errorf("reason %q is not plain ASCII without a colon", f.Reason)
	case f.Name == Drip && f.Delay == 0:
		f.Delay = 100 * time.Millisecond
	case f.Name == FailPacket && f.Reason == "":
		f.Reason = "loi he thong ben nhan"
	}
	if f.Name == LoseAnswer || f.Name == AnswerTwice {
		f.Stored = true
	}
	return nil
}

// String gives the text form that ParseFault reads.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(string(f.Name))
	add := func(is bool, format string, v any) {
		if is {
			fmt.Fprintf(&b, ":"+format, v)
		}
	}
	add(f.P != 1, "p=%v", f.P)
	add(f.Delay != 0, "delay=%v", f.Delay)
	add(f.Status != 0, "status=%v", f.Status)
	add(f.RetryAfter != 0, "retry=%v", f.RetryAfter)
	add(f.Bytes != 0, "bytes=%v", f.Bytes)
	add(f.Reason != "", "reason=%v", f.Reason)
	if f.Stored && f.Name != LoseAnswer && f.Name != AnswerTwice {
		b.WriteString(":stored")
	}
	return b.String()
}

// MarshalText gives the text form.
func (f Fault) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads the text form.
func (f *Fault) UnmarshalText(b []byte) (err error) {
	*f, err = ParseFault(string(b))
	return err
}
