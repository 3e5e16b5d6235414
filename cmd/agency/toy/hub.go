package toy

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Policy says what a recipient answers to a delivery: receipts in the order in which they are sent.
type Policy func(Received) []Receipt

// TakeIn answers đã đến and then đã tiếp nhận.
func TakeIn(Received) []Receipt {
	return []Receipt{{Status: Arrived, Staff: clerk}, {Status: TakenIn, Staff: clerk}}
}

// Reject answers đã đến and then từ chối tiếp nhận with the reason.
func Reject(reason string) Policy {
	return func(Received) []Receipt {
		return []Receipt{{Status: Arrived, Staff: clerk}, {Status: Rejected, Reason: reason, Staff: clerk}}
	}
}

// WorkThrough answers everything from đã đến to hoàn thành: what an agency says that takes a document in, assigns it,
// works on it and is done.
func WorkThrough(Received) []Receipt {
	var all []Receipt
	for _, s := range []Status{Arrived, TakenIn, Assigned, InProgress, Completed} {
		all = append(all, Receipt{Status: s, Staff: clerk})
	}
	return all
}

// Silent answers nothing.
func Silent(Received) []Receipt { return nil }

var clerk = Staff{Name: "Nguyễn Văn Thử", Department: "Văn thư", Email: "vanthu@example.vn"}

// Hub is a toy receiving system for one or many agencies. With Run it fetches what waits for it (pull) or only works
// off what its handler was told (push); its ServeHTTP is the webhook. With VXP it looks into the two queues of that face,
// and answers by status packets. It keeps hashes, never documents.
//
// The order is the one that every receiver needs: keep first, then say taken. A crash in between means that the
// delivery is offered once more, and its id says that it is here already.
type Hub struct {
	Client *Client
	VXP    *VXP         // in place of Client: Run looks into its queues, whatever Pull is
	Log    *ReceivedLog // may be shared
	Name   string       // in the log; "" is the system id
	Policy Policy       // nil: TakeIn
	Faults *Faults      // nil: none. A door of this hub must get the same dial
	Pull   bool         // Run fetches; else it only serves what was pushed

	Workers  int           // items at once; 0 is 4
	Wait     time.Duration // of one poll; 0 is 30 s
	Every    time.Duration // VXP: between two looks into empty queues; 0 is 1 s
	Patience Patience      // for its own calls

	// Normal gives the normal form of a code, to find whom the sender named by which of its codes (VXP); nil: as written.
	Normal func(code string) string

	// ShareFiles fetches the attachments once for each dispatch and not for each delivery, SharePackage the package
	// too. The log says of every delivery whose bytes were looked at. For mailings to thousands of agencies.
	ShareFiles, SharePackage bool

	// Later answers a push with 202 and fetches afterwards: told now, taken later.
	Later bool
	Skew  time.Duration    // how far the time in a push may be off; 0 is 5 min, below 0 any
	Now   func() time.Time // nil: time.Now
	Slog  *slog.Logger     // nil: nothing

	once  sync.Once
	tasks *tasks
	keys  *keyed
	share *share
}

func (h *Hub) init() {
	h.once.Do(func() {
		h.tasks, h.keys, h.share = newTasks(), newKeyed(), newShare()
	})
}

func (h *Hub) now() time.Time {
	if h.Now != nil {
		return h.Now()
	}
	return time.Now()
}

func (h *Hub) log() *slog.Logger {
	if h.Slog == nil {
		return slog.New(slog.DiscardHandler)
	}
	return h.Slog.With("system", h.name())
}

func (h *Hub) name() string {
	switch {
	case h.Name != "":
		return h.Name
	case h.VXP != nil:
		return h.VXP.System
	}
	return h.Client.System
}

// Run works until ctx ends and gives back why it ended; it waits for all that it started. What a hub with the same
// log still had to say before it died is said first.
func (h *Hub) Run(ctx context.Context) error {
	h.init()
	h.resume()
	g, ctx := errgroup.WithContext(ctx)
	for range h.workers() {
		g.Go(func() error { return h.tasks.work(ctx) })
	}
	switch {
	case h.VXP != nil:
		g.Go(func() error { return h.pollVXP(ctx) })
	case h.Pull:
		g.Go(func() error { return h.poll(ctx) })
	}
	return g.Wait()
}

func (h *Hub) wait() time.Duration {
	if h.Wait > 0 {
		return h.Wait
	}
	return 30 * time.Second
}

func (h *Hub) workers() int {
	if h.Workers > 0 {
		return h.Workers
	}
	return 4
}

// Idle blocks until the hub has nothing more to fetch, to take or to say of what it was told so far. What still waits
// in an inbox it does not know.
func (h *Hub) Idle(ctx context.Context) error {
	h.init()
	return h.tasks.idle(ctx)
}

// resume takes up receipts that the axis has not taken yet.
func (h *Hub) resume() {
	for _, r := range h.Log.All() {
		if r.System == h.name() {
			h.answerSoon(r)
		}
	}
}

// answerSoon sends the receipts of a delivery in the background, in order.
func (h *Hub) answerSoon(r Received) {
	policy := h.Policy
	if policy == nil {
		policy = TakeIn
	}
	var open []Receipt
	for _, x := range policy(r) {
		if !h.Log.hasSaid(r.Delivery, x.Status) {
			open = append(open, x)
		}
	}
	if len(open) > 0 {
		h.tasks.add(func(ctx context.Context) { h.answer(ctx, r, open) })
	}
}

func (h *Hub) answer(ctx context.Context, r Received, open []Receipt) {
	if h.up(ctx) != nil {
		return
	}
	leave, err := h.keys.enter(ctx, r.Delivery)
	if err != nil {
		return
	}
	defer leave()
	for _, x := range open {
		if h.Log.hasSaid(r.Delivery, x.Status) {
			continue
		}
		if x.EventTime.IsZero() {
			x.EventTime = h.now()
		}
		if _, err := h.Patience.try(ctx, func() error { return h.say(ctx, r, x) }); err != nil {
			h.log().Warn("receipt not taken", "delivery", r.Delivery, "status", x.Status, "error", err)
			return
		}
		said := Said{Delivery: r.Delivery, Status: x.Status, Reason: x.Reason, At: h.now()}
		if err := h.Log.add(receivedLine{Said: &said}); err != nil {
			h.log().Error("write log", "error", err)
		}
	}
}

func (h *Hub) say(ctx context.Context, r Received, x Receipt) error {
	if h.VXP == nil {
		return h.Client.Receipt(ctx, r.Delivery, x)
	}
	_, err := h.VXP.SendEdoc(ctx, Edoc{From: r.Agency, Queue: StatusQueue, To: []string{r.Sender}, Bytes: StatusXML(r, x)})
	return err
}
