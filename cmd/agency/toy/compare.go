package toy

import (
	"fmt"
	"slices"
)

// Pair is one acknowledged document and one recipient of it.
type Pair struct {
	DocumentID string   `json:"document_id"`
	Sender     string   `json:"sender"`
	Dispatch   string   `json:"dispatch"`
	Recipient  string   `json:"recipient"`
	Deliveries []string `json:"deliveries,omitempty"` // through which it arrived
}

// Mismatch is a document that did not arrive as it was sent.
type Mismatch struct {
	Pair
	ArrivedAs string   `json:"arrived_as,omitempty"` // another document id than the one that was sent
	Sent      []Digest `json:"sent"`
	Received  []Digest `json:"received"`
}

// Exception is an acknowledged document that need not have arrived, and why: held, recalled, refused by a policy …
type Exception struct {
	Sender     string `json:"sender,omitempty"` // "": any
	DocumentID string `json:"document_id"`
	Recipient  string `json:"recipient,omitempty"` // "": all of its recipients
	Why        string `json:"why"`
}

func (e Exception) covers(p Pair) bool {
	return e.DocumentID == p.DocumentID && (e.Sender == "" || e.Sender == p.Sender) &&
		(e.Recipient == "" || e.Recipient == p.Recipient)
}

// HeldOnes makes the exceptions for all that was held when it was acknowledged.
func HeldOnes(sent []Sent) []Exception {
	var out []Exception
	for _, s := range sent {
		if s.State == HeldBack {
			out = append(out, Exception{Sender: s.Sender, DocumentID: s.DocumentID, Why: "held at acknowledgement"})
		}
	}
	return out
}

// Result is what [Compare] found. A pair is one acknowledged document and one of its recipients.
type Result struct {
	Expected  int        `json:"expected"` // pairs, without the excepted ones
	Arrived   int        `json:"arrived"`  // of the expected
	Excepted  int        `json:"excepted"` // pairs that need not arrive
	Shared    int        `json:"shared"`   // arrived, but judged by the bytes of another delivery of the same dispatch
	Lost      []Pair     `json:"lost"`
	WrongHash []Mismatch `json:"wrong_hash"` // other files, or under another document id
	Doubled   []Pair     `json:"doubled"`    // through more than one delivery: twice in effect
	// Stray arrived although it was refused, or at an agency that nobody named.
	Stray []Received `json:"stray"`
	// Unknown arrived, but no answer to its sender is known. No fault by itself: a sender that dies before its answer
	// leaves such documents.
	Unknown []Received `json:"unknown"`
}

// OK says that nothing acknowledged was lost, damaged, doubled or led astray.
func (r Result) OK() bool {
	return len(r.Lost)+len(r.WrongHash)+len(r.Doubled)+len(r.Stray) == 0
}

// String counts everything in one line, for logs.
func (r Result) String() string {
	return fmt.Sprintf("expected %d, arrived %d (shared %d), excepted %d, lost %d, wrong hash %d, doubled %d, stray %d, unknown %d",
		r.Expected, r.Arrived, r.Shared, r.Excepted, len(r.Lost), len(r.WrongHash), len(r.Doubled), len(r.Stray), len(r.Unknown))
}

// Compare says what became of everything acknowledged, from the toys' own logs alone. Lines of sent that were refused
// are expected not to arrive. Codes must be in one form on both sides (Sender.Normal).
func Compare(sent []Sent, received []Received, exceptions ...Exception) Result {
	c := comparison{received: received, matched: make([]bool, len(received)), judged: map[string]bool{}, except: exceptions}
	c.index()
	for _, s := range sent {
		if s.Acknowledged() {
			c.judge(s)
		}
	}
	c.rest(sent)
	return c.result
}

// document is the identity of a new document. Recalls, updates and replacements repeat the original's id by custom, so
// they are told apart by their dispatch only; where the recipient was not told of one (VXP), by what they are: there, two
// recalls of the same document would be taken for one that came twice.
type document struct {
	sender, id string
	kind       Kind
}

func documentOf(sender, id string, kind Kind) document {
	if kind == "" {
		kind = KindNew
	}
	return document{sender, id, kind}
}

type comparison struct {
	received   []Received
	byDispatch map[string][]int
	byDocument map[document][]int
	matched    []bool
	judged     map[string]bool // dispatch + recipient: sent twice (gửi bổ sung, replay), judged once
	except     []Exception
	result     Result
}

func (c *comparison) index() {
	c.byDispatch, c.byDocument = map[string][]int{}, map[document][]int{}
	seen := map[string]bool{}
	for i, r := range c.received {
		if seen[r.Delivery] { // the same log read twice
			c.matched[i] = true
			continue
		}
		seen[r.Delivery] = true
		c.byDispatch[r.Dispatch] = append(c.byDispatch[r.Dispatch], i)
		if isNew(r.Kind) || r.Dispatch == "" {
			d := documentOf(r.Sender, r.DocumentID, r.Kind)
			c.byDocument[d] = append(c.byDocument[d], i)
		}
	}
}

func isNew(k Kind) bool { return k == "" || k == KindNew }

// judge looks at every recipient of one acknowledged document.
func (c *comparison) judge(s Sent) {
	candidates := append(slices.Clone(c.byDispatch[s.Dispatch]), c.byDocument[documentOf(s.Sender, s.DocumentID, s.Kind)]...)
	slices.Sort(candidates)
	candidates = slices.Compact(candidates)
	addressed, holder := map[string][]int{}, map[string][]int{}
	for _, i := range candidates {
		r := c.received[i]
		addressed[r.AddressedTo] = append(addressed[r.AddressedTo], i)
		holder[r.Agency] = append(holder[r.Agency], i)
	}
	for _, to := range s.Recipients {
		key := s.Dispatch + " " + to
		if c.judged[key] {
			continue
		}
		c.judged[key] = true
		// Whom it was addressed to comes first: after a merger two recipients share one holder.
		hits := addressed[to]
		if len(hits) == 0 {
			hits = holder[to]
		}
		c.pair(s, to, hits)
	}
}

func (c *comparison) pair(s Sent, to string, hits []int) {
	p := Pair{DocumentID: s.DocumentID, Sender: s.Sender, Dispatch: s.Dispatch, Recipient: to}
	for _, i := range hits {
		c.matched[i] = true
		p.Deliveries = append(p.Deliveries, c.received[i].Delivery)
	}
	excepted := slices.ContainsFunc(c.except, func(e Exception) bool { return e.covers(p) })
	switch {
	case excepted:
		c.result.Excepted++
	case len(hits) == 0:
		c.result.Expected++
		c.result.Lost = append(c.result.Lost, p)
	default:
		c.result.Expected++
		c.result.Arrived++
	}
	if len(hits) > 1 {
		c.result.Doubled = append(c.result.Doubled, p)
	}
	for _, i := range hits {
		c.content(s, p, c.received[i])
	}
}

// content compares what arrived with what was sent. An excepted document that arrives all the same must be right too.
func (c *comparison) content(s Sent, p Pair, r Received) {
	if r.Shared() {
		c.result.Shared++
	}
	m := Mismatch{Pair: p, Sent: s.Files, Received: r.Files}
	if r.DocumentID != s.DocumentID {
		m.ArrivedAs = r.DocumentID
	}
	same := slices.EqualFunc(s.Files, r.Files, func(a, b Digest) bool { return a.SHA256 == b.SHA256 && a.Size == b.Size })
	if !same || m.ArrivedAs != "" {
		c.result.WrongHash = append(c.result.WrongHash, m)
	}
}

// rest sorts what arrived without being expected.
func (c *comparison) rest(sent []Sent) {
	dispatches, refused := map[string]bool{}, map[document]bool{}
	for _, s := range sent {
		if s.Acknowledged() {
			dispatches[s.Dispatch] = true
		} else if isNew(s.Kind) {
			refused[documentOf(s.Sender, s.DocumentID, s.Kind)] = true
		}
	}
	for _, s := range sent { // refused once and acknowledged at another time is acknowledged
		if s.Acknowledged() {
			delete(refused, documentOf(s.Sender, s.DocumentID, s.Kind))
		}
	}
	for i, r := range c.received {
		switch {
		case c.matched[i]:
		case dispatches[r.Dispatch], isNew(r.Kind) && refused[documentOf(r.Sender, r.DocumentID, r.Kind)]:
			c.result.Stray = append(c.result.Stray, r)
		default:
			c.result.Unknown = append(c.result.Unknown, r)
		}
	}
}
