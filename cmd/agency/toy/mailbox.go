package toy

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Mailbox watches agencies whose mailbox is hosted at the axis: it looks at what lies there and hashes it, as a clerk
// with a browser would see it.
type Mailbox struct {
	Client   *Client
	Log      *ReceivedLog
	Name     string // in the log; "" is the system id
	Agencies []string
	Every    time.Duration // between two looks of Watch; 0 is 1 s
	Patience Patience
	// ShareFiles fetches the attachments once for each dispatch; the log says of every delivery whose bytes it saw.
	ShareFiles bool

	share *share
}

// Scan looks through every mailbox once, from the start: ids are not in the order of arrival, so that "after the last
// one" would miss some. It gives the number of deliveries that were new.
func (m *Mailbox) Scan(ctx context.Context) (int, error) {
	if m.share == nil {
		m.share = newShare()
	}
	sum := 0
	for _, agency := range m.Agencies {
		q := Query{Agency: agency, State: Delivered, Limit: 500}
		for {
			list, next, err := m.Client.Deliveries(ctx, q)
			if err != nil {
				return sum, err
			}
			n, err := m.keepAll(ctx, list)
			if sum += n; err != nil {
				return sum, err
			}
			if next == "" {
				break
			}
			q.After = next
		}
	}
	return sum, nil
}

func (m *Mailbox) keepAll(ctx context.Context, list []Delivery) (int, error) {
	sum := 0
	for _, d := range list {
		if _, ok := m.Log.Find(d.ID); ok {
			continue
		}
		r, err := m.look(ctx, d)
		if err == nil {
			err = m.Log.add(receivedLine{Received: &r})
		}
		if err != nil {
			return sum, err
		}
		sum++
	}
	return sum, nil
}

// look reads one delivery. Its package is not fetched: a mailbox shows attachments.
func (m *Mailbox) look(ctx context.Context, d Delivery) (Received, error) {
	r := Received{System: m.Name, Delivery: d.ID, Agency: d.Agency, AddressedTo: d.AddressedTo, At: time.Now()}
	if r.System == "" {
		r.System = m.Client.System
	}
	about, err := m.about(ctx, d)
	if err != nil {
		return r, err
	}
	r.Dispatch, r.DocumentID, r.Sender, r.Kind = about.ID, about.DocumentID, about.Sender, about.Kind
	read := func() (Received, error) {
		files, err := fetchFiles(ctx, m.Client, d.ID)
		return Received{Files: files, FilesFrom: d.ID}, err
	}
	var from Received
	if m.ShareFiles {
		from, err = m.share.first(ctx, r.Dispatch, read)
	} else {
		from, err = read()
	}
	r.Files, r.FilesFrom = from.Files, from.FilesFrom
	return r, err
}

// about reads what dispatch a delivery belongs to, where the list did not say it.
func (m *Mailbox) about(ctx context.Context, d Delivery) (Summary, error) {
	if d.Dispatch != nil {
		return *d.Dispatch, nil
	}
	c, err := m.Client.Contents(ctx, d.ID)
	if err != nil {
		return Summary{}, err
	}
	var wrote Dispatch
	if err := json.Unmarshal(c.Metadata, &wrote); err != nil {
		return Summary{}, fmt.Errorf("%w: metadata of %s: %v", ErrUnreadable, d.ID, err)
	}
	return Summary{ID: c.Dispatch, DocumentID: wrote.DocumentID, Sender: wrote.Sender, Kind: wrote.Kind}, nil
}

// Watch scans until ctx ends and gives back why it ended. A failed look is tried again.
func (m *Mailbox) Watch(ctx context.Context) error {
	every := m.Every
	if every <= 0 {
		every = time.Second
	}
	for {
		if _, err := m.Patience.try(ctx, func() error { _, err := m.Scan(ctx); return err }); err != nil {
			return err
		}
		if err := m.Patience.sleep(ctx, every); err != nil {
			return err
		}
	}
}
