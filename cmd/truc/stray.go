package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/storage"
)

type strayCommand struct {
	List  strayList  `cmd:"" help:"List status packets that fit no delivery, newest first."`
	Close strayClose `cmd:"" help:"Note that you looked at one and nothing is left to do."`
}

type strayList struct {
	All    bool   `env:"TRUC_STRAY_ALL" help:"Those too that somebody has closed."`
	Before string `env:"TRUC_STRAY_BEFORE" help:"Id of the last one of the page before."`
	Limit  int    `env:"TRUC_LIMIT" default:"20" help:"At most so many."`
	JSON   bool   `env:"TRUC_JSON" help:"Answer as JSON."`
}

// strayLine is a stray as --json tells it.
type strayLine struct {
	ID         uuid.UUID      `json:"id"`
	System     string         `json:"system"`
	Agency     routing.Code   `json:"agency"`
	Other      string         `json:"other"`
	DocumentID string         `json:"document_id"`
	Status     storage.Status `json:"status"`
	Label      string         `json:"label"`
	Reason     string         `json:"reason,omitempty"`
	Cause      storage.Cause  `json:"cause"`
	EventTime  time.Time      `json:"event_time"`
	ReceivedAt time.Time      `json:"received_at"`
	ClosedAt   *time.Time     `json:"closed_at,omitempty"`
	ClosedBy   string         `json:"closed_by,omitempty"`
}

// Run lists strays; the last id goes on with --before.
func (l *strayList) Run(c *command) error {
	f := storage.StrayFilter{Closed: l.All, Limit: min(max(l.Limit, 1), 1000)}
	if l.Before != "" {
		var err error
		if f.Before, err = uuid.Parse(l.Before); err != nil {
			return unusable("--before %q is no id of a stray", l.Before)
		}
	}
	return c.with(func(in *installation) error {
		list, err := in.store.Strays(c.ctx, f)
		if err != nil {
			return err
		}
		if l.JSON {
			return c.printJSON(strayLines(list, f.Limit))
		}
		w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "id\treceived\tstatus\tfrom\tto\tdocument\tcause\tsystem\tclosed by")
		for _, s := range list {
			fmt.Fprintf(w, "%s\t%s\t%s %s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.ReceivedAt.In(storage.Vietnam).Format(time.DateTime), s.Status,
				server.StatusLabel(s.Status), s.Agency, s.Other, s.DocumentID, s.Cause, s.System, s.ClosedBy)
		}
		return w.Flush()
	})
}

// strayLines is the JSON answer; next is given where a full page may have another behind it.
func strayLines(list []storage.Stray, limit int) any {
	answer := struct {
		Strays []strayLine `json:"strays"`
		Next   string      `json:"next,omitempty"`
	}{Strays: make([]strayLine, len(list))}
	for i, s := range list {
		answer.Strays[i] = strayLine{ID: s.ID, System: s.System, Agency: s.Agency, Other: s.Other, DocumentID: s.DocumentID, Status: s.Status,
			Label: server.StatusLabel(s.Status), Reason: s.Reason, Cause: s.Cause, EventTime: s.EventTime.In(storage.Vietnam), ReceivedAt: s.ReceivedAt.In(storage.Vietnam), ClosedBy: s.ClosedBy}
		if at := s.ClosedAt.In(storage.Vietnam); !s.ClosedAt.IsZero() {
			answer.Strays[i].ClosedAt = &at
		}
	}
	if len(list) == limit {
		answer.Next = list[len(list)-1].ID.String()
	}
	return answer
}

type strayClose struct {
	ID   string `arg:"" help:"Its id, as the list shows it."`
	JSON bool   `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run closes one stray under the caller's name. What is closed already, or does not exist, is a "no": nothing changed.
func (s *strayClose) Run(c *command) error {
	id, err := uuid.Parse(s.ID)
	if err != nil {
		return unusable("%q is no id of a stray", s.ID)
	}
	return c.with(func(in *installation) error {
		now := time.Now()
		if err := in.store.CloseStray(c.ctx, id, actor(), "", now); err != nil {
			return err
		}
		if s.JSON {
			return c.printJSON(map[string]any{"id": id, "closed_at": now.In(storage.Vietnam), "closed_by": actor()})
		}
		_, err := fmt.Fprintf(c.out, "closed %s\n", id)
		return err
	})
}
