package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.mozilla.org/pkcs7"

	"github.com/truc-lienthong/truc/cmd/agency/toy"
	"github.com/truc-lienthong/truc/signing/testpki"
)

// metadataSigner makes what signs the first part's exact bytes: a detached PKCS#7 with SHA-256 and the certificates of the
// file. It refuses a key that is not the certificate's.
func metadataSigner(certPath, keyPath string) (func([]byte) ([]byte, error), error) {
	pair, err := tls.LoadX509KeyPair(certPath, keyPath)
	if err != nil {
		return nil, fmt.Errorf("read the certificate and its key: %w", err)
	}
	chain := make([]*x509.Certificate, len(pair.Certificate))
	for i, der := range pair.Certificate {
		if chain[i], err = x509.ParseCertificate(der); err != nil {
			return nil, fmt.Errorf("read the certificate: %w", err)
		}
	}
	return func(part []byte) ([]byte, error) {
		data, err := pkcs7.NewSignedData(part)
		if err != nil {
			return nil, fmt.Errorf("sign the metadata: %w", err)
		}
		data.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
		if err := data.AddSignerChain(chain[0], pair.PrivateKey, chain[1:], pkcs7.SignerInfoConfig{}); err != nil {
			return nil, fmt.Errorf("sign the metadata: %w", err)
		}
		data.Detach()
		return data.Finish()
	}, nil
}

// addDemoPDF makes a TEST document in the agency's name, seals it with an identity of the test PKI, and, when no
// certificate was given, signs the metadata with it too.
func (s *sendCommand) addDemoPDF(ctx context.Context, client *toy.Client, doc *toy.Document, now time.Time) error {
	pki, err := testpki.Load(s.PKI, testpki.Options{})
	if err != nil {
		return unusable("%v", err)
	}
	name, err := agencyName(ctx, client, s.Sender)
	if err != nil {
		return err
	}
	seal, err := pki.Agency(name, s.Sender)
	if err != nil {
		return fmt.Errorf("make a test certificate for %s: %w", s.Sender, err)
	}
	d := &doc.Dispatch
	if d.Number == "" {
		d.Number, d.Notation = "1", "TEST-VP"
	}
	if d.Subject == "" {
		d.Subject = s.DemoPDF
	}
	pdf, err := testpki.PDF(testpki.Document{Agency: strings.ToUpper(name), Number: d.Number + "/" + d.Notation, Date: now, Subject: s.DemoPDF,
		To: s.To, Position: s.Position, Signer: s.Signer})
	if err != nil {
		return err
	}
	if pdf, err = testpki.SignPDF(pdf, testpki.PDFSignature{Signer: seal, Time: now, TSA: pki, Seal: true}); err != nil {
		return err
	}
	doc.Files = append(doc.Files, toy.Bytes("van-ban-thu.pdf", "application/pdf", pdf))
	if doc.Sign == nil {
		doc.Sign = func(part []byte) ([]byte, error) { return testpki.SignCMS(seal, part, now) }
	}
	return nil
}

// agencyName asks the axis who a code is.
func agencyName(ctx context.Context, client *toy.Client, code string) (string, error) {
	raw, err := client.Agency(ctx, code)
	if p, ok := toy.Refusal(err); ok {
		return "", answer{exitNo, p.Error()}
	}
	if err != nil {
		return "", answer{exitDependency, err.Error()}
	}
	var found struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(raw, &found); err != nil || found.Name == "" {
		return "", errors.Join(fmt.Errorf("the axis's answer about %s has no name", code), err)
	}
	return found.Name, nil
}
