package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

type benchVXP struct {
	Seconds int  `env:"TRUC_BENCH_SECONDS" default:"30" help:"How long, half of it for the floor."`
	Clients int  `env:"TRUC_BENCH_CLIENTS" default:"8" help:"Clients at once."`
	Packet  int  `env:"TRUC_BENCH_PACKET" default:"400000" help:"Bytes of each edXML packet, about; one signed PDF is in it."`
	Waiting int  `env:"TRUC_BENCH_WAITING" default:"100000" help:"Packets that wait for one system while its list is measured."`
	Rounds  int  `env:"TRUC_BENCH_ROUNDS" default:"3" help:"Turns of axis and floor, so that both see the same machine."`
	JSON    bool `env:"TRUC_JSON" help:"Answer as JSON."`

	packets *packets
	ready   [][]packet        // made before a turn, by client
	sends   [][]time.Duration // of sendEdoc alone, by client
	warmed  int               // cycles before the clock ran
}

// What the VXP face must reach: the share of the bare floor at the packet's size that whole cycles make up, how long the
// list may take in milliseconds, and the bytes that are stored for each byte of a packet.
const (
	vxpGoal       = 0.5
	vxpListGoal   = 20
	vxpStoredGoal = 2.4
)

// vxpLists is how often the list is measured.
const vxpLists = 200

// vxpListed is how many items a list gives at most; so many real packets stand in front of the queue that it is measured on.
const vxpListed = 500

// vxpMailing is how many agencies the hub with the long queue serves: what waits behind its real packets are mailings to all.
const vxpMailing = 1000

// vxpHub serves the agencies for which so much waits.
const vxpHub = "H30"

// Run measures whole cycles (sendEdoc, getReceivedEdocList, getEdoc, updateStatus of one packet) per second against the bare
// floor's documents of the same bytes; then what one packet costs in the object store and the database (its write-ahead
// log, which PostgreSQL recycles, is not counted), and a list of a long queue.
func (b *benchVXP) Run(c *command) error {
	if b.Waiting < vxpListed {
		return answer{exitFlags, fmt.Sprintf("--waiting is at least %d, what one list gives", vxpListed)}
	}
	result := newBench("vxp", "documents/s", vxpGoal)
	err := c.throwaway(b.prepare, func(site *benchSite) error {
		if err := b.cycles(c, site, &result); err != nil {
			return err
		}
		one, err := b.list(c.ctx, site)
		if err != nil {
			return err
		}
		result.add(c, one)
		return nil
	})
	if err != nil {
		return err
	}
	if b.JSON {
		return c.printJSON(result)
	}
	_, err = fmt.Fprintf(c.out, "cycles %.0f/s, bare floor %.0f/s, ratio %.2f (goal %.2f); p50 %.1f ms, p95 %.1f ms\n",
		result.Truc, result.Floor, result.Ratio, result.Goal, result.P50, result.P95)
	return err
}

// prepare installs a sender, a recipient for each client, and the hub, and makes the packet.
func (b *benchVXP) prepare(c *command, in *installation) error {
	agencies := []routing.Agency{{Code: "H29.12", Name: "Sở Y tế (TEST)"}, {Code: "H26", Name: "UBND thành phố Hà Nội (TEST)"}, {Code: vxpHub, Name: "UBND tỉnh (TEST)"}}
	servings := []routing.Serving{{Code: "H29.12"}, {Code: vxpHub, Subtree: true}}
	for i := range b.Clients {
		agencies = append(agencies, routing.Agency{Code: recipient(i), Parent: "H26", Name: fmt.Sprintf("Sở %d (TEST)", i+1)})
		servings = append(servings, routing.Serving{Code: recipient(i)})
	}
	for i := range vxpMailing {
		agencies = append(agencies, routing.Agency{Code: underHub(i), Parent: vxpHub, Name: fmt.Sprintf("UBND xã %d (TEST)", i+1)})
	}
	pki, err := prepareBench(c, in, agencies, servings)
	if err != nil {
		return err
	}
	b.packets, err = newPackets(pki, b.Packet)
	return err
}

func recipient(client int) routing.Code { return routing.Code(fmt.Sprintf("H26.%d", client+1)) }
func underHub(i int) routing.Code       { return routing.Code(fmt.Sprintf("%s.%d", vxpHub, i+1)) }

// cycles lets axis and floor take turns, checks that nothing is left, and adds what was stored.
func (b *benchVXP) cycles(c *command, site *benchSite, result *benchResult) error {
	before, err := site.stored(c.ctx)
	if err != nil {
		return err
	}
	b.ready, b.sends = make([][]packet, b.Clients), make([][]time.Duration, b.Clients)
	senders, recipients := make([]*vxpSystem, b.Clients), make([]*vxpSystem, b.Clients)
	for i := range b.Clients {
		senders[i], recipients[i] = newVXPSystem(site, "H29.12"), newVXPSystem(site, recipient(i))
	}
	axis := func(slice time.Duration) ([]time.Duration, time.Duration, error) {
		b.makeReady(slice)
		return hammer(b.Clients, slice, func(client int, via *http.Client) error {
			took, err := b.cycle(c.ctx, via, b.next(client), senders[client], recipients[client])
			b.sends[client] = append(b.sends[client], took)
			return err
		})
	}
	floor := func(slice time.Duration) ([]time.Duration, time.Duration, error) {
		b.makeReady(slice)
		return hammer(b.Clients, slice, func(client int, via *http.Client) error {
			return submit(c.ctx, via, site.floor.url, "{}", b.next(client).pieces...)
		})
	}
	if err := result.turns(b.Seconds, b.Rounds, axis, floor); err != nil {
		return err
	}
	sends := slices.Concat(b.sends...)
	result.add(c, benchCase{Name: "sendEdoc alone, p50", Unit: "ms", Value: percentile(sends, 50)})
	result.add(c, benchCase{Name: "sendEdoc alone, p95", Unit: "ms", Value: percentile(sends, 95)})
	if err := b.verifyEnded(c.ctx, site.in, len(sends)); err != nil {
		return err
	}
	b.warmed = len(sends) - result.N
	after, err := site.stored(c.ctx)
	if err != nil {
		return err
	}
	one := benchCase{Name: fmt.Sprintf("stored for each byte of a packet of %d bytes", b.packets.size), Unit: "bytes", Goal: vxpStoredGoal}
	one.Value = float64(after-before) / float64(len(sends)*b.packets.size)
	one.Met = one.Value <= one.Goal
	result.add(c, one)
	return b.halves(c, site, result, senders, recipients)
}

// readyRate is how many packets a second each client finds made: more than any turn has used so far.
const readyRate = 200

// makeReady makes packets before the clock runs: each has a hash of all its bytes, which is the sender's work and not the
// axis's, and of which the floor knows nothing. Should they run out, the others are made on the way.
func (b *benchVXP) makeReady(slice time.Duration) {
	var wg sync.WaitGroup
	for client := range b.Clients {
		wg.Go(func() {
			for len(b.ready[client]) < int(slice.Seconds()*readyRate) {
				b.ready[client] = append(b.ready[client], b.packets.next(recipient(client)))
			}
		})
	}
	wg.Wait()
}

// next is the client's next packet.
func (b *benchVXP) next(client int) packet {
	ready := &b.ready[client]
	if len(*ready) == 0 {
		return b.packets.next(recipient(client))
	}
	p := (*ready)[len(*ready)-1]
	*ready = (*ready)[:len(*ready)-1]
	return p
}

// cycle brings one packet to its recipient by four calls, each of which must have done what it says. It returns how long the
// first one took.
func (b *benchVXP) cycle(ctx context.Context, via *http.Client, p packet, sender, to *vxpSystem) (sent time.Duration, err error) {
	began := time.Now()
	if err := sender.send(ctx, via, p); err != nil {
		return 0, err
	}
	sent = time.Since(began)
	waiting, err := to.list(ctx, via)
	if err != nil {
		return sent, err
	}
	if len(waiting) != 1 {
		return sent, answer{exitNo, fmt.Sprintf("%d packets wait for %s, one was sent", len(waiting), to.id)}
	}
	got, err := to.get(ctx, via, waiting[0])
	if err != nil {
		return sent, err
	}
	if err := p.compare(got); err != nil {
		return sent, err
	}
	return sent, to.done(ctx, via, waiting[0])
}

// compare checks what getEdoc gave for a packet: its length always, its bytes for one in sixteen, for decoding costs.
func (p packet) compare(data []byte) error {
	if len(data) != base64.StdEncoding.EncodedLen(p.size) {
		return answer{exitNo, fmt.Sprintf("packet %d: getEdoc gives %d letters for %d bytes", p.number, len(data), p.size)}
	}
	if p.number%16 != 0 {
		return nil
	}
	got, err := base64.StdEncoding.DecodeString(string(data))
	if err != nil || !bytes.Equal(got, bytes.Join(p.pieces, nil)) {
		return answer{exitNo, fmt.Sprintf("packet %d: getEdoc gives other bytes than sendEdoc took", p.number)}
	}
	return nil
}

// verifyEnded compares what was acknowledged with the rows: a bench that loses packets measures nothing.
func (b *benchVXP) verifyEnded(ctx context.Context, in *installation, n int) error {
	ledger, err := in.store.Ledger(ctx, time.Now().AddDate(0, 0, -2))
	if err != nil {
		return err
	}
	if got := int(ledger[storage.Delivered]); got != n || len(ledger) != 1 {
		return answer{exitNo, fmt.Sprintf("%d packets went through all four calls, the ledger says %v", n, ledger)}
	}
	return nil
}

// stored is the bytes in the object store and the database; the audit's seals, which a job adds a moment later, are made first.
func (site *benchSite) stored(ctx context.Context) (total int64, err error) {
	for sealed := 1; sealed > 0; {
		if sealed, _, err = site.in.store.SealAudit(ctx, 1000); err != nil {
			return 0, err
		}
	}
	if total, err = site.floor.bare.DatabaseSize(ctx); err != nil {
		return 0, err
	}
	err = site.in.objects.List(ctx, "", func(_ string, size int64, _ time.Time) error {
		total += size
		return nil
	})
	return total, err
}
