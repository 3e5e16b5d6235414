package signing

import (
	"crypto"
	_ "crypto/md5" // MD5 and SHA-1 are computed only to tell "weak" from "forged"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"encoding/asn1"
)

var (
	oidData           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTSTInfo        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidContentType    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidSigningCert    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningCertV2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidOCSPOther      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 16, 2}         // id-ri-ocsp-response (RFC 5940)
	oidArchival       = asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 8}         // adbe-revocationInfoArchival
	oidRevocationVals = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 24} // revocation-values (ETSI TS 101 733)
	oidCertificates   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 23} // certificate-values
	oidProtection     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 52}        // cmsAlgorithmProtect (RFC 6211)
	oidTimestampToken = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	// Other timestamps of CAdES: kept as evidence only.
	oidContentTimestamp = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 20}
	oidESCTimestamp     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 25}
	oidCertCRLTimestamp = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 26}
	oidArchiveV2        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 48}
	oidArchiveV3        = asn1.ObjectIdentifier{0, 4, 0, 1733, 2, 4}

	oidRSA     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidPSS     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidMGF1    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
	oidEC      = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidDSA     = asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}
	oidEd25519 = asn1.ObjectIdentifier{1, 3, 101, 112}

	oidEmail  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
	oidUserID = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
)

// digestByOID are the digest algorithms we can compute.
var digestByOID = map[string]crypto.Hash{
	"1.2.840.113549.2.5":      crypto.MD5,
	"1.3.14.3.2.26":           crypto.SHA1,
	"2.16.840.1.101.3.4.2.4":  crypto.SHA224,
	"2.16.840.1.101.3.4.2.1":  crypto.SHA256,
	"2.16.840.1.101.3.4.2.2":  crypto.SHA384,
	"2.16.840.1.101.3.4.2.3":  crypto.SHA512,
	"2.16.840.1.101.3.4.2.6":  crypto.SHA512_256,
	"2.16.840.1.101.3.4.2.5":  crypto.SHA512_224,
	"2.16.840.1.101.3.4.2.7":  crypto.SHA3_224,
	"2.16.840.1.101.3.4.2.8":  crypto.SHA3_256,
	"2.16.840.1.101.3.4.2.9":  crypto.SHA3_384,
	"2.16.840.1.101.3.4.2.10": crypto.SHA3_512,
}

// rsaWith, ecdsaWith and dsaWith name a signature algorithm together with its digest.
var rsaWith = map[string]crypto.Hash{
	"1.2.840.113549.1.1.4":    crypto.MD5,
	"1.2.840.113549.1.1.5":    crypto.SHA1,
	"1.3.14.3.2.29":           crypto.SHA1,
	"1.2.840.113549.1.1.14":   crypto.SHA224,
	"1.2.840.113549.1.1.11":   crypto.SHA256,
	"1.2.840.113549.1.1.12":   crypto.SHA384,
	"1.2.840.113549.1.1.13":   crypto.SHA512,
	"1.2.840.113549.1.1.15":   crypto.SHA512_224,
	"1.2.840.113549.1.1.16":   crypto.SHA512_256,
	"2.16.840.1.101.3.4.3.13": crypto.SHA3_224,
	"2.16.840.1.101.3.4.3.14": crypto.SHA3_256,
	"2.16.840.1.101.3.4.3.15": crypto.SHA3_384,
	"2.16.840.1.101.3.4.3.16": crypto.SHA3_512,
}

var ecdsaWith = map[string]crypto.Hash{
	"1.2.840.10045.4.1":       crypto.SHA1,
	"1.2.840.10045.4.3.1":     crypto.SHA224,
	"1.2.840.10045.4.3.2":     crypto.SHA256,
	"1.2.840.10045.4.3.3":     crypto.SHA384,
	"1.2.840.10045.4.3.4":     crypto.SHA512,
	"2.16.840.1.101.3.4.3.9":  crypto.SHA3_224,
	"2.16.840.1.101.3.4.3.10": crypto.SHA3_256,
	"2.16.840.1.101.3.4.3.11": crypto.SHA3_384,
	"2.16.840.1.101.3.4.3.12": crypto.SHA3_512,
}

var dsaWith = map[string]crypto.Hash{
	"1.2.840.10040.4.3":      crypto.SHA1,
	"2.16.840.1.101.3.4.3.1": crypto.SHA224,
	"2.16.840.1.101.3.4.3.2": crypto.SHA256,
	"2.16.840.1.101.3.4.3.3": crypto.SHA384,
	"2.16.840.1.101.3.4.3.4": crypto.SHA512,
}

// weak tells the digests that no longer bind. SHA-1 does for those who ask for the past; MD5, for which whole certificates
// were forged, never.
func (o Options) weak(h crypto.Hash) bool {
	return h == crypto.MD5 || h == crypto.SHA1 && !o.AllowSHA1
}
