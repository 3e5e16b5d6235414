package main

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

type trustCommand struct {
	Add        trustAdd        `cmd:"" help:"Install certificates, revocation lists or OCSP responses."`
	List       trustList       `cmd:"" help:"List what is installed."`
	Retire     trustRetire     `cmd:"" help:"Take a certificate out of use; what was judged with it stays as it is."`
	Host       trustHost       `cmd:"" help:"Hosts from which revocation data may be fetched; none by default."`
	FetchPlan  trustFetchPlan  `cmd:"" name:"fetch-plan" help:"List the hosts and addresses of revocation data: what to open in a firewall."`
	Fetch      trustFetch      `cmd:"" help:"Fetch revocation data from the allowed hosts now."`
	ExportAxis trustExportAxis `cmd:"" name:"export-axis" help:"Write the axis's own certificate, to check its proofs with."`
}

type trustAdd struct {
	File        []string `arg:"" type:"existingfile" help:"PEM or DER certificates, CRLs or OCSP responses; several in one file are all taken."`
	Purpose     string   `env:"TRUC_TRUST_PURPOSE" enum:"signing,tsa,intermediate" default:"signing" help:"What for: signing, tsa or intermediate."`
	Family      string   `env:"TRUC_TRUST_FAMILY" enum:",công vụ,công cộng,chuyên dùng" default:"" help:"Family of signatures under it: công vụ, công cộng or chuyên dùng."`
	Test        bool     `env:"TRUC_TRUST_TEST" help:"A test anchor: everything under it is marked so, and the pages carry a banner."`
	From        string   `env:"TRUC_TRUST_FROM" help:"From when it counts, by the time that a signature is judged at: yyyy-mm-dd (Vietnam) or RFC 3339."`
	Until       string   `env:"TRUC_TRUST_UNTIL" help:"Until when it counts."`
	Fingerprint []string `env:"TRUC_TRUST_FINGERPRINT" help:"SHA-256 that you have from its owner; a certificate with another one is refused. Repeat for more."`
	Yes         bool     `env:"TRUC_TRUST_YES" help:"Do not ask on the terminal."`
	JSON        bool     `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run installs everything in the files. Whoever installs an anchor decides whose signatures count: its fingerprint is
// compared with the one given, or on a terminal typed in from where its owner published it.
func (a *trustAdd) Run(c *command) error {
	var all trustFile
	for _, path := range a.File {
		raw, err := readSmall(path, maxTrustFile)
		if err != nil {
			return err
		}
		file, err := readTrustFile(raw)
		if err != nil {
			return unusable("%s: %v", path, err)
		}
		if file.broken > 0 {
			return unusable("%s: %d malformed certificates", path, file.broken)
		}
		all.certificates, all.crls, all.ocsp = append(all.certificates, file.certificates...), append(all.crls, file.crls...), append(all.ocsp, file.ocsp...)
	}
	from, until, err := a.dates()
	if err != nil {
		return err
	}
	if err := a.confirm(c, all.certificates); err != nil {
		return err
	}
	return c.with(func(in *installation) error {
		added := []string{}
		for _, one := range all.certificates {
			fingerprint, err := in.store.AddAnchor(c.ctx, storage.Anchor{Purpose: storage.Purpose(a.Purpose), Family: signing.Family(a.Family),
				Test: a.Test, Certificate: one, From: from, Until: until, AddedBy: actor()}, time.Now())
			if err != nil {
				return err
			}
			added = append(added, fingerprint)
			fmt.Fprintf(c.err, "%s  %s  %s\n", fingerprint, a.Purpose, one.Subject)
		}
		for _, list := range slices.Concat(all.crls, all.ocsp) {
			err := in.store.AddRevocationList(c.ctx, list, actor(), time.Now())
			if errors.Is(err, storage.ErrNoList) {
				return unusable("%v", err)
			}
			if err != nil {
				return err
			}
		}
		if a.JSON {
			return c.printJSON(map[string]any{"certificates": added, "revocation_lists": len(all.crls), "ocsp_responses": len(all.ocsp)})
		}
		_, err := fmt.Fprintf(c.out, "%d certificates, %d revocation lists, %d OCSP responses\n", len(added), len(all.crls), len(all.ocsp))
		return err
	})
}

func (a *trustAdd) dates() (from, until time.Time, err error) {
	if from, err = readWhen("from", a.From); err != nil {
		return from, until, err
	}
	if until, err = readWhen("until", a.Until); err == nil && !from.IsZero() && !until.IsZero() && !from.Before(until) {
		err = answer{exitFlags, "--from is not before --until"}
	}
	return from, until, err
}

// readWhen reads an instant: a day in Vietnam, from its beginning, or RFC 3339. "" is none.
func readWhen(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, storage.Vietnam); err == nil {
		return day, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, answer{exitFlags, fmt.Sprintf("--%s %q is neither yyyy-mm-dd nor RFC 3339", flag, text)}
	}
	return at, nil
}

// typedAtLeast is how much of a fingerprint is typed: 32 bits, which nobody hits by a certificate made for it while someone
// compares the rest by eye.
const typedAtLeast = 8

// confirm compares fingerprints with those given; without any it asks on a terminal. A script without a terminal is taken
// at its word, as before.
func (a *trustAdd) confirm(c *command, certificates []*x509.Certificate) error {
	given := make([]string, len(a.Fingerprint))
	for i, f := range a.Fingerprint {
		given[i] = bareFingerprint(f)
	}
	in := bufio.NewReader(os.Stdin)
	for _, one := range certificates {
		fingerprint := storage.Fingerprint(one.Raw)
		switch {
		case len(given) > 0:
			if !slices.Contains(given, fingerprint) {
				return answer{exitNo, fmt.Sprintf("%s has the fingerprint %s, which is not the one given: nothing is installed", one.Subject, fingerprint)}
			}
		case !a.Yes && onTerminal():
			fmt.Fprintf(c.err, "%s\n  SHA-256 %s\n  %s, for %s\nType its first %d characters as its owner published them: ", one.Subject, fingerprint,
				one.NotAfter.In(storage.Vietnam).Format("02/01/2006"), a.Purpose, typedAtLeast)
			line, err := in.ReadString('\n')
			typed := bareFingerprint(line)
			if err != nil || len(typed) < typedAtLeast || !strings.HasPrefix(fingerprint, typed) {
				return answer{exitNo, "that is not its fingerprint: nothing is installed"}
			}
		}
	}
	return nil
}

// bareFingerprint takes what people write between the digits off.
func bareFingerprint(text string) string {
	return strings.ToLower(strings.NewReplacer(":", "", " ", "", "\n", "", "\r", "", "\t", "").Replace(text))
}

// onTerminal says that a person sits there who can answer.
func onTerminal() bool {
	for _, f := range []*os.File{os.Stdin, os.Stderr} {
		if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err != nil {
			return false
		}
	}
	return true
}

type trustRetire struct {
	Fingerprint string `arg:"" help:"SHA-256 of the certificate, as the list shows it."`
	Purpose     string `env:"TRUC_TRUST_RETIRE_PURPOSE" enum:",signing,tsa,intermediate" default:"" help:"Only for this purpose: signing, tsa or intermediate; default all."`
	JSON        bool   `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run takes it out of use: exit 1 when none in use has this fingerprint.
func (r *trustRetire) Run(c *command) error {
	fingerprint := bareFingerprint(r.Fingerprint)
	return c.with(func(in *installation) error {
		if err := in.store.RetireAnchor(c.ctx, fingerprint, storage.Purpose(r.Purpose), actor(), time.Now()); err != nil {
			return err
		}
		if r.JSON {
			return c.printJSON(map[string]any{"retired": fingerprint})
		}
		_, err := fmt.Fprintf(c.out, "%s retired; `truc reverify` tells what it would change about the past\n", fingerprint)
		return err
	})
}

type trustList struct {
	JSON bool `env:"TRUC_JSON" help:"Answer as JSON."`
}

// trustLine is an installed certificate as it is listed.
type trustLine struct {
	Fingerprint string          `json:"fingerprint"`
	Purpose     storage.Purpose `json:"purpose"`
	Family      signing.Family  `json:"family,omitempty"`
	Test        bool            `json:"test"`
	Subject     string          `json:"subject"`
	NotAfter    time.Time       `json:"not_after"`
	From        *time.Time      `json:"from,omitempty"`
	Until       *time.Time      `json:"until,omitempty"`
	AddedAt     time.Time       `json:"added_at"`
	AddedBy     string          `json:"added_by"`
	Retired     bool            `json:"retired"`
	RetiredAt   *time.Time      `json:"retired_at,omitempty"`
	RetiredBy   string          `json:"retired_by,omitempty"`
	State       string          `json:"state"` // in_force, not_yet, over or retired
}

func newTrustLine(a storage.Anchor, now time.Time) trustLine {
	l := trustLine{Fingerprint: a.Fingerprint, Purpose: a.Purpose, Family: a.Family, Test: a.Test, Subject: a.Certificate.Subject.String(),
		NotAfter: a.Certificate.NotAfter.In(storage.Vietnam), From: vietnamTime(a.From), Until: vietnamTime(a.Until), AddedAt: a.AddedAt.In(storage.Vietnam),
		AddedBy: a.AddedBy, Retired: !a.RetiredAt.IsZero(), RetiredAt: vietnamTime(a.RetiredAt), RetiredBy: a.RetiredBy, State: "in_force"}
	switch {
	case l.Retired:
		l.State = "retired"
	case now.Before(a.From):
		l.State = "not_yet"
	case !a.Until.IsZero() && now.After(a.Until):
		l.State = "over"
	}
	return l
}

// remarks are what else is to be known of an installed certificate: a test anchor, its effective dates, who and when.
func (l trustLine) remarks() string {
	var list []string
	if l.Test {
		list = append(list, "TEST")
	}
	if l.From != nil {
		list = append(list, "from "+l.From.Format("02/01/2006"))
	}
	if l.Until != nil {
		list = append(list, "until "+l.Until.Format("02/01/2006"))
	}
	list = append(list, "added "+l.AddedAt.Format("02/01/2006 15:04")+" by "+l.AddedBy)
	if l.RetiredAt != nil {
		list = append(list, "retired "+l.RetiredAt.Format("02/01/2006 15:04")+" by "+l.RetiredBy)
	}
	return strings.Join(list, ", ")
}

func vietnamTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.In(storage.Vietnam)
	return &t
}

// listLine is revocation data at hand as they are listed.
type listLine struct {
	SHA256     string           `json:"sha256"`
	Kind       storage.ListKind `json:"kind"`
	Issuer     string           `json:"issuer"`
	Size       int64            `json:"size"`
	ThisUpdate time.Time        `json:"this_update"`
	NextUpdate *time.Time       `json:"next_update,omitempty"`
	AddedAt    time.Time        `json:"added_at"`
	AddedBy    string           `json:"added_by"`
	Stale      bool             `json:"stale"`
}

// Run lists the trust store: certificates with their state, then revocation data.
func (a *trustList) Run(c *command) error {
	return c.with(func(in *installation) error {
		now := time.Now()
		anchors, err := in.store.Anchors(c.ctx)
		if err != nil {
			return err
		}
		have, err := in.store.Lists(c.ctx)
		if err != nil {
			return err
		}
		lines, lists := make([]trustLine, len(anchors)), make([]listLine, len(have))
		for i, k := range anchors {
			lines[i] = newTrustLine(k, now)
		}
		for i, l := range have {
			lists[i] = listLine{l.SHA256, l.Kind, l.Issuer, l.Size, l.ThisUpdate.In(storage.Vietnam), vietnamTime(l.NextUpdate),
				l.AddedAt.In(storage.Vietnam), l.AddedBy, !l.NextUpdate.IsZero() && now.After(l.NextUpdate)}
		}
		if a.JSON {
			return c.printJSON(map[string]any{"anchors": lines, "revocation_lists": lists})
		}
		w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
		for _, l := range lines {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Fingerprint, l.State, l.Purpose, l.Family, l.Subject, l.NotAfter.Format("02/01/2006"), l.remarks())
		}
		for _, l := range lists {
			next := ""
			if l.NextUpdate != nil {
				next = l.NextUpdate.Format("02/01/2006 15:04")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t\t%s\t%s\n", l.SHA256, map[bool]string{false: "at_hand", true: "stale"}[l.Stale], l.Kind, l.Issuer, next)
		}
		return w.Flush()
	})
}

type trustExportAxis struct {
	Output string `env:"TRUC_OUTPUT" short:"o" type:"path" help:"File to write; default standard output."`
}

// Run writes the axis's certificate as PEM. The axis makes its key on first use, so this may be before the first serve.
func (a *trustExportAxis) Run(c *command) error {
	return c.with(func(in *installation) error {
		der, err := server.AxisCertificate(c.ctx, in.store, in.key, time.Now())
		if err != nil {
			return err
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		if a.Output == "" {
			_, err = c.out.Write(text)
			return err
		}
		if err := os.WriteFile(a.Output, text, 0o644); err != nil { // a certificate is public
			return fmt.Errorf("write the certificate: %w", err)
		}
		_, err = fmt.Fprintf(c.out, "%s  %s\n", storage.Fingerprint(der), a.Output)
		return err
	})
}
