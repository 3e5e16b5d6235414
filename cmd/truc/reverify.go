package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

type reverifyCommand struct {
	Since      string             `env:"TRUC_REVERIFY_SINCE" required:"" help:"What was accepted from then on: yyyy-mm-dd (Vietnam) or RFC 3339."`
	Until      string             `env:"TRUC_REVERIFY_UNTIL" help:"And before then."`
	After      string             `env:"TRUC_REVERIFY_AFTER" help:"Go on after this dispatch: the last one of a run that was broken off."`
	Apply      bool               `env:"TRUC_REVERIFY_APPLY" help:"Rewrite the verdicts that would be others, with their history; without it nothing is changed."`
	Replay     bool               `env:"TRUC_REVERIFY_REPLAY" help:"Judge with the evidence that each verdict names, instead of today's trust store: what is listed does not come out as it did."`
	DryRun     bool               `env:"TRUC_DRY_RUN" name:"dry-run" help:"Only say what would be done, as without --apply."`
	Revocation signing.Revocation `env:"TRUC_REVOCATION" enum:"require,soft,off" default:"soft" help:"What a missing revocation list means: require, soft or off."`
	JSON       bool               `env:"TRUC_JSON" help:"Answer as JSON."`
}

// mostFlips is how many flips the last JSON object names; all are written as they are found, a line each.
const mostFlips = 1000

// Run judges the past again, from the stored files, at the time of each reception, with the trust store of today: exit 0
// when no verdict would be another, 1 when one would.
func (r *reverifyCommand) Run(c *command) error {
	since, err := readWhen("since", r.Since)
	if err != nil {
		return err
	}
	until, err := readWhen("until", r.Until)
	if err != nil {
		return err
	}
	if r.Apply && (r.DryRun || r.Replay) {
		return answer{exitFlags, "--apply excludes --dry-run and --replay"}
	}
	after := uuid.Nil
	if r.After != "" {
		if after, err = uuid.Parse(r.After); err != nil {
			return answer{exitFlags, fmt.Sprintf("--after %q is no dispatch's id", r.After)}
		}
	}
	return c.with(func(in *installation) error {
		judge, err := server.NewJudge(c.ctx, in.store, r.Revocation, time.Now)
		if err != nil {
			return err
		}
		judge.AsThen = r.Replay
		return r.past(c, judge, since, until, after)
	})
}

// reverified is what a run found.
type reverified struct {
	Judged  int           `json:"judged"`
	Flipped int           `json:"flipped"`
	Applied bool          `json:"applied"`
	Last    string        `json:"last,omitempty"` // the last dispatch judged: --after goes on from there
	Flips   []server.Flip `json:"flips"`          // the first thousand
}

func (r *reverifyCommand) past(c *command, judge *server.Judge, since, until time.Time, after uuid.UUID) error {
	sum := reverified{Applied: r.Apply, Flips: []server.Flip{}}
	seen := func(id uuid.UUID) {
		sum.Judged++
		sum.Last = id.String()
		if sum.Judged%1000 == 0 {
			fmt.Fprintf(c.err, "%d judged, %d %s, the last one %s\n", sum.Judged, sum.Flipped, r.found(), sum.Last)
		}
	}
	err := judge.Past(c.ctx, since, until, after, r.Apply, actor(), seen, func(f server.Flip) error {
		if sum.Flipped++; sum.Flipped <= mostFlips {
			sum.Flips = append(sum.Flips, f)
		}
		return r.print(c, f)
	})
	if err != nil {
		if sum.Last != "" {
			fmt.Fprintf(c.err, "broken off; --after %s goes on\n", sum.Last)
		}
		return err
	}
	if r.JSON {
		err = c.printJSON(sum)
	} else {
		_, err = fmt.Fprintf(c.out, "%d judged, %d %s\n", sum.Judged, sum.Flipped, r.found())
	}
	if err == nil && sum.Flipped > 0 && !r.Apply {
		return answer{code: exitNo}
	}
	return err
}

// found says what became of those that are listed.
func (r *reverifyCommand) found() string {
	switch {
	case r.Apply:
		return "rewritten"
	case r.Replay:
		return "did not come out as they did"
	}
	return "would be others"
}

func (r *reverifyCommand) print(c *command, f server.Flip) error {
	if r.JSON {
		line, err := json.Marshal(f)
		if err != nil {
			return fmt.Errorf("write the answer: %w", err)
		}
		_, err = fmt.Fprintf(c.out, "%s\n", line)
		return err
	}
	if f.After == "" {
		f.After = "nothing: no evidence was kept"
	}
	_, err := fmt.Fprintf(c.out, "%s  %s  %s %s  %s, then %s  %v\n", f.Dispatch, f.AcceptedAt.In(storage.Vietnam).Format("02/01/2006"), f.Sender, f.DocumentID,
		f.Before, f.After, f.Reasons)
	return err
}
