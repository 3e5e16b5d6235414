package main

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/truc-lienthong/truc/signing"
)

// trustFile is what one file of certificates, revocation lists or OCSP responses holds, whatever it was given as.
type trustFile struct {
	certificates []*x509.Certificate
	crls, ocsp   [][]byte // DER
	broken       int      // certificates that cannot be parsed
	spoiled      bool     // the first of them is one, or stray bytes follow a DER object
}

var errNoTrust = errors.New("no certificate, revocation list or OCSP response in it")

// readTrustFile reads PEM (any number of blocks, text around them), DER (one object after the other), bare base64 of it,
// and the PKCS #7 bags (.p7b) in which CAs hand out their certificates.
func readTrustFile(raw []byte) (trustFile, error) {
	var f trustFile
	raw = bytes.TrimPrefix(raw, []byte("\xEF\xBB\xBF"))
	switch {
	case bytes.Contains(raw, []byte("-----BEGIN ")):
		for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
			f.objects(block.Bytes, block.Type == "TRUSTED CERTIFICATE")
		}
	case len(raw) > 0 && raw[0] == 0x30:
		f.objects(raw, false)
	default:
		if der, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(raw), nil))); err == nil {
			f.objects(der, false)
		}
	}
	if len(f.certificates)+len(f.crls)+len(f.ocsp) == 0 {
		if f.broken > 0 {
			return f, errors.New("the certificate in it is malformed")
		}
		return f, errNoTrust
	}
	return f, nil
}

// objects takes DER objects that stand one after the other; one says that what follows the first is no certificate
// (OpenSSL's TRUSTED CERTIFICATE has its own settings there). BER bags are taken whole.
func (f *trustFile) objects(der []byte, one bool) {
	if certificates, crls, ok := signing.Bag(der); ok {
		for _, c := range certificates {
			f.certificate(c)
		}
		f.crls = append(f.crls, crls...)
		return
	}
	in := cryptobyte.String(der)
	var object cryptobyte.String
	for in.PeekASN1Tag(cbasn1.SEQUENCE) && in.ReadASN1Element(&object, cbasn1.SEQUENCE) {
		f.object(object)
		if one {
			return
		}
	}
	f.spoiled = f.spoiled || len(bytes.TrimSpace(in)) > 0
}

// object sorts one DER object by its shape: what is in it, signing judges.
func (f *trustFile) object(der []byte) {
	in := cryptobyte.String(der)
	var outer, tbs cryptobyte.String
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) {
		return
	}
	if outer.PeekASN1Tag(cbasn1.ENUM) { // OCSPResponse: responseStatus (RFC 6960, 4.2.1)
		f.ocsp = append(f.ocsp, der)
		return
	}
	if !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		return
	}
	if isList(tbs) {
		f.crls = append(f.crls, der)
		return
	}
	f.certificate(der)
}

// isList tells a TBSCertList from a TBSCertificate: a time follows the issuer (RFC 5280, 5.1; version 1 has no version).
func isList(tbs cryptobyte.String) bool {
	return tbs.SkipOptionalASN1(cbasn1.INTEGER) && tbs.SkipASN1(cbasn1.SEQUENCE) && tbs.SkipASN1(cbasn1.SEQUENCE) &&
		(tbs.PeekASN1Tag(cbasn1.UTCTime) || tbs.PeekASN1Tag(cbasn1.GeneralizedTime))
}

func (f *trustFile) certificate(der []byte) {
	x, err := signing.ParseCertificate(der)
	if err != nil {
		f.broken++
		f.spoiled = f.spoiled || len(f.certificates) == 0
		return
	}
	f.certificates = append(f.certificates, x)
}
