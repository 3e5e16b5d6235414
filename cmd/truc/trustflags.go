package main

import (
	"crypto/x509"
	"os"
	"time"

	"github.com/truc-lienthong/truc/signing"
)

// trustFlags are what a verdict leans on, the same for every command that gives one.
type trustFlags struct {
	Anchor       []string           `env:"TRUC_VERIFY_ANCHOR" type:"existingfile" help:"Trusted certificates instead of the installation's; then no state folder, database or network is touched."`
	Intermediate []string           `env:"TRUC_VERIFY_INTERMEDIATE" type:"existingfile" help:"Certificates that help to build paths."`
	CRL          []string           `env:"TRUC_VERIFY_CRL" name:"crl" type:"existingfile" help:"Revocation lists."`
	OCSP         []string           `env:"TRUC_VERIFY_OCSP" name:"ocsp" type:"existingfile" help:"OCSP responses (DER)."`
	At           time.Time          `env:"TRUC_VERIFY_AT" help:"Time to judge at (of reception), RFC 3339; default now."`
	Revocation   signing.Revocation `env:"TRUC_REVOCATION" enum:"require,soft,off" default:"soft" help:"What a missing revocation list means: require, soft or off."`
	AllowSHA1    bool               `env:"TRUC_VERIFY_ALLOW_SHA1" name:"allow-sha1" help:"Judge SHA-1 like SHA-2, for documents of the past."`
}

// options are the flags as package signing takes them. tsa are the files with roots of timestamp authorities.
func (f *trustFlags) options(c *command, tsa []string) (signing.Options, error) {
	trust, err := f.trust(c, tsa)
	at := f.At
	if at.IsZero() {
		at = time.Now()
	}
	return signing.Options{Trust: trust, At: at, Revocation: f.Revocation, AllowSHA1: f.AllowSHA1}, err
}

// trust is what the flags give; without --anchor it is the installation's trust store.
func (f *trustFlags) trust(c *command, tsa []string) (*signing.Trust, error) {
	trust := &signing.Trust{}
	if len(f.Anchor) == 0 {
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
		{f.Anchor, func(x *x509.Certificate) { trust.Anchors = append(trust.Anchors, signing.Anchor{Certificate: x}) }},
		{tsa, func(x *x509.Certificate) { trust.TSAAnchors = append(trust.TSAAnchors, signing.Anchor{Certificate: x}) }},
		{f.Intermediate, func(x *x509.Certificate) { trust.Intermediates = append(trust.Intermediates, x) }},
		{f.CRL, func(*x509.Certificate) {}},
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
	for _, path := range f.OCSP {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, unusable("%v", err)
		}
		trust.OCSP = append(trust.OCSP, raw)
	}
	return trust, nil
}
