package main

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/truc-lienthong/truc/signing"
	"github.com/truc-lienthong/truc/storage"
)

type verifyCommand struct {
	File         string             `arg:"" type:"existingfile" help:"PDF, .p7s, .p7m, or any file with --signature."`
	Signature    string             `env:"TRUC_VERIFY_SIGNATURE" type:"existingfile" help:"Detached signature over FILE."`
	Content      string             `env:"TRUC_VERIFY_CONTENT" type:"existingfile" help:"Content of the detached signature FILE."`
	Anchor       []string           `env:"TRUC_VERIFY_ANCHOR" type:"existingfile" help:"Trusted certificates instead of the installation's; then no state folder, database or network is touched."`
	Intermediate []string           `env:"TRUC_VERIFY_INTERMEDIATE" type:"existingfile" help:"Certificates that help to build paths."`
	TSAAnchor    []string           `env:"TRUC_VERIFY_TSA_ANCHOR" name:"tsa-anchor" type:"existingfile" help:"Trusted roots of timestamp authorities."`
	CRL          []string           `env:"TRUC_VERIFY_CRL" name:"crl" type:"existingfile" help:"Revocation lists."`
	OCSP         []string           `env:"TRUC_VERIFY_OCSP" name:"ocsp" type:"existingfile" help:"OCSP responses (DER)."`
	At           time.Time          `env:"TRUC_VERIFY_AT" help:"Time of reception, RFC 3339; default now."`
	Revocation   signing.Revocation `env:"TRUC_REVOCATION" enum:"require,soft,off" default:"soft" help:"What a missing revocation list means: require, soft or off."`
	AllowSHA1    bool               `env:"TRUC_VERIFY_ALLOW_SHA1" name:"allow-sha1" help:"Judge SHA-1 like SHA-2, for documents of the past."`
	JSON         bool               `env:"TRUC_JSON" help:"Answer as JSON."`
}

// Run judges one file: exit 0 valid, 1 invalid, 2 undetermined, 3 no signature, 4 unusable input.
func (v *verifyCommand) Run(c *command) error {
	trust, err := v.trust(c)
	if err != nil {
		return err
	}
	file, close, err := v.input()
	if err != nil {
		return err
	}
	defer close()
	at := v.At
	if at.IsZero() {
		at = time.Now()
	}
	report := signing.Verify(c.ctx, []signing.File{file}, signing.Options{Trust: trust, At: at, Revocation: v.Revocation, AllowSHA1: v.AllowSHA1})
	if v.JSON {
		if err := c.printJSON(report); err != nil {
			return err
		}
	} else {
		c.printReport(report)
	}
	return answer{code: map[signing.Verdict]int{signing.Valid: exitYes, signing.Invalid: exitNo, signing.Undetermined: exitUndetermined,
		signing.Unsigned: exitNothing}[report.Verdict]}
}

// input opens the file; with --content FILE is the signature, with --signature it is the content.
func (v *verifyCommand) input() (signing.File, func(), error) {
	path, signature := v.File, v.Signature
	if v.Content != "" {
		path, signature = v.Content, v.File
	}
	file, err := os.Open(path)
	if err != nil {
		return signing.File{}, nil, unusable("%v", err)
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		_ = file.Close()
		return signing.File{}, nil, unusable("%s is not a regular file", path)
	}
	input := signing.File{Name: filepath.Base(path), Content: file, Size: info.Size()}
	if signature != "" {
		if input.Signature, err = os.ReadFile(signature); err != nil {
			_ = file.Close()
			return signing.File{}, nil, unusable("%v", err)
		}
	}
	return input, func() { _ = file.Close() }, nil
}

// trust is what the flags give; without --anchor it is the installation's trust store.
func (v *verifyCommand) trust(c *command) (*signing.Trust, error) {
	trust := &signing.Trust{}
	if len(v.Anchor) == 0 {
		err := c.with(func(in *installation) (err error) {
			trust, err = in.store.Trust(c.ctx)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, list := range []struct {
		paths []string
		add   func(*x509.Certificate)
	}{
		{v.Anchor, func(x *x509.Certificate) { trust.Anchors = append(trust.Anchors, signing.Anchor{Certificate: x}) }},
		{v.TSAAnchor, func(x *x509.Certificate) { trust.TSAAnchors = append(trust.TSAAnchors, signing.Anchor{Certificate: x}) }},
		{v.Intermediate, func(x *x509.Certificate) { trust.Intermediates = append(trust.Intermediates, x) }},
		{v.CRL, func(*x509.Certificate) {}},
	} {
		for _, path := range list.paths {
			raw, err := os.ReadFile(path)
			if err != nil {
				return nil, unusable("%v", err)
			}
			certificates, crls, err := readTrust(raw)
			if err != nil {
				return nil, unusable("%s: %v", path, err)
			}
			for _, x := range certificates {
				list.add(x)
			}
			trust.CRLs = append(trust.CRLs, crls...)
		}
	}
	for _, path := range v.OCSP {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, unusable("%v", err)
		}
		trust.OCSP = append(trust.OCSP, raw)
	}
	return trust, nil
}

var verdictLabels = map[signing.Verdict]string{signing.Valid: "HỢP LỆ", signing.Invalid: "KHÔNG HỢP LỆ",
	signing.Undetermined: "CHƯA XÁC ĐỊNH", signing.Unsigned: "KHÔNG CÓ CHỮ KÝ"}

func (c *command) printReport(report signing.Report) {
	for _, f := range report.Files {
		fmt.Fprintf(c.out, "%s: %s (%s)\n  SHA-256 %s\n", f.Name, verdictLabels[f.Verdict], f.Verdict, f.SHA256)
		for _, s := range f.Signatures {
			fmt.Fprintf(c.out, "  %d. %s — %s\n     %s (%s)\n", s.Number, s.Signer, verdictLabels[s.Verdict], s.Time.In(storage.Vietnam).Format("02/01/2006 15:04:05"), s.TimeSource)
			for _, r := range s.Reasons {
				fmt.Fprintf(c.out, "     · %s: %s / %s\n", r, r.Text().VI, r.Text().EN)
			}
		}
		if len(f.Signatures) == 0 {
			for _, r := range f.Reasons {
				fmt.Fprintf(c.out, "  · %s: %s / %s\n", r, r.Text().VI, r.Text().EN)
			}
		}
	}
}
