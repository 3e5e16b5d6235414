package main

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/truc-lienthong/truc/signing"
)

// trustFlags are what a verdict leans on, the same for every command that gives one. Names of files have no separator: a
// comma is a part of many a file's name.
type trustFlags struct {
	Anchor       []string           `env:"TRUC_VERIFY_ANCHOR" sep:"none" help:"Trusted certificates instead of the installation's; then no state folder, database or network is touched. PEM, DER or .p7b, many in a file."`
	Intermediate []string           `env:"TRUC_VERIFY_INTERMEDIATE" sep:"none" help:"Certificates that help to build paths."`
	TSAAnchor    []string           `env:"TRUC_VERIFY_TSA_ANCHOR" name:"tsa-anchor" sep:"none" help:"Trusted roots of timestamp authorities."`
	CRL          []string           `env:"TRUC_VERIFY_CRL" name:"crl" sep:"none" help:"Revocation lists, PEM or DER, many in a file."`
	OCSP         []string           `env:"TRUC_VERIFY_OCSP" name:"ocsp" sep:"none" help:"OCSP responses, DER or PEM."`
	At           time.Time          `env:"TRUC_VERIFY_AT" help:"Time to judge at (of reception), RFC 3339; default now."`
	Revocation   signing.Revocation `env:"TRUC_REVOCATION" enum:"require,soft,off" default:"soft" help:"What it means that no revocation data are found: require: undetermined; soft: valid with a warning; off: they are not looked at."`
	AllowSHA1    bool               `env:"TRUC_VERIFY_ALLOW_SHA1" name:"allow-sha1" help:"Judge SHA-1 like SHA-2, for documents of the past."`
}

// options are the flags as package signing takes them.
func (t *trustFlags) options(c *command) (signing.Options, error) {
	trust, err := t.trust(c)
	at := t.At
	if at.IsZero() {
		at = time.Now()
	}
	return signing.Options{Trust: trust, At: at, Revocation: t.Revocation, AllowSHA1: t.AllowSHA1}, err
}

// maxTrustFile bounds one file: the largest revocation lists of public CAs have some 50 MB.
const maxTrustFile = 256 << 20

// trust is what the flags give; without --anchor they add to the installation's trust store.
func (t *trustFlags) trust(c *command) (*signing.Trust, error) {
	trust := &signing.Trust{}
	helping := func(x *x509.Certificate) { trust.Intermediates = append(trust.Intermediates, x) }
	for _, list := range []struct {
		paths []string
		add   func(*x509.Certificate)
		help  bool // it is enough to leave out what is malformed
	}{
		{t.Anchor, func(x *x509.Certificate) { trust.Anchors = append(trust.Anchors, signing.Anchor{Certificate: x}) }, false},
		{t.TSAAnchor, func(x *x509.Certificate) { trust.TSAAnchors = append(trust.TSAAnchors, signing.Anchor{Certificate: x}) }, false},
		{t.Intermediate, helping, true}, {t.CRL, helping, true}, {t.OCSP, helping, true},
	} {
		for _, path := range list.paths {
			if err := c.addTrust(trust, path, list.help, list.add); err != nil {
				return nil, err
			}
		}
	}
	if len(t.Anchor) > 0 {
		return trust, nil
	}
	return trust, c.with(func(in *installation) error {
		installed, err := in.store.Trust(c.ctx)
		if err != nil {
			return err
		}
		trust.Anchors = installed.Anchors
		trust.TSAAnchors = append(trust.TSAAnchors, installed.TSAAnchors...)
		trust.Intermediates = append(trust.Intermediates, installed.Intermediates...)
		trust.CRLs = append(trust.CRLs, installed.CRLs...)
		trust.OCSP = append(trust.OCSP, installed.OCSP...)
		return nil
	})
}

// addTrust takes all of one file: certificates as it was given for, lists and responses wherever they stand.
func (c *command) addTrust(trust *signing.Trust, path string, help bool, add func(*x509.Certificate)) error {
	raw, err := readSmall(path, maxTrustFile)
	if err != nil {
		return err
	}
	file, err := readTrustFile(raw)
	if err != nil && !(help && file.broken > 0) {
		return unusable("%s: %v", path, err)
	}
	if file.broken > 0 {
		fmt.Fprintf(c.err, "%s: %d malformed certificates left out\n", path, file.broken)
	}
	for _, x := range file.certificates {
		add(x)
	}
	trust.CRLs = append(trust.CRLs, file.crls...)
	trust.OCSP = append(trust.OCSP, file.ocsp...)
	return nil
}
