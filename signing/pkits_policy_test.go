package signing_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// down makes a chain of CAs, each under the one before; an edit given applies to all of that step.
func (l *lab) down(issuer *node, steps ...[]edit) *node {
	for i, s := range steps {
		issuer = l.ca(issuer, fmt.Sprintf("step %d CA %d", i, l.next), s...)
	}
	return issuer
}

func is(list ...edit) []edit { return list }

func needs(want signing.Reason) pathRun { return pathRun{explicit: true, want: want} }

var pkitsPolicyCases = []pathCase{
	// 4.8 Certificate policies
	{name: "4.8.1 all the same policy", make: func(l *lab) *node { return l.ee(l.down(l.root, is())) }, runs: []pathRun{
		{explicit: true, good: []string{p1}}, {policies: []string{p1}, explicit: true, good: []string{p1}}, explicitly(signing.PathPolicy, p2),
		{policies: []string{p1, p2}, explicit: true, good: []string{p1}}, {policies: []string{p2}, good: []string{}}}},
	{name: "4.8.2 no policies", make: func(l *lab) *node { return l.ee(l.down(l.root, is(policies())), policies()) },
		runs: []pathRun{{good: []string{}}, needs(signing.PathPolicy)}},
	{name: "4.8.3 different policies", make: func(l *lab) *node { return l.ee(l.down(l.root, is(), is(policies(p2)))) },
		runs: []pathRun{{good: []string{}}, needs(signing.PathPolicy), explicitly(signing.PathPolicy, p1, p2)}},
	{name: "4.8.4 different policies, explicit", make: func(l *lab) *node { return l.ee(l.down(l.root, is(), is(demand(0, -1))), policies(p2)) },
		runs: bad(signing.PathPolicy)},
	{name: "4.8.5 different policies, explicit", make: func(l *lab) *node { return l.ee(l.down(l.root, is(), is(policies(p2), demand(0, -1)))) },
		runs: bad(signing.PathPolicy)},
	{name: "4.8.6 overlapping policies", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(policies(p1, p2, p3, p4), demand(0, -1)), is(policies(p1, p2, p3)), is(policies(p1, p2))))
	}, runs: []pathRun{{good: []string{p1}}, {policies: []string{p1}}, {policies: []string{p2}, want: signing.PathPolicy}}},
	{name: "4.8.7 different policies", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(policies(p1, p2, p3), demand(0, -1)), is(policies(p1, p2)), is(policies(p1))), policies(p2))
	}, runs: bad(signing.PathPolicy)},
	{name: "4.8.10 all the same policies", make: func(l *lab) *node { return l.ee(l.down(l.root, is(policies(p1, p2))), policies(p1, p2)) },
		runs: []pathRun{{explicit: true, good: []string{p1, p2}}, {policies: []string{p1}, explicit: true, good: []string{p1}},
			{policies: []string{p2}, explicit: true, good: []string{p2}}}},
	{name: "4.8.11 all anyPolicy", make: func(l *lab) *node { return l.ee(l.down(l.root, is(policies(anyP))), policies(anyP)) },
		runs: []pathRun{{explicit: true, good: []string{anyP}}, {policies: []string{p1}, explicit: true, good: []string{p1}},
			{explicit: true, noAny: true, want: signing.PathPolicy}}},
	{name: "4.8.12 different policies, explicit", make: func(l *lab) *node { return l.ee(l.down(l.root, is(policies(p3), demand(0, -1))), policies(p4)) },
		runs: bad(signing.PathPolicy)},
	{name: "4.8.13 all the same three policies", make: func(l *lab) *node { return l.ee(l.down(l.root, is(policies(p1, p2, p3))), policies(p1, p2, p3)) },
		runs: []pathRun{explicitly("", p1), explicitly("", p2), explicitly("", p3), explicitly(signing.PathPolicy, p4)}},
	{name: "4.8.14 anyPolicy above", make: func(l *lab) *node { return l.ee(l.down(l.root, is(policies(anyP)))) },
		runs: []pathRun{{policies: []string{p1}, explicit: true, good: []string{p1}}, explicitly(signing.PathPolicy, p2)}},
	{name: "4.8.15 qualifiers", make: func(l *lab) *node { return l.ee(l.root, qualified(p1)) }, runs: []pathRun{{explicit: true, good: []string{p1}}}},
	{name: "4.8.20 qualifiers of anyPolicy", make: func(l *lab) *node { return l.ee(l.down(l.root, is(qualified(anyP)))) }, runs: []pathRun{explicitly("", p1), explicitly(signing.PathPolicy, p2)}},
	{name: "4.8.x a policy twice", make: func(l *lab) *node { return l.ee(l.down(l.root, is()), policies(p1, p1)) }, runs: bad(signing.CertificateMalformed)},
	{name: "4.8.x a policy with a huge arc", make: func(l *lab) *node {
		const huge = "2.25.329800735698586629295641978511506172918"
		return l.ee(l.down(l.root, is(policies(huge))), policies(huge))
	}, runs: []pathRun{explicitly("", "2.25.329800735698586629295641978511506172918"), explicitly(signing.PathPolicy, p1)}},

	// 4.9 Require explicit policy
	{name: "4.9.1 requireExplicitPolicy 10", make: func(l *lab) *node { return l.ee(l.down(l.root, is(demand(10, -1)), is(), is(), is()), policies()) }},
	{name: "4.9.2 requireExplicitPolicy 5", make: func(l *lab) *node { return l.ee(l.down(l.root, is(demand(5, -1)), is(), is(), is()), policies()) }},
	{name: "4.9.3 requireExplicitPolicy 4", make: func(l *lab) *node { return l.ee(l.down(l.root, is(demand(4, -1)), is(), is(), is()), policies()) }, runs: bad(signing.PathPolicy)},
	{name: "4.9.4 requireExplicitPolicy 0", make: func(l *lab) *node { return l.ee(l.down(l.root, is(demand(0, -1)), is(), is(), is())) }},
	{name: "4.9.5 requireExplicitPolicy 7, 2", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(demand(7, -1)), is(demand(2, -1)), is(demand(4, -1)), is()), policies())
	}, runs: bad(signing.PathPolicy)},
	{name: "4.9.6 self-issued, requireExplicitPolicy 2", make: func(l *lab) *node { return l.ee(l.rolled(l.down(l.root, is(demand(2, -1)))), policies()) }},
	{name: "4.9.7 self-issued, requireExplicitPolicy 2", make: func(l *lab) *node {
		return l.ee(l.down(l.rolled(l.down(l.root, is(demand(2, -1)))), is()), policies())
	}, runs: bad(signing.PathPolicy)},
	{name: "4.9.8 self-issued twice, requireExplicitPolicy 2", make: func(l *lab) *node {
		return l.ee(l.rolled(l.down(l.rolled(l.down(l.root, is(demand(2, -1)))), is())), policies())
	}, runs: bad(signing.PathPolicy)},
	{name: "4.9.x the leaf itself requires a policy", make: func(l *lab) *node { return l.ee(l.down(l.root, is(policies(p2))), demand(0, -1)) }, runs: bad(signing.PathPolicy)},

	// 4.10 Policy mappings
	{name: "4.10.1 mapping 1 to 2", make: func(l *lab) *node { return l.ee(l.down(l.root, is(mapping(p1, p2), demand(0, -1))), policies(p2)) },
		runs: []pathRun{{policies: []string{p1}, good: []string{p1}}, {policies: []string{p2}, want: signing.PathPolicy}, {noMap: true, want: signing.PathPolicy}}},
	{name: "4.10.2 mapping 1 to 2, leaf of 1", make: func(l *lab) *node { return l.ee(l.down(l.root, is(mapping(p1, p2), demand(0, -1)))) },
		runs: []pathRun{{want: signing.PathPolicy}, {noMap: true, want: signing.PathPolicy}}},
	{name: "4.10.3 mapping 1 to 3 to 4", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(policies(p1, p2), mapping(p1, p3), demand(0, -1)), is(policies(p2, p3)), is(policies(p3), mapping(p3, p4))), policies(p4))
	}, runs: []pathRun{{policies: []string{p1}, good: []string{p1}}, {policies: []string{p2}, want: signing.PathPolicy}}},
	{name: "4.10.5 mapping 1 to 2 and 4", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(mapping(p1, p2, p1, p3), demand(0, -1)), is(policies(p2, p3))), policies(p3))
	}, runs: []pathRun{{policies: []string{p1}, good: []string{p1}}, {policies: []string{p3}, want: signing.PathPolicy}}},
	{name: "4.10.7 mapping from anyPolicy", make: func(l *lab) *node { return l.ee(l.down(l.root, is(policies(anyP), mapping(anyP, p1)))) },
		runs: bad(signing.PathMapping)},
	{name: "4.10.8 mapping to anyPolicy", make: func(l *lab) *node { return l.ee(l.down(l.root, is(mapping(p1, anyP)))) }, runs: bad(signing.PathMapping)},
	{name: "4.10.9 mapping 1 to 2 under anyPolicy", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(policies(anyP), mapping(p1, p2), demand(0, -1))), policies(p2))
	}, runs: []pathRun{{policies: []string{p1}, good: []string{p1}}, {policies: []string{p2}, want: signing.PathPolicy}}},
	{name: "4.10.10 mapping by a CA of anyPolicy under one of 1", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(), is(policies(anyP), mapping(p1, p2), demand(0, -1))))
	}, runs: bad(signing.PathPolicy)},
	{name: "4.10.11 the same, leaf of 2", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(), is(policies(anyP), mapping(p1, p2), demand(0, -1))), policies(p2))
	}, runs: []pathRun{{good: []string{p1}}}},
	{name: "4.10.12 mapping 1 to 3, leaf of 2 and 3", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(policies(p1, p2), mapping(p1, p3))), policies(p2, p3))
	}, runs: []pathRun{{policies: []string{p1}, explicit: true, good: []string{p1}}, {policies: []string{p2}, explicit: true, good: []string{p2}},
		{explicit: true, good: []string{p1, p2}}, explicitly(signing.PathPolicy, p3)}},
	{name: "4.10.13 policy 1 and anyPolicy, mapping 1 to 2", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(policies(p1, anyP), mapping(p1, p2))), policies(p2))
	}, runs: []pathRun{{explicit: true, good: []string{p1}}, explicitly(signing.PathPolicy, p2)}},
	{name: "4.10.14 the same, leaf of 1", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(policies(p1, anyP), mapping(p1, p2))), policies(p1))
	}, runs: []pathRun{{explicit: true, good: []string{p1}}}},

	// 4.11 Inhibit policy mapping
	{name: "4.11.1 inhibitPolicyMapping 0", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(demand(0, 0)), is(mapping(p1, p2))), policies(p2))
	}, runs: bad(signing.PathPolicy)},
	{name: "4.11.2 inhibitPolicyMapping 1", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(policies(p1, p2), demand(0, 1)), is(policies(p1, p2), mapping(p1, p3))), policies(p2, p3))
	}, runs: []pathRun{{good: []string{p1, p2}}}},
	{name: "4.11.3 inhibitPolicyMapping 1, twice mapped", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(demand(0, 1)), is(mapping(p1, p3)), is(policies(p3), mapping(p3, p4))), policies(p4))
	}, runs: bad(signing.PathPolicy)},
	{name: "4.11.5 inhibitPolicyMapping 5, 1", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(demand(0, 5)), is(demand(-1, 1)), is(), is(mapping(p1, p2))), policies(p2))
	}, runs: bad(signing.PathPolicy)},
	{name: "4.11.7 self-issued, inhibitPolicyMapping 1", make: func(l *lab) *node {
		return l.ee(l.down(l.rolled(l.down(l.root, is(demand(0, 1)))), is(mapping(p1, p2))), policies(p2))
	}},
	{name: "4.11.8 self-issued, inhibitPolicyMapping 1, too deep", make: func(l *lab) *node {
		return l.ee(l.down(l.rolled(l.down(l.root, is(demand(0, 1)))), is(mapping(p1, p2)), is(policies(p2), mapping(p2, p3))), policies(p3))
	}, runs: bad(signing.PathPolicy)},

	// 4.12 Inhibit anyPolicy
	{name: "4.12.1 inhibitAnyPolicy 0", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(demand(0, -1), inhibitAny(0))), policies(anyP))
	}, runs: bad(signing.PathPolicy)},
	{name: "4.12.2 inhibitAnyPolicy 0, leaf of any and 1", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(demand(0, -1), inhibitAny(0))), policies(anyP, p1))
	}},
	{name: "4.12.3 inhibitAnyPolicy 1", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(demand(0, -1), inhibitAny(1)), is(policies(anyP))))
	}, runs: []pathRun{{}, {noAny: true, want: signing.PathPolicy}}},
	{name: "4.12.4 inhibitAnyPolicy 1, leaf of any", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(demand(0, -1), inhibitAny(1)), is()), policies(anyP))
	}, runs: bad(signing.PathPolicy)},
	{name: "4.12.5 inhibitAnyPolicy 5, 1", make: func(l *lab) *node {
		return l.ee(l.down(l.root, is(demand(0, -1), inhibitAny(5)), is(inhibitAny(1)), is(policies(anyP)), is(policies(anyP))))
	}, runs: bad(signing.PathPolicy)},
	{name: "4.12.7 self-issued, inhibitAnyPolicy 1", make: func(l *lab) *node {
		return l.ee(l.down(l.rolled(l.down(l.root, is(demand(0, -1), inhibitAny(1)))), is(policies(anyP))))
	}},
	{name: "4.12.8 self-issued, inhibitAnyPolicy 1, too deep", make: func(l *lab) *node {
		return l.ee(l.down(l.rolled(l.down(l.root, is(demand(0, -1), inhibitAny(1)))), is(policies(anyP)), is(policies(anyP))))
	}, runs: bad(signing.PathPolicy)},
	{name: "4.12.9 self-issued of anyPolicy, inhibitAnyPolicy 1", make: func(l *lab) *node {
		return l.ee(l.rolled(l.down(l.rolled(l.down(l.root, is(demand(0, -1), inhibitAny(1))), policies(anyP)), is()), policies(anyP)))
	}},
	{name: "4.12.x self-issued leaf of anyPolicy", make: func(l *lab) *node {
		ca := l.down(l.root, is(demand(0, -1), inhibitAny(0)))
		return l.make(ca, ca.name, l.key(), asLeaf, policies(anyP))
	}, runs: bad(signing.PathPolicy)},
	{name: "4.12.x policyConstraints without a field", make: func(l *lab) *node { return l.ee(l.down(l.root, is(demand(-1, -1)))) },
		runs: bad(signing.CertificateMalformed), alone: true},
}

func TestPKITSPolicies(t *testing.T) {
	runPathCases(t, pkitsPolicyCases)
}

// TestHostilePolicies: mappings of all to all double a tree of policies at every step (RFC 9618, 2); the graph must not.
func TestHostilePolicies(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var all, pairs []string
	for i := range 30 {
		all = append(all, fmt.Sprintf("2.999.5.%d", i))
	}
	for _, a := range all {
		for _, b := range all {
			pairs = append(pairs, a, b)
		}
	}
	var steps [][]edit
	for range 9 {
		steps = append(steps, is(policies(all...), mapping(pairs...)))
	}
	leaf := l.ee(l.down(l.root, steps...), policies(all...))
	start := time.Now()
	o := l.options()
	o.ExplicitPolicy = true
	if got := verifyPath(leaf, o); got.Verdict != signing.Valid || len(got.Policies) != len(all) {
		t.Fatalf("%+v", got)
	}
	signing.Soon(t, start, 2*time.Second)
	steps = append(steps[:1:1], is(policies(all...), mapping(append(pairs, pairs...)...), set("2.999.9", false, testpki.Integer(1))))
	if got := verifyPath(l.ee(l.down(l.root, steps...), policies(all...)), l.options()); got.Verdict != signing.Undetermined {
		t.Fatalf("%+v", got)
	}
}
