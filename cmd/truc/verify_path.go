package main

import (
	"crypto/x509"
	"fmt"

	"github.com/truc-lienthong/truc/signing"
)

type verifyPathCommand struct {
	Certificate string `arg:"" help:"The certificate, PEM or DER; further ones in the file help to build its path."`
	trustFlags
	Policy                []string `env:"TRUC_VERIFY_POLICY" help:"Certificate policies (OIDs) of which the path must be good for one; none: any."`
	RequireExplicitPolicy bool     `env:"TRUC_VERIFY_REQUIRE_EXPLICIT_POLICY" help:"The path must be good for a policy."`
	InhibitPolicyMapping  bool     `env:"TRUC_VERIFY_INHIBIT_POLICY_MAPPING" help:"Policies must not be mapped to one another."`
	InhibitAnyPolicy      bool     `env:"TRUC_VERIFY_INHIBIT_ANY_POLICY" help:"anyPolicy stands for no policy."`
	JSON                  bool     `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run judges one certificate's path: exit 0 valid, 1 invalid, 2 undetermined, 4 unusable input.
func (v *verifyPathCommand) Run(c *command) error {
	raw, err := readSmall(v.Certificate, maxTrustFile)
	if err != nil {
		return err
	}
	file, err := readTrustFile(raw)
	leaf := raw // a malformed one is judged too, and found to be so
	switch {
	case file.spoiled:
	case len(file.certificates) == 0:
		return unusable("%s: no certificate in it (%v)", v.Certificate, err)
	default:
		leaf = file.certificates[0].Raw
	}
	for _, p := range v.Policy {
		if _, err := x509.ParseOID(p); err != nil {
			return unusable("--policy %s is not an object identifier", p)
		}
	}
	o := signing.PathOptions{Policies: v.Policy, ExplicitPolicy: v.RequireExplicitPolicy, InhibitMapping: v.InhibitPolicyMapping,
		InhibitAnyPolicy: v.InhibitAnyPolicy}
	if o.Options, err = v.options(c); err != nil {
		return err
	}
	o.Trust.Intermediates = append(o.Trust.Intermediates, file.certificates...)
	report := signing.VerifyPath(c.ctx, leaf, o)
	if v.JSON {
		if err := c.printJSON(report); err != nil {
			return err
		}
	} else {
		c.printPath(report)
	}
	return answer{code: verdictExit[report.Verdict]}
}

func (c *command) printPath(report signing.PathReport) {
	fmt.Fprintf(c.out, "%s (%s)\n", verdictLabels[report.Verdict], report.Verdict)
	for _, name := range report.Path {
		fmt.Fprintf(c.out, "  %s\n", name)
	}
	for _, policy := range report.Policies {
		fmt.Fprintf(c.out, "  policy %s\n", policy)
	}
	for _, r := range report.Reasons {
		fmt.Fprintf(c.out, "  · %s: %s / %s\n", r, r.Text().VI, r.Text().EN)
	}
}
