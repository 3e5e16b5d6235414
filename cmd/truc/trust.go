package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/truc-lienthong/truc/server"
	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

type trustCommand struct {
	Add        trustAdd        `cmd:"" help:"Install certificates or revocation lists."`
	List       trustList       `cmd:"" help:"List what is installed."`
	ExportAxis trustExportAxis `cmd:"" name:"export-axis" help:"Write the axis's own certificate, to check its proofs with."`
}

type trustAdd struct {
	File    []string `arg:"" type:"existingfile" help:"PEM or DER certificates or CRLs; several in one file are all taken."`
	Purpose string   `env:"TRUC_TRUST_PURPOSE" enum:"signing,tsa,intermediate" default:"signing" help:"What for: signing, tsa or intermediate."`
	Family  string   `env:"TRUC_TRUST_FAMILY" enum:",công vụ,công cộng,chuyên dùng" default:"" help:"Family of signatures under it: công vụ, công cộng or chuyên dùng."`
	Test    bool     `env:"TRUC_TRUST_TEST" help:"A test anchor: everything under it is marked so, and the pages carry a banner."`
	JSON    bool     `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run installs everything in the files and prints the fingerprints for comparison.
func (a *trustAdd) Run(c *command) error {
	var certificates []*x509.Certificate
	var lists [][]byte
	for _, path := range a.File {
		raw, err := os.ReadFile(path)
		if err != nil {
			return unusable("%v", err)
		}
		some, crls, err := readTrust(raw)
		if err != nil {
			return unusable("%s: %v", path, err)
		}
		certificates, lists = append(certificates, some...), append(lists, crls...)
	}
	return c.with(func(in *installation) error {
		added := []string{}
		for _, one := range certificates {
			fingerprint, err := in.store.AddAnchor(c.ctx, storage.Anchor{Purpose: storage.Purpose(a.Purpose), Family: signing.Family(a.Family),
				Test: a.Test, Certificate: one, AddedBy: actor()}, time.Now())
			if err != nil {
				return err
			}
			added = append(added, fingerprint)
			fmt.Fprintf(c.err, "%s  %s  %s\n", fingerprint, a.Purpose, one.Subject)
		}
		for _, list := range lists {
			if err := in.store.AddRevocationList(c.ctx, list, actor(), time.Now()); err != nil {
				return err
			}
		}
		if a.JSON {
			return c.printJSON(map[string]any{"certificates": added, "revocation_lists": len(lists)})
		}
		_, err := fmt.Fprintf(c.out, "%d certificates, %d revocation lists\n", len(added), len(lists))
		return err
	})
}

// readTrust reads the certificates and revocation lists of a file.
func readTrust(raw []byte) (certificates []*x509.Certificate, lists [][]byte, err error) {
	file, err := readTrustFile(raw)
	if err == nil && len(file.certificates)+len(file.crls) == 0 {
		err = errNoTrust
	}
	return file.certificates, file.crls, err
}

type trustList struct {
	JSON bool `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run lists the trust store.
func (a *trustList) Run(c *command) error {
	return c.with(func(in *installation) error {
		anchors, err := in.store.Anchors(c.ctx)
		if err != nil {
			return err
		}
		type line struct {
			Fingerprint string          `json:"fingerprint"`
			Purpose     storage.Purpose `json:"purpose"`
			Family      signing.Family  `json:"family,omitempty"`
			Test        bool            `json:"test"`
			Subject     string          `json:"subject"`
			NotAfter    time.Time       `json:"not_after"`
			AddedAt     time.Time       `json:"added_at"`
			AddedBy     string          `json:"added_by"`
			Retired     bool            `json:"retired"`
		}
		lines := make([]line, len(anchors))
		for i, k := range anchors {
			lines[i] = line{k.Fingerprint, k.Purpose, k.Family, k.Test, k.Certificate.Subject.String(), k.Certificate.NotAfter.In(storage.Vietnam),
				k.AddedAt.In(storage.Vietnam), k.AddedBy, !k.RetiredAt.IsZero()}
		}
		if a.JSON {
			return c.printJSON(map[string]any{"anchors": lines})
		}
		w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
		for _, l := range lines {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", l.Fingerprint, l.Purpose, l.Family, l.Subject, l.NotAfter.Format("02/01/2006"))
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
		sum := sha256.Sum256(der)
		_, err = fmt.Fprintf(c.out, "%s  %s\n", hex.EncodeToString(sum[:]), a.Output)
		return err
	})
}
