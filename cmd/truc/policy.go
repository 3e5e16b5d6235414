package main

import (
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/storage"
)

type policyCommand struct {
	Set  policySet  `cmd:"" help:"Set a sender's policy."`
	List policyList `cmd:"" help:"List policies."`
}

type policySet struct {
	Sender       string `arg:"" help:"Agency code, or '*' for everybody without a policy of their own."`
	Broken       string `env:"TRUC_POLICY_BROKEN" enum:"refuse,hold" default:"refuse" help:"A digest or signature value is wrong, or the file was changed after signing."`
	Invalid      string `env:"TRUC_POLICY_INVALID" enum:"refuse,hold,forward" default:"forward" help:"Any other invalid signature."`
	Undetermined string `env:"TRUC_POLICY_UNDETERMINED" enum:"refuse,hold,forward" default:"forward" help:"It could not be determined."`
	Unsigned     string `env:"TRUC_POLICY_UNSIGNED" enum:"refuse,hold,forward" default:"forward" help:"No signature."`
}

// Run writes the policy; servers follow within two seconds.
func (p *policySet) Run(c *command) error {
	return c.with(func(in *installation) error {
		sender := routing.Code(p.Sender)
		if p.Sender != "*" {
			d, err := in.store.Directory(c.ctx)
			if err != nil {
				return err
			}
			a, err := d.Resolve(p.Sender)
			if err != nil {
				return answer{exitNo, err.Error()}
			}
			sender = a.Code
		}
		return in.store.SetPolicy(c.ctx, storage.Policy{Sender: sender, Broken: storage.Action(p.Broken), Invalid: storage.Action(p.Invalid),
			Undetermined: storage.Action(p.Undetermined), Unsigned: storage.Action(p.Unsigned)}, actor(), time.Now())
	})
}

type policyList struct{}

// Run lists all policies.
func (p *policyList) Run(c *command) error {
	return c.with(func(in *installation) error {
		policies, err := in.store.Policies(c.ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "sender\tbroken\tinvalid\tundetermined\tunsigned")
		for _, sender := range slices.Sorted(maps.Keys(policies)) {
			one := policies[sender]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", sender, one.Broken, one.Invalid, one.Undetermined, one.Unsigned)
		}
		return w.Flush()
	})
}
